//! What pods are made of: containers, with their command lines and resources.
//!
//! **Chosen**, where the contract leaves it open: names of containers, tags of images (there is no registry), mount paths,
//! environment, and that no workload asks for resources.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, Container, ContainerPort, EnvVar, HostPathVolumeSource, PodSpec,
    ResourceRequirements, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::known::is_bare;
use crate::domain::job::Terms;
use crate::domain::time::Playback;
use crate::sim::cluster::facts::{Part, PartOfJob, PodOf};
use crate::sim::cluster::queue_name;
use crate::sim::cluster::workloads::Workload;

/// The resource that every job takes one of.
pub(super) const GPU_SHARES: &str = "nvidia.com/gpu.shared";
/// Where the streaming container listens.
pub(super) const GRPC_PORT: u16 = 5000;
/// How long pods take to stop.
const GRACE_S: i64 = 2;

/// The name of the only container of a pod.
pub(in crate::api::kube) fn container(of: &PodOf) -> &'static str {
    match of {
        PodOf::Job(of) => container_of_part(of.part),
        PodOf::Workload { workload, .. } => container_of_workload(*workload),
    }
}

fn container_of_part(part: Part) -> &'static str {
    match part {
        Part::Grpc => "grpc-server",
        Part::Cleanup => "cleanup",
    }
}

fn container_of_workload(workload: Workload) -> &'static str {
    match workload {
        Workload::FocusServer => "focus-server",
        Workload::SegyRecorder => "segy-recorder",
        Workload::MongoDb => "mongodb",
        Workload::RabbitMq => "rabbitmq",
    }
}

/// The image of the only container of a pod.
pub(super) fn image(of: &PodOf) -> &'static str {
    match of {
        PodOf::Job(of) => match of.part {
            Part::Grpc => "panda/pzlinux:1.0",
            Part::Cleanup => "panda/cleanup-grpc:1.1",
        },
        PodOf::Workload { workload, .. } => match workload {
            Workload::FocusServer => "panda/focus-server:1.0",
            Workload::SegyRecorder => "panda/segy-recorder:1.0",
            Workload::MongoDb => "panda/mongodb:1.0",
            Workload::RabbitMq => "panda/rabbitmq:1.0",
        },
    }
}

/// The ports of a workload, with their names.
pub(super) fn ports_of(workload: Workload) -> &'static [(&'static str, u16)] {
    match workload {
        Workload::FocusServer => &[("http", 5000)],
        Workload::SegyRecorder => &[],
        Workload::MongoDb => &[("mongodb", 27017)],
        Workload::RabbitMq => &[("amqp", 5672), ("http-stats", 15672)],
    }
}

/// The spec of a pod, without the node that it is on.
pub(super) fn spec(of: &PodOf) -> PodSpec {
    let (restarts, account, volumes) = match of {
        PodOf::Job(PartOfJob { part: Part::Grpc, .. }) => ("Never", "default", Some(volumes())),
        PodOf::Job(PartOfJob { part: Part::Cleanup, .. }) => ("Never", "cleanup-sa", None),
        PodOf::Workload { .. } => ("Always", "default", None),
    };
    let container = match of {
        PodOf::Job(PartOfJob { part: Part::Grpc, terms }) => streaming(terms),
        PodOf::Job(PartOfJob { part: Part::Cleanup, .. }) => cleaning(),
        PodOf::Workload { workload, .. } => working(*workload),
    };
    let container = Container {
        name: self::container(of).to_owned(),
        image: Some(image(of).to_owned()),
        image_pull_policy: Some(String::from("IfNotPresent")),
        ..container
    };
    PodSpec {
        containers: vec![container],
        volumes,
        restart_policy: Some(restarts.to_owned()),
        service_account_name: Some(account.to_owned()),
        service_account: Some(account.to_owned()),
        dns_policy: Some(String::from("ClusterFirst")),
        scheduler_name: Some(String::from("default-scheduler")),
        termination_grace_period_seconds: Some(GRACE_S),
        ..PodSpec::default()
    }
}

/// The command line of the container that streams a job.
pub(in crate::api::kube) fn command(terms: &Terms) -> Vec<String> {
    let request = &terms.request;
    let mut words = ["python", "-m", "baby_analyzer"].map(String::from).to_vec();
    let mut say = |flag: &str, values: &[&dyn ToString]| {
        words.push(flag.to_owned());
        words.extend(values.iter().map(|value| value.to_string()));
    };
    let spectrum = request.view().spectrum();
    say("--roi", &[&request.channels().min().0, &request.channels().max().0]);
    say("-sg", &[&spectrum.map_or(1, |spectrum| spectrum.nfft.samples())]);
    if let Some(spectrum) = spectrum {
        say("--sg-range", &[&spectrum.frequencies.min(), &spectrum.frequencies.max()]);
    }
    say("--grpc-streams-num", &[&terms.layout.streams.len()]);
    say("--queue-name", &[&queue_name(terms.id)]);
    if let Playback::Historic(range) = request.playback() {
        say("--time-start", &[&range.start()]);
        say("--time-end", &[&range.end()]);
        say("--time-zone", &[&"UTC"]);
    }
    words
}

/// The container that streams.
fn streaming(terms: &Terms) -> Container {
    let (requests, limits): (&[_], &[_]) = if is_bare(Part::Grpc, terms) {
        (&[(GPU_SHARES, "1")], &[(GPU_SHARES, "1")])
    } else {
        (
            &[("cpu", "2"), ("memory", "32Gi"), (GPU_SHARES, "1")],
            &[("cpu", "4"), ("memory", "32Gi"), (GPU_SHARES, "1")],
        )
    };
    Container {
        command: Some(command(terms)),
        ports: Some(vec![port("grpc", GRPC_PORT)]),
        env: Some(env(&[
            ("BROKER_HOST", "rabbitmq-panda"),
            ("CERT_DIR", "/certs"),
            ("CONFIG_DIR", "/config"),
        ])),
        resources: Some(ResourceRequirements {
            requests: Some(quantities(requests)),
            limits: Some(quantities(limits)),
            claims: None,
        }),
        volume_mounts: Some(VOLUMES.iter().map(|(name, path)| mount(name, path)).collect()),
        ..Container::default()
    }
}

/// The container that watches over one that streams.
fn cleaning() -> Container {
    Container {
        env: Some(env(&[
            ("CPU_USAGE_THRESHOLD", "4"),
            ("ENABLE_CPU_USAGE_CHECK", "true"),
            ("MAX_CPU_USAGE_COUNT", "5"),
        ])),
        ..Container::default()
    }
}

/// The container of a workload.
fn working(workload: Workload) -> Container {
    let ports: Vec<_> = ports_of(workload).iter().map(|(name, number)| port(name, *number)).collect();
    Container { ports: (!ports.is_empty()).then_some(ports), ..Container::default() }
}

/// The volumes of a streaming pod, and where its container has them.
const VOLUMES: [(&str, &str); 5] = [
    ("certs", "/certs"),
    ("python-env", "/python-env"),
    ("code-base", "/code-base"),
    (PRISMA_CONFIG, "/config"),
    ("recordings", "/recordings"),
];
/// A ConfigMap, and the volume of it.
const PRISMA_CONFIG: &str = "prisma-config";

fn volumes() -> Vec<Volume> {
    VOLUMES.iter().map(|(name, path)| volume(name, path)).collect()
}

fn volume(name: &str, path: &str) -> Volume {
    let mut volume = Volume { name: name.to_owned(), ..Volume::default() };
    if name == PRISMA_CONFIG {
        volume.config_map =
            Some(ConfigMapVolumeSource { name: name.to_owned(), ..ConfigMapVolumeSource::default() });
    } else {
        volume.host_path = Some(HostPathVolumeSource { path: path.to_owned(), type_: None });
    }
    volume
}

fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount { name: name.to_owned(), mount_path: path.to_owned(), ..VolumeMount::default() }
}

fn port(name: &str, number: u16) -> ContainerPort {
    ContainerPort {
        container_port: number.into(),
        protocol: Some(String::from("TCP")),
        name: Some(name.to_owned()),
        ..ContainerPort::default()
    }
}

fn env(pairs: &[(&str, &str)]) -> Vec<EnvVar> {
    let var = |(name, value): &(&str, &str)| EnvVar {
        name: (*name).to_owned(),
        value: Some((*value).to_owned()),
        value_from: None,
    };
    pairs.iter().map(var).collect()
}

fn quantities(pairs: &[(&str, &str)]) -> BTreeMap<String, Quantity> {
    pairs.iter().map(|(name, amount)| ((*name).to_owned(), Quantity((*amount).to_owned()))).collect()
}
