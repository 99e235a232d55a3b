//! The older stream service: off unless a server is told to serve it, and then another view of the same streams.

use focus_mock::MockServer;
use focus_mock::domain::job::{JobState, StreamEnd};
use focus_mock::sim::journal::{Happening, Removal};
use focus_mock::sim::setup::{Setup, recorded_fiber};
use focus_proto::datastream::data_stream_service_client::DataStreamServiceClient;
use focus_proto::datastream::{DataStream, HealthRequest, StreamRequest};
use focus_proto::pandadatastream;
use serde_json::{Value, json};
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::ends::until_stuck;
use super::services::{Answer, Question, SERVED, ask_v1, ask_v1alpha};
use super::{Call, Job, LARGEST_MESSAGE, assert_refused, in_time, millis, recorded, seconds};
use crate::common::{Client, START, base, held, held_with, light, with};

const NAME: &str = "datastream.DataStreamService";

/// A server that serves it.
fn older() -> MockServer {
    held_with(Setup { legacy_service: true, ..Setup::default() })
}

fn client(channel: Channel) -> DataStreamServiceClient<Channel> {
    DataStreamServiceClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE)
}

fn on_stream(stream_id: i32) -> StreamRequest {
    StreamRequest { stream_id, ..StreamRequest::default() }
}

/// A call of the older service.
struct OlderCall(Streaming<DataStream>);

impl OlderCall {
    async fn on(channel: Channel, request: StreamRequest) -> Self {
        Self::ask(channel, request).await.expect("the call is served")
    }

    async fn ask(channel: Channel, request: StreamRequest) -> Result<Self, Status> {
        let answered = in_time("the head of a call", client(channel).stream_spectrograms(request)).await;
        answered.map(|response| Self(response.into_inner()))
    }

    async fn frame(&mut self) -> DataStream {
        let message = in_time("a frame", self.0.message()).await;
        message.expect("no error before the frame").expect("no end before the frame")
    }

    /// Reads on to the end of the call: the frames on the way, code and text of the status.
    async fn rest(&mut self) -> (Vec<DataStream>, (Code, String)) {
        let mut frames = Vec::new();
        loop {
            match in_time("a frame or the end of the call", self.0.message()).await {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => return (frames, (Code::Ok, String::new())),
                Err(status) => return (frames, (status.code(), status.message().to_owned())),
            }
        }
    }
}

fn ok() -> (Code, String) {
    (Code::Ok, String::new())
}

/// A frame of the older service says exactly what one of the production service says.
fn assert_same(job: &Job, older: &DataStream, production: &pandadatastream::DataStream) {
    let line = job.answer["lines_dt"].as_f64().expect("a lines_dt");
    let bins = usize::try_from(job.values_per_channel()).expect("not negative");
    let times: Vec<_> = older.rows.iter().map(|row| row.start_timestamp).collect();
    assert_eq!(times, production.timestamp_in_milis);
    let channels: Vec<_> = (production.start_channel..=production.end_channel).collect();
    for (row, data) in older.rows.iter().zip(&production.main_data) {
        assert_eq!(row.canvas_id, job.id.to_string());
        let lasts = row.end_timestamp - row.start_timestamp;
        assert!((lasts as f64 - line * 1000.0).abs() <= 0.5, "{lasts} ms for a line of {line} s");
        assert_eq!(row.sensors.iter().map(|sensor| sensor.id).collect::<Vec<_>>(), channels);
        assert!(row.sensors.iter().all(|sensor| sensor.intensity.len() == bins), "{bins} values per sensor");
        let bytes: Vec<_> =
            row.sensors.iter().flat_map(|s| &s.intensity).flat_map(|v| v.to_le_bytes()).collect();
        assert!(bytes == *data, "the values are those of the production frame");
    }
    let values = || older.rows.iter().flat_map(|row| &row.sensors).flat_map(|s| &s.intensity).copied();
    let (least, most) = (values().reduce(f32::min), values().reduce(f32::max));
    assert_eq!(Some(older.current_min_amp), least.map(f64::from));
    assert_eq!(Some(older.current_max_amp), most.map(f64::from));
    assert!(older.current_min_amp < older.current_max_amp);
}

#[tokio::test]
async fn without_being_asked_for_the_older_service_is_unimplemented_unknown_to_health_and_not_listed() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let channel = job.connect().await;
    let status = client(channel.clone()).check_health(HealthRequest {}).await.expect_err("off by default");
    assert_eq!(status.code(), Code::Unimplemented);
    for request in [StreamRequest::default(), on_stream(99)] {
        let status = OlderCall::ask(channel.clone(), request).await.err().expect("off by default");
        assert_eq!(status.code(), Code::Unimplemented);
    }
    let request = HealthCheckRequest { service: NAME.to_owned() };
    let status = HealthClient::new(channel.clone()).check(request).await.expect_err("not served");
    assert_eq!(status.code(), Code::NotFound);
    let served = Answer::Services(SERVED.map(str::to_owned).to_vec());
    assert_eq!(ask_v1(channel.clone(), Question::Services).await, served);
    assert_eq!(ask_v1alpha(channel, Question::Services).await, served);
    assert_eq!(job.state(&server).expect("there").open_calls, 0);
}

#[tokio::test]
async fn when_it_is_served_health_and_reflection_know_it_beside_the_production_service_also_after_a_reset() {
    let server = older();
    for _ in 0..2 {
        let job = Job::start(&server, &light()).await;
        let channel = job.connect().await;
        for service in [NAME, "pandadatastream.DataStreamService", ""] {
            let request = HealthCheckRequest { service: service.to_owned() };
            let answer = HealthClient::new(channel.clone()).check(request).await.expect("known");
            assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{service:?}");
        }
        let mut served = [&SERVED[..], &[NAME]].concat();
        served.sort_unstable();
        let served = Answer::Services(served.into_iter().map(str::to_owned).collect());
        assert_eq!(ask_v1(channel.clone(), Question::Services).await, served);
        assert_eq!(ask_v1alpha(channel.clone(), Question::Services).await, served);
        let described = ask_v1(channel.clone(), Question::Symbol(NAME)).await;
        assert!(matches!(described, Answer::Files(_)), "listed and not described: {described:?}");
        OlderCall::on(channel, StreamRequest::default()).await.frame().await;
        server.simulation().reset();
    }
}

#[tokio::test]
async fn its_health_tells_the_version_of_the_fibres_software_and_is_no_call_on_a_stream() {
    let fiber = focus_mock::domain::fiber::Fiber { sw_version: String::from("9.8.7"), ..recorded_fiber() };
    let server = held_with(Setup { legacy_service: true, fiber, ..Setup::default() });
    let job = Job::start(&server, &light()).await;
    let answer = client(job.connect().await).check_health(HealthRequest {}).await.expect("served");
    let answer = answer.into_inner();
    assert!(answer.healthy);
    assert_eq!((answer.version.as_str(), answer.status.as_str()), ("9.8.7", "SERVING"));
    let fired = server.simulation().advance(seconds(50));
    assert_eq!(fired.len(), 1, "{fired:?}");
    assert_eq!(fired[0].what, Happening::Removed(job.id, Removal::Idle));
}

/// A waterfall: one value for each channel.
fn waterfall() -> Value {
    json!({"view_type": "2", "channels": {"min": 100, "max": 163}, "displayInfo": {"height": 256}})
}

#[tokio::test]
async fn its_frames_hold_the_rows_of_the_production_frames_value_by_value() {
    let wide = with(base(), &json!({"channels": {"min": 1, "max": 2222}}));
    for (limit, request, stream) in [
        (16 << 20, base(), 2),
        (16 << 20, light(), 1),
        (16 << 20, recorded(light(), 2000), 0),
        (16 << 20, waterfall(), 0),
        // One row leaves as several blocks of channels.
        (131_072 + 256, wide, 1),
    ] {
        let setup = || Setup { max_frame_bytes: limit, legacy_service: true, ..Setup::default() };
        let (one, other) = (held_with(setup()), held_with(setup()));
        let (job, same) = (Job::start(&one, &request).await, Job::start(&other, &request).await);
        assert_eq!(job.id, same.id);
        let mut older = OlderCall::on(job.connect().await, on_stream(stream)).await;
        let mut production = same.call(stream).await;
        for number in 0..12 {
            let (frame, expected) = (older.frame().await, production.frame().await);
            assert_same(&job, &frame, &expected);
            assert_eq!(frame.frame_number, number);
            if expected.end_channel == job.group(stream).1 {
                one.simulation().advance(millis(100));
                other.simulation().advance(millis(100));
            }
        }
    }
}

#[tokio::test]
async fn a_frame_tells_the_time_of_the_clock_and_each_row_how_long_its_line_is() {
    let server = older();
    // Lines of 10 ms, ten in a frame.
    let job = Job::start(&server, &base()).await;
    let mut call = OlderCall::on(job.connect().await, StreamRequest::default()).await;
    for frame in 0..3 {
        let (now, message) = (START * 1000 + frame * 100, call.frame().await);
        assert_eq!((message.server_timestamp, message.rows.len()), (now, 10));
        let last = message.rows.last().expect("ten rows");
        assert_eq!((last.start_timestamp, last.end_timestamp), (now, now + 10));
        job.until_waiting(&server, 1).await;
        server.simulation().advance(millis(100));
    }
}

#[tokio::test]
async fn a_call_may_name_the_job_of_its_port_and_no_other() {
    let server = older();
    let (first, second) = (Job::start(&server, &light()).await, Job::start(&server, &light()).await);
    let channel = second.connect().await;
    for job_id in ["", "2-2"] {
        let request = StreamRequest { job_id: job_id.to_owned(), ..StreamRequest::default() };
        OlderCall::on(channel.clone(), request).await.frame().await;
    }
    assert_eq!(first.id.to_string(), "1-1", "a job that exists, on another port");
    for job_id in
        ["1-1", "2-1", "1-2", "3-3", "2", "2-", "-2", "2-22", "02-2", " 2-2", "2-2 ", "grpc-job-2-2", "x"]
    {
        // Whatever else is wrong with the request.
        for (max_frames, stream_id) in [(0, 0), (-1, 99)] {
            let request = StreamRequest { job_id: job_id.to_owned(), max_frames, stream_id };
            let status = OlderCall::ask(channel.clone(), request).await.err().expect("another job");
            let told = (status.code(), status.message());
            assert_eq!(told, (Code::NotFound, "this port serves job 2-2 and no other"), "{job_id:?}");
        }
    }
    second.until_calls(&server, 0).await;
}

#[tokio::test]
async fn a_number_of_frames_below_zero_and_a_stream_the_job_does_not_have_are_invalid_arguments() {
    let server = older();
    let job = Job::start(&server, &light()).await;
    let channel = job.connect().await;
    let refused = |max_frames, stream_id| {
        let channel = channel.clone();
        async move {
            let request = StreamRequest { max_frames, stream_id, ..StreamRequest::default() };
            let status = OlderCall::ask(channel, request).await.err().expect("no such call");
            assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
            status.message().to_owned()
        }
    };
    for stream_id in [-1, 3, 4, i32::MAX, i32::MIN] {
        let text = format!("stream_id {stream_id} is out of range: the job has 3 streams");
        assert_eq!(refused(0, stream_id).await, text);
        let production = Call::ask(channel.clone(), stream_id).await.expect_err("no such stream");
        assert_eq!(production.message(), text, "the production service says the same");
    }
    for (max_frames, stream_id) in [(-1, 0), (i32::MIN, 2), (-7, 99)] {
        let text = format!("max_frames {max_frames} is negative: 0 means without limit");
        assert_eq!(refused(max_frames, stream_id).await, text);
    }
    assert_eq!(job.state(&server).expect("there").open_calls, 0);
}

#[tokio::test]
async fn a_live_call_ends_with_ok_once_it_has_sent_as_many_frames_as_were_asked_for() {
    let server = older();
    let job = Job::start(&server, &light()).await;
    for max_frames in [1, 3] {
        let request = StreamRequest { max_frames, ..StreamRequest::default() };
        let mut call = OlderCall::on(job.connect().await, request).await;
        for number in 0..max_frames {
            assert_eq!(call.frame().await.frame_number, i64::from(number));
            if number + 1 < max_frames {
                job.until_waiting(&server, 1).await;
                server.simulation().advance(millis(100));
            }
        }
        // At once: the clock stands, and no further frame is due.
        assert_eq!(call.rest().await, (Vec::new(), ok()));
        assert_eq!(job.state(&server).expect("it goes on").open_calls, 0);
    }
    assert_eq!(job.state(&server).expect("it goes on").state, JobState::Running);
}

#[tokio::test]
async fn a_limited_call_on_a_recording_leaves_the_rows_after_its_last_frame_to_the_next_call() {
    let server = older();
    let job = Job::start(&server, &recorded(light(), 2000)).await;
    let channel = job.connect().await;
    let request = StreamRequest { max_frames: 5, ..StreamRequest::default() };
    let (frames, end) = OlderCall::on(channel.clone(), request).await.rest().await;
    assert_eq!((frames.len(), end), (5, ok()));
    let rest = Call::on(channel, 0).await.frames(3).await;
    assert_eq!(super::row_numbers(&rest), (40..64).collect::<Vec<i32>>(), "eight rows in each frame before");
}

#[tokio::test]
async fn a_recording_plays_to_its_end_with_ok_and_completes_the_job() {
    for max_frames in [0, 101, i32::MAX] {
        let server = older();
        let single = json!({"view_type": "1", "channels": {"min": 7, "max": 7}});
        let job = Job::start(&server, &recorded(with(light(), &single), 2000)).await;
        let request = StreamRequest { max_frames, ..StreamRequest::default() };
        let mut call = OlderCall::on(job.connect().await, request).await;
        let reading = tokio::spawn(async move { call.rest().await });
        job.until_waiting(&server, 1).await;
        server.simulation().advance(millis(9_999));
        job.until_waiting(&server, 1).await;
        assert_eq!(job.state(&server).expect("it plays").open_calls, 1);
        server.simulation().advance(millis(1));
        let (frames, end) = reading.await.expect("no panic");
        assert_eq!((frames.len(), end), (100, ok()), "10 s at ten frames a second");
        assert_eq!(job.state(&server).expect("until the sweep").state, JobState::Completed);
        assert_refused(job.address).await;
    }
}

#[tokio::test]
async fn a_cancelled_job_ends_its_calls_with_cancelled() {
    let server = older();
    let job = Job::start(&server, &light()).await;
    let mut call = OlderCall::on(job.connect().await, on_stream(1)).await;
    call.frame().await;
    assert_eq!(Client::of(&server).cancel(&job.id.to_string()).await.status, 200);
    let (_, end) = call.rest().await;
    assert_eq!(end, (Code::Cancelled, String::from("job cancelled")));
    assert_refused(job.address).await;
}

#[tokio::test]
async fn calls_of_both_services_on_one_stream_take_their_rows_off_one_count() {
    let (server, reference) = (older(), older());
    let job = Job::start(&server, &light()).await;
    let same = Job::start(&reference, &light()).await;
    let mut production = job.call(1).await;
    let mut expected = [same.call(1).await, same.call(1).await];
    assert_eq!(production.frame().await, expected[0].frame().await);
    let mut older = OlderCall::on(job.connect().await, on_stream(1)).await;
    let second = expected[1].frame().await;
    assert_eq!(second.row_index, (8..16).collect::<Vec<i32>>());
    assert_same(&job, &older.frame().await, &second);
    // And the other way round.
    drop(production);
    job.until_calls(&server, 1).await;
    assert_eq!(job.call(1).await.frame().await, same.call(1).await.frame().await);
}

#[tokio::test]
async fn a_client_that_reads_keeps_job_and_call_and_one_that_left_does_not() {
    let server = older();
    let job = Job::start(&server, &light()).await;
    let mut call = OlderCall::on(job.connect().await, StreamRequest::default()).await;
    call.frame().await;
    for _ in 0..3 {
        job.until_waiting(&server, 1).await;
        assert_eq!(server.simulation().advance(seconds(200)), []);
        call.frame().await;
    }
    assert_eq!(job.state(&server).expect("it is read").open_calls, 1);
    drop(call);
    job.until_calls(&server, 0).await;
    let fired = server.simulation().advance(seconds(50));
    assert_eq!(fired.len(), 1, "{fired:?}");
    assert_eq!(fired[0].what, Happening::Removed(job.id, Removal::Idle));
}

#[tokio::test]
async fn a_client_that_does_not_take_what_it_is_sent_loses_its_call_after_180_seconds() {
    // The second frame is the one that does not fit; being the last one asked for makes no difference.
    for max_frames in [0, 2] {
        let server = older();
        let job = Job::start(&server, &base()).await;
        let narrow = job.endpoint().initial_stream_window_size(65_535).initial_connection_window_size(65_535);
        let channel = narrow.connect().await.expect("the port is open");
        let request = StreamRequest { max_frames, ..StreamRequest::default() };
        let call = OlderCall::on(channel, request).await;
        until_stuck(&server, &job, true).await;
        assert_eq!(job.state(&server).expect("there").open_calls, 1, "max_frames {max_frames}");
        assert_eq!(server.simulation().advance(millis(179_999)), []);
        let told: Vec<_> = server.simulation().advance(millis(1)).into_iter().map(|e| e.what).collect();
        let expected = [Happening::CallEnded(job.id, StreamEnd::Inactive), Happening::Completed(job.id)];
        assert_eq!(told, expected);
        drop(call);
    }
}
