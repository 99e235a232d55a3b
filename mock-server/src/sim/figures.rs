//! The world in numbers, at one moment: what is asked for again and again, so that names and entries are left out.

use std::collections::BTreeMap;

use super::clock::Mode;
use super::leaks::Leaks;
use super::world::World;
use crate::domain::job::JobState;
use crate::domain::time::Moment;

/// A world in numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// What makes the clock go.
    pub mode: Mode,
    /// What it shows.
    pub now: Moment,
    /// Jobs that are not yet removed.
    pub jobs: BTreeMap<JobState, usize>,
    /// The smaller of the limits on them.
    pub job_limit: u32,
    /// Ports that jobs hold.
    pub job_ports: usize,
    /// How many slots there are.
    pub slots: u16,
    /// How many of them are free.
    pub free_slots: usize,
    /// Streams of jobs that run.
    pub streams: usize,
    /// Calls that are open on streams.
    pub open_calls: usize,
    /// GPU shares in use.
    pub gpu_shares: usize,
    /// Whether the product's routes answer.
    pub serving: bool,
    /// What belongs to no job, and what a rehearsal holds.
    pub leaks: Leaks,
}

impl World {
    pub(super) fn figures(&self, now: Moment, mode: Mode) -> Figures {
        let mut jobs = BTreeMap::new();
        for job in self.jobs.values() {
            *jobs.entry(job.state).or_default() += 1;
        }
        let running = || self.jobs.values().filter(|job| job.state == JobState::Running);
        Figures {
            mode,
            now,
            jobs,
            job_limit: self.job_limit(),
            job_ports: self.jobs.values().filter(|job| job.door.is_some()).count(),
            slots: self.setup.ports.max_slots(),
            free_slots: self.free_slots.len(),
            streams: running().map(|job| job.streams.len()).sum(),
            open_calls: self.jobs.values().map(|job| job.calls.len()).sum(),
            gpu_shares: self.cluster.gpu_shares_taken(),
            serving: self.is_serving(),
            leaks: self.leaks(now),
        }
    }
}
