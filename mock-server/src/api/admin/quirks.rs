//! Quirks and profiles: how the server deviates from the contract.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json as value};

use super::World;
use super::answer::{Answer, No, json, names, parse};
use super::body::{Named, Sent};
use super::time::lasts;
use crate::domain::quirk::{Profile, Quirk, Quirks};
use crate::sim::Simulation;
use crate::sim::change::Change;

/// The name of the profile that quirks are, if they are one.
pub(super) fn profile(quirks: Quirks) -> Option<&'static str> {
    Profile::ALL.into_iter().find(|profile| profile.quirks() == quirks).map(Profile::name)
}

fn quirk(quirk: Quirk, on: Quirks) -> Value {
    value!({
        "name": quirk.name(),
        "on": on.has(quirk),
        "about": quirk.doc(),
        "place": quirk.place(),
        "tickets": quirk.tickets(),
    })
}

fn list(simulation: &Simulation) -> Value {
    let on = simulation.with(|world, _| world.quirks());
    let quirks: Vec<_> = Quirk::ALL.iter().map(|one| quirk(*one, on)).collect();
    value!({ "profile": profile(on), "quirks": quirks })
}

pub(super) async fn get(State(simulation): World) -> Answer {
    json(list(&simulation))
}

fn named(name: &str) -> Result<Quirk, No> {
    name.parse().map_err(|error| No::unknown(format!("{error}")))
}

pub(super) async fn get_one(State(simulation): World, Named(name): Named) -> Answer {
    let one = named(&name)?;
    json(quirk(one, simulation.with(|world, _| world.quirks())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    on: bool,
    r#for: Option<Value>,
}

pub(super) async fn set(State(simulation): World, Named(name): Named, Sent(body): Sent) -> Answer {
    let one = named(&name)?;
    let body: Switch = parse(&body, r#"{"on": true} or {"on": true, "for": "60s"}"#)?;
    simulation.apply(&Change::Quirk(one, body.on), lasts(body.r#for.as_ref())?)?;
    json(quirk(one, simulation.with(|world, _| world.quirks())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    profile: String,
    r#for: Option<Value>,
}

pub(super) async fn set_profile(State(simulation): World, Sent(body): Sent) -> Answer {
    let body: Chosen = parse(&body, r#"{"profile": "observed-2025-12"}"#)?;
    let chosen =
        Profile::ALL.into_iter().find(|profile| profile.name() == body.profile).ok_or_else(|| {
            let there = names(Profile::ALL.into_iter().map(Profile::name));
            No::wrong(format!("profile: no such profile: there are {there}"))
        })?;
    simulation.apply(&Change::Profile(chosen), lasts(body.r#for.as_ref())?)?;
    json(list(&simulation))
}
