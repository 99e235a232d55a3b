//! The table of refusals: the only place that knows which status and code a "no" gets, in either protocol.

use http::StatusCode;
use tonic::Code;

use crate::domain::job::{CallRefusal, StreamEnd};
use crate::domain::refusal::{ContractError, Refusal};
use crate::domain::violation::Class;
use crate::sim::faults::GrpcCode;

/// How a refusal shows over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HttpRow {
    /// `code` of the error body.
    pub(crate) code: &'static str,
    pub(crate) status: StatusCode,
    /// Whether `retry-after: 1` goes with it: the only way an outage reaches callers that retry 503 on every method
    /// before they lose patience (PZ-13640).
    pub(crate) retry_after: bool,
}

const fn row(code: &'static str, status: StatusCode) -> HttpRow {
    HttpRow { code, status, retry_after: false }
}

const fn outage(code: &'static str) -> HttpRow {
    HttpRow { code, status: StatusCode::SERVICE_UNAVAILABLE, retry_after: true }
}

pub(crate) const MALFORMED_JSON: HttpRow = row("MALFORMED_JSON", StatusCode::BAD_REQUEST);
pub(crate) const NOT_FOUND: HttpRow = row("NOT_FOUND", StatusCode::NOT_FOUND);
pub(crate) const METHOD_NOT_ALLOWED: HttpRow = row("METHOD_NOT_ALLOWED", StatusCode::METHOD_NOT_ALLOWED);
pub(crate) const BODY_TOO_LARGE: HttpRow = row("BODY_TOO_LARGE", StatusCode::PAYLOAD_TOO_LARGE);
pub(crate) const INTERNAL: HttpRow = row("INTERNAL", StatusCode::INTERNAL_SERVER_ERROR);

/// Never of the contract: a rule counts requests.
pub(crate) const RATE_LIMITED: HttpRow = row("RATE_LIMITED", StatusCode::TOO_MANY_REQUESTS);

/// A Service of the cluster that was created.
pub(crate) const OBJECT_CREATED: StatusCode = StatusCode::CREATED;

/// Rows or metadata of a task that has them.
pub(crate) const TASK_HAS_DATA: StatusCode = StatusCode::CREATED;
/// A task whose analyzer has exited.
pub(crate) const TASK_HAS_EXITED: StatusCode = StatusCode::ALREADY_REPORTED;

/// The row of a refusal of the world.
pub(crate) fn http(refusal: &Refusal) -> HttpRow {
    match refusal {
        Refusal::Invalid(violations) => match violations.class() {
            Class::Shape => row("INVALID_REQUEST", StatusCode::UNPROCESSABLE_ENTITY),
            Class::Value => row("INVALID_VALUE", StatusCode::BAD_REQUEST),
        },
        Refusal::Parser => row("PARSER", StatusCode::INTERNAL_SERVER_ERROR),
        Refusal::ViewTypeNumber => row("INVALID_REQUEST", StatusCode::UNPROCESSABLE_ENTITY),
        Refusal::LiveMetadataUnavailable => row("LIVE_METADATA_UNAVAILABLE", StatusCode::NOT_FOUND),
        Refusal::UnknownJob => row("UNKNOWN_JOB", StatusCode::NOT_FOUND),
        Refusal::UnknownTask => row("UNKNOWN_TASK", StatusCode::NOT_FOUND),
        Refusal::NoRecording => row("NO_RECORDING", StatusCode::NOT_FOUND),
        Refusal::PortInUse { .. } => row("PORT_IN_USE", StatusCode::CONFLICT),
        Refusal::WaitingForFiber => outage("WAITING_FOR_FIBER"),
        Refusal::RecordingsUnavailable => outage("RECORDINGS_UNAVAILABLE"),
        Refusal::BrokerUnavailable => outage("BROKER_UNAVAILABLE"),
        Refusal::CapacityExhausted(_) => outage("CAPACITY_EXHAUSTED"),
        Refusal::JobCreationFailed => outage("JOB_CREATION_FAILED"),
        Refusal::ServerDown => outage("SERVER_DOWN"),
        Refusal::Forced(error) => forced(*error),
    }
}

/// The row of a refusal that a rule asked for.
pub(crate) fn forced(error: ContractError) -> HttpRow {
    let code = error.name();
    match error {
        ContractError::MalformedJson => MALFORMED_JSON,
        ContractError::NotFound => NOT_FOUND,
        ContractError::MethodNotAllowed => METHOD_NOT_ALLOWED,
        ContractError::BodyTooLarge => BODY_TOO_LARGE,
        ContractError::Internal => INTERNAL,
        ContractError::InvalidValue => row(code, StatusCode::BAD_REQUEST),
        ContractError::InvalidRequest => row(code, StatusCode::UNPROCESSABLE_ENTITY),
        ContractError::UnknownJob | ContractError::UnknownTask | ContractError::NoRecording => {
            row(code, StatusCode::NOT_FOUND)
        }
        ContractError::PortInUse => row(code, StatusCode::CONFLICT),
        ContractError::WaitingForFiber
        | ContractError::RecordingsUnavailable
        | ContractError::BrokerUnavailable
        | ContractError::CapacityExhausted
        | ContractError::JobCreationFailed
        | ContractError::ServerDown => outage(code),
    }
}

/// A status that a rule asked for.
pub(crate) fn any(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a rule has a status from 200 to 599")
}

/// The gRPC code that a rule asked for.
pub(crate) fn grpc_forced(code: GrpcCode) -> Code {
    match code {
        GrpcCode::Cancelled => Code::Cancelled,
        GrpcCode::Unknown => Code::Unknown,
        GrpcCode::InvalidArgument => Code::InvalidArgument,
        GrpcCode::DeadlineExceeded => Code::DeadlineExceeded,
        GrpcCode::NotFound => Code::NotFound,
        GrpcCode::AlreadyExists => Code::AlreadyExists,
        GrpcCode::PermissionDenied => Code::PermissionDenied,
        GrpcCode::ResourceExhausted => Code::ResourceExhausted,
        GrpcCode::FailedPrecondition => Code::FailedPrecondition,
        GrpcCode::Aborted => Code::Aborted,
        GrpcCode::OutOfRange => Code::OutOfRange,
        GrpcCode::Unimplemented => Code::Unimplemented,
        GrpcCode::Internal => Code::Internal,
        GrpcCode::Unavailable => Code::Unavailable,
        GrpcCode::DataLoss => Code::DataLoss,
        GrpcCode::Unauthenticated => Code::Unauthenticated,
    }
}

/// The gRPC status of a call that came while the server was going down.
pub(crate) const GRPC_STOPPING: (Code, &str) = (Code::Unavailable, "the server is stopping");

/// The gRPC status of a call that was not served.
pub(crate) fn grpc_refused(refusal: CallRefusal) -> Code {
    match refusal {
        CallRefusal::StreamOutOfRange { .. } | CallRefusal::NegativeFrames { .. } => Code::InvalidArgument,
        CallRefusal::JobGone => Code::Unavailable,
        CallRefusal::OtherJob { .. } => Code::NotFound,
    }
}

/// The gRPC status with which the server ends a call, with its text; `None` is a normal end.
pub(crate) fn grpc_ended(end: StreamEnd) -> Option<(Code, &'static str)> {
    match end {
        StreamEnd::PlayedOut => None,
        StreamEnd::Inactive => Some((Code::DeadlineExceeded, "stream made no progress for too long")),
        StreamEnd::Cancelled => Some((Code::Cancelled, "job cancelled")),
        StreamEnd::Gone => Some((Code::Unavailable, "job is gone")),
        StreamEnd::GoneAway => Some((Code::Unavailable, "Cancelling all calls")),
    }
}

/// How the cluster's API says no: `reason` and `code` of a `Status`.
pub(crate) mod kube {
    use http::StatusCode;

    /// A reason with its code.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Row {
        pub(crate) reason: &'static str,
        pub(crate) code: StatusCode,
    }

    const fn row(reason: &'static str, code: StatusCode) -> Row {
        Row { reason, code }
    }

    pub(crate) const BAD_REQUEST: Row = row("BadRequest", StatusCode::BAD_REQUEST);
    pub(crate) const UNAUTHORIZED: Row = row("Unauthorized", StatusCode::UNAUTHORIZED);
    pub(crate) const NOT_FOUND: Row = row("NotFound", StatusCode::NOT_FOUND);
    pub(crate) const METHOD_NOT_ALLOWED: Row = row("MethodNotAllowed", StatusCode::METHOD_NOT_ALLOWED);
    pub(crate) const ALREADY_EXISTS: Row = row("AlreadyExists", StatusCode::CONFLICT);
    pub(crate) const CONFLICT: Row = row("Conflict", StatusCode::CONFLICT);
    pub(crate) const EXPIRED: Row = row("Expired", StatusCode::GONE);
    pub(crate) const TOO_LARGE: Row = row("RequestEntityTooLarge", StatusCode::PAYLOAD_TOO_LARGE);
    pub(crate) const UNSUPPORTED_MEDIA_TYPE: Row =
        row("UnsupportedMediaType", StatusCode::UNSUPPORTED_MEDIA_TYPE);
    pub(crate) const INVALID: Row = row("Invalid", StatusCode::UNPROCESSABLE_ENTITY);
    pub(crate) const TOO_MANY_REQUESTS: Row = row("TooManyRequests", StatusCode::TOO_MANY_REQUESTS);
    pub(crate) const INTERNAL: Row = row("InternalError", StatusCode::INTERNAL_SERVER_ERROR);
    pub(crate) const TIMEOUT: Row = row("Timeout", StatusCode::GATEWAY_TIMEOUT);
}
