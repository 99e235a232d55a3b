//! What takes its time: outages, metadata, pods, and streams that end too early.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::domain::fiber::FiberState;
use focus_mock::domain::job::JobState;
use focus_mock::domain::quirk::Quirk;
use focus_mock::sim::journal::{Happening, Removal};
use focus_mock::sim::setup::{ClusterState, Dependencies, Latency, MongoDb, Setup, Supply, Times};
use focus_proto::pandadatastream::StreamDataRequest;
use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use serde_json::json;
use tonic::transport::Endpoint;
use tonic::{Code, Streaming};

use super::{historic, waited_out, with_quirks};
use crate::common::{Client, START, base, held_with, light};
use crate::judge::header;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn depend(server: &MockServer, states: Dependencies) {
    server.simulation().with(|world, now| world.change_dependencies(states, now));
}

#[tokio::test]
async fn an_outage_takes_its_time_and_says_nothing_about_another_try() {
    let up = Dependencies::default();
    for (quirks, delay, retry) in [(&[Quirk::SlowOutage][..], 850, None), (&[][..], 0, Some("1"))] {
        let server = with_quirks(quirks);
        let client = Client::of(&server);
        let (live, recorded) = (base(), historic());
        let window = json!({"start_time": START - 7200, "end_time": START});
        depend(&server, Dependencies { mongodb: MongoDb::Down, ..up });
        let mut answers = vec![
            waited_out(&server, client.configure(&recorded)).await,
            waited_out(&server, client.post("/recordings_in_time_range", &window)).await,
            waited_out(&server, client.get("/get_recordings_timeline")).await,
        ];
        depend(&server, Dependencies { rabbitmq: Supply::Down, ..up });
        answers.push(waited_out(&server, client.configure(&live)).await);
        depend(&server, up);
        server.simulation().with(|world, now| world.change_fiber(FiberState::Waiting, now));
        answers.push(waited_out(&server, client.configure(&live)).await);
        for (answer, waited) in answers {
            assert_eq!((answer.status.as_u16(), waited), (503, millis(delay)), "{}", answer.json());
            assert_eq!(header(&answer, "retry-after"), retry, "{}", answer.json());
        }
        // What the cluster, a limit or the server itself refuses is no outage of a dependency.
        server.simulation().with(|world, now| world.change_fiber(FiberState::Lit, now));
        for states in [
            Dependencies { cluster: ClusterState::RefusesObjects, ..up },
            Dependencies { focus_server: Supply::Down, ..up },
        ] {
            depend(&server, states);
            let (answer, waited) = waited_out(&server, client.configure(&live)).await;
            assert_eq!((answer.status.as_u16(), waited), (503, Duration::ZERO));
            assert_eq!(header(&answer, "retry-after"), Some("1"));
        }
    }
}

#[tokio::test]
async fn a_mongodb_that_fails_slowly_has_the_delay_of_an_outage_and_nothing_else() {
    let server = with_quirks(&[]);
    depend(&server, Dependencies { mongodb: MongoDb::SlowFail, ..Dependencies::default() });
    let (answer, waited) = waited_out(&server, Client::of(&server).configure(&historic())).await;
    assert_eq!((answer.status.as_u16(), waited), (503, millis(850)));
    assert_eq!(header(&answer, "retry-after"), Some("1"));
    assert_eq!(Client::of(&server).configure(&base()).await.status, 200, "a live job needs no recordings");
}

#[tokio::test]
async fn the_metadata_of_a_job_are_unknown_for_a_while_after_its_answer() {
    for race_ms in [2_000, 42_000] {
        let times = Times { metadata_race: millis(race_ms), ..Times::default() };
        let setup = Setup { quirks: [Quirk::MetadataRace].into_iter().collect(), times, ..Setup::default() };
        let server = held_with(setup);
        let client = Client::of(&server);
        let job = client.job(&light()).await;
        for passed in [0, race_ms - 1] {
            server.simulation().advance(millis(passed));
            let answer = client.get("/metadata/1-1").await;
            assert_eq!(answer.refusal(), (404, String::from("UNKNOWN_JOB")), "after {passed} ms");
            assert_eq!(answer.json()["error"], "Invalid job_id");
        }
        server.simulation().advance(millis(1));
        assert_eq!(client.get("/metadata/1-1").await.json(), job);
    }
}

#[tokio::test]
async fn a_job_whose_metadata_are_unknown_can_be_cancelled() {
    let server = with_quirks(&[Quirk::MetadataRace]);
    let client = Client::of(&server);
    client.job(&light()).await;
    assert_eq!(client.get("/metadata/1-1").await.status, 404);
    assert_eq!(client.cancel("1-1").await.status, 200);
}

#[tokio::test]
async fn the_race_begins_with_the_answer_and_not_with_the_job() {
    let configure_latency = Latency { least: millis(500), most: millis(500) };
    let times = Times { configure_latency, ..Times::default() };
    let quirks = [Quirk::MetadataRace, Quirk::SlowPodStart].into_iter().collect();
    let server = held_with(Setup { quirks, times, ..Setup::default() });
    let client = Client::of(&server);
    let (_, waited) = waited_out(&server, client.job(&light())).await;
    assert_eq!(waited, millis(500));
    server.simulation().advance(millis(1_999));
    assert_eq!(client.get("/metadata/1-1").await.status, 404);
    server.simulation().advance(millis(1));
    assert_eq!(client.get("/metadata/1-1").await.status, 200);
    server.simulation().advance(millis(4_499));
    assert_eq!(state(&server), Some(JobState::Pending));
    server.simulation().advance(millis(1));
    assert_eq!(state(&server), Some(JobState::Running));
}

fn port(server: &MockServer) -> SocketAddr {
    SocketAddr::new(server.rest().ip(), server.port_base() + 1)
}

/// Where the first job is in its life, `None` once it is removed.
fn state(server: &MockServer) -> Option<JobState> {
    server.simulation().snapshot().jobs.first().map(|job| job.state)
}

#[tokio::test]
async fn the_port_of_a_job_opens_six_and_a_half_seconds_late() {
    // The longer of the two counts.
    for (configured, start) in [(0, 6_500), (2_000, 6_500), (9_000, 9_000)] {
        let times = Times { pod_start: millis(configured), ..Times::default() };
        let setup = Setup { quirks: [Quirk::SlowPodStart].into_iter().collect(), times, ..Setup::default() };
        let server = held_with(setup);
        let client = Client::of(&server);
        client.job(&light()).await;
        assert_eq!(client.get("/metadata/1-1").await.status, 200);
        server.simulation().advance(millis(start - 1));
        assert_eq!(state(&server), Some(JobState::Pending));
        assert!(TcpStream::connect(port(&server)).is_err(), "held, and refused");
        server.simulation().advance(millis(1));
        assert_eq!(state(&server), Some(JobState::Running));
        assert!(TcpStream::connect(port(&server)).is_ok());
    }
}

type Call = Streaming<focus_proto::pandadatastream::DataStream>;

async fn call(server: &MockServer, stream_id: i32) -> Call {
    let endpoint = Endpoint::from_shared(format!("http://{}", port(server))).expect("a URL");
    let channel = endpoint.connect().await.expect("the port is open");
    let mut client = DataStreamServiceClient::new(channel).max_decoding_message_size(1 << 26);
    client.stream_data(StreamDataRequest { stream_id }).await.expect("it is served").into_inner()
}

/// How long a frame may take on the wall clock before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

async fn frames(call: &mut Call, count: usize) {
    for number in 0..count {
        let message = tokio::time::timeout(PATIENCE, call.message()).await;
        let message = message.unwrap_or_else(|_| panic!("frame {number} does not come"));
        assert!(message.expect("no end yet").is_some(), "frame {number}");
    }
}

#[tokio::test]
async fn a_recording_ends_after_eight_frames_and_thirty_seconds_and_takes_its_job_along() {
    let server = with_quirks(&[Quirk::StreamGoaway]);
    Client::of(&server).job(&historic()).await;
    server.simulation().advance(millis(1_000));
    let mut first = call(&server, 0).await;
    frames(&mut first, 8).await;
    // A second reader of the same stream finds nothing left; one of another stream has its own eight frames.
    let (mut same, mut other) = (call(&server, 0).await, call(&server, 1).await);
    frames(&mut other, 8).await;
    server.simulation().advance(millis(29_999));
    assert_eq!(state(&server), Some(JobState::Running));
    assert_eq!(server.simulation().snapshot().jobs[0].open_calls, 3);
    let fired = server.simulation().advance(millis(1));
    assert_eq!(state(&server), None);
    let id = "1-1".parse().expect("an id");
    assert_eq!(fired.last().map(|entry| &entry.what), Some(&Happening::Removed(id, Removal::GoneAway)));
    for call in [&mut first, &mut same, &mut other] {
        let status = call.message().await.expect_err("no ninth frame, and no end with OK");
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    }
    assert!(TcpStream::connect(port(&server)).is_err());
    assert_eq!(Client::of(&server).get("/metadata/1-1").await.status, 404);
}

#[tokio::test]
async fn a_reader_that_leaves_in_the_silence_does_not_save_the_job_and_a_live_one_never_meets_it() {
    let server = with_quirks(&[Quirk::StreamGoaway]);
    Client::of(&server).job(&historic()).await;
    let mut call = call(&server, 2).await;
    frames(&mut call, 8).await;
    drop(call);
    server.simulation().advance(millis(29_999));
    assert_eq!(state(&server), Some(JobState::Running));
    server.simulation().advance(millis(1));
    assert_eq!(state(&server), None);

    Client::of(&server).job(&light()).await;
    let mut call = self::call(&server, 0).await;
    for _ in 0..60 {
        let next = waited_out(&server, call.message()).await.0;
        assert!(next.expect("no end").is_some());
        server.simulation().advance(millis(1_000));
    }
    assert_eq!(state(&server), Some(JobState::Running));
}
