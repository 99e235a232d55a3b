//! The seed of a server decides every byte of its frames, and nothing else does.

use focus_mock::domain::time::{EpochSeconds, Moment};
use focus_mock::sim::clock::Mode;
use focus_mock::sim::seed::Seed;
use focus_mock::{Config, MockServer};
use focus_proto::pandadatastream::DataStream;
use serde_json::Value;

use super::{Job, millis, recorded};
use crate::common::{START, light};

fn seeded(seed: u64) -> MockServer {
    let start_time = Some(Moment::from_seconds(EpochSeconds(START)));
    let config = Config { seed: Seed(seed), clock: Mode::Manual, start_time, ..Config::default() };
    MockServer::start(config).expect("a server of the test's own")
}

/// Eight frames of a stream of the server's next job, a tenth of a second apart.
async fn eight(server: &MockServer, request: &Value, stream: i32) -> Vec<DataStream> {
    let job = Job::start(server, request).await;
    let mut call = job.call(stream).await;
    let mut frames = Vec::new();
    for _ in 0..8 {
        frames.push(call.frame().await);
        server.simulation().advance(millis(100));
    }
    frames
}

/// The data of frames alone.
fn data(frames: &[DataStream]) -> Vec<&[u8]> {
    frames.iter().flat_map(|frame| frame.main_data.iter().map(AsRef::as_ref)).collect()
}

#[tokio::test]
async fn servers_of_one_seed_send_the_same_frames_and_one_of_another_seed_does_not() {
    for request in [light(), recorded(light(), 2000)] {
        let first = eight(&seeded(7), &request, 1).await;
        assert!(first == eight(&seeded(7), &request, 1).await, "the same seed, job, stream and time");
        let other = eight(&seeded(8), &request, 1).await;
        assert_eq!(first[3].row_index, other[3].row_index, "the seed draws the data alone");
        assert_eq!(first[3].timestamp_in_milis, other[3].timestamp_in_milis);
        let rows = data(&first).into_iter().zip(data(&other));
        assert_eq!(rows.filter(|(one, two)| one == two).count(), 0, "rows that two seeds share");
    }
}

#[tokio::test]
async fn a_job_sends_the_same_rows_whatever_else_was_read_from_the_server() {
    let request = recorded(light(), 2000);
    let (quiet, busy) = (seeded(7), seeded(7));
    Job::start(&quiet, &request).await;
    Job::start(&busy, &request).await.call(1).await.frames(8).await;
    let (one, two) = (eight(&quiet, &request, 2).await, eight(&busy, &request, 2).await);
    assert!(one == two, "neither other jobs nor other calls change what is drawn");
}

#[tokio::test]
async fn jobs_streams_and_rows_of_one_server_differ() {
    let server = seeded(7);
    let first = eight(&server, &light(), 0).await;
    let second = eight(&server, &light(), 0).await;
    let (one, two) = (data(&first), data(&second));
    assert!(one.iter().zip(&two).all(|(one, two)| one != two), "two jobs with the same rows");
    assert!(one.windows(2).all(|pair| pair[0] != pair[1]), "a row that repeats the one before");
}
