//! How requests are let go: so many together, or each at its moment, whatever the server makes of those before.
//!
//! One task lets all of them go, and lets time pass for them: real time by waiting, a clock that is held by the invariant of
//! [`crate::pace`].

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::pace::{Held, Pacer, whole};
use crate::stop::Stop;
use crate::wall;

/// How long a run that ends early waits for answers that may name jobs.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// Something that was asked, with when it was due, when it was sent and when it was over.
#[derive(Clone, Copy, Debug)]
pub struct Shot<T> {
    /// Its place among the others.
    pub number: usize,
    /// When it was due, from the beginning on.
    pub due: Duration,
    /// From the moment at which it was due to its end: what a user waits.
    pub latency: Duration,
    /// From the moment at which it was sent to its end: what the server takes.
    pub service: Duration,
    /// How long nobody sent it although it was due and a worker was free: the generator's own fault.
    pub lag: Duration,
    /// What came of it.
    pub value: T,
}

/// Requests that are let go, as they come to their ends.
///
/// What was sent comes to its end, also when whoever waits for it is dropped; nothing more is sent then.
#[derive(Debug)]
pub struct Shots<T> {
    over: UnboundedReceiver<Shot<T>>,
    /// Who lets them go, until it was heard how that ended.
    firing: Option<JoinHandle<Result<(), Failure>>>,
    halt: CancellationToken,
    /// Until when answers are waited for, once it was halted.
    last: Option<Instant>,
    taken: usize,
    /// How many of them whoever takes them is done with.
    heard: watch::Sender<usize>,
}

impl<T> Shots<T> {
    /// The next that is over; nothing after the last. Whoever asks for it is done with the one before: until then a clock
    /// that is held is not moved.
    ///
    /// # Errors
    /// When the clock cannot be moved, or something is neither answered nor waits on it.
    pub async fn next(&mut self) -> Result<Option<Shot<T>>, Failure> {
        self.heard.send_replace(self.taken);
        let next = match self.last {
            Some(last) => tokio::time::timeout_at(last, self.told()).await.unwrap_or(Ok(None)),
            None => self.told().await,
        }?;
        self.taken += usize::from(next.is_some());
        Ok(next)
    }

    /// The next that is over; once somebody says so, it is halted, and a few seconds later there is none.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn next_until(&mut self, stop: &Stop) -> Result<Option<Shot<T>>, Failure> {
        if self.last.is_none() {
            tokio::select! {
                next = self.next() => return next,
                () = stop.now() => self.halt(LAST_ANSWERS),
            }
        }
        self.next().await
    }

    /// Sends nothing more, and waits at most so long for what was sent; the next ones are those that come to their ends
    /// meanwhile.
    pub fn halt(&mut self, patience: Duration) {
        self.halt.cancel();
        self.last = Some(wall::tick() + patience);
    }

    /// All of them, in the order in which they were due.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn all(mut self) -> Result<Vec<Shot<T>>, Failure> {
        let mut shots = Vec::new();
        while let Some(shot) = self.next().await? {
            shots.push(shot);
        }
        shots.sort_by_key(|shot| shot.number);
        Ok(shots)
    }

    async fn told(&mut self) -> Result<Option<Shot<T>>, Failure> {
        if let Some(shot) = self.over.recv().await {
            return Ok(Some(shot));
        }
        let Some(firing) = &mut self.firing else { return Ok(None) };
        let ended = firing.await;
        self.firing = None;
        joined(ended)?.map(|()| None)
    }
}

/// What a task came to. Its panic goes on where it is heard of.
fn joined<T>(ended: Result<T, JoinError>) -> Result<T, Failure> {
    ended.map_err(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(error) => Failure::could_not_run(error.to_string()),
    })
}

/// All due at once, with at most so many in flight: a closed loop, of which the waiting for a worker is a part.
pub fn together<T, F, Fut>(count: usize, workers: usize, pacer: &Pacer, ask: F) -> Shots<T>
where
    T: Send + 'static,
    F: Fn(usize) -> Fut + Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    fire(vec![Duration::ZERO; count], workers.max(1), pacer, ask)
}

/// Each at its moment from now on, as many in flight as there have to be: an open loop.
pub fn on_schedule<T, F, Fut>(moments: &[Duration], pacer: &Pacer, ask: F) -> Shots<T>
where
    T: Send + 'static,
    F: Fn(usize) -> Fut + Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let of = |moment: &Duration| if pacer.is_held() { whole(*moment) } else { *moment };
    fire(moments.iter().map(of).collect(), moments.len(), pacer, ask)
}

fn fire<T, F, Fut>(moments: Vec<Duration>, workers: usize, pacer: &Pacer, ask: F) -> Shots<T>
where
    T: Send + 'static,
    F: Fn(usize) -> Fut + Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let ((sender, over), halt) = (unbounded_channel(), CancellationToken::new());
    let (heard, began) = (watch::Sender::new(0), pacer.passed());
    let firing = Firing {
        pacer: pacer.clone(),
        ask,
        began,
        free: vec![began; workers.min(moments.len())].into(),
        due: moments.into_iter().enumerate().collect(),
        flying: JoinSet::new(),
        over: sender,
        told: 0,
        heard: heard.subscribe(),
        halt: halt.clone(),
        since: wall::tick(),
    };
    Shots { over, firing: Some(tokio::spawn(firing.run())), halt, last: None, taken: 0, heard }
}

/// What lets requests go, and tells what came of them.
struct Firing<T, F> {
    pacer: Pacer,
    ask: F,
    began: Duration,
    /// What was not sent yet, in order.
    due: VecDeque<(usize, Duration)>,
    /// Since when each worker that has nothing to do has had nothing to do, the first one first.
    free: VecDeque<Duration>,
    flying: JoinSet<Shot<T>>,
    over: UnboundedSender<Shot<T>>,
    told: usize,
    heard: watch::Receiver<usize>,
    halt: CancellationToken,
    /// When a clock that is held was moved, or something was answered on it.
    since: Instant,
}

impl<T, F, Fut> Firing<T, F>
where
    T: Send + 'static,
    F: Fn(usize) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
{
    async fn run(mut self) -> Result<(), Failure> {
        let over = self.over.clone();
        let ended = tokio::select! {
            ended = self.fire() => ended,
            // Nobody takes what comes of it any more.
            () = over.closed() => Ok(()),
        };
        self.flying.detach_all();
        ended
    }

    async fn fire(&mut self) -> Result<(), Failure> {
        let held = self.pacer.held().cloned();
        loop {
            if self.halt.is_cancelled() {
                self.due.clear();
            }
            self.send();
            if self.flying.is_empty() && self.due.is_empty() {
                return Ok(());
            }
            match &held {
                Some(held) => self.turn(held).await?,
                None => self.wait().await?,
            }
        }
    }

    /// Sends what is due, as far as there are workers.
    fn send(&mut self) {
        let now = self.pacer.passed().saturating_sub(self.began);
        while let Some(free) = self.free.front().copied()
            && let Some((number, due)) = self.due.pop_front_if(|(_, due)| *due <= now)
        {
            self.free.pop_front();
            let (pacer, due_at, asking) = (self.pacer.clone(), self.began + due, (self.ask)(number));
            self.flying.spawn(async move {
                let sent = pacer.passed();
                let value = asking.await;
                let end = pacer.passed();
                Shot {
                    number,
                    due,
                    latency: end.saturating_sub(due_at),
                    service: end.saturating_sub(sent),
                    lag: sent.saturating_sub(due_at.max(free)),
                    value,
                }
            });
        }
    }

    fn answered(&mut self, answered: Result<Shot<T>, JoinError>) -> Result<(), Failure> {
        let shot = joined(answered)?;
        self.free.push_back(self.began + shot.due + shot.latency);
        self.told += 1;
        self.since = wall::tick();
        // Where nobody takes it, nothing more is sent.
        let _ = self.over.send(shot);
        Ok(())
    }

    /// Where the clock does not say who waits on it, others may be on their way.
    async fn last_answers(&mut self) {
        let last = wall::tick() + LAST_ANSWERS;
        while let Ok(Some(answered)) = tokio::time::timeout_at(last, self.flying.join_next()).await {
            let _ = self.answered(answered);
        }
    }

    /// Waits, in real time, for an answer or for the next moment.
    async fn wait(&mut self) -> Result<(), Failure> {
        let next = self.due.front().filter(|_| !self.free.is_empty());
        let next = next.map(|(_, due)| self.pacer.instant(self.began + *due));
        tokio::select! {
            Some(answered) = self.flying.join_next() => return self.answered(answered),
            () = wall::until(next.unwrap_or(self.since)), if next.is_some() => {}
            () = self.halt.cancelled(), if !self.due.is_empty() => {}
        }
        Ok(())
    }

    /// Takes an answer, or moves the clock: to what is due next, or to where somebody goes on.
    async fn turn(&mut self, held: &Held) -> Result<(), Failure> {
        let told = self.told;
        if *self.heard.borrow() < told {
            let _ = self.heard.wait_for(|heard| *heard >= told).await;
            self.since = wall::tick();
            return Ok(());
        }
        let mut goes_on = None;
        if !self.flying.is_empty() {
            let clock = tokio::select! {
                biased;
                Some(answered) = self.flying.join_next() => return self.answered(answered),
                clock = held.clock() => clock,
            };
            let clock = match clock {
                Ok(clock) => clock,
                Err(failure) => {
                    self.last_answers().await;
                    return Err(failure);
                }
            };
            goes_on = held.first_goes_on(&clock, self.flying.len(), self.since)?;
            if goes_on.is_none() {
                return Ok(());
            }
        }
        let now = self.pacer.passed().saturating_sub(self.began);
        // What is due already waits for a worker, so for somebody who goes on.
        let next = self.due.front().map(|(_, due)| *due).filter(|due| *due > now).map(|due| due - now);
        if let Some(by) = next.into_iter().chain(goes_on).min() {
            held.advance(by).await?;
            self.since = wall::tick();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn busy(time: Duration) {
        wall::until(wall::tick() + time).await;
    }

    async fn all<T>(shots: Shots<T>) -> Vec<Shot<T>> {
        shots.all().await.expect("no clock is moved")
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_worker_waits_from_the_moment_of_the_level_on() {
        let shots = all(together(6, 2, &Pacer::default(), |_| busy(SECOND))).await;
        let times: Vec<_> =
            shots.iter().map(|shot| (shot.latency.as_secs(), shot.service.as_secs())).collect();
        assert_eq!(times, [(1, 1), (1, 1), (2, 1), (2, 1), (3, 1), (3, 1)]);
        assert!(shots.iter().all(|shot| shot.lag < Duration::from_millis(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_in_flight_than_there_are_workers() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
        let shots = together(20, 7, &Pacer::default(), move |_| {
            let (now, most) = (Arc::clone(&counted), Arc::clone(&highest));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                busy(SECOND).await;
                now.fetch_sub(1, Ordering::SeqCst);
            }
        });
        assert_eq!(all(shots).await.len(), 20);
        assert_eq!((now.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (0, 7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_server_does_not_slow_a_schedule_down() {
        let began = wall::tick();
        let moments: Vec<_> = (0..5).map(|second| SECOND * second).collect();
        let shots = on_schedule(&moments, &Pacer::default(), move |_| async move {
            let sent = wall::tick() - began;
            busy(SECOND * 10).await;
            sent.as_secs()
        });
        let sent: Vec<_> = all(shots)
            .await
            .iter()
            .map(|shot| (shot.value, shot.due.as_secs(), shot.latency.as_secs()))
            .collect();
        assert_eq!(sent, [(0, 0, 10), (1, 1, 10), (2, 2, 10), (3, 3, 10), (4, 4, 10)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_generator_that_is_late_says_so_and_the_lateness_counts() {
        // Both are due at once, but the first one holds the only thread for a second.
        let shots = on_schedule(&[Duration::ZERO; 2], &Pacer::default(), |number| async move {
            if number == 0 {
                tokio::time::advance(SECOND).await;
            }
        });
        let shots = all(shots).await;
        assert_eq!(
            (shots[1].lag.as_secs(), shots[1].latency.as_secs(), shots[1].service.as_secs()),
            (1, 1, 0)
        );
    }

    /// Lag, latency and service time of each, in seconds.
    async fn held_up(late: usize) -> Vec<(u64, u64, u64)> {
        // Whoever is late holds the only thread for seven seconds; all the others take ten.
        let shots = together(4, 2, &Pacer::default(), move |number| async move {
            if number == late {
                tokio::time::advance(SECOND * 7).await;
            } else {
                busy(SECOND * 10).await;
            }
        });
        let seconds = |shot: &Shot<()>| [shot.lag, shot.latency, shot.service].map(|time| time.as_secs());
        all(shots).await.iter().map(seconds).map(|[lag, latency, service]| (lag, latency, service)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn to_wait_for_a_worker_is_no_lag_and_to_be_let_go_late_by_a_free_one_is() {
        // The second worker is free from the beginning on, and is kept from its first request for seven seconds.
        assert_eq!(held_up(0).await, [(0, 7, 7), (7, 17, 10), (0, 17, 10), (0, 27, 10)]);
        // Both are free after ten seconds, and only then the last one is kept from being sent.
        assert_eq!(held_up(2).await, [(0, 10, 10), (0, 10, 10), (0, 17, 7), (7, 27, 10)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_halted_sends_nothing_more_and_tells_what_was_sent() {
        let mut shots = together(6, 2, &Pacer::default(), |_| busy(SECOND));
        shots.next().await.expect("no clock is moved").expect("a first one");
        busy(SECOND / 2).await;
        // The second one is over at the same time, and the next two are on their way.
        shots.halt(SECOND * 5);
        let told = all(shots).await;
        assert_eq!(told.iter().map(|shot| shot.number).collect::<Vec<_>>(), [1, 2, 3]);
        let mut shots = on_schedule(&[Duration::ZERO, SECOND * 3], &Pacer::default(), |_| busy(SECOND));
        busy(SECOND * 2).await;
        shots.halt(SECOND);
        assert_eq!(all(shots).await.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_answered_for_long_is_waited_for_as_long_as_patience_lasts() {
        let (began, stop) = (wall::tick(), Stop::default());
        let mut shots = together(3, 3, &Pacer::default(), |number| async move {
            busy(if number == 0 { SECOND } else { SECOND * 100 }).await;
        });
        busy(SECOND / 2).await;
        stop.at_once("enough");
        let first = shots.next_until(&stop).await.expect("no clock is moved");
        assert_eq!(first.map(|shot| shot.number), Some(0));
        assert!(shots.next_until(&stop).await.expect("no clock is moved").is_none());
        assert_eq!(began.elapsed().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_waits_for_any_more_sends_nothing_and_comes_to_its_end() {
        let (sent, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counts = (Arc::clone(&sent), Arc::clone(&ended));
        let moments: Vec<_> = (0..5).map(|second| SECOND * second).collect();
        let shots = on_schedule(&moments, &Pacer::default(), move |_| {
            let (sent, ended) = (Arc::clone(&counts.0), Arc::clone(&counts.1));
            async move {
                sent.fetch_add(1, Ordering::SeqCst);
                busy(SECOND * 10).await;
                ended.fetch_add(1, Ordering::SeqCst);
            }
        });
        busy(SECOND * 3 / 2).await;
        drop(shots);
        busy(SECOND * 60).await;
        assert_eq!((sent.load(Ordering::SeqCst), ended.load(Ordering::SeqCst)), (2, 2));
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "the second one")]
    async fn a_panic_is_heard_of() {
        all(together(3, 1, &Pacer::default(), |number| async move {
            assert_ne!(number, 1, "the second one");
        }))
        .await;
    }
}
