//! Answers that go on and on: what ends them, and what they take from nobody.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use focus_mock::sim::faults::Effect;
use focus_mock::{Config, HttpLimits, Server};

use super::{WATCH, address, chunk, lines, watch};
use crate::common::{held_as, held_config};
use crate::faults::always;
use crate::raw::{Wire, request};

const HOUR: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_watch_that_says_nothing_outlasts_the_limit_of_idle_connections() {
    let server = held_as(|config| config.http = HttpLimits { idle_time: SOON, ..HttpLimits::default() });
    let mut watching = watch(address(&server));
    lines(&mut watching, 3);
    // One that asks for nothing shows that the limit has passed.
    Wire::to(address(&server)).assert_closed();
    assert!(!watching.has_bytes(), "neither an event nor an end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_ends_every_watch_in_order_and_at_once() {
    let patient = |config: &mut Config| config.stop_deadline = HOUR;
    let server = Server::start(held_config(patient)).await.expect("a server of the test's own");
    let at = server.kube.expect("a Kubernetes API");
    let mut watching = [watch(at), watch(at)];
    watching.iter_mut().for_each(|wire| drop(lines(wire, 3)));
    let mut idle = Wire::to(at);
    // Answered once, so it is not on its way in any more.
    idle.send(&request("GET", "/healthz", &[], b""));
    idle.answer();
    tokio::time::timeout(PATIENCE, server.stop()).await.expect("an end long before the deadline");
    for wire in &mut watching {
        assert_eq!(chunk(wire), b"", "the end of the body, as HTTP has it");
        wire.assert_closed();
    }
    idle.assert_closed();
    assert!(TcpStream::connect(at).is_err());
}

#[test]
fn watches_take_no_place_of_the_other_listeners_and_one_whose_client_left_is_free_at_once() {
    let server = held_as(|config| config.http.max_connections = 2);
    let at = address(&server);
    let first = watch(at);
    let _second = watch(at);
    // Everybody is being answered: there is no room.
    Wire::to(at).assert_closed();
    let mut rest = Wire::to(server.rest());
    rest.send(&request("HEAD", "/ack", &[], b""));
    rest.head();
    drop(first);
    assert_comes_free(at);
}

#[test]
fn so_is_one_that_a_rule_would_cut_later() {
    let server = held_as(|config| config.http.max_connections = 1);
    always(&server, "kube.watch.body", Effect::Truncate { bytes: 1_000_000 });
    let at = address(&server);
    let mut watching = watch(at);
    lines(&mut watching, 3);
    Wire::to(at).assert_closed();
    drop(watching);
    assert_comes_free(at);
}

/// Waits until a watch finds a place. Nothing tells a client when the server has noticed that another left; it does so
/// without having anything to say.
fn assert_comes_free(at: SocketAddr) {
    let free = (0..).find(|_| {
        let mut wire = Wire::to(at);
        wire.try_send(&request("GET", WATCH, &[], b"")).is_ok()
            && wire.inner().read(&mut [0]).is_ok_and(|read| read == 1)
    });
    assert!(free.is_some());
}
