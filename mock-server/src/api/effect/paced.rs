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

/// So many bytes in a second.
pub(super) struct Pace {
    simulation: Arc<Simulation>,
    rate: u32,
    begun: Option<Moment>,
    gone: u64,
    job: Option<JobId>,
}

impl Pace {
    pub(super) fn new(simulation: Arc<Simulation>, rate: u32, job: Option<JobId>) -> Self {
        Self { simulation, rate, begun: None, gone: 0, job }
    }

    /// Counts from the next bytes on.
    pub(super) fn begin_anew(&mut self) {
        (self.begun, self.gone) = (None, 0);
    }

    /// The next of what is left, when it is due.
    pub(super) async fn next(&mut self, left: &mut Bytes) -> Bytes {
        let clock = self.simulation.clock();
        let begun = *self.begun.get_or_insert_with(|| clock.now());
        let piece = (self.rate / PIECES_A_SECOND).max(1) as usize;
        let piece = left.split_to(piece.min(left.len()));
        self.gone += piece.len() as u64;
        // A piece leaves when the last of its bytes is due: the pace is kept however late anything is woken.
        let due = begun.after(time_of(self.gone, self.rate));
        clock.sleep_until(due, "fault: next bytes of the body", self.job).await;
        piece
    }
}

/// Bytes that wait for their time.
pub(super) struct Paced {
    simulation: Arc<Simulation>,
    left: Bytes,
    delay: Option<Duration>,
    /// All at once without.
    pace: Option<Pace>,
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
        let pace = rate.map(|rate| Pace::new(Arc::clone(&simulation), rate, job));
        Self { simulation, left, delay, pace, job }
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
        super::hold_up(&self.simulation, self.delay.take(), "fault: before the body", self.job).await;
        if self.left.is_empty() {
            return None;
        }
        Some(match &mut self.pace {
            Some(pace) => pace.next(&mut self.left).await,
            None => std::mem::take(&mut self.left),
        })
    }
}

/// How long so many bytes take.
fn time_of(bytes: u64, rate: u32) -> Duration {
    let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
