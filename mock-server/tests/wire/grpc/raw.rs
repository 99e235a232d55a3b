//! A client below gRPC: HTTP/2 frames by hand, so that what no gRPC library would do can be tried.

use std::net::SocketAddr;

use bytes::{BufMut, Bytes, BytesMut};
use focus_proto::pandadatastream::StreamDataRequest;
use h2::client::SendRequest;
use h2::{Ping, PingPong, RecvStream};
use prost::Message;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::in_time;

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(super) const STREAM_DATA: &str = "/pandadatastream.DataStreamService/StreamData";

/// Types and flags of frames (RFC 9113, 6).
pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const ACK: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// One HTTP/2 frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len()).expect("small").to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The next frame that the server sends: type, flags and payload.
pub(super) async fn next_frame(socket: &mut TcpStream) -> (u8, u8, Vec<u8>) {
    let mut head = [0; 9];
    in_time("a frame", socket.read_exact(&mut head)).await.expect("the connection stands");
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    in_time("the rest of a frame", socket.read_exact(&mut payload)).await.expect("the connection stands");
    (head[3], head[4], payload)
}

/// Waits until the server has closed a connection; what it sent before.
pub(super) async fn closed(mut socket: TcpStream) -> Vec<u8> {
    let mut sent = Vec::new();
    // A connection with unread bytes in it is reset: closed, too.
    match socket.read_to_end(&mut sent).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
    }
    sent
}

/// A gRPC message as it travels: a flag for compression, the length, the bytes.
pub(super) fn envelope(compressed: u8, length: usize, message: &[u8]) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_u8(compressed);
    bytes.put_u32(u32::try_from(length).expect("below 4 GiB"));
    bytes.put_slice(message);
    bytes.freeze()
}

/// An HTTP/2 connection with the smallest windows; a body that is not read stops its sender after 64 KiB.
pub(super) struct Http2 {
    requests: SendRequest<Bytes>,
    pings: PingPong,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Http2 {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.expect("the port is open");
        let handshake = h2::client::handshake(socket);
        let (requests, mut connection) = in_time("a handshake", handshake).await.expect("HTTP/2");
        let pings = connection.ping_pong().expect("not taken before");
        Self { requests, pings, connection: tokio::spawn(connection) }
    }

    /// Sends a POST with the usual headers of gRPC and this body; the head of the answer and its body.
    pub(super) async fn post(&mut self, path: &str, body: Bytes) -> (http::response::Parts, RecvStream) {
        let request = http::Request::post(format!("http://job{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .expect("a request");
        futures_util::future::poll_fn(|context| self.requests.poll_ready(context)).await.expect("open");
        let (answer, mut sender) = self.requests.send_request(request, false).expect("taken");
        sender.send_data(body, true).expect("taken");
        in_time("the head of an answer", answer).await.expect("an answer").into_parts()
    }

    /// Opens a call on a stream of the job.
    pub(super) async fn stream_data(&mut self, stream_id: i32) -> (http::response::Parts, RecvStream) {
        let message = StreamDataRequest { stream_id }.encode_to_vec();
        let (head, body) = self.post(STREAM_DATA, envelope(0, message.len(), &message)).await;
        assert_eq!((head.status.as_u16(), head.headers.get("grpc-status")), (200, None), "{head:?}");
        (head, body)
    }

    /// The status of a call that ends by itself.
    pub(super) async fn status(&mut self, path: &str, body: Bytes) -> (u32, String) {
        let (head, mut body) = self.post(path, body).await;
        assert_eq!(head.status, 200, "gRPC has its own statuses");
        let headers = if head.headers.contains_key("grpc-status") {
            head.headers
        } else {
            while let Some(data) = in_time("the end of a call", body.data()).await {
                let length = data.expect("no error on the connection").len();
                body.flow_control().release_capacity(length).expect("it was received");
            }
            in_time("trailers", body.trailers()).await.expect("no error").expect("a status")
        };
        let text = |name| headers.get(name).map(|value| value.to_str().expect("text").to_owned());
        let code = text("grpc-status").and_then(|code| code.parse().ok()).expect("a grpc-status");
        (code, text("grpc-message").unwrap_or_default())
    }

    /// Sends a ping and waits for its answer.
    pub(super) async fn ping(&mut self) -> Result<(), h2::Error> {
        in_time("the answer to a ping", self.pings.ping(Ping::opaque())).await.map(|_| ())
    }

    /// Whether the server has closed the connection, or said that it will.
    pub(super) fn is_over(&self) -> bool {
        self.connection.is_finished()
    }

    /// Waits until the server has closed the connection.
    pub(super) async fn ended(self) {
        let Self { requests, pings, connection } = self;
        let _ = connection.await.expect("no panic");
        drop((requests, pings));
    }
}
