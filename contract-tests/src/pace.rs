//! The pace of load: when each request is due, and how late its answer is.
//!
//! Where a server's clock is held, moments are reached by moving that clock, and a latency is what passes on it from the
//! moment at which a request was due to its answer: nothing, unless the server made it wait on its clock. So a schedule
//! of a minute takes a second, and no busy machine makes a server look slow. Where time is real, so are both.
//!
//! The invariant of a held clock: it is moved only while every request that was sent is either answered or listed among
//! those who wait on it, and never past the moment at which the first of these goes on. Who is listed with a moment that
//! has passed has been let go and is on its way. Hence no latency depends on who is faster.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::capacity::clock::Clock;
use crate::capacity::fire::{Shot, on_schedule, together};
use crate::client::admin::{Admin, Waiter};
use crate::failure::Failure;
use crate::wall;

/// What a mock says of a REST request that waits on its clock. Others wait there, too: streams for their next frame, the
/// simulation for its next event, calls that are held up.
const REQUESTS: [&str; 7] = [
    "fault: before the request is served",
    "fault: before the headers",
    "fault: before the body",
    "fault: next bytes of the body",
    "configure answer",
    "slow MongoDB",
    "slow outage",
];

/// How long somebody may be listed for the millisecond that the clock shows, in real time, before it is moved on by
/// another one. The list has whole milliseconds: who waits for a part of one cannot be told from who was just let go.
const SAME_MILLISECOND: Duration = Duration::from_secs(1);

/// A clock by which load is paced.
#[derive(Debug)]
pub struct Pacer {
    held: Option<Admin>,
    patience: Duration,
    began: Instant,
    /// How far the held clock was moved, in milliseconds.
    moved_ms: AtomicU64,
}

impl Pacer {
    /// Of a held clock, or of real time. Requests are answered or given up within `patience`, in real time.
    #[must_use]
    pub fn of(held: Option<Admin>, patience: Duration) -> Self {
        Self { held, patience, began: wall::tick(), moved_ms: AtomicU64::new(0) }
    }

    /// Whether moments are reached without waiting for them.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// How much time has passed.
    #[must_use]
    pub fn passed(&self) -> Duration {
        match self.held {
            Some(_) => Duration::from_millis(self.moved_ms.load(Ordering::Relaxed)),
            None => self.began.elapsed(),
        }
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// When the clock cannot be moved.
    pub async fn pass(&self, time: Duration) -> Result<(), Failure> {
        match &self.held {
            Some(admin) => self.advance(admin, whole(time)).await,
            None => {
                wall::until(wall::tick() + time).await;
                Ok(())
            }
        }
    }

    /// Asks at each moment from now on, whatever becomes of what was asked before; what came of it, in that order.
    ///
    /// # Errors
    /// When the clock cannot be moved, or something is neither answered nor waits on it.
    pub async fn on_schedule<T, F, Fut>(&self, moments: &[Duration], ask: F) -> Result<Vec<Shot<T>>, Failure>
    where
        T: Send + 'static,
        F: Fn(usize) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = T> + Send + 'static,
    {
        match &self.held {
            None => Ok(on_schedule(moments.to_vec(), &Clock::default(), ask).all().await),
            Some(admin) => {
                let moments = moments.iter().map(|moment| whole(*moment)).collect();
                self.fire(admin, moments, usize::MAX, ask).await
            }
        }
    }

    /// Asks so many at once, with at most `workers` in flight: who waits for a worker waits from the beginning on.
    ///
    /// # Errors
    /// As [`Self::on_schedule`].
    pub async fn together<T, F, Fut>(
        &self,
        count: usize,
        workers: usize,
        ask: F,
    ) -> Result<Vec<Shot<T>>, Failure>
    where
        T: Send + 'static,
        F: Fn(usize) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = T> + Send + 'static,
    {
        match &self.held {
            None => Ok(together(count, workers, &Clock::default(), ask).all().await),
            Some(admin) => self.fire(admin, vec![Duration::ZERO; count], workers.max(1), ask).await,
        }
    }

    async fn fire<T, F, Fut>(
        &self,
        admin: &Admin,
        moments: Vec<Duration>,
        workers: usize,
        ask: F,
    ) -> Result<Vec<Shot<T>>, Failure>
    where
        T: Send + 'static,
        F: Fn(usize) -> Fut,
        Fut: Future<Output = T> + Send + 'static,
    {
        let mut held = Held {
            pacer: self,
            admin,
            ask,
            workers,
            due: moments.into_iter().enumerate().collect(),
            began: self.passed(),
            flying: JoinSet::new(),
            over: Vec::new(),
        };
        loop {
            let goes_on = held.settle().await?;
            let Some(next) = held.next_moment(goes_on) else { break };
            self.advance(admin, next).await?;
        }
        held.over.sort_by_key(|shot: &Shot<T>| shot.number);
        Ok(held.over)
    }

    async fn advance(&self, admin: &Admin, by: Duration) -> Result<(), Failure> {
        if by.is_zero() {
            return Ok(());
        }
        admin.advance(by).await?;
        self.moved_ms.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(())
    }
}

/// Whole milliseconds: the list of those who wait has no finer ones.
fn whole(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_micros().div_ceil(1000)).unwrap_or(u64::MAX))
}

/// A request that is on its way.
#[derive(Clone, Copy, Debug)]
struct Sent {
    number: usize,
    due: Duration,
    at: Duration,
}

/// Load on a clock that stands.
struct Held<'a, T, F> {
    pacer: &'a Pacer,
    admin: &'a Admin,
    ask: F,
    workers: usize,
    /// What was not sent yet, in order.
    due: VecDeque<(usize, Duration)>,
    began: Duration,
    flying: JoinSet<(Sent, T)>,
    over: Vec<Shot<T>>,
}

impl<T, F, Fut> Held<'_, T, F>
where
    T: Send + 'static,
    F: Fn(usize) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
{
    fn now(&self) -> Duration {
        self.pacer.passed().saturating_sub(self.began)
    }

    /// Sends what is due, as far as there are workers.
    fn send(&mut self) {
        let now = self.now();
        while self.flying.len() < self.workers
            && let Some((number, due)) = self.due.pop_front_if(|(_, due)| *due <= now)
        {
            let (sent, asking) = (Sent { number, due, at: now }, (self.ask)(number));
            self.flying.spawn(async move { (sent, asking.await) });
        }
    }

    fn answered(&mut self, answered: Result<(Sent, T), JoinError>) -> Result<(), Failure> {
        let (sent, value) = match answered {
            Ok(answered) => answered,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(error) => return Err(Failure::could_not_run(error.to_string())),
        };
        let (now, Sent { number, due, at }) = (self.now(), sent);
        // On a clock that stands nobody sends late.
        let (latency, service, lag) = (now - due, now - at, Duration::ZERO);
        self.over.push(Shot { number, due, latency, service, lag, value });
        self.send();
        Ok(())
    }

    /// Waits, while the clock stands, until everything that was sent is answered or waits on the clock; tells for how
    /// long the first of those still waits.
    async fn settle(&mut self) -> Result<Option<Duration>, Failure> {
        self.send();
        let mut since = wall::tick();
        loop {
            let clock = tokio::select! {
                biased;
                answered = self.flying.join_next() => match answered {
                    None => return Ok(None),
                    Some(answered) => {
                        self.answered(answered)?;
                        since = wall::tick();
                        continue;
                    }
                },
                clock = self.admin.clock() => clock?,
            };
            let requests = clock.waiters.iter().filter(|waiter| is_request(waiter));
            let (let_go, held): (Vec<_>, Vec<_>) =
                requests.partition(|waiter| waiter.until_ms <= clock.now_ms);
            let first = held.iter().map(|waiter| waiter.until_ms).min();
            if let Some(first) = first.filter(|_| held.len() == self.flying.len()) {
                return Ok(Some(Duration::from_millis(first.abs_diff(clock.now_ms))));
            }
            let same = let_go.iter().any(|waiter| waiter.until_ms == clock.now_ms);
            if same && since.elapsed() >= SAME_MILLISECOND {
                return Ok(Some(Duration::from_millis(1)));
            }
            // Nobody's request is given up on later than that.
            if since.elapsed() > self.pacer.patience * 2 {
                return Err(Failure::could_not_run(format!(
                    "the clock stands, and of {} requests {} wait on it; the others are not answered either",
                    self.flying.len(),
                    held.len()
                )));
            }
        }
    }

    /// How far the clock may be moved: to what is due next, or to where somebody goes on.
    fn next_moment(&self, goes_on: Option<Duration>) -> Option<Duration> {
        let now = self.now();
        // What is due already waits for a worker, so for somebody who goes on.
        let next = self.due.front().map(|(_, due)| *due).filter(|due| *due > now).map(|due| due - now);
        next.into_iter().chain(goes_on).min()
    }
}

fn is_request(waiter: &Waiter) -> bool {
    REQUESTS.contains(&waiter.what.as_str())
}
