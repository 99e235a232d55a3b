//! What the admin interface answers: JSON, or a "no" that says what is wrong and what would be right.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::document::{Mistakes, Place};
use crate::sim::change::ChangeRefused;

/// An answer, or a "no".
pub(super) type Answer = Result<Response, No>;

/// Why a request was not taken.
#[derive(Debug)]
pub(super) struct No {
    status: StatusCode,
    error: String,
    mistakes: Vec<MistakeBody>,
}

/// A mistake in a document that was sent, with its place in it.
#[derive(Debug, Serialize)]
struct MistakeBody {
    line: u64,
    column: u64,
    error: String,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "<[MistakeBody]>::is_empty")]
    mistakes: &'a [MistakeBody],
}

impl No {
    fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), mistakes: Vec::new() }
    }

    /// 400: what was sent cannot be read.
    pub(super) fn unreadable(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// 401: the token is missing or another one. Nothing else is told.
    pub(super) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "this needs the header authorization: Bearer, and the admin token",
        )
    }

    /// 404: there is nothing of that name.
    pub(super) fn unknown(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    /// 405: the path has other methods.
    pub(super) fn method(error: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, error)
    }

    /// 408: the body took too long.
    pub(super) fn late(error: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, error)
    }

    /// 409: it cannot be done as the world stands.
    pub(super) fn conflict(error: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, error)
    }

    /// 413: the body is too large.
    pub(super) fn large(error: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, error)
    }

    /// 422: it can be read, and is not what is asked for.
    pub(super) fn wrong(error: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error)
    }

    /// 503: the product is not served.
    pub(super) fn unavailable(error: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let body = ErrorBody { error: &self.error, mistakes: &self.mistakes };
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Mistakes> for No {
    fn from(Mistakes(mistakes): Mistakes) -> Self {
        let place = |place: &Place| match place {
            Place::File { line, column, .. } => (*line, *column),
            Place::Default | Place::Flag(_) | Place::Variable(_) => (0, 0),
        };
        let count = mistakes.len();
        let mistakes: Vec<_> = mistakes
            .into_iter()
            .map(|mistake| {
                let (line, column) = place(&mistake.place);
                MistakeBody { line, column, error: mistake.text }
            })
            .collect();
        let first = mistakes.first().map_or("", |first| first.error.as_str());
        let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
        let error = format!("{first}{more}");
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, error, mistakes }
    }
}

impl From<ChangeRefused> for No {
    fn from(refused: ChangeRefused) -> Self {
        let text = refused.to_string();
        match refused {
            ChangeRefused::Rule(_) | ChangeRefused::PortTaken(_) | ChangeRefused::NoFreeSlot => {
                Self::conflict(text)
            }
            ChangeRefused::NoSuchRule { .. } | ChangeRefused::NotHeld(_) | ChangeRefused::NoSuchJob(_) => {
                Self::unknown(text)
            }
            ChangeRefused::NotAJobPort { .. } | ChangeRefused::NotForATime(_) => Self::wrong(text),
            ChangeRefused::NoSocket { .. } => Self::conflict(text),
        }
    }
}

/// A value as JSON.
#[allow(clippy::unnecessary_wraps, reason = "the end of functions that may fail before it")]
pub(super) fn json(value: impl Serialize) -> Answer {
    Ok(Json(value).into_response())
}

/// A body as JSON, whatever its headers call it.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8], expected: &str) -> Result<T, No> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            No::wrong(format!("the body is not what is asked for: {error}; expected {expected}"))
        } else {
            No::unreadable(format!("the body is not JSON: {error}; expected {expected}"))
        }
    })
}

/// A body that is a document, as text.
pub(super) fn text(body: &[u8]) -> Result<&str, No> {
    std::str::from_utf8(body).map_err(|error| No::unreadable(format!("the body is not UTF-8: {error}")))
}

/// Names, as a "no" lists them.
pub(super) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    if names.is_empty() { String::from("none") } else { names.join(", ") }
}

/// Puts more keys at the end of an object.
pub(super) fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}
