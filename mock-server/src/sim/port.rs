//! The machine's ports, as the world needs them. The sockets themselves are the business of whoever serves the world.

use std::sync::Arc;

use crate::domain::ids::NodePort;
use crate::domain::job::Terms;

/// Why a port could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// Another process has it.
    #[error("the port is in use by another process")]
    InUse,
    /// The machine gives no more sockets, or not this one; the text is the operating system's.
    #[error("no socket: {0}")]
    NoSocket(String),
}

/// Takes ports for jobs.
pub trait Ports: Send + Sync {
    /// Takes the port for this world alone, without accepting connections yet.
    ///
    /// # Errors
    /// When another process has it or the machine is out of sockets.
    fn hold(&self, port: NodePort) -> Result<Box<dyn Door>, HoldError>;
}

/// A port that is held. Dropping it closes the port before the drop returns; connections that stand are wound up
/// without taking new calls.
pub trait Door: Send {
    /// Lets connections in; a second call does nothing.
    ///
    /// # Errors
    /// When another process has come to listen on the port since it was held.
    fn listen(&mut self) -> Result<(), HoldError>;

    /// Begins to serve the job's streams to those who connect.
    fn serve(&mut self, job: &Arc<Terms>);

    /// Closes the port to those who come; connections that stand go on as they are.
    fn shut(&mut self);

    /// Says, before the drop, that everything was said: who is still reading may read to the end, however slowly.
    fn let_read_on(&mut self);
}
