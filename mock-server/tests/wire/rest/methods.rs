//! Which methods and paths exist: everything else is 405 or 404, also what a library would have let through.

use super::{PREFIXES, ROUTES, methods_of};
use crate::common::{base, held};
use crate::judge;
use crate::raw::{Wire, ask, request};

const METHODS: [&str; 14] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "BREW",
    "get", "Post", "X",
];

#[test]
fn every_other_method_of_every_route_is_405_and_names_exactly_the_allowed_ones() {
    let server = held();
    for (_, path, _) in ROUTES {
        for prefix in PREFIXES {
            let mut wire = Wire::to(server.rest());
            for method in METHODS.into_iter().filter(|method| !methods_of(path).contains(method)) {
                let path = format!("{prefix}{path}");
                wire.send(&request(method, &path, &[], b""));
                let head = method == "HEAD";
                let answer = if head { wire.head() } else { wire.answer() };
                assert_eq!(answer.status, 405, "{method} {path}");
                let allowed = methods_of(path.strip_prefix(prefix).expect("the prefix")).join(", ");
                assert_eq!(judge::header(&answer, "allow"), Some(allowed.as_str()), "{method} {path}");
                judge::answered(&answer);
                if !head {
                    judge::refused(&answer, 405, "METHOD_NOT_ALLOWED", "Method Not Allowed");
                }
            }
        }
    }
}

#[test]
fn a_method_that_is_not_allowed_is_405_whatever_its_body_is_and_changes_nothing() {
    let server = held();
    let before = judge::state(&server);
    let body = base().to_string();
    for method in ["PUT", "PATCH", "DELETE", "GET", "OPTIONS"] {
        for body in [body.as_bytes(), b"{", b"\xff"] {
            let answer = ask(server.rest(), method, "/configure", body);
            judge::refused(&answer, 405, "METHOD_NOT_ALLOWED", "Method Not Allowed");
        }
    }
    assert_eq!(judge::state(&server), before);
}

/// Paths that look like one that exists, and what the admin listener serves.
const UNKNOWN: [&str; 55] = [
    "/",
    "//",
    "/focus-server",
    "/focus-server/",
    "/focus-server//",
    "/focus-server/focus-server/ack",
    "/focus-server//ack",
    "/FOCUS-SERVER/ack",
    "/focus-serverack",
    "/health",
    "/info",
    "/healthz",
    "/favicon.ico",
    "/ack/",
    "/ack//",
    "//ack",
    "/./ack",
    "/x/../ack",
    "/ACK",
    "/Ack",
    "/ack/1",
    "/ack%2f",
    "/ack%20",
    "/ack;v=1",
    "/ack.json",
    "/channels/",
    "/configure/",
    "/configure/1-1",
    "/metadata",
    "/metadata/",
    "/metadata//",
    "/metadata/1-1/",
    "/metadata/1-1/x",
    "/metadata/../ack",
    "/job",
    "/job/",
    "/jobs/1-1",
    "/sensors/",
    "/sensors/0",
    "/config",
    "/config/",
    "/config/task-7/",
    "/config/task-7/x",
    "/waterfall",
    "/waterfall/task-7",
    "/waterfall/task-7/",
    "/waterfall/task-7/10/",
    "/waterfall/task-7/10/x",
    "/openapi",
    "/openapi.yaml",
    "/docs/index.html",
    "/prisma/api/ack",
    "/__mock/state",
    "/livez",
    "/metrics",
];

#[test]
fn an_unknown_route_is_404_for_every_method() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    for path in UNKNOWN {
        for method in ["GET", "POST", "DELETE", "PUT", "OPTIONS", "HEAD", "BREW"] {
            wire.send(&request(method, path, &[], b""));
            let answer = if method == "HEAD" { wire.head() } else { wire.answer() };
            assert_eq!(answer.status, 404, "{method} {path}");
            judge::answered(&answer);
            if method != "HEAD" {
                judge::refused(&answer, 404, "NOT_FOUND", "Not Found");
            }
        }
    }
}

#[test]
fn an_unknown_route_below_the_prefix_is_404_as_well() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    for path in UNKNOWN {
        // The prefix itself and below it the prefix again; the bare forms are in the list.
        wire.send(&request("GET", &format!("/focus-server/focus-server{path}"), &[], b""));
        judge::refused(&wire.answer(), 404, "NOT_FOUND", "Not Found");
    }
}

#[test]
fn a_target_that_is_no_path_is_an_unknown_route() {
    let server = held();
    for (method, target) in [("OPTIONS", "*"), ("CONNECT", "localhost:5000"), ("GET", "http://localhost")] {
        let answer = ask(server.rest(), method, target, b"");
        judge::refused(&answer, 404, "NOT_FOUND", "Not Found");
    }
}
