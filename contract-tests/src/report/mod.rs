//! What came of a run, and the files that tell about it.
//!
//! Everything that a server said is hostile here: it is escaped by the libraries that write the formats, and made
//! [`words::plain`] before, since XML has no way to say some characters at all.

mod difference;
mod files;
mod html;
mod json;
mod junit;
mod markdown;
pub mod words;
mod xray;

pub use difference::difference;
pub use files::{Kind, ReportFile};
pub(crate) use html::head;
pub use words::without_credentials;

use jiff::Timestamp;

use crate::failure::Failure;
use crate::known_failing::{KnownFailing, Line};
use crate::runner::{Outcome, Told};

/// A run that is over.
#[derive(Clone, Debug)]
pub struct Run {
    /// The server, without credentials.
    pub target: String,
    /// Why that one.
    pub because: String,
    /// What the server is called where it runs.
    pub environments: Vec<String>,
    /// The suite, if one was asked for.
    pub suite: Option<&'static str>,
    /// Seed of everything that was drawn.
    pub seed: u64,
    /// When it began, in epoch seconds.
    pub began: i64,
    /// When it was over, in epoch seconds.
    pub ended: i64,
    /// The command that repeats it, without what picks the cases.
    pub command: String,
    /// Key of the test plan in Xray.
    pub test_plan: Option<String>,
    /// Every case that was picked, in the order of the registry.
    pub results: Vec<Verdict>,
    /// What is wrong with the list of known failures.
    pub rotten: Vec<String>,
    /// Why it ended before its last case, if it did.
    pub stopped: Option<String>,
    /// Whether somebody interrupted it.
    pub interrupted: bool,
}

/// A case, with what its outcome means.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The case as it was told.
    pub told: Told,
    /// What that means.
    pub meaning: Meaning,
}

/// What an outcome means, once known failures are taken into account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The server keeps what the case claims.
    Passed,
    /// It does not, and nobody knew.
    Failed,
    /// It does not, as is known.
    KnownBug(Line),
    /// It does, although the list says otherwise; with what to say about that.
    Healed(Line, String),
    /// The case could not be told.
    CouldNotRun,
    /// The case was not told.
    Skipped,
}

impl Meaning {
    /// One or two words for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::KnownBug(_) => "known bug",
            Self::Healed(..) => "healed",
            Self::CouldNotRun => "could not run",
            Self::Skipped => "skipped",
        }
    }
}

impl Verdict {
    /// Holds an outcome against the list.
    #[must_use]
    pub fn of(told: Told, known: &KnownFailing) -> Self {
        let line = known.about(told.case.id);
        let meaning = match (&told.outcome, line) {
            (Outcome::Passed, None) => Meaning::Passed,
            (Outcome::Passed, Some(line)) => Meaning::Healed(line.clone(), known.healed(line, told.case.id)),
            (Outcome::Failed(_), None) => Meaning::Failed,
            (Outcome::Failed(_), Some(line)) => Meaning::KnownBug(line.clone()),
            (Outcome::CouldNotRun(_), _) => Meaning::CouldNotRun,
            (Outcome::Skipped(_), _) => Meaning::Skipped,
        };
        Self { told, meaning }
    }

    /// What is broken, or could not be done.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.told.outcome {
            Outcome::Failed(failure) | Outcome::CouldNotRun(failure) => Some(failure),
            Outcome::Passed | Outcome::Skipped(_) => None,
        }
    }

    /// In one sentence, what is to be said beside the meaning's name.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        let broken = || self.failure().map_or("", |failure| failure.what.as_str());
        match (&self.meaning, &self.told.outcome) {
            (Meaning::KnownBug(line), _) => Some(format!("{}: {}; {}", line.ticket, line.reason, broken())),
            (Meaning::Healed(_, what), _) => Some(what.clone()),
            (_, Outcome::Skipped(reason)) => Some(reason.clone()),
            (_, Outcome::Failed(failure) | Outcome::CouldNotRun(failure)) => Some(failure.what.clone()),
            (_, Outcome::Passed) => None,
        }
    }
}

/// How many cases there are of each meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Passed.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    /// Known bugs.
    pub known: usize,
    /// Listed as failing, but passed.
    pub healed: usize,
    /// Could not be told.
    pub could_not_run: usize,
    /// Not told.
    pub skipped: usize,
}

impl Totals {
    /// Counts.
    pub fn of<'a>(results: impl IntoIterator<Item = &'a Verdict>) -> Self {
        let mut totals = Self::default();
        for verdict in results {
            *match verdict.meaning {
                Meaning::Passed => &mut totals.passed,
                Meaning::Failed => &mut totals.failed,
                Meaning::KnownBug(_) => &mut totals.known,
                Meaning::Healed(..) => &mut totals.healed,
                Meaning::CouldNotRun => &mut totals.could_not_run,
                Meaning::Skipped => &mut totals.skipped,
            } += 1;
        }
        totals
    }

    /// Each with its name.
    #[must_use]
    pub fn named(&self) -> [(&'static str, usize); 6] {
        [
            ("passed", self.passed),
            ("failed", self.failed),
            ("known bugs", self.known),
            ("healed", self.healed),
            ("could not run", self.could_not_run),
            ("skipped", self.skipped),
        ]
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> usize {
        self.named().iter().map(|(_, count)| count).sum()
    }

    /// All but those of which there is none, in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let named = self.named();
        let some = named.iter().filter(|(_, count)| *count > 0);
        some.map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    }
}

/// Exit status of a run that somebody interrupted: as shells have it.
pub const INTERRUPTED: u8 = 130;

impl Run {
    /// 0: the contract is kept; 1: it is broken, or nothing was told, or the list of known failures is wrong; 2: a case
    /// could not be told; 130: interrupted. A broken promise counts more than a case that could not be told.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        let totals = self.totals();
        if self.interrupted {
            INTERRUPTED
        } else if totals.failed + totals.healed + self.rotten.len() > 0 {
            1
        } else if totals.could_not_run > 0 {
            2
        } else {
            u8::from(totals.skipped == totals.all())
        }
    }

    /// How many cases there are of each meaning.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals::of(&self.results)
    }

    /// The command that tells one case again, with the same seed and target.
    #[must_use]
    pub fn again(&self, id: &str) -> String {
        format!("{} --only {id}", self.command)
    }

    /// Everything that is left on the server, each with the case that left it.
    pub fn left_behind(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.results.iter().flat_map(|verdict| {
            verdict.told.left_behind.iter().map(|what| (verdict.told.case.id, what.as_str()))
        })
    }

    /// The results of each area, in the order of the registry.
    pub(crate) fn areas(&self) -> Vec<(&'static str, Vec<&Verdict>)> {
        let mut areas: Vec<(&'static str, Vec<&Verdict>)> = Vec::new();
        for verdict in &self.results {
            let area = verdict.told.case.area();
            match areas.iter_mut().find(|(known, _)| *known == area) {
                Some((_, verdicts)) => verdicts.push(verdict),
                None => areas.push((area, vec![verdict])),
            }
        }
        areas
    }
}

/// Epoch seconds as `2025-12-08T00:08:52+00:00`.
pub(crate) fn date(epoch_seconds: i64) -> String {
    let time = Timestamp::from_second(epoch_seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
