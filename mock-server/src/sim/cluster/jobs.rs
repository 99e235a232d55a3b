//! The objects of jobs: two Jobs with a pod each, a Service with its Endpoints, and what the pods have said.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::events::Reason;
use super::facts::{
    Backend, ClusterJob, Deleting, Endpoints, Facts, Key, Kind, Outcome, Over, Owner, Part, PartOfJob,
    Placed, Pod, PodOf, Record, Service, ServiceAddress, ServiceOf, Stage,
};
use super::{Cluster, GONE_REMEMBERED, Object, cleanup_job_name, grpc_job_name, pod_name, service_name};
use crate::domain::ids::{JobId, StreamIndex};
use crate::domain::job::Terms;
use crate::domain::time::Moment;

/// How much of what a streaming pod has said is kept.
const LINES_KEPT: usize = 256;

/// The objects of one job.
pub(super) struct JobObjects {
    pub(super) terms: Arc<Terms>,
    pub(super) created: Moment,
    grpc: Option<JobPart>,
    cleanup: Option<JobPart>,
    service: Option<ServiceAddress>,
    queue: bool,
    /// What was deleted by hand.
    pub(super) by_hand: BTreeSet<Object>,
    pub(super) said: Dialogue,
    /// When the idle sweep, or another end, took them away.
    pub(super) removed: Option<(Moment, bool)>,
}

/// A Job with its pod.
struct JobPart {
    job: Owner,
    pod_key: Key,
    /// Nothing once it was deleted by hand and is gone.
    pod: Option<PodLife>,
    over: Option<Over>,
}

/// A pod, as far as it is in its life.
#[derive(Clone, Copy)]
pub(super) struct PodLife {
    pub(super) placed: Option<Placed>,
    pub(super) stage: Stage,
    pub(super) deleting: Option<Deleting>,
}

/// Who read from a streaming pod, as far as it is kept.
#[derive(Default)]
pub(super) struct Dialogue {
    pub(super) lines: VecDeque<(Moment, Call)>,
    /// When the newest line came that is not kept any more.
    pub(super) forgotten: Option<Moment>,
}

/// A call on a stream begins, or has ended after so many frames.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) enum Call {
    Opened(StreamIndex),
    Closed(StreamIndex, u64),
}

impl JobObjects {
    fn new(terms: &Arc<Terms>, now: Moment) -> Self {
        Self {
            terms: Arc::clone(terms),
            created: now,
            grpc: None,
            cleanup: None,
            service: None,
            queue: false,
            by_hand: BTreeSet::new(),
            said: Dialogue::default(),
            removed: None,
        }
    }

    pub(super) fn has(&self, object: Object) -> bool {
        match object {
            Object::GrpcJob => self.grpc.is_some(),
            Object::CleanupJob => self.cleanup.is_some(),
            Object::Service => self.service.is_some(),
            Object::Queue => self.queue,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        Object::ALL.iter().all(|object| !self.has(*object))
    }

    fn part(&self, part: Part) -> Option<&JobPart> {
        match part {
            Part::Grpc => self.grpc.as_ref(),
            Part::Cleanup => self.cleanup.as_ref(),
        }
    }

    fn part_mut(&mut self, part: Part) -> Option<&mut JobPart> {
        match part {
            Part::Grpc => self.grpc.as_mut(),
            Part::Cleanup => self.cleanup.as_mut(),
        }
    }

    pub(super) fn pod(&self, part: Part) -> Option<&PodLife> {
        self.part(part)?.pod.as_ref()
    }
}

impl Part {
    fn object(self) -> Object {
        match self {
            Self::Grpc => Object::GrpcJob,
            Self::Cleanup => Object::CleanupJob,
        }
    }

    fn job_name(self, id: JobId) -> String {
        match self {
            Self::Grpc => grpc_job_name(id),
            Self::Cleanup => cleanup_job_name(id),
        }
    }
}

impl Cluster {
    /// Creates an object of a job; pods wait for a node then.
    pub(in crate::sim) fn create(&mut self, terms: &Arc<Terms>, object: Object, now: Moment) {
        let id = terms.id;
        self.jobs.entry(id).or_insert_with(|| JobObjects::new(terms, now));
        match object {
            Object::GrpcJob => self.create_job(terms, Part::Grpc, now),
            Object::CleanupJob => {
                self.create_job(terms, Part::Cleanup, now);
                self.place(id, Part::Cleanup, now);
                self.start(id, Part::Cleanup, now);
            }
            Object::Service => {
                let address = ServiceAddress(self.address());
                self.change(id, |objects| objects.service = Some(address));
                let of = service_of(terms);
                let key = self.key(Kind::Service, service_name(id));
                self.show_service(&key, Service { of: of.clone(), address: Some(address) }, now);
                self.show_endpoints_of(id, now);
            }
            Object::Queue => self.change(id, |objects| objects.queue = true),
        }
    }

    fn create_job(&mut self, terms: &Arc<Terms>, part: Part, now: Moment) {
        let id = terms.id;
        let key = self.key(Kind::Job, part.job_name(id));
        let pod_key = self.key(Kind::Pod, pod_name(self.seed, &key.name));
        let of = PartOfJob { part, terms: Arc::clone(terms) };
        let job = self.store.put(key, now, None, Facts::Job(ClusterJob { of, over: None }));
        let owner = Owner { key: job.key.clone(), uid: job.uid };
        let pod = PodLife { placed: None, stage: Stage::Creating, deleting: None };
        let created = Reason::SuccessfulCreate(Arc::clone(&pod_key.name));
        let new = Some(JobPart { job: owner, pod_key, pod: Some(pod), over: None });
        self.change(id, |objects| match part {
            Part::Grpc => objects.grpc = new,
            Part::Cleanup => objects.cleanup = new,
        });
        self.tell(&job, created, now);
        self.show_pod_of(id, part, now);
    }

    /// Gives a pod a node, if one takes it, or says why not.
    pub(super) fn place(&mut self, id: JobId, part: Part, now: Moment) {
        if let Some(why) = self.why_no_node() {
            return self.cannot_place(id, part, why, now);
        }
        if self.pod_mut(id, part).is_none_or(|pod| pod.placed.is_some()) {
            return;
        }
        let placed = self.placed(now);
        let Some(pod) = self.pod_mut(id, part) else { return };
        pod.placed = Some(placed);
        pod.stage = Stage::Creating;
        let shown = self.show_pod_of(id, part, now);
        self.tell_about(shown, Reason::Scheduled(placed.node), now);
    }

    /// No node takes the pod of a job.
    pub(in crate::sim) fn cannot_place(
        &mut self,
        id: JobId,
        part: Part,
        why: super::facts::Unschedulable,
        now: Moment,
    ) {
        let Some(pod) = self.pod_mut(id, part).filter(|pod| pod.placed.is_none()) else { return };
        let stage = Stage::Unschedulable(why);
        if pod.stage == stage {
            return;
        }
        pod.stage = stage;
        let shown = self.show_pod_of(id, part, now);
        self.tell_about(shown, Reason::FailedScheduling(why), now);
    }

    /// The container of a pod runs and is ready.
    pub(in crate::sim) fn start(&mut self, id: JobId, part: Part, now: Moment) {
        let Some(pod) = self.pod_mut(id, part) else { return };
        if pod.placed.is_none() || pod.stage != Stage::Creating {
            return;
        }
        pod.stage = Stage::Running { since: now, ready: Some(now) };
        let shown = self.show_pod_of(id, part, now);
        if let Some(pod) = shown {
            for reason in [Reason::Pulled, Reason::Created, Reason::Started] {
                self.tell(&pod, reason, now);
            }
        }
        if part == Part::Grpc {
            self.show_endpoints_of(id, now);
        }
    }

    /// Places and starts the cleanup pods that wait for a node; of which jobs.
    pub(in crate::sim) fn place_cleanup_pods(&mut self, now: Moment) -> Vec<JobId> {
        let waits = |objects: &JobObjects| objects.pod(Part::Cleanup).is_some_and(|pod| pod.placed.is_none());
        let waiting: Vec<_> =
            self.jobs.iter().filter(|(_, objects)| waits(objects)).map(|(id, _)| *id).collect();
        for id in &waiting {
            self.place(*id, Part::Cleanup, now);
            self.start(*id, Part::Cleanup, now);
        }
        waiting
    }

    /// A Job of a job comes to its end, and its pod with it: killed, or by itself.
    pub(in crate::sim) fn end(&mut self, id: JobId, part: Part, how: Outcome, killed: bool, at: Moment) {
        let over = Over { at, how };
        let Some(of_job) = self.jobs.get_mut(&id).and_then(|objects| objects.part_mut(part)) else { return };
        if of_job.over.is_some() {
            return;
        }
        of_job.over = Some(over);
        let stopped = of_job.pod.as_mut().is_some_and(|pod| {
            let started = match pod.stage {
                Stage::Running { since, .. } | Stage::CrashLoop { since } => Some(since),
                Stage::Unschedulable(_) | Stage::Creating | Stage::Over { .. } => None,
            };
            pod.stage = Stage::Over { started, over };
            started.is_some()
        });
        let pod = self.show_pod_of(id, part, at);
        if stopped && killed {
            self.tell_about(pod, Reason::Killing, at);
        }
        self.show_job_of(id, part, at);
        if part == Part::Grpc {
            self.show_endpoints_of(id, at);
        }
    }

    /// Deletes an object if it exists; a job of which nothing is left is forgotten.
    pub(in crate::sim) fn delete(&mut self, id: JobId, object: Object, at: Moment) -> Option<Arc<Record>> {
        let gone = match object {
            Object::GrpcJob => {
                self.gpu_shares.remove(&id);
                self.delete_job(id, Part::Grpc, at)
            }
            Object::CleanupJob => self.delete_job(id, Part::Cleanup, at),
            Object::Service => {
                let key = self.key(Kind::Service, service_name(id));
                let there = self.jobs.get_mut(&id).and_then(|objects| objects.service.take());
                there.and_then(|_| self.hide_service(&key))
            }
            Object::Queue => {
                self.change(id, |objects| objects.queue = false);
                None
            }
        };
        if self.jobs.get(&id).is_some_and(JobObjects::is_empty)
            && let Some(objects) = self.jobs.remove(&id)
        {
            self.gone.push_back(objects);
            if self.gone.len() > GONE_REMEMBERED {
                self.gone.pop_front();
            }
        }
        gone
    }

    fn delete_job(&mut self, id: JobId, part: Part, at: Moment) -> Option<Arc<Record>> {
        let objects = self.jobs.get_mut(&id)?;
        let gone = match part {
            Part::Grpc => objects.grpc.take(),
            Part::Cleanup => objects.cleanup.take(),
        }?;
        let runs = |pod: &PodLife| matches!(pod.stage, Stage::Running { .. }) && pod.deleting.is_none();
        if gone.pod.as_ref().is_some_and(runs)
            && let Some(pod) = self.store.get(&gone.pod_key)
        {
            self.tell(&pod, Reason::Killing, at);
        }
        self.store.remove(&gone.pod_key);
        self.store.remove(&gone.job.key)
    }

    /// Remembers that somebody with access to the cluster took an object away.
    pub(in crate::sim) fn by_hand(&mut self, id: JobId, object: Object) {
        self.change(id, |objects| objects.by_hand.extend([object]));
    }

    /// Remembers when the objects of a job went, and whether the idle sweep took them.
    pub(in crate::sim) fn goes(&mut self, id: JobId, swept: bool, at: Moment) {
        self.change(id, |objects| objects.removed = Some((at, swept)));
    }

    /// Begins to delete the pod of a Job.
    pub(in crate::sim) fn begin_to_delete_pod(
        &mut self,
        id: JobId,
        part: Part,
        deleting: Deleting,
    ) -> Option<Arc<Record>> {
        self.change(id, |objects| objects.by_hand.extend([part.object()]));
        self.pod_mut(id, part)?.deleting = Some(deleting);
        self.show_pod_of(id, part, deleting.since)
    }

    /// A pod that was being deleted is gone.
    pub(in crate::sim) fn pod_is_gone(&mut self, id: JobId, part: Part) {
        let of_job = self.jobs.get_mut(&id).and_then(|objects| objects.part_mut(part));
        if let Some(of_job) = of_job
            && of_job.pod.take_if(|pod| pod.deleting.is_some()).is_some()
        {
            self.store.remove(&of_job.pod_key);
        }
    }

    /// A client opened a call on a stream of a job, or let it go.
    pub(in crate::sim) fn note_call(&mut self, id: JobId, call: Call, at: Moment) {
        self.change(id, |objects| objects.said.note(call, at));
        self.store.note_news();
    }

    /// The job and part that a pod, or a Job, is of.
    pub(in crate::sim) fn part_of(&self, key: &Key) -> Option<(JobId, Part)> {
        match &self.store.get(key)?.facts {
            Facts::Job(ClusterJob { of, .. }) | Facts::Pod(Pod { of: PodOf::Job(of), .. }) => {
                Some((of.terms.id, of.part))
            }
            _ => None,
        }
    }

    /// What there is, or was a moment ago, of a job one of whose pods has that name.
    pub(super) fn of_pod(&self, pod: &Key) -> Option<(&JobObjects, Part)> {
        let parts = [Part::Grpc, Part::Cleanup];
        let name = |id, part: Part| pod_name(self.seed, &part.job_name(id));
        let id = match self.part_of(pod) {
            Some((id, part)) => return self.jobs.get(&id).map(|objects| (objects, part)),
            None => pod,
        };
        let gone = self.gone.iter().rev().find_map(|objects| {
            let part = parts.into_iter().find(|part| *id.name == *name(objects.terms.id, *part))?;
            Some((objects, part))
        });
        gone.filter(|_| pod.namespace == self.namespace)
    }

    /// The names of the pods of a job that are there.
    pub(in crate::sim) fn pods_of(&self, id: JobId) -> impl Iterator<Item = Arc<str>> {
        let parts = self.jobs.get(&id).into_iter().flat_map(|objects| [&objects.grpc, &objects.cleanup]);
        parts.flatten().filter(|part| part.pod.is_some()).map(|part| Arc::clone(&part.pod_key.name))
    }

    /// Where the pod of a job is in its life.
    pub(in crate::sim) fn stage(&self, id: JobId, part: Part) -> Option<Stage> {
        Some(self.jobs.get(&id)?.pod(part)?.stage)
    }

    /// Whether the cleanup pod of a job samples it.
    pub(in crate::sim) fn is_watched(&self, id: JobId) -> bool {
        let cleanup = self.stage(id, Part::Cleanup);
        cleanup.is_some_and(|stage| matches!(stage, Stage::Running { .. }))
    }

    fn change(&mut self, id: JobId, change: impl FnOnce(&mut JobObjects)) {
        if let Some(objects) = self.jobs.get_mut(&id) {
            change(objects);
        }
    }

    fn pod_mut(&mut self, id: JobId, part: Part) -> Option<&mut PodLife> {
        self.jobs.get_mut(&id)?.part_mut(part)?.pod.as_mut()
    }

    fn tell_about(&mut self, shown: Option<Arc<Record>>, reason: Reason, at: Moment) {
        if let Some(record) = shown {
            self.tell(&record, reason, at);
        }
    }

    fn show_pod_of(&self, id: JobId, part: Part, now: Moment) -> Option<Arc<Record>> {
        let objects = self.jobs.get(&id)?;
        let of_job = objects.part(part)?;
        let pod = of_job.pod.as_ref()?;
        let facts = Facts::Pod(Pod {
            of: PodOf::Job(PartOfJob { part, terms: Arc::clone(&objects.terms) }),
            owner: of_job.job.clone(),
            placed: pod.placed,
            stage: pod.stage,
            restarts: 0,
        });
        Some(self.store.put(of_job.pod_key.clone(), now, pod.deleting, facts))
    }

    fn show_job_of(&mut self, id: JobId, part: Part, at: Moment) {
        let Some(objects) = self.jobs.get(&id) else { return };
        let Some(of_job) = objects.part(part) else { return };
        let of = PartOfJob { part, terms: Arc::clone(&objects.terms) };
        let facts = Facts::Job(ClusterJob { of, over: of_job.over });
        let job = self.store.put(of_job.job.key.clone(), at, None, facts);
        let reason = match of_job.over.map(|over| over.how) {
            None => return,
            Some(Outcome::Succeeded) => Reason::Completed,
            Some(Outcome::Failed) => Reason::BackoffLimitExceeded,
        };
        self.tell(&job, reason, at);
    }

    fn show_endpoints_of(&self, id: JobId, now: Moment) {
        let Some(objects) = self.jobs.get(&id).filter(|objects| objects.service.is_some()) else { return };
        let backend = objects.part(Part::Grpc).and_then(|of_job| {
            let pod = of_job.pod.as_ref().filter(|pod| matches!(pod.stage, Stage::Running { .. }))?;
            let shown = self.store.get(&of_job.pod_key)?;
            Some(Backend { pod: Owner { key: shown.key.clone(), uid: shown.uid }, placed: pod.placed? })
        });
        let endpoints = Endpoints { of: service_of(&objects.terms), backends: backend.into_iter().collect() };
        self.show_endpoints(&self.key(Kind::Service, service_name(id)), endpoints, now);
    }
}

impl Dialogue {
    fn note(&mut self, call: Call, at: Moment) {
        self.lines.push_back((at, call));
        if self.lines.len() > LINES_KEPT
            && let Some((at, _)) = self.lines.pop_front()
        {
            self.forgotten = Some(at);
        }
    }
}

fn service_of(terms: &Arc<Terms>) -> ServiceOf {
    ServiceOf::Job(PartOfJob { part: Part::Grpc, terms: Arc::clone(terms) })
}
