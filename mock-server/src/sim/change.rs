//! What can be changed while a world goes on: by the admin API, by the timeline of a scenario, by a test.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use wildmatch::WildMatch;

use super::faults::{Rule, RuleId, RuleRefused};
use super::setup::{ClusterState, MongoDb, NodeState, RecordingPlan, RecordingsState, Supply};
use crate::domain::fiber::FiberState;
use crate::domain::ids::NodePort;
use crate::domain::quirk::{Profile, Quirk};
use crate::domain::refusal::PortHolder;

/// A state of something outside the Focus Server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// The fibre.
    Fiber(FiberState),
    /// The index of recordings.
    MongoDb(MongoDb),
    /// The message broker.
    RabbitMq(Supply),
    /// The recorder.
    Recorder(Supply),
    /// What the recordings look like.
    Recordings(RecordingsState),
    /// The cluster.
    Cluster(ClusterState),
    /// The focus-server workload.
    FocusServer(Supply),
    /// The node on which pods run.
    Node(NodeState),
}

impl Outside {
    /// Names of all that can change, as files and commands have them.
    pub const NAMES: [&'static str; 8] =
        ["fiber", "mongodb", "rabbitmq", "recorder", "recordings", "cluster", "focus_server", "node"];

    /// The name of what changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fiber(_) => "fiber",
            Self::MongoDb(_) => "mongodb",
            Self::RabbitMq(_) => "rabbitmq",
            Self::Recorder(_) => "recorder",
            Self::Recordings(_) => "recordings",
            Self::Cluster(_) => "cluster",
            Self::FocusServer(_) => "focus_server",
            Self::Node(_) => "node",
        }
    }

    /// The name of the state.
    #[must_use]
    pub fn state(self) -> &'static str {
        match self {
            Self::Fiber(state) => match state {
                FiberState::Lit => "ready",
                FiberState::Waiting => "waiting",
                FiberState::Mixed => "mixed",
            },
            Self::MongoDb(state) => match state {
                MongoDb::Up => "up",
                MongoDb::Down => "down",
                MongoDb::SlowFail => "slow-fail",
                MongoDb::Restarting => "restarting",
            },
            Self::RabbitMq(state) | Self::Recorder(state) | Self::FocusServer(state) => match state {
                Supply::Up => "up",
                Supply::Down => "down",
            },
            Self::Recordings(state) => match state {
                RecordingsState::Present => "present",
                RecordingsState::None => "none",
                RecordingsState::PathMismatch => "path-mismatch",
            },
            Self::Cluster(state) => match state {
                ClusterState::Ok => "ok",
                ClusterState::RefusesObjects => "refuses-objects",
                ClusterState::OutOfPodAddresses => "out-of-pod-addresses",
            },
            Self::Node(state) => match state {
                NodeState::Ready => "ready",
                NodeState::NotReady => "not-ready",
            },
        }
    }

    /// Every state of everything.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let supply = [Supply::Up, Supply::Down];
        let fiber = [FiberState::Lit, FiberState::Waiting, FiberState::Mixed].map(Self::Fiber);
        let mongodb = [MongoDb::Up, MongoDb::Down, MongoDb::SlowFail, MongoDb::Restarting].map(Self::MongoDb);
        let recordings = [RecordingsState::Present, RecordingsState::None, RecordingsState::PathMismatch];
        let cluster = [ClusterState::Ok, ClusterState::RefusesObjects, ClusterState::OutOfPodAddresses];
        let mut all = Vec::from(fiber);
        all.extend(mongodb);
        all.extend(supply.map(Self::RabbitMq));
        all.extend(supply.map(Self::Recorder));
        all.extend(recordings.map(Self::Recordings));
        all.extend(cluster.map(Self::Cluster));
        all.extend(supply.map(Self::FocusServer));
        all.extend([NodeState::Ready, NodeState::NotReady].map(Self::Node));
        all
    }

    /// The state of that name of what has that name.
    #[must_use]
    pub fn named(name: &str, state: &str) -> Option<Self> {
        Self::all().into_iter().find(|one| one.name() == name && one.state() == state)
    }
}

/// Limits that can be changed at run time; what is `None` stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LimitsChange {
    /// Most jobs at a time. Jobs above a lower limit go on.
    pub max_jobs: Option<u32>,
    /// Most channels in one request.
    pub max_channels_per_request: Option<u32>,
    /// Longest transform of a multi-channel view, a power of two.
    pub nfft_max_multichannel: Option<u32>,
    /// Tolerated skew of a client's clock, seconds.
    pub future_tolerance_s: Option<u32>,
    /// GPU shares; `Some(None)` without limit. Jobs above a lower number keep theirs.
    pub gpu_pool: Option<Option<u32>>,
    /// Whether a full pool refuses jobs instead of leaving their pods Pending.
    pub gpu_reject_when_full: Option<bool>,
}

/// A job port, however it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortRef {
    /// That number.
    Number(NodePort),
    /// The port of that slot.
    Slot(NonZeroU16),
    /// The port that the next job would get: that of the lowest free slot.
    Next,
}

/// Something that is changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A state of something outside; it may last for a time and then go back.
    Outside(Outside),
    /// One quirk.
    Quirk(Quirk, bool),
    /// All quirks.
    Profile(Profile),
    /// Limits.
    Limits(LimitsChange),
    /// A port is taken: by a left-over Service, or by another process of the machine.
    HoldPort(PortRef, PortHolder),
    /// A port that was taken that way is let go.
    ReleasePort(PortRef),
    /// What is recorded.
    Recordings(RecordingPlan),
    /// A rule is installed.
    AddRule(Arc<Rule>),
    /// A rule is taken away.
    RemoveRule(RuleId),
    /// All rules are taken away.
    RemoveRules,
    /// The streaming pods of these jobs are killed.
    KillPods(WildMatch),
    /// The cleanup jobs of these jobs are deleted by hand.
    DeleteCleanupJobs(WildMatch),
}

/// A change of a timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// When, after the start of the world; the first time where it comes again.
    pub at: Duration,
    /// How long until it comes again, if it does.
    pub every: Option<Duration>,
    /// How often it comes; [`MOST_OCCURRENCES`] where nothing is said.
    pub times: Option<u32>,
    /// How long it lasts, where it goes back by itself: states, quirks, limits, held ports, rules.
    pub lasts: Option<Duration>,
    /// What.
    pub change: Change,
}

/// Shortest time after which something planned comes again.
pub const SHORTEST_PERIOD: Duration = Duration::from_millis(100);
/// How often something planned comes that says no number of times: a run that goes on for ever shall not take a server
/// that jumps ahead a month, or runs a million times faster, away from everybody else.
pub const MOST_OCCURRENCES: u32 = 10_000;
/// How often all changes of one timeline may come together.
pub const MOST_TOGETHER: u64 = 1_000_000;
/// Most changes of one timeline.
pub const MOST_PLANNED: usize = 1000;

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// See [`RuleRefused`].
    #[error(transparent)]
    Rule(#[from] RuleRefused),
    /// There is no rule of that name.
    #[error("there is no rule {id}: there are {}", if known.is_empty() { String::from("none") } else { known.join(", ") })]
    NoSuchRule {
        /// The name.
        id: RuleId,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The port is none that a job could get.
    #[error("{port} is no port of a job: those are {lowest} to {highest}")]
    NotAJobPort {
        /// The port.
        port: u32,
        /// The first.
        lowest: u16,
        /// The last.
        highest: u16,
    },
    /// The port is taken already: by a job, or by somebody else.
    #[error("port {0} is in use already")]
    PortTaken(NodePort),
    /// The machine gives no socket for it.
    #[error("port {port} cannot be had: {text}")]
    NoSocket {
        /// The port.
        port: NodePort,
        /// What the operating system says.
        text: String,
    },
    /// The port was not held by a rehearsal.
    #[error("port {0} is not held")]
    NotHeld(NodePort),
    /// Every slot is taken.
    #[error("there is no next port: every slot is taken")]
    NoFreeSlot,
    /// No job is meant.
    #[error("no live job matches {0}")]
    NoSuchJob(String),
    /// It does not go back by itself.
    #[error("{0} cannot be made for a time only")]
    NotForATime(&'static str),
}
