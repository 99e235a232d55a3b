//! Times as objects and tables show them.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use crate::domain::time::Moment;

/// A time in whole seconds, as metadata and statuses have them.
pub(super) fn time(at: Moment) -> Time {
    Time(Timestamp::from_second(at.seconds().0).expect("the clock ends in the year 2554, timestamps in 9999"))
}

/// How long ago a time is, as `kubectl` prints ages.
pub(super) fn age(then: Option<&Time>, now: Moment) -> String {
    then.map_or_else(|| String::from("<unknown>"), |then| human(between(then, &time(now))))
}

/// How long after `from` a time is; zero when it is not after it.
pub(super) fn between(from: &Time, to: &Time) -> Duration {
    Duration::from_secs(u64::try_from(to.0.as_second() - from.0.as_second()).unwrap_or(0))
}

/// A duration as `kubectl` prints it: two units while they are small, one when they are large.
pub(super) fn human(duration: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const YEAR: u64 = 365 * DAY;
    let seconds = duration.as_secs();
    let both = |large: u64, sign: char, small: u64, unit: char| {
        let (count, rest) = (seconds / large, seconds % large / small);
        if rest == 0 { format!("{count}{sign}") } else { format!("{count}{sign}{rest}{unit}") }
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => both(MINUTE, 'm', 1, 's'),
        600..10_800 => format!("{}m", seconds / MINUTE),
        10_800..28_800 => both(HOUR, 'h', MINUTE, 'm'),
        28_800..172_800 => format!("{}h", seconds / HOUR),
        172_800..691_200 => both(DAY, 'd', HOUR, 'h'),
        691_200..63_072_000 => format!("{}d", seconds / DAY),
        63_072_000..252_288_000 => both(YEAR, 'y', DAY, 'd'),
        252_288_000.. => format!("{}y", seconds / YEAR),
    }
}
