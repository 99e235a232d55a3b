//! The product's listener, which may go away while the Focus Server has no ready pod: then connections are refused, as
//! where nothing listens, and its port is held so that nobody else gets it meanwhile.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socket2::Socket;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::doors;
use super::gate::Gate;
use super::http1::{Answer, House};
use super::listen::StartError;
use crate::sim::Simulation;
use crate::sim::signal::Signal;

/// A listener whose connections are being served.
pub(super) struct Opened {
    pub(super) gate: Arc<Gate>,
    /// Raised when its connections shall end at once.
    cut: Arc<Signal<()>>,
}

/// Serves every connection of a listener. `open` is held by each of them.
pub(super) fn serve(
    listener: std::net::TcpListener,
    house: Arc<House>,
    answer: impl Answer + Sync,
    open: mpsc::Sender<()>,
) -> Result<Opened, StartError> {
    let gate = Gate::new(TcpListener::from_std(listener).map_err(StartError::Runtime)?);
    let cut = Arc::new(Signal::default());
    let opened = Opened { gate: Arc::clone(&gate), cut: Arc::clone(&cut) };
    tokio::spawn(async move {
        gate.accept_all(|stream| {
            let Some(place) = house.admit() else { return };
            let (house, answer, open) = (Arc::clone(&house), answer.clone(), open.clone());
            let cut = Arc::clone(&cut);
            tokio::spawn(async move {
                tokio::select! { biased; () = cut.wait() => {}, () = house.serve(stream, place, answer) => {} }
                drop(open);
            });
        })
        .await;
    });
    Ok(opened)
}

/// How a listener is served once it is there.
type Serve = Box<dyn Fn(std::net::TcpListener) -> Result<Opened, StartError> + Send + Sync>;

/// The product's listener while the Focus Server comes and goes.
pub(super) struct Front {
    address: SocketAddr,
    runtime: Handle,
    /// `None` once the server ends.
    standing: Mutex<Option<Standing>>,
}

struct Standing {
    serve: Serve,
    state: State,
}

enum State {
    Open(Opened),
    /// Bound, not listening; nothing where the port could not be had back.
    Held(Option<Socket>),
}

impl Front {
    pub(super) fn open(listener: std::net::TcpListener, serve: Serve) -> Result<Arc<Self>, StartError> {
        let address = listener.local_addr().map_err(StartError::Runtime)?;
        let state = State::Open(serve(listener)?);
        let standing = Mutex::new(Some(Standing { serve, state }));
        Ok(Arc::new(Self { address, runtime: Handle::current(), standing }))
    }

    /// Lets nobody in any more; who is in stays.
    pub(super) fn close(&self) {
        if let Some(Standing { state: State::Open(opened), .. }) = self.standing().take() {
            opened.gate.close();
        }
    }

    fn standing(&self) -> MutexGuard<'_, Option<Standing>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shut(&self, opened: &Opened) -> State {
        opened.gate.close();
        opened.cut.raise(());
        let held = doors::bind(self.address);
        if let Err(error) = &held {
            tracing::warn!(%error, "the port of {} cannot be held while the Focus Server is down", self.address);
        }
        State::Held(held.ok())
    }

    fn reopen(&self, held: Option<Socket>, serve: &Serve) -> State {
        let listening = match held {
            Some(socket) => doors::listen_on(&socket).map(|()| socket),
            None => doors::listen(self.address),
        };
        let _in_runtime = self.runtime.enter();
        let opened = listening.map_err(StartError::Runtime).and_then(|socket| serve(socket.into()));
        opened.map_or_else(
            |error| {
                tracing::error!(%error, "the REST interface cannot listen on {} again", self.address);
                State::Held(None)
            },
            State::Open,
        )
    }
}

impl crate::sim::Front for Front {
    fn follow(&self, simulation: &Simulation) {
        let mut standing = self.standing();
        let Some(Standing { serve, state }) = &mut *standing else { return };
        // Looked at under our lock: of two changes, the later one is what stays.
        match (simulation.serves(), &mut *state) {
            (false, State::Open(opened)) => *state = self.shut(opened),
            (true, State::Held(held)) => *state = self.reopen(held.take(), serve),
            (true, State::Open(_)) | (false, State::Held(_)) => {}
        }
    }
}
