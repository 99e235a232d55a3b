//! Tasks: the older unit of `/config/{task_id}`, of which a client asks rows until they end.
//!
//! Never deployed; the shapes are those of client models, the times are our choice. A task takes no slot, no port and
//! no cluster objects.

use std::fmt;
use std::time::Duration;

use super::time::{Moment, TimeRange};

/// Name of a task: 1 to 256 characters of `[a-zA-Z0-9_-]`, chosen by the client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(String);

impl TaskId {
    /// The name, `None` when it has other characters or is too long.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        ((1..=256).contains(&name.len()) && name.bytes().all(allowed)).then(|| Self(name.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text has the form of a job id (digits, dash, digits): such a one is only ever a job, never a task.
#[must_use]
pub fn looks_like_a_job(id: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    id.split_once('-').is_some_and(|(slot, sequence)| digits(slot) && digits(sequence))
}

/// What a task was configured with, without contradictions; made by `check::task`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskConfig {
    /// Lowest and highest sensor, 0-based, lowest below highest.
    pub(super) sensors: (u32, u32),
    /// Time between two rows.
    pub(super) row_interval: Duration,
    /// A recorded window, or live.
    pub(super) window: Option<TimeRange>,
}

impl TaskConfig {
    /// Lowest and highest sensor, both included.
    #[must_use]
    pub fn sensors(&self) -> (u32, u32) {
        self.sensors
    }
}

/// What a poll of a task finds.
#[derive(Clone, Debug, PartialEq)]
pub enum WaterfallReply {
    /// Its analyzer has exited: nobody polled for too long, or the window was played out.
    Exited,
    /// Nothing yet.
    NoData,
    /// Rows: the number of the first one, and begin and end of each, epoch milliseconds.
    Rows {
        /// Number of the first row.
        first: u64,
        /// Begin and end of each row.
        times: Vec<(i64, i64)>,
    },
}

/// No data for that long after a configuration.
const START_UP: Duration = Duration::from_secs(1);
/// A task that nobody polls for that long exits.
const UNPOLLED: Duration = Duration::from_secs(60);
/// A task that has exited is known for that long.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Most values in one answer, so that a wide task with a fine interval stays readable.
const VALUES_PER_ANSWER: u64 = 200_000;
/// What is around the values of a row, the longest name included, is as long as so many values.
const VALUES_AROUND_A_ROW: u64 = 10;

/// A task as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    config: TaskConfig,
    configured: Moment,
    last_poll: Moment,
    /// How long its window plays, if it has one.
    playtime: Option<Duration>,
    next_row: u64,
}

impl Task {
    /// A task that was just configured; windows play `speed` times faster than they were recorded.
    #[must_use]
    pub fn new(config: TaskConfig, speed: f64, now: Moment) -> Self {
        let playtime = config.window.map(|window| window.length().div_f64(speed));
        Self { config, configured: now, last_poll: now, playtime, next_row: 0 }
    }

    /// What it was configured with.
    #[must_use]
    pub fn config(&self) -> &TaskConfig {
        &self.config
    }

    /// When it was last polled, or configured.
    #[must_use]
    pub fn last_poll(&self) -> Moment {
        self.last_poll
    }

    fn data_begins(&self) -> Moment {
        self.configured.after(START_UP)
    }

    fn exits(&self) -> Moment {
        let unpolled = self.last_poll.after(UNPOLLED);
        self.playtime.map_or(unpolled, |playtime| unpolled.min(self.data_begins().after(playtime)))
    }

    /// Whether it is known no longer.
    #[must_use]
    pub fn is_forgotten(&self, now: Moment) -> bool {
        now >= self.exits().after(REMEMBERED)
    }

    /// Whether it streams: it has begun and has not exited.
    #[must_use]
    pub fn has_data(&self, now: Moment) -> bool {
        now >= self.data_begins() && now < self.exits()
    }

    /// The rows since the last poll, at most so many and the newest ones; the newest row again where there is no new
    /// one, so that a task with data always has some.
    pub fn poll(&mut self, at_most: u64, now: Moment) -> WaterfallReply {
        if now >= self.exits() {
            return WaterfallReply::Exited;
        }
        self.last_poll = now;
        if now < self.data_begins() {
            return WaterfallReply::NoData;
        }
        let (begin, interval) = self.rows();
        let passed = now.since(self.data_begins()).as_nanos();
        // A recorded window passes as much faster as it plays.
        let passed = match (self.config.window, self.playtime) {
            (Some(window), Some(playtime)) if !playtime.is_zero() => {
                passed * window.length().as_nanos() / playtime.as_nanos()
            }
            _ => passed,
        };
        let newest = u64::try_from(passed / interval).unwrap_or(u64::MAX);
        let sensors = u64::from(self.config.sensors.1 - self.config.sensors.0) + 1;
        let fits = (VALUES_PER_ANSWER / (sensors + VALUES_AROUND_A_ROW)).max(1).min(at_most.max(1));
        let first = self.next_row.min(newest).max(newest.saturating_sub(fits - 1));
        self.next_row = newest + 1;
        let millis = |row: u64| {
            let offset = u128::from(row) * interval / 1_000_000;
            begin + i64::try_from(offset).unwrap_or(i64::MAX / 4)
        };
        WaterfallReply::Rows {
            first,
            times: (first..=newest).map(|row| (millis(row), millis(row + 1))).collect(),
        }
    }

    /// Time of its first row in epoch milliseconds, and nanoseconds from one row to the next, a millisecond at least.
    fn rows(&self) -> (i64, u128) {
        let begin =
            self.config.window.map_or(self.data_begins().millis().0, |window| window.start().0 * 1000);
        (begin, self.config.row_interval.as_nanos().max(1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::EpochSeconds;

    const START: u64 = 1_765_152_000_000;

    fn at(millis: u64) -> Moment {
        Moment::from_nanos((START + millis) * 1_000_000)
    }

    fn task(window: Option<TimeRange>) -> Task {
        let config = TaskConfig { sensors: (0, 9), row_interval: Duration::from_millis(100), window };
        Task::new(config, 200.0, at(0))
    }

    fn rows(reply: WaterfallReply) -> (u64, usize) {
        match reply {
            WaterfallReply::Rows { first, times } => (first, times.len()),
            other => panic!("no rows: {other:?}"),
        }
    }

    #[test]
    fn a_name_has_only_letters_digits_dashes_and_underscores() {
        for name in ["a", "A-1_b", &"x".repeat(256)] {
            assert!(TaskId::new(name).is_some(), "{name}");
        }
        for name in ["", "a b", "a.b", "ä", "a/b", &"x".repeat(257)] {
            assert!(TaskId::new(name).is_none(), "{name}");
        }
        for (id, job) in [("1-2", true), ("001-2", true), ("1-", false), ("a-1", false), ("1-2-3", false)] {
            assert_eq!(looks_like_a_job(id), job, "{id}");
        }
    }

    #[test]
    fn there_is_no_data_for_a_second_and_then_there_always_is() {
        let mut task = task(None);
        assert_eq!(task.poll(10, at(999)), WaterfallReply::NoData);
        assert_eq!(rows(task.poll(10, at(1000))), (0, 1));
        assert_eq!(rows(task.poll(10, at(1000))), (0, 1), "the newest row again");
        assert_eq!(rows(task.poll(10, at(1300))), (1, 3));
        assert_eq!(rows(task.poll(2, at(2300))), (12, 2), "the newest ones, at most as many as asked for");
    }

    #[test]
    fn a_task_nobody_polls_exits_after_a_minute_and_is_forgotten_after_another() {
        let mut task = task(None);
        task.poll(1, at(30_000));
        assert!(task.has_data(at(89_999)) && !task.has_data(at(90_000)));
        assert_eq!(task.poll(1, at(90_000)), WaterfallReply::Exited);
        assert!(
            !task.is_forgotten(at(149_999)) && task.is_forgotten(at(150_000)),
            "exiting polls do not count"
        );
    }

    #[test]
    fn a_recorded_window_exits_when_it_was_played_out_and_keeps_its_own_times() {
        let window = TimeRange::new(EpochSeconds(1_764_946_703), EpochSeconds(1_764_947_703));
        let mut task = task(window);
        let WaterfallReply::Rows { times, .. } = task.poll(1, at(1000)) else { panic!("has begun") };
        assert_eq!(times, [(1_764_946_703_000, 1_764_946_703_100)]);
        let WaterfallReply::Rows { times, .. } = task.poll(1, at(3500)) else {
            panic!("half of five seconds")
        };
        assert_eq!(times, [(1_764_947_203_000, 1_764_947_203_100)]);
        assert_eq!(task.poll(1, at(6000)), WaterfallReply::Exited);
    }
}
