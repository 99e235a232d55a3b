//! The steps of a reservation, and which of them are to fail next.

use std::collections::BTreeMap;

use super::cluster::Object;

/// A step of a reservation, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The lowest free slot.
    Slot,
    /// The port of the slot, in the simulated cluster and on this machine.
    Port,
    /// The Job `grpc-job-<id>` with its pod and GPU share.
    GrpcJob,
    /// The Job `cleanup-job-<id>` with its pod.
    CleanupJob,
    /// The Service `grpc-service-<id>`.
    Service,
    /// The queue `focus_baby.<id>`.
    Queue,
    /// The entry in the job table.
    Commit,
}

impl Step {
    /// All steps in order.
    pub const ALL: [Self; 7] =
        [Self::Slot, Self::Port, Self::GrpcJob, Self::CleanupJob, Self::Service, Self::Queue, Self::Commit];

    /// The step that creates an object.
    #[must_use]
    pub fn of(object: Object) -> Self {
        match object {
            Object::GrpcJob => Self::GrpcJob,
            Object::CleanupJob => Self::CleanupJob,
            Object::Service => Self::Service,
            Object::Queue => Self::Queue,
        }
    }

    /// Its name in journals.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Slot => "slot",
            Self::Port => "port",
            Self::GrpcJob => "grpc-job",
            Self::CleanupJob => "cleanup-job",
            Self::Service => "service",
            Self::Queue => "queue",
            Self::Commit => "commit",
        }
    }
}

/// How often each step is still to fail.
#[derive(Debug, Default)]
pub(super) struct StepFaults(BTreeMap<Step, u32>);

impl StepFaults {
    /// Makes a step fail in the next `times` reservations that reach it.
    pub(super) fn fail_next(&mut self, step: Step, times: u32) {
        let left = self.0.entry(step).or_default();
        *left = left.saturating_add(times);
    }

    /// Whether the step is to fail now; uses up one failure.
    pub(super) fn strikes(&mut self, step: Step) -> bool {
        match self.0.get_mut(&step) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            Some(_) | None => false,
        }
    }
}
