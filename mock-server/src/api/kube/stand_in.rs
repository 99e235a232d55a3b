//! Stands in for the router until there is one: this file goes as a whole.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::request::Parts;

use super::Kube;
use super::failure::Failure;
use crate::api::rejection::Refused;
use crate::api::status;
use crate::sim::faults::KubeRoute;

/// What a request is about, by the shape of its path alone.
pub(super) fn route(parts: &Parts) -> KubeRoute {
    let path = parts.uri.path().trim_end_matches('/');
    let segments: Vec<_> = path.split('/').skip(1).collect();
    let is_read = parts.method == http::Method::GET;
    let within = match segments[..] {
        ["version" | "healthz" | "livez" | "readyz" | "api" | "apis"]
        | ["api", _]
        | ["apis", _]
        | ["apis", _, _]
            if is_read =>
        {
            return KubeRoute::Discovery;
        }
        ["apis", "metrics.k8s.io", _, ..] if is_read => return KubeRoute::Metrics,
        ["api", _, ref within @ ..] | ["apis", _, _, ref within @ ..] => within,
        _ => return KubeRoute::Unrouted,
    };
    let of_one = match within {
        ["namespaces", _, _, _, "log"] if is_read => return KubeRoute::Log,
        ["namespaces", _, _, _] | ["namespaces", _, _, _, "scale"] | [_, _] => true,
        ["namespaces", _, _] | [_] => false,
        _ => return KubeRoute::Unrouted,
    };
    let query = parts.uri.query().unwrap_or_default();
    let watches = query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1" | "watch=True"));
    match (parts.method.as_str(), of_one) {
        ("GET", true) => KubeRoute::Get,
        ("GET", false) if watches => KubeRoute::Watch,
        ("GET", false) => KubeRoute::List,
        ("POST", false) => KubeRoute::Create,
        ("PUT", true) => KubeRoute::Update,
        ("PATCH", true) => KubeRoute::Patch,
        ("DELETE", true) => KubeRoute::Delete,
        _ => KubeRoute::Unrouted,
    }
}

/// Answers a request whose body was read.
#[allow(clippy::unused_async, reason = "the router that comes here waits")]
pub(super) async fn serve(_kube: &Arc<Kube>, parts: &Parts, _body: Bytes) -> Result<Response, Failure> {
    match parts.uri.path() {
        "/healthz" => Ok(Response::new(Body::from("ok"))),
        "/api/v1/namespaces" if route(parts) == KubeRoute::Watch => {
            let lines: [Result<_, Infallible>; 3] = ["a", "b", "c"].map(|name| Ok(Bytes::from(added(name))));
            let lines = futures_util::stream::iter(lines).chain(futures_util::stream::pending());
            Ok(Response::new(Body::from_stream(lines)))
        }
        path => Err(Failure::NoSuchPath(format!("{path} is not served yet"))),
    }
}

fn added(name: &str) -> String {
    format!("{{\"type\":\"ADDED\",\"object\":{{\"metadata\":{{\"name\":\"{name}\"}}}}}}\n")
}

/// A failure as it goes out.
pub(super) fn refuse(failure: &Failure) -> (Response, Refused) {
    let (status, code, text) = match failure {
        Failure::Unauthorized => (401, "Unauthorized", String::from("Unauthorized")),
        Failure::NoSuchPath(text) => (404, "NotFound", text.clone()),
        Failure::TooLarge(limit) => {
            (413, "RequestEntityTooLarge", format!("a body has {limit} bytes at most"))
        }
        Failure::BadRequest(text) => (400, "BadRequest", text.clone()),
        Failure::TooManyRequests(text) => (429, "TooManyRequests", text.clone()),
        _ => (500, "InternalError", String::from("a defect of the mock")),
    };
    let body = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": text, "reason": code, "code": status,
    });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status::any(status);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (response, Refused { code, text })
}

/// The answer to whom a rule lets no more requests pass for so many seconds.
pub(super) fn too_many_requests(seconds: u32) -> (Response, Refused) {
    let text = format!("too many requests: try again in {seconds} s");
    let (mut response, refused) = refuse(&Failure::TooManyRequests(text));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    (response, refused)
}
