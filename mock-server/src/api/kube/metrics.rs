//! What pods and nodes use, for `kubectl top`: simulated CPU, and a memory that never changes.
//!
//! Pods that do not run use nothing, and have no metrics, as with a real metrics server.

use axum::response::Response;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ListMeta, ObjectMeta, Time};
use serde::Serialize;

use super::ask::Ask;
use super::failure::Failure;
use super::render::{self, Scene};
use super::resource::Resource;
use super::selectors::Selector;
use super::{Kube, answer, get, list};
use crate::domain::time::Moment;
use crate::sim::cluster::facts::{Facts, Record};

/// **Chosen**: what every container uses; about what a streaming pod of the product was seen to use.
const POD_MEMORY: &str = "512Mi";
/// **Chosen**: what every node uses.
const NODE_MEMORY: &str = "16Gi";
/// **Chosen**: over how long use was measured; a real metrics server measures about that long.
const WINDOW: &str = "10s";

/// No type of `k8s-openapi`, as this API is none of Kubernetes' own.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metrics {
    kind: &'static str,
    api_version: String,
    metadata: ObjectMeta,
    timestamp: Time,
    window: &'static str,
    #[serde(flatten)]
    used: Used,
}

/// By a node, or by each container of a pod.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Used {
    Usage(Usage),
    Containers(Vec<Container>),
}

#[derive(Serialize)]
struct Container {
    name: &'static str,
    usage: Usage,
}

#[derive(Serialize)]
struct Usage {
    cpu: Quantity,
    memory: Quantity,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MetricsList {
    kind: String,
    api_version: String,
    metadata: ListMeta,
    items: Vec<Metrics>,
}

/// Answers with the metrics of one object.
pub(super) fn one(kube: &Kube, ask: &Ask) -> Result<Response, Failure> {
    let key = get::key(ask)?;
    let record = kube.simulation.object(&key);
    let metrics = record.and_then(|record| measured(kube, ask.resource, &record, &kube.scene()));
    metrics.map(|metrics| answer::json(&metrics)).ok_or_else(|| absent(ask))
}

/// Answers with the metrics of the objects that a selector means.
pub(super) fn all(kube: &Kube, ask: &Ask, selector: &Selector) -> Response {
    let listing = kube.simulation.objects(ask.resource.kind, ask.namespace.as_deref());
    let scene = kube.scene();
    let meant = listing.records.iter().filter(|record| selector.matches(record));
    answer::json(&MetricsList {
        kind: format!("{}List", ask.resource.kind_name),
        api_version: ask.resource.api_version(),
        metadata: list::meta(listing.version),
        items: meant.filter_map(|record| measured(kube, ask.resource, record, &scene)).collect(),
    })
}

/// A metrics server calls things otherwise than the paths do.
fn absent(ask: &Ask) -> Failure {
    let Resource { group, namespaced, .. } = *ask.resource;
    let name = ask.name.as_deref().unwrap_or_default();
    let (resource, name) = match &ask.namespace {
        Some(namespace) if namespaced => ("podmetrics", format!("{namespace}/{name}")),
        _ => ("nodemetrics", name.into()),
    };
    Failure::NotFound { group, resource, name }
}

fn measured(kube: &Kube, resource: &Resource, record: &Record, scene: &Scene) -> Option<Metrics> {
    let cpu = match &record.facts {
        Facts::Node(node) => kube.simulation.cpu_of_node(node.name),
        Facts::Pod(_) => kube.simulation.cpu_of_pod(&record.key)?,
        _ => return None,
    };
    Some(of(resource, record, cpu, scene))
}

/// The metrics of a pod or node that uses so many millicores.
pub(super) fn of(resource: &Resource, record: &Record, cpu: u32, scene: &Scene) -> Metrics {
    let labels = render::labels(record);
    let namespace = &record.key.namespace.0;
    Metrics {
        kind: resource.kind_name,
        api_version: resource.api_version(),
        metadata: ObjectMeta {
            name: Some(String::from(&*record.key.name)),
            namespace: resource.namespaced.then(|| String::from(&**namespace)),
            creation_timestamp: Some(time(scene.now)),
            labels: Some(labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect()),
            ..ObjectMeta::default()
        },
        timestamp: time(scene.now),
        window: WINDOW,
        used: match &record.facts {
            Facts::Pod(pod) => {
                let name = render::container(&pod.of);
                Used::Containers(vec![Container { name, usage: usage(cpu, POD_MEMORY) }])
            }
            _ => Used::Usage(usage(cpu, NODE_MEMORY)),
        },
    }
}

fn usage(cpu: u32, memory: &str) -> Usage {
    Usage { cpu: Quantity(format!("{cpu}m")), memory: Quantity(memory.into()) }
}

fn time(moment: Moment) -> Time {
    // Every moment of the clock is before the end of what a timestamp can say.
    let seconds = jiff::Timestamp::from_second(moment.seconds().0);
    Time(seconds.unwrap_or(jiff::Timestamp::MAX))
}
