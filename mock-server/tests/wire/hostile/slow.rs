//! Clients that take their time: with headers, with bodies, between requests, with reading.
//!
//! Limits are small here and waited for by what they do; every other limit is an hour, so that none stands in for the
//! one that is meant.

use std::net::TcpStream;
use std::time::Duration;

use focus_mock::{HttpLimits, MockServer};
use socket2::{Domain, Socket, Type};

use super::normal::Normal;
use crate::common::{held, held_as, light};
use crate::judge;
use crate::raw::{Wire, request};

const HOUR: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(200);

/// A server with one short limit.
fn hurried(change: impl FnOnce(&mut HttpLimits)) -> MockServer {
    let mut http = HttpLimits {
        header_time: HOUR,
        body_time: HOUR,
        idle_time: HOUR,
        write_time: HOUR,
        ..HttpLimits::default()
    };
    change(&mut http);
    held_as(|config| config.http = http)
}

/// Beginnings of header blocks that never end.
const HEADS: [&[u8]; 5] =
    [b"G", b"GET /ack HT", b"GET /ack HTTP/1.1\r\nhost: x\r\nx-slow: ", b"\r\n", b"GET /ack HTTP/1.1\r\n\r"];

#[test]
fn headers_that_come_byte_by_byte_are_cut_off_while_others_are_answered() {
    let server = hurried(|http| http.header_time = SOON);
    for address in [server.rest(), server.admin().expect("an admin listener")] {
        let mut normal = Normal::of(server.rest());
        let mut slow = Wire::to(address);
        slow.send(HEADS[2]);
        // A byte with every look: were the time counted from the last one, it would never be over.
        normal.asks_until("the end of the slow connection", || {
            let _ = slow.try_send(b"x");
            slow.is_closed()
        });
    }
}

#[test]
fn headers_that_stop_are_cut_off_wherever_they_do() {
    let server = hurried(|http| http.header_time = SOON);
    let begun = HEADS.map(|head| {
        let [mut first, mut later] = [(); 2].map(|()| Wire::to(server.rest()));
        first.send(head);
        // The limit is one of every request, not of the connection's first.
        later.send(&request("GET", "/ack", &[], b""));
        assert_eq!(later.answer().status, 200);
        later.send(head);
        [first, later]
    });
    for mut wire in begun.into_iter().flatten() {
        wire.assert_closed();
    }
}

#[test]
fn a_body_that_comes_byte_by_byte_is_no_json_once_its_time_is_over() {
    let server = hurried(|http| http.body_time = SOON);
    let before = judge::state(&server);
    let mut normal = Normal::of(server.rest());
    for path in ["/configure", "/recordings_in_time_range", "/config/task-7"] {
        let mut slow = Wire::to(server.rest());
        slow.send(&request("POST", path, &[("content-length", "1000000")], b""));
        normal.asks_until("an answer to the slow request", || {
            let _ = slow.try_send(b" ");
            slow.has_bytes()
        });
        judge::refused(&slow.answer(), 400, "MALFORMED_JSON", "Request body is not valid JSON");
        slow.assert_closed();
    }
    assert_eq!(judge::state(&server), before);
}

#[test]
fn a_connection_without_a_request_is_closed_and_one_with_a_request_is_not() {
    let server = hurried(|http| http.idle_time = SOON);
    let body = light().to_string();
    let (begin, end) = body.as_bytes().split_at(body.len() / 2);
    let mut busy = Wire::to(server.rest());
    let length = body.len().to_string();
    busy.send(&request(
        "POST",
        "/configure",
        &[("content-length", &length), ("expect", "100-continue")],
        b"",
    ));
    assert_eq!(busy.head().status, 100);
    busy.send(begin);
    let mut normal = Normal::of(server.rest());
    let (mut silent, mut asked) = (Wire::to(server.rest()), Wire::to(server.rest()));
    asked.send(&request("GET", "/ack", &[], b""));
    assert_eq!(asked.answer().status, 200);
    // The normal one is never without a request for long, however long it is there.
    normal.asks_until("the end of both idle connections", || silent.is_closed() && asked.is_closed());
    silent.assert_closed();
    asked.assert_closed();
    busy.send(end);
    let answer = busy.answer();
    assert_eq!((answer.status.as_u16(), answer.headers.get("connection")), (200, None), "it may go on");
    // From here on it is idle like any other.
    busy.assert_closed();
}

/// A client with a small window, which says what it wants and reads none of it.
fn unread(server: &MockServer, asked: &[u8], times: usize) -> TcpStream {
    let socket = Socket::new(Domain::for_address(server.rest()), Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a socket option");
    socket.connect(&server.rest().into()).expect("it listens");
    let mut stream = TcpStream::from(socket);
    std::io::Write::write_all(&mut stream, &asked.repeat(times)).expect("the server takes what is sent");
    stream
}

#[test]
fn a_client_that_does_not_read_its_answers_is_cut_off() {
    let server = hurried(|http| http.write_time = SOON);
    let mut normal = Normal::of(server.rest());
    // More than the system keeps for both sides together.
    let document = focus_proto::OPENAPI_JSON.len();
    let asked = request("GET", "/openapi.json", &[], b"");
    let stuck = unread(&server, &asked, 32 * 1024 * 1024 / document);
    normal.asks_until("the end of the connection that is not read", || {
        let error = stuck.take_error().expect("a socket");
        error.is_some_and(|error| {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
            true
        })
    });
}

#[test]
fn clients_that_end_their_side_get_every_answer_they_asked_for() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let body = light().to_string();
    let asked = [
        request("GET", "/ack", &[], b""),
        request("POST", "/configure", &[], body.as_bytes()),
        request("GET", "/openapi.json", &[], b""),
    ];
    wire.send(&asked.concat());
    wire.end_sending();
    for _ in asked {
        assert_eq!(wire.answer().status, 200);
    }
    wire.assert_closed();
}
