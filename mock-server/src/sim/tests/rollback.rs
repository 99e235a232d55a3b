//! Refused configures: whatever step fails, the world is as it was.

use crate::domain::job::JobState;
use crate::domain::refusal::{Capacity, PortHolder, Refusal};
use crate::sim::faults::Step;
use crate::sim::setup::{ClusterState, GpuPool, OnConflict};

use super::*;

/// What a failure at a step is answered with, for a job that would have got slot 2.
fn expected(step: Step) -> Refusal {
    match step {
        Step::Slot => Refusal::CapacityExhausted(Capacity::Jobs(1024)),
        Step::Port => port_in_use(12_302, PortHolder::Process),
        Step::GrpcJob | Step::CleanupJob | Step::Service | Step::Queue | Step::Commit => {
            Refusal::JobCreationFailed
        }
    }
}

fn port_in_use(port: u16, holder: PortHolder) -> Refusal {
    Refusal::PortInUse { port: NodePort::new(port).expect("a port"), holder }
}

fn fail_next(rig: &Rig, step: Step, times: u32) {
    rig.sim.with(|world, _| world.fail_next(step, times));
}

/// Configures in vain and compares everything before and after; gives back the refusal and what the journal says.
#[track_caller]
fn refused_without_a_trace(rig: &Rig) -> (Refusal, Happening) {
    let (before, ports) = (rig.snapshot(), rig.ports.table());
    let refusal = rig.refused(&live());
    let after = rig.snapshot();
    assert_eq!(rig.ports.table(), ports);
    let written = rig.sim.journal().since(before.journal_written);
    let told = written.iter().filter(|entry| !matches!(entry.what, Happening::Fault(_))).count();
    assert_eq!(told, 1, "one entry tells of it, beside that of a rule that wanted it");
    let entry = after.journal.last().expect("an entry").clone();
    assert_eq!(entry.at, after.now);
    assert_eq!(without_traces(after), without_traces(before));
    (refusal, entry.what)
}

#[test]
fn a_failure_at_any_step_gives_everything_back_and_the_next_job_gets_the_slot() {
    for step in Step::ALL.iter().copied() {
        let rig = Rig::new();
        let standing = rig.start(&live());
        let call = rig.open_reading(standing, 0);
        rig.go_to(1_234);
        let holds = rig.ports.holds();
        fail_next(&rig, step, 1);
        let (refusal, told) = refused_without_a_trace(&rig);
        assert_eq!(refusal, expected(step));

        let passed_the_slot = step != Step::Slot;
        let would_have_been = id("2-2");
        let rolled_back = Happening::RolledBack { id: would_have_been, step, refusal: refusal.clone() };
        assert_eq!(told, if passed_the_slot { rolled_back } else { Happening::Refused(refusal) });
        let touched_the_port = step > Step::Port;
        assert_eq!(rig.ports.holds() - holds, u32::from(touched_the_port), "{step:?}");

        let next = rig.start(&live());
        assert_eq!(next, if passed_the_slot { id("2-3") } else { id("2-2") }, "after {step:?}");
        assert_eq!(rig.state(next), Some(JobState::Running));
        drop(call);
    }
}

#[test]
fn a_failure_gives_back_a_gpu_share_and_leaves_those_who_wait_alone() {
    for step in Step::ALL.iter().copied() {
        for size in [2, 1] {
            let rig = Rig::with(|setup| setup.gpu = GpuPool { size: Some(size), reject_when_full: false });
            rig.start(&live());
            fail_next(&rig, step, 1);
            refused_without_a_trace(&rig);
            assert_eq!(rig.snapshot().gpu_shares_taken, 1, "{step:?} in a pool of {size}");
        }
    }
}

#[test]
fn a_failure_while_pods_take_their_time_starts_none() {
    for step in Step::ALL.iter().copied() {
        let rig = Rig::with(|setup| setup.times.pod_start = Duration::from_secs(5));
        fail_next(&rig, step, 1);
        refused_without_a_trace(&rig);
        assert_eq!(rig.snapshot().next_due, None, "nothing waits to happen after {step:?}");
    }
}

#[test]
fn failures_are_counted_per_step_and_used_up() {
    let rig = Rig::new();
    fail_next(&rig, Step::Queue, 1);
    fail_next(&rig, Step::GrpcJob, 2);
    fail_next(&rig, Step::Queue, 1);
    let told = (0..4).map(|_| match refused_without_a_trace(&rig).1 {
        Happening::RolledBack { id, step, .. } => (id.to_string(), step),
        other => panic!("not a rollback: {other:?}"),
    });
    let expected =
        [("1-1", Step::GrpcJob), ("1-2", Step::GrpcJob), ("1-3", Step::Queue), ("1-4", Step::Queue)];
    assert!(told.eq(expected.map(|(id, step)| (id.to_owned(), step))));
    assert_eq!(rig.start(&live()), id("1-5"));
}

#[test]
fn a_request_that_is_refused_before_the_step_uses_up_no_failure() {
    let rig = Rig::new();
    fail_next(&rig, Step::Queue, 1);
    rig.refused(&ConfigureDraft { nfft: Given::Value(3), ..live() });
    rig.plant_leftover_service(12_301, true);
    rig.refused(&live());
    rig.plant_leftover_service(12_301, false);
    assert_eq!(rig.refused(&live()), Refusal::JobCreationFailed);
    rig.start(&live());
}

#[test]
fn a_cluster_that_takes_no_objects_fails_the_job_and_recovers() {
    for state in [ClusterState::RefusesObjects, ClusterState::OutOfPodAddresses] {
        let rig = Rig::new();
        rig.start(&live());
        rig.depend(|outside| outside.cluster = state);
        let (refusal, told) = refused_without_a_trace(&rig);
        assert_eq!(refusal.to_string(), "Job creation failed: all resources were released");
        let happened = Happening::RolledBack { id: id("2-2"), step: Step::GrpcJob, refusal };
        assert_eq!(told, happened);
        rig.depend(|outside| outside.cluster = ClusterState::Ok);
        assert_eq!(rig.start(&live()), id("2-3"));
    }
}

#[test]
fn a_left_over_service_is_a_conflict_until_it_is_gone() {
    let rig = Rig::new();
    rig.plant_leftover_service(12_301, true);
    for number in 1..=2 {
        let (refusal, told) = refused_without_a_trace(&rig);
        assert_eq!(refusal.to_string(), "Port 12301 is already in use: conflict with an existing service");
        let would_have_been = id(&format!("1-{number}"));
        assert_eq!(told, Happening::RolledBack { id: would_have_been, step: Step::Port, refusal });
    }
    assert_eq!(rig.ports.holds(), 0, "the machine was not even asked");
    rig.plant_leftover_service(12_301, false);
    assert_eq!(rig.start(&live()), id("1-3"));
}

#[test]
fn another_process_on_the_port_is_a_conflict_until_it_is_gone() {
    let rig = Rig::new();
    rig.ports.foreign(12_301, true);
    for _ in 0..2 {
        let (refusal, _) = refused_without_a_trace(&rig);
        assert_eq!(refusal.to_string(), "Port 12301 is already in use: conflict with another process");
    }
    rig.ports.foreign(12_301, false);
    assert_eq!(rig.start(&live()), id("1-3"));
}

#[test]
fn a_conflict_on_another_port_is_none() {
    let rig = Rig::new();
    rig.plant_leftover_service(12_302, true);
    rig.ports.foreign(12_303, true);
    assert_eq!(rig.start(&live()), id("1-1"));
}

#[test]
fn a_machine_without_sockets_is_no_conflict() {
    for on_conflict in [OnConflict::Reject, OnConflict::Skip] {
        let rig = Rig::with(|setup| setup.on_conflict = on_conflict);
        rig.ports.out_of_sockets(true);
        let (refusal, told) = refused_without_a_trace(&rig);
        assert_eq!(refusal, Refusal::JobCreationFailed);
        assert_eq!(told, Happening::RolledBack { id: id("1-1"), step: Step::Port, refusal });
        rig.ports.out_of_sockets(false);
        assert_eq!(rig.start(&live()), id("1-2"));
    }
}

#[test]
fn where_conflicts_are_skipped_the_job_gets_the_next_free_slot_and_one_number() {
    let rig = Rig::with(|setup| setup.on_conflict = OnConflict::Skip);
    rig.plant_leftover_service(12_301, true);
    rig.ports.foreign(12_302, true);
    assert_eq!(rig.start(&live()), id("3-1"));
    assert_eq!(rig.snapshot().lowest_free_slot, Some(1), "the slots that were passed over stay free");
    assert_eq!(rig.start(&live()), id("4-2"));
    rig.plant_leftover_service(12_301, false);
    assert_eq!(rig.start(&live()), id("1-3"));
    rig.ports.foreign(12_302, false);
    assert_eq!(rig.start(&live()), id("2-4"));
    assert_eq!(rig.snapshot().free_slots, 1020);
}

#[test]
fn where_conflicts_are_skipped_a_refusal_needs_every_free_port_taken() {
    let rig = Rig::with(|setup| {
        setup.on_conflict = OnConflict::Skip;
        setup.ports = slots(3);
    });
    rig.start(&live());
    rig.ports.foreign(12_302, true);
    rig.plant_leftover_service(12_303, true);
    let (refusal, _) = refused_without_a_trace(&rig);
    assert!(matches!(refusal, Refusal::PortInUse { .. }), "{refusal:?}");
    rig.ports.foreign(12_302, false);
    assert_eq!(rig.start(&live()), id("2-3"));
}

#[test]
fn where_conflicts_are_skipped_a_later_failure_gives_back_the_slot_that_was_taken() {
    for step in [Step::GrpcJob, Step::CleanupJob, Step::Service, Step::Queue, Step::Commit] {
        let rig = Rig::with(|setup| setup.on_conflict = OnConflict::Skip);
        rig.ports.foreign(12_301, true);
        fail_next(&rig, step, 1);
        let (refusal, told) = refused_without_a_trace(&rig);
        assert_eq!(told, Happening::RolledBack { id: id("2-1"), step, refusal });
        assert_eq!(rig.start(&live()), id("2-2"));
    }
}

#[test]
fn where_conflicts_are_skipped_a_failure_asked_for_at_the_port_still_fails_the_reservation() {
    let rig = Rig::with(|setup| setup.on_conflict = OnConflict::Skip);
    fail_next(&rig, Step::Port, 2);
    for attempt in ["1-1", "1-2"] {
        let (refusal, told) = refused_without_a_trace(&rig);
        assert!(matches!(refusal, Refusal::PortInUse { .. }), "{refusal:?}");
        assert_eq!(told, Happening::RolledBack { id: id(attempt), step: Step::Port, refusal });
    }
    assert_eq!(rig.start(&live()), id("1-3"));
}

#[test]
fn capacity_is_the_smaller_of_jobs_and_slots() {
    for (max_jobs, max_slots, limit) in [(3, 1024, 3), (1024, 3, 3), (2, 3, 2)] {
        let rig = Rig::with(|setup| {
            setup.limits.max_jobs = max_jobs;
            setup.ports = slots(max_slots);
        });
        for _ in 0..limit {
            rig.start(&live());
        }
        let (refusal, told) = refused_without_a_trace(&rig);
        assert_eq!(refusal, Refusal::CapacityExhausted(Capacity::Jobs(limit)));
        assert_eq!(told, Happening::Refused(refusal));
        let next = rig.snapshot().next_sequence.map(Sequence::number);
        assert_eq!(next, i32::try_from(limit + 1).ok(), "a refusal for want of a slot skips no number");
    }
}
