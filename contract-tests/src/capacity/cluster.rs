//! What a capacity run sees of the cluster: the pods of its jobs, and what they use.
//!
//! Without a client of the Kubernetes API, success of a job is its answer alone.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use k8s_openapi::api::core::v1 as core;

use crate::client::kube::{Cluster, Pick};
pub use crate::client::pod_metrics::Use;
use crate::failure::Failure;
use crate::objects::{belongs, is_leaving, label, name, phase};

/// The phase of a pod that is there and ready to be seen by its users.
pub const RUNNING: &str = "Running";
/// **Chosen**: what `kubectl` calls a pod that is being deleted, whatever its phase still is. It serves nobody.
const TERMINATING: &str = "Terminating";
/// What the label `app` of a grpc pod begins with.
const APP: &str = "grpc-job-";

/// The pod of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// As the Kubernetes API has it: Pending, Running, Succeeded, Failed; or Terminating.
    pub phase: String,
}

/// The pods of jobs, as the Kubernetes API shows them.
pub trait ClusterView: Send + Sync {
    /// The grpc pods by the exact id of their job; `1-3` is neither `11-3` nor `1-30`.
    fn pods(&self) -> BoxFuture<'_, Result<BTreeMap<String, Pod>, Failure>>;

    /// What pods use, by their names.
    fn uses(&self) -> BoxFuture<'_, Result<BTreeMap<String, Use>, Failure>>;
}

impl ClusterView for Cluster {
    fn pods(&self) -> BoxFuture<'_, Result<BTreeMap<String, Pod>, Failure>> {
        Box::pin(async { Ok(by_job(&self.list::<core::Pod>(&Pick::all()).await?.items)) })
    }

    fn uses(&self) -> BoxFuture<'_, Result<BTreeMap<String, Use>, Failure>> {
        Box::pin(self.pod_uses())
    }
}

/// Of a job with several pods, one that is Running counts: it is the one that serves.
fn by_job(pods: &[core::Pod]) -> BTreeMap<String, Pod> {
    let mut all: BTreeMap<String, Pod> = BTreeMap::new();
    for pod in pods {
        let Some(id) = job_of(pod) else { continue };
        let phase = if is_leaving(pod) { TERMINATING.to_owned() } else { phase(pod) };
        let next = Pod { name: name(pod), phase };
        let kept = all.entry(id).or_insert_with(|| next.clone());
        if next.phase == RUNNING {
            *kept = next;
        }
    }
    all
}

/// The job that a pod streams for: by its label, or where it has none by its name.
fn job_of(pod: &core::Pod) -> Option<String> {
    if let Some(app) = label(pod, "app") {
        return app.strip_prefix(APP).map(str::to_owned);
    }
    let name = name(pod);
    let (job, _) = name.rsplit_once('-')?;
    let id = job.strip_prefix(APP)?;
    belongs(&name, id).then(|| id.to_owned())
}

/// The pods of a run's jobs once a level had been fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodsSeen {
    /// Since the beginning of the run.
    pub at: Duration,
    /// How many are in which phase.
    pub phases: BTreeMap<String, u32>,
    /// What they use together, where the metrics are served.
    pub used: Option<Use>,
    /// How many of them the metrics tell of.
    pub measured: u32,
}

impl PodsSeen {
    /// Sums up the pods of some jobs, with what pods use where that is known.
    #[must_use]
    pub fn of<'a>(
        at: Duration,
        pods: impl Iterator<Item = &'a Pod>,
        uses: Option<&BTreeMap<String, Use>>,
    ) -> Self {
        let (mut phases, mut measured, mut sum) = (BTreeMap::new(), 0, Use::default());
        for pod in pods {
            *phases.entry(pod.phase.clone()).or_default() += 1;
            if let Some(one) = uses.and_then(|uses| uses.get(&pod.name)) {
                measured += 1;
                sum.cpu_millicores += one.cpu_millicores;
                sum.memory_bytes += one.memory_bytes;
            }
        }
        Self { at, phases, used: (measured > 0).then_some(sum), measured }
    }

    /// `48 Running, 2 Pending`; those that run first.
    #[must_use]
    pub fn phases_in_words(&self) -> String {
        let mut phases: Vec<_> = self.phases.iter().collect();
        phases.sort_by_key(|(phase, _)| *phase != RUNNING);
        let words: Vec<_> = phases.iter().map(|(phase, count)| format!("{count} {phase}")).collect();
        if words.is_empty() { String::from("none") } else { words.join(", ") }
    }

    /// `2.40 CPU, 512 MiB` or `1.50 GiB`, where the metrics are served.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
    pub fn used_in_words(&self) -> Option<String> {
        let used = self.used?;
        let (cpu, mib) = (used.cpu_millicores as f64 / 1_000.0, used.memory_bytes as f64 / 1_048_576.0);
        let memory =
            if mib < 1_024.0 { format!("{mib:.0} MiB") } else { format!("{:.2} GiB", mib / 1_024.0) };
        Some(format!("{cpu:.2} CPU, {memory}"))
    }

    /// Both.
    #[must_use]
    pub fn words(&self) -> String {
        [Some(self.phases_in_words()), self.used_in_words()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(name: &str, labels: &Value, phase: &str, leaving: bool) -> core::Pod {
        let deleted = leaving.then_some("2025-12-08T00:00:00Z");
        let pod = json!({"metadata": {"name": name, "labels": labels, "deletionTimestamp": deleted}, "status": {"phase": phase}});
        serde_json::from_value(pod).expect("a pod")
    }

    #[test]
    fn a_pod_is_that_of_the_job_that_its_label_or_its_name_names_exactly() {
        let pods = [
            pod("grpc-job-1-3-a1b2c", &json!({"app": "grpc-job-1-3"}), "Running", false),
            pod("grpc-job-11-3-a1b2c", &json!({"app": "grpc-job-11-3"}), "Pending", false),
            pod("grpc-job-1-30-a1b2c", &json!({}), "Failed", false),
            pod("cleanup-job-5-5-a1b2c", &json!({"app": "cleanup-job-5-5"}), "Running", false),
            pod("grpc-job-6-6-12345", &json!({}), "Running", false),
            pod("mongodb-0123456789-abcde", &json!({}), "Running", false),
            pod("grpc-job-7-7-a1b2c", &json!({"app": "grpc-job-7-7"}), "Running", true),
        ];
        let seen: Vec<_> = by_job(&pods).into_iter().map(|(id, pod)| format!("{id} {}", pod.phase)).collect();
        assert_eq!(seen, ["1-3 Running", "1-30 Failed", "11-3 Pending", "7-7 Terminating"]);
    }

    #[test]
    fn of_several_pods_of_a_job_the_one_that_runs_counts() {
        let label = json!({"app": "grpc-job-1-3"});
        let [first, second] = [("grpc-job-1-3-aaaaa", "Failed"), ("grpc-job-1-3-bbbbb", "Running")]
            .map(|(n, p)| pod(n, &label, p, false));
        for pods in [[first.clone(), second.clone()], [second, first]] {
            assert_eq!(by_job(&pods)["1-3"].name, "grpc-job-1-3-bbbbb");
        }
    }

    #[test]
    fn pods_are_summed_up_with_what_is_known_of_them() {
        let named = |name: &str, phase: &str| Pod { name: name.to_owned(), phase: phase.to_owned() };
        let pods = [named("a", "Pending"), named("b", RUNNING), named("c", RUNNING)];
        let of = |cpu_millicores, memory_bytes| Use { cpu_millicores, memory_bytes };
        let uses = [("b", of(1_500, 1 << 20)), ("c", of(250, 2 << 20)), ("other", of(9_000, 9 << 20))];
        let uses = uses.map(|(name, used)| (name.to_owned(), used)).into();
        let seen = PodsSeen::of(Duration::ZERO, pods.iter(), Some(&uses));
        assert_eq!((seen.words().as_str(), seen.measured), ("2 Running, 1 Pending; 1.75 CPU, 3 MiB", 2));
        let unknown = PodsSeen::of(Duration::ZERO, pods.iter(), None);
        assert_eq!((unknown.words().as_str(), unknown.used), ("2 Running, 1 Pending", None));
        assert_eq!(PodsSeen::of(Duration::ZERO, [].iter(), None).words(), "none");
    }
}
