//! Another world, other recordings, a fresh start; and what an operator does to jobs by hand.

use axum::extract::State;
use serde_json::json as value;
use wildmatch::WildMatch;

use super::World;
use super::answer::{Answer, No, json, names, text};
use super::body::{BODY, Named, Sent};
use super::state::StateBody;
use crate::document::{self, world_file};
use crate::sim::Simulation;
use crate::sim::change::Change;

pub(super) async fn replace(State(simulation): World, Sent(body): Sent) -> Answer {
    let setup = world_file::parse(text(&body)?, BODY)?;
    simulation.replace(setup);
    json(StateBody::of(&simulation))
}

pub(super) async fn recordings(State(simulation): World, Sent(body): Sent) -> Answer {
    let plan = document::recordings::parse(text(&body)?, BODY)?;
    simulation.apply(&Change::Recordings(plan), None)?;
    json(StateBody::of(&simulation))
}

pub(super) async fn reset(State(simulation): World) -> Answer {
    simulation.reset();
    json(StateBody::of(&simulation))
}

pub(super) async fn kill_pod(State(simulation): World, Named(jobs): Named) -> Answer {
    by_hand(&simulation, &jobs, Change::KillPods)
}

pub(super) async fn delete_cleanup_job(State(simulation): World, Named(jobs): Named) -> Answer {
    by_hand(&simulation, &jobs, Change::DeleteCleanupJobs)
}

/// Does something to every live job that a pattern matches.
fn by_hand(simulation: &Simulation, pattern: &str, change: impl Fn(WildMatch) -> Change) -> Answer {
    let jobs = simulation.snapshot().jobs;
    let there: Vec<_> = jobs.iter().filter(|job| job.state.is_live()).map(|job| job.id.to_string()).collect();
    let wild = WildMatch::new(pattern);
    let meant: Vec<_> = there.iter().filter(|id| wild.matches(id)).collect();
    if meant.is_empty() {
        let there = names(there.iter().map(String::as_str));
        return Err(No::unknown(format!("no live job matches {pattern:?}: there are {there}")));
    }
    simulation.apply(&change(wild), None)?;
    json(value!({ "jobs": meant }))
}
