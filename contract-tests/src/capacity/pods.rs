//! Whether the pods of jobs run in time.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cluster::{ClusterView, Pod, RUNNING};
use super::measured::Outcome;
use crate::failure::Failure;

/// The pods of those jobs that were answered and are not yet known to run.
pub(super) struct Awaited<'a> {
    cluster: &'a dyn ClusterView,
    limit: Duration,
    /// When each job was answered.
    since: BTreeMap<String, Duration>,
    /// The phase of those that were not Running in time, and how long they had.
    late: BTreeMap<String, (String, Duration)>,
    /// All pods, when they were last looked at.
    pub(super) seen: BTreeMap<String, Pod>,
    /// When that was.
    pub(super) looked: Duration,
}

impl<'a> Awaited<'a> {
    pub(super) fn of(cluster: &'a dyn ClusterView, limit: Duration, now: Duration) -> Self {
        Self {
            cluster,
            limit,
            since: BTreeMap::new(),
            late: BTreeMap::new(),
            seen: BTreeMap::new(),
            looked: now,
        }
    }

    pub(super) fn answered(&mut self, id: &str, now: Duration) {
        self.since.insert(id.to_owned(), now);
    }

    /// Whether no pod is waited for any more.
    pub(super) fn is_done(&self) -> bool {
        self.since.is_empty()
    }

    pub(super) async fn look(&mut self, now: Duration) -> Result<(), Failure> {
        self.looked = now;
        self.seen = self.cluster.pods().await?;
        let (seen, late, limit) = (&self.seen, &mut self.late, self.limit);
        self.since.retain(|id, since| {
            let phase = seen.get(id).map_or("missing", |pod| pod.phase.as_str());
            if phase == RUNNING {
                return false;
            }
            let waited = now.saturating_sub(*since);
            if waited < limit {
                return true;
            }
            late.insert(id.clone(), (phase.to_owned(), limit));
            false
        });
        Ok(())
    }

    /// Whatever is still waited for has had its time.
    pub(super) fn give_up(&mut self, now: Duration) {
        for (id, since) in std::mem::take(&mut self.since) {
            let phase = self.seen.get(&id).map_or("missing", |pod| pod.phase.as_str());
            self.late.insert(id, (phase.to_owned(), now.saturating_sub(since)));
        }
    }

    /// What a job comes to that was too late.
    pub(super) fn outcome(&self, id: &str) -> Option<Outcome> {
        let (phase, after) = self.late.get(id)?;
        let text = format!("the pod of job {id} is {phase} after {} s", after.as_secs());
        Some(Outcome::Failed { code: String::from("pod not Running"), text })
    }
}
