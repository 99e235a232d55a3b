//! Mocks that are not as `target::Mock` starts them, and cases of this folder's own.

#![allow(dead_code, reason = "each test that shares this folder uses its part of it")]

use std::collections::BTreeSet;
use std::time::Duration;

use focus_contract::case::{Body, Capability, Case};
use focus_contract::client::kube::{Access, NAMESPACE};
use focus_contract::client::rest::{PATIENCE, Trust};
use focus_contract::failure::Failure;
use focus_contract::runner::{Manner, Outcome, tell};
use focus_contract::target::{Target, Targets};
use focus_mock::sim::clock::Mode;
use focus_mock::{Config, MockServer};

/// Mocks of one configuration, with a held clock.
pub(crate) struct Mocks {
    config: Config,
    patience: Duration,
}

impl Mocks {
    /// Mocks that a case waits for as long as it usually does.
    pub(crate) fn of(config: Config) -> Self {
        Self { config, patience: PATIENCE }
    }

    /// Mocks that are given up on sooner: what they do not answer at once they do not answer at all.
    pub(crate) fn impatient(config: Config, patience: Duration) -> Self {
        Self { config, patience }
    }
}

struct Running(MockServer, Duration);

impl Targets for Mocks {
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
        let config = Config { clock: Mode::Manual, ..self.config.clone() };
        let started = MockServer::start(config);
        let started = started.map_err(|error| Failure::could_not_run(error.to_string()))?;
        Ok(Box::new(Running(started, self.patience)))
    }
}

impl Target for Running {
    fn base_url(&self) -> String {
        self.0.base_url()
    }

    fn admin_url(&self) -> Option<String> {
        self.0.admin().map(|admin| format!("http://{admin}"))
    }

    fn kube(&self) -> Option<Access> {
        Access::at(&self.0.kube_url()?, NAMESPACE, None, Trust::Anyone).ok()
    }

    fn patience(&self) -> Duration {
        self.1
    }

    // Whatever host the answers name: the streams are here.
    fn grpc_host(&self) -> Option<String> {
        Some(self.0.rest().ip().to_string())
    }
}

/// A case of no registry.
pub(crate) const fn untold(id: &'static str, body: Body) -> Case {
    let (claim, expects) = ("told by a test only", "that the story ends well");
    Case { id, claim, keys: &[], tags: &[], needs: &[], steps: &[], expects, body }
}

/// Tells a case, which must end well.
pub(crate) fn passes(case: &'static Case, config: Config) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let told = runtime.block_on(tell(case, &Mocks::of(config), Manner::default()));
    assert!(matches!(told.outcome, Outcome::Passed), "{}: {:?}", case.id, told.outcome);
    assert_eq!(told.left_behind, Vec::<String>::new(), "{}", case.id);
}
