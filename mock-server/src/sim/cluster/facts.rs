//! What the objects of the cluster are, as facts: enough to render each of them, and nothing of how that is done.
//!
//! A [`Record`] is one object at one version. Facts name what an object is *of* (a job's terms, a workload, a node) and
//! where it is in its life; whatever follows from that (labels, command lines, conditions) is the renderer's business.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::events::Reason;
use super::workloads::Workload;
use crate::domain::ids::NodePort;
use crate::domain::job::Terms;
use crate::domain::time::Moment;

/// The kinds of objects that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A namespace.
    Namespace,
    /// A machine of the cluster.
    Node,
    /// A pod.
    Pod,
    /// A Service.
    Service,
    /// Where a Service leads to.
    Endpoints,
    /// Something that happened to an object.
    Event,
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
    /// A ServiceAccount.
    ServiceAccount,
    /// A Deployment.
    Deployment,
    /// A ReplicaSet.
    ReplicaSet,
    /// A StatefulSet.
    StatefulSet,
    /// A Job of the cluster.
    Job,
    /// An Ingress.
    Ingress,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Namespace,
        Self::Node,
        Self::Pod,
        Self::Service,
        Self::Endpoints,
        Self::Event,
        Self::ConfigMap,
        Self::Secret,
        Self::ServiceAccount,
        Self::Deployment,
        Self::ReplicaSet,
        Self::StatefulSet,
        Self::Job,
        Self::Ingress,
    ];
}

/// A namespace's name; empty for what is in none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace(pub Arc<str>);

impl Namespace {
    /// That of what is in no namespace.
    #[must_use]
    pub fn none() -> Self {
        Self("".into())
    }
}

/// Which object: kind, namespace and name, in the order in which lists have them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Where it is; empty for nodes and namespaces.
    pub namespace: Namespace,
    /// Its name.
    pub name: Arc<str>,
}

impl Key {
    /// The object of that kind, place and name.
    #[must_use]
    pub fn new(kind: Kind, namespace: &Namespace, name: impl Into<Arc<str>>) -> Self {
        Self { kind, namespace: namespace.clone(), name: name.into() }
    }
}

/// A number that grows with every change of any object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What tells an object from every other, also from one that had its name before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub u128);

/// An object at one version.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Which.
    pub key: Key,
    /// What tells it from others.
    pub uid: Uid,
    /// The version at which it became so.
    pub version: Version,
    /// When it was created.
    pub created: Moment,
    /// Since when it is being deleted, and how long it has for that.
    pub deleting: Option<Deleting>,
    /// What it is.
    pub facts: Facts,
}

/// A deletion that takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleting {
    /// Since when.
    pub since: Moment,
    /// How long it may take.
    pub grace: Duration,
}

/// What an object is.
#[derive(Clone, Debug, PartialEq)]
pub enum Facts {
    /// A namespace; all is in its name.
    Namespace,
    /// A node.
    Node(Node),
    /// A pod.
    Pod(Pod),
    /// A Service.
    Service(Service),
    /// Where a Service leads to.
    Endpoints(Endpoints),
    /// An event.
    Event(Event),
    /// A ConfigMap of the product.
    ConfigMap(ConfigMap),
    /// The broker's Secret.
    Secret,
    /// A ServiceAccount; all is in its name.
    ServiceAccount,
    /// A Deployment.
    Deployment(Scale),
    /// The ReplicaSet of a Deployment.
    ReplicaSet(Scale),
    /// A StatefulSet.
    StatefulSet(Scale),
    /// A Job of the cluster.
    Job(ClusterJob),
    /// The product's Ingress.
    Ingress,
}

/// The nodes of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeName {
    /// `worker-node`: every pod is placed there.
    Worker,
    /// `master-node`: runs the control plane, takes no pods.
    Master,
}

impl NodeName {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Worker, Self::Master];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Worker => "worker-node",
            Self::Master => "master-node",
        }
    }
}

/// A node, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Which.
    pub name: NodeName,
    /// Whether it takes no new pods (`kubectl cordon`).
    pub unschedulable: bool,
    /// Whether its kubelet reports.
    pub ready: bool,
    /// Since when it is, or is not.
    pub ready_since: Moment,
    /// Size of the pool of GPU shares; `None` without limit. The worker has them all.
    pub gpu_pool: Option<u32>,
}

/// One of the two Jobs of a product's job, with what the job was created with.
#[derive(Clone, PartialEq)]
pub struct PartOfJob {
    /// Which of the two.
    pub part: Part,
    /// The job.
    pub terms: Arc<Terms>,
}

/// The two Jobs of a product's job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// `grpc-job-<id>`: streams.
    Grpc,
    /// `cleanup-job-<id>`: watches over it.
    Cleanup,
}

impl fmt::Debug for PartOfJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {}", self.part, self.terms.id)
    }
}

/// A Job of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterJob {
    /// What it is part of.
    pub of: PartOfJob,
    /// How it came to its end, if it did.
    pub over: Option<Over>,
}

/// An end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// When.
    pub at: Moment,
    /// How.
    pub how: Outcome,
}

/// How a pod or Job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With exit code 0.
    Succeeded,
    /// Killed, or with another exit code.
    Failed,
}

/// A pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    /// What it is of.
    pub of: PodOf,
    /// The Job, ReplicaSet or StatefulSet that it belongs to.
    pub owner: Owner,
    /// Its node and address, once it has them.
    pub placed: Option<Placed>,
    /// Where it is in its life.
    pub stage: Stage,
    /// How often its container was started again.
    pub restarts: u32,
}

/// What a pod is of.
#[derive(Clone, Debug, PartialEq)]
pub enum PodOf {
    /// A Job of a product's job.
    Job(PartOfJob),
    /// A workload, and the labels that its real pods lack, left out (quirk `job-template-observed`).
    Workload {
        /// Which.
        workload: Workload,
        /// Whether its pods lack the label `app`.
        unlabelled: bool,
    },
}

/// What an object belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Kind, place and name.
    pub key: Key,
    /// Its uid.
    pub uid: Uid,
}

/// Where a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Since when.
    pub at: Moment,
    /// On which node.
    pub node: NodeName,
    /// Its made-up address.
    pub address: PodAddress,
}

/// The made-up address of a pod: the so-manieth of all that were given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodAddress(pub u32);

/// Where a pod is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Pending: no node takes it.
    Unschedulable(Unschedulable),
    /// Pending: its container is being created.
    Creating,
    /// Running.
    Running {
        /// Since when.
        since: Moment,
        /// Since when it is ready, if it is.
        ready: Option<Moment>,
    },
    /// Running, but its container exits and is started again, later each time.
    CrashLoop {
        /// Since when.
        since: Moment,
    },
    /// It has ended.
    Over {
        /// When its container was started, if it ever was.
        started: Option<Moment>,
        /// Its end.
        over: Over,
    },
}

/// Why no node takes a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unschedulable {
    /// Every GPU share is taken.
    NoGpuShare,
    /// The node was cordoned.
    Cordoned,
    /// The node is not ready.
    NodeNotReady,
}

/// A Service.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// What it is of.
    pub of: ServiceOf,
    /// Its made-up address: the so-manieth of all that were given out. `None` for the headless one.
    pub address: Option<ServiceAddress>,
}

/// The made-up address of a Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceAddress(pub u32);

/// What a Service is of.
#[derive(Clone, Debug, PartialEq)]
pub enum ServiceOf {
    /// The streaming part of a job.
    Job(PartOfJob),
    /// A workload.
    Workload(Workload),
    /// A StatefulSet, giving its pods names.
    Headless(Workload),
    /// Nothing of the product: somebody created it.
    Planted(Arc<Planted>),
}

/// A Service that somebody created, as far as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Planted {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Which pods it leads to. None of the product's are looked for: it leads nowhere.
    pub selector: BTreeMap<String, String>,
    /// How it can be reached.
    pub reach: Reach,
    /// Its ports, at least one.
    pub ports: Vec<ServicePort>,
}

/// How a Service can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Reach {
    /// From inside.
    #[default]
    ClusterIp,
    /// From outside, on every node.
    NodePort,
    /// From outside, by an address of its own.
    LoadBalancer,
}

/// A port of a Service that somebody created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// The port.
    pub port: u16,
    /// The port of the pods.
    pub target: Target,
    /// The port of the nodes, where it can be reached from outside.
    pub node_port: Option<NodePort>,
}

/// A port of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// By its number.
    Number(u16),
    /// By its name.
    Name(String),
}

/// Where a Service leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoints {
    /// The Service.
    pub of: ServiceOf,
    /// The pods that are ready.
    pub backends: Vec<Backend>,
}

/// A pod that a Service leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The pod.
    pub pod: Owner,
    /// Where it is.
    pub placed: Placed,
}

/// An event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What it happened to.
    pub about: Owner,
    /// What.
    pub reason: Reason,
    /// When.
    pub at: Moment,
}

/// The product's ConfigMaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigMap {
    /// `grpc-job-template`
    GrpcJobTemplate,
    /// `prisma-config`
    PrismaConfig,
}

/// A workload, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Which.
    pub workload: Workload,
    /// Of a ReplicaSet, the Deployment that it belongs to.
    pub owner: Option<Owner>,
    /// How many pods it should have.
    pub replicas: u32,
    /// How often its spec was changed, from 1.
    pub generation: u64,
    /// How often its pod template was changed, from 1.
    pub revision: u64,
    /// Annotations of its pod template.
    pub annotations: Arc<BTreeMap<String, String>>,
    /// How many pods it has, those that are being deleted left out.
    pub pods: u32,
    /// How many of them are ready.
    pub ready: u32,
    /// How many of them are of the newest template.
    pub updated: u32,
    /// When that last changed.
    pub changed: Moment,
}
