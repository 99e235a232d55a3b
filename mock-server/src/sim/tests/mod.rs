//! The simulation as its transports see it: commands through [`Simulation`], time moved by hand, ports that are a table.
//!
//! No test sleeps, opens a socket or needs a runtime: a call is polled once, and either has something or says until
//! when it waits. Times are milliseconds after the start of the world unless they say otherwise.

mod advance;
mod cancel;
mod catalogue;
mod changes;
mod cluster;
mod dependencies;
mod endings;
mod fate;
mod historic;
mod holding;
mod inactivity;
mod latency;
mod leaks;
mod limits;
mod live;
mod order;
mod pending;
mod ports;
mod properties;
mod quirks;
mod rehearsals;
mod repeat;
mod rollback;
mod said;
mod startup;
mod sweep;
mod timeline;
mod watchers;
mod workloads;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::noop_waker_ref;

use crate::domain::check::{ConfigureDraft, Given, RangeDraft, ViewNumber, WindowDraft};
use crate::domain::ids::{JobId, NodePort, PortPlan, Sequence, Slot};
use crate::domain::job::{JobState, StreamEnd};
use crate::domain::refusal::{ContractError, Refusal};
use crate::domain::time::{EpochSeconds, Moment};
use crate::sim::Simulation;
use crate::sim::change::{Change, ChangeRefused};
use crate::sim::clock::{Clock, Mode};
use crate::sim::fate::Fate;
use crate::sim::faults::{At, Effect, GiveBack, Match, Point, Rule, RuleId, Schedule, Step};
use crate::sim::journal::{Entry, Happening, Removal};
use crate::sim::leaks::Leaks;
use crate::sim::seed::Seed;
use crate::sim::setup::{Dependencies, Setup};
use crate::sim::snapshot::{JobSnapshot, Snapshot};
use crate::sim::stream::{Frame, Next, StreamCall};

use ports::FakePorts;

/// When the worlds of these tests start, epoch seconds: no full hour, so that nothing falls on one by chance.
const START: i64 = 1_764_946_703;

/// A world with its ports, and time in the test's hand.
struct Rig {
    sim: Arc<Simulation>,
    ports: Arc<FakePorts>,
}

impl Rig {
    /// The default world.
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// A world that starts from something else than the default.
    fn with(change: impl FnOnce(&mut Setup)) -> Self {
        Self::seeded(Seed::default(), START, change)
    }

    fn seeded(seed: Seed, start: i64, change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup::default();
        change(&mut setup);
        let clock = Clock::start(Mode::Manual, Some(Moment::from_seconds(EpochSeconds(start))));
        let ports = Arc::new(FakePorts::default());
        let sim = Arc::new(Simulation::new(setup, seed, clock, Arc::clone(&ports) as _));
        Self { sim, ports }
    }

    fn configure(&self, draft: &ConfigureDraft) -> Result<JobId, Refusal> {
        self.sim.configure(draft, String::from("localhost")).map(|terms| terms.id)
    }

    /// Configures a job that must come about.
    #[track_caller]
    fn start(&self, draft: &ConfigureDraft) -> JobId {
        self.configure(draft).expect("nothing speaks against this job")
    }

    /// Configures a job that must not come about.
    #[track_caller]
    fn refused(&self, draft: &ConfigureDraft) -> Refusal {
        self.configure(draft).expect_err("something speaks against this job")
    }

    #[track_caller]
    fn open(&self, job: JobId, stream: i32) -> StreamCall {
        self.sim.open_call(job, stream).expect("the job runs and has that stream")
    }

    /// A call whose transport always asks for more, as that of a healthy reader does.
    #[track_caller]
    fn open_reading(&self, job: JobId, stream: i32) -> StreamCall {
        let call = self.open(job, stream);
        call.progress().asks();
        call
    }

    /// Moves on to that many milliseconds after the start and tells what happened on the way.
    #[track_caller]
    fn go_to(&self, millis: u64) -> Vec<Entry> {
        let passed = self.sim.clock().now().since(at(0));
        let by = Duration::from_millis(millis).checked_sub(passed).expect("time runs forwards");
        self.sim.advance(by).entries
    }

    fn snapshot(&self) -> Snapshot {
        self.sim.snapshot()
    }

    fn job(&self, id: JobId) -> Option<JobSnapshot> {
        self.snapshot().jobs.into_iter().find(|job| job.id == id)
    }

    /// Where a job is in its life, `None` once it is removed.
    fn state(&self, id: JobId) -> Option<JobState> {
        self.job(id).map(|job| job.state)
    }

    fn depend(&self, change: impl FnOnce(&mut Dependencies)) {
        self.sim.with(|world, now| {
            let mut dependencies = world.rehearsed;
            change(&mut dependencies);
            world.change_dependencies(dependencies, now);
        });
    }

    /// Makes a change that must be possible.
    #[track_caller]
    fn apply(&self, change: &Change) {
        self.sim.apply(change, None).expect("nothing speaks against this change");
    }

    /// The same for so many milliseconds.
    #[track_caller]
    fn apply_for(&self, change: &Change, millis: u64) {
        let lasts = Some(Duration::from_millis(millis));
        self.sim.apply(change, lasts).expect("nothing speaks against this change");
    }

    /// Tries a change that must be refused, and looks that nothing has changed.
    #[track_caller]
    fn change_refused(&self, change: &Change, lasts: Option<u64>) -> ChangeRefused {
        let (before, rules, ports) = (self.snapshot(), self.sim.faults().list(), self.ports.table());
        let lasts = lasts.map(Duration::from_millis);
        let refused = self.sim.apply(change, lasts).expect_err("something speaks against this change");
        assert_eq!(self.snapshot(), before);
        assert_eq!((self.sim.faults().list(), self.ports.table()), (rules, ports));
        refused
    }

    /// What the journal has told since it had so many entries.
    fn told_since(&self, written: u64) -> Vec<Happening> {
        self.sim.journal().since(written).into_iter().map(|entry| entry.what).collect()
    }

    fn leaks(&self) -> Leaks {
        self.snapshot().leaks
    }

    fn fate(&self, job: &str) -> Fate {
        self.sim.with(|world, _| world.fate(id(job)))
    }

    fn plant_leftover_service(&self, port: u16, planted: bool) {
        let port = NodePort::new(port).expect("a port");
        self.sim.with(|world, _| world.plant_leftover_service(port, planted));
    }

    /// Polls a call once.
    fn poll(&self, call: &mut StreamCall) -> Polled {
        let mut next = pin!(call.next());
        match next.as_mut().poll(&mut Context::from_waker(noop_waker_ref())) {
            Poll::Ready(Next::Frame(frame)) => Polled::Frame(frame),
            Poll::Ready(Next::End(end)) => Polled::End(end),
            // The wait stands as long as it is polled, and the clock knows until when.
            Poll::Pending => Polled::WaitsUntil(self.sim.clock().waiters()[0].until),
        }
    }

    /// The frame that is due now.
    #[track_caller]
    fn frame(&self, call: &mut StreamCall) -> Frame {
        match self.poll(call) {
            Polled::Frame(frame) => frame,
            other => panic!("a frame is due, not {other:?}"),
        }
    }

    /// Reads a call to its end, moving on whenever it waits; every frame with the moment it came at.
    fn play(&self, call: &mut StreamCall) -> (Vec<(Moment, Frame)>, StreamEnd) {
        let mut frames = Vec::new();
        loop {
            match self.poll(call) {
                Polled::Frame(frame) => frames.push((self.sim.clock().now(), frame)),
                Polled::WaitsUntil(due) => drop(self.sim.advance(due.since(self.sim.clock().now()))),
                Polled::End(end) => return (frames, end),
            }
        }
    }
}

/// What one look at a call gives.
#[derive(Debug, PartialEq)]
enum Polled {
    Frame(Frame),
    WaitsUntil(Moment),
    End(StreamEnd),
}

/// The moment so many milliseconds after the start.
fn at(millis: u64) -> Moment {
    Moment::from_seconds(EpochSeconds(START)).after(Duration::from_millis(millis))
}

/// Which jobs were removed, when and why, in order.
fn removals(entries: &[Entry]) -> Vec<(Moment, JobId, Removal)> {
    let removal = |entry: &Entry| match entry.what {
        Happening::Removed(id, why) => Some((entry.at, id, why)),
        _ => None,
    };
    entries.iter().filter_map(removal).collect()
}

/// A rule at one point that always hits.
fn rule_at(name: &str, point: Point, effect: Effect) -> Arc<Rule> {
    scheduled(name, point, effect, Schedule::default())
}

fn scheduled(name: &str, point: Point, effect: Effect, schedule: Schedule) -> Arc<Rule> {
    let id = RuleId::new(name).expect("a name");
    let rule = Rule::new(Some(id), At::Point(point), Match::default(), schedule, None, Some(effect));
    Arc::new(rule.expect("a rule that makes sense"))
}

/// A rule that lets a step of every reservation fail.
fn fails_at(step: Step) -> Arc<Rule> {
    let effect = Effect::Refuse(ContractError::JobCreationFailed);
    rule_at(&format!("fail-{}", step.name()), Point::Step(step), effect)
}

/// A rule that lets an undo fail.
fn leaks_at(undo: GiveBack) -> Arc<Rule> {
    rule_at(&format!("leak-{}", undo.name()), Point::Undo(undo), Effect::Fail)
}

fn id(text: &str) -> JobId {
    text.parse().expect("an id of the test")
}

fn sequence(number: i32) -> Sequence {
    Sequence::new(number).expect("a sequence number of the test")
}

/// Slots 1 to `count`, on ports from 12301.
fn slots(count: u16) -> PortPlan {
    PortPlan::new(12300, Slot::new(count).map_or(1, Slot::number).try_into().expect("not zero"))
        .expect("ports that exist")
}

fn range(min: i64, max: i64) -> Given<RangeDraft> {
    Given::Value(RangeDraft { min: Given::Value(min), max: Given::Value(max) })
}

/// A small live job: three channels in three streams, 32 bins, a row and a frame every 0.1 s.
fn live() -> ConfigureDraft {
    ConfigureDraft {
        view: Given::Value(ViewNumber::MultiChannel),
        channels: range(1, 3),
        display: Given::Value(Given::Value(100)),
        duration: Given::Value(10),
        nfft: Given::Value(128),
        frequencies: range(0, 500),
        window: WindowDraft::default(),
        view_is_number: false,
    }
}

/// The same over a recorded window, in seconds relative to the start.
fn historic(from: i64, to: i64) -> ConfigureDraft {
    let window = WindowDraft { start: Given::Value(START + from), end: Given::Value(START + to) };
    ConfigureDraft { window, ..live() }
}

/// A historic job over one channel, hence with one stream; plays a hundredth of its 2000 s: 10 s.
fn historic_single() -> ConfigureDraft {
    ConfigureDraft { channels: range(7, 7), ..historic(-4000, -2000) }
}

/// Everything but what a refused request may change: the journal tells of it, and a number may be skipped.
fn without_traces(snapshot: Snapshot) -> Snapshot {
    Snapshot { journal: Vec::new(), journal_written: 0, next_sequence: None, ..snapshot }
}
