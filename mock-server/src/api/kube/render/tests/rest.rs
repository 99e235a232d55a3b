//! Workloads, their Services, nodes, events, and what never changes.

use serde_json::{Value, json};

use super::fixtures::{
    all, deployment, endpoints, events, node, planted, record, scale, service, workload_pod,
};
use super::{look, pretty, shown, snapshot};
use crate::sim::cluster::facts::{ConfigMap, Facts, Kind, NodeName, Reach, ServiceOf};
use crate::sim::cluster::workloads::Workload;

#[test]
fn a_deployment_has_what_a_rollout_is_read_off() {
    snapshot("deployment", &pretty(&deployment(1, 1)));
}

#[test]
fn a_stateful_set_has_what_a_rollout_is_read_off() {
    let set = Facts::StatefulSet(scale(Workload::RabbitMq, 1, 1));
    snapshot("stateful-set", &pretty(&record(Kind::StatefulSet, "rabbitmq-panda", set)));
}

#[test]
fn a_deployment_of_no_pods_counts_none_and_is_available() {
    let none = shown(&deployment(0, 0));
    assert_eq!(none["spec"]["replicas"], 0);
    assert_eq!(none["status"]["observedGeneration"], none["metadata"]["generation"]);
    for count in ["replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "unavailableReplicas"]
    {
        assert_eq!(look(&none["status"], &format!("/{count}")), &Value::Null, "{count}");
    }
    assert_eq!(none["status"]["conditions"][0]["status"], "True");
    let waiting = shown(&deployment(2, 0));
    assert_eq!(waiting["status"]["unavailableReplicas"], 2);
    assert_eq!(waiting["status"]["conditions"][0]["type"], "Available");
    assert_eq!(waiting["status"]["conditions"][0]["status"], "False");
    assert_eq!(waiting["status"]["conditions"][1]["type"], "Progressing");
    assert_eq!(waiting["status"]["conditions"][1]["reason"], "NewReplicaSetAvailable");
}

#[test]
fn the_status_of_a_stateful_set_of_no_pods_counts_them_all_the_same() {
    let set = Facts::StatefulSet(scale(Workload::RabbitMq, 0, 0));
    let set = shown(&record(Kind::StatefulSet, "rabbitmq-panda", set));
    assert_eq!(set["status"]["replicas"], 0);
    assert_eq!(look(&set, "/status/readyReplicas"), &Value::Null);
    assert_eq!(set["status"]["currentRevision"], set["status"]["updateRevision"]);
}

#[test]
fn a_workload_selects_its_pods_and_nobody_elses() {
    let is_part = |part: &Value, whole: &Value| {
        let (part, whole) = (part.as_object().expect("labels"), whole.as_object().expect("labels"));
        part.iter().all(|(key, value)| whole.get(key) == Some(value))
    };
    for workload in Workload::ALL {
        let facts = scale(workload, 1, 1);
        let owner = if workload.is_stateful() {
            record(Kind::StatefulSet, workload.name(), Facts::StatefulSet(facts))
        } else {
            record(Kind::Deployment, workload.name(), Facts::Deployment(facts))
        };
        let selector = shown(&owner)["spec"]["selector"]["matchLabels"].clone();
        let service = shown(&service(workload.name(), ServiceOf::Workload(workload)));
        for other in Workload::ALL {
            let stage = super::fixtures::stage("running");
            let labels = shown(&workload_pod(other, stage, 0))["metadata"]["labels"].clone();
            assert_eq!(is_part(&selector, &labels), workload == other, "{workload:?} {other:?}");
            assert_eq!(is_part(&service["spec"]["selector"], &labels), workload == other);
        }
    }
}

#[test]
fn a_replica_set_selects_by_the_hash_in_its_name() {
    let set = Facts::ReplicaSet(scale(Workload::MongoDb, 1, 1));
    let set = shown(&record(Kind::ReplicaSet, "mongodb-5d4f8c7b96", set));
    let expected = json!({ "app.kubernetes.io/instance": "mongodb", "pod-template-hash": "5d4f8c7b96" });
    assert_eq!(set["spec"]["selector"]["matchLabels"], expected);
    assert_eq!(set["spec"]["template"]["metadata"]["labels"], expected);
}

#[test]
fn services_of_workloads_have_the_types_and_ports_of_the_contract() {
    let of = |name, of| {
        let spec = shown(&service(name, of))["spec"].clone();
        let ports = spec["ports"].as_array().expect("ports").iter();
        let ports: Vec<_> = ports.map(|port| port["port"].as_u64().expect("a port")).collect();
        (spec["type"].clone(), spec["clusterIP"].clone(), ports)
    };
    let (address, balancer) = (json!("127.96.0.5"), json!("LoadBalancer"));
    let server = of("panda-panda-focus-server", ServiceOf::Workload(Workload::FocusServer));
    assert_eq!(server, (json!("ClusterIP"), address.clone(), vec![5000]));
    let mongodb = of("mongodb", ServiceOf::Workload(Workload::MongoDb));
    assert_eq!(mongodb, (balancer.clone(), address.clone(), vec![27017]));
    let rabbitmq = of("rabbitmq-panda", ServiceOf::Workload(Workload::RabbitMq));
    assert_eq!(rabbitmq, (balancer, address, vec![5672, 15672]));
    let headless = of("rabbitmq-panda-headless", ServiceOf::Headless(Workload::RabbitMq));
    assert_eq!(headless, (json!("ClusterIP"), json!("None"), vec![4369, 25672, 5672, 15672]));
}

#[test]
fn a_service_that_somebody_created_is_given_back_as_it_came() {
    let service = shown(&service("left-over", planted(Reach::NodePort)));
    assert_eq!(service["metadata"]["labels"], json!({ "left": "over" }));
    assert_eq!(service["metadata"]["annotations"], json!({ "why": "rehearsal" }));
    assert_eq!(service["spec"]["type"], "NodePort");
    assert_eq!(look(&service, "/spec/selector"), &Value::Null);
    let expected = json!([
        { "nodePort": 12302, "port": 80, "protocol": "TCP", "targetPort": "web" },
        { "name": "more", "port": 81, "protocol": "UDP", "targetPort": 8081 },
    ]);
    assert_eq!(service["spec"]["ports"], expected);
    assert_eq!(look(&shown(&endpoints("left-over", planted(Reach::NodePort), 0)), "/subsets"), &Value::Null);
}

#[test]
fn the_worker_is_as_the_contract_has_it() {
    snapshot("node-worker", &pretty(&node(NodeName::Worker, false, true, None)));
}

#[test]
fn a_node_says_how_many_gpu_shares_there_are_and_the_master_has_none() {
    let shares = |name, pool| {
        let node = shown(&node(name, false, true, pool));
        let share = |of: &str| look(&node, &format!("/status/{of}/nvidia.com~1gpu.shared")).clone();
        assert_eq!(share("capacity"), share("allocatable"));
        share("allocatable")
    };
    assert_eq!(shares(NodeName::Worker, None), "1024");
    assert_eq!(shares(NodeName::Worker, Some(3)), "3");
    assert_eq!(shares(NodeName::Worker, Some(0)), "0");
    assert_eq!(shares(NodeName::Master, Some(3)), Value::Null);
}

#[test]
fn a_node_that_takes_no_pods_says_why() {
    let taints = |name, unschedulable, ready| {
        let node = shown(&node(name, unschedulable, ready, None));
        let taints = look(&node, "/spec/taints").as_array().cloned().unwrap_or_default();
        let keys = taints.iter().map(|taint| taint["key"].as_str().unwrap_or_default().to_owned());
        assert_eq!(look(&node, "/spec/unschedulable").as_bool().unwrap_or(false), unschedulable);
        assert_eq!(node["status"]["conditions"][0]["type"], "Ready");
        assert_eq!(node["status"]["conditions"][0]["status"], if ready { "True" } else { "False" });
        keys.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(taints(NodeName::Worker, false, true), "");
    assert_eq!(taints(NodeName::Worker, true, true), "node.kubernetes.io/unschedulable");
    assert_eq!(taints(NodeName::Worker, false, false), "node.kubernetes.io/not-ready");
    assert_eq!(taints(NodeName::Master, false, true), "node-role.kubernetes.io/control-plane");
}

#[test]
fn every_event_says_what_happened_to_what() {
    let line = |record| {
        let event = shown(record);
        let text = |path: &str| look(&event, path).as_str().unwrap_or("-").to_owned();
        let about = format!("{} {}", text("/involvedObject/kind"), text("/involvedObject/name"));
        let source = format!("{} {}", text("/source/component"), text("/source/host"));
        format!("{} {} | {about} | {source} | {}\n", text("/type"), text("/reason"), text("/message"))
    };
    snapshot("events", &events().iter().map(line).collect::<String>());
}

#[test]
fn an_event_counts_once_and_tells_when() {
    let event = shown(&events()[7]);
    let expected = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "name": "grpc-job-1-1603-a1b2c",
        "namespace": "panda",
        "uid": "fedcba98-7654-4210-bedc-ba9876543210",
    });
    assert_eq!(event["involvedObject"], expected);
    assert_eq!(event["count"], 1);
    assert_eq!(event["firstTimestamp"], "2025-12-05T16:58:28Z");
    assert_eq!(event["lastTimestamp"], "2025-12-05T16:58:28Z");
    assert!(event["message"].as_str().expect("text").contains("Insufficient nvidia.com/gpu.shared"));
}

#[test]
fn the_objects_that_never_change_hold_what_is_read_of_them() {
    let secret = shown(&record(Kind::Secret, "rabbitmq-panda", Facts::Secret));
    assert_eq!(secret["data"], json!({ "rabbitmq-username": "dXNlcg==", "rabbitmq-password": "ZHVtbXk=" }));
    let ingress = shown(&record(Kind::Ingress, "panda-focus-server", Facts::Ingress));
    let expected = json!({
        "path": "/focus-server",
        "pathType": "Prefix",
        "backend": { "service": { "name": "panda-panda-focus-server", "port": { "number": 5000 } } },
    });
    assert_eq!(ingress["spec"]["rules"][0]["http"]["paths"], json!([expected]));
    let namespace = shown(&record(Kind::Namespace, "panda", Facts::Namespace));
    assert_eq!(namespace["status"]["phase"], "Active");
    let map = Facts::ConfigMap(ConfigMap::GrpcJobTemplate);
    let map = shown(&record(Kind::ConfigMap, "grpc-job-template", map));
    assert!(map["data"]["grpc-job.yaml"].as_str().expect("text").contains("kind: Job"));
}

#[test]
fn nothing_but_loopback_addresses_is_shown() {
    for record in all() {
        let text = shown(&record).to_string();
        for word in text.split(|c: char| !(c.is_ascii_digit() || c == '.')) {
            if let Ok(address) = word.parse::<std::net::Ipv4Addr>() {
                assert!(address.is_loopback(), "{address} in {text}");
            }
        }
    }
}
