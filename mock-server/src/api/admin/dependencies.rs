//! States of what is outside the Focus Server.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json as value};

use super::World;
use super::answer::{Answer, No, json, names, parse};
use super::body::{Named, Sent};
use super::time::lasts;
use crate::domain::fiber::FiberState;
use crate::sim::Simulation;
use crate::sim::change::{Change, Outside};
use crate::sim::setup::Dependencies;

/// The state of everything, in the order of the names.
pub(super) fn current(fiber: FiberState, others: &Dependencies) -> [Outside; 8] {
    [
        Outside::Fiber(fiber),
        Outside::MongoDb(others.mongodb),
        Outside::RabbitMq(others.rabbitmq),
        Outside::Recorder(others.recorder),
        Outside::Recordings(others.recordings),
        Outside::Cluster(others.cluster),
        Outside::FocusServer(others.focus_server),
        Outside::Node(others.node),
    ]
}

fn states(name: &str) -> Vec<&'static str> {
    Outside::all().into_iter().filter(|one| one.name() == name).map(Outside::state).collect()
}

fn show(simulation: &Simulation) -> Value {
    let (fiber, others) = simulation.with(|world, _| (world.live_metadata().state, world.dependencies()));
    let one = |now: Outside| {
        let body = value!({ "state": now.state(), "states": states(now.name()) });
        (now.name().to_owned(), body)
    };
    Value::Object(current(fiber, &others).into_iter().map(one).collect::<Map<_, _>>())
}

pub(super) async fn get(State(simulation): World) -> Answer {
    json(show(&simulation))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    state: String,
    r#for: Option<Value>,
}

pub(super) async fn set(State(simulation): World, Named(name): Named, Sent(body): Sent) -> Answer {
    // Commands write it with a hyphen, files with an underscore.
    let name = name.replace('-', "_");
    if !Outside::NAMES.contains(&name.as_str()) {
        let there = names(Outside::NAMES);
        return Err(No::unknown(format!("no such dependency: there are {there}")));
    }
    let body: Set = parse(&body, r#"{"state": "down"} or {"state": "down", "for": "60s"}"#)?;
    let change = Outside::named(&name, &body.state).ok_or_else(|| {
        No::wrong(format!("state: {name} has no such state: there are {}", states(&name).join(", ")))
    })?;
    simulation.apply(&Change::Outside(change), lasts(body.r#for.as_ref())?)?;
    json(show(&simulation))
}
