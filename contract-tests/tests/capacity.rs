//! `focus-contract capacity` against servers that carry less than they should.

#[path = "cli/common.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "only a part of what the tests of the binary share is used here"
)]
mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Ended, Server, answer, ended, focus_contract};
use focus_contract::capacity::run::{Event, run};
use focus_contract::capacity::{self, Measured, Plan};
use focus_contract::client::admin::Admin;
use focus_contract::client::rest::Request;
use focus_contract::stop::Stop;
use focus_contract::target::Remote;
use focus_mock::sim::clock::Mode;
use focus_mock::{Config, MockServer};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A mock that runs already, as the binary reaches it.
struct Limited {
    mock: MockServer,
    folder: TempDir,
}

impl Limited {
    /// With a clock that only the run moves, so that its pauses take no time.
    fn start(clock: Mode, changes: &[Request]) -> Self {
        let mock = MockServer::start(Config { clock, ..Config::default() }).expect("a mock");
        let started = Self { mock, folder: tempfile::tempdir().expect("a folder") };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let admin = Admin::of(&started.admin()).expect("a client");
        for change in changes {
            runtime.block_on(admin.call(change.clone())).expect("a change");
        }
        started
    }

    fn admin(&self) -> String {
        format!("http://{}", self.mock.admin().expect("an admin interface"))
    }

    fn capacity(&self, arguments: &[&str]) -> Ended {
        let (base, admin) = (self.mock.base_url(), self.admin());
        let server = ["capacity", "--target", &base, "--admin", &admin, "--allow-writes"];
        let folder = self.folder.path().to_string_lossy().into_owned();
        ended(focus_contract(&[&server[..], &["--report-dir", &folder], arguments].concat()))
    }

    /// How many jobs there are now.
    fn jobs(&self) -> usize {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let state = runtime.block_on(Admin::of(&self.admin()).expect("a client").state()).expect("a state");
        let jobs = state["jobs"].as_array().expect("jobs");
        jobs.iter().filter(|job| job["state"] != "cancelled").count()
    }

    fn report(&self) -> Value {
        report_in(self.folder.path())
    }
}

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder").flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == kind)).collect()
}

/// The one report of a folder, which is as its schema says, with its page and its summary beside it.
fn report_in(folder: &Path) -> Value {
    let [json, _, _] = ["json", "html", "md"].map(|kind| {
        let found = files(folder, kind);
        assert_eq!(found.len(), 1, "{kind}: {found:?}");
        found[0].clone()
    });
    let report = serde_json::from_str(&fs::read_to_string(json).expect("the report")).expect("JSON");
    let schema = include_str!("../schema/infra-gap-report.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).expect("JSON")).expect("a schema");
    let breaches: Vec<_> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
    assert_eq!(breaches, Vec::<String>::new(), "{report:#}");
    report
}

fn limits(max_jobs: u32) -> Request {
    let body = json!({"max_jobs": max_jobs});
    Request { method: reqwest::Method::PATCH, ..Request::post("/__mock/limits", &body) }
}

#[test]
fn a_server_with_room_for_40_jobs_carries_20_and_fails_at_50() {
    let limited = Limited::start(Mode::Manual, &[limits(40)]);
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
    let limited = Limited::start(Mode::Manual, &[limits(8)]);
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
    assert_eq!(files(limited.folder.path(), "json").len(), 3, "each of them is reported");
}

#[test]
fn a_target_that_is_met_is_reported_on_request_only() {
    let mock = Limited::start(Mode::Manual, &[]);
    mock.capacity(&["--jobs", "5"]).with(0).says("capacity 5 of 5 on staging: passed");
    assert_eq!(files(mock.folder.path(), "json"), Vec::<PathBuf>::new());
    mock.capacity(&["--jobs", "5", "--report", "always"]).with(0).says("report: ");
    assert_eq!(mock.report()["capacity_analysis"]["capacity_met"], true);
}

#[test]
fn jobs_that_accumulate_need_room_for_all_levels_together() {
    let limited = Limited::start(Mode::Manual, &[limits(12)]);
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
    let slow = json!({"id": "slow", "at": "rest.configure.before", "delay": "60ms"});
    let mock = Limited::start(Mode::System, &[Request::post("/__mock/faults", &slow)]);
    let profile = mock.folder.path().join("strict.yaml");
    fs::write(&profile, "latency_ms: { good: 1, acceptable: 2, poor: 50 }\n").expect("a profile");
    let profile = profile.to_string_lossy().into_owned();
    let arguments = ["--jobs", "5", "--report", "always", "--thresholds", &profile];
    mock.capacity(&arguments).with(0).says("bottleneck: Slow provisioning: mean creation latency ");
    let report = mock.report();
    assert_eq!(report["bottleneck_analysis"]["latency_issues"], true);
    assert_eq!(report["bottleneck_analysis"]["high_failure_rate"], false);
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
    let configures = server.asked().iter().filter(|line| *line == "POST /configure").count();
    assert_eq!(configures, 10, "nothing is asked twice");
}

/// A run of 3 jobs against a server that names jobs in its own way, and what it says of them when it is asked.
fn against(names: fn(usize) -> (String, u16), metadata: u16) -> (Measured, Vec<String>) {
    let named = AtomicUsize::new(0);
    let server = Server::start(move |asked| match asked.line.split_once(' ') {
        Some(("POST", _)) => {
            let (id, port) = names(named.fetch_add(1, Ordering::SeqCst));
            let channels: serde_json::Map<_, _> = (1..=10).map(|n| (n.to_string(), json!(0))).collect();
            let job = json!({"job_id": id, "stream_port": port, "stream_url": "http://127.0.0.1", "view_type": 0,
                             "stream_amount": 1, "channel_amount": 10, "channel_to_stream_index": channels,
                             "frequencies_amount": 1, "frequencies_list": [0.5], "lines_dt": 0.0125});
            answer(200, "", job.to_string().as_bytes())
        }
        Some(("GET", _)) => answer(metadata, "", b"{}"),
        _ => answer(200, "", b"{}"),
    });
    let remote = Remote { base: server.base.clone(), allow_writes: true, ..Remote::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let plan = Plan { pause: Duration::ZERO, clean_up: Duration::ZERO, workers: 1, ..Plan::of(3) };
    let under_load = capacity::Server::of(&remote).expect("clients");
    let (stop, mut unseen) = (Stop::default(), |_: Event<'_>| {});
    let measured = runtime.block_on(run(&plan, &under_load, None, &stop, &mut unseen)).expect("a run");
    (measured, server.asked())
}

#[test]
fn a_job_counts_once_and_with_a_port_of_its_own() {
    let (fine, _) = against(|number| (format!("{}-{}", number + 1, number + 7), 5000 + number as u16), 404);
    assert_eq!((fine.succeeded(), fine.actual_capacity()), (3, 3));
    let (same_id, _) = against(|number| (String::from("1-7"), 5000 + number as u16), 404);
    assert_eq!((same_id.succeeded(), same_id.errors()["not unique"]), (1, 2));
    let reason = same_id.levels[0].reason().expect("a reason");
    assert_eq!(reason, "partial failure 1/3 (33.33%): job_id 1-7 was given before");
    let (same_port, _) = against(|number| (format!("{}-{}", number + 1, number + 7), 5000), 404);
    assert_eq!((same_port.succeeded(), same_port.errors()["not unique"]), (1, 2));
    let reason = same_port.levels[0].reason().expect("a reason");
    assert_eq!(reason, "partial failure 1/3 (33.33%): stream_port 5000 is that of job 1-7");
}

#[test]
fn every_job_is_cancelled_and_what_is_not_gone_then_is_told() {
    let names = |number| (format!("{}-{}", number + 1, number + 7), 5000 + number as u16);
    for (metadata, left) in
        [(404, vec![]), (200, vec!["1-7", "2-8", "3-9"]), (500, vec!["1-7", "2-8", "3-9"])]
    {
        let (measured, asked) = against(names, metadata);
        let mut deleted: Vec<_> = asked.iter().filter_map(|line| line.strip_prefix("DELETE /job/")).collect();
        deleted.sort_unstable();
        assert_eq!(deleted, ["1-7", "2-8", "3-9"]);
        assert_eq!(measured.left_behind, left, "{metadata}");
    }
}

#[test]
fn every_stream_of_every_job_is_read() {
    let mock = Limited::start(Mode::System, &[]);
    mock.capacity(&["--jobs", "3", "--stream", "--hold", "1"]).with(0).says("9 of 9 streams, ");
}

#[test]
fn what_cannot_be_done_is_said_before_a_server_is_asked() {
    let server = Server::start(|_| answer(200, "", b""));
    let capacity = |arguments: &[&str]| {
        ended(focus_contract(&[&["capacity", "--target", &server.base], arguments].concat())).with(2)
    };
    capacity(&[]).complains("a capacity run creates jobs: --allow-writes gives leave to");
    let leave = |arguments: &[&str]| capacity(&[&["--allow-writes"], arguments].concat());
    leave(&["--levels", "10,20"]).complains("--levels end at 20, below the target of 200 jobs");
    leave(&["--jobs", "20", "--levels", "20,10"]).complains("--levels 20,10: each level must be above");
    leave(&["--jobs", "20", "--minimum", "21"]).complains("--minimum 21 is above --jobs 20");
    leave(&["--thresholds", "/nowhere.yaml"]).complains("the thresholds /nowhere.yaml");
    leave(&["--shape", "wave"]).complains("steady, ramp, spike, sustained, recovery");
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("odd.yaml");
    fs::write(&profile, "latency: 3\n").expect("a profile");
    leave(&["--thresholds", &profile.to_string_lossy()]).complains("line 1").complains("latency");
    assert_eq!(server.asked(), Vec::<String>::new());
}
