//! The clock: what it shows, what makes it go, who waits on it, and how it is moved.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::World;
use super::answer::{Answer, No, json, parse};
use super::body::Sent;
use super::entry::entry;
use super::state::WaiterBody;
use super::time::{duration, rfc3339};
use crate::sim::Simulation;
use crate::sim::clock::Mode;

#[derive(Serialize)]
struct ClockBody {
    mode: String,
    /// Simulated time, RFC 3339.
    now: String,
    now_ms: i64,
    /// When something will next happen by itself.
    next_due_ms: Option<i64>,
    waiters: Vec<WaiterBody>,
    #[serde(flatten)]
    fired: Option<Fired>,
}

#[derive(Serialize)]
struct Fired {
    /// How many entries the journal got meanwhile.
    fired_total: u64,
    /// The newest of them.
    fired: Vec<Value>,
}

fn show(simulation: &Simulation, fired: Option<Fired>) -> Answer {
    let clock = simulation.clock();
    // Not the whole snapshot: whoever moves the clock on by steps asks for this at each of them.
    let (now, next_due) = simulation.with(|world, now| (now, world.next_due()));
    json(ClockBody {
        mode: clock.mode().to_string(),
        now: rfc3339(now),
        now_ms: now.millis().0,
        next_due_ms: next_due.map(|due| due.millis().0),
        waiters: clock.waiters().iter().map(WaiterBody::of).collect(),
        fired,
    })
}

pub(super) async fn get(State(simulation): World) -> Answer {
    show(&simulation, None)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    mode: String,
}

pub(super) async fn set(State(simulation): World, Sent(body): Sent) -> Answer {
    let body: SetClock = parse(&body, r#"{"mode": "system"}, {"mode": "scaled:60"} or {"mode": "manual"}"#)?;
    let mode = body.mode.parse::<Mode>().map_err(|error| No::wrong(format!("mode: {error}")))?;
    simulation.clock().set_mode(mode);
    show(&simulation, None)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    /// `"50s"`, `"1m 30s"`, or a number of seconds.
    by: Value,
}

pub(super) async fn advance(State(simulation): World, Sent(body): Sent) -> Answer {
    let body: Advance = parse(&body, r#"{"by": "50s"}"#)?;
    let by = duration(&body.by).ok_or_else(|| {
        No::wrong(
            "by: expected a duration such as \"50s\" or \"1m 30s\", or a number of seconds, from 0 to 31 days",
        )
    })?;
    let fired = simulation.advance(by);
    show(&simulation, Some(Fired { fired_total: fired.count, fired: fired.iter().map(entry).collect() }))
}
