//! Pods in every stage of their lives.

use serde_json::{Value, json};

use super::fixtures::{STAGES, all, at, bare, deleted, job_pod, of, placed, stage, unlabelled, workload_pod};
use super::{look, pretty, shown, snapshot};
use crate::sim::cluster::facts::{Facts, Kind, Part, Stage};
use crate::sim::cluster::workloads::Workload;

#[test]
fn a_running_streaming_pod_is_as_the_contract_has_it() {
    snapshot("pod-grpc-running", &pretty(&job_pod(of(Part::Grpc), stage("running"))));
}

#[test]
fn a_running_cleanup_pod_is_as_the_contract_has_it() {
    snapshot("pod-cleanup-running", &pretty(&job_pod(of(Part::Cleanup), stage("running"))));
}

#[test]
fn a_pod_of_a_stateful_set_is_as_the_contract_has_it() {
    snapshot("pod-rabbitmq-running", &pretty(&workload_pod(Workload::RabbitMq, stage("running"), 0)));
}

#[test]
fn the_status_of_a_streaming_pod_in_every_stage() {
    let mut text = String::new();
    for name in STAGES {
        let status = shown(&job_pod(of(Part::Grpc), stage(name)))["status"].clone();
        text.push_str(&format!("== {name}\n{}\n", serde_json::to_string_pretty(&status).expect("JSON")));
    }
    snapshot("pod-statuses", &text);
}

#[test]
fn ready_is_the_first_condition_of_every_pod_and_true_only_of_one_that_is() {
    let pods = all().into_iter().filter(|record| record.key.kind == Kind::Pod);
    let mut ready = 0;
    for record in pods {
        let shown = shown(&record);
        let conditions = shown["status"]["conditions"].as_array().expect("conditions").clone();
        let types: Vec<_> = conditions.iter().map(|one| one["type"].as_str().expect("a type")).collect();
        assert_eq!(types, ["Ready", "Initialized", "ContainersReady", "PodScheduled"]);
        let Facts::Pod(pod) = &record.facts else { unreachable!("a pod") };
        let is_ready =
            matches!(pod.stage, Stage::Running { ready: Some(_), .. }) && record.deleting.is_none();
        ready += usize::from(is_ready);
        let status = if is_ready { "True" } else { "False" };
        assert_eq!((&conditions[0]["status"], &conditions[2]["status"]), (&json!(status), &json!(status)));
        let container = look(&shown, "/status/containerStatuses/0/ready");
        assert_eq!(container.as_bool().unwrap_or(false), is_ready, "{shown}");
    }
    assert_eq!(ready, 8, "three of jobs and five of workloads");
}

#[test]
fn a_pod_has_an_address_only_once_it_has_a_container_and_a_host_only_once_it_has_a_node() {
    let status = |name| shown(&job_pod(of(Part::Grpc), stage(name)))["status"].clone();
    for (name, pod_ip, host_ip) in [
        ("no share", Value::Null, Value::Null),
        ("creating", Value::Null, json!("127.0.0.1")),
        ("running", json!("127.64.0.7"), json!("127.0.0.1")),
        ("succeeded", json!("127.64.0.7"), json!("127.0.0.1")),
    ] {
        let status = status(name);
        assert_eq!(look(&status, "/podIP"), &pod_ip, "{name}");
        assert_eq!(look(&status, "/podIPs/0/ip"), &pod_ip, "{name}");
        assert_eq!(look(&status, "/hostIP"), &host_ip, "{name}");
        assert_eq!(look(&status, "/hostIPs/0/ip"), &host_ip, "{name}");
    }
    assert_eq!(placed().at, at(1));
    assert_eq!(status("creating")["startTime"], "2025-12-05T16:58:24Z");
}

#[test]
fn a_pod_belongs_to_one_owner_that_controls_it() {
    let expected = |api_version: &str, kind: &str, name: &str| {
        json!([{
            "apiVersion": api_version,
            "blockOwnerDeletion": true,
            "controller": true,
            "kind": kind,
            "name": name,
            "uid": "fedcba98-7654-4210-bedc-ba9876543210",
        }])
    };
    let owners = |record| shown(&record)["metadata"]["ownerReferences"].clone();
    let job = owners(job_pod(of(Part::Cleanup), stage("running")));
    assert_eq!(job, expected("batch/v1", "Job", "cleanup-job-1-1603"));
    let set = owners(workload_pod(Workload::MongoDb, stage("running"), 0));
    assert_eq!(set, expected("apps/v1", "ReplicaSet", "mongodb-5d4f8c7b96"));
    let set = owners(workload_pod(Workload::RabbitMq, stage("running"), 0));
    assert_eq!(set, expected("apps/v1", "StatefulSet", "rabbitmq-panda"));
}

#[test]
fn a_pod_that_ends_before_it_has_a_node_has_a_phase_and_no_container() {
    let mut record = job_pod(of(Part::Grpc), stage("never started"));
    let Facts::Pod(pod) = &mut record.facts else { unreachable!("a pod") };
    pod.placed = None;
    let status = shown(&record)["status"].clone();
    assert_eq!(status["phase"], "Succeeded");
    assert_eq!(look(&status, "/containerStatuses"), &Value::Null);
    assert_eq!(status["conditions"][3]["status"], "False");
}

#[test]
fn a_pod_that_is_being_deleted_runs_and_is_not_ready_any_more() {
    let pod = shown(&deleted(workload_pod(Workload::MongoDb, stage("running"), 0)));
    assert_eq!(pod["status"]["phase"], "Running");
    assert_eq!(pod["status"]["conditions"][0]["status"], "False");
    assert_eq!(pod["status"]["conditions"][0]["lastTransitionTime"], "2025-12-05T17:01:33Z");
    assert_eq!(pod["status"]["containerStatuses"][0]["ready"], false);
}

#[test]
fn a_crash_loop_shows_in_the_container() {
    let pod = shown(&workload_pod(Workload::FocusServer, Stage::CrashLoop { since: at(180) }, 4));
    let container = &pod["status"]["containerStatuses"][0];
    assert_eq!(pod["status"]["phase"], "Running");
    assert_eq!(container["restartCount"], 4);
    assert_eq!(container["state"]["waiting"]["reason"], "CrashLoopBackOff");
    assert_eq!(container["lastState"]["terminated"]["exitCode"], 1);
    assert_eq!((&container["ready"], &container["started"]), (&json!(false), &json!(false)));
}

#[test]
fn labels_of_pods_are_those_of_the_contract() {
    let labels = |record| shown(&record)["metadata"]["labels"].clone();
    let uid = "fedcba98-7654-4210-bedc-ba9876543210";
    for (part, name) in [(Part::Grpc, "grpc-job-1-1603"), (Part::Cleanup, "cleanup-job-1-1603")] {
        let expected = json!({ "app": name, "controller-uid": uid, "job-name": name, "job_id": "1-1603" });
        assert_eq!(labels(job_pod(of(part), stage("running"))), expected);
    }
    let name = "grpc-job-1-1603";
    let expected = json!({ "app": name, "controller-uid": uid, "job-name": name });
    assert_eq!(labels(job_pod(bare(), stage("running"))), expected);
    let server = "panda-panda-focus-server";
    let expected = json!({
        "app": "focus-server",
        "app.kubernetes.io/name": server,
        "pod-template-hash": "5d4f8c7b96",
    });
    assert_eq!(labels(workload_pod(Workload::FocusServer, stage("running"), 0)), expected);
    let expected = json!({ "app.kubernetes.io/name": server, "pod-template-hash": "5d4f8c7b96" });
    assert_eq!(labels(unlabelled()), expected);
}
