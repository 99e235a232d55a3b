//! What a run comes to, in numbers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sample::Sample;
use crate::capacity::latency::Latencies;

/// How many response times each end of a soak is judged by.
pub const RESPONSES: usize = 100;
/// The sample that the growth of the server's process counts from: what it allocates at first is no growth.
const WARM: usize = 1;

/// Numbers of a run, each only where it was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Configures that were sent.
    pub configures: u32,
    /// Those that made a job.
    pub succeeded: u32,
    /// Their share, 0 to 1.
    pub success_ratio: Option<f64>,
    /// Mean latency of those that succeeded.
    pub latency_mean_ms: Option<f64>,
    /// 95th percentile of it.
    pub latency_p95_ms: Option<f64>,
    /// 99th percentile of it.
    pub latency_p99_ms: Option<f64>,
    /// Longest of it.
    pub latency_max_ms: Option<f64>,
    /// Mean of the last third of the latencies against that of the first.
    pub latency_drift: Option<f64>,
    /// By how much the mean of the last 100 latencies is above that of the first 100; of 200 and more.
    pub response_drift: Option<f64>,
    /// Memory of the runner's machine.
    pub runner_memory_percent: Option<Range>,
    /// Memory of the server's process.
    pub server_memory_bytes: Option<Range>,
    /// Its growth from the second sample on, in percent of that; of three and more.
    pub server_memory_growth_percent: Option<f64>,
    /// The same in megabytes (10^6 bytes) an hour, on the clock that paces the run.
    pub server_memory_megabytes_per_hour: Option<f64>,
    /// CPU of the server's process.
    pub server_cpu_percent: Option<Range>,
    /// Mean of the last third of it against that of the first.
    pub server_cpu_drift: Option<f64>,
    /// CPU of the runner's machine.
    pub runner_cpu_percent: Option<Range>,
    /// Most restarts of the server's pods that a sample saw.
    pub max_restarts: Option<u32>,
    /// Most live jobs that a sample saw.
    pub max_live_jobs: Option<u32>,
}

/// A figure over the samples that know it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// How many know it.
    pub samples: usize,
    /// In the first of them.
    pub first: f64,
    /// In the last of them.
    pub last: f64,
    /// From the first to the last.
    pub change: f64,
    /// Over all of them.
    pub mean: f64,
    /// Least.
    pub min: f64,
    /// Most.
    pub max: f64,
}

impl Range {
    /// Of values in their order; `None` of none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let (first, last) = (*values.first()?, *values.last()?);
        Some(Self {
            samples: values.len(),
            first,
            last,
            change: last - first,
            mean: mean(values)?,
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

impl Figures {
    /// Of samples in their order.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^53")]
    pub fn of(samples: &[Sample]) -> Self {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let configures = count(samples.iter().map(|sample| sample.configures.len()).sum());
        let succeeded = count(samples.iter().map(Sample::succeeded).sum());
        let latencies: Vec<f64> = samples.iter().flat_map(Sample::latencies).collect();
        let mut all = Latencies::default();
        latencies.iter().for_each(|ms| all.record(Duration::from_secs_f64(ms.max(0.0) / 1e3)));
        let known = (all.count() > 0).then_some(&all);
        let memory = |sample: &Sample| Some((sample.at_seconds, sample.server?.memory_bytes as f64));
        let memory: Vec<(f64, f64)> = samples.iter().filter_map(memory).collect();
        let bytes: Vec<f64> = memory.iter().map(|(_, bytes)| *bytes).collect();
        let of =
            |of: &dyn Fn(&Sample) -> Option<f64>| -> Vec<f64> { samples.iter().filter_map(of).collect() };
        let cpu = of(&|sample| sample.server?.cpu_percent);
        Self {
            configures,
            succeeded,
            success_ratio: (configures > 0).then(|| f64::from(succeeded) / f64::from(configures)),
            latency_mean_ms: known.map(Latencies::mean_ms),
            latency_p95_ms: known.map(|all| all.quantile_ms(0.95)),
            latency_p99_ms: known.map(|all| all.quantile_ms(0.99)),
            latency_max_ms: known.map(Latencies::max_ms),
            latency_drift: drift(&latencies),
            response_drift: responses(&latencies),
            runner_memory_percent: Range::of(&of(&|sample| Some(sample.runner?.memory_percent))),
            server_memory_bytes: Range::of(&bytes),
            server_memory_growth_percent: growth(&memory).map(|(from, to, _)| 100.0 * (to - from) / from),
            server_memory_megabytes_per_hour: growth(&memory).and_then(|(from, to, seconds)| {
                (seconds > 0.0).then(|| (to - from) / 1e6 / (seconds / 3600.0))
            }),
            server_cpu_percent: Range::of(&cpu),
            server_cpu_drift: drift(&cpu),
            runner_cpu_percent: Range::of(&of(&|sample| sample.runner?.cpu_percent)),
            max_restarts: samples.iter().filter_map(|sample| sample.restarts).max(),
            max_live_jobs: samples.iter().filter_map(|sample| sample.live_jobs).max(),
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Mean of the last third against that of the first; `None` below three values, and against nothing.
fn drift(values: &[f64]) -> Option<f64> {
    let third = values.len() / 3;
    let (first, last) = (mean(&values[..third])?, mean(&values[values.len() - third..])?);
    (first > 0.0).then(|| last / first)
}

/// **Chosen**: both ends must be there without a common part, and what took less than a hundredth of a millisecond, the
/// least that is told apart, counts as that: on a clock that is held most responses take no time.
fn responses(latencies: &[f64]) -> Option<f64> {
    if latencies.len() < 2 * RESPONSES {
        return None;
    }
    let first = mean(&latencies[..RESPONSES])?;
    let last = mean(&latencies[latencies.len() - RESPONSES..])?;
    Some((last - first) / first.max(0.01))
}

/// From where and to where the process grew, and within how many seconds.
fn growth(memory: &[(f64, f64)]) -> Option<(f64, f64, f64)> {
    let (from, to) = (memory.get(WARM)?, memory.last()?);
    (memory.len() > WARM + 1 && from.1 > 0.0).then_some((from.1, to.1, to.0 - from.0))
}
