//! A Focus Server that needs MongoDB to come up: when it waits, for how long, and when it does not.

use crate::sim::setup::{MongoDb, Supply};
use crate::sim::startup::Startup;

use super::*;

/// A world whose server needs MongoDB, with MongoDB in that state at its start.
fn needy(mongodb: MongoDb) -> Rig {
    Rig::with(|setup| {
        setup.requires_mongo = true;
        setup.dependencies.mongodb = mongodb;
    })
}

fn mongodb(rig: &Rig, state: MongoDb) {
    rig.depend(|outside| outside.mongodb = state);
}

fn focus_server(rig: &Rig, state: Supply) {
    rig.depend(|outside| outside.focus_server = state);
}

/// What the journal says of the server, with the time in milliseconds after the start.
fn told(rig: &Rig) -> Vec<(u128, Happening)> {
    let entries = rig.snapshot().journal.into_iter();
    let of_the_server =
        entries.filter(|entry| matches!(entry.what, Happening::ServerWaits(_) | Happening::ServerUp));
    of_the_server.map(|entry| (entry.at.since(at(0)).as_millis(), entry.what)).collect()
}

const WAITS: Happening = Happening::ServerWaits("mongodb");

#[test]
fn a_server_that_does_not_need_mongodb_comes_up_without_it() {
    for state in [MongoDb::Down, MongoDb::SlowFail, MongoDb::Restarting] {
        let rig = Rig::with(|setup| setup.dependencies.mongodb = state);
        assert!(rig.sim.is_serving());
        assert_eq!((rig.snapshot().serving, rig.snapshot().startup, told(&rig)), (true, None, Vec::new()));
    }
}

#[test]
fn a_server_that_finds_mongodb_at_its_start_is_up_at_once_and_stays_up_without_it() {
    let rig = needy(MongoDb::Up);
    for state in [MongoDb::Down, MongoDb::SlowFail, MongoDb::Restarting] {
        mongodb(&rig, MongoDb::Up);
        mongodb(&rig, state);
        assert!(rig.sim.is_serving(), "{state:?}");
    }
    assert_eq!(told(&rig), []);
}

#[test]
fn a_server_without_mongodb_waits_however_long_it_takes_and_is_up_3_s_after_it() {
    for state in [MongoDb::Down, MongoDb::SlowFail] {
        let rig = needy(state);
        rig.go_to(3_600_000);
        assert!(!rig.sim.is_serving(), "{state:?}");
        assert_eq!(rig.snapshot().startup, Some(Startup::WaitsForMongoDb));
        mongodb(&rig, MongoDb::Up);
        rig.go_to(3_602_999);
        assert!(!rig.sim.is_serving(), "{state:?}");
        assert_eq!(rig.snapshot().startup, Some(Startup::PodStarts(at(3_603_000))));
        rig.go_to(3_603_000);
        assert!(rig.sim.is_serving(), "{state:?}");
        assert_eq!((rig.snapshot().serving, rig.snapshot().startup), (true, None));
        mongodb(&rig, state);
        assert!(rig.sim.is_serving(), "it has come up, and a later outage is one like any other");
        assert_eq!(told(&rig), [(0, WAITS), (3_603_000, Happening::ServerUp)]);
    }
}

#[test]
fn a_mongodb_that_restarts_lets_the_server_up_by_itself_after_both_have_had_their_time() {
    let rig = needy(MongoDb::Restarting);
    rig.go_to(5_999);
    assert!(!rig.sim.is_serving());
    let fired: Vec<_> = rig.go_to(6_000).into_iter().map(|entry| entry.what).collect();
    assert_eq!(fired, [Happening::ServerUp]);
    assert!(rig.sim.is_serving());
}

#[test]
fn a_mongodb_that_goes_before_the_pod_is_ready_lets_the_next_pod_begin_anew() {
    for state in [MongoDb::Down, MongoDb::SlowFail, MongoDb::Restarting] {
        let rig = needy(MongoDb::Down);
        mongodb(&rig, MongoDb::Up);
        rig.go_to(1_000);
        mongodb(&rig, state);
        rig.go_to(2_000);
        mongodb(&rig, MongoDb::Up);
        rig.go_to(4_999);
        assert!(!rig.sim.is_serving(), "the pod of second 0 has exited, {state:?}");
        rig.go_to(5_000);
        assert!(rig.sim.is_serving(), "{state:?}");
        assert_eq!(told(&rig), [(0, WAITS), (1_000, WAITS), (5_000, Happening::ServerUp)]);
    }
}

#[test]
fn a_reset_starts_the_server_anew_in_the_world_as_it_was_set_up() {
    let rig = needy(MongoDb::Down);
    mongodb(&rig, MongoDb::Up);
    rig.go_to(10_000);
    assert!(rig.sim.is_serving());
    rig.sim.reset();
    assert!(!rig.sim.is_serving());
    assert_eq!(told(&rig).last(), Some(&(10_000, WAITS)));
    rig.go_to(60_000);
    assert!(!rig.sim.is_serving());

    let rig = needy(MongoDb::Up);
    mongodb(&rig, MongoDb::Down);
    rig.sim.reset();
    assert!(rig.sim.is_serving(), "the fresh world has its MongoDB");
}

#[test]
fn a_wait_that_a_reset_has_cut_short_does_not_end_the_one_after_it() {
    let rig = needy(MongoDb::Down);
    mongodb(&rig, MongoDb::Up);
    rig.go_to(1_000);
    rig.sim.reset();
    rig.go_to(10_000);
    assert!(!rig.sim.is_serving());
}

#[test]
fn jobs_and_their_streams_mind_nothing_of_it() {
    let rig = needy(MongoDb::Down);
    let job = rig.start(&live());
    rig.frame(&mut rig.open_reading(job, 0));
    assert!(!rig.sim.is_serving());
}

#[test]
fn a_server_that_is_scaled_up_again_needs_mongodb_as_the_first_one_did() {
    let rig = needy(MongoDb::Up);
    focus_server(&rig, Supply::Down);
    assert_eq!((rig.snapshot().serving, rig.snapshot().startup), (false, None));
    focus_server(&rig, Supply::Up);
    assert!(rig.sim.is_serving(), "ready is ready");
    rig.depend(|outside| {
        outside.focus_server = Supply::Down;
        outside.mongodb = MongoDb::Down;
    });
    focus_server(&rig, Supply::Up);
    assert!(!rig.sim.is_serving());
    mongodb(&rig, MongoDb::Up);
    rig.go_to(3_000);
    assert!(rig.sim.is_serving());
}

#[test]
fn a_server_that_is_scaled_to_none_while_it_waits_does_not_come_up() {
    let rig = needy(MongoDb::Down);
    mongodb(&rig, MongoDb::Up);
    focus_server(&rig, Supply::Down);
    rig.go_to(60_000);
    assert!(!rig.sim.is_serving());
    assert_eq!(told(&rig), [(0, WAITS)]);
    focus_server(&rig, Supply::Up);
    assert!(rig.sim.is_serving());
}

#[test]
fn a_world_that_starts_without_a_server_waits_once_there_is_one() {
    let rig = Rig::with(|setup| {
        setup.requires_mongo = true;
        setup.dependencies.mongodb = MongoDb::Down;
        setup.dependencies.focus_server = Supply::Down;
    });
    assert_eq!((rig.snapshot().serving, rig.snapshot().startup), (false, None));
    focus_server(&rig, Supply::Up);
    assert_eq!(rig.snapshot().startup, Some(Startup::WaitsForMongoDb));
    assert_eq!(told(&rig), [(0, WAITS)]);
}
