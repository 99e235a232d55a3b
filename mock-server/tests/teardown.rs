//! What a server in a process leaves behind: no descriptor, no thread, no memory. One test in a process of its own,
//! because it counts all of the process.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use focus_mock::sim::clock::Mode;
use focus_mock::{Config, MockServer};
use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use tokio::runtime::Runtime;
use tonic::Streaming;
use tonic::transport::Endpoint;

const CONFIGURATION: &str = r#"{"view_type":"0","channels":{"min":1,"max":50},"displayInfo":{"height":1000},"displayTimeAxisDuration":10,"nfftSelection":1024,"frequencyRange":{"min":0,"max":500}}"#;

fn held() -> MockServer {
    MockServer::start(Config { clock: Mode::Manual, ..Config::default() })
        .expect("a server of the test's own")
}

/// What the descriptors of this process are of, sorted.
fn descriptors() -> Vec<String> {
    let entries = std::fs::read_dir("/proc/self/fd").expect("this process");
    let names = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let mut names: Vec<_> = names.map(|name| name.display().to_string()).collect();
    names.retain(|name| !name.ends_with("/fd"));
    names.sort();
    names
}

/// Names of the threads of this process, sorted.
fn threads() -> Vec<String> {
    let entries = std::fs::read_dir("/proc/self/task").expect("this process");
    let names = entries.filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("comm")).ok());
    let mut names: Vec<_> = names.map(|name| name.trim_end().to_owned()).collect();
    names.sort();
    names
}

/// Memory in use.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket option");
    stream
}

/// Makes a job over this connection, which stays open; its port.
fn configure(stream: &mut TcpStream) -> u16 {
    let length = CONFIGURATION.len();
    let request =
        format!("POST /configure HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n{CONFIGURATION}");
    stream.write_all(request.as_bytes()).expect("it takes the request");
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    // The metadata is the last key of the answer.
    while !answer.ends_with(b"}}}") {
        let read = stream.read(&mut buffer).expect("an answer");
        assert_ne!(read, 0, "closed after {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..read]);
    }
    let answer = String::from_utf8(answer).expect("a text");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (_, port) = answer.split_once("\"stream_port\":").expect("a port");
    port.split(',').next().and_then(|port| port.parse().ok()).expect("a port")
}

async fn stream(port: SocketAddr) -> Streaming<DataStream> {
    let endpoint = Endpoint::from_shared(format!("http://{port}")).expect("an address");
    let channel = endpoint.connect().await.expect("the job's port is open");
    let call = DataStreamServiceClient::new(channel).stream_data(StreamDataRequest { stream_id: 0 }).await;
    let mut frames = call.expect("a stream").into_inner();
    assert!(frames.message().await.expect("a frame").is_some());
    frames
}

/// A server that is dropped with everything open that a client can have open.
fn drop_in_full_use(runtime: &Runtime) {
    let before = (descriptors().len(), threads());
    let server = held();
    assert_eq!(threads().iter().filter(|name| *name == "focus-mock").count(), 1);
    let mut asked = connect(server.rest());
    let port = SocketAddr::new(server.rest().ip(), configure(&mut asked));
    let mut half = connect(server.rest());
    half.write_all(b"POST /configure HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\n{").expect("written");
    let admin = server.admin().expect("an admin listener");
    let clients = [asked, half, connect(server.rest()), connect(admin), connect(port)];
    let frames = runtime.block_on(stream(port));

    drop(server);

    // What is left are the sockets of the clients: five, and that of the stream, which its runtime still holds.
    assert_eq!(descriptors().len(), before.0 + clients.len() + 1, "{:#?}", descriptors());
    assert_eq!(threads(), before.1);
    drop((clients, frames));
    let closed = async {
        while descriptors().len() > before.0 {
            tokio::task::yield_now().await;
        }
    };
    let waited = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(30), closed).await });
    assert!(waited.is_ok(), "more descriptors than before: {:#?}", descriptors());
}

#[test]
fn nothing_is_left_of_servers_that_were_dropped() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // What the first server of a process makes once and keeps is no leak.
    drop(held());
    let before = (descriptors(), threads());
    for _ in 0..5 {
        drop_in_full_use(&runtime);
    }
    for _ in 0..20 {
        drop(held());
    }
    assert_eq!((descriptors(), threads()), before);

    let memory = resident_kib();
    for _ in 0..200 {
        let server = held();
        let port = configure(&mut connect(server.rest()));
        assert_eq!(port, server.port_base() + 1);
    }
    assert_eq!((descriptors(), threads()), before);
    let grown = resident_kib().saturating_sub(memory);
    assert!(grown < 4_000, "200 servers left {grown} KiB behind");
}
