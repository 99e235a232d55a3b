//! Listeners, connections and the start and end of a server.
//!
//! This is where the world meets the machine: sockets, file descriptors, the wall clock's limits on slow transports.

mod doors;
mod frames;
mod front;
mod gate;
mod http1;
mod http2;
mod listen;
mod ports;
mod room;
mod server;
mod tls;
mod traffic;
mod wall;
mod watched;

pub use listen::StartError;
pub use server::Server;
