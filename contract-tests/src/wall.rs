//! The wall clock, which only durations of requests, limits of waiting and names of reports read.

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

/// Now, to measure from, on the clock of tokio's timers: tests can hold it.
#[allow(clippy::disallowed_methods, reason = "load is measured in real time; only tests hold it")]
#[must_use]
pub fn tick() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Waits for a moment of [`tick`]'s clock: when a schedule lets its next request go.
pub async fn until(moment: tokio::time::Instant) {
    tokio::time::sleep_until(moment).await;
}

/// Now, as exactly as the machine knows it.
#[allow(clippy::disallowed_methods, reason = "reports are dated in real time")]
#[must_use]
pub fn timestamp() -> jiff::Timestamp {
    jiff::Timestamp::try_from(SystemTime::now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}
