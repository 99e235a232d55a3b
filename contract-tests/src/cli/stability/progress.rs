//! How far a run is: a bar where somebody watches, a line per sample everywhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use focus_contract::stability::{Event, Report};
use indicatif::{ProgressBar, ProgressStyle};

use super::{said, say};

/// What is shown while samples are taken.
pub(super) struct Progress {
    /// On standard error, and only there, so that standard output can go to a file.
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn of(report: &Report, in_ci: bool) -> Self {
        let watched = !in_ci && std::io::stderr().is_terminal();
        let bar = watched.then(|| {
            let bar = ProgressBar::new(u64::from(report.plan.samples()));
            // The bar's own guess would begin anew at each sample: what is left is known.
            let style = ProgressStyle::with_template("{elapsed} [{bar:30}] sample {pos} of {len} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.set_position(u64::from(report.taken()));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar }
    }

    pub(super) fn sees(&mut self, event: &Event<'_>) {
        match event {
            Event::Sampled(report) => {
                let line = said::sample(report);
                match &self.bar {
                    Some(bar) => {
                        bar.suspend(|| say(&line));
                        bar.set_position(u64::from(report.taken()));
                        bar.set_message(said::so_far(report));
                    }
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
