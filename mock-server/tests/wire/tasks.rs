//! The task API: what a task is configured with, what its polls find, and what it never touches.

mod config;
mod hostile;
mod life;
mod waterfall;

use focus_mock::MockServer;
use serde_json::{Value, json};

use super::common::{Answer, Client, held};
use super::judge;

/// A live configuration of ten sensors; rows every 100 ms.
fn live() -> Value {
    json!({"displayTimeAxisDuration": 10, "nfftSelection": 1024, "canvasInfo": {"height": 100},
           "sensors": {"min": 0, "max": 9}, "frequencyRange": {"min": 0, "max": 500},
           "start_time": null, "end_time": null})
}

/// The configuration with the value at a place replaced; `null` counts as absent.
fn set(mut body: Value, place: &str, value: Value) -> Value {
    let pointer = format!("/{}", place.replace('.', "/"));
    *body.pointer_mut(&pointer).expect("the field is there") = value;
    body
}

/// The configuration of a window of 1000 s, which plays for 5 s.
fn historic() -> Value {
    set(set(live(), "start_time", json!(FIRST_STAMP)), "end_time", json!("251205151503"))
}

/// Begin of the window, and the same in epoch milliseconds.
const FIRST_STAMP: &str = "251205145823";
const FIRST_MILLIS: i64 = 1_764_946_703_000;

/// Configures a task that must be accepted.
async fn configured(client: &Client, id: &str, body: &Value) {
    let answer = client.post(&format!("/config/{id}"), body).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let received = json!({"status": "Config received successfully", "task_id": id});
    assert_eq!(judge::json_answer(&answer), received);
}

/// A server with one configured task.
async fn with_task(body: &Value) -> (MockServer, Client) {
    let server = held();
    let client = Client::of(&server);
    configured(&client, "task-7", body).await;
    (server, client)
}

/// Checks an answer without a body.
#[track_caller]
fn assert_empty(answer: &Answer, status: u16) {
    judge::answered(answer);
    assert_eq!(answer.status, status);
    assert_eq!(judge::header(answer, "content-type"), None);
    assert_eq!(judge::header(answer, "content-length"), Some("0"));
    assert_eq!(answer.body, b"");
}

#[track_caller]
fn assert_unknown(answer: &Answer) {
    judge::refused(answer, 404, "UNKNOWN_TASK", "Consumer not found");
}

/// Checks that exactly these violations were answered, in this order; their places begin with `body` or `path`.
#[track_caller]
fn violated(answer: &Answer, status: u16, expected: &[(&str, &str, &str)]) {
    let body = judge::refusal(answer);
    let entry = |(place, kind, text): &(&str, &str, &str)| {
        let loc: Vec<&str> = place.split('.').collect();
        json!({"loc": loc, "msg": text, "type": kind})
    };
    assert_eq!(body["detail"], json!(expected.iter().map(entry).collect::<Vec<_>>()));
    let code = if status == 422 { "INVALID_REQUEST" } else { "INVALID_VALUE" };
    assert_eq!((answer.status.as_u16(), &body["code"]), (status, &json!(code)));
}

/// The only block of an answer with rows, after everything that holds for all of them.
#[track_caller]
fn block(answer: &Answer, id: &str, at_most: usize) -> Value {
    assert_eq!(answer.status, 201);
    // Not `json_answer`: a 32-bit float of the same digits has an exponent only further below 1.
    assert!(!judge::json_text(answer).contains(char::is_whitespace), "compact");
    let blocks = answer.json();
    let schema = judge::validator("Waterfall");
    assert!(schema.is_valid(&blocks), "{:?}", schema.iter_errors(&blocks).next().map(|one| one.to_string()));
    assert_eq!(blocks.as_array().map(Vec::len), Some(1));
    let block = &blocks[0];
    let (highest, lowest) = (&block["current_max_amp"], &block["current_min_amp"]);
    let bounds = lowest.as_f64().expect("a number")..=highest.as_f64().expect("a number");
    assert!(!bounds.is_empty(), "{bounds:?}");
    let rows = block["rows"].as_array().expect("rows");
    assert!((1..=at_most).contains(&rows.len()), "{} rows", rows.len());
    let mut last_end = None;
    for row in rows {
        assert_eq!(row["canvasId"], id);
        let (start, end) = (row["startTimestamp"].as_i64(), row["endTimestamp"].as_i64());
        assert!(end > start && last_end.is_none_or(|last| last == start), "{last_end:?} {start:?} {end:?}");
        last_end = Some(end);
        for sensor in row["sensors"].as_array().expect("sensors") {
            for value in sensor["intensity"].as_array().expect("values") {
                assert!(bounds.contains(&value.as_f64().expect("a number")), "{value} outside {bounds:?}");
            }
        }
    }
    block.clone()
}

/// Begins of the rows of a block, epoch milliseconds.
fn begins(block: &Value) -> Vec<i64> {
    let rows = block["rows"].as_array().expect("rows").iter();
    rows.map(|row| row["startTimestamp"].as_i64().expect("a time")).collect()
}
