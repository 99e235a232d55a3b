//! Job ports on this machine: real sockets behind the world's [`Ports`].

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tonic::service::Routes;

use super::gate::Gate;
use super::http2::{self, Ends};
use super::room::Room;
use super::traffic::Traffic;
use super::wall::WallTime;
use super::watched::Answering;
use crate::api::effect::Line;
use crate::api::grpc::{JobOfPort, Watched};
use crate::config::GrpcLimits;
use crate::domain::ids::{JobId, NodePort};
use crate::domain::job::Terms;
use crate::platform;
use crate::sim::Simulation;
use crate::sim::port::{Door, HoldError, Ports};
use crate::sim::signal::Signal;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// What serves the connections of every job port; known once the world exists.
pub(super) struct Streams {
    pub(super) routes: Routes,
    pub(super) simulation: Weak<Simulation>,
    pub(super) limits: GrpcLimits,
    /// One for all ports: a client that goes from job to job gets no more than others.
    pub(super) room: Arc<Room>,
    /// Raised with the moment by which everything must have ended.
    pub(super) stop: Arc<Signal<WallTime>>,
    /// Held by every open connection, so that a server that stops can wait for the last one.
    pub(super) open: mpsc::WeakSender<()>,
}

/// The ports of one host.
pub(super) struct TcpPorts {
    host: IpAddr,
    runtime: Handle,
    streams: Arc<OnceLock<Streams>>,
}

impl TcpPorts {
    pub(super) fn new(host: IpAddr, runtime: Handle) -> (Self, Arc<OnceLock<Streams>>) {
        let streams = Arc::new(OnceLock::new());
        (Self { host, runtime, streams: Arc::clone(&streams) }, streams)
    }
}

impl Ports for TcpPorts {
    fn hold(&self, port: NodePort) -> Result<Box<dyn Door>, HoldError> {
        let socket = bind(SocketAddr::new(self.host, port.number())).map_err(as_hold_error)?;
        let door = TcpDoor {
            held: Some(socket),
            gate: None,
            stop: Arc::new(Signal::default()),
            runtime: self.runtime.clone(),
            streams: Arc::clone(&self.streams),
        };
        Ok(Box::new(door))
    }
}

/// A socket that has an address to itself and does not listen yet.
pub(super) fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    platform::allow_rebinding(&socket, true)?;
    socket.bind(&address.into())?;
    platform::allow_rebinding(&socket, false)?;
    Ok(socket)
}

pub(super) fn listen_on(socket: &Socket) -> io::Result<()> {
    platform::allow_rebinding(socket, true)?;
    socket.listen(BACKLOG)
}

/// A socket that listens on an address.
pub(super) fn listen(address: SocketAddr) -> io::Result<Socket> {
    let socket = bind(address)?;
    listen_on(&socket)?;
    Ok(socket)
}

#[allow(clippy::needless_pass_by_value, reason = "used as the function of map_err")]
fn as_hold_error(error: io::Error) -> HoldError {
    match error.kind() {
        io::ErrorKind::AddrInUse => HoldError::InUse,
        _ => HoldError::NoSocket(error.to_string()),
    }
}

struct TcpDoor {
    /// Bound, not listening.
    held: Option<Socket>,
    /// Listening.
    gate: Option<Arc<Gate>>,
    /// Raised when connections shall wind up, with the time they have for it.
    stop: Arc<Signal<Duration>>,
    runtime: Handle,
    streams: Arc<OnceLock<Streams>>,
}

impl Door for TcpDoor {
    fn listen(&mut self) -> Result<(), HoldError> {
        let Some(socket) = self.held.take() else { return Ok(()) };
        listen_on(&socket).map_err(as_hold_error)?;
        let _in_runtime = self.runtime.enter();
        let listener = TcpListener::from_std(socket.into()).map_err(as_hold_error)?;
        self.gate = Some(Gate::new(listener));
        Ok(())
    }

    fn serve(&mut self, job: &Arc<Terms>) {
        let Some(gate) = self.gate.clone() else { return };
        let (streams, stop, job) = (Arc::clone(&self.streams), Arc::clone(&self.stop), job.id);
        self.runtime.spawn(async move {
            gate.accept_all(|stream| {
                let Some(streams) = streams.get() else { return };
                let Some(place) = streams.room.admit(Traffic::greeting()) else { return };
                let line = Line::new(stream.peer_addr().ok());
                let service = JobService {
                    line: line.clone(),
                    routes: streams.routes.clone(),
                    simulation: streams.simulation.clone(),
                    traffic: Arc::clone(&place.traffic),
                    job,
                };
                let ends = Ends { door: Arc::clone(&stop), server: Arc::clone(&streams.stop), line };
                let (open, limits) = (streams.open.upgrade(), streams.limits);
                tokio::spawn(async move {
                    http2::serve(limits, stream, place, service, ends).await;
                    drop(open);
                });
            })
            .await;
        });
    }

    fn shut(&mut self) {
        self.held = None;
        if let Some(gate) = &self.gate {
            gate.close();
        }
    }

    fn let_read_on(&mut self) {
        self.stop.raise(READ_ON);
    }
}

/// How long a client may take to read what a job that was played out has sent, on the wall clock.
const READ_ON: Duration = Duration::from_secs(30);

impl Drop for TcpDoor {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.close();
        }
        if let Some(socket) = self.held.take() {
            // As with a gate: a copy in a process that is being started must not hold the port.
            let _ = platform::allow_rebinding(&socket, true);
        }
        // Before there are streams there is nobody who could have connected.
        let time = self.streams.get().map_or(Duration::ZERO, |streams| streams.limits.wind_up_time);
        self.stop.raise(time);
    }
}

/// The services of one job's port, on one connection.
struct JobService {
    routes: Routes,
    simulation: Weak<Simulation>,
    traffic: Arc<Traffic>,
    line: Line,
    job: JobId,
}

impl Service<Request<Incoming>> for JobService {
    type Response = hyper::Response<Answering<Watched>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(JobOfPort(self.job));
        request.extensions_mut().insert(self.line.clone());
        let (simulation, underway) = (self.simulation.clone(), self.traffic.request());
        let answered = tower::Service::call(&mut self.routes.clone(), request);
        answered
            .map(|response| {
                response.map(|response| {
                    Watched::new(response, simulation).map(|body| Answering::new(body, underway))
                })
            })
            .boxed()
    }
}
