//! What happened, in order: requests with their answers, steps of orchestration, changes, faults. Bounded in bytes: the
//! oldest entries go first, and how many went is known.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::ids::{JobId, NodePort};
use crate::domain::job::{StreamEnd, Terms};
use crate::domain::quirk::Quirk;
use crate::domain::refusal::{PortHolder, Refusal};
use crate::domain::time::Moment;

use super::change::Outside;
use super::cluster::edit::Edited;
use super::counts::{Counts, Ended, Verb};
use super::faults::{Draw, Effect, GiveBack, Hit, Point, RuleId, Step};
use super::signal::Told;

pub use super::record::{Answered, Paper, RequestRecord, Texts};

/// Why a job was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Removal {
    /// Nobody read its streams.
    Idle,
    /// It had come to its end.
    Finished,
    /// Somebody with access to the cluster deleted its Job.
    Deleted,
    /// It had come to its end and its cleanup job was gone.
    Ttl,
    /// A client cancelled it, and its pods have been readable for long enough.
    Cancelled,
    /// The server gave up on its streams.
    GoneAway,
}

impl Removal {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Idle, Self::Finished, Self::Deleted, Self::Ttl, Self::Cancelled, Self::GoneAway];
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// A job was created, with these terms.
    Configured(Arc<Terms>),
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
    /// Something outside changed its state.
    OutsideChanged(Outside),
    /// A quirk was switched.
    QuirkChanged(Quirk, bool),
    /// Limits were changed: these.
    LimitsChanged(Vec<&'static str>),
    /// A port was taken by a rehearsal.
    PortHeld(NodePort, PortHolder),
    /// A port that was taken that way was let go.
    PortReleased(NodePort),
    /// What is recorded was replaced.
    RecordingsReplaced,
    /// A rule was installed.
    RuleAdded(RuleId),
    /// A rule was taken away, or had outlived its time.
    RuleRemoved(RuleId),
    /// A change of the timeline could not be made, and why.
    ChangeRefused(Box<str>),
    /// The undo of a failed reservation's step failed: this is left behind.
    Leaked {
        /// The job that it was for; nothing where it had no number yet.
        job: Option<JobId>,
        /// The undo that failed.
        undo: GiveBack,
        /// What is left, by its name.
        name: Box<str>,
    },
    /// Somebody with access to the cluster deleted a job's cleanup job.
    CleanupJobDeleted(JobId),
    /// Somebody with access to the cluster did something to its objects.
    ClusterEdited(Edited),
    /// A rule did not pass.
    Fault(Box<FaultHit>),
    /// A request was answered, or ended without an answer.
    Request(RequestRecord),
    /// A client opened a call on a stream of a job.
    CallOpened(JobId),
    /// The Focus Server does not come up without that outside system.
    ServerWaits(&'static str),
    /// The Focus Server came up after such a wait.
    ServerUp,
    /// The world went back to its start, or to that of another world.
    Reset,
}

/// A rule that did not pass, to whom, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultHit {
    /// The rule.
    pub rule: RuleId,
    /// Where.
    pub point: Point,
    /// What was done, by its name; nothing where a delay was all.
    pub effect: Option<&'static str>,
    /// How long it was held up.
    pub delay: Option<Duration>,
    /// The job it was about.
    pub job: Option<JobId>,
    /// The request it was about.
    pub request: Option<Box<str>>,
    /// The draw that decided.
    pub draw: Option<Draw>,
}

/// Why a request got its answer, beside the answer itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// A rule did not pass.
    Rule(FaultHit),
    /// A quirk made a difference; with what it let pass, where it is a check that it leaves out.
    Quirk(Quirk, Option<String>),
}

impl FaultHit {
    /// What there is to tell of a hit.
    #[must_use]
    pub fn of(hit: &Hit, job: Option<JobId>, request: Option<&str>) -> Self {
        Self {
            rule: hit.rule.clone(),
            point: hit.point,
            effect: hit.effect.as_ref().map(Effect::name),
            delay: hit.delay,
            job,
            request: request.map(Into::into),
            draw: hit.draw.clone(),
        }
    }
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

impl Entry {
    /// Bytes that it is counted as: itself, and about what it holds elsewhere.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let beside = match &self.what {
            Happening::Request(record) => record.bytes(),
            Happening::ChangeRefused(text) | Happening::Leaked { name: text, .. } => text.len(),
            // The entry may be the last to have them; streams and texts are short.
            Happening::Configured(_) => size_of::<Terms>() + 256,
            Happening::Fault(_) => size_of::<FaultHit>() + 256,
            // Lists of violations are short.
            Happening::Refused(_) | Happening::RolledBack { .. } => 256,
            _ => 0,
        };
        size_of::<Self>() + beside
    }
}

/// How much is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalLimits {
    /// Bytes of all entries.
    pub bytes: usize,
    /// Bytes of one entry: bodies and headers above it are cut.
    pub entry_bytes: usize,
    /// Headers, in lower case, whose values are left out.
    pub redacted: Vec<String>,
}

impl Default for JournalLimits {
    fn default() -> Self {
        let redacted = ["authorization", "cookie", "proxy-authorization", "x-api-key"];
        Self {
            bytes: 32 * 1024 * 1024,
            entry_bytes: 64 * 1024,
            redacted: redacted.map(String::from).to_vec(),
        }
    }
}

#[derive(Debug, Default)]
struct Kept {
    written: u64,
    bytes: usize,
    entries: VecDeque<Entry>,
    paper: Paper,
    counts: Counts,
}

impl Kept {
    fn dropped(&self) -> u64 {
        self.written - self.entries.len() as u64
    }
}

/// What a journal comes to, at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// How often things happened, whether their entries are kept or not.
    pub counts: Counts,
    /// How many entries were ever written.
    pub written: u64,
    /// How many of them are gone.
    pub dropped: u64,
    /// Bytes of what is kept.
    pub bytes: usize,
}

/// The last entries. It has its own lock, which nobody holds while taking another: transports write to it beside the
/// world.
#[derive(Debug)]
pub struct Journal {
    limits: JournalLimits,
    kept: Mutex<Kept>,
    told: Told,
}

/// A journal that several write to.
pub type SharedJournal = Arc<Journal>;

impl Journal {
    /// An empty one.
    #[must_use]
    pub fn new(limits: JournalLimits) -> Self {
        Self { limits, kept: Mutex::default(), told: Told::default() }
    }

    /// How much it keeps.
    #[must_use]
    pub fn limits(&self) -> &JournalLimits {
        &self.limits
    }

    /// Writes an entry; its number.
    pub fn write(&self, at: Moment, what: Happening) -> u64 {
        self.put(at, |kept| {
            kept.counts.happened(&what);
            what
        })
    }

    /// Writes a record of a request; see [`RequestRecord::new`].
    pub fn record<'a, H>(
        &self,
        at: Moment,
        texts: Texts<'_>,
        headers: impl Fn() -> H,
        answered: Answered,
    ) -> u64
    where
        H: Iterator<Item = (&'a str, &'a [u8])>,
    {
        let limits = &self.limits;
        let ended = Ended {
            route: answered.route,
            verb: Verb::of(texts.method),
            status: answered.status,
            code: answered.code,
            took: at.since(answered.came),
        };
        self.put(at, |kept| {
            kept.counts.request(&ended);
            Happening::Request(RequestRecord::new(texts, headers, answered, limits, &mut kept.paper))
        })
    }

    fn put(&self, at: Moment, what: impl FnOnce(&mut Kept) -> Happening) -> u64 {
        let mut kept = self.kept();
        let what = what(&mut kept);
        kept.written += 1;
        let number = kept.written;
        let entry = Entry { number, at, what };
        kept.bytes += entry.bytes();
        kept.entries.push_back(entry);
        while kept.bytes > self.limits.bytes
            && let Some(oldest) = kept.entries.pop_front()
        {
            kept.bytes -= oldest.bytes();
        }
        drop(kept);
        self.told.tell();
        number
    }

    /// What it comes to.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let kept = self.kept();
        Tally {
            counts: kept.counts.clone(),
            written: kept.written,
            dropped: kept.dropped(),
            bytes: kept.bytes,
        }
    }

    /// How many entries were ever written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.kept().written
    }

    /// How many of them are gone.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.kept().dropped()
    }

    /// Bytes of what is kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.kept().bytes
    }

    /// Entries after the given number that are still kept, oldest first.
    #[must_use]
    pub fn since(&self, number: u64) -> Vec<Entry> {
        self.select(number, usize::MAX, |_| true)
    }

    /// Entries after the given number that are still kept and wanted, oldest first, so many at most.
    #[must_use]
    pub fn select(&self, after: u64, most: usize, mut wanted: impl FnMut(&Entry) -> bool) -> Vec<Entry> {
        let kept = self.kept();
        let skip = usize::try_from(after.saturating_sub(kept.dropped())).unwrap_or(usize::MAX);
        let entries = kept.entries.range(skip.min(kept.entries.len())..);
        entries.filter(|entry| wanted(entry)).take(most).cloned().collect()
    }

    /// How many entries after the given number are kept and wanted.
    #[must_use]
    pub fn count(&self, after: u64, mut wanted: impl FnMut(&Entry) -> bool) -> u64 {
        let kept = self.kept();
        kept.entries.iter().filter(|entry| entry.number > after && wanted(entry)).count() as u64
    }

    /// The newest entry that is kept and wanted.
    #[must_use]
    pub fn newest(&self, mut wanted: impl FnMut(&Entry) -> bool) -> Option<Entry> {
        self.kept().entries.iter().rev().find(|entry| wanted(entry)).cloned()
    }

    /// Told whenever an entry was written.
    #[must_use]
    pub fn told(&self) -> &Told {
        &self.told
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while it is held.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_go_first_and_numbers_go_on() {
        let at = Moment::from_nanos(0);
        let one = Entry { number: 1, at, what: Happening::ServerUp }.bytes();
        let journal = Journal::new(JournalLimits { bytes: one * 10 + 1, ..JournalLimits::default() });
        for _ in 0..13 {
            journal.write(at, Happening::ServerUp);
        }
        assert_eq!((journal.written(), journal.dropped(), journal.bytes()), (13, 3, one * 10));
        let numbers = |entries: Vec<Entry>| entries.iter().map(|entry| entry.number).collect::<Vec<_>>();
        assert_eq!(numbers(journal.since(0)), (4..=13).collect::<Vec<_>>());
        assert_eq!(numbers(journal.since(12)), [13]);
        assert_eq!(numbers(journal.select(5, 2, |_| true)), [6, 7]);
        assert!(journal.since(99).is_empty());
    }
}
