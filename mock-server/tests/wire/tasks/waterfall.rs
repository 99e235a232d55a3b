//! `GET /waterfall/{task_id}/{row_count}`: what a poll finds, and when.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    FIRST_MILLIS, assert_empty, assert_unknown, begins, block, configured, historic, live, set, violated,
    with_task,
};
use crate::common::{Client, START, held};
use crate::rest::PREFIXES;

const NO_INTEGER: (&str, &str, &str) = ("path.row_count", "int_type", "row_count must be an integer");
const NOT_POSITIVE: (&str, &str, &str) =
    ("path.row_count", "not_positive", "row_count is invalid: must be positive");

/// When the first row of a task configured at the start begins.
const FIRST_ROW: i64 = (START + 1) * 1000;

#[tokio::test]
async fn a_bad_row_count_comes_before_an_unknown_task() {
    let server = held();
    let client = Client::of(&server);
    for prefix in PREFIXES {
        violated(&client.get(&format!("{prefix}/waterfall/nobody/x")).await, 422, &[NO_INTEGER]);
        violated(&client.get(&format!("{prefix}/waterfall/nobody/0")).await, 400, &[NOT_POSITIVE]);
        assert_unknown(&client.get(&format!("{prefix}/waterfall/nobody/1")).await);
    }
    configured(&client, "task-7", &live()).await;
    violated(&client.get("/waterfall/task-7/x").await, 422, &[NO_INTEGER]);
    violated(&client.get("/waterfall/task-7/-1").await, 400, &[NOT_POSITIVE]);
    for other in ["task-", "task-70", "TASK-7", "7"] {
        assert_unknown(&client.get(&format!("/waterfall/{other}/1")).await);
    }
}

#[tokio::test]
async fn there_is_nothing_for_a_second_and_then_there_are_rows() {
    let (server, client) = with_task(&live()).await;
    assert_empty(&client.get("/waterfall/task-7/10").await, 200);
    server.simulation().advance(Duration::from_millis(999));
    assert_empty(&client.get("/focus-server/waterfall/task-7/10").await, 200);
    server.simulation().advance(Duration::from_millis(1));
    for prefix in PREFIXES {
        let block = block(&client.get(&format!("{prefix}/waterfall/task-7/10")).await, "task-7", 10);
        assert_eq!(begins(&block), [FIRST_ROW], "the newest row is there for every poll");
        let ids: Vec<&Value> =
            block["rows"][0]["sensors"].as_array().expect("sensors").iter().map(|one| &one["id"]).collect();
        assert_eq!(ids, (0..10).collect::<Vec<u32>>());
    }
}

#[tokio::test]
async fn a_poll_gets_the_rows_since_the_last_one_and_of_too_many_the_newest() {
    let (server, client) = with_task(&live()).await;
    let rows =
        |numbers: std::ops::RangeInclusive<i64>| numbers.map(|row| FIRST_ROW + row * 100).collect::<Vec<_>>();
    server.simulation().advance(Duration::from_millis(1250));
    let first = block(&client.get("/waterfall/task-7/10").await, "task-7", 10);
    assert_eq!(begins(&first), rows(0..=2));
    server.simulation().advance(Duration::from_millis(500));
    let second = block(&client.get("/waterfall/task-7/10").await, "task-7", 10);
    assert_eq!(begins(&second), rows(3..=7));
    server.simulation().advance(Duration::from_secs(10));
    let third = block(&client.get("/waterfall/task-7/4").await, "task-7", 4);
    assert_eq!(begins(&third), rows(104..=107));
}

/// Polls a fresh server's task three times.
async fn played(id: &str) -> Vec<Value> {
    let server = held();
    let client = Client::of(&server);
    configured(&client, id, &live()).await;
    let mut blocks = Vec::new();
    for _ in 0..3 {
        server.simulation().advance(Duration::from_secs(1));
        blocks.push(block(&client.get(&format!("/waterfall/{id}/100")).await, id, 100));
    }
    blocks
}

#[tokio::test]
async fn the_numbers_differ_from_row_to_row_and_from_task_to_task_and_repeat_with_the_seed() {
    let sensors = |blocks: &[Value]| -> Vec<Value> {
        let rows = blocks.iter().flat_map(|block| block["rows"].as_array().expect("rows"));
        rows.map(|row| row["sensors"].clone()).collect()
    };
    let one = played("task-7").await;
    let rows = sensors(&one);
    assert_eq!(rows.len(), 21);
    for (number, row) in rows.iter().enumerate() {
        assert!(!rows[..number].contains(row), "row {number} was there before");
    }
    assert_eq!(played("task-7").await, one);
    let others = sensors(&played("task-8").await);
    assert!(others.iter().zip(&rows).all(|(other, row)| other != row));
}

#[tokio::test]
async fn a_task_that_nobody_polls_exits_after_a_minute_and_is_forgotten_after_another() {
    let (server, client) = with_task(&live()).await;
    let advance = |millis| drop(server.simulation().advance(Duration::from_millis(millis)));
    advance(59_999);
    block(&client.get("/waterfall/task-7/5").await, "task-7", 5);
    advance(59_999);
    block(&client.get("/waterfall/task-7/5").await, "task-7", 5);
    advance(60_000);
    assert_empty(&client.get("/waterfall/task-7/5").await, 208);
    advance(59_999);
    assert_empty(&client.get("/focus-server/waterfall/task-7/5").await, 208);
    advance(1);
    assert_unknown(&client.get("/waterfall/task-7/5").await);
    configured(&client, "task-7", &live()).await;
    assert_empty(&client.get("/waterfall/task-7/5").await, 200);
}

#[tokio::test]
async fn polls_without_data_count_and_refused_ones_do_not() {
    let (server, client) = with_task(&live()).await;
    let advance = |millis| drop(server.simulation().advance(Duration::from_millis(millis)));
    advance(500);
    assert_empty(&client.get("/waterfall/task-7/5").await, 200);
    advance(59_999);
    assert_eq!(client.get("/metadata/task-7").await.status, 201, "it lives, and this is no poll");
    violated(&client.get("/waterfall/task-7/0").await, 400, &[NOT_POSITIVE]);
    violated(&client.get("/waterfall/task-7/x").await, 422, &[NO_INTEGER]);
    advance(1);
    assert_empty(&client.get("/waterfall/task-7/5").await, 208);
}

#[tokio::test]
async fn an_exited_task_lives_again_when_it_is_configured_again() {
    let (server, client) = with_task(&live()).await;
    server.simulation().advance(Duration::from_secs(60));
    assert_empty(&client.get("/waterfall/task-7/5").await, 208);
    configured(&client, "task-7", &live()).await;
    server.simulation().advance(Duration::from_secs(1));
    block(&client.get("/waterfall/task-7/5").await, "task-7", 5);
}

#[tokio::test]
async fn a_recorded_window_keeps_its_times_and_exits_when_it_was_played_out() {
    let (server, client) = with_task(&historic()).await;
    let advance = |millis| drop(server.simulation().advance(Duration::from_millis(millis)));
    assert_empty(&client.get("/waterfall/task-7/5").await, 200);
    advance(1000);
    let first = block(&client.get("/waterfall/task-7/5").await, "task-7", 5);
    assert_eq!(begins(&first), [FIRST_MILLIS]);
    advance(2500);
    let middle = block(&client.get("/waterfall/task-7/1").await, "task-7", 1);
    assert_eq!(begins(&middle), [FIRST_MILLIS + 500_000], "200 times as fast as it was recorded");
    advance(2499);
    let last = block(&client.get("/waterfall/task-7/1000000").await, "task-7", 1_000_000);
    let times = begins(&last);
    assert_eq!(times.first(), Some(&(FIRST_MILLIS + 500_100)));
    let end = last["rows"].as_array().and_then(|rows| rows.last()).expect("a row")["endTimestamp"].as_i64();
    assert!(end.is_some_and(|end| (FIRST_MILLIS..=FIRST_MILLIS + 1_000_000).contains(&end)), "{end:?}");
    advance(1);
    assert_empty(&client.get("/waterfall/task-7/5").await, 208);
    advance(59_999);
    assert_empty(&client.get("/waterfall/task-7/5").await, 208);
    advance(1);
    assert_unknown(&client.get("/waterfall/task-7/5").await);
}

#[tokio::test]
async fn the_answer_to_a_huge_request_stays_small() {
    let longest = "x".repeat(256);
    let widest = json!({"min": 0, "max": 2336});
    for (id, sensors, rows) in [("a", widest, 85), (&longest, json!({"min": 2335, "max": 2336}), 16_666)] {
        for base in [live(), set(historic(), "end_time", json!("251231235959"))] {
            let server = held();
            let client = Client::of(&server);
            let body = set(set(base, "sensors", sensors.clone()), "displayTimeAxisDuration", json!(5e-324));
            configured(&client, id, &body).await;
            server.simulation().advance(Duration::from_millis(59_999));
            let answer = client.get(&format!("/waterfall/{id}/1000000000")).await;
            assert!(answer.body.len() < 10_000_000, "{} bytes", answer.body.len());
            let block = block(&answer, id, 1_000_000_000);
            assert_eq!(block["rows"].as_array().map(Vec::len), Some(rows));
        }
    }
}

#[tokio::test]
async fn the_longest_row_ends_after_it_begins() {
    let body = set(set(live(), "displayTimeAxisDuration", json!(1e308)), "canvasInfo.height", json!(1));
    let (server, client) = with_task(&body).await;
    server.simulation().advance(Duration::from_secs(30));
    let block = block(&client.get("/waterfall/task-7/5").await, "task-7", 5);
    assert_eq!(begins(&block), [FIRST_ROW]);
}
