//! Events: what the cluster tells of an object, in the words of the components of a real one.
//!
//! **Chosen**: the texts, where the contract names none. They follow real ones, without the names of containers and images.

use k8s_openapi::api::core::v1::{Event, EventSource};

use super::meta::{meta, reference};
use super::time::time;
use crate::sim::cluster::events::Reason;
use crate::sim::cluster::facts::{self, Kind, NodeName, Record, Unschedulable};

/// An Event.
pub(super) fn event(record: &Record, event: &facts::Event) -> Event {
    let (component, host) = source(event);
    let at = time(event.at);
    Event {
        metadata: meta(record),
        involved_object: reference(&event.about),
        type_: Some(type_of(&event.reason).to_owned()),
        reason: Some(reason(&event.reason).to_owned()),
        message: Some(message(event)),
        count: Some(1),
        first_timestamp: Some(at.clone()),
        last_timestamp: Some(at),
        source: Some(EventSource {
            component: Some(component.to_owned()),
            host: host.map(|node| node.name().to_owned()),
        }),
        reporting_component: Some(component.to_owned()),
        ..Event::default()
    }
}

/// What an event is called.
pub(super) fn reason(reason: &Reason) -> &'static str {
    match reason {
        Reason::SuccessfulCreate(_) => "SuccessfulCreate",
        Reason::SuccessfulDelete(_) => "SuccessfulDelete",
        Reason::ScalingReplicaSet { .. } => "ScalingReplicaSet",
        Reason::Scheduled(_) => "Scheduled",
        Reason::FailedScheduling(_) => "FailedScheduling",
        Reason::Pulled => "Pulled",
        Reason::Created => "Created",
        Reason::Started => "Started",
        Reason::Killing => "Killing",
        Reason::BackOff => "BackOff",
        Reason::Unhealthy => "Unhealthy",
        Reason::Completed => "Completed",
        Reason::BackoffLimitExceeded => "BackoffLimitExceeded",
        Reason::PortAllocated(_) => "FailedToCreateService",
        Reason::NodeReady(true) => "NodeReady",
        Reason::NodeReady(false) => "NodeNotReady",
        Reason::NodeSchedulable(true) => "NodeSchedulable",
        Reason::NodeSchedulable(false) => "NodeNotSchedulable",
    }
}

/// Whether something is wrong: `Warning` or `Normal`.
pub(super) fn type_of(reason: &Reason) -> &'static str {
    match reason {
        Reason::FailedScheduling(_)
        | Reason::BackOff
        | Reason::Unhealthy
        | Reason::BackoffLimitExceeded
        | Reason::PortAllocated(_) => "Warning",
        Reason::SuccessfulCreate(_)
        | Reason::SuccessfulDelete(_)
        | Reason::ScalingReplicaSet { .. }
        | Reason::Scheduled(_)
        | Reason::Pulled
        | Reason::Created
        | Reason::Started
        | Reason::Killing
        | Reason::Completed
        | Reason::NodeReady(_)
        | Reason::NodeSchedulable(_) => "Normal",
    }
}

fn message(event: &facts::Event) -> String {
    let key = &event.about.key;
    let of_set = |done: &str, pod: &str| format!("{done} Pod {pod} in StatefulSet {} successful", key.name);
    let is_set = key.kind == Kind::StatefulSet;
    match &event.reason {
        Reason::SuccessfulCreate(pod) if is_set => of_set("create", pod),
        Reason::SuccessfulCreate(pod) => format!("Created pod: {pod}"),
        Reason::SuccessfulDelete(pod) if is_set => of_set("delete", pod),
        Reason::SuccessfulDelete(pod) => format!("Deleted pod: {pod}"),
        Reason::ScalingReplicaSet { replica_set, from, to } => {
            let direction = if to < from { "down" } else { "up" };
            format!("Scaled {direction} replica set {replica_set} to {to} from {from}")
        }
        Reason::Scheduled(node) => {
            format!("Successfully assigned {}/{} to {}", key.namespace.0, key.name, node.name())
        }
        Reason::FailedScheduling(why) => why_unschedulable(*why),
        Reason::Pulled => String::from("Container image already present on machine"),
        Reason::Created => String::from("Created container"),
        Reason::Started => String::from("Started container"),
        Reason::Killing => String::from("Stopping container"),
        Reason::BackOff => String::from("Back-off restarting failed container"),
        Reason::Unhealthy => String::from("Readiness probe failed: connection refused"),
        Reason::Completed => String::from("Job completed"),
        Reason::BackoffLimitExceeded => String::from("Job has reached the specified backoff limit"),
        Reason::PortAllocated(port) => format!(
            "Service \"{}\" is invalid: spec.ports[0].nodePort: Invalid value: {port}: provided port is already allocated",
            key.name
        ),
        Reason::NodeReady(_) | Reason::NodeSchedulable(_) => {
            format!("Node {} status is now: {}", key.name, reason(&event.reason))
        }
    }
}

/// Why no node takes a pod, as the scheduler says it. The master never does: it has a taint.
pub(super) fn why_unschedulable(why: Unschedulable) -> String {
    let worker = match why {
        Unschedulable::NoGpuShare => "Insufficient nvidia.com/gpu.shared",
        Unschedulable::Cordoned => "node(s) were unschedulable",
        Unschedulable::NodeNotReady => "node(s) had untolerated taint {node.kubernetes.io/not-ready: }",
    };
    format!(
        "0/2 nodes are available: 1 {worker}, 1 node(s) had untolerated taint {{node-role.kubernetes.io/control-plane: }}."
    )
}

/// Which component tells of it, and on which node it runs.
fn source(event: &facts::Event) -> (&'static str, Option<NodeName>) {
    match event.reason {
        Reason::SuccessfulCreate(_) | Reason::SuccessfulDelete(_) => {
            (controller_of(event.about.key.kind), None)
        }
        Reason::ScalingReplicaSet { .. } => ("deployment-controller", None),
        Reason::Scheduled(_) | Reason::FailedScheduling(_) => ("default-scheduler", None),
        Reason::Pulled
        | Reason::Created
        | Reason::Started
        | Reason::Killing
        | Reason::BackOff
        | Reason::Unhealthy => ("kubelet", Some(NodeName::Worker)),
        Reason::Completed | Reason::BackoffLimitExceeded => ("job-controller", None),
        Reason::PortAllocated(_) => ("focus-server", None),
        Reason::NodeReady(_) => ("node-controller", None),
        Reason::NodeSchedulable(_) => {
            let nodes = NodeName::ALL.into_iter();
            ("kubelet", nodes.into_iter().find(|node| node.name() == &*event.about.key.name))
        }
    }
}

fn controller_of(kind: Kind) -> &'static str {
    match kind {
        Kind::ReplicaSet => "replicaset-controller",
        Kind::StatefulSet => "statefulset-controller",
        Kind::Job => "job-controller",
        Kind::Namespace
        | Kind::Node
        | Kind::Pod
        | Kind::Service
        | Kind::Endpoints
        | Kind::Event
        | Kind::ConfigMap
        | Kind::Secret
        | Kind::ServiceAccount
        | Kind::Deployment
        | Kind::Ingress => "controller-manager",
    }
}
