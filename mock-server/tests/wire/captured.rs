//! The recorded request, sent as it was, gets the recorded answer, byte for byte.

use focus_mock::domain::fiber::FiberState;
use focus_mock::domain::ids::Sequence;
use focus_mock::domain::time::{EpochSeconds, Moment};
use focus_mock::sim::clock::Mode;
use focus_mock::sim::setup::Setup;
use focus_mock::{Config, MockServer};
use serde_json::Value;

use super::common::Answer;
use super::judge::{self, validator};
use super::raw::{Wire, request};

const REQUEST: &str = include_str!("../../../fixtures/captured/2025-12/configure.request.json");
const RESPONSE: &str = include_str!("../../../fixtures/captured/2025-12/configure.response.json");

/// Ten minutes after the end of the recorded window.
const RECORDED_AT: i64 = 1_764_953_903 + 600;

/// The world of the recording: the same count of attempts, the window passed and recorded.
fn world(fiber_state: FiberState) -> MockServer {
    let first_sequence = Sequence::new(1603).expect("a sequence number");
    let setup = Setup { first_sequence, fiber_state, ..Setup::default() };
    let start_time = Some(Moment::from_seconds(EpochSeconds(RECORDED_AT)));
    let config = Config { clock: Mode::Manual, start_time, setup, ..Config::default() };
    MockServer::start(config).expect("a server of the test's own")
}

/// The recorded answer as it was on the wire, without the line break at the end of the file.
fn recorded(server: &MockServer) -> String {
    // Where 127.0.0.1 is the only loopback address, ports lie elsewhere.
    let port = format!("\"stream_port\":{}", server.port_base() + 1);
    RESPONSE.trim_end().replace("\"stream_port\":12301", &port)
}

fn configure(server: &MockServer, path: &str) -> Answer {
    let headers = [("Host", "localhost"), ("Content-Type", "application/json")];
    let mut wire = Wire::to(server.rest());
    wire.send(&request("POST", path, &headers, REQUEST.trim_end().as_bytes()));
    wire.answer()
}

fn assert_same_fields(place: &str, answered: &Value, recorded: &Value) {
    match (answered, recorded) {
        (Value::Object(answered), Value::Object(recorded)) => {
            let keys = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(answered), keys(recorded), "keys of {place}, in order");
            for (key, value) in recorded {
                assert_same_fields(&format!("{place}.{key}"), &answered[key], value);
            }
        }
        (Value::Array(answered), Value::Array(recorded)) => {
            assert_eq!(answered.len(), recorded.len(), "length of {place}");
            for (index, (answered, recorded)) in answered.iter().zip(recorded).enumerate() {
                assert_same_fields(&format!("{place}[{index}]"), answered, recorded);
            }
        }
        _ => assert_eq!(answered, recorded, "{place}"),
    }
}

#[test]
fn the_recorded_request_gets_the_recorded_answer_field_by_field_and_byte_by_byte() {
    let server = world(FiberState::Lit);
    let answer = configure(&server, "/configure");
    assert_eq!(answer.status, 200);
    let body = judge::json_answer(&answer);
    let recorded = recorded(&server);
    assert_same_fields("answer", &body, &serde_json::from_str(&recorded).expect("the recorded answer"));
    assert_eq!(String::from_utf8_lossy(&answer.body), recorded);
    assert!(validator("ConfigureResponse").is_valid(&body));
}

#[test]
fn the_prefixed_path_and_a_waiting_fibre_change_nothing_of_a_historic_answer() {
    let server = world(FiberState::Waiting);
    let answer = configure(&server, "/focus-server/configure");
    assert_eq!(answer.status, 200);
    assert_eq!(String::from_utf8_lossy(&answer.body), recorded(&server));
}

#[test]
fn the_metadata_of_the_job_is_the_same_text_under_both_paths_and_whatever_host_asks() {
    let server = world(FiberState::Lit);
    let configured = configure(&server, "/configure");
    assert_eq!(configured.status, 200);
    let mut wire = Wire::to(server.rest());
    for path in ["/metadata/1-1603", "/focus-server/metadata/1-1603"] {
        for host in ["localhost", "elsewhere:5000"] {
            wire.send(&request("GET", path, &[("Host", host)], b""));
            let answer = wire.answer();
            assert_eq!(answer.status, 200, "{path}");
            judge::json_answer(&answer);
            assert_eq!(String::from_utf8_lossy(&answer.body), recorded(&server), "{path}");
        }
    }
}

#[test]
fn the_next_job_of_the_recorded_world_differs_in_its_id_and_port_only() {
    let server = world(FiberState::Lit);
    assert_eq!(configure(&server, "/configure").status, 200);
    let second = configure(&server, "/configure");
    let port = server.port_base();
    let expected = recorded(&server)
        .replace("\"job_id\":\"1-1603\"", "\"job_id\":\"2-1604\"")
        .replace(&format!("\"stream_port\":{}", port + 1), &format!("\"stream_port\":{}", port + 2));
    assert_eq!(String::from_utf8_lossy(&second.body), expected);
}
