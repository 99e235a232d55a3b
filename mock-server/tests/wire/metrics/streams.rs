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
