//! What the listener says to requests it does not take.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::super::common::{Answer, held, held_as};
use super::super::raw::{Wire, request};
use super::Admin;

const NO_SUCH_ROUTE: &str = "no such route: there are GET /livez, GET /readyz, GET /metrics, GET /__mock/openapi.json, GET /__mock/state, ";
const MODES: &str = r#"expected {"mode": "system"}, {"mode": "scaled:60"} or {"mode": "manual"}"#;
const NO_MODE: &str = "mode: not a clock: expected system, scaled:N with N above 0 up to 1000000, or manual";
const DURATION: &str =
    "by: expected a duration such as \"50s\" or \"1m 30s\", or a number of seconds, from 0 to 31 days";

#[tokio::test]
async fn a_request_that_is_not_taken_is_told_why_and_changes_nothing() {
    let server = held();
    let admin = Admin::of(&server);
    let before = admin.state().await;
    let refused: &[(&str, &str, &str, u16, &str)] = &[
        ("PUT", "/__mock/clock", r#"{"mode":"fast"}"#, 422, NO_MODE),
        ("PUT", "/__mock/clock", r#"{"mode":"scaled:0"}"#, 422, NO_MODE),
        ("PUT", "/__mock/clock", r#"{"mode":"scaled:-60"}"#, 422, NO_MODE),
        ("PUT", "/__mock/clock", r#"{"mode":60}"#, 422, "invalid type: integer `60`, expected a string"),
        ("PUT", "/__mock/clock", r#"{"mod":"manual"}"#, 422, "unknown field `mod`, expected `mode`"),
        ("PUT", "/__mock/clock", r#"{"mode":"manual","by":1}"#, 422, "unknown field `by`, expected `mode`"),
        ("PUT", "/__mock/clock", "{}", 422, "missing field `mode`"),
        ("PUT", "/__mock/clock", "\"manual\"", 422, MODES),
        ("PUT", "/__mock/clock", "manual", 400, "the body is not JSON"),
        ("PUT", "/__mock/clock", "", 400, MODES),
        ("POST", "/__mock/clock/advance", r#"{"by":-1}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":"-1s"}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":"soon"}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":"50"}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":""}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":2678400.001}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":"745h"}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":1e300}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":true}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":null}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":{"s":1}}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"for":"50s"}"#, 422, "unknown field `for`, expected `by`"),
        ("POST", "/__mock/clock/advance", r#"{"by":1,"by":2}"#, 422, "duplicate field `by`"),
        ("POST", "/__mock/clock/advance", "{", 400, r#"expected {"by": "50s"}"#),
        ("POST", "/__mock/clock/advance", "", 400, "the body is not JSON"),
        ("POST", "/__mock/clock", r#"{"mode":"system"}"#, 405, "it has GET, HEAD, PUT"),
        ("GET", "/__mock/clock/advance", "", 405, "it has POST"),
        ("GET", "/__mock/reset", "", 405, "it has POST"),
        ("DELETE", "/__mock/state", "", 405, "it has GET, HEAD"),
        ("GET", "/__mock", "", 404, NO_SUCH_ROUTE),
        ("GET", "/__mock/state/", "", 404, NO_SUCH_ROUTE),
        ("GET", "/__mock/clok", "", 404, NO_SUCH_ROUTE),
        ("GET", "/", "", 404, NO_SUCH_ROUTE),
    ];
    for (method, path, body, status, told) in refused {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let (answered, text) = admin.send(method.clone(), path, body).await;
        assert_eq!(answered, *status, "{method} {path} {body}: {text}");
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let error = answer["error"].as_str().unwrap_or_else(|| panic!("no error in {text}"));
        assert!(error.contains(told), "{method} {path} {body}: {told:?} is missing in {error:?}");
    }
    assert_eq!(admin.state().await, before);
}

/// The error that an admin request got, which has no other key.
fn error_of(answer: &Answer) -> String {
    let body = answer.json();
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
    body["error"].as_str().unwrap_or_else(|| panic!("no error in {body}")).to_owned()
}

#[test]
fn a_body_above_one_mebibyte_is_413_announced_or_in_chunks_and_one_below_is_read() {
    let server = held();
    let address = server.admin().expect("an admin listener");
    let body = |length: usize| {
        let mut body = br#"{"mode":"manual"}"#.to_vec();
        body.resize(length, b' ');
        body
    };
    let chunked = |length: usize| {
        let head = "PUT /__mock/clock HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
        [format!("{head}{length:x}\r\n").as_bytes(), &body(length), b"\r\n0\r\n\r\n"].concat()
    };
    let limit = 1024 * 1024;
    let announced = |length| request("PUT", "/__mock/clock", &[], &body(length));
    for (sent, status) in [
        (announced(limit), 200),
        (chunked(limit), 200),
        (announced(limit + 1), 413),
        (chunked(limit + 1), 413),
    ] {
        let mut wire = Wire::to(address);
        wire.send(&sent);
        let answer = wire.answer();
        assert_eq!(answer.status, status);
        if status == 413 {
            assert_eq!(error_of(&answer), "the body is too large: the limit is 1048576 bytes");
        }
    }
}

#[test]
fn a_body_that_does_not_arrive_in_time_is_408_and_one_that_breaks_off_400() {
    let server = held_as(|config| config.http.body_time = Duration::from_millis(100));
    let address = server.admin().expect("an admin listener");
    let begun = b"PUT /__mock/clock HTTP/1.1\r\nhost: x\r\ncontent-length: 17\r\n\r\n{";
    let mut wire = Wire::to(address);
    wire.send(begun);
    let answer = wire.answer();
    assert_eq!(
        (answer.status.as_u16(), error_of(&answer).as_str()),
        (408, "the body did not arrive within 100ms")
    );
    wire.assert_closed();
    let mut wire = Wire::to(address);
    wire.send(begun);
    wire.end_sending();
    let answer = wire.answer();
    assert_eq!(answer.status, 400);
    assert!(error_of(&answer).starts_with("the body cannot be read: "), "{}", error_of(&answer));
}
