//! Limits of connections to job ports: calls on one, connections in all, headers, floods, and clients that never read.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream as Blocking};

use bytes::Bytes;
use focus_mock::{GrpcLimits, MockServer};
use focus_proto::pandadatastream::StreamDataRequest;
use prost::Message;
use serde_json::json;
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::raw::{
    ACK, DATA, END_HEADERS, GOAWAY, HEADERS, Http2, PING, PREFACE, SETTINGS, STREAM_DATA, WINDOW_UPDATE,
    closed, envelope, frame, next_frame,
};
use super::{Call, Job, in_time, millis, reader, recorded, seconds};
use crate::common::{base, held, held_as, light, with};

const RST_STREAM: u8 = 3;
const END_STREAM: u8 = 1;
const NO_ERROR: [u8; 4] = [0, 0, 0, 0];
const REFUSED_STREAM: [u8; 4] = [0, 0, 0, 7];
/// Parameters of settings (RFC 9113, 6.5.2).
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_HEADER_LIST_SIZE: u16 = 6;

fn limited(change: impl FnOnce(&mut GrpcLimits)) -> MockServer {
    held_as(|config| change(&mut config.grpc))
}

fn setting(parameter: u16, value: u32) -> Vec<u8> {
    [&parameter.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

/// A call on the first stream of a job, as frames: headers without compression (RFC 7541), then the message.
fn call(stream: u32) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).expect("short")], text.as_bytes()].concat();
    let headers = [
        vec![0x83, 0x86, 0x04],
        text(STREAM_DATA),
        vec![0x01],
        text("job"),
        vec![0x0f, 0x10],
        text("application/grpc"),
        vec![0x00],
        text("te"),
        text("trailers"),
    ];
    let message = StreamDataRequest { stream_id: 0 }.encode_to_vec();
    let data = frame(DATA, END_STREAM, stream, &envelope(0, message.len(), &message));
    [frame(HEADERS, END_HEADERS, stream, &headers.concat()), data].concat()
}

/// A connection that has greeted with these settings.
async fn greeted(address: SocketAddr, settings: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.expect("the port is open");
    let greeting = [PREFACE, &frame(SETTINGS, 0, 0, settings)].concat();
    socket.write_all(&greeting).await.expect("sent");
    socket
}

/// A connection that the server has answered, so that it counts as one that is there.
async fn idle(address: SocketAddr) -> TcpStream {
    let mut socket = greeted(address, &[]).await;
    assert_answers(&mut socket).await;
    socket
}

/// The connection stands: a ping is answered, and nobody says goodbye.
async fn assert_answers(socket: &mut TcpStream) {
    socket.write_all(&frame(PING, 0, 0, b"standing")).await.expect("sent");
    loop {
        let (kind, flags, payload) = next_frame(socket).await;
        assert_ne!(kind, GOAWAY, "{payload:?}");
        if (kind, flags, payload.as_slice()) == (PING, ACK, b"standing") {
            return;
        }
    }
}

/// The server says goodbye without a reproach, waits for what may be on its way, and closes.
async fn assert_dismissed(mut socket: TcpStream) {
    loop {
        let (kind, flags, payload) = next_frame(&mut socket).await;
        if kind == GOAWAY {
            assert_eq!(payload[4..8], NO_ERROR, "{payload:?}");
        } else if (kind, flags) == (PING, 0) {
            socket.write_all(&frame(PING, ACK, 0, &payload)).await.expect("sent");
            break;
        }
    }
    let (kind, _, payload) = next_frame(&mut socket).await;
    // Now with the last call that was served: none.
    assert_eq!((kind, &payload[..8]), (GOAWAY, &[0; 8][..]));
    assert_eq!(in_time("the end", socket.read(&mut [0])).await.expect("an orderly end"), 0);
}

/// What the server sends when there is no place: nothing.
async fn assert_not_let_in(address: SocketAddr) {
    let mut socket = TcpStream::connect(address).await.expect("the port is open");
    assert_eq!(in_time("the end", socket.read(&mut [0])).await.expect("an orderly end"), 0);
}

#[tokio::test]
async fn a_client_is_told_the_limits_that_are_set() {
    let server = limited(|limits| (limits.max_calls_per_connection, limits.max_header_bytes) = (3, 5000));
    let job = Job::start(&server, &light()).await;
    let mut socket = greeted(job.address, &[]).await;
    let (kind, flags, payload) = next_frame(&mut socket).await;
    assert_eq!((kind, flags), (SETTINGS, 0));
    let told: Vec<_> = payload.chunks(6).collect();
    for expected in [setting(MAX_CONCURRENT_STREAMS, 3), setting(MAX_HEADER_LIST_SIZE, 5000)] {
        assert!(told.contains(&&expected[..]), "{expected:?} in {told:?}");
    }
}

#[tokio::test]
async fn a_call_above_the_limit_of_its_connection_is_refused_and_the_others_go_on() {
    let server = limited(|limits| limits.max_calls_per_connection = 3);
    let job = Job::start(&server, &light()).await;
    let mut socket = idle(job.address).await;
    for stream in [1, 3, 5] {
        socket.write_all(&call(stream)).await.expect("sent");
    }
    job.until_calls(&server, 3).await;
    // A client that minds the limit waits; this one does not.
    socket.write_all(&call(7)).await.expect("sent");
    loop {
        let (kind, _, payload) = next_frame(&mut socket).await;
        assert_ne!(kind, GOAWAY, "{payload:?}");
        if kind == RST_STREAM {
            assert_eq!(payload, REFUSED_STREAM);
            break;
        }
    }
    assert_answers(&mut socket).await;
    job.until_calls(&server, 3).await;
    // The limit is one connection's: the next one has as many.
    reader::check(&job, 0, &job.call(0).await.frame().await);
}

#[tokio::test]
async fn headers_above_the_limit_are_431_and_the_connection_goes_on() {
    let server = limited(|limits| limits.max_header_bytes = 1000);
    let job = Job::start(&server, &light()).await;
    let mut connection = Http2::connect(job.address).await;
    let long = format!("/{}", "x".repeat(2000));
    let (head, _) = connection.post(&long, Bytes::new()).await;
    assert_eq!(head.status, 431);
    let (_, _body) = connection.stream_data(0).await;
    assert!(!connection.is_over());
}

#[tokio::test]
async fn at_the_limit_of_connections_the_one_longest_without_a_call_makes_room() {
    let server = limited(|limits| limits.max_connections = 4);
    let (job, other) = (Job::start(&server, &light()).await, Job::start(&server, &light()).await);
    let mut called = Call::on(job.connect().await, 0).await;
    called.frame().await;
    // One that had a call until now is idle for less long than one that came later and never had any.
    let channel = job.connect().await;
    let ended = Call::on(channel.clone(), 1).await;
    job.until_calls(&server, 2).await;
    let (first, mut second) = (idle(job.address).await, idle(other.address).await);
    drop(ended);
    job.until_calls(&server, 1).await;

    // Whichever port it comes to, the limit is one for all of them.
    let third = idle(other.address).await;
    assert_dismissed(first).await;
    assert_answers(&mut second).await;
    let mut fourth = Call::on(other.connect().await, 0).await;
    assert_dismissed(second).await;
    fourth.frame().await;
    let mut again = Call::on(channel, 1).await;
    again.frame().await;
    let mut fifth = Call::on(other.connect().await, 1).await;
    assert_dismissed(third).await;

    // Now everybody has a call.
    for _ in 0..3 {
        assert_not_let_in(job.address).await;
        assert_not_let_in(other.address).await;
    }
    fifth.frame().await;
    job.until_waiting(&server, 2).await;
    other.until_waiting(&server, 2).await;
    server.simulation().advance(millis(100));
    for call in [&mut called, &mut fourth, &mut again, &mut fifth] {
        call.frame().await;
    }
}

#[tokio::test]
async fn a_connection_without_a_preface_makes_room_at_once_and_so_do_thousands() {
    let server = limited(|limits| limits.max_connections = 32);
    let job = Job::start(&server, &light()).await;
    let mut call = job.call(0).await;
    call.frame().await;
    let mut silent = Vec::new();
    for _ in 0..1000 {
        silent.push(TcpStream::connect(job.address).await.expect("the port is open"));
    }
    let mut last = idle(job.address).await;
    // The last one and the call have a place, and thirty of those that came right before.
    for gone in silent.drain(..970) {
        in_time("the end of a silent connection", closed(gone)).await;
    }
    server.simulation().advance(millis(100));
    call.frame().await;
    assert_answers(&mut last).await;
}

/// A recorded job with wide rows.
async fn wide(server: &MockServer) -> Job {
    let channels = json!({"channels": {"min": 1, "max": 500}});
    Job::start(server, &recorded(with(base(), &channels), 72_000)).await
}

/// A client that asks for everything and reads nothing, not even what its system would keep for it.
fn reads_nothing(job: &Job) -> Blocking {
    let socket = Socket::new(Domain::for_address(job.address), Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a socket option");
    socket.connect(&job.address.into()).expect("the port is open");
    let mut stream = Blocking::from(socket);
    let windows = frame(WINDOW_UPDATE, 0, 0, &0x7000_0000_u32.to_be_bytes());
    let settings = frame(SETTINGS, 0, 0, &setting(INITIAL_WINDOW_SIZE, 0x7fff_ffff));
    let asked = [PREFACE, &settings, &windows, &call(1)].concat();
    std::io::Write::write_all(&mut stream, &asked).expect("sent");
    stream
}

#[tokio::test]
async fn a_client_that_does_not_read_its_socket_is_cut_off_and_nobody_else_minds() {
    let server = limited(|limits| limits.write_time = millis(200));
    let job = wide(&server).await;
    let mut reading = job.call(1).await;
    let stuck = reads_nothing(&job);
    job.until_calls(&server, 2).await;
    // More than the system keeps for both sides, in a time far from the simulated limit.
    for _ in 0..60 {
        reading.frame().await;
        server.simulation().advance(millis(500));
    }
    job.until_calls(&server, 1).await;
    let error = stuck.take_error().expect("a socket").expect("it was cut off");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    reading.frame().await;
}

#[tokio::test]
async fn floods_of_frames_that_ask_for_nothing_move_nobody_else() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut other = job.call(0).await;
    other.frame().await;
    let window = frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]);
    for flood in [frame(SETTINGS, 0, 0, &[]), frame(PING, 0, 0, &[1; 8]), window] {
        let mut socket = greeted(job.address, &[]).await;
        let (mut reading, mut writing) = socket.split();
        let sent = flood.repeat(20_000);
        let drained = async {
            let mut buffer = vec![0; 65_536];
            while in_time("an answer", reading.read(&mut buffer)).await.expect("it stands") > 0 {}
        };
        tokio::select! {
            () = drained => panic!("the server hung up"),
            sent = writing.write_all(&sent) => sent.expect("it stands"),
        }
        server.simulation().advance(millis(100));
        other.frame().await;
    }
}

#[tokio::test]
async fn a_flood_of_calls_that_are_taken_back_ends_its_connection_and_no_other() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut other = job.call(0).await;
    other.frame().await;
    let mut socket = greeted(job.address, &[]).await;
    let taken_back = |number: u32| {
        let stream = number * 2 + 1;
        [call(stream), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    };
    let flood: Vec<u8> = (0..5000).flat_map(taken_back).collect();
    // It may hang up before all of it is sent.
    let _ = socket.write_all(&flood).await;
    in_time("the end of the flood", closed(socket)).await;
    job.until_calls(&server, 1).await;
    server.simulation().advance(seconds(1));
    other.frame().await;
}
