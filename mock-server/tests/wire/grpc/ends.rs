//! How calls end: by a client's word, by a lost pod, by a reset, by want of progress; and what does not end them.

use focus_mock::MockServer;
use focus_mock::domain::fiber::FiberState;
use focus_mock::domain::job::{JobState, StreamEnd};
use focus_mock::sim::journal::{Happening, Removal};
use tonic::Code;
use tonic::transport::Channel;

use super::{Call, Job, assert_refused, in_time, millis, reader, recorded, row_numbers, seconds, until};
use crate::common::{Client, base, held, light};

/// Waits until the one call of a job, whose client does not read, was given more than the client's window takes.
pub(super) async fn until_stuck(server: &MockServer, job: &Job, live: bool) {
    if live {
        // One frame leaves at once and fills the window, the next one stays with the server.
        job.until_waiting(server, 1).await;
        server.simulation().advance(millis(100));
    }
    until(server, "a call that waits for its client", |world| {
        world.waiters.iter().all(|waiter| waiter.job != Some(job.id))
    })
    .await;
    // The server has one thread: when it answers, it has done what it was at.
    assert_eq!(Client::of(server).get("/ack").await.status, 200);
}

#[tokio::test]
async fn a_cancelled_job_ends_its_calls_with_cancelled_and_refuses_from_then_on() {
    for request in [light(), recorded(light(), 7200)] {
        let server = held();
        let client = Client::of(&server);
        let job = Job::start(&server, &request).await;
        let mut calls = [job.call(0).await, job.call(1).await, job.call(2).await];
        for call in &mut calls {
            call.frame().await;
        }
        assert_eq!(client.cancel(&job.id.to_string()).await.status, 200);
        assert_refused(job.address).await;
        for call in &mut calls {
            let (_, status) = call.rest().await;
            assert_eq!((status.code(), status.message()), (Code::Cancelled, "job cancelled"));
        }
        assert_eq!(client.cancel(&job.id.to_string()).await.status, 404);
    }
}

#[tokio::test]
async fn a_stream_the_job_does_not_have_is_an_invalid_argument() {
    let server = held();
    let single = serde_json::json!({"view_type": 1, "channels": {"min": 7, "max": 7}});
    for (request, streams) in [(light(), 3), (crate::common::with(base(), &single), 1)] {
        let job = Job::start(&server, &request).await;
        let channel = job.connect().await;
        for asked in [-1, streams, streams + 1, i32::MAX, i32::MIN] {
            let status = Call::ask(channel.clone(), asked).await.expect_err("no such stream");
            let text = format!("stream_id {asked} is out of range: the job has {streams} streams");
            assert_eq!((status.code(), status.message()), (Code::InvalidArgument, text.as_str()));
        }
        // Neither the connection nor the job minds.
        reader::check(&job, streams - 1, &Call::on(channel, streams - 1).await.frame().await);
    }
}

#[tokio::test]
async fn a_lost_pod_ends_its_calls_with_unavailable() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let channel = job.connect().await;
    let mut call = Call::on(channel, 0).await;
    call.frame().await;
    server.simulation().with(|world, now| world.kill_pod(job.id, now));
    assert_refused(job.address).await;
    assert_eq!(call.end().await.0, Code::Unavailable);
    assert_eq!(job.state(&server).expect("until the sweep").state, JobState::Failed);
    assert_eq!(Client::of(&server).get(&format!("/metadata/{}", job.id)).await.status, 200);
    server.simulation().advance(seconds(10));
    assert!(job.state(&server).is_none());
}

#[tokio::test]
async fn a_reset_ends_calls_with_unavailable_and_frees_the_port_for_the_next_job() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut call = job.call(0).await;
    call.frame().await;
    let url = format!("http://{}/__mock/reset", server.admin().expect("an admin listener"));
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    assert_eq!(http.post(url).send().await.expect("an answer").status(), 200);
    assert_refused(job.address).await;
    assert_eq!(call.end().await.0, Code::Unavailable);
    let next = Job::start(&server, &light()).await;
    assert_eq!((next.id, next.address), (job.id, job.address), "counts begin anew");
    reader::check(&next, 0, &next.call(0).await.frame().await);
}

#[tokio::test]
async fn the_idle_sweep_ends_the_connections_of_its_job() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let connection = super::raw::Http2::connect(job.address).await;
    server.simulation().advance(seconds(50));
    assert!(job.state(&server).is_none());
    in_time("the end of a connection without calls", connection.ended()).await;
}

#[tokio::test]
async fn a_client_that_never_reads_loses_its_call_after_180_seconds_and_the_job_with_it() {
    for (request, live) in [(base(), true), (recorded(base(), 100_000), false)] {
        let server = held();
        let job = Job::start(&server, &request).await;
        let mut connection = super::raw::Http2::connect(job.address).await;
        // A window of 64 KiB, less than one frame; nothing of the body is ever taken.
        let (_, body) = connection.stream_data(0).await;
        until_stuck(&server, &job, live).await;
        assert_eq!(server.simulation().advance(millis(179_999)), []);
        assert_eq!(job.state(&server).expect("there").open_calls, 1);
        let fired = server.simulation().advance(millis(10_001));
        let told: Vec<_> = fired.into_iter().map(|entry| entry.what).collect();
        let expected = [
            Happening::CallEnded(job.id, StreamEnd::Inactive),
            Happening::Completed(job.id),
            Happening::Removed(job.id, Removal::Finished),
        ];
        assert_eq!(told, expected);
        assert_refused(job.address).await;
        assert!(job.state(&server).is_none());
        in_time("the end of the connection", connection.ended()).await;
        drop(body);
    }
}

#[tokio::test]
async fn a_call_without_progress_ends_with_deadline_exceeded_and_others_keep_the_job() {
    let server = held();
    let job = Job::start(&server, &base()).await;
    let mut idle = Call::narrow(&job, 0).await;
    until_stuck(&server, &job, true).await;
    let mut reading = job.call(1).await;
    reading.frame().await;
    job.until_waiting(&server, 1).await;
    let fired = server.simulation().advance(seconds(180));
    assert_eq!(fired.len(), 1, "{fired:?}");
    assert_eq!(fired[0].what, Happening::CallEnded(job.id, StreamEnd::Inactive));
    let state = job.state(&server).expect("read by another");
    assert_eq!((state.state, state.open_calls), (JobState::Running, 1));
    // What had left before is still there to be read; then comes the reason.
    let (frames, status) = idle.rest().await;
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    reader::check_sequence(&job, 0, &frames);
    assert!(!frames.is_empty());
    reading.frame().await;
    server.simulation().advance(millis(100));
    reading.frame().await;
}

#[tokio::test]
async fn a_client_that_reads_every_now_and_then_keeps_its_call() {
    let server = held();
    let job = Job::start(&server, &base()).await;
    let mut call = Call::narrow(&job, 0).await;
    let mut frames = Vec::new();
    for _ in 0..5 {
        // It does not read for 170 seconds, then all there is.
        until_stuck(&server, &job, true).await;
        assert_eq!(server.simulation().advance(seconds(170)), []);
        let reading = async {
            loop {
                frames.push(call.frame().await);
            }
        };
        tokio::select! {
            () = reading => {}
            () = job.until_waiting(&server, 1) => {}
        }
    }
    frames.iter().for_each(|frame| reader::check(&job, 0, frame));
    let numbers = row_numbers(&frames);
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    assert_eq!(job.state(&server).expect("there").open_calls, 1);
}

#[tokio::test]
async fn a_dark_fibre_is_silence_and_after_180_seconds_the_end() {
    let server = held();
    let (job, recorded) =
        (Job::start(&server, &light()).await, Job::start(&server, &recorded(light(), 72_000)).await);
    let mut call = job.call(0).await;
    call.frame().await;
    let playing = recorded.call(0).await.read_on();
    recorded.until_waiting(&server, 1).await;
    server.simulation().advance(seconds(30));
    call.frame().await;
    recorded.until_waiting(&server, 1).await;
    server.simulation().with(|world, now| world.change_fiber(FiberState::Waiting, now));
    job.until_waiting(&server, 1).await;
    for _ in 0..179 {
        server.simulation().advance(seconds(1));
        job.until_waiting(&server, 1).await;
        recorded.until_waiting(&server, 1).await;
    }
    assert_eq!(job.state(&server).expect("silent").open_calls, 1);
    let fired = server.simulation().advance(seconds(1));
    assert_eq!(fired[0].what, Happening::CallEnded(job.id, StreamEnd::Inactive));
    assert_eq!(call.end().await.0, Code::DeadlineExceeded);
    assert_refused(job.address).await;
    // Recordings play on.
    recorded.until_waiting(&server, 1).await;
    server.simulation().advance(seconds(200));
    let (frames, status) = playing.await.expect("no panic");
    assert_eq!((frames.len(), status.code()), (3600, Code::Ok));
}

#[tokio::test]
async fn a_fibre_that_comes_back_in_time_goes_on_where_it_was() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut call = job.call(0).await;
    call.frame().await;
    for _ in 0..3 {
        job.until_waiting(&server, 1).await;
        server.simulation().with(|world, now| world.change_fiber(FiberState::Waiting, now));
        server.simulation().advance(seconds(170));
        job.until_waiting(&server, 1).await;
        server.simulation().with(|world, now| world.change_fiber(FiberState::Lit, now));
        let now = server.simulation().clock().now().millis().0;
        server.simulation().advance(millis(100));
        let frame = call.frame().await;
        reader::check(&job, 0, &frame);
        let last = *frame.timestamp_in_milis.last().expect("rows");
        assert_eq!(last, now + 100, "nothing of the dark time is made up later");
    }
}

#[tokio::test]
async fn a_client_that_reads_keeps_its_call_through_ten_minutes_without_a_frame() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let channel = job.connect().await;
    let mut calls = Vec::new();
    for stream in 0..3 {
        let mut call = Call::on(channel.clone(), stream).await;
        call.frame().await;
        calls.push(call);
    }
    job.until_waiting(&server, 3).await;
    assert_eq!(server.simulation().advance(seconds(600)), []);
    for (stream, call) in (0..).zip(&mut calls) {
        reader::check(&job, stream, &call.frame().await);
    }
    job.until_waiting(&server, 3).await;
    assert_eq!(server.simulation().advance(seconds(600)), []);
    job.until_calls(&server, 3).await;
}

#[tokio::test]
async fn a_call_that_its_client_drops_is_closed_in_the_world() {
    let server = held();
    let job = Job::start(&server, &base()).await;
    let channel: Channel = job.connect().await;
    let calls = [Call::on(channel.clone(), 0).await, Call::on(channel.clone(), 1).await];
    job.until_calls(&server, 2).await;
    drop(calls);
    job.until_calls(&server, 0).await;
    // The same when the whole connection goes, and when the client was not reading.
    let stuck = Call::narrow(&job, 0).await;
    let reading = job.call(1).await;
    job.until_calls(&server, 2).await;
    drop((stuck, reading));
    until(&server, "the end of both calls", |world| world.jobs.iter().all(|job| job.open_calls == 0)).await;
    reader::check(&job, 2, &Call::on(channel, 2).await.frame().await);
}
