//! The wall clock, for the limits of transports and for nothing else: a client that dawdles does so in real time,
//! whatever the simulated clock shows.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

/// A moment of the wall clock: nanoseconds since this process first looked at it, so that a connection can note one
/// in an atomic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WallTime(pub(super) u64);

static ORIGIN: OnceLock<Instant> = OnceLock::new();

/// Furthest away that a timer is set; whoever waits for longer looks again by then.
const FURTHEST: Duration = Duration::from_secs(24 * 3600);

impl WallTime {
    #[allow(
        clippy::disallowed_methods,
        reason = "transport limits are wall time, and this is where it is read"
    )]
    pub(super) fn now() -> Self {
        let now = Instant::now();
        Self(nanos(now.saturating_duration_since(*ORIGIN.get_or_init(|| now))))
    }

    pub(super) fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(nanos(time)))
    }

    /// Waits until this moment has come.
    pub(super) async fn reached(self) {
        loop {
            let left = self.0.saturating_sub(Self::now().0);
            if left == 0 {
                return;
            }
            let origin = *ORIGIN.get().expect("set by the look at the time above");
            let next = Self::now().after(FURTHEST).min(self);
            tokio::time::sleep_until(origin + Duration::from_nanos(next.0)).await;
        }
    }
}

/// Far more than five hundred years count as that many.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_has_passed_is_not_waited_for_and_what_never_comes_does_not_overflow() {
        let now = WallTime::now();
        now.reached().await;
        assert!(now.after(Duration::MAX) > now.after(Duration::from_secs(1)));
        let never = now.after(Duration::MAX).reached();
        assert!(futures_util::FutureExt::now_or_never(never).is_none());
    }
}
