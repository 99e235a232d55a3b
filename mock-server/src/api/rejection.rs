//! A request that was not served, and the one error body every such answer has.

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use serde::Serialize;

use crate::domain::quirk::{Quirk, Quirks};
use crate::domain::refusal::Refusal;
use crate::domain::violation::{Class, Violation};

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
    /// The server lacks a route that the contract has. Such servers were only ever seen to say so in one way.
    RouteMissing,
    /// The route has other methods: these.
    MethodNotAllowed(String),
    /// A defect of ours.
    Internal,
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The body, keys in the order of the contract. A bare one lacks some of them.
#[derive(Serialize)]
struct ErrorBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Detail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

/// Which of the keys a refusal has.
enum Keys {
    /// Those of the contract.
    All,
    /// `error` alone.
    Error,
    /// `detail` alone.
    Detail,
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
    pub(crate) fn row(&self) -> HttpRow {
        match self {
            Self::Refused(refusal) => status::http(refusal),
            Self::MalformedJson => status::MALFORMED_JSON,
            Self::BodyTooLarge(_) => status::BODY_TOO_LARGE,
            Self::NotFound | Self::RouteMissing => status::NOT_FOUND,
            Self::MethodNotAllowed(_) => status::METHOD_NOT_ALLOWED,
            Self::Internal => status::INTERNAL,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.to_string(),
            Self::MalformedJson => String::from("Request body is not valid JSON"),
            Self::BodyTooLarge(limit) => format!("Request body is too large: the limit is {limit} bytes"),
            Self::NotFound | Self::RouteMissing => String::from("Not Found"),
            Self::MethodNotAllowed(_) => String::from("Method Not Allowed"),
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
            Self::NotFound | Self::RouteMissing => Some(Detail::Text("Not Found")),
            Self::MethodNotAllowed(_) => Some(Detail::Text("Method Not Allowed")),
            Self::Refused(_) | Self::BodyTooLarge(_) | Self::Internal => None,
        }
    }

    /// Whether it is an outage that a server with these quirks takes its time to notice.
    pub(super) fn is_slow_outage(&self, quirks: Quirks) -> bool {
        matches!(self, Self::Refused(refusal) if quirks.has(Quirk::SlowOutage) && refusal.is_outage())
    }

    /// Servers with bare errors tell in `detail` what their router or their framework refuses, all else in `error`.
    fn keys(&self, quirks: Quirks) -> Keys {
        let refused_by_framework = match self {
            Self::RouteMissing => return Keys::Detail,
            Self::NotFound | Self::MethodNotAllowed(_) => true,
            Self::Refused(Refusal::Invalid(violations)) => violations.class() == Class::Shape,
            Self::Refused(_) | Self::MalformedJson | Self::BodyTooLarge(_) | Self::Internal => false,
        };
        match (quirks.has(Quirk::BareErrorBody), refused_by_framework) {
            (false, _) => Keys::All,
            (true, true) => Keys::Detail,
            (true, false) => Keys::Error,
        }
    }

    fn body(&self, request_id: &str, quirks: Quirks) -> Vec<u8> {
        let detail = self.detail();
        let error = match &detail {
            // What `text` would say, without writing every sentence twice.
            Some(Detail::Violations(all)) => {
                all.iter().map(|violation| violation.msg.as_str()).collect::<Vec<_>>().join("; ")
            }
            Some(Detail::Text(_)) | None => self.text(),
        };
        let (code, id) = (Some(self.row().code), Some(request_id));
        let body = match self.keys(quirks) {
            Keys::All => ErrorBody { error: Some(error), code, detail, request_id: id },
            Keys::Error => ErrorBody { error: Some(error), code: None, detail: None, request_id: None },
            Keys::Detail => ErrorBody { error: None, code: None, detail, request_id: None },
        };
        let mut bytes = Vec::with_capacity(1024);
        serde_json::to_writer(&mut bytes, &body).expect("strings and lists of strings are always JSON");
        bytes
    }

    /// The answer of a server with these quirks, for a request of that id.
    pub(crate) fn response(&self, request_id: &str, quirks: Quirks) -> Response {
        let row = self.row();
        if matches!(self, Self::Refused(Refusal::ViewTypeNumber)) {
            // Without a body there is nothing to say the type of.
            let mut response = Response::default();
            *response.status_mut() = row.status;
            return response;
        }
        let mut response = Response::new(Body::from(self.body(request_id, quirks)));
        *response.status_mut() = row.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if row.retry_after && !self.is_slow_outage(quirks) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Self::BodyTooLarge(_) = self {
            // What is left of the body is not read, so the connection ends; a client that keeps it for its next request
            // must know.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Self::MethodNotAllowed(allowed) = self {
            headers.extend(HeaderValue::from_str(allowed).ok().map(|allowed| (ALLOW, allowed)));
        }
        response
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
