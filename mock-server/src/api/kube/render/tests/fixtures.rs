//! Records of every kind and stage, as a world would have put them into its store.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::api::kube::render::Scene;
use crate::domain::check::{self, Bounds, ConfigureDraft, Given, RangeDraft, ViewNumber, WindowDraft};
use crate::domain::ids::NodePort;
use crate::domain::job::Terms;
use crate::domain::quirk::{Quirk, Quirks};
use crate::domain::time::{EpochSeconds, Moment};
use crate::domain::view::Layout;
use crate::sim::cluster::events::Reason;
use crate::sim::cluster::facts::*;
use crate::sim::cluster::workloads::Workload;
use crate::sim::setup::recorded_fiber;

/// 2025-12-05T16:58:23Z, when everything was created.
pub(super) fn created() -> Moment {
    Moment::from_seconds(EpochSeconds(1_764_953_903))
}

/// So many seconds after everything was created.
pub(super) fn at(seconds: u64) -> Moment {
    created().after(Duration::from_secs(seconds))
}

/// 200 seconds after everything was created.
pub(super) fn scene() -> Scene {
    Scene {
        node_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        now: at(200),
        job_ttl: Duration::from_secs(120),
        cleanup_ttl: Duration::from_secs(10),
    }
}

/// What a job is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Asked {
    Live,
    Historic,
    Waterfall,
}

/// Channels 1 to 50, 1024 samples, 0 to 500 Hz; slot 1, sequence 1603.
pub(super) fn terms(asked: Asked, quirks: Quirks) -> Arc<Terms> {
    let fiber = recorded_fiber();
    let range = |min, max| Given::Value(RangeDraft { min: Given::Value(min), max: Given::Value(max) });
    let is_waterfall = asked == Asked::Waterfall;
    let unless_waterfall = |value| if is_waterfall { Given::Absent } else { Given::Value(value) };
    let window = WindowDraft { start: Given::Value(1_764_946_703), end: Given::Value(1_764_953_903) };
    let draft = ConfigureDraft {
        view: Given::Value(if is_waterfall { ViewNumber::Waterfall } else { ViewNumber::MultiChannel }),
        view_is_number: true,
        channels: range(1, 50),
        display: Given::Value(Given::Value(1000)),
        duration: unless_waterfall(10),
        nfft: if is_waterfall { Given::Value(1) } else { Given::Value(1024) },
        frequencies: if is_waterfall { Given::Absent } else { range(0, 500) },
        window: if asked == Asked::Historic { window } else { WindowDraft::default() },
    };
    let bounds = Bounds {
        channels: fiber.channels,
        max_channels: 2222,
        nfft_max_multichannel: 65536,
        prr: fiber.prr,
        latest_end: at(60).seconds(),
        quirks,
    };
    let request = check::configure(&draft, &bounds).expect("a plain request").job;
    let layout = Layout::of(request.view(), request.channels(), request.height(), fiber.prr, 0.1);
    Arc::new(Terms {
        id: "1-1603".parse().expect("an id"),
        port: NodePort::new(12301).expect("a port"),
        request,
        layout,
        fiber: Arc::new(fiber),
        stream_host: String::from("127.0.0.1"),
        quirks,
        forgiven: vec![],
    })
}

pub(super) fn of(part: Part) -> PartOfJob {
    PartOfJob { part, terms: terms(Asked::Historic, Quirks::NONE) }
}

pub(super) fn bare() -> PartOfJob {
    PartOfJob {
        part: Part::Grpc,
        terms: terms(Asked::Live, Quirks::NONE.with(Quirk::JobTemplateObserved, true)),
    }
}

pub(super) fn record(kind: Kind, name: &str, facts: Facts) -> Record {
    let namespace = if matches!(kind, Kind::Node | Kind::Namespace) { "" } else { "panda" };
    Record {
        key: Key::new(kind, &Namespace(namespace.into()), name),
        uid: Uid(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        version: Version(4711),
        created: created(),
        deleting: None,
        facts,
    }
}

/// The same, while it is being deleted.
pub(super) fn deleted(mut record: Record) -> Record {
    record.deleting = Some(Deleting { since: at(190), grace: Duration::from_secs(2) });
    record
}

pub(super) fn owner(kind: Kind, name: &str) -> Owner {
    let namespace = if kind == Kind::Node { "" } else { "panda" };
    Owner {
        key: Key::new(kind, &Namespace(namespace.into()), name),
        uid: Uid(0xfedc_ba98_7654_3210_fedc_ba98_7654_3210),
    }
}

pub(super) fn placed() -> Placed {
    Placed { at: at(1), node: NodeName::Worker, address: PodAddress(6) }
}

/// A pod of that part of a job.
pub(super) fn job_pod(of: PartOfJob, stage: Stage) -> Record {
    let job = match of.part {
        Part::Grpc => "grpc-job-1-1603",
        Part::Cleanup => "cleanup-job-1-1603",
    };
    let placed = (!matches!(stage, Stage::Unschedulable(_))).then(placed);
    let pod = Pod { of: PodOf::Job(of), owner: owner(Kind::Job, job), placed, stage, restarts: 0 };
    record(Kind::Pod, &format!("{job}-a1b2c"), Facts::Pod(pod))
}

pub(super) const STAGES: [&str; 9] = [
    "no share",
    "cordoned",
    "not ready",
    "creating",
    "starting",
    "running",
    "succeeded",
    "failed",
    "never started",
];

/// The stage of that name.
pub(super) fn stage(name: &str) -> Stage {
    let over = |how| Over { at: at(100), how };
    match name {
        "no share" => Stage::Unschedulable(Unschedulable::NoGpuShare),
        "cordoned" => Stage::Unschedulable(Unschedulable::Cordoned),
        "not ready" => Stage::Unschedulable(Unschedulable::NodeNotReady),
        "creating" => Stage::Creating,
        "starting" => Stage::Running { since: at(3), ready: None },
        "running" => Stage::Running { since: at(3), ready: Some(at(4)) },
        "succeeded" => Stage::Over { started: Some(at(3)), over: over(Outcome::Succeeded) },
        "failed" => Stage::Over { started: Some(at(3)), over: over(Outcome::Failed) },
        "never started" => Stage::Over { started: None, over: over(Outcome::Succeeded) },
        other => panic!("no stage {other}"),
    }
}

pub(super) fn workload_pod(workload: Workload, stage: Stage, restarts: u32) -> Record {
    let (owner, name) = if workload.is_stateful() {
        (owner(Kind::StatefulSet, workload.name()), format!("{}-0", workload.name()))
    } else {
        let set = format!("{}-5d4f8c7b96", workload.name());
        (owner(Kind::ReplicaSet, &set), format!("{set}-x7k2p"))
    };
    let of = PodOf::Workload { workload, unlabelled: false };
    record(Kind::Pod, &name, Facts::Pod(Pod { of, owner, placed: Some(placed()), stage, restarts }))
}

/// A workload of one pod, ready or not.
pub(super) fn scale(workload: Workload, replicas: u32, ready: u32) -> Scale {
    let annotations =
        [(String::from("kubectl.kubernetes.io/restartedAt"), String::from("2025-12-05T17:00:00Z"))];
    Scale {
        workload,
        owner: None,
        replicas,
        generation: 3,
        revision: 2,
        annotations: Arc::new(BTreeMap::from(annotations)),
        pods: replicas,
        ready,
        updated: replicas,
        changed: at(7),
    }
}

pub(super) fn deployment(replicas: u32, ready: u32) -> Record {
    let scale = scale(Workload::FocusServer, replicas, ready);
    record(Kind::Deployment, "panda-panda-focus-server", Facts::Deployment(scale))
}

pub(super) fn planted(reach: Reach) -> ServiceOf {
    let pair = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    ServiceOf::Planted(Arc::new(Planted {
        labels: pair("left", "over"),
        annotations: pair("why", "rehearsal"),
        selector: BTreeMap::new(),
        reach,
        ports: vec![
            ServicePort {
                name: None,
                protocol: String::from("TCP"),
                port: 80,
                target: Target::Name(String::from("web")),
                node_port: NodePort::new(12302),
            },
            ServicePort {
                name: Some(String::from("more")),
                protocol: String::from("UDP"),
                port: 81,
                target: Target::Number(8081),
                node_port: None,
            },
        ],
    }))
}

pub(super) fn service(name: &str, of: ServiceOf) -> Record {
    let address = (!matches!(of, ServiceOf::Headless(_))).then_some(ServiceAddress(4));
    record(Kind::Service, name, Facts::Service(Service { of, address }))
}

pub(super) fn endpoints(name: &str, of: ServiceOf, pods: u32) -> Record {
    let backend = |count| Backend {
        pod: owner(Kind::Pod, &format!("{name}-{count}")),
        placed: Placed { address: PodAddress(count), ..placed() },
    };
    let backends = (0..pods).map(backend).collect();
    record(Kind::Endpoints, name, Facts::Endpoints(Endpoints { of, backends }))
}

pub(super) fn node(name: NodeName, unschedulable: bool, ready: bool, gpu_pool: Option<u32>) -> Record {
    let node = Node { name, unschedulable, ready, ready_since: at(2), gpu_pool };
    record(Kind::Node, name.name(), Facts::Node(node))
}

pub(super) fn cluster_job(of: PartOfJob, over: Option<Outcome>) -> Record {
    let name = match of.part {
        Part::Grpc => "grpc-job-1-1603",
        Part::Cleanup => "cleanup-job-1-1603",
    };
    let over = over.map(|how| Over { at: at(100), how });
    record(Kind::Job, name, Facts::Job(ClusterJob { of, over }))
}

/// Every reason, with an object that it happens to.
pub(super) fn events() -> Vec<Record> {
    let pod = || owner(Kind::Pod, "grpc-job-1-1603-a1b2c");
    let job = || owner(Kind::Job, "grpc-job-1-1603");
    let set = || owner(Kind::StatefulSet, "rabbitmq-panda");
    let scaled = |from, to| Reason::ScalingReplicaSet { replica_set: "mongodb-5d4f8c7b96".into(), from, to };
    let all = [
        (job(), Reason::SuccessfulCreate("grpc-job-1-1603-a1b2c".into())),
        (set(), Reason::SuccessfulCreate("rabbitmq-panda-0".into())),
        (owner(Kind::ReplicaSet, "mongodb-5d4f8c7b96"), Reason::SuccessfulDelete("mongodb-x".into())),
        (set(), Reason::SuccessfulDelete("rabbitmq-panda-0".into())),
        (owner(Kind::Deployment, "mongodb"), scaled(1, 0)),
        (owner(Kind::Deployment, "mongodb"), scaled(0, 1)),
        (pod(), Reason::Scheduled(NodeName::Worker)),
        (pod(), Reason::FailedScheduling(Unschedulable::NoGpuShare)),
        (pod(), Reason::FailedScheduling(Unschedulable::Cordoned)),
        (pod(), Reason::FailedScheduling(Unschedulable::NodeNotReady)),
        (pod(), Reason::Pulled),
        (pod(), Reason::Created),
        (pod(), Reason::Started),
        (pod(), Reason::Killing),
        (pod(), Reason::BackOff),
        (pod(), Reason::Unhealthy),
        (job(), Reason::Completed),
        (job(), Reason::BackoffLimitExceeded),
        (
            owner(Kind::Service, "grpc-service-1-1603"),
            Reason::PortAllocated(NodePort::new(12301).expect("a port")),
        ),
        (owner(Kind::Node, "worker-node"), Reason::NodeReady(true)),
        (owner(Kind::Node, "worker-node"), Reason::NodeReady(false)),
        (owner(Kind::Node, "master-node"), Reason::NodeSchedulable(true)),
        (owner(Kind::Node, "worker-node"), Reason::NodeSchedulable(false)),
    ];
    let event = |(about, reason): (Owner, Reason)| {
        let name = format!("{}.{:016x}", about.key.name, at(5).nanos());
        record(Kind::Event, &name, Facts::Event(Event { about, reason, at: at(5) }))
    };
    all.map(event).into()
}

/// Records of every kind, in every stage.
pub(super) fn all() -> Vec<Record> {
    let mut all = vec![
        record(Kind::Namespace, "panda", Facts::Namespace),
        record(Kind::ConfigMap, "grpc-job-template", Facts::ConfigMap(ConfigMap::GrpcJobTemplate)),
        record(Kind::ConfigMap, "prisma-config", Facts::ConfigMap(ConfigMap::PrismaConfig)),
        record(Kind::Secret, "rabbitmq-panda", Facts::Secret),
        record(Kind::ServiceAccount, "cleanup-sa", Facts::ServiceAccount),
        record(Kind::Ingress, "panda-focus-server", Facts::Ingress),
        node(NodeName::Worker, false, true, None),
        node(NodeName::Worker, true, false, Some(3)),
        node(NodeName::Master, false, true, Some(3)),
        deployment(1, 1),
        deployment(2, 0),
        deployment(0, 0),
        record(Kind::ReplicaSet, "mongodb-5d4f8c7b96", Facts::ReplicaSet(scale(Workload::MongoDb, 1, 1))),
        record(Kind::StatefulSet, "rabbitmq-panda", Facts::StatefulSet(scale(Workload::RabbitMq, 1, 1))),
        record(Kind::StatefulSet, "rabbitmq-panda", Facts::StatefulSet(scale(Workload::RabbitMq, 0, 0))),
        service("grpc-service-1-1603", ServiceOf::Job(of(Part::Grpc))),
        service("rabbitmq-panda-headless", ServiceOf::Headless(Workload::RabbitMq)),
        service("left-over", planted(Reach::NodePort)),
        endpoints("grpc-service-1-1603", ServiceOf::Job(of(Part::Grpc)), 1),
        endpoints("mongodb", ServiceOf::Workload(Workload::MongoDb), 0),
        endpoints("rabbitmq-panda", ServiceOf::Workload(Workload::RabbitMq), 3),
        endpoints("left-over", planted(Reach::ClusterIp), 0),
    ];
    for of in [of(Part::Grpc), of(Part::Cleanup), bare()] {
        all.extend(STAGES.map(|name| job_pod(of.clone(), stage(name))));
        all.push(deleted(job_pod(of.clone(), stage("running"))));
        let ends = [None, Some(Outcome::Succeeded), Some(Outcome::Failed)];
        all.extend(ends.map(|over| cluster_job(of.clone(), over)));
    }
    for workload in Workload::ALL {
        all.push(workload_pod(workload, stage("running"), 0));
        all.push(deleted(workload_pod(workload, stage("running"), 0)));
        all.push(workload_pod(workload, Stage::CrashLoop { since: at(180) }, 4));
        all.push(service(workload.name(), ServiceOf::Workload(workload)));
    }
    all.push(unlabelled());
    all.extend(events());
    all
}

/// A pod of the Focus Server as real ones are.
pub(super) fn unlabelled() -> Record {
    let mut record = workload_pod(Workload::FocusServer, stage("running"), 0);
    if let Facts::Pod(pod) = &mut record.facts {
        pod.of = PodOf::Workload { workload: Workload::FocusServer, unlabelled: true };
    }
    record
}
