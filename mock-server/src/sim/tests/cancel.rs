//! What a cancel does at once, and what two seconds later.

use crate::domain::job::{CallRefusal, JobState};
use crate::domain::refusal::Refusal;
use crate::sim::journal::Removal;

use super::*;

#[test]
fn at_once_service_and_port_are_gone_calls_end_and_the_id_is_unknown() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut calls = [rig.open_reading(job, 0), rig.open_reading(job, 0), rig.open_reading(job, 2)];
    rig.frame(&mut calls[0]);
    rig.go_to(1_000);
    assert_eq!(rig.sim.cancel(job), Ok(()));

    for call in &mut calls {
        assert_eq!(rig.poll(call), Polled::End(StreamEnd::Cancelled));
    }
    assert_eq!(rig.ports.table(), ports::PortTable::default());
    assert_eq!(rig.sim.job(job).expect_err("clients do not know it"), Refusal::UnknownJob);
    assert_eq!(rig.sim.open_call(job, 0).err(), Some(CallRefusal::JobGone));
    let seen = rig.job(job).expect("its pods are still there");
    assert_eq!((seen.state, seen.port_held, seen.open_calls), (JobState::Cancelled, false, 0));
    let objects = rig.snapshot().objects;
    assert_eq!(objects.jobs, ["grpc-job-1-1", "cleanup-job-1-1"]);
    assert_eq!(objects.pods.len(), 2);
    assert!(objects.services.is_empty());
}

#[test]
fn two_seconds_later_everything_is_gone_and_the_slot_is_free() {
    let rig = Rig::new();
    let before = without_traces(rig.snapshot());
    let job = rig.start(&live());
    rig.go_to(500);
    rig.sim.cancel(job).expect("it is live");
    assert!(removals(&rig.go_to(2_499)).is_empty());
    let waiting = rig.snapshot();
    assert_eq!((waiting.free_slots, waiting.lowest_free_slot), (1023, Some(2)));
    assert_eq!(removals(&rig.go_to(2_500)), [(at(2_500), job, Removal::Cancelled)]);
    let after = without_traces(rig.snapshot());
    // Samples of the sweep stay on the agenda and find no job.
    assert_eq!(after, Snapshot { now: at(2_500), next_due: after.next_due, ..before });
    assert_eq!(rig.start(&live()), id("1-2"));
}

#[test]
fn a_second_cancel_finds_no_job_neither_at_once_nor_later() {
    let rig = Rig::new();
    let job = rig.start(&live());
    assert_eq!(rig.sim.cancel(job), Ok(()));
    assert_eq!(rig.sim.cancel(job), Err(Refusal::UnknownJob));
    rig.go_to(5_000);
    assert_eq!(rig.sim.cancel(job), Err(Refusal::UnknownJob));
}

#[test]
fn an_id_that_only_looks_alike_names_no_job() {
    let rig = Rig::new();
    let jobs: Vec<_> = (0..11).map(|_| rig.start(&live())).collect();
    for stranger in ["1-11", "11-1", "1-2", "12-12"] {
        assert_eq!(rig.sim.cancel(id(stranger)), Err(Refusal::UnknownJob), "{stranger}");
    }
    rig.sim.cancel(id("1-1")).expect("it is live");
    assert!(jobs[1..].iter().all(|job| rig.sim.job(*job).is_ok()), "11-11 is not 1-1");
}

#[test]
fn a_job_of_any_live_state_can_be_cancelled() {
    let rig = Rig::with(|setup| setup.gpu.size = Some(1));
    let running = rig.start(&live());
    let pending = rig.start(&live());
    rig.sim.cancel(pending).expect("Pending is live");
    assert_eq!(rig.state(pending), Some(JobState::Cancelled));
    rig.sim.with(|world, now| world.kill_pod(running, now));
    assert_eq!(rig.state(running), Some(JobState::Failed));
    rig.sim.cancel(running).expect("Failed is live");

    let played = rig.start(&historic_single());
    let mut call = rig.open_reading(played, 0);
    assert_eq!(rig.play(&mut call).1, StreamEnd::PlayedOut);
    rig.go_to(10_100);
    let late = rig.start(&historic_single());
    rig.sim.with(|world, now| world.delete_cleanup_job(late, now));
    let mut call = rig.open_reading(late, 0);
    rig.play(&mut call);
    assert_eq!(rig.state(late), Some(JobState::Completed));
    rig.sim.cancel(late).expect("Completed is live");
    let gone = removals(&rig.go_to(60_000));
    assert_eq!(gone.last(), Some(&(at(22_100), late, Removal::Cancelled)), "its TTL counts no more");
}

#[test]
fn the_sweep_leaves_a_cancelled_job_its_two_seconds() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.go_to(49_000);
    rig.sim.cancel(job).expect("it is live");
    assert_eq!(removals(&rig.go_to(60_000)), [(at(51_000), job, Removal::Cancelled)]);
}

#[test]
fn a_cancelled_job_counts_against_the_limit_until_it_is_removed() {
    let rig = Rig::with(|setup| setup.limits.max_jobs = 1);
    let job = rig.start(&live());
    rig.sim.cancel(job).expect("it is live");
    assert_eq!(
        rig.refused(&live()).to_string(),
        "Capacity exhausted: the limit of 1 concurrent jobs is reached"
    );
    rig.go_to(2_000);
    rig.start(&live());
}
