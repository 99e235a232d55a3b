//! Lists and single objects, as JSON and as tables, at the versions that are asked for.

use serde_json::json;

use super::{Rig, TABLE};
use crate::sim::cluster::facts::{Facts, Kind, Version};

const EXPIRED: &str = "The resourceVersion for the provided list is too old.";

/// Two namespaces with Services, and a Secret beside them.
fn filled() -> Rig {
    let rig = Rig::new();
    rig.put(Kind::Secret, "panda", "rabbitmq-panda", Facts::Secret);
    rig.service("panda", "b", &[("app", "x")]);
    rig.service("panda", "a", &[("app", "x")]);
    rig.service("default", "c", &[("app", "y")]);
    rig
}

#[test]
fn a_list_is_of_one_kind_in_order_of_namespace_and_name_with_the_version_of_the_store() {
    let rig = filled();
    let list = rig.get("/api/v1/services").json();
    assert_eq!((&list["kind"], &list["apiVersion"]), (&json!("ServiceList"), &json!("v1")));
    assert_eq!(list["metadata"], json!({"resourceVersion": rig.version().to_string()}));
    assert_eq!(rig.get("/api/v1/services").names(), ["default/c", "panda/a", "panda/b"]);
    assert_eq!(rig.get("/api/v1/namespaces/panda/services").names(), ["panda/a", "panda/b"]);
    assert_eq!(list["items"][0]["metadata"]["resourceVersion"], "4");
}

#[test]
fn a_list_of_nothing_has_items_all_the_same() {
    let rig = filled();
    for path in [
        "/api/v1/pods",
        "/api/v1/namespaces/unknown/services",
        "/apis/apps/v1/replicasets",
        "/apis/metrics.k8s.io/v1beta1/pods",
        "/api/v1/services?labelSelector=app%3Dz",
    ] {
        assert_eq!(rig.get(path).json()["items"], json!([]), "{path}");
    }
}

#[test]
fn a_list_of_a_group_says_which() {
    let list = filled().get("/apis/apps/v1/namespaces/panda/deployments").json();
    assert_eq!((&list["kind"], &list["apiVersion"]), (&json!("DeploymentList"), &json!("apps/v1")));
}

#[test]
fn selectors_leave_what_they_mean() {
    let rig = filled();
    let names = |query: &str| rig.get(&format!("/api/v1/services?{query}")).names();
    assert_eq!(names("labelSelector=app%3Dx"), ["panda/a", "panda/b"]);
    assert_eq!(names("labelSelector=app+in+(y,z)"), ["default/c"]);
    assert_eq!(names("fieldSelector=metadata.name%3Db"), ["panda/b"]);
    assert_eq!(names("fieldSelector=metadata.namespace!%3Dpanda&labelSelector=app"), ["default/c"]);
    assert_eq!(
        rig.get("/api/v1/services?labelSelector=app%3D(").refusal(),
        (400, "unable to parse requirement: found '(', expected: identifier".into())
    );
    assert_eq!(
        rig.get("/api/v1/pods?fieldSelector=status.color%3Dred").refusal(),
        (400, "field label not supported: status.color".into())
    );
}

#[test]
fn one_object_is_itself_or_not_found() {
    let rig = filled();
    let one = rig.get("/api/v1/namespaces/panda/services/a").json();
    assert_eq!((&one["kind"], &one["apiVersion"]), (&json!("Service"), &json!("v1")));
    assert_eq!(one["metadata"]["name"], "a");
    let cases = [
        ("/api/v1/namespaces/panda/services/c", "services \"c\" not found"),
        ("/api/v1/namespaces/panda/pods/grpc-job-1-3", "pods \"grpc-job-1-3\" not found"),
        ("/apis/batch/v1/namespaces/panda/jobs/x", "jobs.batch \"x\" not found"),
        ("/api/v1/nodes/other", "nodes \"other\" not found"),
        ("/api/v1/namespaces/other", "namespaces \"other\" not found"),
    ];
    for (path, message) in cases {
        assert_eq!(rig.get(path).refusal(), (404, message.into()), "{path}");
    }
}

#[test]
fn versions_from_the_past_are_listed_as_long_as_they_are_known() {
    let rig = filled();
    rig.remove(Kind::Service, "panda", "a");
    rig.service("panda", "b", &[("app", "z")]);
    let names = |query: &str| rig.get(&format!("/api/v1/services?{query}")).names();
    let now = ["default/c", "panda/b"];
    let then = ["default/c", "panda/a", "panda/b"];
    assert_eq!(names("resourceVersion=4&resourceVersionMatch=Exact"), then);
    assert_eq!(
        names("resourceVersion=4&resourceVersionMatch=Exact&labelSelector=app%3Dx"),
        ["panda/a", "panda/b"]
    );
    assert_eq!(names("resourceVersion=4&limit=5"), then, "a page without a match is of the very version");
    assert_eq!(names("resourceVersion=4&resourceVersionMatch=NotOlderThan"), now);
    assert_eq!(names("resourceVersion=4"), now);
    assert_eq!(names("resourceVersion=0"), now);
    assert_eq!(names("resourceVersion=0&limit=5"), now);
    assert_eq!(names("resourceVersion=6&resourceVersionMatch=Exact"), now);
    let old = rig.get("/api/v1/services?resourceVersion=4&resourceVersionMatch=Exact").json();
    assert_eq!(old["metadata"]["resourceVersion"], "4");
}

#[test]
fn versions_longer_ago_than_changes_are_kept_are_expired() {
    let rig = Rig::keeping(2);
    for name in ["a", "b", "c"] {
        rig.service("panda", name, &[]);
    }
    let at = |version: u64| {
        rig.get(&format!("/api/v1/services?resourceVersion={version}&resourceVersionMatch=Exact"))
    };
    // Two changes are kept, so the version before them is the oldest.
    assert_eq!(at(1).names(), ["panda/a"]);
    rig.service("panda", "d", &[]);
    assert_eq!(at(1).refusal(), (410, EXPIRED.into()));
    assert_eq!(at(1).json()["reason"], "Expired");
    assert_eq!(at(2).names(), ["panda/a", "panda/b"]);
}

#[test]
fn versions_from_the_future_are_a_timeout_after_which_to_try_again() {
    let rig = filled();
    let message = format!("Timeout: Too large resource version: 99, current: {}", rig.version());
    for path in [
        "/api/v1/services?resourceVersion=99",
        "/api/v1/services?resourceVersion=99&resourceVersionMatch=Exact",
        "/api/v1/services?resourceVersion=99&resourceVersionMatch=NotOlderThan",
        "/api/v1/namespaces/panda/services/a?resourceVersion=99",
    ] {
        assert_eq!(rig.get(path).refusal(), (504, message.clone()), "{path}");
        assert_eq!(rig.get(path).json()["reason"], "Timeout", "{path}");
    }
    assert_eq!(rig.version(), Version(4));
    assert_eq!(rig.get("/api/v1/services?resourceVersion=4").code, 200, "the newest is there");
}

#[test]
fn what_is_no_version_is_a_bad_request() {
    let rig = filled();
    for (text, why) in [
        ("abc", "invalid syntax"),
        ("-1", "invalid syntax"),
        ("%2B1", "invalid syntax"),
        ("1.0", "invalid syntax"),
        ("99999999999999999999999", "value out of range"),
    ] {
        let shown = text.replace("%2B", "+");
        let message =
            format!("resourceVersion: Invalid value: {shown:?}: strconv.ParseUint: parsing {shown:?}: {why}");
        for path in ["/api/v1/services", "/api/v1/namespaces/panda/services/a"] {
            let path = format!("{path}?resourceVersion={text}");
            assert_eq!(rig.get(&path).refusal(), (400, message.clone()), "{path}");
        }
    }
}

#[test]
fn a_match_needs_a_version_that_it_can_be_of() {
    let rig = filled();
    let cases = [
        (
            "resourceVersionMatch=Exact",
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            "resourceVersionMatch=Exact&resourceVersion=0",
            "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
        ),
        (
            "resourceVersionMatch=Exact&resourceVersion=1&continue=x",
            "Forbidden: resourceVersionMatch is forbidden when continue is provided",
        ),
        (
            "resourceVersionMatch=Newer&resourceVersion=1",
            "Unsupported value: \"Newer\": supported values: \"Exact\", \"NotOlderThan\", \"\"",
        ),
    ];
    for (query, why) in cases {
        let message = format!("ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: {why}");
        assert_eq!(rig.get(&format!("/api/v1/services?{query}")).refusal(), (422, message), "{query}");
    }
}

#[test]
fn a_table_has_columns_and_a_row_for_each_object() {
    let rig = filled();
    let table = rig.table("/api/v1/namespaces/panda/services?limit=1").json();
    assert_eq!((&table["kind"], &table["apiVersion"]), (&json!("Table"), &json!("meta.k8s.io/v1")));
    assert_eq!(table["metadata"]["resourceVersion"], rig.version().to_string());
    assert_eq!(table["metadata"]["remainingItemCount"], 1, "tables come in pages too");
    assert_eq!(table["columnDefinitions"][0]["name"], "Name");
    assert_eq!(table["rows"].as_array().unwrap().len(), 1);
    assert_eq!(table["rows"][0]["cells"][0], "a");
    let one = rig.table("/api/v1/namespaces/panda/services/b").json();
    assert_eq!((&one["kind"], &one["rows"][0]["cells"][0]), (&json!("Table"), &json!("b")));
    assert_eq!(one["metadata"]["resourceVersion"], "2", "that of the object");
    assert_eq!(rig.table("/api/v1/pods").json()["rows"], json!([]));
}

#[test]
fn the_rows_of_a_table_carry_whole_objects_for_those_who_ask() {
    let rig = filled();
    let object = |policy: &str| {
        let table = rig.table(&format!("/api/v1/namespaces/panda/services/a?includeObject={policy}")).json();
        table["rows"][0]["object"]["kind"].clone()
    };
    assert_eq!(object("Object"), "Service");
    for policy in ["", "Metadata", "None"] {
        assert_eq!(object(policy), "PartialObjectMetadata", "{policy:?}");
    }
    let message = "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be \
                   'Metadata', 'Object', 'None', or empty";
    for path in ["/api/v1/services", "/api/v1/namespaces/panda/services/a"] {
        let refusal = rig.table(&format!("{path}?includeObject=All")).refusal();
        assert_eq!(refusal, (400, message.into()), "{path}");
    }
    assert_eq!(
        rig.get("/api/v1/services?includeObject=All").code,
        200,
        "nobody looks where there is no table"
    );
}

#[test]
fn an_accept_header_asks_for_a_table_however_its_parameters_stand() {
    let rig = filled();
    let kind = |accepts: &[&str]| {
        let headers: Vec<_> = accepts.iter().map(|accept| ("accept", *accept)).collect();
        rig.send(http::Method::GET, "/api/v1/services", &headers, "").json()["kind"].clone()
    };
    for accept in [
        TABLE,
        "application/json;as=Table;v=v1;g=meta.k8s.io",
        "application/json;g=meta.k8s.io;v=v1;as=Table",
        "application/json; v=v1; as=Table; g=meta.k8s.io; charset=utf-8",
        "application/json ; AS=Table ; V=v1 ; G=\"meta.k8s.io\"",
        "application/vnd.kubernetes.protobuf, application/json;v=v1;g=meta.k8s.io;as=Table",
    ] {
        assert_eq!(kind(&[accept]), "Table", "{accept}");
    }
    assert_eq!(kind(&["text/html", TABLE]), "Table", "headers can come several times");
    for accept in [
        "",
        "*/*",
        "text/html",
        "application/vnd.kubernetes.protobuf,application/json",
        "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
        "application/json;as=Table;v=v1",
        "application/json;as=Table,application/json;v=v1;g=meta.k8s.io",
        "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
        ";;;==,,;as",
    ] {
        assert_eq!(kind(&[accept]), "ServiceList", "{accept}");
    }
}

#[test]
fn an_accept_header_that_is_no_text_asks_for_nothing() {
    let rig = filled();
    let request = http::Request::builder().uri("/api/v1/services");
    let request = request.header("accept", &b"application/json;as=Table;v=v1;g=meta.k8s.io\xff"[..]);
    let request = request.body(axum::body::Body::empty()).expect("a request");
    let answer = rig.runtime.block_on(rig.respond(request));
    assert_eq!(answer.status().as_u16(), 200);
    let body = rig.runtime.block_on(http_body_util::BodyExt::collect(answer.into_body())).expect("a body");
    let json: serde_json::Value = serde_json::from_slice(&body.to_bytes()).expect("JSON");
    assert_eq!(json["kind"], "ServiceList");
}
