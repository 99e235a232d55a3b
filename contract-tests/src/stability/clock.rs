//! What paces a run: the server's clock where that is held, else real time.

use std::time::Duration;

use tokio::time::Instant;

use crate::client::admin::Admin;
use crate::failure::Failure;
use crate::stop::Stop;
use crate::wall;

/// Time since the beginning of a run, which is let pass.
#[derive(Debug)]
pub struct Clock {
    held: Option<Admin>,
    /// How much had passed when this was made, or was let pass on a held clock.
    passed: Duration,
    since: Instant,
}

impl Clock {
    /// Of a run of which so much is over: of a server's clock that is held already, or of real time.
    #[must_use]
    pub fn at(passed: Duration, held: Option<Admin>) -> Self {
        Self { held, passed, since: wall::tick() }
    }

    /// How much of the run is over.
    #[must_use]
    pub fn now(&self) -> Duration {
        if self.held.is_some() { self.passed } else { self.passed + self.since.elapsed() }
    }

    /// Lets time pass up to a moment of the run; not at all if that is over. Moments are fixed from the beginning on, so
    /// that nothing that takes long moves those after it.
    ///
    /// # Errors
    /// When the server's clock cannot be moved.
    pub async fn until(&mut self, moment: Duration, stop: &Stop) -> Result<(), Failure> {
        let missing = moment.saturating_sub(self.now());
        if missing.is_zero() {
            return Ok(());
        }
        let Some(admin) = &self.held else {
            tokio::select! {
                () = wall::until(wall::tick() + missing) => {}
                () = stop.now() => {}
            }
            return Ok(());
        };
        admin.advance(missing).await?;
        self.passed = moment;
        Ok(())
    }

    /// Lets so much time pass.
    ///
    /// # Errors
    /// When the server's clock cannot be moved.
    pub async fn pass(&mut self, time: Duration) -> Result<(), Failure> {
        let moment = self.now() + time;
        self.until(moment, &Stop::default()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_takes_long_does_not_move_what_is_due_after_it() {
        let (mut clock, stop, minute) = (Clock::at(Duration::ZERO, None), Stop::default(), 60);
        let mut seen = Vec::new();
        for (due, takes) in [(0, 20), (minute, 70), (2 * minute, 0), (3 * minute, 0)] {
            clock.until(Duration::from_secs(due), &stop).await.expect("time passes");
            seen.push(clock.now().as_secs());
            wall::until(wall::tick() + Duration::from_secs(takes)).await;
        }
        // What is due while the one before still goes on follows at once.
        assert_eq!(seen, [0, 60, 130, 180]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_is_stopped_waits_no_longer() {
        let (mut clock, stop) = (Clock::at(Duration::from_secs(5), None), Stop::default());
        stop.at_once("enough");
        clock.until(Duration::from_secs(100), &stop).await.expect("nothing");
        assert_eq!(clock.now(), Duration::from_secs(5));
    }
}
