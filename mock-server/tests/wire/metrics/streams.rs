//! What leaves on streams, to the byte.

use std::net::SocketAddr;
use std::time::Duration;

use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use prost::Message;
use serde_json::{Value, json};
use tonic::Streaming;
use tonic::transport::Endpoint;

use super::{counts, scrape, whole};
use crate::common::{Client, START, held, light, with};
use focus_mock::MockServer;
use focus_mock::client::Rule;

const LATENESS: &str = "focus_mock_frame_lateness_seconds";

/// Frames in all buckets, those up to a few of their bounds, and how late all of them were together.
fn lateness(server: &MockServer, playback: &str) -> ([f64; 6], f64) {
    let scraped = scrape(server);
    let bucket = |le| scraped.value(&format!("{LATENESS}_bucket"), &[("le", le), ("playback", playback)]);
    let sum = scraped.value(&format!("{LATENESS}_sum"), &[("playback", playback)]);
    let count = scraped.value(&format!("{LATENESS}_count"), &[("playback", playback)]);
    assert_eq!(bucket("inf"), count);
    ([count, bucket("0.0005"), bucket("0.1"), bucket("0.2"), bucket("0.3"), bucket("20")], sum)
}

/// Waits until somebody waits on the clock for that.
async fn waits(server: &MockServer, what: &str) {
    while !server.simulation().snapshot().waiters.iter().any(|waiter| waiter.what.starts_with(what)) {
        tokio::task::yield_now().await;
    }
}

async fn open(server: &MockServer, job: &Value) -> Streaming<DataStream> {
    let port = job["stream_port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
    let address = SocketAddr::new(server.rest().ip(), port);
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    let channel = endpoint.connect().await.expect("the job's port is open");
    let call = DataStreamServiceClient::new(channel).stream_data(StreamDataRequest { stream_id: 0 }).await;
    call.expect("a stream").into_inner()
}

#[tokio::test]
async fn frames_and_bytes_are_those_that_clients_got() {
    let server = held();
    let client = Client::of(&server);
    let job = client.job(&light()).await;
    let mut calls = [open(&server, &job).await, open(&server, &job).await];
    let (mut frames, mut bytes) = (0, 0);
    for _ in 0..5 {
        for call in &mut calls {
            let frame = call.message().await.expect("no error").expect("a frame");
            frames += 1;
            bytes += 5 + frame.encoded_len() as u64;
        }
        // Both wait again, so that each gets the next one.
        while server.simulation().snapshot().waiters.len() < 2 {
            tokio::task::yield_now().await;
        }
        server.simulation().advance(Duration::from_millis(100));
    }
    // The frame of the last advance.
    for call in &mut calls {
        let frame = call.message().await.expect("no error").expect("a frame");
        frames += 1;
        bytes += 5 + frame.encoded_len() as u64;
    }
    let scraped = scrape(&server);
    assert_eq!(whole(scraped.value("focus_mock_stream_frames_sent_total", &[])), frames);
    assert_eq!(whole(scraped.value("focus_mock_stream_sent_bytes_total", &[])), bytes);
    let punctual = whole(scraped.value(&format!("{LATENESS}_count"), &[("playback", "live")]));
    assert_eq!((punctual, lateness(&server, "live").1), (frames, 0.0), "each left when it was due");
    assert_eq!(scraped.value("focus_mock_stream_calls_open", &[]), 2.0);
    assert_eq!(scraped.value("focus_mock_stream_calls_opened_total", &[]), 2.0);
    assert!(scraped.by("focus_mock_stream_calls_ended_total", "reason").is_empty());
    client.cancel(job["job_id"].as_str().expect("an id")).await;
    for call in &mut calls {
        call.message().await.expect_err("it was cancelled");
    }
    let scraped = scrape(&server);
    assert_eq!(scraped.by("focus_mock_stream_calls_ended_total", "reason"), counts([("cancelled", 2)]));
    assert_eq!(scraped.value("focus_mock_stream_calls_open", &[]), 0.0);
    assert_eq!(whole(scraped.value("focus_mock_stream_frames_sent_total", &[])), frames);
}

#[tokio::test]
async fn every_way_in_which_the_server_ends_a_call_is_counted_and_a_client_that_leaves_is_none() {
    let server = held();
    let client = Client::of(&server);
    let waiting = async |calls: usize| {
        while server.simulation().snapshot().waiters.len() < calls {
            tokio::task::yield_now().await;
        }
    };
    // A second of a recording: eight frames at once, and the end after five milliseconds.
    let began = START - 2 * 86_400;
    let window = json!({ "start_time": began, "end_time": began + 1 });
    let job = client.job(&with(light(), &window)).await;
    let mut call = open(&server, &job).await;
    for _ in 0..8 {
        call.message().await.expect("no error").expect("a frame");
    }
    waiting(1).await;
    server.simulation().advance(Duration::from_millis(5));
    assert_eq!(call.message().await.expect("no error"), None);
    let ended = || scrape(&server).by("focus_mock_stream_calls_ended_total", "reason");
    assert_eq!(ended(), counts([("played-out", 1)]));
    assert_eq!(whole(scrape(&server).value("focus_mock_stream_frames_sent_total", &[])), 8);

    let live = client.job(&light()).await;
    drop(open(&server, &live).await);
    while scrape(&server).value("focus_mock_stream_calls_open", &[]) > 0.0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(ended(), counts([("played-out", 1)]));
    // The fibre gives nothing for longer than a call may be without a frame.
    let _silent = open(&server, &live).await;
    super::admin(&server).dependency("fiber", "waiting", None).expect("an answer");
    server.simulation().advance(Duration::from_secs(181));
    assert_eq!(ended(), counts([("played-out", 1), ("inactive", 1)]));
    super::admin(&server).dependency("fiber", "ready", None).expect("an answer");
    let last = client.job(&light()).await;
    let _call = open(&server, &last).await;
    super::admin(&server).reset().expect("an answer");
    assert_eq!(ended(), counts([("played-out", 1), ("inactive", 1), ("gone", 1)]));
    assert_eq!(scrape(&server).value("focus_mock_stream_calls_opened_total", &[]), 4.0);
}

#[tokio::test]
async fn a_frame_is_as_late_as_the_clock_has_gone_on_since_it_was_due() {
    let server = held();
    let job = Client::of(&server).job(&light()).await;
    assert_eq!(lateness(&server, "live"), ([0.0; 6], 0.0));
    let mut call = open(&server, &job).await;
    call.message().await.expect("no error").expect("a frame");
    // The next one is due after 100 ms, and nobody gets to send it before 350 ms: rows of two frames are gone meanwhile.
    waits(&server, "next frame").await;
    server.simulation().advance(Duration::from_millis(350));
    let frame = call.message().await.expect("no error").expect("a frame");
    assert_eq!(frame.row_index[0], 3 * frame.data_shape_y);
    assert_eq!(lateness(&server, "live"), ([2.0, 1.0, 1.0, 1.0, 2.0, 2.0], 0.25));
    // At 400 ms there is one again, and that is in time.
    waits(&server, "next frame").await;
    server.simulation().advance(Duration::from_millis(50));
    call.message().await.expect("no error").expect("a frame");
    assert_eq!(lateness(&server, "live"), ([3.0, 2.0, 2.0, 2.0, 3.0, 3.0], 0.25));
    assert_eq!(lateness(&server, "historic"), ([0.0; 6], 0.0));
}

#[tokio::test]
async fn what_holds_a_frame_up_makes_it_late_and_so_it_does_the_one_behind_it() {
    let server = held();
    let delay = Rule::at("grpc.frame").delay("250ms").first(1);
    let _rule = super::admin(&server).add_fault(delay).expect("a rule");
    let job = Client::of(&server).job(&light()).await;
    let mut call = open(&server, &job).await;
    waits(&server, "fault: call held up").await;
    assert_eq!(lateness(&server, "live"), ([0.0; 6], 0.0), "it has not left");
    server.simulation().advance(Duration::from_millis(250));
    for _ in 0..2 {
        call.message().await.expect("no error").expect("a frame");
    }
    // The second one was due at 100 ms.
    waits(&server, "next frame").await;
    assert_eq!(lateness(&server, "live"), ([2.0, 0.0, 0.0, 1.0, 2.0, 2.0], 0.4));
}

#[tokio::test]
async fn frames_of_a_recording_are_not_late_because_nobody_read_it() {
    let server = held();
    let began = START - 2 * 86_400;
    let window = json!({ "start_time": began, "end_time": began + 7200 });
    let job = Client::of(&server).job(&with(light(), &window)).await;
    let mut call = open(&server, &job).await;
    for _ in 0..8 {
        call.message().await.expect("no error").expect("a frame");
    }
    waits(&server, "next frame").await;
    assert_eq!(lateness(&server, "historic"), ([8.0, 8.0, 8.0, 8.0, 8.0, 8.0], 0.0));
    drop(call);
    while scrape(&server).value("focus_mock_stream_calls_open", &[]) > 0.0 {
        tokio::task::yield_now().await;
    }
    // The playback goes on: what is due by now comes at once, to a reader who comes only now.
    server.simulation().advance(Duration::from_secs(1));
    let mut call = open(&server, &job).await;
    call.message().await.expect("no error").expect("a frame");
    waits(&server, "next frame").await;
    let (counts, sum) = lateness(&server, "historic");
    assert!(counts[0] > 9.0, "more than one was due: {counts:?}");
    assert_eq!((counts, sum), ([counts[0]; 6], 0.0));
    assert_eq!(lateness(&server, "live"), ([0.0; 6], 0.0));
}
