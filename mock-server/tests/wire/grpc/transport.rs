//! Connections as known clients hold them: with pings, open for long, several calls side by side.

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::raw::{ACK, GOAWAY, Http2, PING, PREFACE, SETTINGS, WINDOW_UPDATE, frame, next_frame};
use super::{Call, Job, in_time, millis, reader, row_numbers, seconds};
use crate::common::{held, light};

/// Reads from a body until it has held at least one whole HTTP/2 frame of data.
async fn some_data(body: &mut h2::RecvStream) -> Bytes {
    let data = in_time("data of a call", body.data()).await.expect("no end").expect("no error");
    body.flow_control().release_capacity(data.len()).expect("it was received");
    data
}

#[tokio::test]
async fn pings_in_quick_succession_are_answered_without_a_call_and_with_one() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut connection = Http2::connect(job.address).await;
    for number in 0..30 {
        connection.ping().await.unwrap_or_else(|error| panic!("ping {number} without a call: {error}"));
    }
    let (_, mut body) = connection.stream_data(0).await;
    some_data(&mut body).await;
    for number in 0..30 {
        connection.ping().await.unwrap_or_else(|error| panic!("ping {number} with a call: {error}"));
    }
    // The call and the connection are as before.
    server.simulation().advance(millis(100));
    some_data(&mut body).await;
    let (_, mut second) = connection.stream_data(1).await;
    some_data(&mut second).await;
    assert!(!connection.is_over());
}

#[tokio::test]
async fn thirty_pings_in_one_packet_get_thirty_answers_and_no_goaway() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut socket = TcpStream::connect(job.address).await.expect("the port is open");
    let mut bytes = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    for number in 0..30_u64 {
        bytes.extend(frame(PING, 0, 0, &number.to_be_bytes()));
    }
    socket.write_all(&bytes).await.expect("sent");
    let (mut answered, mut greeted) = (Vec::new(), 0);
    // Beside them the server's own greeting: settings, the answer to ours, and its window.
    while answered.len() < 30 || greeted < 3 {
        let (kind, flags, payload) = next_frame(&mut socket).await;
        assert_ne!(kind, GOAWAY, "{payload:?}");
        if (kind, flags) == (PING, ACK) {
            answered.push(u64::from_be_bytes(payload.try_into().expect("eight bytes")));
        } else {
            assert!(matches!(kind, SETTINGS | WINDOW_UPDATE), "a frame of type {kind}");
            greeted += 1;
        }
    }
    assert_eq!(answered, (0..30).collect::<Vec<u64>>());
    // Nothing was held back: the answer to one more ping is the next thing that comes.
    socket.write_all(&frame(PING, 0, 0, &[9; 8])).await.expect("sent");
    let (kind, flags, payload) = next_frame(&mut socket).await;
    assert_eq!((kind, flags, payload), (PING, ACK, vec![9; 8]));
}

#[tokio::test]
async fn a_client_that_keeps_its_connection_alive_with_pings_goes_through_ten_minutes_of_streaming() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut connection = Http2::connect(job.address).await;
    let (_, mut body) = connection.stream_data(0).await;
    for _ in 0..20 {
        some_data(&mut body).await;
        job.until_waiting(&server, 1).await;
        server.simulation().advance(seconds(30));
        connection.ping().await.expect("alive");
    }
    some_data(&mut body).await;
    assert_eq!(job.state(&server).expect("read").open_calls, 1);
}

#[tokio::test]
async fn many_calls_run_side_by_side_on_one_connection_and_on_several() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let shared = job.connect().await;
    let mut calls = Vec::new();
    for number in 0..24 {
        let channel = if number % 2 == 0 { shared.clone() } else { job.connect().await };
        calls.push((number % 3, Call::on(channel, number % 3).await));
    }
    job.until_calls(&server, 24).await;
    let mut frames: [Vec<_>; 3] = std::array::from_fn(|_| Vec::new());
    for _ in 0..6 {
        for (stream, call) in &mut calls {
            frames[usize::try_from(*stream).expect("small")].push(call.frame().await);
        }
        server.simulation().advance(millis(100));
    }
    for (stream, mut frames) in (0..).zip(frames) {
        frames.sort_by_key(|frame| frame.row_index[0]);
        reader::check_sequence(&job, stream, &frames);
        assert_eq!(row_numbers(&frames), (0..48 * 8).collect::<Vec<i32>>(), "stream {stream}");
    }
}

#[tokio::test]
async fn a_hundred_calls_are_served_on_one_connection() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let channel = job.connect().await;
    let mut calls = Vec::new();
    for _ in 0..100 {
        calls.push(Call::on(channel.clone(), 0).await);
    }
    for call in &mut calls {
        reader::check(&job, 0, &call.frame().await);
    }
    job.until_calls(&server, 100).await;
}
