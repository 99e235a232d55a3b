//! Bytes that are no HTTP, or not a whole request of it.

use std::net::SocketAddr;

use serde_json::json;

use super::normal::Normal;
use crate::common::{base, held, light};
use crate::judge;
use crate::raw::{Wire, request};

/// Sends bytes, ends, and reads everything that comes; the statuses of it.
fn statuses(address: SocketAddr, bytes: &[u8]) -> Vec<u16> {
    let mut wire = Wire::to(address);
    wire.send(bytes);
    wire.end_sending();
    let text = String::from_utf8_lossy(&wire.rest()).into_owned();
    let lines = text.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 "));
    lines.map(|line| line[..3].parse().expect("a status")).collect()
}

/// Bytes that only look random: the same in every run.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

const TLS_HELLO: &[u8] = b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\
    \x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x00\x00\x04\x13\x01\x13\x02\
    \x01\x00";
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

/// What is no request at all gets a 400 or the end of the connection, and nobody else notices.
pub(super) fn throw_garbage(address: SocketAddr) {
    let mut normal = Normal::of(address);
    for seed in 1..=64 {
        for length in [1, 7, 100, 5000] {
            let told = statuses(address, &noise(seed, length));
            assert!(told.is_empty() || told == [400], "{told:?} for noise {seed} of {length}");
        }
        normal.asks();
    }
    let broken: [(&[u8], &[u16]); 18] = [
        (b"", &[]),
        (b"\0", &[400]),
        (b"\r\n\r\n\r\n", &[]),
        (TLS_HELLO, &[400]),
        (HTTP2_PREFACE, &[]),
        (b"SSH-2.0-OpenSSH_9.6\r\n", &[400]),
        (b"*1\r\n$4\r\nPING\r\n", &[400]),
        (b"GET\r\n\r\n", &[400]),
        (b"GET /ack\r\n\r\n", &[400]),
        (b"GET  /ack HTTP/1.1\r\n\r\n", &[400]),
        (b"GET /a\0b HTTP/1.1\r\n\r\n", &[400]),
        (b"GET /ack HTTP/9.9\r\n\r\n", &[400]),
        (b"GET /ack HTTP/1.1 x\r\n\r\n", &[400]),
        (b"G(T /ack HTTP/1.1\r\n\r\n", &[400]),
        (b"GET /ack HTTP/1.1\r\nno colon\r\n\r\n", &[400]),
        (b"GET /ack HTTP/1.1\r\na b: c\r\n\r\n", &[400]),
        (b"GET /ack HTTP/1.1\r\na: b\0c\r\n\r\n", &[400]),
        (b"GET /ack HTTP/1.1\r\n: empty\r\n\r\n", &[400]),
    ];
    for (bytes, expected) in broken {
        assert_eq!(statuses(address, bytes), expected, "{}", String::from_utf8_lossy(bytes));
    }
    normal.asks();
}

/// Lengths and codings that lie, or that nobody knows.
pub(super) fn lie_about_bodies(address: SocketAddr) {
    let mut normal = Normal::of(address);
    let body = base().to_string();
    let large = "content-length: 9223372036854775807";
    for (head, sent, expected) in [
        ("content-length: 99999999999999999999999", "", 400),
        ("content-length: -1", "", 400),
        ("content-length: +5", "{}", 400),
        ("content-length: 1e3", "{}", 400),
        ("content-length: 0x10", "{}", 400),
        ("content-length: 2, 3", "{}", 400),
        ("content-length: 2\r\ncontent-length: 3", "{} ", 400),
        (large, "", 413),
        (large, body.as_str(), 413),
        ("transfer-encoding: gzip", body.as_str(), 400),
        ("transfer-encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n", 400),
        ("transfer-encoding: chunked", "-1\r\n{}\r\n0\r\n\r\n", 400),
        ("transfer-encoding: chunked", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n", 400),
        ("transfer-encoding: chunked", "2\r\n{}x\r\n0\r\n\r\n", 400),
        ("transfer-encoding: chunked", "\r\n\r\n\r\n", 400),
    ] {
        let bytes = format!("POST /configure HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n{sent}");
        assert_eq!(statuses(address, bytes.as_bytes()), [expected], "{head}: {sent}");
    }
    normal.asks();
}

/// Every beginning of a request, and then nothing more, or not even an orderly end.
pub(super) fn break_off(address: SocketAddr) {
    let mut normal = Normal::of(address);
    let body = b"{\"x\":1}";
    let whole = request("POST", "/recordings_in_time_range", &[("content-type", "application/json")], body);
    for length in 0..whole.len() {
        let mut wire = Wire::to(address);
        wire.send(&whole[..length]);
        if length % 2 == 0 {
            wire.end_sending();
            wire.rest();
        }
        drop(wire);
    }
    normal.asks();
}

/// Header blocks far beyond 64 KiB, by a client that sends all of it before it reads.
pub(super) fn send_huge_heads(address: SocketAddr) {
    let mut normal = Normal::of(address);
    let long = "x".repeat(1_000_000);
    let many = format!(
        "x: {}
",
        "y".repeat(10_000)
    )
    .repeat(90);
    for head in [
        format!(
            "GET /ack HTTP/1.1
host: x
x-long: {long}

"
        ),
        format!(
            "GET /ack HTTP/1.1
host: x
{long}: x

"
        ),
        format!(
            "GET /ack HTTP/1.1
host: x
{many}
"
        ),
        format!(
            "GET /{long} HTTP/1.1
host: x

"
        ),
        format!(
            "{long} /ack HTTP/1.1
host: x

"
        ),
        format!(
            "GET /ack HTTP/1.1
host: x
never-ends: {long}"
        ),
    ] {
        let mut wire = Wire::to(address);
        wire.send(head.as_bytes());
        let answer = wire.answer();
        assert_eq!(answer.status, 431, "{}", &head[..40]);
        wire.assert_closed();
    }
    normal.asks();
}

/// Many requests at once, answered one after the other.
pub(super) fn pipeline(address: SocketAddr) {
    let mut wire = Wire::to(address);
    let config = light().to_string();
    let asked = [
        ("GET", "/ack", "", 200),
        ("POST", "/configure", config.as_str(), 200),
        ("GET", "/nope", "", 404),
        ("POST", "/configure", "{", 400),
        ("PUT", "/ack", "", 405),
        ("HEAD", "/ack", "", 405),
        ("POST", "/configure", "{}", 422),
        ("GET", "/metadata/9-1", "", 404),
        ("GET", "/docs", "", 200),
    ];
    let rounds = 20;
    let mut sent = Vec::new();
    for round in 0..rounds {
        for (place, (method, path, body, _)) in asked.iter().enumerate() {
            let id = format!("{round}.{place}");
            sent.extend_from_slice(&request(method, path, &[("x-request-id", &id)], body.as_bytes()));
        }
    }
    wire.send(&sent);
    for round in 0..rounds {
        for (place, (method, path, _, status)) in asked.iter().enumerate() {
            let answer = if *method == "HEAD" { wire.head() } else { wire.answer() };
            assert_eq!(judge::answered(&answer), format!("{round}.{place}"));
            assert_eq!(answer.status, *status, "{method} {path}");
        }
    }
}

#[test]
fn garbage_gets_a_400_or_the_end_of_the_connection() {
    let server = held();
    let before = judge::state(&server);
    throw_garbage(server.rest());
    assert_eq!(judge::state(&server), before);
}

#[test]
fn lengths_and_codings_that_lie_are_refused() {
    let server = held();
    let before = judge::state(&server);
    lie_about_bodies(server.rest());
    assert_eq!(judge::state(&server), before);
}

#[test]
fn a_request_that_breaks_off_at_any_byte_changes_nothing() {
    let server = held();
    let before = judge::state(&server);
    break_off(server.rest());
    assert_eq!(judge::state(&server), before);
}

#[test]
fn a_header_block_far_over_64_kib_is_431_and_the_client_can_read_it() {
    let server = held();
    send_huge_heads(server.rest());
}

#[test]
fn a_header_block_of_64_kib_is_served() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let empty = request("GET", "/channels", &[("x-long", "")], b"").len();
    let value = "x".repeat(64 * 1024 - empty);
    for _ in 0..3 {
        wire.send(&request("GET", "/channels", &[("x-long", &value)], b""));
        assert_eq!(wire.answer().status, 200);
    }
    let id = "9".repeat(60_000);
    wire.send(&request("GET", &format!("/metadata/{id}"), &[], b""));
    judge::refused(&wire.answer(), 404, "UNKNOWN_JOB", "Invalid job_id");
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let server = held();
    pipeline(server.rest());
    assert_eq!(server.simulation().snapshot().jobs.len(), 20);
}

#[test]
fn a_request_that_comes_byte_by_byte_is_a_request() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let bytes = request("POST", "/configure", &[], light().to_string().as_bytes());
    for byte in &bytes {
        wire.send(&[*byte]);
    }
    let answer = wire.answer();
    assert_eq!((answer.status.as_u16(), &answer.json()["job_id"]), (200, &json!("1-1")));
}

#[test]
fn a_header_block_just_over_64_kib_is_431() {
    let server = held();
    let long = "x".repeat(66_000);
    for head in [
        format!("GET /ack HTTP/1.1\r\nhost: x\r\nx-long: {long}\r\n\r\n"),
        format!("GET /ack HTTP/1.1\r\nhost: x\r\n{}\r\n", format!("x: {}\r\n", "y".repeat(1000)).repeat(90)),
        format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n"),
    ] {
        let mut wire = Wire::to(server.rest());
        wire.send(head.as_bytes());
        assert_eq!(wire.answer().status, 431, "{}", &head[..40]);
        wire.assert_closed();
    }
}

#[test]
fn many_small_headers_are_ignored_like_any_others() {
    let server = held();
    let many = "a: b\r\n".repeat(99);
    let mut wire = Wire::to(server.rest());
    wire.send(format!("GET /channels HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes());
    assert_eq!(wire.answer().status, 200);
}

#[test]
fn clients_that_leave_before_the_answer_leave_normal_jobs() {
    let server = held();
    let mut normal = Normal::of(server.rest());
    for _ in 0..200 {
        Wire::to(server.rest()).send(&request("POST", "/configure", &[], light().to_string().as_bytes()));
    }
    normal.asks_until("200 jobs", || server.simulation().snapshot().jobs.len() == 200);
    let mut wire = Wire::to(server.rest());
    wire.send(&request("GET", "/metadata/1-1", &[], b""));
    assert_eq!(wire.answer().status, 200);
}

#[test]
fn a_client_that_ends_its_side_after_the_request_gets_every_answer() {
    let server = held();
    for _ in 0..200 {
        assert_eq!(statuses(server.rest(), &request("GET", "/ack", &[], b"")), [200]);
    }
}
