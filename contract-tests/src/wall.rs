//! The wall clock, which only durations of requests and limits of waiting read.

use std::time::{Duration, Instant, SystemTime};

/// Now, to measure from.
#[allow(
    clippy::disallowed_methods,
    reason = "the suite measures real requests; a server's own clock is asked for"
)]
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// Epoch seconds, for servers whose clock cannot be asked.
#[allow(clippy::disallowed_methods, reason = "real servers live in real time")]
#[must_use]
pub fn epoch_seconds() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
