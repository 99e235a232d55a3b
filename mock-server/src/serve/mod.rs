//! Listeners, connections and the start and end of a server.
//!
//! This is where the world meets the machine: sockets, file descriptors, the wall clock's limits on slow transports.

mod connection;
mod doors;
mod gate;
mod ports;
mod server;

pub use ports::PortChoice;
pub use server::{Server, StartError};
