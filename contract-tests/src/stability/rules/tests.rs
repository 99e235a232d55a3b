//! Every rule at its bound, just under it and just over it.

use jiff::Timestamp;

use super::super::plan::{Pace, Plan};
use super::super::sample::{Configure, Machine, Process, Refusal, Sample};
use super::*;

/// A sample of one configure, an hour after the one before, of a server that shows everything.
pub(in super::super) fn sample(number: u32) -> Sample {
    Sample {
        number,
        at_seconds: f64::from(number - 1) * 3600.0,
        at: Timestamp::UNIX_EPOCH,
        configures: vec![configure(100.0)],
        server: Some(Process { cpu_percent: Some(10.0), memory_bytes: 100_000_000 }),
        runner: Some(Machine { cpu_percent: Some(5.0), memory_percent: 40.0 }),
        restarts: Some(0),
        live_jobs: Some(1),
        troubles: Vec::new(),
    }
}

fn configure(latency_ms: f64) -> Configure {
    Configure { job_id: Some(String::from("1-1")), latency_ms, refusal: None }
}

fn samples(count: u32, change: impl Fn(&mut Sample)) -> Vec<Sample> {
    let mut samples: Vec<_> = (1..=count).map(sample).collect();
    samples.iter_mut().for_each(change);
    samples
}

fn plan(kind: Kind) -> Plan {
    if kind == Kind::Run { Plan::hour(Pace::Real) } else { Plan::soak(kind, Pace::Real) }
}

fn judged(kind: Kind, samples: &[Sample], ending: Option<&Ending>) -> Vec<Finding> {
    judge(&plan(kind), samples, Some(2), ending, &Unseen::default(), &Limits::default())
}

fn outcome(kind: Kind, samples: &[Sample], rule: Rule, weight: Weight) -> Option<Outcome> {
    let ending = Ending { live_jobs: Some(2), ..Ending::default() };
    let findings = judged(kind, samples, Some(&ending));
    findings.iter().find(|one| (one.rule, one.weight) == (rule, weight)).map(|one| one.outcome)
}

const KEPT: Option<Outcome> = Some(Outcome::Kept);
const BROKEN: Option<Outcome> = Some(Outcome::Broken);
const NOT_JUDGED: Option<Outcome> = Some(Outcome::NotJudged);

#[test]
fn a_steady_server_keeps_every_rule() {
    let ending = Ending { live_jobs: Some(2), ..Ending::default() };
    for (kind, count) in [(Kind::Run, 10), (Kind::Soak4h, 7), (Kind::Soak24h, 8)] {
        let findings = judged(kind, &samples(200, |_| {}), Some(&ending));
        assert!(findings.iter().all(|one| one.outcome == Outcome::Kept), "{findings:#?}");
        assert_eq!(findings.len(), count, "{kind:?}");
    }
}

#[test]
fn success_is_enough_at_its_bound() {
    // Of 1000 configures each.
    let of = |failed: u32| {
        samples(1000, |sample| {
            if sample.number <= failed {
                sample.configures[0].refusal = Some(Refusal::new("503", "busy"));
            }
        })
    };
    for (kind, weight, bound) in [
        (Kind::Run, Weight::Hard, 100),
        (Kind::Run, Weight::Warning, 50),
        (Kind::Soak4h, Weight::Hard, 50),
        (Kind::Soak24h, Weight::Hard, 50),
    ] {
        for (failed, expected) in [(bound - 1, KEPT), (bound, KEPT), (bound + 1, BROKEN)] {
            let got = outcome(kind, &of(failed), Rule::Success, weight);
            assert_eq!(got, expected, "{kind:?} {weight:?} {failed}");
        }
    }
}

/// Checks a rule below, at and above its bound: hard rules must stay below it, warnings may reach it.
fn bound(kind: Kind, rule: Rule, weight: Weight, bound: f64, of: impl Fn(f64) -> Vec<Sample>) {
    let at = if weight == Weight::Hard { BROKEN } else { KEPT };
    for (value, expected) in [(bound - 0.1, KEPT), (bound, at), (bound + 0.1, BROKEN)] {
        assert_eq!(outcome(kind, &of(value), rule, weight), expected, "{kind:?} {rule:?} {weight:?} {value}");
    }
}

#[test]
fn the_runners_memory_grows_from_the_first_sample_to_the_last() {
    let grown = |points: f64| {
        samples(12, |sample| {
            let memory_percent = match sample.number {
                1 => 40.0,
                12 => 40.0 + points,
                // What comes and goes in between is no growth.
                _ => 95.0,
            };
            sample.runner = Some(Machine { cpu_percent: None, memory_percent });
        })
    };
    let rule = Rule::RunnerMemoryGrowth;
    bound(Kind::Run, rule, Weight::Hard, 20.0, grown);
    bound(Kind::Run, rule, Weight::Warning, 10.0, grown);
    bound(Kind::Soak4h, rule, Weight::Hard, 5.0, grown);
    bound(Kind::Soak24h, rule, Weight::Hard, 15.0, grown);
    let one = &samples(1, |_| {});
    assert_eq!(outcome(Kind::Run, one, rule, Weight::Hard), NOT_JUDGED);
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes of memory")]
fn server_with(bytes: impl Fn(u32) -> f64, count: u32) -> Vec<Sample> {
    samples(count, |sample| {
        let memory_bytes = bytes(sample.number).round() as u64;
        sample.server = Some(Process { cpu_percent: None, memory_bytes });
    })
}

#[test]
fn the_servers_memory_grows_from_the_second_sample_to_the_last() {
    let grown = |percent: f64| {
        let bytes = move |number| match number {
            // What is allocated at first is no growth.
            1 => 1e6,
            12 => 1e8 * (1.0 + percent / 100.0),
            _ => 1e8,
        };
        server_with(bytes, 12)
    };
    bound(Kind::Run, Rule::ServerMemoryGrowth, Weight::Hard, 20.0, grown);
    bound(Kind::Run, Rule::ServerMemoryGrowth, Weight::Warning, 10.0, grown);
    bound(Kind::Soak4h, Rule::ServerMemoryGrowth, Weight::Warning, 10.0, grown);
    assert_eq!(outcome(Kind::Soak24h, &grown(90.0), Rule::ServerMemoryGrowth, Weight::Warning), None);
    let two = &samples(2, |_| {});
    assert_eq!(outcome(Kind::Run, two, Rule::ServerMemoryGrowth, Weight::Hard), NOT_JUDGED);
}

#[test]
fn a_day_of_soak_is_held_to_megabytes_an_hour() {
    // From the second of 25 hourly samples on: 23 hours.
    let grown = |rate: f64| server_with(move |number| 1e9 + rate * 1e6 * f64::from(number.max(2) - 2), 25);
    bound(Kind::Soak24h, Rule::ServerMemoryRate, Weight::Hard, 50.0, grown);
    assert_eq!(outcome(Kind::Soak4h, &grown(90.0), Rule::ServerMemoryRate, Weight::Hard), None);
}

#[test]
fn the_last_100_answers_of_a_day_are_compared_with_the_first() {
    let drifting = |last: f64, count: u32| {
        samples(count, |sample| {
            let late = sample.number > count - 100;
            sample.configures = vec![configure(if late { last } else { 100.0 })];
        })
    };
    bound(Kind::Soak24h, Rule::ResponseDrift, Weight::Hard, 120.0, |last| drifting(last, 250));
    let judged = |count| outcome(Kind::Soak24h, &drifting(500.0, count), Rule::ResponseDrift, Weight::Hard);
    assert_eq!((judged(199), judged(200)), (NOT_JUDGED, BROKEN));
    assert_eq!(outcome(Kind::Run, &drifting(500.0, 250), Rule::ResponseDrift, Weight::Hard), None);
    // On a clock that is held responses may take no time at all.
    let from_nothing = |last: f64| {
        samples(200, |sample| {
            sample.configures = vec![configure(if sample.number > 100 { last } else { 0.0 })]
        })
    };
    let judged = |last| outcome(Kind::Soak24h, &from_nothing(last), Rule::ResponseDrift, Weight::Hard);
    assert_eq!((judged(0.0), judged(1.0)), (KEPT, BROKEN));
}

#[test]
fn a_third_of_the_cpu_is_compared_with_the_first() {
    let drifting = |last: f64| {
        samples(12, |sample| {
            let cpu_percent = Some(if sample.number > 8 { last } else { 10.0 });
            sample.server = Some(Process { cpu_percent, memory_bytes: 1 });
        })
    };
    bound(Kind::Run, Rule::CpuDrift, Weight::Warning, 15.0, drifting);
    bound(Kind::Soak4h, Rule::CpuDrift, Weight::Warning, 15.0, drifting);
}

#[test]
fn not_one_restart_is_allowed() {
    for (restarts, expected) in [(Some(0), KEPT), (Some(1), BROKEN), (None, NOT_JUDGED)] {
        let seen = samples(12, |sample| sample.restarts = restarts);
        assert_eq!(outcome(Kind::Run, &seen, Rule::Restarts, Weight::Hard), expected);
    }
    // One that is forgotten later has happened all the same.
    let once = samples(12, |sample| sample.restarts = Some(u32::from(sample.number == 5)));
    assert_eq!(outcome(Kind::Soak4h, &once, Rule::Restarts, Weight::Hard), BROKEN);
}

#[test]
fn live_jobs_are_back_in_time_or_not() {
    let of = |live_jobs, waited_seconds, left: &[&str]| {
        let left_behind = left.iter().map(|id| (*id).to_owned()).collect();
        let ending = Ending { live_jobs, waited_seconds, left_behind };
        let found = judged(Kind::Run, &samples(12, |_| {}), Some(&ending));
        let by = |rule| found.iter().find(|one| one.rule == rule).map(|one| one.outcome);
        (by(Rule::LiveJobs), by(Rule::OwnJobs))
    };
    // There were 2 before.
    assert_eq!(of(Some(2), 60.0, &[]), (KEPT, KEPT));
    assert_eq!(of(Some(1), 0.0, &[]), (KEPT, KEPT));
    assert_eq!(of(Some(3), 60.0, &[]), (BROKEN, KEPT));
    assert_eq!(of(Some(2), 60.01, &[]), (BROKEN, KEPT));
    assert_eq!(of(None, 60.0, &["1-3"]), (NOT_JUDGED, BROKEN));
    let early = judged(Kind::Run, &samples(3, |_| {}), None);
    let unknown: Vec<_> =
        early.iter().filter(|one| one.outcome == Outcome::NotJudged).map(|one| one.rule).collect();
    assert_eq!(unknown, [Rule::LiveJobs, Rule::OwnJobs]);
}

#[test]
fn what_was_not_seen_is_said_with_its_reason() {
    let blind = samples(12, |sample| {
        (sample.server, sample.runner, sample.restarts) = (None, None, None);
    });
    let why = |what: &str| Some(format!("nobody shows {what}"));
    let unseen = Unseen { server: why("it"), restarts: why("pods"), live_jobs: why("jobs") };
    let ending = Ending { live_jobs: None, ..Ending::default() };
    let limits = Limits::default();
    let found = judge(&plan(Kind::Run), &blind, None, Some(&ending), &unseen, &limits);
    let reasons: Vec<_> = found
        .iter()
        .filter(|one| one.outcome == Outcome::NotJudged)
        .map(|one| (one.rule, one.weight, one.says.as_str()))
        .collect();
    let (hard, warning) = (Weight::Hard, Weight::Warning);
    let machine = "this machine does not tell its memory";
    let expected = [
        (Rule::RunnerMemoryGrowth, hard, machine),
        (Rule::ServerMemoryGrowth, hard, "nobody shows it"),
        (Rule::Restarts, hard, "nobody shows pods"),
        (Rule::LiveJobs, hard, "nobody shows jobs"),
        (Rule::RunnerMemoryGrowth, warning, machine),
        (Rule::ServerMemoryGrowth, warning, "nobody shows it"),
        (Rule::CpuDrift, warning, "nobody shows it"),
    ];
    assert_eq!(reasons, expected);
    let nothing = judge(&plan(Kind::Run), &[], None, None, &unseen, &limits);
    assert_eq!((nothing[0].outcome, nothing[0].says.as_str()), (Outcome::NotJudged, "nothing was asked"));
    // What should have been seen and was not.
    let silent = samples(3, |sample| {
        sample.restarts = None;
        sample.troubles = vec![String::from("the server's pods: refused")];
    });
    let told = judged(Kind::Run, &silent, None);
    let told = told.iter().find(|one| one.rule == Rule::Restarts).map(|one| one.says.clone());
    assert_eq!(told.as_deref(), Some("the server's pods: refused"));
}
