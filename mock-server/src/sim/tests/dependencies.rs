//! What each outside system takes away while it is down, and that it comes back.

use crate::domain::fiber::FiberState;
use crate::domain::recording::{Recording, RecordingEnd};
use crate::domain::refusal::Refusal;
use crate::domain::time::TimeRange;
use crate::sim::change::Outside;
use crate::sim::setup::{MongoDb, RecordingsState, Supply};

use super::*;

/// A window in seconds relative to the start.
fn window(from: i64, to: i64) -> TimeRange {
    TimeRange::new(EpochSeconds(START + from), EpochSeconds(START + to)).expect("a window")
}

fn mongodb(rig: &Rig, state: MongoDb) {
    rig.depend(|outside| outside.mongodb = state);
}

/// The newest end of all recordings, in seconds relative to the start.
fn newest_end(rig: &Rig) -> i64 {
    let all = rig.sim.recordings(window(-40 * 86_400, 40 * 86_400)).expect("the store is up");
    match all.last().expect("recordings").end {
        RecordingEnd::At(end) => end.0 - START,
        RecordingEnd::Ongoing => panic!("only a world file has an ongoing recording"),
    }
}

#[test]
fn without_mongodb_what_is_recorded_is_unknown_and_live_jobs_start() {
    for state in [MongoDb::Down, MongoDb::SlowFail, MongoDb::Restarting] {
        let rig = Rig::new();
        let streaming = rig.start(&historic_single());
        let mut call = rig.open_reading(streaming, 0);
        mongodb(&rig, state);
        assert_eq!(rig.refused(&historic(-1_000, -100)), Refusal::RecordingsUnavailable);
        assert_eq!(rig.sim.recordings(window(-1_000, -100)), Err(Refusal::RecordingsUnavailable));
        rig.start(&live());
        assert!(rig.sim.job(streaming).is_ok());
        rig.frame(&mut call);
        mongodb(&rig, MongoDb::Up);
        rig.start(&historic(-1_000, -100));
    }
}

#[test]
fn a_mongodb_that_is_down_stays_down_and_one_that_restarts_is_up_after_3_s() {
    for state in [MongoDb::Down, MongoDb::SlowFail] {
        let rig = Rig::new();
        mongodb(&rig, state);
        rig.go_to(3_600_000);
        assert_eq!(rig.snapshot().dependencies.mongodb, state);
    }
    let rig = Rig::new();
    rig.go_to(500);
    mongodb(&rig, MongoDb::Restarting);
    rig.go_to(3_499);
    assert_eq!(rig.refused(&historic(-1_000, -100)), Refusal::RecordingsUnavailable);
    rig.go_to(3_500);
    assert_eq!(rig.snapshot().dependencies.mongodb, MongoDb::Up);
    rig.start(&historic(-1_000, -100));
}

#[test]
fn a_mongodb_that_is_taken_down_while_it_restarts_stays_down() {
    let rig = Rig::new();
    mongodb(&rig, MongoDb::Restarting);
    rig.go_to(1_000);
    mongodb(&rig, MongoDb::Down);
    rig.go_to(60_000);
    assert_eq!(rig.snapshot().dependencies.mongodb, MongoDb::Down);
}

#[test]
fn what_was_recorded_while_mongodb_was_down_appears_afterwards() {
    let rig = Rig::new();
    mongodb(&rig, MongoDb::Down);
    rig.go_to(7_200_000);
    mongodb(&rig, MongoDb::Up);
    assert_eq!(newest_end(&rig), 7_200);
    rig.start(&historic(100, 3_000));
}

#[test]
fn without_rabbitmq_no_job_starts_and_those_that_run_go_on() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    rig.depend(|outside| outside.rabbitmq = Supply::Down);
    for draft in [live(), historic(-1_000, -100)] {
        assert_eq!(rig.refused(&draft), Refusal::BrokerUnavailable);
    }
    assert!(rig.sim.recordings(window(-1_000, -100)).is_ok());
    rig.frame(&mut call);
    rig.sim.cancel(job).expect("a cancel needs no broker");
    rig.depend(|outside| outside.rabbitmq = Supply::Up);
    rig.start(&live());
}

#[test]
fn without_the_recorder_the_newest_end_stands_still() {
    let rig = Rig::new();
    rig.go_to(100_000);
    assert_eq!(newest_end(&rig), 100);
    rig.depend(|outside| outside.recorder = Supply::Down);
    rig.go_to(7_200_000);
    assert_eq!(newest_end(&rig), 100);
    rig.start(&historic(-1_000, 90));
    assert_eq!(rig.refused(&historic(100, 7_000)), Refusal::NoRecording);
    rig.start(&live());
    rig.depend(|outside| outside.recorder = Supply::Up);
    rig.go_to(7_300_000);
    assert_eq!(newest_end(&rig), 7_300);
    assert_eq!(rig.refused(&historic(100, 7_000)), Refusal::NoRecording, "what was missed stays missing");
    rig.start(&historic(7_200, 7_290));
}

#[test]
fn without_recordings_the_list_is_empty_and_no_window_is_found() {
    let rig = Rig::new();
    rig.depend(|outside| outside.recordings = RecordingsState::None);
    assert_eq!(rig.sim.recordings(window(-1_000, -100)), Ok(Vec::new()));
    assert_eq!(rig.refused(&historic(-1_000, -100)).to_string(), "No recording found in given time range");
    rig.start(&live());
}

#[test]
fn recordings_that_lie_elsewhere_are_listed_and_not_found() {
    let rig = Rig::new();
    let listed = rig.sim.recordings(window(-1_000, -100)).expect("the store is up");
    rig.depend(|outside| outside.recordings = RecordingsState::PathMismatch);
    assert_eq!(rig.sim.recordings(window(-1_000, -100)), Ok(listed.clone()));
    let hour = Recording { start: EpochSeconds(START - 3_600), end: RecordingEnd::At(EpochSeconds(START)) };
    assert_eq!(listed, [hour]);
    assert_eq!(rig.refused(&historic(-1_000, -100)), Refusal::NoRecording);
}

#[test]
fn a_waiting_fibre_refuses_live_jobs_and_accepts_historic_ones() {
    let rig = Rig::with(|setup| setup.fiber_state = FiberState::Waiting);
    assert_eq!(
        rig.refused(&live()).to_string(),
        "Cannot proceed: waiting for fiber (missing required fiber metadata fields: prr)"
    );
    assert_eq!(rig.sim.live_metadata().state, FiberState::Waiting);
    rig.start(&historic(-1_000, -100));
}

#[test]
fn a_fibre_on_its_way_back_accepts_live_jobs_and_gives_frames() {
    let rig = Rig::with(|setup| setup.fiber_state = FiberState::Waiting);
    rig.sim.with(|world, now| world.change_fiber(FiberState::Mixed, now));
    assert_eq!(rig.sim.live_metadata().state, FiberState::Mixed);
    let job = rig.start(&live());
    rig.frame(&mut rig.open_reading(job, 0));
    rig.sim.with(|world, now| world.change_fiber(FiberState::Lit, now));
    rig.start(&live());
}

#[test]
fn a_focus_server_without_pods_serves_nothing_and_its_jobs_go_on() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    assert!(rig.sim.is_serving());
    rig.depend(|outside| outside.focus_server = Supply::Down);
    assert!(!rig.sim.is_serving());
    rig.go_to(1_000);
    rig.frame(&mut call);
    assert!(rig.ports.table().listening.contains_key(&12_301));
    rig.depend(|outside| outside.focus_server = Supply::Up);
    assert!(rig.sim.is_serving());
}

#[test]
fn a_change_of_state_is_told_once_and_by_name() {
    let rig = Rig::new();
    let before = rig.snapshot().journal_written;
    assert_eq!(before, 0, "a default world starts without news");
    rig.depend(|outside| {
        outside.mongodb = MongoDb::Down;
        outside.recorder = Supply::Down;
    });
    rig.depend(|_| {});
    rig.sim.with(|world, now| world.change_fiber(FiberState::Mixed, now));
    rig.sim.with(|world, now| world.change_fiber(FiberState::Mixed, now));
    let told: Vec<_> = rig.snapshot().journal.into_iter().map(|entry| entry.what).collect();
    let changed =
        [Outside::MongoDb(MongoDb::Down), Outside::Recorder(Supply::Down), Outside::Fiber(FiberState::Mixed)];
    assert_eq!(told, changed.map(Happening::OutsideChanged));
}

#[test]
fn a_world_may_start_with_its_outside_down() {
    let rig = Rig::with(|setup| {
        setup.dependencies.recorder = Supply::Down;
        setup.dependencies.mongodb = MongoDb::Restarting;
        setup.fiber_state = FiberState::Waiting;
    });
    rig.go_to(3_000);
    assert_eq!(newest_end(&rig), 0);
    rig.sim.reset();
    assert_eq!(rig.refused(&historic(-1_000, -100)), Refusal::RecordingsUnavailable);
    assert_eq!(rig.refused(&live()), Refusal::WaitingForFiber);
    rig.go_to(6_000);
    assert_eq!(newest_end(&rig), 3, "the catalogue of a reset world ends at the reset");
}

#[test]
fn a_second_restart_of_mongodb_takes_its_full_time() {
    let rig = Rig::new();
    rig.depend(|o| o.mongodb = MongoDb::Restarting);
    rig.go_to(1_000);
    rig.depend(|o| o.mongodb = MongoDb::Up);
    rig.go_to(2_000);
    rig.depend(|o| o.mongodb = MongoDb::Restarting);
    rig.go_to(4_999);
    assert_eq!(rig.snapshot().dependencies.mongodb, MongoDb::Restarting);
}
