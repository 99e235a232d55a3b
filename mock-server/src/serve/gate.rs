//! A listening socket that can be closed from anywhere, at once.
//!
//! The world closes ports under its lock and the next command may want the same port, so closing must not wait for the
//! task that accepts.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::sim::signal::Signal;

/// A listener behind a lock that nobody holds for longer than a look.
pub(super) struct Gate {
    listener: Mutex<Option<TcpListener>>,
    closed: Signal<()>,
}

/// Connections that ended; whoever ran out of file descriptors waits for one.
pub(super) static CONNECTION_ENDED: Notify = Notify::const_new();

/// How long to wait for a file descriptor before trying again, for they may also be freed elsewhere.
const RETRY: Duration = Duration::from_millis(100);

impl Gate {
    pub(super) fn new(listener: TcpListener) -> Arc<Self> {
        Arc::new(Self { listener: Mutex::new(Some(listener)), closed: Signal::default() })
    }

    /// Closes the listener before it returns.
    pub(super) fn close(&self) {
        if let Some(listener) = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A process that is being started holds copies of all our sockets until it runs its own program. A copy
            // would keep the port open; shut down, it is only a number. Systems that cannot do this just close.
            let _ = SockRef::from(&listener).shutdown(Shutdown::Both);
        }
        self.closed.raise(());
    }

    /// Hands every connection to `serve` until the gate is closed.
    pub(super) async fn accept_all(&self, mut serve: impl FnMut(TcpStream)) {
        let mut short = false;
        loop {
            match tokio::select! { accepted = self.accept() => accepted, () = self.closed.wait() => return } {
                None => return,
                Some(Ok((stream, _peer))) => {
                    short = false;
                    // A small answer must not wait for the next packet.
                    let _ = stream.set_nodelay(true);
                    serve(stream);
                }
                // The client changed its mind before it was accepted.
                Some(Err(error)) if is_of_the_client(&error) => {}
                Some(Err(error)) => {
                    // Once for every shortage, however long it lasts.
                    if !std::mem::replace(&mut short, true) {
                        tracing::warn!(%error, "no connection can be accepted at the moment");
                    }
                    // Out of file descriptors: without a wait this would spin. Whether one came free or not, try again.
                    let _ = tokio::time::timeout(RETRY, CONNECTION_ENDED.notified()).await;
                }
            }
        }
    }

    async fn accept(&self) -> Option<io::Result<(TcpStream, SocketAddr)>> {
        std::future::poll_fn(|context| match &*self.listener.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(listener) => listener.poll_accept(context).map(Some),
            None => Poll::Ready(None),
        })
        .await
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.close();
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::super::doors;
    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_closed_port_is_closed_and_free_although_somebody_holds_a_copy_of_its_socket() {
        let address = SocketAddr::from(([127, 0, 0, 79], 12_345));
        let socket = doors::listen(address).expect("a free port");
        let copy = socket.try_clone().expect("a copy, as a process that is being started has one");
        let gate = Gate::new(TcpListener::from_std(socket.into()).expect("a listener"));
        assert!(std::net::TcpStream::connect(address).is_ok());
        gate.close();
        assert!(std::net::TcpStream::connect(address).is_err());
        let again = doors::listen(address).expect("free again");
        assert!(std::net::TcpStream::connect(address).is_ok());
        drop((copy, again));
    }
}
