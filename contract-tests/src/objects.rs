//! The objects that a job has in its cluster: which they are, what is left of them, and INV-OBJECTS.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1::{Container, Endpoints, Pod, Service};
use kube::Resource;

use crate::case::Capability;
use crate::client::kube::{Object, Pick};
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::story::Story;
use crate::workload::SECOND;

/// An object as far as it is told apart: kind, name, uid.
pub type Thing = (&'static str, String, String);

/// The objects of a job, exactly those that it must have.
#[derive(Clone, Debug)]
pub struct Objects {
    /// The Job that streams.
    pub job: batch::Job,
    /// Its pod.
    pub pod: Pod,
    /// The Job that watches over it.
    pub cleanup_job: batch::Job,
    /// The pod of that.
    pub cleanup_pod: Pod,
    /// The way to its port.
    pub service: Service,
}

/// The name of the Job that streams, and of the label of its pods.
#[must_use]
pub fn grpc_job(id: &str) -> String {
    format!("grpc-job-{id}")
}

/// The name of the Job that watches over it.
#[must_use]
pub fn cleanup_job(id: &str) -> String {
    format!("cleanup-job-{id}")
}

/// The name of the Service, and of its Endpoints.
#[must_use]
pub fn grpc_service(id: &str) -> String {
    format!("grpc-service-{id}")
}

/// Whether an object of that name belongs to a job, as a whole: `1-3` has no part in `grpc-job-11-3` or `-1-30`.
#[must_use]
pub fn belongs(name: &str, id: &str) -> bool {
    let pod_of = |job: String| {
        name == job
            || name.strip_prefix(&job).and_then(|rest| rest.strip_prefix('-')).is_some_and(|suffix| {
                let digits = suffix.bytes().all(|byte| byte.is_ascii_digit());
                suffix.len() == 5 && !digits && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
    };
    name == grpc_service(id) || pod_of(grpc_job(id)) || pod_of(cleanup_job(id))
}

/// The name of an object.
pub fn name(object: &impl Resource) -> String {
    object.meta().name.clone().unwrap_or_default()
}

/// The uid of an object.
pub fn uid(object: &impl Resource) -> String {
    object.meta().uid.clone().unwrap_or_default()
}

/// A label of an object.
pub fn label(object: &impl Resource, key: &str) -> Option<String> {
    object.meta().labels.as_ref().and_then(|labels| labels.get(key).cloned())
}

/// Whether it is being deleted.
pub fn is_leaving(object: &impl Resource) -> bool {
    object.meta().deletion_timestamp.is_some()
}

/// The phase of a pod.
#[must_use]
pub fn phase(pod: &Pod) -> String {
    pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default()
}

/// The status of a condition of a pod.
#[must_use]
pub fn condition(pod: &Pod, kind: &str) -> Option<String> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == kind).map(|condition| condition.status.clone())
}

/// Whether it says that it is ready, and so does its only container.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    let containers = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    let ready = containers.is_some_and(|all| !all.is_empty() && all.iter().all(|one| one.ready));
    condition(pod, "Ready").as_deref() == Some("True") && ready
}

/// How often its containers were started again.
#[must_use]
pub fn restarts(pod: &Pod) -> i32 {
    let containers = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    containers.into_iter().flatten().map(|one| one.restart_count).sum()
}

/// A pod in words.
#[must_use]
pub fn words(pod: &Pod) -> String {
    let leaving = if is_leaving(pod) { ", leaving" } else { "" };
    let ready = if is_ready(pod) { "ready" } else { "not ready" };
    format!("pod {} {} and {ready}{leaving}", name(pod), phase(pod))
}

/// The only container of a pod.
///
/// # Errors
/// When it has none, or more.
pub fn container(pod: &Pod) -> Result<Container, Failure> {
    let containers = pod.spec.clone().unwrap_or_default().containers;
    let count = containers.len();
    let [container] = <[Container; 1]>::try_from(containers)
        .map_err(|_| Failure::broken(format!("pod {} has {count} containers", name(pod))))?;
    Ok(container)
}

/// Everything that is said of a list by kinds, names and uids.
async fn things<K: Object>(story: &Story, kind: &'static str) -> Result<Vec<Thing>, Failure> {
    let listed = story.cluster()?.list::<K>(&Pick::all()).await?;
    Ok(listed.items.iter().map(|object| (kind, name(object), uid(object))).collect())
}

impl Story {
    /// All Jobs, pods, Services and Endpoints that there are in the namespace.
    ///
    /// # Errors
    /// When the cluster does not tell.
    pub async fn things(&self) -> Result<BTreeSet<Thing>, Failure> {
        let mut all = BTreeSet::new();
        all.extend(things::<batch::Job>(self, "job").await?);
        all.extend(things::<Pod>(self, "pod").await?);
        all.extend(things::<Service>(self, "service").await?);
        all.extend(things::<Endpoints>(self, "endpoints").await?);
        Ok(all)
    }

    /// Those that belong to a job, in words.
    ///
    /// # Errors
    /// When the cluster does not tell.
    pub async fn things_of(&self, job: &Job) -> Result<Vec<String>, Failure> {
        let all = self.things().await?.into_iter();
        Ok(all
            .filter(|(_, name, _)| belongs(name, &job.id))
            .map(|(kind, name, _)| format!("{kind} {name}"))
            .collect())
    }

    /// Waits until the cluster has nothing left of a job; tells how much time passed.
    ///
    /// # Errors
    /// What is still left when the limit passes.
    pub async fn until_cluster_forgets(&self, job: &Job, limit: Duration) -> Result<Duration, Failure> {
        self.awaited(SECOND, limit, async || {
            let left = self.things_of(job).await?;
            Ok((!left.is_empty()).then(|| format!("INV-GONE: job {} still has {}", job.id, left.join(", "))))
        })
        .await
    }

    /// INV-REFUSE as the cluster shows it: whatever is asked meanwhile creates nothing there. Where nobody else uses the
    /// cluster, nothing goes either.
    ///
    /// # Errors
    /// What `asking` fails with, or what it left behind.
    pub async fn nothing_new<T>(
        &self,
        asking: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let before = self.things().await?;
        let result = self.no_trace(asking).await?;
        let after = self.things().await?;
        let words = |things: BTreeSet<Thing>| {
            things.into_iter().map(|(kind, name, _)| format!("{kind} {name}")).collect::<Vec<_>>().join(", ")
        };
        let new: BTreeSet<_> = after.difference(&before).cloned().collect();
        holds(new.is_empty(), || {
            format!("INV-REFUSE: what must be refused left {} in the cluster", words(new.clone()))
        })?;
        let gone: BTreeSet<_> = before.difference(&after).cloned().collect();
        holds(gone.is_empty() || !self.offers(Capability::Clock), || {
            format!("INV-REFUSE: what must be refused took {} from the cluster", words(gone.clone()))
        })?;
        Ok(result)
    }

    /// INV-OBJECTS: exactly two Jobs, two pods and a Service, by their names and labels.
    ///
    /// # Errors
    /// When there are others, or not all.
    pub async fn objects(&self, job: &Job) -> Result<Objects, Failure> {
        let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (kind, name, _) in self.things().await?.into_iter().filter(|(_, name, _)| belongs(name, &job.id))
        {
            found.entry(kind).or_default().push(name);
        }
        let count = |kind: &str| found.get(kind).map_or(0, Vec::len);
        let counts = ["job", "pod", "service", "endpoints"].map(|kind| (kind, count(kind)));
        equal(
            &format!("INV-OBJECTS: what job {} has in the cluster ({found:?})", job.id),
            &counts,
            &[("job", 2), ("pod", 2), ("service", 1), ("endpoints", 1)],
        )?;
        let cluster = self.cluster()?;
        Ok(Objects {
            job: cluster.get(&grpc_job(&job.id)).await?,
            pod: self.pod_of(&grpc_job(&job.id)).await?,
            cleanup_job: cluster.get(&cleanup_job(&job.id)).await?,
            cleanup_pod: self.pod_of(&cleanup_job(&job.id)).await?,
            service: cluster.get(&grpc_service(&job.id)).await?,
        })
    }

    /// The only pod that has a label `app` with the name of its Job.
    ///
    /// # Errors
    /// When there is none, or there are more.
    pub async fn pod_of(&self, app: &str) -> Result<Pod, Failure> {
        let pods = self.cluster()?.list::<Pod>(&Pick::labels(format!("app={app}"))).await?.items;
        let names: Vec<_> = pods.iter().map(name).collect();
        let [pod] = <[Pod; 1]>::try_from(pods).map_err(|_| {
            Failure::broken(format!("pods with label app={app}: {names:?}, and not exactly one"))
        })?;
        Ok(pod)
    }

    /// Waits until the pod of a Job runs and is ready.
    ///
    /// # Errors
    /// How it stands when the limit passes.
    pub async fn until_running(&self, app: &str, limit: Duration) -> Result<Pod, Failure> {
        self.awaited(SECOND, limit, async || {
            let pod = self.pod_of(app).await?;
            let runs = phase(&pod) == "Running" && is_ready(&pod);
            Ok((!runs).then(|| format!("{}, wanted Running and ready", words(&pod))))
        })
        .await?;
        self.pod_of(app).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_belong_as_a_whole() {
        for (name, id, expected) in [
            ("grpc-job-1-3", "1-3", true),
            ("grpc-job-1-3-a1b2c", "1-3", true),
            ("cleanup-job-1-3", "1-3", true),
            ("cleanup-job-1-3-abcde", "1-3", true),
            ("grpc-service-1-3", "1-3", true),
            ("grpc-job-1-30", "1-3", false),
            ("grpc-job-1-30-a1b2c", "1-3", false),
            ("grpc-job-11-3", "1-3", false),
            ("grpc-job-1-3-a1b2", "1-3", false),
            ("grpc-service-1-3-a1b2c", "1-3", false),
            ("grpc-job-2-1-3", "1-3", false),
            // An id of three numbers would be none.
            ("grpc-job-1-12345", "1", false),
        ] {
            assert_eq!(belongs(name, id), expected, "{name} {id}");
        }
    }
}
