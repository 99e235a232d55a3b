//! The workloads: what scaling them, and deleting their pods, does to the product.

use std::collections::BTreeMap;

use crate::sim::cluster::edit::{Edit, EditRefused, MOST_REPLICAS};
use crate::sim::cluster::events::Reason;
use crate::sim::cluster::facts::{Facts, Kind, Record, Scale, Stage, Version};
use crate::sim::cluster::workloads::Workload;
use crate::sim::setup::{MongoDb, Supply};

use super::*;

impl Rig {
    fn scale(&self, workload: Workload, replicas: u32) {
        let edit = Edit::Workload { workload, replicas: Some(replicas), annotations: None, at: None };
        self.sim.edit(&edit).expect("it can have so many");
    }

    /// How many pods a workload has and how many of them are ready.
    #[track_caller]
    fn pods_of(&self, workload: Workload) -> (u32, u32) {
        let kind = if workload.is_stateful() { Kind::StatefulSet } else { Kind::Deployment };
        let record = self.sim.object(&self.key(kind, workload.name())).expect("it is always there");
        let Scale { pods, ready, .. } = scale(&record);
        (pods, ready)
    }

    fn names_of(&self, workload: Workload) -> Vec<String> {
        self.named(Kind::Pod, workload.name()).iter().map(|record| record.key.name.to_string()).collect()
    }
}

fn scale(record: &Record) -> Scale {
    match &record.facts {
        Facts::Deployment(scale) | Facts::StatefulSet(scale) => scale.clone(),
        other => panic!("{other:?} has no pods"),
    }
}

const STOPPED: u64 = 1_500;
const STARTED: u64 = 3_000;

#[test]
fn a_world_starts_with_one_ready_pod_of_each_workload() {
    let rig = Rig::new();
    for workload in Workload::ALL {
        assert_eq!((rig.pods_of(workload), rig.names_of(workload).len()), ((1, 1), 1), "{workload:?}");
    }
    assert_eq!(rig.names_of(Workload::RabbitMq), ["rabbitmq-panda-0"]);
    assert_eq!(rig.snapshot().next_due, None, "and nothing is under way");
}

#[test]
fn mongodb_scaled_to_none_is_down_at_once_and_up_3_s_after_it_is_scaled_up() {
    let rig = Rig::new();
    rig.scale(Workload::MongoDb, 0);
    assert_eq!((rig.pods_of(Workload::MongoDb), rig.names_of(Workload::MongoDb).len()), ((0, 0), 1));
    assert_eq!(rig.refused(&historic(-7_200, -3_600)), Refusal::RecordingsUnavailable);
    rig.go_to(STOPPED);
    assert_eq!(rig.names_of(Workload::MongoDb).len(), 0);
    rig.go_to(10_000);
    rig.scale(Workload::MongoDb, 1);
    assert_eq!((rig.pods_of(Workload::MongoDb), rig.names_of(Workload::MongoDb).len()), ((1, 0), 1));
    rig.go_to(12_999);
    assert_eq!(rig.refused(&historic(-7_200, -3_600)), Refusal::RecordingsUnavailable);
    rig.go_to(13_000);
    rig.start(&historic(-7_200, -3_600));
}

#[test]
fn a_broker_scaled_to_none_refuses_jobs_and_comes_back_under_its_name() {
    let rig = Rig::new();
    rig.scale(Workload::RabbitMq, 0);
    assert_eq!(rig.refused(&live()), Refusal::BrokerUnavailable);
    rig.go_to(1_000);
    rig.scale(Workload::RabbitMq, 1);
    assert_eq!(rig.names_of(Workload::RabbitMq), ["rabbitmq-panda-0"], "the one that is going");
    rig.go_to(STOPPED);
    assert_eq!(rig.names_of(Workload::RabbitMq), ["rabbitmq-panda-0"], "its successor");
    rig.go_to(STOPPED + STARTED - 1);
    assert_eq!(rig.refused(&live()), Refusal::BrokerUnavailable);
    rig.go_to(STOPPED + STARTED);
    rig.start(&live());
}

#[test]
fn a_recorder_scaled_to_none_leaves_the_newest_recording_where_it_was() {
    let rig = Rig::new();
    rig.scale(Workload::SegyRecorder, 0);
    assert_eq!(rig.snapshot().dependencies.recorder, Supply::Down);
    rig.go_to(7_200_000);
    assert_eq!(rig.refused(&historic(3_600, 5_000)), Refusal::NoRecording);
    rig.scale(Workload::SegyRecorder, 1);
    rig.go_to(7_200_000 + STARTED);
    assert_eq!(rig.snapshot().dependencies.recorder, Supply::Up);
}

#[test]
fn a_focus_server_scaled_to_none_does_not_answer_and_its_jobs_go_on() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    rig.scale(Workload::FocusServer, 0);
    assert!(!rig.sim.is_serving());
    rig.frame(&mut call);
    rig.go_to(10_000);
    rig.scale(Workload::FocusServer, 1);
    rig.go_to(10_000 + STARTED - 1);
    assert!(!rig.sim.is_serving());
    rig.go_to(10_000 + STARTED);
    assert!(rig.sim.is_serving());
    assert_eq!(rig.state(job), Some(JobState::Running));
}

#[test]
fn more_pods_than_one_change_nothing_and_the_newest_go_first() {
    let rig = Rig::new();
    let first = rig.names_of(Workload::MongoDb);
    rig.scale(Workload::MongoDb, 4);
    rig.go_to(STARTED);
    assert_eq!(rig.pods_of(Workload::MongoDb), (4, 4));
    rig.scale(Workload::MongoDb, 1);
    assert_eq!(rig.snapshot().dependencies.mongodb, MongoDb::Up);
    rig.go_to(STARTED + STOPPED);
    assert_eq!(rig.names_of(Workload::MongoDb), first);
    rig.scale(Workload::RabbitMq, 3);
    assert_eq!(
        rig.names_of(Workload::RabbitMq),
        ["rabbitmq-panda-0", "rabbitmq-panda-1", "rabbitmq-panda-2"]
    );
}

#[test]
fn a_pod_of_a_deployment_that_is_deleted_is_replaced_by_another_name_at_once() {
    let rig = Rig::new();
    let [former] = &rig.names_of(Workload::MongoDb)[..] else { panic!("one pod") };
    rig.delete(&rig.key(Kind::Pod, former));
    assert_eq!(rig.snapshot().dependencies.mongodb, MongoDb::Down);
    assert_eq!((rig.names_of(Workload::MongoDb).len(), rig.pods_of(Workload::MongoDb)), (2, (1, 0)));
    rig.go_to(STOPPED);
    let [now] = &rig.names_of(Workload::MongoDb)[..] else { panic!("one pod") };
    assert_ne!(now, former);
    rig.go_to(STARTED);
    assert_eq!(rig.snapshot().dependencies.mongodb, MongoDb::Up);
}

#[test]
fn the_pod_of_the_stateful_set_that_is_deleted_is_missing_for_6_s_and_comes_back() {
    let rig = Rig::new();
    rig.delete(&rig.key(Kind::Pod, "rabbitmq-panda-0"));
    let there = || rig.sim.object(&rig.key(Kind::Pod, "rabbitmq-panda-0")).is_some();
    rig.go_to(STOPPED - 1);
    assert!(there());
    rig.go_to(STOPPED);
    assert!(!there());
    rig.go_to(STOPPED + 5_999);
    assert!(!there());
    rig.go_to(STOPPED + 6_000);
    assert!(there());
    assert_eq!(rig.refused(&live()), Refusal::BrokerUnavailable);
    rig.go_to(STOPPED + 6_000 + STARTED);
    rig.start(&live());
}

#[test]
fn another_template_replaces_every_pod_and_counts_as_a_generation() {
    let rig = Rig::new();
    let before = rig.names_of(Workload::FocusServer);
    let annotations = BTreeMap::from([(String::from("restartedAt"), String::from("now"))]);
    let restart = |annotations: &BTreeMap<String, String>| {
        let annotations = Some(annotations.clone());
        let edit = Edit::Workload { workload: Workload::FocusServer, replicas: None, annotations, at: None };
        scale(&rig.sim.edit(&edit).expect("it is there"))
    };
    let changed = restart(&annotations);
    assert_eq!((changed.generation, changed.revision, changed.pods, changed.ready), (2, 2, 1, 0));
    assert_eq!(restart(&annotations), changed, "the same template is no change");
    rig.go_to(STARTED);
    assert!(rig.sim.is_serving());
    assert!(rig.names_of(Workload::FocusServer).iter().all(|name| !before.contains(name)));
    let sets = rig.named(Kind::ReplicaSet, Workload::FocusServer.name());
    assert_eq!(sets.len(), 1);
    assert!(rig.names_of(Workload::FocusServer)[0].starts_with(&*sets[0].key.name));
}

#[test]
fn what_was_changed_since_it_was_read_is_not_changed_again_and_nobody_gets_too_many_pods() {
    let rig = Rig::new();
    let key = rig.key(Kind::Deployment, "mongodb");
    let Version(read) = rig.sim.object(&key).expect("it is there").version;
    let edit = |replicas, version| {
        let at = Some(Version(version));
        rig.sim.edit(&Edit::Workload {
            workload: Workload::MongoDb,
            replicas: Some(replicas),
            annotations: None,
            at,
        })
    };
    assert_eq!(edit(2, read - 1), Err(EditRefused::Conflict(key)));
    assert_eq!(edit(MOST_REPLICAS + 1, read), Err(EditRefused::TooManyReplicas(MOST_REPLICAS + 1)));
    assert!(edit(2, read).is_ok());
}

#[test]
fn what_a_rehearsal_takes_away_runs_without_being_ready() {
    let rig = Rig::new();
    rig.depend(|outside| outside.mongodb = MongoDb::Down);
    assert_eq!(rig.pods_of(Workload::MongoDb), (1, 0));
    let (_, pod) = rig.pod("mongodb-");
    assert_eq!(pod.stage, Stage::Running { since: at(0), ready: None });
    assert_eq!(rig.reasons("mongodb-").last(), Some(&Reason::Unhealthy));
    rig.go_to(1_000);
    rig.depend(|outside| outside.mongodb = MongoDb::Up);
    assert_eq!(rig.pod("mongodb-").1.stage, Stage::Running { since: at(0), ready: Some(at(1_000)) });
}

#[test]
fn a_mongodb_that_a_rehearsal_restarts_has_another_pod_3_s_later() {
    let rig = Rig::new();
    let before = rig.names_of(Workload::MongoDb);
    rig.depend(|outside| outside.mongodb = MongoDb::Restarting);
    rig.go_to(STARTED);
    assert_eq!((rig.snapshot().dependencies.mongodb, rig.pods_of(Workload::MongoDb)), (MongoDb::Up, (1, 1)));
    assert_ne!(rig.names_of(Workload::MongoDb), before);
}

#[test]
fn what_a_rehearsal_says_is_up_is_not_up_without_pods() {
    let rig = Rig::new();
    rig.scale(Workload::RabbitMq, 0);
    rig.depend(|outside| outside.rabbitmq = Supply::Up);
    assert_eq!(rig.refused(&live()), Refusal::BrokerUnavailable);
}

#[test]
fn a_server_that_waits_for_mongodb_is_started_again_and_again_and_later_each_time() {
    let rig = Rig::with(|setup| {
        setup.requires_mongo = true;
        setup.dependencies.mongodb = MongoDb::Down;
    });
    let restarts = || rig.pod("panda-panda-focus-server-").1.restarts;
    assert_eq!(rig.pod("panda-panda-focus-server-").1.stage, Stage::CrashLoop { since: at(0) });
    for (seconds, expected) in [
        (9, 0),
        (10, 1),
        (29, 1),
        (30, 2),
        (69, 2),
        (70, 3),
        (150, 4),
        (310, 5),
        (609, 5),
        (610, 6),
        (910, 7),
    ] {
        rig.go_to(seconds * 1_000);
        assert_eq!(restarts(), expected, "{seconds} s");
    }
    assert_eq!(
        rig.reasons("panda-panda-focus-server-").iter().filter(|reason| **reason == Reason::BackOff).count(),
        8
    );
    rig.depend(|outside| outside.mongodb = MongoDb::Up);
    rig.go_to(910_000 + STARTED);
    assert!(matches!(rig.pod("panda-panda-focus-server-").1.stage, Stage::Running { ready: Some(_), .. }));
}

#[test]
fn a_reset_brings_the_workloads_back_and_lets_versions_go_on() {
    let rig = Rig::new();
    rig.scale(Workload::MongoDb, 0);
    let (key, before) = (rig.key(Kind::Deployment, "mongodb"), rig.sim.store().version());
    let uid = rig.sim.object(&key).expect("it is there").uid;
    rig.sim.reset();
    let after = rig.sim.object(&key).expect("it is there");
    assert_eq!(rig.pods_of(Workload::MongoDb), (1, 1));
    assert!(after.version > before);
    assert_ne!(after.uid, uid, "it is another cluster");
}

#[test]
fn a_stateful_pod_that_is_deleted_without_grace_is_missing_all_the_same() {
    let rig = Rig::new();
    let key = rig.key(Kind::Pod, "rabbitmq-panda-0");
    let uid = rig.sim.object(&key).expect("it is there").uid;
    let deleted = rig.sim.edit(&Edit::Delete { key: key.clone(), grace: Some(Duration::ZERO) });
    assert_eq!(deleted.expect("it is there").uid, uid, "the answer is the pod that was deleted");
    assert!(rig.sim.object(&key).is_none());
    rig.go_to(5_999);
    assert!(rig.sim.object(&key).is_none());
    rig.go_to(6_000);
    assert_ne!(rig.sim.object(&key).expect("its successor").uid, uid);
}

#[test]
fn the_pods_of_a_stateful_set_are_those_from_0_on() {
    let rig = Rig::new();
    rig.scale(Workload::RabbitMq, 3);
    rig.go_to(STARTED);
    rig.delete(&rig.key(Kind::Pod, "rabbitmq-panda-0"));
    assert_eq!(rig.names_of(Workload::RabbitMq).len(), 3);
    rig.go_to(12_000);
    rig.scale(Workload::RabbitMq, 2);
    rig.go_to(14_000);
    assert_eq!(rig.names_of(Workload::RabbitMq), ["rabbitmq-panda-0", "rabbitmq-panda-1"]);
    rig.delete(&rig.key(Kind::Pod, "rabbitmq-panda-0"));
    rig.scale(Workload::RabbitMq, 1);
    rig.go_to(16_000);
    assert_eq!(
        rig.names_of(Workload::RabbitMq),
        Vec::<String>::new(),
        "only the name that is missing is left"
    );
}

#[test]
fn a_name_that_is_missing_keeps_no_other_pod_away_and_is_forgotten_when_it_is_scaled_away() {
    let rig = Rig::new();
    rig.delete(&rig.key(Kind::Pod, "rabbitmq-panda-0"));
    rig.scale(Workload::RabbitMq, 3);
    rig.go_to(STOPPED);
    assert_eq!(rig.names_of(Workload::RabbitMq), ["rabbitmq-panda-1", "rabbitmq-panda-2"]);
    rig.scale(Workload::RabbitMq, 0);
    rig.go_to(STOPPED + STOPPED);
    rig.scale(Workload::RabbitMq, 1);
    assert_eq!(rig.names_of(Workload::RabbitMq), ["rabbitmq-panda-0"]);
}

#[test]
fn a_pod_that_a_restart_replaces_is_told_to_be_killed_and_deleted() {
    let rig = Rig::new();
    let before = rig.pod("mongodb-").0;
    let annotations = Some(BTreeMap::from([(String::from("restartedAt"), String::from("now"))]));
    let edit = Edit::Workload { workload: Workload::MongoDb, replicas: None, annotations, at: None };
    rig.sim.edit(&edit).expect("it is there");
    assert_eq!(rig.reasons(&before.name).last(), Some(&Reason::Killing));
    let told = rig.reasons("mongodb-");
    assert!(told.contains(&Reason::SuccessfulDelete(before.name)), "{told:?}");
}
