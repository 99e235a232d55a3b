//! What every run leaves for programs, whatever came of it.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;

use focus_mock::sim::clock::Mode;
use serde_json::{Value, json};

use crate::common::{Server, answer, focus_contract};
use crate::rig::{Limited, files, limits, results_in, series_in};

#[test]
fn a_run_that_needs_no_report_has_results() {
    let mock = Limited::start(Mode::Manual, &[]);
    let said = mock.capacity(&["--jobs", "4", "--levels", "2,4", "--workers", "3"]).with(0);
    let path = files(mock.folder.path(), "capacity_staging_", ".json");
    said.says(&format!("results: {}", path[0].display()));
    let results = results_in(mock.folder.path());
    assert_eq!(
        results["plan"],
        json!({"target_jobs": 4, "minimum_jobs": 4, "levels": [2, 4], "workers": 3, "pause_s": 2.0,
               "accumulate": false, "read_s": null, "clean_up_s": 60.0, "pod_running_s": 30.0,
               "payload": "view 0, channels 1-10, NFFT 512, 0-250 Hz, duration 10 s, height 800, live"})
    );
    assert_eq!(
        results["verdict"],
        json!({"passed": true, "words": "passed", "actual_jobs": 4, "standing": "met", "demands": []})
    );
    let run =
        ["kind", "shape", "environment", "interrupted", "broke_off"].map(|key| results["run"][key].clone());
    assert_eq!(run, [json!("capacity"), Value::Null, json!("staging"), json!(false), Value::Null]);
    for (level, configures) in results["levels"].as_array().expect("levels").iter().zip([2, 4]) {
        let counts = ["level", "attempted", "succeeded", "failed"].map(|key| level[key].clone());
        assert_eq!(counts, [configures, configures, configures, 0].map(Value::from));
        for distribution in ["latency_ms", "service_ms", "lag_ms"] {
            let [p50, p95, p99, max] =
                ["p50", "p95", "p99", "max"].map(|key| level[distribution][key].as_f64().expect("a number"));
            assert!(p50 <= p95 && p95 <= p99 && p99 <= max, "{level:#}");
            assert_eq!(level[distribution]["count"], configures, "{distribution}");
        }
    }
}

#[test]
fn each_run_is_a_line_of_the_series_and_the_newest_is_in_the_textfile() {
    let limited = Limited::start(Mode::Manual, &[limits(&json!({"max_jobs": 5}))]);
    limited.capacity(&["--jobs", "5", "--environment", "local"]).with(0).says("series: ");
    limited.capacity(&["--jobs", "10", "--levels", "5,10"]).with(1);
    let series = series_in(limited.folder.path());
    let shown = |entry: &Value| {
        let figures = [
            "configures",
            "success_ratio",
            "capacity_target_jobs",
            "capacity_minimum_jobs",
            "capacity_actual_jobs",
        ];
        let figures = figures.map(|key| entry["figures"][key].clone());
        json!([entry["environment"], entry["passed"], figures, entry["levels"].as_array().map(Vec::len)])
    };
    assert_eq!(
        series.iter().map(shown).collect::<Vec<_>>(),
        [
            json!(["local", true, [5.0, 1.0, 5.0, 4.0, 5.0], 1]),
            json!(["staging", false, [15.0, 10.0 / 15.0, 10.0, 8.0, 5.0], 2])
        ]
    );
    let text =
        std::fs::read_to_string(limited.folder.path().join("focus_contract.prom")).expect("a textfile");
    for line in [
        "focus_contract_run_passed{kind=\"capacity\",shape=\"\",environment=\"local\"} 1.0",
        "focus_contract_run_passed{kind=\"capacity\",shape=\"\",environment=\"staging\"} 0.0",
        "focus_contract_level_success_ratio{kind=\"capacity\",environment=\"staging\",level=\"10\"} 0.5",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} is missing in\n{text}");
    }
}

#[test]
fn a_run_that_is_interrupted_keeps_what_it_has() {
    let (arrived, was_asked) = channel();
    let (go_on, may_answer) = channel::<()>();
    let may_answer = Mutex::new(may_answer);
    let server = Server::start(move |asked| match asked.line.as_str() {
        "POST /configure" => {
            arrived.send(()).expect("the test waits");
            may_answer.lock().expect("the only one").recv().expect("the test says so");
            answer(503, "", br#"{"error":"full","code":"CAPACITY_EXHAUSTED"}"#)
        }
        _ => answer(200, "", b""),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let mut running =
        focus_contract(&["capacity", "--target", &server.base, "--allow-writes", "--jobs", "1"])
            .args(["--report-dir", &folder.path().to_string_lossy()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
    was_asked.recv().expect("a request");
    let pid = running.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    let mut said =
        std::io::BufRead::lines(std::io::BufReader::new(running.stderr.take().expect("its words")));
    let first = said.next().expect("a line").expect("text");
    assert!(first.contains("interrupted; cleaning up"), "{first}");
    go_on.send(()).expect("the server waits");
    assert_eq!(running.wait().expect("its end").code(), Some(130));
    let results = results_in(folder.path());
    assert_eq!(results["run"]["interrupted"], true);
    assert_eq!(
        (&results["verdict"]["passed"], &results["verdict"]["words"]),
        (&json!(false), &json!("interrupted"))
    );
    assert_eq!(results["totals"]["errors"], json!({"503 CAPACITY_EXHAUSTED": 1}));
    assert_eq!(series_in(folder.path()), Vec::<Value>::new(), "its figures are not the server's");
    let names =
        std::fs::read_dir(folder.path()).expect("the folder").flatten().map(|entry| entry.file_name());
    let reports = names.filter(|name| name.to_string_lossy().starts_with("infra_gap_report"));
    assert_eq!(reports.count(), 0, "what was not measured to its end says nothing of gaps");
}
