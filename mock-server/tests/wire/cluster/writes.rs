//! What callers write: left-over Services, and what is not simulated.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service, ServicePort, ServiceSpec};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::core::ObjectMeta;
use serde_json::json;

use super::client::{Cluster, refusal};
use crate::common::light;

/// A NodePort Service such as a lost job leaves.
fn left_over(name: &str, node_port: u16) -> Service {
    let port = ServicePort { port: 5000, node_port: Some(node_port.into()), ..ServicePort::default() };
    Service {
        metadata: ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() },
        spec: Some(ServiceSpec {
            type_: Some("NodePort".into()),
            ports: Some(vec![port]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

#[tokio::test]
async fn a_created_service_takes_the_port_of_the_next_job_until_it_is_deleted() {
    let cluster = Cluster::held().await;
    let port = cluster.server.port_base() + 1;
    let service = left_over("grpc-service-1-65", port);
    let created = cluster.services().create(&PostParams::default(), &service).await.expect("created");
    let spec = created.spec.expect("a spec");
    assert_eq!(spec.ports.expect("ports")[0].node_port, Some(port.into()));
    for _ in 0..2 {
        assert_eq!(cluster.configures(&light()).await, (409, "PORT_IN_USE".into()));
    }
    let again = left_over("another", port);
    let (code, reason, message) = refusal(cluster.services().create(&PostParams::default(), &again).await);
    assert_eq!(
        (code, &*reason, message),
        (
            422,
            "Invalid",
            format!(
                "Service \"another\" is invalid: spec.ports[0].nodePort: Invalid value: {port}: provided port is already \
                 allocated"
            )
        )
    );
    let deleted = cluster.services().delete("grpc-service-1-65", &DeleteParams::default()).await;
    deleted.expect("deleted").left().expect("the service");
    assert_eq!(cluster.configures(&light()).await, (200, String::new()));
}

#[tokio::test]
async fn a_service_cannot_take_the_port_of_a_job() {
    let cluster = Cluster::held().await;
    cluster.job().await;
    let service = left_over("x", cluster.server.port_base() + 1);
    assert_eq!(refusal(cluster.services().create(&PostParams::default(), &service).await).0, 422);
}

#[tokio::test]
async fn what_is_not_simulated_says_so() {
    let cluster = Cluster::held().await;
    let (code, reason, message) =
        refusal(cluster.pods().create(&PostParams::default(), &Pod::default()).await);
    assert_eq!((code, &*reason), (405, "MethodNotAllowed"));
    assert!(
        message.ends_with("create of pods is not simulated here, but delete, get, list, watch"),
        "{message}"
    );
    let body = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "mongodb"}});
    let apply = PatchParams::apply("test");
    let applied = cluster.api::<Deployment>().patch("mongodb", &apply, &Patch::Apply(&body)).await;
    let (code, _, message) = refusal(applied);
    assert_eq!((code, message.ends_with("server-side apply is not simulated")), (415, true), "{message}");
}

#[tokio::test]
async fn replicas_below_zero_are_invalid_and_fields_that_are_not_simulated_are_named_in_a_warning() {
    let cluster = Cluster::held().await;
    let deployments = cluster.api::<Deployment>();
    let negative = Patch::Merge(json!({"spec": {"replicas": -1}}));
    let (code, reason, _) = refusal(deployments.patch("mongodb", &PatchParams::default(), &negative).await);
    assert_eq!((code, &*reason), (422, "Invalid"));
    let body =
        json!({"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 1, "paused": true}}).to_string();
    let request = http::Request::patch("/apis/apps/v1/namespaces/panda/deployments/mongodb")
        .header("content-type", "application/strategic-merge-patch+json")
        .body(kube::client::Body::from(body.into_bytes()))
        .expect("a request");
    let answer = cluster.kube.send(request).await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["warning"]),
        (
            200,
            &"299 - \"not simulated, so nothing has changed there: metadata.labels.a, spec.paused\""
                .parse()
                .expect("a value")
        )
    );
}
