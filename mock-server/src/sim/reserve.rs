//! A reservation: the resources of one job, taken in order and given back in reverse unless it commits.
//!
//! The order is that of the product: slot, sequence number, port, streaming Job, cleanup Job, Service, queue, table. A
//! sequence number is never given back; everything else is, by `Drop`, so that no way out can forget it. A rehearsal can
//! make an undo fail: then its resource stays behind, and the world knows it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::ids::{JobId, NodePort, Sequence, Slot};
use crate::domain::job::{JobState, Terms};
use crate::domain::quirk::Quirk;
use crate::domain::refusal::{Capacity, ContractError, PortHolder, Refusal};
use crate::domain::time::Moment;
use crate::domain::view::Layout;

use super::agenda::Event;
use super::calls::StreamState;
use super::cluster::Object;
use super::cluster::facts::Part;
use super::faults::{Effect, GiveBack, Hit, Point, Step, Subject};
use super::journal::{FaultHit, Happening};
use super::leaks::Left;
use super::port::{Door, HoldError};
use super::prelaunch::Admitted;
use super::setup::{ClusterState, OnConflict};
use super::world::{Failed, Job, World};

/// Something that was taken, with what it takes to give it back.
enum Taken {
    Slot(Slot),
    Port(NodePort),
    Object(JobId, Object),
}

pub(super) struct Reservation<'w> {
    world: &'w mut World,
    asked_by: &'w dyn Subject,
    now: Moment,
    view: Option<u8>,
    /// The id that the job would have, once it has a number.
    id: Option<JobId>,
    taken: Vec<Taken>,
    door: Option<Box<dyn Door>>,
}

impl<'w> Reservation<'w> {
    pub(super) fn begin(world: &'w mut World, asked_by: &'w dyn Subject, now: Moment) -> Self {
        Self { world, asked_by, now, view: None, id: None, taken: Vec::with_capacity(6), door: None }
    }

    /// Takes everything a job needs, in order, and commits. Any failure gives back all of it.
    pub(super) fn take_all(mut self, admitted: &Admitted, stream_host: String) -> Result<Arc<Terms>, Failed> {
        self.view = Some(admitted.request().view().number());
        let pod_start = self.world.pod_start(self.world.quirks);
        let starts_at_once = pod_start.is_zero() && self.world.why_unschedulable().is_none();
        let slot = self.take_slot()?;
        let sequence = self.take_sequence()?;
        let (id, port) = self.take_port(slot, sequence, starts_at_once)?;
        let terms = self.terms(admitted, id, port, stream_host);
        self.take_objects(&terms).map_err(|(step, refusal)| Failed { refusal, at: Some((id, step)) })?;
        Ok(self.commit(terms, starts_at_once))
    }

    fn take_slot(&mut self) -> Result<Slot, Refusal> {
        let exhausted = Refusal::CapacityExhausted(Capacity::Jobs(self.world.job_limit()));
        if let Some(refusal) = self.forced(Step::Slot, None) {
            return Err(refusal);
        }
        let slot = self.world.free_slots.pop_first().ok_or(exhausted)?;
        self.taken.push(Taken::Slot(slot));
        Ok(slot)
    }

    fn take_sequence(&mut self) -> Result<Sequence, Refusal> {
        let sequence = self.world.next_sequence.ok_or(Refusal::JobCreationFailed)?;
        self.world.next_sequence = sequence.next();
        Ok(sequence)
    }

    /// Takes the port of the slot, or of the next free slot whose port can be had when conflicts are skipped.
    fn take_port(
        &mut self,
        lowest: Slot,
        sequence: Sequence,
        listen: bool,
    ) -> Result<(JobId, NodePort), Failed> {
        let mut slot = lowest;
        self.id = Some(JobId { slot, sequence });
        if let Some(refusal) = self.forced(Step::Port, Some(JobId { slot, sequence })) {
            // Whatever is done about real conflicts: a failure that was asked for fails the reservation.
            return Err(Failed { refusal, at: Some((JobId { slot, sequence }, Step::Port)) });
        }
        loop {
            let (id, port) = (JobId { slot, sequence }, self.world.setup.ports.port(slot));
            self.id = Some(id);
            let refusal = match self.hold(port, listen) {
                Ok(door) => {
                    self.door = Some(door);
                    self.taken.push(Taken::Port(port));
                    return Ok((id, port));
                }
                Err(refusal) => refusal,
            };
            let skip = self.world.setup.on_conflict == OnConflict::Skip;
            let next = self.world.free_slots.range(slot..).next().copied();
            match (&refusal, next) {
                (Refusal::PortInUse { .. }, Some(next)) if skip => {
                    self.change_slot(slot, next);
                    slot = next;
                }
                _ => return Err(Failed { refusal, at: Some((id, Step::Port)) }),
            }
        }
    }

    /// What a rule wants refused at a step, if one does.
    fn forced(&mut self, step: Step, job: Option<JobId>) -> Option<Refusal> {
        let attempt = Attempt { asked_by: self.asked_by, job, view: self.view };
        let hit = self.world.faults.judge(Point::Step(step), &attempt, self.now)?;
        let Some(Effect::Refuse(error)) = hit.effect else { return None };
        let slot = job.map(|id| id.slot).or(self.world.free_slots.first().copied());
        let refusal = self.world.refusal(error, slot);
        self.tell(hit, job);
        Some(refusal)
    }

    /// Whether a rule wants an undo to fail.
    fn undo_fails(&mut self, undo: GiveBack) -> bool {
        let attempt = Attempt { asked_by: self.asked_by, job: self.id, view: self.view };
        let Some(hit) = self.world.faults.judge(Point::Undo(undo), &attempt, self.now) else { return false };
        let fails = hit.effect == Some(Effect::Fail);
        self.tell(hit, self.id);
        fails
    }

    /// Tells the journal of a rule that did not pass.
    fn tell(&mut self, hit: Hit, job: Option<JobId>) {
        let fault = FaultHit {
            rule: hit.rule,
            point: hit.point,
            effect: hit.effect.as_ref().map(Effect::name),
            delay: None,
            job,
            request: self.asked_by.request().map(Into::into),
            draw: hit.draw,
        };
        self.asked_by.was_hit(&fault);
        self.world.journal.write(self.now, Happening::Fault(Box::new(fault)));
    }

    /// Gives something back, unless a rule wants that to fail: then it stays where it is.
    fn give_back(&mut self, taken: &Taken) {
        let fails = self.undo_fails(match taken {
            Taken::Slot(_) => GiveBack::Slot,
            Taken::Port(_) => GiveBack::Port,
            Taken::Object(_, object) => GiveBack::of(*object),
        });
        let left = match *taken {
            Taken::Slot(slot) if fails => Left::Slot(slot),
            Taken::Slot(slot) => {
                self.world.free_slots.insert(slot);
                return;
            }
            Taken::Port(port) => match self.door.take() {
                Some(door) if fails => Left::Port(port, door),
                Some(_) | None => return,
            },
            Taken::Object(id, object) if fails => Left::Object(id, object),
            Taken::Object(id, object) => {
                self.world.cluster.delete(id, object, self.now);
                return;
            }
        };
        self.world.leave_behind(left, self.id, self.now);
    }

    fn hold(&mut self, port: NodePort, listen: bool) -> Result<Box<dyn Door>, Refusal> {
        // Of a lost job, planted by a rehearsal, or of a job whose undo failed: this one has none yet.
        let service = self.id.is_some_and(|id| self.world.cluster.has_service_on(id.slot));
        if service || !self.world.cluster.planted_on(port).is_empty() {
            if let Some(id) = self.id {
                self.world.cluster.tell_port_allocated(id, port, self.now);
            }
            return Err(Refusal::PortInUse { port, holder: PortHolder::Service });
        }
        let held = self.world.ports.hold(port).and_then(|mut door| {
            if listen {
                door.listen()?;
            }
            Ok(door)
        });
        held.map_err(|error| match error {
            HoldError::InUse => Refusal::PortInUse { port, holder: PortHolder::Process },
            // Out of file descriptors, no such address: the machine's trouble, not a conflict.
            HoldError::NoSocket(_) => Refusal::JobCreationFailed,
        })
    }

    fn change_slot(&mut self, from: Slot, to: Slot) {
        self.world.free_slots.remove(&to);
        self.world.free_slots.insert(from);
        for taken in &mut self.taken {
            if let Taken::Slot(slot) = taken {
                *slot = to;
            }
        }
    }

    fn take_objects(&mut self, terms: &Arc<Terms>) -> Result<(), (Step, Refusal)> {
        let id = terms.id;
        let refuses = match self.world.dependencies.cluster {
            ClusterState::Ok => false,
            ClusterState::RefusesObjects | ClusterState::OutOfPodAddresses => true,
        };
        for object in Object::ALL {
            let step = Step::of(object);
            if refuses {
                return Err((step, Refusal::JobCreationFailed));
            }
            if let Some(refusal) = self.forced(step, Some(id)) {
                return Err((step, refusal));
            }
            if object == Object::Service && self.world.cluster.is_name_planted(id) {
                return Err((step, Refusal::JobCreationFailed));
            }
            self.world.cluster.create(terms, object, self.now);
            self.taken.push(Taken::Object(id, object));
            if object == Object::GrpcJob {
                // The share belongs to this Job's pod and goes with it; without one the pod stays Pending.
                self.world.place_pod(id, self.now);
            }
        }
        self.forced(Step::Commit, Some(id)).map_or(Ok(()), |refusal| Err((Step::Commit, refusal)))
    }

    /// What the job is created with.
    fn terms(&self, admitted: &Admitted, id: JobId, port: NodePort, stream_host: String) -> Arc<Terms> {
        let world = &*self.world;
        let request = admitted.request();
        let mut layout = Layout::of(
            request.view(),
            request.channels(),
            request.height(),
            world.fiber.prr,
            world.setup.times.waterfall_lines_dt,
        );
        if world.quirks.has(Quirk::FrequencyBinsDecimated) {
            layout.bins = layout.bins.decimated();
        }
        let fiber = Arc::clone(&world.fiber);
        let (quirks, forgiven) = (world.quirks, admitted.forgiven().to_vec());
        Arc::new(Terms { id, port, request, layout, fiber, stream_host, quirks, forgiven })
    }

    /// Enters the job into the table: from here on it exists.
    fn commit(mut self, terms: Arc<Terms>, starts_at_once: bool) -> Arc<Terms> {
        let (world, id) = (&mut *self.world, terms.id);
        let streams = terms.layout.streams.iter().map(|_| StreamState::default()).collect();
        if let Some(door) = self.door.as_mut().filter(|_| starts_at_once) {
            door.serve(&terms);
            world.cluster.start(id, Part::Grpc, self.now);
        }
        let state = if starts_at_once { JobState::Running } else { JobState::Pending };
        let job = Job {
            terms: Arc::clone(&terms),
            state,
            door: self.door.take(),
            created: self.now,
            sweep: None,
            over_since: None,
            streams,
            calls: BTreeMap::new(),
        };
        world.jobs.insert(id, job);
        world.plan_sweep(id, self.now);
        if !starts_at_once && world.cluster.has_gpu_share(id) {
            let answered = self.now.after(world.setup.times.configure_latency.of_job(world.seed, id));
            world.agenda.enter(answered.after(world.pod_start(world.quirks)), Event::PodStart(id));
        }
        self.taken.clear();
        terms
    }
}

/// A reservation as rules see it: who asked for it, and what it has come to.
struct Attempt<'a> {
    asked_by: &'a dyn Subject,
    job: Option<JobId>,
    view: Option<u8>,
}

impl Subject for Attempt<'_> {
    // Not the job: its id tells how many came before.
    fn resource(&self) -> String {
        self.asked_by.resource()
    }

    fn method(&self) -> Option<&str> {
        self.asked_by.method()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.asked_by.header(name)
    }

    fn header_names(&self, tell: &mut dyn FnMut(&str)) -> bool {
        self.asked_by.header_names(tell)
    }

    fn caller(&self) -> Option<Cow<'_, str>> {
        self.asked_by.caller()
    }

    fn job(&self) -> Option<JobId> {
        self.job
    }

    fn view(&self) -> Option<u8> {
        self.view
    }
}

impl World {
    /// A refusal of the contract with what it says about this world.
    pub(super) fn refusal(&self, error: ContractError, slot: Option<Slot>) -> Refusal {
        match error {
            ContractError::UnknownJob => Refusal::UnknownJob,
            ContractError::UnknownTask => Refusal::UnknownTask,
            ContractError::NoRecording => Refusal::NoRecording,
            ContractError::PortInUse => match slot {
                Some(slot) => {
                    let port = self.setup.ports.port(slot);
                    Refusal::PortInUse { port, holder: PortHolder::Process }
                }
                None => Refusal::CapacityExhausted(Capacity::Jobs(self.job_limit())),
            },
            ContractError::WaitingForFiber => Refusal::WaitingForFiber,
            ContractError::RecordingsUnavailable => Refusal::RecordingsUnavailable,
            ContractError::BrokerUnavailable => Refusal::BrokerUnavailable,
            ContractError::CapacityExhausted => Refusal::CapacityExhausted(Capacity::Jobs(self.job_limit())),
            ContractError::JobCreationFailed => Refusal::JobCreationFailed,
            ContractError::ServerDown => Refusal::ServerDown,
            ContractError::MalformedJson
            | ContractError::InvalidValue
            | ContractError::InvalidRequest
            | ContractError::NotFound
            | ContractError::MethodNotAllowed
            | ContractError::BodyTooLarge
            | ContractError::Internal => Refusal::Forced(error),
        }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        while let Some(taken) = self.taken.pop() {
            self.give_back(&taken);
        }
    }
}
