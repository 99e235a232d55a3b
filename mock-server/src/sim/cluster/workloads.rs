//! The workloads that are always there: the Focus Server, its recorder, MongoDB and RabbitMQ, with their pods.
//!
//! A workload is up while a pod of it is ready. That is half of what the product meets: a rehearsal may say besides that
//! what the pods give is not there, and then they run without being ready.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::facts::{Deleting, Key, Kind, Owner, Placed, Stage};
use crate::domain::time::Moment;

/// A workload of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Workload {
    /// Deployment `panda-panda-focus-server`.
    FocusServer,
    /// Deployment `panda-panda-segy-recorder`.
    SegyRecorder,
    /// Deployment `mongodb`.
    MongoDb,
    /// StatefulSet `rabbitmq-panda`.
    RabbitMq,
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::FocusServer, Self::SegyRecorder, Self::MongoDb, Self::RabbitMq];

    /// The name of its Deployment or StatefulSet, and of its Service.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FocusServer => "panda-panda-focus-server",
            Self::SegyRecorder => "panda-panda-segy-recorder",
            Self::MongoDb => "mongodb",
            Self::RabbitMq => "rabbitmq-panda",
        }
    }

    /// Whether it is a StatefulSet: its pods keep their names.
    #[must_use]
    pub fn is_stateful(self) -> bool {
        match self {
            Self::RabbitMq => true,
            Self::FocusServer | Self::SegyRecorder | Self::MongoDb => false,
        }
    }

    /// Whether it has a Service.
    #[must_use]
    pub fn has_service(self) -> bool {
        match self {
            Self::FocusServer | Self::MongoDb | Self::RabbitMq => true,
            Self::SegyRecorder => false,
        }
    }

    pub(super) fn kind(self) -> Kind {
        if self.is_stateful() { Kind::StatefulSet } else { Kind::Deployment }
    }
}

/// A pod of a workload, by a number that no other pod of the world has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sim) struct PodNumber(pub(super) u64);

/// Something that happens to a workload as time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Due {
    /// A pod is ready.
    Ready(Workload, PodNumber),
    /// A pod that was being deleted is gone.
    Gone(Workload, PodNumber),
    /// Pods that are missing are created.
    Refill(Workload),
}

/// All workloads.
pub(in crate::sim) struct Workloads {
    pub(super) all: BTreeMap<Workload, State>,
    /// How many pods there ever were.
    pub(super) pods: u64,
    /// What became due of what was done last, to be entered in the agenda.
    pub(super) due: Vec<(Moment, Due)>,
    /// Whether pods of the Focus Server lack the label `app`.
    pub(in crate::sim) unlabelled: bool,
}

pub(super) struct State {
    pub(super) replicas: u32,
    pub(super) generation: u64,
    pub(super) revision: u64,
    pub(super) annotations: Arc<BTreeMap<String, String>>,
    pub(super) pods: BTreeMap<PodNumber, PodState>,
    /// Ordinals of a StatefulSet's pods that were deleted by hand, and until when their names are missing.
    pub(super) missing: BTreeMap<u32, Moment>,
    pub(super) service: Health,
    /// When the numbers last changed.
    pub(super) changed: Moment,
}

/// What a rehearsal, or a start without MongoDB, makes of pods that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Health {
    /// They do their work.
    Good,
    /// They do not answer.
    Silent,
    /// They exit, and are started again.
    Exits,
}

pub(super) struct PodState {
    pub(super) key: Key,
    pub(super) owner: Owner,
    /// Which of a StatefulSet's pods it is, from 0.
    pub(super) ordinal: Option<u32>,
    pub(super) placed: Option<Placed>,
    pub(super) stage: Stage,
    pub(super) deleting: Option<Deleting>,
    pub(super) revision: u64,
    pub(super) restarts: u32,
}

impl PodState {
    /// Whether it has come up, and nothing ends it; what it does with that is another matter.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.stage, Stage::Running { .. } | Stage::CrashLoop { .. }) && self.deleting.is_none()
    }
}

impl Workloads {
    pub(super) fn new(now: Moment) -> Self {
        let state = || State {
            replicas: 1,
            generation: 1,
            revision: 1,
            annotations: Arc::default(),
            pods: BTreeMap::new(),
            missing: BTreeMap::new(),
            service: Health::Good,
            changed: now,
        };
        let all = Workload::ALL.into_iter().map(|workload| (workload, state())).collect();
        Self { all, pods: 0, due: Vec::new(), unlabelled: false }
    }

    pub(super) fn of(&mut self, workload: Workload) -> &mut State {
        self.all.get_mut(&workload).expect("every workload is there from the start")
    }

    /// Whether a pod of a workload is ready, as far as the cluster goes.
    pub(in crate::sim) fn is_up(&self, workload: Workload) -> bool {
        self.all[&workload].pods.values().any(PodState::is_up)
    }

    /// How many pods a workload shall have.
    pub(in crate::sim) fn replicas(&self, workload: Workload) -> u32 {
        self.all[&workload].replicas
    }

    /// What became due.
    pub(in crate::sim) fn take_due(&mut self) -> Vec<(Moment, Due)> {
        std::mem::take(&mut self.due)
    }
}
