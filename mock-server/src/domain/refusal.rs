//! Refusals: the expected "no" of the world, as facts. Which status and code each one gets is not known here.

use super::ids::NodePort;
use super::violation::Violations;

/// Who holds a port that a job should have got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortHolder {
    /// A Service of the cluster, left over from a lost job.
    Service,
    /// Another process of this machine.
    Process,
}

/// What there is no more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capacity {
    /// Jobs or slots, with the smaller of the two limits.
    Jobs(u32),
    /// GPU shares, where a full pool is set to refuse.
    Gpu,
}

/// Why the world said no. The texts are what clients read; suites look for words in them.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The request contradicts itself, the fibre or a limit.
    #[error("{0}")]
    Invalid(Violations),
    /// A parser gave up on the request; contractual servers have none that does.
    #[error("Error parsing configuration")]
    Parser,
    /// `view_type` came as a number, to a server that takes texts alone.
    #[error("view_type must be a text")]
    ViewTypeNumber,
    /// The fibre is awaited, on a server that says so by not finding its metadata.
    #[error("Live metadata is not available")]
    LiveMetadataUnavailable,
    /// No live job has that id.
    #[error("Invalid job_id")]
    UnknownJob,
    /// No task has that id, or not any more.
    #[error("Consumer not found")]
    UnknownTask,
    /// The window has no recording in it.
    #[error("No recording found in given time range")]
    NoRecording,
    /// The port of the chosen slot is taken.
    #[error("Port {port} is already in use: conflict with {}", match holder {
        PortHolder::Service => "an existing service",
        PortHolder::Process => "another process",
    })]
    PortInUse {
        /// The port.
        port: NodePort,
        /// Who has it.
        holder: PortHolder,
    },
    /// A live job was asked for while the fibre gives nothing.
    #[error("Cannot proceed: waiting for fiber (missing required fiber metadata fields: prr)")]
    WaitingForFiber,
    /// The index of recordings cannot be read.
    #[error("Recordings are unavailable: MongoDB is unavailable")]
    RecordingsUnavailable,
    /// Jobs cannot get their queue.
    #[error("Message broker is unavailable: RabbitMQ is unavailable")]
    BrokerUnavailable,
    /// A limit is reached.
    #[error("Capacity exhausted: {}", match .0 {
        Capacity::Jobs(limit) => format!("the limit of {limit} concurrent jobs is reached"),
        Capacity::Gpu => String::from("no free GPU share"),
    })]
    CapacityExhausted(Capacity),
    /// The cluster or the machine failed in the middle; everything taken was given back.
    #[error("Job creation failed: all resources were released")]
    JobCreationFailed,
    /// The focus server's workload has no ready pod.
    #[error("Focus Server is unavailable")]
    ServerDown,
    /// A refusal that a rule of a rehearsal asked for and that the world itself never gives; its text is the transport's.
    #[error("{}", .0.name())]
    Forced(ContractError),
}

/// A row of the table of refusals, by itself: what can be answered without a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are those of the contract")]
pub enum ContractError {
    MalformedJson,
    InvalidValue,
    InvalidRequest,
    NotFound,
    MethodNotAllowed,
    UnknownJob,
    UnknownTask,
    NoRecording,
    PortInUse,
    BodyTooLarge,
    WaitingForFiber,
    RecordingsUnavailable,
    BrokerUnavailable,
    CapacityExhausted,
    JobCreationFailed,
    ServerDown,
    Internal,
}

impl ContractError {
    /// All of them, in the order of the contract.
    pub const ALL: [Self; 17] = [
        Self::MalformedJson,
        Self::InvalidValue,
        Self::InvalidRequest,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::UnknownJob,
        Self::UnknownTask,
        Self::NoRecording,
        Self::PortInUse,
        Self::BodyTooLarge,
        Self::WaitingForFiber,
        Self::RecordingsUnavailable,
        Self::BrokerUnavailable,
        Self::CapacityExhausted,
        Self::JobCreationFailed,
        Self::ServerDown,
        Self::Internal,
    ];

    /// The code that clients read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MalformedJson => "MALFORMED_JSON",
            Self::InvalidValue => "INVALID_VALUE",
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::NotFound => "NOT_FOUND",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::UnknownJob => "UNKNOWN_JOB",
            Self::UnknownTask => "UNKNOWN_TASK",
            Self::NoRecording => "NO_RECORDING",
            Self::PortInUse => "PORT_IN_USE",
            Self::BodyTooLarge => "BODY_TOO_LARGE",
            Self::WaitingForFiber => "WAITING_FOR_FIBER",
            Self::RecordingsUnavailable => "RECORDINGS_UNAVAILABLE",
            Self::BrokerUnavailable => "BROKER_UNAVAILABLE",
            Self::CapacityExhausted => "CAPACITY_EXHAUSTED",
            Self::JobCreationFailed => "JOB_CREATION_FAILED",
            Self::ServerDown => "SERVER_DOWN",
            Self::Internal => "INTERNAL",
        }
    }
}

impl Refusal {
    /// Whether an outside system that the Focus Server asks for data or queues is out: an index, a broker or a fibre
    /// that gives nothing. What the cluster or a limit refuses is no outage of such a system.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::RecordingsUnavailable | Self::BrokerUnavailable | Self::WaitingForFiber => true,
            Self::Invalid(_)
            | Self::Parser
            | Self::ViewTypeNumber
            | Self::LiveMetadataUnavailable
            | Self::UnknownJob
            | Self::UnknownTask
            | Self::NoRecording
            | Self::PortInUse { .. }
            | Self::CapacityExhausted(_)
            | Self::JobCreationFailed
            | Self::ServerDown
            | Self::Forced(_) => false,
        }
    }
}
