//! The world as JSON.

use serde::Serialize;

use super::rfc3339;
use crate::api::rejection::Rejection;
use crate::domain::fiber::FiberState;
use crate::domain::ids::JobId;
use crate::domain::job::{JobState, StreamEnd};
use crate::domain::refusal::Refusal;
use crate::sim::clock::Waiter;
use crate::sim::journal::{Entry, Happening, Removal};
use crate::sim::setup::{ClusterState, Dependencies, MongoDb, RecordingsState, Supply};
use crate::sim::snapshot::{JobSnapshot, Snapshot};
use crate::sim::startup::Startup;

#[derive(Serialize)]
pub(super) struct StateBody {
    clock: ClockState,
    fiber: &'static str,
    dependencies: DependenciesBody,
    /// Whether the product's routes answer.
    serving: bool,
    /// Why the server has not come up yet.
    waiting_for: Option<&'static str>,
    jobs: Vec<JobBody>,
    slots: SlotsBody,
    next_sequence: Option<i32>,
    gpu_shares_taken: usize,
    cluster: ClusterBody,
    queues: Vec<String>,
    journal: JournalBody,
}

#[derive(Serialize)]
struct ClockState {
    mode: String,
    now: String,
    now_ms: i64,
    waiters: Vec<WaiterBody>,
}

#[derive(Serialize)]
struct WaiterBody {
    until_ms: i64,
    what: &'static str,
    job: Option<String>,
}

#[derive(Serialize)]
struct DependenciesBody {
    mongodb: &'static str,
    rabbitmq: &'static str,
    recorder: &'static str,
    recordings: &'static str,
    cluster: &'static str,
    focus_server: &'static str,
}

#[derive(Serialize)]
struct JobBody {
    job_id: String,
    state: &'static str,
    port: u16,
    port_held: bool,
    streams: usize,
    open_calls: usize,
}

#[derive(Serialize)]
struct SlotsBody {
    free: usize,
    lowest_free: Option<u16>,
}

#[derive(Serialize)]
struct ClusterBody {
    namespace: String,
    jobs: Vec<String>,
    pods: Vec<String>,
    services: Vec<String>,
    leftover_service_ports: Vec<u16>,
    cleanup_job_ttl_s: f64,
}

#[derive(Serialize)]
struct JournalBody {
    written: u64,
    newest: Vec<EntryBody>,
}

/// One entry of the journal.
#[derive(Serialize)]
pub(super) struct EntryBody {
    number: u64,
    at_ms: i64,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl StateBody {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self {
            clock: ClockState {
                mode: snapshot.mode.to_string(),
                now: rfc3339(snapshot.now),
                now_ms: snapshot.now.millis().0,
                waiters: snapshot.waiters.iter().map(waiter).collect(),
            },
            fiber: fiber(snapshot.fiber),
            dependencies: dependencies(&snapshot.dependencies),
            serving: snapshot.serving,
            waiting_for: snapshot.startup.map(startup),
            jobs: snapshot.jobs.iter().map(job).collect(),
            slots: SlotsBody { free: snapshot.free_slots, lowest_free: snapshot.lowest_free_slot },
            next_sequence: snapshot.next_sequence.map(|sequence| sequence.number()),
            gpu_shares_taken: snapshot.gpu_shares_taken,
            cluster: ClusterBody {
                namespace: snapshot.namespace.clone(),
                jobs: snapshot.objects.jobs.clone(),
                pods: snapshot.objects.pods.clone(),
                services: snapshot.objects.services.clone(),
                leftover_service_ports: snapshot.leftover_services.iter().map(|port| port.number()).collect(),
                cleanup_job_ttl_s: snapshot.cleanup_ttl.as_secs_f64(),
            },
            queues: snapshot.objects.queues.clone(),
            journal: JournalBody {
                written: snapshot.journal_written,
                newest: snapshot.journal.iter().map(EntryBody::of).collect(),
            },
        }
    }
}

impl EntryBody {
    pub(super) fn of(entry: &Entry) -> Self {
        let (event, job, what, code) = match &entry.what {
            Happening::Configured(id) => ("configured", Some(id), None, None),
            Happening::Refused(refusal) => ("refused", None, None, Some(code(refusal))),
            Happening::RolledBack { id, step, refusal } => {
                ("rolled-back", Some(id), Some(step.name()), Some(code(refusal)))
            }
            Happening::Started(id) => ("started", Some(id), None, None),
            Happening::Completed(id) => ("completed", Some(id), None, None),
            Happening::Failed(id) => ("failed", Some(id), None, None),
            Happening::Cancelled(id) => ("cancelled", Some(id), None, None),
            Happening::Removed(id, why) => ("removed", Some(id), Some(removal(*why)), None),
            Happening::CallEnded(id, end) => ("call-ended", Some(id), Some(stream_end(*end)), None),
            Happening::OutsideChanged(outside) => ("dependency-changed", None, Some(outside.name()), None),
            Happening::QuirkChanged(quirk, true) => ("quirk-on", None, Some(quirk.name()), None),
            Happening::QuirkChanged(quirk, false) => ("quirk-off", None, Some(quirk.name()), None),
            Happening::LimitsChanged(_) => ("limits-changed", None, None, None),
            Happening::PortHeld(..) => ("port-held", None, None, None),
            Happening::PortReleased(_) => ("port-released", None, None, None),
            Happening::RecordingsReplaced => ("recordings-replaced", None, None, None),
            Happening::RuleAdded(_) => ("rule-added", None, None, None),
            Happening::RuleRemoved(_) => ("rule-removed", None, None, None),
            Happening::Fault(hit) => ("fault", hit.job.as_ref(), hit.effect, None),
            Happening::Request(record) => ("request", record.job.as_ref(), None, record.code),
            Happening::CallOpened(id) => ("call-opened", Some(id), None, None),
            Happening::Reset => ("reset", None, None, None),
            Happening::ServerWaits(what) => ("server-waits", None, Some(*what), None),
            Happening::ServerUp => ("server-up", None, None, None),
        };
        Self {
            number: entry.number,
            at_ms: entry.at.millis().0,
            event,
            job: job.map(JobId::to_string),
            what,
            code,
        }
    }
}

fn code(refusal: &Refusal) -> &'static str {
    Rejection::Refused(refusal.clone()).row().code
}

fn waiter(waiter: &Waiter) -> WaiterBody {
    let job = waiter.job.map(|job| job.to_string());
    WaiterBody { until_ms: waiter.until.millis().0, what: waiter.what, job }
}

fn job(job: &JobSnapshot) -> JobBody {
    JobBody {
        job_id: job.id.to_string(),
        state: match job.state {
            JobState::Pending => "Pending",
            JobState::Running => "Running",
            JobState::Completed => "Completed",
            JobState::Failed => "Failed",
            JobState::Cancelled => "Cancelled",
        },
        port: job.port.number(),
        port_held: job.port_held,
        streams: job.streams,
        open_calls: job.open_calls,
    }
}

fn fiber(state: FiberState) -> &'static str {
    match state {
        FiberState::Waiting => "waiting",
        FiberState::Mixed => "mixed",
        FiberState::Lit => "ready",
    }
}

fn supply(state: Supply) -> &'static str {
    match state {
        Supply::Up => "up",
        Supply::Down => "down",
    }
}

fn dependencies(states: &Dependencies) -> DependenciesBody {
    DependenciesBody {
        mongodb: match states.mongodb {
            MongoDb::Up => "up",
            MongoDb::Down => "down",
            MongoDb::SlowFail => "slow-fail",
            MongoDb::Restarting => "restarting",
        },
        rabbitmq: supply(states.rabbitmq),
        recorder: supply(states.recorder),
        recordings: match states.recordings {
            RecordingsState::Present => "present",
            RecordingsState::None => "none",
            RecordingsState::PathMismatch => "path-mismatch",
        },
        cluster: match states.cluster {
            ClusterState::Ok => "ok",
            ClusterState::RefusesObjects => "refuses-objects",
            ClusterState::OutOfPodAddresses => "out-of-pod-addresses",
        },
        focus_server: supply(states.focus_server),
    }
}

fn startup(state: Startup) -> &'static str {
    match state {
        Startup::WaitsForMongoDb => "mongodb",
        Startup::PodStarts(_) => "pod-start",
    }
}

fn removal(why: Removal) -> &'static str {
    match why {
        Removal::Idle => "idle",
        Removal::Finished => "finished",
        Removal::Ttl => "ttl",
        Removal::Cancelled => "cancelled",
        Removal::GoneAway => "gone-away",
    }
}

fn stream_end(end: StreamEnd) -> &'static str {
    match end {
        StreamEnd::PlayedOut => "played-out",
        StreamEnd::Inactive => "inactive",
        StreamEnd::Cancelled => "cancelled",
        StreamEnd::Gone => "gone",
        StreamEnd::GoneAway => "gone-away",
    }
}
