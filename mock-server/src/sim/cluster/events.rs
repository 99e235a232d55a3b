//! What happens to objects, as the cluster tells of it.

use std::sync::Arc;

use super::facts::{NodeName, Unschedulable};
use crate::domain::ids::NodePort;

/// What happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A Job, ReplicaSet or StatefulSet has created a pod of that name.
    SuccessfulCreate(Arc<str>),
    /// A ReplicaSet or StatefulSet has deleted a pod of that name.
    SuccessfulDelete(Arc<str>),
    /// A Deployment was given so many pods, or fewer.
    ScalingReplicaSet {
        /// The ReplicaSet.
        replica_set: Arc<str>,
        /// How many it had.
        from: u32,
        /// How many it has.
        to: u32,
    },
    /// A pod has a node.
    Scheduled(NodeName),
    /// No node takes a pod.
    FailedScheduling(Unschedulable),
    /// A pod's image is there.
    Pulled,
    /// A pod's container was created.
    Created,
    /// A pod's container was started.
    Started,
    /// A pod's container is being stopped.
    Killing,
    /// A pod's container exits again and again.
    BackOff,
    /// A pod's container does not answer its readiness probe.
    Unhealthy,
    /// A Job has come to its end.
    Completed,
    /// A Job's pod has failed, and no other is tried.
    BackoffLimitExceeded,
    /// A Service could not be created: another one has its node port.
    PortAllocated(NodePort),
    /// A node became ready, or ceased to be.
    NodeReady(bool),
    /// A node takes pods again, or no more.
    NodeSchedulable(bool),
}
