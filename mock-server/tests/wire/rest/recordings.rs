//! `POST /recordings_in_time_range`: the synthetic catalogue and what a world file can add to it.

use std::time::Duration;

use focus_mock::domain::time::{EpochSeconds, Moment};
use focus_mock::sim::clock::Mode;
use focus_mock::sim::setup::{
    Dependencies, EARLIEST_RECORDING, MongoDb, RecordingPlan, RecordingsState, Setup, Supply, When,
};
use focus_mock::{Config, MockServer};
use serde_json::{Value, json};

use super::PREFIXES;
use crate::common::{Client, START, base, held, held_with, with};
use crate::judge::{self, validator};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

async fn list(client: &Client, start: i64, end: i64) -> Vec<(i64, i64)> {
    let mut answers = Vec::new();
    for prefix in PREFIXES {
        let body = json!({"start_time": start, "end_time": end});
        let answer = client.post(&format!("{prefix}/recordings_in_time_range"), &body).await;
        assert_eq!(answer.status, 200);
        let body = judge::json_answer(&answer);
        assert!(validator("Recordings").is_valid(&body), "{body}");
        answers.push(serde_json::from_value(body).expect("pairs of integers"));
    }
    assert_eq!(answers[0], answers[1], "bare and prefixed");
    answers.swap_remove(0)
}

#[tokio::test]
async fn every_recording_that_shares_a_second_with_the_window_is_listed_whole_and_in_order() {
    let server = held();
    let client = Client::of(&server);
    let hour = |number: i64| (START - (number + 1) * HOUR, START - number * HOUR);
    for (start, end, expected) in [
        (START - 2 * HOUR, START, vec![hour(1), hour(0)]),
        (START - 1801, START - 1800, vec![hour(0)]),
        (START - HOUR, START - HOUR + 1, vec![hour(0)]),
        (START - HOUR - 1, START - HOUR, vec![hour(1)]),
        (START - HOUR - 1, START - HOUR + 1, vec![hour(1), hour(0)]),
        (START - 3 * HOUR + 5, START + 60, vec![hour(2), hour(1), hour(0)]),
    ] {
        assert_eq!(list(&client, start, end).await, expected, "[{start}, {end}]");
    }
}

#[tokio::test]
async fn the_last_quarter_and_the_last_hour_are_covered_however_the_clock_moves() {
    let server = held();
    let client = Client::of(&server);
    for step in [0, 1, 899, 2700, 1, HOUR] {
        server.simulation().advance(Duration::from_secs(u64::try_from(step).expect("not negative")));
        let now = server.simulation().clock().now().seconds().0;
        for back in [900, HOUR] {
            let found = list(&client, now - back, now).await;
            assert!(found.first().is_some_and(|(start, _)| *start <= now - back), "{found:?}");
            assert_eq!(found.last().map(|(_, end)| *end), Some(now), "the newest ends now");
            assert!(found.iter().all(|(start, end)| start < end), "{found:?}");
        }
    }
}

#[tokio::test]
async fn the_two_gaps_hold_nothing_and_shorten_what_they_cut_into() {
    let server = held();
    let client = Client::of(&server);
    let (ten, three) = (START - 10 * DAY, START - 3 * DAY);
    assert_eq!(list(&client, ten, ten + 6 * HOUR).await, []);
    assert_eq!(
        list(&client, ten - 1, ten + 6 * HOUR + 1).await,
        [(ten - HOUR, ten), (ten + 6 * HOUR, ten + 7 * HOUR)]
    );
    assert_eq!(list(&client, three, three + 1800).await, []);
    assert_eq!(list(&client, three, three + HOUR).await, [(three + 1800, three + HOUR)]);
}

#[tokio::test]
async fn nothing_is_listed_of_the_future_or_of_the_time_before_the_catalogue() {
    let server = held();
    let client = Client::of(&server);
    let beginning = START - 28 * DAY;
    let limit = 1_i64 << 53;
    for (start, end) in [
        (START, START + HOUR),
        (START + DAY, START + 2 * DAY),
        (limit - 1, limit),
        (0, 1),
        (0, beginning),
        (beginning - DAY, beginning),
    ] {
        assert_eq!(list(&client, start, end).await, [], "[{start}, {end}]");
    }
    let all = list(&client, 0, limit).await;
    assert_eq!(all.len(), 28 * 24 - 6, "the short gap only shortens one");
    assert_eq!(all[0], (beginning, beginning + HOUR));
    assert!(all.is_sorted());
}

#[tokio::test]
async fn the_synthetic_catalogue_holds_nothing_before_2025() {
    let start = EARLIEST_RECORDING.plus(2 * HOUR + 5);
    let start_time = Some(Moment::from_seconds(start));
    let config = Config { clock: Mode::Manual, start_time, ..Config::default() };
    let server = MockServer::start(config).expect("a server of the test's own");
    let client = Client::of(&server);
    let first = EARLIEST_RECORDING.0;
    let all = list(&client, 0, start.0).await;
    assert_eq!(all.first().map(|(start, _)| *start), Some(first));
    assert_eq!(all.last().map(|(_, end)| *end), Some(start.0));
    assert_eq!(list(&client, first - DAY, first).await, []);
}

#[tokio::test]
async fn an_ongoing_recording_of_a_world_file_ends_at_minus_one_and_overlaps_what_comes_after_its_start() {
    let at = |second| When::At(EpochSeconds(second));
    let spans = vec![(at(5000), None), (at(1000), Some(at(2000))), (at(1500), Some(at(1600)))];
    let recordings = RecordingPlan { series: None, gaps: Vec::new(), spans };
    let server = held_with(Setup { recordings, ..Setup::default() });
    let client = Client::of(&server);
    assert_eq!(list(&client, 0, 9000).await, [(1000, 2000), (1500, 1600), (5000, -1)]);
    assert_eq!(list(&client, START, START + DAY).await, [(5000, -1)]);
    assert_eq!(list(&client, 2000, 5000).await, []);
    assert_eq!(list(&client, 4999, 5001).await, [(5000, -1)]);
}

#[tokio::test]
async fn the_newest_end_stands_still_while_the_recorder_is_down_and_the_time_stays_unrecorded() {
    let server = held();
    let client = Client::of(&server);
    let recorder = |recorder| {
        let dependencies = Dependencies { recorder, ..Dependencies::default() };
        server.simulation().with(|world, now| world.change_dependencies(dependencies, now));
    };
    recorder(Supply::Down);
    server.simulation().advance(Duration::from_secs(600));
    assert_eq!(list(&client, START - 60, START + 600).await, [(START - HOUR, START)]);
    recorder(Supply::Up);
    server.simulation().advance(Duration::from_secs(100));
    let found = list(&client, START - 60, START + 700).await;
    assert_eq!(found, [(START - HOUR, START), (START + 600, START + 700)]);
}

#[tokio::test]
async fn an_empty_store_lists_nothing_and_a_mismatch_of_paths_lists_what_a_configure_does_not_find() {
    let window = json!({"start_time": START - HOUR, "end_time": START});
    for (recordings, listed) in
        [(RecordingsState::None, vec![]), (RecordingsState::PathMismatch, vec![(START - HOUR, START)])]
    {
        let dependencies = Dependencies { recordings, ..Dependencies::default() };
        let server = held_with(Setup { dependencies, ..Setup::default() });
        let client = Client::of(&server);
        assert_eq!(list(&client, START - HOUR, START).await, listed);
        let answer = client.configure(&with(base(), &window)).await;
        judge::refused(&answer, 404, "NO_RECORDING", "No recording found in given time range");
    }
}

#[tokio::test]
async fn a_window_that_is_none_is_refused_with_everything_that_is_wrong_with_it() {
    let server = held();
    let client = Client::of(&server);
    let start_missing = ("start_time", "missing", "start_time is required");
    let end_missing = ("end_time", "missing", "end_time is required");
    let reversed =
        ("end_time", "range_reversed", "time range is invalid: start_time must be before end_time");
    let negative = |field, text| -> judge::Entry { (field, "out_of_range", text) };
    let start_negative = negative("start_time", "time range is invalid: start_time must not be negative");
    let end_negative = negative("end_time", "time range is invalid: end_time must not be negative");
    let cases: [(Value, u16, &[judge::Entry]); 10] = [
        (json!([]), 422, &[("", "dict_type", "Request body must be a JSON object")]),
        (json!({}), 422, &[start_missing, end_missing]),
        (json!({"start_time": null, "end_time": null}), 422, &[start_missing, end_missing]),
        (json!({"start_time": 5}), 422, &[end_missing]),
        (json!({"start_time": null, "end_time": -5}), 422, &[start_missing, end_negative]),
        (
            json!({"start_time": "5", "end_time": 5.5}),
            422,
            &[
                ("start_time", "int_type", "start_time must be an integer"),
                ("end_time", "int_type", "end_time must be an integer"),
            ],
        ),
        (json!({"start_time": -1, "end_time": 5}), 400, &[start_negative]),
        (json!({"start_time": 5, "end_time": 5}), 400, &[reversed]),
        (json!({"start_time": 6, "end_time": 5}), 400, &[reversed]),
        (json!({"start_time": -1, "end_time": -2}), 400, &[start_negative, end_negative, reversed]),
    ];
    for (body, status, expected) in cases {
        for prefix in PREFIXES {
            let answer = client.post(&format!("{prefix}/recordings_in_time_range"), &body).await;
            judge::violations(&answer, status, expected);
        }
    }
}

#[tokio::test]
async fn the_timeline_is_a_page_of_every_recording_and_gap_that_loads_nothing() {
    let server = held();
    let client = Client::of(&server);
    for prefix in PREFIXES {
        let answer = client.get(&format!("{prefix}/get_recordings_timeline")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
        let page = String::from_utf8(answer.body).expect("text");
        assert!(page.contains("<html"));
        // 28 days of hours; the long gap leaves six of them out and the short one half of another.
        assert!(page.contains("666 recordings and 2 gaps"), "{}", &page[..page.len().min(3000)]);
        assert!(page.contains("gap: 2025-11-28 00:00:00 to 2025-11-28 06:00:00, 6h"));
        assert!(page.contains("gap: 2025-12-05 00:00:00 to 2025-12-05 00:30:00, 30m"));
        assert!(!page.contains("<script") && !page.contains("href=") && !page.contains("src="));
    }
}

#[tokio::test]
async fn the_timeline_is_unavailable_while_mongodb_is_down() {
    let dependencies = Dependencies { mongodb: MongoDb::Down, ..Dependencies::default() };
    let server = held_with(Setup { dependencies, ..Setup::default() });
    let answer = Client::of(&server).get("/get_recordings_timeline").await;
    judge::refusal(&answer);
    assert_eq!(answer.refusal(), (503, String::from("RECORDINGS_UNAVAILABLE")));
    assert_eq!(answer.headers["retry-after"], "1");
}
