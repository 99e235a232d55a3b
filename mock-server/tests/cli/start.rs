//! What it says once it answers: the ready line, the port file, the banner.

use std::process::Stdio;

use super::child::{Ready, ask, configuration, focus_mock, json_of, listens, with_free};

#[test]
fn the_ready_line_is_one_line_of_json_with_addresses_that_answer() {
    let mock = Ready::with(&[]);
    let keys: Vec<_> = mock.said.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["event", "rest", "admin", "kube", "port_base", "pid", "version"]);
    assert_eq!(mock.said["event"], "ready");
    assert_eq!(mock.said["pid"], mock.program.pid());
    assert_eq!(mock.said["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(ask(mock.rest(), "GET", "/ack", ""), (200, String::new()));
    assert_eq!(ask(mock.admin(), "GET", "/readyz", ""), (200, String::from("ok")));
    let job = json_of(ask(mock.rest(), "POST", "/configure", &configuration()));
    assert_eq!(mock.job_port(&job).port(), mock.port_base() + 1);
    assert!(listens(mock.rest().ip(), mock.port_base() + 1), "the job's port");
}

#[cfg(unix)]
#[test]
fn nothing_but_the_ready_line_is_written_to_standard_output() {
    let mock = Ready::with(&["--clock", "manual"]);
    let job = json_of(ask(mock.rest(), "POST", "/configure", &configuration()));
    assert_eq!(job["job_id"], "1-1");
    mock.program.signal("TERM");
    let ended = mock.program.end_within(std::time::Duration::from_secs(30));
    assert_eq!((ended.stdout.as_str(), ended.status.code()), ("", Some(0)), "{}", ended.stderr);
}

#[test]
fn the_port_file_has_the_ready_line_and_appears_whole() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("mock.json");
    let path = file.clone();
    // Looks without a pause from before the start on, so that a file that appears in parts would be seen.
    let watcher = std::thread::spawn(move || {
        loop {
            if let Ok(text) = std::fs::read_to_string(&path) {
                return text;
            }
            std::thread::yield_now();
        }
    });
    let mock = Ready::with(&["--port-file", file.to_str().expect("a path of ASCII")]);
    let at_the_ready_line = std::fs::read_to_string(&file).expect("the file is there before the ready line");
    assert_eq!(at_the_ready_line, format!("{}\n", mock.line));
    assert_eq!(watcher.join().expect("the watcher"), at_the_ready_line);
    let entries = std::fs::read_dir(directory.path()).expect("the directory");
    let names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(names, ["mock.json"], "no other file is left");
}

#[test]
fn a_port_file_of_an_earlier_run_is_replaced() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "{\"event\":\"ready\",\"rest\":\"http://127.0.0.1:1\"}\nand more\n")
        .expect("written");
    let mock = Ready::with(&["--port-file", file.path().to_str().expect("a path of ASCII")]);
    assert_eq!(std::fs::read_to_string(file.path()).expect("the file"), format!("{}\n", mock.line));
}

#[test]
fn the_request_that_the_banner_proposes_makes_a_job() {
    let mock = Ready::with(&[]);
    mock.program.log.wait_for("curl");
    let banner = mock.program.log.text();
    let line =
        banner.lines().find_map(|line| line.trim().strip_prefix("curl -s ")).expect("a line with curl");
    let (url, body) = line.split_once(" -d ").expect("an URL and a body");
    let body = body.strip_prefix('\'').and_then(|body| body.strip_suffix('\'')).expect("a quoted body");
    let path = url.strip_prefix(mock.said["rest"].as_str().expect("a base")).expect("the REST base");
    // curl sends this type with -d.
    let job = json_of(ask(mock.rest(), "POST", path, body));
    assert_eq!((&job["job_id"], &job["status"]), (&"1-1".into(), &"success".into()));
}

#[test]
fn the_banner_names_every_address() {
    let mock = Ready::with(&[]);
    mock.program.log.wait_for("curl");
    let banner = mock.program.log.text();
    let base = u32::from(mock.port_base());
    for part in [
        format!("mock Focus Server {} answers", env!("CARGO_PKG_VERSION")),
        format!(
            "REST   http://{0}   also under http://{0}/focus-server; documentation at http://{0}/docs",
            mock.rest()
        ),
        format!("gRPC   127.0.0.1:{}-{}, one port per job", base + 1, base + 1024),
        format!("admin  http://{}", mock.admin()),
    ] {
        assert!(banner.contains(&part), "{part:?} is missing in\n{banner}");
    }
    assert_eq!(ask(mock.rest(), "GET", "/focus-server/ack", "").0, 200);
    assert_eq!(ask(mock.rest(), "GET", "/docs", "").0, 200);
}

#[test]
fn the_command_serve_is_what_happens_without_a_command() {
    let plain = Ready::with(&["--seed", "7", "--clock", "manual"]);
    let mut arguments = vec!["serve", "--seed", "7", "--clock", "manual"];
    arguments = with_free(&arguments);
    let named = Ready::of(focus_mock(&arguments));
    let of = |mock: &Ready| {
        let mut job = json_of(ask(mock.rest(), "POST", "/configure", &configuration()));
        job["stream_port"] = (mock.job_port(&job).port() - mock.port_base()).into();
        (job, json_of(ask(mock.admin(), "GET", "/__mock/state", ""))["cluster"].clone())
    };
    assert_eq!(of(&plain), of(&named));
}

#[test]
fn it_serves_also_when_nobody_reads_its_ready_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("mock.json");
    let mut command = focus_mock(&with_free(&["--port-file", file.to_str().expect("a path of ASCII")]));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    drop(child.stdout.take());
    let said: serde_json::Value = loop {
        if let Ok(text) = std::fs::read_to_string(&file) {
            break serde_json::from_str(&text).expect("the ready line");
        }
        assert_eq!(child.try_wait().expect("a child of ours"), None, "it ended");
        std::thread::yield_now();
    };
    let rest = said["rest"].as_str().and_then(|base| base.strip_prefix("http://")).expect("a base");
    let rest = rest.parse().expect("an address");
    // It has written to the closed pipe by the time it has answered some requests, or is about to: both are fine.
    for _ in 0..20 {
        assert_eq!(ask(rest, "GET", "/ack", "").0, 200);
    }
    assert_eq!(child.try_wait().expect("a child of ours"), None, "it ended");
    child.kill().expect("it runs");
    child.wait().expect("a child of ours");
}
