//! How far a run is: a bar where somebody watches, a line per case everywhere.

use focus_contract::case::Case;
use focus_contract::report::{Meaning, Verdict, words};

use super::bar::Bar;

/// What is shown while cases are told.
pub(super) struct Progress {
    bar: Bar,
    over: u64,
    current: Vec<&'static str>,
}

impl Progress {
    pub(super) fn of(cases: usize, in_ci: bool) -> Self {
        let bar = Bar::of(cases as u64, "{elapsed} [{bar:30}] {pos}/{len} {wide_msg}", in_ci);
        Self { bar, over: 0, current: Vec::new() }
    }

    pub(super) fn begins(&mut self, case: &'static Case) {
        self.current.push(case.id);
        self.show();
    }

    pub(super) fn over(&mut self, verdict: &Verdict) {
        let id = verdict.told.case.id;
        self.current.retain(|current| *current != id);
        self.over += 1;
        self.bar.say(&line(verdict));
        self.bar.is_at(self.over);
        self.show();
    }

    fn show(&self) {
        self.bar.shows(|| self.current.join(", "));
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
