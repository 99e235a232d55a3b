//! Deleting and scaling: what is asked for, and what is answered.

use serde_json::json;

use super::*;
use crate::api::kube::scale;
use crate::api::kube::write::{self, deleted, deletion};
use crate::sim::cluster::edit::Edit;
use crate::sim::cluster::facts::{ClusterJob, Part, PartOfJob, Version};

fn delete(body: &'static str) -> Ask {
    ask_of(Resource::of(Kind::Pod), "p", body)
}

fn grace(ask: &Ask) -> Option<Duration> {
    match deletion(ask) {
        Ok((Edit::Delete { key, grace }, None)) => {
            assert_eq!(key, Key::new(Kind::Pod, &Namespace(HERE.into()), "p"));
            grace
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn options_are_taken_from_the_body_and_from_the_query_and_may_be_left_out() {
    assert_eq!(grace(&delete("")), None);
    assert_eq!(grace(&delete("{}")), None);
    let full =
        r#"{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,"propagationPolicy":"Orphan"}"#;
    assert_eq!(grace(&delete(full)), Some(Duration::ZERO));
    assert_eq!(grace(&delete(r#"{"gracePeriodSeconds":-5}"#)), Some(Duration::from_secs(1)));
    for body in ["", "{}"] {
        let mut ask = delete(body);
        ask.query.grace_period_seconds = Some(3);
        ask.query.propagation_policy = Some("Foreground".into());
        assert_eq!(grace(&ask), Some(Duration::from_secs(3)));
        ask.body = r#"{"gracePeriodSeconds":7}"#.into();
        assert_eq!(grace(&ask), Some(Duration::from_secs(7)), "the body comes first");
    }
}

#[test]
fn wrong_options_are_refused() {
    for (body, code, text) in [
        (
            r#"{"propagationPolicy":"background"}"#,
            422,
            "propagationPolicy: Unsupported value: \"background\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"",
        ),
        (r#"{"propagationPolicy":"Orphan","orphanDependents":true}"#, 422, "cannot be both set"),
        (r#"{"dryRun":["All"]}"#, 400, "dryRun is not simulated"),
        (r#"{"gracePeriodSeconds":"x"}"#, 400, "cannot be read"),
        (r#"{"kind":"Pod"}"#, 400, "DeleteOptions"),
        ("[", 400, "cannot be read"),
    ] {
        let (is, message) = told(&deletion(&delete(body)).expect_err(body));
        assert_eq!(is, code, "{body}");
        assert!(message.contains(text), "{text:?} is missing in {message:?}");
    }
    let mut ask = delete("");
    ask.query.propagation_policy = Some("x".into());
    assert_eq!(told(&deletion(&ask).expect_err("no such policy")).0, 422);
    assert_eq!(
        told(&deletion(&ask_of(Resource::of(Kind::Node), "n", "")).expect_err("not simulated")).0,
        405
    );
    ask.content_type = "application/yaml".into();
    ask.body = "{}".into();
    assert_eq!(told(&deletion(&ask).expect_err("no JSON")).0, 415);
}

#[tokio::test]
async fn a_precondition_that_does_not_hold_is_a_conflict() {
    let rig = Rig::new();
    let record = rig.service("a", "x");
    for body in [r#"{"preconditions":{"uid":"0"}}"#, r#"{"preconditions":{"resourceVersion":"0"}}"#] {
        let (status, body) =
            answer(write::delete(&rig.kube, &ask_of(Resource::of(Kind::Service), "a", body)).await).await;
        assert_eq!((status, &body["reason"]), (409, &"Conflict".into()));
    }
    let missing = ask_of(Resource::of(Kind::Service), "b", r#"{"preconditions":{"uid":"0"}}"#);
    assert_eq!(answer(write::delete(&rig.kube, &missing).await).await.0, 404);
    let holds = format!(r#"{{"preconditions":{{"resourceVersion":"{}"}}}}"#, record.version);
    let (_, body) =
        answer(write::delete(&rig.kube, &ask_of(Resource::of(Kind::Service), "a", holds)).await).await;
    assert_ne!(body["reason"], "Conflict");
}

#[tokio::test]
async fn a_deleted_job_is_answered_with_a_status_and_others_with_themselves() {
    let rig = Rig::new();
    let of = PartOfJob { part: Part::Grpc, terms: rig.terms() };
    let key = Key::new(Kind::Job, &Namespace(HERE.into()), "j");
    let job = rig.put(key, Facts::Job(ClusterJob { of, over: None }));
    let (status, body) = whole(deleted(&rig.kube, &ask_of(Resource::of(Kind::Job), "j", ""), &job)).await;
    let uid = write::metadata(&rig.kube, &job).uid;
    let details = json!({ "name": "j", "group": "batch", "kind": "jobs", "uid": uid });
    assert_eq!((status, &body["kind"], &body["status"]), (200, &"Status".into(), &"Success".into()));
    assert_eq!(body["details"], details);
    let record = rig.service("a", "x");
    let (status, body) =
        whole(deleted(&rig.kube, &ask_of(Resource::of(Kind::Service), "a", ""), &record)).await;
    assert_eq!((status, &body["kind"]), (200, &"Service".into()));
}

#[tokio::test]
async fn a_scale_is_shown_with_selector_and_replicas() {
    let rig = Rig::new();
    let record = rig.deployment("mongodb");
    let (status, body) = answer(write::scale(&rig.kube, &scale_ask("mongodb", "", "")).await).await;
    assert_eq!(
        (status, &body["kind"], &body["apiVersion"]),
        (200, &"Scale".into(), &"autoscaling/v1".into())
    );
    assert_eq!(body["spec"], json!({ "replicas": 1 }));
    assert_eq!(body["status"], json!({ "replicas": 1, "selector": "app.kubernetes.io/instance=mongodb" }));
    let metadata = &body["metadata"];
    assert_eq!((&metadata["name"], &metadata["namespace"]), (&"mongodb".into(), &HERE.into()));
    assert_eq!(metadata["resourceVersion"], record.version.to_string());
    let missing = scale_ask("x", "", "");
    assert_eq!(answer(write::scale(&rig.kube, &missing).await).await.0, 404);
}

#[test]
fn a_scale_is_put_at_the_version_that_it_was_read_at() {
    let rig = Rig::new();
    let record = rig.deployment("mongodb");
    let put = |body| scale::replaced(&scale_ask("mongodb", "application/json", body), &record);
    let wanted = |replicas, at| Edit::Workload {
        workload: Workload::MongoDb,
        replicas: Some(replicas),
        annotations: None,
        at,
    };
    assert_eq!(put(r#"{"spec":{"replicas":0}}"#), Ok(wanted(0, None)));
    let whole = r#"{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"mongodb","namespace":"test","resourceVersion":"7"},"spec":{"replicas":3},"status":{"replicas":1}}"#;
    assert_eq!(put(whole), Ok(wanted(3, Some(Version(7)))));
    for (body, code, text) in [
        (
            r#"{"spec":{"replicas":-1}}"#,
            422,
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        ),
        (r#"{"spec":{"replicas":1.5}}"#, 422, "spec.replicas: Invalid value: 1.5: must be a whole number"),
        (r#"{"spec":{"replicas":"1"}}"#, 422, "spec.replicas: Invalid value: \"1\""),
        (r#"{"spec":{"replicas":4294967296}}"#, 422, "spec.replicas: Invalid value: 4294967296"),
        (r#"{"spec":{"replicas":null}}"#, 422, "spec.replicas: Required value"),
        (r#"{"spec":{}}"#, 422, "spec.replicas: Required value"),
        ("{}", 422, "spec.replicas: Required value"),
        ("[]", 422, "spec.replicas: Required value"),
        ("{", 400, "cannot be read"),
        (r#"{"kind":"Pod","spec":{"replicas":1}}"#, 400, "cannot be read"),
        (r#"{"metadata":{"name":"x"},"spec":{"replicas":1}}"#, 400, "does not match the name on the URL"),
        (r#"{"metadata":{"namespace":"x"},"spec":{"replicas":1}}"#, 400, "namespace"),
        (
            r#"{"metadata":{"resourceVersion":"x"},"spec":{"replicas":1}}"#,
            400,
            "resourceVersion: Invalid value",
        ),
    ] {
        let (is, message) = told(&put(body).expect_err(body));
        assert_eq!(is, code, "{body}: {message}");
        assert!(message.contains(text), "{text:?} is missing in {message:?}");
    }
}

#[tokio::test]
async fn only_a_scale_can_be_put() {
    let rig = Rig::new();
    rig.deployment("mongodb");
    let ask = ask_of(Resource::of(Kind::Deployment), "mongodb", "{}");
    assert_eq!(answer(write::put(&rig.kube, &ask).await).await.0, 405);
}
