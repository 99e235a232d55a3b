//! Servers that cases run against.

mod mock;
mod remote;

use std::collections::BTreeSet;
use std::time::Duration;

pub use mock::Mock;
pub use remote::{Kube, Remote, Unreachable};

use futures_util::future::BoxFuture;

use crate::case::Capability;
use crate::client::kube::Access;
use crate::client::rest::{PATIENCE, Trust};
use crate::failure::Failure;

/// Which of two thresholds count, where the contract has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Those of production. A mock keeps them, too.
    Strict,
    /// Those of every other environment.
    Lenient,
}

/// A server for one case.
pub trait Target: Send + Sync {
    /// Base of the REST routes, without a slash at the end.
    fn base_url(&self) -> String;
    /// Base of the admin interface, where there is one.
    fn admin_url(&self) -> Option<String>;
    /// The host to dial for streams instead of the one that answers name.
    fn grpc_host(&self) -> Option<String>;
    /// The Kubernetes API that it works with, where there is one.
    fn kube(&self) -> Option<Access> {
        None
    }
    /// How long it may take for a whole answer, and for a frame of a stream, in real time.
    fn patience(&self) -> Duration {
        PATIENCE
    }
    /// Which of two thresholds count, where the contract has two.
    fn strictness(&self) -> Strictness {
        Strictness::Strict
    }
    /// Whose certificates count.
    fn trust(&self) -> Trust {
        Trust::default()
    }
}

/// Where the servers of a run come from.
pub trait Targets: Send + Sync {
    /// What it is called in reports.
    fn name(&self) -> String;
    /// What its servers offer.
    fn capabilities(&self) -> BTreeSet<Capability>;
    /// Whether cases may run side by side: each has a server, or at least nothing to fear from the others.
    fn is_private(&self) -> bool;
    /// Makes ready for the next case.
    ///
    /// # Errors
    /// When that is not possible.
    fn prepare(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }
    /// A server for the next case.
    ///
    /// # Errors
    /// When there is none.
    fn next(&self) -> Result<Box<dyn Target>, Failure>;
}
