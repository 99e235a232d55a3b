//! What will happen when: the events that the clock has not reached yet.

use std::collections::BTreeMap;

use crate::domain::ids::JobId;
use crate::domain::time::Moment;

use super::calls::CallId;

/// Something that happens by itself as time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The start-up time of a job's pod is over.
    PodStart(JobId),
    /// A job's cleanup job takes its next CPU sample.
    SweepSample(JobId),
    /// A finished job whose cleanup job is gone has outlived its TTL.
    TtlOver(JobId),
    /// The pods of a cancelled job have been readable for long enough.
    CancelledPodsGone(JobId),
    /// Time to look whether a call has made progress.
    ProgressCheck(CallId),
    /// The new pod of MongoDB is ready.
    MongoDbReady,
}

/// Events in the order of their time; those of one time in the order in which they were entered.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    entered: u64,
    events: BTreeMap<(Moment, u64), Event>,
}

impl Agenda {
    pub(super) fn enter(&mut self, at: Moment, event: Event) {
        self.entered += 1;
        self.events.insert((at, self.entered), event);
    }

    /// When the next event is due.
    pub(super) fn next_due(&self) -> Option<Moment> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the next event that is due at `now`.
    pub(super) fn take_due(&mut self, now: Moment) -> Option<(Moment, Event)> {
        let entry = self.events.first_entry().filter(|entry| entry.key().0 <= now)?;
        let at = entry.key().0;
        Some((at, entry.remove()))
    }
}
