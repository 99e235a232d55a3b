//! Points and stretches of time. Nothing here reads a clock.

use std::fmt;
use std::time::Duration;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const NANOS_PER_MILLI: u64 = 1_000_000;

/// A point on the simulator's clock, in nanoseconds since 1970-01-01T00:00Z; it reaches to the year 2554.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The end of the range: the clock stands still there.
    pub const END: Self = Self(u64::MAX);

    /// The point that many nanoseconds after the epoch.
    #[must_use]
    pub fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The start of that second; seconds before 1970 become 1970.
    #[must_use]
    pub fn from_seconds(seconds: EpochSeconds) -> Self {
        Self(u64::try_from(seconds.0).unwrap_or(0).saturating_mul(NANOS_PER_SECOND))
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub fn nanos(self) -> u64 {
        self.0
    }

    /// The second it lies in.
    #[must_use]
    pub fn seconds(self) -> EpochSeconds {
        EpochSeconds(saturate(self.0 / NANOS_PER_SECOND))
    }

    /// The millisecond it lies in.
    #[must_use]
    pub fn millis(self) -> EpochMillis {
        EpochMillis(saturate(self.0 / NANOS_PER_MILLI))
    }

    /// The point `by` later; the end of the clock's range when that lies beyond it.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

fn saturate(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Whole seconds since the epoch, UTC, without an offset of any kind (PZ-13295).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochSeconds(pub i64);

impl EpochSeconds {
    /// That many seconds later (or earlier, when negative).
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

impl fmt::Display for EpochSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whole milliseconds since the epoch: the unit of row timestamps in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochMillis(pub i64);

/// A stretch of time that is not empty and does not run backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeRange {
    start: EpochSeconds,
    end: EpochSeconds,
}

impl TimeRange {
    /// The range from `start` to `end`, `None` unless start lies before end.
    #[must_use]
    pub fn new(start: EpochSeconds, end: EpochSeconds) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// First second of it.
    #[must_use]
    pub fn start(self) -> EpochSeconds {
        self.start
    }

    /// The second after the last one.
    #[must_use]
    pub fn end(self) -> EpochSeconds {
        self.end
    }

    /// Its length.
    #[must_use]
    pub fn length(self) -> Duration {
        Duration::from_secs(self.end.0.abs_diff(self.start.0))
    }
}

/// What a job streams: the fibre as it is now, or a stretch of what was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Playback {
    /// Rows as the fibre delivers them, without end.
    Live,
    /// The rows of a recorded window, faster than they were recorded.
    Historic(TimeRange),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_lies_in_its_second_and_its_millisecond() {
        let moment =
            Moment::from_seconds(EpochSeconds(1_764_946_703)).after(Duration::from_micros(1_999_999));
        assert_eq!(moment.seconds(), EpochSeconds(1_764_946_704));
        assert_eq!(moment.millis(), EpochMillis(1_764_946_704_999));
    }

    #[test]
    fn a_range_needs_its_start_before_its_end() {
        assert!(TimeRange::new(EpochSeconds(5), EpochSeconds(5)).is_none());
        assert!(TimeRange::new(EpochSeconds(6), EpochSeconds(5)).is_none());
        let range = TimeRange::new(EpochSeconds(5), EpochSeconds(65)).expect("a minute");
        assert_eq!(range.length(), Duration::from_secs(60));
    }

    #[test]
    fn the_clock_stops_at_its_ends_instead_of_wrapping() {
        let last = Moment::from_nanos(u64::MAX);
        assert_eq!(last.after(Duration::MAX), last);
        assert_eq!(Moment::from_nanos(3).since(Moment::from_nanos(5)), Duration::ZERO);
        assert_eq!(Moment::from_seconds(EpochSeconds(-1)), Moment::from_nanos(0));
    }
}
