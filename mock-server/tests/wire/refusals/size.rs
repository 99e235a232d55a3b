//! The limit of a body's size, decided on its announced length or while reading.

use std::fmt::Write as _;

use focus_mock::sim::setup::{Limits, Setup};

use crate::common::{base, held, held_with};
use crate::judge;
use crate::raw::{Wire, request};

const LIMIT: usize = 1024 * 1024;
const TOO_LARGE: &str = "Request body is too large: the limit is 1048576 bytes";

/// A valid configuration of exactly that many bytes.
fn padded(bytes: usize) -> Vec<u8> {
    let mut body = base().to_string().into_bytes();
    assert!(body.len() <= bytes);
    body.resize(bytes, b' ');
    body
}

/// The body in chunks of 64 KiB, without an announced length.
fn chunked(path: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes();
    for chunk in body.chunks(64 * 1024) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

#[test]
fn a_body_of_exactly_one_mebibyte_is_read_announced_or_in_chunks() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    for sent in [request("POST", "/configure", &[], &padded(LIMIT)), chunked("/configure", &padded(LIMIT))] {
        wire.send(&sent);
        assert_eq!(wire.answer().status, 200);
    }
}

#[test]
fn one_byte_more_is_413_announced_or_in_chunks_and_changes_nothing() {
    let server = held();
    let before = judge::state(&server);
    for path in ["/configure", "/focus-server/configure", "/recordings_in_time_range"] {
        for sent in [request("POST", path, &[], &padded(LIMIT + 1)), chunked(path, &padded(LIMIT + 1))] {
            let mut wire = Wire::to(server.rest());
            wire.send(&sent);
            let answer = wire.answer();
            judge::refused(&answer, 413, "BODY_TOO_LARGE", TOO_LARGE);
            assert_eq!(answer.headers["connection"], "close", "the rest of the body is not read");
        }
    }
    assert_eq!(judge::state(&server), before);
}

#[test]
fn an_announced_length_above_the_limit_is_413_before_a_byte_of_the_body_is_sent() {
    let server = held();
    for length in ["1048577", "2097152", "4294967296", "9223372036854775807"] {
        for expect in ["", "expect: 100-continue\r\n"] {
            let mut wire = Wire::to(server.rest());
            let head =
                format!("POST /configure HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{expect}\r\n");
            wire.send(head.as_bytes());
            judge::refused(&wire.answer(), 413, "BODY_TOO_LARGE", TOO_LARGE);
        }
    }
}

#[test]
fn a_client_that_asks_first_is_told_to_go_on_when_its_body_fits() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let body = padded(LIMIT);
    wire.send(&request("POST", "/configure", &[("expect", "100-continue")], &body)[..]);
    assert_eq!(wire.head().status, 100);
    assert_eq!(wire.answer().status, 200);
}

#[test]
fn a_client_that_is_still_sending_two_mebibytes_gets_the_whole_answer() {
    let server = held();
    let body = padded(2 * LIMIT);
    for round in 0..20 {
        for sent in [request("POST", "/configure", &[], &body), chunked("/configure", &body)] {
            let mut wire = Wire::to(server.rest());
            for piece in sent.chunks(16 * 1024) {
                wire.send(piece);
            }
            let answer = wire.answer();
            assert_eq!(answer.status, 413, "round {round}");
            judge::refused(&answer, 413, "BODY_TOO_LARGE", TOO_LARGE);
            wire.assert_closed();
        }
    }
}

#[test]
fn an_unknown_route_and_a_wrong_method_answer_a_sending_client_before_the_size_counts() {
    let server = held();
    let body = padded(2 * LIMIT);
    for (method, path, status, code, text) in [
        ("POST", "/nope", 404, "NOT_FOUND", "Not Found"),
        ("POST", "/configure/", 404, "NOT_FOUND", "Not Found"),
        ("PUT", "/configure", 405, "METHOD_NOT_ALLOWED", "Method Not Allowed"),
        ("POST", "/ack", 405, "METHOD_NOT_ALLOWED", "Method Not Allowed"),
    ] {
        let mut wire = Wire::to(server.rest());
        wire.send(&request(method, path, &[], &body));
        judge::refused(&wire.answer(), status, code, text);
    }
}

#[test]
fn size_comes_before_json_and_json_before_everything_it_says() {
    let server = held();
    let garbage = vec![b'{'; LIMIT + 1];
    let mut wire = Wire::to(server.rest());
    wire.send(&request("POST", "/configure", &[], &garbage));
    judge::refused(&wire.answer(), 413, "BODY_TOO_LARGE", TOO_LARGE);
    let mut wire = Wire::to(server.rest());
    wire.send(&request("POST", "/configure", &[], &garbage[..LIMIT]));
    judge::refused(&wire.answer(), 400, "MALFORMED_JSON", "Request body is not valid JSON");
}

#[test]
fn a_limit_that_is_set_is_the_one_that_counts_and_is_named() {
    let body = padded(1000);
    for (max_body_bytes, status) in [(999, 413), (1000, 200), (0, 413)] {
        let limits = Limits { max_body_bytes, ..Limits::default() };
        let server = held_with(Setup { limits, ..Setup::default() });
        let mut text = String::new();
        write!(text, "Request body is too large: the limit is {max_body_bytes} bytes").expect("a string");
        for sent in [request("POST", "/configure", &[], &body), chunked("/configure", &body)] {
            let mut wire = Wire::to(server.rest());
            wire.send(&sent);
            let answer = wire.answer();
            assert_eq!(answer.status, status, "{max_body_bytes}");
            if status == 413 {
                judge::refused(&answer, 413, "BODY_TOO_LARGE", &text);
            }
        }
    }
}
