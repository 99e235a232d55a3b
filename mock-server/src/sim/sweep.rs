//! The idle sweep: what a job's cleanup job does.
//!
//! It takes a sample at every whole period after the job's creation, and removes the job at the first that finds it
//! over, or at the one that ends a row of so many idle ones. Between two changes of a job all of its samples say the
//! same, so none but the one that removes stands in the agenda: a thousand idle jobs cost nothing while time passes.

use std::time::Duration;

use super::agenda::Event;
use super::journal::Removal;
use super::setup::Times;
use super::world::{Job, World};
use crate::domain::ids::JobId;
use crate::domain::job::JobState;
use crate::domain::time::Moment;

// CPU of a streaming pod somebody reads from, and of one nobody does, in millicores.
pub(super) const BUSY_CPU_M: u32 = 250;
pub(super) const IDLE_CPU_M: u32 = 2;

/// What a job's streaming pod uses, in millicores.
pub(super) fn cpu(job: &Job) -> u32 {
    if job.calls.is_empty() { IDLE_CPU_M } else { BUSY_CPU_M }
}

/// How many samples it takes from now on to remove a job as it stands; `None` when none of them would.
fn samples_to_go(job: &Job, times: &Times) -> Option<u32> {
    match job.state {
        JobState::Pending | JobState::Cancelled => None,
        JobState::Running => (cpu(job) <= times.sweep_cpu_threshold_m).then_some(times.sweep_hits.max(1)),
        JobState::Completed | JobState::Failed => Some(1),
    }
}

/// The so-manieth sample after a moment.
fn sample(created: Moment, period: Duration, after: Moment, number: u32) -> Moment {
    let periods = after.since(created).as_nanos() / period.as_nanos() + u128::from(number);
    let nanos = periods.saturating_mul(period.as_nanos());
    created.after(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
}

impl World {
    /// Enters the sample that will remove a job as it stands from now on, instead of the one that was entered.
    pub(super) fn plan_sweep(&mut self, id: JobId, now: Moment) {
        let times = &self.setup.times;
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if let Some(key) = job.sweep.take() {
            self.agenda.withdraw(key);
        }
        let swept = self.cluster.is_watched(id);
        if let Some(number) = samples_to_go(job, times).filter(|_| swept) {
            let at = sample(job.created, times.sweep_period, now, number);
            job.sweep = Some(self.agenda.enter(at, Event::Sweep(id)));
        }
    }

    /// Nobody reads a job any more. One that counted as idle although it was read goes on counting.
    pub(super) fn go_on_idling(&mut self, id: JobId, now: Moment) {
        if self.jobs.get(&id).is_some_and(|job| job.sweep.is_none()) {
            self.plan_sweep(id, now);
        }
    }

    /// The sample that removes a job.
    pub(super) fn sweep(&mut self, id: JobId, at: Moment) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.sweep = None;
        match job.state {
            JobState::Completed | JobState::Failed => self.remove(id, Removal::Finished, at),
            JobState::Running => self.remove(id, Removal::Idle, at),
            // Neither has a sample in the agenda.
            JobState::Pending | JobState::Cancelled => {}
        }
    }
}
