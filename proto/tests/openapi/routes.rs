//! The routes and what their readers rely on.

use std::collections::BTreeSet;

use focus_proto::{OPENAPI_JSON, OPENAPI_YAML};
use serde_json::{Value, json};

use super::DOCUMENT;

/// Status and the error codes it can carry; none for an answer that is no refusal.
type Statuses = &'static [(&'static str, &'static [&'static str])];

const OUTSIDE: Statuses = &[("200", &[]), ("405", &["METHOD_NOT_ALLOWED"]), ("503", &["SERVER_DOWN"])];
const JOB: Statuses =
    &[("200", &[]), ("404", &["UNKNOWN_JOB"]), ("405", &["METHOD_NOT_ALLOWED"]), ("503", &["SERVER_DOWN"])];
const METADATA: Statuses = &[
    ("200", &[]),
    ("201", &[]),
    ("404", &["UNKNOWN_JOB"]),
    ("405", &["METHOD_NOT_ALLOWED"]),
    ("503", &["SERVER_DOWN"]),
];
const CONFIGURE: Statuses = &[
    ("200", &[]),
    ("400", &["MALFORMED_JSON", "INVALID_VALUE"]),
    ("404", &["NO_RECORDING"]),
    ("405", &["METHOD_NOT_ALLOWED"]),
    ("409", &["PORT_IN_USE"]),
    ("413", &["BODY_TOO_LARGE"]),
    ("422", &["INVALID_REQUEST"]),
    (
        "503",
        &[
            "WAITING_FOR_FIBER",
            "RECORDINGS_UNAVAILABLE",
            "BROKER_UNAVAILABLE",
            "CAPACITY_EXHAUSTED",
            "JOB_CREATION_FAILED",
            "SERVER_DOWN",
        ],
    ),
];
const RECORDINGS: Statuses = &[
    ("200", &[]),
    ("400", &["MALFORMED_JSON", "INVALID_VALUE"]),
    ("405", &["METHOD_NOT_ALLOWED"]),
    ("413", &["BODY_TOO_LARGE"]),
    ("422", &["INVALID_REQUEST"]),
    ("503", &["RECORDINGS_UNAVAILABLE", "SERVER_DOWN"]),
];

const TASK_CONFIG: Statuses = &[
    ("200", &[]),
    ("400", &["MALFORMED_JSON", "INVALID_VALUE"]),
    ("405", &["METHOD_NOT_ALLOWED"]),
    ("413", &["BODY_TOO_LARGE"]),
    ("422", &["INVALID_REQUEST"]),
    ("503", &["SERVER_DOWN"]),
];
const WATERFALL: Statuses = &[
    ("200", &[]),
    ("201", &[]),
    ("208", &[]),
    ("400", &["INVALID_VALUE"]),
    ("404", &["UNKNOWN_TASK"]),
    ("405", &["METHOD_NOT_ALLOWED"]),
    ("422", &["INVALID_REQUEST"]),
    ("503", &["SERVER_DOWN"]),
];

const TIMELINE: Statuses =
    &[("200", &[]), ("405", &["METHOD_NOT_ALLOWED"]), ("503", &["RECORDINGS_UNAVAILABLE", "SERVER_DOWN"])];

const ROUTES: &[(&str, &str, Statuses)] = &[
    ("GET", "/ack", OUTSIDE),
    ("GET", "/channels", OUTSIDE),
    ("GET", "/live_metadata", OUTSIDE),
    ("POST", "/configure", CONFIGURE),
    ("GET", "/metadata/{job_id}", METADATA),
    ("DELETE", "/job/{job_id}", JOB),
    ("POST", "/recordings_in_time_range", RECORDINGS),
    ("GET", "/get_recordings_timeline", TIMELINE),
    ("GET", "/sensors", OUTSIDE),
    ("POST", "/config/{task_id}", TASK_CONFIG),
    ("GET", "/waterfall/{task_id}/{row_count}", WATERFALL),
    ("GET", "/openapi.json", OUTSIDE),
    ("GET", "/docs", OUTSIDE),
];

/// Answers that never have a body.
const EMPTY: [(&str, &str); 3] = [
    ("/ack", "200"),
    ("/waterfall/{task_id}/{row_count}", "200"),
    ("/waterfall/{task_id}/{row_count}", "208"),
];

fn operations() -> Vec<(String, String, Value)> {
    let mut operations = Vec::new();
    for (path, item) in DOCUMENT["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path item") {
            if method != "parameters" {
                operations.push((method.to_uppercase(), path.clone(), operation.clone()));
            }
        }
    }
    operations
}

/// A response of a route, its reference followed.
fn response(operation: &Value, status: &str) -> Value {
    let response = &operation["responses"][status];
    match response["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(&reference[1..]).expect("a response").clone(),
        None => response.clone(),
    }
}

/// The error codes that a refusal's schema lets through.
fn codes(response: &Value) -> Vec<String> {
    let code = &response["content"]["application/json"]["schema"]["allOf"][1]["properties"]["code"];
    let list = code["enum"].as_array().cloned().unwrap_or_else(|| vec![code["const"].clone()]);
    list.iter().map(|code| code.as_str().expect("a code").to_owned()).collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

#[test]
fn the_document_lists_the_routes_with_their_statuses_and_error_codes() {
    let listed: Vec<_> = operations().into_iter().map(|(method, path, _)| (method, path)).collect();
    let wanted: Vec<_> =
        ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(listed, wanted);
    for ((method, path, operation), (_, _, statuses)) in operations().iter().zip(ROUTES) {
        let wanted: BTreeSet<&str> = statuses.iter().map(|(status, _)| *status).collect();
        assert_eq!(keys(&operation["responses"]), wanted, "{method} {path}");
        for (status, wanted) in statuses.iter().filter(|(_, wanted)| !wanted.is_empty()) {
            assert_eq!(codes(&response(operation, status)), *wanted, "{method} {path} {status}");
        }
    }
}

#[test]
fn every_refusal_is_an_error_body() {
    for (method, path, operation) in operations() {
        for status in keys(&operation["responses"]).into_iter().filter(|status| !status.starts_with('2')) {
            let refusal = response(&operation, status);
            let base = &refusal["content"]["application/json"]["schema"]["allOf"][0]["$ref"];
            assert_eq!(base, "#/components/schemas/ErrorBody", "{method} {path} {status}");
        }
    }
}

#[test]
fn every_answer_has_a_request_id_every_503_says_when_to_retry_and_every_405_what_is_allowed() {
    for (method, path, operation) in operations() {
        for status in keys(&operation["responses"]) {
            let headers = &response(&operation, status)["headers"];
            let mut wanted = BTreeSet::from(["x-request-id"]);
            match status {
                "503" => drop(wanted.insert("retry-after")),
                "405" => drop(wanted.insert("allow")),
                _ if EMPTY.contains(&(path.as_str(), status)) => drop(wanted.insert("content-length")),
                _ => {}
            }
            assert_eq!(keys(headers), wanted, "{method} {path} {status}");
            if status == "405" {
                assert_eq!(headers["allow"]["schema"]["const"], method, "{path}");
            }
        }
    }
    assert_eq!(DOCUMENT["components"]["headers"]["RetryAfter"]["schema"]["const"], 1);
}

#[test]
fn every_route_is_served_bare_and_under_the_prefix_and_is_described() {
    assert_eq!(DOCUMENT["openapi"], "3.1.0");
    let servers: Vec<&Value> =
        DOCUMENT["servers"].as_array().expect("servers").iter().map(|one| &one["url"]).collect();
    assert_eq!(servers, ["/", "/focus-server"]);
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations() {
        for key in ["operationId", "summary", "description"] {
            assert!(operation[key].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}: {key}");
        }
        assert!(names.insert(operation["operationId"].to_string()), "{method} {path}: the id is taken");
    }
}

#[test]
fn an_answer_that_is_always_empty_has_no_content_and_every_other_one_has() {
    let mut empty = Vec::new();
    for (_, path, operation) in operations() {
        for status in keys(&operation["responses"]) {
            let response = response(&operation, status);
            if response.get("content").is_none() {
                assert_eq!(response["headers"]["content-length"]["schema"]["const"], 0, "{path} {status}");
                empty.push((path.clone(), status.to_owned()));
            }
        }
    }
    assert_eq!(empty, EMPTY.map(|(path, status)| (path.to_owned(), status.to_owned())));
}

#[test]
fn a_metadata_answers_for_jobs_and_for_tasks() {
    let metadata = &DOCUMENT["paths"]["/metadata/{job_id}"]["get"];
    for (status, schema) in [("200", "ConfigureResponse"), ("201", "LiveMetadata")] {
        let found = &metadata["responses"][status]["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(*found, format!("#/components/schemas/{schema}"), "{status}");
    }
}

#[test]
fn known_suites_find_that_view_type_is_sent_as_a_string() {
    let view_type = &DOCUMENT["components"]["schemas"]["ConfigureRequest"]["properties"]["view_type"];
    assert_eq!(view_type["type"], "string");
    assert_eq!(view_type["enum"], json!(["0", "1", "2"]));
    assert_eq!(keys(view_type), BTreeSet::from(["type", "enum", "description"]));
}

#[test]
fn the_fields_and_bounds_of_a_request_can_be_read_from_its_properties() {
    let request = &DOCUMENT["components"]["schemas"]["ConfigureRequest"];
    assert_eq!(request["required"], json!(["view_type", "channels", "displayInfo"]));
    assert_eq!(request.get("additionalProperties"), None);
    let fields = &request["properties"];
    let nullable = |kind: &str| json!([kind, "null"]);
    for (field, kind) in [
        ("channels", json!("object")),
        ("displayInfo", json!("object")),
        ("displayTimeAxisDuration", nullable("integer")),
        ("nfftSelection", nullable("integer")),
        ("frequencyRange", nullable("object")),
        ("start_time", nullable("integer")),
        ("end_time", nullable("integer")),
    ] {
        assert_eq!(fields[field]["type"], kind, "{field}");
    }
    let powers: Vec<Value> = (7..=16).map(|power| json!(1 << power)).collect();
    let then = &request["allOf"][0]["then"]["properties"]["nfftSelection"]["enum"];
    assert_eq!(then.as_array(), Some(&powers));
    assert_eq!(request["allOf"][0]["if"]["properties"]["view_type"]["enum"], json!(["0", "1"]));
    assert_eq!(
        request["allOf"][0]["then"]["required"],
        json!(["displayTimeAxisDuration", "nfftSelection", "frequencyRange"])
    );
    for (field, bound, value) in [
        ("/channels/properties/min", "minimum", 1),
        ("/channels/properties/max", "maximum", 2337),
        ("/displayInfo/properties/height", "minimum", 1),
        ("/displayTimeAxisDuration", "minimum", 1),
        ("/frequencyRange/properties/min", "minimum", 0),
        ("/frequencyRange/properties/max", "maximum", 1000),
        ("/start_time", "minimum", 0),
        ("/end_time", "minimum", 0),
    ] {
        assert_eq!(fields.pointer(field).expect("a field")[bound], value, "{field} {bound}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(node: &'a Value, found: &mut Vec<&'a str>) {
        match node {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|child| references(child, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    references(&DOCUMENT, &mut found);
    assert!(found.len() > 50, "only {} references found", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads outside"));
        assert!(DOCUMENT.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn no_address_but_loopback_and_the_identifiers_of_the_formats_occurs() {
    for text in [OPENAPI_YAML, OPENAPI_JSON] {
        let hosts: BTreeSet<&str> = text
            .split("://")
            .skip(1)
            .map(|rest| rest.split(|next: char| !next.is_ascii_alphanumeric() && !".-".contains(next)).next())
            .map(|host| host.expect("a split has a first part"))
            .collect();
        // The empty host is the pattern of `stream_url`.
        assert_eq!(hosts, BTreeSet::from(["", "json-schema.org", "localhost"]));
    }
}
