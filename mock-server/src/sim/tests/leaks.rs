//! Undos that fail: what is left behind, exactly, and that nothing else is.

use crate::domain::ids::StreamIndex;
use crate::domain::refusal::PortHolder;
use crate::sim::cluster::pod_name;
use crate::sim::leaks::HeldStream;
use crate::sim::setup::{GpuPool, OnConflict};

use super::*;

/// The give-backs of a reservation that fails at a step, in the order in which they come.
fn undone(step: Step) -> Vec<GiveBack> {
    use GiveBack::{CleanupJob, GrpcJob, Port, Queue, Service, Slot};
    let taken = [Slot, Port, GrpcJob, CleanupJob, Service, Queue];
    let count = match step {
        Step::Slot => 0,
        Step::Port => 1,
        Step::GrpcJob => 2,
        Step::CleanupJob => 3,
        Step::Service => 4,
        Step::Queue => 5,
        Step::Commit => 6,
    };
    taken[..count].iter().rev().copied().collect()
}

/// What is left of job 1-1 when these undos fail.
fn left(undos: &[GiveBack]) -> Leaks {
    let mut leaks = Leaks::default();
    for undo in undos {
        match undo {
            GiveBack::Slot => leaks.slots.extend(Slot::new(1)),
            GiveBack::Port => leaks.ports.extend(NodePort::new(12_301)),
            GiveBack::GrpcJob => {
                leaks.gpu_shares.push(String::from("grpc-job-1-1"));
                leaks.jobs.insert(0, String::from("grpc-job-1-1"));
            }
            GiveBack::CleanupJob => leaks.jobs.push(String::from("cleanup-job-1-1")),
            GiveBack::Service => leaks.services.push(String::from("grpc-service-1-1")),
            GiveBack::Queue => leaks.queues.push(String::from("focus_baby.1-1")),
        }
    }
    leaks.pods = leaks.jobs.iter().map(|job| pod_name(Seed::default(), job)).collect();
    leaks
}

/// The journal's words for the same.
fn told(undos: &[GiveBack]) -> Vec<(GiveBack, String)> {
    let name = |undo: &GiveBack| match undo {
        GiveBack::Slot => "slot 1",
        GiveBack::Port => "port 12301",
        GiveBack::GrpcJob => "grpc-job-1-1",
        GiveBack::CleanupJob => "cleanup-job-1-1",
        GiveBack::Service => "grpc-service-1-1",
        GiveBack::Queue => "focus_baby.1-1",
    };
    undos.iter().map(|undo| (*undo, name(undo).to_owned())).collect()
}

fn leaked(rig: &Rig) -> Vec<(GiveBack, String)> {
    let all = rig.told_since(0).into_iter().filter_map(|what| match what {
        Happening::Leaked { undo, name, job } => {
            assert_eq!(job, Some(id("1-1")));
            Some((undo, name.into_string()))
        }
        _ => None,
    });
    all.collect()
}

#[test]
fn whatever_step_fails_and_whatever_undo_with_it_exactly_that_is_left() {
    for step in Step::ALL.iter().copied() {
        for undo in GiveBack::ALL.iter().copied() {
            let rig = Rig::new();
            rig.apply(&Change::AddRule(fails_at(step)));
            rig.apply(&Change::AddRule(leaks_at(undo)));
            rig.refused(&live());
            let failed: Vec<_> = undone(step).into_iter().filter(|one| *one == undo).collect();
            assert_eq!(rig.leaks(), left(&failed), "{undo:?} after {step:?}");
            assert_eq!(leaked(&rig), told(&failed));
            assert_eq!(rig.leaks().is_empty(), failed.is_empty());
            assert_eq!(
                rig.sim.with(|world, _| world.broken_invariants()),
                [],
                "what was asked for is excepted"
            );
            rig.sim.reset();
            assert_eq!(rig.leaks(), Leaks::default());
            assert_eq!(rig.ports.table(), ports::PortTable::default());
            assert_eq!(rig.start(&live()), id("1-1"));
        }
    }
}

#[test]
fn if_every_undo_fails_everything_is_left_that_was_taken() {
    for step in Step::ALL.iter().copied() {
        let rig = Rig::new();
        rig.apply(&Change::AddRule(fails_at(step)));
        for undo in GiveBack::ALL {
            rig.apply(&Change::AddRule(leaks_at(*undo)));
        }
        rig.refused(&live());
        assert_eq!(rig.leaks(), left(&undone(step)), "after {step:?}");
        assert_eq!(leaked(&rig), told(&undone(step)), "in the order of the undo");
    }
}

#[test]
fn the_journal_tells_which_rule_let_which_undo_fail() {
    let rig = Rig::new();
    rig.apply(&Change::AddRule(fails_at(Step::Service)));
    rig.apply(&Change::AddRule(leaks_at(GiveBack::Port)));
    let before = rig.snapshot().journal_written;
    rig.refused(&live());
    let told = rig.told_since(before);
    let rules: Vec<_> = told
        .iter()
        .map(|what| match what {
            Happening::Fault(hit) => format!("{} {} {:?} {:?}", hit.rule, hit.point, hit.effect, hit.job),
            Happening::Leaked { name, .. } => name.to_string(),
            Happening::RolledBack { step, .. } => step.name().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    let job = Some(id("1-1"));
    assert_eq!(
        rules,
        [
            format!("fail-service step.service {:?} {job:?}", Some("refuse")),
            format!("leak-port undo.port {:?} {job:?}", Some("fail")),
            String::from("port 12301"),
            String::from("service"),
        ]
    );
}

/// A world in which the job of slot 1 has left these behind, and whose rules are gone again.
fn after(step: Step, undo: GiveBack, change: impl FnOnce(&mut Setup)) -> Rig {
    let rig = Rig::with(change);
    rig.apply(&Change::AddRule(fails_at(step)));
    rig.apply(&Change::AddRule(leaks_at(undo)));
    rig.refused(&live());
    rig.apply(&Change::RemoveRules);
    rig
}

#[test]
fn a_slot_that_was_left_is_passed_over_for_good() {
    let rig = after(Step::Queue, GiveBack::Slot, |setup| setup.ports = slots(2));
    assert_eq!(rig.start(&live()), id("2-2"));
    assert!(matches!(rig.refused(&live()), Refusal::CapacityExhausted(_)));
    rig.go_to(60_000);
    assert_eq!(rig.start(&live()), id("2-3"));
    assert_eq!(rig.leaks(), left(&[GiveBack::Slot]));
}

#[test]
fn a_service_or_port_that_was_left_is_in_the_way_of_the_next_job_of_the_slot() {
    for (undo, holder) in [(GiveBack::Service, PortHolder::Service), (GiveBack::Port, PortHolder::Process)] {
        let rig = after(Step::Queue, undo, |_| {});
        let port = NodePort::new(12_301).expect("a port");
        for _ in 0..2 {
            assert_eq!(rig.refused(&live()), Refusal::PortInUse { port, holder });
        }
        assert_eq!(rig.leaks(), left(&[undo]), "the refusals have left nothing");
        let skipping = after(Step::Queue, undo, |setup| setup.on_conflict = OnConflict::Skip);
        assert_eq!(skipping.start(&live()), id("2-2"));
    }
}

#[test]
fn what_was_left_of_a_job_is_not_that_of_the_next_one_on_the_slot() {
    for undo in [GiveBack::GrpcJob, GiveBack::CleanupJob, GiveBack::Queue] {
        let rig = after(Step::Commit, undo, |_| {});
        let next = rig.start(&live());
        assert_eq!(next, id("1-2"));
        assert_eq!(rig.leaks(), left(&[undo]), "{undo:?}");
        rig.sim.cancel(next).expect("it is live");
        rig.go_to(2_000);
        assert_eq!(rig.leaks(), left(&[undo]), "{undo:?}");
    }
}

#[test]
fn a_gpu_share_that_was_left_is_missing_from_the_pool() {
    let setup = |setup: &mut Setup| setup.gpu = GpuPool { size: Some(2), reject_when_full: false };
    let rig = after(Step::CleanupJob, GiveBack::GrpcJob, setup);
    let (first, second) = (rig.start(&live()), rig.start(&live()));
    assert_eq!((rig.state(first), rig.state(second)), (Some(JobState::Running), Some(JobState::Pending)));
    let returned = after(Step::CleanupJob, GiveBack::CleanupJob, setup);
    assert_eq!(returned.snapshot().gpu_shares_taken, 0);
}

#[test]
fn an_undo_fails_as_often_as_its_rule_says_and_no_more() {
    let rig = Rig::new();
    rig.apply(&Change::AddRule(fails_at(Step::Commit)));
    let once = Schedule { first: Some(1), after: 1, ..Schedule::default() };
    rig.apply(&Change::AddRule(scheduled("once", Point::Undo(GiveBack::Queue), Effect::Fail, once)));
    for _ in 0..3 {
        rig.refused(&live());
    }
    assert_eq!(rig.leaks().queues, ["focus_baby.1-2"]);
    assert_eq!(Leaks { queues: vec![], ..rig.leaks() }, Leaks::default());
}

#[test]
fn a_refusal_before_anything_was_taken_undoes_nothing() {
    let rig = Rig::new();
    for undo in GiveBack::ALL {
        rig.apply(&Change::AddRule(leaks_at(*undo)));
    }
    rig.refused(&ConfigureDraft { nfft: Given::Value(3), ..live() });
    rig.refused(&historic(-60 * 86_400, -59 * 86_400));
    let job = rig.start(&live());
    rig.sim.cancel(job).expect("a job that came about is given back by other ways");
    rig.go_to(2_000);
    assert_eq!(rig.leaks(), Leaks::default());
}

#[test]
fn a_stream_that_is_still_held_5_s_after_its_job_was_gone_is_a_leak() {
    let rig = Rig::new();
    let cancelled = rig.start(&live());
    let call = rig.open_reading(cancelled, 2);
    rig.sim.cancel(cancelled).expect("it is live");
    rig.go_to(5_000);
    assert_eq!(rig.leaks(), Leaks::default());
    rig.go_to(5_001);
    let held = HeldStream { job: cancelled, stream: StreamIndex(2), since: at(0) };
    assert_eq!(rig.leaks().streams, [held]);
    drop(call);
    assert_eq!(rig.leaks(), Leaks::default());
}

#[test]
fn a_stream_of_a_job_that_was_removed_counts_from_the_removal() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let calls = [rig.open_reading(job, 0), rig.open_reading(job, 0)];
    rig.apply(&Change::KillPods(wildmatch::WildMatch::new("*")));
    rig.go_to(15_000);
    assert_eq!(rig.leaks(), Leaks::default(), "removed at 10 s");
    rig.go_to(15_001);
    let held = HeldStream { job, stream: StreamIndex(0), since: at(10_000) };
    assert_eq!(rig.leaks().streams, [held, held]);
    rig.sim.reset();
    assert_eq!(rig.leaks(), Leaks::default());
    drop(calls);
}

#[test]
fn a_stream_that_was_read_to_its_end_is_held_until_it_is_let_go() {
    let rig = Rig::new();
    let job = rig.start(&historic_single());
    let mut call = rig.open_reading(job, 0);
    assert_eq!(rig.play(&mut call).1, StreamEnd::PlayedOut);
    rig.go_to(60_000);
    assert_eq!(rig.leaks().streams.len(), 1);
    drop(call);
    assert!(rig.leaks().is_empty());
}

#[test]
fn what_nobody_made_fail_is_a_leak_as_well_and_breaks_an_invariant() {
    let rig = Rig::new();
    let broken = |spoil: fn(&mut crate::sim::world::World)| {
        let mut world = rig.sim.lock();
        world.reset(at(0));
        spoil(&mut world);
        let (leaks, broken) = (world.leaks(at(0)), world.broken_invariants());
        world.reset(at(0));
        assert!(!leaks.is_empty());
        broken.into_iter().map(|broken| broken.id).collect::<Vec<_>>()
    };
    let slot = broken(|world| assert!(world.free_slots.pop_first().is_some()));
    assert_eq!(slot, ["INV-SLOT"]);
    let object = broken(|world| {
        let nobody = &crate::sim::faults::Unnamed;
        let host = String::from("http://localhost");
        let terms = world.configure(&historic_single(), host, nobody, at(0)).expect("a job");
        world.remove(terms.id, crate::sim::journal::Removal::Ttl, at(0));
        world.cluster.create(&terms, crate::sim::cluster::Object::Queue, at(0));
    });
    assert_eq!(object, ["INV-OBJECTS"]);
    let share = broken(|world| assert!(world.cluster.take_gpu_share(id("7-7"), None, at(0))));
    assert_eq!(share, ["INV-GONE"]);
}
