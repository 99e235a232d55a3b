//! Ports that are taken by a rehearsal.

use std::num::NonZeroU16;

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json as value};

use super::answer::{Answer, No, json, parse};
use super::body::{Named, Sent};
use super::entry::holder;
use super::time::lasts;
use super::{World, leaks};
use crate::domain::ids::{NodePort, Slot};
use crate::domain::refusal::PortHolder;
use crate::sim::Simulation;
use crate::sim::change::{Change, PortRef};
use crate::sim::journal::Happening;

/// Ports that are held, and by whom.
pub(super) fn held(simulation: &Simulation) -> Vec<Value> {
    let held = leaks::held_ports(simulation);
    held.into_iter().map(|(port, by)| value!({ "port": port.number(), "by": holder(by) })).collect()
}

fn show(simulation: &Simulation) -> Value {
    let plan = simulation.with(|world, _| world.setup().ports);
    // The port of the lowest free slot: whether the next job gets it depends on who holds it.
    let lowest = simulation.snapshot().lowest_free_slot.and_then(Slot::new);
    let next = lowest.map(|slot| plan.port(slot).number());
    value!({
        "base": plan.base(),
        "slots": plan.max_slots(),
        "next": next,
        "held": held(simulation),
    })
}

pub(super) async fn get(State(simulation): World) -> Answer {
    json(show(&simulation))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    port: Option<Value>,
    slot: Option<NonZeroU16>,
    by: Option<String>,
    r#for: Option<Value>,
}

const EXPECTED: &str = r#"{"port": 12301}, {"port": "next"} or {"slot": 1}, with "by": "service" or "process", and "for" if wanted"#;

impl Hold {
    fn place(&self) -> Result<PortRef, No> {
        match (&self.port, self.slot) {
            (None, Some(slot)) => Ok(PortRef::Slot(slot)),
            (Some(Value::String(next)), None) if next == "next" => Ok(PortRef::Next),
            (Some(Value::Number(port)), None) => number(port.as_u64()).map(PortRef::Number),
            (Some(_), None) => Err(No::wrong("port: expected a number from 1 to 65535, or \"next\"")),
            (Some(_), Some(_)) => Err(No::wrong("port and slot cannot both be given")),
            (None, None) => Err(No::wrong(format!("which port? expected {EXPECTED}"))),
        }
    }
}

fn number(port: Option<u64>) -> Result<NodePort, No> {
    let port = port.and_then(|port| u16::try_from(port).ok()).and_then(NodePort::new);
    port.ok_or_else(|| No::wrong("port: expected a number from 1 to 65535, or \"next\""))
}

pub(super) async fn hold(State(simulation): World, Sent(body): Sent) -> Answer {
    let body: Hold = parse(&body, EXPECTED)?;
    let by = match body.by.as_deref() {
        None | Some("service") => PortHolder::Service,
        Some("process") => PortHolder::Process,
        Some(_) => return Err(No::wrong("by: expected service or process")),
    };
    let before = simulation.journal().written();
    simulation.apply(&Change::HoldPort(body.place()?, by), lasts(body.r#for.as_ref())?)?;
    // Which one "next" was, only the journal knows.
    let held = simulation.journal().since(before).into_iter().find_map(|entry| match entry.what {
        Happening::PortHeld(port, _) => Some(port),
        _ => None,
    });
    json(value!({ "port": held.map(NodePort::number), "by": holder(by) }))
}

pub(super) async fn release(State(simulation): World, Named(port): Named) -> Answer {
    let port = number(port.parse().ok())?;
    simulation.apply(&Change::ReleasePort(PortRef::Number(port)), None)?;
    json(show(&simulation))
}
