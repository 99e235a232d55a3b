//! Streams of a job, as their client reads them.

use std::net::SocketAddr;

use bytes::Bytes;
use focus_mock::sim::clock::Waiter;
use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use h2::client::SendRequest;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::transport::Endpoint;
use tonic::{Code, Streaming};

use crate::play::{Play, in_time};

/// The message size that known clients accept.
const LARGEST_MESSAGE: usize = 50 * 1024 * 1024;

/// A call on one stream of a job.
pub(crate) struct Call<'a> {
    play: &'a Play,
    job: String,
    messages: Streaming<DataStream>,
}

impl<'a> Call<'a> {
    /// Opens a call over a connection of its own.
    pub(crate) async fn open(play: &'a Play, job: &Value, stream_id: i32) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{}", address(play, job))).expect("a URL");
        let channel = in_time("a connection", endpoint.connect()).await.expect("the port is open");
        let mut client = DataStreamServiceClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE);
        let call = in_time("the head of a call", client.stream_data(StreamDataRequest { stream_id })).await;
        let job = id(job).to_owned();
        Self { play, job, messages: call.expect("the call is served").into_inner() }
    }

    /// The next frame, which is there.
    pub(crate) async fn frame(&mut self) -> DataStream {
        let message = in_time("a frame", self.messages.message()).await;
        message.expect("no error before the frame").expect("no end before the frame")
    }

    /// The next frame, which comes when the clock has gone on to it. What came before must have been read.
    pub(crate) async fn next(&mut self) -> DataStream {
        let waiter = self.play.until_waiting(&self.job, "next frame").await;
        self.play.server.simulation().advance(waiter.until.since(self.play.now()));
        self.frame().await
    }

    /// The next frame, with the clock going on as far as it takes, or further.
    pub(crate) async fn frame_or_next(&mut self) -> DataStream {
        let message = self.play.with_frames(&self.job, self.messages.message()).await;
        message.expect("no error before the frame").expect("no end before the frame")
    }

    /// So many frames that are there.
    pub(crate) async fn frames(&mut self, count: usize) -> Vec<DataStream> {
        let mut frames = Vec::with_capacity(count);
        while frames.len() < count {
            frames.push(self.frame().await);
        }
        frames
    }

    /// Everything to the end of the call, with the clock going on as far as it takes, or further: frames, and the
    /// status.
    pub(crate) async fn rest(&mut self) -> (Vec<DataStream>, Code, String) {
        let mut frames = Vec::new();
        loop {
            match self.play.with_frames(&self.job, self.messages.message()).await {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => return (frames, Code::Ok, String::new()),
                Err(status) => return (frames, status.code(), status.message().to_owned()),
            }
        }
    }

    /// The end of a call that is over: its status.
    pub(crate) async fn end(&mut self) -> (Code, String) {
        match in_time("the end of the call", self.messages.message()).await {
            Ok(Some(frame)) => panic!("a frame with the rows {:?}", frame.row_index),
            Ok(None) => (Code::Ok, String::new()),
            Err(status) => (status.code(), status.message().to_owned()),
        }
    }

    /// Whether there is nothing to be read: no frame, and no end.
    pub(crate) async fn is_silent(&mut self) -> bool {
        // The server has one thread: what it had to send before this answer has left.
        for _ in 0..2 {
            self.play.state().await;
        }
        let mut message = std::pin::pin!(self.messages.message());
        for _ in 0..20 {
            tokio::select! {
                biased;
                _ = &mut message => return false,
                () = tokio::task::yield_now() => {}
            }
        }
        true
    }
}

impl Play {
    /// Waits for a message, and lets the clock go on to the next frame of the job as often as that is waited for.
    async fn with_frames<T>(&self, job: &str, message: impl Future<Output = T>) -> T {
        let mut message = std::pin::pin!(message);
        in_time("a frame or the end of the call", async {
            loop {
                tokio::select! {
                    biased;
                    message = &mut message => return message,
                    () = tokio::task::yield_now() => {}
                }
                if let Some(next) = self.next_of(job) {
                    self.server.simulation().advance(next.until.since(self.now()));
                }
            }
        })
        .await
    }

    /// What a call of the job waits for next.
    pub(crate) fn next_of(&self, job: &str) -> Option<Waiter> {
        let all = self.server.simulation().clock().waiters().into_iter();
        let mut of_job = all.filter(|waiter| waiter.job.is_some_and(|id| id.to_string() == job));
        of_job.find(|waiter| waiter.until > self.now())
    }

    /// Waits until a call of the job waits for that, until then.
    pub(crate) async fn until_waiting(&self, job: &str, what: &str) -> Waiter {
        in_time(what, async {
            loop {
                match self.next_of(job) {
                    Some(waiter) if waiter.what == what => return waiter,
                    _ => tokio::task::yield_now().await,
                }
            }
        })
        .await
    }

    /// Waits until so many calls are open on the job.
    pub(crate) async fn until_calls(&self, job: &Value, open: usize) {
        in_time("open calls", async {
            loop {
                let jobs = self.server.simulation().snapshot().jobs;
                if jobs.iter().any(|one| one.id.to_string() == job["job_id"] && one.open_calls == open) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// The id of a job by its answer.
pub(crate) fn id(job: &Value) -> &str {
    job["job_id"].as_str().expect("a job_id")
}

/// Reads a frame of a job and leaves, which the server notices.
pub(crate) async fn read_from(play: &Play, job: &Value) {
    let mut call = Call::open(play, job, 0).await;
    assert!(!call.frame().await.row_index.is_empty());
    drop(call);
    play.until_calls(job, 0).await;
}

fn address(play: &Play, job: &Value) -> SocketAddr {
    let port = job["stream_port"].as_u64().and_then(|port| port.try_into().ok());
    SocketAddr::new(play.host(), port.expect("a stream_port"))
}

/// A connection with one call on stream 0, as HTTP/2 has it: gRPC clients keep the reasons of its end to themselves.
pub(crate) struct Below {
    body: h2::RecvStream,
    connection: JoinHandle<Result<(), h2::Error>>,
    /// Without anybody who could make requests the client would end the connection.
    _requests: SendRequest<Bytes>,
}

impl Below {
    pub(crate) async fn open(play: &Play, job: &Value) -> Self {
        let socket = TcpStream::connect(address(play, job)).await.expect("the port is open");
        let (requests, connection) = h2::client::handshake(socket).await.expect("HTTP/2");
        let connection = tokio::spawn(connection);
        let mut requests = requests.ready().await.expect("open");
        let request = http::Request::post("http://job/pandadatastream.DataStreamService/StreamData")
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        let (answer, mut sender) =
            requests.send_request(request.body(()).expect("a request"), false).expect("taken");
        // An empty message: stream 0.
        sender.send_data(Bytes::from_static(&[0; 5]), true).expect("taken");
        let body = in_time("the head of an answer", answer).await.expect("an answer").into_body();
        Self { body, connection, _requests: requests }
    }

    /// The next so many bytes.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            let data = in_time("bytes", self.body.data()).await.expect("more").expect("no error");
            self.body.flow_control().release_capacity(data.len()).expect("it was received");
            bytes.extend_from_slice(&data);
        }
        bytes
    }

    /// The error code of the GOAWAY that ends the connection, before anything else comes.
    pub(crate) async fn goaway(mut self) -> u32 {
        let error = in_time("the end of the connection", self.connection).await.expect("no panic");
        let error = error.expect_err("it ends with an error");
        assert!(error.is_go_away() && error.is_remote(), "{error:?}");
        assert!(!matches!(self.body.data().await, Some(Ok(_))), "no bytes before it");
        error.reason().expect("a code").into()
    }
}
