//! How far a run is: a bar where somebody watches, a line per level everywhere.

use focus_contract::capacity::Plan;
use focus_contract::capacity::run::{Event, Load};

use super::said;
use crate::cli::bar::Bar;

/// What is shown while jobs are created.
pub(super) struct Progress {
    bar: Bar,
    level: u32,
    /// Configures of the levels before.
    before: u64,
}

impl Progress {
    pub(super) fn of(plan: &Plan, load: Load, in_ci: bool) -> Self {
        let all = match load {
            Load::Levels => plan.levels.iter().map(|level| u64::from(*level)).sum(),
            Load::Shape(shape) => shape.moments().len() as u64,
        };
        let bar = Bar::of(all, "{elapsed} [{bar:30}] {pos}/{len} jobs, {eta} left {wide_msg}", in_ci);
        Self { bar, level: 0, before: 0 }
    }

    pub(super) fn sees(&mut self, event: &Event<'_>) {
        match event {
            Event::Fires(level) => self.level = *level,
            Event::Answered { answered, succeeded, p95_ms } => {
                self.bar.is_at(self.before + u64::from(*answered));
                self.bar.shows(|| {
                    let share = 100.0 * f64::from(*succeeded) / f64::from((*answered).max(1));
                    format!("level {}: {succeeded} jobs, {share:.0}% success, p95 {p95_ms:.0} ms", self.level)
                });
            }
            Event::Over(level) => {
                self.before += u64::from(level.attempted());
                self.bar.say(&said::level(level));
            }
            Event::CleansUp(jobs) => self.bar.shows(|| format!("cancelling {jobs} jobs")),
        }
    }
}
