//! The world as JSON.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, json};
use super::entry::entry;
use super::limits::LimitsBody;
use super::time::rfc3339;
use super::{World, leaks, ports, quirks};
use crate::domain::job::{JobState, StreamEnd};
use crate::domain::quirk::Quirk;
use crate::sim::Simulation;
use crate::sim::change::Outside;
use crate::sim::clock::Waiter;
use crate::sim::journal::Removal;
use crate::sim::setup::Dependencies;
use crate::sim::snapshot::JobSnapshot;
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
    /// The profile that the quirks are, if they are one.
    profile: Option<&'static str>,
    /// Quirks that are on.
    quirks: Vec<&'static str>,
    limits: LimitsBody,
    /// How many rules are installed.
    rules: usize,
    held_ports: Vec<Value>,
    /// How many things belong to no live job.
    leaks: usize,
}

#[derive(Serialize)]
struct ClockState {
    mode: String,
    now: String,
    now_ms: i64,
    waiters: Vec<WaiterBody>,
}

#[derive(Serialize)]
pub(super) struct WaiterBody {
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
    node: &'static str,
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
    dropped: u64,
    bytes: usize,
    newest: Vec<Value>,
}

impl StateBody {
    pub(super) fn of(simulation: &Simulation) -> Self {
        let snapshot = simulation.snapshot();
        let quirks = simulation.with(|world, _| world.quirks());
        Self {
            clock: ClockState {
                mode: snapshot.mode.to_string(),
                now: rfc3339(snapshot.now),
                now_ms: snapshot.now.millis().0,
                waiters: snapshot.waiters.iter().map(WaiterBody::of).collect(),
            },
            fiber: Outside::Fiber(snapshot.fiber).state(),
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
                dropped: simulation.journal().dropped(),
                bytes: simulation.journal().bytes(),
                newest: snapshot.journal.iter().map(entry).collect(),
            },
            profile: quirks::profile(quirks),
            quirks: quirks.iter().map(Quirk::name).collect(),
            limits: LimitsBody::of(simulation),
            rules: simulation.faults().list().len(),
            held_ports: ports::held(simulation),
            leaks: leaks::all(simulation).len(),
        }
    }
}

impl WaiterBody {
    pub(super) fn of(waiter: &Waiter) -> Self {
        let job = waiter.job.map(|job| job.to_string());
        Self { until_ms: waiter.until.millis().0, what: waiter.what, job }
    }
}

pub(super) async fn get(State(simulation): World) -> Answer {
    json(StateBody::of(&simulation))
}

fn job(job: &JobSnapshot) -> JobBody {
    JobBody {
        job_id: job.id.to_string(),
        state: job_state(job.state),
        port: job.port.number(),
        port_held: job.port_held,
        streams: job.streams,
        open_calls: job.open_calls,
    }
}

pub(super) fn job_state(state: JobState) -> &'static str {
    match state {
        JobState::Pending => "Pending",
        JobState::Running => "Running",
        JobState::Completed => "Completed",
        JobState::Failed => "Failed",
        JobState::Cancelled => "Cancelled",
    }
}

fn dependencies(states: &Dependencies) -> DependenciesBody {
    DependenciesBody {
        mongodb: Outside::MongoDb(states.mongodb).state(),
        rabbitmq: Outside::RabbitMq(states.rabbitmq).state(),
        recorder: Outside::Recorder(states.recorder).state(),
        recordings: Outside::Recordings(states.recordings).state(),
        cluster: Outside::Cluster(states.cluster).state(),
        focus_server: Outside::FocusServer(states.focus_server).state(),
        node: Outside::Node(states.node).state(),
    }
}

fn startup(state: Startup) -> &'static str {
    match state {
        Startup::WaitsForMongoDb => "mongodb",
        Startup::PodStarts(_) => "pod-start",
    }
}

pub(super) fn removal(why: Removal) -> &'static str {
    match why {
        Removal::Idle => "idle",
        Removal::Finished => "finished",
        Removal::Deleted => "deleted",
        Removal::Ttl => "ttl",
        Removal::Cancelled => "cancelled",
        Removal::GoneAway => "gone-away",
    }
}

pub(super) fn stream_end(end: StreamEnd) -> &'static str {
    match end {
        StreamEnd::PlayedOut => "played-out",
        StreamEnd::Inactive => "inactive",
        StreamEnd::Cancelled => "cancelled",
        StreamEnd::Gone => "gone",
        StreamEnd::GoneAway => "gone-away",
    }
}
