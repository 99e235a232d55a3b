//! What somebody with access to the cluster can do to its objects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::facts::{Key, NodeName, Planted, Version};
use super::workloads::Workload;
use crate::domain::ids::NodePort;

/// Most pods of one workload.
pub const MOST_REPLICAS: u32 = 100;
/// Most Services that are planted at a time.
pub const MOST_PLANTED: usize = 1000;

/// Something that is done to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A pod, Job or Service is deleted.
    Delete {
        /// Which.
        key: Key,
        /// How long it may take, at most; a pod takes 2 s where nothing is said.
        grace: Option<Duration>,
    },
    /// A Service is created.
    CreateService {
        /// Where, and its name.
        key: Key,
        /// What it is.
        service: Arc<Planted>,
    },
    /// A workload's spec is changed.
    Workload {
        /// Which.
        workload: Workload,
        /// How many pods it shall have.
        replicas: Option<u32>,
        /// Annotations of its pod template; other ones than it has replace every pod.
        annotations: Option<BTreeMap<String, String>>,
        /// The version that it must be at.
        at: Option<Version>,
    },
    /// A node is cordoned, or takes pods again.
    Node {
        /// Which.
        name: NodeName,
        /// Whether it takes no new pods.
        unschedulable: bool,
    },
}

/// Something that was done to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// A workload has so many pods from now on.
    Scaled(Workload, u32),
    /// The pods of a workload are replaced.
    Restarted(Workload),
    /// An object was deleted.
    Deleted(Key),
    /// A Service was created.
    Created(Key),
    /// A node takes no new pods, or takes them again.
    Cordoned(NodeName, bool),
}

impl Edited {
    /// What was done.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Scaled(..) => "scaled",
            Self::Restarted(_) => "restarted",
            Self::Deleted(_) => "deleted",
            Self::Created(_) => "created",
            Self::Cordoned(_, true) => "cordoned",
            Self::Cordoned(_, false) => "uncordoned",
        }
    }

    /// To which object.
    #[must_use]
    pub fn object(&self) -> &str {
        match self {
            Self::Scaled(workload, _) | Self::Restarted(workload) => workload.name(),
            Self::Deleted(key) | Self::Created(key) => &key.name,
            Self::Cordoned(node, _) => node.name(),
        }
    }
}

/// Why something was not done to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditRefused {
    /// There is no such object.
    #[error("{:?} {} not found", .0.kind, .0.name)]
    NotFound(Key),
    /// There is one of that name already.
    #[error("{:?} {} already exists", .0.kind, .0.name)]
    AlreadyExists(Key),
    /// Another Service has the node port.
    #[error("provided port is already allocated")]
    PortAllocated {
        /// The Service that was to be created.
        key: Key,
        /// The port.
        port: NodePort,
    },
    /// The object was changed since it was read.
    #[error("{:?} {} has been modified", .0.kind, .0.name)]
    Conflict(Key),
    /// More pods than one workload may have.
    #[error("must be less than or equal to {MOST_REPLICAS}")]
    TooManyReplicas(u32),
    /// More Services than may be planted.
    #[error("at most {MOST_PLANTED} Services can be planted at a time")]
    TooManyServices,
    /// It belongs to the cluster that is simulated, and nothing happens to it here.
    #[error("{:?} {} is always there: deleting it is not simulated", .0.kind, .0.name)]
    AlwaysThere(Key),
}
