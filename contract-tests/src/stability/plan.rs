//! What a stability run is to do.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Most samples of a run. **Chosen**: a week, one a minute; the report is written anew after each.
const MOST_SAMPLES: u128 = 10_080;

/// Which rules a run is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The hour run, however long it is.
    #[serde(rename = "run")]
    Run,
    /// PZ-15138, four hours.
    #[serde(rename = "soak-4h")]
    Soak4h,
    /// PZ-15138, a day.
    #[serde(rename = "soak-24h")]
    Soak24h,
}

impl Kind {
    /// As reports and file names have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Soak4h => "soak-4h",
            Self::Soak24h => "soak-24h",
        }
    }

    /// The ticket that a report belongs to.
    #[must_use]
    pub fn ticket(self) -> &'static str {
        match self {
            Self::Run => "PZ-13873",
            Self::Soak4h | Self::Soak24h => "PZ-15138",
        }
    }
}

/// When the jobs of a sample are cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cancel {
    /// As soon as all of them were answered.
    AtOnce,
    /// They are left to the server's idle sweep; what is still there at the end is cancelled then.
    AtEnd,
}

/// What the moments of samples are counted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// The server's clock, which stands until it is moved on.
    Held,
    /// Real time.
    Real,
}

/// A run before it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Which rules it is held against.
    pub kind: Kind,
    /// From the first sample to the end, when the last jobs are cancelled.
    #[serde(rename = "duration_seconds", with = "seconds")]
    pub duration: Duration,
    /// From each sample to the next.
    #[serde(rename = "interval_seconds", with = "seconds")]
    pub interval: Duration,
    /// Configures of a sample, fired together.
    #[serde(rename = "jobs_per_sample")]
    pub jobs: u32,
    /// When their jobs are cancelled.
    pub cancel: Cancel,
    /// What the moments of samples are counted on.
    #[serde(rename = "clock")]
    pub pace: Pace,
}

/// What is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    /// It would be over before it began.
    #[error("--duration is 0: a run takes some time, such as 1h")]
    NoDuration,
    /// Infinitely many samples.
    #[error("--interval is below 1ms: samples are some time apart, such as 5m")]
    NoInterval,
    /// Less than one sample.
    #[error("--interval {interval:?} is longer than --duration {duration:?}: not one interval fits")]
    Longer {
        /// Between two samples.
        interval: Duration,
        /// Of the whole run.
        duration: Duration,
    },
    /// More than anybody reads.
    #[error(
        "--duration {duration:?} with --interval {interval:?} are {samples} samples; at most {MOST_SAMPLES}"
    )]
    TooMany {
        /// Between two samples.
        interval: Duration,
        /// Of the whole run.
        duration: Duration,
        /// How many that would be.
        samples: u128,
    },
    /// Nothing would be asked.
    #[error("--jobs is 0: a sample is at least one configure")]
    NoJobs,
}

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

impl Plan {
    /// Whether it lasts as long as the contract wants: an hour, or what its soak lasts.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.kind != Kind::Run || self.duration >= Duration::from_secs(3600)
    }

    /// An hour: 12 samples of one configure, whose jobs are left to the sweep.
    #[must_use]
    pub fn hour(pace: Pace) -> Self {
        Self { kind: Kind::Run, duration: HOUR, interval: 5 * MINUTE, jobs: 1, cancel: Cancel::AtEnd, pace }
    }

    /// A soak: 3 jobs every 10 minutes, cancelled at once.
    #[must_use]
    pub fn soak(kind: Kind, pace: Pace) -> Self {
        let hours = if kind == Kind::Soak24h { 24 } else { 4 };
        Self { kind, duration: hours * HOUR, interval: 10 * MINUTE, jobs: 3, cancel: Cancel::AtOnce, pace }
    }

    /// The plan, if it can be carried out.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(self) -> Result<Self, BadPlan> {
        let (duration, interval) = (self.duration, self.interval);
        if duration.is_zero() {
            return Err(BadPlan::NoDuration);
        }
        if interval < Duration::from_millis(1) {
            return Err(BadPlan::NoInterval);
        }
        if interval > duration {
            return Err(BadPlan::Longer { interval, duration });
        }
        let samples = duration.as_nanos().div_ceil(interval.as_nanos());
        if samples > MOST_SAMPLES {
            return Err(BadPlan::TooMany { interval, duration, samples });
        }
        if self.jobs == 0 { Err(BadPlan::NoJobs) } else { Ok(self) }
    }

    /// How many samples are due before the end.
    #[must_use]
    pub fn samples(&self) -> u32 {
        let samples = self.duration.as_nanos().div_ceil(self.interval.as_nanos().max(1));
        u32::try_from(samples).unwrap_or(u32::MAX)
    }

    /// When a sample is due, the first being number 1, from the beginning on.
    #[must_use]
    pub fn due(&self, number: u32) -> Duration {
        (self.interval * number.saturating_sub(1)).min(self.duration)
    }
}

mod seconds {
    use std::time::Duration;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[allow(clippy::cast_precision_loss, reason = "milliseconds of weeks are far below 2^53")]
    pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(value.as_millis() as f64 / 1e3)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_runs_have_its_numbers_of_samples() {
        let hour = Plan::hour(Pace::Real);
        assert_eq!((hour.samples(), hour.jobs, hour.cancel), (12, 1, Cancel::AtEnd));
        assert_eq!([1, 2, 12].map(|number| hour.due(number).as_secs()), [0, 300, 3300]);
        let soak = |kind| Plan::soak(kind, Pace::Real);
        assert_eq!([Kind::Soak4h, Kind::Soak24h].map(|kind| soak(kind).samples()), [24, 144]);
        assert_eq!((soak(Kind::Soak4h).jobs, soak(Kind::Soak4h).cancel), (3, Cancel::AtOnce));
        // What is due before the end, and nothing at it.
        let odd = Plan { interval: 7 * MINUTE, ..hour };
        assert_eq!((odd.samples(), odd.due(9).as_secs()), (9, 56 * 60));
    }

    #[test]
    fn a_plan_that_nobody_can_carry_out_is_refused() {
        let of = |duration, interval, jobs| {
            let of = Duration::from_millis;
            let plan =
                Plan { duration: of(duration), interval: of(interval), jobs, ..Plan::hour(Pace::Real) };
            plan.check().map(|_| ()).map_err(|why| why.to_string())
        };
        assert_eq!(of(1000, 1000, 1), Ok(()));
        assert_eq!(of(0, 1, 1), Err(String::from("--duration is 0: a run takes some time, such as 1h")));
        assert!(of(1, 0, 1).is_err_and(|why| why.starts_with("--interval is below 1ms")));
        assert_eq!(
            of(1000, 1001, 1),
            Err(String::from("--interval 1.001s is longer than --duration 1s: not one interval fits"))
        );
        assert_eq!(of(10_080, 1, 1), Ok(()));
        assert!(of(10_081, 1, 1).is_err_and(|why| why.ends_with("are 10081 samples; at most 10080")));
        assert!(of(1000, 100, 0).is_err_and(|why| why.starts_with("--jobs is 0")));
    }

    #[test]
    fn a_plan_is_written_and_read_alike() {
        let plan = Plan { interval: Duration::from_millis(1500), ..Plan::hour(Pace::Held) };
        let text = serde_json::to_value(&plan).expect("JSON");
        assert_eq!((&text["interval_seconds"], &text["cancel"]), (&1.5.into(), &"at-end".into()));
        assert_eq!(serde_json::from_value::<Plan>(text).expect("a plan"), plan);
    }
}
