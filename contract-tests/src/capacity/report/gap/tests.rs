//! Runs as reports get them, and what the document says of them.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::capacity::measured::{Measured, Outcome};
use crate::capacity::plan::Plan;
use crate::capacity::thresholds::Thresholds;

/// A run as reports get it.
pub(in crate::capacity::report) struct Run {
    pub(in crate::capacity::report) plan: Plan,
    pub(in crate::capacity::report) environment: Environment,
    pub(in crate::capacity::report) thresholds: Thresholds,
    pub(in crate::capacity::report) measured: Measured,
    pub(in crate::capacity::report) at: jiff::Timestamp,
}

/// So many configures in 10 ms, and so many that fail.
pub(in crate::capacity::report) fn level(succeeded: u32, failed: u32, code: &str, text: &str) -> LevelResult {
    let mut level = LevelResult { level: succeeded + failed, ..LevelResult::default() };
    let refused = Outcome::Failed { code: code.to_owned(), text: text.to_owned() };
    for number in 0..succeeded + failed {
        let outcome = if number < succeeded { &Outcome::Succeeded } else { &refused };
        level.count(outcome, Duration::from_millis(10), Duration::from_millis(5));
    }
    level
}

/// One level, all of which succeeded.
pub(in crate::capacity::report) fn full(jobs: u32) -> Run {
    Run::of(jobs, vec![level(jobs, 0, "", "")])
}

impl Run {
    pub(in crate::capacity::report) fn of(target: u32, levels: Vec<LevelResult>) -> Self {
        let measured = Measured { levels, duration: Duration::from_secs(4), ..Measured::default() };
        let at = "2025-12-08T00:08:52.000012034Z".parse().expect("a time");
        let environment = Environment::named("staging");
        Self { plan: Plan::of(target), environment, thresholds: Thresholds::default(), measured, at }
    }

    pub(in crate::capacity::report) fn wanting(self, target: u32) -> Self {
        Self { plan: Plan::of(target), ..self }
    }

    pub(in crate::capacity::report) fn sampled(mut self, cpu: f64, memory: f64) -> Self {
        self.measured.machine.push(Sample { at: Duration::from_secs(1), cpu, memory });
        self
    }

    pub(in crate::capacity::report) fn subject(&self) -> Subject<'_> {
        let Self { plan, environment, thresholds, measured, at } = self;
        Subject { plan, environment, target: "http://127.0.0.1:1", thresholds, measured, at: *at }
    }

    fn json(&self) -> Value {
        let report = serde_json::to_value(GapReport::of(&self.subject())).expect("JSON");
        let schema = include_str!("../../../../schema/infra-gap-report.schema.json");
        let schema = serde_json::from_str(schema).expect("JSON");
        jsonschema::draft202012::meta::validate(&schema).expect("a schema");
        let breaches: Vec<_> = jsonschema::validator_for(&schema)
            .expect("a schema")
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(breaches, Vec::<String>::new(), "{report:#}");
        report
    }
}

/// The limited run of the contract: 200 jobs wanted, room for 120.
fn limited() -> Run {
    let levels = [10, 20, 50, 100].map(|jobs| level(jobs, 0, "", ""));
    let last = level(120, 30, "503 CAPACITY_EXHAUSTED", "Capacity exhausted: 120 of 120 jobs");
    Run::of(200, levels.into_iter().chain([last]).collect()).sampled(50.0, 25.0)
}

#[test]
fn a_run_with_room_for_120_of_200_reports_the_contracts_figures() {
    let report = limited().json();
    let mut analysis = report["capacity_analysis"].clone();
    let levels = analysis["levels"].take();
    let expected = json!({
        "target_capacity": 200, "actual_capacity": 100, "minimum_capacity": 160, "gap": 100,
        "gap_percentage": "50.00%", "success_rate": "90.91%", "success_rate_raw": 300.0 / 330.0,
        "capacity_met": false, "success_threshold_met": false, "levels": null,
    });
    assert_eq!(analysis.to_string(), expected.to_string());
    assert_eq!(
        levels[4].to_string(),
        json!({
            "level": 150, "attempted": 150, "succeeded": 120, "failed": 30, "success_rate": "80.00%",
            "mean_ms": 10.0, "p95_ms": 10.0, "fully_successful": false,
            "reason": "partial failure 120/150 (80.00%): Capacity exhausted: 120 of 120 jobs",
        })
        .to_string()
    );
    assert_eq!(
        report["performance_metrics"]["job_creation"].to_string(),
        json!({
            "total_jobs_attempted": 330, "successful_jobs": 300, "failed_jobs": 30,
            "average_latency_ms": "10.00", "p95_latency_ms": "10.00", "p99_latency_ms": "10.00",
            "max_latency_ms": "10.00", "duration_seconds": 4.0, "jobs_per_second": "75.00",
        })
        .to_string()
    );
    assert_eq!(
        report["system_resources"].to_string(),
        json!({
            "cpu": {"mean_percent": "50.00", "max_percent": "50.00", "samples_collected": 1,
                    "threshold_warning": 70, "threshold_critical": 85, "exceeded_critical": false},
            "memory": {"mean_percent": "25.00", "max_percent": "25.00",
                       "threshold_warning": 75, "threshold_critical": 90, "exceeded_critical": false},
        })
        .to_string()
    );
}

#[test]
fn the_head_says_what_when_and_where() {
    let report = limited().json();
    assert_eq!(
        report["report_metadata"].to_string(),
        json!({
            "report_type": "Infrastructure Capacity Gap Analysis",
            "generated_at": "2025-12-08T00:08:52+00:00",
            "generated_by": concat!("focus-contract ", env!("CARGO_PKG_VERSION")),
            "jira_reference": "PZ-13756",
            "meeting_decision": "The environment must carry 200 concurrent jobs, and at least 160",
        })
        .to_string()
    );
    let place = json!({"name": "staging", "is_target_environment": true,
                       "requirement": "minimum 160, target 200 concurrent jobs"});
    assert_eq!(report["environment"].to_string(), place.to_string());
    let elsewhere = Run { environment: Environment::named("local"), ..limited() }.json();
    let place = json!({"name": "local", "is_target_environment": false, "requirement": "informational"});
    assert_eq!(elsewhere["environment"].to_string(), place.to_string());
    let context = &report["additional_context"];
    assert_eq!(
        context["test_configuration"],
        "view 0, channels 1-10, NFFT 512, 0-250 Hz, duration 10 s, height 800, live"
    );
    assert_eq!(context["concurrency_workers"], 50);
    assert_eq!(
        full(10).json()["additional_context"]["concurrency_workers"],
        10,
        "no more had anything to do"
    );
}

#[test]
fn a_run_in_which_nothing_succeeds_is_reported_too() {
    let report = Run::of(200, vec![level(0, 10, "503 CAPACITY_EXHAUSTED", "full")]).json();
    let analysis = &report["capacity_analysis"];
    assert_eq!((&analysis["actual_capacity"], &analysis["gap"]), (&json!(0), &json!(200)));
    assert_eq!((&analysis["success_rate"], &analysis["success_rate_raw"]), (&json!("0.00%"), &json!(0.0)));
    let creation = &report["performance_metrics"]["job_creation"];
    assert_eq!(
        (&creation["total_jobs_attempted"], &creation["average_latency_ms"]),
        (&json!(10), &json!("0.00"))
    );
    assert_eq!(report["bottleneck_analysis"]["high_failure_rate"], true);
    assert_eq!(analysis["levels"][0]["reason"], "complete failure 0/10: full");
}

#[test]
fn more_than_the_target_is_no_negative_gap_and_the_success_threshold_is_met_from_its_bound_on() {
    let more = full(60).wanting(50).json();
    assert_eq!(more["capacity_analysis"]["gap"], 0);
    assert_eq!(more["capacity_analysis"]["capacity_met"], true);
    for (succeeded, met) in [(951, true), (950, true), (949, false)] {
        let run = Run::of(1000, vec![level(succeeded, 1000 - succeeded, "503", "")]).json();
        assert_eq!(run["capacity_analysis"]["success_threshold_met"], met, "{succeeded}");
    }
}

#[test]
fn what_to_look_at_next_and_what_to_bear_in_mind_is_the_contracts_list() {
    let report = limited().json();
    let begins = |list: &Value, expected: &[&str]| {
        let list: Vec<_> = list.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert_eq!(list.len(), expected.len(), "{list:?}");
        for (said, words) in list.iter().zip(expected) {
            assert!(said.to_lowercase().contains(words), "{said}: {words}");
        }
    };
    begins(
        &report["additional_context"]["notes"],
        &["light configuration", "production differs", "time of day", "repeat it"],
    );
    let recommendations = &report["recommendations"];
    begins(
        &recommendations["investigation_areas"],
        &[
            "node capacity",
            "pod requests and limits",
            "network",
            "mongodb: connection pool",
            "rabbitmq: throughput",
            "contention and throttling",
        ],
    );
    begins(
        &recommendations["next_steps"],
        &["share", "capacity meeting", "scaling plan", "autoscaling", "alerts", "re-run"],
    );
}
