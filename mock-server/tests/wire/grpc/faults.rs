//! Faults on the streams of a job: what a gRPC client sees, what leaves below it, and what the world makes of it.

use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::sim::faults::{Corruption, Delay, Effect, Frames, GrpcCode, Match, Schedule, StatusDetails};
use focus_mock::sim::journal::Happening;
use focus_mock::sim::setup::Setup;
use focus_proto::datastream::StreamRequest;
use focus_proto::datastream::data_stream_service_client::DataStreamServiceClient as LegacyClient;
use prost::Message;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use wildmatch::WildMatch;

use super::raw::{self, Http2};
use super::{Call, Job, in_time, recorded, row_numbers, until};
use crate::common::{Client, held, held_with, light};
use crate::faults::rule;

const OPEN: &str = "grpc.open";
const FRAME: &str = "grpc.frame";
const END: &str = "grpc.end";

fn always(server: &MockServer, at: &str, effect: Effect) {
    rule(server, at, Match::default(), Schedule::default(), None, Some(effect));
}

fn frames(first: u64, last: u64) -> Match {
    Match { frames: Some(Frames { first, last: Some(last) }), ..Match::default() }
}

fn on_frame(server: &MockServer, number: u64, effect: Effect) {
    rule(server, FRAME, frames(number, number), Schedule::default(), None, Some(effect));
}

fn ended(code: GrpcCode) -> Effect {
    Effect::EndCall { code, message: String::from("as rehearsed"), details: None }
}

/// Reads so many frames of a call, letting the clock go on for each.
async fn read(server: &MockServer, job: &Job, call: &mut Call, count: usize) -> Vec<i32> {
    let mut frames = Vec::new();
    for number in 0..count {
        if number > 0 {
            let next = job.next_frame(server).await;
            let now = server.simulation().clock().now();
            server.simulation().advance(next.since(now));
        }
        frames.push(call.frame().await);
    }
    frames.iter().map(|frame| frame.row_index[0]).collect()
}

async fn advance_to_next(server: &MockServer, job: &Job) {
    let next = job.next_frame(server).await;
    let now = server.simulation().clock().now();
    server.simulation().advance(next.since(now));
}

fn opened(server: &MockServer) -> usize {
    let entries = server.simulation().journal().since(0);
    entries.iter().filter(|entry| matches!(entry.what, Happening::CallOpened(_))).count()
}

/// A job and the connection of its clients go on as if nothing had been.
async fn assert_unharmed(server: &MockServer, job: &Job) {
    server.simulation().faults().clear();
    let mut call = job.call(0).await;
    call.frame().await;
    drop(call);
    job.until_calls(server, 0).await;
}

#[tokio::test]
async fn a_call_ends_with_any_status_before_the_world_hears_of_it() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    for code in GrpcCode::ALL {
        server.simulation().faults().clear();
        always(&server, OPEN, ended(code));
        let status = Call::ask(job.connect().await, 0).await.expect_err("a status");
        assert_eq!((i32::from(status.code()), status.message()), (code as i32 + 1, "as rehearsed"));
    }
    assert_eq!(opened(&server), 0);
    assert_unharmed(&server, &job).await;
    assert_eq!(opened(&server), 1);
}

#[tokio::test]
async fn a_status_has_the_details_that_were_asked_for() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let details = StatusDetails {
        reason: String::from("GPU_LOST"),
        domain: String::from("rehearsal"),
        retry_after: Some(Duration::from_millis(1500)),
    };
    let effect = Effect::EndCall {
        code: GrpcCode::Unavailable,
        message: String::from("no GPU"),
        details: Some(details),
    };
    on_frame(&server, 0, effect);
    let mut call = job.call(0).await;
    let (frames, status) = call.rest().await;
    assert_eq!((frames.len(), status.code(), status.message()), (0, Code::Unavailable, "no GPU"));
    let details = status.get_error_details();
    let info = details.error_info().expect("an ErrorInfo");
    assert_eq!((&*info.reason, &*info.domain), ("GPU_LOST", "rehearsal"));
    let retry = details.retry_info().expect("a RetryInfo");
    assert_eq!(retry.retry_delay, Some(Duration::from_millis(1500)));
    job.until_calls(&server, 0).await;
    assert_unharmed(&server, &job).await;
}

#[tokio::test]
async fn frames_before_the_one_that_ends_a_call_arrive_and_the_world_knows_that_it_is_over() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    on_frame(&server, 2, ended(GrpcCode::DataLoss));
    let mut call = job.call(1).await;
    read(&server, &job, &mut call, 2).await;
    advance_to_next(&server, &job).await;
    assert_eq!(call.end().await, (Code::DataLoss, String::from("as rehearsed")));
    job.until_calls(&server, 0).await;
    assert_unharmed(&server, &job).await;
}

#[tokio::test]
async fn a_frame_is_held_up_on_the_clock() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let delay = Some(Delay::Fixed(Duration::from_millis(300)));
    rule(&server, FRAME, frames(0, 0), Schedule::default(), delay, None);
    let mut call = job.call(0).await;
    let what = "a call that is held up";
    until(&server, what, |world| world.waiters.iter().any(|waiter| waiter.what == "fault: call held up"))
        .await;
    server.simulation().advance(Duration::from_millis(300));
    assert_eq!(call.frame().await.row_index[0], 0);
}

#[tokio::test]
async fn a_silent_call_is_over_with_its_job_and_not_before() {
    for at in [OPEN, FRAME] {
        let server = held();
        let job = Job::start(&server, &light()).await;
        always(&server, at, Effect::Silence);
        let call = job.call(0).await.read_on();
        let calls = usize::from(at == FRAME);
        job.until_calls(&server, calls).await;
        until(&server, "nobody who waits for a frame", |world| {
            world.waiters.iter().all(|waiter| waiter.job.is_none())
        })
        .await;
        server.simulation().advance(Duration::from_secs(30));
        assert_eq!(Client::of(&server).get("/ack").await.status, 200);
        assert!(!call.is_finished());
        assert_eq!(Client::of(&server).cancel(&job.id.to_string()).await.status, 200);
        let (frames, status) = in_time("the end of the call", call).await.expect("no panic");
        assert!(frames.is_empty());
        if at == FRAME {
            assert_eq!((status.code(), status.message()), (Code::Cancelled, "job cancelled"));
        } else {
            assert_ne!(status.code(), Code::Ok, "its connection went with the port");
        }
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_silent_call_is_noticed() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    always(&server, FRAME, Effect::Silence);
    let call = job.call(0).await;
    job.until_calls(&server, 1).await;
    drop(call);
    job.until_calls(&server, 0).await;
    assert_unharmed(&server, &job).await;
}

#[tokio::test]
async fn a_connection_goes_away_with_any_code_of_http2() {
    for (at, code) in [(OPEN, 2), (FRAME, 11), (FRAME, 0xfeed), (OPEN, 0)] {
        let server = held();
        let job = Job::start(&server, &light()).await;
        always(&server, at, Effect::GoAway { code });
        let mut call = Box::pin(Call::ask(job.connect().await, 0));
        let status: Status = match in_time("an answer or an error", &mut call).await {
            Err(status) => status,
            Ok(stream) => Call(stream).rest().await.1,
        };
        assert!(status.code() != Code::Ok && status.code() != Code::Cancelled, "{at} {code}: {status:?}");
        job.until_calls(&server, 0).await;
        assert_unharmed(&server, &job).await;
    }
}

/// All frames that a connection sends until its end: type, stream and payload.
async fn sent_frames(job: &Job, message: &[u8]) -> Vec<(u8, Vec<u8>)> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut socket = tokio::net::TcpStream::connect(job.address).await.expect("open");
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", raw::STREAM_DATA),
        (":authority", "job"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ] {
        // A literal field without indexing (RFC 7541, 6.2.2).
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).expect("short"));
            block.extend(text.bytes());
        }
    }
    let mut bytes = raw::PREFACE.to_vec();
    bytes.extend(raw::frame(raw::SETTINGS, 0, 0, b""));
    bytes.extend(raw::frame(raw::HEADERS, raw::END_HEADERS, 1, &block));
    bytes.extend(raw::frame(raw::DATA, 1, 1, message));
    socket.write_all(&bytes).await.expect("taken");
    let mut sent = Vec::new();
    in_time("the end of the connection", socket.read_to_end(&mut sent)).await.expect("an orderly end");
    let (mut frames, mut rest) = (Vec::new(), &sent[..]);
    while !rest.is_empty() {
        let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
        frames.push((rest[3], rest[9..9 + length].to_vec()));
        rest = &rest[9 + length..];
    }
    frames
}

#[tokio::test]
async fn the_last_words_of_a_connection_are_a_goaway_after_whole_frames() {
    let server = held();
    let job = Job::start(&server, &recorded(light(), 60)).await;
    on_frame(&server, 3, Effect::GoAway { code: 2 });
    let message = focus_proto::pandadatastream::StreamDataRequest { stream_id: 0 }.encode_to_vec();
    let frames = sent_frames(&job, &raw::envelope(0, message.len(), &message)).await;
    let (last, before) = frames.split_last().expect("frames");
    assert_eq!(*last, (raw::GOAWAY, vec![0x7f, 255, 255, 255, 0, 0, 0, 2]));
    assert!(before.iter().all(|(kind, _)| *kind != raw::GOAWAY));
    let data: Vec<u8> =
        before.iter().filter(|(kind, _)| *kind == raw::DATA).flat_map(|(_, data)| data.clone()).collect();
    let (mut messages, mut rest) = (0, &data[..]);
    while let [0, a, b, c, d, ..] = rest {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        focus_proto::pandadatastream::DataStream::decode(&rest[5..5 + length]).expect("a whole message");
        rest = &rest[5 + length..];
        messages += 1;
    }
    assert_eq!((messages, rest.len()), (3, 0));
    job.until_calls(&server, 0).await;
}

#[tokio::test]
async fn a_connection_is_reset_with_all_its_calls() {
    for at in [OPEN, FRAME] {
        let server = held();
        let job = Job::start(&server, &light()).await;
        let channel = job.connect().await;
        let mut other = Call::on(channel.clone(), 1).await;
        other.frame().await;
        always(&server, at, Effect::Reset);
        let status = match Call::ask(channel, 0).await {
            Err(status) => status,
            Ok(stream) => Call(stream).rest().await.1,
        };
        assert_ne!(status.code(), Code::Ok);
        assert_ne!(other.rest().await.1.code(), Code::Ok);
        job.until_calls(&server, 0).await;
        assert_unharmed(&server, &job).await;
    }
}

#[tokio::test]
async fn a_recorded_window_can_be_denied_its_end() {
    for (effect, expected) in [
        (Some(ended(GrpcCode::Internal)), Some(Code::Internal)),
        (Some(Effect::Reset), None),
        (Some(Effect::GoAway { code: 2 }), None),
        (None, Some(Code::Ok)),
    ] {
        let server = held();
        let job = Job::start(&server, &recorded(light(), 30)).await;
        if let Some(effect) = effect {
            always(&server, END, effect);
        }
        let call = job.call(0).await.read_on();
        while !call.is_finished() {
            server.simulation().advance(Duration::from_millis(500));
            tokio::task::yield_now().await;
        }
        let (frames, status) = call.await.expect("no panic");
        assert!(!frames.is_empty());
        match expected {
            Some(code) => assert_eq!(status.code(), code),
            None => assert_ne!(status.code(), Code::Ok),
        }
    }
}

#[tokio::test]
async fn frames_come_twice_or_in_another_order() {
    for (number, effect, expected) in [
        (1, Effect::Duplicate, [0, 1, 1, 2, 3]),
        (1, Effect::Reorder, [0, 2, 1, 3, 4]),
        (0, Effect::Reorder, [1, 0, 2, 3, 4]),
    ] {
        let server = held();
        let job = Job::start(&server, &recorded(light(), 60)).await;
        let mut plain = job.call(1).await;
        let rows: Vec<_> = plain.frames(5).await.iter().map(|frame| frame.row_index[0]).collect();
        drop(plain);
        on_frame(&server, number, effect);
        let mut call = job.call(0).await;
        let frames = call.frames(5).await;
        let firsts: Vec<_> = frames.iter().map(|frame| frame.row_index[0]).collect();
        assert_eq!(firsts, expected.map(|frame| rows[frame]));
    }
}

#[tokio::test]
async fn a_held_frame_comes_last_where_no_other_follows() {
    let server = held();
    let job = Job::start(&server, &recorded(light(), 60)).await;
    on_frame(&server, 1, Effect::Reorder);
    on_frame(&server, 2, ended(GrpcCode::Aborted));
    let (frames, status) = job.call(0).await.rest().await;
    assert_eq!((frames.len(), status.code()), (2, Code::Aborted));
    assert!(row_numbers(&frames[..1]).last() < row_numbers(&frames[1..]).first());
}

#[tokio::test]
async fn a_frame_is_spoilt_and_the_next_one_is_not() {
    let spoilt = async |corruption| {
        let server = held();
        let job = Job::start(&server, &recorded(light(), 60)).await;
        on_frame(&server, 1, Effect::Corrupt(corruption));
        let mut call = job.call(0).await;
        let first = call.frame().await;
        (server, job, call, first)
    };
    let floats = |row: &[u8]| -> Vec<f32> {
        row.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().expect("four"))).collect()
    };
    let (_server, _job, mut call, first) = spoilt(Corruption::Values).await;
    let frame = call.frame().await;
    assert!(frame.global_maximum.is_nan() && frame.global_minimum.is_nan());
    assert_eq!(frame.main_data.len(), first.main_data.len());
    for (row, like) in frame.main_data.iter().zip(&first.main_data) {
        assert!(row.len() == like.len() && floats(row).iter().all(|value| value.is_nan()));
    }
    assert!(floats(&call.frame().await.main_data[0]).iter().all(|value| value.is_finite()));

    let (_server, _job, mut call, first) = spoilt(Corruption::Shape).await;
    let rows = |frame: &focus_proto::pandadatastream::DataStream| frame.main_data.len();
    for (frame, more) in [(first, 0), (call.frame().await, 1), (call.frame().await, 0)] {
        assert_eq!(usize::try_from(frame.data_shape_y).expect("rows"), rows(&frame) + more);
    }

    let (server, job, mut call, _first) = spoilt(Corruption::Encoding).await;
    let (frames, status) = call.rest().await;
    assert_eq!((frames.len(), status.code()), (0, Code::Internal), "{status:?}");
    assert!(status.message().contains("decode"), "{status:?}");
    // Only the message is spoilt: who reads bytes finds the next one in its place.
    let mut below = Http2::connect(job.address).await;
    let (_, mut body) = below.stream_data(1).await;
    let mut bytes = Vec::new();
    let mut found = Vec::new();
    while found.len() < 3 {
        let data = in_time("bytes", body.data()).await.expect("more").expect("no error");
        body.flow_control().release_capacity(data.len()).expect("received");
        bytes.extend_from_slice(&data);
        found.clear();
        let mut rest = &bytes[..];
        while let [0, a, b, c, d, ..] = rest {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            let Some(message) = rest.get(5..5 + length) else { break };
            found.push(focus_proto::pandadatastream::DataStream::decode(message).is_ok());
            rest = &rest[5 + length..];
        }
    }
    assert_eq!(found[..3], [true, false, true]);
    drop(server);
}

#[tokio::test]
async fn rules_match_job_view_stream_header_and_caller() {
    let wild = WildMatch::new;
    let anybody = Match::default();
    for (matches, hit) in [
        (Match { job: Some(wild("1-*")), ..anybody.clone() }, true),
        (Match { job: Some(wild("2-*")), ..anybody.clone() }, false),
        (Match { view: Some(0), ..anybody.clone() }, true),
        (Match { view: Some(1), ..anybody.clone() }, false),
        (Match { stream: Some(1), ..anybody.clone() }, true),
        (Match { stream: Some(0), ..anybody.clone() }, false),
        (Match { headers: vec![("user-agent".into(), wild("tonic/*"))], ..anybody.clone() }, true),
        (Match { headers: vec![("user-agent".into(), wild("grpc-python/*"))], ..anybody.clone() }, false),
        (Match { caller: Some(wild("127.*")), ..anybody.clone() }, true),
        (Match { caller: Some(wild("10.*")), ..anybody }, false),
    ] {
        let server = held();
        let job = Job::start(&server, &light()).await;
        rule(&server, OPEN, matches.clone(), Schedule::default(), None, Some(ended(GrpcCode::Aborted)));
        assert_eq!(Call::ask(job.connect().await, 1).await.is_err(), hit, "{matches:?}");
    }
}

#[tokio::test]
async fn the_older_service_has_the_same_faults() {
    let server = held_with(Setup { legacy_service: true, ..Setup::default() });
    let job = Job::start(&server, &recorded(light(), 60)).await;
    on_frame(&server, 0, Effect::Corrupt(Corruption::Values));
    on_frame(&server, 1, Effect::Corrupt(Corruption::Shape));
    on_frame(&server, 2, Effect::Duplicate);
    on_frame(&server, 3, ended(GrpcCode::ResourceExhausted));
    let mut client = LegacyClient::new(job.connect().await);
    let request = StreamRequest { job_id: String::new(), stream_id: 0, max_frames: 0 };
    let mut stream =
        in_time("a call", client.stream_spectrograms(request)).await.expect("served").into_inner();
    let mut frames = Vec::new();
    let status = loop {
        match in_time("a frame", stream.message()).await {
            Ok(frame) => frames.push(frame.expect("no end")),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::ResourceExhausted);
    let numbers: Vec<_> = frames.iter().map(|frame| frame.frame_number).collect();
    assert_eq!(numbers, [0, 1, 2, 2]);
    assert!(frames[0].current_max_amp.is_nan());
    let values = frames[0].rows.iter().flat_map(|row| &row.sensors).flat_map(|sensor| &sensor.intensity);
    assert!(values.copied().all(f32::is_nan));
    let sizes = |frame: usize| -> Vec<usize> {
        let sensors = frames[frame].rows.iter().flat_map(|row| &row.sensors);
        sensors.map(|sensor| sensor.intensity.len()).collect()
    };
    let (spoilt, whole) = (sizes(1), sizes(2));
    assert_eq!(spoilt[..spoilt.len() - 1], whole[..whole.len() - 1]);
    assert_eq!(spoilt.last().map(|size| size + 1), whole.last().copied());
    always(&server, OPEN, ended(GrpcCode::PermissionDenied));
    let request = StreamRequest { job_id: String::from("no-job"), stream_id: 0, max_frames: -1 };
    let status = client.stream_spectrograms(request).await.expect_err("a status");
    assert_eq!(status.code(), Code::PermissionDenied, "before anything is looked at");
}
