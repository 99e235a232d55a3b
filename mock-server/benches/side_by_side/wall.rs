//! The wall clock, which is what a benchmark measures with.

use std::time::Instant;

#[allow(clippy::disallowed_methods, reason = "a benchmark measures wall time; this is its one look at it")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
