//! How requests are let go: so many together, or each at its moment, whatever the server makes of those before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::clock::Clock;

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

/// Requests that were let go, as they come to their ends.
///
/// They are tasks of their own: what was sent comes to its end, also when whoever waits for it is dropped.
#[derive(Debug)]
pub struct Shots<T> {
    over: UnboundedReceiver<Shot<T>>,
    tracker: TaskTracker,
    halt: CancellationToken,
    answered: Arc<AtomicUsize>,
    taken: usize,
    /// How many of them whoever takes them is done with.
    heard: watch::Sender<usize>,
}

impl<T> Shots<T> {
    /// The next that is over; `None` after the last.
    pub async fn next(&mut self) -> Option<Shot<T>> {
        self.heard.send_replace(self.taken);
        let next = self.over.recv().await;
        self.taken += usize::from(next.is_some());
        next
    }

    /// Sends nothing more, and waits a while for what was sent; tells what came to its end meanwhile.
    pub async fn halt(mut self, patience: Duration) -> Vec<Shot<T>> {
        self.halt.cancel();
        let _ = tokio::time::timeout(patience, self.tracker.wait()).await;
        self.over.close();
        self.all().await
    }

    /// All of them, in the order in which they were due.
    pub async fn all(mut self) -> Vec<Shot<T>> {
        let mut shots = Vec::new();
        while let Some(shot) = self.next().await {
            shots.push(shot);
        }
        shots.sort_by_key(|shot| shot.number);
        shots
    }
}

/// All due at once, with at most so many in flight: a closed loop, of which the waiting for a worker is a part.
pub fn together<T, F, Fut>(count: usize, workers: usize, clock: &Clock, ask: F) -> Shots<T>
where
    T: Send + 'static,
    F: Fn(usize) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(workers.max(1)));
    let free = workers.max(1).min(count);
    let began = clock.now();
    let (shots, shooter) = open(clock, ask);
    for number in 0..count {
        let (places, shooter) = (Arc::clone(&places), shooter.clone());
        let halt = shots.halt.clone();
        shots.tracker.spawn(async move {
            let Ok(_place) = places.acquire().await else { return };
            if !halt.is_cancelled() {
                shooter.shoot(number, began, Duration::ZERO, number < free).await;
            }
        });
    }
    shots.tracker.close();
    let (clock, answered, tracker) = (clock.clone(), Arc::clone(&shots.answered), shots.tracker.clone());
    // What its clock refuses, it refuses whoever moves it next, too, who says so.
    tokio::spawn(
        async move { clock.while_unanswered(|| answered.load(Ordering::Relaxed), tracker.wait()).await },
    );
    shots
}

/// Each at its moment from now on, as many in flight as there have to be: an open loop.
///
/// A clock that is held is moved on to each moment, once the server had a moment of real time for what is due before.
pub fn on_schedule<T, F, Fut>(moments: Vec<Duration>, clock: &Clock, ask: F) -> Shots<T>
where
    T: Send + 'static,
    F: Fn(usize) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let began = clock.now();
    let (shots, shooter) = open(clock, ask);
    let (clock, tracker, halt) = (clock.clone(), shots.tracker.clone(), shots.halt.clone());
    let (answered, mut heard) = (Arc::clone(&shots.answered), shots.heard.subscribe());
    tokio::spawn(async move {
        for (number, due) in moments.into_iter().enumerate() {
            let due_now = halt.run_until_cancelled(clock.until(began + due)).await;
            if !matches!(due_now, Some(Ok(()))) {
                break;
            }
            let shooter = shooter.clone();
            let asking = tracker.spawn(async move { shooter.shoot(number, began, due, true).await });
            let taken = async {
                let _ = asking.await;
                let _ = heard.wait_for(|heard| *heard > number).await;
            };
            clock.let_answer(taken).await;
        }
        drop(shooter);
        tracker.close();
        clock.while_unanswered(|| answered.load(Ordering::Relaxed), tracker.wait()).await
    });
    shots
}

fn open<T, F>(clock: &Clock, ask: F) -> (Shots<T>, Shooter<T, F>) {
    let (sender, over) = unbounded_channel();
    let answered = Arc::new(AtomicUsize::new(0));
    let shots = Shots {
        over,
        tracker: TaskTracker::new(),
        halt: CancellationToken::new(),
        answered: Arc::clone(&answered),
        taken: 0,
        heard: watch::Sender::new(0),
    };
    (shots, Shooter { clock: clock.clone(), ask: Arc::new(ask), sender, answered })
}

/// What lets one go, and tells what came of it.
struct Shooter<T, F> {
    clock: Clock,
    ask: Arc<F>,
    sender: UnboundedSender<Shot<T>>,
    answered: Arc<AtomicUsize>,
}

impl<T, F> Clone for Shooter<T, F> {
    fn clone(&self) -> Self {
        let Self { clock, ask, sender, answered } = self;
        let (ask, answered) = (Arc::clone(ask), Arc::clone(answered));
        Self { clock: clock.clone(), ask, sender: sender.clone(), answered }
    }
}

impl<T, F, Fut> Shooter<T, F>
where
    F: Fn(usize) -> Fut,
    Fut: Future<Output = T>,
{
    /// `free`: nothing but the generator itself kept it from being sent when it was due.
    async fn shoot(&self, number: usize, began: Duration, due: Duration, free: bool) {
        let sent = self.clock.now();
        let value = (self.ask)(number).await;
        let end = self.clock.now();
        let late = sent.saturating_sub(began + due);
        let _ = self.sender.send(Shot {
            number,
            due,
            latency: end.saturating_sub(began + due),
            service: end.saturating_sub(sent),
            lag: if free { late } else { Duration::ZERO },
            value,
        });
        self.answered.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wall;

    const SECOND: Duration = Duration::from_secs(1);

    async fn busy(time: Duration) {
        wall::until(wall::tick() + time).await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_worker_waits_from_the_moment_of_the_level_on() {
        let shots = together(6, 2, &Clock::default(), |_| busy(SECOND)).all().await;
        let times: Vec<_> =
            shots.iter().map(|shot| (shot.latency.as_secs(), shot.service.as_secs())).collect();
        assert_eq!(times, [(1, 1), (1, 1), (2, 1), (2, 1), (3, 1), (3, 1)]);
        assert!(shots.iter().all(|shot| shot.lag < Duration::from_millis(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_in_flight_than_there_are_workers() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
        let shots = together(20, 7, &Clock::default(), move |_| {
            let (now, most) = (Arc::clone(&counted), Arc::clone(&highest));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                busy(SECOND).await;
                now.fetch_sub(1, Ordering::SeqCst);
            }
        });
        assert_eq!(shots.all().await.len(), 20);
        assert_eq!((now.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (0, 7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_server_does_not_slow_a_schedule_down() {
        let began = wall::tick();
        let moments = (0..5).map(|second| SECOND * second).collect();
        let shots = on_schedule(moments, &Clock::default(), move |_| async move {
            let sent = wall::tick() - began;
            busy(SECOND * 10).await;
            sent.as_secs()
        });
        let shots = shots.all().await;
        let sent: Vec<_> =
            shots.iter().map(|shot| (shot.value, shot.due.as_secs(), shot.latency.as_secs())).collect();
        assert_eq!(sent, [(0, 0, 10), (1, 1, 10), (2, 2, 10), (3, 3, 10), (4, 4, 10)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_generator_that_is_late_says_so_and_the_lateness_counts() {
        // Both are due at once, but the first one holds the only thread for a second.
        let shots =
            on_schedule(vec![Duration::ZERO, Duration::ZERO], &Clock::default(), |number| async move {
                if number == 0 {
                    tokio::time::advance(SECOND).await;
                }
            });
        let shots = shots.all().await;
        assert_eq!(
            (shots[1].lag.as_secs(), shots[1].latency.as_secs(), shots[1].service.as_secs()),
            (1, 1, 0)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_halted_sends_nothing_more_and_tells_what_was_sent() {
        let mut shots = together(6, 2, &Clock::default(), |_| busy(SECOND));
        shots.next().await.expect("a first one");
        // The second one is over at the same time, and the next two are on their way.
        let told = shots.halt(SECOND * 5).await;
        assert_eq!(told.iter().map(|shot| shot.number).collect::<Vec<_>>(), [1, 2, 3]);
        let shots = on_schedule(vec![Duration::ZERO, SECOND * 3], &Clock::default(), |_| busy(SECOND));
        wall::until(wall::tick() + SECOND * 2).await;
        assert_eq!(shots.halt(SECOND).await.len(), 1);
    }
}
