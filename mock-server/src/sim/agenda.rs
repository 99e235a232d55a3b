//! What will happen when: the events that the clock has not reached yet.

use std::collections::BTreeMap;

use crate::domain::ids::JobId;
use crate::domain::time::Moment;

use super::calls::CallId;
use super::cluster::facts::Part;
use super::cluster::workloads::Due;

/// Something that happens by itself as time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The start-up time of a job's pod is over.
    PodStart(JobId),
    /// A job's cleanup job takes the sample that removes it.
    Sweep(JobId),
    /// A finished job whose cleanup job is gone has outlived its TTL.
    TtlOver(JobId),
    /// The pods of a cancelled job have been readable for long enough.
    CancelledPodsGone(JobId),
    /// The server gives up on the streams of a job.
    GoAway(JobId),
    /// Time to look whether a call has made progress.
    ProgressCheck(CallId),
    /// Something of a workload is due.
    Workload(Due),
    /// The pod of a job that was deleted by hand is gone.
    PodGone(JobId, Part),
    /// A cleanup job that is over has outlived its TTL.
    CleanupJobOver(JobId),
    /// The Focus Server's process has exited so many times for want of MongoDB, and is started once more.
    ServerExits(u32),
    /// The new pod of MongoDB is ready.
    MongoDbReady,
    /// The pod of the Focus Server that was started again is ready.
    ServerReady,
    /// A change of that number was made for a time, which is over.
    GoBack(u64),
    /// A rule has outlived its time.
    RulesExpire,
    /// A change of the timeline, by its place in it, comes for so manieth time, counted from 0.
    Planned(usize, u32),
}

/// Events in the order of their time; those of one time in the order in which they were entered.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    entered: u64,
    events: BTreeMap<Key, Event>,
}

/// Where an event stands in the agenda.
pub(super) type Key = (Moment, u64);

impl Agenda {
    /// Enters an event. What lies at the very end of the clock's range never happens: time cannot go on from there.
    pub(super) fn enter(&mut self, at: Moment, event: Event) -> Key {
        self.entered += 1;
        if at < Moment::END {
            self.events.insert((at, self.entered), event);
        }
        (at, self.entered)
    }

    /// Takes an event back that nobody needs any more.
    pub(super) fn withdraw(&mut self, key: Key) {
        self.events.remove(&key);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_of_time_and_a_withdrawn_one_does_not_come() {
        let mut agenda = Agenda::default();
        let at = Moment::from_nanos;
        agenda.enter(at(20), Event::MongoDbReady);
        let withdrawn = agenda.enter(at(5), Event::MongoDbReady);
        agenda.enter(at(10), Event::MongoDbReady);
        agenda.withdraw(withdrawn);
        assert_eq!(agenda.take_due(at(9)), None);
        assert_eq!(agenda.take_due(at(99)).map(|(due, _)| due), Some(at(10)));
        assert_eq!(agenda.take_due(at(99)).map(|(due, _)| due), Some(at(20)));
    }

    #[test]
    fn an_event_at_the_end_of_time_never_comes_or_the_one_after_it_would_come_for_ever() {
        let mut agenda = Agenda::default();
        agenda.enter(Moment::END.after(std::time::Duration::from_secs(10)), Event::MongoDbReady);
        assert_eq!((agenda.next_due(), agenda.take_due(Moment::END)), (None, None));
    }
}
