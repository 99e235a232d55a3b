//! Why: what made a request get its answer, and what became of a job.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json as value};

use super::World;
use super::answer::{Answer, No, extend, json};
use super::body::Asked;
use super::entry::{entry, fault, job as job_of};
use super::state::{job_state, removal};
use super::time::rfc3339;
use crate::domain::ids::JobId;
use crate::sim::Simulation;
use crate::sim::fate::Fate;
use crate::sim::journal::{FaultHit, Happening, Reason, RequestRecord};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    request: Option<String>,
    job: Option<String>,
}

pub(super) async fn explain(State(simulation): World, Asked(question): Asked<Question>) -> Answer {
    match (question.request, question.job) {
        (Some(id), None) => json(request(&simulation, &id)?),
        (None, Some(id)) => {
            let id = id.parse().map_err(|_| {
                No::wrong(format!("job: {id:?} is no id of a job: those are slot and number, such as 1-7"))
            })?;
            json(job(&simulation, id))
        }
        (Some(_), Some(_)) | (None, None) => {
            Err(No::wrong("expected one of ?request=<id of a request> and ?job=<id of a job>"))
        }
    }
}

/// Why a request got its answer.
fn request(simulation: &Simulation, id: &str) -> Result<Value, No> {
    let journal = simulation.journal();
    let found =
        journal.newest(|entry| matches!(&entry.what, Happening::Request(record) if *record.id() == *id));
    let Some((number, Happening::Request(record), shown)) =
        found.map(|found| (found.number, found.what.clone(), entry(&found)))
    else {
        let gone = match journal.dropped() {
            0 => String::new(),
            dropped => format!(", and {dropped} entries of the journal are gone"),
        };
        return Err(No::unknown(format!("no request {id:?} was answered{gone}")));
    };
    let hits = hits(simulation, &record, number);
    let quirks: Vec<_> = record.why.iter().filter_map(quirk).collect();
    let mut body = value!({
        "request": shown,
        "answer": said(&record, &hits),
        "seed": simulation.seed().0,
        "rules": hits.iter().map(fault).collect::<Vec<_>>(),
        "quirks": quirks,
        "check": check(&record, &hits),
    });
    if let Some(id) = record.job {
        extend(&mut body, value!({ "job": { "job_id": id.to_string(), "fate": fate(simulation, id) } }));
    }
    Ok(body)
}

/// The rules that hit it: those its record tells of, and those that the journal has for it.
fn hits(simulation: &Simulation, record: &RequestRecord, number: u64) -> Vec<FaultHit> {
    let in_record = record.why.iter().filter_map(|why| match why {
        Reason::Rule(hit) => Some(hit.clone()),
        Reason::Quirk(..) => None,
    });
    let mut hits: Vec<FaultHit> = in_record.collect();
    // Ids of clients may come again: only what was written for this one, between its coming and its end.
    let told = simulation.journal().select(0, usize::MAX, |entry| {
        entry.number < number
            && entry.at >= record.came
            && matches!(&entry.what, Happening::Fault(hit) if hit.request.as_deref() == Some(record.id()))
    });
    for entry in told {
        if let Happening::Fault(hit) = entry.what
            && !hits.iter().any(|known| known.rule == hit.rule && known.point == hit.point)
        {
            hits.push(*hit);
        }
    }
    hits
}

fn quirk(reason: &Reason) -> Option<Value> {
    match reason {
        Reason::Quirk(quirk, let_pass) => Some(value!({ "quirk": quirk.name(), "let_pass": let_pass })),
        Reason::Rule(_) => None,
    }
}

/// The answer in a sentence.
fn said(record: &RequestRecord, hits: &[FaultHit]) -> String {
    let ended = match (record.status, record.code) {
        (None, _) => String::from("it got no answer"),
        (Some(status), None) => format!("it was answered {status}"),
        (Some(status), Some(code)) => format!("it was refused with {status} {code}"),
    };
    let deciding = hits.iter().rev().find_map(|hit| Some((hit, hit.effect?)));
    match (deciding, check(record, hits)) {
        (Some((hit, effect)), _) => format!("{ended}: rule {} did {effect} at {}", hit.rule, hit.point),
        (None, Value::Null) => ended,
        (None, check) => match (check["step"].as_u64(), check["name"].as_str()) {
            (Some(step), Some(name)) => format!("{ended} by check {step}, {name}"),
            (_, name) => format!("{ended} by the check that {}", name.unwrap_or_default()),
        },
    }
}

/// The check that refused: its place in the order of checks, and its name. Nothing where none did.
fn check(record: &RequestRecord, hits: &[FaultHit]) -> Value {
    let Some(code) = record.code else { return Value::Null };
    // The world would not have said so.
    if hits.iter().any(|hit| hit.effect.is_some()) {
        return Value::Null;
    }
    let (step, name) = match code {
        "SERVER_DOWN" => (Some(1), "the focus-server workload has a ready pod"),
        "NOT_FOUND" => (Some(2), "the route is known"),
        "METHOD_NOT_ALLOWED" => (Some(2), "the route has the method"),
        "BODY_TOO_LARGE" => (Some(3), "the size of the body"),
        "MALFORMED_JSON" => (Some(4), "the body is JSON"),
        "INVALID_REQUEST" | "INVALID_VALUE" => (Some(5), "the request's fields"),
        "RECORDINGS_UNAVAILABLE" => (Some(6), "the store of recordings is up"),
        "WAITING_FOR_FIBER" => (Some(6), "the fibre is ready"),
        "NO_RECORDING" => (Some(7), "a recording overlaps the window"),
        "BROKER_UNAVAILABLE" => (Some(8), "the broker is up"),
        "CAPACITY_EXHAUSTED" => (Some(9), "slot and capacity"),
        "PORT_IN_USE" => (Some(10), "the port is free"),
        "JOB_CREATION_FAILED" => (Some(11), "cluster objects, queue and stream listener"),
        // These are no steps of the order: they look something up.
        "UNKNOWN_JOB" => (None, "the job is known"),
        "UNKNOWN_TASK" => (None, "the task is known"),
        _ => return Value::Null,
    };
    let violations: Vec<_> = match (code, &record.refusal()) {
        ("INVALID_REQUEST" | "INVALID_VALUE", Some(text)) => text.split("; ").collect(),
        (_, Some(text)) => vec![&**text],
        (_, None) => Vec::new(),
    };
    value!({ "step": step, "name": name, "violations": violations })
}

/// What became of a job.
fn job(simulation: &Simulation, id: JobId) -> Value {
    let became = simulation.with(|world, _| world.fate(id));
    // Ids come again after a reset: of the job of this world only what happened in it.
    let from = match became {
        Fate::FromBeforeTheReset => 0,
        _ => simulation.with(|world, _| world.began_after()),
    };
    let happened = simulation.journal().select(from, usize::MAX, |entry| {
        job_of(&entry.what) == Some(id) && !matches!(entry.what, Happening::Request(_))
    });
    value!({
        "job": { "job_id": id.to_string(), "fate": fate(simulation, id) },
        "happened": happened.iter().map(entry).collect::<Vec<_>>(),
    })
}

fn fate(simulation: &Simulation, id: JobId) -> Value {
    match simulation.with(|world, _| world.fate(id)) {
        Fate::Live(state) => value!({ "is": "live", "state": job_state(state) }),
        Fate::Removed { at, why } => value!({
            "is": "removed",
            "why": why.map(removal),
            "at": at.map(rfc3339),
            "at_ms": at.map(|at| at.millis().0),
        }),
        Fate::RolledBack { at, step } => value!({
            "is": "rolled-back",
            "step": step.name(),
            "at": rfc3339(at),
            "at_ms": at.millis().0,
        }),
        Fate::NeverGivenOut => value!({ "is": "never-given-out" }),
        Fate::FromBeforeTheReset => value!({ "is": "from-before-the-reset" }),
    }
}
