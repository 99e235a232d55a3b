//! The machine that the load comes from, sampled each second: a generator at its limit measures itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sysinfo::{MemoryRefreshKind, System};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::task::AbortOnDropHandle;

use crate::wall;

/// How often it is sampled.
const EACH: Duration = Duration::from_secs(1);

/// The machine at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Since the beginning of the run.
    pub at: Duration,
    /// Share of all processors that was busy since the last sample, in percent.
    pub cpu: f64,
    /// Share of the memory that is in use, in percent.
    pub memory: f64,
}

/// Samples for as long as it is there.
#[derive(Debug)]
pub struct Sampler {
    seen: Arc<Mutex<Seen>>,
    began: Instant,
    _task: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Seen {
    /// Where this machine can be asked.
    system: Option<System>,
    asked: Instant,
    samples: Vec<Sample>,
}

impl Seen {
    #[allow(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^53")]
    fn look(&mut self, began: Instant) {
        let Some(system) = &mut self.system else { return };
        system.refresh_cpu_usage();
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        self.asked = wall::tick();
        let memory = 100.0 * system.used_memory() as f64 / system.total_memory().max(1) as f64;
        let cpu = f64::from(system.global_cpu_usage());
        self.samples.push(Sample { at: self.asked - began, cpu, memory });
    }
}

impl Sampler {
    /// Begins; must be called within a runtime.
    #[must_use]
    pub fn start() -> Self {
        let began = wall::tick();
        let mut system = System::new().ok();
        // Usage is a difference: the first look only says from when on.
        system.iter_mut().for_each(System::refresh_cpu_usage);
        let seen = Arc::new(Mutex::new(Seen { system, asked: began, samples: Vec::new() }));
        let looked = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval_at(began + EACH, EACH);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                ticks.tick().await;
                lock(&looked).look(began);
            }
        });
        Self { seen, began, _task: AbortOnDropHandle::new(task) }
    }

    /// Looks a last time, if that tells anything, and says what was seen.
    #[must_use]
    pub fn end(self) -> Vec<Sample> {
        let mut seen = lock(&self.seen);
        if wall::tick() - seen.asked >= sysinfo::MINIMUM_CPU_UPDATE_INTERVAL {
            seen.look(self.began);
        }
        std::mem::take(&mut seen.samples)
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Mean and maximum of what was sampled; 0 of nothing.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a sample a second")]
pub fn mean_and_max(samples: &[Sample], of: fn(&Sample) -> f64) -> (f64, f64) {
    // Not `sum`, whose nothing is -0.
    let mean = samples.iter().map(of).fold(0.0, |all, one| all + one) / samples.len().max(1) as f64;
    (mean, samples.iter().map(of).fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_sampled_is_nothing() {
        let (mean, max) = mean_and_max(&[], |sample| sample.cpu);
        assert_eq!(format!("{mean:.2} {max:.2}"), "0.00 0.00");
        let sample = |cpu| Sample { at: EACH, cpu, memory: 0.0 };
        assert_eq!(mean_and_max(&[sample(10.0), sample(50.0)], |sample| sample.cpu), (30.0, 50.0));
    }

    #[tokio::test]
    async fn a_sample_is_a_share_of_this_machine() {
        let sampler = Sampler::start();
        wall::until(wall::tick() + sysinfo::MINIMUM_CPU_UPDATE_INTERVAL).await;
        let samples = sampler.end();
        assert_eq!(samples.len(), 1);
        assert!((0.0..=100.0).contains(&samples[0].cpu) && (0.1..=100.0).contains(&samples[0].memory));
    }
}
