//! Whether all is well with the world: what leaked, and which invariants are broken.

use axum::extract::State;
use serde_json::{Value, json as value};

use super::answer::{Answer, json};
use super::{World, leaks};

pub(super) async fn leaks(State(simulation): World) -> Answer {
    let leaks: Vec<Value> = leaks::all(&simulation)
        .into_iter()
        .map(|leak| value!({ "kind": leak.kind, "name": leak.name, "job": leak.job.map(|job| job.to_string()) }))
        .collect();
    json(value!({ "leaks": leaks }))
}

pub(super) async fn invariants(State(simulation): World) -> Answer {
    let broken = simulation.with(|world, _| world.broken_invariants());
    let broken: Vec<_> = broken.iter().map(|broken| format!("{}: {}", broken.id, broken.what)).collect();
    json(value!({ "holds": broken.is_empty(), "broken": broken }))
}
