//! How often things happened since the server began: counted as the journal writes them, so that counts and entries tell
//! the same; kept when the oldest entries go, and over resets. What can be seen in the world itself is not counted here.
//!
//! Every key is of a closed list, so that no client can make more of them: routes by their names and never by their
//! paths, methods that are not known as one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::domain::job::StreamEnd;
use crate::domain::time::Playback;

use super::faults::{AnyRoute, GiveBack, KubeRoute, Point, Route, Step};
use super::journal::{Happening, Removal};

/// A method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// Whatever else clients write there.
    Other,
}

impl Verb {
    /// All of them, in order.
    pub const ALL: [Self; 8] =
        [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Options, Self::Other];

    /// As requests have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "other",
        }
    }

    /// The method that is called so; names of methods have a case.
    #[must_use]
    pub fn of(method: &str) -> Self {
        match method {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }
}

/// What happens to jobs. The state before is not told: a job is cancelled from any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transition {
    /// It was created.
    Configured,
    /// Its pod became ready after it had been waited for.
    Started,
    /// Its streams are over.
    Completed,
    /// Its pod was lost.
    Failed,
    /// A client cancelled it.
    Cancelled,
    /// It is gone.
    Removed,
}

impl Transition {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Configured, Self::Started, Self::Completed, Self::Failed, Self::Cancelled, Self::Removed];

    /// Its name, that of the journal's entries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Removed => "removed",
        }
    }
}

/// Times, by how long they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; Self::BOUNDS.len() + 1],
    nanos: u64,
}

impl Histogram {
    /// The longest time that still counts into each bucket; one more bucket has everything above. They are the
    /// thresholds that answers are held against.
    pub const BOUNDS: [Duration; 16] = [
        Duration::from_micros(500),
        Duration::from_millis(1),
        Duration::from_micros(2_500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(200),
        Duration::from_millis(300),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_secs(2),
        Duration::from_secs(5),
        Duration::from_secs(10),
        Duration::from_secs(20),
    ];

    fn add(&mut self, time: Duration) {
        self.counts[Self::bucket(time)] += 1;
        self.nanos = self.nanos.saturating_add(nanos(time));
    }

    /// The number of the bucket that a time counts into.
    fn bucket(time: Duration) -> usize {
        Self::BOUNDS.iter().position(|bound| time <= *bound).unwrap_or(Self::BOUNDS.len())
    }

    /// How many times there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All of them together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// How many are in each bucket and in none before it, with its bound; the last one has none.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        let bounds = Self::BOUNDS.into_iter().map(Some).chain([None]);
        bounds.zip(self.counts)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Requests of one method of a route.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requests {
    /// By the status of their answers; nothing for those that went without one.
    pub statuses: BTreeMap<Option<u16>, u64>,
    /// By the code of their error bodies, those that had one.
    pub codes: BTreeMap<&'static str, u64>,
    /// How long they took, on the simulator's clock: from the request to its answer, a rule's delay included.
    pub took: Histogram,
}

/// A request that ended.
pub(super) struct Ended {
    pub(super) route: AnyRoute,
    pub(super) verb: Verb,
    pub(super) status: Option<u16>,
    pub(super) code: Option<&'static str>,
    pub(super) took: Duration,
}

/// How often everything happened that is counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// By route and method, at the place of the two; empty beyond the last one that was asked for.
    requests: Vec<Option<Box<Requests>>>,
    /// What happened to jobs.
    pub transitions: BTreeMap<Transition, u64>,
    /// Why jobs were removed.
    pub removals: BTreeMap<Removal, u64>,
    /// Reservations that failed, by the step.
    pub rollbacks: BTreeMap<Step, u64>,
    /// Undos that failed.
    pub undo_failures: BTreeMap<GiveBack, u64>,
    /// What rules did: where, and what; nothing where a delay was all.
    pub faults: BTreeMap<(Point, Option<&'static str>), u64>,
    /// Calls that clients opened on streams.
    pub calls_opened: u64,
    /// How often the world went back to a start.
    pub resets: u64,
}

/// The number of a route, from 0.
fn number(route: AnyRoute) -> usize {
    match route {
        AnyRoute::Rest(route) => route as usize,
        AnyRoute::Kube(route) => Route::ALL.len() + route as usize,
    }
}

impl Counts {
    /// The most series of requests that there can be, statuses apart.
    pub const MOST_REQUESTS: usize = (Route::ALL.len() + KubeRoute::ALL.len()) * Verb::ALL.len();

    /// Requests by route and method, as far as there were any.
    pub fn requests(&self) -> impl Iterator<Item = (AnyRoute, Verb, &Requests)> {
        let keys = AnyRoute::all().flat_map(|route| Verb::ALL.map(|verb| (route, verb)));
        keys.zip(&self.requests).filter_map(|((route, verb), one)| Some((route, verb, one.as_deref()?)))
    }

    pub(super) fn request(&mut self, ended: &Ended) {
        let at = number(ended.route) * Verb::ALL.len() + ended.verb as usize;
        if self.requests.len() <= at {
            self.requests.resize(at + 1, None);
        }
        let requests = self.requests[at].get_or_insert_default();
        *requests.statuses.entry(ended.status).or_default() += 1;
        if let Some(code) = ended.code {
            *requests.codes.entry(code).or_default() += 1;
        }
        requests.took.add(ended.took);
    }

    pub(super) fn happened(&mut self, what: &Happening) {
        let transition = match what {
            Happening::Configured(_) => Transition::Configured,
            Happening::Started(_) => Transition::Started,
            Happening::Completed(_) => Transition::Completed,
            Happening::Failed(_) => Transition::Failed,
            Happening::Cancelled(_) => Transition::Cancelled,
            Happening::Removed(_, why) => {
                *self.removals.entry(*why).or_default() += 1;
                Transition::Removed
            }
            Happening::RolledBack { step, .. } => return *self.rollbacks.entry(*step).or_default() += 1,
            Happening::Leaked { undo, .. } => return *self.undo_failures.entry(*undo).or_default() += 1,
            Happening::Fault(hit) => return *self.faults.entry((hit.point, hit.effect)).or_default() += 1,
            Happening::CallOpened(_) => return self.calls_opened += 1,
            Happening::Reset => return self.resets += 1,
            // Requests are counted with what their record may have cut, calls where all their ends are known; the rest is
            // told by the world or is not asked for.
            Happening::Request(_)
            | Happening::CallEnded(..)
            | Happening::Refused(_)
            | Happening::OutsideChanged(_)
            | Happening::QuirkChanged(..)
            | Happening::LimitsChanged(_)
            | Happening::PortHeld(..)
            | Happening::PortReleased(_)
            | Happening::RecordingsReplaced
            | Happening::RuleAdded(_)
            | Happening::RuleRemoved(_)
            | Happening::ChangeRefused(_)
            | Happening::CleanupJobDeleted(_)
            | Happening::ClusterEdited(_)
            | Happening::ServerWaits(_)
            | Happening::ServerUp => return,
        };
        *self.transitions.entry(transition).or_default() += 1;
    }
}

/// What a stream plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The fibre as it is now.
    Live,
    /// A recording.
    Historic,
}

impl Source {
    /// Both of them, in order.
    pub const ALL: [Self; 2] = [Self::Live, Self::Historic];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Historic => "historic",
        }
    }
}

impl From<Playback> for Source {
    fn from(playback: Playback) -> Self {
        match playback {
            Playback::Live => Self::Live,
            Playback::Historic(_) => Self::Historic,
        }
    }
}

/// A [`Histogram`] that many write to at once. Nothing is locked for that: a look while somebody writes may see a time in
/// its bucket that is not yet in the sum.
#[derive(Debug, Default)]
struct SharedHistogram {
    counts: [AtomicU64; Histogram::BOUNDS.len() + 1],
    nanos: AtomicU64,
}

impl SharedHistogram {
    fn add(&self, time: Duration) {
        self.counts[Histogram::bucket(time)].fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(nanos(time), Ordering::Relaxed);
    }

    fn so_far(&self) -> Histogram {
        let counts = std::array::from_fn(|bucket| self.counts[bucket].load(Ordering::Relaxed));
        Histogram { counts, nanos: self.nanos.load(Ordering::Relaxed) }
    }
}

/// What came of calls on streams: what left on them, and how the server ended them. Many calls write to it at once, and
/// not all of it is in the journal, so it is no part of that.
#[derive(Debug, Default)]
pub struct Streamed {
    /// Every frame, by how late it left.
    lateness: [SharedHistogram; Source::ALL.len()],
    bytes: AtomicU64,
    ended: [AtomicU64; StreamEnd::ALL.len()],
}

impl Streamed {
    /// A frame left, so late.
    pub fn frame(&self, source: Source, late: Duration) {
        self.lateness[source as usize].add(late);
    }

    /// So many bytes left.
    pub fn bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The server ended so many calls.
    pub(super) fn ended(&self, end: StreamEnd, calls: usize) {
        self.ended[end as usize].fetch_add(calls as u64, Ordering::Relaxed);
    }

    /// How many frames have left.
    #[must_use]
    pub fn frames_so_far(&self) -> u64 {
        Source::ALL.into_iter().map(|source| self.lateness_so_far(source).count()).sum()
    }

    /// How late frames left after they were due.
    #[must_use]
    pub fn lateness_so_far(&self, source: Source) -> Histogram {
        self.lateness[source as usize].so_far()
    }

    /// How many bytes have left.
    #[must_use]
    pub fn bytes_so_far(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many calls the server has ended like that.
    #[must_use]
    pub fn ended_so_far(&self, end: StreamEnd) -> u64 {
        self.ended[end as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_and_method_has_a_place_of_its_own_and_is_found_again() {
        let mut counts = Counts::default();
        let keys: Vec<_> = AnyRoute::all().flat_map(|route| Verb::ALL.map(|verb| (route, verb))).collect();
        for (times, (route, verb)) in keys.iter().rev().enumerate() {
            let ended = Ended { route: *route, verb: *verb, status: None, code: None, took: Duration::ZERO };
            (0..=times).for_each(|_| counts.request(&ended));
        }
        let found: Vec<_> =
            counts.requests().map(|(route, verb, one)| (route, verb, one.took.count())).collect();
        let last = keys.len() as u64;
        let expected = keys.iter().zip((1..=last).rev()).map(|((route, verb), times)| (*route, *verb, times));
        assert_eq!(found, expected.collect::<Vec<_>>());
        assert_eq!(found.len(), Counts::MOST_REQUESTS);
    }

    #[test]
    fn a_bound_belongs_to_its_bucket_and_what_is_longer_than_all_has_one_too() {
        let mut histogram = Histogram::default();
        let nano = Duration::from_nanos(1);
        let [first, second, .., last] = Histogram::BOUNDS;
        for time in [Duration::ZERO, first, first + nano, second, second + nano, last, last + nano] {
            histogram.add(time);
        }
        let counts: Vec<_> = histogram.buckets().map(|(_, count)| count).collect();
        assert_eq!(counts, [2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!((histogram.count(), histogram.sum()), (7, (first + second + last) * 2 + nano * 3));
        assert!(Histogram::BOUNDS.is_sorted());
    }

    #[test]
    fn times_that_many_write_are_counted_as_those_of_one() {
        let (shared, mut alone) = (SharedHistogram::default(), Histogram::default());
        assert_eq!(shared.so_far(), alone);
        let times: Vec<_> = Histogram::BOUNDS.iter().flat_map(|bound| [*bound, *bound * 2]).collect();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| times.iter().for_each(|time| shared.add(*time)));
            }
        });
        (0..4).for_each(|_| times.iter().for_each(|time| alone.add(*time)));
        assert_eq!(shared.so_far(), alone);
        assert_eq!(alone.count(), 128);
    }

    #[test]
    fn frames_are_counted_by_what_they_are_of() {
        let streamed = Streamed::default();
        for (source, late) in [(Source::Live, 3), (Source::Historic, 7), (Source::Historic, 11)] {
            streamed.frame(source, Duration::from_millis(late));
        }
        let told = Source::ALL.map(|source| streamed.lateness_so_far(source));
        assert_eq!(told.map(|times| (times.count(), times.sum().as_millis())), [(1, 3), (2, 18)]);
        assert_eq!(streamed.frames_so_far(), 3);
    }

    #[test]
    fn methods_that_nobody_knows_are_one() {
        for verb in Verb::ALL {
            assert_eq!(Verb::of(verb.name()), verb);
        }
        for method in ["get", "", "BREW", "GET "] {
            assert_eq!(Verb::of(method), Verb::Other, "{method:?}");
        }
    }
}
