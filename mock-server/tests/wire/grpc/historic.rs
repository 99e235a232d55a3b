//! Historic streams: a burst, an even rest, an end at the right moment, one position per stream.

use std::net::SocketAddr;
use std::time::Duration;

use focus_mock::domain::job::JobState;
use focus_proto::pandadatastream::DataStream;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tonic::Code;

use super::raw::{PREFACE, SETTINGS, closed, frame};
use super::{
    Call, Job, assert_refused, in_time, millis, reader, recorded, row_numbers, row_times, seconds, until,
};
use crate::common::{Client, START, base, held, light, with};

/// Time of the first row of every recorded window, in milliseconds.
const WINDOW: i64 = (START - 2 * 86_400) * 1000;

fn ok() -> (Code, String) {
    (Code::Ok, String::new())
}

#[tokio::test]
async fn a_recording_begins_with_a_burst_of_eight_and_plays_evenly_to_its_end() {
    let server = held();
    let golden = json!({"displayTimeAxisDuration": 300, "displayInfo": {"height": 600}});
    let job = Job::start(&server, &recorded(with(base(), &golden), 7200)).await;
    let mut call = job.call(0).await;
    let began = server.simulation().clock().now();
    let mut frames = call.frames(8).await;
    let mut due = Vec::new();
    loop {
        let next = job.next_frame(&server).await;
        due.push(next.since(began));
        // Nothing comes before its time.
        let wait = next.since(server.simulation().clock().now());
        server.simulation().advance(wait - Duration::from_nanos(1));
        assert_eq!(job.next_frame(&server).await, next);
        server.simulation().advance(Duration::from_nanos(1));
        if due.len() == 65 {
            // Every frame was there before; the call ends when the window does.
            break;
        }
        frames.push(call.frame().await);
    }
    assert_eq!(call.end().await, ok());
    assert_eq!(due.last(), Some(&seconds(36)), "7200 seconds at 200 times their speed");
    assert_eq!(frames.len(), 72, "36 seconds with a frame every half");
    // Evenly: 65 equal steps from the burst to the end.
    for (step, due) in (1..).zip(&due) {
        let even = seconds(36) * step / 65;
        assert!(due.abs_diff(even) <= millis(1), "step {step} is due at {due:?} instead of {even:?}");
    }
    reader::check_sequence(&job, 0, &frames);
}

#[tokio::test]
async fn the_frames_of_a_recording_fill_its_play_time_and_are_never_less_than_eight() {
    // Window in seconds -> milliseconds of play, frames. A frame of the base view spans a tenth of a second.
    for (window, play, frames) in
        [(1, 5, 8), (160, 800, 8), (179, 895, 8), (180, 900, 9), (2000, 10_000, 100), (7210, 36_050, 360)]
    {
        let server = held();
        let job = Job::start(&server, &recorded(base(), window)).await;
        let mut call = job.call(1).await;
        let mut seen = call.frames(8).await;
        let reading = call.read_on();
        job.until_waiting(&server, 1).await;
        server.simulation().advance(millis(play - 1));
        job.until_waiting(&server, 1).await;
        assert_eq!(job.state(&server).expect("there").open_calls, 1, "open until the end of {window} s");
        server.simulation().advance(millis(1));
        let (rest, status) = reading.await.expect("no panic");
        assert_eq!(status.code(), Code::Ok, "{status:?}");
        seen.extend(rest);
        assert_eq!(seen.len(), frames, "frames of {window} s");
        reader::check_sequence(&job, 1, &seen);
        assert_eq!(seen[0].row_index[0], 0);
        assert_even(&row_times(&seen), window * 1000);
    }
}

/// The rows are spread over the window: from its start, in equal steps, all before its end.
fn assert_even(times: &[i64], window: i64) {
    let rows = i64::try_from(times.len()).expect("few");
    for (row, time) in (0..).zip(times) {
        let even = WINDOW + window * row / rows;
        assert!((time - even).abs() <= 1, "row {row} of {rows} at {time} instead of {even}");
    }
    assert_eq!(times[0], WINDOW);
    assert!(times.iter().all(|time| *time < WINDOW + window));
}

#[tokio::test]
async fn a_stream_that_was_played_out_answers_ok_without_frames_while_another_still_has_some() {
    let server = held();
    let job = Job::start(&server, &recorded(light(), 2000)).await;
    let channel = job.connect().await;
    for stream in [0, 2] {
        let mut call = Call::on(channel.clone(), stream).await;
        call.frame().await;
        server.simulation().advance(seconds(10));
        assert_eq!(call.rest().await.1.code(), Code::Ok);
        for _ in 0..3 {
            assert_eq!(Call::on(channel.clone(), stream).await.end().await, ok());
        }
        assert_eq!(job.state(&server).expect("stream 1 was never read").state, JobState::Running);
    }
    // The playback of a stream begins with its own first call, not with the job or another stream.
    let mut last = Call::on(channel, 1).await;
    let mut frames = last.frames(8).await;
    let reading = last.read_on();
    job.until_waiting(&server, 1).await;
    server.simulation().advance(millis(9_999));
    job.until_waiting(&server, 1).await;
    assert_eq!(job.state(&server).expect("not over").state, JobState::Running);
    server.simulation().advance(millis(1));
    let (rest, status) = reading.await.expect("no panic");
    frames.extend(rest);
    assert_eq!((frames.len(), status.code()), (100, Code::Ok));
    reader::check_sequence(&job, 1, &frames);
    assert_eq!(job.state(&server).expect("for the next sweep").state, JobState::Completed);
    assert_refused(job.address).await;
    server.simulation().advance(seconds(10));
    assert!(job.state(&server).is_none());
}

/// Reads two calls at once; each frame is taken while the other call may take one, too.
async fn both(first: &mut Call, second: &mut Call) -> (Vec<DataStream>, Vec<DataStream>) {
    let ((first, first_end), (second, second_end)) = tokio::join!(first.rest(), second.rest());
    assert_eq!((first_end.code(), second_end.code()), (Code::Ok, Code::Ok));
    (first, second)
}

#[tokio::test]
async fn two_calls_on_a_recorded_stream_share_one_position_and_get_every_row_once() {
    for one_connection in [true, false] {
        let server = held();
        let job = Job::start(&server, &recorded(light(), 2000)).await;
        let channel = job.connect().await;
        let other = if one_connection { channel.clone() } else { job.connect().await };
        let (mut first, mut second) = (Call::on(channel, 0).await, Call::on(other, 0).await);
        let reading = both(&mut first, &mut second);
        let playing = async {
            for _ in 0..100 {
                server.simulation().advance(millis(100));
                tokio::task::yield_now().await;
            }
        };
        let ((one, two), ()) = tokio::join!(reading, playing);
        let mut all = [one, two].concat();
        assert_eq!(all.len(), 100, "frames of both together");
        all.sort_by_key(|frame| frame.row_index[0]);
        reader::check_sequence(&job, 0, &all);
        assert_eq!(row_numbers(&all), (0..800).collect::<Vec<i32>>());
        assert_even(&row_times(&all), 2_000_000);
    }
}

#[tokio::test]
async fn a_client_that_reconnects_within_the_playback_gets_the_rest() {
    let server = held();
    let job = Job::start(&server, &recorded(light(), 2000)).await;
    let mut call = job.call(0).await;
    let mut frames = call.frames(8).await;
    job.until_waiting(&server, 1).await;
    drop(call);
    job.until_calls(&server, 0).await;
    // The window plays on while nobody reads; what is overdue waits for the next call.
    server.simulation().advance(seconds(5));
    let reading = job.call(0).await.read_on();
    job.until_waiting(&server, 1).await;
    server.simulation().advance(seconds(5));
    let (rest, status) = reading.await.expect("no panic");
    frames.extend(rest);
    assert_eq!((frames.len(), status.code()), (100, Code::Ok));
    reader::check_sequence(&job, 0, &frames);
}

#[tokio::test]
async fn a_client_that_is_slow_to_read_its_last_frame_gets_it_whole_and_then_ok() {
    let server = held();
    let other = Job::start(&server, &light()).await;
    let silent = greeted(other.address).await;
    // Frames of 1.3 MB, twenty times the client's window.
    let wide = json!({"view_type": 1, "channels": {"min": 7, "max": 7}, "nfftSelection": 65_536,
                      "frequencyRange": {"min": 0, "max": 1000}});
    let job = Job::start(&server, &recorded(with(base(), &wide), 160)).await;
    let mut call = Call::narrow(&job, 0).await;
    let mut frames = call.frames(7).await;
    server.simulation().advance(millis(800));
    until(&server, "the end of the playback", |world| {
        world.waiters.iter().all(|waiter| waiter.job != Some(job.id))
    })
    .await;
    // A moment passes, as long as the server gives the connections of an ended job.
    assert_eq!(Client::of(&server).cancel(&other.id.to_string()).await.status, 200);
    in_time("the end of another job's connection", closed(silent)).await;
    let (rest, status) = call.rest().await;
    frames.extend(rest);
    assert_eq!((frames.len(), status.code()), (8, Code::Ok), "{status:?}");
}

/// A connection whose client has said hello and will not say another word.
async fn greeted(address: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.expect("the port is open");
    socket.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.expect("sent");
    socket
}

#[tokio::test]
async fn a_job_of_one_stream_is_completed_when_its_call_ends() {
    let server = held();
    for view in [
        json!({"view_type": "1", "channels": {"min": 7, "max": 7}}),
        json!({"view_type": "2", "channels": {"min": 1, "max": 10}, "nfftSelection": null,
               "frequencyRange": null, "displayTimeAxisDuration": null}),
    ] {
        let job = Job::start(&server, &recorded(with(base(), &view), 400)).await;
        let mut call = job.call(0).await;
        let mut frames = call.frames(8).await;
        job.until_waiting(&server, 1).await;
        server.simulation().advance(seconds(2));
        let (rest, status) = call.rest().await;
        frames.extend(rest);
        assert_eq!((frames.len(), status.code()), (20, Code::Ok), "{view}");
        reader::check_sequence(&job, 0, &frames);
        assert_eq!(job.state(&server).expect("for the next sweep").state, JobState::Completed);
        assert_refused(job.address).await;
    }
}
