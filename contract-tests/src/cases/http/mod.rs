//! What holds for every route: methods, prefixes, ids, bodies, refusals, and what no answer may contain.

pub(super) mod bodies;
pub(super) mod exposure;
pub(super) mod openapi;
pub(super) mod refusals;
pub(super) mod routes;

use reqwest::Method;

use crate::client::rest::Request;

/// A request with a body above 1 MiB, on a connection that nothing follows on: whoever refuses a body without reading
/// it may end the connection behind the answer.
fn too_large(method: Method, path: &str, filling: u8) -> Request {
    Request::of(method, path).header("connection", "close").body(vec![filling; 1024 * 1024 + 1])
}

/// Every public route with its one method; names of jobs and tasks are some that nobody has.
const ROUTES: [(Method, &str); 13] = [
    (Method::GET, "/ack"),
    (Method::GET, "/channels"),
    (Method::GET, "/live_metadata"),
    (Method::POST, "/configure"),
    (Method::GET, "/metadata/9999-9999"),
    (Method::DELETE, "/job/9999-9999"),
    (Method::POST, "/recordings_in_time_range"),
    (Method::GET, "/get_recordings_timeline"),
    (Method::GET, "/sensors"),
    (Method::POST, "/config/nobody"),
    (Method::GET, "/waterfall/nobody/1"),
    (Method::GET, "/openapi.json"),
    (Method::GET, "/docs"),
];

/// Those of them that only read and answer 200 whatever there is.
const READING: [&str; 7] =
    ["/ack", "/channels", "/live_metadata", "/get_recordings_timeline", "/sensors", "/openapi.json", "/docs"];
