//! What the containers of the cluster say, as text.
//!
//! Monitors take lines with words such as those for failures, so lines of a healthy run have none of them; lines about
//! something that really is wrong do.

use std::fmt::Write;

use super::render;
use crate::api::rejection::Rejection;
use crate::document::happening::sentence;
use crate::domain::job::StreamEnd;
use crate::domain::refusal::Refusal;
use crate::sim::change::Outside;
use crate::sim::cluster::facts::Outcome;
use crate::sim::cluster::logs::Said;
use crate::sim::cluster::workloads::Workload;
use crate::sim::journal::{Happening, Removal, RequestRecord};

/// Port of the streaming container.
const STREAM_PORT: u16 = 5000;

/// The lines that something said makes: mostly one, and none for what the container would know nothing of.
pub(super) fn lines(said: &Said) -> Vec<String> {
    let one = |text: &str| vec![format!("INFO {text}")];
    let lines = match said {
        Said::Runs(terms) => {
            let streams = terms.layout.streams.len();
            vec![
                format!("INFO command: {}", render::command(terms).join(" ")),
                format!("INFO job {}: {streams} streams", terms.id),
            ]
        }
        Said::Listens => vec![format!("INFO gRPC server listening on port {STREAM_PORT}")],
        Said::Connected(stream) => vec![format!("INFO client connected to stream {}", stream.0)],
        Said::Disconnected(stream, frames) => {
            vec![format!("INFO client disconnected from stream {}: {frames} frames sent", stream.0)]
        }
        Said::Ended(Outcome::Succeeded) => one("all streams are over, exit code 0"),
        Said::Ended(Outcome::Failed) => vec!["ERROR killed: the job has failed".into()],
        Said::Watches(terms) => vec![format!("INFO watching CPU usage of grpc-job-{}", terms.id)],
        Said::Sampled { cpu_m, hits, of } => {
            vec![format!("INFO CPU usage {cpu_m} millicores, low usage count {hits}/{of}")]
        }
        Said::Triggered => one("CPU usage is low for long enough: the job is cleaned up"),
        Said::Starts(workload) => starts(*workload).iter().map(|text| format!("INFO {text}")).collect(),
        Said::IsReady(workload) => one(ready(*workload)),
        Said::Waits(what) => vec![format!("ERROR connection to {what} failed: start-up is tried again")],
        Said::Happened(what) => happened(what),
    };
    lines.into_iter().map(|line| line.replace(char::is_control, " ")).collect()
}

fn starts(workload: Workload) -> &'static [&'static str] {
    match workload {
        Workload::FocusServer => {
            &[concat!("Focus Server ", env!("CARGO_PKG_VERSION"), " starting"), "routes ready"]
        }
        Workload::SegyRecorder => &["SEGY recorder starting"],
        Workload::MongoDb => &["MongoDB starting"],
        Workload::RabbitMq => &["RabbitMQ starting"],
    }
}

fn ready(workload: Workload) -> &'static str {
    match workload {
        Workload::FocusServer => "listening on port 5000",
        Workload::SegyRecorder => "recording",
        Workload::MongoDb => "waiting for connections on port 27017",
        Workload::RabbitMq => "server startup complete, listening on ports 5672 and 15672",
    }
}

/// What the Focus Server tells of what happened. Of rehearsals it knows nothing but what they do to it.
fn happened(what: &Happening) -> Vec<String> {
    let info = || vec![format!("INFO {}", sentence(what))];
    let error = || vec![format!("ERROR {}", sentence(what))];
    match what {
        Happening::Configured(terms) => vec![
            format!("INFO job {}: running command: {}", terms.id, render::command(terms).join(" ")),
            format!("INFO job-{}.yml applied", terms.id),
        ],
        Happening::Refused(refusal) => vec![format!("WARNING {}: {}", code(refusal), sentence(what))],
        Happening::RolledBack { refusal, .. } => {
            vec![format!("ERROR {}: {}", code(refusal), sentence(what))]
        }
        Happening::Request(record) => vec![request(record)],
        Happening::Started(_)
        | Happening::Completed(_)
        | Happening::Cancelled(_)
        | Happening::CallOpened(_)
        | Happening::CleanupJobDeleted(_)
        | Happening::ServerUp => info(),
        Happening::Removed(_, why) => match why {
            Removal::Idle | Removal::Finished | Removal::Deleted | Removal::Ttl | Removal::Cancelled => {
                info()
            }
            Removal::GoneAway => error(),
        },
        Happening::CallEnded(_, end) => match end {
            StreamEnd::PlayedOut | StreamEnd::Cancelled | StreamEnd::Gone => info(),
            // A client that does not read on is nothing that is wrong with the server.
            StreamEnd::Inactive => vec![format!("WARNING {}", sentence(what))],
            StreamEnd::GoneAway => error(),
        },
        Happening::Failed(_) | Happening::Fault(_) | Happening::Leaked { .. } => error(),
        Happening::ServerWaits(system) => {
            vec![format!("ERROR connection to {system} failed: waiting for it")]
        }
        Happening::OutsideChanged(outside) if is_well(*outside) => info(),
        Happening::OutsideChanged(outside) => {
            vec![format!("ERROR {} failed: {}", outside.name(), outside.state())]
        }
        Happening::QuirkChanged(..)
        | Happening::LimitsChanged(_)
        | Happening::PortHeld(..)
        | Happening::PortReleased(_)
        | Happening::RecordingsReplaced
        | Happening::RuleAdded(_)
        | Happening::RuleRemoved(_)
        | Happening::ChangeRefused(_)
        | Happening::ClusterEdited(_)
        | Happening::Reset => Vec::new(),
    }
}

/// Method, path and status, and the code of a refusal.
fn request(record: &RequestRecord) -> String {
    let (method, path) = (record.method(), record.path());
    let Some(status) = record.status else {
        return format!("WARNING {method} {path}: the connection was gone before the answer");
    };
    let level = if status >= 500 {
        "ERROR"
    } else if status >= 400 {
        "WARNING"
    } else {
        "INFO"
    };
    let mut line = format!("{level} {method} {path} {status}");
    if let Some(code) = record.code {
        let _ = write!(line, " {code}");
    }
    line
}

fn code(refusal: &Refusal) -> &'static str {
    Rejection::Refused(refusal.clone()).row().code
}

/// Whether nothing is wrong with it.
fn is_well(outside: Outside) -> bool {
    matches!(outside.state(), "ready" | "up" | "present" | "ok")
}
