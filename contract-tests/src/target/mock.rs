//! The mock, started fresh in this process: the only place that knows it.

use focus_mock::{Config, MockServer};

use super::Target;

/// A mock of its own for one case; it ends with this.
pub struct Mock(MockServer);

/// The mock did not start.
#[derive(Debug, thiserror::Error)]
#[error("the mock did not start: {0}")]
pub struct NotStarted(String);

impl Mock {
    /// Starts a mock with the default world.
    ///
    /// # Errors
    /// When the machine gives no address or thread for it.
    pub fn start() -> Result<Self, NotStarted> {
        MockServer::start(Config::default()).map(Self).map_err(|error| NotStarted(error.to_string()))
    }
}

impl Target for Mock {
    fn base_url(&self) -> String {
        self.0.base_url()
    }
}
