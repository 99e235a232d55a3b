//! Deployments, ReplicaSets and StatefulSets.
//!
//! As in a real cluster, a count of zero is left out of a status where it may be.

use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentCondition, DeploymentSpec, DeploymentStatus, DeploymentStrategy, ReplicaSet,
    ReplicaSetSpec, ReplicaSetStatus, RollingUpdateDeployment, StatefulSet, StatefulSetSpec,
    StatefulSetStatus, StatefulSetUpdateStrategy,
};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::known::{Label, labels, of_workload, selector_of};
use super::meta::{meta, own, owned_by};
use super::template::spec;
use super::time::time;
use crate::sim::cluster::facts::{PodOf, Record, Scale};

pub(super) fn deployment(record: &Record, scale: &Scale) -> Deployment {
    let mut metadata = meta(record);
    metadata.generation = Some(long(scale.generation));
    metadata.annotations = Some(own([(REVISION, scale.revision.to_string())]));
    let quarter = || Some(IntOrString::String(String::from("25%")));
    Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            replicas: Some(int(scale.replicas)),
            selector: selector([selector_of(scale.workload)]),
            template: template(scale, of_workload(scale.workload, false)),
            strategy: Some(DeploymentStrategy {
                type_: Some(String::from("RollingUpdate")),
                rolling_update: Some(RollingUpdateDeployment {
                    max_surge: quarter(),
                    max_unavailable: quarter(),
                }),
            }),
            progress_deadline_seconds: Some(600),
            revision_history_limit: Some(10),
            ..DeploymentSpec::default()
        }),
        status: Some(DeploymentStatus {
            observed_generation: Some(long(scale.generation)),
            replicas: some(scale.pods),
            updated_replicas: some(scale.updated),
            ready_replicas: some(scale.ready),
            available_replicas: some(scale.ready),
            unavailable_replicas: some(scale.replicas.saturating_sub(scale.ready)),
            conditions: Some(conditions(record, scale)),
            ..DeploymentStatus::default()
        }),
    }
}

/// The annotation by which `kubectl rollout history` knows revisions.
const REVISION: &str = "deployment.kubernetes.io/revision";

fn conditions(record: &Record, scale: &Scale) -> Vec<DeploymentCondition> {
    let condition = |type_: &str, holds: bool, since, reason: &str, message: String| DeploymentCondition {
        type_: type_.to_owned(),
        status: String::from(if holds { "True" } else { "False" }),
        last_transition_time: Some(time(since)),
        last_update_time: Some(time(scale.changed)),
        reason: Some(reason.to_owned()),
        message: Some(message),
    };
    let is_available = scale.ready >= scale.replicas;
    let (reason, message) = if is_available {
        ("MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    let progressed = format!("Deployment {:?} has successfully progressed.", scale.workload.name());
    vec![
        condition("Available", is_available, scale.changed, reason, message.to_owned()),
        condition("Progressing", true, record.created, "NewReplicaSetAvailable", progressed),
    ]
}

pub(super) fn replica_set(record: &Record, scale: &Scale) -> ReplicaSet {
    let mut metadata = meta(record);
    metadata.generation = Some(long(scale.generation));
    metadata.annotations = Some(own([(REVISION, scale.revision.to_string())]));
    // By it, `kubectl describe` and `kubectl rollout history` find the ReplicaSets of a Deployment.
    metadata.owner_references = scale.owner.as_ref().map(|owner| vec![owned_by(owner)]);
    let (key, _) = selector_of(scale.workload);
    let of_selector = |(label, _): &Label<'_>| label == key || label == "pod-template-hash";
    ReplicaSet {
        spec: Some(ReplicaSetSpec {
            replicas: Some(int(scale.replicas)),
            selector: selector(labels(record).into_iter().filter(of_selector)),
            template: Some(template(scale, labels(record))),
            min_ready_seconds: None,
        }),
        status: Some(ReplicaSetStatus {
            observed_generation: Some(long(scale.generation)),
            replicas: int(scale.pods),
            fully_labeled_replicas: some(scale.pods),
            ready_replicas: some(scale.ready),
            available_replicas: some(scale.ready),
            ..ReplicaSetStatus::default()
        }),
        metadata,
    }
}

pub(super) fn stateful_set(record: &Record, scale: &Scale) -> StatefulSet {
    let mut metadata = meta(record);
    metadata.generation = Some(long(scale.generation));
    let revision = format!("{}-{}", scale.workload.name(), scale.revision);
    StatefulSet {
        metadata,
        spec: Some(StatefulSetSpec {
            replicas: Some(int(scale.replicas)),
            selector: selector([selector_of(scale.workload)]),
            template: template(scale, of_workload(scale.workload, false)),
            service_name: Some(format!("{}-headless", scale.workload.name())),
            pod_management_policy: Some(String::from("OrderedReady")),
            update_strategy: Some(StatefulSetUpdateStrategy {
                type_: Some(String::from("RollingUpdate")),
                rolling_update: None,
            }),
            revision_history_limit: Some(10),
            ..StatefulSetSpec::default()
        }),
        status: Some(StatefulSetStatus {
            observed_generation: Some(long(scale.generation)),
            replicas: int(scale.pods),
            current_replicas: some(scale.updated),
            updated_replicas: some(scale.updated),
            ready_replicas: some(scale.ready),
            available_replicas: some(scale.ready),
            current_revision: Some(revision.clone()),
            update_revision: Some(revision),
            collision_count: Some(0),
            conditions: None,
        }),
    }
}

fn template<'a>(scale: &Scale, labels: impl IntoIterator<Item = Label<'a>>) -> PodTemplateSpec {
    let annotations = (!scale.annotations.is_empty()).then(|| scale.annotations.as_ref().clone());
    PodTemplateSpec {
        metadata: Some(ObjectMeta { labels: Some(own(labels)), annotations, ..ObjectMeta::default() }),
        spec: Some(spec(&PodOf::Workload { workload: scale.workload, unlabelled: false })),
    }
}

fn selector<K: Into<String>, V: Into<String>>(labels: impl IntoIterator<Item = (K, V)>) -> LabelSelector {
    LabelSelector { match_labels: Some(own(labels)), match_expressions: None }
}

fn int(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn some(count: u32) -> Option<i32> {
    (count > 0).then(|| int(count))
}

fn long(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
