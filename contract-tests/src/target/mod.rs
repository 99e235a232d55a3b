//! Servers that cases run against.

mod mock;

pub use mock::{Mock, NotStarted};

/// A server that can be reached.
pub trait Target {
    /// Base of the REST routes, without a slash at the end.
    fn base_url(&self) -> String;
}
