//! The server that was chosen, reached.

use focus_contract::client::admin::Admin;
use focus_contract::client::kube::Cluster;
use focus_contract::failure::Failure;
use focus_contract::target::{Mock, Target, Targets};

use super::choose::Place;

/// The server, and what to see it through.
pub(super) struct Reached {
    pub(super) target: Box<dyn Target>,
    pub(super) name: String,
    pub(super) admin: Option<Admin>,
    pub(super) cluster: Option<Cluster>,
    /// Whether it is a mock that was started for this.
    pub(super) is_own: bool,
}

impl Reached {
    /// One server for the whole run.
    pub(super) async fn at(place: &Place) -> anyhow::Result<Self> {
        let (name, target): (_, Box<dyn Target>) = match place {
            Place::Mock => {
                let mocks = Mock { seed: 1 };
                (mocks.name(), mocks.next().map_err(told)?)
            }
            Place::Server(remote) => {
                let reached = remote.as_ref().clone().reach().await?;
                (reached.name(), Box::new(reached))
            }
        };
        let admin = target.admin_url().map(|admin| Admin::of(&admin)).transpose()?;
        let cluster = target.kube().map(|access| Cluster::of(&access, target.patience()));
        let cluster = cluster.transpose().map_err(told)?;
        Ok(Self { target, name, admin, cluster, is_own: matches!(place, Place::Mock) })
    }
}

pub(super) fn told(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!(failure.what)
}
