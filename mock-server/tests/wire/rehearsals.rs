//! Rehearsals on real sockets: ports that are taken away, and what an undo that fails leaves behind.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::domain::refusal::{ContractError, PortHolder};
use focus_mock::sim::change::{Change, Planned, PortRef};
use focus_mock::sim::faults::{At, Effect, GiveBack, Match, Point, Rule, Schedule, Step};
use focus_mock::sim::setup::Setup;

use crate::common::{Client, held, held_with, light};

fn apply(server: &MockServer, change: &Change) {
    server.simulation().apply(change, None).expect("nothing speaks against this change");
}

fn rule(point: Point, effect: Effect) -> Change {
    let rule = Rule::new(None, At::Point(point), Match::default(), Schedule::default(), None, Some(effect));
    Change::AddRule(Arc::new(rule.expect("a rule that makes sense")))
}

fn can_be_bound(host: IpAddr, port: u16) -> bool {
    TcpListener::bind((host, port)).is_ok()
}

fn accepts(host: IpAddr, port: u16) -> bool {
    TcpStream::connect(SocketAddr::new(host, port)).is_ok()
}

/// Configures in vain: the port is somebody else's.
async fn meets_another_process(client: &Client, port: u16) {
    let refused = client.configure(&light()).await;
    assert_eq!(refused.refusal(), (409, String::from("PORT_IN_USE")));
    let text = format!("Port {port} is already in use: conflict with another process");
    assert_eq!(refused.json()["error"], text);
}

#[tokio::test]
async fn a_port_held_as_another_process_would_is_taken_on_the_machine_and_refuses_connections() {
    let server = held();
    let (client, host, port) = (Client::of(&server), server.rest().ip(), server.port_base() + 1);
    apply(&server, &Change::HoldPort(PortRef::Next, PortHolder::Process));
    assert!(!can_be_bound(host, port) && !accepts(host, port));
    meets_another_process(&client, port).await;
    apply(&server, &Change::ReleasePort(PortRef::Next));
    assert!(can_be_bound(host, port));
    assert_eq!(client.job(&light()).await["stream_port"], port);
}

#[tokio::test]
async fn a_port_whose_undo_failed_stays_taken_until_a_reset() {
    let server = held();
    let (client, host, port) = (Client::of(&server), server.rest().ip(), server.port_base() + 1);
    apply(&server, &rule(Point::Step(Step::Queue), Effect::Refuse(ContractError::JobCreationFailed)));
    apply(&server, &rule(Point::Undo(GiveBack::Port), Effect::Fail));
    assert_eq!(client.configure(&light()).await.refusal(), (503, String::from("JOB_CREATION_FAILED")));
    apply(&server, &Change::RemoveRules);
    assert!(!can_be_bound(host, port));
    meets_another_process(&client, port).await;
    assert_eq!(server.simulation().snapshot().leaks.ports.len(), 1);
    server.simulation().reset();
    assert!(can_be_bound(host, port));
    assert_eq!(client.job(&light()).await["stream_port"], port);
}

#[tokio::test]
async fn a_server_that_ends_leaves_no_port_that_was_held_or_left_behind() {
    let held_again = Planned {
        at: Duration::ZERO,
        every: None,
        times: None,
        lasts: None,
        change: Change::HoldPort(PortRef::Slot(NonZeroU16::MIN.saturating_add(2)), PortHolder::Process),
    };
    let server = held_with(Setup { timeline: vec![held_again], ..Setup::default() });
    let (client, host, base) = (Client::of(&server), server.rest().ip(), server.port_base());
    apply(&server, &rule(Point::Step(Step::Queue), Effect::Refuse(ContractError::JobCreationFailed)));
    apply(&server, &rule(Point::Undo(GiveBack::Port), Effect::Fail));
    client.configure(&light()).await;
    apply(&server, &Change::HoldPort(PortRef::Slot(NonZeroU16::MIN.saturating_add(1)), PortHolder::Process));
    let taken = [1, 2, 3].map(|slot| base + slot);
    assert!(taken.iter().all(|port| !can_be_bound(host, *port)));
    drop(server);
    assert!(taken.iter().all(|port| can_be_bound(host, *port)));
}
