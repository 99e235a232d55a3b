//! Faults at the edges of the REST interface: what a client sees, and that nothing else is harmed.

mod cuts;
mod fate;
mod records;
mod replaced;
mod slow;

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::sync::Arc;

use focus_mock::MockServer;
use focus_mock::sim::faults::{At, Delay, Effect, Match, Rule, RuleId, Schedule};
use focus_mock::sim::journal::{Happening, RequestRecord};

use crate::raw::{Wire, connect, request};

/// What `GET /channels` answers.
const CHANNELS: &[u8] = br#"{"lowest_channel":1,"highest_channel":2337}"#;

/// Installs a rule that is named by its place.
pub(crate) fn rule(
    server: &MockServer,
    at: &str,
    matches: Match,
    schedule: Schedule,
    delay: Option<Delay>,
    effect: Option<Effect>,
) -> RuleId {
    let at: At = at.parse().expect("a point");
    let rule = Rule::new(None, at, matches, schedule, delay, effect).expect("a rule");
    let simulation = server.simulation();
    simulation.faults().install(Arc::new(rule), simulation.clock().now()).expect("installed")
}

/// Installs a rule that hits everybody.
pub(crate) fn always(server: &MockServer, at: &str, effect: Effect) -> RuleId {
    rule(server, at, Match::default(), Schedule::default(), None, Some(effect))
}

/// Everything that comes until the connection ends, and whether it was reset.
pub(crate) fn everything(mut socket: impl Read) -> (Vec<u8>, bool) {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match socket.read(&mut piece) {
            Ok(0) => return (bytes, false),
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return (bytes, true),
            Err(error) => panic!("{error}"),
        }
    }
}

/// What a socket sees that asks once.
fn asks(server: &MockServer, method: &str, path: &str, body: &[u8]) -> (Vec<u8>, bool) {
    let mut socket: TcpStream = connect(server.rest());
    std::io::Write::write_all(&mut socket, &request(method, path, &[], body)).expect("taken");
    everything(socket)
}

/// The next request is served as if nothing had been.
fn assert_unharmed(server: &MockServer) {
    let mut wire = Wire::to(server.rest());
    for _ in 0..2 {
        wire.send(&request("GET", "/live_metadata", &[], b""));
        assert_eq!(wire.answer().status, 200);
    }
    let waiters = server.simulation().snapshot().waiters;
    assert!(!waiters.iter().any(|waiter| waiter.what.starts_with("fault")), "{waiters:?}");
}

/// The records of all requests, oldest first.
pub(crate) fn records(server: &MockServer) -> Vec<RequestRecord> {
    let entries = server.simulation().journal().since(0).into_iter();
    entries
        .filter_map(|entry| match entry.what {
            Happening::Request(record) => Some(record),
            _ => None,
        })
        .collect()
}
