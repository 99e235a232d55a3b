//! The REST listener while the Focus Server has no ready pod: it answers, or it is not there.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use focus_mock::sim::change::{Change, Outside};
use focus_mock::sim::setup::{MongoDb, Supply};
use focus_mock::{MockServer, WhenDown};

use crate::common::{held, held_as, light};
use crate::raw::{Wire, ask, request};

fn refusing() -> MockServer {
    held_as(|config| config.when_down = WhenDown::Refuse)
}

fn focus_server(server: &MockServer, state: Supply, lasts: Option<Duration>) {
    server.simulation().apply(&Change::Outside(Outside::FocusServer(state)), lasts).expect("a change");
}

fn assert_refused(server: &MockServer) {
    let error = TcpStream::connect(server.rest()).expect_err("nothing listens");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

fn assert_served(server: &MockServer) {
    assert_eq!(ask(server.rest(), "GET", "/channels", b"").status, 200);
}

#[test]
fn it_answers_503_unless_it_is_told_to_refuse() {
    let server = held();
    focus_server(&server, Supply::Down, None);
    assert_eq!(ask(server.rest(), "GET", "/channels", b"").refusal(), (503, String::from("SERVER_DOWN")));
    focus_server(&server, Supply::Up, None);
    assert_served(&server);
}

#[test]
fn told_to_refuse_it_is_gone_before_the_change_is_done_and_there_again_likewise() {
    let server = refusing();
    for _ in 0..20 {
        focus_server(&server, Supply::Down, None);
        assert_refused(&server);
        focus_server(&server, Supply::Up, None);
        assert_served(&server);
    }
}

#[test]
fn open_connections_end_and_everything_else_goes_on() {
    let server = refusing();
    let answer = ask(server.rest(), "POST", "/configure", light().to_string().as_bytes());
    let port =
        answer.json()["stream_port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
    let mut idle = Wire::to(server.rest());
    idle.send(&request("HEAD", "/ack", &[], b""));
    idle.head();
    let mut sending = Wire::to(server.rest());
    sending.send(b"POST /configure HTTP/1.1\r\n");
    focus_server(&server, Supply::Down, None);
    idle.assert_closed();
    sending.assert_cut_off();
    for address in [server.admin(), server.kube()].into_iter().flatten() {
        let path = if Some(address) == server.admin() { "/livez" } else { "/healthz" };
        assert_eq!(ask(address, "GET", path, b"").status, 200);
    }
    assert!(TcpStream::connect((server.rest().ip(), port)).is_ok(), "jobs go on");
    focus_server(&server, Supply::Up, None);
    assert_eq!(ask(server.rest(), "GET", "/metadata/1-1", b"").status, 200);
}

#[test]
fn its_port_is_held_meanwhile() {
    let server = refusing();
    focus_server(&server, Supply::Down, None);
    let error = std::net::TcpListener::bind(server.rest()).expect_err("held");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[test]
fn time_that_passes_brings_it_back_and_so_does_a_reset() {
    let server = refusing();
    focus_server(&server, Supply::Down, Some(Duration::from_secs(60)));
    server.simulation().advance(Duration::from_secs(59));
    assert_refused(&server);
    server.simulation().advance(Duration::from_secs(1));
    assert_served(&server);
    focus_server(&server, Supply::Down, None);
    server.simulation().reset();
    assert_served(&server);
}

#[test]
fn a_server_that_starts_down_refuses_from_the_beginning() {
    let server = held_as(|config| {
        config.when_down = WhenDown::Refuse;
        config.setup.requires_mongo = true;
        config.setup.dependencies.mongodb = MongoDb::Down;
    });
    assert_refused(&server);
    server.simulation().apply(&Change::Outside(Outside::MongoDb(MongoDb::Up)), None).expect("a change");
    while !server.simulation().is_serving() {
        server.simulation().advance(Duration::from_secs(1));
    }
    assert_served(&server);
}

#[test]
fn through_the_admin_interface_the_next_connection_already_finds_it_so() {
    let server = refusing();
    let admin = server.admin_client().expect("an admin interface");
    for _ in 0..5 {
        let set = |state: &str| {
            let body = format!("{{\"state\":\"{state}\"}}");
            let at = server.admin().expect("an admin listener");
            let mut wire = Wire::to(at);
            let json = [("content-type", "application/json")];
            wire.send(&request("PUT", "/__mock/dependencies/focus-server", &json, body.as_bytes()));
            assert_eq!(wire.answer().status, 200);
        };
        set("down");
        assert_refused(&server);
        set("up");
        assert_served(&server);
    }
    drop(admin);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_down_stops_and_its_port_is_free() {
    let config = crate::common::held_config(|config| {
        config.when_down = WhenDown::Refuse;
        config.setup.dependencies.focus_server = Supply::Down;
    });
    let server = focus_mock::Server::start(config).await.expect("a server of the test's own");
    let rest = server.rest;
    tokio::time::timeout(Duration::from_secs(30), server.stop()).await.expect("an end");
    assert!(std::net::TcpListener::bind(rest).is_ok());
}
