//! A request that was not served, and the one error body every such answer has.

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use serde::Serialize;

use crate::domain::refusal::{ContractError, Refusal};
use crate::domain::violation::{Field, Violation};
use crate::sim::setup::Limits;

use super::status::{self, HttpRow};

/// Why a request got no 200: the world refused, or the request never reached it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rejection {
    Refused(Refusal),
    /// The body is no JSON text.
    MalformedJson,
    /// The body is above the limit of that many bytes.
    BodyTooLarge(usize),
    /// No such route.
    NotFound,
    /// The route has other methods: these.
    MethodNotAllowed(String),
    /// A rule lets no more requests pass for so many seconds.
    TooManyRequests(u32),
    /// A defect of ours.
    Internal,
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Forced(error) => Self::forced(error),
            refusal => Self::Refused(refusal),
        }
    }
}

/// A rejection as it went out: what the journal keeps of it.
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) text: String,
}

/// The body, keys in the order of the contract.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: String,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Detail>,
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Detail {
    Text(&'static str),
    Violations(Vec<ViolationBody>),
}

#[derive(Serialize)]
struct ViolationBody {
    loc: Vec<&'static str>,
    msg: String,
    r#type: &'static str,
}

impl Rejection {
    /// What the world never says by itself, as it would look if it did: with one violation of the asked-for class, the
    /// limit that servers have unless told otherwise, no other method.
    fn forced(error: ContractError) -> Self {
        match error {
            ContractError::MalformedJson => Self::MalformedJson,
            ContractError::NotFound => Self::NotFound,
            ContractError::MethodNotAllowed => Self::MethodNotAllowed(String::new()),
            ContractError::BodyTooLarge => Self::BodyTooLarge(Limits::default().max_body_bytes),
            ContractError::Internal => Self::Internal,
            ContractError::InvalidValue => {
                Self::Refused(Refusal::Invalid(Violation::HeightNotPositive.into()))
            }
            ContractError::InvalidRequest => {
                Self::Refused(Refusal::Invalid(Violation::Missing(Field::Channels).into()))
            }
            ContractError::UnknownJob
            | ContractError::UnknownTask
            | ContractError::NoRecording
            | ContractError::PortInUse
            | ContractError::WaitingForFiber
            | ContractError::RecordingsUnavailable
            | ContractError::BrokerUnavailable
            | ContractError::CapacityExhausted
            | ContractError::JobCreationFailed
            | ContractError::ServerDown => Self::Refused(Refusal::Forced(error)),
        }
    }

    pub(crate) fn row(&self) -> HttpRow {
        match self {
            Self::Refused(refusal) => status::http(refusal),
            Self::MalformedJson => status::MALFORMED_JSON,
            Self::BodyTooLarge(_) => status::BODY_TOO_LARGE,
            Self::NotFound => status::NOT_FOUND,
            Self::MethodNotAllowed(_) => status::METHOD_NOT_ALLOWED,
            Self::TooManyRequests(_) => status::RATE_LIMITED,
            Self::Internal => status::INTERNAL,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.to_string(),
            Self::MalformedJson => String::from("Request body is not valid JSON"),
            Self::BodyTooLarge(limit) => format!("Request body is too large: the limit is {limit} bytes"),
            Self::NotFound => String::from("Not Found"),
            Self::MethodNotAllowed(_) => String::from("Method Not Allowed"),
            Self::TooManyRequests(seconds) => format!("Too many requests: try again in {seconds} s"),
            Self::Internal => String::from("Internal error"),
        }
    }

    fn detail(&self) -> Option<Detail> {
        match self {
            Self::Refused(Refusal::Invalid(violations)) => Some(Detail::Violations(
                violations.list().iter().map(|violation| entry(*violation)).collect(),
            )),
            Self::MalformedJson => Some(Detail::Violations(vec![ViolationBody {
                loc: vec!["body"],
                msg: self.text(),
                r#type: "json_invalid",
            }])),
            Self::NotFound => Some(Detail::Text("Not Found")),
            Self::MethodNotAllowed(_) => Some(Detail::Text("Method Not Allowed")),
            Self::Refused(_) | Self::BodyTooLarge(_) | Self::TooManyRequests(_) | Self::Internal => None,
        }
    }

    /// The answer, for a request of that id, and what it says.
    pub(crate) fn response(&self, request_id: &str) -> (Response, Refused) {
        let row = self.row();
        let detail = self.detail();
        let error = match &detail {
            // What `text` would say, without writing every sentence twice.
            Some(Detail::Violations(all)) => {
                all.iter().map(|violation| violation.msg.as_str()).collect::<Vec<_>>().join("; ")
            }
            Some(Detail::Text(_)) | None => self.text(),
        };
        let body = ErrorBody { error, code: row.code, detail, request_id };
        let mut bytes = Vec::with_capacity(1024);
        serde_json::to_writer(&mut bytes, &body).expect("strings and lists of strings are always JSON");
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = row.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if row.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Self::TooManyRequests(seconds) = self {
            headers.insert(RETRY_AFTER, HeaderValue::from(*seconds));
        }
        if let Self::BodyTooLarge(_) = self {
            // What is left of the body is not read, so the connection ends; a client that keeps it for its next request
            // must know.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Self::MethodNotAllowed(allowed) = self {
            headers.extend(HeaderValue::from_str(allowed).ok().map(|allowed| (ALLOW, allowed)));
        }
        (response, Refused { code: row.code, text: body.error })
    }
}

fn entry(violation: Violation) -> ViolationBody {
    let mut loc = vec![violation.field().place()];
    loc.extend(violation.field().path());
    ViolationBody { loc, msg: violation.to_string(), r#type: type_of(violation) }
}

/// The machine-readable name of a violation.
fn type_of(violation: Violation) -> &'static str {
    match violation {
        Violation::NotAnObject | Violation::NotAnObjectAt(_) => "dict_type",
        Violation::Missing(_) | Violation::MissingForSpectrum(_) | Violation::OneSidedWindow { .. } => {
            "missing"
        }
        Violation::UnknownView => "enum",
        Violation::NotAnInteger(_) => "int_type",
        Violation::ChannelBelowOne
        | Violation::FrequencyNegative
        | Violation::TimeNegative(_)
        | Violation::Negative(_)
        | Violation::SensorAboveLast { .. } => "out_of_range",
        Violation::ChannelsReversed { .. }
        | Violation::FrequenciesReversed { .. }
        | Violation::RangeReversed(_)
        | Violation::TimesReversed => "range_reversed",
        Violation::ChannelBelowLowest { .. } => "greater_than_equal",
        Violation::ChannelAboveHighest { .. } => "less_than_equal",
        Violation::TooManyChannels { .. } => "too_many_channels",
        Violation::NotASingleChannel => "single_channel_range",
        Violation::HeightNotPositive | Violation::DurationNotPositive | Violation::NotPositive(_) => {
            "not_positive"
        }
        Violation::NotANumber(_) => "float_type",
        Violation::NotAStamp(_) | Violation::BadTaskId => "string_pattern_mismatch",
        Violation::NotForWaterfall(_) => "extra_forbidden",
        Violation::NfftForWaterfall => "value_error",
        Violation::NfftUnsupported { .. } => "nfft_unsupported",
        Violation::AboveNyquist { .. } => "nyquist_exceeded",
        Violation::TimeInFuture => "time_in_future",
    }
}

/// A body that is JSON but no object.
pub(crate) fn not_an_object() -> Rejection {
    Rejection::Refused(Refusal::Invalid(Violation::NotAnObject.into()))
}
