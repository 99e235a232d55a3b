//! The streams of a job over gRPC: what a client of a job's port sees, on a clock that only goes when it is advanced.

mod ends;
mod faults;
mod flow;
mod garbage;
mod geometry;
mod historic;
mod legacy;
mod limits;
mod live;
mod ports;
mod raw;
mod reader;
mod seeds;
mod services;
mod transport;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::domain::ids::JobId;
use focus_mock::domain::time::Moment;
use focus_mock::sim::snapshot::{JobSnapshot, Snapshot};
use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

use crate::common::Client;

/// How long anything may take on the wall clock before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);
/// The message size that known clients accept.
const LARGEST_MESSAGE: usize = 50 * 1024 * 1024;

/// Waits for something of the wire; the failure says what.
async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("still missing after {PATIENCE:?}: {what}"))
}

/// Waits until the world is as the condition says; the failure tells what it was instead.
async fn until(server: &MockServer, what: &str, condition: impl Fn(&Snapshot) -> bool) {
    let holds = async {
        while !condition(&server.simulation().snapshot()) {
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(PATIENCE, holds).await.is_err() {
        let Snapshot { now, jobs, waiters, .. } = server.simulation().snapshot();
        panic!("still missing after {PATIENCE:?}: {what}; at {now:?}: jobs {jobs:?}, waiters {waiters:?}");
    }
}

/// Nobody listens there.
async fn assert_refused(address: SocketAddr) {
    let error = TcpStream::connect(address).await.expect_err("the port is closed");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused, "{error}");
}

/// A job as its client knows it.
struct Job {
    id: JobId,
    answer: Value,
    address: SocketAddr,
}

impl Job {
    /// Configures a job that must be accepted, and takes from the answer what a client takes.
    async fn start(server: &MockServer, body: &Value) -> Self {
        let answer = Client::of(server).job(body).await;
        let host = answer["stream_url"].as_str().expect("a stream_url").trim_end_matches('/');
        let host = host.strip_prefix("http://").expect("an http URL");
        let port = answer["stream_port"].as_u64().expect("a stream_port");
        let address = format!("{host}:{port}").parse().expect("an address");
        let id = answer["job_id"].as_str().expect("a job_id").parse().expect("of the known form");
        Self { id, answer, address }
    }

    fn streams(&self) -> i32 {
        self.answer["stream_amount"].as_i64().and_then(|n| n.try_into().ok()).expect("a stream_amount")
    }

    /// First and last channel of a stream by the answer's map.
    fn group(&self, stream: i32) -> (i32, i32) {
        let map = self.answer["channel_to_stream_index"].as_object().expect("a map");
        let channels = map.iter().filter(|(_, index)| **index == stream);
        let channels: Vec<i32> =
            channels.map(|(channel, _)| channel.parse().expect("a channel number")).collect();
        let ends = channels.iter().min().zip(channels.iter().max());
        let (first, last) = ends.expect("a stream has channels");
        (*first, *last)
    }

    /// Values that a frame carries for each channel in each row.
    fn values_per_channel(&self) -> i32 {
        let amount = self.answer["frequencies_amount"].as_i64().expect("a frequencies_amount");
        i32::try_from(amount).expect("small").max(1)
    }

    /// A connection as known clients make it.
    async fn connect(&self) -> Channel {
        in_time("a connection to the job's port", self.endpoint().connect()).await.expect("it is open")
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::from_shared(format!("http://{}", self.address)).expect("a URL")
    }

    /// Opens a call on a connection of its own.
    async fn call(&self, stream: i32) -> Call {
        Call::on(self.connect().await, stream).await
    }

    /// The job as it stands, until it is removed.
    fn state(&self, server: &MockServer) -> Option<JobSnapshot> {
        server.simulation().snapshot().jobs.into_iter().find(|job| job.id == self.id)
    }

    /// Waits until so many calls are open on the job.
    async fn until_calls(&self, server: &MockServer, open: usize) {
        let what = format!("{open} open calls on job {}", self.id);
        until(server, &what, |world| {
            world.jobs.iter().any(|job| job.id == self.id && job.open_calls == open)
        })
        .await;
    }

    /// Waits until so many calls of the job have nothing more to send before the clock goes on.
    async fn until_waiting(&self, server: &MockServer, calls: usize) {
        let what = format!("{calls} calls on job {} that wait for their next frame", self.id);
        until(server, &what, |world| {
            let waiting = world.waiters.iter().filter(|waiter| waiter.job == Some(self.id));
            waiting.filter(|waiter| waiter.until > world.now).count() == calls
        })
        .await;
    }

    /// When the one call of the job that waits for its next frame will get it.
    async fn next_frame(&self, server: &MockServer) -> Moment {
        self.until_waiting(server, 1).await;
        let waiters = server.simulation().snapshot().waiters;
        waiters.iter().find(|waiter| waiter.job == Some(self.id)).expect("it waits").until
    }
}

/// A call on one stream of a job.
struct Call(Streaming<DataStream>);

impl Call {
    async fn on(channel: Channel, stream: i32) -> Self {
        Self(Self::ask(channel, stream).await.expect("the call is served"))
    }

    /// Opens a call for a client with the smallest receive window, which a frame overfills that is not read.
    async fn narrow(job: &Job, stream_id: i32) -> Self {
        let endpoint =
            job.endpoint().initial_stream_window_size(65_535).initial_connection_window_size(65_535);
        Self::on(endpoint.connect().await.expect("the port is open"), stream_id).await
    }

    /// What a call gets before any frame.
    async fn ask(channel: Channel, stream_id: i32) -> Result<Streaming<DataStream>, Status> {
        let mut client = DataStreamServiceClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE);
        let answered =
            in_time("the head of a call", client.stream_data(StreamDataRequest { stream_id })).await;
        answered.map(tonic::Response::into_inner)
    }

    /// The next frame, which must come.
    async fn frame(&mut self) -> DataStream {
        let message = in_time("a frame", self.0.message()).await;
        message.expect("no error before the frame").expect("no end before the frame")
    }

    /// So many frames.
    async fn frames(&mut self, count: usize) -> Vec<DataStream> {
        let mut frames = Vec::with_capacity(count);
        while frames.len() < count {
            frames.push(self.frame().await);
        }
        frames
    }

    /// Reads on to the end of the call: the frames on the way, and the status.
    async fn rest(&mut self) -> (Vec<DataStream>, Status) {
        let mut frames = Vec::new();
        loop {
            match in_time("a frame or the end of the call", self.0.message()).await {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => return (frames, Status::new(Code::Ok, "")),
                Err(status) => return (frames, status),
            }
        }
    }

    /// The same beside the test, so that the client reads whatever else happens.
    fn read_on(mut self) -> JoinHandle<(Vec<DataStream>, Status)> {
        tokio::spawn(async move { self.rest().await })
    }

    /// The end of a call that has no further frame.
    async fn end(&mut self) -> (Code, String) {
        let (frames, status) = self.rest().await;
        assert!(frames.is_empty(), "{} frames before {status:?}", frames.len());
        (status.code(), status.message().to_owned())
    }
}

/// A recorded window of that length that lies in the default catalogue.
fn recorded(body: Value, seconds: i64) -> Value {
    let start = crate::common::START - 2 * 86_400;
    crate::common::with(body, &serde_json::json!({"start_time": start, "end_time": start + seconds}))
}

/// The row numbers of frames, in the order in which they came.
fn row_numbers<'a>(frames: impl IntoIterator<Item = &'a DataStream>) -> Vec<i32> {
    frames.into_iter().flat_map(|frame| frame.row_index.iter().copied()).collect()
}

/// The row times of frames, in the order in which they came.
fn row_times<'a>(frames: impl IntoIterator<Item = &'a DataStream>) -> Vec<i64> {
    frames.into_iter().flat_map(|frame| frame.timestamp_in_milis.iter().copied()).collect()
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
