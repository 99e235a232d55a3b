//! The simulated cluster as facts: which objects of which job exist, who holds which node port, which GPU shares are
//! out. Names are functions of ids; phases are functions of the job's state. Nothing is stored twice.

pub mod edit;
pub mod events;
pub mod facts;
pub mod logs;
pub mod store;
pub mod workloads;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::{JobId, NodePort, Sequence, Slot};

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

/// The cluster of one world.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    objects: BTreeMap<JobId, BTreeSet<Object>>,
    pub(super) leftover_services: BTreeSet<NodePort>,
    gpu_shares: BTreeSet<JobId>,
}

impl Cluster {
    pub(super) fn create(&mut self, id: JobId, object: Object) {
        self.objects.entry(id).or_default().insert(object);
    }

    /// Deletes an object if it exists; a job of which nothing is left is forgotten.
    pub(super) fn delete(&mut self, id: JobId, object: Object) {
        if object == Object::GrpcJob {
            self.gpu_shares.remove(&id);
        }
        if let Some(objects) = self.objects.get_mut(&id) {
            objects.remove(&object);
            if objects.is_empty() {
                self.objects.remove(&id);
            }
        }
    }

    pub(super) fn has(&self, id: JobId, object: Object) -> bool {
        self.objects.get(&id).is_some_and(|objects| objects.contains(&object))
    }

    /// Every job that has objects, with them.
    pub(super) fn objects(&self) -> impl Iterator<Item = (JobId, &BTreeSet<Object>)> {
        self.objects.iter().map(|(id, objects)| (*id, objects))
    }

    /// Takes a GPU share for a job out of a pool of that size; `false` when none is free.
    pub(super) fn take_gpu_share(&mut self, id: JobId, pool: Option<u32>) -> bool {
        self.has_free_gpu_share(pool) && self.gpu_shares.insert(id)
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
        let mut of_slot =
            self.objects.range(JobId { slot, sequence }..).take_while(|(id, _)| id.slot == slot);
        of_slot.any(|(_, objects)| objects.contains(&Object::Service))
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
    format!("grpc-service-{id}")
}

/// Name of its queue.
#[must_use]
pub fn queue_name(id: JobId) -> String {
    format!("focus_baby.{id}")
}

/// Name of the pod of a Job: five more characters, the first a letter, so that no job id is found inside a name that
/// is not its own.
#[must_use]
pub fn pod_name(seed: Seed, job_name: &str) -> String {
    const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
    const ALL: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut bits = seed.draw(job_name, "pod name", 0);
    let mut pick = |from: &[u8]| {
        let count = from.len() as u64;
        let picked = from[usize::try_from(bits % count).unwrap_or(0)];
        bits /= count;
        char::from(picked)
    };
    let mut name = format!("{job_name}-{}", pick(LETTERS));
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
