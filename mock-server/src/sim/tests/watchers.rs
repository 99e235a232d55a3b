//! The store's changes, as somebody who watches follows them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;

use crate::sim::cluster::edit::Edit;
use crate::sim::cluster::facts::{Facts, Key, Kind, NodeName, Pod, PodOf, Record, Stage, Version};
use crate::sim::cluster::store::{Change as Changed, Expired};
use crate::sim::cluster::workloads::Workload;

use super::*;

impl Rig {
    /// Every change since a version.
    #[track_caller]
    fn changes(&self, since: Version) -> Vec<Changed> {
        self.sim.store().changes(since, usize::MAX).expect("that is still kept")
    }
}

/// What somebody who has seen these changes knows of the objects.
fn follow(objects: &mut BTreeMap<Key, Arc<Record>>, changes: &[Changed]) {
    for change in changes {
        let key = change.after.key.clone();
        let known = if change.deleted {
            objects.remove(&key)
        } else {
            objects.insert(key, Arc::clone(&change.after))
        };
        assert_eq!(known, change.before, "a change tells what was before it");
    }
}

fn everything(rig: &Rig) -> BTreeMap<Key, Arc<Record>> {
    let all = Kind::ALL.iter().flat_map(|kind| rig.sim.objects(*kind, None).records);
    all.map(|record| (record.key.clone(), record)).collect()
}

#[test]
fn a_pod_is_seen_pending_placed_and_running() {
    let rig = Rig::new();
    let before = rig.sim.store().version();
    rig.start(&live());
    let stages: Vec<_> = rig
        .changes(before)
        .iter()
        .filter_map(|change| match &change.after.facts {
            Facts::Pod(Pod { of: PodOf::Job(of), placed, stage, .. })
                if of.part == crate::sim::cluster::facts::Part::Grpc =>
            {
                Some((change.before.is_none(), placed.is_some(), *stage))
            }
            _ => None,
        })
        .collect();
    let running = Stage::Running { since: at(0), ready: Some(at(0)) };
    assert_eq!(
        stages,
        [(true, false, Stage::Creating), (false, true, Stage::Creating), (false, true, running)]
    );
}

#[test]
fn nobody_sees_an_object_of_a_failed_reservation_survive() {
    for step in [Step::GrpcJob, Step::CleanupJob, Step::Service, Step::Queue, Step::Commit] {
        let rig = Rig::new();
        let mut known = everything(&rig);
        let (objects, before) = (rig.all_names(), rig.sim.store().version());
        rig.apply(&Change::AddRule(fails_at(step)));
        rig.refused(&live());
        follow(&mut known, &rig.changes(before));
        known.retain(|key, _| key.kind != Kind::Event);
        let names: Vec<_> = known.values().map(|record| record.key.name.to_string()).collect();
        assert!(names.iter().all(|name| !name.contains("1-1")), "{step:?}: {names:?}");
        assert_eq!(rig.all_names(), objects, "{step:?}");
    }
}

#[test]
fn a_refused_configuration_changes_no_object() {
    let rig = Rig::new();
    let before = rig.sim.store().version();
    rig.refused(&ConfigureDraft::default());
    rig.refused(&historic(-10 * 86_400, -10 * 86_400 + 60));
    assert_eq!(rig.sim.store().version(), before);
}

#[test]
fn who_asks_for_changes_that_are_no_longer_kept_is_told_so() {
    let rig = Rig::with(|setup| setup.history = 10);
    rig.start(&live());
    let newest = rig.sim.store().version();
    let oldest = Version(newest.0 - 10);
    assert_eq!(rig.changes(oldest).len(), 10);
    let asked = Version(newest.0 - 11);
    let expired = rig.sim.store().changes(asked, usize::MAX).expect_err("it is gone");
    assert_eq!(expired, Expired { asked, oldest });
    assert!(rig.sim.store().list_at(Kind::Pod, None, asked).is_err());
    assert!(rig.changes(newest).is_empty());
}

/// Something done to a cluster.
#[derive(Clone, Debug)]
enum Deed {
    Configure(bool),
    Cancel(usize),
    /// The so-manieth object of a kind is deleted, with or without grace.
    Delete(Kind, usize, bool),
    Scale(Workload, u32),
    Restart(Workload, u32),
    Cordon(bool),
    Advance(u64),
    FailNext(Step),
    Reset,
}

fn deeds() -> impl Strategy<Value = Deed> {
    let workload = || select(Workload::ALL.to_vec());
    prop_oneof![
        6 => any::<bool>().prop_map(Deed::Configure),
        2 => (0..4_usize).prop_map(Deed::Cancel),
        6 => (select(vec![Kind::Pod, Kind::Job, Kind::Service]), 0..12_usize, any::<bool>())
            .prop_map(|(kind, number, now)| Deed::Delete(kind, number, now)),
        2 => (workload(), 0..4_u32).prop_map(|(workload, pods)| Deed::Scale(workload, pods)),
        1 => (workload(), 0..3_u32).prop_map(|(workload, mark)| Deed::Restart(workload, mark)),
        2 => any::<bool>().prop_map(Deed::Cordon),
        6 => prop_oneof![1..20_000_u64, Just(1_500), Just(3_000)].prop_map(Deed::Advance),
        1 => select(Step::ALL.to_vec()).prop_map(Deed::FailNext),
        1 => Just(Deed::Reset),
    ]
}

fn act(rig: &Rig, deed: &Deed) {
    match *deed {
        Deed::Configure(live_one) => {
            drop(rig.configure(&if live_one { live() } else { historic(-7_200, -3_600) }));
        }
        Deed::Cancel(number) => {
            if let Some(job) = rig.snapshot().jobs.get(number) {
                drop(rig.sim.cancel(job.id));
            }
        }
        Deed::Delete(kind, number, now) => {
            if let Some(record) = rig.sim.objects(kind, None).records.get(number) {
                let grace = now.then_some(Duration::ZERO);
                drop(rig.sim.edit(&Edit::Delete { key: record.key.clone(), grace }));
            }
        }
        Deed::Scale(workload, replicas) => {
            let edit = Edit::Workload { workload, replicas: Some(replicas), annotations: None, at: None };
            rig.sim.edit(&edit).expect("few pods");
        }
        Deed::Restart(workload, mark) => {
            let annotations = Some(BTreeMap::from([(String::from("mark"), mark.to_string())]));
            let edit = Edit::Workload { workload, replicas: None, annotations, at: None };
            rig.sim.edit(&edit).expect("it is there");
        }
        Deed::Cordon(unschedulable) => {
            let edit = Edit::Node { name: NodeName::Worker, unschedulable };
            rig.sim.edit(&edit).expect("it is there");
        }
        Deed::Advance(millis) => drop(rig.sim.advance(Duration::from_millis(millis))),
        Deed::FailNext(step) => rig.sim.with(|world, _| world.fail_next(step, 1)),
        Deed::Reset => rig.sim.reset(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is done: who follows the changes knows what a list shows, now and at every version before.
    #[test]
    fn changes_lead_from_any_list_to_any_later_one(deeds in prop::collection::vec(deeds(), 1..40)) {
        let rig = Rig::with(|setup| setup.ports = slots(4));
        let mut known = everything(&rig);
        let mut seen = rig.sim.store().version();
        let mut before = Vec::new();
        for deed in &deeds {
            before.push((seen, rig.sim.objects(Kind::Pod, None).records));
            act(&rig, deed);
            let changes = rig.changes(seen);
            follow(&mut known, &changes);
            seen = rig.sim.store().version();
            prop_assert_eq!(&known, &everything(&rig));
        }
        for (version, pods) in before {
            let listed = rig.sim.store().list_at(Kind::Pod, None, version).expect("it is kept");
            prop_assert_eq!(listed.records, pods);
        }
    }

    /// Whatever is done: left alone, with a node that takes pods, the cluster comes to rest with every workload ready.
    #[test]
    fn left_alone_every_workload_becomes_ready(deeds in prop::collection::vec(deeds(), 1..40)) {
        let rig = Rig::with(|setup| setup.ports = slots(4));
        deeds.iter().for_each(|deed| act(&rig, deed));
        act(&rig, &Deed::Cordon(false));
        for workload in Workload::ALL {
            act(&rig, &Deed::Scale(workload, 1));
        }
        rig.sim.advance(Duration::from_secs(12));
        prop_assert!(rig.sim.is_serving());
        prop_assert_eq!(rig.snapshot().dependencies, Dependencies::default());
        for workload in Workload::ALL {
            let pods = rig.named(Kind::Pod, workload.name());
            prop_assert_eq!(pods.len(), 1, "{:?}", workload);
        }
    }
}
