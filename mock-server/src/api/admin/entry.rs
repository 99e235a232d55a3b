//! Entries of the journal as JSON.

use serde_json::{Map, Value, json as value};

use super::answer::extend;
use super::state::{removal, stream_end};
use crate::api::rejection::Rejection;
use crate::domain::ids::JobId;
use crate::domain::refusal::{PortHolder, Refusal};
use crate::sim::faults::Draw;
use crate::sim::journal::{Entry, FaultHit, Happening, Reason, RequestRecord};

/// Names of all kinds of entries.
pub(super) const KINDS: [&str; 27] = [
    "configured",
    "refused",
    "rolled-back",
    "started",
    "completed",
    "failed",
    "cancelled",
    "removed",
    "call-opened",
    "call-ended",
    "dependency-changed",
    "quirk-changed",
    "limits-changed",
    "port-held",
    "port-released",
    "recordings-replaced",
    "rule-added",
    "rule-removed",
    "change-refused",
    "leaked",
    "cleanup-job-deleted",
    "cluster-edited",
    "fault",
    "request",
    "server-waits",
    "server-up",
    "reset",
];

/// What kind of entry it is.
pub(super) fn kind(what: &Happening) -> &'static str {
    match what {
        Happening::Configured(_) => "configured",
        Happening::Refused(_) => "refused",
        Happening::RolledBack { .. } => "rolled-back",
        Happening::Started(_) => "started",
        Happening::Completed(_) => "completed",
        Happening::Failed(_) => "failed",
        Happening::Cancelled(_) => "cancelled",
        Happening::Removed(..) => "removed",
        Happening::CallOpened(_) => "call-opened",
        Happening::CallEnded(..) => "call-ended",
        Happening::OutsideChanged(_) => "dependency-changed",
        Happening::QuirkChanged(..) => "quirk-changed",
        Happening::LimitsChanged(_) => "limits-changed",
        Happening::PortHeld(..) => "port-held",
        Happening::PortReleased(_) => "port-released",
        Happening::RecordingsReplaced => "recordings-replaced",
        Happening::RuleAdded(_) => "rule-added",
        Happening::RuleRemoved(_) => "rule-removed",
        Happening::ChangeRefused(_) => "change-refused",
        Happening::Leaked { .. } => "leaked",
        Happening::CleanupJobDeleted(_) => "cleanup-job-deleted",
        Happening::ClusterEdited(_) => "cluster-edited",
        Happening::Fault(_) => "fault",
        Happening::Request(_) => "request",
        Happening::ServerWaits(_) => "server-waits",
        Happening::ServerUp => "server-up",
        Happening::Reset => "reset",
    }
}

/// The job that it is about.
pub(super) fn job(what: &Happening) -> Option<JobId> {
    match what {
        Happening::Configured(terms) => Some(terms.id),
        Happening::RolledBack { id, .. }
        | Happening::Started(id)
        | Happening::Completed(id)
        | Happening::Failed(id)
        | Happening::Cancelled(id)
        | Happening::Removed(id, _)
        | Happening::CallOpened(id)
        | Happening::CleanupJobDeleted(id)
        | Happening::CallEnded(id, _) => Some(*id),
        Happening::Leaked { job, .. } => *job,
        Happening::Fault(hit) => hit.job,
        Happening::Request(record) => record.job,
        Happening::Refused(_)
        | Happening::ClusterEdited(_)
        | Happening::OutsideChanged(_)
        | Happening::QuirkChanged(..)
        | Happening::LimitsChanged(_)
        | Happening::PortHeld(..)
        | Happening::PortReleased(_)
        | Happening::RecordingsReplaced
        | Happening::ChangeRefused(_)
        | Happening::RuleAdded(_)
        | Happening::RuleRemoved(_)
        | Happening::ServerWaits(_)
        | Happening::ServerUp
        | Happening::Reset => None,
    }
}

/// One entry of the journal.
pub(super) fn entry(entry: &Entry) -> Value {
    let mut body = value!({
        "number": entry.number,
        "at_ms": entry.at.millis().0,
        "event": kind(&entry.what),
    });
    if let Some(job) = job(&entry.what) {
        extend(&mut body, value!({ "job": job.to_string() }));
    }
    extend(&mut body, details(&entry.what));
    body
}

/// What else there is to say.
fn details(what: &Happening) -> Value {
    match what {
        Happening::Configured(_)
        | Happening::Started(_)
        | Happening::Completed(_)
        | Happening::Failed(_)
        | Happening::Cancelled(_)
        | Happening::CallOpened(_)
        | Happening::CleanupJobDeleted(_)
        | Happening::RecordingsReplaced
        | Happening::ServerUp
        | Happening::Reset => Value::Object(Map::new()),
        Happening::Refused(refusal) => value!({ "code": code(refusal), "refusal": refusal.to_string() }),
        Happening::RolledBack { step, refusal, .. } => {
            value!({ "what": step.name(), "code": code(refusal), "refusal": refusal.to_string() })
        }
        Happening::Removed(_, why) => value!({ "what": removal(*why) }),
        Happening::CallEnded(_, end) => value!({ "what": stream_end(*end) }),
        Happening::OutsideChanged(outside) => value!({ "what": outside.name(), "state": outside.state() }),
        Happening::QuirkChanged(quirk, on) => value!({ "what": quirk.name(), "on": on }),
        Happening::LimitsChanged(limits) => value!({ "limits": limits }),
        Happening::PortHeld(port, by) => value!({ "port": port.number(), "by": holder(*by) }),
        Happening::PortReleased(port) => value!({ "port": port.number() }),
        Happening::RuleAdded(rule) | Happening::RuleRemoved(rule) => value!({ "rule": rule.as_str() }),
        Happening::ChangeRefused(why) => value!({ "refusal": why }),
        Happening::Leaked { undo, name, .. } => value!({ "what": undo.name(), "name": name }),
        Happening::ClusterEdited(edited) => value!({ "what": edited.name(), "name": edited.object() }),
        Happening::Fault(hit) => {
            let mut body = fault(hit);
            if let Some(request) = &hit.request {
                extend(&mut body, value!({ "request_id": request }));
            }
            body
        }
        Happening::Request(record) => request(record),
        Happening::ServerWaits(what) => value!({ "what": what }),
    }
}

/// Who holds a port.
pub(super) fn holder(holder: PortHolder) -> &'static str {
    match holder {
        PortHolder::Service => "service",
        PortHolder::Process => "process",
    }
}

pub(super) fn fault(hit: &FaultHit) -> Value {
    value!({
        "rule": hit.rule.as_str(),
        "point": hit.point.to_string(),
        "effect": hit.effect,
        "delay_s": hit.delay.map(|delay| delay.as_secs_f64()),
        "draw": hit.draw.as_ref().map(draw),
    })
}

fn draw(draw: &Draw) -> Value {
    value!({
        "resource": draw.resource,
        "step": draw.step,
        "occurrence": draw.occurrence,
        "value": draw.value,
        "below": draw.below,
    })
}

fn request(record: &RequestRecord) -> Value {
    value!({
        "request_id": record.id(),
        "method": record.method(),
        "path": record.path(),
        "route": record.route.name(),
        "caller": record.caller(),
        "came_ms": record.came.millis().0,
        "headers": record.headers(),
        "body": String::from_utf8_lossy(record.body()),
        "body_bytes": record.body_bytes,
        "status": record.status,
        "code": record.code,
        "refusal": record.refusal(),
        "why": record.why.iter().map(reason).collect::<Vec<_>>(),
    })
}

fn reason(reason: &Reason) -> Value {
    match reason {
        Reason::Rule(hit) => fault(hit),
        Reason::Quirk(quirk, let_pass) => value!({ "quirk": quirk.name(), "let_pass": let_pass }),
    }
}

fn code(refusal: &Refusal) -> &'static str {
    Rejection::Refused(refusal.clone()).row().code
}
