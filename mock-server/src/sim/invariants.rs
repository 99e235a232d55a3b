//! What must hold at any moment, whatever was asked for: checked after every command in debug builds, and on demand.
//!
//! What a rehearsal planted, and what an undo that was made to fail left behind, is excepted: that is known. Anything
//! else that does not hold is a defect of ours.

use std::collections::BTreeSet;

use super::cluster::Object;
use super::cluster::facts::{Part, Stage};
use super::setup::{MongoDb, Supply};
use super::startup::Startup;
use super::world::{Job, World};
use crate::domain::job::JobState;
use crate::domain::quirk::Quirk;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub id: &'static str,
    /// Where, and how.
    pub what: String,
}

/// Collects what does not hold.
struct Check(Vec<Broken>);

impl Check {
    fn that(&mut self, holds: bool, id: &'static str, what: impl FnOnce() -> String) {
        debug_assert!(World::INVARIANTS.iter().any(|(known, _)| *known == id), "{id} is not in the list");
        if !holds {
            self.0.push(Broken { id, what: what() });
        }
    }
}

impl World {
    /// The ids of all invariants, with a line about each.
    pub const INVARIANTS: &'static [(&'static str, &'static str)] = &[
        ("INV-ID", "A job is known by its id alone: its first half is its slot, its second its number."),
        (
            "INV-PORT",
            "The port of a job is base + slot; it is open while the job runs, and held while it is Pending.",
        ),
        ("INV-SLOT", "A slot is free, or belongs to one job that is not yet removed."),
        ("INV-SEQ", "Every number was given out once, and the next is above all of them."),
        ("INV-GONE", "A cancelled job has no Service, no port and no calls; a removed one has nothing."),
        (
            "INV-OBJECTS",
            "A live job has 2 Jobs, 2 pods, a Service and a queue; nothing of that is there without a job.",
        ),
        ("INV-POD", "The streaming pod of a job is pending, running or over as the job is."),
        ("INV-CAP", "There are no more jobs than the limit allows, or than there were when it was lowered."),
        ("INV-COUNT", "There are as many frequencies as their number says."),
        (
            "INV-STREAMS",
            "A job has a stream for each group of its channels; groups are contiguous and in order.",
        ),
        ("INV-CHANNELS", "The groups of a job's streams are exactly its channels."),
        ("INV-DT", "The time between two lines is above 0."),
        ("INV-GPU", "A job that runs has a GPU share, and a job that is over has none."),
        ("INV-START", "A Focus Server waits only for what it needs and does not have."),
    ];

    /// Every invariant that does not hold; none, if we made no mistake.
    #[must_use]
    pub fn broken_invariants(&self) -> Vec<Broken> {
        let mut check = Check(Vec::new());
        self.check_slots_and_numbers(&mut check);
        self.check_startup(&mut check);
        for job in self.jobs.values() {
            self.check_objects(job, &mut check);
            check_door(job, &mut check);
            check_answer(job, &mut check);
        }
        self.check_what_is_left(&mut check);
        check.0
    }

    /// Panics with the first invariant that does not hold.
    pub(super) fn check_invariants(&self) {
        if let Some(Broken { id, what }) = self.broken_invariants().first() {
            panic!("{id}: {what}");
        }
    }

    fn check_slots_and_numbers(&self, check: &mut Check) {
        let (mut slots, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for (id, job) in &self.jobs {
            check.that(*id == job.terms.id, "INV-ID", || format!("{id} is entered for {}", job.terms.id));
            check.that(slots.insert(id.slot), "INV-SLOT", || format!("{id} is not alone on its slot"));
            let free = self.free_slots.contains(&id.slot);
            check.that(!free, "INV-SLOT", || format!("the slot of {id} counts as free"));
            let right = job.terms.port == self.setup.ports.port(id.slot);
            check.that(right, "INV-PORT", || format!("the port of {id} is {}", job.terms.port));
            let given_out = self.next_sequence.is_none_or(|next| id.sequence < next);
            check.that(given_out, "INV-SEQ", || format!("the number of {id} was not given out yet"));
            check.that(numbers.insert(id.sequence), "INV-SEQ", || format!("the number of {id} came twice"));
        }
        for slot in self.slots_of_nobody().into_iter().filter(|slot| !self.left.slots.contains(slot)) {
            let text = || format!("slot {} is neither free nor taken", slot.number());
            check.that(false, "INV-SLOT", text);
        }
        for slot in self.left.slots.iter().filter(|slot| self.free_slots.contains(slot)) {
            let text = || format!("slot {} was left behind and is free", slot.number());
            check.that(false, "INV-SLOT", text);
        }
        let limit = usize::try_from(self.job_limit()).unwrap_or(usize::MAX).max(self.jobs_allowed);
        let count = self.jobs.len();
        check.that(count <= limit, "INV-CAP", || format!("{count} jobs of at most {limit}"));
    }

    fn check_startup(&self, check: &mut Check) {
        let Some(startup) = self.startup else { return };
        let has_pods = self.dependencies.focus_server == Supply::Up;
        let needy = self.setup.requires_mongo && has_pods;
        check.that(needy, "INV-START", || format!("{startup:?} of a server that needs nothing"));
        let mongodb_up = self.dependencies.mongodb == MongoDb::Up;
        let fits = (startup != Startup::WaitsForMongoDb) == mongodb_up;
        check.that(fits, "INV-START", || format!("{startup:?} is not where MongoDB is"));
    }

    /// Every live job has all its objects; a cleanup job may have been deleted by hand, a cancelled job has lost its
    /// Service and keeps the rest until it is removed.
    fn check_objects(&self, job: &Job, check: &mut Check) {
        let (id, state) = (job.terms.id, job.state);
        for object in [Object::GrpcJob, Object::Queue] {
            let there = self.cluster.has(id, object) || self.cluster.was_deleted_by_hand(id, object);
            check.that(there, "INV-OBJECTS", || format!("{id} is {state:?} without its {object:?}"));
        }
        let service = self.cluster.has(id, Object::Service);
        let by_hand = self.cluster.was_deleted_by_hand(id, Object::Service);
        self.check_pod(job, check);
        if state.is_live() {
            let service = service || by_hand;
            check.that(service, "INV-OBJECTS", || format!("{id} is {state:?} without its Service"));
        } else {
            check.that(!service, "INV-GONE", || format!("{id} is {state:?} and has its Service"));
        }
        let share = self.cluster.has_gpu_share(id);
        let fits = match state {
            JobState::Running => share,
            JobState::Pending => true,
            JobState::Completed | JobState::Failed | JobState::Cancelled => !share,
        };
        check.that(fits, "INV-GPU", || format!("{id} is {state:?}, with a GPU share: {share}"));
    }

    /// The streaming pod of a job is where the job is.
    fn check_pod(&self, job: &Job, check: &mut Check) {
        let (id, state) = (job.terms.id, job.state);
        let Some(stage) = self.cluster.stage(id, Part::Grpc) else { return };
        let fits = match state {
            JobState::Pending => matches!(stage, Stage::Creating | Stage::Unschedulable(_)),
            JobState::Running => matches!(stage, Stage::Running { .. }),
            JobState::Completed | JobState::Failed | JobState::Cancelled => {
                matches!(stage, Stage::Over { .. })
            }
        };
        check.that(fits, "INV-POD", || format!("{id} is {state:?} and its pod {stage:?}"));
    }

    /// Nothing is there without a job but what is known to be left.
    fn check_what_is_left(&self, check: &mut Check) {
        for (id, objects) in self.cluster.objects().filter(|(id, _)| !self.jobs.contains_key(id)) {
            for object in objects.iter().filter(|object| !self.left.objects.contains(&(id, **object))) {
                check.that(false, "INV-OBJECTS", || format!("the {object:?} of {id} is there without a job"));
            }
        }
        for id in self.cluster.gpu_shares().filter(|id| !self.jobs.contains_key(id)) {
            let left = self.left.objects.contains(&(id, Object::GrpcJob));
            check.that(left, "INV-GONE", || format!("{id} is gone and has a GPU share"));
        }
    }
}

fn check_door(job: &Job, check: &mut Check) {
    let (id, state) = (job.terms.id, job.state);
    let held = match state {
        JobState::Pending | JobState::Running => true,
        JobState::Completed | JobState::Failed | JobState::Cancelled => false,
    };
    let fits = job.door.is_some() == held;
    check.that(fits, "INV-PORT", || format!("{id} is {state:?}, its port held: {}", job.door.is_some()));
    let quiet = state == JobState::Running || job.calls.is_empty();
    check.that(quiet, "INV-GONE", || format!("{id} is {state:?} with {} open calls", job.calls.len()));
}

/// The numbers that the answer is made of.
fn check_answer(job: &Job, check: &mut Check) {
    let (layout, id) = (&job.terms.layout, job.terms.id);
    check.that(layout.lines_dt > 0.0, "INV-DT", || format!("{id} has lines every {} s", layout.lines_dt));
    let (amount, listed) = (layout.bins.count() as usize, layout.bins.frequencies().len());
    check.that(amount == listed, "INV-COUNT", || format!("{id} lists {listed} of {amount} frequencies"));
    let (groups, streams) = (layout.streams.len(), job.streams.len());
    check.that(groups == streams, "INV-STREAMS", || format!("{id} has {streams} streams of {groups}"));
    let channels = job.terms.request.channels();
    let mut next = channels.min().0;
    for group in &layout.streams {
        let contiguous = group.min().0 == next;
        check.that(contiguous, "INV-STREAMS", || format!("{id} has a group that does not begin at {next}"));
        next = group.max().0 + 1;
    }
    let all = next == channels.max().0 + 1;
    check.that(all, "INV-CHANNELS", || format!("the groups of {id} end before {next}"));
    let single = job.terms.request.view().number() == 1;
    // A server that takes a range for a single channel still streams it in one.
    let many = job.terms.quirks.has(Quirk::SingleChannelRangeAccepted);
    let one = !single || many || channels.count() == 1;
    check.that(one, "INV-CHANNELS", || format!("{id} is of one channel and has {}", channels.count()));
    let alone = !single || layout.streams.len() == 1;
    check.that(alone, "INV-STREAMS", || format!("{id} is of one channel and has {groups} streams"));
}
