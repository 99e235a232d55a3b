//! The connection of a call, for faults that take it as a whole.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::sim::signal::Signal;

/// A connection over which calls come. The transport that has it puts this into every request.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The client's address, where the system knew it.
    pub(crate) peer: Option<SocketAddr>,
    order: Arc<Signal<Order>>,
}

/// What the transport shall do to a connection, once everything that was to be sent before has left as far as the client
/// takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Send GOAWAY with an error code of HTTP/2 and a text for debugging, and end the connection.
    GoAway { code: u32, text: &'static str },
    /// Reset it.
    Reset,
}

impl Line {
    pub(crate) fn new(peer: Option<SocketAddr>) -> Self {
        Self { peer, order: Arc::default() }
    }

    /// Gives the order; a second one changes nothing.
    pub(crate) fn end(&self, order: Order) {
        self.order.raise(order);
    }

    /// Waits for the order.
    pub(crate) async fn ended(&self) -> Order {
        self.order.wait().await
    }
}
