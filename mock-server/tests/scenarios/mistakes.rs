//! Mistakes in scenarios: each with line and column, what is wrong and what there is.

use focus_mock::document::{rules, scenario};
use focus_mock::sim::faults::{At, Effect};

fn wrong(text: &str) -> String {
    scenario::parse(text, "s").expect_err(text).to_string()
}

const POINTS: &str = "s:1:15: faults[0].at \"grpc.frames\": no such point: there are step.slot, step.port, ";

#[test]
fn an_unknown_point_is_told_with_all_points() {
    let told = wrong("faults: [{at: grpc.frames, do: silence}]");
    assert!(told.starts_with(POINTS), "{told}");
    for at in At::all() {
        assert!(told.contains(&at.to_string()), "{at}");
    }
    assert_eq!(
        wrong("faults: [{at: admin.before, do: close}]"),
        "s:1:15: faults[0].at \"admin.before\": the admin interface is no place for faults: a rule there could not be taken \
         away again"
    );
    assert!(wrong("faults: [{at: 5, do: close}]").starts_with("s:1:15: faults[0].at 5: no such point"));
}

#[test]
fn an_unknown_effect_is_told_with_those_of_its_point() {
    let there = "at grpc.open there are end_call, silence, goaway, reset";
    assert_eq!(
        wrong("faults:\n  - at: grpc.open\n    do: explode"),
        format!("s:3:9: faults[0].do: no such effect \"explode\": {there}")
    );
    assert_eq!(
        wrong("faults: [{at: grpc.open, do: {explode: 1}}]"),
        format!("s:1:31: faults[0].do: no such effect \"explode\": {there}")
    );
    assert_eq!(
        wrong("faults: [{at: grpc.open, do: 5}]"),
        format!("s:1:30: faults[0].do must be an effect, not 5: {there}")
    );
    assert_eq!(
        wrong("faults: [{at: grpc.open, do: {goaway: 1, end_call: {}}}]"),
        format!("s:1:30: faults[0].do must be one effect, not 2: {there}")
    );
    // Where the point is unknown, too, whatever there is.
    let told = wrong("faults: [{at: here, do: explode}]");
    assert!(told.lines().nth(1).expect("a second mistake").ends_with(&Effect::NAMES.join(", ")), "{told}");
}

/// A scenario with one rule or entry, and what it is refused with.
const MISTAKES: &[(&str, &str)] = &[
    (
        "faults: [{at: grpc.open, do: duplicate}]",
        "1:30: faults[0].do: duplicate cannot be done at grpc.open: there are delay, end_call, silence, goaway, reset",
    ),
    (
        "faults: [{at: step.port, delay: 1s}]",
        "1:33: faults[0].delay: delay cannot be done at step.port: there are refuse",
    ),
    ("faults: [{at: step.port}]", "1:10: faults[0]: nothing to do: at step.port there are refuse"),
    ("faults: [{do: reset}]", "1:10: faults[0].at is missing"),
    (
        "faults: [{at: step.port, do: refuse}]",
        "1:30: faults[0].do: refuse has parameters, such as {refuse: PORT_IN_USE}",
    ),
    (
        "faults: [{at: grpc.end, do: {reset: true}}]",
        "1:30: faults[0].do: reset has no parameters: write \"do: reset\"",
    ),
    (
        "faults: [{at: grpc.end, do: reset, match: {frame: 5}}]",
        "1:43: faults[0].match: nothing has a frame at grpc.end",
    ),
    (
        "faults: [{at: rest.ack.before, do: reset, match: {route: ack}}]",
        "1:50: faults[0].match: nothing has a route at rest.ack.before",
    ),
    (
        "faults: [{at: grpc.frame, do: reset, match: {frame: {from: 9, to: 5}}}]",
        "1:67: faults[0].match.frame.to must not be below faults[0].match.frame.from",
    ),
    (
        "faults: [{at: grpc.end, do: reset, when: {from: 2s, until: 1s}}]",
        "1:42: faults[0].when: a window must begin before it ends",
    ),
    (
        "faults: [{at: grpc.end, do: reset, when: {from: soon}}]",
        "1:49: faults[0].when.from must be a duration since the rule was installed such as 10s, 31 days at most, or a time \
         such as 2025-12-05T14:58:23Z, not \"soon\"",
    ),
    (
        "faults: [{at: grpc.end, do: reset, when: {ttl: 32d}}]",
        "1:48: faults[0].when.ttl must be a duration such as 500ms, 10s or \"1m 30s\", or a number of seconds, from 1ms to \
         31d, not \"32d\"",
    ),
    (
        "faults: [{at: grpc.end, delay: {uniform: [2s, 1s]}}]",
        "1:32: faults[0].delay: the shortest delay must not be above the longest",
    ),
    (
        "faults: [{at: grpc.end, delay: {percentiles: {0: 1s, 99: 2s}}}]",
        "1:32: faults[0].delay: percentiles must rise from 0 to 100, at least these two, and so must their delays",
    ),
    (
        "faults: [{at: grpc.end, delay: {percentiles: {101: 1s}}}]",
        "1:47: faults[0].delay.percentiles must have percentiles from 0 to 100 as its keys, not 101",
    ),
    (
        "faults: [{at: grpc.end, delay: {}}]",
        "1:32: faults[0].delay has no distribution: there are uniform, normal, lognormal, percentiles",
    ),
    (
        "faults: [{at: grpc.end, delay: {lognormal: {median: 1s, sigma: 11}}}]",
        "1:64: faults[0].delay.lognormal.sigma must be a number above 0, 10 at most, not 11",
    ),
    (
        "faults: [{at: grpc.end, delay: 2h}]",
        "1:32: faults[0].delay must be a duration such as 500ms, 10s or \"1m 30s\", or a number of seconds, from 0s to 1h, \
         not \"2h\"",
    ),
    (
        "faults: [{at: rest.before, do: {status: {code: 503, body: 12}}}]",
        "1:59: faults[0].do.status.body must be a text of 65536 bytes at most, not 12 (put it in quotes)",
    ),
    (
        "faults: [{at: rest.before, do: {rate_limit: {requests: 1, per: 0s}}}]",
        "1:64: faults[0].do.rate_limit.per must be a duration such as 500ms, 10s or \"1m 30s\", or a number of seconds, from \
         1ns to 1h, not \"0s\"",
    ),
    ("faults: [{at: grpc.end, do: {end_call: {message: x}}}]", "1:40: faults[0].do.end_call.code is missing"),
    (
        "faults: [{at: rest.before, do: {status: {cod: 503, code: 503}}}]",
        "1:42: unknown key \"cod\": faults[0].do.status has the keys code, body, content_type, retry_after",
    ),
    (
        "faults: [{at: rest.before, match: {headers: {\"a b\": c}}, delay: 1s}]",
        "1:46: faults[0].match.headers must have names of headers as its keys, not \"a b\"",
    ),
    (
        "faults: [{at: rest.before, match: {headers: {A: c, a: d}}, delay: 1s}]",
        "1:52: faults[0].match.headers.a is given more than once",
    ),
    (
        "faults:\n- {id: a, at: grpc.end, do: reset}\n- {id: a, at: grpc.open, do: reset}",
        "3:8: faults[1].id: there is a rule a already",
    ),
    (
        "timeline: [{at: 1s, every: 1s, times: 1000000, mongodb: down}, {at: 2s, every: 1s, mongodb: up}]",
        "1:11: timeline comes to 1010000 changes, and may come to 1000000: without times a change that comes again does so \
         10000 times",
    ),
    (
        "timeline: [{at: 1s, every: 99ms, mongodb: down}]",
        "1:28: timeline[0].every must be a duration such as 500ms, 10s or \"1m 30s\", or a number of seconds, from 100ms to \
         31d, not \"99ms\"",
    ),
    (
        "timeline: [{at: 1s, times: 3, mongodb: down}]",
        "1:28: timeline[0].times needs timeline[0].every: how long until it comes again",
    ),
    (
        "timeline: [{at: 32d, mongodb: down}]",
        "1:17: timeline[0].at must be a duration such as 500ms, 10s or \"1m 30s\", or a number of seconds, from 0s to 31d, \
         not \"32d\"",
    ),
    ("timeline: [{mongodb: down}]", "1:12: timeline[0].at is missing"),
    ("timeline: {at: 1s}", "1:11: timeline must be a list (lines of \"- at: ...\"), not a mapping"),
    ("about: 12", "1:8: about must be a text of 4096 bytes at most, not 12 (put it in quotes)"),
    ("journal: {max_bytes: 1}", "1:22: journal.max_bytes must be an integer from 4096 to 1073741824, not 1"),
];

#[test]
fn each_mistake_is_told_with_its_place() {
    for (text, told) in MISTAKES {
        assert_eq!(wrong(text), format!("s:{told}"), "{text}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_and_parts_that_are_mistaken_are_not_held_against_each_other() {
    let text = "faults:\n- at: grpc.opn\n  do: exploed\n- at: grpc.frame\n  match: {frame: x, stream: -1}\n  do: {truncate: 5}\n\
                timeline:\n- {at: soon, mongodb: dwn}\n";
    let wrong = wrong(text);
    let places: Vec<_> = wrong.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(places, ["s:2:7", "s:3:7", "s:5:18", "s:5:29", "s:8:8", "s:8:23"], "{wrong}");
}

#[test]
fn a_rule_alone_is_called_a_rule() {
    let wrong = |text: &str| rules::rule(text, "the rule").expect_err(text).to_string();
    assert!(
        wrong("{at: grpc.open}").starts_with("the rule:1:1: a rule: nothing to do: at grpc.open there are ")
    );
    assert_eq!(wrong("5"), "the rule:1:1: a rule must be a mapping (lines of \"key: value\"), not 5");
    assert_eq!(
        wrong("{at: grpc.open, do: reset, wen: {}}"),
        "the rule:1:28: unknown key \"wen\": a rule has the keys id, at, match, when, delay, do"
    );
    assert_eq!(wrong(""), "the rule: at is missing");
}
