//! Answers: JSON, whatever a client accepts.

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;

/// The answer of an object or list.
pub(super) fn json(value: &impl Serialize) -> Response {
    let mut out = Vec::with_capacity(1024);
    append(value, &mut out);
    written(out)
}

/// The answer of JSON that is written already.
pub(super) fn written(json: Vec<u8>) -> Response {
    with_type(Body::from(json), "application/json")
}

/// The answer of a text.
pub(super) fn plain(text: &'static str) -> Response {
    with_type(Body::from(text), "text/plain; charset=utf-8")
}

/// Writes a value as JSON behind what is there.
pub(super) fn append(value: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("structs of text and numbers are always JSON");
}

fn with_type(body: Body, content_type: &'static str) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
