//! Servers that cases run against.

mod mock;
mod remote;

use std::collections::BTreeSet;

pub use mock::Mock;
pub use remote::{Remote, Unreachable};

use crate::case::Capability;
use crate::failure::Failure;

/// A server for one case.
pub trait Target: Send + Sync {
    /// Base of the REST routes, without a slash at the end.
    fn base_url(&self) -> String;
    /// Base of the admin interface, where there is one.
    fn admin_url(&self) -> Option<String>;
    /// The host to dial for streams instead of the one that answers name.
    fn grpc_host(&self) -> Option<String>;
}

/// Where the servers of a run come from.
pub trait Targets: Send + Sync {
    /// What it is called in reports.
    fn name(&self) -> String;
    /// What its servers offer.
    fn capabilities(&self) -> BTreeSet<Capability>;
    /// Whether cases may run side by side: each has a server, or at least nothing to fear from the others.
    fn is_private(&self) -> bool;
    /// A server for the next case.
    ///
    /// # Errors
    /// When there is none.
    fn next(&self) -> Result<Box<dyn Target>, Failure>;
}
