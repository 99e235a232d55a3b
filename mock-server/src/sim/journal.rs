//! What happened, in order. Bounded: the oldest entries go first, and how many went is known.

use std::collections::VecDeque;

use crate::domain::ids::JobId;
use crate::domain::job::StreamEnd;
use crate::domain::quirk::Quirk;
use crate::domain::refusal::Refusal;
use crate::domain::time::Moment;

use super::faults::Step;

/// Why a job was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Nobody read its streams.
    Idle,
    /// It had come to its end.
    Finished,
    /// It had come to its end and its cleanup job was gone.
    Ttl,
    /// A client cancelled it, and its pods have been readable for long enough.
    Cancelled,
    /// The server gave up on its streams.
    GoneAway,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// A job was created.
    Configured(JobId),
    /// A configure request was refused before anything was taken, or for want of a slot.
    Refused(Refusal),
    /// A reservation failed at a step and was undone.
    RolledBack {
        /// The id the job would have had.
        id: JobId,
        /// The step that failed.
        step: Step,
        /// What the client was told.
        refusal: Refusal,
    },
    /// A Pending job's pod became ready.
    Started(JobId),
    /// A job's streams are over.
    Completed(JobId),
    /// A job's pod was lost.
    Failed(JobId),
    /// A client cancelled a job.
    Cancelled(JobId),
    /// A job is gone.
    Removed(JobId, Removal),
    /// The server ended a call.
    CallEnded(JobId, StreamEnd),
    /// A dependency or the fibre changed its state.
    DependencyChanged(&'static str),
    /// The server got a quirk, or lost it.
    QuirkChanged(Quirk, bool),
    /// The Focus Server does not come up without that outside system.
    ServerWaits(&'static str),
    /// The Focus Server came up after such a wait.
    ServerUp,
}

/// A happening and its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Position in the journal, from 1, without gaps.
    pub number: u64,
    /// When, on the simulator's clock.
    pub at: Moment,
    /// What.
    pub what: Happening,
}

const CAPACITY: usize = 4096;

/// The last entries.
#[derive(Debug, Default)]
pub struct Journal {
    written: u64,
    entries: VecDeque<Entry>,
}

impl Journal {
    pub(super) fn write(&mut self, at: Moment, what: Happening) {
        self.written += 1;
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { number: self.written, at, what });
    }

    /// How many entries were ever written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Entries after the given number that are still kept, oldest first.
    #[must_use]
    pub fn since(&self, number: u64) -> Vec<Entry> {
        self.entries.iter().filter(|entry| entry.number > number).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_go_first_and_numbers_go_on() {
        let mut journal = Journal::default();
        for _ in 0..=CAPACITY {
            journal.write(Moment::from_nanos(0), Happening::DependencyChanged("fiber"));
        }
        assert_eq!(journal.written(), CAPACITY as u64 + 1);
        let kept = journal.since(0);
        assert_eq!((kept.len(), kept[0].number), (CAPACITY, 2));
        assert_eq!(journal.since(journal.written() - 1).len(), 1);
    }
}
