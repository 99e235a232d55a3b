//! The pace of load: what time passes, how it is let pass, and when a clock that is held may be moved.
//!
//! Where a server's clock is held, moments are reached by moving that clock, and a latency is what passes on it from the
//! moment at which a request was due to its answer: nothing, unless the server made it wait on its clock. So a schedule
//! of a minute takes a second, and no busy machine makes a server look slow. Where time is real, so are both.
//!
//! The invariant of a held clock: it is moved only while every request that was sent is either answered, and whoever takes
//! the answers is done with that, or listed among those who wait on it; and never past the moment at which the first of
//! these goes on. Who is listed with a moment that has passed has been let go and is on its way. Hence no latency depends
//! on who is faster. [`Pacer::pass`] and [`Pacer::until`] move it for whoever has nothing on its way; requests that are let
//! go by [`crate::capacity::fire`] move it for themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::client::admin::{Admin, Clock, Waiter};
use crate::failure::Failure;
use crate::stop::Stop;
use crate::wall;

/// What a mock says of a REST request that waits on its clock. Others wait there, too: streams for their next frame, the
/// simulation for its next event, calls that are held up.
const REQUESTS: [&str; 7] = [
    "fault: before the request is served",
    "fault: before the headers",
    "fault: before the body",
    "fault: next bytes of the body",
    "configure answer",
    "slow MongoDB",
    "slow outage",
];

/// How long somebody may be listed for the millisecond that the clock shows, in real time, before it is moved on by
/// another one. The list has whole milliseconds: who waits for a part of one cannot be told from who was just let go.
const SAME_MILLISECOND: Duration = Duration::from_secs(1);

/// A clock by which load is paced: of real time, or of a server that holds its own.
#[derive(Clone, Debug)]
pub struct Pacer {
    held: Option<Held>,
    /// What had passed when this was made.
    before: Duration,
    began: Instant,
}

/// A clock that stands until it is moved.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    admin: Admin,
    patience: Duration,
    /// How far it was moved, in milliseconds.
    moved_ms: Arc<AtomicU64>,
}

impl Default for Pacer {
    /// Of real time.
    fn default() -> Self {
        Self { held: None, before: Duration::ZERO, began: wall::tick() }
    }
}

impl Pacer {
    /// Of a held clock, or of real time. Requests are answered or given up within `patience`, in real time.
    #[must_use]
    pub fn of(held: Option<Admin>, patience: Duration) -> Self {
        let held = held.map(|admin| Held { admin, patience, moved_ms: Arc::default() });
        Self { held, ..Self::default() }
    }

    /// Of a run of which so much is over.
    #[must_use]
    pub fn after(self, passed: Duration) -> Self {
        Self { before: passed, ..self }
    }

    /// Whether moments are reached without waiting for them.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    pub(crate) fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// How much time has passed.
    #[must_use]
    pub fn passed(&self) -> Duration {
        self.before
            + match &self.held {
                Some(held) => Duration::from_millis(held.moved_ms.load(Ordering::Relaxed)),
                None => self.began.elapsed(),
            }
    }

    /// When it will be a moment of real time.
    pub(crate) fn instant(&self, moment: Duration) -> Instant {
        self.began + moment.saturating_sub(self.before)
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// When the clock cannot be moved.
    pub async fn pass(&self, time: Duration) -> Result<(), Failure> {
        self.until(self.passed() + time, &Stop::default()).await
    }

    /// Lets time pass up to a moment, or until somebody stops it; not at all if the moment is over. Moments are fixed from
    /// the beginning on, so that nothing that takes long moves those after it.
    ///
    /// # Errors
    /// When the clock cannot be moved.
    pub async fn until(&self, moment: Duration, stop: &Stop) -> Result<(), Failure> {
        let missing = moment.saturating_sub(self.passed());
        if missing.is_zero() {
            return Ok(());
        }
        if let Some(held) = &self.held {
            return held.advance(whole(missing)).await;
        }
        tokio::select! {
            () = wall::until(self.instant(moment)) => {}
            () = stop.now() => {}
        }
        Ok(())
    }
}

impl Held {
    pub(crate) async fn advance(&self, by: Duration) -> Result<(), Failure> {
        if by.is_zero() {
            return Ok(());
        }
        // Before: an answer that waited for this move may be here before the one to the move.
        self.moved_ms.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.admin.advance(by).await
    }

    pub(crate) async fn clock(&self) -> Result<Clock, Failure> {
        self.admin.clock().await
    }

    /// For how long the first of those waits who were sent; nothing while one of them is on its way. `since` then the last
    /// of them was answered.
    ///
    /// # Errors
    /// When they neither are answered nor wait, and cannot be waited for any longer.
    pub(crate) fn first_goes_on(
        &self,
        clock: &Clock,
        sent: usize,
        since: Instant,
    ) -> Result<Option<Duration>, Failure> {
        let requests = clock.waiters.iter().filter(|waiter| is_request(waiter));
        let (let_go, waiting): (Vec<_>, Vec<_>) =
            requests.partition(|waiter| waiter.until_ms <= clock.now_ms);
        let first = waiting.iter().map(|waiter| waiter.until_ms).min();
        if let Some(first) = first.filter(|_| waiting.len() == sent) {
            return Ok(Some(Duration::from_millis(first.abs_diff(clock.now_ms))));
        }
        let same = let_go.iter().any(|waiter| waiter.until_ms == clock.now_ms);
        if same && since.elapsed() >= SAME_MILLISECOND {
            return Ok(Some(Duration::from_millis(1)));
        }
        // Nobody's request is given up on later than that.
        if since.elapsed() > self.patience * 2 {
            return Err(Failure::could_not_run(format!(
                "the clock stands, and of {sent} requests {} wait on it; the others are not answered either",
                waiting.len()
            )));
        }
        Ok(None)
    }
}

/// Whole milliseconds: the list of those who wait has no finer ones.
pub(crate) fn whole(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_micros().div_ceil(1000)).unwrap_or(u64::MAX))
}

fn is_request(waiter: &Waiter) -> bool {
    REQUESTS.contains(&waiter.what.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_takes_long_does_not_move_what_is_due_after_it() {
        let (pacer, stop, minute) = (Pacer::default(), Stop::default(), 60);
        let mut seen = Vec::new();
        for (due, takes) in [(0, 20), (minute, 70), (2 * minute, 0), (3 * minute, 0)] {
            pacer.until(Duration::from_secs(due), &stop).await.expect("time passes");
            seen.push(pacer.passed().as_secs());
            wall::until(wall::tick() + Duration::from_secs(takes)).await;
        }
        // What is due while the one before still goes on follows at once.
        assert_eq!(seen, [0, 60, 130, 180]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_is_stopped_waits_no_longer() {
        let (pacer, stop) = (Pacer::default().after(Duration::from_secs(5)), Stop::default());
        pacer.until(Duration::from_secs(7), &stop).await.expect("time passes");
        assert_eq!((pacer.passed().as_secs(), pacer.began.elapsed().as_secs()), (7, 2));
        stop.at_once("enough");
        pacer.until(Duration::from_secs(100), &stop).await.expect("nothing");
        assert_eq!(pacer.passed().as_secs(), 7);
    }
}
