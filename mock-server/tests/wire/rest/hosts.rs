//! `stream_url`: the host under which the client reached the server, without its port.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use focus_mock::{Addresses, PortChoice, StreamsAt};
use serde_json::Value;

use crate::common::{Answer, held, held_as, light};
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

#[test]
fn settings_stand_in_for_the_host_of_the_request_and_for_the_scheme() {
    for (public_url, host, expected) in [
        (None, None, "http://asked"),
        (Some("https://focus.example"), None, "https://focus.example"),
        (Some("http://focus.example"), None, "http://focus.example"),
        (Some("https://[2001:db8::7]"), None, "https://[2001:db8::7]"),
        (None, Some("127.7.0.3"), "http://127.7.0.3"),
        (None, Some("2001:db8::7"), "http://[2001:db8::7]"),
        (None, Some("[2001:db8::7]"), "http://[2001:db8::7]"),
        (Some("https://focus.example"), Some("streams.example"), "https://streams.example"),
    ] {
        let [public_url, host] = [public_url, host].map(|text| text.map(str::to_owned));
        let server = held_as(|config| config.streams_at = StreamsAt { public_url, host });
        let mut wire = Wire::to(server.rest());
        let job = configure(&mut wire, "POST /configure HTTP/1.1\r\nHost: asked:5000\r\n").json();
        assert_eq!(job["stream_url"], expected);
        wire.send(b"GET /metadata/1-1 HTTP/1.1\r\nhost: other\r\n\r\n");
        assert_eq!(wire.answer().json(), job, "metadata repeats the answer");
    }
}

/// What a server on every address of a family answers to a client at one of them, which names no usable host.
fn without_a_host(listen: IpAddr, dialled: IpAddr, header: &str) -> Value {
    let listen = SocketAddr::new(listen, 0);
    let server = held_as(|config| {
        config.addresses = Addresses::Given { listen, admin: None, kube: None, ports: PortChoice::FreeBlock };
    });
    let mut wire = Wire::to(SocketAddr::new(dialled, server.rest().port()));
    configure(&mut wire, &format!("POST /configure HTTP/1.1\r\n{header}")).json()["stream_url"].clone()
}

#[test]
fn a_server_on_every_address_names_the_one_that_was_dialled() {
    let every = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    // The last two are what a client says that dials the address of the listener as it stands.
    for header in ["", "Host: \r\n", "Host: a b\r\n", "Host: 0.0.0.0:5000\r\n", "Host: [::]\r\n"] {
        let told = without_a_host(every, IpAddr::from([127, 0, 0, 1]), header);
        assert_eq!(told, "http://127.0.0.1", "{header:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_on_every_address_of_either_kind_names_the_one_that_was_dialled() {
    let every = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    assert_eq!(without_a_host(every, IpAddr::V6(Ipv6Addr::LOCALHOST), ""), "http://[::1]");
    assert_eq!(without_a_host(every, IpAddr::from([127, 0, 0, 9]), ""), "http://127.0.0.9");
}
