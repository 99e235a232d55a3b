//! When a stream's frames are due and how many rows each has. Our choice throughout; no recording shows more than the
//! burst at the beginning of a historic stream.

use std::time::Duration;

use super::time::{EpochMillis, TimeRange};

/// Frames of a historic stream that leave at once, and the least it has.
pub const BURST: u64 = 8;

/// What a frame has beside its values, at most: its shape, and for every row a number, a time and a length.
const FRAME_BYTES: usize = 96;
const ROW_BYTES: usize = 24;

/// How many values of that many bytes fit one row of a frame that has only this row; at least one.
#[must_use]
pub fn values_per_frame(value_bytes: usize, max_frame_bytes: usize) -> usize {
    (max_frame_bytes.saturating_sub(FRAME_BYTES + ROW_BYTES) / value_bytes.max(1)).max(1)
}

/// Rows per frame and time between frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    rows: u32,
    interval: Duration,
}

impl Pace {
    /// The pace of a stream: about ten frames a second, at most 64 rows in one, and no more rows than fit the frame.
    ///
    /// `lines_dt` is the time between two rows in seconds.
    #[must_use]
    pub fn of(lines_dt: f64, row_bytes: usize, max_frame_bytes: usize) -> Self {
        let wanted = (1..=64).find(|rows| f64::from(*rows) * lines_dt >= 0.1).unwrap_or(64);
        let fitting = max_frame_bytes.saturating_sub(FRAME_BYTES) / (row_bytes + ROW_BYTES);
        let fitting = u32::try_from(fitting).unwrap_or(u32::MAX).max(1);
        let rows = wanted.min(fitting);
        let interval = Duration::from_secs_f64((f64::from(rows) * lines_dt).clamp(0.1, 1.0));
        Self { rows, interval }
    }

    /// Rows in one frame, 1 to 64.
    #[must_use]
    pub fn rows(self) -> u32 {
        self.rows
    }

    /// Time from one frame to the next of a live call, 0.1 s to 1 s.
    #[must_use]
    pub fn interval(self) -> Duration {
        self.interval
    }
}

/// The frames of one historic stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Playtime {
    window: TimeRange,
    length: Duration,
    frames: u64,
    rows: u64,
}

impl Playtime {
    /// A window played `speed` times faster than it was recorded; `speed` is at least 1.
    #[must_use]
    pub fn of(window: TimeRange, speed: f64, pace: Pace) -> Self {
        let length = window.length().div_f64(speed);
        let frames =
            u64::try_from(length.as_nanos() / pace.interval.as_nanos()).unwrap_or(u64::MAX).max(BURST);
        Self { window, length, frames, rows: frames * u64::from(pace.rows) }
    }

    /// How long it plays.
    #[must_use]
    pub fn length(self) -> Duration {
        self.length
    }

    /// How many frames it has.
    #[must_use]
    pub fn frames(self) -> u64 {
        self.frames
    }

    /// When a frame is due, from the beginning of the playback: the first eight at once, the others spread evenly.
    #[must_use]
    pub fn due(self, frame: u64) -> Duration {
        let Some(after_burst) = (frame + 1).checked_sub(BURST) else { return Duration::ZERO };
        let spread = u128::from(self.frames - BURST + 1);
        let nanos = self.length.as_nanos() * u128::from(after_burst) / spread;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Time of a row: the rows lie evenly in the window, the first at its start, none at its end.
    #[must_use]
    pub fn row_time(self, row: u64) -> EpochMillis {
        let millis = self.window.length().as_millis() * u128::from(row) / u128::from(self.rows);
        EpochMillis(self.window.start().0 * 1000 + i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

/// Times of the rows of a live frame: the last one at `now`, each later than the one before and than `last`.
#[must_use]
pub fn live_row_times(now: EpochMillis, rows: u32, lines_dt: f64, last: Option<EpochMillis>) -> Vec<i64> {
    let mut earliest = last.map_or(i64::MIN, |last| last.0 + 1);
    (0..rows)
        .map(|row| {
            let before =
                Duration::try_from_secs_f64(f64::from(rows - 1 - row) * lines_dt).unwrap_or_default();
            let time = (now.0 - i64::try_from(before.as_millis()).unwrap_or(0)).max(earliest);
            earliest = time + 1;
            time
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::EpochSeconds;

    const PLENTY: usize = 16 << 20;

    fn window(seconds: i64) -> TimeRange {
        TimeRange::new(EpochSeconds(1_764_946_703), EpochSeconds(1_764_946_703 + seconds)).expect("a window")
    }

    #[test]
    fn a_frame_spans_about_a_tenth_of_a_second_and_at_most_64_rows() {
        for (lines_dt, rows, millis) in [
            (0.5, 1, 500),
            (0.1, 1, 100),
            (0.0125, 8, 100),
            (0.01, 10, 100),
            (0.0001, 64, 100),
            (30.0, 1, 1000),
        ] {
            let pace = Pace::of(lines_dt, 4, PLENTY);
            assert_eq!(
                (pace.rows(), pace.interval()),
                (rows, Duration::from_millis(millis)),
                "lines_dt {lines_dt}"
            );
        }
    }

    #[test]
    fn a_frame_has_fewer_rows_when_they_are_large_and_never_less_than_one() {
        assert_eq!(Pace::of(0.01, 1 << 20, (4 << 20) + 1024).rows(), 4);
        assert_eq!(Pace::of(0.01, 1 << 20, 4 << 20).rows(), 3, "a frame is more than its values");
        assert_eq!(Pace::of(0.01, 64 << 20, 4 << 20).rows(), 1);
    }

    #[test]
    fn the_golden_window_plays_36_seconds_in_72_frames() {
        let pace = Pace::of(0.5, 4352 * 4, PLENTY);
        let play = Playtime::of(window(7200), 200.0, pace);
        assert_eq!((play.length(), play.frames()), (Duration::from_secs(36), 72));
        assert_eq!(play.due(7), Duration::ZERO, "the eighth frame belongs to the burst");
        let later: Vec<_> = (7..72).map(|frame| play.due(frame)).collect();
        assert!(later.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(play.due(71) < play.length());
    }

    #[test]
    fn a_short_window_still_has_eight_frames_all_at_once() {
        let play = Playtime::of(window(1), 200.0, Pace::of(0.0001, 4, PLENTY));
        assert_eq!(play.frames(), 8);
        assert!((0..8).all(|frame| play.due(frame).is_zero()));
    }

    #[test]
    fn historic_rows_have_rising_times_inside_the_window() {
        let pace = Pace::of(0.0001, 4, PLENTY);
        let play = Playtime::of(window(1), 1.0, pace);
        let rows = play.frames() * u64::from(pace.rows());
        let times: Vec<_> = (0..rows).map(|row| play.row_time(row).0).collect();
        assert_eq!(times[0], 1_764_946_703_000);
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(*times.last().expect("has rows") < 1_764_946_704_000);
    }

    #[test]
    fn live_rows_end_now_and_never_repeat_a_time() {
        assert_eq!(live_row_times(EpochMillis(1000), 3, 0.01, None), [980, 990, 1000]);
        assert_eq!(live_row_times(EpochMillis(1000), 3, 0.01, Some(EpochMillis(995))), [996, 997, 1000]);
        assert_eq!(live_row_times(EpochMillis(1000), 3, 0.0001, Some(EpochMillis(1000))), [1001, 1002, 1003]);
    }
}
