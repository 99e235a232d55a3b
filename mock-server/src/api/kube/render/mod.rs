//! From facts to objects of the API.
//!
//! Every object is made of `k8s-openapi`'s types, so that no name of a field is written by hand, at the moment it is asked
//! for: nothing of it is kept. Labels and the fields that selectors ask for are known without rendering ([`labels`],
//! [`field`]); tests hold that they are those of the rendered object.

mod address;
mod event;
mod fixed;
mod job;
mod known;
mod meta;
mod node;
mod object;
mod pod;
mod service;
pub(in crate::api::kube) mod table;
mod template;
mod time;
mod workload;

use std::net::IpAddr;
use std::time::Duration;

pub(in crate::api::kube) use self::known::{Field, field, labels};
use self::object::object;
pub(crate) use self::pod::{PHASES, phase};
pub(in crate::api::kube) use self::template::{command, container};
use crate::domain::time::Moment;
use crate::sim::cluster::facts::Record;

/// What objects show beside their own facts.
#[derive(Clone, Copy, Debug)]
pub(in crate::api::kube) struct Scene {
    /// The address of every node.
    pub(in crate::api::kube) node_address: IpAddr,
    /// The time, for the ages in tables.
    pub(in crate::api::kube) now: Moment,
    /// How long the Job that streams is kept once it is over.
    pub(in crate::api::kube) job_ttl: Duration,
    /// How long the Job that cleans up is kept once it is over.
    pub(in crate::api::kube) cleanup_ttl: Duration,
}

/// Appends the object as JSON, with its `apiVersion` and `kind`.
pub(in crate::api::kube) fn write(record: &Record, scene: &Scene, out: &mut Vec<u8>) {
    serde_json::to_writer(out, &object(record, scene))
        .expect("objects have texts for keys, and memory takes it all");
}

/// The object as JSON, with its `apiVersion` and `kind`.
pub(in crate::api::kube) fn value(record: &Record, scene: &Scene) -> serde_json::Value {
    serde_json::to_value(object(record, scene)).expect("objects have texts for keys")
}

#[cfg(test)]
mod tests;
