//! Services that are created, and everything that can be wrong with one.

use serde_json::json;

use super::*;
use crate::api::kube::write::{create_service, created, creation, failure};
use crate::sim::cluster::edit::{Edit, EditRefused};
use crate::sim::cluster::facts::{Reach, ServicePort, Target};

fn post(body: &Value) -> Ask {
    Ask { body: body.to_string().into(), ..ask(Resource::of(Kind::Service)) }
}

/// A NodePort Service that nothing speaks against.
fn good() -> Value {
    json!({
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": { "name": "left-over", "labels": { "app": "left-over" } },
        "spec": {
            "type": "NodePort",
            "selector": { "app": "left-over" },
            "ports": [{ "name": "5000-5000", "port": 5000, "targetPort": 5000, "nodePort": 12301 }],
        },
    })
}

#[test]
fn what_is_kept_of_it_is_its_labels_selector_and_ports() {
    let Ok(Edit::CreateService { key, service }) = creation(&post(&good())) else { panic!("it is good") };
    assert_eq!(key, service_key("left-over"));
    let labels = [("app".to_owned(), "left-over".to_owned())].into();
    let expected = Planted {
        selector: Clone::clone(&labels),
        labels,
        annotations: [].into(),
        reach: Reach::NodePort,
        ports: vec![ServicePort {
            name: Some("5000-5000".into()),
            protocol: "TCP".into(),
            port: 5000,
            target: Target::Number(5000),
            node_port: NodePort::new(12301),
        }],
    };
    assert_eq!(*service, expected);
}

#[test]
fn each_thing_that_is_wrong_with_it_is_told_with_its_place() {
    let port = |change: Value| {
        let mut port = json!({ "name": "a", "port": 1, "nodePort": 2 });
        json_patch::merge(&mut port, &change);
        port
    };
    for (pointer, value, wrong) in [
        ("/metadata/name", json!(null), "metadata.name: Required value"),
        ("/metadata/name", json!("1a"), "metadata.name: Invalid value: \"1a\": a DNS-1035 label"),
        ("/metadata/name", json!("a_b"), "metadata.name: Invalid value"),
        ("/metadata/name", json!("a-"), "metadata.name: Invalid value"),
        ("/metadata/name", json!("a".repeat(64)), "no more than 63 characters"),
        ("/metadata", json!({ "generateName": "x-" }), "metadata.generateName: Forbidden"),
        ("/metadata/labels", json!({ "a": "b c" }), "metadata.labels: Invalid value: \"b c\""),
        ("/metadata/labels", json!({ "a b": "c" }), "metadata.labels: Invalid value: \"a b\""),
        ("/metadata/annotations", json!({ "a": "x".repeat(300_000) }), "metadata.annotations: Too long"),
        ("/spec", json!(null), "spec.ports: Required value"),
        ("/spec/ports", json!([]), "spec.ports: Required value"),
        ("/spec/type", json!("ExternalName"), "spec.type: Unsupported value: \"ExternalName\""),
        ("/spec/selector", json!({ "a": "_" }), "spec.selector: Invalid value"),
        ("/spec/ports/0/port", json!(0), "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535"),
        ("/spec/ports/0/port", json!(65536), "spec.ports[0].port: Invalid value: 65536"),
        ("/spec/ports/0/protocol", json!("tcp"), "spec.ports[0].protocol: Unsupported value: \"tcp\""),
        ("/spec/ports/0/name", json!("A"), "spec.ports[0].name: Invalid value: \"A\""),
        ("/spec/ports/0/targetPort", json!(-1), "spec.ports[0].targetPort: Invalid value: -1"),
        ("/spec/ports/0/targetPort", json!("123"), "spec.ports[0].targetPort: Invalid value: \"123\""),
        ("/spec/ports/0/nodePort", json!(null), "spec.ports[0].nodePort: Required value"),
        ("/spec/ports/0/nodePort", json!(70000), "spec.ports[0].nodePort: Invalid value: 70000"),
        ("/spec/type", json!("ClusterIP"), "spec.ports[0].nodePort: Forbidden"),
        (
            "/spec/ports",
            json!([port(json!({ "name": null })), port(json!({ "port": 2, "nodePort": 3 }))]),
            "spec.ports[0].name: Required value",
        ),
        (
            "/spec/ports",
            json!([port(json!({})), port(json!({ "port": 2, "nodePort": 3 }))]),
            "spec.ports[1].name: Duplicate value: \"a\"",
        ),
        (
            "/spec/ports",
            json!([port(json!({})), port(json!({ "name": "b", "nodePort": 3 }))]),
            "spec.ports[1]: Duplicate value",
        ),
        (
            "/spec/ports",
            json!([port(json!({})), port(json!({ "name": "b", "port": 2 }))]),
            "spec.ports[1].nodePort: Duplicate value: 2",
        ),
    ] {
        let mut body = good();
        *body.pointer_mut(pointer).unwrap_or(&mut Value::Null) = value.clone();
        if let (None, Some((parent, name))) = (good().pointer(pointer), pointer.rsplit_once('/')) {
            body.pointer_mut(parent).unwrap()[name] = value;
        }
        let (code, message) = told(&creation(&post(&body)).expect_err(wrong));
        assert_eq!(code, 422, "{pointer}");
        assert!(message.contains(wrong), "{pointer}: {wrong:?} is missing in {message:?}");
        assert_eq!(message.matches(" value: ").count().max(1), 1, "and nothing else: {message}");
    }
}

#[test]
fn a_body_that_is_no_service_is_not_understood() {
    for (body, content_type, code) in [
        ("", "", 400),
        ("{", "application/json", 400),
        ("[]", "", 400),
        ("7", "", 400),
        (r#"{"kind":"Pod"}"#, "", 400),
        (r#"{"spec":{"ports":[{"port":"x"}]}}"#, "", 400),
        (r#"{"spec":{"ports":{}}}"#, "", 400),
        (r#"{"metadata":{"name":"a","namespace":"other"}}"#, "", 400),
        ("{}", "application/yaml", 415),
        ("{}", "application/vnd.kubernetes.protobuf", 400),
        ("{}", "application/cbor", 415),
    ] {
        let ask =
            Ask { content_type: content_type.into(), body: body.into(), ..ask(Resource::of(Kind::Service)) };
        assert_eq!(told(&creation(&ask).expect_err(body)).0, code, "{body}");
    }
}

#[tokio::test]
async fn its_namespace_must_be_there() {
    let rig = Rig::new();
    let (status, body) = answer(create_service(&rig.kube, &post(&good())).await).await;
    assert_eq!((status, &body["message"]), (404, &"namespaces \"test\" not found".into()));
}

#[tokio::test]
async fn the_answer_is_201_and_the_object() {
    let rig = Rig::new();
    let record = rig.service("left-over", "x");
    let (status, body) = whole(created(&rig.kube, &record)).await;
    assert_eq!(
        (status, &body["kind"], &body["metadata"]["name"]),
        (201, &"Service".into(), &"left-over".into())
    );
}

#[test]
fn what_the_cluster_refuses_is_told_as_a_real_one_would() {
    let ask = post(&good());
    let wanted = creation(&ask).expect("it is good");
    let key = service_key("left-over");
    let port = NodePort::new(12301).expect("a port");
    for (refused, code, text) in [
        (EditRefused::AlreadyExists(key.clone()), 409, "services \"left-over\" already exists"),
        (
            EditRefused::PortAllocated { key: key.clone(), port },
            422,
            "Service \"left-over\" is invalid: spec.ports[0].nodePort: Invalid value: 12301: provided port is already allocated",
        ),
        (EditRefused::TooManyServices, 422, "metadata.name: Forbidden: 1000 Services were created"),
        (EditRefused::NotFound(key.clone()), 404, "services \"left-over\" not found"),
        (EditRefused::Conflict(key.clone()), 409, "services \"left-over\": the object has been modified"),
        (
            EditRefused::TooManyReplicas(101),
            422,
            "spec.replicas: Invalid value: 101: must be less than or equal to 100",
        ),
        (EditRefused::AlwaysThere(key), 405, "is always there: deleting it is not simulated"),
    ] {
        let (is, message) = told(&failure(&ask, &wanted, refused));
        assert_eq!(is, code, "{message}");
        assert!(message.contains(text), "{text:?} is missing in {message:?}");
    }
}
