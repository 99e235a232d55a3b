//! Ctrl-C.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;

use crate::common::{Server, answer, focus_contract};

/// A job whose creation nobody has heard of yet is cancelled all the same, and the report is written.
#[test]
fn what_was_created_meanwhile_is_cleaned_up() {
    let (arrived, was_asked) = channel();
    let (go_on, may_answer) = channel::<()>();
    let may_answer = Mutex::new(may_answer);
    let server = Server::start(move |asked| match asked.line.as_str() {
        "POST /configure" => {
            arrived.send(()).expect("the test waits");
            may_answer.lock().expect("the only one").recv().expect("the test says so");
            answer(200, "content-type: application/json\r\n", br#"{"job_id":"1-1"}"#)
        }
        _ => answer(200, "", b""),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.json");
    let mut running =
        focus_contract(&["run", "--target", &server.base, "--allow-writes", "--only", "jobs/two-jobs"])
            .args(["--report", &format!("json={}", report.display())])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
    was_asked.recv().expect("a request");
    let pid = running.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    let mut said = BufReader::new(running.stderr.take().expect("its words")).lines();
    let first = said.next().expect("a line").expect("text");
    assert!(first.contains("interrupted; cleaning up"), "{first}");
    go_on.send(()).expect("the server waits");
    assert_eq!(running.wait().expect("its end").code(), Some(130));
    assert_eq!(server.asked(), ["GET /ack", "POST /configure", "DELETE /job/1-1"]);
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(report).expect("a report")).expect("JSON");
    assert_eq!(report["cases"][0]["outcome"], "could_not_run");
    assert_eq!(
        (&report["exit_status"], &report["stopped"]),
        (&130.into(), &"the run was interrupted".into())
    );
    assert_eq!(report["left_behind"], serde_json::json!([]));
}

#[test]
fn the_second_time_it_ends_at_once() {
    let (arrived, was_asked) = channel();
    let (_go_on, never) = channel::<()>();
    let never = Mutex::new(never);
    let server = Server::start(move |asked| {
        if asked.line == "POST /configure" {
            arrived.send(()).expect("the test waits");
            let _ = never.lock().expect("the only one").recv();
        }
        answer(200, "", b"")
    });
    let mut running =
        focus_contract(&["run", "--target", &server.base, "--allow-writes", "--only", "jobs/two-jobs"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
    was_asked.recv().expect("a request");
    let pid = running.id().to_string();
    let interrupt = || Command::new("kill").args(["-INT", &pid]).status().expect("kill");
    assert!(interrupt().success());
    // Signals of one kind are merged while nobody took the first, so it has to be taken.
    let mut said = BufReader::new(running.stderr.take().expect("its words")).lines();
    said.next().expect("a line").expect("text");
    assert!(interrupt().success());
    assert_eq!(running.wait().expect("its end").code(), Some(130));
    assert!(!server.asked().iter().any(|line| line.starts_with("DELETE")));
}
