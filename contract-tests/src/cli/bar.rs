//! A bar where somebody watches, and lines everywhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::say;

/// How far a run is. It is on standard error, and only there, so that standard output can go to a file; it vanishes with
/// the run.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    /// Of so many steps, in the words of indicatif.
    pub(super) fn of(steps: u64, words: &str, in_ci: bool) -> Self {
        let watched = !in_ci && std::io::stderr().is_terminal();
        Self(watched.then(|| {
            let bar = ProgressBar::new(steps);
            let style = ProgressStyle::with_template(words);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        }))
    }

    /// Says a line above the bar.
    pub(super) fn say(&self, line: &str) {
        match &self.0 {
            Some(bar) => bar.suspend(|| say(line)),
            None => say(line),
        }
    }

    pub(super) fn is_at(&self, step: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(step);
        }
    }

    pub(super) fn shows(&self, message: impl FnOnce() -> String) {
        if let Some(bar) = &self.0 {
            bar.set_message(message());
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
