//! What moves on a connection, and for how long it may not.
//!
//! A connection notes in atomics when it was last asked for something, since when a client has been sending headers,
//! since when one has not been reading. A single timer per connection looks at these notes, once in the shortest of
//! the limits, instead of every request arming timers of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::wall::WallTime;
use crate::sim::signal::Signal;

/// Since when something has been so, if it is.
#[derive(Debug)]
struct Since(AtomicU64);

impl Since {
    const NOT: u64 = u64::MAX;

    const fn not() -> Self {
        Self(AtomicU64::new(Self::NOT))
    }

    fn now() -> Self {
        Self(AtomicU64::new(WallTime::now().0))
    }

    fn get(&self) -> Option<WallTime> {
        let nanos = self.0.load(Relaxed);
        (nanos != Self::NOT).then_some(WallTime(nanos))
    }

    fn is_set(&self) -> bool {
        self.0.load(Relaxed) != Self::NOT
    }

    fn set(&self) {
        self.0.store(WallTime::now().0, Relaxed);
    }

    fn clear(&self) {
        self.0.store(Self::NOT, Relaxed);
    }
}

/// What is known of one connection. Everybody writes down what they see and only estimates hang on it, so nothing
/// here needs an order between threads.
#[derive(Debug)]
pub(super) struct Traffic {
    /// Requests that are being answered.
    running: AtomicU32,
    /// Since when there has been none, where there is none.
    free: Since,
    /// Since when the client has been sending what comes before a request: headers, a TLS handshake, a preface.
    opening: Since,
    /// Since when the client has taken nothing of what is to be sent.
    stuck: Since,
    /// Whether the connection shall be cut rather than ended.
    cut: AtomicBool,
    /// Raised when others need its place, with the time it has for its leave.
    evicted: Signal<Duration>,
}

/// Timers are no finer, and without a pause between two looks nobody else would come to anything.
const FINEST: Duration = Duration::from_millis(1);

/// How long a connection may take for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// With what comes before a request.
    pub(super) opening: Duration,
    /// Without a request, where that has a limit.
    pub(super) idle: Option<Duration>,
    /// Without reading what was answered.
    pub(super) writing: Duration,
}

/// A limit that a connection has used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Opening,
    Idle,
    Writing,
}

impl Traffic {
    /// A connection that may be silent for a while before its first request.
    pub(super) fn silent() -> Arc<Self> {
        Arc::new(Self {
            running: AtomicU32::new(0),
            free: Since::now(),
            opening: Since::not(),
            stuck: Since::not(),
            cut: AtomicBool::new(false),
            evicted: Signal::default(),
        })
    }

    /// A connection that owes a greeting from its first moment on.
    pub(super) fn greeting() -> Arc<Self> {
        let traffic = Self::silent();
        traffic.opening.set();
        traffic
    }

    /// The greeting has arrived.
    pub(super) fn greeted(&self) {
        self.opening.clear();
    }

    pub(super) fn is_opening(&self) -> bool {
        self.opening.is_set()
    }

    /// A request is there and is being answered until what this returns is dropped.
    pub(super) fn request(self: &Arc<Self>) -> Underway {
        self.running.fetch_add(1, Relaxed);
        self.opening.clear();
        Underway(Arc::clone(self))
    }

    /// Whether a request is being answered, or an answer not yet taken.
    pub(super) fn is_busy(&self) -> bool {
        self.running.load(Relaxed) > 0 || self.stuck.is_set()
    }

    /// Whether the client takes nothing of what is to be sent.
    pub(super) fn is_stuck(&self) -> bool {
        self.stuck.is_set()
    }

    /// Since when nobody has asked for anything; `None` while somebody does.
    pub(super) fn free_since(&self) -> Option<WallTime> {
        if self.is_busy() { None } else { self.free.get() }
    }

    /// Bytes came where the headers of a request may begin.
    ///
    /// Those that came with the end of the request before are not seen: such a client is idle until it sends more.
    pub(super) fn head_came(&self) {
        if self.running.load(Relaxed) == 0 && !self.opening.is_set() {
            self.opening.set();
        }
    }

    /// The socket took bytes, or took none.
    pub(super) fn wrote(&self, took: bool) {
        match (took, self.stuck.is_set()) {
            (true, true) => {
                // What it has just taken may have been the end of an answer.
                self.free.set();
                self.stuck.clear();
            }
            (false, false) => self.stuck.set(),
            (true, false) | (false, true) => {}
        }
    }

    /// Tells the connection to go within that time, for its place is needed.
    pub(super) fn evict(&self, time: Duration) {
        self.evicted.raise(time);
    }

    /// The time the connection was given to go, if its place is needed.
    pub(super) fn time_to_go(&self) -> Option<Duration> {
        self.evicted.get()
    }

    /// Waits until the connection's place is needed; the time it has to go.
    pub(super) async fn evicted(&self) -> Duration {
        self.evicted.wait().await
    }

    /// Lets the socket be reset when it is closed: what it holds for a client that reads nothing goes at once.
    pub(super) fn cut(&self) {
        self.cut.store(true, Relaxed);
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Relaxed)
    }

    /// Waits until the connection has used up a limit.
    pub(super) async fn overdue(&self, patience: Patience) -> Limit {
        // What begins after a look ends at the earliest this much later, so no deadline is missed in between.
        let shortest = patience.idle.unwrap_or(Duration::MAX).min(patience.opening).min(patience.writing);
        let shortest = shortest.max(FINEST);
        loop {
            let now = WallTime::now();
            let next = now.after(shortest);
            match self.deadline(patience) {
                Some((deadline, limit)) if deadline <= now => return limit,
                Some((deadline, _)) => deadline.min(next).reached().await,
                None => next.reached().await,
            }
        }
    }

    /// When the connection will have used up a limit if nothing moves any more.
    fn deadline(&self, patience: Patience) -> Option<(WallTime, Limit)> {
        if let Some(since) = self.stuck.get() {
            return Some((since.after(patience.writing), Limit::Writing));
        }
        if self.is_busy() {
            return None;
        }
        if let Some(since) = self.opening.get() {
            return Some((since.after(patience.opening), Limit::Opening));
        }
        Some((self.free.get()?.after(patience.idle?), Limit::Idle))
    }
}

/// A request that is being answered.
pub(super) struct Underway(Arc<Traffic>);

impl Drop for Underway {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Relaxed) == 1 {
            self.0.free.set();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        opening: Duration::from_secs(100),
        idle: Some(Duration::from_secs(10)),
        writing: Duration::from_secs(1000),
    };

    /// Lets the wall clock show another time than before.
    fn a_moment_later() {
        let now = WallTime::now();
        while WallTime::now() == now {}
    }

    fn limit(traffic: &Traffic) -> Option<Limit> {
        traffic.deadline(PATIENCE).map(|(_, limit)| limit)
    }

    fn deadline(traffic: &Traffic) -> WallTime {
        traffic.deadline(PATIENCE).expect("a limit").0
    }

    #[test]
    fn a_connection_is_idle_then_sends_headers_then_is_answered_and_is_idle_again() {
        let traffic = Traffic::silent();
        assert_eq!(limit(&traffic), Some(Limit::Idle));
        let (idle, free) = (deadline(&traffic), traffic.free_since());
        a_moment_later();
        traffic.head_came();
        assert_eq!(limit(&traffic), Some(Limit::Opening));
        assert_eq!(traffic.free_since(), free, "headers are no request yet");
        let begun = deadline(&traffic);
        a_moment_later();
        traffic.head_came();
        assert_eq!(deadline(&traffic), begun, "the first byte counts");
        let request = traffic.request();
        assert_eq!((limit(&traffic), traffic.free_since()), (None, None));
        traffic.head_came();
        assert_eq!(limit(&traffic), None, "bytes of a body");
        drop(request);
        assert_eq!(limit(&traffic), Some(Limit::Idle));
        assert!(deadline(&traffic) > idle && traffic.free_since() > free);
    }

    #[test]
    fn a_connection_with_several_calls_is_busy_until_the_last_one_ends() {
        let traffic = Traffic::greeting();
        assert_eq!(limit(&traffic), Some(Limit::Opening));
        traffic.greeted();
        let calls = [traffic.request(), traffic.request()];
        for call in calls {
            assert!(traffic.is_busy());
            drop(call);
        }
        assert!(!traffic.is_busy());
        let patience = Patience { idle: None, ..PATIENCE };
        assert_eq!(traffic.deadline(patience), None, "a channel without a call has no limit");
    }

    #[test]
    fn a_reader_is_stuck_from_the_first_write_that_takes_nothing_until_one_takes_something() {
        let traffic = Traffic::silent();
        let free = traffic.free_since();
        a_moment_later();
        traffic.wrote(false);
        assert_eq!((limit(&traffic), traffic.free_since()), (Some(Limit::Writing), None));
        let begun = deadline(&traffic);
        a_moment_later();
        traffic.wrote(false);
        assert_eq!(deadline(&traffic), begun);
        traffic.wrote(true);
        // An answer that took its time to be read was underway until now.
        assert_eq!(limit(&traffic), Some(Limit::Idle));
        assert!(traffic.free_since() > free);
        traffic.wrote(false);
        assert!(deadline(&traffic) > begun);
    }

    #[tokio::test]
    async fn a_limit_that_begins_later_and_is_shorter_is_noticed_first() {
        let traffic = Traffic::silent();
        let patience = Patience {
            opening: Duration::from_millis(10),
            idle: Some(Duration::from_secs(3600)),
            writing: Duration::from_secs(3600),
        };
        let overdue = traffic.overdue(patience);
        let opens = async { traffic.head_came() };
        assert_eq!(tokio::join!(overdue, opens).0, Limit::Opening);
    }
}
