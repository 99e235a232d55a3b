//! What is wrong around the server, and what a configuration comes to then.

use std::collections::BTreeSet;

use crate::answer::Refused;
use crate::rehearse::Outside;

/// An outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The fibre gives nothing.
    Fiber,
    /// The index of recordings is gone.
    MongoDb,
    /// The broker is gone.
    RabbitMq,
    /// The cluster takes no objects.
    Cluster,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Fiber, Self::MongoDb, Self::RabbitMq, Self::Cluster];

    /// What it is an outage of.
    #[must_use]
    pub fn of(self) -> Outside {
        match self {
            Self::Fiber => Outside::Fiber,
            Self::MongoDb => Outside::MongoDb,
            Self::RabbitMq => Outside::RabbitMq,
            Self::Cluster => Outside::Cluster,
        }
    }
}

/// A step of a job's creation that fails the next time it is reached, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Its port.
    Port,
    /// Its streaming Job.
    GrpcJob,
    /// Its cleanup Job.
    CleanupJob,
    /// Its Service.
    Service,
    /// Its queue.
    Queue,
    /// Its entry in the table.
    Commit,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Port, Self::GrpcJob, Self::CleanupJob, Self::Service, Self::Queue, Self::Commit];

    /// As rules have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::GrpcJob => "grpc-job",
            Self::CleanupJob => "cleanup-job",
            Self::Service => "service",
            Self::Queue => "queue",
            Self::Commit => "commit",
        }
    }

    /// `code` of the refusal.
    #[must_use]
    pub fn code(self) -> &'static str {
        if self == Self::Port { "PORT_IN_USE" } else { "JOB_CREATION_FAILED" }
    }
}

/// Everything that is wrong at the moment.
#[derive(Clone, Debug, Default)]
pub struct Troubles {
    /// Outages.
    pub outages: BTreeSet<Trouble>,
    /// Steps that are still to fail.
    pub steps: BTreeSet<Step>,
}

/// Why a configuration that makes sense is refused.
#[derive(Clone, Debug)]
pub enum No {
    /// Before anything was taken: with that refusal.
    Before(Refused<'static>),
    /// After a number was: with that refusal.
    Rollback(Refused<'static>),
    /// The port is taken; the refusal names it.
    Port,
}

impl Troubles {
    fn has(&self, trouble: Trouble) -> bool {
        self.outages.contains(&trouble)
    }

    /// What is found out before the capacity is asked about.
    #[must_use]
    pub fn before(&self, live: bool) -> Option<No> {
        let outage = |code, text| Some(No::Before(Refused::outage(code, text)));
        if live && self.has(Trouble::Fiber) {
            let text = "Cannot proceed: waiting for fiber (missing required fiber metadata fields: prr)";
            return outage("WAITING_FOR_FIBER", text);
        }
        if !live && self.has(Trouble::MongoDb) {
            return outage("RECORDINGS_UNAVAILABLE", "Recordings are unavailable: MongoDB is unavailable");
        }
        if self.has(Trouble::RabbitMq) {
            return outage("BROKER_UNAVAILABLE", "Message broker is unavailable: RabbitMQ is unavailable");
        }
        None
    }

    /// What goes wrong once a slot was taken. A step that was to fail once has done so.
    pub fn taking(&mut self) -> Option<No> {
        if self.steps.remove(&Step::Port) {
            return Some(No::Port);
        }
        let fails = self.has(Trouble::Cluster) || self.steps.pop_first().is_some();
        let text = "Job creation failed: all resources were released";
        fails.then(|| No::Rollback(Refused::outage("JOB_CREATION_FAILED", text)))
    }
}
