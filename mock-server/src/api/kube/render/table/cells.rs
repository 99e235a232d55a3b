//! The cells of an object's row, in the order of the columns of its kind.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStatus, Endpoints, Event, Namespace, Node, Pod, PodSpec, Service, ServicePort,
};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use super::Cell;
use crate::api::kube::render::object::Object;
use crate::api::kube::render::time::{age, between, human, time};
use crate::domain::time::Moment;

const NONE: &str = "<none>";

pub(super) fn cells(object: &Object, now: Moment) -> Vec<Cell> {
    match object {
        Object::Pod(object) => pod(object, now),
        Object::Job(object) => job(object, now),
        Object::Service(object) => service(object, now),
        Object::Deployment(object) => deployment(object, now),
        Object::StatefulSet(object) => stateful_set(object, now),
        Object::Node(object) => node(object, now),
        Object::Event(object) => event(object, now),
        Object::Endpoints(object) => endpoints(object, now),
        Object::Ingress(object) => ingress(object, now),
        Object::Namespace(object) => namespace(object, now),
        Object::ConfigMap(_) | Object::Secret(_) | Object::ServiceAccount(_) | Object::ReplicaSet(_) => {
            let metadata = object.metadata();
            texts([name(metadata), age_of(metadata, now)]).collect()
        }
    }
}

fn texts<const N: usize>(texts: [String; N]) -> impl Iterator<Item = Cell> {
    texts.into_iter().map(Cell::Text)
}

fn name(metadata: &ObjectMeta) -> String {
    or_empty(metadata.name.as_deref())
}

fn age_of(metadata: &ObjectMeta, now: Moment) -> String {
    age(metadata.creation_timestamp.as_ref(), now)
}

fn or_none(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or(NONE).to_owned()
}

fn or_empty(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn joined<T>(all: &[T], one: impl Fn(&T) -> String) -> String {
    all.iter().map(one).collect::<Vec<_>>().join(",")
}

fn labels(labels: Option<&BTreeMap<String, String>>) -> String {
    let pairs: Vec<_> = labels.into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
    or_none(Some(&pairs.join(",")))
}

fn selector(selector: Option<&LabelSelector>) -> String {
    labels(selector.and_then(|selector| selector.match_labels.as_ref()))
}

fn containers(spec: Option<&PodSpec>) -> [String; 2] {
    let containers = spec.map_or(&[][..], |spec| &spec.containers);
    [joined(containers, |one| one.name.clone()), joined(containers, |one| or_empty(one.image.as_deref()))]
}

fn pod(pod: &Pod, now: Moment) -> Vec<Cell> {
    let (spec, status) = (pod.spec.as_ref(), pod.status.as_ref());
    let statuses = status.and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
    let ready = statuses.iter().filter(|status| status.ready).count();
    let ip = status.and_then(|status| status.pod_ip.as_deref());
    texts([
        name(&pod.metadata),
        format!("{ready}/{}", spec.map_or(0, |spec| spec.containers.len())),
        pod_status(pod, statuses).to_owned(),
        restarts(statuses, now),
        age_of(&pod.metadata, now),
        or_none(ip),
        or_none(spec.and_then(|spec| spec.node_name.as_deref())),
        NONE.to_owned(),
        NONE.to_owned(),
    ])
    .collect()
}

/// That it is going; else why its container waits or how it ended; else its phase.
fn pod_status<'a>(pod: &'a Pod, statuses: &'a [ContainerStatus]) -> &'a str {
    if pod.metadata.deletion_timestamp.is_some() {
        return "Terminating";
    }
    let reason = |state: &'a ContainerState| {
        let waiting = state.waiting.as_ref().and_then(|waiting| waiting.reason.as_deref());
        waiting.or_else(|| state.terminated.as_ref().and_then(|over| over.reason.as_deref()))
    };
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    statuses.iter().filter_map(|status| status.state.as_ref()).find_map(reason).or(phase).unwrap_or("Unknown")
}

fn restarts(statuses: &[ContainerStatus], now: Moment) -> String {
    let count: i32 = statuses.iter().map(|status| status.restart_count).sum();
    let ended = statuses.iter().filter_map(|status| status.last_state.as_ref()?.terminated.as_ref());
    match ended.filter_map(|over| over.finished_at.as_ref()).max() {
        Some(last) if count > 0 => format!("{count} ({} ago)", age(Some(last), now)),
        Some(_) | None => count.to_string(),
    }
}

fn job(job: &Job, now: Moment) -> Vec<Cell> {
    let (spec, status) = (job.spec.as_ref(), job.status.as_ref());
    let succeeded = status.and_then(|status| status.succeeded).unwrap_or(0);
    let completions = spec.and_then(|spec| spec.completions).unwrap_or(1);
    let started = status.and_then(|status| status.start_time.as_ref());
    let ended = status.and_then(|status| status.completion_time.clone()).unwrap_or_else(|| time(now));
    let [containers, images] = containers(spec.and_then(|spec| spec.template.spec.as_ref()));
    texts([
        name(&job.metadata),
        format!("{succeeded}/{completions}"),
        started.map(|started| human(between(started, &ended))).unwrap_or_default(),
        age_of(&job.metadata, now),
        containers,
        images,
        selector(spec.and_then(|spec| spec.selector.as_ref())),
    ])
    .collect()
}

fn service(service: &Service, now: Moment) -> Vec<Cell> {
    let spec = service.spec.as_ref();
    let type_ = spec.and_then(|spec| spec.type_.as_deref());
    let ports = spec.and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
    texts([
        name(&service.metadata),
        or_none(type_),
        or_none(spec.and_then(|spec| spec.cluster_ip.as_deref())),
        external_ip(service),
        or_none(Some(&joined(ports, service_port))),
        age_of(&service.metadata, now),
        labels(spec.and_then(|spec| spec.selector.as_ref())),
    ])
    .collect()
}

/// Load balancers alone have one, once they were given it.
fn external_ip(service: &Service) -> String {
    let balancer = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let addresses = balancer.and_then(|balancer| balancer.ingress.as_deref()).unwrap_or_default();
    match service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) {
        Some("LoadBalancer") if addresses.is_empty() => String::from("<pending>"),
        Some("LoadBalancer") => joined(addresses, |one| or_empty(one.ip.as_deref())),
        Some(_) | None => NONE.to_owned(),
    }
}

fn service_port(port: &ServicePort) -> String {
    let protocol = port.protocol.as_deref().unwrap_or("TCP");
    match port.node_port {
        Some(node_port) => format!("{}:{node_port}/{protocol}", port.port),
        None => format!("{}/{protocol}", port.port),
    }
}

fn deployment(deployment: &Deployment, now: Moment) -> Vec<Cell> {
    let (spec, status) = (deployment.spec.as_ref(), deployment.status.as_ref());
    let [containers, images] = containers(spec.and_then(|spec| spec.template.spec.as_ref()));
    let ready = status.and_then(|status| status.ready_replicas).unwrap_or(0);
    let wanted = spec.and_then(|spec| spec.replicas).unwrap_or(0);
    let numbers = [
        status.and_then(|status| status.updated_replicas).unwrap_or(0),
        status.and_then(|status| status.available_replicas).unwrap_or(0),
    ];
    let selector = selector(spec.map(|spec| &spec.selector));
    texts([name(&deployment.metadata), format!("{ready}/{wanted}")])
        .chain(numbers.map(Cell::Number))
        .chain(texts([age_of(&deployment.metadata, now), containers, images, selector]))
        .collect()
}

fn stateful_set(set: &StatefulSet, now: Moment) -> Vec<Cell> {
    let (spec, status) = (set.spec.as_ref(), set.status.as_ref());
    let [containers, images] = containers(spec.and_then(|spec| spec.template.spec.as_ref()));
    let ready = status.and_then(|status| status.ready_replicas).unwrap_or(0);
    let wanted = spec.and_then(|spec| spec.replicas).unwrap_or(0);
    let ready = format!("{ready}/{wanted}");
    texts([name(&set.metadata), ready, age_of(&set.metadata, now), containers, images]).collect()
}

fn node(node: &Node, now: Moment) -> Vec<Cell> {
    let status = node.status.as_ref();
    let addresses = status.and_then(|status| status.addresses.as_deref()).unwrap_or_default();
    let address = |type_: &str| {
        or_none(addresses.iter().find(|address| address.type_ == type_).map(|address| &*address.address))
    };
    let info = status.and_then(|status| status.node_info.as_ref());
    let roles = node.metadata.labels.iter().flat_map(BTreeMap::keys);
    let roles: Vec<_> = roles.filter_map(|key| key.strip_prefix("node-role.kubernetes.io/")).collect();
    texts([
        name(&node.metadata),
        node_status(node),
        or_none(Some(&roles.join(","))),
        age_of(&node.metadata, now),
        or_empty(info.map(|info| &*info.kubelet_version)),
        address("InternalIP"),
        address("ExternalIP"),
        or_empty(info.map(|info| &*info.os_image)),
        or_empty(info.map(|info| &*info.kernel_version)),
        or_empty(info.map(|info| &*info.container_runtime_version)),
    ])
    .collect()
}

fn node_status(node: &Node) -> String {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let is_ready = conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True");
    let is_cordoned = node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or(false);
    let ready = if is_ready { "Ready" } else { "NotReady" };
    format!("{ready}{}", if is_cordoned { ",SchedulingDisabled" } else { "" })
}

fn event(event: &Event, now: Moment) -> Vec<Cell> {
    let about = &event.involved_object;
    let kind = or_empty(about.kind.as_deref()).to_lowercase();
    let source = event.source.as_ref();
    let source = [source.and_then(|it| it.component.as_deref()), source.and_then(|it| it.host.as_deref())];
    let source: Vec<_> = source.into_iter().flatten().collect();
    texts([
        age(event.last_timestamp.as_ref(), now),
        or_empty(event.type_.as_deref()),
        or_empty(event.reason.as_deref()),
        format!("{kind}/{}", or_empty(about.name.as_deref())),
        or_empty(event.message.as_deref()),
        source.join(", "),
        age(event.first_timestamp.as_ref(), now),
    ])
    .chain([Cell::Number(event.count.unwrap_or(1)), Cell::Text(name(&event.metadata))])
    .collect()
}

/// The first three, and how many more there are.
fn endpoints(endpoints: &Endpoints, now: Moment) -> Vec<Cell> {
    const MOST: usize = 3;
    let mut all = Vec::new();
    for subset in endpoints.subsets.iter().flatten() {
        for port in subset.ports.iter().flatten() {
            let addresses = subset.addresses.iter().flatten();
            all.extend(addresses.map(|address| format!("{}:{}", address.ip, port.port)));
        }
    }
    let mut shown = or_none(Some(&all[..all.len().min(MOST)].join(",")));
    if all.len() > MOST {
        shown.push_str(&format!(" + {} more...", all.len() - MOST));
    }
    texts([name(&endpoints.metadata), shown, age_of(&endpoints.metadata, now)]).collect()
}

fn ingress(ingress: &Ingress, now: Moment) -> Vec<Cell> {
    let spec = ingress.spec.as_ref();
    let rules = spec.and_then(|spec| spec.rules.as_deref()).unwrap_or_default();
    let balancer = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let addresses = balancer.and_then(|balancer| balancer.ingress.as_deref()).unwrap_or_default();
    texts([
        name(&ingress.metadata),
        or_none(spec.and_then(|spec| spec.ingress_class_name.as_deref())),
        joined(rules, |rule| rule.host.clone().unwrap_or_else(|| String::from("*"))),
        joined(addresses, |one| or_empty(one.ip.as_deref())),
        String::from("80"),
        age_of(&ingress.metadata, now),
    ])
    .collect()
}

fn namespace(namespace: &Namespace, now: Moment) -> Vec<Cell> {
    let phase = namespace.status.as_ref().and_then(|status| status.phase.as_deref());
    texts([name(&namespace.metadata), or_empty(phase), age_of(&namespace.metadata, now)]).collect()
}
