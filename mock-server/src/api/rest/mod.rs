//! The REST interface of the product: one table of routes, one file per resource.

mod answers;
mod ask;
mod channels;
mod configure;
mod docs;
mod host;
mod jobs;
mod quirky;
mod recordings;
mod request_id;
pub(crate) mod router;
mod routes;
mod subject;
mod tasks;
mod timeline;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::sim::Simulation;

pub(crate) use answers::Answers;
pub(crate) use ask::Ends;
pub(crate) use host::StreamBase;
pub(crate) use request_id::{RequestId, RequestIds};
pub(crate) use subject::header;

/// What the product's routes share.
pub(crate) struct App {
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) request_ids: RequestIds,
    pub(crate) answers: Answers,
    /// Largest request body in bytes.
    pub(crate) max_body_bytes: usize,
    /// How long a client may take to send one, on the wall clock.
    pub(crate) body_time: Duration,
    /// What `stream_url` is made of.
    pub(crate) stream_base: StreamBase,
}

/// A 200 with a JSON text.
fn json(body: impl Into<Bytes>) -> Response {
    with_type("application/json", body.into())
}

/// A 200 with a value written as compact JSON.
fn json_of(value: &impl serde::Serialize) -> Response {
    json(
        serde_json::to_vec(value)
            .expect("wire structs hold numbers, strings, lists and string-keyed maps only"),
    )
}

fn html(body: impl Into<Bytes>) -> Response {
    with_type("text/html; charset=utf-8", body.into())
}

fn with_type(content_type: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The OpenAPI document as a page, rendered when it is first asked for.
fn docs_page() -> &'static str {
    static PAGE: OnceLock<String> = OnceLock::new();
    PAGE.get_or_init(|| {
        let document = serde_json::from_str(focus_proto::OPENAPI_JSON);
        docs::page(&document.expect("focus-proto built this JSON itself"))
    })
}
