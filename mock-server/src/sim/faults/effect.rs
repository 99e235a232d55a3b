//! What a rule does, and at which points it can be done.

use std::time::Duration;

use super::point::{At, Phase, Point, StreamPoint};
use crate::domain::refusal::ContractError;

/// Status codes of gRPC that end a call badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are those of the protocol")]
pub enum GrpcCode {
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

impl GrpcCode {
    /// All of them, by number from 1.
    pub const ALL: [Self; 16] = [
        Self::Cancelled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    /// Its name in the protocol's documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Aborted => "ABORTED",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::DataLoss => "DATA_LOSS",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

/// Details of a gRPC status: a `google.rpc.ErrorInfo`, and a `google.rpc.RetryInfo` where a delay is given.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct StatusDetails {
    /// Why, in `UPPER_SNAKE`.
    pub reason: String,
    /// Who says so.
    pub domain: String,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

/// How a frame is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Corruption {
    /// The values are not numbers: every float is NaN.
    Values,
    /// `data_shape_y` says one row more than there are.
    Shape,
    /// The message cannot be decoded.
    Encoding,
}

impl Corruption {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Values, Self::Shape, Self::Encoding];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Values => "values",
            Self::Shape => "shape",
            Self::Encoding => "encoding",
        }
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// An undo fails: what it should have given back is left behind.
    Fail,
    /// A refusal of the contract.
    Refuse(ContractError),
    /// Any status, with any body.
    Status {
        /// From 200 to 599.
        status: u16,
        /// Its text; empty without one.
        body: String,
        /// Its type.
        content_type: String,
        /// Seconds for `retry-after`.
        retry_after: Option<u32>,
    },
    /// So many requests in each stretch of the clock pass, further ones are answered 429.
    RateLimit {
        /// How many pass.
        requests: u32,
        /// In which time.
        per: Duration,
        /// Seconds for `retry-after`.
        retry_after: u32,
    },
    /// The connection is reset (TCP RST), in the headers after their first half, in the body likewise.
    Reset,
    /// The connection is closed, in the headers after their first half, in the body likewise.
    Close,
    /// The status and headers without a body.
    Empty,
    /// So many drawn bytes that are no HTTP, or no body of that type.
    Garbage {
        /// How many.
        bytes: u32,
    },
    /// The body ends after so many bytes, and the connection with it.
    Truncate {
        /// How many leave.
        bytes: u32,
    },
    /// The body leaves slowly.
    Drip {
        /// So many bytes in a second of the clock.
        bytes_per_second: u32,
    },
    /// `content-length` is wrong by so many bytes.
    ContentLength {
        /// What is added; never 0.
        off_by: i32,
    },
    /// Another `content-type`.
    ContentType(String),
    /// The call ends with a status.
    EndCall {
        /// Its code.
        code: GrpcCode,
        /// Its message.
        message: String,
        /// What else it says.
        details: Option<StatusDetails>,
    },
    /// No frames any more, and no end.
    Silence,
    /// The connection is told to go away, with an error code of HTTP/2.
    GoAway {
        /// The code.
        code: u32,
    },
    /// A frame is spoilt.
    Corrupt(Corruption),
    /// A frame is sent twice.
    Duplicate,
    /// A frame is sent after the one that follows it.
    Reorder,
}

impl Effect {
    /// Names of all effects, as rules have them.
    pub const NAMES: [&'static str; 18] = [
        "fail",
        "refuse",
        "status",
        "rate_limit",
        "reset",
        "close",
        "empty",
        "garbage",
        "truncate",
        "drip",
        "content_length",
        "content_type",
        "end_call",
        "silence",
        "goaway",
        "corrupt",
        "duplicate",
        "reorder",
    ];

    /// Its name, as rules have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Refuse(_) => "refuse",
            Self::Status { .. } => "status",
            Self::RateLimit { .. } => "rate_limit",
            Self::Reset => "reset",
            Self::Close => "close",
            Self::Empty => "empty",
            Self::Garbage { .. } => "garbage",
            Self::Truncate { .. } => "truncate",
            Self::Drip { .. } => "drip",
            Self::ContentLength { .. } => "content_length",
            Self::ContentType(_) => "content_type",
            Self::EndCall { .. } => "end_call",
            Self::Silence => "silence",
            Self::GoAway { .. } => "goaway",
            Self::Corrupt(_) => "corrupt",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
        }
    }

    /// The effects that can be had at a point.
    #[must_use]
    pub fn at(at: At) -> &'static [&'static str] {
        match at {
            At::Point(Point::Step(_)) => &["refuse"],
            At::Point(Point::Undo(_)) => &["fail"],
            At::Point(Point::Rest(_, Phase::Before)) | At::EveryRoute(Phase::Before) => {
                &["delay", "refuse", "status", "rate_limit", "reset", "close", "garbage"]
            }
            At::Point(Point::Rest(_, Phase::Headers)) | At::EveryRoute(Phase::Headers) => &[
                "delay",
                "refuse",
                "status",
                "reset",
                "close",
                "empty",
                "garbage",
                "content_length",
                "content_type",
            ],
            At::Point(Point::Rest(_, Phase::Body) | Point::Kube(_, Phase::Body))
            | At::EveryRoute(Phase::Body)
            | At::EveryKubeRoute(Phase::Body) => {
                &["delay", "reset", "close", "empty", "garbage", "truncate", "drip"]
            }
            // A refusal of the contract is an answer of the product, which this interface is not.
            At::Point(Point::Kube(_, Phase::Before)) | At::EveryKubeRoute(Phase::Before) => {
                &["delay", "status", "rate_limit", "reset", "close", "garbage"]
            }
            At::Point(Point::Kube(_, Phase::Headers)) | At::EveryKubeRoute(Phase::Headers) => {
                &["delay", "status", "reset", "close", "empty", "garbage", "content_length", "content_type"]
            }
            At::Point(Point::Grpc(StreamPoint::Open)) => &["delay", "end_call", "silence", "goaway", "reset"],
            At::Point(Point::Grpc(StreamPoint::Frame)) => {
                &["delay", "end_call", "silence", "goaway", "reset", "corrupt", "duplicate", "reorder"]
            }
            At::Point(Point::Grpc(StreamPoint::End)) => &["delay", "end_call", "silence", "goaway", "reset"],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_effect_can_be_had_somewhere_and_no_other_is_offered() {
        let offered: BTreeSet<_> = At::all().flat_map(|at| Effect::at(at).iter().copied()).collect();
        let named: BTreeSet<_> = Effect::NAMES.into_iter().chain(["delay"]).collect();
        assert_eq!(offered, named);
    }
}
