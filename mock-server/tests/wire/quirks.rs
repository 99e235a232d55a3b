//! Quirks: with each of them exactly the documented difference is there, and no other.

mod answers;
mod any_request;
mod battery;
mod forgiven;
mod nothing_else;
mod refusals;
mod switched;
mod time;

use std::pin::pin;
use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::domain::quirk::{Quirk, Quirks};
use focus_mock::sim::setup::Setup;
use serde_json::{Value, json};

use crate::common::{START, base, held_with, with};

/// A server that has only these quirks, on a held clock.
fn with_quirks(quirks: &[Quirk]) -> MockServer {
    held_with(Setup { quirks: quirks.iter().copied().collect(), ..Setup::default() })
}

fn with_all_quirks() -> MockServer {
    with_quirks(Quirk::ALL)
}

/// A configuration of a waterfall, without what it must not have.
fn waterfall() -> Value {
    json!({"view_type": "2", "channels": {"min": 1, "max": 10}, "displayInfo": {"height": 256}})
}

/// A configuration of an hour that is recorded.
fn historic() -> Value {
    with(base(), &json!({"start_time": START - 7200, "end_time": START - 3600}))
}

/// A configuration with one field replaced.
fn but(key: &str, value: &Value) -> Value {
    let mut body = base();
    body[key] = value.clone();
    body
}

/// A configuration without a field.
fn without(key: &str) -> Value {
    let mut body = base();
    body.as_object_mut().expect("an object").shift_remove(key).expect("the field is there");
    body
}

fn quirks_of(server: &MockServer) -> Quirks {
    server.simulation().with(|world, _| world.quirks())
}

/// Waits for something of the wire, and moves the clock on whenever an answer waits for it; how far it went.
async fn waited_out<T>(server: &MockServer, future: impl Future<Output = T>) -> (T, Duration) {
    let simulation = server.simulation();
    let began = simulation.clock().now();
    let mut future = pin!(future);
    loop {
        tokio::select! {
            biased;
            done = &mut future => return (done, simulation.clock().now().since(began)),
            () = tokio::task::yield_now() => {
                let waiters = simulation.clock().waiters().into_iter();
                let next = waiters.filter(|waiter| waiter.what != "next event").map(|waiter| waiter.until).min();
                if let Some(next) = next {
                    simulation.advance(next.since(simulation.clock().now()));
                }
            }
        }
    }
}
