//! `stream`: the frames of a job as lines.

use std::process::Output;

use serde_json::Value;

use super::child::{Ready, ask, configuration, focus_mock, json_of};

fn stream(mock: &Ready, arguments: &[&str]) -> Output {
    let base = mock.said["rest"].as_str().expect("a base");
    let mut command = focus_mock(&["stream"]);
    command.args(arguments).env("FOCUS_BASE_URL", base).env_remove("FOCUS_SERVER_HOST");
    command.output().expect("it runs")
}

fn job(mock: &Ready) -> Value {
    json_of(ask(mock.rest(), "POST", "/configure", &configuration()))
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("a text")
}

fn told(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("a text")
}

#[test]
fn each_frame_is_a_line_until_there_are_enough() {
    let mock = Ready::with(&["--start-time", "2025-12-05T14:58:23Z", "--clock", "manual"]);
    job(&mock);
    let first = stream(&mock, &["1-1", "--frames", "1"]);
    assert_eq!(first.status.code(), Some(0), "{}", told(&first));
    let line = out(&first);
    assert!(
        line.starts_with("frame 1  channels 1-17 (17 x 256 values)  rows 0-9  at 2025-12-05T14:58:22.")
            && line.ends_with('\n'),
        "{line}"
    );
    assert_eq!(line.lines().count(), 1);
    let third = stream(&mock, &["1-1", "--frames", "1", "--stream", "2"]);
    assert!(out(&third).contains("channels 35-50 (16 x 256 values)"), "{}", out(&third));
}

#[test]
fn a_recorded_window_ends_with_ok() {
    let mock = Ready::with(&["--clock", "scaled:1000", "--start-time", "2025-12-05T14:58:23Z"]);
    let mut window: Value = serde_json::from_str(&configuration()).expect("JSON of the test");
    window["start_time"] = 1_764_900_000.into();
    window["end_time"] = 1_764_900_060.into();
    json_of(ask(mock.rest(), "POST", "/configure", &window.to_string()));
    let output = stream(&mock, &["1-1"]);
    assert_eq!((output.status.code(), told(&output)), (Some(0), "the stream is over: OK\n"));
    assert_eq!(out(&output).lines().count(), 8);
}

#[test]
fn a_stream_that_the_server_ends_is_a_failure_that_says_why() {
    let mock = Ready::with(&[]);
    job(&mock);
    let base = mock.said["rest"].as_str().expect("a base").to_owned();
    let mut command = focus_mock(&["stream", "1-1", "--url", &base]);
    command.env_remove("FOCUS_BASE_URL");
    let program = super::child::Started::new(command);
    assert!(program.line().starts_with("frame 1 "));
    assert_eq!(ask(mock.rest(), "DELETE", "/job/1-1", "").0, 200);
    let ended = program.end_within(std::time::Duration::from_secs(30));
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.stderr, "focus-mock: the server ended the stream: Cancelled, job cancelled\n");
}

#[test]
fn a_port_can_be_named_instead_of_a_job() {
    let mock = Ready::with(&[]);
    let port = mock.job_port(&job(&mock)).to_string();
    let output = stream(&mock, &[&port, "--frames", "1"]);
    assert_eq!((output.status.code(), out(&output).lines().count()), (Some(0), 1), "{}", told(&output));
}

#[test]
fn what_cannot_be_streamed_is_told() {
    let mock = Ready::with(&[]);
    job(&mock);
    let base = mock.said["rest"].as_str().expect("a base");
    let port = mock.port_base() + 1;
    let refused = format!(
        "focus-mock: stream 3 of localhost:{port} is refused: InvalidArgument, stream_id 3 is out of range: the job has 3 streams\n"
    );
    let unknown = format!(
        "focus-mock: {base}/metadata/9-9 answers 404: {{\"error\":\"Invalid job_id\",\"code\":\"UNKNOWN_JOB\""
    );
    let nobody = "focus-mock: nothing streams at 127.0.0.1:1: is the job still running?";
    let nonsense =
        "focus-mock: expected a job id such as 1-1, or host:port such as 127.0.0.1:12301, not \"x\"\n";
    for (arguments, expected) in [
        (vec!["1-1", "--stream", "3"], refused.as_str()),
        (vec!["9-9"], unknown.as_str()),
        (vec!["127.0.0.1:1"], nobody),
        (vec!["x"], nonsense),
    ] {
        let output = stream(&mock, &arguments);
        assert_eq!((output.status.code(), out(&output)), (Some(2), ""), "{arguments:?}");
        assert!(told(&output).starts_with(expected), "{arguments:?}: {}", told(&output));
    }
}
