//! Calls that make no progress: 180 s, and what becomes of their job.

use crate::domain::fiber::FiberState;
use crate::domain::job::JobState;
use crate::sim::journal::Removal;

use super::*;

fn fiber(rig: &Rig, state: FiberState) {
    rig.sim.with(|world, now| world.change_fiber(state, now));
}

#[test]
fn a_transport_that_never_asks_is_given_180_s() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.go_to(3_000);
    let mut call = rig.open(job, 0);
    rig.go_to(182_999);
    assert_eq!(rig.state(job), Some(JobState::Running));
    let entries = rig.go_to(183_000);
    let what: Vec<_> = entries.iter().map(|entry| (entry.at, entry.what.clone())).collect();
    let ended = Happening::CallEnded(job, StreamEnd::Inactive);
    assert_eq!(what, [(at(183_000), ended), (at(183_000), Happening::Completed(job))]);
    assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::Inactive));
    assert_eq!(rig.state(job), Some(JobState::Completed));
    assert_eq!(rig.ports.table(), ports::PortTable::default(), "the port is closed");
    assert!(rig.sim.job(job).is_ok(), "its metadata are still answered");
    assert_eq!(removals(&rig.go_to(200_000)), [(at(190_000), job, Removal::Finished)]);
}

#[test]
fn the_180_s_count_from_the_last_thing_that_the_transport_took() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    rig.go_to(100_123);
    call.progress().was_given(rig.sim.clock().now());
    rig.go_to(280_122);
    assert_eq!(rig.state(job), Some(JobState::Running));
    rig.go_to(280_123);
    assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::Inactive));
    assert_eq!(rig.state(job), Some(JobState::Completed));
}

#[test]
fn a_transport_that_asks_again_just_in_time_goes_on() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut call = rig.open(job, 0);
    rig.go_to(179_999);
    call.progress().asks();
    rig.go_to(500_000);
    rig.frame(&mut call);
    assert_eq!(rig.state(job), Some(JobState::Running));
}

#[test]
fn a_healthy_reader_that_waits_is_not_ended_by_one_large_advance() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    rig.frame(&mut call);
    rig.go_to(86_400_000);
    assert_eq!(rig.state(job), Some(JobState::Running));
    rig.frame(&mut call);
}

#[test]
fn a_call_that_stalls_ends_alone_while_another_is_open() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut stalled = rig.open(job, 0);
    let mut reading = rig.open_reading(job, 1);
    rig.go_to(200_000);
    assert_eq!(rig.poll(&mut stalled), Polled::End(StreamEnd::Inactive));
    assert_eq!(rig.state(job), Some(JobState::Running));
    assert_eq!(rig.job(job).expect("it runs").open_calls, 1);
    rig.frame(&mut reading);
    reading.progress().was_given(rig.sim.clock().now());
    rig.go_to(380_000);
    assert_eq!(rig.poll(&mut reading), Polled::End(StreamEnd::Inactive));
    assert_eq!(rig.state(job), Some(JobState::Completed));
    assert_eq!(
        removals(&rig.go_to(400_000)),
        [(at(390_000), job, Removal::Finished)],
        "the next sample after 380 s"
    );
}

#[test]
fn a_job_whose_other_call_just_closed_is_swept_and_not_completed() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let stalled = rig.open(job, 0);
    let reading = rig.open_reading(job, 1);
    rig.go_to(181_000);
    drop((stalled, reading));
    assert_eq!(rig.state(job), Some(JobState::Running));
    assert_eq!(removals(&rig.go_to(300_000)), [(at(230_000), job, Removal::Idle)]);
}

#[test]
fn a_dark_fibre_ends_a_live_call_180_s_after_the_light_went() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    rig.go_to(20_500);
    fiber(&rig, FiberState::Waiting);
    rig.go_to(200_499);
    assert_eq!(rig.state(job), Some(JobState::Running));
    rig.go_to(200_500);
    assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::Inactive));
    assert_eq!(rig.state(job), Some(JobState::Completed));
}

#[test]
fn a_call_opened_in_the_dark_has_180_s_of_its_own() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.go_to(5_000);
    fiber(&rig, FiberState::Waiting);
    rig.go_to(35_000);
    let mut call = rig.open_reading(job, 0);
    rig.go_to(214_999);
    assert!(matches!(rig.poll(&mut call), Polled::WaitsUntil(_)));
    rig.go_to(215_000);
    assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::Inactive));
}

#[test]
fn light_that_comes_back_ends_the_count() {
    for back in [FiberState::Lit, FiberState::Mixed] {
        let rig = Rig::new();
        let job = rig.start(&live());
        let mut call = rig.open_reading(job, 0);
        fiber(&rig, FiberState::Waiting);
        rig.go_to(179_999);
        fiber(&rig, back);
        rig.go_to(190_000);
        fiber(&rig, FiberState::Waiting);
        rig.go_to(369_999);
        assert_eq!(rig.state(job), Some(JobState::Running), "{back:?}");
        rig.go_to(370_000);
        assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::Inactive));
    }
}

#[test]
fn a_dark_fibre_is_nothing_to_a_recorded_window() {
    let rig = Rig::with(|setup| setup.fiber_state = FiberState::Waiting);
    // 20 days at 200 times: 8640 s.
    let job = rig.start(&historic(-27 * 86_400, -7 * 86_400));
    let mut call = rig.open_reading(job, 0);
    rig.go_to(600_000);
    assert_eq!(rig.state(job), Some(JobState::Running));
    rig.frame(&mut call);
}

#[test]
fn a_historic_call_that_stalls_ends_too() {
    let rig = Rig::new();
    let job = rig.start(&historic(-27 * 86_400, -7 * 86_400));
    let mut call = rig.open(job, 0);
    rig.go_to(180_000);
    assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::Inactive));
}
