//! What a setup plans: rules from the start on, changes as time passes. And rules that go by themselves.

use std::sync::Arc;

use super::agenda::Event;
use super::change::{Change, MOST_OCCURRENCES, Planned, SHORTEST_PERIOD};
use super::journal::Happening;
use super::world::World;
use crate::domain::time::Moment;

impl World {
    /// Installs the rules of the setup, in their order.
    pub(super) fn install_rules(&mut self, now: Moment) {
        let setup = Arc::clone(&self.setup);
        for rule in &setup.rules {
            self.apply_or_tell(&Change::AddRule(Arc::clone(rule)), None, now);
        }
    }

    /// Enters every change of the timeline for the first time.
    pub(super) fn enter_timeline(&mut self, start: Moment) {
        let setup = Arc::clone(&self.setup);
        for (index, planned) in setup.timeline.iter().enumerate() {
            if planned.times != Some(0) {
                self.agenda.enter(start.after(planned.at), Event::Planned(index, 0));
            }
        }
    }

    /// Makes a change of the timeline, and enters it for the next time.
    pub(super) fn make_planned(&mut self, index: usize, occurrence: u32, at: Moment) {
        let setup = Arc::clone(&self.setup);
        let Some(planned) = setup.timeline.get(index) else { return };
        self.enter_next(planned, index, occurrence, at);
        self.apply_or_tell(&planned.change, planned.lasts, at);
    }

    fn enter_next(&mut self, planned: &Planned, index: usize, occurrence: u32, at: Moment) {
        let Some(period) = planned.every else { return };
        let next = occurrence.saturating_add(1);
        if next < planned.times.unwrap_or(MOST_OCCURRENCES) {
            self.agenda.enter(at.after(period.max(SHORTEST_PERIOD)), Event::Planned(index, next));
        }
    }

    /// Makes a change that nobody waits for: a refusal is told by the journal alone.
    fn apply_or_tell(&mut self, change: &Change, lasts: Option<std::time::Duration>, at: Moment) {
        if let Err(refused) = self.apply(change, lasts, at) {
            self.journal.write(at, Happening::ChangeRefused(refused.to_string().into()));
        }
    }

    /// Takes away the rules that have outlived their time.
    pub(super) fn expire_rules(&mut self, at: Moment) {
        for id in self.faults.expire(at) {
            self.temporary.forget_rule(&id);
            self.journal.write(at, Happening::RuleRemoved(id));
        }
    }
}
