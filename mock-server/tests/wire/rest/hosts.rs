//! `stream_url`: the host under which the client reached the server, without its port.

use crate::common::{Answer, held, light};
use crate::judge::validator;
use crate::raw::Wire;

/// A configure over a request whose head is written out, up to the body's length.
fn configure(wire: &mut Wire, head: &str) -> Answer {
    let body = light().to_string();
    wire.send(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    wire.answer()
}

#[test]
fn the_host_of_the_request_is_the_host_of_the_streams_without_its_port() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let schema = validator("ConfigureResponse");
    for (header, host) in [
        ("localhost", "localhost"),
        ("localhost:5000", "localhost"),
        ("LocalHost:80", "LocalHost"),
        ("focus-server", "focus-server"),
        ("focus-server.panda.svc.cluster.local:5000", "focus-server.panda.svc.cluster.local"),
        ("focus_server:5000", "focus_server"),
        ("127.7.7.7", "127.7.7.7"),
        ("127.7.7.7:443", "127.7.7.7"),
        ("[::1]", "[::1]"),
        ("[::1]:5000", "[::1]"),
        ("[2001:db8::7]:443", "[2001:db8::7]"),
        ("  localhost:5000  ", "localhost"),
    ] {
        for spelling in ["Host", "host", "HOST"] {
            let answer =
                configure(&mut wire, &format!("POST /configure HTTP/1.1\r\n{spelling}: {header}\r\n"));
            assert_eq!(answer.status, 200, "{header}");
            let job = answer.json();
            assert_eq!(job["stream_url"], format!("http://{host}"), "{header}");
            assert!(schema.is_valid(&job), "{header}");
        }
    }
}

#[test]
fn what_is_no_host_is_replaced_by_the_address_the_request_came_in_on() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let expected = format!("http://{}", server.rest().ip());
    let (long_label, too_long) = ("x".repeat(64), "x.".repeat(130));
    for header in [
        "",
        ":5000",
        "a b",
        "<script>alert(1)</script>",
        "../../x",
        "a/b",
        "host:99999",
        "host:x",
        "[::1",
        "[x]",
        "a@b",
        "-a",
        "a..b",
        "http://a",
        "a,b",
        "\"a\"",
        &long_label,
        &too_long,
    ] {
        let answer = configure(&mut wire, &format!("POST /configure HTTP/1.1\r\nHost: {header}\r\n"));
        assert_eq!(answer.status, 200, "{header}");
        assert_eq!(answer.json()["stream_url"], expected, "{header}");
    }
    let answer = configure(&mut wire, "POST /configure HTTP/1.1\r\n");
    assert_eq!(answer.json()["stream_url"], expected, "no header at all");
}

#[test]
fn a_client_of_http_1_0_without_a_host_gets_an_answer_and_the_end_of_the_connection() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let answer = configure(&mut wire, "POST /focus-server/configure HTTP/1.0\r\n");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["stream_url"], format!("http://{}", server.rest().ip()));
    wire.assert_closed();
}

#[test]
fn a_client_of_http_1_0_that_asks_for_it_keeps_its_connection() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    for _ in 0..3 {
        let answer = configure(&mut wire, "POST /configure HTTP/1.0\r\nConnection: keep-alive\r\n");
        assert_eq!(answer.status, 200);
    }
}

#[test]
fn connection_close_is_honoured() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    wire.send(b"GET /channels HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(wire.answer().status, 200);
    wire.assert_closed();
}
