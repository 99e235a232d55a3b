//! Jobs whose pod is not ready: no GPU share, or not started yet.

use crate::domain::job::{CallRefusal, JobState};
use crate::sim::journal::Removal;
use crate::sim::setup::GpuPool;

use super::*;

fn pool(size: u32) -> Rig {
    Rig::with(|setup| setup.gpu = GpuPool { size: Some(size), reject_when_full: false })
}

#[test]
fn a_third_job_of_a_pool_of_two_is_pending_and_its_port_held_but_closed() {
    let rig = pool(2);
    let jobs: Vec<_> = (0..3).map(|_| rig.start(&live())).collect();
    let states: Vec<_> = jobs.iter().map(|job| rig.state(*job)).collect();
    assert_eq!(states, [Some(JobState::Running), Some(JobState::Running), Some(JobState::Pending)]);
    let table = rig.ports.table();
    assert_eq!(table.listening.keys().copied().collect::<Vec<_>>(), [12_301, 12_302]);
    assert_eq!(table.held.into_iter().collect::<Vec<_>>(), [12_303]);
    assert!(rig.sim.job(jobs[2]).is_ok(), "its metadata are answered");
    assert_eq!(rig.sim.open_call(jobs[2], 0).err(), Some(CallRefusal::JobGone));
    let objects = rig.snapshot().objects;
    assert_eq!((objects.jobs.len(), objects.pods.len()), (6, 6));
    assert_eq!((objects.services.len(), objects.queues.len()), (3, 3));
    assert_eq!(rig.snapshot().gpu_shares_taken, 2);
}

#[test]
fn a_job_that_waits_or_is_read_takes_no_samples_that_could_lead_to_nothing() {
    let rig = pool(1);
    let read = rig.start(&live());
    let call = rig.open_reading(read, 0);
    rig.start(&live());
    rig.go_to(10_000);
    // The look whether the call makes progress is all there is to come.
    assert_eq!(rig.snapshot().next_due, Some(at(180_000)));
    drop(call);
    assert_eq!(
        rig.snapshot().next_due,
        Some(at(60_000)),
        "the fifth idle sample, from the next whole period on"
    );
}

#[test]
fn a_pending_job_is_not_swept() {
    let rig = pool(1);
    let running = rig.start(&live());
    let call = rig.open_reading(running, 0);
    rig.go_to(4_000);
    let pending = rig.start(&live());
    rig.go_to(3_600_000);
    assert_eq!(rig.state(pending), Some(JobState::Pending));
    drop(call);
    // The share frees at 3650 s; the five idle samples of the other job, taken at 3654 s and so on, count from there.
    let gone = removals(&rig.go_to(3_800_000));
    assert_eq!(gone, [(at(3_650_000), running, Removal::Idle), (at(3_694_000), pending, Removal::Idle)]);
}

#[test]
fn shares_go_to_the_oldest_job_whatever_its_slot() {
    let rig = pool(2);
    let jobs: Vec<_> = (0..3).map(|_| rig.start(&live())).collect();
    rig.sim.cancel(jobs[0]).expect("it is live");
    assert_eq!(rig.state(jobs[2]), Some(JobState::Running), "at once: its share is free while its pods go");
    rig.go_to(2_000);
    // Slot 3 is older than slot 1 from here on.
    let newer: Vec<_> = [rig.start(&live()), rig.start(&live())].into();
    assert_eq!((newer[0], newer[1]), (id("1-4"), id("4-5")));
    rig.sim.cancel(jobs[1]).expect("it is live");
    assert_eq!(
        (rig.state(newer[0]), rig.state(newer[1])),
        (Some(JobState::Running), Some(JobState::Pending))
    );
    rig.go_to(4_000);
    let last = rig.start(&live());
    assert_eq!(last, id("2-6"));
    rig.sim.cancel(jobs[2]).expect("it is live");
    assert_eq!(rig.state(newer[1]), Some(JobState::Running), "4-5 is older than 2-6");
    assert_eq!(rig.state(last), Some(JobState::Pending));
}

#[test]
fn a_share_is_free_as_soon_as_its_job_is_over() {
    let endings: [fn(&Rig, JobId); 3] = [
        |rig, job| rig.sim.cancel(job).expect("it is live"),
        |rig, job| rig.sim.with(|world, now| world.kill_pod(job, now)),
        |rig, job| assert_eq!(rig.play(&mut rig.open_reading(job, 0)).1, StreamEnd::PlayedOut),
    ];
    for end in endings {
        let rig = pool(1);
        let job = rig.start(&historic_single());
        let pending = rig.start(&live());
        end(&rig, job);
        assert_eq!(rig.state(pending), Some(JobState::Running));
        assert_eq!(rig.ports.table().listening.get(&12_302), Some(&Some(pending)));
        rig.frame(&mut rig.open_reading(pending, 0));
    }
}

#[test]
fn a_pod_that_takes_its_time_is_pending_until_then() {
    let rig = Rig::with(|setup| setup.times.pod_start = Duration::from_millis(6_500));
    rig.go_to(1_000);
    let job = rig.start(&live());
    assert_eq!(rig.state(job), Some(JobState::Pending));
    assert!(rig.ports.table().held.contains(&12_301));
    rig.go_to(7_499);
    assert_eq!(rig.sim.open_call(job, 0).err(), Some(CallRefusal::JobGone));
    let entries = rig.go_to(7_500);
    assert_eq!(entries.last().map(|entry| &entry.what), Some(&Happening::Started(job)));
    assert_eq!(rig.ports.table().listening.get(&12_301), Some(&Some(job)));
    rig.frame(&mut rig.open_reading(job, 0));
}

#[test]
fn a_pod_that_gets_a_share_still_takes_its_time() {
    let rig = Rig::with(|setup| {
        setup.gpu.size = Some(1);
        setup.times.pod_start = Duration::from_secs(6);
    });
    let (first, second) = (rig.start(&live()), rig.start(&live()));
    rig.go_to(20_000);
    assert_eq!((rig.state(first), rig.state(second)), (Some(JobState::Running), Some(JobState::Pending)));
    rig.sim.cancel(first).expect("it is live");
    rig.go_to(25_999);
    assert_eq!(rig.state(second), Some(JobState::Pending));
    rig.go_to(26_000);
    assert_eq!(rig.state(second), Some(JobState::Running));
}

#[test]
fn idle_samples_count_from_the_start_of_the_pod() {
    let rig = Rig::with(|setup| setup.times.pod_start = Duration::from_secs(35));
    let job = rig.start(&live());
    assert_eq!(removals(&rig.go_to(200_000)), [(at(80_000), job, Removal::Idle)]);
}

#[test]
fn a_pending_job_that_is_killed_or_cancelled_never_starts() {
    let rig = Rig::with(|setup| setup.times.pod_start = Duration::from_secs(5));
    let (killed, cancelled) = (rig.start(&live()), rig.start(&live()));
    rig.sim.with(|world, now| world.kill_pod(killed, now));
    rig.sim.cancel(cancelled).expect("it is live");
    assert_eq!(rig.state(killed), Some(JobState::Failed));
    assert_eq!(rig.ports.table(), ports::PortTable::default());
    let entries = rig.go_to(20_000);
    assert_eq!(
        removals(&entries),
        [(at(2_000), cancelled, Removal::Cancelled), (at(10_000), killed, Removal::Finished)]
    );
    assert_eq!(entries.len(), 2, "and nothing else happened: {entries:?}");
}

#[test]
fn a_job_whose_port_is_stolen_before_its_pod_is_ready_has_failed() {
    let rig = Rig::with(|setup| setup.times.pod_start = Duration::from_secs(6));
    let job = rig.start(&live());
    rig.ports.foreign(12_301, true);
    rig.go_to(6_000);
    assert_eq!(rig.state(job), Some(JobState::Failed));
    assert!(rig.ports.table().held.is_empty());
    assert_eq!(removals(&rig.go_to(10_000)), [(at(10_000), job, Removal::Finished)]);
    assert_eq!(
        rig.refused(&live()).to_string(),
        "Port 12301 is already in use: conflict with another process"
    );
}

#[test]
fn a_share_that_a_stolen_port_leaves_unused_goes_to_the_next_job() {
    let rig = pool(1);
    let jobs: Vec<_> = (0..3).map(|_| rig.start(&live())).collect();
    rig.ports.foreign(12_302, true);
    rig.sim.cancel(jobs[0]).expect("it is live");
    let states: Vec<_> = jobs.iter().map(|job| rig.state(*job)).collect();
    assert_eq!(states, [Some(JobState::Cancelled), Some(JobState::Failed), Some(JobState::Running)]);
}

#[test]
fn a_full_pool_refuses_where_it_is_set_to() {
    let rig = Rig::with(|setup| setup.gpu = GpuPool { size: Some(1), reject_when_full: true });
    let job = rig.start(&live());
    assert_eq!(rig.refused(&live()).to_string(), "Capacity exhausted: no free GPU share");
    assert_eq!(rig.snapshot().next_sequence, Some(sequence(2)), "nothing was taken");
    rig.sim.cancel(job).expect("it is live");
    assert_eq!(rig.start(&live()), id("2-2"));
}

#[test]
fn a_pool_of_none_leaves_every_job_pending() {
    let rig = pool(0);
    let job = rig.start(&live());
    rig.go_to(600_000);
    assert_eq!(rig.state(job), Some(JobState::Pending));
}

#[test]
fn a_share_that_no_waiting_job_could_use_stays_free() {
    let rig = pool(1);
    let jobs: Vec<_> = (0..3).map(|_| rig.start(&live())).collect();
    rig.ports.foreign(12_302, true);
    rig.ports.foreign(12_303, true);
    rig.sim.cancel(jobs[0]).expect("it is live");
    assert_eq!((rig.state(jobs[1]), rig.state(jobs[2])), (Some(JobState::Failed), Some(JobState::Failed)));
    assert_eq!(rig.snapshot().gpu_shares_taken, 0);
    let next = rig.start(&live());
    assert_eq!(rig.state(next), Some(JobState::Running));
}
