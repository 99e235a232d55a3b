//! Nodes.
//!
//! **Chosen**: the machine that a node claims to be, and CPU, memory and pods beyond what any number of jobs asks for:
//! GPU shares alone are simulated as a limit.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Node, NodeAddress, NodeCondition, NodeSpec, NodeStatus, NodeSystemInfo, Taint,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::Scene;
use super::known::role;
use super::meta::{meta, uid};
use super::template::GPU_SHARES;
use super::time::time;
use crate::sim::cluster::facts::{self, NodeName, Record};

/// The version that every part of the cluster has.
const VERSION: &str = "v1.28.0";
/// Size of the pool of GPU shares that is shown where there is no limit.
const UNLIMITED_SHARES: u32 = 1024;

pub(super) fn node(record: &Record, node: &facts::Node, scene: &Scene) -> Node {
    let taints = taints(node);
    let there = resources(node);
    let address = |type_: &str, address: String| NodeAddress { type_: type_.to_owned(), address };
    Node {
        metadata: meta(record),
        spec: Some(NodeSpec {
            unschedulable: node.unschedulable.then_some(true),
            taints: (!taints.is_empty()).then_some(taints),
            ..NodeSpec::default()
        }),
        status: Some(NodeStatus {
            addresses: Some(vec![
                address("InternalIP", scene.node_address.to_string()),
                address("Hostname", record.key.name.to_string()),
            ]),
            capacity: Some(there.clone()),
            allocatable: Some(there),
            conditions: Some(conditions(record, node)),
            node_info: Some(info(record)),
            ..NodeStatus::default()
        }),
    }
}

fn taints(node: &facts::Node) -> Vec<Taint> {
    let keys = [
        (node.name == NodeName::Master).then(|| role(node.name)),
        node.unschedulable.then_some("node.kubernetes.io/unschedulable"),
        (!node.ready).then_some("node.kubernetes.io/not-ready"),
    ];
    let taint =
        |key: &str| Taint { key: key.to_owned(), effect: String::from("NoSchedule"), ..Taint::default() };
    keys.into_iter().flatten().map(taint).collect()
}

fn resources(node: &facts::Node) -> BTreeMap<String, Quantity> {
    let mut there = vec![
        ("cpu", String::from("4096")),
        ("memory", String::from("65536Gi")),
        ("pods", String::from("4096")),
    ];
    if node.name == NodeName::Worker {
        there.push((GPU_SHARES, node.gpu_pool.unwrap_or(UNLIMITED_SHARES).to_string()));
    }
    there.into_iter().map(|(name, amount)| (name.to_owned(), Quantity(amount))).collect()
}

/// **Chosen**: `Ready` comes first; a client takes the first one's type for the node's status. The heartbeat stands still:
/// an object is the same as long as its version is.
fn conditions(record: &Record, node: &facts::Node) -> Vec<NodeCondition> {
    let condition = |type_: &str, holds: bool, since, reason: &str, message: &str| NodeCondition {
        type_: type_.to_owned(),
        status: String::from(if holds { "True" } else { "False" }),
        last_heartbeat_time: Some(time(node.ready_since)),
        last_transition_time: Some(time(since)),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
    };
    let (reason, message) = if node.ready {
        ("KubeletReady", "kubelet is posting ready status")
    } else {
        ("KubeletNotReady", "container runtime is down")
    };
    let enough = |type_, reason, message| condition(type_, false, record.created, reason, message);
    vec![
        condition("Ready", node.ready, node.ready_since, reason, message),
        enough("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        enough("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        enough("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ]
}

fn info(record: &Record) -> NodeSystemInfo {
    let id = uid(record.uid);
    NodeSystemInfo {
        architecture: String::from("amd64"),
        machine_id: id.replace('-', ""),
        boot_id: id.clone(),
        system_uuid: id,
        container_runtime_version: String::from("containerd://1.7.2"),
        kernel_version: String::from("5.15.0-generic"),
        kube_proxy_version: VERSION.to_owned(),
        kubelet_version: VERSION.to_owned(),
        operating_system: String::from("linux"),
        os_image: String::from("Ubuntu 22.04 LTS"),
        swap: None,
    }
}
