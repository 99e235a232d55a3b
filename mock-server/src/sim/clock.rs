//! The simulator's clock, and the only place that reads time.
//!
//! Start-up, sweep, TTL, playback, pacing and recordings all follow it. It runs with the wall clock, a factor faster or
//! slower, or stands still until it is advanced. It never runs backwards: a change of mode goes on from where it was.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;

use crate::domain::ids::JobId;
use crate::domain::time::Moment;

/// How many simulated seconds pass in one real one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factor(f64);

impl Factor {
    /// Largest factor: beyond it, a simulated second is shorter than a timer can tell.
    pub const MAX: f64 = 1_000_000.0;

    /// A factor above 0, up to a million.
    #[must_use]
    pub fn new(factor: f64) -> Option<Self> {
        (factor > 0.0 && factor <= Self::MAX).then_some(Self(factor))
    }
}

/// What makes the clock go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// It runs as the wall clock does.
    System,
    /// It runs faster or slower by a factor.
    Scaled(Factor),
    /// It stands still until it is advanced.
    Manual,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Scaled(factor) => write!(f, "scaled:{}", factor.0),
            Self::Manual => f.write_str("manual"),
        }
    }
}

/// The text names no mode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a clock: expected system, scaled:N with N above 0 up to 1000000, or manual")]
pub struct NotAMode;

impl FromStr for Mode {
    type Err = NotAMode;

    fn from_str(text: &str) -> Result<Self, NotAMode> {
        match text {
            "system" => Ok(Self::System),
            "manual" => Ok(Self::Manual),
            _ => {
                let factor = text.strip_prefix("scaled:").and_then(|factor| factor.parse().ok());
                factor.and_then(Factor::new).map(Self::Scaled).ok_or(NotAMode)
            }
        }
    }
}

/// Who waits on the clock, for the state that the admin API shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// When the wait is over.
    pub until: Moment,
    /// What is waited for.
    pub what: &'static str,
    /// The job it is for, if any.
    pub job: Option<JobId>,
}

struct State {
    mode: Mode,
    wall: Instant,
    simulated: Moment,
}

/// The clock of one world.
pub struct Clock {
    state: Mutex<State>,
    changed: Notify,
    waiters: Mutex<(u64, BTreeMap<u64, Waiter>)>,
}

impl Clock {
    /// A clock that starts at the given time, or at the wall clock's.
    #[must_use]
    pub fn start(mode: Mode, at: Option<Moment>) -> Self {
        let state = State { mode, wall: wall_instant(), simulated: at.unwrap_or_else(wall_time) };
        Self { state: Mutex::new(state), changed: Notify::new(), waiters: Mutex::default() }
    }

    /// The simulated time.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.state().now()
    }

    /// What makes it go.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.state().mode
    }

    /// Changes what makes it go; the time stays as it is.
    pub fn set_mode(&self, mode: Mode) {
        let mut state = self.state();
        *state = State { mode, simulated: state.now(), wall: wall_instant() };
        drop(state);
        self.changed.notify_waiters();
    }

    /// Moves to a later moment; one that has passed already changes nothing.
    pub(super) fn jump_to(&self, moment: Moment) {
        let mut state = self.state();
        *state = State { mode: state.mode, simulated: state.now().max(moment), wall: wall_instant() };
        drop(state);
        self.changed.notify_waiters();
    }

    /// Waits until the clock has reached a moment, whichever way it gets there.
    pub async fn sleep_until(&self, until: Moment, what: &'static str, job: Option<JobId>) {
        if self.now() >= until {
            return;
        }
        let _listed = self.list(Waiter { until, what, job });
        loop {
            let changed = self.changed.notified();
            let Some(wall) = self.wall_time_until(until) else { return };
            match wall {
                Wall::Stands => changed.await,
                // Either the time has come or the clock was changed; both are seen on the next turn.
                Wall::In(duration) => drop(tokio::time::timeout(duration, changed).await),
            }
        }
    }

    /// Everybody who waits, in the order in which their time comes.
    #[must_use]
    pub fn waiters(&self) -> Vec<Waiter> {
        let mut all: Vec<_> = lock(&self.waiters).1.values().copied().collect();
        all.sort_by_key(|waiter| waiter.until);
        all
    }

    fn list(&self, waiter: Waiter) -> Listed<'_> {
        let mut waiters = lock(&self.waiters);
        waiters.0 += 1;
        let number = waiters.0;
        waiters.1.insert(number, waiter);
        Listed { clock: self, number }
    }

    fn wall_time_until(&self, until: Moment) -> Option<Wall> {
        let state = self.state();
        let now = state.now();
        if now >= until {
            return None;
        }
        let simulated = until.since(now);
        // A day at most: a timer's range is limited, a wait's is not.
        let longest = Duration::from_secs(86_400);
        Some(match state.mode {
            Mode::Manual => Wall::Stands,
            Mode::System => Wall::In(simulated.min(longest)),
            Mode::Scaled(factor) => Wall::In(
                Duration::try_from_secs_f64(simulated.as_secs_f64() / factor.0)
                    .unwrap_or(longest)
                    .min(longest),
            ),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

enum Wall {
    Stands,
    In(Duration),
}

struct Listed<'a> {
    clock: &'a Clock,
    number: u64,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        lock(&self.clock.waiters).1.remove(&self.number);
    }
}

impl State {
    fn now(&self) -> Moment {
        let passed = match self.mode {
            Mode::Manual => return self.simulated,
            Mode::System => self.wall.elapsed(),
            Mode::Scaled(factor) => {
                let seconds = self.wall.elapsed().as_secs_f64() * factor.0;
                Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
            }
        };
        self.simulated.after(passed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while these are held, and each holds one whole value.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(clippy::disallowed_methods, reason = "this is the one door to the wall clock")]
fn wall_time() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::from_nanos(0).after(since)
}

#[allow(clippy::disallowed_methods, reason = "this is the one door to the wall clock")]
fn wall_instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn at(seconds: u64) -> Moment {
        Moment::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_mode_is_read_back_from_its_own_text() {
        for text in ["system", "manual", "scaled:60", "scaled:0.5"] {
            assert_eq!(text.parse::<Mode>().expect("a mode").to_string(), text);
        }
        for text in [
            "",
            "System",
            "scaled",
            "scaled:",
            "scaled:0",
            "scaled:-1",
            "scaled:NaN",
            "scaled:inf",
            "scaled:1e7",
        ] {
            assert_eq!(text.parse::<Mode>(), Err(NotAMode), "{text:?}");
        }
    }

    #[test]
    fn a_manual_clock_stands_until_it_is_moved_and_never_goes_back() {
        let clock = Clock::start(Mode::Manual, Some(at(100)));
        assert_eq!(clock.now(), at(100));
        clock.jump_to(at(150));
        clock.jump_to(at(120));
        assert_eq!(clock.now(), at(150));
        clock.set_mode(Mode::System);
        assert!(clock.now() >= at(150));
    }

    #[tokio::test]
    async fn a_wait_on_a_manual_clock_ends_with_the_advance_that_reaches_it() {
        let clock = Arc::new(Clock::start(Mode::Manual, Some(at(100))));
        let mut wait = Box::pin(clock.sleep_until(at(150), "a test", None));
        let pending = futures_util::poll!(&mut wait);
        assert!(pending.is_pending());
        assert_eq!(clock.waiters(), [Waiter { until: at(150), what: "a test", job: None }]);
        clock.jump_to(at(149));
        assert!(futures_util::poll!(&mut wait).is_pending());
        clock.jump_to(at(150));
        wait.await;
        assert!(clock.waiters().is_empty());
    }

    #[tokio::test]
    async fn a_wait_follows_a_clock_that_changes_its_mode() {
        let clock = Clock::start(Mode::Manual, Some(at(100)));
        let mut wait = Box::pin(clock.sleep_until(at(1100), "a test", None));
        assert!(futures_util::poll!(&mut wait).is_pending());
        clock.set_mode(Mode::Scaled(Factor::new(1_000_000.0).expect("in range")));
        wait.await;
        assert!(clock.now() >= at(1100));
    }
}
