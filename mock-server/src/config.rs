//! What a server is started with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::time::Moment;
use crate::sim::clock::Mode;
use crate::sim::seed::Seed;
use crate::sim::setup::{PortChoice, Setup};

pub use crate::api::token::Token;

/// Everything a server is started with. The default is what a test wants: the default world on addresses of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where it listens.
    pub addresses: Addresses,
    /// Seed of everything that is drawn.
    pub seed: Seed,
    /// What makes its clock go.
    pub clock: Mode,
    /// What the admin interface asks its callers for; without one it answers everybody who reaches it.
    pub admin_token: Option<Token>,
    /// What its clock shows at the start; the wall clock's time if nothing is given.
    pub start_time: Option<Moment>,
    /// The world it starts with.
    pub setup: Setup,
    /// Where the answers send clients for their streams.
    pub streams_at: StreamsAt,
    /// What the REST listener proves itself with; without it, it speaks plain HTTP.
    pub tls: Option<Tls>,
    /// How the Kubernetes API is reached.
    pub kube: KubeApi,
    /// What the REST listener does while the Focus Server has no ready pod.
    pub when_down: WhenDown,
    /// Limits of REST, admin and Kubernetes connections.
    pub http: HttpLimits,
    /// Limits of connections to job ports.
    pub grpc: GrpcLimits,
    /// How long a server that was asked to stop goes on answering what it was asked before.
    pub stop_deadline: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addresses: Addresses::Own,
            seed: Seed::default(),
            clock: Mode::System,
            admin_token: None,
            start_time: None,
            setup: Setup::default(),
            streams_at: StreamsAt::default(),
            tls: None,
            kube: KubeApi::default(),
            when_down: WhenDown::Answer,
            http: HttpLimits::default(),
            grpc: GrpcLimits::default(),
            stop_deadline: Duration::from_secs(5),
        }
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Addresses that nobody else has: a loopback address with the documented ports on it, or free ports of 127.0.0.1
    /// where there is only that one.
    Own,
    /// These.
    Given {
        /// The product's REST listener; job ports are on the same host. Port 0 takes a free one.
        listen: SocketAddr,
        /// The admin listener, if there shall be one.
        admin: Option<SocketAddr>,
        /// The listener of the Kubernetes API, if there shall be one.
        kube: Option<SocketAddr>,
        /// Where job ports lie.
        ports: PortChoice,
    },
}

/// The base of `stream_url`, as far as it is not left to each request's Host header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamsAt {
    /// `http` or `https` and a host, as in `rest.public_url`, without port and path: clients append the port.
    pub public_url: Option<String>,
    /// The host alone; it stands in for the one of `public_url`, too.
    pub host: Option<String>,
}

/// A server's key and certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// PEM files; the certificate's may hold a chain.
    Files {
        /// The certificate, and those that vouch for it.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// A certificate made at the start, for localhost, the loopback addresses and the address it listens on.
    SelfSigned,
}

/// How the Kubernetes API of the simulated cluster is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct KubeApi {
    /// What it asks its callers for; without one it answers everybody who reaches it.
    pub token: Option<Token>,
    /// Whether it speaks TLS: with what the REST listener proves itself with, else with a certificate made at the start.
    pub tls: bool,
    /// Most watches that are open at a time.
    pub max_watches: usize,
}

impl Default for KubeApi {
    fn default() -> Self {
        Self { token: None, tls: false, max_watches: 2000 }
    }
}

/// What the REST listener does while the Focus Server has no ready pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenDown {
    /// Every route answers 503, as behind an ingress that has no backend.
    Answer,
    /// Connections are refused, as where nothing listens; those that are open end.
    Refuse,
}

/// Limits of REST, admin and Kubernetes connections, on the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// Largest block of request headers; above it the answer is 431.
    pub max_header_bytes: usize,
    /// Most of them; above it the answer is 431, too. Another limit than the default costs some speed.
    pub max_headers: usize,
    /// How long a client may take for its headers, from their first byte on.
    pub header_time: Duration,
    /// How long a client may take for a body.
    pub body_time: Duration,
    /// How long a connection may be open without a request.
    pub idle_time: Duration,
    /// How long a client may leave an answer unread.
    pub write_time: Duration,
    /// How long a connection may go on after it was asked to go, and what is left of a refused request is read for.
    pub wind_up_time: Duration,
    /// Most connections of one listener; at the limit, the one that has been without a request for longest makes room.
    pub max_connections: usize,
}

impl HttpLimits {
    /// Hyper reads so many headers without allocating; for any other limit it fills two tables for every request, which
    /// takes longer than a small answer.
    pub(crate) const HEADERS_ON_THE_STACK: usize = 100;
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            max_header_bytes: 64 * 1024,
            max_headers: Self::HEADERS_ON_THE_STACK,
            header_time: Duration::from_secs(30),
            body_time: Duration::from_secs(20),
            idle_time: Duration::from_secs(120),
            write_time: Duration::from_secs(30),
            wind_up_time: Duration::from_secs(2),
            max_connections: 4096,
        }
    }
}

/// Limits of connections to job ports, on the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrpcLimits {
    /// How long a client may take for the preface of its connection.
    pub preface_time: Duration,
    /// Largest block of a call's headers.
    pub max_header_bytes: u32,
    /// Calls that are open at a time on one connection; each may hold one message that its client does not read.
    pub max_calls_per_connection: u32,
    /// How long a client may leave its socket unread. Above the simulated inactivity limit of streams, which is what
    /// ends the calls of slow readers with a status.
    pub write_time: Duration,
    /// How long a connection may go on after its job has ended or it was asked to go: to hear how its calls ended.
    pub wind_up_time: Duration,
    /// Most connections to all job ports; at the limit, the one that has been without a call for longest makes room.
    pub max_connections: usize,
}

impl Default for GrpcLimits {
    fn default() -> Self {
        Self {
            preface_time: Duration::from_secs(10),
            max_header_bytes: 16 * 1024,
            max_calls_per_connection: 100,
            write_time: Duration::from_secs(300),
            wind_up_time: Duration::from_secs(2),
            max_connections: 4096,
        }
    }
}
