//! Live streams: paced by the clock, numbered once per stream for all its calls.

use std::time::Duration;

use focus_proto::pandadatastream::DataStream;
use serde_json::json;

use super::{Call, Job, millis, reader, row_numbers, seconds};
use crate::common::{START, base, held, light, with};

fn last_time(frame: &DataStream) -> i64 {
    *frame.timestamp_in_milis.last().expect("a frame has rows")
}

#[tokio::test]
async fn a_live_call_gets_its_first_frame_at_once_and_one_more_for_every_interval() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut call = job.call(0).await;
    let mut frames = vec![call.frame().await];
    assert_eq!(last_time(&frames[0]), START * 1000, "without any passing of time");
    for number in 1..=20 {
        // Nothing comes before its time: a frame taken too early would carry the earlier time.
        server.simulation().advance(millis(99));
        job.until_waiting(&server, 1).await;
        server.simulation().advance(millis(1));
        let frame = call.frame().await;
        assert_eq!(last_time(&frame), START * 1000 + number * 100);
        frames.push(frame);
    }
    reader::check_sequence(&job, 0, &frames);
    let rows: Vec<i32> = (0..21 * 8).collect();
    assert_eq!(row_numbers(&frames), rows, "eight rows of 12.5 ms in every frame");
}

#[tokio::test]
async fn the_interval_of_frames_follows_the_line_interval_between_a_tenth_and_a_whole_second() {
    // Duration, height -> rows in a frame, milliseconds between frames.
    for (duration, height, rows, interval) in [
        (10, 1000, 10, 100),
        (300, 600, 1, 500),
        (60, 800, 2, 150),
        (30, 10, 1, 1000),
        (1, 10_000, 64, 100),
        (86_400, 1, 1, 1000),
    ] {
        let server = held();
        let view = json!({"displayTimeAxisDuration": duration, "displayInfo": {"height": height}});
        let job = Job::start(&server, &with(light(), &view)).await;
        let mut call = job.call(0).await;
        assert_eq!(call.frame().await.data_shape_y, rows, "{view}");
        let now = server.simulation().clock().now();
        assert_eq!(job.next_frame(&server).await.since(now), millis(interval), "{view}");
        server.simulation().advance(millis(interval));
        assert_eq!(call.frame().await.row_index[0], rows, "{view}");
    }
}

#[tokio::test]
async fn calls_on_one_stream_share_its_numbering_and_other_streams_have_their_own() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let channel = job.connect().await;
    let (mut first, mut second) = (Call::on(channel.clone(), 0).await, Call::on(channel, 0).await);
    let mut other = job.call(1).await;
    let mut shared = vec![first.frame().await, second.frame().await];
    let mut alone = vec![other.frame().await];
    for _ in 0..10 {
        server.simulation().advance(millis(100));
        shared.extend([first.frame().await, second.frame().await]);
        alone.push(other.frame().await);
    }
    // The two calls of a turn may take their frames in either order.
    shared.sort_by_key(|frame| frame.row_index[0]);
    reader::check_sequence(&job, 0, &shared);
    reader::check_sequence(&job, 1, &alone);
    assert_eq!(row_numbers(&shared), (0..22 * 8).collect::<Vec<i32>>());
    assert_eq!(row_numbers(&alone), (0..11 * 8).collect::<Vec<i32>>());
}

#[tokio::test]
async fn a_client_that_reconnects_goes_on_with_the_next_row() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut frames = Vec::new();
    for _ in 0..4 {
        let mut call = job.call(2).await;
        frames.extend(call.frames(1).await);
        server.simulation().advance(millis(100));
        frames.extend(call.frames(1).await);
        drop(call);
        job.until_calls(&server, 0).await;
    }
    reader::check_sequence(&job, 2, &frames);
    assert_eq!(row_numbers(&frames), (0..8 * 8).collect::<Vec<i32>>());
}

#[tokio::test]
async fn a_call_that_is_late_finds_one_frame_of_now_and_a_gap_in_the_numbers() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut call = job.call(0).await;
    assert_eq!(call.frame().await.row_index, (0..8).collect::<Vec<_>>());
    job.until_waiting(&server, 1).await;
    server.simulation().advance(millis(1050));
    let late = call.frame().await;
    reader::check(&job, 0, &late);
    // Ten intervals have passed: nine frames are lost, the tenth is there, the next one is due in half an interval.
    assert_eq!(late.row_index, (80..88).collect::<Vec<_>>());
    assert_eq!(last_time(&late), START * 1000 + 1050);
    server.simulation().advance(millis(50));
    let next = call.frame().await;
    assert_eq!(next.row_index[0], 88);
    assert_eq!(last_time(&next), START * 1000 + 1100);
}

#[tokio::test]
async fn live_row_times_stay_near_the_clock_whoever_reads_and_for_however_long() {
    let server = held();
    let job = Job::start(&server, &base()).await;
    let mut calls = Vec::new();
    for stream in [0, 0, 0, 1] {
        calls.push(job.call(stream).await);
    }
    for step in [100, 100, 450, 3_600_000, 100, 20] {
        let now = server.simulation().clock().now().millis().0;
        for call in &mut calls {
            let frame = call.frame().await;
            for time in [frame.timestamp_in_milis[0], last_time(&frame)] {
                assert!((time - now).abs() <= 150, "{time} at {now}");
            }
        }
        job.until_waiting(&server, 4).await;
        server.simulation().advance(Duration::from_millis(step));
    }
}

#[tokio::test]
async fn a_live_job_gives_five_frames_within_thirty_seconds_and_goes_on_for_hours() {
    let server = held();
    let job = Job::start(&server, &with(light(), &json!({"displayInfo": {"height": 1}}))).await;
    let mut call = job.call(0).await;
    let mut frames = call.frames(1).await;
    for _ in 0..30 {
        server.simulation().advance(seconds(1));
        frames.push(call.frame().await);
    }
    reader::check_sequence(&job, 0, &frames);
    for _ in 0..12 {
        job.until_waiting(&server, 1).await;
        server.simulation().advance(seconds(900));
        reader::check(&job, 0, &call.frame().await);
    }
}
