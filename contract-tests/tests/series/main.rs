//! The trend over runs: its file, its metrics, and the dashboard and the alerts over them.

mod observability;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use focus_contract::series::{Entry, Figure, Kind, Level, SERIES, TEXTFILE, append, read};
use prometheus_parse::{Scrape, Value};

/// A run that ended so many seconds after a moment.
fn ended(at: i64, environment: &str) -> Entry {
    Entry {
        at: jiff::Timestamp::from_second(1_765_152_532 + at).expect("a time"),
        kind: Kind::Capacity,
        shape: None,
        environment: environment.to_owned(),
        target: String::from("http://127.0.0.1:5000"),
        passed: true,
        figures: BTreeMap::from([(Figure::CapacityActualJobs, 200.0)]),
        levels: Vec::new(),
    }
}

fn jobs(jobs: f64, entry: Entry) -> Entry {
    Entry { figures: BTreeMap::from([(Figure::CapacityActualJobs, jobs)]), ..entry }
}

/// One run of each kind, with every figure and a level.
pub(crate) fn everything() -> Vec<Entry> {
    let figures = || Figure::ALL.into_iter().zip(1..).map(|(figure, value)| (figure, f64::from(value) / 4.0));
    let level = Level { level: 50, success_ratio: 0.8, latency_p95_seconds: 0.25 };
    [(Kind::Capacity, None), (Kind::Shape, Some("ramp")), (Kind::Stability, None), (Kind::Soak4h, None)]
        .map(|(kind, shape)| Entry {
            kind,
            shape: shape.map(str::to_owned),
            figures: figures().collect(),
            levels: if kind == Kind::Capacity { vec![level] } else { Vec::new() },
            ..ended(0, "staging")
        })
        .into()
}

/// The metrics once all of these were appended, in this order.
pub(crate) fn metrics(entries: &[Entry]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in entries {
        append(folder.path(), entry).expect("room on the disk");
    }
    text(folder.path())
}

fn text(folder: &Path) -> String {
    fs::read_to_string(folder.join(TEXTFILE)).expect("the textfile")
}

/// The values of a metric, by the labels that are not empty.
fn values(text: &str, metric: &str) -> BTreeMap<String, f64> {
    let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).expect("Prometheus's format");
    let of = scrape.samples.into_iter().filter(|sample| sample.metric == metric);
    of.map(|sample| {
        let Value::Gauge(value) = sample.value else { panic!("{metric} is no gauge") };
        let labels: BTreeMap<_, _> = sample.labels.iter().filter(|(_, value)| !value.is_empty()).collect();
        (labels.into_values().cloned().collect::<Vec<_>>().join(" "), value)
    })
    .collect()
}

#[test]
fn the_metrics_are_those_of_the_newest_run_in_base_units() {
    let [capacity, ..] = &everything()[..] else { panic!("a run") };
    insta::assert_snapshot!(metrics(std::slice::from_ref(capacity)), @r##"
    # HELP focus_contract_run_passed Whether the newest run met what was demanded.
    # TYPE focus_contract_run_passed gauge
    focus_contract_run_passed{kind="capacity",shape="",environment="staging"} 1.0
    # HELP focus_contract_run_timestamp_seconds When it ended.
    # TYPE focus_contract_run_timestamp_seconds gauge
    focus_contract_run_timestamp_seconds{kind="capacity",shape="",environment="staging"} 1765152532.0
    # HELP focus_contract_configures Configures that the newest run sent.
    # TYPE focus_contract_configures gauge
    focus_contract_configures{kind="capacity",shape="",environment="staging"} 0.25
    # HELP focus_contract_success_ratio Share of its configures that succeeded.
    # TYPE focus_contract_success_ratio gauge
    focus_contract_success_ratio{kind="capacity",shape="",environment="staging"} 0.5
    # HELP focus_contract_latency_mean_seconds Mean latency of configures that succeeded.
    # TYPE focus_contract_latency_mean_seconds gauge
    focus_contract_latency_mean_seconds{kind="capacity",shape="",environment="staging"} 0.75
    # HELP focus_contract_latency_p95_seconds 95th percentile of their latency.
    # TYPE focus_contract_latency_p95_seconds gauge
    focus_contract_latency_p95_seconds{kind="capacity",shape="",environment="staging"} 1.0
    # HELP focus_contract_latency_p99_seconds 99th percentile of their latency.
    # TYPE focus_contract_latency_p99_seconds gauge
    focus_contract_latency_p99_seconds{kind="capacity",shape="",environment="staging"} 1.25
    # HELP focus_contract_latency_max_seconds Longest of their latencies.
    # TYPE focus_contract_latency_max_seconds gauge
    focus_contract_latency_max_seconds{kind="capacity",shape="",environment="staging"} 1.5
    # HELP focus_contract_duration_seconds How long it took.
    # TYPE focus_contract_duration_seconds gauge
    focus_contract_duration_seconds{kind="capacity",shape="",environment="staging"} 1.75
    # HELP focus_contract_left_behind_jobs Jobs that were not gone at its end.
    # TYPE focus_contract_left_behind_jobs gauge
    focus_contract_left_behind_jobs{kind="capacity",shape="",environment="staging"} 2.0
    # HELP focus_contract_capacity_target_jobs Concurrent jobs that were wanted.
    # TYPE focus_contract_capacity_target_jobs gauge
    focus_contract_capacity_target_jobs{kind="capacity",shape="",environment="staging"} 2.25
    # HELP focus_contract_capacity_minimum_jobs Concurrent jobs that would have been enough.
    # TYPE focus_contract_capacity_minimum_jobs gauge
    focus_contract_capacity_minimum_jobs{kind="capacity",shape="",environment="staging"} 2.5
    # HELP focus_contract_capacity_actual_jobs Concurrent jobs that succeeded fully.
    # TYPE focus_contract_capacity_actual_jobs gauge
    focus_contract_capacity_actual_jobs{kind="capacity",shape="",environment="staging"} 2.75
    # HELP focus_contract_frames Frames that were read.
    # TYPE focus_contract_frames gauge
    focus_contract_frames{kind="capacity",shape="",environment="staging"} 3.0
    # HELP focus_contract_frame_lateness_p99_seconds 99th percentile of how late they were.
    # TYPE focus_contract_frame_lateness_p99_seconds gauge
    focus_contract_frame_lateness_p99_seconds{kind="capacity",shape="",environment="staging"} 3.25
    # HELP focus_contract_runner_memory_growth_ratio Growth of used memory where the load came from.
    # TYPE focus_contract_runner_memory_growth_ratio gauge
    focus_contract_runner_memory_growth_ratio{kind="capacity",shape="",environment="staging"} 3.5
    # HELP focus_contract_server_memory_growth_ratio Growth of the server's memory since its second sample.
    # TYPE focus_contract_server_memory_growth_ratio gauge
    focus_contract_server_memory_growth_ratio{kind="capacity",shape="",environment="staging"} 3.75
    # HELP focus_contract_server_memory_bytes Memory of the server at the last sample.
    # TYPE focus_contract_server_memory_bytes gauge
    focus_contract_server_memory_bytes{kind="capacity",shape="",environment="staging"} 4.0
    # HELP focus_contract_cpu_drift_ratio Mean CPU of the last third of it against the first.
    # TYPE focus_contract_cpu_drift_ratio gauge
    focus_contract_cpu_drift_ratio{kind="capacity",shape="",environment="staging"} 4.25
    # HELP focus_contract_restarts Restarts of the server's pods during it.
    # TYPE focus_contract_restarts gauge
    focus_contract_restarts{kind="capacity",shape="",environment="staging"} 4.5
    # HELP focus_contract_level_success_ratio Share of a level's configures that succeeded.
    # TYPE focus_contract_level_success_ratio gauge
    focus_contract_level_success_ratio{kind="capacity",environment="staging",level="50"} 0.8
    # HELP focus_contract_level_latency_p95_seconds 95th percentile of a level's latency.
    # TYPE focus_contract_level_latency_p95_seconds gauge
    focus_contract_level_latency_p95_seconds{kind="capacity",environment="staging",level="50"} 0.25
    # EOF
    "##);
}

#[test]
fn a_run_of_each_kind_shape_and_environment_stands_side_by_side_and_the_newest_wins() {
    let shape = |name: &str, entry| Entry { kind: Kind::Shape, shape: Some(name.to_owned()), ..entry };
    let text = metrics(&[
        jobs(100.0, ended(0, "staging")),
        jobs(120.0, ended(60, "staging")),
        jobs(10.0, ended(30, "dev")),
        jobs(1.0, shape("ramp", ended(40, "dev"))),
        jobs(2.0, shape("spike", ended(41, "dev"))),
        // It began before the others and ended before them, but was slow to be written.
        jobs(90.0, ended(59, "staging")),
    ]);
    let got: Vec<_> = values(&text, "focus_contract_capacity_actual_jobs").into_iter().collect();
    let expected = [
        ("dev capacity", 10.0),
        ("dev shape ramp", 1.0),
        ("dev shape spike", 2.0),
        ("staging capacity", 120.0),
    ];
    assert_eq!(got, expected.map(|(labels, value)| (labels.to_owned(), value)));
}

/// What the node exporter's textfile collector refuses: timestamps, a family that is told twice, a last line that is cut.
#[test]
fn the_textfile_is_one_that_the_node_exporter_takes() {
    let text = metrics(&everything());
    assert!(text.ends_with('\n'));
    let (mut told, mut samples) = (BTreeSet::new(), BTreeSet::new());
    let mut family = String::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# ") {
            let words: Vec<_> = rest.splitn(3, ' ').collect();
            assert!(told.insert(format!("{} {}", words[0], words[1])), "{line} stands twice");
            family = words[1].to_owned();
            continue;
        }
        let (name, value) = line.rsplit_once(' ').expect("a sample");
        assert!(name.starts_with(&format!("{family}{{")) && name.ends_with('}'), "{line}: with a timestamp?");
        assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        assert!(samples.insert(name.to_owned()), "{line} stands twice");
    }
    for figure in Figure::ALL {
        let name = format!("focus_contract_{}", figure.name());
        assert!(told.contains(&format!("TYPE {name}")) && told.contains(&format!("HELP {name}")), "{name}");
        assert_eq!(values(&text, &name).len(), 4, "{name}");
    }
}

#[test]
fn a_figure_that_was_not_measured_is_not_told() {
    let text = metrics(&[ended(0, "staging")]);
    assert_eq!(values(&text, "focus_contract_restarts"), BTreeMap::new());
    assert_eq!(values(&text, "focus_contract_run_passed").len(), 1);
}

#[test]
fn a_name_with_anything_in_it_breaks_no_line() {
    let text = metrics(&[ended(0, "a\"b\\c\nd")]);
    assert!(text.contains(r#"environment="a\"b\\c\nd"} 200.0"#), "{text}");
}

#[test]
fn a_line_that_is_no_run_stays_and_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let series = folder.path().join(SERIES);
    append(folder.path(), &ended(0, "staging")).expect("room on the disk");
    let first = fs::read(&series).expect("the series");
    // Cut off within a line, and within a letter.
    let odd = [&first[..], b"{\"at\": 3}\n", "{\"environment\":\"sta\u{e9}".as_bytes()].concat();
    let odd = &odd[..odd.len() - 1];
    fs::write(&series, odd).expect("room on the disk");
    let appended = append(folder.path(), &ended(60, "staging")).expect("room on the disk");
    assert_eq!(appended.unread, [2, 3]);
    let now = fs::read(&series).expect("the series");
    assert!(now.starts_with(odd), "nothing that was there is lost");
    let (entries, unread) = read(&series).expect("the series");
    assert_eq!((entries, unread), (vec![ended(0, "staging"), ended(60, "staging")], vec![2, 3]));
    assert_eq!(values(&text(folder.path()), "focus_contract_run_timestamp_seconds").len(), 1);
}

#[test]
fn a_run_of_before_there_were_shapes_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let series = folder.path().join(SERIES);
    let line = r#"{"at":"2025-12-08T00:08:52Z","kind":"capacity","environment":"dev","target":"t","passed":true,"figures":{}}"#;
    fs::write(&series, format!("{line}\n")).expect("room on the disk");
    let (entries, unread) = read(&series).expect("the series");
    assert_eq!((entries.len(), unread), (1, Vec::new()));
}

/// Whoever has the file, here by hand, is waited for: what it writes meanwhile is among the metrics.
#[test]
fn a_run_waits_for_another_that_is_being_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut series = fs::File::create(folder.path().join(SERIES)).expect("the series");
    series.lock().expect("nobody else has it");
    let path = folder.path().to_owned();
    let appending = std::thread::spawn(move || append(&path, &ended(0, "dev")).expect("room on the disk"));
    // Time enough for one that does not wait.
    (0..100_000).take_while(|_| !appending.is_finished()).for_each(|_| std::thread::yield_now());
    let line = serde_json::to_string(&ended(60, "staging")).expect("JSON");
    std::io::Write::write_all(&mut series, format!("{line}\n").as_bytes()).expect("room on the disk");
    series.unlock().expect("it is ours");
    appending.join().expect("a run");
    let passed = values(&text(folder.path()), "focus_contract_run_passed");
    assert_eq!(passed.keys().collect::<Vec<_>>(), ["dev capacity", "staging capacity"]);
}

/// Each waits for the others from its line to its metrics, so that the last one has told all.
#[test]
fn runs_that_end_together_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        for number in 0..16 {
            let path = folder.path();
            scope.spawn(move || {
                append(path, &ended(number, &format!("e{number}"))).expect("room on the disk")
            });
        }
    });
    let (entries, unread) = read(&folder.path().join(SERIES)).expect("the series");
    assert_eq!((entries.len(), unread), (16, Vec::new()));
    assert_eq!(values(&text(folder.path()), "focus_contract_run_passed").len(), 16);
    let mut left: Vec<_> = fs::read_dir(folder.path())
        .expect("the folder")
        .flatten()
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    assert_eq!(left, [TEXTFILE, SERIES], "no half file is left");
}
