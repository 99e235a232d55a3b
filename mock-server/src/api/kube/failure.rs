//! The cluster's "no": a `Status` object, with the reason, code and words that a real API server gives. Where something
//! is not simulated, it says so behind those words.

use std::fmt;

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CONNECTION, RETRY_AFTER, WARNING};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Status, StatusCause, StatusDetails};

use super::resource::Resource;
use super::{answer, warning};
use crate::api::rejection::Refused;
use crate::api::status::kube::{self, Row};

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// 404: no such object. `<resource> "<name>" not found`
    NotFound { group: &'static str, resource: &'static str, name: String },
    /// 404: no such path, with what there is to say about it.
    NoSuchPath(String),
    /// 405: a known path, another verb.
    MethodNotAllowed(String),
    /// 409: it exists already.
    AlreadyExists { group: &'static str, resource: &'static str, name: String },
    /// 409: it was changed since it was read.
    Conflict { group: &'static str, resource: &'static str, name: String },
    /// 422: an object that may not be so; field paths with what is wrong there.
    Invalid { group: &'static str, kind: &'static str, name: String, causes: Vec<Cause> },
    /// 400: not understood.
    BadRequest(String),
    /// 401: no token, or another one.
    Unauthorized,
    /// 410: a version or continue token from before what is kept.
    Expired(String),
    /// 413: a body above the limit, in bytes.
    TooLarge(usize),
    /// 415: a content type that nothing is read from, and those that are.
    UnsupportedMediaType { asked: String, read: &'static str },
    /// 504: a version that is not there yet, and the newest one. Clients try again, as a real API server wants them to.
    VersionTooLarge { asked: u64, newest: u64 },
    /// 429: too many watches.
    TooManyRequests(String),
    /// 500: a defect of ours.
    Internal,
}

/// What is wrong with a field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// `spec.replicas`
    pub(crate) field: String,
    /// `FieldValueInvalid`, `FieldValueRequired`, …
    pub(crate) reason: &'static str,
    /// `Invalid value: -1: must be greater than or equal to 0`
    pub(crate) message: String,
}

/// How many seconds to wait before trying again, where that may help.
const PATIENCE: i32 = 1;

impl Failure {
    /// There is no object of that name.
    pub(crate) fn not_found(resource: &Resource, name: &str) -> Self {
        Self::NotFound { group: resource.group, resource: resource.plural, name: name.into() }
    }

    /// A path that leads nowhere, and why if there is something to say.
    pub(crate) fn no_such_path(why: &str) -> Self {
        Self::NoSuchPath(why.into())
    }

    /// Its reason and code.
    pub(crate) fn row(&self) -> Row {
        match self {
            Self::NotFound { .. } | Self::NoSuchPath(_) => kube::NOT_FOUND,
            Self::MethodNotAllowed(_) => kube::METHOD_NOT_ALLOWED,
            Self::AlreadyExists { .. } => kube::ALREADY_EXISTS,
            Self::Conflict { .. } => kube::CONFLICT,
            Self::Invalid { .. } => kube::INVALID,
            Self::BadRequest(_) => kube::BAD_REQUEST,
            Self::Unauthorized => kube::UNAUTHORIZED,
            Self::Expired(_) => kube::EXPIRED,
            Self::TooLarge(_) => kube::TOO_LARGE,
            Self::UnsupportedMediaType { .. } => kube::UNSUPPORTED_MEDIA_TYPE,
            Self::VersionTooLarge { .. } => kube::TIMEOUT,
            Self::TooManyRequests(_) => kube::TOO_MANY_REQUESTS,
            Self::Internal => kube::INTERNAL,
        }
    }

    /// What it says.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::NotFound { group, resource, name } => {
                format!("{} {name:?} not found", qualified(resource, group))
            }
            Self::NoSuchPath(why) => told("the server could not find the requested resource", why),
            Self::MethodNotAllowed(why) => {
                told("the server does not allow this method on the requested resource", why)
            }
            Self::AlreadyExists { group, resource, name } => {
                format!("{} {name:?} already exists", qualified(resource, group))
            }
            Self::Conflict { group, resource, name } => format!(
                "Operation cannot be fulfilled on {} {name:?}: the object has been modified; please apply your \
                 changes to the latest version and try again",
                qualified(resource, group)
            ),
            Self::Invalid { group, kind, name, causes } => {
                format!("{} {name:?} is invalid: {}", qualified(kind, group), all_of(causes))
            }
            Self::BadRequest(why) | Self::Expired(why) | Self::TooManyRequests(why) => why.clone(),
            Self::Unauthorized => "Unauthorized".into(),
            Self::TooLarge(limit) => format!("Request entity too large: limit is {limit}"),
            Self::UnsupportedMediaType { asked, read } => told(
                &format!(
                    "the body of the request was in an unknown format - accepted media types include: {read}"
                ),
                if asked == APPLY { "server-side apply is not simulated" } else { "" },
            ),
            Self::VersionTooLarge { asked, newest } => {
                format!("Timeout: Too large resource version: {asked}, current: {newest}")
            }
            Self::Internal => {
                "Internal error occurred: this is a defect of the simulated API server, see its log".into()
            }
        }
    }

    fn details(&self) -> Option<StatusDetails> {
        let of = |group: &str, kind: &str, name: &str| StatusDetails {
            group: text(group),
            kind: text(kind),
            name: text(name),
            ..StatusDetails::default()
        };
        let later = || StatusDetails { retry_after_seconds: Some(PATIENCE), ..StatusDetails::default() };
        match self {
            Self::NotFound { group, resource, name }
            | Self::AlreadyExists { group, resource, name }
            | Self::Conflict { group, resource, name } => Some(of(group, resource, name)),
            Self::Invalid { group, kind, name, causes } => Some(StatusDetails {
                causes: Some(causes.iter().map(Cause::status).collect()),
                ..of(group, kind, name)
            }),
            Self::VersionTooLarge { .. } => {
                let cause = StatusCause {
                    reason: text("ResourceVersionTooLarge"),
                    message: text("Too large resource version"),
                    field: None,
                };
                Some(StatusDetails { causes: Some(vec![cause]), ..later() })
            }
            Self::TooManyRequests(_) => Some(later()),
            Self::NoSuchPath(_) | Self::MethodNotAllowed(_) => Some(StatusDetails::default()),
            Self::BadRequest(_)
            | Self::Unauthorized
            | Self::Expired(_)
            | Self::TooLarge(_)
            | Self::UnsupportedMediaType { .. }
            | Self::Internal => None,
        }
    }

    /// The answer that it makes, and what the journal is told of it.
    pub(super) fn refuse(&self) -> (Response, Refused) {
        let refused = Refused { code: self.row().reason, text: self.message() };
        (self.clone().into_response(), refused)
    }

    /// The same as an object: the body of the answer, and of an `ERROR` event of a watch.
    pub(crate) fn status(&self) -> Status {
        let row = self.row();
        Status {
            code: Some(row.code.as_u16().into()),
            details: self.details(),
            message: Some(self.message()),
            reason: text(row.reason),
            status: text("Failure"),
            ..Status::default()
        }
    }
}

impl Cause {
    /// A value that may not be so.
    pub(crate) fn invalid(field: impl Into<String>, value: impl fmt::Display, why: &str) -> Self {
        let message = format!("Invalid value: {value}: {why}");
        Self { field: field.into(), reason: "FieldValueInvalid", message }
    }

    /// Something that may not stand there.
    pub(crate) fn forbidden(field: impl Into<String>, why: &str) -> Self {
        let message = format!("Forbidden: {why}");
        Self { field: field.into(), reason: "FieldValueForbidden", message }
    }

    /// A value that is none of those that there are.
    pub(crate) fn unsupported(field: impl Into<String>, value: &str, supported: &[&str]) -> Self {
        let supported: Vec<_> = supported.iter().map(|value| format!("{value:?}")).collect();
        let message = format!("Unsupported value: {value:?}: supported values: {}", supported.join(", "));
        Self { field: field.into(), reason: "FieldValueNotSupported", message }
    }

    fn status(&self) -> StatusCause {
        StatusCause { field: text(&self.field), message: text(&self.message), reason: text(self.reason) }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = answer::json(&self.status());
        *response.status_mut() = self.row().code;
        let headers = response.headers_mut();
        if self.details().is_some_and(|details| details.retry_after_seconds.is_some()) {
            headers.insert(RETRY_AFTER, HeaderValue::from(PATIENCE));
        }
        if let Self::NoSuchPath(why) = &self
            && why == NO_SCHEMAS
        {
            headers.insert(WARNING, warning::of(why));
        }
        if let Self::TooLarge(_) = self {
            // What is left of the body is not read, so the connection ends; a client that keeps it for its next request
            // must know.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// What is said of `/openapi`. kubectl does not show the text of that answer, but what an answer warns of.
pub(super) const NO_SCHEMAS: &str =
    "schemas are not simulated; kubectl create and apply go without them under --validate=false";

/// The content type of server-side apply.
const APPLY: &str = "application/apply-patch+yaml";

/// `deployments.apps`, `Deployment.apps`; of the core group, `pods`.
fn qualified(what: &str, group: &str) -> String {
    if group.is_empty() { what.into() } else { format!("{what}.{group}") }
}

/// What a real API server says, and what there is to add.
fn told(words: &str, why: &str) -> String {
    if why.is_empty() { words.into() } else { format!("{words}: {why}") }
}

/// One cause as it is, several in brackets, none twice.
fn all_of(causes: &[Cause]) -> String {
    let mut all: Vec<String> = Vec::new();
    for Cause { field, message, .. } in causes {
        let cause = format!("{field}: {message}");
        if !all.contains(&cause) {
            all.push(cause);
        }
    }
    if all.len() == 1 { all.remove(0) } else { format!("[{}]", all.join(", ")) }
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.into())
}
