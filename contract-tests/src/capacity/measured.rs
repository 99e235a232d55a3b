//! What came of a run: per job, per level, and altogether.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cluster::PodsSeen;
use super::latency::Latencies;
use super::machine::Sample;
use super::streams::StreamsRead;

/// Most characters of a refusal that a reason quotes.
const LONGEST_REFUSAL: usize = 100;

/// What came of one configure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A job that counts.
    Succeeded,
    /// Something else: the name that its kind is counted by, and what the server said.
    Failed {
        /// `503 CAPACITY_EXHAUSTED`, `no answer` and so on.
        code: String,
        /// In the server's words, or the client's.
        text: String,
    },
}

/// One level, fired.
#[derive(Clone, Debug, Default)]
pub struct LevelResult {
    /// How many configures were fired together.
    pub level: u32,
    /// When it was fired, since the beginning of the run.
    pub at: Duration,
    /// How long it took until the last answer; of a shape, at least as long as those that it is judged by were due.
    pub took: Duration,
    /// How many counted.
    pub succeeded: u32,
    /// How many did not.
    pub failed: u32,
    /// Of those that succeeded, from the moment at which the level was fired.
    pub latency: Latencies,
    /// Of those that succeeded, from the moment at which each was sent.
    pub service: Latencies,
    /// How late the generator sent although a worker was free.
    pub lag: Latencies,
    /// How many failed in which way.
    pub errors: BTreeMap<String, u32>,
    /// What the first that failed was told.
    pub first_refusal: Option<String>,
    /// What reading the streams showed, where they were read.
    pub streams: Option<StreamsRead>,
    /// The pods of the run's jobs, where the Kubernetes API is there.
    pub pods: Option<PodsSeen>,
    /// Why nothing is known of what they use, where the Kubernetes API is there.
    pub no_metrics: Option<String>,
}

impl LevelResult {
    /// How many were fired, by count.
    #[must_use]
    pub fn attempted(&self) -> u32 {
        self.succeeded + self.failed
    }

    /// Whether every job of it succeeded.
    #[must_use]
    pub fn fully_successful(&self) -> bool {
        self.failed == 0 && self.succeeded == self.level
    }

    /// Share of those that succeeded.
    #[must_use]
    pub fn success_rate(&self) -> f64 {
        share(self.succeeded, self.attempted())
    }

    /// Jobs per second, from the first request that was due to the last answer; 0 where a clock that is held stood meanwhile.
    #[must_use]
    pub fn jobs_per_second(&self) -> f64 {
        per_second(self.succeeded, self.took)
    }

    /// Counts what came of one configure.
    pub fn count(&mut self, outcome: &Outcome, latency: Duration, service: Duration) {
        match outcome {
            Outcome::Succeeded => {
                self.succeeded += 1;
                self.latency.record(latency);
                self.service.record(service);
            }
            Outcome::Failed { code, text } => {
                self.failed += 1;
                *self.errors.entry(code.clone()).or_default() += 1;
                self.first_refusal.get_or_insert_with(|| text.clone());
            }
        }
    }

    /// Why it is not fully successful, if it is not.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        if self.fully_successful() {
            return None;
        }
        let (done, all) = (self.succeeded, self.attempted());
        let kind = if done == 0 {
            format!("complete failure 0/{all}")
        } else {
            format!("partial failure {done}/{all} ({})", percent(self.success_rate()))
        };
        let said = self.first_refusal.as_deref().unwrap_or_default();
        let said: String = crate::report::words::plain(said).chars().take(LONGEST_REFUSAL).collect();
        Some(if said.is_empty() { kind } else { format!("{kind}: {said}") })
    }
}

/// A whole run.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// The levels that were fired, in order.
    pub levels: Vec<LevelResult>,
    /// How long the run took, clean-up included.
    pub duration: Duration,
    /// The machine that the load came from.
    pub machine: Vec<Sample>,
    /// Jobs that were not gone at the end.
    pub left_behind: Vec<String>,
    /// How long it took until the jobs were gone at the end.
    pub cleaned_up_in: Duration,
    /// What whoever reads this should know.
    pub notes: Vec<String>,
}

impl Measured {
    /// The largest level that succeeded fully; 0 when none did.
    #[must_use]
    pub fn actual_capacity(&self) -> u32 {
        let full = self.levels.iter().filter(|level| level.fully_successful());
        full.map(|level| level.level).max().unwrap_or(0)
    }

    /// The level at which the run stopped because it did not succeed fully.
    #[must_use]
    pub fn first_failing(&self) -> Option<&LevelResult> {
        self.levels.iter().find(|level| !level.fully_successful())
    }

    /// How many configures were sent.
    #[must_use]
    pub fn attempted(&self) -> u32 {
        self.levels.iter().map(LevelResult::attempted).sum()
    }

    /// How many of them counted.
    #[must_use]
    pub fn succeeded(&self) -> u32 {
        self.levels.iter().map(|level| level.succeeded).sum()
    }

    /// Share of those that counted; 0 when nothing was attempted.
    #[must_use]
    pub fn success_rate(&self) -> f64 {
        share(self.succeeded(), self.attempted())
    }

    /// Latencies of all levels, from the moments at which they were fired.
    #[must_use]
    pub fn latency(&self) -> Latencies {
        self.all(|level| &level.latency)
    }

    /// Latencies of all levels, from the moments at which requests were sent.
    #[must_use]
    pub fn service(&self) -> Latencies {
        self.all(|level| &level.service)
    }

    /// How late the generator was in all levels.
    #[must_use]
    pub fn lag(&self) -> Latencies {
        self.all(|level| &level.lag)
    }

    fn all(&self, of: impl Fn(&LevelResult) -> &Latencies) -> Latencies {
        let mut all = Latencies::default();
        self.levels.iter().for_each(|level| all.add(of(level)));
        all
    }

    /// How many failed in which way.
    #[must_use]
    pub fn errors(&self) -> BTreeMap<&str, u32> {
        let mut errors = BTreeMap::new();
        for (code, count) in self.levels.iter().flat_map(|level| &level.errors) {
            *errors.entry(code.as_str()).or_default() += count;
        }
        errors
    }

    /// What reading streams showed, where they were read.
    #[must_use]
    pub fn streams(&self) -> Option<StreamsRead> {
        let mut read = self.levels.iter().filter_map(|level| level.streams.clone());
        let first = read.next()?;
        Some(read.fold(first, |mut all, one| {
            all.add(one);
            all
        }))
    }

    /// What whoever reads this should know, with what the cluster did not tell.
    #[must_use]
    pub fn all_notes(&self) -> Vec<String> {
        let no_metrics = self.levels.iter().find_map(|level| level.no_metrics.as_ref());
        let no_metrics = no_metrics.map(|why| format!("what pods use is not known: {why}"));
        self.notes.iter().cloned().chain(no_metrics).collect()
    }

    /// Jobs per second of the whole run.
    #[must_use]
    pub fn jobs_per_second(&self) -> f64 {
        per_second(self.succeeded(), self.duration)
    }
}

fn per_second(jobs: u32, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { f64::from(jobs) / time.as_secs_f64() }
}

fn share(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}

/// A share as reports have it: `"90.91%"`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(succeeded: u32, failed: u32, text: &str) -> LevelResult {
        let mut level = LevelResult { level: succeeded + failed, ..LevelResult::default() };
        for number in 0..succeeded + failed {
            let failed = Outcome::Failed { code: String::from("503"), text: text.to_owned() };
            let outcome = if number < succeeded { Outcome::Succeeded } else { failed };
            level.count(&outcome, Duration::from_millis(10), Duration::from_millis(5));
        }
        level
    }

    #[test]
    fn a_reason_says_how_many_and_what_the_first_was_told() {
        assert_eq!(level(3, 0, "").reason(), None);
        assert_eq!(level(0, 3, "full").reason().as_deref(), Some("complete failure 0/3: full"));
        assert_eq!(level(2, 1, "full").reason().as_deref(), Some("partial failure 2/3 (66.67%): full"));
        let long = level(0, 1, &"é".repeat(101)).reason().expect("a reason");
        assert_eq!(long, format!("complete failure 0/1: {}", "é".repeat(100)));
    }

    #[test]
    fn a_level_that_was_not_fired_whole_did_not_succeed_fully() {
        assert!(!LevelResult { level: 4, ..level(3, 0, "") }.fully_successful());
    }

    #[test]
    fn capacity_is_the_largest_level_without_a_failure() {
        let of = |levels: Vec<LevelResult>| Measured { levels, ..Measured::default() };
        let stopped = of(vec![level(10, 0, ""), level(20, 0, ""), level(40, 10, "full")]);
        assert_eq!(stopped.actual_capacity(), 20);
        assert_eq!(stopped.first_failing().map(|level| level.level), Some(50));
        assert_eq!((stopped.attempted(), stopped.succeeded(), stopped.success_rate()), (80, 70, 0.875));
        assert_eq!((stopped.latency().count(), stopped.errors()["503"]), (70, 10));
        let nothing = of(vec![level(0, 10, "full")]);
        assert_eq!((nothing.actual_capacity(), nothing.success_rate()), (0, 0.0));
        assert_eq!((of(vec![]).actual_capacity(), of(vec![]).success_rate()), (0, 0.0));
    }
}
