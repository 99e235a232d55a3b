//! What selectors ask for, known without rendering: thousands of objects are looked through for a few.

use std::borrow::Cow;

use super::event;
use super::meta::uid;
use super::object::type_of;
use super::pod::phase;
use crate::domain::job::Terms;
use crate::domain::quirk::Quirk;
use crate::sim::cluster::facts::{Facts, Kind, NodeName, Part, PartOfJob, Pod, PodOf, Record, ServiceOf};
use crate::sim::cluster::grpc_job_name;
use crate::sim::cluster::workloads::Workload;

/// A label: its key and value.
pub(in crate::api::kube) type Label<'a> = (Cow<'static, str>, Cow<'a, str>);

fn label<'a>(key: &'static str, value: impl Into<Cow<'a, str>>) -> Label<'a> {
    (Cow::Borrowed(key), value.into())
}

/// The labels of an object.
pub(in crate::api::kube) fn labels(record: &Record) -> Vec<Label<'_>> {
    let name = &*record.key.name;
    match &record.facts {
        Facts::Namespace => vec![label("kubernetes.io/metadata.name", name)],
        Facts::Node(node) => vec![label("kubernetes.io/hostname", name), label(role(node.name), "")],
        Facts::Pod(pod) => of_pod(name, pod),
        Facts::Service(service) => of_service(&service.of),
        Facts::Endpoints(endpoints) => of_service(&endpoints.of),
        Facts::Deployment(scale) | Facts::StatefulSet(scale) => of_workload(scale.workload, false),
        Facts::ReplicaSet(scale) => {
            let mut labels = of_workload(scale.workload, false);
            labels.push(template_hash(scale.workload, name));
            labels
        }
        Facts::Job(job) => of_job(name, &job.of),
        Facts::Event(_) | Facts::ConfigMap(_) | Facts::Secret | Facts::ServiceAccount | Facts::Ingress => {
            vec![]
        }
    }
}

/// The label that says what a node is there for.
pub(super) fn role(node: NodeName) -> &'static str {
    match node {
        NodeName::Worker => "node-role.kubernetes.io/worker",
        NodeName::Master => "node-role.kubernetes.io/control-plane",
    }
}

/// `app`, and `job_id` where the pod has one: with `job-template-observed`, streaming pods have none, and then nothing
/// that takes its labels from them has.
fn of_job<'a>(app: impl Into<Cow<'a, str>>, of: &PartOfJob) -> Vec<Label<'a>> {
    let mut labels = Vec::with_capacity(4);
    labels.push(label("app", app));
    if !is_bare(of.part, &of.terms) {
        labels.push(label("job_id", of.terms.id.to_string()));
    }
    labels
}

/// Whether the part was made of the template that real servers have: no `job_id`, no CPU and memory.
pub(super) fn is_bare(part: Part, terms: &Terms) -> bool {
    part == Part::Grpc && terms.quirks.has(Quirk::JobTemplateObserved)
}

/// The labels of the pod of a Job, and of the Job's template.
pub(super) fn of_job_pod<'a>(job_name: &'a str, controller_uid: String, of: &PartOfJob) -> Vec<Label<'a>> {
    let mut labels = of_job(job_name, of);
    labels.push(label("controller-uid", controller_uid));
    labels.push(label("job-name", job_name));
    labels
}

fn of_pod<'a>(name: &'a str, pod: &'a Pod) -> Vec<Label<'a>> {
    match &pod.of {
        PodOf::Job(of) => of_job_pod(&pod.owner.key.name, uid(pod.owner.uid), of),
        PodOf::Workload { workload, unlabelled } => {
            let mut labels = of_workload(*workload, *unlabelled);
            labels.push(if workload.is_stateful() {
                label("statefulset.kubernetes.io/pod-name", name)
            } else {
                template_hash(*workload, &pod.owner.key.name)
            });
            labels
        }
    }
}

/// The label by which a workload finds its pods.
pub(super) fn selector_of(workload: Workload) -> (&'static str, &'static str) {
    let key = match workload {
        Workload::FocusServer | Workload::SegyRecorder => "app.kubernetes.io/name",
        Workload::MongoDb | Workload::RabbitMq => "app.kubernetes.io/instance",
    };
    (key, workload.name())
}

/// The labels of a workload and of its Service, and of its pods unless they lack `app`.
pub(super) fn of_workload<'a>(workload: Workload, unlabelled: bool) -> Vec<Label<'a>> {
    let (key, value) = selector_of(workload);
    let app = match workload {
        Workload::FocusServer => Some("focus-server"),
        Workload::SegyRecorder => Some("segy-recorder"),
        Workload::MongoDb | Workload::RabbitMq => None,
    };
    let mut labels = Vec::with_capacity(3);
    labels.push(label(key, value));
    labels.extend(app.filter(|_| !unlabelled).map(|app| label("app", app)));
    labels
}

/// The label by which a ReplicaSet finds its pods: what its name has beyond that of its Deployment.
fn template_hash(workload: Workload, replica_set: &str) -> Label<'_> {
    let hash = replica_set.strip_prefix(workload.name()).and_then(|rest| rest.strip_prefix('-'));
    label("pod-template-hash", hash.unwrap_or(replica_set))
}

fn of_service(of: &ServiceOf) -> Vec<Label<'_>> {
    match of {
        ServiceOf::Job(of) => of_job(grpc_job_name(of.terms.id), of),
        ServiceOf::Workload(workload) | ServiceOf::Headless(workload) => of_workload(*workload, false),
        ServiceOf::Planted(planted) => {
            planted.labels.iter().map(|(key, value)| (key.clone().into(), value.into())).collect()
        }
    }
}

/// A field that a selector can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::api::kube) enum Field {
    Name,
    Namespace,
    Phase,
    NodeName,
    InvolvedName,
    InvolvedKind,
    InvolvedUid,
    InvolvedNamespace,
    InvolvedApiVersion,
    Type,
    Reason,
}

impl Field {
    /// The field of that path, if objects of that kind can be selected by it.
    pub(in crate::api::kube) fn parse(kind: Kind, text: &str) -> Option<Self> {
        let field = match text {
            "metadata.name" => return Some(Self::Name),
            "metadata.namespace" => return Some(Self::Namespace),
            "status.phase" => Self::Phase,
            "spec.nodeName" => Self::NodeName,
            "involvedObject.name" => Self::InvolvedName,
            "involvedObject.kind" => Self::InvolvedKind,
            "involvedObject.uid" => Self::InvolvedUid,
            "involvedObject.namespace" => Self::InvolvedNamespace,
            "involvedObject.apiVersion" => Self::InvolvedApiVersion,
            "type" => Self::Type,
            "reason" => Self::Reason,
            _ => return None,
        };
        let known = match field {
            Self::Name | Self::Namespace => true,
            Self::Phase => matches!(kind, Kind::Pod | Kind::Namespace),
            Self::NodeName => kind == Kind::Pod,
            Self::InvolvedName
            | Self::InvolvedKind
            | Self::InvolvedUid
            | Self::InvolvedNamespace
            | Self::InvolvedApiVersion
            | Self::Type
            | Self::Reason => kind == Kind::Event,
        };
        known.then_some(field)
    }
}

/// A field of an object; empty where it has none.
pub(in crate::api::kube) fn field(record: &Record, field: Field) -> Cow<'_, str> {
    match (field, &record.facts) {
        (Field::Name, _) => (&*record.key.name).into(),
        (Field::Namespace, _) => (&*record.key.namespace.0).into(),
        (Field::Phase, Facts::Pod(pod)) => phase(pod.stage).into(),
        (Field::Phase, Facts::Namespace) => "Active".into(),
        (Field::NodeName, Facts::Pod(pod)) => pod.placed.map_or("", |placed| placed.node.name()).into(),
        (Field::InvolvedName, Facts::Event(event)) => (&*event.about.key.name).into(),
        (Field::InvolvedKind, Facts::Event(event)) => type_of(event.about.key.kind).1.into(),
        (Field::InvolvedUid, Facts::Event(event)) => uid(event.about.uid).into(),
        (Field::InvolvedNamespace, Facts::Event(event)) => (&*event.about.key.namespace.0).into(),
        (Field::InvolvedApiVersion, Facts::Event(event)) => type_of(event.about.key.kind).0.into(),
        (Field::Type, Facts::Event(event)) => event::type_of(&event.reason).into(),
        (Field::Reason, Facts::Event(event)) => event::reason(&event.reason).into(),
        (
            Field::Phase
            | Field::NodeName
            | Field::InvolvedName
            | Field::InvolvedKind
            | Field::InvolvedUid
            | Field::InvolvedNamespace
            | Field::InvolvedApiVersion
            | Field::Type
            | Field::Reason,
            _,
        ) => "".into(),
    }
}
