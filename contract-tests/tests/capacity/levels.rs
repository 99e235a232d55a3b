//! Level after level, until one does not succeed fully.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use focus_contract::client::rest::Request;
use focus_mock::Config;
use focus_mock::sim::clock::Mode;
use serde_json::json;

use crate::common::{Server, answer, ended, focus_contract};
use crate::rig::{Limited, files, limits, report_in, series_in};

#[test]
fn a_server_with_room_for_40_jobs_carries_20_and_fails_at_50() {
    let limited = Limited::start(Mode::Manual, &[limits(&json!({"max_jobs": 40}))]);
    limited
        .capacity(&["--environment", "staging"])
        .with(1)
        .says("capacity 20 of 200 on staging: failed")
        .says("error: 10 x 503 CAPACITY_EXHAUSTED")
        .says("  1. Achieved level: 20 concurrent jobs of 200")
        .says("  2. First failing level: 50 (10 of 50 failed: partial failure 40/50 (80.00%): Capacity exhausted")
        .says("  3. Add nodes: the gap to 200 jobs is 180");
    let report = limited.report();
    let analysis = &report["capacity_analysis"];
    assert_eq!((&analysis["actual_capacity"], &analysis["gap"]), (&json!(20), &json!(180)));
    let levels: Vec<_> = analysis["levels"].as_array().expect("levels").iter().collect();
    let shown = levels.iter().map(|level| [&level["level"], &level["succeeded"], &level["failed"]]);
    assert_eq!(json!(shown.collect::<Vec<_>>()), json!([[10, 10, 0], [20, 20, 0], [50, 40, 10]]));
    let creation = &report["performance_metrics"]["job_creation"];
    let counts = ["total_jobs_attempted", "successful_jobs", "failed_jobs"].map(|key| creation[key].clone());
    assert_eq!(counts, [json!(80), json!(70), json!(10)]);
    assert_eq!(limited.jobs(), 0, "every job was cancelled");
}

#[test]
fn the_environment_decides_what_a_missed_target_means() {
    let limited = Limited::start(Mode::Manual, &[limits(&json!({"max_jobs": 8}))]);
    let missed = ["--jobs", "10", "--levels", "4,8,10"];
    limited
        .capacity(&[&missed[..], &["--environment", "DEV"]].concat())
        .with(0)
        .says("capacity 8 of 10 on DEV: passed with a warning")
        .says("  1. Achieved level: 8 concurrent jobs of 10; 2 of 10 jobs are missing to the target");
    limited
        .capacity(&[&missed[..], &["--environment", "dev", "--minimum", "9"]].concat())
        .with(1)
        .says("capacity 8 of 10 on dev: failed");
    limited
        .capacity(&[&missed[..], &["--environment", "local", "--minimum", "9"]].concat())
        .with(0)
        .says("capacity 8 of 10 on local: passed, for information only");
    assert_eq!(
        files(limited.folder.path(), "infra_gap_report_", ".json").len(),
        3,
        "each of them is reported"
    );
}

#[test]
fn a_target_that_is_met_is_reported_on_request_only() {
    let mock = Limited::start(Mode::Manual, &[]);
    mock.capacity(&["--jobs", "5"]).with(0).says("capacity 5 of 5 on staging: passed");
    assert_eq!(files(mock.folder.path(), "infra_gap_report_", ".json"), Vec::<PathBuf>::new());
    mock.capacity(&["--jobs", "5", "--report", "always"]).with(0).says("report: ");
    assert_eq!(mock.report()["capacity_analysis"]["capacity_met"], true);
}

#[test]
fn jobs_that_accumulate_need_room_for_all_levels_together() {
    let limited = Limited::start(Mode::Manual, &[limits(&json!({"max_jobs": 12}))]);
    let levels = ["--jobs", "8", "--levels", "5,8", "--environment", "local"];
    limited.capacity(&levels).with(0).says("capacity 8 of 8");
    limited
        .capacity(&[&levels[..], &["--accumulate"]].concat())
        .with(0)
        .says("capacity 5 of 8")
        .says("partial failure 7/8 (87.50%)");
    assert_eq!(limited.jobs(), 0);
}

#[test]
fn a_server_that_slows_down_is_told_by_its_latency() {
    // On a clock that is held, whoever waits for it makes it go on.
    let fault = json!({"id": "slow", "at": "rest.configure.before", "delay": "1.2s"});
    let mock = Limited::start(Mode::Manual, &[Request::post("/__mock/faults", &fault)]);
    let said = mock.capacity(&["--jobs", "5", "--report", "always"]).with(0);
    said.says("capacity 5 of 5").says("bottleneck: Slow provisioning: mean creation latency ");
    let report = mock.report();
    assert_eq!(report["bottleneck_analysis"]["latency_issues"], true);
    assert_eq!(report["bottleneck_analysis"]["high_failure_rate"], false);
    let actions = report["recommendations"]["immediate_actions"].to_string();
    assert!(actions.contains("Optimise start-up: mean creation latency "), "{actions}");
}

#[test]
fn a_profile_says_what_slow_means() {
    let slow = json!({"id": "slow", "at": "rest.configure.before", "delay": "60ms"});
    let mock = Limited::start(Mode::System, &[Request::post("/__mock/faults", &slow)]);
    let profile = mock.folder.path().join("strict.yaml");
    fs::write(&profile, "latency_ms: { good: 1, acceptable: 2, poor: 50 }\n").expect("a profile");
    let profile = profile.to_string_lossy().into_owned();
    let arguments = ["--jobs", "5", "--report", "always", "--thresholds", &profile];
    mock.capacity(&arguments).with(0).says("bottleneck: Slow provisioning: mean creation latency ");
    assert_eq!(mock.report()["bottleneck_analysis"]["latency_issues"], true);
}

#[test]
fn a_server_that_refuses_everything_is_reported_too() {
    let server = Server::start(|asked| match asked.line.as_str() {
        "GET /ack" => answer(200, "", b""),
        _ => answer(500, "", b"boom"),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_string_lossy().into_owned();
    let arguments = ["capacity", "--target", &server.base, "--allow-writes", "--report-dir", &place];
    ended(focus_contract(&arguments))
        .with(1)
        .says("capacity 0 of 200 on staging: failed")
        .says("error: 10 x 500")
        .says("First failing level: 10 (10 of 10 failed: complete failure 0/10: boom)");
    let report = report_in(folder.path());
    assert_eq!(report["capacity_analysis"]["actual_capacity"], 0);
    assert_eq!(report["bottleneck_analysis"]["high_failure_rate"], true);
    let entry = &series_in(folder.path())[0];
    assert_eq!((&entry["passed"], &entry["figures"]["success_ratio"]), (&json!(false), &json!(0.0)));
    assert_eq!(entry["figures"].get("latency_p95_seconds"), None, "what never succeeded was not quick");
    let configures = server.asked().iter().filter(|line| *line == "POST /configure").count();
    assert_eq!(configures, 10, "nothing is asked twice");
}

#[test]
fn every_stream_of_every_job_is_read() {
    let mock = Limited::start(Mode::System, &[]);
    mock.capacity(&["--jobs", "6", "--stream", "--hold", "1"]).with(0).says("18 of 18 streams, ");
}

#[test]
fn a_port_that_opens_late_is_dialled_until_it_is_open() {
    let mut config = Config { clock: Mode::System, ..Config::default() };
    config.setup.times.pod_start = Duration::from_secs(1);
    let mock = Limited::of(config, &[]);
    mock.capacity(&["--jobs", "6", "--stream", "--hold", "1"]).with(0).says("18 of 18 streams, ");
}
