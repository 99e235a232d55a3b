//! The pods of the workloads: how they come, become ready, go and are replaced.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::edit::{EditRefused, MOST_REPLICAS};
use super::events::Reason;
use super::facts::{
    Backend, Deleting, Endpoints, Facts, Key, Kind, Owner, Pod, PodOf, Record, Scale, Stage, Version,
};
use super::workloads::{Due, Health, PodNumber, PodState, Workload};
use super::{Cluster, numbered_pod_name};
use crate::domain::time::Moment;

/// From a new pod of a workload to its readiness.
pub(in crate::sim) const POD_STARTS: Duration = Duration::from_secs(3);
/// How long a pod that is deleted takes to go. **Chosen**: clients know of no longer than 2 s.
pub(in crate::sim) const POD_STOPS: Duration = Duration::from_millis(1500);
/// How long the name of a StatefulSet's pod that was deleted by hand is missing: a client that polls every 5 s sees it.
const NAME_IS_MISSING: Duration = Duration::from_secs(6);

impl Cluster {
    /// Gives a workload so many pods, and its pods another template.
    pub(in crate::sim) fn change_workload(
        &mut self,
        workload: Workload,
        replicas: Option<u32>,
        annotations: Option<&BTreeMap<String, String>>,
        must_be: Option<Version>,
        now: Moment,
    ) -> Result<Arc<Record>, EditRefused> {
        let key = self.key(workload.kind(), workload.name());
        let shown = self.store.get(&key).ok_or_else(|| EditRefused::NotFound(key.clone()))?;
        if must_be.is_some_and(|version| version != shown.version) {
            return Err(EditRefused::Conflict(key));
        }
        if let Some(replicas) = replicas.filter(|replicas| *replicas > MOST_REPLICAS) {
            return Err(EditRefused::TooManyReplicas(replicas));
        }
        let former = self.owner_key(workload);
        let state = self.workloads.of(workload);
        let (old, new) = (state.replicas, replicas.unwrap_or(state.replicas));
        let other = annotations.filter(|annotations| **annotations != *state.annotations);
        let restarts = other.is_some();
        if new == old && !restarts {
            return Ok(shown);
        }
        state.generation += 1;
        state.replicas = new;
        if let Some(annotations) = other {
            state.annotations = Arc::new(annotations.clone());
            state.revision += 1;
            if !workload.is_stateful() {
                self.store.remove(&former);
            }
        }
        if new != old && !workload.is_stateful() {
            let replica_set = self.replica_set(workload).into();
            self.tell(&shown, Reason::ScalingReplicaSet { replica_set, from: old, to: new }, now);
        }
        if restarts {
            self.delete_pods(workload, |_| true, now);
        }
        // A name that nobody has any more is missing to nobody.
        self.workloads.of(workload).missing.retain(|ordinal, _| *ordinal < new);
        let surplus = self.surplus(workload);
        self.delete_pods(workload, |number| surplus.contains(&number), now);
        self.refill(workload, now);
        Ok(self.show_workload(workload, now))
    }

    /// The pods that are more than there shall be: the newest go first, of a StatefulSet the highest.
    fn surplus(&self, workload: Workload) -> Vec<PodNumber> {
        let state = &self.workloads.all[&workload];
        let staying = state.pods.iter().filter(|(_, pod)| pod.deleting.is_none());
        let mut staying: Vec<_> = staying.map(|(number, pod)| (pod.ordinal, *number)).collect();
        if workload.is_stateful() {
            staying.retain(|(ordinal, _)| ordinal.is_some_and(|ordinal| ordinal >= state.replicas));
        } else {
            let most = usize::try_from(state.replicas).unwrap_or(usize::MAX).min(staying.len());
            staying.drain(..most);
        }
        staying.into_iter().map(|(_, number)| number).collect()
    }

    /// Replaces every pod of a workload.
    pub(in crate::sim) fn restart(&mut self, workload: Workload, now: Moment) {
        self.delete_pods(workload, |_| true, now);
        self.refill(workload, now);
        self.show_workload(workload, now);
    }

    fn delete_pods(&mut self, workload: Workload, wanted: impl Fn(PodNumber) -> bool, now: Moment) {
        let pods = &self.workloads.all[&workload].pods;
        let meant: Vec<_> = pods.keys().copied().filter(|number| wanted(*number)).collect();
        for number in meant {
            self.delete_workload_pod(workload, number, POD_STOPS, now);
        }
    }

    /// The pod of a workload that has that name.
    pub(in crate::sim) fn workload_of_pod(&self, key: &Key) -> Option<(Workload, PodNumber)> {
        self.workloads.all.iter().find_map(|(workload, state)| {
            let (number, _) = state.pods.iter().find(|(_, pod)| pod.key == *key)?;
            Some((*workload, *number))
        })
    }

    /// Deletes a pod of a workload by hand; another one takes its place.
    pub(in crate::sim) fn delete_pod_by_hand(
        &mut self,
        workload: Workload,
        number: PodNumber,
        takes: Duration,
        now: Moment,
    ) -> Option<Arc<Record>> {
        self.miss_name(workload, number, now.after(takes));
        let deleted = self.delete_workload_pod(workload, number, takes, now);
        self.refill(workload, now);
        self.show_workload(workload, now);
        deleted
    }

    /// The name of a StatefulSet's pod that is gone from then on will be missing for a while.
    fn miss_name(&mut self, workload: Workload, number: PodNumber, gone: Moment) {
        let state = self.workloads.of(workload);
        if let Some(ordinal) = state.pods.get(&number).and_then(|pod| pod.ordinal) {
            let again = gone.after(NAME_IS_MISSING);
            state.missing.insert(ordinal, again);
            self.workloads.due.push((again, Due::Refill(workload)));
        }
    }

    /// Deletes a pod; as it was shown last while it was there.
    fn delete_workload_pod(
        &mut self,
        workload: Workload,
        number: PodNumber,
        takes: Duration,
        now: Moment,
    ) -> Option<Arc<Record>> {
        let pod = self.workloads.of(workload).pods.get_mut(&number)?;
        if pod.deleting.is_some() {
            return None;
        }
        pod.deleting = Some(Deleting { since: now, grace: takes });
        if let Stage::Running { since, .. } = pod.stage {
            pod.stage = Stage::Running { since, ready: None };
        }
        let (key, owner) = (pod.key.clone(), pod.owner.clone());
        self.show_pod(workload, number, now);
        let shown = self.store.get(&key)?;
        self.tell(&shown, Reason::Killing, now);
        self.tell_of(owner, Reason::SuccessfulDelete(key.name), now);
        if takes.is_zero() {
            self.workload_is_due(Due::Gone(workload, number), now);
        } else {
            self.workloads.due.push((now.after(takes), Due::Gone(workload, number)));
        }
        Some(shown)
    }

    /// A pod that is being deleted goes now.
    pub(in crate::sim) fn hurry_away(&mut self, key: &Key, now: Moment) {
        if let Some((workload, number)) = self.workload_of_pod(key) {
            self.miss_name(workload, number, now);
            self.workload_is_due(Due::Gone(workload, number), now);
        } else if let Some((id, part)) = self.part_of(key) {
            self.pod_is_gone(id, part);
        }
    }

    /// Something that was due happens.
    pub(in crate::sim) fn workload_is_due(&mut self, due: Due, at: Moment) {
        let workload = match due {
            Due::Ready(workload, number) => {
                self.pod_starts(workload, number, at);
                workload
            }
            Due::Gone(workload, number) => {
                if let Some(pod) = self.workloads.of(workload).pods.remove(&number) {
                    self.store.remove(&pod.key);
                }
                self.refill(workload, at);
                workload
            }
            Due::Refill(workload) => {
                self.refill(workload, at);
                workload
            }
        };
        self.show_workload(workload, at);
    }

    fn pod_starts(&mut self, workload: Workload, number: PodNumber, at: Moment) {
        let state = self.workloads.of(workload);
        let health = state.service;
        let starts = |pod: &&mut PodState| pod.deleting.is_none() && pod.stage == Stage::Creating;
        let Some(pod) = state.pods.get_mut(&number).filter(starts) else { return };
        pod.stage = stage(health, at, at);
        let key = pod.key.clone();
        self.show_pod(workload, number, at);
        if let Some(pod) = self.store.get(&key) {
            for reason in [Reason::Pulled, Reason::Created, Reason::Started] {
                self.tell(&pod, reason, at);
            }
        }
    }

    /// Lets the pods of a workload that are about to start be ready now: a rehearsal says that it is up.
    pub(in crate::sim) fn hurry(&mut self, workload: Workload, now: Moment) {
        let pods = &self.workloads.all[&workload].pods;
        let placed: Vec<_> =
            pods.iter().filter(|(_, pod)| pod.placed.is_some()).map(|(number, _)| *number).collect();
        for number in placed {
            self.pod_starts(workload, number, now);
        }
        self.show_workload(workload, now);
    }

    /// Creates the pods that are missing.
    fn refill(&mut self, workload: Workload, now: Moment) {
        while let Some((name, ordinal)) = self.next_missing(workload, now) {
            self.create_pod(workload, name, ordinal, now);
        }
    }

    /// The name, and the ordinal of a StatefulSet's, of the next pod that there should be and is not.
    fn next_missing(&self, workload: Workload, now: Moment) -> Option<(String, Option<u32>)> {
        let state = &self.workloads.all[&workload];
        if workload.is_stateful() {
            // The pod that has the name may be about to go.
            let taken = |ordinal| state.pods.values().any(|pod| pod.ordinal == Some(ordinal));
            let missed = |ordinal| state.missing.get(&ordinal).is_some_and(|until| now < *until);
            let free = (0..state.replicas).find(|ordinal| !taken(*ordinal) && !missed(*ordinal))?;
            return Some((format!("{}-{free}", workload.name()), Some(free)));
        }
        let staying = state.pods.values().filter(|pod| pod.deleting.is_none()).count();
        let is_missing = staying < usize::try_from(state.replicas).unwrap_or(usize::MAX);
        let replica_set = self.replica_set(workload);
        is_missing.then(|| (numbered_pod_name(self.seed, &replica_set, self.workloads.pods), None))
    }

    fn create_pod(&mut self, workload: Workload, name: String, ordinal: Option<u32>, now: Moment) {
        self.workloads.pods += 1;
        let number = PodNumber(self.workloads.pods);
        let key = self.key(Kind::Pod, name);
        let created = Reason::SuccessfulCreate(Arc::clone(&key.name));
        self.show_workload(workload, now);
        let Some(owner) = self.store.get(&self.owner_key(workload)) else { return };
        let state = self.workloads.of(workload);
        let pod = PodState {
            key,
            owner: Owner { key: owner.key.clone(), uid: owner.uid },
            ordinal,
            placed: None,
            stage: Stage::Creating,
            deleting: None,
            revision: state.revision,
            restarts: 0,
        };
        state.pods.insert(number, pod);
        self.tell(&owner, created, now);
        self.show_pod(workload, number, now);
        self.place_workload_pod(workload, number, now);
    }

    fn place_workload_pod(&mut self, workload: Workload, number: PodNumber, now: Moment) {
        let why = self.why_no_node();
        let Some(pod) = self.workloads.all[&workload].pods.get(&number) else { return };
        if pod.placed.is_some()
            || pod.deleting.is_some()
            || why.is_some_and(|why| pod.stage == Stage::Unschedulable(why))
        {
            return;
        }
        let key = pod.key.clone();
        let placed = why.is_none().then(|| self.placed(now));
        let stage = why.map_or(Stage::Creating, Stage::Unschedulable);
        let Some(pod) = self.workloads.of(workload).pods.get_mut(&number) else { return };
        (pod.stage, pod.placed) = (stage, placed);
        let reason = match (why, placed) {
            (None, Some(placed)) => {
                self.workloads.due.push((now.after(POD_STARTS), Due::Ready(workload, number)));
                Reason::Scheduled(placed.node)
            }
            (None, None) => return,
            (Some(why), _) => Reason::FailedScheduling(why),
        };
        self.show_pod(workload, number, now);
        if let Some(pod) = self.store.get(&key) {
            self.tell(&pod, reason, now);
        }
    }

    /// Places the pods that wait for a node.
    pub(in crate::sim) fn place_workload_pods(&mut self, now: Moment) {
        for workload in Workload::ALL {
            let waiting: Vec<_> = self.workloads.all[&workload].pods.keys().copied().collect();
            for number in waiting {
                self.place_workload_pod(workload, number, now);
            }
            self.show_workload(workload, now);
        }
    }

    /// The first pods of the world: they run already.
    pub(super) fn begin_workload(&mut self, workload: Workload, now: Moment) {
        self.refill(workload, now);
        let due = self.workloads.take_due();
        for (_, due) in due {
            self.workload_is_due(due, now);
        }
    }

    /// What a rehearsal makes of the pods of a workload.
    pub(in crate::sim) fn set_health(&mut self, workload: Workload, health: Health, now: Moment) {
        let state = self.workloads.of(workload);
        if state.service == health {
            return;
        }
        state.service = health;
        let mut changed = Vec::new();
        for (number, pod) in &mut state.pods {
            let (Stage::Running { since, .. } | Stage::CrashLoop { since }) = pod.stage else { continue };
            if pod.deleting.is_none() {
                pod.stage = stage(health, since, now);
                changed.push((*number, pod.key.clone()));
            }
        }
        for (number, key) in changed {
            self.show_pod(workload, number, now);
            let reason = match health {
                Health::Good => continue,
                Health::Silent => Reason::Unhealthy,
                Health::Exits => Reason::BackOff,
            };
            if let Some(pod) = self.store.get(&key) {
                self.tell(&pod, reason, now);
            }
        }
        self.show_workload(workload, now);
    }

    /// The pods of a workload that exits were started once more.
    pub(in crate::sim) fn count_restart(&mut self, workload: Workload, now: Moment) {
        let state = self.workloads.of(workload);
        let exits = state.pods.iter_mut().filter(|(_, pod)| matches!(pod.stage, Stage::CrashLoop { .. }));
        let mut counted = Vec::new();
        for (number, pod) in exits {
            pod.restarts += 1;
            counted.push((*number, pod.key.clone()));
        }
        for (number, key) in counted {
            self.show_pod(workload, number, now);
            if let Some(pod) = self.store.get(&key) {
                self.tell(&pod, Reason::BackOff, now);
            }
        }
    }

    /// Shows the pods of a workload again, should their labels have changed.
    pub(in crate::sim) fn relabel(&mut self, unlabelled: bool, now: Moment) {
        if self.workloads.unlabelled != unlabelled {
            self.workloads.unlabelled = unlabelled;
            let numbers: Vec<_> = self.workloads.all[&Workload::FocusServer].pods.keys().copied().collect();
            for number in numbers {
                self.show_pod(Workload::FocusServer, number, now);
            }
        }
    }

    fn show_pod(&self, workload: Workload, number: PodNumber, now: Moment) {
        let Some(pod) = self.workloads.all[&workload].pods.get(&number) else { return };
        let unlabelled = workload == Workload::FocusServer && self.workloads.unlabelled;
        let facts = Facts::Pod(Pod {
            of: PodOf::Workload { workload, unlabelled },
            owner: pod.owner.clone(),
            placed: pod.placed,
            stage: pod.stage,
            restarts: pod.restarts,
        });
        self.store.put(pod.key.clone(), now, pod.deleting, facts);
    }

    /// The ReplicaSet or StatefulSet whose pods a workload's newest pods are.
    fn owner_key(&self, workload: Workload) -> Key {
        if workload.is_stateful() {
            self.key(Kind::StatefulSet, workload.name())
        } else {
            self.key(Kind::ReplicaSet, self.replica_set(workload))
        }
    }

    /// The name of the ReplicaSet of the newest template.
    fn replica_set(&self, workload: Workload) -> String {
        let revision = self.workloads.all[&workload].revision;
        let drawn = self.seed.draw(workload.name(), "replica set", revision);
        format!("{}-{:010x}", workload.name(), drawn >> 24)
    }

    /// Shows a workload with its ReplicaSet and Endpoints.
    pub(super) fn show_workload(&mut self, workload: Workload, now: Moment) -> Arc<Record> {
        let shown = self.store.get(&self.key(workload.kind(), workload.name()));
        let state = self.workloads.of(workload);
        let staying = || state.pods.values().filter(|pod| pod.deleting.is_none());
        let is_ready = |pod: &&PodState| matches!(pod.stage, Stage::Running { ready: Some(_), .. });
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut scale = Scale {
            workload,
            owner: None,
            replicas: state.replicas,
            generation: state.generation,
            revision: state.revision,
            annotations: Arc::clone(&state.annotations),
            pods: count(staying().count()),
            ready: count(staying().filter(is_ready).count()),
            updated: count(staying().filter(|pod| pod.revision == state.revision).count()),
            changed: state.changed,
        };
        let of = |record: &Record| match &record.facts {
            Facts::Deployment(scale) | Facts::StatefulSet(scale) => Some(scale.clone()),
            _ => None,
        };
        if shown.as_deref().and_then(of).is_some_and(|before| before != scale) {
            (scale.changed, state.changed) = (now, now);
        }
        let (kind, name) = (workload.kind(), workload.name());
        let key = self.key(kind, name);
        let record = if workload.is_stateful() {
            self.store.put(key, now, None, Facts::StatefulSet(scale))
        } else {
            let record = self.store.put(key.clone(), now, None, Facts::Deployment(scale.clone()));
            let owner = Some(Owner { key, uid: record.uid });
            let replica_set = self.key(Kind::ReplicaSet, self.replica_set(workload));
            self.store.put(replica_set, now, None, Facts::ReplicaSet(Scale { owner, ..scale }));
            record
        };
        self.show_endpoints_of_workload(workload, now);
        record
    }

    fn show_endpoints_of_workload(&self, workload: Workload, now: Moment) {
        let ready = self.workloads.all[&workload].pods.values().filter(|pod| {
            matches!(pod.stage, Stage::Running { ready: Some(_), .. }) && pod.deleting.is_none()
        });
        let backends: Vec<_> = ready
            .filter_map(|pod| {
                let shown = self.store.get(&pod.key)?;
                Some(Backend { pod: Owner { key: pod.key.clone(), uid: shown.uid }, placed: pod.placed? })
            })
            .collect();
        for (name, of) in super::fixed::services_of(workload) {
            let key = self.key(Kind::Service, name);
            self.show_endpoints(&key, Endpoints { of, backends: backends.clone() }, now);
        }
    }

    /// The pods of a workload, whatever they do.
    pub(super) fn running_since(&self, pod: &Key) -> Option<(Workload, Moment, Stage)> {
        let (workload, number) = self.workload_of_pod(pod)?;
        let stage = self.workloads.all[&workload].pods.get(&number)?.stage;
        match stage {
            Stage::Running { since, .. } | Stage::CrashLoop { since } => Some((workload, since, stage)),
            Stage::Unschedulable(_) | Stage::Creating | Stage::Over { .. } => None,
        }
    }
}

/// Where a pod is that has run since then, in the state that it is in from now on.
fn stage(health: Health, since: Moment, now: Moment) -> Stage {
    match health {
        Health::Good => Stage::Running { since, ready: Some(now) },
        Health::Silent => Stage::Running { since, ready: None },
        Health::Exits => Stage::CrashLoop { since },
    }
}
