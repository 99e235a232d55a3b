//! What does not speak HTTP/2 or gRPC is shown out; nobody else notices.

use std::net::SocketAddr;

use bytes::Bytes;
use focus_mock::MockServer;
use focus_mock::domain::job::JobState;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::raw::{
    ACK, DATA, END_HEADERS, HEADERS, Http2, PING, PREFACE, SETTINGS, STREAM_DATA, closed, envelope, frame,
    next_frame,
};
use super::{Call, Job, in_time, millis, reader};
use crate::common::{held, held_as, light};

/// Sends bytes to a job's port and waits until the server has closed the connection.
async fn assert_shown_out(address: SocketAddr, what: &str, bytes: &[u8]) {
    let mut socket = TcpStream::connect(address).await.expect("the port is open");
    socket.write_all(bytes).await.expect("taken by the system at least");
    in_time(what, closed(socket)).await;
}

/// The job and a call on it go on as if nothing had happened.
async fn assert_unmoved(server: &MockServer, job: &Job, call: &mut Call) {
    server.simulation().advance(millis(100));
    reader::check(job, 0, &call.frame().await);
    let state = job.state(server).expect("there");
    assert_eq!((state.state, state.open_calls), (JobState::Running, 1));
    reader::check(job, 1, &job.call(1).await.frame().await);
    job.until_calls(server, 1).await;
}

#[tokio::test]
async fn a_connection_that_does_not_begin_as_http2_is_closed_and_nobody_else_minds() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut call = job.call(0).await;
    call.frame().await;
    let noise: Vec<u8> = (0..4096_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    for (what, bytes) in [
        ("the end of noise", &noise[..]),
        ("the end of zeroes", &[0; 64]),
        ("the end of an HTTP/1.1 request", b"GET /channels HTTP/1.1\r\nhost: job\r\n\r\n"),
        (
            "the end of a TLS greeting",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and thirty-two random bytes",
        ),
        ("the end of a preface with a slip", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX"),
        ("the end of a line", b"hello\n"),
    ] {
        assert_shown_out(job.address, what, bytes).await;
        assert_unmoved(&server, &job, &mut call).await;
    }
}

#[tokio::test]
async fn a_connection_that_goes_on_with_garbage_after_its_preface_is_closed_and_nobody_else_minds() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut call = job.call(0).await;
    call.frame().await;
    let greeting = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    for (what, bytes) in [
        ("the end after oversized frames", vec![0xff; 256]),
        ("the end after text", b"GET / HTTP/1.1\r\nhost: job\r\n\r\n".to_vec()),
        ("the end after data of no stream", frame(DATA, 0, 0, b"data")),
        ("the end after headers that cannot be decoded", frame(HEADERS, END_HEADERS, 1, &[0xff; 64])),
        ("the end after settings of a wrong length", frame(SETTINGS, 0, 0, &[1; 5])),
    ] {
        assert_shown_out(job.address, what, &[&greeting[..], &bytes].concat()).await;
        assert_unmoved(&server, &job, &mut call).await;
    }
    assert_shown_out(job.address, "the end without settings", &[PREFACE, &frame(DATA, 0, 1, b"x")].concat())
        .await;
    assert_unmoved(&server, &job, &mut call).await;
}

#[tokio::test]
async fn a_client_that_hangs_up_at_any_byte_of_its_greeting_leaves_nothing_behind() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut call = job.call(0).await;
    call.frame().await;
    let greeting = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    for length in 0..=greeting.len() {
        let mut socket = TcpStream::connect(job.address).await.expect("the port is open");
        socket.write_all(&greeting[..length]).await.expect("sent");
        socket.shutdown().await.expect("half closed");
        in_time(&format!("the end after {length} bytes"), closed(socket)).await;
    }
    assert_unmoved(&server, &job, &mut call).await;
}

#[tokio::test]
async fn a_client_that_falls_silent_within_its_greeting_is_let_go() {
    let server = held_as(|config| config.grpc.preface_time = millis(100));
    let job = Job::start(&server, &light()).await;
    let greeting = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    let mut greeted = TcpStream::connect(job.address).await.expect("the port is open");
    greeted.write_all(&greeting).await.expect("sent");
    let silent = [&[][..], &PREFACE[..11], PREFACE].map(async |bytes| {
        let mut socket = TcpStream::connect(job.address).await.expect("the port is open");
        socket.write_all(bytes).await.expect("sent");
        in_time(&format!("the end after {} bytes", bytes.len()), closed(socket)).await;
    });
    futures_util::future::join_all(silent).await;
    // Who has greeted may be silent for as long as it likes, and be it longer than they were.
    for _ in 0..2 {
        let after = TcpStream::connect(job.address).await.expect("the port is open");
        in_time("the end of one that came later", closed(after)).await;
    }
    greeted.write_all(&frame(PING, 0, 0, &[9; 8])).await.expect("sent");
    while next_frame(&mut greeted).await != (PING, ACK, vec![9; 8]) {}
    assert_eq!(job.state(&server).expect("there").state, JobState::Running);
}

/// Statuses of gRPC that the library gives for what never reaches the service.
const OUT_OF_RANGE: u32 = 11;
const INTERNAL: u32 = 13;

#[tokio::test]
async fn a_call_with_a_garbled_message_ends_with_a_status_and_the_connection_goes_on() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut call = job.call(0).await;
    call.frame().await;
    let mut connection = Http2::connect(job.address).await;
    for (what, body, status) in [
        ("no protobuf", envelope(0, 5, &[0xff; 5]), INTERNAL),
        ("a field of another type", envelope(0, 3, &[0x0a, 0x01, 0x41]), INTERNAL),
        ("shorter than it says", envelope(0, 100, b"short"), INTERNAL),
        ("compressed without a word about it", envelope(1, 2, &[8, 0]), INTERNAL),
        ("a flag that does not exist", envelope(77, 2, &[8, 0]), INTERNAL),
        ("an envelope cut short", Bytes::from_static(&[0, 0, 0]), INTERNAL),
        ("larger than anybody takes", envelope(0, 51 << 20, b"large"), OUT_OF_RANGE),
    ] {
        let (code, message) = connection.status(STREAM_DATA, body).await;
        assert_eq!(code, status, "{what}: {message}");
    }
    assert_unmoved(&server, &job, &mut call).await;
    // A message of no bytes is the first stream's; a field that nobody knows is ignored.
    let _first = connection.stream_data(0).await;
    let (head, _second) = connection.post(STREAM_DATA, envelope(0, 4, &[0x08, 0x01, 0x78, 0x05])).await;
    assert_eq!((head.status.as_u16(), head.headers.get("grpc-status")), (200, None));
    job.until_calls(&server, 3).await;
}
