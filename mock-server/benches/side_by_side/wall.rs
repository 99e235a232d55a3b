//! The wall clock, which is what a benchmark measures with.

use std::time::{Instant, SystemTime};

#[allow(clippy::disallowed_methods, reason = "a benchmark measures wall time; this is its one look at it")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Microseconds since the epoch: a mock on the system's clock has the same.
#[allow(clippy::disallowed_methods, reason = "rows of a mock on the system's clock say this time")]
pub(crate) fn epoch_micros() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
