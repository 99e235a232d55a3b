//! How far a run is: a bar where somebody watches, a line per level everywhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use focus_contract::capacity::Plan;
use focus_contract::capacity::run::{Event, Load};
use indicatif::{ProgressBar, ProgressStyle};

use super::{said, say};

/// What is shown while jobs are created.
pub(super) struct Progress {
    /// On standard error, and only there, so that standard output can go to a file.
    bar: Option<ProgressBar>,
    level: u32,
    /// Configures of the levels before.
    before: u64,
}

impl Progress {
    pub(super) fn of(plan: &Plan, load: Load, in_ci: bool) -> Self {
        let watched = !in_ci && std::io::stderr().is_terminal();
        let all = match load {
            Load::Levels => plan.levels.iter().map(|level| u64::from(*level)).sum(),
            Load::Shape(shape) => shape.moments().len() as u64,
        };
        let bar = watched.then(|| {
            let bar = ProgressBar::new(all);
            let style =
                ProgressStyle::with_template("{elapsed} [{bar:30}] {pos}/{len} jobs, {eta} left {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar, level: 0, before: 0 }
    }

    pub(super) fn sees(&mut self, event: &Event<'_>) {
        match event {
            Event::Fires(level) => self.level = *level,
            Event::Answered { answered, succeeded, p95_ms } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(self.before + u64::from(*answered));
                    let share = 100.0 * f64::from(*succeeded) / f64::from((*answered).max(1));
                    bar.set_message(format!(
                        "level {}: {succeeded} jobs, {share:.0}% success, p95 {p95_ms:.0} ms",
                        self.level
                    ));
                }
            }
            Event::Over(level) => {
                self.before += u64::from(level.attempted());
                let line = said::level(level);
                match &self.bar {
                    Some(bar) => bar.suspend(|| say(&line)),
                    None => say(&line),
                }
            }
            Event::CleansUp(jobs) => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("cancelling {jobs} jobs"));
                }
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
