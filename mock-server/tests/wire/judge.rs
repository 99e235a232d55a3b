//! What holds for every answer, whatever was asked: the contract's error body, its headers, and the words no answer has.

use std::sync::LazyLock;

use focus_proto::OPENAPI_JSON;
use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

use focus_mock::MockServer;
use focus_mock::sim::snapshot::Snapshot;

use super::common::Answer;

const BASE: &str = "urn:focus-server:openapi";

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(OPENAPI_JSON).expect("the document is JSON"));
static REGISTRY: LazyLock<Registry<'static>> = LazyLock::new(|| {
    let registry = Registry::new().add(BASE, &*DOCUMENT).expect("the base is a URI");
    registry.prepare().expect("the document is a resource")
});
static ERROR_BODY: LazyLock<Validator> = LazyLock::new(|| validator("ErrorBody"));

/// The world as it stands, without who waits for its clock and without the journal: what no refusal may change.
pub(crate) fn state(server: &MockServer) -> Snapshot {
    let snapshot = server.simulation().snapshot();
    Snapshot { waiters: Vec::new(), journal: Vec::new(), journal_written: 0, ..snapshot }
}

/// The OpenAPI document.
pub(crate) fn document() -> &'static Value {
    &DOCUMENT
}

/// The validator of a schema of the OpenAPI document.
pub(crate) fn validator(schema: &str) -> Validator {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .with_registry(&REGISTRY)
        .build(&json!({ "$ref": format!("{BASE}#/components/schemas/{schema}") }))
        .unwrap_or_else(|problem| panic!("{schema}: {problem}"))
}

/// Substrings that known suites search answers for.
const FORBIDDEN: [&str; 15] = [
    "traceback",
    "file \"/",
    "line ",
    "/home/",
    "/root/",
    "stack trace",
    "exception:",
    "at 0x",
    "mongodb://",
    "redis://",
    "amqp://",
    "password",
    "secret",
    "token",
    "api_key",
];

/// Which status each code has.
const STATUS_OF: [(&str, u16); 16] = [
    ("MALFORMED_JSON", 400),
    ("INVALID_VALUE", 400),
    ("INVALID_REQUEST", 422),
    ("NOT_FOUND", 404),
    ("METHOD_NOT_ALLOWED", 405),
    ("UNKNOWN_JOB", 404),
    ("UNKNOWN_TASK", 404),
    ("NO_RECORDING", 404),
    ("PORT_IN_USE", 409),
    ("BODY_TOO_LARGE", 413),
    ("WAITING_FOR_FIBER", 503),
    ("RECORDINGS_UNAVAILABLE", 503),
    ("BROKER_UNAVAILABLE", 503),
    ("CAPACITY_EXHAUSTED", 503),
    ("JOB_CREATION_FAILED", 503),
    ("SERVER_DOWN", 503),
];

pub(crate) fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut values = answer.headers.get_all(name).iter();
    let value = values.next().map(|value| value.to_str().expect("visible ASCII"));
    assert!(values.next().is_none(), "{name} stands twice");
    value
}

/// Checks what every answer has; its request id.
pub(crate) fn answered(answer: &Answer) -> &str {
    let id = header(answer, "x-request-id").expect("every answer has an id");
    let usable = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    assert!((1..=64).contains(&id.len()) && id.bytes().all(usable), "{id:?}");
    assert_eq!(header(answer, "transfer-encoding"), None);
    id
}

/// Checks what every answer with a JSON body has that is not the OpenAPI document; its text.
pub(crate) fn json_text(answer: &Answer) -> &str {
    answered(answer);
    assert_eq!(header(answer, "content-type"), Some("application/json"));
    let text = std::str::from_utf8(&answer.body).expect("UTF-8");
    assert_eq!(header(answer, "content-length"), Some(text.len().to_string().as_str()));
    let lower = text.to_lowercase();
    for word in FORBIDDEN {
        assert!(!lower.contains(word), "{word:?} in {text}");
    }
    text
}

/// The same, and that nothing of it could be shorter; the body.
pub(crate) fn json_answer(answer: &Answer) -> Value {
    let text = json_text(answer);
    let body = answer.json();
    assert_eq!(body.to_string(), text, "compact, floats in their shortest form");
    body
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Checks a refusal against everything the contract says of all of them; its body.
pub(crate) fn refusal(answer: &Answer) -> Value {
    let body = json_answer(answer);
    assert_eq!(body["request_id"], answered(answer));
    let problems: Vec<String> = ERROR_BODY.iter_errors(&body).map(|problem| problem.to_string()).collect();
    assert!(problems.is_empty(), "{body}: {problems:?}");
    let code = body["code"].as_str().expect("a code");
    let status = STATUS_OF.iter().find(|(known, _)| *known == code).map(|(_, status)| *status);
    assert_eq!(status, Some(answer.status.as_u16()), "{body}");
    assert_eq!(header(answer, "retry-after"), (answer.status == 503).then_some("1"), "{body}");
    assert_eq!(header(answer, "allow").is_some(), answer.status == 405, "{body}");
    match body.get("detail") {
        None => assert_eq!(keys(&body), ["error", "code", "request_id"]),
        Some(detail) => {
            assert_eq!(keys(&body), ["error", "code", "detail", "request_id"]);
            let entries = detail.as_array().map_or(&[][..], Vec::as_slice);
            for entry in entries {
                assert_eq!(keys(entry), ["loc", "msg", "type"]);
            }
            let texts: Vec<_> = entries.iter().map(|entry| entry["msg"].as_str().expect("a text")).collect();
            let error = if entries.is_empty() { detail.clone() } else { json!(texts.join("; ")) };
            assert_eq!(body["error"], error);
        }
    }
    body
}

/// One entry of `detail`: the place below the body with dots, type, text.
pub(crate) type Entry = (&'static str, &'static str, &'static str);

/// Checks that exactly these violations were answered, in this order.
#[track_caller]
pub(crate) fn violations(answer: &Answer, status: u16, expected: &[Entry]) {
    let body = refusal(answer);
    let detail: Vec<Value> = expected
        .iter()
        .map(|(place, kind, text)| {
            let below = place.split('.').filter(|key| !key.is_empty());
            let loc: Vec<&str> = std::iter::once("body").chain(below).collect();
            json!({"loc": loc, "msg": text, "type": kind})
        })
        .collect();
    assert_eq!(body["detail"], json!(detail));
    assert_eq!(answer.status, status);
    let code = if status == 422 { "INVALID_REQUEST" } else { "INVALID_VALUE" };
    assert_eq!(body["code"], code);
}

/// Checks a refusal without violations: status, code and text.
#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, code: &str, text: &str) {
    let body = refusal(answer);
    let found = (answer.status.as_u16(), body["code"].as_str(), body["error"].as_str());
    assert_eq!(found, (status, Some(code), Some(text)));
}
