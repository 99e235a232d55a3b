//! The door to the world: lock, clock and seed bundled, so that a caller can neither forget one nor hold another.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use crate::domain::check::ConfigureDraft;
use crate::domain::ids::JobId;
use crate::domain::job::{CallRefusal, Terms};
use crate::domain::recording::Recording;
use crate::domain::refusal::{ContractError, Refusal};
use crate::domain::time::{Moment, TimeRange};

use super::calls::{CallId, Turn};
use super::change::{Change, ChangeRefused};
use super::clock::Clock;
use super::cluster::store::Store;
use super::counts::Streamed;
use super::faults::{Faults, Hit, Point, Subject, Unnamed};
use super::figures::Figures;
use super::frames::FrameTable;
use super::journal::{Entry, FaultHit, Happening, Journal, SharedJournal};
use super::port::Ports;
use super::seed::Seed;
use super::setup::Setup;
use super::signal::Changed;
use super::snapshot::Snapshot;
use super::stream::StreamCall;
use super::world::{LiveMetadata, Reception, Surroundings, World};

/// What happened while the clock was moved on.
#[derive(Clone, Debug, PartialEq)]
pub struct Fired {
    /// The newest of it, in order.
    pub entries: Vec<Entry>,
    /// How much it was in all.
    pub count: u64,
}

impl Fired {
    /// How much is listed at most.
    pub const MOST: u64 = 10_000;
}

impl Deref for Fired {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        &self.entries
    }
}

impl IntoIterator for Fired {
    type Item = Entry;
    type IntoIter = std::vec::IntoIter<Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<const N: usize> PartialEq<[Entry; N]> for Fired {
    fn eq(&self, other: &[Entry; N]) -> bool {
        self.entries == *other
    }
}

/// Who follows whether the product's routes answer.
pub trait Front: Send + Sync {
    /// That has changed, or may have: told by whoever changed it, after the world was let go and before he goes on, so
    /// that nobody who saw the change finds the front as it was.
    fn follow(&self, simulation: &Simulation);
}

/// A world with its clock.
pub struct Simulation {
    world: Mutex<World>,
    clock: Clock,
    seed: Seed,
    frames: OnceLock<FrameTable>,
    agenda_changed: Changed,
    faults: Arc<Faults>,
    journal: SharedJournal,
    streamed: Arc<Streamed>,
    pub(super) store: Arc<Store>,
    front: OnceLock<Weak<dyn Front>>,
}

impl Simulation {
    /// A world at its start.
    #[must_use]
    pub fn new(setup: Setup, seed: Seed, clock: Clock, ports: Arc<dyn Ports>) -> Self {
        let faults = Arc::new(Faults::new(seed));
        let journal = Arc::new(Journal::new(setup.journal.clone()));
        let store = Arc::new(Store::new(seed, setup.history));
        let streamed = Arc::<Streamed>::default();
        let surroundings = Surroundings {
            seed,
            ports,
            streamed: Arc::clone(&streamed),
            faults: Arc::clone(&faults),
            journal: Arc::clone(&journal),
            store: Arc::clone(&store),
        };
        let world = World::new(Arc::new(setup), surroundings, clock.now());
        Self {
            world: Mutex::new(world),
            clock,
            seed,
            frames: OnceLock::new(),
            agenda_changed: Changed::default(),
            faults,
            journal,
            streamed,
            store,
            front: OnceLock::new(),
        }
    }

    /// Lets somebody follow whether the product's routes answer; the first one stands.
    pub fn set_front(&self, front: Weak<dyn Front>) {
        let _ = self.front.set(front);
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }

    pub(super) fn frames(&self) -> &FrameTable {
        self.frames.get_or_init(|| FrameTable::new(self.seed))
    }

    /// Runs one command in the world, after everything that was due before it.
    ///
    /// This is the general door; what the transports need has a method of its own below.
    pub fn with<R>(&self, command: impl FnOnce(&mut World, Moment) -> R) -> R {
        let mut world = self.lock();
        let now = self.clock.now();
        let (due_before, served) = (world.next_due(), world.is_serving());
        world.catch_up(now);
        let result = command(&mut world, now);
        // Not while a panic unwinds: a call closed on the way out must not turn one failure into an abort.
        if cfg!(debug_assertions) && !std::thread::panicking() {
            world.check_invariants();
        }
        let earlier = match (due_before, world.next_due()) {
            (before, Some(after)) => before.is_none_or(|before| after < before),
            (_, None) => false,
        };
        let turned = served != world.is_serving();
        drop(world);
        self.store.tell_news();
        if earlier {
            self.agenda_changed.tell();
        }
        if turned {
            self.tell_front();
        }
        result
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        // A panic under the lock is a defect of ours; what it left is still the best answer to the next request.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_front(&self) {
        if let Some(front) = self.front.get().and_then(Weak::upgrade) {
            front.follow(self);
        }
    }

    /// Lets things happen when they are due, for as long as it is polled.
    pub async fn run(&self) {
        loop {
            match self.with(|world, _| world.next_due()) {
                None => self.agenda_changed.wait().await,
                Some(next) => tokio::select! {
                    () = self.clock.sleep_until(next, "next event", None) => {}
                    () = self.agenda_changed.wait() => {}
                },
            }
        }
    }

    /// Moves the clock on, from one due event to the next, and tells what happened on the way.
    ///
    /// Nobody else acts meanwhile: to a reader that got a frame halfway, hours would pass before it could ask for the
    /// next, and it would be ended for want of progress.
    pub fn advance(&self, by: Duration) -> Fired {
        let mut world = self.lock();
        let target = self.clock.now().after(by);
        let (before, served) = (self.journal.written(), world.is_serving());
        while let Some(due) = world.next_due().filter(|due| *due <= target) {
            self.clock.jump_to(due);
            world.catch_up(due);
        }
        self.clock.jump_to(target);
        if cfg!(debug_assertions) {
            world.check_invariants();
        }
        let written = self.journal.written();
        let entries = self.journal.since(before.max(written.saturating_sub(Fired::MOST)));
        let turned = served != world.is_serving();
        drop(world);
        self.store.tell_news();
        if turned {
            self.tell_front();
        }
        Fired { entries, count: written - before }
    }

    /// Whether the product's routes answer.
    pub fn is_serving(&self) -> bool {
        self.with(|world, _| world.is_serving())
    }

    /// The same, without letting anything happen that is due.
    pub fn serves(&self) -> bool {
        self.lock().is_serving()
    }

    /// See [`World::reception`].
    pub fn reception(&self) -> Reception {
        self.with(|world, _| world.reception())
    }

    /// What goes wrong on purpose.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What happened.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// What came of calls on streams since the server began.
    #[must_use]
    pub fn streamed(&self) -> &Arc<Streamed> {
        &self.streamed
    }

    /// What happens to somebody at an edge: the first rule that does not pass, which the journal then tells of.
    #[must_use]
    pub fn judge(&self, point: Point, subject: &dyn Subject, request: Option<&str>) -> Option<Hit> {
        let now = self.clock.now();
        let hit = self.faults.judge(point, subject, now)?;
        let told = FaultHit::of(&hit, subject.job(), request);
        self.journal.write(now, Happening::Fault(Box::new(told)));
        Some(hit)
    }

    /// A refusal of the contract with what it says about this world.
    #[must_use]
    pub fn refusal(&self, error: ContractError) -> Refusal {
        self.with(|world, _| {
            let slot = world.free_slots.first().copied();
            world.refusal(error, slot)
        })
    }

    /// See [`World::apply`].
    ///
    /// # Errors
    /// When the change cannot be made; then nothing has changed.
    pub fn apply(&self, change: &Change, lasts: Option<Duration>) -> Result<(), ChangeRefused> {
        self.with(|world, now| world.apply(change, lasts, now))
    }

    /// See [`World::configure`]; asked for by nobody in particular.
    ///
    /// # Errors
    /// Every way in which the product refuses a configuration.
    pub fn configure(&self, draft: &ConfigureDraft, stream_host: String) -> Result<Arc<Terms>, Refusal> {
        self.configure_for(draft, stream_host, &Unnamed)
    }

    /// See [`World::configure`].
    ///
    /// # Errors
    /// Every way in which the product refuses a configuration.
    pub fn configure_for(
        &self,
        draft: &ConfigureDraft,
        stream_host: String,
        asked_by: &dyn Subject,
    ) -> Result<Arc<Terms>, Refusal> {
        self.with(|world, now| world.configure(draft, stream_host, asked_by, now))
    }

    /// How long the answer that a job was created takes; the job is there all the while. The real server needs 130 to
    /// 890 ms for it, and a client that was only ever answered at once has not met that.
    ///
    /// Drawn for the job alone: whatever else is asked of the server, the same job takes the same time.
    #[must_use]
    pub fn configure_latency(&self, job: JobId) -> Duration {
        let latency = self.lock().setup().times.configure_latency;
        latency.of_job(self.seed, job)
    }

    /// See [`World::job`].
    ///
    /// # Errors
    /// `UnknownJob`.
    pub fn job(&self, id: JobId) -> Result<Arc<Terms>, Refusal> {
        self.with(|world, now| world.job(id, now))
    }

    /// See [`World::cancel`].
    ///
    /// # Errors
    /// `UnknownJob`.
    pub fn cancel(&self, id: JobId) -> Result<(), Refusal> {
        self.with(|world, now| world.cancel(id, now))
    }

    /// See [`World::live_metadata`].
    pub fn live_metadata(&self) -> LiveMetadata {
        self.with(|world, _| world.live_metadata())
    }

    /// See [`World::recordings`].
    ///
    /// # Errors
    /// `RecordingsUnavailable`.
    pub fn recordings(&self, window: TimeRange) -> Result<Vec<Recording>, Refusal> {
        self.with(|world, now| world.recordings(window, now))
    }

    /// Opens a call on one of a job's streams.
    ///
    /// # Errors
    /// When the job does not run or has no such stream.
    pub fn open_call(self: &Arc<Self>, job: JobId, stream: i32) -> Result<StreamCall, CallRefusal> {
        let (call, max_frame_bytes) = self.with(|world, now| {
            let call = world.open_call(job, stream, now)?;
            self.journal.write(now, Happening::CallOpened(job));
            Ok((call, world.setup().max_frame_bytes))
        })?;
        Ok(StreamCall::new(Arc::clone(self), call, max_frame_bytes))
    }

    pub(super) fn take_turn(&self, call: CallId) -> Turn {
        self.with(|world, now| world.take_turn(call, now))
    }

    pub(super) fn close_call(&self, call: CallId) {
        self.with(|world, now| world.reader_gone(call, now));
    }

    /// Everything there is, at one moment.
    pub fn snapshot(&self) -> Snapshot {
        self.with(|world, now| world.snapshot(now, self.clock.mode(), self.clock.waiters()))
    }

    /// The same in numbers.
    pub fn figures(&self) -> Figures {
        self.with(|world, now| world.figures(now, self.clock.mode()))
    }

    /// Goes back to the start; the clock goes on.
    pub fn reset(&self) {
        self.with(|world, now| world.reset(now));
    }

    /// Ends the world: jobs end and every port closes; no plan of it begins again.
    pub fn end(&self) {
        self.with(|world, now| world.end(now));
    }

    /// Goes to the start of another world; the clock goes on, and so do the ports, the seed and the journal.
    pub fn replace(&self, setup: Setup) {
        self.with(|world, now| world.replace(setup, now));
    }
}
