//! Jobs whose pod was killed, and jobs whose cleanup job was deleted by hand.

use crate::domain::job::{CallRefusal, JobState};
use crate::sim::journal::Removal;

use super::*;

fn kill_pod(rig: &Rig, job: JobId) {
    rig.sim.with(|world, now| world.kill_pod(job, now));
}

fn delete_cleanup_job(rig: &Rig, job: JobId) {
    rig.sim.with(|world, now| world.delete_cleanup_job(job, now));
}

#[test]
fn a_job_whose_pod_is_killed_has_failed_and_goes_with_the_next_sample() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    rig.go_to(13_000);
    kill_pod(&rig, job);
    assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::Gone));
    assert_eq!(rig.state(job), Some(JobState::Failed));
    assert_eq!(rig.ports.table(), ports::PortTable::default());
    assert!(rig.sim.job(job).is_ok(), "its metadata are still answered");
    assert_eq!(rig.sim.open_call(job, 0).err(), Some(CallRefusal::JobGone));
    assert_eq!(rig.snapshot().objects.services, ["grpc-service-1-1"]);
    rig.go_to(19_999);
    assert_eq!(rig.state(job), Some(JobState::Failed));
    assert_eq!(removals(&rig.go_to(20_000)), [(at(20_000), job, Removal::Finished)]);
}

#[test]
fn a_pod_is_killed_once_and_not_restarted() {
    let rig = Rig::new();
    let job = rig.start(&live());
    kill_pod(&rig, job);
    kill_pod(&rig, job);
    kill_pod(&rig, id("7-7"));
    let written = rig.snapshot().journal;
    let failures = written.iter().filter(|entry| entry.what == Happening::Failed(job)).count();
    assert_eq!((written.len(), failures), (2, 1));
}

#[test]
fn without_its_cleanup_job_nothing_sweeps_an_idle_job() {
    let rig = Rig::new();
    let job = rig.start(&live());
    delete_cleanup_job(&rig, job);
    rig.go_to(3_600_000);
    assert_eq!(rig.state(job), Some(JobState::Running));
    let objects = rig.snapshot().objects;
    assert_eq!(objects.jobs, ["grpc-job-1-1"]);
    assert_eq!(objects.pods.len(), 1);
}

#[test]
fn without_its_cleanup_job_a_failed_job_stays_for_its_ttl_of_120_s() {
    let rig = Rig::new();
    let job = rig.start(&live());
    delete_cleanup_job(&rig, job);
    rig.go_to(33_000);
    kill_pod(&rig, job);
    rig.go_to(152_999);
    assert_eq!(rig.state(job), Some(JobState::Failed));
    assert_eq!(removals(&rig.go_to(153_000)), [(at(153_000), job, Removal::Ttl)]);
    assert_eq!(rig.snapshot().free_slots, 1024);
}

#[test]
fn without_its_cleanup_job_a_completed_job_stays_for_its_ttl_of_120_s() {
    let rig = Rig::new();
    let job = rig.start(&historic_single());
    delete_cleanup_job(&rig, job);
    let mut call = rig.open_reading(job, 0);
    assert_eq!(rig.play(&mut call).1, StreamEnd::PlayedOut);
    rig.go_to(129_999);
    assert_eq!(rig.state(job), Some(JobState::Completed));
    assert_eq!(removals(&rig.go_to(130_000)), [(at(130_000), job, Removal::Ttl)]);
}

#[test]
fn the_cleanup_job_of_a_job_that_is_over_can_be_deleted_too() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.go_to(11_000);
    kill_pod(&rig, job);
    delete_cleanup_job(&rig, job);
    delete_cleanup_job(&rig, job);
    rig.go_to(130_999);
    assert_eq!(rig.state(job), Some(JobState::Failed));
    assert_eq!(removals(&rig.go_to(131_000)), [(at(131_000), job, Removal::Ttl)]);
}

#[test]
fn a_job_cancelled_shortly_before_its_ttl_still_shows_its_pods_for_two_seconds() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.sim.with(|world, now| world.delete_cleanup_job(job, now));
    rig.sim.with(|world, now| world.kill_pod(job, now));
    rig.go_to(119_000);
    rig.sim.cancel(job).expect("live");
    assert_eq!(removals(&rig.go_to(130_000)), [(at(121_000), job, Removal::Cancelled)]);
}

#[test]
fn the_ttl_counts_from_the_end_of_the_job() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.go_to(11_000);
    rig.sim.with(|world, now| world.kill_pod(job, now));
    rig.go_to(15_000);
    rig.sim.with(|world, now| world.delete_cleanup_job(job, now));
    assert_eq!(removals(&rig.go_to(200_000)), [(at(131_000), job, Removal::Ttl)]);
}
