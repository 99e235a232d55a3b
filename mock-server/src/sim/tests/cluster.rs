//! The objects of jobs, as the store shows them.

use crate::sim::cluster::edit::{Edit, EditRefused};
use crate::sim::cluster::events::Reason;
use crate::sim::cluster::facts::{
    Facts, Key, Kind, Namespace, NodeName, Outcome, Planted, Pod, Reach, Record, ServicePort, Stage, Target,
    Unschedulable,
};
use crate::sim::setup::{GpuPool, NodeState};

use super::*;

impl Rig {
    #[allow(clippy::unused_self, reason = "reads as a question to the world")]
    pub(super) fn key(&self, kind: Kind, name: &str) -> Key {
        let namespace = match kind {
            Kind::Node | Kind::Namespace => Namespace::none(),
            _ => Namespace("panda".into()),
        };
        Key::new(kind, &namespace, name)
    }

    /// The objects of a kind whose names start so.
    pub(super) fn named(&self, kind: Kind, start: &str) -> Vec<Arc<Record>> {
        let all = self.sim.objects(kind, None).records;
        all.into_iter().filter(|record| record.key.name.starts_with(start)).collect()
    }

    /// The only pod whose name starts so.
    #[track_caller]
    pub(super) fn pod(&self, start: &str) -> (Key, Pod) {
        let found = self.named(Kind::Pod, start);
        let [record] = &found[..] else { panic!("{} pods are named {start}…", found.len()) };
        let Facts::Pod(pod) = &record.facts else { panic!("a pod is a pod") };
        (record.key.clone(), pod.clone())
    }

    #[track_caller]
    pub(super) fn delete(&self, key: &Key) -> Arc<Record> {
        self.sim.edit(&Edit::Delete { key: key.clone(), grace: None }).expect("it can be deleted")
    }

    /// What happened to the objects whose names start so, oldest first.
    pub(super) fn reasons(&self, start: &str) -> Vec<Reason> {
        let mut events: Vec<_> = self.sim.objects(Kind::Event, None).records;
        events.retain(|event| event.key.name.starts_with(start));
        events.sort_by_key(|event| event.version);
        let reason = |record: &Arc<Record>| match &record.facts {
            Facts::Event(event) => event.reason.clone(),
            other => panic!("{other:?} is no event"),
        };
        events.iter().map(reason).collect()
    }

    /// Names of all objects but events, in all kinds.
    pub(super) fn all_names(&self) -> Vec<String> {
        let kinds = [Kind::Pod, Kind::Service, Kind::Endpoints, Kind::Job];
        let all = kinds.iter().flat_map(|kind| self.sim.objects(*kind, None).records);
        all.map(|record| format!("{:?} {}", record.key.kind, record.key.name)).collect()
    }

    fn cordon(&self, unschedulable: bool) {
        let edit = Edit::Node { name: NodeName::Worker, unschedulable };
        self.sim.edit(&edit).expect("the worker is there");
    }
}

pub(super) fn planted(port: u16) -> Arc<Planted> {
    let port = ServicePort {
        name: None,
        protocol: String::from("TCP"),
        port,
        target: Target::Number(80),
        node_port: NodePort::new(port),
    };
    Arc::new(Planted { reach: Reach::NodePort, ports: vec![port], ..Planted::default() })
}

#[test]
fn a_job_shows_as_two_jobs_with_a_pod_each_a_service_and_its_endpoints() {
    let rig = Rig::new();
    let before = rig.all_names();
    rig.start(&live());
    let mut new = rig.all_names();
    new.retain(|name| !before.contains(name));
    let (grpc, _) = rig.pod("grpc-job-1-1-");
    let (cleanup, _) = rig.pod("cleanup-job-1-1-");
    let names = [
        format!("Pod {}", cleanup.name),
        format!("Pod {}", grpc.name),
        String::from("Service grpc-service-1-1"),
        String::from("Endpoints grpc-service-1-1"),
        String::from("Job cleanup-job-1-1"),
        String::from("Job grpc-job-1-1"),
    ];
    assert_eq!(new, names);
}

#[test]
fn the_pods_of_a_job_are_told_of_from_their_creation_to_their_start() {
    let rig = Rig::new();
    rig.start(&live());
    for part in ["grpc-job-1-1-", "cleanup-job-1-1-"] {
        let started = [Reason::Scheduled(NodeName::Worker), Reason::Pulled, Reason::Created, Reason::Started];
        assert_eq!(rig.reasons(part), started);
    }
    let (pod, _) = rig.pod("grpc-job-1-1-");
    assert_eq!(rig.reasons("grpc-job-1-1."), [Reason::SuccessfulCreate(pod.name)]);
}

#[test]
fn the_pods_of_a_cancelled_job_have_succeeded_and_stay_for_2_s() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.go_to(500);
    rig.sim.cancel(job).expect("it is there");
    assert!(rig.sim.object(&rig.key(Kind::Service, "grpc-service-1-1")).is_none());
    assert!(rig.sim.object(&rig.key(Kind::Endpoints, "grpc-service-1-1")).is_none());
    for part in ["grpc-job-1-1-", "cleanup-job-1-1-"] {
        let Stage::Over { started, over } = rig.pod(part).1.stage else { panic!("{part} is over") };
        assert_eq!((started, over.at, over.how), (Some(at(0)), at(500), Outcome::Succeeded));
        assert_eq!(rig.reasons(part).last(), Some(&Reason::Killing));
    }
    assert_eq!(rig.reasons("grpc-job-1-1.").last(), Some(&Reason::Completed));
    rig.go_to(2_499);
    assert_eq!(rig.named(Kind::Job, "").len(), 2);
    rig.go_to(2_500);
    assert_eq!((rig.named(Kind::Job, "").len(), rig.named(Kind::Pod, "grpc").len()), (0, 0));
}

#[test]
fn a_pod_that_came_to_its_end_by_itself_was_not_killed() {
    let rig = Rig::new();
    let job = rig.start(&historic_single());
    let mut call = rig.open_reading(job, 0);
    assert_eq!(rig.play(&mut call).1, StreamEnd::PlayedOut);
    assert_eq!(rig.state(job), Some(JobState::Completed));
    assert_eq!(rig.reasons("grpc-job-1-1-").last(), Some(&Reason::Started));
    assert_eq!(rig.reasons("grpc-job-1-1.").last(), Some(&Reason::Completed));
}

#[test]
fn a_pod_without_a_gpu_share_waits_and_says_why() {
    let rig = Rig::with(|setup| setup.gpu = GpuPool { size: Some(1), reject_when_full: false });
    let first = rig.start(&live());
    rig.start(&live());
    assert_eq!(rig.pod("grpc-job-2-2-").1.stage, Stage::Unschedulable(Unschedulable::NoGpuShare));
    assert_eq!(rig.reasons("grpc-job-2-2-"), [Reason::FailedScheduling(Unschedulable::NoGpuShare)]);
    rig.go_to(1_000);
    rig.sim.cancel(first).expect("it is there");
    assert_eq!(rig.pod("grpc-job-2-2-").1.stage, Stage::Running { since: at(1_000), ready: Some(at(1_000)) });
    assert_eq!(rig.reasons("grpc-job-2-2-").len(), 5);
}

#[test]
fn pods_wait_for_a_cordoned_node_and_start_once_it_takes_them_again() {
    let rig = Rig::new();
    rig.cordon(true);
    let job = rig.start(&live());
    assert_eq!(rig.state(job), Some(JobState::Pending));
    for part in ["grpc-job-1-1-", "cleanup-job-1-1-"] {
        assert_eq!(rig.pod(part).1.stage, Stage::Unschedulable(Unschedulable::Cordoned), "{part}");
    }
    rig.go_to(100_000);
    rig.cordon(false);
    assert_eq!(rig.state(job), Some(JobState::Running));
    let running = Stage::Running { since: at(100_000), ready: Some(at(100_000)) };
    assert_eq!((rig.pod("grpc-job-1-1-").1.stage, rig.pod("cleanup-job-1-1-").1.stage), (running, running));
}

#[test]
fn a_streaming_pod_that_is_deleted_takes_its_job_down_and_is_not_replaced() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.go_to(3_000);
    let deleted = rig.delete(&rig.pod("grpc-job-1-1-").0);
    assert_eq!(deleted.deleting.map(|deleting| deleting.since), Some(at(3_000)));
    assert_eq!(rig.state(job), Some(JobState::Failed));
    assert_eq!(rig.reasons("grpc-job-1-1.").last(), Some(&Reason::BackoffLimitExceeded));
    rig.go_to(4_500);
    assert_eq!(rig.named(Kind::Pod, "grpc").len(), 0, "gone, and no other");
    let removed = removals(&rig.go_to(10_000));
    assert_eq!(removed, [(at(10_000), job, Removal::Finished)], "with the next sample");
}

#[test]
fn without_a_grace_period_a_pod_goes_at_once_also_when_it_is_going_already() {
    let rig = Rig::new();
    rig.start(&live());
    let (grpc, cleanup) = (rig.pod("grpc-job-1-1-").0, rig.pod("cleanup-job-1-1-").0);
    rig.delete(&grpc);
    assert_eq!(rig.named(Kind::Pod, "grpc").len(), 1);
    for key in [grpc, cleanup] {
        rig.sim.edit(&Edit::Delete { key, grace: Some(Duration::ZERO) }).expect("it is there");
    }
    assert_eq!((rig.named(Kind::Pod, "grpc").len(), rig.named(Kind::Pod, "cleanup").len()), (0, 0));
}

#[test]
fn a_cleanup_pod_that_is_deleted_sweeps_no_more_and_its_job_goes_10_s_later() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.delete(&rig.pod("cleanup-job-1-1-").0);
    rig.go_to(9_999);
    assert_eq!(rig.named(Kind::Job, "cleanup").len(), 1);
    rig.go_to(10_000);
    assert_eq!(rig.named(Kind::Job, "cleanup").len(), 0);
    rig.go_to(3_600_000);
    assert_eq!(rig.state(job), Some(JobState::Running), "nobody sweeps it");
}

#[test]
fn a_streaming_job_that_is_deleted_takes_everything_with_it() {
    let rig = Rig::new();
    let before = rig.all_names();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    rig.delete(&rig.key(Kind::Job, "grpc-job-1-1"));
    assert_eq!((rig.state(job), rig.all_names()), (None, before));
    assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::Gone));
    assert_eq!(rig.fate("1-1"), Fate::Removed { at: Some(at(0)), why: Some(Removal::Deleted) });
}

#[test]
fn a_cleanup_job_that_is_deleted_leaves_a_job_that_nobody_sweeps() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.delete(&rig.key(Kind::Job, "cleanup-job-1-1"));
    assert_eq!(rig.named(Kind::Pod, "cleanup").len(), 0);
    rig.go_to(3_600_000);
    assert_eq!(rig.state(job), Some(JobState::Running));
}

#[test]
fn a_service_that_is_deleted_closes_the_port_and_whoever_reads_reads_on() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    rig.delete(&rig.key(Kind::Service, "grpc-service-1-1"));
    assert!(rig.ports.table().listening.is_empty());
    assert_eq!(rig.named(Kind::Endpoints, "grpc").len(), 0);
    assert_eq!(rig.state(job), Some(JobState::Running));
    rig.frame(&mut call);
}

#[test]
fn a_planted_service_takes_its_port_until_it_is_deleted() {
    let rig = Rig::new();
    let key = rig.key(Kind::Service, "somebodys");
    let create = Edit::CreateService { key: key.clone(), service: planted(12_301) };
    rig.sim.edit(&create).expect("the port is free");
    assert_eq!(
        rig.sim.edit(&create),
        Err(EditRefused::PortAllocated { key: key.clone(), port: NodePort::new(12_301).expect("a port") })
    );
    assert!(matches!(rig.refused(&live()), Refusal::PortInUse { .. }));
    assert_eq!(
        rig.reasons("grpc-service-1-1"),
        [Reason::PortAllocated(NodePort::new(12_301).expect("a port"))]
    );
    rig.delete(&key);
    rig.start(&live());
}

#[test]
fn what_is_always_there_stays_and_what_is_not_there_cannot_be_deleted() {
    let rig = Rig::new();
    for (kind, name) in
        [(Kind::Service, "mongodb"), (Kind::Node, "worker-node"), (Kind::Secret, "rabbitmq-panda")]
    {
        let key = rig.key(kind, name);
        let refused = rig.sim.edit(&Edit::Delete { key: key.clone(), grace: None });
        assert_eq!(refused, Err(EditRefused::AlwaysThere(key)));
    }
    let key = rig.key(Kind::Pod, "mongodb");
    assert_eq!(
        rig.sim.edit(&Edit::Delete { key: key.clone(), grace: None }),
        Err(EditRefused::NotFound(key))
    );
}

#[test]
fn events_are_kept_for_an_hour() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.go_to(1_000);
    rig.sim.cancel(job).expect("it is there");
    rig.go_to(3_600_000);
    assert!(rig.reasons("grpc-job-1-1-").contains(&Reason::Started), "of second 0");
    rig.go_to(3_600_001);
    assert_eq!(rig.reasons("grpc-job-1-1").last(), Some(&Reason::Completed), "of second 1");
    rig.go_to(3_601_001);
    assert_eq!(rig.reasons(""), []);
}

#[test]
fn what_a_failed_undo_left_behind_can_be_deleted_by_hand() {
    let rig = Rig::new();
    rig.apply(&Change::AddRule(fails_at(Step::Queue)));
    rig.apply(&Change::AddRule(leaks_at(GiveBack::Service)));
    rig.refused(&live());
    rig.sim.with(|world, now| world.apply(&Change::RemoveRules, None, now)).expect("rules can always go");
    assert_eq!(rig.leaks().services, ["grpc-service-1-1"]);
    assert!(matches!(rig.refused(&live()), Refusal::PortInUse { .. }), "its port is taken");
    rig.delete(&rig.key(Kind::Service, "grpc-service-1-1"));
    assert!(rig.leaks().is_empty());
    assert!(rig.sim.with(|world, _| world.left.objects.is_empty()));
    rig.start(&live());
}

#[test]
fn a_node_that_is_not_ready_says_since_when_and_takes_no_pods() {
    let rig = Rig::new();
    rig.go_to(5_000);
    rig.depend(|outside| outside.node = NodeState::NotReady);
    rig.go_to(7_000);
    let worker = rig.sim.object(&rig.key(Kind::Node, "worker-node")).expect("it is always there");
    let Facts::Node(node) = &worker.facts else { panic!("a node is a node") };
    assert_eq!((node.ready, node.ready_since), (false, at(5_000)));
    let job = rig.start(&live());
    assert_eq!(rig.pod("grpc-job-1-1-").1.stage, Stage::Unschedulable(Unschedulable::NodeNotReady));
    rig.depend(|outside| outside.node = NodeState::Ready);
    assert_eq!(rig.state(job), Some(JobState::Running));
}

#[test]
fn a_service_under_the_name_of_a_jobs_is_in_its_way_and_stays() {
    let rig = Rig::new();
    let key = rig.key(Kind::Service, "grpc-service-1-1");
    rig.sim.edit(&Edit::CreateService { key: key.clone(), service: planted(31_000) }).expect("it is free");
    assert_eq!(rig.refused(&live()), Refusal::JobCreationFailed);
    let Facts::Service(service) = &rig.sim.object(&key).expect("it is there").facts.clone() else {
        panic!("a Service is a Service")
    };
    assert_eq!(service.of, crate::sim::cluster::facts::ServiceOf::Planted(planted(31_000)));
    assert_eq!(rig.start(&live()), id("1-2"), "the next number has another name");
    rig.delete(&key);
    assert_eq!(rig.snapshot().leftover_services, []);
}

#[test]
fn a_pod_that_is_gone_is_in_no_list() {
    let rig = Rig::new();
    rig.start(&live());
    let (grpc, cleanup) = (rig.pod("grpc-job-1-1-").0, rig.pod("cleanup-job-1-1-").0);
    rig.sim.edit(&Edit::Delete { key: grpc, grace: Some(Duration::ZERO) }).expect("it is there");
    assert_eq!(rig.snapshot().objects.pods, [cleanup.name.to_string()]);
}

#[test]
fn a_cleanup_pod_that_no_node_takes_sweeps_nothing_until_one_does() {
    let rig = Rig::new();
    rig.cordon(true);
    let job = rig.start(&live());
    rig.delete(&rig.pod("grpc-job-1-1-").0);
    rig.go_to(100_000);
    assert_eq!(rig.state(job), Some(JobState::Failed));
    rig.cordon(false);
    let removed = removals(&rig.go_to(110_000));
    assert_eq!(removed, [(at(110_000), job, Removal::Finished)]);
}
