//! Paths, methods, parameters and bodies: what is understood, and what is said of the rest.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use proptest::prelude::*;

use super::Rig;
use crate::api::kube::ask::{Ask, Asked, Form, Query, Sub};
use crate::api::kube::failure::Failure;
use crate::api::kube::interface::LARGEST_BODY;
use crate::sim::cluster::facts::Kind;

fn parse(method: &str, path: &str) -> Result<Asked, Failure> {
    let (parts, ()) = Request::builder().method(method).uri(path).body(()).expect("a request").into_parts();
    Asked::parse(&parts)
}

#[track_caller]
fn ask(method: &str, path: &str) -> Ask {
    match parse(method, path) {
        Ok(Asked::Resource(ask)) => *ask,
        other => panic!("{method} {path} is about a resource: {other:?}"),
    }
}

/// What is said of a request that is refused.
#[track_caller]
fn refused(method: &str, path: &str) -> Failure {
    parse(method, path).expect_err(path)
}

#[track_caller]
fn nowhere(path: &str) -> String {
    match refused("GET", path) {
        Failure::NoSuchPath(why) => why,
        other => panic!("{path} leads nowhere: {other:?}"),
    }
}

#[test]
fn paths_name_resource_namespace_object_and_part() {
    let cases = [
        ("/api/v1/pods", "pods", None, None, None),
        ("/api/v1/namespaces/panda/pods", "pods", Some("panda"), None, None),
        ("/api/v1/namespaces/panda/pods/a", "pods", Some("panda"), Some("a"), None),
        ("/api/v1/namespaces/panda/pods/a/log", "pods", Some("panda"), Some("a"), Some(Sub::Log)),
        ("/api/v1/namespaces", "namespaces", None, None, None),
        ("/api/v1/namespaces/panda", "namespaces", None, Some("panda"), None),
        ("/api/v1/nodes/worker-node/", "nodes", None, Some("worker-node"), None),
        (
            "/apis/apps/v1/namespaces/n/deployments/d/scale",
            "deployments",
            Some("n"),
            Some("d"),
            Some(Sub::Scale),
        ),
        (
            "/apis/apps/v1/namespaces/n/statefulsets/d/scale",
            "statefulsets",
            Some("n"),
            Some("d"),
            Some(Sub::Scale),
        ),
        ("/apis/batch/v1/namespaces/n/jobs/grpc-job-1-3", "jobs", Some("n"), Some("grpc-job-1-3"), None),
        ("/apis/networking.k8s.io/v1/ingresses", "ingresses", None, None, None),
        ("/apis/metrics.k8s.io/v1beta1/namespaces/n/pods/a", "pods", Some("n"), Some("a"), None),
        ("/apis/metrics.k8s.io/v1beta1/nodes", "nodes", None, None, None),
        ("/api/v1/namespaces/%70anda/pods/%61%2eb", "pods", Some("panda"), Some("a.b"), None),
        ("/api/v1/namespaces/n/pods/a%2Flog", "pods", Some("n"), Some("a"), Some(Sub::Log)),
        ("/api/v1/namespaces/n/pods/a%20b%ff", "pods", Some("n"), Some("a b\u{fffd}"), None),
        ("/api/v1/namespaces/n/pods/%zz", "pods", Some("n"), Some("%zz"), None),
    ];
    for (path, plural, namespace, name, sub) in cases {
        let ask = ask("GET", path);
        let found = (ask.resource.plural, ask.namespace.as_deref(), ask.name.as_deref(), ask.sub);
        assert_eq!(found, (plural, namespace, name, sub), "{path}");
    }
    assert_eq!(ask("GET", "/apis/metrics.k8s.io/v1beta1/nodes").resource.kind_name, "NodeMetrics");
    assert_eq!(ask("GET", "/api/v1/nodes").resource.kind, Kind::Node);
}

#[test]
fn paths_that_lead_nowhere_say_what_is_not_simulated() {
    for path in [
        "/",
        "/nothing",
        "//",
        "/api/v1//pods",
        "/api//v1/pods",
        "/api/v1/namespaces//pods",
        "/api/v1/pods/a",
        "/api/v1/pods/a/log",
        "/api/v1/namespaces/panda/nodes",
        "/api/v1/namespaces/panda/nodes/worker-node",
        "/api/v1/namespaces/panda/namespaces",
        "/version/more",
    ] {
        assert_eq!(nowhere(path), "", "{path}");
    }
    let cases = [
        ("/api/v1/namespaces/n/pods/a/exec", "pods/exec is not simulated"),
        ("/api/v1/namespaces/n/pods/a/attach", "pods/attach is not simulated"),
        ("/api/v1/namespaces/n/pods/a/portforward", "pods/portforward is not simulated"),
        ("/api/v1/namespaces/n/pods/a/b/c", "pods/b is not simulated"),
        ("/api/v1/namespaces/n/pods/a/log/b", "pods/log is not simulated"),
        ("/api/v1/namespaces/n/pods/a%2Fb", "pods/b is not simulated"),
        ("/api/v1/namespaces/n/pods/a/scale", "pods/scale is not simulated"),
        ("/api/v1/namespaces/n/status", "namespaces/status is not simulated"),
        ("/apis/apps/v1/namespaces/n/replicasets/a/scale", "replicasets/scale is not simulated"),
        ("/apis/metrics.k8s.io/v1beta1/namespaces/n/pods/a/log", "pods/log is not simulated"),
        ("/apis/batch/v1/cronjobs", "\"cronjobs\" is not simulated, but jobs"),
        ("/apis/batch/v1/namespaces/n/pods", "\"pods\" is not simulated, but jobs"),
        ("/apis/batch/v1/namespaces", "\"namespaces\" is not simulated, but jobs"),
        ("/apis/batch/v1beta1/jobs", "the version \"v1beta1\" is not simulated"),
        ("/api/v2", "the version \"v2\" is not simulated"),
        (
            "/apis/rbac.authorization.k8s.io/v1/roles",
            "the group \"rbac.authorization.k8s.io\" is not simulated, but apps, batch, networking.k8s.io, metrics.k8s.io",
        ),
        (
            "/openapi/v2",
            "schemas are not simulated; kubectl create and apply go without them under --validate=false",
        ),
        ("/api/v1/watch/pods", "the old paths of watches are not simulated; lists are watched with ?watch=1"),
    ];
    for (path, why) in cases {
        assert_eq!(nowhere(path), why, "{path}");
    }
}

#[test]
fn what_is_not_simulated_is_a_status_on_the_wire_too() {
    let rig = Rig::new();
    let words = "the server could not find the requested resource";
    let exec = rig.send(Method::POST, "/api/v1/namespaces/panda/pods/a/exec?command=ls", &[], "");
    assert_eq!(exec.refusal(), (404, format!("{words}: pods/exec is not simulated")));
    assert_eq!(rig.get("/openapi/v3").refusal().0, 404);
    let words = "the server does not allow this method on the requested resource";
    let gone = rig.send(Method::DELETE, "/apis/apps/v1/namespaces/panda/deployments/mongodb", &[], "");
    let why = "delete of deployments is not simulated here, but get, list, patch, watch";
    assert_eq!(gone.refusal(), (405, format!("{words}: {why}")));
}

#[test]
fn verbs_are_those_of_discovery_and_nothing_else_is_done() {
    let verb = |method: &str, path: &str| ask(method, path).verb();
    assert_eq!(verb("GET", "/api/v1/pods"), "list");
    assert_eq!(verb("GET", "/api/v1/pods?watch=1"), "watch");
    assert_eq!(
        verb("GET", "/api/v1/namespaces/n/pods/a?watch=1"),
        "get",
        "one object is not watched by its path"
    );
    assert_eq!(verb("DELETE", "/api/v1/namespaces/n/pods/a"), "delete");
    assert_eq!(verb("POST", "/api/v1/namespaces/n/services"), "create");
    assert_eq!(verb("PATCH", "/api/v1/nodes/worker-node"), "patch");
    assert_eq!(verb("PUT", "/apis/apps/v1/namespaces/n/deployments/d/scale"), "update");
    let refused = |method: &str, path: &str| match refused(method, path) {
        Failure::MethodNotAllowed(why) => why,
        other => panic!("{method} {path} is not allowed: {other:?}"),
    };
    let cases = [
        (
            "DELETE",
            "/api/v1/namespaces/n/pods",
            "deletecollection of pods is not simulated here, but delete, get, list, watch",
        ),
        (
            "POST",
            "/api/v1/namespaces/n/pods",
            "create of pods is not simulated here, but delete, get, list, watch",
        ),
        (
            "POST",
            "/api/v1/services",
            "create of services is not simulated here, but create, delete, get, list, watch",
        ),
        (
            "POST",
            "/api/v1/namespaces/n/services/a",
            "create of services is not simulated here, but create, delete, get, list, watch",
        ),
        ("PATCH", "/api/v1/nodes", "patch of nodes is not simulated here, but get, list, patch, watch"),
        (
            "PUT",
            "/apis/apps/v1/namespaces/n/deployments/d",
            "update of deployments is not simulated here, but get, list, patch, watch",
        ),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/n/deployments/d/scale",
            "delete of deployments/scale is not simulated here, but get, patch, update",
        ),
        ("POST", "/api/v1/namespaces/n/pods/a/log", "create of pods/log is not simulated here, but get"),
        (
            "GET",
            "/apis/metrics.k8s.io/v1beta1/nodes?watch=1",
            "watch of nodes is not simulated here, but get, list",
        ),
        ("HEAD", "/api/v1/pods", "pods is not simulated here, but delete, get, list, watch"),
    ];
    for (method, path, why) in cases {
        assert_eq!(refused(method, path), why, "{method} {path}");
    }
}

#[test]
fn parameters_are_decoded_and_unknown_ones_are_ignored() {
    let query = |text: &str| ask("GET", &format!("/api/v1/pods?{text}")).query;
    assert_eq!(
        query("pretty=true&fieldManager=x&fieldValidation=Strict&nonsense&=&&a=%zz"),
        Query::default()
    );
    let expected = Query {
        label_selector: "app in (a,b)".into(),
        field_selector: "metadata.name=ä".into(),
        limit: Some(500),
        continue_: Some("x".into()),
        watch: true,
        allow_watch_bookmarks: true,
        send_initial_events: true,
        timeout_seconds: Some(2),
        resource_version: "17".into(),
        resource_version_match: "NotOlderThan".into(),
        include_object: "Object".into(),
        ..Query::default()
    };
    let text = "labelSelector=app+in+%28a%2Cb%29&fieldSelector=metadata.name%3D%C3%A4&limit=500&continue=x&watch=true\
                &allowWatchBookmarks=True&sendInitialEvents=1&timeoutSeconds=2&resourceVersion=17\
                &resourceVersionMatch=NotOlderThan&includeObject=Object";
    assert_eq!(query(text), expected);
    assert_eq!(query("limit=7&limit=8").limit, Some(7), "the first of several counts");
    assert_eq!(query("limit=0&continue=&timeoutSeconds=0"), Query::default());
    assert_eq!(query("timeoutSeconds=-1").timeout_seconds, Some(0), "over at once");
}

#[test]
fn whatever_is_not_said_to_be_false_is_true() {
    let watch = |text: &str| ask("GET", &format!("/api/v1/pods?{text}")).query.watch;
    for text in ["watch=1", "watch=true", "watch=True", "watch=TRUE", "watch=", "watch", "watch=yes"] {
        assert!(watch(text), "{text}");
    }
    for text in ["", "watch=0", "watch=false", "watch=False", "Watch=1"] {
        assert!(!watch(text), "{text}");
    }
}

#[test]
fn parameters_of_a_log_are_those_of_a_log() {
    let log = |text: &str| parse("GET", &format!("/api/v1/namespaces/n/pods/a/log?{text}"));
    let Ok(Asked::Resource(ask)) = log(
        "container=main&tailLines=0&sinceSeconds=9&limitBytes=10&follow=true&timestamps=1&previous=True&limit=x",
    ) else {
        panic!("all of it is understood, and a limit means nothing here");
    };
    let expected = Query {
        container: Some("main".into()),
        tail_lines: Some(0),
        since_seconds: Some(9),
        limit_bytes: Some(10),
        follow: true,
        timestamps: true,
        previous: true,
        ..Query::default()
    };
    assert_eq!(ask.query, expected);
    let Err(Failure::Invalid { group, kind, name, causes }) = log("tailLines=-1&sinceSeconds=0&limitBytes=0")
    else {
        panic!("none of these can be");
    };
    assert_eq!((group, kind, name.as_str()), ("", "PodLogOptions", "a"));
    let told: Vec<_> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    let expected = [
        "tailLines: Invalid value: -1: must be greater than or equal to 0",
        "limitBytes: Invalid value: 0: must be greater than 0",
        "sinceSeconds: Invalid value: 0: must be greater than 0",
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_is_no_integer_is_a_bad_request_where_one_is_read() {
    let refused = |path: &str| match refused("GET", path) {
        Failure::BadRequest(why) => why,
        other => panic!("{path} is a bad request: {other:?}"),
    };
    let log = "/api/v1/namespaces/n/pods/a/log";
    assert_eq!(refused("/api/v1/pods?limit=abc"), "strconv.ParseInt: parsing \"abc\": invalid syntax");
    assert_eq!(refused("/api/v1/pods?limit="), "strconv.ParseInt: parsing \"\": invalid syntax");
    assert_eq!(
        refused("/api/v1/pods?timeoutSeconds=1.5"),
        "strconv.ParseInt: parsing \"1.5\": invalid syntax"
    );
    assert_eq!(
        refused(&format!("{log}?tailLines=99999999999999999999")),
        "strconv.ParseInt: parsing \"99999999999999999999\": value out of range"
    );
    assert_eq!(ask("GET", "/api/v1/namespaces/n/pods/a?limit=abc").query, Query::default());
}

#[test]
fn dry_runs_are_refused_where_something_would_be_done() {
    let why =
        Failure::BadRequest("dryRun is not simulated: without it, the request would be carried out".into());
    assert_eq!(refused("DELETE", "/api/v1/namespaces/n/pods/a?dryRun=All"), why);
    assert_eq!(refused("POST", "/api/v1/namespaces/n/services?dryRun=All"), why);
    assert_eq!(refused("PATCH", "/apis/apps/v1/namespaces/n/deployments/d?dryRun=All"), why);
    let query =
        ask("DELETE", "/api/v1/namespaces/n/pods/a?dryRun=&gracePeriodSeconds=0&propagationPolicy=Orphan")
            .query;
    assert_eq!(query.grace_period_seconds, Some(0));
    assert_eq!(query.propagation_policy.as_deref(), Some("Orphan"));
    assert_eq!(ask("GET", "/api/v1/pods?dryRun=All").query, Query::default(), "reading does nothing anyway");
}

#[test]
fn content_types_are_told_without_their_parameters() {
    let parts = Request::builder()
        .method("PATCH")
        .uri("/api/v1/nodes/worker-node")
        .header("content-type", " Application/Merge-Patch+JSON ; charset=utf-8")
        .body(())
        .expect("a request")
        .into_parts()
        .0;
    let Ok(Asked::Resource(ask)) = Asked::parse(&parts) else { panic!("it is about a node") };
    assert_eq!((ask.content_type.as_str(), ask.form), ("application/merge-patch+json", Form::Object));
    assert_eq!(self::ask("DELETE", "/api/v1/namespaces/n/pods/a").content_type, "");
}

#[test]
fn a_body_is_read_up_to_three_mebibytes_and_no_further() {
    let rig = Rig::new();
    let send =
        |bytes: usize| rig.send(Method::POST, "/api/v1/namespaces/panda/services", &[], "x".repeat(bytes));
    let too_large = send(LARGEST_BODY + 1);
    assert_eq!(too_large.refusal(), (413, "Request entity too large: limit is 3145728".into()));
    assert_eq!(too_large.headers["connection"], "close");
    assert_ne!(send(LARGEST_BODY).code, 413);
    let read = rig.send(Method::GET, "/api/v1/pods", &[], "x".repeat(LARGEST_BODY + 1));
    assert_eq!(read.code, 200, "nobody looks at the body of a request that only reads");
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for_without_end() {
    let rig = Rig::waiting_for_bodies(Rig::new().kube, Duration::ZERO);
    let never = futures_util::stream::pending::<Result<bytes::Bytes, std::convert::Infallible>>();
    let request = Request::delete("/api/v1/namespaces/panda/pods/a").body(Body::from_stream(never));
    let answer = rig.runtime.block_on(rig.respond(request.expect("a request")));
    assert_eq!(answer.status().as_u16(), 400);
}

fn methods() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
}

/// Paths out of the API's own words, and others.
fn paths() -> impl Strategy<Value = String> {
    let words = vec![
        "api",
        "apis",
        "v1",
        "apps",
        "batch",
        "namespaces",
        "panda",
        "pods",
        "nodes",
        "services",
        "deployments",
        "log",
        "scale",
        "metrics.k8s.io",
        "v1beta1",
        "",
        "%2F",
        "..",
        "%00",
        "%ff",
        "watch",
        "version",
    ];
    let made = prop::collection::vec(prop::sample::select(words), 0..9).prop_map(|words| words.join("/"));
    prop_oneof![made, "[a-z0-9/.%]{0,40}"].prop_map(|path| format!("/{path}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_for_is_answered_and_never_with_a_defect(
        method in methods(),
        path in paths(),
        query in "[a-zA-Z=&%0-9(),!+-]{0,30}",
        known in prop::sample::select(vec!["limit", "continue", "resourceVersion", "labelSelector", "fieldSelector"]),
    ) {
        let rig = Rig::new();
        for path in [path.clone(), format!("{path}?{query}"), format!("{path}?{known}={query}")] {
            // Not every text is one that HTTP knows.
            if path.parse::<http::Uri>().is_err() {
                continue;
            }
            let answer = rig.send(method.parse().unwrap(), &path, &[], "");
            prop_assert_ne!(answer.code, 500, "{} {}", method, path);
            if answer.code >= 400 {
                prop_assert_eq!(answer.refusal().0, answer.code);
            }
        }
    }
}
