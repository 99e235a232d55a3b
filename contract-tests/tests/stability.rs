//! `focus-contract stability` against servers that stay as they are, and against some that do not.

#[path = "cli/common.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "only a part of what the tests of the binary share is used here"
)]
mod common;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::{Ended, Server, answer, ended, focus_contract};
use focus_contract::client::admin::Admin;
use focus_contract::client::rest::Request;
use focus_contract::series;
use focus_mock::sim::clock::Mode;
use focus_mock::{Config, MockServer};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A mock that runs already, as the binary reaches it.
struct Running {
    mock: MockServer,
    folder: TempDir,
    /// Somebody who only waits: the tests of this file share their process, whose memory says nothing of one mock.
    process: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Running {
    fn start(clock: Mode, faults: &[Value]) -> Self {
        let mock = MockServer::start(Config { clock, ..Config::default() }).expect("a mock");
        let process = Command::new("cat").stdin(Stdio::piped()).spawn().expect("a process");
        let started = Self { mock, folder: tempfile::tempdir().expect("a folder"), process };
        for fault in faults {
            started.tell(Request::post("/__mock/faults", fault));
        }
        started
    }

    fn admin(&self) -> String {
        format!("http://{}", self.mock.admin().expect("an admin interface"))
    }

    fn tell(&self, request: Request) -> Value {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(Admin::of(&self.admin()).expect("a client").call(request)).expect("an answer")
    }

    fn clock(&self) -> Value {
        self.tell(Request::get("/__mock/clock"))
    }

    /// How many jobs there are now.
    fn jobs(&self) -> usize {
        let state = self.tell(Request::get("/__mock/state"));
        let jobs = state["jobs"].as_array().expect("jobs");
        jobs.iter().filter(|job| job["state"] != "cancelled").count()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let (base, admin) = (self.mock.base_url(), self.admin());
        let pid = self.process.id().to_string();
        let server =
            ["stability", "--target", &base, "--admin", &admin, "--allow-writes", "--server-pid", &pid];
        focus_contract(&[&server[..], arguments].concat())
    }

    fn stability(&self, arguments: &[&str]) -> Ended {
        let folder = self.place();
        ended(self.command(&[&["--report-dir", &folder], arguments].concat()))
    }

    fn place(&self) -> String {
        self.folder.path().to_string_lossy().into_owned()
    }
}

/// The reports of a folder, without baselines.
fn reports(folder: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(folder).expect("the folder").flatten().map(|entry| entry.path());
    let is_report = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("stability_") && !name.starts_with("stability_baseline") && name.ends_with(".json")
    };
    let mut reports: Vec<_> = names.filter(is_report).collect();
    reports.sort();
    reports
}

/// A report, which is as its schema says.
fn report_at(path: &Path) -> Value {
    let report = serde_json::from_str(&fs::read_to_string(path).expect("the report")).expect("JSON");
    let schema = include_str!("../schema/stability-report.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).expect("JSON")).expect("a schema");
    let breaches: Vec<_> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
    assert_eq!(breaches, Vec::<String>::new());
    report
}

/// The one report of a folder.
fn report_in(folder: &Path) -> (PathBuf, Value) {
    let found = reports(folder);
    assert_eq!(found.len(), 1, "{found:?}");
    (found[0].clone(), report_at(&found[0]))
}

fn outcome(report: &Value, rule: &str) -> String {
    let rules = report["rules"].as_array().expect("rules");
    let found = rules.iter().find(|finding| finding["rule"] == rule).expect("the rule");
    found["outcome"].as_str().expect("an outcome").to_owned()
}

#[test]
fn an_hour_of_a_held_clock_has_every_sample_and_goes_on_as_before() {
    let running = Running::start(Mode::System, &[]);
    let before = running.clock()["now_ms"].as_i64().expect("a time");
    running
        .stability(&["--environment", "staging"])
        .with(0)
        .says("sample   12 of 12: 1 of 1 configures")
        .says("run on staging: passed")
        .says("kept        live jobs back to what they were: 0 after 0 s")
        .says("which later runs are compared with");
    let clock = running.clock();
    assert_eq!(clock["mode"], "system");
    let passed = clock["now_ms"].as_i64().expect("a time") - before;
    assert!((3_600_000..3_660_000).contains(&passed), "{passed} ms");
    assert_eq!(running.jobs(), 0);
    let (path, report) = report_in(running.folder.path());
    assert_eq!((&report["complete"], &report["clock_before"]), (&json!(true), &json!("system")));
    let samples = report["samples"].as_array().expect("samples");
    let at: Vec<_> = samples.iter().map(|sample| sample["at_seconds"].as_f64()).collect();
    assert_eq!(at, (0..12).map(|number| Some(f64::from(number) * 300.0)).collect::<Vec<_>>());
    // Each job is gone by its sweep when the next one comes.
    let live: Vec<_> = samples.iter().map(|sample| sample["live_jobs"].as_u64()).collect();
    assert_eq!(live, [Some(1); 12]);
    assert!(samples.iter().all(|sample| sample["server"]["memory_bytes"].as_u64() > Some(0)));
    assert_eq!(outcome(&report, "server_memory_growth"), "kept");
    for kind in ["html", "md"] {
        assert!(path.with_extension(kind).exists(), "{kind}");
    }
    let (entries, unread) = series::read(&running.folder.path().join(series::SERIES)).expect("the series");
    assert_eq!((entries.len(), unread.len()), (1, 0));
    assert_eq!((entries[0].kind, entries[0].passed), (series::Kind::Stability, true));
    let rates = entries[0].figures[&series::Figure::SuccessRatio];
    assert!((rates - 1.0).abs() < 1e-9);
}

#[test]
fn a_short_run_becomes_a_baseline_only_where_one_is_named() {
    let running = Running::start(Mode::System, &[]);
    let baseline = running.folder.path().join("stability_baseline_staging.json");
    running.stability(&["--duration", "59m"]).with(0);
    assert!(!baseline.exists());
    let named = running.folder.path().join("short.json");
    running
        .stability(&["--duration", "59m", "--baseline", &named.to_string_lossy()])
        .with(0)
        .says("short.json, which later");
    assert!(named.exists() && !baseline.exists());
    running
        .stability(&[])
        .with(0)
        .says("stability_baseline_staging.json, which later runs are compared with");
    let other = ["--duration", "30m"];
    running.stability(&other).with(0).says("; delete it, or name another with --baseline");
}

#[test]
fn the_second_run_is_compared_with_the_first_and_its_proposal_is_a_profile() {
    let running = Running::start(Mode::System, &[]);
    running.stability(&[]).with(0);
    let first = reports(running.folder.path())[0].clone();
    running.stability(&[]).with(0).says("against the baseline ").says("proposed thresholds:\nstability:\n");
    let second = reports(running.folder.path()).into_iter().find(|path| *path != first).expect("another");
    let comparison = &report_at(&second)["comparison"];
    assert_eq!(comparison["baseline"], first.file_name().expect("a name").to_string_lossy().as_ref());
    let figures: Vec<_> = comparison["figures"].as_array().expect("figures").iter().collect();
    assert_eq!((&figures[0]["figure"], &figures[0]["ratio"]), (&json!("success_ratio"), &json!(1.0)));
    let profile = running.folder.path().join("proposed.yaml");
    fs::write(&profile, comparison["proposal"].as_str().expect("a proposal")).expect("a file");
    let profile = profile.to_string_lossy().into_owned();
    running.stability(&["--soak", "4h", "--thresholds", &profile]).says("soak-4h on staging: passed");
    let baseline = running.folder.path().join("stability_baseline_staging_soak-4h.json");
    assert!(baseline.exists(), "a soak is compared with soaks");
}

#[test]
fn a_server_that_refuses_every_third_configure_breaks_a_hard_rule() {
    let third = json!({"id": "third", "at": "rest.configure.before", "when": {"every": 3},
                       "do": {"status": {"code": 503, "body": "busy"}}});
    let running = Running::start(Mode::System, &[third]);
    running
        .stability(&[])
        .with(1)
        .says("sample    3 of 12: 0 of 1 configures")
        .says("503: busy")
        .says("run on staging: failed")
        .says("BROKEN      success: 8 of 12 configures (66.67 %) (at least 90 %)");
    let (_, report) = report_in(running.folder.path());
    assert_eq!(report["samples"][2]["configures"][0]["refusal"], json!({"code": "503", "text": "busy"}));
    assert!(!running.folder.path().join("stability_baseline_staging.json").exists());
}

/// Reads what it says until a line begins so.
fn until(running: &mut Child, begin: &str) {
    let lines = BufReader::new(running.stdout.as_mut().expect("its words")).lines();
    assert!(lines.map(|line| line.expect("text")).any(|line| line.starts_with(begin)), "no {begin:?}");
}

#[test]
fn what_kill_9_leaves_is_resumed_with_the_samples_that_are_missing() {
    // From the second sample on it is asked whether the job before is gone; the fourth never comes to know, since a clock
    // that is held is moved for configures only.
    let hang = json!({"id": "hang", "at": "rest.metadata.before", "when": {"after": 2}, "delay": "1h"});
    let running = Running::start(Mode::System, &[hang]);
    let mut command = running.command(&["--report-dir", &running.place()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary");
    until(&mut child, "sample    3 of 12");
    child.kill().expect("its end");
    child.wait().expect("its end");
    let (path, report) = report_in(running.folder.path());
    assert_eq!((report["samples"].as_array().map(Vec::len), &report["complete"]), (Some(3), &json!(false)));
    assert_eq!(report["jobs_left"].as_array().map(Vec::len), Some(1), "the third job lives");
    assert_eq!(running.clock()["mode"], "manual", "nobody could let it go");
    let delete = Request::of(reqwest::Method::DELETE, "/__mock/faults/hang");
    running.tell(delete);
    let path = path.to_string_lossy().into_owned();
    let resume = || ended(running.command(&["--resume", &path]));
    resume()
        .with(0)
        .says("resumed after sample 3, ")
        .says("sample    4 of 12")
        .says("run on staging: passed");
    let (_, report) = report_in(running.folder.path());
    let numbers: Vec<_> =
        report["samples"].as_array().expect("samples").iter().map(|one| one["number"].clone()).collect();
    assert_eq!(json!(numbers), json!((1..=12).collect::<Vec<_>>()));
    assert_eq!((&report["gaps"][0]["after_sample"], &report["complete"]), (&json!(3), &json!(true)));
    assert_eq!(running.clock()["mode"], "system", "as it was before the run that was killed");
    assert_eq!(running.jobs(), 0);
    resume().with(2).complains("it is complete: there is nothing to resume");
}

const CONFIGURED: &str = r#"{"job_id":"1-7","stream_port":5000,"stream_url":"http://127.0.0.1","view_type":0,
    "stream_amount":1,"channel_amount":10,"channel_to_stream_index":{"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,
    "9":0,"10":0},"frequencies_amount":1,"frequencies_list":[0.5],"lines_dt":0.0125}"#;

/// A server of one job that shows nothing of itself; jobs are gone once they are cancelled.
fn blind() -> Server {
    Server::start(|asked| match asked.line.as_str() {
        "POST /configure" => answer(200, "", CONFIGURED.as_bytes()),
        line if line.starts_with("GET /metadata") => answer(404, "", b"{}"),
        _ => answer(200, "", b"{}"),
    })
}

#[test]
fn a_mock_tells_of_its_own_process() {
    let running = Running::start(Mode::System, &[]);
    let (base, admin, place) = (running.mock.base_url(), running.admin(), running.place());
    let target =
        ["stability", "--target", &base, "--admin", &admin, "--allow-writes", "--report-dir", &place];
    let status = ended(focus_contract(&target)).status;
    // The process of this test may grow by whatever the tests beside it do.
    assert!([0, 1].contains(&status), "{status}");
    let (_, report) = report_in(running.folder.path());
    assert!(report["figures"]["server_memory_bytes"]["first"].as_f64() > Some(10e6), "{report:#}");
}

#[test]
fn what_nobody_shows_is_told_and_not_passed_over() {
    let (server, folder) = (blind(), tempfile::tempdir().expect("a folder"));
    let place = folder.path().to_string_lossy().into_owned();
    let short = ["--duration", "1ms", "--interval", "1ms", "--report-dir", &place];
    let target = ["stability", "--target", &server.base, "--allow-writes"];
    ended(focus_contract(&[&target[..], &short].concat()))
        .with(0)
        .says("not judged  memory growth of the server: nothing shows the server's process")
        .says("not judged  restarts of the server's pods: nothing shows the server's pods")
        .says("not judged  live jobs back to what they were: nothing shows live jobs")
        .says("kept        the run's own jobs gone: all gone");
    assert_eq!(server.asked(), ["GET /ack", "POST /configure", "DELETE /job/1-7", "GET /metadata/1-7"]);
}

#[test]
fn an_interrupted_run_cancels_its_jobs_and_can_go_on() {
    let (server, folder) = (blind(), tempfile::tempdir().expect("a folder"));
    let place = folder.path().to_string_lossy().into_owned();
    let mut command =
        focus_contract(&["stability", "--target", &server.base, "--allow-writes", "--report-dir", &place]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary");
    // The next one is due in five minutes.
    until(&mut child, "sample    1 of 12");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    assert_eq!(child.wait().expect("its end").code(), Some(130));
    let (path, report) = report_in(folder.path());
    assert_eq!((report["samples"].as_array().map(Vec::len), &report["complete"]), (Some(1), &json!(false)));
    assert_eq!(report["jobs_left"], json!([]));
    assert!(server.asked().contains(&String::from("DELETE /job/1-7")), "{:?}", server.asked());
    // Somewhere else it is another run.
    let path = path.to_string_lossy().into_owned();
    let other = blind();
    let target = ["stability", "--target", &other.base, "--allow-writes", "--resume", &path];
    ended(focus_contract(&target)).with(2).complains("the run was against ").complains(&other.base);
}

/// A mock that answers as a function says when its clock shall be moved.
fn with_clock(advance: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Server {
    Server::start(move |asked| match asked.line.as_str() {
        "POST /configure" => answer(200, "", CONFIGURED.as_bytes()),
        "GET /__mock/clock" => answer(200, "", br#"{"mode":"scaled:10","now_ms":0,"waiters":[]}"#),
        "GET /__mock/state" => answer(200, "", br#"{"jobs":[]}"#),
        "POST /__mock/clock/advance" => advance(),
        line if line.starts_with("GET /metadata") => answer(404, "", b"{}"),
        _ => answer(200, "", b"{}"),
    })
}

#[test]
fn a_clock_that_cannot_be_moved_ends_the_run_and_goes_as_before() {
    let server = with_clock(|| answer(500, "", b"no"));
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_string_lossy().into_owned();
    let arguments = ["stability", "--target", &server.base, "--admin", &server.base, "--allow-writes"];
    ended(focus_contract(&[&arguments[..], &["--report-dir", &place]].concat())).with(2).complains(
        "the admin interface refuses /__mock/clock/advance: 500 no; what was seen is kept: --resume ",
    );
    let asked = server.asked();
    assert_eq!(asked.last().map(String::as_str), Some("PUT /__mock/clock"), "{asked:?}");
    assert!(asked.contains(&String::from("DELETE /job/1-7")), "{asked:?}");
    assert_eq!(report_in(folder.path()).1["clock_before"], "scaled:10");
}

#[test]
fn on_a_held_clock_a_response_takes_as_long_as_that_clock_says_and_what_it_takes_for_real() {
    // Half of the responses take an hour of it; in real time none takes one.
    let slow = json!({"id": "slow", "at": "rest.configure.before", "when": {"every": 2}, "delay": "1h"});
    let running = Running::start(Mode::System, &[slow]);
    let ended = running.stability(&["--duration", "20h", "--interval", "5h"]);
    ended.with(0).says("sample    4 of 4: 1 of 1 configures");
    let (_, report) = report_in(running.folder.path());
    let samples = report["samples"].as_array().expect("samples");
    let latencies = samples.iter().map(|sample| sample["configures"][0]["latency_ms"].as_f64().unwrap());
    let latencies: Vec<_> = latencies.collect();
    let hours: Vec<_> = latencies.iter().map(|latency| (latency / 3_600_000.0).floor()).collect();
    assert_eq!(hours, [0.0, 1.0, 0.0, 1.0], "{latencies:?}");
    assert!(latencies[0] > 0.0 && latencies[1] > 3_600_000.0, "{latencies:?}");
    let at: Vec<_> = samples.iter().map(|sample| sample["at_seconds"].as_f64()).collect();
    assert_eq!(at, [0.0, 18_000.0, 36_000.0, 54_000.0].map(Some), "what takes long moves nothing after it");
}

#[test]
fn pods_are_seen_through_the_kubernetes_api() {
    let running = Running::start(Mode::System, &[]);
    let (base, kube) = (running.mock.base_url(), running.mock.kube_url().expect("an API"));
    let place = running.place();
    let short = ["--duration", "1ms", "--interval", "1ms", "--report-dir", &place];
    let target = ["stability", "--target", &base, "--kube", &kube, "--allow-writes"];
    ended(focus_contract(&[&target[..], &short].concat()))
        .with(0)
        .says("restarts of the server's pods: 0 (at most 0)");
    let (_, report) = report_in(running.folder.path());
    let sample = &report["samples"][0];
    // What every container of a simulated pod uses.
    assert_eq!(sample["server"]["memory_bytes"], 512 * 1024 * 1024);
    assert_eq!((&sample["live_jobs"], &sample["restarts"]), (&json!(1), &json!(0)));
    assert_eq!((&report["live_jobs_before"], &report["ending"]["live_jobs"]), (&json!(0), &json!(0)));
    assert_eq!(outcome(&report, "live_jobs"), "kept");
}

#[test]
fn what_cannot_be_done_is_said_before_a_server_is_asked() {
    let server = Server::start(|_| answer(200, "", b""));
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path.to_string_lossy().into_owned()
    };
    let place = folder.path().to_string_lossy().into_owned();
    let stability = |arguments: &[&str]| {
        ended(focus_contract(&[&["stability", "--target", &server.base], arguments].concat())).with(2)
    };
    stability(&[]).complains("a stability run creates jobs: --allow-writes gives leave to");
    let leave = |arguments: &[&str]| stability(&[&["--allow-writes"], arguments].concat());
    let here = |arguments: &[&str]| leave(&[&["--report-dir", &place], arguments].concat());
    here(&["--duration", "0s"]).complains("--duration is 0");
    here(&["--interval", "0s"]).complains("--interval is below 1ms");
    here(&["--interval", "61m"]).complains("--interval 3660s is longer than --duration 3600s");
    here(&["--interval", "soon"]).complains("\"soon\" is no time such as 90s, 5m or 1h");
    here(&["--jobs", "0"]).complains("0 is not in 1..=1000");
    here(&["--soak", "8h"]).complains("4h, 24h");
    here(&["--soak", "4h", "--jobs", "2"]).complains("cannot be used with");
    here(&["--server-pid", "0"]).complains("0 is not in 1..");
    let odd = file("odd.yaml", "stability: { success: { least: 1 } }\n");
    here(&["--thresholds", &odd]).complains("line 1").complains("least");
    let broken = file("broken.json", "{");
    here(&["--baseline", &broken]).complains("the baseline ").complains("EOF");
    fs::write(folder.path().join("stability_baseline_staging.json"), "[]").expect("a file");
    here(&[]).complains("stability_baseline_staging.json: ");
    leave(&["--report-dir", &format!("{broken}/below")]).complains("cannot be made");
    leave(&["--resume", "/nowhere.json"]).complains("--resume /nowhere.json");
    leave(&["--resume", &broken]).complains("it is no stability report that could be read");
    leave(&["--resume", &file("gap.json", r#"{"report_metadata": {}}"#)])
        .complains("it is no stability report");
    for contradicting in [["--duration", "1h"], ["--jobs", "2"], ["--soak", "4h"], ["--report-dir", &place]] {
        leave(&[&["--resume", &broken], &contradicting[..]].concat()).complains("cannot be used with");
    }
    assert_eq!(server.asked(), Vec::<String>::new());
}
