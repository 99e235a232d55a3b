//! How far a run is: a bar where somebody watches, a line per case everywhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use focus_contract::case::Case;
use focus_contract::report::{Meaning, Verdict, words};
use indicatif::{ProgressBar, ProgressStyle};

use super::say;

/// What is shown while cases are told.
pub(super) struct Progress {
    /// On standard error, and only there, so that standard output can go to a file.
    bar: Option<ProgressBar>,
    current: Vec<&'static str>,
}

impl Progress {
    pub(super) fn of(cases: usize, in_ci: bool) -> Self {
        let watched = !in_ci && std::io::stderr().is_terminal();
        let bar = watched.then(|| {
            let bar = ProgressBar::new(cases as u64);
            let style = ProgressStyle::with_template("{elapsed} [{bar:30}] {pos}/{len} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar, current: Vec::new() }
    }

    pub(super) fn begins(&mut self, case: &'static Case) {
        self.current.push(case.id);
        self.show();
    }

    pub(super) fn over(&mut self, verdict: &Verdict) {
        let id = verdict.told.case.id;
        self.current.retain(|current| *current != id);
        let line = line(verdict);
        match &self.bar {
            Some(bar) => {
                bar.suspend(|| say(&line));
                bar.inc(1);
            }
            None => say(&line),
        }
        self.show();
    }

    fn show(&self) {
        if let Some(bar) = &self.bar {
            bar.set_message(self.current.join(", "));
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

fn line(verdict: &Verdict) -> String {
    let remark = match verdict.meaning {
        Meaning::Passed => words::took(verdict.told.took),
        Meaning::Failed
        | Meaning::KnownBug(_)
        | Meaning::Healed(..)
        | Meaning::CouldNotRun
        | Meaning::Skipped => words::plain(&verdict.remark().unwrap_or_default()).replace('\n', " "),
    };
    format!("{:<13} {}: {remark}", verdict.meaning.name(), verdict.told.case.id)
}
