//! The Infrastructure Gap Report: what was wanted, what there is, what gave way first, and what to do about it.
//!
//! Every sentence comes from what was measured and names its figure. The JSON document is the contract's; the page and
//! the summary for a ticket say the same for people.

mod files;
mod gap;
mod html;
pub(crate) mod markdown;
pub(crate) mod plot;
mod resources;
mod rules;

pub use files::{Written, stem, write};
pub(in crate::capacity) use files::{exclusively, stem_of};
pub use gap::GapReport;
pub use rules::{Findings, generator_limits};

use super::measured::Measured;
use super::plan::{Environment, Plan, Standing, Verdict};
use super::thresholds::Thresholds;

/// A run that is over, with what it was held against: what every format is made from.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// What was to be done.
    pub plan: &'a Plan,
    /// Where.
    pub environment: &'a Environment,
    /// The server, without credentials.
    pub target: &'a str,
    /// What it was held against.
    pub thresholds: &'a Thresholds,
    /// What came of it.
    pub measured: &'a Measured,
    /// When the report was made.
    pub at: jiff::Timestamp,
}

impl Subject<'_> {
    /// Where the capacity stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.plan.standing(self.measured.actual_capacity())
    }

    /// What that means there.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.environment.verdict(self.standing())
    }

    /// The mean latency with the contract's word for it, unless nothing succeeded: nothing is not quick.
    #[must_use]
    pub fn latency_grade(&self) -> &'static str {
        let latency = self.measured.latency();
        if latency.count() == 0 { "of no job" } else { self.thresholds.latency_grade(latency.mean_ms()) }
    }

    /// How many jobs are missing.
    #[must_use]
    pub fn gap(&self) -> u32 {
        self.plan.target.saturating_sub(self.measured.actual_capacity())
    }
}
