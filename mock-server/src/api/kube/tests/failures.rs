//! Every "no", word by word.

use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::api::kube::failure::{Cause, Failure};

/// What a `Status` says beside being one.
#[track_caller]
fn status(failure: &Failure) -> Value {
    let mut json = serde_json::to_value(failure.status()).unwrap();
    let object = json.as_object_mut().unwrap();
    assert_eq!(object.remove("kind"), Some(json!("Status")));
    assert_eq!(object.remove("apiVersion"), Some(json!("v1")));
    assert_eq!(object.remove("status"), Some(json!("Failure")));
    assert_eq!(object.remove("metadata"), Some(json!({})));
    let code = failure.clone().into_response().status().as_u16();
    assert_eq!(object.remove("code"), Some(json!(code)), "the code of the object is that of the answer");
    object.insert("http".into(), json!(code));
    json
}

fn not_found(name: &str) -> Failure {
    Failure::NotFound { group: "", resource: "pods", name: name.into() }
}

#[test]
fn objects_that_are_not_there_or_stand_in_the_way() {
    assert_eq!(
        status(&not_found("x")),
        json!({"http": 404, "reason": "NotFound", "message": "pods \"x\" not found",
            "details": {"name": "x", "kind": "pods"}})
    );
    let (group, resource, name) = ("apps", "deployments", String::from("mongodb"));
    assert_eq!(
        status(&Failure::NotFound { group, resource, name: name.clone() }),
        json!({"http": 404, "reason": "NotFound", "message": "deployments.apps \"mongodb\" not found",
            "details": {"name": "mongodb", "group": "apps", "kind": "deployments"}})
    );
    assert_eq!(
        status(&Failure::AlreadyExists { group: "", resource: "services", name: "a".into() }),
        json!({"http": 409, "reason": "AlreadyExists", "message": "services \"a\" already exists",
            "details": {"name": "a", "kind": "services"}})
    );
    assert_eq!(
        status(&Failure::Conflict { group, resource, name }),
        json!({"http": 409, "reason": "Conflict", "message": "Operation cannot be fulfilled on deployments.apps \
            \"mongodb\": the object has been modified; please apply your changes to the latest version and try again",
            "details": {"name": "mongodb", "group": "apps", "kind": "deployments"}})
    );
}

#[test]
fn an_invalid_object_tells_each_field() {
    let negative = Cause::invalid("spec.replicas", -1, "must be greater than or equal to 0");
    let invalid =
        |causes| Failure::Invalid { group: "apps", kind: "Deployment", name: "mongodb".into(), causes };
    assert_eq!(
        status(&invalid(vec![negative.clone()])),
        json!({"http": 422, "reason": "Invalid", "message": "Deployment.apps \"mongodb\" is invalid: spec.replicas: \
            Invalid value: -1: must be greater than or equal to 0",
            "details": {"name": "mongodb", "group": "apps", "kind": "Deployment", "causes": [{
                "reason": "FieldValueInvalid", "field": "spec.replicas",
                "message": "Invalid value: -1: must be greater than or equal to 0"}]}})
    );
    let forbidden = Cause::forbidden("spec.paused", "not yet");
    let both = status(&invalid(vec![negative.clone(), forbidden, negative]));
    assert_eq!(
        both["message"],
        "Deployment.apps \"mongodb\" is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to \
         0, spec.paused: Forbidden: not yet]"
    );
    assert_eq!(both["details"]["causes"].as_array().unwrap().len(), 3);
}

#[test]
fn requests_that_lead_nowhere() {
    let details = json!({});
    assert_eq!(
        status(&Failure::no_such_path("")),
        json!({"http": 404, "reason": "NotFound", "details": details,
            "message": "the server could not find the requested resource"})
    );
    assert_eq!(
        status(&Failure::no_such_path("pods/exec is not simulated"))["message"],
        "the server could not find the requested resource: pods/exec is not simulated"
    );
    assert_eq!(
        status(&Failure::MethodNotAllowed("why".into())),
        json!({"http": 405, "reason": "MethodNotAllowed", "details": details,
            "message": "the server does not allow this method on the requested resource: why"})
    );
}

#[test]
fn requests_that_are_not_understood() {
    let plain =
        |code: u16, reason: &str, message: &str| json!({"http": code, "reason": reason, "message": message});
    let cases = [
        (Failure::BadRequest("why".into()), plain(400, "BadRequest", "why")),
        (Failure::Unauthorized, plain(401, "Unauthorized", "Unauthorized")),
        (Failure::Expired("too old".into()), plain(410, "Expired", "too old")),
        (
            Failure::TooLarge(3_145_728),
            plain(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"),
        ),
        (
            Failure::Internal,
            plain(
                500,
                "InternalError",
                "Internal error occurred: this is a defect of the simulated API server, see its log",
            ),
        ),
    ];
    for (failure, expected) in cases {
        assert_eq!(status(&failure), expected);
    }
}

#[test]
fn content_types_that_are_not_read() {
    let refused = |asked: &str| {
        let failure = Failure::UnsupportedMediaType { asked: asked.into(), read: "application/json" };
        status(&failure)
    };
    assert_eq!(
        refused("text/plain"),
        json!({"http": 415, "reason": "UnsupportedMediaType", "message":
            "the body of the request was in an unknown format - accepted media types include: application/json"})
    );
    assert_eq!(
        refused("application/apply-patch+yaml")["message"],
        "the body of the request was in an unknown format - accepted media types include: application/json: \
         server-side apply is not simulated"
    );
}

#[test]
fn what_may_go_well_later_says_when() {
    let failure = Failure::VersionTooLarge { asked: 10, newest: 5 };
    assert_eq!(
        status(&failure),
        json!({"http": 504, "reason": "Timeout", "message": "Timeout: Too large resource version: 10, current: 5",
            "details": {"retryAfterSeconds": 1,
                "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}})
    );
    assert_eq!(failure.into_response().headers()["retry-after"], "1");
    let failure = Failure::TooManyRequests("too many watches".into());
    assert_eq!(
        status(&failure),
        json!({"http": 429, "reason": "TooManyRequests", "message": "too many watches",
            "details": {"retryAfterSeconds": 1}})
    );
    assert_eq!(failure.into_response().headers()["retry-after"], "1");
    assert!(!not_found("x").into_response().headers().contains_key("retry-after"));
}
