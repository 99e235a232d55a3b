//! The time of a run: that of the wall, and on a server whose clock is held what that was moved on beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::client::admin::Admin;
use crate::failure::Failure;
use crate::wall;

/// A clock that is held goes on by this much when nothing else happens.
const STEP: Duration = Duration::from_millis(250);
/// How long a server whose clock is held may take to answer, before it counts as waiting for its clock.
const GRACE: Duration = Duration::from_millis(100);

/// What passes for whoever uses a server.
///
/// **Chosen**: where the server's clock is held, its moves count beside real time, so that a server which waits for its
/// clock is as slow as it would be on a clock that goes. Such a wait ends in steps of a quarter of a second.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The clock that is moved on instead of waiting, where it is held.
    held: Option<Admin>,
    moved: Arc<AtomicU64>,
    began: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self::of(None)
    }
}

impl Clock {
    /// That of the wall, or one that stands until it is moved on.
    #[must_use]
    pub fn of(held: Option<Admin>) -> Self {
        Self { held, moved: Arc::default(), began: wall::tick() }
    }

    /// What passed since it began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.began.elapsed() + Duration::from_nanos(self.moved.load(Ordering::Relaxed))
    }

    /// Lets time pass: on the server's clock where that is held, else for real.
    ///
    /// # Errors
    /// When the clock cannot be moved.
    pub async fn pass(&self, time: Duration) -> Result<(), Failure> {
        let Some(admin) = &self.held else {
            wall::until(wall::tick() + time).await;
            return Ok(());
        };
        if !time.is_zero() {
            // Before: an answer that waited for this move may be here before the one to the move.
            self.moved.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
            admin.advance(time).await?;
        }
        Ok(())
    }

    /// Waits for one of its moments.
    pub(super) async fn until(&self, moment: Duration) -> Result<(), Failure> {
        self.pass(moment.saturating_sub(self.now())).await
    }

    /// Gives what was sent a moment to be answered, where nothing but the clock's next move would wait for it.
    pub(super) async fn let_answer(&self, answered: impl Future) {
        if self.held.is_some() {
            let _ = tokio::time::timeout(GRACE, answered).await;
        }
    }

    /// Moves a clock that is held on for as long as nothing is answered on it; ends with the last answer.
    pub(super) async fn while_unanswered(
        &self,
        answered: impl Fn() -> usize,
        all: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        let mut all = std::pin::pin!(all);
        let mut before = answered();
        if self.held.is_none() {
            all.await;
            return Ok(());
        }
        while tokio::time::timeout(GRACE, &mut all).await.is_err() {
            let now = answered();
            if std::mem::replace(&mut before, now) == now {
                self.pass(STEP).await?;
            }
        }
        Ok(())
    }
}
