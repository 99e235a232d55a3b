//! What belongs to no job and is still there: computed from the facts of the world, not from a list of what was made to
//! fail, so that a leak of our own shows just as well.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::calls::CallId;
use super::cluster::{self, Object};
use super::faults::GiveBack;
use super::journal::Happening;
use super::port::Door;
use super::world::World;
use crate::domain::ids::{JobId, NodePort, Slot, StreamIndex};
use crate::domain::time::Moment;

/// How long a transport may hold a stream whose job is gone.
const STREAMS_END: Duration = Duration::from_secs(5);

/// What belongs to no job.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Leaks {
    /// Slots that are taken without a job.
    pub slots: Vec<Slot>,
    /// Ports that are held without a job.
    pub ports: Vec<NodePort>,
    /// Jobs of the cluster, by their names.
    pub jobs: Vec<String>,
    /// Their pods.
    pub pods: Vec<String>,
    /// Services.
    pub services: Vec<String>,
    /// Queues of the broker.
    pub queues: Vec<String>,
    /// GPU shares, by the names of the Jobs whose pods have them.
    pub gpu_shares: Vec<String>,
    /// Streams that somebody still holds, more than 5 s after their job was gone.
    pub streams: Vec<HeldStream>,
    /// What a rehearsal put there: no leaks.
    pub planted: Planted,
}

/// A stream that somebody still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldStream {
    /// The job that is gone.
    pub job: JobId,
    /// Which of its streams.
    pub stream: StreamIndex,
    /// Since when the job is gone.
    pub since: Moment,
}

/// What a rehearsal put into the way of jobs.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Planted {
    /// Ports that are held as another process would.
    pub ports: Vec<NodePort>,
    /// Ports that left-over Services have.
    pub services: Vec<NodePort>,
}

impl Leaks {
    /// Whether nothing has leaked; what was planted does not count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let nothing = Self { planted: self.planted.clone(), ..Self::default() };
        *self == nothing
    }
}

/// A call whose transport has not let it go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    pub(super) stream: StreamIndex,
    /// Since when its job is gone, if it is.
    pub(super) job_gone: Option<Moment>,
}

/// What undos that were made to fail have left behind: known, so that invariants need not complain.
#[derive(Default)]
pub(super) struct LeftBehind {
    pub(super) slots: BTreeSet<Slot>,
    /// The doors themselves: the ports stay taken as long as these live.
    pub(super) doors: BTreeMap<NodePort, Box<dyn Door>>,
    pub(super) objects: BTreeSet<(JobId, Object)>,
}

/// Something that an undo could not give back.
pub(super) enum Left {
    Slot(Slot),
    Port(NodePort, Box<dyn Door>),
    Object(JobId, Object),
}

impl World {
    /// What belongs to no job.
    #[must_use]
    pub fn leaks(&self, now: Moment) -> Leaks {
        let mut leaks = Leaks {
            slots: self.slots_of_nobody(),
            ports: self.left.doors.keys().copied().collect(),
            planted: Planted {
                ports: self.held_ports.keys().copied().collect(),
                services: self.cluster.planted_ports().collect(),
            },
            ..Leaks::default()
        };
        for (id, objects) in self.cluster.objects().filter(|(id, _)| !self.jobs.contains_key(id)) {
            leaks.pods.extend(self.cluster.pods_of(id).map(|name| name.to_string()));
            for object in objects {
                let name = cluster::name(object, id);
                match object {
                    Object::GrpcJob | Object::CleanupJob => leaks.jobs.push(name),
                    Object::Service => leaks.services.push(name),
                    Object::Queue => leaks.queues.push(name),
                }
            }
        }
        let shares = self.cluster.gpu_shares().filter(|id| !self.jobs.contains_key(id));
        leaks.gpu_shares = shares.map(cluster::grpc_job_name).collect();
        let held = self.readers.iter().filter_map(|(call, reader)| {
            let since = reader.job_gone.filter(|gone| now.since(*gone) > STREAMS_END)?;
            Some(HeldStream { job: call.job, stream: reader.stream, since })
        });
        leaks.streams = held.collect();
        leaks
    }

    /// Slots that are neither free nor a job's.
    pub(super) fn slots_of_nobody(&self) -> Vec<Slot> {
        if self.free_slots.len() + self.jobs.len() == usize::from(self.setup.ports.max_slots()) {
            return Vec::new();
        }
        let taken: BTreeSet<_> = self.jobs.keys().map(|id| id.slot).collect();
        let all = self.setup.ports.slots();
        all.filter(|slot| !self.free_slots.contains(slot) && !taken.contains(slot)).collect()
    }

    /// Leaves something behind that an undo could not give back.
    pub(super) fn leave_behind(&mut self, left: Left, job: Option<JobId>, now: Moment) {
        let (undo, name) = match left {
            Left::Slot(slot) => {
                self.left.slots.insert(slot);
                (GiveBack::Slot, format!("slot {}", slot.number()))
            }
            Left::Port(port, door) => {
                self.left.doors.insert(port, door);
                (GiveBack::Port, format!("port {port}"))
            }
            Left::Object(id, object) => {
                self.left.objects.insert((id, object));
                (GiveBack::of(object), cluster::name(object, id))
            }
        };
        self.journal.write(now, Happening::Leaked { job, undo, name: name.into() });
    }

    /// A job is gone: whoever reads from it should notice.
    pub(super) fn lose_readers_of(&mut self, job: JobId, since: Moment) {
        let (first, last) = (CallId { job, number: 0 }, CallId { job, number: u64::MAX });
        for (_, reader) in self.readers.range_mut(first..=last) {
            reader.job_gone.get_or_insert(since);
        }
    }
}
