//! What a capacity run is to do and what is demanded of it, and what its environment makes of the result.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::arithmetic::Request;
use crate::bodies;

/// The configuration that every job of a capacity run has.
pub const PAYLOAD: Request = Request { channels: (1, 10), ..bodies::LIGHT };

/// Its body: live, as known clients send it.
#[must_use]
pub fn payload() -> Value {
    bodies::of(&PAYLOAD)
}

/// The payload in words, for reports.
#[must_use]
pub fn payload_in_words() -> String {
    let Request { view, channels, nfft, frequencies, duration, height } = PAYLOAD;
    format!(
        "view {view}, channels {}-{}, NFFT {nfft}, {}-{} Hz, duration {duration} s, height {height}, live",
        channels.0, channels.1, frequencies.0, frequencies.1
    )
}

/// A run before it begins.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many jobs at a time are wanted.
    pub target: u32,
    /// How many are enough.
    pub minimum: u32,
    /// How many are fired together, level by level.
    pub levels: Vec<u32>,
    /// Most configures that are in flight.
    pub workers: u32,
    /// Pause between two levels.
    pub pause: Duration,
    /// Whether the jobs of a level stay while the next ones are fired, as in the product's own runs.
    pub accumulate: bool,
    /// How long every stream of every job is read once a level has been fired; `None`: no stream is opened.
    pub read: Option<Duration>,
    /// How long jobs may take to be gone.
    pub clean_up: Duration,
    /// How long a pod may take to be Running, where the Kubernetes API is there.
    pub pod_running: Duration,
}

/// What is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    /// Nothing would be measured.
    #[error("--jobs is 0: a target is at least one job")]
    NoTarget,
    /// More than is wanted cannot be the least.
    #[error("--minimum {minimum} is above --jobs {target}")]
    MinimumAboveTarget {
        /// What would be enough.
        minimum: u32,
        /// What is wanted.
        target: u32,
    },
    /// Levels that are not a way up.
    #[error("--levels {0}: each level must be above the one before, and the first at least 1")]
    NotRising(String),
    /// The target could not be met.
    #[error("--levels end at {last}, below the target of {target} jobs: add {target} or lower --jobs")]
    EndsBelowTarget {
        /// The last level.
        last: u32,
        /// What is wanted.
        target: u32,
    },
}

/// The steps on the way up. **Chosen**: those of target 200, carried on in the same manner beyond it.
const STEPS: [u32; 10] = [10, 20, 50, 100, 150, 200, 500, 1000, 2000, 5000];

/// The levels for a target: those of the specification for 50, else the steps below the target, then the target.
#[must_use]
pub fn levels_for(target: u32) -> Vec<u32> {
    if target == 50 {
        return vec![10, 20, 30, 40, 50];
    }
    STEPS.into_iter().filter(|step| *step < target).chain([target]).collect()
}

/// What is enough where nobody says so: 80 % of the target, rounded up.
#[must_use]
pub fn minimum_for(target: u32) -> u32 {
    u32::try_from((u64::from(target) * 4).div_ceil(5)).unwrap_or(target)
}

impl Plan {
    /// The contract's plan for a target.
    #[must_use]
    pub fn of(target: u32) -> Self {
        Self {
            target,
            minimum: minimum_for(target),
            levels: levels_for(target),
            workers: 50,
            pause: Duration::from_secs(2),
            accumulate: false,
            read: None,
            clean_up: Duration::from_secs(60),
            pod_running: Duration::from_secs(30),
        }
    }

    /// Finds out whether it can be carried out.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(self) -> Result<Self, BadPlan> {
        let Self { target, minimum, .. } = self;
        if target == 0 {
            return Err(BadPlan::NoTarget);
        }
        if minimum > target {
            return Err(BadPlan::MinimumAboveTarget { minimum, target });
        }
        let rises = self.levels.windows(2).all(|pair| pair[0] < pair[1]);
        let Some(last) = self.levels.last().copied().filter(|_| rises && self.levels[0] > 0) else {
            let levels: Vec<_> = self.levels.iter().map(ToString::to_string).collect();
            return Err(BadPlan::NotRising(levels.join(",")));
        };
        if last < target { Err(BadPlan::EndsBelowTarget { last, target }) } else { Ok(self) }
    }

    /// Where a capacity stands against what is demanded.
    #[must_use]
    pub fn standing(&self, actual: u32) -> Standing {
        if actual >= self.target {
            Standing::Met
        } else if actual >= self.minimum {
            Standing::AboveMinimum
        } else {
            Standing::BelowMinimum
        }
    }
}

/// Where a server runs, as far as that decides what a capacity means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Environment {
    /// One whose capacity is demanded: `dev` or `staging`, in any case of letters.
    Target(String),
    /// Any other: what it carries is good to know.
    Other(String),
}

impl Environment {
    /// The environment of that name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        if ["dev", "staging"].contains(&name.to_lowercase().as_str()) {
            Self::Target(name.to_owned())
        } else {
            Self::Other(name.to_owned())
        }
    }

    /// Its name as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Target(name) | Self::Other(name) => name,
        }
    }

    /// What a standing means there.
    #[must_use]
    pub fn verdict(&self, standing: Standing) -> Verdict {
        match (self, standing) {
            (Self::Target(_) | Self::Other(_), Standing::Met) => Verdict::Passed,
            (Self::Target(_), Standing::AboveMinimum) => Verdict::PassedWithWarning,
            (Self::Target(_), Standing::BelowMinimum) => Verdict::Failed,
            (Self::Other(_), Standing::AboveMinimum | Standing::BelowMinimum) => Verdict::Informational,
        }
    }
}

/// A capacity against its target and its minimum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// At least the target.
    Met,
    /// Less than the target, at least the minimum.
    AboveMinimum,
    /// Less than the minimum.
    BelowMinimum,
}

/// What a run means where it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The target is met.
    Passed,
    /// It is not, but the minimum is.
    PassedWithWarning,
    /// It is not, and nobody demands it there.
    Informational,
    /// Not even the minimum is met.
    Failed,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::PassedWithWarning => "passed with a warning",
            Self::Informational => "passed, for information only",
            Self::Failed => "failed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_are_those_of_the_contract_and_end_at_any_target() {
        assert_eq!(levels_for(50), [10, 20, 30, 40, 50]);
        assert_eq!(levels_for(200), [10, 20, 50, 100, 150, 200]);
        assert_eq!(levels_for(1), [1]);
        assert_eq!(levels_for(30), [10, 20, 30]);
        assert_eq!(levels_for(1000), [10, 20, 50, 100, 150, 200, 500, 1000]);
    }

    #[test]
    fn enough_is_four_fifths_rounded_up() {
        assert_eq!([50, 200, 1, 7].map(minimum_for), [40, 160, 1, 6]);
    }

    #[test]
    fn a_plan_that_cannot_be_carried_out_is_refused_with_what_would_be_right() {
        let with = |levels: &[u32]| Plan { levels: levels.to_vec(), ..Plan::of(20) }.check().map(|_| ());
        assert_eq!(with(&[10, 20]), Ok(()));
        assert_eq!(with(&[10, 30]), Ok(()));
        assert_eq!(with(&[10, 10, 20]), Err(BadPlan::NotRising(String::from("10,10,20"))));
        assert_eq!(with(&[0, 20]), Err(BadPlan::NotRising(String::from("0,20"))));
        assert_eq!(with(&[]), Err(BadPlan::NotRising(String::new())));
        assert_eq!(with(&[10, 19]), Err(BadPlan::EndsBelowTarget { last: 19, target: 20 }));
        assert_eq!(Plan::of(0).check().map(|_| ()), Err(BadPlan::NoTarget));
        let greedy = Plan { minimum: 21, ..Plan::of(20) }.check().map(|_| ());
        assert_eq!(greedy, Err(BadPlan::MinimumAboveTarget { minimum: 21, target: 20 }));
    }

    #[test]
    fn the_verdict_is_that_of_the_contracts_table() {
        use Verdict::{Failed, Informational, Passed, PassedWithWarning};
        let plan = Plan::of(200);
        for (name, expected) in [
            ("dev", [Passed, Passed, PassedWithWarning, PassedWithWarning, Failed, Failed]),
            ("Staging", [Passed, Passed, PassedWithWarning, PassedWithWarning, Failed, Failed]),
            ("local", [Passed, Passed, Informational, Informational, Informational, Informational]),
            ("production", [Passed, Passed, Informational, Informational, Informational, Informational]),
            ("staging-2", [Passed, Passed, Informational, Informational, Informational, Informational]),
        ] {
            let environment = Environment::named(name);
            let got = [201, 200, 199, 160, 159, 0].map(|actual| environment.verdict(plan.standing(actual)));
            assert_eq!(got, expected, "{name}");
            assert_eq!(environment.name(), name);
        }
    }
}
