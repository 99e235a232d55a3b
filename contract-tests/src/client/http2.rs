//! HTTP/2 by hand, for what a gRPC library keeps to itself: pings at moments of one's own, and whether the server says
//! that it will hear no more.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use focus_proto::pandadatastream::StreamDataRequest;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Ping, PingPong, RecvStream};
use prost::Message as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::failure::Failure;

/// A connection to a job's port.
#[derive(Debug)]
pub struct Http2 {
    name: &'static str,
    authority: String,
    requests: SendRequest<Bytes>,
    pings: PingPong,
    connection: JoinHandle<Result<(), h2::Error>>,
    patience: Duration,
}

/// A call whose frames are counted as bytes, and not looked at.
#[derive(Debug)]
pub struct Call {
    bytes: watch::Receiver<usize>,
    patience: Duration,
}

impl Http2 {
    /// Connects, at the first try. Answers and bytes that do not come within `patience` are given up on.
    ///
    /// # Errors
    /// When nobody takes the connection, or does not speak HTTP/2.
    pub async fn connect(name: &'static str, authority: &str, patience: Duration) -> Result<Self, Failure> {
        let broken = |why: String| Failure::broken(format!("{name} to {authority}: {why}"));
        let connecting = async {
            let socket = TcpStream::connect(authority).await.map_err(|error| error.to_string())?;
            h2::client::handshake(socket).await.map_err(|error| error.to_string())
        };
        let connected = tokio::time::timeout(patience, connecting).await;
        let connected = connected.map_err(|_| broken(String::from("no HTTP/2 connection in time")))?;
        let (requests, mut connection) = connected.map_err(broken)?;
        let pings =
            connection.ping_pong().ok_or_else(|| Failure::could_not_run("no pings on a new connection"))?;
        let authority = authority.to_owned();
        Ok(Self { name, authority, requests, pings, connection: tokio::spawn(connection), patience })
    }

    /// Sends a ping, which must be answered.
    ///
    /// # Errors
    /// When the connection is over instead, with what the server said, or no answer comes.
    pub async fn ping(&mut self) -> Result<(), Failure> {
        match tokio::time::timeout(self.patience, self.pings.ping(Ping::opaque())).await {
            Ok(Ok(_)) => self.open().await,
            Ok(Err(_)) => Err(self.over().await),
            Err(_) => {
                let what = format!("a ping was not answered within {} s", self.patience.as_secs());
                Err(self.broken(&what))
            }
        }
    }

    /// Demands that the server still takes calls: a GOAWAY of any sort ends that.
    async fn open(&mut self) -> Result<(), Failure> {
        if self.connection.is_finished() {
            return Err(self.over().await);
        }
        let ready = futures_util::future::poll_fn(|context| self.requests.poll_ready(context)).await;
        match ready {
            Ok(()) => Ok(()),
            Err(error) => Err(self.said(&error)),
        }
    }

    /// Opens a call on a stream of the job, and reads it from then on.
    ///
    /// # Errors
    /// When that is not possible.
    pub async fn stream_data(&mut self, stream_id: i32) -> Result<Call, Failure> {
        self.open().await?;
        let answer = self.post(stream_id).map_err(|error| self.said(&error))?;
        let answered = tokio::time::timeout(self.patience, answer).await;
        let answered = answered.map_err(|_| self.broken("a call was not answered in time"))?;
        let answer = answered.map_err(|error| self.said(&error))?;
        if answer.status() != 200 || answer.headers().contains_key("grpc-status") {
            return Err(self.broken(&format!("a call is refused: {answer:?}")));
        }
        let (tell, bytes) = watch::channel(0);
        tokio::spawn(read(answer.into_body(), tell));
        Ok(Call { bytes, patience: self.patience })
    }

    fn post(&mut self, stream_id: i32) -> Result<ResponseFuture, h2::Error> {
        let uri = format!("http://{}/pandadatastream.DataStreamService/StreamData", self.authority);
        let mut request = http::Request::new(());
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = uri.parse().unwrap_or_default();
        let headers = [("content-type", "application/grpc"), ("te", "trailers")];
        request.headers_mut().extend(headers.map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        }));
        let message = StreamDataRequest { stream_id }.encode_to_vec();
        let mut body = BytesMut::new();
        body.put_u8(0);
        body.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
        body.put_slice(&message);
        let (answer, mut sender) = self.requests.send_request(request, false)?;
        sender.send_data(body.freeze(), true)?;
        Ok(answer)
    }

    /// How it came to an end.
    async fn over(&mut self) -> Failure {
        match tokio::time::timeout(self.patience, &mut self.connection).await {
            Ok(Ok(Err(error))) => self.said(&error),
            Ok(Ok(Ok(()))) => self.broken("the server closed it"),
            Ok(Err(error)) => Failure::could_not_run(error.to_string()),
            Err(_) => self.broken("it neither answers nor ends"),
        }
    }

    /// What an error on it means.
    fn said(&self, error: &h2::Error) -> Failure {
        match error.reason().filter(|_| error.is_go_away()) {
            Some(reason) => self.broken(&format!("the server said GOAWAY {reason:?}: {error}")),
            None => self.broken(&error.to_string()),
        }
    }

    fn broken(&self, what: &str) -> Failure {
        Failure::broken(format!("{} to {}: {what}", self.name, self.authority))
    }
}

impl Drop for Http2 {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Reads to the end, and tells how much came so far.
async fn read(mut body: RecvStream, tell: watch::Sender<usize>) {
    while let Some(Ok(data)) = body.data().await {
        let length = data.len();
        // The window stays open: a server must not stop for want of it.
        if body.flow_control().release_capacity(length).is_err() {
            return;
        }
        tell.send_modify(|bytes| *bytes += length);
    }
}

impl Call {
    /// How many bytes came so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        *self.bytes.borrow()
    }

    /// Waits until more bytes came than that.
    ///
    /// # Errors
    /// When the call ends instead, or falls silent.
    pub async fn until_more_than(&mut self, bytes: usize) -> Result<(), Failure> {
        let waiting = self.bytes.wait_for(|came| *came > bytes);
        match tokio::time::timeout(self.patience, waiting).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(Failure::broken(format!("a call ended after {bytes} bytes"))),
            Err(_) => Err(Failure::broken(format!("a call fell silent after {bytes} bytes"))),
        }
    }
}
