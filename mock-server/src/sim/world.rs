//! All mutable state of the simulator, with one entry function per command.
//!
//! A command runs from beginning to end under the world's lock and may read no clock: it is given its time. Events
//! that are due by then have happened before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::check::{self, Bounds, ConfigureDraft};
use crate::domain::fiber::{Fiber, FiberState};
use crate::domain::ids::{JobId, NodePort, Sequence, Slot};
use crate::domain::job::{JobEvent, JobState, StreamEnd, Terms};
use crate::domain::quirk::{Profile, Quirk, Quirks};
use crate::domain::recording::{Catalog, Recording};
use crate::domain::refusal::{ContractError, Refusal};
use crate::domain::task::{Task, TaskId};
use crate::domain::time::{Moment, TimeRange};

use super::agenda::{Agenda, Key};
use super::calls::{Call, CallId, StreamState};
use super::cluster::Cluster;
use super::cluster::store::Store;
use super::counts::Streamed;
use super::faults::{At, Effect, Faults, Match, Point, Rule, Schedule, Step, Subject};
use super::journal::{Happening, SharedJournal};
use super::leaks::{LeftBehind, Reader};
use super::port::{Door, Ports};
use super::prelaunch;
use super::reserve::Reservation;
use super::seed::Seed;
use super::setup::{Dependencies, MongoDb, RecordingsState, Setup, Supply};
use super::startup::Startup;
use super::temporary::Temporary;

/// A job of the table.
pub(super) struct Job {
    pub(super) terms: Arc<Terms>,
    pub(super) state: JobState,
    pub(super) created: Moment,
    /// Where the sample that removes it stands in the agenda.
    pub(super) sweep: Option<Key>,
    /// The job's port: held while Pending, open while Running, gone afterwards.
    pub(super) door: Option<Box<dyn Door>>,
    /// When it came to its end, if it did.
    pub(super) over_since: Option<Moment>,
    pub(super) streams: Vec<StreamState>,
    pub(super) calls: BTreeMap<CallId, Call>,
}

/// The world.
pub struct World {
    /// What it is set to: what it was started from, with what was changed since.
    pub(super) setup: Arc<Setup>,
    /// What it was started from, and goes back to.
    pub(super) start: Arc<Setup>,
    pub(super) began: Moment,
    /// How many entries the journal had then.
    pub(super) journal_before: u64,
    /// The lowest and highest numbers that jobs of the worlds before this one may have.
    pub(super) given_out_before: Option<(Sequence, Sequence)>,
    pub(super) seed: Seed,
    pub(super) ports: Arc<dyn Ports>,
    pub(super) fiber: Arc<Fiber>,
    pub(super) fiber_state: FiberState,
    /// Since when the fibre gives nothing, while it does not.
    pub(super) dark_since: Option<Moment>,
    pub(super) catalog: Catalog,
    /// Since when the recorder is down, while it is.
    pub(super) recorder_down_since: Option<Moment>,
    /// What rehearsals want of the outside systems.
    pub(super) rehearsed: Dependencies,
    /// What the product meets of them: that, as far as their workloads have a ready pod.
    pub(super) dependencies: Dependencies,
    /// How it deviates from the contract at the moment.
    pub(super) quirks: Quirks,
    /// When the newest restart of MongoDB is over.
    pub(super) mongodb_ready_at: Option<Moment>,
    /// What the Focus Server waits for before it comes up.
    pub(super) startup: Option<Startup>,
    pub(super) free_slots: std::collections::BTreeSet<Slot>,
    pub(super) next_sequence: Option<Sequence>,
    pub(super) jobs: BTreeMap<JobId, Job>,
    pub(super) tasks: BTreeMap<TaskId, Task>,
    pub(super) cluster: Cluster,
    /// The cluster's objects as everybody sees them; outlives this world.
    pub(super) store: Arc<Store>,
    pub(super) agenda: Agenda,
    pub(super) faults: Arc<Faults>,
    pub(super) journal: SharedJournal,
    pub(super) streamed: Arc<Streamed>,
    pub(super) next_call: u64,
    /// Calls whose reader has not let them go.
    pub(super) readers: BTreeMap<CallId, Reader>,
    /// More jobs than the limit allows, which were there when it was lowered.
    pub(super) jobs_allowed: usize,
    /// Whether GPU shares are being given to pods that wait.
    pub(super) sharing_out: bool,
    /// Ports that a rehearsal took in the place of another process.
    pub(super) held_ports: BTreeMap<NodePort, Box<dyn Door>>,
    /// What undos that failed have left behind.
    pub(super) left: LeftBehind,
    /// What goes back by itself.
    pub(super) temporary: Temporary,
}

/// What a world has around it, and leaves to the next one.
pub struct Surroundings {
    /// Where its draws come from.
    pub seed: Seed,
    /// The machine's ports.
    pub ports: Arc<dyn Ports>,
    /// What goes wrong on purpose.
    pub faults: Arc<Faults>,
    /// Where it writes what happens.
    pub journal: SharedJournal,
    /// Where it counts how calls end.
    pub streamed: Arc<Streamed>,
    /// Where it shows the objects of its cluster.
    pub store: Arc<Store>,
}

/// What every request has to know before it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reception {
    /// Whether the product's routes answer.
    pub serving: bool,
    /// How the server deviates from the contract.
    pub quirks: Quirks,
}

/// What a client learns about the fibre.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveMetadata {
    /// The fibre.
    pub fiber: Arc<Fiber>,
    /// How much of it shows.
    pub state: FiberState,
}

impl World {
    /// A world as it is at its start.
    #[must_use]
    pub fn new(setup: Arc<Setup>, surroundings: Surroundings, now: Moment) -> Self {
        let Surroundings { seed, ports, faults, journal, streamed, store } = surroundings;
        let mut world = Self {
            fiber: Arc::new(setup.fiber.clone()),
            fiber_state: FiberState::Lit,
            dark_since: None,
            catalog: setup.recordings.catalog(now.seconds()),
            recorder_down_since: None,
            rehearsed: Dependencies::default(),
            dependencies: Dependencies::default(),
            quirks: setup.quirks,
            mongodb_ready_at: None,
            startup: None,
            free_slots: setup.ports.slots().collect(),
            next_sequence: Some(setup.first_sequence),
            jobs: BTreeMap::new(),
            tasks: BTreeMap::new(),
            cluster: Cluster::new(Arc::clone(&store), seed, &setup.namespace, setup.gpu.size, now),
            store,
            agenda: Agenda::default(),
            faults,
            journal_before: journal.written(),
            journal,
            streamed,
            next_call: 0,
            readers: BTreeMap::new(),
            jobs_allowed: 0,
            sharing_out: false,
            held_ports: BTreeMap::new(),
            left: LeftBehind::default(),
            temporary: Temporary::default(),
            given_out_before: None,
            seed,
            ports,
            began: now,
            start: Arc::clone(&setup),
            setup,
        };
        let setup = Arc::clone(&world.setup);
        world.cluster.relabel(setup.quirks.has(Quirk::JobTemplateObserved), now);
        world.change_fiber(setup.fiber_state, now);
        world.change_dependencies(setup.dependencies, now);
        world.start_server(now);
        world.show_health(now);
        world.install_rules(now);
        world.enter_timeline(now);
        world
    }

    /// Goes back to the start: jobs end, their ports close, counts begin anew, rules and timeline too. The clock goes on.
    pub fn reset(&mut self, now: Moment) {
        self.begin_anew(Arc::clone(&self.start), now);
    }

    /// Goes to the start of another world, which keeps the ports of this one: clients know the server by them. The next
    /// reset goes back to the world that the server was started with, so that whoever replaced it cannot leave it so.
    pub fn replace(&mut self, setup: Setup, now: Moment) {
        let start = Arc::clone(&self.start);
        // Fewer slots can be had at once; for more, and for other ports, there would have to be other listeners.
        let ports = start.ports.with_at_most(setup.ports);
        self.begin_anew(Arc::new(Setup { ports, ..setup }), now);
        self.start = start;
    }

    /// Ends: jobs end and every port closes, and neither rules nor timeline begin again.
    pub fn end(&mut self, now: Moment) {
        let quiet = Setup { rules: Vec::new(), timeline: Vec::new(), ..Setup::clone(&self.start) };
        self.begin_anew(Arc::new(quiet), now);
    }

    fn begin_anew(&mut self, start: Arc<Setup>, now: Moment) {
        for job in self.jobs.values_mut() {
            self.streamed.ended(StreamEnd::Gone, job.calls.len());
            job.end_calls(StreamEnd::Gone, &mut self.agenda);
        }
        // Before the new world: its jobs may take the ports that the old ones hold, and those that were held for show.
        self.jobs.clear();
        self.held_ports.clear();
        self.left = LeftBehind::default();
        self.faults.clear();
        self.journal.write(now, Happening::Reset);
        let surroundings = Surroundings {
            seed: self.seed,
            ports: Arc::clone(&self.ports),
            faults: Arc::clone(&self.faults),
            journal: Arc::clone(&self.journal),
            streamed: Arc::clone(&self.streamed),
            store: Arc::clone(&self.store),
        };
        let given_out_before = self.given_out_so_far();
        let fresh = Self::new(start, surroundings, now);
        // Job ids come again, so call numbers go on: a reader from before must not close a call of the new world.
        *self = Self { next_call: self.next_call, given_out_before, ..fresh };
    }

    /// The last number of the journal before this world began.
    #[must_use]
    pub fn began_after(&self) -> u64 {
        self.journal_before
    }

    /// Whether the Focus Server's workload has a ready pod; without one every route of the product is down.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.dependencies.focus_server == Supply::Up && self.startup.is_none()
    }

    /// Creates a job, or leaves the world as it was.
    ///
    /// # Errors
    /// Every way in which the product refuses a configuration.
    pub fn configure(
        &mut self,
        draft: &ConfigureDraft,
        stream_host: String,
        asked_by: &dyn Subject,
        now: Moment,
    ) -> Result<Arc<Terms>, Refusal> {
        match self.reserve(draft, stream_host, asked_by, now) {
            Ok(terms) => {
                self.journal.write(now, Happening::Configured(Arc::clone(&terms)));
                Ok(terms)
            }
            Err(Failed { refusal, at: None }) => {
                self.journal.write(now, Happening::Refused(refusal.clone()));
                Err(refusal)
            }
            Err(Failed { refusal, at: Some((id, step)) }) => {
                self.journal.write(now, Happening::RolledBack { id, step, refusal: refusal.clone() });
                Err(refusal)
            }
        }
    }

    fn reserve(
        &mut self,
        draft: &ConfigureDraft,
        stream_host: String,
        asked_by: &dyn Subject,
        now: Moment,
    ) -> Result<Arc<Terms>, Failed> {
        let understood = check::configure(draft, &self.bounds(now))?;
        let admitted = prelaunch::admit(self, &understood, now)?;
        Reservation::begin(self, asked_by, now).take_all(&admitted, stream_host)
    }

    /// What requests are measured against at a time.
    #[must_use]
    pub fn bounds(&self, now: Moment) -> Bounds {
        let limits = &self.setup.limits;
        Bounds {
            channels: self.fiber.channels,
            max_channels: limits.max_channels_per_request,
            nfft_max_multichannel: limits.nfft_max_multichannel,
            prr: self.fiber.prr,
            latest_end: now.seconds().plus(i64::from(limits.future_tolerance_s)),
            quirks: self.quirks,
        }
    }

    /// The facts of a live job.
    ///
    /// # Errors
    /// `UnknownJob` when there is none of that id, it was cancelled, or it is not found yet because of a race.
    pub fn job(&self, id: JobId, now: Moment) -> Result<Arc<Terms>, Refusal> {
        let job = self.live_job(id)?;
        if job.terms.quirks.has(Quirk::MetadataRace)
            && now < self.answered_at(job).after(self.setup.times.metadata_race)
        {
            return Err(Refusal::UnknownJob);
        }
        Ok(Arc::clone(&job.terms))
    }

    fn live_job(&self, id: JobId) -> Result<&Job, Refusal> {
        self.jobs.get(&id).filter(|job| job.state.is_live()).ok_or(Refusal::UnknownJob)
    }

    /// When the answer that a job was created leaves.
    fn answered_at(&self, job: &Job) -> Moment {
        job.created.after(self.setup.times.configure_latency.of_job(self.seed, job.terms.id))
    }

    /// Cancels a live job: its Service and port go at once, its pods a little later.
    ///
    /// # Errors
    /// `UnknownJob` when there is none of that id, or it was cancelled before.
    pub fn cancel(&mut self, id: JobId, now: Moment) -> Result<(), Refusal> {
        self.live_job(id)?;
        self.finish(id, JobEvent::Cancel, now);
        Ok(())
    }

    /// What a client learns about the fibre that asks for nothing else.
    ///
    /// # Errors
    /// `LiveMetadataUnavailable` while the fibre is awaited, of a server that does not say so in its metadata.
    pub fn asked_live_metadata(&self) -> Result<LiveMetadata, Refusal> {
        if self.quirks.has(Quirk::LiveMetadata404) && !self.fiber_state.delivers() {
            return Err(Refusal::LiveMetadataUnavailable);
        }
        Ok(self.live_metadata())
    }

    /// What a client learns about the fibre.
    #[must_use]
    pub fn live_metadata(&self) -> LiveMetadata {
        LiveMetadata { fiber: Arc::clone(&self.fiber), state: self.fiber_state }
    }

    /// Every recording that overlaps a window.
    ///
    /// # Errors
    /// `RecordingsUnavailable` while their index cannot be read.
    pub fn recordings(&self, window: TimeRange, now: Moment) -> Result<Vec<Recording>, Refusal> {
        self.require_mongodb()?;
        Ok(match self.dependencies.recordings {
            RecordingsState::Present | RecordingsState::PathMismatch => {
                self.catalog.overlapping(window, now.seconds())
            }
            RecordingsState::None => Vec::new(),
        })
    }

    pub(super) fn require_mongodb(&self) -> Result<(), Refusal> {
        match self.dependencies.mongodb {
            MongoDb::Up => Ok(()),
            MongoDb::Down | MongoDb::SlowFail | MongoDb::Restarting => Err(Refusal::RecordingsUnavailable),
        }
    }

    /// How it deviates from the contract at the moment.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        self.quirks
    }

    /// Gives the server a quirk, or takes it away. What was answered before stays as it was.
    pub fn set_quirk(&mut self, quirk: Quirk, on: bool, now: Moment) {
        if self.quirks.has(quirk) != on {
            self.quirks = self.quirks.with(quirk, on);
            self.cluster.relabel(self.quirks.has(Quirk::JobTemplateObserved), now);
            self.journal.write(now, Happening::QuirkChanged(quirk, on));
        }
    }

    /// Makes the quirks of the server those of a profile, each one that it has otherwise included.
    pub fn set_profile(&mut self, profile: Profile, now: Moment) {
        for quirk in Quirk::ALL.iter().copied() {
            self.set_quirk(quirk, profile.quirks().has(quirk), now);
        }
    }

    /// What every request has to know before it is looked at.
    #[must_use]
    pub fn reception(&self) -> Reception {
        Reception { serving: self.is_serving(), quirks: self.quirks }
    }

    /// Makes a step of the next reservations fail, to rehearse the rollback.
    ///
    /// # Panics
    /// With more than a thousand rules installed.
    pub fn fail_next(&mut self, step: Step, times: u32) {
        let refusal = match step {
            Step::Slot => ContractError::CapacityExhausted,
            Step::Port => ContractError::PortInUse,
            Step::GrpcJob | Step::CleanupJob | Step::Service | Step::Queue | Step::Commit => {
                ContractError::JobCreationFailed
            }
        };
        let schedule = Schedule { first: Some(u64::from(times)), ..Schedule::default() };
        let at = At::Point(Point::Step(step));
        let rule = Rule::new(None, at, Match::default(), schedule, None, Some(Effect::Refuse(refusal)));
        if let Ok(rule) = rule {
            self.faults.install(Arc::new(rule), Moment::from_nanos(0)).expect("a test has few rules");
        }
    }

    /// Plants a Service of a lost job that holds a node port, or takes it away.
    pub fn plant_leftover_service(&mut self, port: NodePort, planted: bool) {
        if planted {
            self.plant_leftover(port, Moment::from_nanos(0));
        } else {
            self.remove_leftovers(port);
        }
    }

    /// How many jobs count against the limit: all that are not yet removed.
    #[must_use]
    pub fn jobs_counted(&self) -> usize {
        self.jobs.len()
    }

    /// The smaller of the limits on concurrent jobs.
    #[must_use]
    pub fn job_limit(&self) -> u32 {
        self.setup.limits.max_jobs.min(u32::from(self.setup.ports.max_slots()))
    }
}

/// A refused configure, with the reservation's step when it got that far.
pub(super) struct Failed {
    pub(super) refusal: Refusal,
    pub(super) at: Option<(JobId, Step)>,
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, at: None }
    }
}
