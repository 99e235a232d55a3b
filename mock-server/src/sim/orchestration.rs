//! The door to the cluster: its objects, their changes, what their containers say, and what can be done to them.

use std::sync::Arc;
use std::time::Duration;

use super::agenda::Event;
use super::change::Outside;
use super::cluster::Object;
use super::cluster::edit::{Edit, EditRefused, Edited, MOST_PLANTED};
use super::cluster::facts::{
    Deleting, Facts, Key, Kind, NodeName, Outcome, Part, Pod, PodOf, Record, ServiceOf, Stage,
};
use super::cluster::logs::{LogLine, Said};
use super::cluster::pods::POD_STOPS;
use super::cluster::said::Watch;
use super::cluster::store::{Listing, Store};
use super::cluster::workloads::{Health, Workload};
use super::faults::AnyRoute;
use super::journal::{Happening, Removal};
use super::setup::{Dependencies, MongoDb, NodeState, Supply};
use super::simulation::Simulation;
use super::startup::Startup;
use super::sweep;
use super::world::World;
use crate::domain::ids::{JobId, NodePort, Slot};
use crate::domain::job::JobEvent;
use crate::domain::time::Moment;

/// Most lines of the journal that a log of the Focus Server tells: the newest.
const MOST_LINES: usize = 10_000;

impl Simulation {
    /// The objects of a kind, in one namespace or in all.
    #[must_use]
    pub fn objects(&self, kind: Kind, namespace: Option<&str>) -> Listing {
        // Under the world's lock: nobody sees half of what a command does.
        self.with(|world, _| world.store.list(kind, namespace))
    }

    /// An object.
    #[must_use]
    pub fn object(&self, key: &Key) -> Option<Arc<Record>> {
        self.with(|world, _| world.store.get(key))
    }

    /// All objects, and how they change.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Does something to the cluster; the object as it was left, or as it last was.
    ///
    /// # Errors
    /// When that cannot be done; then nothing has changed.
    pub fn edit(&self, edit: &Edit) -> Result<Arc<Record>, EditRefused> {
        self.with(|world, now| world.edit(edit, now))
    }

    /// What the container of a pod has said so far, oldest first, as far as it is kept; `None` when there is no such pod.
    #[must_use]
    pub fn log(&self, pod: &Key) -> Option<Vec<LogLine>> {
        self.with(|world, now| world.log(pod, now))
    }

    /// CPU that a pod uses now, in millicores; `None` when there is no such pod, or it does not run.
    #[must_use]
    pub fn cpu_of_pod(&self, pod: &Key) -> Option<u32> {
        self.with(|world, _| world.cpu_of_pod(pod))
    }

    /// CPU that all pods of a node use now, in millicores.
    #[must_use]
    pub fn cpu_of_node(&self, node: NodeName) -> u32 {
        self.with(|world, _| world.cpu_of_node(node))
    }
}

impl World {
    fn edit(&mut self, edit: &Edit, now: Moment) -> Result<Arc<Record>, EditRefused> {
        match edit {
            Edit::Delete { key, grace } => self.delete_object(key, *grace, now),
            Edit::CreateService { key, service } => {
                if self.cluster.planted() >= MOST_PLANTED {
                    return Err(EditRefused::TooManyServices);
                }
                for port in service.ports.iter().filter_map(|port| port.node_port) {
                    if self.is_allocated(port) {
                        return Err(EditRefused::PortAllocated { key: key.clone(), port });
                    }
                }
                let planted = self.cluster.plant(key.clone(), Arc::clone(service), now)?;
                self.journal.write(now, Happening::ClusterEdited(Edited::Created(key.clone())));
                Ok(planted)
            }
            Edit::Workload { workload, replicas, annotations, at } => {
                let (replicas, annotations) = (*replicas, annotations.as_ref());
                let before = self.cluster.workloads.replicas(*workload);
                let changed = self.cluster.change_workload(*workload, replicas, annotations, *at, now)?;
                let scaled = replicas.filter(|replicas| *replicas != before);
                let scaled = scaled.map(|replicas| Edited::Scaled(*workload, replicas));
                let restarted =
                    (scaled.is_none() && annotations.is_some()).then_some(Edited::Restarted(*workload));
                if let Some(edited) = scaled.or(restarted) {
                    self.journal.write(now, Happening::ClusterEdited(edited));
                }
                self.workloads_changed(now);
                Ok(self.store.get(&changed.key).unwrap_or(changed))
            }
            Edit::Node { name, unschedulable } => {
                let node = self.cluster.cordon(*name, *unschedulable, now);
                self.journal.write(now, Happening::ClusterEdited(Edited::Cordoned(*name, *unschedulable)));
                self.nodes_changed(now);
                Ok(node)
            }
        }
    }

    fn delete_object(
        &mut self,
        key: &Key,
        grace: Option<Duration>,
        now: Moment,
    ) -> Result<Arc<Record>, EditRefused> {
        let record = self.store.get(key).ok_or_else(|| EditRefused::NotFound(key.clone()))?;
        if record.deleting.is_some() {
            // It is on its way; only without any grace does it go faster.
            if grace == Some(Duration::ZERO) {
                self.cluster.hurry_away(key, now);
                self.workloads_changed(now);
            }
            return Ok(record);
        }
        if let Some((workload, number)) = self.cluster.workload_of_pod(key) {
            let takes = grace.unwrap_or(POD_STOPS).min(POD_STOPS);
            let deleted = self.cluster.delete_pod_by_hand(workload, number, takes, now);
            self.journal.write(now, Happening::ClusterEdited(Edited::Deleted(key.clone())));
            self.workloads_changed(now);
            return Ok(deleted.unwrap_or(record));
        }
        if let Some((id, part)) = self.cluster.part_of(key) {
            self.journal.write(now, Happening::ClusterEdited(Edited::Deleted(key.clone())));
            let deleted = match key.kind {
                Kind::Pod => self.delete_pod_of_job(id, part, grace, now),
                _ => self.delete_job_by_hand(id, part, now),
            };
            return Ok(deleted.unwrap_or(record));
        }
        let Facts::Service(service) = &record.facts else {
            return Err(EditRefused::AlwaysThere(key.clone()));
        };
        let deleted = match &service.of {
            ServiceOf::Job(of) => self.delete_service_by_hand(of.terms.id, now),
            ServiceOf::Planted(_) => self.cluster.unplant(key),
            ServiceOf::Workload(_) | ServiceOf::Headless(_) => {
                return Err(EditRefused::AlwaysThere(key.clone()));
            }
        };
        self.journal.write(now, Happening::ClusterEdited(Edited::Deleted(key.clone())));
        Ok(deleted.unwrap_or(record))
    }

    /// Somebody deletes the pod of a Job: the Job fails, for it starts no other.
    fn delete_pod_of_job(
        &mut self,
        id: JobId,
        part: Part,
        grace: Option<Duration>,
        now: Moment,
    ) -> Option<Arc<Record>> {
        let takes = grace.unwrap_or(POD_STOPS).min(POD_STOPS);
        match part {
            Part::Grpc => self.finish(id, JobEvent::PodLost, now),
            Part::Cleanup => self.stop_watching(id, now),
        }
        // Of a job that is over, or of which nobody knows, only the objects are there to fail.
        self.cluster.end(id, part, Outcome::Failed, true, now);
        let deleted = self.cluster.begin_to_delete_pod(id, part, Deleting { since: now, grace: takes });
        if takes.is_zero() {
            self.cluster.pod_is_gone(id, part);
        } else {
            self.agenda.enter(now.after(takes), Event::PodGone(id, part));
        }
        deleted
    }

    /// A cleanup pod is lost: its Job goes when its time is over, and nothing sweeps the product's job any more.
    fn stop_watching(&mut self, id: JobId, now: Moment) {
        self.cluster.end(id, Part::Cleanup, Outcome::Failed, true, now);
        self.agenda.enter(now.after(self.setup.times.cleanup_ttl), Event::CleanupJobOver(id));
        self.plan_sweep(id, now);
        let over_since = self.jobs.get(&id).filter(|job| job.state.is_live()).and_then(|job| job.over_since);
        if let Some(since) = over_since {
            self.agenda.enter(since.after(self.setup.times.job_ttl).max(now), Event::TtlOver(id));
        }
    }

    fn delete_job_by_hand(&mut self, id: JobId, part: Part, now: Moment) -> Option<Arc<Record>> {
        let live = self.jobs.get(&id).is_some_and(|job| job.state.is_live());
        match part {
            Part::Grpc if live => {
                self.remove(id, Removal::Deleted, now);
                None
            }
            Part::Cleanup if live => {
                self.delete_cleanup_job(id, now);
                None
            }
            Part::Grpc => self.take_away(id, Object::GrpcJob, now),
            Part::Cleanup => self.take_away(id, Object::CleanupJob, now),
        }
    }

    /// Somebody deletes the Service of a job: its port closes, and those who read from it read on.
    fn delete_service_by_hand(&mut self, id: JobId, now: Moment) -> Option<Arc<Record>> {
        if let Some(door) = self.jobs.get_mut(&id).and_then(|job| job.door.as_mut()) {
            door.shut();
        }
        self.take_away(id, Object::Service, now)
    }

    /// Takes an object away that belongs to a job, or was left behind by one.
    fn take_away(&mut self, id: JobId, object: Object, now: Moment) -> Option<Arc<Record>> {
        self.cluster.by_hand(id, object);
        self.left.objects.remove(&(id, object));
        self.cluster.delete(id, object, now)
    }

    /// Whether a Service has a node port.
    fn is_allocated(&self, port: NodePort) -> bool {
        let slot = port.number().checked_sub(self.setup.ports.base()).and_then(Slot::new);
        !self.cluster.planted_on(port).is_empty()
            || slot.is_some_and(|slot| self.cluster.has_service_on(slot))
    }

    /// The pods of the workloads have changed, or what rehearsals want of them.
    pub(super) fn workloads_changed(&mut self, at: Moment) {
        for (when, due) in self.cluster.workloads.take_due() {
            self.agenda.enter(when, Event::Workload(due));
        }
        self.settle(at);
        self.show_health(at);
        self.follow_node(at);
    }

    /// Lets the worker be ready, or not, as a rehearsal wants.
    fn follow_node(&mut self, at: Moment) {
        let ready = self.dependencies.node == NodeState::Ready;
        if self.cluster.set_worker_ready(ready, at) {
            self.nodes_changed(at);
        }
    }

    /// The nodes take pods, or no more.
    pub(super) fn nodes_changed(&mut self, at: Moment) {
        // First those who sample: a job that starts is swept from then on.
        for id in self.cluster.place_cleanup_pods(at) {
            self.plan_sweep(id, at);
        }
        self.share_out_gpus(at);
        self.cluster.place_workload_pods(at);
        self.workloads_changed(at);
    }

    /// What the product meets: what rehearsals want, as far as there are pods for it.
    pub(super) fn met(&self) -> Dependencies {
        let up = |workload| self.cluster.workloads.is_up(workload);
        let with = |workload, wanted| if up(workload) { wanted } else { Supply::Down };
        let wanted = self.rehearsed;
        Dependencies {
            mongodb: match wanted.mongodb {
                MongoDb::Up if !up(Workload::MongoDb) => MongoDb::Down,
                wanted => wanted,
            },
            rabbitmq: with(Workload::RabbitMq, wanted.rabbitmq),
            recorder: with(Workload::SegyRecorder, wanted.recorder),
            focus_server: with(Workload::FocusServer, wanted.focus_server),
            ..wanted
        }
    }

    /// Shows what rehearsals make of the pods: those that run without doing their work are not ready.
    pub(super) fn show_health(&mut self, at: Moment) {
        let of = |supply| if supply == Supply::Up { Health::Good } else { Health::Silent };
        let wanted = self.rehearsed;
        let mongodb = match wanted.mongodb {
            MongoDb::Up | MongoDb::Restarting => Health::Good,
            MongoDb::Down | MongoDb::SlowFail => Health::Silent,
        };
        let server = match self.startup {
            Some(Startup::WaitsForMongoDb) => Health::Exits,
            Some(Startup::PodStarts(_)) => Health::Silent,
            None => of(wanted.focus_server),
        };
        self.cluster.set_health(Workload::MongoDb, mongodb, at);
        self.cluster.set_health(Workload::RabbitMq, of(wanted.rabbitmq), at);
        self.cluster.set_health(Workload::SegyRecorder, of(wanted.recorder), at);
        self.cluster.set_health(Workload::FocusServer, server, at);
    }

    fn log(&self, pod: &Key, now: Moment) -> Option<Vec<LogLine>> {
        let times = &self.setup.times;
        let watch = Watch {
            period: times.sweep_period,
            hits: times.sweep_hits,
            threshold_m: times.sweep_cpu_threshold_m,
        };
        let Some((workload, since, mut lines)) = self.cluster.log_of_workload(pod) else {
            return self.cluster.log_of_job(pod, watch, now);
        };
        if let (Workload::FocusServer, Some(since)) = (workload, since) {
            let written = self.journal.written();
            let first = self.began_after().max(written.saturating_sub(MOST_LINES as u64));
            let told = self.journal.select(first, MOST_LINES, |entry| {
                let tells = match &entry.what {
                    // What the cluster is asked is none of the Focus Server's business.
                    Happening::Request(record) => matches!(record.route, AnyRoute::Rest(_)),
                    // Its own absence is nothing that it could tell of.
                    Happening::OutsideChanged(Outside::FocusServer(_)) => false,
                    _ => true,
                };
                tells && entry.at >= since
            });
            lines.extend(
                told.into_iter().map(|entry| LogLine { at: entry.at, what: Said::Happened(entry.what) }),
            );
        }
        Some(lines)
    }

    fn cpu_of_pod(&self, pod: &Key) -> Option<u32> {
        let record = self.store.get(pod)?;
        let Facts::Pod(Pod { of, stage: Stage::Running { .. }, .. }) = &record.facts else { return None };
        Some(match of {
            PodOf::Job(of) => match of.part {
                Part::Grpc => self.jobs.get(&of.terms.id).map_or(sweep::IDLE_CPU_M, sweep::cpu),
                Part::Cleanup => CLEANUP_CPU_M,
            },
            PodOf::Workload { workload, .. } => match workload {
                Workload::FocusServer => 15,
                Workload::SegyRecorder => 60,
                Workload::MongoDb => 30,
                Workload::RabbitMq => 25,
            },
        })
    }

    fn cpu_of_node(&self, node: NodeName) -> u32 {
        match node {
            NodeName::Master => SYSTEM_CPU_M,
            NodeName::Worker => {
                let pods = self.store.list(Kind::Pod, None).records;
                let used: u32 = pods.iter().filter_map(|pod| self.cpu_of_pod(&pod.key)).sum();
                SYSTEM_CPU_M + used
            }
        }
    }
}

// **Chosen**: what nothing is known of, in millicores: a cleanup pod, and what a node runs besides pods.
const CLEANUP_CPU_M: u32 = 1;
const SYSTEM_CPU_M: u32 = 120;
