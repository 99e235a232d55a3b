//! The Kubernetes API of the simulated cluster, as far as clients of the product use it.
//!
//! Objects are rendered from the world's facts through `k8s-openapi`'s types and read back through them; nothing of them
//! is kept here. What is not simulated answers 404 or 405 with a message that says so.

mod answer;
mod ask;
mod discovery;
mod failure;
mod get;
mod list;
mod metrics;
// The stand-in, until the renderer is merged: delete this line and `render_stub.rs`.
#[path = "render_stub.rs"]
mod render;
mod resource;
mod router;
mod selectors;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use crate::sim::Simulation;

/// What every answer needs.
pub(crate) struct Kube {
    /// The world.
    pub(crate) simulation: Arc<Simulation>,
    /// The host on which job ports are: the address of every node.
    pub(crate) node_address: IpAddr,
    /// The namespace of the product.
    pub(crate) namespace: Arc<str>,
}

impl Kube {
    /// What objects are rendered with.
    fn scene(&self) -> render::Scene {
        render::Scene { node_address: self.node_address, now: self.simulation.clock().now() }
    }
}
