//! How requests are let go: so many together, or each at its moment, whatever the server makes of those before.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::wall;

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
}

impl<T> Shots<T> {
    /// The next that is over; `None` after the last.
    pub async fn next(&mut self) -> Option<Shot<T>> {
        self.over.recv().await
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
pub fn together<T, F, Fut>(count: usize, workers: usize, ask: F) -> Shots<T>
where
    T: Send + 'static,
    F: Fn(usize) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(workers.max(1)));
    let free = workers.max(1).min(count);
    let began = wall::tick();
    let (shots, sender) = open();
    let ask = Arc::new(ask);
    for number in 0..count {
        let (places, ask, sender) = (Arc::clone(&places), Arc::clone(&ask), sender.clone());
        let halt = shots.halt.clone();
        shots.tracker.spawn(async move {
            let Ok(_place) = places.acquire().await else { return };
            if halt.is_cancelled() {
                return;
            }
            let sent = wall::tick();
            let value = ask(number).await;
            let lag = if number < free { sent - began } else { Duration::ZERO };
            let _ = sender.send(over(number, began, Duration::ZERO, sent, lag, value));
        });
    }
    shots.tracker.close();
    shots
}

/// Each at its moment from now on, as many in flight as there have to be: an open loop.
pub fn on_schedule<T, F, Fut>(moments: Vec<Duration>, ask: F) -> Shots<T>
where
    T: Send + 'static,
    F: Fn(usize) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let began = wall::tick();
    let (shots, sender) = open();
    let (ask, tracker, halt) = (Arc::new(ask), shots.tracker.clone(), shots.halt.clone());
    shots.tracker.spawn(async move {
        for (number, due) in moments.into_iter().enumerate() {
            let due_now = halt.run_until_cancelled(wall::until(began + due)).await;
            if due_now.is_none() {
                break;
            }
            let (ask, sender) = (Arc::clone(&ask), sender.clone());
            tracker.spawn(async move {
                let sent = wall::tick();
                let value = ask(number).await;
                let lag = sent.saturating_duration_since(began + due);
                let _ = sender.send(over(number, began, due, sent, lag, value));
            });
        }
        tracker.close();
    });
    shots
}

fn open<T>() -> (Shots<T>, tokio::sync::mpsc::UnboundedSender<Shot<T>>) {
    let (sender, over) = unbounded_channel();
    (Shots { over, tracker: TaskTracker::new(), halt: CancellationToken::new() }, sender)
}

fn over<T>(number: usize, began: Instant, due: Duration, sent: Instant, lag: Duration, value: T) -> Shot<T> {
    let end = wall::tick();
    Shot {
        number,
        due,
        latency: end.saturating_duration_since(began + due),
        service: end.saturating_duration_since(sent),
        lag,
        value,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn busy(time: Duration) {
        wall::until(wall::tick() + time).await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_worker_waits_from_the_moment_of_the_level_on() {
        let shots = together(6, 2, |_| busy(SECOND)).all().await;
        let times: Vec<_> =
            shots.iter().map(|shot| (shot.latency.as_secs(), shot.service.as_secs())).collect();
        assert_eq!(times, [(1, 1), (1, 1), (2, 1), (2, 1), (3, 1), (3, 1)]);
        assert!(shots.iter().all(|shot| shot.lag < Duration::from_millis(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_in_flight_than_there_are_workers() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
        let shots = together(20, 7, move |_| {
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
        let shots = on_schedule(moments, move |_| async move {
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
        let shots = on_schedule(vec![Duration::ZERO, Duration::ZERO], |number| async move {
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
        let mut shots = together(6, 2, |_| busy(SECOND));
        shots.next().await.expect("a first one");
        // The second one is over at the same time, and the next two are on their way.
        let told = shots.halt(SECOND * 5).await;
        assert_eq!(told.iter().map(|shot| shot.number).collect::<Vec<_>>(), [1, 2, 3]);
        let shots = on_schedule(vec![Duration::ZERO, SECOND * 3], |_| busy(SECOND));
        wall::until(wall::tick() + SECOND * 2).await;
        assert_eq!(shots.halt(SECOND).await.len(), 1);
    }
}
