//! What became of a job: for whoever asks why an id is not known.

use super::faults::Step;
use super::journal::{Happening, Removal};
use super::world::World;
use crate::domain::ids::{JobId, Sequence};
use crate::domain::job::JobState;
use crate::domain::time::Moment;

/// What became of the job of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is there; a cancelled one is for 2 s, although no client knows it any more.
    Live(JobState),
    /// It was there, and was removed. When and why, where the journal still tells; where it does not, the id may also
    /// be one that differs from a job's in its slot.
    Removed {
        /// When.
        at: Option<Moment>,
        /// Why.
        why: Option<Removal>,
    },
    /// It never came to be: its reservation failed.
    RolledBack {
        /// When.
        at: Moment,
        /// The step that failed.
        step: Step,
    },
    /// No job ever had that id.
    NeverGivenOut,
    /// A job of the world before the last reset may have had it; ids come again afterwards.
    FromBeforeTheReset,
}

impl World {
    /// What became of the job of an id.
    #[must_use]
    pub fn fate(&self, id: JobId) -> Fate {
        if let Some(job) = self.jobs.get(&id) {
            return Fate::Live(job.state);
        }
        let slot_exists = id.slot.number() <= self.setup.ports.max_slots();
        if !slot_exists {
            return Fate::NeverGivenOut;
        }
        self.fate_in_this_world(id).unwrap_or_else(|| {
            let range = self.given_out_before;
            let before = range.is_some_and(|(lowest, highest)| (lowest..=highest).contains(&id.sequence));
            if before && self.may_have_been_before(id) {
                Fate::FromBeforeTheReset
            } else {
                Fate::NeverGivenOut
            }
        })
    }

    /// `None` where no job of this world had the id.
    fn fate_in_this_world(&self, id: JobId) -> Option<Fate> {
        let (lowest, highest) = self.given_out()?;
        if !(lowest..=highest).contains(&id.sequence) {
            return None;
        }
        let told = self.journal.newest(|entry| {
            entry.number > self.journal_before
                && match &entry.what {
                    Happening::Removed(of, _) | Happening::RolledBack { id: of, .. } => *of == id,
                    _ => false,
                }
        });
        match told.map(|entry| (entry.at, entry.what)) {
            Some((at, Happening::Removed(_, why))) => Some(Fate::Removed { at: Some(at), why: Some(why) }),
            Some((at, Happening::RolledBack { step, .. })) => Some(Fate::RolledBack { at, step }),
            // With every entry of this world at hand, silence means that there was no such job.
            _ if self.journal.dropped() <= self.journal_before => None,
            _ if self.jobs.keys().any(|job| job.sequence == id.sequence) => None,
            _ => Some(Fate::Removed { at: None, why: None }),
        }
    }

    /// Whether the journal does not rule out a job of that id in the worlds before this one.
    fn may_have_been_before(&self, id: JobId) -> bool {
        let was = |what: &Happening| matches!(what, Happening::Configured(of) if of.id == id);
        self.journal.dropped() > 0 || self.journal.newest(|entry| was(&entry.what)).is_some()
    }

    /// The lowest and highest number that this world has given out.
    fn given_out(&self) -> Option<(Sequence, Sequence)> {
        let first = self.setup.first_sequence;
        let last = match self.next_sequence {
            Some(next) => Sequence::new(next.number() - 1)?,
            None => Sequence::new(i32::MAX)?,
        };
        (first <= last).then_some((first, last))
    }

    /// The same of all worlds so far.
    pub(super) fn given_out_so_far(&self) -> Option<(Sequence, Sequence)> {
        let all = self.given_out().into_iter().chain(self.given_out_before);
        all.reduce(|(low, high), (lowest, highest)| (low.min(lowest), high.max(highest)))
    }
}
