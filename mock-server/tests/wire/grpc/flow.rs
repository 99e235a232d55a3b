//! The way of a client from its configuration to the removal of its job, without a second of real waiting.

use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::domain::job::JobState;
use focus_mock::sim::journal::{Happening, Removal};
use serde_json::{Value, json};

use super::{Call, Job, assert_refused, millis, reader, recorded, seconds};
use crate::common::{Client, base, held, light, with};

/// Moves the clock over the admin listener, as a test in another process does; the events on the way.
async fn advance(server: &MockServer, by: &str) -> Vec<Value> {
    let url = format!("http://{}/__mock/clock/advance", server.admin().expect("an admin listener"));
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = client.post(url).json(&json!({"by": by})).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.expect("JSON");
    answer["fired"].as_array().expect("what happened").clone()
}

/// The client's every trace is gone (INV-GONE).
async fn assert_gone(server: &MockServer, job: &Job) {
    let client = Client::of(server);
    let id = job.answer["job_id"].as_str().expect("an id");
    let metadata = client.get(&format!("/metadata/{id}")).await;
    assert_eq!(metadata.refusal(), (404, String::from("UNKNOWN_JOB")));
    assert_eq!(metadata.json()["error"], "Invalid job_id");
    assert_eq!(client.cancel(id).await.refusal(), (404, String::from("UNKNOWN_JOB")));
    assert_refused(job.address).await;
    let world = server.simulation().snapshot();
    assert!(world.jobs.is_empty(), "{:?}", world.jobs);
    let objects = world.objects;
    assert_eq!((objects.jobs.len(), objects.pods.len(), objects.services.len()), (0, 0, 0));
    assert!(objects.queues.is_empty());
    assert_eq!((world.free_slots, world.lowest_free_slot), (1024, Some(1)));
}

#[tokio::test]
async fn a_live_job_is_configured_streamed_left_and_swept_in_simulated_time() {
    let server = held();
    let client = Client::of(&server);
    let job = Job::start(&server, &base()).await;
    let metadata = format!("/metadata/{}", job.id);
    assert_eq!(client.get(&metadata).await.json(), job.answer, "metadata repeats the answer");

    let mut calls = Vec::new();
    for stream in 0..job.streams() {
        calls.push((job.call(stream).await, Vec::new()));
    }
    for _ in 0..5 {
        for (call, frames) in &mut calls {
            frames.push(call.frame().await);
        }
        assert_eq!(advance(&server, "100ms").await, Vec::<Value>::new());
    }
    for (stream, (_, frames)) in (0..).zip(&calls) {
        reader::check_sequence(&job, stream, frames);
    }

    drop(calls);
    job.until_calls(&server, 0).await;
    assert_eq!(advance(&server, "40s").await, Vec::<Value>::new(), "not before 40 seconds");
    assert_eq!(client.get(&metadata).await.json(), job.answer);
    let fired = advance(&server, "10s").await;
    let told: Vec<_> = fired.iter().map(|entry| [&entry["event"], &entry["job"], &entry["what"]]).collect();
    assert_eq!(told, [[&json!("removed"), &json!(job.id.to_string()), &json!("idle")]]);
    assert_gone(&server, &job).await;
}

#[tokio::test]
async fn a_historic_job_is_configured_played_out_and_swept_in_simulated_time() {
    let server = held();
    let golden = json!({"displayTimeAxisDuration": 300, "displayInfo": {"height": 600}});
    let job = Job::start(&server, &recorded(with(base(), &golden), 7200)).await;
    let mut calls = Vec::new();
    for stream in 0..job.streams() {
        calls.push(job.call(stream).await);
    }
    server.simulation().advance(seconds(36));
    for (stream, call) in (0..).zip(&mut calls) {
        let (frames, status) = call.rest().await;
        assert_eq!(status.code(), tonic::Code::Ok, "{status:?}");
        assert_eq!(frames.len(), 72);
        reader::check_sequence(&job, stream, &frames);
    }
    assert_eq!(job.state(&server).expect("not yet removed").state, JobState::Completed);
    assert_refused(job.address).await;
    assert_eq!(Client::of(&server).get(&format!("/metadata/{}", job.id)).await.json(), job.answer);
    let fired = server.simulation().advance(seconds(10));
    assert_eq!(fired.len(), 1, "{fired:?}");
    assert_eq!(fired[0].what, Happening::Removed(job.id, Removal::Finished));
    assert_gone(&server, &job).await;
}

#[tokio::test]
async fn a_job_that_nobody_ever_reads_is_removed_50_seconds_after_its_creation() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    // A connection alone, with or without a greeting, is no reader.
    let silent = tokio::net::TcpStream::connect(job.address).await.expect("the port is open");
    let channel = job.connect().await;
    assert_eq!(server.simulation().advance(millis(49_999)), []);
    assert_eq!(job.state(&server).expect("there").state, JobState::Running);
    let fired = server.simulation().advance(millis(1));
    assert_eq!(fired.len(), 1, "{fired:?}");
    assert_eq!(fired[0].what, Happening::Removed(job.id, Removal::Idle));
    assert_gone(&server, &job).await;
    drop((silent, channel));
}

/// How long after the end of its last call a job is removed when it was read from its creation for that long.
async fn removed_after(server: &MockServer, read_for: Duration) -> Duration {
    let job = Job::start(server, &light()).await;
    let mut call = job.call(0).await;
    call.frame().await;
    job.until_waiting(server, 1).await;
    server.simulation().advance(read_for);
    assert_eq!(job.state(server).expect("read jobs stay").state, JobState::Running);
    let closed = server.simulation().clock().now();
    drop(call);
    job.until_calls(server, 0).await;
    let fired = server.simulation().advance(seconds(60));
    let removed = fired.iter().find(|entry| entry.what == Happening::Removed(job.id, Removal::Idle));
    removed.expect("it was removed").at.since(closed)
}

#[tokio::test]
async fn a_job_is_removed_40_to_50_seconds_after_its_last_call() {
    for (read_for, expected) in
        [(1, 49_999), (9_999, 40_001), (10_000, 50_000), (13_000, 47_000), (100_500, 49_500)]
    {
        let server = held();
        let after = removed_after(&server, millis(read_for)).await;
        assert_eq!(after, millis(expected), "read for {read_for} ms");
    }
}

#[tokio::test]
async fn a_client_that_comes_back_before_the_sweep_keeps_its_job_and_its_numbering() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let channel = job.connect().await;
    let mut next = 0;
    for _ in 0..5 {
        let mut call = Call::on(channel.clone(), 0).await;
        let frame = call.frame().await;
        assert_eq!(frame.row_index[0], next);
        next = frame.row_index.last().expect("rows") + 1;
        job.until_waiting(&server, 1).await;
        server.simulation().advance(seconds(10));
        let frame = call.frame().await;
        assert!(frame.row_index[0] > next, "numbers go on, with a gap for what was not read");
        next = frame.row_index.last().expect("rows") + 1;
        drop(call);
        job.until_calls(&server, 0).await;
        assert_eq!(server.simulation().advance(seconds(39)), []);
    }
    assert_eq!(server.simulation().advance(seconds(11)).len(), 1);
    assert_refused(job.address).await;
}
