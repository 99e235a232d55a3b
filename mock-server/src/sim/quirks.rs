//! Quirks that are switched while a world goes on.

use super::journal::Happening;
use super::world::World;
use crate::domain::quirk::{Profile, Quirk};
use crate::domain::time::Moment;

impl World {
    /// Switches one quirk.
    pub fn set_quirk(&mut self, quirk: Quirk, on: bool, now: Moment) {
        if self.quirks.has(quirk) != on {
            self.quirks = self.quirks.with(quirk, on);
            self.journal.write(now, Happening::QuirkChanged(quirk, on));
        }
    }

    /// Switches all quirks to those of a profile.
    pub fn set_profile(&mut self, profile: Profile, now: Moment) {
        for quirk in Quirk::ALL.iter().copied() {
            self.set_quirk(quirk, profile.quirks().has(quirk), now);
        }
    }
}
