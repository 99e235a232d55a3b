//! Ids in requests: the id of the request itself, and ids of jobs that do not exist.

use std::collections::BTreeSet;

use super::{PREFIXES, ROUTES};
use crate::common::{Answer, Client, held, light};
use crate::judge::{self, header};
use crate::raw::{Wire, request};

fn with_id(wire: &mut Wire, method: &str, path: &str, id: &str) -> Answer {
    wire.send(&request(method, path, &[("X-Request-ID", id)], b""));
    wire.answer()
}

#[test]
fn a_usable_request_id_is_kept_in_the_header_and_repeated_in_the_body_of_a_refusal() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let longest = "x".repeat(64);
    for id in ["a", "7", ".", "-", "_", "Az09._-", "5f1c0e7a9b3d4c21", &longest] {
        let answer = with_id(&mut wire, "GET", "/ack", id);
        assert_eq!((answer.status.as_u16(), header(&answer, "x-request-id")), (200, Some(id)));
        for (method, path) in
            [("GET", "/nope"), ("PUT", "/ack"), ("GET", "/metadata/9-9"), ("POST", "/configure")]
        {
            let body = judge::refusal(&with_id(&mut wire, method, path, id));
            assert_eq!(body["request_id"], id, "{method} {path}");
        }
    }
}

#[test]
fn an_unusable_request_id_is_replaced_by_one_of_the_servers_own() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let too_long = "x".repeat(65);
    let huge = "x".repeat(8000);
    for id in ["", " ", "a b", "a/b", "../x", "<script>", "a\"b", "a:b", "a,b", "a\tb", "ä", &too_long, &huge]
    {
        for path in ["/ack", "/nope"] {
            let answer = with_id(&mut wire, "GET", path, id);
            let made = judge::answered(&answer);
            assert_ne!(made, id);
            assert!(made.len() == 16 && made.bytes().all(|byte| byte.is_ascii_hexdigit()), "{made}");
        }
    }
}

#[test]
fn a_request_id_that_would_bring_a_forbidden_word_into_the_answer_is_replaced() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    for id in ["my-token", "SECRET", "x.Password", "api_key", "Traceback"] {
        let body = judge::refusal(&with_id(&mut wire, "GET", "/nope", id));
        assert_ne!(body["request_id"], id);
    }
}

#[test]
fn every_answer_has_a_request_id_and_no_two_have_the_same_one() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        for (method, path, _) in ROUTES {
            for prefix in PREFIXES {
                wire.send(&request(method, &format!("{prefix}{path}"), &[], b""));
                assert!(seen.insert(judge::answered(&wire.answer()).to_owned()), "{method} {path}");
            }
        }
    }
    assert_eq!(seen.len(), 520);
}

/// Texts in the place of a job id, as they stand in the path, while the jobs `1-1` and `2-2` run.
const NO_JOBS: [&str; 58] = [
    "3-3",
    "1-2",
    "2-1",
    "11-1",
    "1-11",
    "01-1",
    "1-01",
    "+1-1",
    "1-+1",
    "-1-1",
    "1--1",
    "1-1-1",
    "1",
    "1-",
    "-1",
    "-",
    "--",
    "0-0",
    "0-1",
    "1-0",
    "1_1",
    "1.1",
    "1-1.",
    "1-1.0",
    "1e0-1",
    "0x1-1",
    "1024-1",
    "65535-1",
    "65536-1",
    "65537-1",
    "1-2147483647",
    "1-2147483648",
    "1-4294967297",
    "99999999999999999999999999-1",
    "1-99999999999999999999999999",
    "null",
    "undefined",
    "None",
    "job",
    "{job_id}",
    "..",
    ".",
    "..%2f..%2fx",
    "..%2F..%2Fetc%2Fpasswd",
    "%2e%2e",
    "%2e%2e%2f1-1",
    "1-1%2f",
    "%2f1-1",
    "1-1%00",
    "%001-1",
    "1-1%20",
    "%201-1",
    "1-1%0a",
    "%ff%fe",
    "%",
    "%zz",
    "1-1%",
    "%EF%BC%91-%EF%BC%91",
];

#[test]
fn any_text_that_is_no_id_of_a_live_job_is_404_and_never_an_error_of_the_server() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    for id in ["1-1", "2-2"] {
        wire.send(&request("POST", "/configure", &[], light().to_string().as_bytes()));
        assert_eq!(wire.answer().json()["job_id"], id);
    }
    let before = judge::state(&server);
    let long = "9".repeat(20_000);
    for id in NO_JOBS.into_iter().chain([long.as_str(), &"%31".repeat(5000)]) {
        for (method, route) in [("GET", "/metadata"), ("DELETE", "/job")] {
            for prefix in PREFIXES {
                wire.send(&request(method, &format!("{prefix}{route}/{id}"), &[], b""));
                let answer = wire.answer();
                assert_eq!(answer.status, 404, "{method} {prefix}{route}/{id}");
                judge::refused(&answer, 404, "UNKNOWN_JOB", "Invalid job_id");
            }
        }
    }
    assert_eq!(judge::state(&server), before);
}

#[tokio::test]
async fn an_id_is_the_same_text_however_its_characters_are_encoded() {
    let server = held();
    let client = Client::of(&server);
    let job = client.job(&light()).await;
    for id in ["1-1", "%31-1", "1%2d1", "1%2D%31", "1-1?x=2"] {
        let answer = client.get(&format!("/metadata/{id}")).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, job.clone()), "{id}");
    }
    let answer = client.cancel("%31-%31").await;
    assert_eq!(answer.status, 200);
}
