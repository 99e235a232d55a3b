//! Rules: what goes wrong on purpose.

use std::sync::Arc;

use axum::extract::State;
use serde_json::{Value, json as value};

use super::World;
use super::answer::{Answer, No, extend, json, names, text};
use super::body::{BODY, Named, Sent};
use super::time::rfc3339;
use crate::document::rules;
use crate::sim::Simulation;
use crate::sim::change::Change;
use crate::sim::faults::{At, Effect, Installed, MOST_RULES, Point, Rule, RuleId};
use crate::sim::journal::Happening;

/// A rule that is installed.
fn installed(rule: &Installed) -> Value {
    let mut body = value!({
        "id": rule.id.as_str(),
        "since": rfc3339(rule.since),
        "since_ms": rule.since.millis().0,
        "matched": rule.matched,
        "hits": rule.hits,
    });
    extend(&mut body, value!({ "rule": rules::render(&rule.rule) }));
    body
}

fn list(simulation: &Simulation) -> Value {
    // Through the world, so that rules which have outlived their time are gone.
    let rules: Vec<_> = simulation.with(|_, _| simulation.faults().list()).iter().map(installed).collect();
    value!({ "rules": rules })
}

pub(super) async fn get(State(simulation): World) -> Answer {
    json(list(&simulation))
}

pub(super) async fn add(State(simulation): World, Sent(body): Sent) -> Answer {
    let rules = rules::one_or_more(text(&body)?, BODY)?;
    let ids = install(&simulation, &rules)?;
    json(value!({ "ids": ids.iter().map(RuleId::as_str).collect::<Vec<_>>() }))
}

/// Installs all of them, or none.
fn install(simulation: &Simulation, rules: &[Arc<Rule>]) -> Result<Vec<RuleId>, No> {
    simulation.with(|world, now| {
        let mut taken: Vec<_> = simulation.faults().list().into_iter().map(|rule| rule.id).collect();
        if taken.len() + rules.len() > MOST_RULES {
            let text = format!("{} rules and {} more: {MOST_RULES} is the limit", taken.len(), rules.len());
            return Err(No::conflict(text));
        }
        for id in rules.iter().filter_map(|rule| rule.id()) {
            if taken.contains(id) {
                return Err(No::conflict(format!("there is a rule {id} already")));
            }
            taken.push(id.clone());
        }
        let before = simulation.journal().written();
        for rule in rules {
            world.apply(&Change::AddRule(Arc::clone(rule)), None, now)?;
        }
        let added = |what: &Happening| match what {
            Happening::RuleAdded(id) => Some(id.clone()),
            _ => None,
        };
        Ok(simulation.journal().since(before).iter().filter_map(|entry| added(&entry.what)).collect())
    })
}

pub(super) async fn remove(State(simulation): World, Named(id): Named) -> Answer {
    let known: Vec<_> = simulation.faults().list().into_iter().map(|rule| rule.id.to_string()).collect();
    let Some(id) = RuleId::new(&id) else {
        let known = names(known.iter().map(String::as_str));
        return Err(No::unknown(format!("there is no such rule: there are {known}")));
    };
    simulation.apply(&Change::RemoveRule(id), None)?;
    json(list(&simulation))
}

pub(super) async fn clear(State(simulation): World) -> Answer {
    let removed = simulation.faults().list().len();
    simulation.apply(&Change::RemoveRules, None)?;
    json(value!({ "removed": removed }))
}

pub(super) async fn points() -> Answer {
    let point = |at: At| {
        let family = match at {
            At::Point(Point::Step(_)) => "step",
            At::Point(Point::Undo(_)) => "undo",
            At::Point(Point::Rest(..)) | At::EveryRoute(_) => "rest",
            At::Point(Point::Grpc(_)) => "grpc",
            At::Point(Point::Kube(..)) | At::EveryKubeRoute(_) => "kube",
        };
        value!({ "point": at.to_string(), "family": family, "about": at.doc(), "effects": Effect::at(at) })
    };
    json(value!({ "points": At::all().map(point).collect::<Vec<_>>() }))
}
