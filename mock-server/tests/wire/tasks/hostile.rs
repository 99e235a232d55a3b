//! Names and row counts as nobody would send them: refused by the book, never an error of the server.

use std::time::Duration;

use super::{assert_unknown, block, live, violated, with_task};
use crate::judge;
use crate::raw::{Wire, request};
use crate::rest::PREFIXES;

/// Names that no task has, as they stand in the path.
const NAMES: [&str; 25] = [
    "a%2Fb",
    "..%2f..%2fx",
    "..%2F..%2Fetc%2Fpasswd",
    "%2e%2e",
    "%2e",
    "..",
    ".",
    "a.b",
    "a:b",
    "a%20b",
    "%20task-7",
    "task-7%20",
    "task-7%00",
    "%00",
    "%0a",
    "%0d%0aX:1",
    "%ff%fe",
    "%",
    "%zz",
    "%C3%A4",
    "%EF%BC%91",
    "{task_id}",
    "a;b",
    "%3Cscript%3E",
    "task-7%2f10",
];

#[tokio::test]
async fn a_name_of_other_characters_is_400_to_configure_and_unknown_elsewhere() {
    let (server, _client) = with_task(&live()).await;
    let before = judge::state(&server);
    let mut wire = Wire::to(server.rest());
    let (long, longer) = ("x".repeat(257), "x".repeat(20_000));
    let entry = (
        "path.task_id",
        "string_pattern_mismatch",
        "task_id is invalid: must be 1 to 256 characters of a-z, A-Z, 0-9, _ and -",
    );
    for name in NAMES.into_iter().chain([long.as_str(), &"x".repeat(300), &longer]) {
        for prefix in PREFIXES {
            let body = live().to_string();
            wire.send(&request("POST", &format!("{prefix}/config/{name}"), &[], body.as_bytes()));
            violated(&wire.answer(), 400, &[entry]);
            wire.send(&request("GET", &format!("{prefix}/waterfall/{name}/10"), &[], b""));
            assert_unknown(&wire.answer());
            wire.send(&request("GET", &format!("{prefix}/metadata/{name}"), &[], b""));
            judge::refused(&wire.answer(), 404, "UNKNOWN_JOB", "Invalid job_id");
        }
    }
    assert_eq!(judge::state(&server), before);
}

#[tokio::test]
async fn a_row_count_is_decimal_digits_above_zero_however_many() {
    let (server, _client) = with_task(&live()).await;
    server.simulation().advance(Duration::from_secs(1));
    let mut wire = Wire::to(server.rest());
    let mut poll = |count: &str| {
        wire.send(&request("GET", &format!("/waterfall/task-7/{count}"), &[], b""));
        wire.answer()
    };
    let (digits, huge) = ("9".repeat(300), format!("1{}", "0".repeat(30)));
    for good in ["1", "007", "%31", "1?x=0", "18446744073709551615", "18446744073709551616", &digits, &huge] {
        block(&poll(good), "task-7", usize::MAX);
    }
    let zeros = "0".repeat(300);
    for zero in ["0", "-0", "000", "-1", "-007", "%2D1", "-18446744073709551617", &zeros, &format!("-{huge}")]
    {
        let text = "row_count is invalid: must be positive";
        violated(&poll(zero), 400, &[("path.row_count", "not_positive", text)]);
    }
    let letters = "x".repeat(300);
    for text in [
        "+1",
        "1.0",
        "1.",
        ".5",
        "1e3",
        "0x10",
        "-",
        "--1",
        "-+1",
        "1-1",
        "1,0",
        "1_000",
        "%201",
        "1%20",
        "1%0a",
        "1%00",
        "%00",
        "%ff",
        "%D9%A3",
        "%EF%BC%91",
        "1%2F2",
        "..%2f..%2fx",
        "..",
        "null",
        "NaN",
        "inf",
        "true",
        "%",
        "%zz",
        "{row_count}",
        &letters,
    ] {
        violated(&poll(text), 422, &[("path.row_count", "int_type", "row_count must be an integer")]);
    }
}
