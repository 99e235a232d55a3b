//! What containers have said so far, computed from what happened.

use std::time::Duration;

use super::Cluster;
use super::facts::{Key, Outcome, Part, Stage};
use super::jobs::{Call, JobObjects};
use super::logs::{LogLine, Said};
use super::workloads::Workload;
use crate::domain::time::Moment;
use crate::sim::sweep::{BUSY_CPU_M, IDLE_CPU_M};

/// Most samples of a cleanup pod that are told: the newest.
const MOST_SAMPLES: u128 = 10_000;

/// How a cleanup pod watches its job.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Watch {
    pub(in crate::sim) period: Duration,
    pub(in crate::sim) hits: u32,
    pub(in crate::sim) threshold_m: u32,
}

impl Cluster {
    /// What the container of a pod of a job has said.
    pub(in crate::sim) fn log_of_job(&self, pod: &Key, watch: Watch, now: Moment) -> Option<Vec<LogLine>> {
        let (objects, part) = self.of_pod(pod)?;
        Some(match part {
            Part::Grpc => objects.streaming_log(),
            Part::Cleanup => objects.cleanup_log(watch, now),
        })
    }

    /// What the container of a pod of a workload has said, but for what the journal tells; and since when it runs.
    pub(in crate::sim) fn log_of_workload(
        &self,
        pod: &Key,
    ) -> Option<(Workload, Option<Moment>, Vec<LogLine>)> {
        let (workload, _) = self.workload_of_pod(pod)?;
        let Some((_, since, stage)) = self.running_since(pod) else {
            return Some((workload, None, Vec::new()));
        };
        let mut lines = vec![LogLine { at: since, what: Said::Starts(workload) }];
        match stage {
            Stage::Running { ready: Some(ready), .. } => {
                lines.push(LogLine { at: ready, what: Said::IsReady(workload) });
            }
            Stage::CrashLoop { .. } => lines.push(LogLine { at: since, what: Said::Waits("mongodb") }),
            _ => {}
        }
        // One that exits at its start lives to tell of nothing else.
        let lives = !matches!(stage, Stage::CrashLoop { .. });
        Some((workload, lives.then_some(since), lines))
    }
}

impl JobObjects {
    fn streaming_log(&self) -> Vec<LogLine> {
        let line = |at, what| LogLine { at, what };
        let stage = self.pod(Part::Grpc).map(|pod| pod.stage);
        let (started, over) = match stage {
            Some(Stage::Running { since, .. }) => (Some(since), None),
            Some(Stage::Over { started, over }) => (started, Some(over)),
            // Its pod is gone: it ran, and was taken away.
            None => (Some(self.created), None),
            Some(_) => (None, None),
        };
        let Some(started) = started else { return Vec::new() };
        let mut lines = vec![line(started, Said::Runs(self.terms.clone())), line(started, Said::Listens)];
        lines.extend(self.said.lines.iter().map(|(at, call)| match *call {
            Call::Opened(stream) => line(*at, Said::Connected(stream)),
            Call::Closed(stream, frames) => line(*at, Said::Disconnected(stream, frames)),
        }));
        let gone = self.removed.filter(|_| over.is_none());
        lines.extend(gone.map(|(at, _)| line(at, Said::Ended(Outcome::Succeeded))));
        lines.extend(over.map(|over| line(over.at, Said::Ended(over.how))));
        lines
    }

    fn cleanup_log(&self, watch: Watch, now: Moment) -> Vec<LogLine> {
        let mut lines = vec![LogLine { at: self.created, what: Said::Watches(self.terms.clone()) }];
        let until = self.removed.map_or(now, |(at, _)| at);
        let period = watch.period.as_nanos().max(1);
        let samples = until.since(self.created).as_nanos() / period;
        // Who read before the oldest line that is kept is not known any more.
        let known = self.said.forgotten.map_or(0, |at| at.since(self.created).as_nanos() / period + 1);
        let first = known.max(samples.saturating_sub(MOST_SAMPLES)).max(1);
        let mut calls = self.said.lines.iter().peekable();
        let (mut open, mut hits) = (0_u32, 0);
        for number in first..=samples {
            let nanos = u64::try_from(number * period).unwrap_or(u64::MAX);
            let at = self.created.after(Duration::from_nanos(nanos));
            while let Some((_, call)) = calls.next_if(|(when, _)| *when < at) {
                open = match call {
                    Call::Opened(_) => open + 1,
                    Call::Closed(..) => open.saturating_sub(1),
                };
            }
            let cpu_m = if open > 0 { BUSY_CPU_M } else { IDLE_CPU_M };
            hits = if cpu_m <= watch.threshold_m { hits + 1 } else { 0 };
            lines.push(LogLine { at, what: Said::Sampled { cpu_m, hits, of: watch.hits } });
        }
        if let Some((at, true)) = self.removed {
            lines.push(LogLine { at, what: Said::Triggered });
        }
        lines
    }
}
