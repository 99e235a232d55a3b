//! Everything there is in a world at one moment, as plain values: what tests compare and the admin API shows.

use std::time::Duration;

use crate::domain::fiber::FiberState;
use crate::domain::ids::{JobId, NodePort, Sequence};
use crate::domain::job::JobState;
use crate::domain::time::Moment;

use super::clock::{Mode, Waiter};
use super::cluster::{self, Object};
use super::journal::Entry;
use super::leaks::Leaks;
use super::setup::{Dependencies, GpuPool, Limits};
use super::startup::Startup;
use super::world::World;

/// A job, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSnapshot {
    /// Its id.
    pub id: JobId,
    /// Where it is in its life.
    pub state: JobState,
    /// Its port.
    pub port: NodePort,
    /// Whether the port is held by the world: open while Running, held but refusing while Pending.
    pub port_held: bool,
    /// How many streams it has.
    pub streams: usize,
    /// How many calls are open on them.
    pub open_calls: usize,
}

/// A world, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// What makes the clock go.
    pub mode: Mode,
    /// What it shows.
    pub now: Moment,
    /// When something will next happen by itself.
    pub next_due: Option<Moment>,
    /// Who waits on the clock.
    pub waiters: Vec<Waiter>,
    /// Whether the fibre delivers.
    pub fiber: FiberState,
    /// States of the outside systems.
    pub dependencies: Dependencies,
    /// Whether the product's routes answer.
    pub serving: bool,
    /// What the Focus Server waits for before it comes up.
    pub startup: Option<Startup>,
    /// Jobs that are not yet removed.
    pub jobs: Vec<JobSnapshot>,
    /// Free slots.
    pub free_slots: usize,
    /// The lowest free one.
    pub lowest_free_slot: Option<u16>,
    /// The next number of the global count.
    pub next_sequence: Option<Sequence>,
    /// Kubernetes namespace of all objects.
    pub namespace: String,
    /// Names of all Jobs, Services and queues, and of the Jobs' pods.
    pub objects: ObjectNames,
    /// `ttlSecondsAfterFinished` of cleanup jobs. None of them comes to it: each goes with its job.
    pub cleanup_ttl: Duration,
    /// Node ports that planted Services of lost jobs hold.
    pub leftover_services: Vec<NodePort>,
    /// What belongs to no job.
    pub leaks: Leaks,
    /// Limits of requests and jobs.
    pub limits: Limits,
    /// The pool of GPU shares.
    pub gpu: GpuPool,
    /// GPU shares in use.
    pub gpu_shares_taken: usize,
    /// The newest entries of the journal.
    pub journal: Vec<Entry>,
    /// How many entries were ever written.
    pub journal_written: u64,
}

/// Names of the cluster's objects that belong to jobs.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ObjectNames {
    /// Jobs.
    pub jobs: Vec<String>,
    /// Their pods.
    pub pods: Vec<String>,
    /// Services.
    pub services: Vec<String>,
    /// Queues of the broker.
    pub queues: Vec<String>,
}

/// Entries of the journal that a snapshot carries.
const NEWEST: u64 = 100;

impl World {
    pub(super) fn snapshot(&self, now: Moment, mode: Mode, waiters: Vec<Waiter>) -> Snapshot {
        let jobs = self.jobs.values().map(|job| JobSnapshot {
            id: job.terms.id,
            state: job.state,
            port: job.terms.port,
            port_held: job.door.is_some(),
            streams: job.streams.len(),
            open_calls: job.calls.len(),
        });
        Snapshot {
            mode,
            now,
            next_due: self.next_due(),
            waiters,
            fiber: self.fiber_state,
            dependencies: self.dependencies,
            serving: self.is_serving(),
            startup: self.startup,
            jobs: jobs.collect(),
            free_slots: self.free_slots.len(),
            lowest_free_slot: self.free_slots.first().map(|slot| slot.number()),
            next_sequence: self.next_sequence,
            namespace: self.setup.namespace.clone(),
            objects: self.object_names(),
            cleanup_ttl: self.setup.times.cleanup_ttl,
            leftover_services: self.cluster.planted_ports().collect(),
            leaks: self.leaks(now),
            limits: self.setup.limits,
            gpu: self.setup.gpu,
            gpu_shares_taken: self.cluster.gpu_shares_taken(),
            journal: self.journal.since(self.journal.written().saturating_sub(NEWEST)),
            journal_written: self.journal.written(),
        }
    }

    fn object_names(&self) -> ObjectNames {
        let mut names = ObjectNames::default();
        for (id, objects) in self.cluster.objects() {
            names.pods.extend(self.cluster.pods_of(id).map(|name| name.to_string()));
            for object in objects {
                let name = cluster::name(object, id);
                match object {
                    Object::GrpcJob | Object::CleanupJob => names.jobs.push(name),
                    Object::Service => names.services.push(name),
                    Object::Queue => names.queues.push(name),
                }
            }
        }
        names
    }
}
