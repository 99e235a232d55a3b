//! What happens to jobs and dependencies as time passes.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::fiber::FiberState;
use crate::domain::ids::JobId;
use crate::domain::job::{JobEvent, JobState, StreamEnd};
use crate::domain::quirk::{Quirk, Quirks};
use crate::domain::time::Moment;

use super::agenda::Event;
use super::calls::StreamState;
use super::change::Outside;
use super::cluster::Object;
use super::journal::{Happening, Removal};
use super::setup::{Dependencies, MongoDb, Supply};
use super::world::{Job, World};

/// How long the pods of a cancelled job stay readable.
const CANCELLED_PODS_STAY: Duration = Duration::from_secs(2);
/// From the answer to the open port of a server whose pods are slow.
const SLOW_POD_START: Duration = Duration::from_millis(6_500);
/// From a new pod of a workload to its readiness.
pub(super) const WORKLOAD_START: Duration = Duration::from_secs(3);
// CPU of a streaming pod somebody reads from, and of one nobody does, in millicores.
const BUSY_CPU_M: u32 = 250;
const IDLE_CPU_M: u32 = 2;

/// What a job's streaming pod uses, in millicores.
fn cpu(job: &Job) -> u32 {
    if job.calls.is_empty() { IDLE_CPU_M } else { BUSY_CPU_M }
}

impl World {
    /// Lets everything happen that is due by `now`, each at its own time.
    pub(super) fn catch_up(&mut self, now: Moment) {
        while let Some((at, event)) = self.agenda.take_due(now) {
            self.fire(event, at);
        }
    }

    /// When something will next happen by itself.
    pub(super) fn next_due(&self) -> Option<Moment> {
        self.agenda.next_due()
    }

    fn fire(&mut self, event: Event, at: Moment) {
        match event {
            Event::PodStart(id) => self.start_pod(id, at),
            Event::SweepSample(id) => self.sweep_sample(id, at),
            Event::TtlOver(id) => {
                // A job cancelled in the meantime goes its own way.
                if self.jobs.get(&id).is_some_and(|job| job.state.is_live()) {
                    self.remove(id, Removal::Ttl, at);
                }
            }
            Event::CancelledPodsGone(id) => self.remove(id, Removal::Cancelled, at),
            Event::GoAway(id) => self.go_away(id, at),
            Event::ProgressCheck(call) => self.check_progress(call, at),
            Event::MongoDbReady => {
                // An earlier restart that was cut short does not make a later one shorter.
                if self.dependencies.mongodb == MongoDb::Restarting && self.mongodb_ready_at == Some(at) {
                    self.change_dependencies(Dependencies { mongodb: MongoDb::Up, ..self.dependencies }, at);
                }
            }
            Event::ServerReady => self.server_ready(at),
        }
    }

    fn start_pod(&mut self, id: JobId, at: Moment) {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.state == JobState::Pending) else { return };
        let Some(door) = job.door.as_mut() else { return };
        if door.listen().is_err() {
            // Another process took the port while the pod started: its server would exit, and the pod with it.
            self.finish(id, JobEvent::PodLost, at);
            return;
        }
        door.serve(&job.terms);
        if let Some(state) = job.state.after(JobEvent::PodReady) {
            job.state = state;
        }
        self.journal.write(at, Happening::Started(id));
        self.enter_sample(id, at);
    }

    /// Enters the next sample of a job's cleanup job: a whole number of periods after the job's creation.
    ///
    /// Samples that could lead to nothing, of a job that is read or that waits for its pod, are left out; entering the
    /// next one is up to whoever changes that.
    pub(super) fn enter_sample(&mut self, id: JobId, now: Moment) {
        let period = self.setup.times.sweep_period;
        let threshold = self.setup.times.sweep_cpu_threshold_m;
        let matters = |job: &&mut Job| match job.state {
            JobState::Pending | JobState::Cancelled => false,
            JobState::Running => cpu(job) <= threshold,
            JobState::Completed | JobState::Failed => true,
        };
        let Some(job) = self.jobs.get_mut(&id).filter(matters).filter(|job| !job.sample_entered) else {
            return;
        };
        job.sample_entered = true;
        let periods = now.since(job.created).as_nanos() / period.as_nanos() + 1;
        let nanos = u64::try_from(periods * period.as_nanos()).unwrap_or(u64::MAX);
        let at = job.created.after(Duration::from_nanos(nanos));
        self.agenda.enter(at, Event::SweepSample(id));
    }

    /// One sample of a job's cleanup job: it removes what is over, and what nobody reads for long enough.
    fn sweep_sample(&mut self, id: JobId, at: Moment) {
        let times = self.setup.times;
        let Some(job) = self.jobs.get_mut(&id).filter(|_| self.cluster.has(id, Object::CleanupJob)) else {
            return;
        };
        job.sample_entered = false;
        match job.state {
            JobState::Cancelled => {}
            JobState::Completed | JobState::Failed => self.remove(id, Removal::Finished, at),
            JobState::Pending => job.idle_hits = 0,
            JobState::Running => {
                job.idle_hits = if cpu(job) <= times.sweep_cpu_threshold_m { job.idle_hits + 1 } else { 0 };
                if job.idle_hits >= times.sweep_hits {
                    self.remove(id, Removal::Idle, at);
                }
            }
        }
        self.enter_sample(id, at);
    }

    /// Brings a job to one of its ends: its port closes, its calls end, its GPU share is free for the next.
    pub(super) fn finish(&mut self, id: JobId, event: JobEvent, at: Moment) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let Some(state) = job.state.after(event) else { return };
        job.state = state;
        job.over_since = Some(at);
        let (end, what) = match event {
            JobEvent::Cancel => (StreamEnd::Cancelled, Happening::Cancelled(id)),
            JobEvent::PodLost => (StreamEnd::Gone, Happening::Failed(id)),
            JobEvent::StreamsOver | JobEvent::PodReady => (StreamEnd::Gone, Happening::Completed(id)),
        };
        job.end_calls(end, &mut self.agenda);
        if let Some(mut door) = job.door.take()
            && job.streams.iter().all(StreamState::is_played_out)
        {
            door.let_read_on();
        }
        self.journal.write(at, what);
        self.cluster.give_back_gpu_share(id);
        if state == JobState::Cancelled {
            self.cluster.delete(id, Object::Service);
            self.agenda.enter(at.after(CANCELLED_PODS_STAY), Event::CancelledPodsGone(id));
        } else if self.cluster.has(id, Object::CleanupJob) {
            self.enter_sample(id, at);
        } else {
            self.agenda.enter(at.after(self.setup.times.job_ttl), Event::TtlOver(id));
        }
        self.hand_on_gpu_shares(at);
    }

    /// The server gives up on the streams of a job, and with them on the job.
    fn go_away(&mut self, id: JobId, at: Moment) {
        // A job that came to another end in the meantime goes its own way.
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.state == JobState::Running) else { return };
        job.end_calls(StreamEnd::GoneAway, &mut self.agenda);
        self.remove(id, Removal::GoneAway, at);
    }

    /// How long the pod of a job of a server with these quirks takes to start.
    pub(super) fn pod_start(&self, quirks: Quirks) -> Duration {
        let least = if quirks.has(Quirk::SlowPodStart) { SLOW_POD_START } else { Duration::ZERO };
        self.setup.times.pod_start.max(least)
    }

    /// Removes a job with everything that belongs to it; the slot goes back last.
    fn remove(&mut self, id: JobId, why: Removal, at: Moment) {
        let Some(mut job) = self.jobs.remove(&id) else { return };
        job.end_calls(StreamEnd::Gone, &mut self.agenda);
        drop(job.door.take());
        for object in [Object::Service, Object::GrpcJob, Object::CleanupJob, Object::Queue] {
            self.cluster.delete(id, object);
        }
        self.free_slots.insert(id.slot);
        self.journal.write(at, Happening::Removed(id, why));
        self.hand_on_gpu_shares(at);
    }

    /// Whether another job's pod could be placed now.
    pub(super) fn has_free_gpu_share(&self) -> bool {
        self.cluster.has_free_gpu_share(self.setup.gpu.size)
    }

    /// Gives free GPU shares to the pods that wait for one, oldest first.
    fn hand_on_gpu_shares(&mut self, at: Moment) {
        if self.setup.gpu.size.is_none() {
            // Nobody waits where there is no limit.
            return;
        }
        let mut waiting: Vec<_> = self
            .jobs
            .iter()
            .filter(|(id, job)| job.state == JobState::Pending && !self.cluster.has_gpu_share(**id))
            .map(|(id, job)| (*id, self.pod_start(job.terms.quirks)))
            .collect();
        waiting.sort_by_key(|(id, _)| id.sequence);
        for (id, pod_start) in waiting {
            // Starting the one before may have ended this one: a pod whose port was taken hands its share on, too.
            if self.jobs.get(&id).is_none_or(|job| job.state != JobState::Pending) {
                continue;
            }
            if !self.cluster.take_gpu_share(id, self.setup.gpu.size) {
                return;
            }
            if pod_start.is_zero() {
                self.start_pod(id, at);
            } else {
                self.agenda.enter(at.after(pod_start), Event::PodStart(id));
            }
        }
    }

    /// Kills the streaming pod of a job, as somebody with access to the cluster would.
    pub fn kill_pod(&mut self, id: JobId, at: Moment) {
        self.finish(id, JobEvent::PodLost, at);
    }

    /// Deletes the cleanup job of a job by hand: nothing sweeps it any more, only its TTL removes it once it is over.
    pub fn delete_cleanup_job(&mut self, id: JobId, at: Moment) {
        let Some(job) = self.jobs.get(&id).filter(|job| job.state.is_live()) else { return };
        let over_since = job.over_since;
        self.cluster.delete(id, Object::CleanupJob);
        if let Some(since) = over_since {
            // Counted from the end, as the cluster does; one that has outlived it already goes now.
            self.agenda.enter(since.after(self.setup.times.job_ttl).max(at), Event::TtlOver(id));
        }
    }

    /// Changes whether the fibre delivers.
    pub fn change_fiber(&mut self, state: FiberState, at: Moment) {
        if self.fiber_state != state {
            self.fiber_state = state;
            self.journal.write(at, Happening::OutsideChanged(Outside::Fiber(state)));
        }
        self.dark_since = if state.delivers() { None } else { self.dark_since.or(Some(at)) };
    }

    /// Changes the states of the outside systems.
    pub fn change_dependencies(&mut self, new: Dependencies, at: Moment) {
        let old = std::mem::replace(&mut self.dependencies, new);
        let changes = [
            (Outside::MongoDb(new.mongodb), old.mongodb != new.mongodb),
            (Outside::RabbitMq(new.rabbitmq), old.rabbitmq != new.rabbitmq),
            (Outside::Recorder(new.recorder), old.recorder != new.recorder),
            (Outside::Recordings(new.recordings), old.recordings != new.recordings),
            (Outside::Cluster(new.cluster), old.cluster != new.cluster),
            (Outside::FocusServer(new.focus_server), old.focus_server != new.focus_server),
        ];
        for (what, _) in changes.into_iter().filter(|(_, changed)| *changed) {
            self.journal.write(at, Happening::OutsideChanged(what));
        }
        if new.mongodb == MongoDb::Restarting && old.mongodb != MongoDb::Restarting {
            let ready_at = at.after(WORKLOAD_START);
            self.mongodb_ready_at = Some(ready_at);
            self.agenda.enter(ready_at, Event::MongoDbReady);
        }
        self.follow_startup(old, at);
        match (old.recorder, new.recorder) {
            (Supply::Up, Supply::Down) => self.catalog.stop_recording(at.seconds()),
            (Supply::Down, Supply::Up) => self.catalog.resume_recording(at.seconds()),
            (Supply::Up, Supply::Up) | (Supply::Down, Supply::Down) => {}
        }
    }

    /// The current states of the outside systems.
    #[must_use]
    pub fn dependencies(&self) -> Dependencies {
        self.dependencies
    }

    /// What this world was started from.
    #[must_use]
    pub fn setup(&self) -> &Arc<super::setup::Setup> {
        &self.setup
    }
}
