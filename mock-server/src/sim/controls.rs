//! Changes to a world that goes on.

use std::sync::Arc;
use std::time::Duration;

use super::change::{Change, ChangeRefused};
use super::faults::Rule;
use super::journal::Happening;
use super::world::World;
use crate::domain::time::Moment;

impl World {
    /// Makes a change; with a time, for that long only.
    ///
    /// # Errors
    /// When it cannot be made; then nothing has changed.
    pub fn apply(
        &mut self,
        change: &Change,
        lasts: Option<Duration>,
        now: Moment,
    ) -> Result<(), ChangeRefused> {
        let _ = lasts;
        match change {
            Change::AddRule(rule) => self.add_rule(rule, now),
            _ => Ok(()),
        }
    }

    fn add_rule(&mut self, rule: &Arc<Rule>, now: Moment) -> Result<(), ChangeRefused> {
        let id = self.faults.install(Arc::clone(rule), now)?;
        self.journal.write(now, Happening::RuleAdded(id));
        Ok(())
    }
}
