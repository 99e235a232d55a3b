//! The mock, started fresh in this process for every case: the only place that knows it.

use std::collections::BTreeSet;

use focus_mock::sim::clock::Mode;
use focus_mock::sim::seed::Seed;
use focus_mock::{Config, MockServer};

use super::{Target, Targets};
use crate::case::Capability;
use crate::client::kube::{Access, NAMESPACE};
use crate::client::rest::Trust;
use crate::failure::Failure;

/// Mocks with a held clock.
#[derive(Clone, Copy, Debug)]
pub struct Mock {
    /// Seed of everything they draw.
    pub seed: u64,
}

struct Running(MockServer);

impl Targets for Mock {
    fn name(&self) -> String {
        String::from("mock")
    }

    fn capabilities(&self) -> BTreeSet<Capability> {
        Capability::ALL.into()
    }

    fn is_private(&self) -> bool {
        true
    }

    fn next(&self) -> Result<Box<dyn Target>, Failure> {
        let config = Config { seed: Seed(self.seed), clock: Mode::Manual, ..Config::default() };
        match MockServer::start(config) {
            Ok(server) => Ok(Box::new(Running(server))),
            Err(error) => Err(Failure::could_not_run(format!("the mock did not start: {error}"))),
        }
    }
}

impl Target for Running {
    fn base_url(&self) -> String {
        self.0.base_url()
    }

    fn admin_url(&self) -> Option<String> {
        self.0.admin().map(|admin| format!("http://{admin}"))
    }

    fn grpc_host(&self) -> Option<String> {
        None
    }

    fn kube(&self) -> Option<Access> {
        let url = self.0.kube_url()?;
        Access::at(&url, NAMESPACE, None, Trust::Anyone).ok()
    }
}
