//! What the API server says that it has.

use http::Method;
use serde_json::{Value, json};

use super::Rig;
use crate::api::kube::resource::{Resource, TABLE};
use crate::sim::cluster::facts::Kind;

/// Name, short names, kind, in a namespace, verbs; as the lists of resources have them.
fn short(list: &Value) -> Vec<String> {
    let words = |value: &Value| {
        let words = value.as_array().map(Vec::as_slice).unwrap_or_default();
        words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
    };
    let resources = list["resources"].as_array().expect("resources");
    let row = |row: &Value| {
        let place = if row["namespaced"] == true { "namespaced" } else { "cluster" };
        format!(
            "{}|{}|{}|{}|{place}|{}|{}",
            row["name"].as_str().expect("a name"),
            row["singularName"].as_str().expect("a singular name, be it empty"),
            words(&row["shortNames"]),
            row["kind"].as_str().expect("a kind"),
            words(&row["verbs"]),
            words(&row["categories"]),
        )
    };
    resources.iter().map(row).collect()
}

#[test]
fn the_versions_of_the_core_are_v1_and_where_the_client_reached_it() {
    let rig = Rig::new();
    let expected = json!({
        "kind": "APIVersions",
        "apiVersion": "v1",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:5002"}],
    });
    assert_eq!(rig.get("/api").json(), expected);
}

#[test]
fn the_groups_are_apps_batch_networking_and_metrics_each_in_one_version() {
    let rig = Rig::new();
    let group = |name: &str, version: &str| {
        let version = json!({"groupVersion": format!("{name}/{version}"), "version": version});
        json!({"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": [version],
            "preferredVersion": version})
    };
    let groups = [
        group("apps", "v1"),
        group("batch", "v1"),
        group("networking.k8s.io", "v1"),
        group("metrics.k8s.io", "v1beta1"),
    ];
    let expected = json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups});
    assert_eq!(rig.get("/apis").json(), expected);
    assert_eq!(rig.get("/apis/apps").json(), group("apps", "v1"));
}

#[test]
fn the_core_has_these_resources() {
    let rig = Rig::new();
    let list = rig.get("/api/v1").json();
    assert_eq!((&list["kind"], &list["groupVersion"]), (&json!("APIResourceList"), &json!("v1")));
    let expected = [
        "configmaps|configmap|cm|ConfigMap|namespaced|get list watch|",
        "endpoints|endpoints|ep|Endpoints|namespaced|get list watch|",
        "events|event|ev|Event|namespaced|get list watch|",
        "namespaces|namespace|ns|Namespace|cluster|get list watch|",
        "nodes|node|no|Node|cluster|get list patch watch|",
        "pods|pod|po|Pod|namespaced|delete get list watch|all",
        "pods/log|||Pod|namespaced|get|",
        "secrets|secret||Secret|namespaced|get list watch|",
        "serviceaccounts|serviceaccount|sa|ServiceAccount|namespaced|get list watch|",
        "services|service|svc|Service|namespaced|create delete get list watch|all",
    ];
    assert_eq!(short(&list), expected);
}

#[test]
fn the_groups_have_these_resources() {
    let rig = Rig::new();
    let cases: [(&str, &[&str]); 4] = [
        (
            "apps/v1",
            &[
                "deployments|deployment|deploy|Deployment|namespaced|get list patch watch|all",
                "deployments/scale|||Scale|namespaced|get patch update|",
                "replicasets|replicaset|rs|ReplicaSet|namespaced|get list watch|all",
                "statefulsets|statefulset|sts|StatefulSet|namespaced|get list patch watch|all",
                "statefulsets/scale|||Scale|namespaced|get patch update|",
            ],
        ),
        ("batch/v1", &["jobs|job||Job|namespaced|delete get list watch|all"]),
        ("networking.k8s.io/v1", &["ingresses|ingress|ing|Ingress|namespaced|get list watch|"]),
        (
            "metrics.k8s.io/v1beta1",
            &["nodes|||NodeMetrics|cluster|get list|", "pods|||PodMetrics|namespaced|get list|"],
        ),
    ];
    for (group_version, expected) in cases {
        let list = rig.get(&format!("/apis/{group_version}")).json();
        assert_eq!(list["groupVersion"], group_version);
        assert_eq!(short(&list), expected, "{group_version}");
    }
}

#[test]
fn a_scale_is_of_the_group_that_scales() {
    let list = Rig::new().get("/apis/apps/v1").json();
    let expected = json!({
        "name": "deployments/scale", "singularName": "", "namespaced": true, "kind": "Scale",
        "group": "autoscaling", "version": "v1", "verbs": ["get", "patch", "update"],
    });
    assert_eq!(list["resources"][1], expected);
}

#[test]
fn the_version_is_that_of_1_28_with_all_that_the_python_client_insists_on() {
    let expected = json!({
        "major": "1", "minor": "28", "gitVersion": "v1.28.0",
        "gitCommit": "855e7c48de7388eb330da0f8d9d2394ee818fb8d", "gitTreeState": "clean",
        "buildDate": "2023-08-15T10:15:54Z", "goVersion": "go1.20.7", "compiler": "gc", "platform": "linux/amd64",
    });
    assert_eq!(Rig::new().get("/version").json(), expected);
}

#[test]
fn a_slash_at_the_end_changes_nothing() {
    let rig = Rig::new();
    let paths = [
        "/version",
        "/api",
        "/apis",
        "/api/v1",
        "/apis/apps",
        "/apis/apps/v1",
        "/apis/batch/v1",
        "/apis/networking.k8s.io/v1",
        "/apis/metrics.k8s.io/v1beta1",
        "/healthz",
        "/api/v1/pods",
    ];
    for path in paths {
        let (with, without) = (rig.get(&format!("{path}/")), rig.get(path));
        assert_eq!((with.code, &with.text), (200, &without.text), "{path}");
    }
}

#[test]
fn health_is_a_text() {
    let rig = Rig::new();
    for path in ["/healthz", "/livez", "/readyz"] {
        let answer = rig.get(path);
        assert_eq!((answer.code, answer.text.as_str()), (200, "ok"), "{path}");
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8", "{path}");
    }
}

#[test]
fn discovery_is_only_read() {
    let rig = Rig::new();
    for path in ["/version", "/api", "/apis/apps/v1", "/healthz"] {
        let refusal = rig.send(Method::POST, path, &[], "").refusal();
        let words = "the server does not allow this method on the requested resource";
        assert_eq!(refusal, (405, words.into()), "{path}");
    }
}

#[test]
fn every_kind_has_one_resource_of_objects() {
    let kinds = Kind::ALL;
    for kind in kinds {
        assert_eq!(Resource::of(kind).kind_name, format!("{kind:?}"));
        assert!(!Resource::of(kind).is_metrics(), "{kind:?}");
    }
    assert_eq!(TABLE.len(), kinds.len() + 2, "and the metrics of pods and nodes");
}
