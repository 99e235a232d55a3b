//! Bodies and header blocks that are not what they are said to be, or more than a listener takes.

use crate::common::{held, held_as, light};
use crate::judge;
use crate::raw::{Wire, request};

const NO_JSON: &str = "Request body is not valid JSON";

/// A configure whose head says something about its body.
fn configure(about: &str, body: &str) -> Vec<u8> {
    format!("POST /configure HTTP/1.1\r\nhost: x\r\n{about}\r\n\r\n{body}").into_bytes()
}

#[test]
fn a_length_that_is_too_long_waits_for_the_rest_and_is_no_json_when_there_is_none() {
    let server = held();
    let before = judge::state(&server);
    let body = light().to_string();
    let mut wire = Wire::to(server.rest());
    wire.send(&configure(&format!("content-length: {}", body.len() + 1), &body));
    wire.end_sending();
    judge::refused(&wire.answer(), 400, "MALFORMED_JSON", NO_JSON);
    wire.assert_closed();
    assert_eq!(judge::state(&server), before);
}

#[test]
fn a_length_that_is_too_short_cuts_the_body_and_what_is_left_is_no_request() {
    let server = held();
    let body = light().to_string();
    let mut wire = Wire::to(server.rest());
    wire.send(&configure(&format!("content-length: {}", body.len() - 1), &body));
    judge::refused(&wire.answer(), 400, "MALFORMED_JSON", NO_JSON);
    // The brace that was left begins the next request, and no method does so.
    wire.send(b" /ack HTTP/1.1\r\n\r\n");
    let answer = wire.answer();
    assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (400, &b""[..]));
    wire.assert_closed();
}

#[test]
fn lengths_that_agree_are_one_and_lengths_that_differ_are_none() {
    let server = held();
    let body = light().to_string();
    let (length, other) = (body.len(), body.len() + 1);
    for (about, status) in [
        (format!("content-length: {length}\r\ncontent-length: {length}"), 200),
        (format!("content-length: {length}\r\ncontent-length: {other}"), 400),
        (format!("content-length: {other}\r\ncontent-length: {length}"), 400),
    ] {
        let mut wire = Wire::to(server.rest());
        wire.send(&configure(&about, &body));
        assert_eq!(wire.answer().status, status, "{about}");
    }
    assert_eq!(server.simulation().snapshot().jobs.len(), 1);
}

#[test]
fn chunks_count_and_a_length_beside_them_does_not() {
    let server = held();
    let body = light().to_string();
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    for length in [0, 5, body.len(), chunks.len(), 2_000_000] {
        for about in [
            format!("content-length: {length}\r\ntransfer-encoding: chunked"),
            format!("transfer-encoding: chunked\r\ncontent-length: {length}"),
        ] {
            let mut wire = Wire::to(server.rest());
            wire.send(&configure(&about, &chunks));
            assert_eq!(wire.answer().status, 200, "{about}");
        }
    }
    assert_eq!(server.simulation().snapshot().jobs.len(), 10);
}

/// The block of headers of a request to `/ack` with that many bytes.
fn block(bytes: usize) -> Vec<u8> {
    let empty = request("GET", "/ack", &[("x-long", "")], b"").len();
    request("GET", "/ack", &[("x-long", &"x".repeat(bytes - empty))], b"")
}

#[test]
fn the_limit_of_a_header_block_is_the_one_that_is_set() {
    for limit in [512, 8192, 100_000] {
        let server = held_as(|config| config.http.max_header_bytes = limit);
        let mut wire = Wire::to(server.rest());
        for (bytes, status) in [(limit, 200), (limit + 1, 431)] {
            wire.send(&block(bytes));
            assert_eq!(wire.answer().status, status, "{bytes} of {limit}");
        }
        wire.assert_closed();
    }
}

#[test]
fn the_limit_of_headers_is_the_one_that_is_set() {
    let server = held_as(|config| config.http.max_headers = 10);
    let mut wire = Wire::to(server.rest());
    for (headers, status) in [(10, 200), (11, 431)] {
        // One of them is the host.
        let many = vec![("x", "y"); headers - 1];
        wire.send(&request("GET", "/ack", &many, b""));
        assert_eq!(wire.answer().status, status, "{headers}");
    }
    wire.assert_closed();
}
