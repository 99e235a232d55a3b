//! The simulated cluster: facts about its objects, and the store that shows them.
//!
//! What exists, and where it is in its life, stands here once; every change goes through a method of `Cluster`, which
//! shows what came of it in the [`Store`] and tells of it in events. Names are functions of ids.

pub mod edit;
pub mod events;
pub mod facts;
mod fixed;
pub(super) mod jobs;
pub mod logs;
pub(super) mod pods;
pub(super) mod said;
pub mod store;
pub mod workloads;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::ids::{JobId, NodePort, Sequence, Slot};
use crate::domain::time::Moment;

use self::edit::EditRefused;
use self::events::Reason;
use self::facts::{
    Endpoints, Event, Facts, Key, Kind, Namespace, NodeName, Owner, Placed, Planted, PodAddress, Record,
    Service, ServiceAddress, ServiceOf, Uid, Unschedulable,
};
use self::jobs::JobObjects;
use self::store::Store;
use self::workloads::Workloads;
use super::seed::Seed;

/// The objects of one job, in the order in which they are created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// The Job `grpc-job-<id>` with its pod, which holds the job's GPU share.
    GrpcJob,
    /// The Job `cleanup-job-<id>` with its pod.
    CleanupJob,
    /// The Service `grpc-service-<id>`.
    Service,
    /// The queue `focus_baby.<id>` of the broker.
    Queue,
}

impl Object {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::GrpcJob, Self::CleanupJob, Self::Service, Self::Queue];
}

/// How long events are kept.
const EVENTS_STAY: Duration = Duration::from_secs(3600);
/// Most events that are kept. **Chosen**: the contract knows only the hour; a run with tens of thousands of jobs shall
/// not fill the memory with their pasts.
const MOST_EVENTS: usize = 10_000;
/// How many of the jobs that went last are remembered for those who follow their logs.
const GONE_REMEMBERED: usize = 32;

/// The cluster of one world.
pub(super) struct Cluster {
    pub(super) store: Arc<Store>,
    seed: Seed,
    pub(super) namespace: Namespace,
    jobs: BTreeMap<JobId, JobObjects>,
    /// Jobs whose objects went last.
    gone: VecDeque<JobObjects>,
    planted: BTreeMap<Key, Arc<Planted>>,
    gpu_shares: BTreeSet<JobId>,
    pub(super) workloads: Workloads,
    /// Whether the worker was cordoned.
    cordoned: bool,
    /// Since when the worker is ready, or is not.
    worker_ready: (bool, Moment),
    gpu_pool: Option<u32>,
    /// Made-up addresses that were given out.
    addresses: u32,
    events: VecDeque<(Moment, Key)>,
    last_event: u64,
    began: Moment,
}

impl Cluster {
    /// A cluster with what is always there. Whatever the store showed before goes.
    pub(super) fn new(
        store: Arc<Store>,
        seed: Seed,
        namespace: &str,
        gpu_pool: Option<u32>,
        now: Moment,
    ) -> Self {
        store.clear();
        let mut cluster = Self {
            store,
            seed,
            namespace: Namespace(namespace.into()),
            jobs: BTreeMap::new(),
            gone: VecDeque::new(),
            planted: BTreeMap::new(),
            gpu_shares: BTreeSet::new(),
            workloads: Workloads::new(now),
            cordoned: false,
            worker_ready: (true, now),
            gpu_pool,
            addresses: 0,
            events: VecDeque::new(),
            last_event: 0,
            began: now,
        };
        cluster.show_what_is_always_there(now);
        cluster
    }

    pub(super) fn has(&self, id: JobId, object: Object) -> bool {
        self.jobs.get(&id).is_some_and(|objects| objects.has(object))
    }

    /// Whether an object of a job was deleted by hand.
    pub(super) fn was_deleted_by_hand(&self, id: JobId, object: Object) -> bool {
        self.jobs.get(&id).is_some_and(|objects| objects.by_hand.contains(&object))
    }

    /// Every job that has objects, with them.
    pub(super) fn objects(&self) -> impl Iterator<Item = (JobId, BTreeSet<Object>)> {
        self.jobs.iter().filter(|(_, objects)| !objects.is_empty()).map(|(id, objects)| {
            (*id, Object::ALL.into_iter().filter(|object| objects.has(*object)).collect())
        })
    }

    /// Takes a GPU share for a job out of a pool of that size, and places its pod; `false` when no node takes it.
    pub(super) fn take_gpu_share(&mut self, id: JobId, pool: Option<u32>, now: Moment) -> bool {
        let taken = self.why_unschedulable(pool).is_none() && self.gpu_shares.insert(id);
        if taken {
            self.place(id, facts::Part::Grpc, now);
        }
        taken
    }

    /// Why the pod of another job would not be placed.
    pub(super) fn why_unschedulable(&self, pool: Option<u32>) -> Option<Unschedulable> {
        let full = (!self.has_free_gpu_share(pool)).then_some(Unschedulable::NoGpuShare);
        self.why_no_node().or(full)
    }

    /// Why no node takes a pod, whatever it wants.
    fn why_no_node(&self) -> Option<Unschedulable> {
        if !self.worker_ready.0 {
            return Some(Unschedulable::NodeNotReady);
        }
        self.cordoned.then_some(Unschedulable::Cordoned)
    }

    pub(super) fn give_back_gpu_share(&mut self, id: JobId) {
        self.gpu_shares.remove(&id);
    }

    /// Every job whose pod has a GPU share.
    pub(super) fn gpu_shares(&self) -> impl Iterator<Item = JobId> {
        self.gpu_shares.iter().copied()
    }

    /// Whether a job of that slot has a Service, be it one that was left behind.
    pub(super) fn has_service_on(&self, slot: Slot) -> bool {
        let sequence = Sequence::new(1).expect("1 is the lowest number");
        let mut of_slot = self.jobs.range(JobId { slot, sequence }..).take_while(|(id, _)| id.slot == slot);
        of_slot.any(|(_, objects)| objects.has(Object::Service))
    }

    pub(super) fn has_gpu_share(&self, id: JobId) -> bool {
        self.gpu_shares.contains(&id)
    }

    pub(super) fn has_free_gpu_share(&self, pool: Option<u32>) -> bool {
        pool.is_none_or(|size| self.gpu_shares.len() < usize::try_from(size).unwrap_or(usize::MAX))
    }

    pub(super) fn gpu_shares_taken(&self) -> usize {
        self.gpu_shares.len()
    }

    /// How many Services there are that somebody created.
    pub(super) fn planted(&self) -> usize {
        self.planted.len()
    }

    /// Whether somebody created a Service under the name that a job's would have.
    pub(super) fn is_name_planted(&self, id: JobId) -> bool {
        !self.planted.is_empty() && self.planted.contains_key(&self.key(Kind::Service, service_name(id)))
    }

    /// Node ports that Services hold which somebody created.
    pub(super) fn planted_ports(&self) -> impl Iterator<Item = NodePort> {
        self.planted.values().flat_map(|service| service.ports.iter().filter_map(|port| port.node_port))
    }

    /// The Services that somebody created and that hold a node port.
    pub(super) fn planted_on(&self, port: NodePort) -> Vec<Key> {
        let holds = |service: &Planted| service.ports.iter().any(|one| one.node_port == Some(port));
        self.planted.iter().filter(|(_, service)| holds(service)).map(|(key, _)| key.clone()).collect()
    }

    /// Creates a Service that belongs to nothing of the product.
    pub(super) fn plant(
        &mut self,
        key: Key,
        service: Arc<Planted>,
        now: Moment,
    ) -> Result<Arc<Record>, EditRefused> {
        let namespace = Key::new(Kind::Namespace, &Namespace::none(), Arc::clone(&key.namespace.0));
        if self.store.get(&namespace).is_none() {
            return Err(EditRefused::NotFound(namespace));
        }
        if self.store.get(&key).is_some() {
            return Err(EditRefused::AlreadyExists(key));
        }
        let address = Some(ServiceAddress(self.address()));
        let of = ServiceOf::Planted(Arc::clone(&service));
        self.planted.insert(key.clone(), service);
        let record = self.show_service(&key, Service { of: of.clone(), address }, now);
        self.show_endpoints(&key, Endpoints { of, backends: Vec::new() }, now);
        Ok(record)
    }

    /// Deletes a Service that somebody created.
    pub(super) fn unplant(&mut self, key: &Key) -> Option<Arc<Record>> {
        self.planted.remove(key)?;
        self.hide_service(key)
    }

    fn show_service(&self, key: &Key, service: Service, now: Moment) -> Arc<Record> {
        self.store.put(key.clone(), now, None, Facts::Service(service))
    }

    fn show_endpoints(&self, service: &Key, endpoints: Endpoints, now: Moment) {
        let key = Key { kind: Kind::Endpoints, ..service.clone() };
        self.store.put(key, now, None, Facts::Endpoints(endpoints));
    }

    fn hide_service(&self, key: &Key) -> Option<Arc<Record>> {
        self.store.remove(&Key { kind: Kind::Endpoints, ..key.clone() });
        self.store.remove(key)
    }

    /// The next made-up address.
    fn address(&mut self) -> u32 {
        self.addresses = self.addresses.wrapping_add(1);
        self.addresses
    }

    /// A place on the worker.
    fn placed(&mut self, at: Moment) -> Placed {
        Placed { at, node: NodeName::Worker, address: PodAddress(self.address()) }
    }

    fn key(&self, kind: Kind, name: impl Into<Arc<str>>) -> Key {
        Key::new(kind, &self.namespace, name)
    }

    /// Tells of something that happened to an object.
    fn tell(&mut self, about: &Record, reason: Reason, at: Moment) {
        self.tell_of(Owner { key: about.key.clone(), uid: about.uid }, reason, at);
    }

    fn tell_of(&mut self, about: Owner, reason: Reason, at: Moment) {
        // Times of one moment are told apart, so that names are, and list in order.
        self.last_event = at.nanos().max(self.last_event + 1);
        let name = format!("{}.{:016x}", about.key.name, self.last_event);
        let namespace = match about.key.kind {
            Kind::Node => Namespace("default".into()),
            _ => about.key.namespace.clone(),
        };
        let key = Key::new(Kind::Event, &namespace, name);
        self.store.put(key.clone(), at, None, Facts::Event(Event { about, reason, at }));
        self.events.push_back((at, key));
        if self.events.len() > MOST_EVENTS {
            self.forget_oldest_event();
        }
    }

    fn forget_oldest_event(&mut self) {
        if let Some((_, key)) = self.events.pop_front() {
            self.store.remove(&key);
        }
    }

    /// Forgets events that are older than they may become.
    pub(super) fn forget_old_events(&mut self, now: Moment) {
        while self.events.front().is_some_and(|(at, _)| now.since(*at) > EVENTS_STAY) {
            self.forget_oldest_event();
        }
    }

    /// Tells that the Service of a job could not be created.
    pub(super) fn tell_port_allocated(&mut self, id: JobId, port: NodePort, at: Moment) {
        // It never came to be, so nothing tells it from others.
        let about = Owner { key: self.key(Kind::Service, service_name(id)), uid: Uid(0) };
        self.tell_of(about, Reason::PortAllocated(port), at);
    }
}

/// Name of an object of a job.
#[must_use]
pub fn name(object: Object, id: JobId) -> String {
    match object {
        Object::GrpcJob => grpc_job_name(id),
        Object::CleanupJob => cleanup_job_name(id),
        Object::Service => service_name(id),
        Object::Queue => queue_name(id),
    }
}

/// Name of the Job that streams.
#[must_use]
pub fn grpc_job_name(id: JobId) -> String {
    format!("grpc-job-{id}")
}

/// Name of the Job that watches over it.
#[must_use]
pub fn cleanup_job_name(id: JobId) -> String {
    format!("cleanup-job-{id}")
}

/// Name of its Service.
#[must_use]
pub fn service_name(id: JobId) -> String {
    service_name_of(&id.to_string())
}

/// Name of the Service of a job that is told of by such an id.
pub(super) fn service_name_of(id: &str) -> String {
    format!("grpc-service-{id}")
}

/// Name of its queue.
#[must_use]
pub fn queue_name(id: JobId) -> String {
    format!("focus_baby.{id}")
}

/// Name of the pod of a Job.
#[must_use]
pub fn pod_name(seed: Seed, job_name: &str) -> String {
    numbered_pod_name(seed, job_name, 0)
}

/// Name of the so-manieth pod of an owner: five more characters, the first a letter, so that no job id is found inside
/// a name that is not its own.
fn numbered_pod_name(seed: Seed, owner: &str, number: u64) -> String {
    const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
    const ALL: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut bits = seed.draw(owner, "pod name", number);
    let mut pick = |from: &[u8]| {
        let count = from.len() as u64;
        let picked = from[usize::try_from(bits % count).unwrap_or(0)];
        bits /= count;
        char::from(picked)
    };
    let mut name = format!("{owner}-{}", pick(LETTERS));
    name.extend((0..4).map(|_| pick(ALL)));
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_name_is_its_jobs_name_and_five_characters_that_start_with_a_letter() {
        let name = pod_name(Seed(7), "grpc-job-2-3");
        let suffix = name.strip_prefix("grpc-job-2-3-").expect("starts with the job's name");
        assert_eq!(suffix.len(), 5);
        assert!(suffix.starts_with(|first: char| first.is_ascii_lowercase()));
        assert!(suffix.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
        assert_eq!(name, pod_name(Seed(7), "grpc-job-2-3"));
        assert_ne!(name, pod_name(Seed(8), "grpc-job-2-3"));
    }
}
