//! How it ends when it is asked to.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use serde_json::Value;
use tonic::Streaming;
use tonic::transport::Endpoint;

use super::child::{Connection, Ended, Ready, ask, configuration, json_of};

/// Longest an end may take: the drain on the wall clock takes up to two seconds.
const PROMPT: Duration = Duration::from_secs(10);

fn ends_well(ended: &Ended) {
    assert_eq!(ended.status.code(), Some(0), "{}\n{}", ended.status, ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

#[test]
fn either_signal_ends_it_with_success_from_the_ready_line_on() {
    for name in ["TERM", "INT"] {
        let mock = Ready::with(&[]);
        mock.program.signal(name);
        let ended = mock.program.end_within(PROMPT);
        ends_well(&ended);
        assert!(ended.stderr.contains(&format!("SIG{name}")), "{}", ended.stderr);
    }
}

#[test]
fn an_idle_connection_is_closed_and_keeps_nobody_waiting() {
    let mock = Ready::with(&[]);
    let mut idle = Connection::to(mock.rest());
    assert_eq!(idle.ask("GET", "/ack", "").0, 200);
    let mut admin = Connection::to(mock.admin());
    assert_eq!(admin.ask("GET", "/livez", "").0, 200);
    let mut silent = Connection::to(mock.rest());
    mock.program.signal("TERM");
    assert!(idle.is_closed_by_the_server() && admin.is_closed_by_the_server());
    assert!(silent.is_closed_by_the_server(), "a connection that never asked");
    ends_well(&mock.program.end_within(PROMPT));
}

#[test]
fn a_connection_that_the_client_never_closes_does_not_hold_it() {
    let mock = Ready::with(&[]);
    let mut idle = Connection::to(mock.rest());
    assert_eq!(idle.ask("GET", "/ack", "").0, 200);
    mock.program.signal("TERM");
    // Nothing is left to be sent or read, so there is nothing to wait for.
    ends_well(&mock.program.end_within(Duration::from_millis(1500)));
    assert!(idle.is_closed_by_the_server());
}

#[test]
fn a_request_in_flight_is_answered() {
    let mock = Ready::with(&[]);
    let body = configuration();
    let (begin, end) = body.split_at(body.len() / 2);
    let mut connection = Connection::to(mock.rest());
    let length = body.len();
    connection.send(&format!(
        "POST /configure HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n"
    ));
    // It says this when it begins to read the body.
    assert_eq!(connection.answer().0, 100);
    connection.send(begin);
    mock.program.signal("TERM");
    mock.program.log.wait_for("stopping");
    connection.send(end);
    let job = json_of(connection.answer());
    assert_eq!(job["channel_amount"], 50);
    assert!(connection.is_closed_by_the_server());
    ends_well(&mock.program.end_within(PROMPT));
}

#[test]
fn a_request_that_never_comes_to_its_end_does_not_hold_it() {
    let mock = Ready::with(&["--stop-deadline", "0.5"]);
    let mut connection = Connection::to(mock.rest());
    connection
        .send("POST /configure HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\nexpect: 100-continue\r\n\r\n");
    assert_eq!(connection.answer().0, 100);
    mock.program.signal("TERM");
    ends_well(&mock.program.end_within(PROMPT));
}

/// The first stream of the job on a port.
async fn stream(port: SocketAddr) -> Streaming<DataStream> {
    let endpoint = Endpoint::from_shared(format!("http://{port}")).expect("an address");
    let channel = endpoint.connect().await.expect("the job's port is open");
    let call = DataStreamServiceClient::new(channel).stream_data(StreamDataRequest { stream_id: 0 }).await;
    call.expect("a stream").into_inner()
}

#[tokio::test]
async fn an_open_stream_ends_with_a_status_and_keeps_nobody_waiting() {
    for name in ["TERM", "INT"] {
        let mock = Ready::with(&[]);
        let job = json_of(ask(mock.rest(), "POST", "/configure", &configuration()));
        let mut frames = stream(mock.job_port(&job)).await;
        assert!(frames.message().await.expect("a frame").is_some());
        mock.program.signal(name);
        let end = async {
            loop {
                match frames.message().await {
                    Ok(frame) => assert!(frame.is_some(), "a live stream has no end of its own"),
                    Err(status) => return status,
                }
            }
        };
        let status = tokio::time::timeout(PROMPT, end).await.expect("the stream ends");
        assert_eq!((status.code(), status.message()), (tonic::Code::Unavailable, "job is gone"));
        ends_well(&mock.program.end_within(PROMPT));
    }
}

#[tokio::test]
async fn a_stream_whose_client_does_not_read_does_not_hold_it() {
    let mock = Ready::with(&[]);
    let job = json_of(ask(mock.rest(), "POST", "/configure", &configuration()));
    let frames = stream(mock.job_port(&job)).await;
    mock.program.signal("TERM");
    ends_well(&tokio::task::spawn_blocking(move || mock.program.end_within(PROMPT)).await.expect("an end"));
    drop(frames);
}

/// A harness that reads the ready line may have closed the other pipe long before.
#[test]
fn a_closed_standard_error_harms_neither_start_nor_service_nor_end() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_focus-mock"))
        .args(["--listen", "127.0.0.1:0", "--admin", "off", "--kube", "off", "--port-base", "0"])
        .env("FOCUS_MOCK_LOG", "debug")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    drop(child.stderr.take());
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a ready line");
    let ready: Value = serde_json::from_str(&line).expect("JSON");
    let rest = ready["rest"].as_str().and_then(|url| url.strip_prefix("http://")).expect("an address");
    assert_eq!(ask(rest.parse().expect("an address"), "GET", "/ack", "").0, 200);
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for (name, status) in [("TERM", 143), ("INT", 130)] {
        let mock = Ready::with(&["--stop-deadline", "3600"]);
        let mut connection = Connection::to(mock.rest());
        connection.send(
            "POST /configure HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\nexpect: 100-continue\r\n\r\n",
        );
        assert_eq!(connection.answer().0, 100);
        mock.program.signal("TERM");
        mock.program.log.wait_for("stopping");
        mock.program.signal(name);
        let ended = mock.program.end_within(PROMPT);
        assert_eq!(ended.status.code(), Some(status), "{}", ended.stderr);
        assert!(connection.is_closed_by_the_server());
    }
}
