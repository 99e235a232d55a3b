//! Watches: what changes among objects, told line by line for as long as somebody listens.
//!
//! A watch is a cursor into the changes that the store keeps. It renders at most one chunk ahead of its reader, and only
//! when asked for it, so that one that never reads costs the same whatever happens; once the changes behind its cursor are
//! no longer kept it is told 410 and ends. It never takes the world's lock but for its first list. A watch looks a few
//! milliseconds after it was told of a change: twenty of them shall not stand in the way of the answer to whoever made
//! it, and what comes together is told together.
//!
//! **Chosen**, where the contract is silent:
//! - A version from the future is waited for in silence, as real servers do: changes after it are told.
//! - Without `timeoutSeconds`, or with 0, a watch ends after 30 minutes (real servers: 30 to 60).
//! - A BOOKMARK comes when a watch has told nothing for a minute, and at its end. The one that ends the initial events of
//!   `sendInitialEvents` comes whether or not bookmarks were asked for.
//! - `sendInitialEvents` needs no `resourceVersionMatch`.

mod cursor;
mod lines;

use std::convert::Infallible;
use std::future::{Pending, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Interval, MissedTickBehavior, Timeout, interval, timeout};

use super::ask::Ask;
use super::failure::Failure;
use super::selectors::Selector;
use super::{Kube, list};
use crate::sim::cluster::facts::Version;

use cursor::Cursor;
use lines::Shape;

pub(in crate::api::kube) use lines::Rendered;

/// From a change to the look for it, of one watch. Meanwhile whoever made the change gets its answer, and changes that
/// come together are told together; clients see theirs within 10 ms.
const PACE: Duration = Duration::from_millis(3);
/// How long a watch tells nothing before it says where it is.
const QUIET: Duration = Duration::from_secs(60);
/// How long a watch lasts that did not say.
const LASTS: Duration = Duration::from_secs(30 * 60);

/// What all watches share.
pub(crate) struct Watches {
    most: usize,
    places: Arc<Semaphore>,
    rendered: Rendered,
}

impl Watches {
    /// So many at a time.
    pub(crate) fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self { most, places: Arc::new(Semaphore::new(most)), rendered: Rendered::default() }
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let full = || format!("{} watches are open, as many as there can be: end one of them", self.most);
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| Failure::TooManyRequests(full()))
    }

    #[cfg(test)]
    pub(super) fn rendered(&self) -> &Rendered {
        &self.rendered
    }

    /// How many there can be.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.most - self.places.available_permits()
    }
}

/// Begins a watch.
pub(in crate::api::kube) fn watch(
    kube: &Arc<Kube>,
    ask: &Ask,
    selector: Selector,
) -> Result<Response, Failure> {
    let from = list::version(&ask.query.resource_version)?.filter(|version| *version > Version(0));
    let shape = Shape::of(ask)?;
    let place = kube.watches.enter()?;
    let cursor = Cursor::new(kube, ask, selector, shape, from);
    let lasts = ask.query.timeout_seconds.filter(|seconds| *seconds > 0).map_or(LASTS, Duration::from_secs);
    let watch = Watch {
        cursor,
        pace: pace(),
        quiet: ask.query.allow_watch_bookmarks.then(quiet).filter(|_| shape == Shape::Object),
        ends: Box::pin(timeout(lasts, pending())),
        over: false,
        _place: place,
    };
    let lines = futures_util::stream::unfold(watch, Watch::next);
    let mut response = Response::new(Body::from_stream(lines.map(Ok::<_, Infallible>)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Ticks at once at first, and then so long after the last change.
fn pace() -> Interval {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

fn quiet() -> Interval {
    let mut quiet = interval(QUIET);
    quiet.set_missed_tick_behavior(MissedTickBehavior::Delay);
    quiet.reset();
    quiet
}

struct Watch {
    cursor: Cursor,
    pace: Interval,
    /// Runs when bookmarks may be sent.
    quiet: Option<Interval>,
    ends: Pin<Box<Timeout<Pending<()>>>>,
    over: bool,
    _place: OwnedSemaphorePermit,
}

impl Watch {
    /// The next lines, as soon as there are any; nothing at the end.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if self.over {
            return None;
        }
        let kube = Arc::clone(self.cursor.kube());
        loop {
            if futures_util::poll!(&mut self.ends).is_ready() {
                return self.end();
            }
            // Who has more to tell already does not wait for company.
            if !self.cursor.is_behind() {
                self.pace.tick().await;
            }
            // Before the look, so that a change right after it is not missed.
            let told = kube.simulation.store().told().next();
            let (lines, over) = self.cursor.look();
            self.over = over;
            if !lines.is_empty() {
                if let Some(quiet) = &mut self.quiet {
                    quiet.reset();
                }
                return Some((lines, self));
            }
            tokio::select! {
                () = told => self.pace.reset(),
                _ = &mut self.ends => return self.end(),
                () = tick(self.quiet.as_mut()) => return Some((self.cursor.bookmark(), self)),
            }
        }
    }

    fn end(mut self) -> Option<(Bytes, Self)> {
        self.over = true;
        self.quiet.is_some().then(|| (self.cursor.bookmark(), self))
    }
}

async fn tick(quiet: Option<&mut Interval>) {
    match quiet {
        Some(quiet) => drop(quiet.tick().await),
        None => pending().await,
    }
}
