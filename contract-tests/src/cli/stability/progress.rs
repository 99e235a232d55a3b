//! How far a run is: a bar where somebody watches, a line per sample everywhere.

use focus_contract::stability::{Event, Report};

use super::said;
use crate::cli::bar::Bar;

/// What is shown while samples are taken.
pub(super) struct Progress(Bar);

impl Progress {
    pub(super) fn of(report: &Report, in_ci: bool) -> Self {
        // The bar's own guess would begin anew at each sample: what is left is known.
        let words = "{elapsed} [{bar:30}] sample {pos} of {len} {wide_msg}";
        let bar = Bar::of(u64::from(report.plan.samples()), words, in_ci);
        bar.is_at(u64::from(report.taken()));
        Self(bar)
    }

    pub(super) fn sees(&self, event: &Event<'_>) {
        match event {
            Event::Sampled(report) => {
                self.0.say(&said::sample(report));
                self.0.is_at(u64::from(report.taken()));
                self.0.shows(|| said::so_far(report));
            }
            Event::CleansUp(jobs) => self.0.shows(|| format!("cancelling {jobs} jobs")),
        }
    }
}
