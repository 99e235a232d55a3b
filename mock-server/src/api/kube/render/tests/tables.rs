//! Rows of tables, as `kubectl get` prints them.

use serde_json::{Value, json};

use super::fixtures::{
    STAGES, all, at, bare, cluster_job, deleted, deployment, endpoints, events, job_pod, node, of, planted,
    record, scale, scene, service, stage, workload_pod,
};
use super::snapshot;
use crate::api::kube::render::table::{columns, write_row};
use crate::sim::cluster::facts::{Facts, Kind, NodeName, Outcome, Part, Reach, Record, ServiceOf, Stage};
use crate::sim::cluster::workloads::Workload;

fn row(record: &Record, include_object: bool) -> Value {
    let mut bytes = Vec::new();
    write_row(record, &scene(), include_object, &mut bytes);
    serde_json::from_slice(&bytes).expect("JSON")
}

fn cells(record: &Record) -> Vec<String> {
    let row = row(record, false);
    let cells = row["cells"].as_array().expect("cells").iter();
    cells.map(|cell| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned)).collect()
}

#[test]
fn every_row_has_a_cell_of_the_right_type_for_every_column() {
    for record in all() {
        let row = row(&record, false);
        let types: Vec<_> = row["cells"]
            .as_array()
            .expect("cells")
            .iter()
            .map(|cell| match cell {
                Value::String(_) => "string",
                Value::Number(_) => "integer",
                other => panic!("{other}"),
            })
            .collect();
        let columns: Vec<_> = columns(record.key.kind).iter().map(|column| column.type_).collect();
        assert_eq!(types, columns, "{record:?}");
    }
}

#[test]
fn the_columns_of_every_kind_are_those_of_the_contract() {
    let mut text = String::new();
    for kind in [
        Kind::Pod,
        Kind::Job,
        Kind::Service,
        Kind::Deployment,
        Kind::StatefulSet,
        Kind::Node,
        Kind::Event,
        Kind::Endpoints,
        Kind::Ingress,
        Kind::Namespace,
        Kind::ConfigMap,
    ] {
        let of = |priority| {
            let names = columns(kind).iter().filter(|column| column.priority == priority);
            names.map(|column| column.name).collect::<Vec<_>>().join(", ")
        };
        text.push_str(&format!("{kind:?}: {} | {}\n", of(0), of(1)));
    }
    snapshot("columns", &text);
    let name = serde_json::to_value(columns(Kind::Pod)[0]).expect("JSON");
    assert_eq!(
        (&name["type"], &name["format"], &name["priority"]),
        (&json!("string"), &json!("name"), &json!(0))
    );
    assert_ne!(name["description"], "");
}

#[test]
fn the_status_of_a_pod_is_the_word_that_kubectl_has_for_it() {
    let of_stage = |name: &str| cells(&job_pod(of(Part::Grpc), stage(name)))[1..4].join(" ");
    assert_eq!(
        STAGES.map(of_stage),
        [
            "0/1 Pending 0",
            "0/1 Pending 0",
            "0/1 Pending 0",
            "0/1 ContainerCreating 0",
            "0/1 Running 0",
            "1/1 Running 0",
            "0/1 Completed 0",
            "0/1 Error 0",
            "0/1 Completed 0",
        ]
    );
    let going = deleted(workload_pod(Workload::RabbitMq, stage("running"), 0));
    assert_eq!(cells(&going)[1..4], ["0/1", "Terminating", "0"]);
    let crashing = workload_pod(Workload::FocusServer, Stage::CrashLoop { since: at(180) }, 4);
    assert_eq!(cells(&crashing)[1..4], ["0/1", "CrashLoopBackOff", "4 (20s ago)"]);
}

#[test]
fn rows_of_every_kind() {
    let job = || ServiceOf::Job(of(Part::Grpc));
    let set = Facts::StatefulSet(scale(Workload::RabbitMq, 1, 1));
    let mut records = vec![
        job_pod(of(Part::Grpc), stage("running")),
        job_pod(bare(), stage("no share")),
        cluster_job(of(Part::Grpc), None),
        cluster_job(of(Part::Cleanup), Some(Outcome::Succeeded)),
        cluster_job(of(Part::Grpc), Some(Outcome::Failed)),
        service("grpc-service-1-1603", job()),
        service("mongodb", ServiceOf::Workload(Workload::MongoDb)),
        service("rabbitmq-panda", ServiceOf::Workload(Workload::RabbitMq)),
        service("rabbitmq-panda-headless", ServiceOf::Headless(Workload::RabbitMq)),
        service("left-over", planted(Reach::LoadBalancer)),
        endpoints("grpc-service-1-1603", job(), 1),
        endpoints("grpc-service-1-1603", job(), 0),
        endpoints("rabbitmq-panda", ServiceOf::Workload(Workload::RabbitMq), 2),
        deployment(1, 1),
        deployment(2, 0),
        record(Kind::StatefulSet, "rabbitmq-panda", set),
        node(NodeName::Worker, false, true, None),
        node(NodeName::Worker, true, true, None),
        node(NodeName::Master, false, false, None),
        record(Kind::Ingress, "panda-focus-server", Facts::Ingress),
        record(Kind::Namespace, "panda", Facts::Namespace),
        record(Kind::Secret, "rabbitmq-panda", Facts::Secret),
        record(Kind::ServiceAccount, "default", Facts::ServiceAccount),
    ];
    records.extend(events().into_iter().take(2));
    let lines =
        records.iter().map(|record| format!("{:?}: {}\n", record.key.kind, cells(record).join(" | ")));
    snapshot("rows", &lines.collect::<String>());
}

#[test]
fn a_row_has_the_metadata_of_its_object_or_the_whole_of_it() {
    for record in all() {
        let whole = super::shown(&record);
        assert_eq!(row(&record, true)["object"], whole);
        let expected = json!({
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": whole["metadata"],
        });
        assert_eq!(row(&record, false)["object"], expected);
    }
}
