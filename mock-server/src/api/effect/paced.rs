//! A body that leaves at the pace of the simulator's clock.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use crate::domain::ids::JobId;
use crate::domain::time::Moment;
use crate::sim::Simulation;

/// So many pieces leave in a second at most.
const PIECES_A_SECOND: u32 = 10;

/// Bytes that wait for their time.
pub(super) struct Paced {
    simulation: Arc<Simulation>,
    left: Bytes,
    delay: Option<Duration>,
    /// Bytes in a second; all at once without.
    rate: Option<u32>,
    begun: Option<Moment>,
    gone: u64,
    job: Option<JobId>,
}

impl Paced {
    pub(super) fn new(
        simulation: Arc<Simulation>,
        left: Bytes,
        delay: Option<Duration>,
        rate: Option<u32>,
        job: Option<JobId>,
    ) -> Self {
        Self { simulation, left, delay, rate, begun: None, gone: 0, job }
    }

    pub(super) fn stream(self) -> impl Stream<Item = Bytes> + Send + 'static {
        futures_util::stream::unfold(self, |mut paced| async move {
            let piece = paced.next().await?;
            Some((piece, paced))
        })
    }

    pub(super) fn body(self) -> Body {
        Body::from_stream(self.stream().map(Ok::<_, std::convert::Infallible>))
    }

    async fn next(&mut self) -> Option<Bytes> {
        let clock = self.simulation.clock();
        if let Some(delay) = self.delay.take() {
            clock.sleep_until(clock.now().after(delay), "fault: before the body", self.job).await;
        }
        if self.left.is_empty() {
            return None;
        }
        let Some(rate) = self.rate else { return Some(std::mem::take(&mut self.left)) };
        let begun = *self.begun.get_or_insert_with(|| clock.now());
        let piece = (rate / PIECES_A_SECOND).max(1) as usize;
        let piece = self.left.split_to(piece.min(self.left.len()));
        self.gone += piece.len() as u64;
        // A piece leaves when the last of its bytes is due: the pace is kept however late anything is woken.
        let due = begun.after(time_of(self.gone, rate));
        clock.sleep_until(due, "fault: next bytes of the body", self.job).await;
        Some(piece)
    }
}

/// How long so many bytes take.
fn time_of(bytes: u64, rate: u32) -> Duration {
    let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
