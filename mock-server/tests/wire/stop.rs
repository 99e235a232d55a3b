//! The end of a server that is asked to stop: what is still answered, for how long, and what holds nobody up.
//!
//! The server runs on other threads than the test, as in a program of its own.

use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use focus_mock::{Config, Server};
use focus_proto::pandadatastream::StreamDataRequest;
use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use serde_json::{Value, json};
use tonic::transport::Endpoint;

use crate::common::{START, base, held_config, light, with};
use crate::raw::{self, Wire, request};

const HOUR: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(30);

/// A server whose connections have an hour for everything, but for what the test is about.
async fn patient(change: impl FnOnce(&mut Config)) -> Server {
    let config = held_config(|config| {
        config.stop_deadline = HOUR;
        let http = &mut config.http;
        (http.header_time, http.body_time, http.idle_time, http.write_time) = (HOUR, HOUR, HOUR, HOUR);
        change(config);
    });
    Server::start(config).await.expect("a server of the test's own")
}

async fn stops(server: Server) {
    tokio::time::timeout(PATIENCE, server.stop())
        .await
        .expect("an end long before the limits of its connections");
}

/// A request of which so much has arrived that the server waits for the rest.
fn in_flight(address: SocketAddr) -> (Wire, Vec<u8>) {
    let body = light().to_string().into_bytes();
    let length = body.len().to_string();
    let mut wire = Wire::to(address);
    wire.send(&request(
        "POST",
        "/configure",
        &[("content-length", &length), ("expect", "100-continue")],
        b"",
    ));
    assert_eq!(wire.head().status, 100);
    (wire, body)
}

fn configured(address: SocketAddr, body: &Value) -> Value {
    let mut wire = Wire::to(address);
    wire.send(&request("POST", "/configure", &[], body.to_string().as_bytes()));
    wire.answer().json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_ask_for_nothing_are_closed_at_once() {
    let server = patient(|_| ()).await;
    let (rest, admin) = (server.rest, server.admin.expect("an admin listener"));
    let mut idle = [rest, rest, admin, admin].map(Wire::to);
    for wire in idle.iter_mut().step_by(2) {
        wire.send(&request("HEAD", "/livez", &[], b""));
        wire.head();
    }
    let job = configured(rest, &light());
    let port = job["stream_port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
    let channel = Endpoint::from_shared(format!("http://{}:{port}", rest.ip())).expect("an address");
    let channel = channel.connect().await.expect("the job's port is open");
    stops(server).await;
    for wire in &mut idle {
        wire.assert_closed();
    }
    for address in [rest, admin, SocketAddr::new(rest.ip(), port)] {
        assert!(TcpStream::connect(address).is_err(), "{address}");
    }
    drop(channel);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_flight_is_answered_and_its_connection_closed() {
    let server = patient(|_| ()).await;
    let (rest, simulation) = (server.rest, server.simulation().clone());
    let (mut wire, body) = in_flight(rest);
    let stopping = tokio::spawn(server.stop());
    while TcpStream::connect(rest).is_ok() {}
    wire.send(&body);
    let answer = wire.answer();
    assert_eq!((answer.status.as_u16(), &answer.json()["job_id"]), (200, &json!("1-1")));
    wire.assert_closed();
    tokio::time::timeout(PATIENCE, stopping).await.expect("an end").expect("no panic");
    assert!(simulation.snapshot().jobs.is_empty(), "the job went with the server");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_through_at_the_deadline_is_cut_off() {
    let server = patient(|config| config.stop_deadline = SOON).await;
    let (mut sending, _) = in_flight(server.rest);
    let mut heading = Wire::to(server.rest);
    heading.send(b"GET /ack HTTP/1.1\r\n");
    stops(server).await;
    // Whatever came, the end has come as well.
    sending.assert_closed();
    heading.assert_cut_off();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_not_read_does_not_outlast_the_deadline() {
    let server = patient(|config| config.stop_deadline = SOON).await;
    let window = json!({"start_time": START - 86_400, "end_time": START - 86_400 + 7200});
    let job = configured(server.rest, &with(base(), &window));
    let address = format!("http://{}:{}", server.rest.ip(), job["stream_port"]);
    let endpoint = Endpoint::from_shared(address).expect("an address").initial_stream_window_size(65_535);
    let channel = endpoint.connect().await.expect("the job's port is open");
    let call = DataStreamServiceClient::new(channel).stream_data(StreamDataRequest { stream_id: 0 }).await;
    let mut frames = call.expect("a stream").into_inner();
    assert!(frames.message().await.expect("a frame").is_some());
    // The rest of its first frames does not fit, nor what it ends with, for which there would be two seconds otherwise.
    stops(server).await;
    let rest = async {
        loop {
            match frames.message().await {
                Ok(Some(_frame)) => {}
                ended => return ended,
            }
        }
    };
    let ended = tokio::time::timeout(PATIENCE, rest).await.expect("the stream ends");
    let status = ended.expect_err("it was cut off");
    assert_ne!(status.message(), "job is gone", "the status that was never read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_in_flight_holds_nobody_up() {
    let server = patient(|config| config.tls = Some(focus_mock::Tls::SelfSigned)).await;
    let mut stalled = raw::connect(server.rest);
    let mut refused = raw::connect(server.rest);
    std::io::Write::write_all(&mut refused, b"GET / HTTP/1.1\r\n\r\n").expect("sent");
    refused.read_exact(&mut [0; 7]).expect("an alert");
    stops(server).await;
    assert_eq!(stalled.read(&mut [0]).expect("an orderly end"), 0);
    let _ = refused.shutdown(Shutdown::Both);
}
