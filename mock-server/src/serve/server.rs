//! A running server: its listeners, its world, its end.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tower::ServiceExt;

use super::connection;
use super::connection::{Answer, serve_http1};
use super::doors::{self, Streams, TcpPorts};
use super::gate::Gate;
use super::ports::{Block, LoopbackAddresses, PortChoice, claim_block};
use crate::api::rest::router::Product;
use crate::api::rest::{Answers, App, LocalAddr, RequestIds};
use crate::api::{admin, grpc};
use crate::config::{Addresses, Config};
use crate::domain::ids::{PortPlan, PortPlanTooHigh};
use crate::platform;
use crate::sim::Simulation;
use crate::sim::clock::Clock;
use crate::sim::signal::Signal;

/// Why a server did not start, in words for whoever started it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process has the address.
    #[error(
        "port {port} on {host} is already in use: give another address with {flag} (port 0 takes a free one)"
    )]
    AddressInUse {
        /// The host.
        host: IpAddr,
        /// The port.
        port: u16,
        /// The flag that sets it.
        flag: &'static str,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address} ({flag}): {error}")]
    CannotListen {
        /// The address.
        address: SocketAddr,
        /// The flag that sets it.
        flag: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// The last job port would lie above 65535.
    #[error("{0} (--port-base)")]
    Ports(PortPlanTooHigh),
    /// A listener would take a job's port.
    #[error(
        "port {port} ({flag}) lies among the job ports {first} to {last} (--port-base): move one of them"
    )]
    AmongJobPorts {
        /// The listener's port.
        port: u16,
        /// The flag that sets it.
        flag: &'static str,
        /// The first job port.
        first: u16,
        /// The last one.
        last: u16,
    },
    /// No block of ports is free.
    #[error("no block of job ports is free: {0} (--port-base 0)")]
    NoBlock(io::Error),
    /// The server's thread or runtime could not be made.
    #[error("cannot start the server: {0}")]
    Runtime(io::Error),
}

/// A server that answers.
pub struct Server {
    /// Address of the REST listener.
    pub rest: SocketAddr,
    /// Address of the admin listener, if there is one.
    pub admin: Option<SocketAddr>,
    /// Job ports are this plus the slot.
    pub port_base: u16,
    simulation: Arc<Simulation>,
    gates: Vec<Arc<Gate>>,
    stop: Arc<Signal<()>>,
    /// Closed once every connection has ended.
    connections: mpsc::Receiver<()>,
    _block: Option<Block>,
}

/// The sockets of a server, before anything is served on them.
struct Listeners {
    rest: std::net::TcpListener,
    admin: Option<std::net::TcpListener>,
    plan: PortPlan,
    block: Option<Block>,
}

impl Server {
    /// Starts a server on the current runtime. It answers when this returns, and until it is stopped or dropped with
    /// the runtime.
    ///
    /// # Errors
    /// When an address or the job ports cannot be had.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let max_slots = config.setup.ports.max_slots();
        warn_if_files_are_short(max_slots);
        let listeners = Listeners::open(&config.addresses, max_slots)?;
        let mut setup = config.setup;
        setup.ports = listeners.plan;
        let max_body_bytes = setup.limits.max_body_bytes;
        let rest = listeners.rest.local_addr().map_err(StartError::Runtime)?;
        let (ports, streams) = TcpPorts::new(rest.ip(), Handle::current());
        let clock = Clock::start(config.clock, config.start_time);
        let simulation = Arc::new(Simulation::new(setup, config.seed, clock, Arc::new(ports)));
        let (open, connections) = mpsc::channel(1);
        let weak = Arc::downgrade(&simulation);
        let routes = grpc::services(&simulation).await;
        let _first = streams.set(Streams { routes, simulation: weak, open: open.downgrade() });

        let app = App {
            simulation: Arc::clone(&simulation),
            request_ids: RequestIds::new(config.seed),
            answers: Answers::default(),
            max_body_bytes,
        };
        let stop = Arc::new(Signal::default());
        let mut server = Self {
            rest,
            admin: None,
            port_base: listeners.plan.base(),
            simulation: Arc::clone(&simulation),
            gates: Vec::new(),
            stop,
            connections,
            _block: listeners.block,
        };
        if let Some(listener) = listeners.admin {
            server.admin = Some(listener.local_addr().map_err(StartError::Runtime)?);
            server.serve(listener, Admin(admin::router(Arc::clone(&simulation))), &open)?;
        }
        server.serve(listeners.rest, Product::new(Arc::new(app)), &open)?;
        let weak = Arc::downgrade(&simulation);
        let stopped = Arc::clone(&server.stop);
        tokio::spawn(async move {
            // The loop holds the world only while it runs; it ends with the server or with the runtime.
            if let Some(simulation) = weak.upgrade() {
                tokio::select! { () = simulation.run() => {}, () = stopped.wait() => {} }
            }
        });
        Ok(server)
    }

    /// The world the server shows.
    #[must_use]
    pub fn simulation(&self) -> &Arc<Simulation> {
        &self.simulation
    }

    fn serve(
        &mut self,
        listener: std::net::TcpListener,
        answer: impl Answer + Sync,
        open: &mpsc::Sender<()>,
    ) -> Result<(), StartError> {
        let gate = Gate::new(TcpListener::from_std(listener).map_err(StartError::Runtime)?);
        self.gates.push(Arc::clone(&gate));
        let (stop, open) = (Arc::clone(&self.stop), open.clone());
        tokio::spawn(async move {
            gate.accept_all(|stream| {
                let (answer, stop, open) = (answer.clone(), Arc::clone(&stop), open.clone());
                tokio::spawn(async move {
                    serve_http1(stream, answer, stop).await;
                    drop(open);
                });
            })
            .await;
        });
        Ok(())
    }

    /// Stops: no new connections, open calls end, requests in flight are answered.
    pub async fn stop(mut self) {
        for gate in &self.gates {
            gate.close();
        }
        self.simulation.reset();
        self.stop.raise(());
        let _ =
            tokio::time::timeout(connection::WIND_UP + Duration::from_secs(1), self.connections.recv()).await;
        // Requests that were in flight may have made jobs meanwhile.
        self.simulation.reset();
    }

    /// `http`, or `https` where the REST listener speaks TLS.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        "http"
    }

    /// The times the process is asked to end. Signals are heard from the moment this returns, so whoever calls it
    /// before the ready line loses none.
    ///
    /// # Errors
    /// When the system takes no handler for that.
    pub fn asked_to_end() -> io::Result<platform::Signals> {
        platform::Signals::new()
    }
}

impl Answer for Product {
    fn answer(self, request: Request<Incoming>, local: SocketAddr) -> BoxFuture<'static, Response> {
        Box::pin(Self::answer(self, request.map(axum::body::Body::new), LocalAddr(local)))
    }
}

/// The admin listener's routes.
#[derive(Clone)]
struct Admin(axum::Router);

impl Answer for Admin {
    fn answer(self, request: Request<Incoming>, _: SocketAddr) -> BoxFuture<'static, Response> {
        self.0.oneshot(request).map(|answered| answered.unwrap_or_else(|never| match never {})).boxed()
    }
}

/// Descriptors a server needs beside one per job: listeners, runtime, some connections.
const FILES_BESIDE_JOBS: u64 = 128;

fn warn_if_files_are_short(max_slots: u16) {
    let Some(limit) = platform::raise_open_files() else { return };
    if limit < u64::from(max_slots) + FILES_BESIDE_JOBS {
        tracing::warn!(
            "{max_slots} slots need more open files than the limit of {limit} allows: further jobs will be refused with \
             503 JOB_CREATION_FAILED; raise it with ulimit -n"
        );
    }
}

/// The ports that are documented; on an address of its own a server can have them.
const REST_PORT: u16 = 5000;
const ADMIN_PORT: u16 = 5001;
const PORT_BASE: u16 = 12300;

impl Listeners {
    fn open(addresses: &Addresses, max_slots: u16) -> Result<Self, StartError> {
        match addresses {
            Addresses::Given { listen, admin, ports } => Self::at(*listen, *admin, *ports, max_slots),
            Addresses::Own => {
                for host in LoopbackAddresses::of_this_process().map(IpAddr::V4) {
                    let admin = Some(SocketAddr::new(host, ADMIN_PORT));
                    let base = PortChoice::Base(PORT_BASE);
                    match Self::at(SocketAddr::new(host, REST_PORT), admin, base, max_slots) {
                        // Somebody else's: the next one may be free.
                        Err(StartError::AddressInUse { .. }) => {}
                        // No such address on this system: there is only 127.0.0.1.
                        Err(StartError::CannotListen { .. }) => break,
                        opened => return opened,
                    }
                }
                let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                Self::at(free, Some(free), PortChoice::FreeBlock, max_slots)
            }
        }
    }

    fn at(
        rest: SocketAddr,
        admin: Option<SocketAddr>,
        ports: PortChoice,
        max_slots: u16,
    ) -> Result<Self, StartError> {
        let max_slots = NonZeroU16::new(max_slots).unwrap_or(NonZeroU16::MIN);
        let (base, block) = match ports {
            PortChoice::Base(base) => (base, None),
            PortChoice::FreeBlock => {
                let block = claim_block(rest.ip(), max_slots).map_err(StartError::NoBlock)?;
                (block.base, Some(block))
            }
        };
        let plan = PortPlan::new(base, max_slots).map_err(StartError::Ports)?;
        let rest = open_apart(rest, "--listen", plan)?;
        let admin = admin.map(|admin| open_apart(admin, "--admin", plan)).transpose()?;
        Ok(Self { rest, admin, plan, block })
    }
}

/// Listens, but not on a job's port: that would be a conflict that no job could ever get around.
fn open_apart(
    address: SocketAddr,
    flag: &'static str,
    plan: PortPlan,
) -> Result<std::net::TcpListener, StartError> {
    let (first, last) = (plan.base() + 1, plan.base() + plan.max_slots());
    // A port that the system chose may be a job's by accident; it is held while the next one is asked for.
    let mut accidents = Vec::new();
    loop {
        let listener = open(address, flag)?;
        let port = listener.local_addr().map_err(StartError::Runtime)?.port();
        if !(first..=last).contains(&port) {
            return Ok(listener);
        }
        accidents.push(listener);
        if address.port() != 0 || accidents.len() > 64 {
            return Err(StartError::AmongJobPorts { port, flag, first, last });
        }
    }
}

fn open(address: SocketAddr, flag: &'static str) -> Result<std::net::TcpListener, StartError> {
    doors::listen(address).map(Into::into).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            StartError::AddressInUse { host: address.ip(), port: address.port(), flag }
        }
        _ => StartError::CannotListen { address, flag, error },
    })
}
