//! Faults that take time: that of the simulator's clock, and no other.

use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::domain::refusal::ContractError;
use focus_mock::sim::clock::Mode;
use focus_mock::sim::faults::{Delay, Effect, Match, Schedule};
use serde_json::Value;

use super::{CHANNELS, assert_unharmed, records, rule};
use crate::common::{START, held, held_as, light};
use crate::raw::{Wire, request};

const MS: fn(u64) -> Duration = Duration::from_millis;

fn slow(server: &MockServer, at: &str, delay: Duration, effect: Option<Effect>) {
    rule(server, at, Match::default(), Schedule::default(), Some(Delay::Fixed(delay)), effect);
}

/// Waits until somebody waits for the clock at that point.
fn until_waiting(server: &MockServer, what: &str, after: Duration) {
    let until = focus_mock::domain::time::EpochSeconds(START);
    let until = focus_mock::domain::time::Moment::from_seconds(until).after(after);
    loop {
        let waiters = server.simulation().snapshot().waiters;
        if waiters.iter().any(|waiter| waiter.what == what && waiter.until == until) {
            return;
        }
        std::thread::yield_now();
    }
}

/// One more answer of the server: it has one thread, so it has done what it was left to do by then.
fn settle(server: &MockServer) {
    assert_eq!(crate::raw::ask(server.rest(), "GET", "/ack", b"").status, 200);
}

#[tokio::test]
async fn a_delay_waits_for_the_clock_and_the_state_tells_who_waits() {
    for (at, what, jobs) in [
        ("rest.configure.before", "fault: before the request is served", 0),
        ("rest.configure.headers", "fault: before the headers", 1),
        ("rest.configure.body", "fault: before the body", 1),
    ] {
        let server = held();
        slow(&server, at, MS(700), None);
        let mut wire = Wire::to(server.rest());
        wire.send(&request("POST", "/configure", &[], light().to_string().as_bytes()));
        until_waiting(&server, what, MS(700));
        let admin = format!("http://{}/__mock/state", server.admin().expect("an admin listener"));
        let state: Value = reqwest::get(admin).await.expect("an answer").json().await.expect("JSON");
        assert_eq!(state["clock"]["waiters"][0]["what"], what);
        assert_eq!(server.simulation().snapshot().jobs.len(), jobs);
        server.simulation().advance(MS(699));
        settle(&server);
        // Only a body that waits lets its headers go first.
        assert_eq!(wire.has_bytes(), at.ends_with("body"));
        server.simulation().advance(MS(1));
        assert_eq!(wire.answer().json()["job_id"], "1-1");
        wire.send(&request("GET", "/channels", &[], b""));
        assert_eq!(wire.answer().body, CHANNELS);
        server.simulation().faults().clear();
        assert_unharmed(&server);
    }
}

#[test]
fn a_delay_comes_before_the_effect_of_its_rule() {
    let server = held();
    slow(&server, "rest.channels.before", MS(50), Some(Effect::Refuse(ContractError::ServerDown)));
    let mut wire = Wire::to(server.rest());
    wire.send(&request("GET", "/channels", &[], b""));
    until_waiting(&server, "fault: before the request is served", MS(50));
    server.simulation().advance(MS(50));
    assert_eq!(wire.answer().status, 503);
    assert_eq!(records(&server)[0].came.millis().0, START * 1000);
}

#[test]
fn a_body_that_is_cut_after_a_delay_has_sent_its_headers_before() {
    let server = held();
    slow(&server, "rest.channels.body", MS(50), Some(Effect::Truncate { bytes: 3 }));
    let mut wire = Wire::to(server.rest());
    wire.send(&request("GET", "/channels", &[], b""));
    assert_eq!(wire.head().headers["content-length"], "43");
    until_waiting(&server, "fault: before the body", MS(50));
    assert!(!wire.has_bytes());
    server.simulation().advance(MS(50));
    assert_eq!(wire.rest(), b"{\"l");
}

#[test]
fn a_drip_sends_so_many_bytes_in_a_second_of_the_clock() {
    let server = held();
    let effect = Some(Effect::Drip { bytes_per_second: 40 });
    rule(&server, "rest.channels.body", Match::default(), Schedule::default(), None, effect);
    let mut wire = Wire::to(server.rest());
    wire.send(&request("GET", "/channels", &[], b""));
    assert_eq!(wire.head().headers["content-length"], "43");
    let mut got = Vec::new();
    for step in 1..=11 {
        // Four bytes in a tenth of a second; the last three need less.
        let due = if step == 11 { MS(1075) } else { MS(100) * step };
        until_waiting(&server, "fault: next bytes of the body", due);
        assert!(!wire.has_bytes());
        server.simulation().advance(if step == 11 { MS(75) } else { MS(100) });
        got.extend(wire.bytes(if step == 11 { 3 } else { 4 }));
    }
    assert_eq!(got, CHANNELS);
    server.simulation().faults().clear();
    wire.send(&request("GET", "/ack", &[], b""));
    assert_eq!(wire.answer().status, 200, "the connection goes on");
}

#[test]
fn delays_follow_a_scaled_clock() {
    let server = held_as(|config| {
        config.clock = Mode::Scaled(focus_mock::sim::clock::Factor::new(100_000.0).expect("in range"));
    });
    slow(&server, "rest.channels.before", Duration::from_secs(3600), None);
    let mut wire = Wire::to(server.rest());
    wire.send(&request("GET", "/channels", &[], b""));
    assert_eq!(wire.answer().body, CHANNELS);
    assert!(server.simulation().clock().now().millis().0 >= (START + 3600) * 1000);
}

#[test]
fn a_server_that_stops_does_not_wait_for_held_up_answers() {
    for (at, effect) in [
        ("rest.channels.before", None),
        ("rest.channels.body", None),
        ("rest.channels.body", Some(Effect::Truncate { bytes: 1 })),
    ] {
        let server = held();
        slow(&server, at, Duration::from_secs(3600), effect);
        let mut wire = Wire::to(server.rest());
        wire.send(&request("GET", "/channels", &[], b""));
        let what = if at.ends_with("body") {
            "fault: before the body"
        } else {
            "fault: before the request is served"
        };
        until_waiting(&server, what, Duration::from_secs(3600));
        drop(server);
        if at.ends_with("body") {
            wire.head();
        }
        wire.assert_cut_off();
    }
}
