//! A server that runs already, somewhere.

use std::collections::BTreeSet;

use super::{Target, Targets};
use crate::case::Capability;
use crate::client::rest::{Request, Rest};
use crate::failure::Failure;

/// A server that all cases share.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Base of the REST routes.
    pub base: String,
    /// Base of its admin interface, if it is a mock.
    pub admin: Option<String>,
    /// Host to dial for streams instead of the one that answers name.
    pub grpc_host: Option<String>,
    /// Whether jobs may be created.
    pub allow_writes: bool,
}

/// Nobody answers there.
#[derive(Debug, thiserror::Error)]
#[error("{base} is no Focus Server that can be reached: {why}")]
pub struct Unreachable {
    base: String,
    why: String,
}

impl Remote {
    /// Asks whether somebody is there.
    ///
    /// # Errors
    /// When not.
    pub async fn probe(&self) -> Result<(), Unreachable> {
        let unreachable = |why: String| Unreachable { base: self.base.clone(), why };
        let rest = Rest::of(&self.base).map_err(|error| unreachable(error.to_string()))?;
        rest.send(Request::get("/ack")).await.map_err(|error| unreachable(error.to_string()))?;
        Ok(())
    }
}

impl Targets for Remote {
    fn name(&self) -> String {
        self.base.clone()
    }

    fn capabilities(&self) -> BTreeSet<Capability> {
        let mut offered = BTreeSet::from([Capability::Rest, Capability::Grpc]);
        if self.allow_writes {
            offered.insert(Capability::Writes);
            // To hold the clock of a server is to change it.
            offered.extend(self.admin.is_some().then_some(Capability::Clock));
        }
        offered
    }

    fn is_private(&self) -> bool {
        false
    }

    fn next(&self) -> Result<Box<dyn Target>, Failure> {
        Ok(Box::new(self.clone()))
    }
}

impl Target for Remote {
    fn base_url(&self) -> String {
        self.base.clone()
    }

    fn admin_url(&self) -> Option<String> {
        self.admin.clone()
    }

    fn grpc_host(&self) -> Option<String> {
        self.grpc_host.clone()
    }
}
