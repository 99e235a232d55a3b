//! An answer, and what can be demanded of it.

use std::sync::Arc;

use serde_json::Value;

use crate::bodies::without;
use crate::client::rest::Exchange;
use crate::failure::{Failure, equal};

/// An answer of a REST route. It has been held against the OpenAPI document when a story gets it.
#[derive(Clone, Debug)]
pub struct Answer(pub Arc<Exchange>);

impl Answer {
    /// HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The first header of that name, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.header(name)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.text()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Value, Failure> {
        serde_json::from_slice(&self.0.body)
            .map_err(|error| self.broken(format!("the body is not JSON: {error}")))
    }

    /// A failure that this answer shows.
    pub fn broken(&self, what: impl Into<String>) -> Failure {
        Failure::broken(what).shown_by(&self.0)
    }

    /// Demands a status.
    ///
    /// # Errors
    /// When it is another.
    pub fn has_status(&self, status: u16) -> Result<&Self, Failure> {
        equal("the status", &self.status(), &status).map_err(|failure| failure.shown_by(&self.0))?;
        Ok(self)
    }

    /// Demands a status and an empty body without a content type.
    ///
    /// # Errors
    /// When it is another, or there is a body.
    pub fn is_empty(&self, status: u16) -> Result<&Self, Failure> {
        self.has_status(status)?.has_header("content-length", "0")?;
        let got = (self.header("content-type"), self.text());
        equal("the empty body", &got, &(None, String::new())).map_err(|failure| failure.shown_by(&self.0))?;
        Ok(self)
    }

    /// Demands a JSON body, key order included.
    ///
    /// # Errors
    /// When it is another.
    pub fn is_json(&self, expected: &Value) -> Result<&Self, Failure> {
        // As text: as values, maps that differ in the order of their keys only would be equal.
        let text = expected.to_string();
        if self.text() == text {
            return Ok(self);
        }
        Err(self.broken("the body is not what the contract says").between(expected, self.text()))
    }

    /// Demands a value at a JSON pointer.
    ///
    /// # Errors
    /// When it is missing or another.
    pub fn has(&self, pointer: &str, expected: &Value) -> Result<&Self, Failure> {
        let json = self.json()?;
        let got = json.pointer(pointer).unwrap_or(&Value::Null);
        if got == expected {
            return Ok(self);
        }
        Err(self.broken(format!("{pointer} is not what the contract says")).between(expected, got))
    }

    /// Demands the same JSON body as another answer's, but for these keys, in which they may differ.
    ///
    /// # Errors
    /// When something else differs.
    pub fn equals(&self, other: &Self, but: &[&str]) -> Result<&Self, Failure> {
        // As text: as values, maps that differ in the order of their keys only would be equal.
        let rest = |answer: &Self| answer.json().map(|body| without(body, but).to_string());
        let (first, second) = (rest(other)?, rest(self)?);
        if first == second {
            return Ok(self);
        }
        let what = format!("the answer differs from an earlier one in more than {}", but.join(" and "));
        Err(self.broken(what).between(first, second))
    }

    /// Demands a header with that value.
    ///
    /// # Errors
    /// When it is missing or another.
    pub fn has_header(&self, name: &str, value: &str) -> Result<&Self, Failure> {
        if self.header(name) == Some(value) {
            return Ok(self);
        }
        let got = self.header(name).unwrap_or("no such header");
        Err(self.broken(format!("header {name} is not what the contract says")).between(value, got))
    }

    /// Demands exactly this refusal.
    ///
    /// # Errors
    /// When it is no refusal or another.
    pub fn is_refused(&self, refusal: &Refused<'_>) -> Result<&Self, Failure> {
        self.has_status(refusal.status)?;
        let body = self.json()?;
        let got_code = body["code"].as_str().unwrap_or_default();
        if got_code != refusal.code {
            return Err(self.broken("code is not what the contract says").between(refusal.code, got_code));
        }
        if refusal.retry_after != (self.header("retry-after") == Some("1")) {
            let expected = if refusal.retry_after { "retry-after: 1" } else { "no retry-after" };
            let got = self.header("retry-after").unwrap_or("no retry-after");
            return Err(self
                .broken("header retry-after is not what the contract says")
                .between(expected, got));
        }
        match &refusal.why {
            Why::Text(text) => self.has("/error", &Value::from(*text))?,
            Why::Violations(violations) => self.has_violations(violations)?,
        };
        Ok(self)
    }

    fn has_violations(&self, expected: &[Violation]) -> Result<&Self, Failure> {
        let body = self.json()?;
        let expected_detail: Vec<Value> = expected.iter().map(Violation::json).collect();
        if body["detail"] != Value::from(expected_detail.clone()) {
            let got = &body["detail"];
            return Err(self
                .broken("detail is not what the contract says")
                .between(Value::from(expected_detail), got));
        }
        let sentences: Vec<_> = expected.iter().map(|violation| violation.msg.as_str()).collect();
        self.has("/error", &Value::from(sentences.join("; ")))
    }
}

/// A refusal as the contract's table has it.
#[derive(Clone, Debug)]
pub struct Refused<'a> {
    /// HTTP status.
    pub status: u16,
    /// `code` of the body.
    pub code: &'a str,
    /// What the body says.
    pub why: Why<'a>,
    /// Whether `retry-after: 1` goes with it; no other value ever does.
    pub retry_after: bool,
}

/// What the body of a refusal says.
#[derive(Clone, Debug)]
pub enum Why<'a> {
    /// One fixed sentence.
    Text(&'a str),
    /// What is wrong with the request, in the order of the checks.
    Violations(Vec<Violation>),
}

/// One entry of `detail`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where, behind `body`; dots separate the keys, nothing is the body itself. What begins with `path.` is a part of
    /// the path and stands alone.
    pub loc: &'static str,
    /// What sort of mistake.
    pub kind: &'static str,
    /// The sentence.
    pub msg: String,
}

impl Violation {
    /// One entry.
    pub fn new(loc: &'static str, kind: &'static str, msg: impl Into<String>) -> Self {
        Self { loc, kind, msg: msg.into() }
    }

    fn json(&self) -> Value {
        let root = (!self.loc.starts_with("path.")).then_some("body");
        let loc: Vec<_> = root.into_iter().chain(self.loc.split('.').filter(|key| !key.is_empty())).collect();
        serde_json::json!({"loc": loc, "msg": self.msg, "type": self.kind})
    }
}

impl Refused<'_> {
    /// Wrong in its shape: at least one of the violations is of that class.
    #[must_use]
    pub fn shape(violations: Vec<Violation>) -> Self {
        Self { status: 422, code: "INVALID_REQUEST", why: Why::Violations(violations), retry_after: false }
    }

    /// Wrong in its values only.
    #[must_use]
    pub fn value(violations: Vec<Violation>) -> Self {
        Self { status: 400, code: "INVALID_VALUE", why: Why::Violations(violations), retry_after: false }
    }
}

impl<'a> Refused<'a> {
    /// A refusal with a fixed sentence.
    #[must_use]
    pub fn said(status: u16, code: &'a str, text: &'a str) -> Self {
        Self { status, code, why: Why::Text(text), retry_after: false }
    }

    /// An outage, to be asked again after a second.
    #[must_use]
    pub fn outage(code: &'a str, text: &'a str) -> Self {
        Self { retry_after: true, ..Self::said(503, code, text) }
    }
}

/// 404 for ids that name no live job.
pub const UNKNOWN_JOB: Refused<'static> =
    Refused { status: 404, code: "UNKNOWN_JOB", why: Why::Text("Invalid job_id"), retry_after: false };

/// 404 for historic windows without any recording.
pub const NO_RECORDING: Refused<'static> = Refused {
    status: 404,
    code: "NO_RECORDING",
    why: Why::Text("No recording found in given time range"),
    retry_after: false,
};

/// 404 for routes that there are not; `detail` repeats the sentence.
pub const NOT_FOUND: Refused<'static> =
    Refused { status: 404, code: "NOT_FOUND", why: Why::Text("Not Found"), retry_after: false };

/// 405 for known routes; `detail` repeats the sentence.
pub const METHOD_NOT_ALLOWED: Refused<'static> = Refused {
    status: 405,
    code: "METHOD_NOT_ALLOWED",
    why: Why::Text("Method Not Allowed"),
    retry_after: false,
};

/// 404 for tasks that nobody configured, or that were forgotten.
pub const UNKNOWN_TASK: Refused<'static> =
    Refused { status: 404, code: "UNKNOWN_TASK", why: Why::Text("Consumer not found"), retry_after: false };

/// 413 at the limit that servers have unless they are configured with another.
pub const BODY_TOO_LARGE: Refused<'static> = Refused {
    status: 413,
    code: "BODY_TOO_LARGE",
    why: Why::Text("Request body is too large: the limit is 1048576 bytes"),
    retry_after: false,
};

/// 400 for a body that is no JSON.
#[must_use]
pub fn malformed_json() -> Refused<'static> {
    let violation = Violation::new("", "json_invalid", "Request body is not valid JSON");
    Refused { code: "MALFORMED_JSON", ..Refused::value(vec![violation]) }
}

/// 422 for a body that is JSON but no object.
#[must_use]
pub fn no_object() -> Refused<'static> {
    Refused::shape(vec![Violation::new("", "dict_type", "Request body must be a JSON object")])
}
