//! Rates instead of levels, on a clock that is held: it is moved on to each moment.

use focus_contract::client::rest::Request;
use focus_mock::sim::clock::Mode;
use serde_json::{Value, json};

use crate::rig::{Limited, limits, results_in, series_in};

#[test]
fn every_shape_is_met_by_a_server_that_has_room() {
    for (shape, configures, demands) in [
        ("steady", 225, 1),
        ("ramp", 150, 1),
        ("spike", 160, 1),
        ("sustained", 12, 1),
        ("recovery", 10, 2),
        ("peak", 100, 2),
        ("exhaustion", 225, 1),
    ] {
        let mock = Limited::start(Mode::Manual, &[]);
        let kube = mock.kube();
        let said = mock.capacity(&["--shape", shape, "--kube", &kube, "--environment", "local"]).with(0);
        said.says(&format!("shape {shape}: passed")).says("series: ");
        let results = results_in(mock.folder.path());
        let run = ["kind", "shape"].map(|key| results["run"][key].clone());
        assert_eq!(run, [json!("shape"), json!(shape)]);
        let counts = ["attempted", "succeeded"].map(|key| results["totals"][key].clone());
        assert_eq!(counts, [json!(configures), json!(configures)], "{shape}");
        let level = &results["levels"][0];
        assert_eq!((&level["level"], &level["reason"]), (&json!(configures), &Value::Null), "{shape}");
        assert_eq!(results["verdict"]["demands"].as_array().map(Vec::len), Some(demands), "{shape}");
        let series = series_in(mock.folder.path());
        assert_eq!((&series[0]["kind"], &series[0]["shape"]), (&json!("shape"), &json!(shape)));
        assert_eq!(mock.jobs(), 0, "{shape}");
    }
}

/// The moments are those of the server's clock: in the 60 s of the shape the idle sweep has removed the first jobs, the
/// slots of which are given again.
#[test]
fn the_server_lives_as_long_as_the_shape_lasts() {
    let mock = Limited::start(Mode::Manual, &[limits(&json!({"max_jobs": 11}))]);
    mock.capacity(&["--shape", "sustained"]).with(0).says("100.00% succeeded, at least 90.00% wanted: met");
    let seconds = results_in(mock.folder.path())["totals"]["duration_s"].as_f64().expect("a number");
    // The last one is due after 55; two more let slots become free at the end.
    assert!((55.0..60.0).contains(&seconds), "{seconds}");
}

#[test]
fn a_shape_that_is_missed_fails_with_its_demand() {
    // Room for 79 of 100: enough for neither demand.
    let mock = Limited::start(Mode::Manual, &[limits(&json!({"max_jobs": 79}))]);
    mock.capacity(&["--shape", "peak"])
        .with(1)
        .says("error: 21 x 503 CAPACITY_EXHAUSTED")
        .says("shape peak: 79.00% succeeded, at least 85.00% wanted: missed")
        .says("jobs a second, at least 4.00 wanted: missed")
        .says("shape peak: failed");
    let results = results_in(mock.folder.path());
    let met: Vec<_> = results["verdict"]["demands"].as_array().expect("demands").iter().collect();
    assert_eq!(met.iter().map(|demand| &demand["met"]).collect::<Vec<_>>(), [false, false]);
    assert_eq!(series_in(mock.folder.path())[0]["passed"], false);
    let profile = mock.folder.path().join("lenient.yaml");
    std::fs::write(&profile, "shapes: { peak: { success: 0.5, per_second: 3 } }\n").expect("a profile");
    mock.capacity(&["--shape", "peak", "--thresholds", &profile.to_string_lossy()]).with(0);
}

#[test]
fn a_server_that_waits_for_its_clock_is_as_slow_as_the_clock_says() {
    let fault = json!({"id": "slow", "at": "rest.configure.before", "delay": "7s"});
    let mock = Limited::start(Mode::Manual, &[Request::post("/__mock/faults", &fault)]);
    mock.capacity(&["--shape", "sustained"]).with(0);
    let latency = results_in(mock.folder.path())["totals"]["latency_ms"]["mean"].as_f64().expect("a number");
    assert!((latency - 7_000.0).abs() < f64::EPSILON, "{latency}");
}
