//! Level-triggered waits: a signal that is raised once stays raised, so nobody can miss it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A value that is set at most once and can be waited for.
#[derive(Debug)]
pub struct Signal<T> {
    value: OnceLock<T>,
    raised: Notify,
}

impl<T> Default for Signal<T> {
    fn default() -> Self {
        Self { value: OnceLock::new(), raised: Notify::new() }
    }
}

impl<T: Copy> Signal<T> {
    /// Sets the value; a second one is dropped, the first stands.
    pub fn raise(&self, value: T) {
        if self.value.set(value).is_ok() {
            self.raised.notify_waiters();
        }
    }

    /// The value, if it was set.
    pub fn get(&self) -> Option<T> {
        self.value.get().copied()
    }

    /// Waits until the value is set; returns at once when it is.
    pub async fn wait(&self) -> T {
        loop {
            let raised = self.raised.notified();
            // `notified` counts as waiting from its creation on, so a value set after this look wakes it.
            if let Some(value) = self.get() {
                return value;
            }
            raised.await;
        }
    }
}

/// Tells everybody who waits that something happened; who does not wait yet looks for himself.
#[derive(Debug, Default)]
pub struct Told {
    happened: Notify,
    /// How many wait: mostly nobody, and then telling is next to nothing.
    waiting: AtomicUsize,
}

impl Told {
    /// Wakes everybody who waits. What is told of was done under a lock that those who wait look at it under, so that
    /// nobody begins to wait between the deed and this unseen.
    pub fn tell(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.happened.notify_waiters();
        }
    }

    /// The next time; counts from the call on, not from when it is first polled.
    pub fn next(&self) -> impl Future<Output = ()> + '_ {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let waits = Waits(&self.waiting);
        let happened = self.happened.notified();
        async move {
            let _waits = waits;
            happened.await;
        }
    }
}

struct Waits<'a>(&'a AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Tells one waiter that something changed; a change before the wait is not lost.
#[derive(Debug, Default)]
pub struct Changed(Notify);

impl Changed {
    /// Wakes the waiter, or lets its next wait return at once.
    pub fn tell(&self) {
        self.0.notify_one();
    }

    /// Waits for the next change.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_asked_for_the_next_time_is_told_and_nobody_is_counted_for_ever() {
        let told = Told::default();
        told.tell();
        let (unpolled, mut waits) = (told.next(), Box::pin(told.next()));
        assert!(futures_util::poll!(&mut waits).is_pending(), "what was told before does not count");
        told.tell();
        unpolled.await;
        waits.await;
        let given_up = told.next();
        assert_eq!(told.waiting.load(Ordering::SeqCst), 1);
        drop(given_up);
        assert_eq!(told.waiting.load(Ordering::SeqCst), 0);
    }
}
