//! What `kubectl top` reads.

use serde_json::json;

use super::{NOW, Rig};
use crate::api::kube::metrics;
use crate::api::kube::resource::{METRICS, Resource};
use crate::domain::time::Moment;
use crate::sim::cluster::facts::{
    Facts, Key, Kind, Namespace, Node, NodeName, Owner, Pod, PodOf, Stage, Uid,
};
use crate::sim::cluster::workloads::Workload;

const ROOT: &str = "/apis/metrics.k8s.io/v1beta1";

fn node(name: NodeName) -> Facts {
    let ready_since = Moment::from_nanos(NOW);
    Facts::Node(Node { name, unschedulable: false, ready: true, ready_since, gpu_pool: None })
}

fn pod() -> Facts {
    let key = Key::new(Kind::ReplicaSet, &Namespace("panda".into()), "mongodb-0123456789");
    Facts::Pod(Pod {
        of: PodOf::Workload { workload: Workload::MongoDb, unlabelled: false },
        owner: Owner { key, uid: Uid(1) },
        placed: None,
        stage: Stage::Creating,
        restarts: 0,
    })
}

#[test]
fn a_node_has_its_use_at_the_servers_time() {
    let rig = Rig::new();
    rig.put(Kind::Node, "", "worker-node", node(NodeName::Worker));
    let expected = json!({
        "kind": "NodeMetrics", "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {"name": "worker-node", "creationTimestamp": "2025-12-05T14:58:23Z",
            "labels": {"kubernetes.io/hostname": "worker-node", "node-role.kubernetes.io/worker": ""}},
        "timestamp": "2025-12-05T14:58:23Z", "window": "10s",
        "usage": {"cpu": "120m", "memory": "16Gi"},
    });
    assert_eq!(rig.get(&format!("{ROOT}/nodes/worker-node")).json(), expected);
    let list = rig.get(&format!("{ROOT}/nodes")).json();
    assert_eq!(
        list,
        json!({"kind": "NodeMetricsList", "apiVersion": "metrics.k8s.io/v1beta1",
            "metadata": {"resourceVersion": "1"}, "items": [expected]})
    );
    assert_eq!(
        rig.get(&format!("{ROOT}/nodes/other")).refusal(),
        (404, "nodemetrics.metrics.k8s.io \"other\" not found".into())
    );
}

#[test]
fn selectors_leave_the_nodes_that_they_mean() {
    let rig = Rig::new();
    rig.put(Kind::Node, "", "worker-node", node(NodeName::Worker));
    rig.put(Kind::Node, "", "master-node", node(NodeName::Master));
    let names = |query: &str| {
        let list = rig.get(&format!("{ROOT}/nodes?{query}")).json();
        let items = list["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["master-node", "worker-node"]);
    assert_eq!(names("fieldSelector=metadata.name%3Dworker-node"), ["worker-node"]);
    assert_eq!(names("labelSelector=missing"), Vec::<String>::new());
    assert_eq!(rig.get(&format!("{ROOT}/nodes?labelSelector=(")).refusal().0, 400);
}

#[test]
fn a_pod_has_its_use_by_container() {
    let rig = Rig::new();
    let record = rig.put(Kind::Pod, "panda", "mongodb-0123456789-abcde", pod());
    let resource = Resource::find(METRICS, "v1beta1", "pods").unwrap();
    let metrics = metrics::of(resource, &record, 250, &rig.kube.scene());
    let expected = json!({
        "kind": "PodMetrics", "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {"name": "mongodb-0123456789-abcde", "namespace": "panda",
            "creationTimestamp": "2025-12-05T14:58:23Z",
            "labels": {"app.kubernetes.io/instance": "mongodb", "pod-template-hash": "0123456789"}},
        "timestamp": "2025-12-05T14:58:23Z", "window": "10s",
        "containers": [{"name": "mongodb", "usage": {"cpu": "250m", "memory": "512Mi"}}],
    });
    assert_eq!(serde_json::to_value(metrics).unwrap(), expected);
}

#[test]
fn a_pod_that_does_not_run_has_no_metrics() {
    let rig = Rig::new();
    rig.put(Kind::Pod, "panda", "mongodb-0123456789-abcde", pod());
    for path in ["pods", "namespaces/panda/pods"] {
        let list = rig.get(&format!("{ROOT}/{path}")).json();
        assert_eq!((&list["kind"], &list["items"]), (&json!("PodMetricsList"), &json!([])), "{path}");
    }
    assert_eq!(
        rig.get(&format!("{ROOT}/namespaces/panda/pods/mongodb-0123456789-abcde")).refusal(),
        (404, "podmetrics.metrics.k8s.io \"panda/mongodb-0123456789-abcde\" not found".into())
    );
}
