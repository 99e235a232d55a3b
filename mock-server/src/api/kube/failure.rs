//! The cluster's "no": a `Status` object, with the reason and code that a real API server gives.

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
