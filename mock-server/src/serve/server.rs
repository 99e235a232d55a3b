//! A running server: its listeners, its world, its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::Request;
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tower::ServiceExt;

use super::doors::{Streams, TcpPorts};
use super::front::{self, Front};
use super::gate::Gate;
use super::http1::{Answer, House};
use super::listen::{Listeners, StartError};
use super::ports::Block;
use super::room::Room;
use super::tls::Identity;
use super::wall::WallTime;
use crate::api::effect::Answered;
use crate::api::kube::{self, Kube};
use crate::api::rest::router::Product;
use crate::api::rest::{Answers, App, Ends, RequestIds, StreamBase};
use crate::api::{admin, grpc};
use crate::config::{Config, HttpLimits, Tls, Token, WhenDown};
use crate::kubeconfig::Reach;
use crate::platform;
use crate::sim::Simulation;
use crate::sim::clock::Clock;
use crate::sim::signal::Signal;

/// How much longer than it should the end of the connections may take.
const GRACE: Duration = Duration::from_secs(1);

/// A server that answers.
pub struct Server {
    /// Address of the REST listener.
    pub rest: SocketAddr,
    /// Address of the admin listener, if there is one.
    pub admin: Option<SocketAddr>,
    /// Address of the listener of the Kubernetes API, if there is one.
    pub kube: Option<SocketAddr>,
    /// Job ports are this plus the slot.
    pub port_base: u16,
    simulation: Arc<Simulation>,
    identity: Option<Identity>,
    /// What the Kubernetes API proves itself with.
    kube_identity: Option<Identity>,
    front: Option<Arc<Front>>,
    gates: Vec<Arc<Gate>>,
    limits: HttpLimits,
    stop_deadline: Duration,
    /// Raised with the moment by which everything must have ended.
    stop: Arc<Signal<WallTime>>,
    /// Raised when answers that go on and on shall end.
    closing: Arc<Signal<()>>,
    /// Closed once every connection has ended.
    connections: mpsc::Receiver<()>,
    _block: Option<Block>,
}

impl Server {
    /// Starts a server on the current runtime. It answers when this returns, and until it is stopped or dropped with
    /// the runtime.
    ///
    /// # Errors
    /// When an address or the job ports cannot be had, or the files of the certificate are not what they should be.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let max_slots = config.setup.ports.max_slots();
        warn_if_files_are_short(max_slots);
        let listeners = Listeners::open(&config.addresses, max_slots)?;
        let rest = listeners.rest.local_addr().map_err(StartError::Runtime)?;
        let kube = listeners.kube.as_ref().map(std::net::TcpListener::local_addr).transpose();
        let kube = kube.map_err(StartError::Runtime)?;
        let (identity, kube_identity) = identities(&config, rest, kube)?;
        let mut setup = config.setup.clone();
        setup.ports = listeners.plan;
        let (ports, streams) = TcpPorts::new(rest.ip(), Handle::current());
        let clock = Clock::start(config.clock, config.start_time);
        let simulation = Arc::new(Simulation::new(setup, config.seed, clock, Arc::new(ports)));
        let (open, connections) = mpsc::channel(1);
        let stop = Arc::new(Signal::default());
        let weak = Arc::downgrade(&simulation);
        let _first = streams.set(Streams {
            routes: grpc::services(&simulation).await,
            simulation: weak,
            limits: config.grpc,
            room: Room::new(config.grpc.max_connections, config.grpc.wind_up_time),
            stop: Arc::clone(&stop),
            open: open.downgrade(),
        });
        let mut server = Self {
            rest,
            admin: None,
            kube,
            port_base: listeners.plan.base(),
            simulation: Arc::clone(&simulation),
            identity,
            kube_identity,
            front: None,
            gates: Vec::new(),
            limits: config.http,
            stop_deadline: config.stop_deadline,
            stop,
            closing: Arc::default(),
            connections,
            _block: listeners.block,
        };
        let watches = Arc::new(kube::Watches::new(config.kube.max_watches));
        if let Some(listener) = listeners.admin {
            server.admin = Some(listener.local_addr().map_err(StartError::Runtime)?);
            let token = config.admin_token.clone();
            warn_if_anybody_may_reach_it("admin interface", "admin", server.admin, token.is_some());
            let (simulation, watches) = (Arc::clone(&simulation), Arc::clone(&watches));
            let routes = admin::router(simulation, watches, config.http.body_time, token);
            server.serve(listener, Admin(routes), server.house(None), &open)?;
        }
        if let Some(listener) = listeners.kube {
            warn_if_anybody_may_reach_it("Kubernetes API", "kube", kube, config.kube.token.is_some());
            if config.kube.token.is_some() && !config.kube.tls {
                tracing::warn!(
                    "the Kubernetes API asks for a token and speaks plain HTTP, over which kubectl sends none: give \
                     --kube-tls"
                );
            }
            let house = House { half_close: false, ..server.house(server.kube_identity.as_ref()) };
            server.serve(listener, server.cluster(&config, watches), house, &open)?;
        }
        server.open_front(listeners.rest, &config, &open)?;
        server.let_the_world_run();
        Ok(server)
    }

    /// The world the server shows.
    #[must_use]
    pub fn simulation(&self) -> &Arc<Simulation> {
        &self.simulation
    }

    /// Base of the REST routes: scheme, address and port.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("{}://{}", self.scheme(), self.rest)
    }

    /// The certificate that was made for the REST listener, as PEM, so that a client can trust it and no other;
    /// `None` where it came from a file, or there is none.
    #[must_use]
    pub fn certificate_pem(&self) -> Option<&str> {
        self.identity.as_ref()?.made.as_deref()
    }

    /// Base of the Kubernetes API, if there is one: scheme, address and port.
    #[must_use]
    pub fn kube_url(&self) -> Option<String> {
        let scheme = if self.kube_identity.is_some() { "https" } else { "http" };
        self.kube.map(|address| format!("{scheme}://{address}"))
    }

    /// The certificate of the Kubernetes API as PEM, if it speaks TLS.
    #[must_use]
    pub fn kube_certificate_pem(&self) -> Option<&str> {
        Some(&self.kube_identity.as_ref()?.pem)
    }

    /// A kubeconfig for the Kubernetes API, if there is one.
    #[must_use]
    pub fn kubeconfig(&self, namespace: &str, token: Option<&Token>) -> Option<String> {
        let url = self.kube_url()?;
        let certificate = self.kube_certificate_pem();
        Some(Reach { url: &url, namespace, token, certificate }.kubeconfig())
    }

    /// What holds for the connections of a listener; each has room of its own, so that none takes another's.
    fn house(&self, identity: Option<&Identity>) -> House {
        House {
            limits: self.limits,
            tls: identity.map(|identity| identity.acceptor.clone()),
            room: Room::new(self.limits.max_connections, self.limits.wind_up_time),
            half_close: true,
            stop: Arc::clone(&self.stop),
        }
    }

    fn serve(
        &mut self,
        listener: std::net::TcpListener,
        answer: impl Answer + Sync,
        house: House,
        open: &mpsc::Sender<()>,
    ) -> Result<(), StartError> {
        let opened = front::serve(listener, Arc::new(house), answer, open.clone())?;
        self.gates.push(opened.gate);
        Ok(())
    }

    /// Opens the product's listener, at a server that is down perhaps only to close it again.
    fn open_front(
        &mut self,
        listener: std::net::TcpListener,
        config: &Config,
        open: &mpsc::Sender<()>,
    ) -> Result<(), StartError> {
        let product = Product::new(Arc::new(app(config, Arc::clone(&self.simulation))));
        let (house, open) = (Arc::new(self.house(self.identity.as_ref())), open.clone());
        let serve = move |listener| front::serve(listener, Arc::clone(&house), product.clone(), open.clone());
        let front = Front::open(listener, Box::new(serve))?;
        if config.when_down == WhenDown::Refuse {
            let follower: Arc<dyn crate::sim::Front> = Arc::clone(&front) as _;
            self.simulation.set_front(Arc::downgrade(&follower));
            follower.follow(&self.simulation);
        }
        self.front = Some(front);
        Ok(())
    }

    /// The Kubernetes API of the world.
    fn cluster(&self, config: &Config, watches: Arc<kube::Watches>) -> kube::Interface {
        let kube = Kube { simulation: Arc::clone(&self.simulation), node_address: self.rest.ip(), watches };
        kube::Interface::new(kube::Shared {
            kube: Arc::new(kube),
            token: config.kube.token.clone(),
            body_time: config.http.body_time,
            closing: Arc::clone(&self.closing),
            ids: kube::Shared::ids(config.seed),
        })
    }

    fn let_the_world_run(&self) {
        let weak = Arc::downgrade(&self.simulation);
        let stop = Arc::clone(&self.stop);
        tokio::spawn(async move {
            // The loop holds the world only while it runs; it ends with the server or with the runtime.
            if let Some(simulation) = weak.upgrade() {
                tokio::select! { () = simulation.run() => {}, _ = stop.wait() => {} }
            }
        });
    }

    /// Stops: no new connections, open calls end, requests in flight are answered if that takes no longer than the
    /// deadline. Every connection is closed when this returns.
    pub async fn stop(mut self) {
        for gate in &self.gates {
            gate.close();
        }
        if let Some(front) = &self.front {
            front.close();
        }
        // A watch would go on for as long as there is time.
        self.closing.raise(());
        // First the calls: their connections take the time they always have, so that a client can read how they ended.
        self.simulation.end();
        let until = WallTime::now().after(self.stop_deadline);
        self.stop.raise(until);
        tokio::select! {
            _ = self.connections.recv() => {}
            () = until.after(GRACE).reached() => {}
        }
        // Requests that were in flight may have made jobs meanwhile.
        self.simulation.end();
    }

    /// `http`, or `https` where the REST listener speaks TLS.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.identity.is_some() { "https" } else { "http" }
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

fn app(config: &Config, simulation: Arc<Simulation>) -> App {
    let streams_at = &config.streams_at;
    App {
        simulation,
        request_ids: RequestIds::new(config.seed),
        answers: Answers::default(),
        max_body_bytes: config.setup.limits.max_body_bytes,
        body_time: config.http.body_time,
        stream_base: StreamBase::new(streams_at.public_url.as_deref(), streams_at.host.as_deref()),
    }
}

impl Answer for Product {
    fn answer(self, request: Request<Incoming>, ends: Arc<Ends>) -> BoxFuture<'static, Answered> {
        Box::pin(Self::answer(self, request.map(axum::body::Body::new), ends))
    }
}

impl Answer for kube::Interface {
    fn answer(self, request: Request<Incoming>, ends: Arc<Ends>) -> BoxFuture<'static, Answered> {
        Box::pin(Self::answer(self, request.map(axum::body::Body::new), ends))
    }
}

/// The admin listener's routes. Nothing goes wrong there on purpose.
#[derive(Clone)]
struct Admin(axum::Router);

impl Answer for Admin {
    fn answer(self, request: Request<Incoming>, _: Arc<Ends>) -> BoxFuture<'static, Answered> {
        let answered = self.0.oneshot(request);
        answered.map(|answered| Answered::Whole(answered.unwrap_or_else(|never| match never {}))).boxed()
    }
}

/// What the REST listener and the Kubernetes API prove themselves with: the same where both do.
fn identities(
    config: &Config,
    rest: SocketAddr,
    kube: Option<SocketAddr>,
) -> Result<(Option<Identity>, Option<Identity>), StartError> {
    let kube = kube.filter(|_| config.kube.tls);
    let hosts: Vec<_> = std::iter::once(rest).chain(kube).map(|address| address.ip()).collect();
    let identity = config.tls.as_ref().map(|tls| Identity::load(tls, &hosts)).transpose()?;
    let of_kube = kube.map(|_| identity.clone().map_or_else(|| Identity::load(&Tls::SelfSigned, &hosts), Ok));
    Ok((identity, of_kube.transpose()?))
}

/// Whoever reaches one of these interfaces may do everything there.
fn warn_if_anybody_may_reach_it(name: &str, flag: &str, address: Option<SocketAddr>, has_token: bool) {
    if let Some(address) = address.filter(|address| !address.ip().is_loopback() && !has_token) {
        tracing::warn!(
            "the {name} listens on {address}, which other machines may reach, and asks for no token: give --{flag}-token \
             or FOCUS_MOCK_{}_TOKEN",
            flag.to_uppercase()
        );
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
