//! What is looked at each time.

use serde::{Deserialize, Serialize};

/// Longest text of a refusal that is kept. **Chosen**: as in the gap report.
const LONGEST_TEXT: usize = 100;

/// The server at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// From 1 on.
    pub number: u32,
    /// On the clock that paces the run, since its beginning; gaps of a resumed run do not count.
    pub at_seconds: f64,
    /// In real time.
    pub at: jiff::Timestamp,
    /// What was asked, and what came of it.
    pub configures: Vec<Configure>,
    /// The server's process, or its pods, where it was seen.
    pub server: Option<Process>,
    /// The machine that the suite runs on, where it tells.
    pub runner: Option<Machine>,
    /// How often the server's pods were started again since the run began, where the cluster tells.
    pub restarts: Option<u32>,
    /// Jobs that live, whoever made them, where somebody tells.
    pub live_jobs: Option<u32>,
    /// What should have been seen and was not.
    pub troubles: Vec<String>,
}

/// One configure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configure {
    /// The job that came of it.
    pub job_id: Option<String>,
    /// From the moment at which it was due to its answer.
    pub latency_ms: f64,
    /// Why it is no success.
    pub refusal: Option<Refusal>,
}

/// Why a configure is no success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Status and code of the body, or what was wrong with the answer.
    pub code: String,
    /// What it says.
    pub text: String,
}

impl Refusal {
    /// With as much of its text as is kept.
    #[must_use]
    pub fn new(code: impl Into<String>, text: &str) -> Self {
        Self { code: code.into(), text: text.chars().take(LONGEST_TEXT).collect() }
    }
}

/// A process at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Of one processor, since the last sample; not known of the first, nor where hardly any real time passed.
    pub cpu_percent: Option<f64>,
    /// Resident.
    pub memory_bytes: u64,
}

/// A machine at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Of all processors, since the last sample; not known where hardly any real time passed.
    pub cpu_percent: Option<f64>,
    /// Of all its memory.
    pub memory_percent: f64,
}

impl Sample {
    /// How many of its configures made a job.
    #[must_use]
    pub fn succeeded(&self) -> usize {
        self.configures.iter().filter(|configure| configure.refusal.is_none()).count()
    }

    /// Latencies of those that made a job, in the order in which they were sent.
    pub fn latencies(&self) -> impl Iterator<Item = f64> {
        self.configures.iter().filter(|one| one.refusal.is_none()).map(|one| one.latency_ms)
    }
}
