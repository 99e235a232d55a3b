//! Servers inside the test's process: any number side by side, each with addresses and a world of its own, none with a
//! trace after its end.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU16;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use focus_mock::domain::ids::PortPlan;
use focus_mock::sim::setup::Setup;
use focus_mock::{Addresses, Config, MockServer, PortChoice, StartError};
use focus_proto::pandadatastream::StreamDataRequest;
use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use serde_json::{Value, json};
use tonic::transport::Endpoint;

use super::common::{Client, base, held, light};

fn start(addresses: Addresses) -> Result<MockServer, StartError> {
    MockServer::start(Config { addresses, ..Config::default() })
}

/// Free ports of 127.0.0.1.
fn given(admin: bool, ports: PortChoice) -> Addresses {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Addresses::Given { listen: free, admin: admin.then_some(free), kube: admin.then_some(free), ports }
}

fn port_of(server: &MockServer, job: &Value) -> SocketAddr {
    let port = job["stream_port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
    SocketAddr::new(server.rest().ip(), port)
}

/// One request over a socket of the standard library; everything up to the end of the connection.
fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket option");
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it takes the request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[track_caller]
fn assert_refused(address: SocketAddr) {
    let error = TcpStream::connect(address).expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{address}: {error}");
}

/// Elsewhere 127.0.0.1 is the only loopback address, and servers take free ports of it instead.
#[cfg(any(target_os = "linux", windows))]
#[tokio::test]
async fn fifty_servers_have_the_documented_ports_and_a_world_each() {
    let servers: Vec<_> = (0..50).map(|_| held()).collect();
    let hosts: BTreeSet<_> = servers.iter().map(|server| server.rest().ip()).collect();
    assert_eq!(hosts.len(), 50, "an address for each");
    for (number, server) in servers.iter().enumerate() {
        let host = server.rest().ip();
        assert!(host.is_loopback() && host != Ipv4Addr::LOCALHOST, "{host}");
        assert_eq!(server.rest().port(), 5000);
        assert_eq!(server.admin(), Some(SocketAddr::new(host, 5001)));
        assert_eq!(server.port_base(), 12300);
        assert_eq!(server.base_url(), format!("http://{host}:5000"));
        let client = Client::of(server);
        for slot in 1..=number % 3 + 1 {
            let job = client.job(&light()).await;
            assert_eq!(
                (&job["stream_port"], &job["job_id"]),
                (&json!(12300 + slot), &json!(format!("{slot}-{slot}")))
            );
            assert_eq!(job["stream_url"], format!("http://{host}"));
            TcpStream::connect(port_of(server, &job)).expect("the job's port is open");
        }
    }
    // Time and jobs of one are nothing to the others.
    servers[2].simulation().advance(Duration::from_secs(60));
    let jobs = |server: &MockServer| server.simulation().snapshot().jobs.len();
    for (number, server) in servers.iter().enumerate() {
        assert_eq!(jobs(server), if number == 2 { 0 } else { number % 3 + 1 }, "server {number}");
    }
}

#[tokio::test]
async fn a_dropped_server_listens_nowhere_whoever_was_connected() {
    let server = held();
    let client = Client::of(&server);
    let jobs = [client.job(&base()).await, client.job(&base()).await];
    let ports = jobs.each_ref().map(|job| port_of(&server, job));
    let (rest, admin) = (server.rest(), server.admin().expect("an admin listener"));
    let silent =
        [rest, admin, ports[0], ports[1]].map(|address| TcpStream::connect(address).expect("it listens"));
    let channel = Endpoint::from_shared(format!("http://{}", ports[0])).expect("an address").connect().await;
    let mut stream = DataStreamServiceClient::new(channel.expect("it listens"));
    let call = stream.stream_data(StreamDataRequest { stream_id: 0 }).await.expect("a stream");
    let mut frames = call.into_inner();
    assert!(frames.message().await.expect("a frame").is_some());

    drop(server);

    for address in [rest, admin, ports[0], ports[1]] {
        assert_refused(address);
    }
    for mut stream in silent {
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket option");
        let read = stream.read(&mut [0; 64]).map_err(|error| error.kind());
        // A job's port has told its settings, and a closed socket with unread bytes is reset.
        assert!(matches!(read, Ok(_) | Err(ErrorKind::ConnectionReset)), "{read:?}");
    }
    let end = async { while frames.message().await.is_ok_and(|frame| frame.is_some()) {} };
    tokio::time::timeout(Duration::from_secs(30), end).await.expect("the stream ends");
}

#[test]
fn the_ports_of_a_dropped_server_can_be_taken_again_at_once() {
    let first = held();
    let (rest, admin) = (first.rest(), first.admin());
    let _open = TcpStream::connect(rest).expect("it listens");
    assert!(get(rest, "/ack").starts_with("HTTP/1.1 200 "));
    drop(first);
    let again = Addresses::Given { listen: rest, admin, kube: None, ports: PortChoice::Base(12300) };
    let second = start(again).expect("the same addresses");
    assert_eq!((second.rest(), second.admin(), second.port_base()), (rest, admin, 12300));
    assert!(get(rest, "/ack").starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_server_can_be_used_from_a_thread_without_a_runtime() {
    let server = held();
    let answer = get(server.rest(), "/channels");
    assert!(answer.ends_with(r#"{"lowest_channel":1,"highest_channel":2337}"#), "{answer}");
    let answer = std::thread::spawn(move || get(server.admin().expect("an admin listener"), "/livez")).join();
    assert!(answer.expect("no panic").ends_with("ok"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_can_be_started_and_dropped_inside_a_runtime_of_several_threads() {
    let server = tokio::spawn(async { held() }).await.expect("no panic");
    assert_eq!(Client::of(&server).get("/ack").await.status, 200);
    let rest = server.rest();
    tokio::spawn(async move { drop(server) }).await.expect("no panic");
    assert_refused(rest);
}

#[tokio::test]
async fn port_zero_takes_a_free_port_and_a_free_block_a_block_of_its_own() {
    let servers = [(); 3].map(|()| start(given(true, PortChoice::FreeBlock)).expect("free ports"));
    for (number, server) in servers.iter().enumerate() {
        assert_eq!(server.rest().ip(), Ipv4Addr::LOCALHOST);
        assert_ne!(server.rest().port(), 0);
        assert_ne!(server.admin().expect("an admin listener").port(), 0);
        for other in &servers[..number] {
            assert!(server.port_base().abs_diff(other.port_base()) > 1024, "the blocks overlap");
        }
        let job = Client::of(server).job(&light()).await;
        assert_eq!(job["stream_port"], server.port_base() + 1);
        TcpStream::connect(port_of(server, &job)).expect("the job's port is open");
    }
}

#[test]
fn without_an_admin_address_there_is_no_admin_listener() {
    let server = start(given(false, PortChoice::FreeBlock)).expect("free ports");
    assert_eq!(server.admin(), None);
    assert!(get(server.rest(), "/livez").starts_with("HTTP/1.1 404 "));
}

#[test]
fn a_taken_address_is_an_error_that_names_it_and_frees_what_was_taken_before() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = (taken.local_addr().expect("its address"), taken);
    let port = taken.0.port();
    let addresses =
        Addresses::Given { listen: taken.0, admin: None, kube: None, ports: PortChoice::FreeBlock };
    let error = start(addresses).err().expect("the port is taken");
    assert!(matches!(error, StartError::AddressInUse { port: told, flag: "--listen", .. } if told == port));
    let told = format!(
        "port {port} on 127.0.0.1 is already in use: give another address with --listen (port 0 takes a free one)"
    );
    assert_eq!(error.to_string(), told);

    // The REST address is free; only the admin one is not.
    let free =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let addresses =
        Addresses::Given { listen: free, admin: Some(taken.0), kube: None, ports: PortChoice::FreeBlock };
    let error = start(addresses).err().expect("the port is taken");
    assert!(matches!(error, StartError::AddressInUse { port: told, flag: "--admin", .. } if told == port));
    assert_refused(free);
}

#[test]
fn job_ports_that_cannot_be_had_are_an_error() {
    let error = start(given(true, PortChoice::Base(65000))).err().expect("no room above the base");
    assert!(matches!(error, StartError::Ports(_)));
    assert_eq!(
        error.to_string(),
        "port base 65000 with 1024 slots ends above port 65535: the highest base is 64511 (--port-base)"
    );
    let slots = NonZeroU16::new(40_000).expect("not zero");
    let setup = Setup { ports: PortPlan::new(12300, slots).expect("they fit"), ..Setup::default() };
    let config = Config { addresses: given(true, PortChoice::FreeBlock), setup, ..Config::default() };
    let error = MockServer::start(config).err().expect("no block of that size");
    assert!(matches!(error, StartError::NoBlock(_)));
    let told = "no block of job ports is free: there is no room for 40000 ports below the ephemeral range (--port-base 0)";
    assert_eq!(error.to_string(), told);
}

/// Set in the processes that the test of the parallel ones starts of itself.
const IS_A_CHILD: &str = "FOCUS_MOCK_TEST_IS_A_CHILD";

fn five_servers_until_the_parent_has_seen_them() {
    let servers: Vec<_> = (0..5).map(|_| held()).collect();
    for server in &servers {
        println!("listens {} {}", server.rest(), server.port_base());
    }
    println!("all");
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn processes_in_parallel_take_different_addresses() {
    if std::env::var_os(IS_A_CHILD).is_some() {
        return five_servers_until_the_parent_has_seen_them();
    }
    let program = std::env::current_exe().expect("this program");
    let name = "in_process::processes_in_parallel_take_different_addresses";
    let mut children: Vec<Child> = (0..4)
        .map(|_| {
            let mut command = Command::new(&program);
            command.args([name, "--exact", "--nocapture", "--test-threads=1"]).env(IS_A_CHILD, "1");
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("this program once more")
        })
        .collect();
    let mut seen = BTreeSet::new();
    // The pipes stay open: the children have a last line to write.
    let mut pipes: Vec<_> = children
        .iter_mut()
        .map(|child| BufReader::new(child.stdout.take().expect("a pipe")).lines())
        .collect();
    for lines in &mut pipes {
        let lines = lines.map(|line| line.expect("a line")).take_while(|line| line != "all");
        seen.extend(lines.filter_map(|line| line.split_once("listens ").map(|(_, rest)| rest.to_owned())));
    }
    assert_eq!(seen.len(), 20, "every server has its own: {seen:?}");
    for line in &seen {
        let (rest, _base) = line.split_once(' ').expect("address and base");
        let rest: SocketAddr = rest.parse().expect("an address");
        assert!(get(rest, "/ack").starts_with("HTTP/1.1 200 "), "{rest}");
    }
    for mut child in children {
        drop(child.stdin.take());
        assert!(child.wait().expect("a child of ours").success());
    }
}

#[cfg(any(target_os = "linux", windows))]
#[test]
fn an_address_of_its_own_is_never_one_that_people_use() {
    for server in [held(), held(), held()] {
        let IpAddr::V4(host) = server.rest().ip() else { panic!("{}", server.rest()) };
        assert_ne!(host.octets()[..2], [127, 0], "{host}");
    }
}
