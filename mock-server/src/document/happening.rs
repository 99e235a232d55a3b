//! What happened, as a sentence for people.

use std::fmt::Write;

use super::duration;
use crate::domain::job::StreamEnd;
use crate::domain::refusal::PortHolder;
use crate::sim::cluster::edit::Edited;
use crate::sim::journal::{FaultHit, Happening, Reason, Removal, RequestRecord};

/// What happened, in one line without a full stop.
#[must_use]
pub fn sentence(what: &Happening) -> String {
    match what {
        Happening::Configured(terms) => format!("job {} created", terms.id),
        Happening::Refused(refusal) => format!("configure refused: {refusal}"),
        Happening::RolledBack { id, step, refusal } => {
            format!("job {id} rolled back at step.{}: {refusal}", step.name())
        }
        Happening::Started(id) => format!("job {id} running"),
        Happening::Completed(id) => format!("job {id} completed"),
        Happening::Failed(id) => format!("job {id} failed: its pod was lost"),
        Happening::Cancelled(id) => format!("job {id} cancelled"),
        Happening::Removed(id, why) => format!("job {id} removed: {}", removal(*why)),
        Happening::CallEnded(id, end) => format!("call to job {id} ended: {}", stream_end(*end)),
        Happening::OutsideChanged(outside) => format!("{} {}", outside.name(), outside.state()),
        Happening::QuirkChanged(quirk, on) => format!("quirk {quirk} {}", if *on { "on" } else { "off" }),
        Happening::LimitsChanged(limits) => format!("limits changed: {}", limits.join(", ")),
        Happening::PortHeld(port, holder) => format!("port {port} held by {}", holder_name(*holder)),
        Happening::PortReleased(port) => format!("port {port} let go"),
        Happening::RecordingsReplaced => String::from("recordings replaced"),
        Happening::RuleAdded(id) => format!("rule {id} installed"),
        Happening::RuleRemoved(id) => format!("rule {id} removed"),
        Happening::ClusterEdited(Edited::Scaled(workload, pods)) => {
            format!("{} scaled to {pods}", workload.name())
        }
        Happening::ClusterEdited(edited) => format!("{} {}", edited.object(), edited.name()),
        Happening::Fault(hit) => fault(hit),
        Happening::Request(record) => request(record),
        Happening::CallOpened(id) => format!("call to job {id} opened"),
        Happening::ServerWaits(system) => format!("focus server waits for {system}"),
        Happening::ServerUp => String::from("focus server up"),
        Happening::ChangeRefused(text) => format!("change not made: {text}"),
        Happening::Leaked { job, undo, name } => {
            let job = job.map_or_else(String::new, |job| format!(" of job {job}"));
            format!("undo.{} failed{job}: {name} is left behind", undo.name())
        }
        Happening::CleanupJobDeleted(id) => format!("cleanup job of job {id} deleted"),
        Happening::Reset => String::from("world reset"),
    }
}

fn removal(why: Removal) -> &'static str {
    match why {
        Removal::Idle => "nobody read its streams",
        Removal::Finished => "it had come to its end",
        Removal::Deleted => "its Job was deleted",
        Removal::Ttl => "it had outlived its time to live",
        Removal::Cancelled => "it was cancelled",
        Removal::GoneAway => "its server went away",
    }
}

fn stream_end(end: StreamEnd) -> &'static str {
    match end {
        StreamEnd::GoneAway => "the server went away",
        StreamEnd::PlayedOut => "the recording was played out",
        StreamEnd::Inactive => "no progress",
        StreamEnd::Cancelled => "the job was cancelled",
        StreamEnd::Gone => "the job is gone",
    }
}

fn holder_name(holder: PortHolder) -> &'static str {
    match holder {
        PortHolder::Service => "a left-over Service",
        PortHolder::Process => "another process",
    }
}

fn fault(hit: &FaultHit) -> String {
    let mut text = format!("rule {} at {}", hit.rule, hit.point);
    if let Some(delay) = hit.delay {
        let _ = write!(text, ": held up for {}", duration::show(delay));
    }
    if let Some(effect) = hit.effect {
        let _ = write!(text, "{} {effect}", if hit.delay.is_some() { "," } else { ":" });
    }
    if let Some(job) = hit.job {
        let _ = write!(text, " (job {job})");
    }
    text
}

fn request(record: &RequestRecord) -> String {
    let status = record.status.map_or_else(|| String::from("no answer"), |status| status.to_string());
    let mut text = format!("{} {} -> {status}", record.method(), record.path());
    if let Some(code) = record.code {
        let _ = write!(text, " {code}");
    }
    let why: Vec<_> = record.why.iter().map(reason).collect();
    if !why.is_empty() {
        let _ = write!(text, " ({})", why.join(", "));
    }
    text
}

fn reason(why: &Reason) -> String {
    match why {
        Reason::Rule(hit) => format!("rule {}", hit.rule),
        Reason::Quirk(quirk, _) => format!("quirk {quirk}"),
    }
}
