//! The log on standard error.

use serde_json::Value;

use super::child::{Connection, Ready, ask};

/// The lines of a log about answers to requests.
fn answered(mock: &Ready) -> Vec<String> {
    mock.program.log.wait_for("answered");
    mock.program.log.text().lines().filter(|line| line.contains("answered")).map(str::to_owned).collect()
}

#[test]
fn a_log_that_nobody_watches_is_json_and_one_for_people_is_text() {
    for (flags, is_json) in
        [(vec![], true), (vec!["--log-format", "json"], true), (vec!["--log-format", "text"], false)]
    {
        let mock = Ready::with(&[&flags[..], &["--log", "debug"]].concat());
        assert_eq!(ask(mock.rest(), "GET", "/ack", "").0, 200);
        let lines = answered(&mock);
        assert_eq!(serde_json::from_str::<Value>(&lines[0]).is_ok(), is_json, "{flags:?}: {lines:?}");
    }
}

#[test]
fn a_request_has_one_id_in_its_log_lines_its_header_and_its_error_body() {
    let mock = Ready::with(&["--log", "debug"]);
    let mut connection = Connection::to(mock.rest());
    connection.send("GET /metadata/9-9 HTTP/1.1\r\nhost: localhost\r\nx-request-id: mine-7\r\n\r\n");
    let (status, body) = connection.answer();
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &body["request_id"]), (404, &Value::from("mine-7")));
    let line: Value = serde_json::from_str(&answered(&mock)[0]).expect("JSON");
    assert_eq!(
        (&line["request_id"], &line["method"], &line["path"], &line["status"]),
        (&Value::from("mine-7"), &Value::from("GET"), &Value::from("/metadata/9-9"), &Value::from(404)),
        "{line}"
    );
}

#[test]
fn requests_are_not_logged_unless_asked_for() {
    let mock = Ready::with(&[]);
    assert_eq!(ask(mock.rest(), "GET", "/ack", "").0, 200);
    mock.program.signal("TERM");
    let ended = mock.program.end_within(std::time::Duration::from_secs(30));
    assert!(ended.stderr.contains("stopping") && !ended.stderr.contains("answered"), "{}", ended.stderr);
}
