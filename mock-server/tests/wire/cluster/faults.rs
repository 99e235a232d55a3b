//! Faults of the Kubernetes API: what its clients see, and that a watch can be broken although it has no end.

use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::sim::faults::{AnyRoute, Delay, Effect, KubeRoute, Match, Schedule};

use super::{WATCH, address, chunk, get, lines, watch};
use crate::common::held;
use crate::faults::{always, everything, records, rule};
use crate::raw::{Wire, connect, request};

/// All that a watch of its own sees until it ends, its head first, and whether it was reset.
fn watched(server: &MockServer) -> (String, Vec<u8>, bool) {
    let mut socket = connect(address(server));
    let asked = request("GET", WATCH, &[("x-request-id", "x")], b"");
    std::io::Write::write_all(&mut socket, &asked).expect("taken");
    let (bytes, reset) = everything(socket);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    let (head, body) = bytes.split_at(end);
    (String::from_utf8(head.to_vec()).expect("text"), body.to_vec(), reset)
}

/// What a watch says that nothing happens to.
fn said(server: &MockServer) -> Vec<u8> {
    lines(&mut watch(address(server)), 3)
}

#[test]
fn a_running_watch_is_cut_after_so_many_bytes_and_cannot_be_taken_for_whole() {
    for bytes in [0, 1, 10, 100] {
        let server = held();
        let whole = said(&server);
        always(&server, "kube.watch.body", Effect::Truncate { bytes });
        let (head, body, reset) = watched(&server);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        assert!(
            head.contains("transfer-encoding: chunked\r\n") && head.contains("audit-id: x\r\n"),
            "{head}"
        );
        assert!(!reset);
        // Without the lengths of chunks it is the beginning of what it would have been.
        let (mut data, mut rest) = (Vec::new(), &body[..]);
        while let Some(at) = rest.windows(2).position(|two| two == b"\r\n") {
            let length = std::str::from_utf8(&rest[..at]).expect("a length");
            let length = usize::from_str_radix(length, 16).expect("a length");
            assert_ne!(length, 0, "no end of the body");
            let piece = &rest[at + 2..];
            data.extend_from_slice(&piece[..length.min(piece.len())]);
            rest = piece.get(length + 2..).unwrap_or_default();
        }
        assert_eq!(data, whole[..bytes as usize]);
    }
}

#[test]
fn a_watch_is_reset_or_closed_after_its_headers_at_once_or_later() {
    for (effect, expected) in [(Effect::Reset, true), (Effect::Close, false), (Effect::Empty, false)] {
        let server = held();
        let id = always(&server, "kube.watch.body", effect.clone());
        let (head, body, reset) = watched(&server);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        assert_eq!((body.len(), reset), (0, expected), "{effect:?}");
        server.simulation().faults().remove(&id);
        let later = Some(Delay::Fixed(Duration::from_secs(10)));
        rule(&server, "kube.watch.body", Match::default(), Schedule::default(), later, Some(effect));
        let mut wire = watch(address(&server));
        server.simulation().advance(Duration::from_secs(9));
        assert!(!wire.has_bytes());
        while server.simulation().snapshot().waiters.iter().all(|waiter| !waiter.what.starts_with("fault")) {}
        server.simulation().advance(Duration::from_secs(10));
        if expected {
            assert_eq!(wire.broken().kind(), std::io::ErrorKind::ConnectionReset);
        } else {
            wire.assert_closed();
        }
    }
}

#[test]
fn half_of_the_headers_of_a_watch_can_leave() {
    let server = held();
    always(&server, "kube.watch.headers", Effect::Close);
    let (head, body, reset) = watched(&server);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && !head.contains("\r\n\r\n"), "{head}");
    assert_eq!((body.len(), reset), (0, false));
}

#[test]
fn a_length_that_is_wrong_ends_a_watch_too_soon() {
    let server = held();
    always(&server, "kube.watch.headers", Effect::ContentLength { off_by: 7 });
    let (head, body, reset) = watched(&server);
    assert!(head.contains("content-length: 7\r\n"), "{head}");
    assert_eq!((body.len(), reset), (0, false));
}

#[test]
fn the_first_bytes_of_a_watch_are_garbage_and_the_others_as_they_were() {
    let server = held();
    let whole = said(&server);
    always(&server, "kube.watch.body", Effect::Garbage { bytes: 5 });
    let mut wire = watch(address(&server));
    let mut read = Vec::new();
    while read.len() < whole.len() {
        read.extend(chunk(&mut wire));
    }
    assert_eq!(read[5..], whole[5..]);
    assert_ne!(read[..5], whole[..5]);
}

#[test]
fn a_watch_drips() {
    let server = held();
    let whole = said(&server);
    always(&server, "kube.watch.body", Effect::Drip { bytes_per_second: 10 });
    let mut wire = watch(address(&server));
    let mut read = Vec::new();
    for second in 1..=3 {
        while read.len() < 10 * second {
            while server
                .simulation()
                .snapshot()
                .waiters
                .iter()
                .all(|waiter| !waiter.what.contains("next bytes"))
            {}
            server.simulation().advance(Duration::from_millis(100));
            let bytes = chunk(&mut wire);
            assert_eq!(bytes.len(), 1);
            read.extend(bytes);
        }
    }
    assert_eq!(read, whole[..30]);
}

#[test]
fn a_status_has_the_body_of_the_rule_and_a_limit_that_of_the_cluster() {
    let server = held();
    let status = Effect::Status {
        status: 503,
        body: String::from("{\"kind\":\"Status\"}"),
        content_type: String::from("application/json"),
        retry_after: Some(7),
    };
    let id = always(&server, "kube.list.before", status);
    let answer = get(&server, "/api/v1/pods", &[]);
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["retry-after"]),
        (503, &"7".parse().expect("a value"))
    );
    assert_eq!(answer.body, b"{\"kind\":\"Status\"}");
    server.simulation().faults().remove(&id);
    let limit = Effect::RateLimit { requests: 1, per: Duration::from_secs(60), retry_after: 3 };
    always(&server, "kube.before", limit);
    let answers = [(); 2].map(|()| get(&server, "/healthz", &[]));
    assert_eq!(answers[0].status, 200);
    let refused = answers[1].json();
    assert_eq!(
        (answers[1].status.as_u16(), &answers[1].headers["retry-after"]),
        (429, &"3".parse().expect("a value"))
    );
    assert_eq!((&refused["kind"], &refused["reason"]), (&"Status".into(), &"TooManyRequests".into()));
}

#[test]
fn rules_of_the_cluster_are_matched_by_route_method_and_header_and_touch_nobody_else() {
    let server = held();
    let anybody = Match::default();
    let matches = [
        Match { route: Some(AnyRoute::Kube(KubeRoute::Get)), ..anybody.clone() },
        Match { method: Some("PUT".into()), ..anybody.clone() },
        Match { headers: vec![("x-client".into(), wildmatch("a*"))], ..anybody },
    ];
    for (number, matches) in (0..).zip(matches) {
        let status = Effect::Status {
            status: 500 + number,
            body: String::new(),
            content_type: String::new(),
            retry_after: None,
        };
        rule(&server, "kube.before", matches, Schedule::default(), None, Some(status));
    }
    let asks = |method: &str, path: &str, headers: &[(&str, &str)]| {
        let mut wire = Wire::to(address(&server));
        wire.send(&request(method, path, headers, b""));
        wire.answer().status.as_u16()
    };
    assert_eq!(asks("GET", "/api/v1/nodes/worker-none", &[]), 500);
    assert_eq!(asks("PUT", "/apis/apps/v1/namespaces/panda/deployments/x/scale", &[]), 501);
    assert_eq!(asks("GET", "/healthz", &[("x-client", "abc")]), 502);
    assert_eq!(asks("GET", "/healthz", &[("x-client", "bc")]), 200);
    let mut wire = Wire::to(server.rest());
    wire.send(&request("PUT", "/channels", &[("x-client", "abc")], b""));
    assert_eq!(wire.answer().status, 405, "the product has its own rules");
    let why: Vec<_> = records(&server).iter().map(|record| record.why.len()).collect();
    assert_eq!(why, [1, 1, 1, 0, 0]);
}

fn wildmatch(pattern: &str) -> wildmatch::WildMatch {
    wildmatch::WildMatch::new(pattern)
}

#[test]
fn a_rule_there_cannot_refuse_in_the_words_of_the_product_nor_name_its_routes() {
    for text in [
        "{at: kube.before, do: {refuse: PORT_IN_USE}}",
        "{at: kube.before, match: {route: configure}, do: reset}",
        "{at: rest.before, match: {route: kube.get}, do: reset}",
        "{at: kube.get.before, match: {job: 1-1}, do: reset}",
        "{at: kube.create.before, match: {view: 1}, do: reset}",
    ] {
        assert!(focus_mock::document::rules::rule(text, "a rule").is_err(), "{text}");
    }
    for text in [
        "{at: kube.before, match: {route: kube.watch, method: GET, caller: 127.*}, do: reset}",
        "{at: kube.unrouted.headers, do: {content_type: text/plain}}",
    ] {
        assert!(focus_mock::document::rules::rule(text, "a rule").is_ok(), "{text}");
    }
}
