//! Whom a rule hits: how often, in which order, and that no client's fate hangs on what others do.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::domain::refusal::ContractError;
use focus_mock::sim::faults::{At, Clocked, Delay, Effect, Match, Probability, Rule, RuleId, Schedule};
use serde_json::json;

use super::{records, rule};
use crate::common::{Client, held, light, with};
use crate::raw::{Wire, request};

fn refuse() -> Option<Effect> {
    Some(Effect::Refuse(ContractError::Internal))
}

fn scheduled(schedule: Schedule) -> MockServer {
    let server = held();
    rule(&server, "rest.ack.before", Match::default(), schedule, None, refuse());
    server
}

/// Which of so many requests are hit.
async fn hits(client: &Client, count: usize) -> Vec<usize> {
    let mut hits = Vec::new();
    for number in 0..count {
        if client.get("/ack").await.status == 500 {
            hits.push(number);
        }
    }
    hits
}

#[tokio::test]
async fn first_after_and_every_count_the_requests_that_match() {
    let every = |number| NonZeroU64::new(number).expect("above 0");
    for (schedule, expected) in [
        (Schedule { first: Some(2), ..Schedule::default() }, vec![0, 1]),
        (Schedule { after: 3, ..Schedule::default() }, vec![3, 4, 5, 6, 7]),
        (Schedule { every: every(3), ..Schedule::default() }, vec![2, 5]),
        (Schedule { after: 1, every: every(2), first: Some(2), ..Schedule::default() }, vec![2, 4]),
    ] {
        let server = scheduled(schedule.clone());
        let client = Client::of(&server);
        client.get("/channels").await;
        assert_eq!(hits(&client, 8).await, expected, "{schedule:?}");
    }
}

#[tokio::test]
async fn a_window_and_a_time_to_live_follow_the_clock() {
    let seconds = |seconds| Duration::from_secs(seconds);
    let (from, until) = (Some(Clocked::After(seconds(10))), Some(Clocked::After(seconds(20))));
    for (schedule, expected) in [
        (Schedule { from, until, ..Schedule::default() }, [0, 1, 0]),
        (Schedule { ttl: Some(seconds(15)), ..Schedule::default() }, [1, 1, 0]),
    ] {
        let server = scheduled(schedule.clone());
        let client = Client::of(&server);
        let mut seen = [0; 3];
        for hit in &mut seen {
            *hit = hits(&client, 1).await.len();
            server.simulation().advance(seconds(10));
        }
        assert_eq!(seen, expected, "{schedule:?}");
    }
}

#[tokio::test]
async fn the_first_rule_that_does_not_pass_wins_and_the_next_one_decides_where_it_passes() {
    let server = held();
    let client = Client::of(&server);
    let once = Schedule { first: Some(1), ..Schedule::default() };
    rule(&server, "rest.ack.before", Match::default(), once.clone(), None, refuse());
    rule(
        &server,
        "rest.before",
        Match::default(),
        once,
        None,
        Some(Effect::Refuse(ContractError::ServerDown)),
    );
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(client.get("/ack").await.status.as_u16());
    }
    assert_eq!(statuses, [500, 503, 200]);
    let rules: Vec<_> = records(&server)
        .iter()
        .map(|record| match &record.why[..] {
            [focus_mock::sim::journal::Reason::Rule(hit)] => hit.rule.to_string(),
            why => format!("{why:?}"),
        })
        .collect();
    assert_eq!(rules, ["rule-1", "rule-2", "[]"]);
}

#[tokio::test]
async fn a_rule_that_only_delays_at_one_point_leaves_the_others_to_others() {
    let server = held();
    let delay = Some(Delay::Fixed(Duration::ZERO));
    rule(&server, "rest.ack.before", Match::default(), Schedule::default(), delay, None);
    rule(&server, "rest.ack.headers", Match::default(), Schedule::default(), None, refuse());
    assert_eq!(Client::of(&server).get("/ack").await.status, 500);
    assert_eq!(records(&server)[0].why.len(), 2);
}

/// A server on which half of all configurations are refused, and one answer in three is.
fn chancy() -> MockServer {
    let server = held();
    for (name, at, probability) in
        [("half", "rest.configure.before", 0.5), ("third", "rest.channels.headers", 1.0 / 3.0)]
    {
        let at: At = at.parse().expect("a point");
        let schedule = Schedule { probability: Probability::new(probability), ..Schedule::default() };
        let rule = Rule::new(RuleId::new(name), at, Match::default(), schedule, None, refuse());
        let simulation = server.simulation();
        let rule = std::sync::Arc::new(rule.expect("a rule"));
        simulation.faults().install(rule, simulation.clock().now()).expect("installed");
    }
    server
}

/// What became of each request of a load, by what it asks for and how often that was asked before.
fn fates(order: impl Iterator<Item = usize>) -> BTreeMap<(String, usize), u16> {
    let server = chancy();
    let mut wire = Wire::to(server.rest());
    let (mut fates, mut counts) = (BTreeMap::new(), BTreeMap::<String, usize>::new());
    for number in order {
        let kind = number % 60;
        let (name, bytes) = if kind < 30 {
            let body = with(light(), &json!({"displayInfo": {"height": 100 + kind}}));
            (format!("height {kind}"), request("POST", "/configure", &[], body.to_string().as_bytes()))
        } else {
            let id = format!("client-{kind}");
            (id.clone(), request("GET", "/channels", &[("x-request-id", &id)], b""))
        };
        wire.send(&bytes);
        let count = counts.entry(name.clone()).or_default();
        fates.insert((name, *count), wire.answer().status.as_u16());
        *count += 1;
    }
    fates
}

#[test]
fn the_same_load_has_the_same_fate_in_whatever_order_it_comes() {
    let first = fates(0..240);
    assert_eq!(first, fates(0..240));
    assert_eq!(first, fates((0..240).rev()));
    // 7 and 240 have no divisor in common: every request comes once, none in its old place.
    assert_eq!(first, fates((0..240).map(|number| number * 7 % 240)));
    let hit = |prefix: &str| {
        first.iter().filter(|((name, _), status)| name.starts_with(prefix) && **status == 500).count()
    };
    assert!((45..=75).contains(&hit("height")), "{}", hit("height"));
    assert!((25..=55).contains(&hit("client")), "{}", hit("client"));
}

#[test]
fn requests_that_look_alike_do_not_share_one_fate() {
    let server = chancy();
    let mut wire = Wire::to(server.rest());
    let statuses: Vec<_> = (0..40)
        .map(|_| {
            wire.send(&request("GET", "/channels", &[], b""));
            wire.answer().status.as_u16()
        })
        .collect();
    let hit = statuses.iter().filter(|status| **status == 500).count();
    assert!((5..=25).contains(&hit), "{statuses:?}");
}
