//! A server that runs already, somewhere.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Strictness, Target, Targets};
use crate::case::Capability;
use crate::client::admin::Admin;
use crate::client::kube::{Access, Cluster, Kubeconfigs};
use crate::client::rest::{Request, Rest, Trust};
use crate::failure::Failure;
use crate::report::without_credentials;

/// How long somebody may take to show that they are there.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that all cases share.
#[derive(Clone, Debug, Default)]
pub struct Remote {
    /// Base of the REST routes.
    pub base: String,
    /// Base of its admin interface, if it is a mock.
    pub admin: Option<String>,
    /// Host to dial for streams instead of the one that answers name.
    pub grpc_host: Option<String>,
    /// The Kubernetes API that it works with.
    pub kube: Option<Kube>,
    /// Whether jobs may be created.
    pub allow_writes: bool,
    /// Whether others depend on it: then jobs are all that is created, and nothing is made to fail.
    pub production: bool,
    /// Whose certificates count.
    pub trust: Trust,
    /// Whether its admin interface makes failures happen: what [`Self::reach`] found out.
    pub faults: bool,
}

/// How a Kubernetes API is found.
#[derive(Clone, Debug)]
pub enum Kube {
    /// It is known.
    At(Box<Access>),
    /// By kubeconfig files, in a namespace.
    By(Kubeconfigs, String),
}

impl Kube {
    /// What names it, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::At(access) => access.shown(),
            Self::By(kubeconfigs, _) => {
                let files: Vec<_> = kubeconfigs.files.iter().map(|file| file.display().to_string()).collect();
                files.join(", ")
            }
        }
    }

    async fn reach(self) -> Result<Access, Unreachable> {
        let shown = self.shown();
        let what = match self {
            Self::At(_) => "the Kubernetes API at",
            Self::By(..) => "the Kubernetes API of",
        };
        let unreachable = |why: String| Unreachable { what, base: shown.clone(), why };
        let access = match self {
            Self::At(access) => *access,
            Self::By(kubeconfigs, namespace) => {
                Access::by(&kubeconfigs, &namespace).await.map_err(unreachable)?
            }
        };
        // Any answer will do, as for the others.
        let asked = async { Cluster::of(&access, PATIENCE)?.version().await };
        asked.await.map_err(|failure| unreachable(failure.what))?;
        Ok(access)
    }
}

/// Nobody answers there.
#[derive(Debug, thiserror::Error)]
#[error("{what} {base} cannot be reached: {why}")]
pub struct Unreachable {
    what: &'static str,
    base: String,
    why: String,
}

impl Remote {
    /// Asks whether somebody is there, at each address that was named, and what they offer. Nothing is assumed to be
    /// there because it was named, and nothing that was named is silently done without.
    ///
    /// # Errors
    /// The first that does not answer.
    pub async fn reach(mut self) -> Result<Self, Unreachable> {
        answers("the Focus Server at", &self.base, "/ack", self.trust).await?;
        if let Some(kube) = self.kube.take() {
            self.kube = Some(Kube::At(Box::new(kube.reach().await?)));
        }
        if let Some(base) = &self.admin {
            let unreachable =
                |why: String| Unreachable { what: "the admin interface at", base: shown(base), why };
            let admin = Admin::of(base).map_err(|error| unreachable(error.to_string()))?;
            admin.clock_mode().await.map_err(|failure| unreachable(failure.what))?;
            self.faults = admin.offers_faults().await;
        }
        Ok(self)
    }

    /// The admin interface, where it may be used to change something.
    fn commands(&self) -> Option<&str> {
        self.admin.as_deref().filter(|_| self.allow_writes)
    }

    /// What makes the clock go that cases will hold, for [`Self::restore_clock`].
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn clock_mode(&self) -> Result<Option<String>, Failure> {
        let Some(admin) = self.commands() else { return Ok(None) };
        client(admin)?.clock_mode().await.map(Some)
    }

    /// Lets the clock go as it did before the run.
    ///
    /// # Errors
    /// When it cannot be set.
    pub async fn restore_clock(&self, mode: &str) -> Result<(), Failure> {
        let Some(admin) = self.commands() else { return Ok(()) };
        client(admin)?.set_clock(mode).await
    }
}

fn client(admin: &str) -> Result<Admin, Failure> {
    Admin::of(admin).map_err(|error| Failure::could_not_run(error.to_string()))
}

fn shown(base: &str) -> String {
    without_credentials(base)
}

/// Any HTTP answer will do: what it should be is what the cases are about.
async fn answers(what: &'static str, base: &str, path: &str, trust: Trust) -> Result<(), Unreachable> {
    let unreachable = |why: String| Unreachable { what, base: shown(base), why };
    let rest = Rest::trusting(base, trust).map_err(|error| unreachable(error.to_string()))?;
    match tokio::time::timeout(PATIENCE, rest.send(Request::get(path))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(unreachable(error.why)),
        Err(_) => Err(unreachable(format!("no answer to GET {path} within {} s", PATIENCE.as_secs()))),
    }
}

impl Targets for Remote {
    fn name(&self) -> String {
        shown(&self.base)
    }

    fn capabilities(&self) -> BTreeSet<Capability> {
        let mut offered = BTreeSet::from([Capability::Rest, Capability::Grpc]);
        if self.allow_writes {
            offered.insert(Capability::Writes);
            // To hold the clock of a server is to change it, and so is what is done to its pods.
            offered.extend(self.admin.is_some().then_some(Capability::Clock));
        }
        if self.allow_writes && !self.production {
            offered.extend(self.faults.then_some(Capability::Faults));
            offered.extend(Target::kube(self).is_some().then_some(Capability::K8s));
        }
        offered
    }

    fn is_private(&self) -> bool {
        false
    }

    /// A mock that may be changed starts anew for each case; other servers are left as they are.
    fn prepare(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async {
            let Some(admin) = self.commands() else { return Ok(()) };
            client(admin)?.reset().await
        })
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

    fn kube(&self) -> Option<Access> {
        match &self.kube {
            Some(Kube::At(access)) => Some(access.as_ref().clone()),
            Some(Kube::By(..)) | None => None,
        }
    }

    fn strictness(&self) -> Strictness {
        // Only a mock has an admin interface.
        let strict = self.production || self.admin.is_some();
        if strict { Strictness::Strict } else { Strictness::Lenient }
    }

    fn trust(&self) -> Trust {
        self.trust
    }
}
