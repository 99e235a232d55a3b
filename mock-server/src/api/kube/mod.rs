//! The Kubernetes API of the simulated cluster, as far as clients of the product use it.
//!
//! Objects are rendered from the world's facts through `k8s-openapi`'s types and read back through them; nothing of them
//! is kept here. What is not simulated answers 404 or 405 with a message that says so.

mod answer;
mod ask;
mod body;
mod discovery;
mod failure;
mod get;
mod interface;
mod list;
mod log;
mod metrics;
mod names;
mod patch;
mod protobuf;
mod render;
mod resource;
mod router;
mod said;
mod scale;
mod selectors;
mod service;
#[cfg(test)]
mod tests;
mod warning;
mod watch;
mod workload;
mod write;

use std::net::IpAddr;
use std::sync::Arc;

use axum::response::Response;
use http::HeaderValue;
use http::header::RETRY_AFTER;

use self::failure::Failure;
use crate::api::rejection::Refused;
use crate::sim::Simulation;
use crate::sim::cluster::facts::Kind;

pub(crate) use interface::{Interface, Shared};
pub(crate) use render::{PHASES, phase};
pub(crate) use watch::Watches;

/// What every answer needs.
pub(crate) struct Kube {
    /// The world.
    pub(crate) simulation: Arc<Simulation>,
    /// The host on which job ports are: the address of every node.
    pub(crate) node_address: IpAddr,
    /// The watches that are open.
    pub(crate) watches: Arc<Watches>,
}

/// The kinds of objects that are served, with their names.
pub(crate) fn kinds() -> impl Iterator<Item = (Kind, &'static str)> {
    resource::TABLE.iter().filter(|row| !row.is_metrics()).map(|row| (row.kind, row.kind_name))
}

/// The answer to whom a rule lets no more requests pass for so many seconds.
pub(crate) fn too_many_requests(seconds: u32) -> (Response, Refused) {
    let failure = Failure::TooManyRequests(format!("too many requests: try again in {seconds} s"));
    let (mut response, refused) = failure.refuse();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    (response, refused)
}

impl Kube {
    /// What objects are rendered with.
    fn scene(&self) -> render::Scene {
        let (job_ttl, cleanup_ttl) = self.simulation.with(|world, _| {
            let times = &world.setup().times;
            (times.job_ttl, times.cleanup_ttl)
        });
        render::Scene {
            node_address: self.node_address,
            now: self.simulation.clock().now(),
            job_ttl,
            cleanup_ttl,
        }
    }
}
