//! Pods that start late and streams that end otherwise than they should.

use std::io::Write;

use focus_mock::sim::leaks::Leaks;
use prost::Message;
use serde_json::{Value, json};
use tonic::Code;

use crate::play::{Play, live, recorded};
use crate::streams::{Below, Call, id, read_from};

async fn metadata(play: &Play, job: &Value) -> crate::play::Answer {
    play.get(&format!("/metadata/{}", id(job))).await
}

pub(crate) async fn slow_start(play: &Play) -> Leaks {
    let first = play.accepted(&live()).await;
    let port = play.port(1);
    assert_eq!(first["stream_port"], port);
    for at in [0, 3000, 6499] {
        play.at(at);
        assert_eq!(play.job_state(&first).await.as_deref(), Some("Pending"));
        // Nobody listens, but nobody else can have it.
        assert_eq!((play.is_open(port), play.is_free(port)), (false, false));
        assert_eq!(metadata(play, &first).await.status, 200);
    }
    play.at(6500);
    assert_eq!(play.job_state(&first).await.as_deref(), Some("Running"));
    let mut call = Call::open(play, &first, 0).await;
    call.frame().await;
    call.next().await;
    drop(call);
    play.until_calls(&first, 0).await;
    play.at(100_000);
    Leaks::default()
}

pub(crate) async fn race(play: &Play) -> Leaks {
    for at in [0, 597_000] {
        play.at(at);
        let job = play.accepted(&live()).await;
        for wait in [0, 1000, 999] {
            play.advance(wait);
            metadata(play, &job).await.assert_refusal(404, "UNKNOWN_JOB", "Invalid job_id");
        }
        // It is there all the while.
        read_from(play, &job).await;
        play.advance(1);
        let found = metadata(play, &job).await;
        assert_eq!((found.status, found.json()), (200, job.clone()));
        play.cancel(&job).await;
    }
    play.at(600_000);
    let job = play.accepted(&live()).await;
    assert_eq!(metadata(play, &job).await.json(), job);
    play.at(700_000);
    metadata(play, &job).await.assert_refusal(404, "UNKNOWN_JOB", "Invalid job_id");
    Leaks::default()
}

pub(crate) async fn dying_stream(play: &Play) -> Leaks {
    let job = play.accepted(&live()).await;
    let mut other = Call::open(play, &job, 1).await;
    let mut last = None;
    for _ in 0..2 {
        let mut call = Call::open(play, &job, 0).await;
        let (frames, code, text) = call.rest().await;
        assert_eq!(frames.len(), 20);
        assert_eq!((code, text.as_str()), (Code::Unavailable, "the streaming pod was lost"));
        let first = frames[0].row_index[0];
        assert!(last < Some(first), "a live stream goes on");
        last = frames[19].row_index.last().copied();
        play.until_calls(&job, 1).await;
        assert_eq!(play.job_state(&job).await.as_deref(), Some("Running"));
        assert_eq!(metadata(play, &job).await.json(), job);
    }
    // More frames than the other had, over the same connection as before.
    let mut frames = 0;
    while frames < 45 {
        other.frame_or_next().await;
        frames += 1;
    }
    drop(other);
    play.until_calls(&job, 0).await;
    play.advance(100_000);
    assert_eq!(play.job_state(&job).await, None);
    Leaks::default()
}

pub(crate) async fn goaway(play: &Play) -> Leaks {
    let mut body = recorded(160);
    body["view_type"] = json!("1");
    body["channels"] = json!({"min": 7, "max": 7});
    let job = play.accepted(&body).await;
    assert_eq!(job["stream_amount"], 1);
    let same = play.accepted(&body).await;
    let mut call = Call::open(play, &job, 0).await;
    // The whole window in the burst with which it begins.
    let frames = call.frames(8).await;
    let rows: Vec<_> = frames.iter().flat_map(|frame| frame.row_index.iter().copied()).collect();
    assert!(rows.iter().copied().eq(0..64), "{rows:?}");
    let mut below = Below::open(play, &same).await;
    let lengths = frames.iter().map(|frame| frame.encoded_len() + 5);
    below.bytes(lengths.sum()).await;
    for job in [&job, &same] {
        play.until_waiting(id(job), "next frame").await;
    }
    play.at(800);
    for job in [&job, &same] {
        let waiter = play.until_waiting(id(job), "fault: call held up").await;
        assert_eq!(waiter.until.since(play.now()).as_secs(), 30);
        assert_eq!(play.job_state(job).await.as_deref(), Some("Completed"), "nothing is left to be played");
    }
    play.at(30_799);
    assert!(call.is_silent().await);
    // The jobs are gone by now, and the calls that are held up hold nothing of them.
    assert_eq!(play.job_state(&job).await, None);
    play.assert_left(&Leaks::default());
    play.at(30_800);
    assert_eq!(below.goaway().await, 2);
    assert_ne!(call.end().await.0, Code::Ok);
    play.at(300_000);
    Leaks::default()
}

/// A server with one rule.
fn with_rule(rule: &str) -> Play {
    let mut file = tempfile::NamedTempFile::with_suffix(".yaml").expect("a file");
    writeln!(file, "faults:\n  - {rule}").expect("written");
    Play::of_file(file.path().to_str().expect("a path of text"))
}

#[tokio::test]
async fn a_call_that_is_held_up_ends_with_its_job() {
    let play = with_rule("{ at: grpc.frame, match: { frame: 1 }, delay: 20m }");
    let job = play.accepted(&live()).await;
    let mut call = Call::open(&play, &job, 0).await;
    call.frame().await;
    play.until_waiting(id(&job), "next frame").await;
    play.advance(1000);
    play.until_waiting(id(&job), "fault: call held up").await;
    play.cancel(&job).await;
    assert_eq!(call.end().await, (Code::Cancelled, String::from("job cancelled")));
    play.advance(10_000);
    play.assert_left(&Leaks::default());
}

#[tokio::test]
async fn a_recording_whose_end_is_never_told_falls_silent() {
    let play = with_rule("{ at: grpc.end, do: silence }");
    let job = play.accepted(&recorded(160)).await;
    let mut call = Call::open(&play, &job, 0).await;
    call.frames(8).await;
    play.until_waiting(id(&job), "next frame").await;
    play.advance(800);
    play.until_calls(&job, 0).await;
    assert!(call.is_silent().await);
    play.advance(100_000);
    assert!(call.is_silent().await);
    play.assert_left(&Leaks::default());
}
