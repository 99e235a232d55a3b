//! What a capacity run wants to see of the cluster: the pods of its jobs.
//!
//! A seam: whoever has a client of the Kubernetes API implements [`ClusterView`], and the run asks it. Without one,
//! success of a job is its answer alone.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::failure::Failure;

/// The pod of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// As the Kubernetes API has it: Pending, Running, Succeeded, Failed.
    pub phase: String,
    /// What it uses, where the metrics are served.
    pub cpu_millicores: Option<u64>,
    /// What it uses, where the metrics are served.
    pub memory_bytes: Option<u64>,
}

/// The pods of jobs, as the Kubernetes API shows them.
pub trait ClusterView: Send + Sync {
    /// The grpc pods by the exact id of their job; `1-3` is neither `11-3` nor `1-30`.
    fn pods(&self) -> BoxFuture<'_, Result<BTreeMap<String, Pod>, Failure>>;
}

/// The pods of a run's jobs once a level had been fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodsSeen {
    /// Since the beginning of the run.
    pub at: Duration,
    /// How many are in which phase.
    pub phases: BTreeMap<String, u32>,
    /// What they use together, where the metrics are served.
    pub cpu_millicores: Option<u64>,
    /// What they use together, where the metrics are served.
    pub memory_bytes: Option<u64>,
}

impl PodsSeen {
    /// Sums up the pods of some jobs.
    #[must_use]
    pub fn of<'a>(at: Duration, pods: impl Iterator<Item = &'a Pod>) -> Self {
        let mut seen = Self { at, phases: BTreeMap::new(), cpu_millicores: None, memory_bytes: None };
        for pod in pods {
            *seen.phases.entry(pod.phase.clone()).or_default() += 1;
            let sum = |all: &mut Option<u64>, one: Option<u64>| {
                if let Some(one) = one {
                    *all = Some(all.unwrap_or(0) + one);
                }
            };
            sum(&mut seen.cpu_millicores, pod.cpu_millicores);
            sum(&mut seen.memory_bytes, pod.memory_bytes);
        }
        seen
    }
}
