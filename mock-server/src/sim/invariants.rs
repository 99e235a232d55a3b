//! What must hold at any moment, checked after every command in debug builds. A violation is a defect of ours.

use std::collections::BTreeSet;

use crate::domain::job::JobState;
use crate::domain::quirk::Quirk;

use super::cluster::Object;
use super::setup::{MongoDb, Supply};
use super::startup::Startup;
use super::world::{Job, World};

impl World {
    /// Panics with the name of the first invariant that does not hold.
    pub(super) fn check_invariants(&self) {
        self.check_slots_and_ports();
        self.check_startup();
        for job in self.jobs.values() {
            self.check_objects(job);
            check_door(job);
            check_answer(job);
        }
        for (id, _) in self.cluster.objects() {
            assert!(self.jobs.contains_key(&id), "INV-OBJECTS: objects of {id} exist without a job");
        }
    }

    fn check_slots_and_ports(&self) {
        let mut slots = BTreeSet::new();
        for (id, job) in &self.jobs {
            assert_eq!(*id, job.terms.id, "INV-ID");
            assert!(slots.insert(id.slot), "INV-SLOT: two jobs on slot {}", id.slot.number());
            assert!(!self.free_slots.contains(&id.slot), "INV-SLOT: the slot of {id} counts as free");
            assert_eq!(job.terms.port, self.setup.ports.port(id.slot), "INV-PORT: port = base + slot");
            let given_out = self.next_sequence.is_none_or(|next| id.sequence < next);
            assert!(given_out, "INV-SEQ: {id} has a number that was not given out");
        }
        let all = usize::from(self.setup.ports.max_slots());
        assert_eq!(slots.len() + self.free_slots.len(), all, "INV-SLOT: a slot is neither free nor taken");
        let limit = usize::try_from(self.job_limit()).unwrap_or(usize::MAX);
        assert!(self.jobs.len() <= limit, "INV-CAP: {} jobs of at most {limit}", self.jobs.len());
    }

    /// A server waits only for what it needs and does not have.
    fn check_startup(&self) {
        let Some(startup) = self.startup else { return };
        let has_pods = self.dependencies.focus_server == Supply::Up;
        assert!(self.setup.requires_mongo && has_pods, "{startup:?} of a server that needs nothing");
        let mongodb_up = self.dependencies.mongodb == MongoDb::Up;
        assert_eq!(startup != Startup::WaitsForMongoDb, mongodb_up, "{startup:?} is not where MongoDB is");
    }

    /// Every live job has all its objects; a cleanup job may have been deleted by hand, a cancelled job has lost its
    /// Service and keeps the rest until it is removed.
    fn check_objects(&self, job: &Job) {
        let id = job.terms.id;
        let live = job.state.is_live();
        let has = |object| self.cluster.has(id, object);
        assert!(has(Object::GrpcJob) && has(Object::Queue), "INV-OBJECTS: {id} lacks its Job or its queue");
        assert_eq!(
            has(Object::Service),
            live,
            "INV-OBJECTS: {id} is {:?}, Service {}",
            job.state,
            has(Object::Service)
        );
        let needs_share = job.state == JobState::Running;
        assert!(!needs_share || self.cluster.has_gpu_share(id), "{id} runs without a GPU share");
    }
}

fn check_door(job: &Job) {
    let id = job.terms.id;
    let held = match job.state {
        JobState::Pending | JobState::Running => true,
        JobState::Completed | JobState::Failed | JobState::Cancelled => false,
    };
    assert_eq!(job.door.is_some(), held, "INV-PORT: {id} is {:?}", job.state);
    assert!(
        job.state == JobState::Running || job.calls.is_empty(),
        "{id} is {:?} with open calls",
        job.state
    );
}

/// The numbers that the answer is made of.
fn check_answer(job: &Job) {
    let layout = &job.terms.layout;
    let id = job.terms.id;
    assert!(layout.lines_dt > 0.0, "INV-DT: {id}");
    assert_eq!(layout.streams.len(), job.streams.len(), "INV-STREAMS: {id}");
    let channels = job.terms.request.channels();
    let mut next = channels.min().0;
    for group in &layout.streams {
        assert_eq!(group.min().0, next, "INV-STREAMS: groups of {id} are not contiguous");
        next = group.max().0 + 1;
    }
    assert_eq!(next, channels.max().0 + 1, "INV-CHANNELS: {id}");
    let single = job.terms.request.view().number() == 1;
    let may_have_many = job.terms.quirks.has(Quirk::SingleChannelRangeAccepted);
    assert!(!single || may_have_many || channels.count() == 1, "INV-CHANNELS: {id} has one channel");
    assert!(!single || layout.streams.len() == 1, "INV-STREAMS: {id} has one stream");
}
