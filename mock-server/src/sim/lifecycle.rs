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
use super::cluster::facts::{Outcome, Part, Unschedulable};
use super::cluster::pods::POD_STARTS;
use super::cluster::workloads::Workload;
use super::journal::{Happening, Removal};
use super::setup::{Dependencies, MongoDb, Supply};
use super::world::World;

/// How long the pods of a cancelled job stay readable.
const CANCELLED_PODS_STAY: Duration = Duration::from_secs(2);
/// From the answer to the open port of a server whose pods are slow.
const SLOW_POD_START: Duration = Duration::from_millis(6_500);

impl World {
    /// Lets everything happen that is due by `now`, each at its own time.
    pub(super) fn catch_up(&mut self, now: Moment) {
        self.cluster.forget_old_events(now);
        while let Some((at, event)) = self.agenda.take_due(now) {
            self.fire(event, at);
        }
    }

    /// When something will next happen by itself.
    #[must_use]
    pub fn next_due(&self) -> Option<Moment> {
        self.agenda.next_due()
    }

    fn fire(&mut self, event: Event, at: Moment) {
        match event {
            Event::PodStart(id) => self.start_pod(id, at),
            Event::Sweep(id) => self.sweep(id, at),
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
                if self.rehearsed.mongodb == MongoDb::Restarting && self.mongodb_ready_at == Some(at) {
                    self.change_dependencies(Dependencies { mongodb: MongoDb::Up, ..self.rehearsed }, at);
                }
            }
            Event::Workload(due) => {
                self.cluster.workload_is_due(due, at);
                self.workloads_changed(at);
            }
            Event::PodGone(id, part) => self.cluster.pod_is_gone(id, part),
            Event::CleanupJobOver(id) => {
                self.cluster.delete(id, Object::CleanupJob, at);
            }
            Event::ServerExits(times) => self.server_exits(times, at),
            Event::ServerReady => self.server_ready(at),
            Event::GoBack(change) => self.go_back(change, at),
            Event::RulesExpire => self.expire_rules(at),
            Event::Planned(index, occurrence) => self.make_planned(index, occurrence, at),
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
        self.cluster.start(id, Part::Grpc, at);
        if let Some(state) = job.state.after(JobEvent::PodReady) {
            job.state = state;
        }
        self.journal.write(at, Happening::Started(id));
        self.plan_sweep(id, at);
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
        self.end_calls(id, end, at);
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if let Some(mut door) = job.door.take()
            && job.streams.iter().all(StreamState::is_played_out)
        {
            door.let_read_on();
        }
        self.journal.write(at, what);
        self.cluster.give_back_gpu_share(id);
        let (how, killed) = match event {
            JobEvent::PodLost => (Outcome::Failed, true),
            JobEvent::Cancel => (Outcome::Succeeded, true),
            JobEvent::StreamsOver | JobEvent::PodReady => (Outcome::Succeeded, false),
        };
        if state == JobState::Cancelled {
            self.plan_sweep(id, at);
            self.cluster.delete(id, Object::Service, at);
            self.cluster.end(id, Part::Cleanup, how, killed, at);
            self.agenda.enter(at.after(CANCELLED_PODS_STAY), Event::CancelledPodsGone(id));
        } else if self.cluster.is_watched(id) {
            self.plan_sweep(id, at);
        } else {
            self.agenda.enter(at.after(self.setup.times.job_ttl), Event::TtlOver(id));
        }
        self.cluster.end(id, Part::Grpc, how, killed, at);
        self.hand_on_gpu_shares(at);
    }

    /// The server gives up on the streams of a job, and with them on the job.
    fn go_away(&mut self, id: JobId, at: Moment) {
        // A job that came to another end in the meantime goes its own way.
        if self.jobs.get(&id).is_none_or(|job| job.state != JobState::Running) {
            return;
        }
        self.end_calls(id, StreamEnd::GoneAway, at);
        self.remove(id, Removal::GoneAway, at);
    }

    /// How long the pod of a job of a server with these quirks takes to start.
    pub(super) fn pod_start(&self, quirks: Quirks) -> Duration {
        let least = if quirks.has(Quirk::SlowPodStart) { SLOW_POD_START } else { Duration::ZERO };
        self.setup.times.pod_start.max(least)
    }

    /// Removes a job with everything that belongs to it; the slot goes back last.
    pub(super) fn remove(&mut self, id: JobId, why: Removal, at: Moment) {
        self.end_calls(id, StreamEnd::Gone, at);
        let Some(mut job) = self.jobs.remove(&id) else { return };
        if let Some(key) = job.sweep.take() {
            self.agenda.withdraw(key);
        }
        drop(job.door.take());
        self.lose_readers_of(id, job.over_since.filter(|_| job.state == JobState::Cancelled).unwrap_or(at));
        self.cluster.goes(id, why == Removal::Idle || why == Removal::Finished, at);
        for object in [Object::Service, Object::GrpcJob, Object::CleanupJob, Object::Queue] {
            self.cluster.delete(id, object, at);
        }
        self.free_slots.insert(id.slot);
        self.jobs_allowed = self.jobs_allowed.min(self.jobs.len());
        self.journal.write(at, Happening::Removed(id, why));
        self.hand_on_gpu_shares(at);
    }

    /// Whether there is a GPU share for another job.
    pub(super) fn has_free_gpu_share(&self) -> bool {
        self.cluster.has_free_gpu_share(self.setup.gpu.size)
    }

    /// Why another job's pod would not be placed now.
    pub(super) fn why_unschedulable(&self) -> Option<Unschedulable> {
        self.cluster.why_unschedulable(self.setup.gpu.size)
    }

    /// Gives the pod of a new job a GPU share and a node, or lets it wait for them.
    pub(super) fn place_pod(&mut self, id: JobId, now: Moment) {
        match self.why_unschedulable() {
            Some(why) => self.cluster.cannot_place(id, Part::Grpc, why, now),
            None => drop(self.cluster.take_gpu_share(id, self.setup.gpu.size, now)),
        }
    }

    /// Gives the GPU share of a job that is over to the pods that wait for one.
    fn hand_on_gpu_shares(&mut self, at: Moment) {
        // Nobody waits where there is no limit.
        if self.setup.gpu.size.is_some() {
            self.share_out_gpus(at);
        }
    }

    /// Gives free GPU shares to the pods that wait for one, oldest first.
    pub(super) fn share_out_gpus(&mut self, at: Moment) {
        // A pod that is started here and finds its port taken gives its share back: to the next in the list below.
        if self.sharing_out {
            return;
        }
        self.sharing_out = true;
        let mut waiting: Vec<_> = self
            .jobs
            .iter()
            .filter(|(id, job)| job.state == JobState::Pending && !self.cluster.has_gpu_share(**id))
            .map(|(id, job)| (*id, self.pod_start(job.terms.quirks)))
            .collect();
        waiting.sort_by_key(|(id, _)| id.sequence);
        for (id, pod_start) in waiting {
            if let Some(why) = self.why_unschedulable() {
                self.cluster.cannot_place(id, Part::Grpc, why, at);
                continue;
            }
            self.cluster.take_gpu_share(id, self.setup.gpu.size, at);
            if pod_start.is_zero() {
                self.start_pod(id, at);
            } else {
                self.agenda.enter(at.after(pod_start), Event::PodStart(id));
            }
        }
        self.sharing_out = false;
    }

    /// Kills the streaming pod of a job, as somebody with access to the cluster would.
    pub fn kill_pod(&mut self, id: JobId, at: Moment) {
        self.finish(id, JobEvent::PodLost, at);
    }

    /// Deletes the cleanup job of a job by hand: nothing sweeps it any more, only its TTL removes it once it is over.
    pub fn delete_cleanup_job(&mut self, id: JobId, at: Moment) {
        let Some(job) = self.jobs.get(&id).filter(|job| job.state.is_live()) else { return };
        if !self.cluster.has(id, Object::CleanupJob) {
            return;
        }
        let over_since = job.over_since;
        self.cluster.by_hand(id, Object::CleanupJob);
        self.cluster.delete(id, Object::CleanupJob, at);
        self.journal.write(at, Happening::CleanupJobDeleted(id));
        self.plan_sweep(id, at);
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

    /// Changes what rehearsals want of the outside systems.
    pub fn change_dependencies(&mut self, new: Dependencies, at: Moment) {
        let old = std::mem::replace(&mut self.rehearsed, new);
        if new.mongodb == MongoDb::Restarting && old.mongodb != MongoDb::Restarting {
            let ready_at = at.after(POD_STARTS);
            self.mongodb_ready_at = Some(ready_at);
            self.agenda.enter(ready_at, Event::MongoDbReady);
            self.cluster.restart(Workload::MongoDb, at);
        }
        if new.mongodb == MongoDb::Up && old.mongodb == MongoDb::Restarting {
            self.cluster.hurry(Workload::MongoDb, at);
        }
        self.workloads_changed(at);
    }

    /// Makes of the outside systems what rehearsals want and the workloads have pods for.
    pub(super) fn settle(&mut self, at: Moment) {
        let new = self.met();
        let old = std::mem::replace(&mut self.dependencies, new);
        let changes = [
            (Outside::MongoDb(new.mongodb), old.mongodb != new.mongodb),
            (Outside::RabbitMq(new.rabbitmq), old.rabbitmq != new.rabbitmq),
            (Outside::Recorder(new.recorder), old.recorder != new.recorder),
            (Outside::Recordings(new.recordings), old.recordings != new.recordings),
            (Outside::Cluster(new.cluster), old.cluster != new.cluster),
            (Outside::FocusServer(new.focus_server), old.focus_server != new.focus_server),
            (Outside::Node(new.node), old.node != new.node),
        ];
        for (what, _) in changes.into_iter().filter(|(_, changed)| *changed) {
            self.journal.write(at, Happening::OutsideChanged(what));
        }
        self.follow_startup(old, at);
        match (old.recorder, new.recorder) {
            (Supply::Up, Supply::Down) => {
                self.recorder_down_since = Some(at);
                self.catalog.stop_recording(at.seconds());
            }
            (Supply::Down, Supply::Up) => {
                self.recorder_down_since = None;
                self.catalog.resume_recording(at.seconds());
            }
            (Supply::Up, Supply::Up) | (Supply::Down, Supply::Down) => {}
        }
    }

    /// The current states of the outside systems.
    #[must_use]
    pub fn dependencies(&self) -> Dependencies {
        self.dependencies
    }

    /// What this world was started from, with the limits as they are now.
    #[must_use]
    pub fn setup(&self) -> &Arc<super::setup::Setup> {
        &self.setup
    }
}
