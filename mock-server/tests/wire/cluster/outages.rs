//! Outages that are provoked through the cluster, as the product's clients see them.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams};
use kube::runtime::wait::{await_condition, conditions as is};
use serde_json::{Value, json};

use super::client::{Cluster, phase, refusal, within};
use crate::common::{START, base, light, with};

const MONGODB: &str = "app.kubernetes.io/instance=mongodb";
const BROKER: &str = "app.kubernetes.io/instance=rabbitmq-panda";
const SERVER: &str = "app=focus-server";

fn accepted() -> (u16, String) {
    (200, String::new())
}

fn refused(code: &str) -> (u16, String) {
    (503, code.to_owned())
}

fn historic() -> Value {
    with(base(), &json!({"start_time": START - 7200, "end_time": START - 3600}))
}

#[tokio::test]
async fn mongodb_scaled_to_nothing_is_an_outage_until_its_pod_is_ready_again() {
    let cluster = Cluster::held().await;
    let before = cluster.pod_of_workload(MONGODB).await.expect("a pod");
    cluster.scale_deployment("mongodb", 0).await;
    assert_eq!(cluster.configures(&historic()).await, refused("RECORDINGS_UNAVAILABLE"));
    assert_eq!(cluster.configures(&light()).await, accepted());
    assert_eq!((cluster.pod_of_workload(MONGODB).await, cluster.addresses("mongodb").await), (None, 0));
    let status =
        cluster.api::<Deployment>().get("mongodb").await.expect("a deployment").status.expect("a status");
    assert_eq!(status.ready_replicas, None);
    cluster.advance(2000);
    assert_eq!(refusal(cluster.pods().get(&before.0).await).0, 404);
    cluster.scale_deployment("mongodb", 1).await;
    cluster.advance(2999);
    let (name, is_ready) = cluster.pod_of_workload(MONGODB).await.expect("a pod");
    assert_eq!((name != before.0, is_ready), (true, false));
    assert_eq!(cluster.configures(&historic()).await, refused("RECORDINGS_UNAVAILABLE"));
    cluster.advance(1);
    assert_eq!(cluster.pod_of_workload(MONGODB).await, Some((name, true)));
    assert_eq!((cluster.configures(&historic()).await, cluster.addresses("mongodb").await), (accepted(), 1));
    let completed = await_condition(cluster.api::<Deployment>(), "mongodb", is::is_deployment_completed());
    within("a deployment that is rolled out", completed).await.expect("a watch");
}

#[tokio::test]
async fn the_broker_scaled_to_nothing_refuses_every_configuration() {
    let cluster = Cluster::held().await;
    cluster.scale_stateful_set("rabbitmq-panda", 0).await;
    for body in [light(), historic()] {
        assert_eq!(cluster.configures(&body).await, refused("BROKER_UNAVAILABLE"));
    }
    cluster.advance(2000);
    assert_eq!(cluster.pod_of_workload(BROKER).await, None);
    cluster.scale_stateful_set("rabbitmq-panda", 1).await;
    assert_eq!(cluster.pod_of_workload(BROKER).await, Some(("rabbitmq-panda-0".into(), false)));
    cluster.advance(3000);
    assert_eq!(cluster.configures(&light()).await, accepted());
    let scale = cluster.api::<StatefulSet>().get_scale("rabbitmq-panda").await.expect("a scale");
    assert_eq!(scale.status.expect("a status").replicas, 1);
}

#[tokio::test]
async fn without_the_recorder_what_was_recorded_stays_and_nothing_is_added() {
    let cluster = Cluster::held().await;
    let newest = async || {
        let body = json!({"start_time": START - 86_400, "end_time": START + 86_400});
        let answer = cluster.rest.post("/recordings_in_time_range", &body).await.json();
        let recordings = answer.as_array().expect("a list");
        recordings.iter().map(|recording| recording[1].as_i64().expect("a time")).max()
    };
    cluster.scale_deployment("panda-panda-segy-recorder", 0).await;
    let then = newest().await;
    cluster.advance(60_000);
    assert_eq!((newest().await, cluster.configures(&historic()).await), (then, accepted()));
    cluster.scale_deployment("panda-panda-segy-recorder", 1).await;
    cluster.advance(63_000);
    assert!(newest().await > then);
}

#[tokio::test]
async fn the_focus_server_scaled_to_nothing_takes_its_routes_along_and_nothing_else() {
    let cluster = Cluster::held().await;
    cluster.job().await;
    cluster.scale_deployment("panda-panda-focus-server", 0).await;
    for path in ["/ack", "/metadata/1-1", "/channels"] {
        assert_eq!(cluster.rest.get(path).await.refusal(), refused("SERVER_DOWN"), "{path}");
    }
    assert_eq!(cluster.names_of::<Pod>("1-1").await.len(), 2, "running jobs stay");
    cluster.advance(2000);
    assert_eq!(cluster.pod_of_workload(SERVER).await, None);
    cluster.scale_deployment("panda-panda-focus-server", 1).await;
    cluster.advance(2999);
    assert_eq!(cluster.rest.get("/ack").await.status, 503);
    cluster.advance(1);
    assert_eq!(
        (cluster.rest.get("/ack").await.status, cluster.rest.get("/metadata/1-1").await.status),
        (200.try_into().expect("a status"), 200.try_into().expect("a status"))
    );
}

#[tokio::test]
async fn a_deleted_pod_of_a_deployment_is_replaced_under_another_name_that_of_a_stateful_set_under_its_own() {
    let cluster = Cluster::held().await;
    let (server, _) = cluster.pod_of_workload(SERVER).await.expect("a pod");
    cluster.pods().delete(&server, &DeleteParams::default()).await.expect("deleted");
    let (replacement, is_ready) = cluster.pod_of_workload(SERVER).await.expect("a pod");
    assert_eq!(
        (replacement != server, is_ready, cluster.rest.get("/ack").await.status.as_u16()),
        (true, false, 503)
    );
    cluster.advance(3000);
    assert_eq!(
        (cluster.pod_of_workload(SERVER).await, cluster.rest.get("/ack").await.status.as_u16()),
        (Some((replacement, true)), 200)
    );

    let before = cluster.pods().get("rabbitmq-panda-0").await.expect("a pod");
    cluster.pods().delete("rabbitmq-panda-0", &DeleteParams::default()).await.expect("deleted");
    cluster.advance(2000);
    let mut absent = 0;
    while cluster.pods().get_opt("rabbitmq-panda-0").await.expect("an answer").is_none() {
        absent += 1;
        cluster.advance(1000);
    }
    assert!((6..=8).contains(&absent), "{absent} s");
    let after = cluster.pods().get("rabbitmq-panda-0").await.expect("a pod");
    assert_ne!(before.metadata.uid, after.metadata.uid);
}

#[tokio::test]
async fn a_restart_by_annotation_makes_another_pod_of_another_replica_set() {
    let cluster = Cluster::held().await;
    let (before, _) = cluster.pod_of_workload(MONGODB).await.expect("a pod");
    cluster.api::<Deployment>().restart("mongodb").await.expect("restarted");
    cluster.advance(3000);
    let (after, is_ready) = cluster.pod_of_workload(MONGODB).await.expect("a pod");
    let set = |pod: &str| pod.rsplit_once('-').expect("a name").0.to_owned();
    assert_eq!((set(&before) != set(&after), is_ready), (true, true));
    // By its owner, kubectl finds the newest ReplicaSet of a Deployment.
    let deployment = cluster.api::<Deployment>().get("mongodb").await.expect("a deployment");
    let newest = cluster.api::<ReplicaSet>().get(&set(&after)).await.expect("a set");
    let owner = &newest.owner_references()[0];
    assert_eq!((owner.kind.as_str(), &*owner.name), ("Deployment", "mongodb"));
    assert_eq!((Some(&owner.uid), owner.controller), (deployment.metadata.uid.as_ref(), Some(true)));
}

#[tokio::test]
async fn on_a_cordoned_node_new_pods_wait_until_it_takes_them_again() {
    let cluster = Cluster::held().await;
    let cordoned = cluster.nodes().cordon("worker-node").await.expect("cordoned");
    assert_eq!(cordoned.spec.expect("a spec").unschedulable, Some(true));
    assert_eq!(cluster.configures(&light()).await, accepted());
    let pod = cluster.pod_of("grpc-job-1-1").await;
    assert_eq!(phase(&pod), "Pending");
    assert_eq!(cluster.reasons(&pod.name_any()).await, ["FailedScheduling"]);
    cluster.nodes().uncordon("worker-node").await.expect("uncordoned");
    assert_eq!(phase(&cluster.pod_of("grpc-job-1-1").await), "Running");
}

#[tokio::test]
async fn without_a_gpu_share_a_pod_waits_for_the_oldest_to_end() {
    let cluster = Cluster::of(|setup| setup.gpu.size = Some(1)).await;
    cluster.job().await;
    cluster.job().await;
    let waiting = cluster.pod_of("grpc-job-2-2").await;
    assert_eq!((phase(&waiting), cluster.addresses("grpc-service-2-2").await), ("Pending".into(), 0));
    let about = ListParams::default()
        .fields(&format!("involvedObject.name={},reason=FailedScheduling", waiting.name_any()));
    let events = cluster.api::<k8s_openapi::api::core::v1::Event>().list(&about).await.expect("a list");
    assert!(
        events.items[0].message.as_deref().unwrap_or_default().contains("Insufficient nvidia.com/gpu.shared")
    );
    let node = cluster.nodes().get("worker-node").await.expect("a node").status.expect("a status");
    assert_eq!(node.allocatable.expect("resources")["nvidia.com/gpu.shared"].0, "1");
    cluster.rest.cancel("1-1").await;
    cluster.advance(5000);
    assert_eq!(
        (phase(&cluster.pod_of("grpc-job-2-2").await), cluster.addresses("grpc-service-2-2").await),
        ("Running".into(), 1)
    );
}
