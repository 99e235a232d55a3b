//! The columns of each kind's table.

use serde::Serialize;

use crate::sim::cluster::facts::Kind;

/// A column of a table. `k8s-openapi` has no type for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(in crate::api::kube) struct Column {
    pub(in crate::api::kube) name: &'static str,
    #[serde(rename = "type")]
    pub(in crate::api::kube) type_: &'static str,
    pub(in crate::api::kube) format: &'static str,
    pub(in crate::api::kube) description: &'static str,
    /// 0 is always shown, 1 with `-o wide`.
    pub(in crate::api::kube) priority: u8,
}

const fn text(name: &'static str, description: &'static str) -> Column {
    Column { name, type_: "string", format: "", description, priority: 0 }
}

const fn number(name: &'static str, description: &'static str) -> Column {
    Column { type_: "integer", ..text(name, description) }
}

const fn wide(column: Column) -> Column {
    Column { priority: 1, ..column }
}

const NAME: Column =
    Column { format: "name", ..text("Name", "Name of the object, unique in its namespace.") };
const AGE: Column = text("Age", "How long ago the object was created.");
const CONTAINERS: Column = wide(text("Containers", "Names of the containers of its pods."));
const IMAGES: Column = wide(text("Images", "Images of the containers of its pods."));
const SELECTOR: Column = wide(text("Selector", "Labels of the pods that it is about."));

const PODS: [Column; 9] = [
    NAME,
    text("Ready", "Containers that are ready, of all."),
    text("Status", "What the pod is doing, or why it is not."),
    text("Restarts", "How often containers were started again, and when the last one was."),
    AGE,
    wide(text("IP", "Address of the pod.")),
    wide(text("Node", "Node that the pod is on.")),
    wide(text("Nominated Node", "Node that room is being made on for the pod.")),
    wide(text("Readiness Gates", "Conditions that count for readiness beside its containers.")),
];
const JOBS: [Column; 7] = [
    NAME,
    text("Completions", "Pods that have succeeded, of those that shall."),
    text("Duration", "How long it ran, or has run so far."),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];
const SERVICES: [Column; 7] = [
    NAME,
    text("Type", "How it can be reached."),
    text("Cluster-IP", "Address inside the cluster."),
    text("External-IP", "Address outside of the cluster."),
    text("Port(s)", "Ports, with those of the nodes."),
    AGE,
    SELECTOR,
];
const DEPLOYMENTS: [Column; 8] = [
    NAME,
    text("Ready", "Pods that are ready, of those that shall be."),
    number("Up-to-date", "Pods of the newest template."),
    number("Available", "Pods that have been ready for long enough."),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];
const STATEFUL_SETS: [Column; 5] =
    [NAME, text("Ready", "Pods that are ready, of those that shall be."), AGE, CONTAINERS, IMAGES];
const NODES: [Column; 10] = [
    NAME,
    text("Status", "Whether it is ready, and whether it takes pods."),
    text("Roles", "What it is there for."),
    AGE,
    text("Version", "Version of its kubelet."),
    wide(text("Internal-IP", "Address inside the cluster.")),
    wide(text("External-IP", "Address outside of the cluster.")),
    wide(text("OS-Image", "Operating system.")),
    wide(text("Kernel-Version", "Kernel.")),
    wide(text("Container-Runtime", "What runs its containers.")),
];
const EVENTS: [Column; 9] = [
    text("Last Seen", "How long ago it last happened."),
    text("Type", "Normal or Warning."),
    text("Reason", "What happened, in one word."),
    text("Object", "What it happened to."),
    text("Message", "What happened."),
    wide(text("Source", "Who tells of it.")),
    wide(text("First Seen", "How long ago it first happened.")),
    wide(number("Count", "How often it happened.")),
    wide(NAME),
];
const ENDPOINTS: [Column; 3] = [NAME, text("Endpoints", "Addresses and ports of pods that are ready."), AGE];
const INGRESSES: [Column; 6] = [
    NAME,
    text("Class", "Who implements it."),
    text("Hosts", "Hosts that it is for."),
    text("Address", "Address at which it is reached."),
    text("Ports", "Ports at which it is reached."),
    AGE,
];
const NAMESPACES: [Column; 3] = [NAME, text("Status", "Whether it is there or goes."), AGE];
const OTHERS: [Column; 2] = [NAME, AGE];

/// The columns of a kind's table.
pub(in crate::api::kube) fn columns(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Pod => &PODS,
        Kind::Job => &JOBS,
        Kind::Service => &SERVICES,
        Kind::Deployment => &DEPLOYMENTS,
        Kind::StatefulSet => &STATEFUL_SETS,
        Kind::Node => &NODES,
        Kind::Event => &EVENTS,
        Kind::Endpoints => &ENDPOINTS,
        Kind::Ingress => &INGRESSES,
        Kind::Namespace => &NAMESPACES,
        Kind::ConfigMap | Kind::Secret | Kind::ServiceAccount | Kind::ReplicaSet => &OTHERS,
    }
}
