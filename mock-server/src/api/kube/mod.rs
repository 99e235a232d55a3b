//! The Kubernetes API of the simulated cluster, as far as clients of the product use it.
//!
//! Objects are rendered from the world's facts through `k8s-openapi`'s types and read back through them; nothing of them
//! is kept here. What is not simulated answers 404 or 405 with a message that says so.

mod ask;
mod body;
mod failure;
mod log;
mod names;
mod patch;
mod render;
mod resource;
mod said;
mod scale;
mod service;
mod stub;
mod watch;
mod workload;
mod write;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use crate::sim::Simulation;

pub(crate) use watch::{MOST_WATCHES, Watches};

/// What every answer needs.
pub(crate) struct Kube {
    /// The world.
    pub(crate) simulation: Arc<Simulation>,
    /// The host on which job ports are: the address of every node.
    pub(crate) node_address: IpAddr,
    /// The namespace of the product.
    pub(crate) namespace: Arc<str>,
    /// The watches that are open.
    pub(crate) watches: Watches,
}
