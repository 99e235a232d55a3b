//! Answers against the OpenAPI document of the admin interface.

use std::sync::LazyLock;

use focus_proto::ADMIN_OPENAPI_JSON;
use jsonschema::{Registry, Validator};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const BASE: &str = "urn:mock-admin:openapi";

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(ADMIN_OPENAPI_JSON).expect("the document is JSON"));
static REGISTRY: LazyLock<Registry<'static>> = LazyLock::new(|| {
    let registry = Registry::new().add(BASE, &*DOCUMENT).expect("the base is a URI");
    registry.prepare().expect("the document is a resource")
});

fn validator(pointer: &str) -> Validator {
    let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .with_registry(&REGISTRY)
        .build(&json!({ "$ref": format!("{BASE}#{fragment}") }))
        .unwrap_or_else(|problem| panic!("{pointer}: {problem}"))
}

/// The path of the document that a path is.
fn template(path: &str) -> Option<&'static str> {
    let path = path.split('?').next().unwrap_or(path);
    let fits = |template: &str| {
        let (said, wanted): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
        said.len() == wanted.len()
            && said.iter().zip(&wanted).all(|(said, wanted)| wanted.starts_with('{') || said == wanted)
    };
    let mut paths: Vec<_> = DOCUMENT["paths"].as_object().expect("paths").keys().collect();
    // A path without parameters wins.
    paths.sort_by_key(|path| path.contains('{'));
    paths.into_iter().find(|template| fits(template)).map(String::as_str)
}

/// Where the schema of an answer stands.
fn schema(method: &Method, path: &str, status: StatusCode) -> Option<String> {
    let template = template(path)?;
    let method = method.as_str().to_lowercase();
    let responses = DOCUMENT["paths"][template].get(&method)?.get("responses")?;
    let key = if responses.get(status.as_str()).is_some() { status.as_str() } else { "default" };
    let at = match responses[key]["$ref"].as_str() {
        Some(reference) => reference.trim_start_matches('#').to_owned(),
        None => format!("/paths/{}/{method}/responses/{key}", template.replace('/', "~1")),
    };
    let content = DOCUMENT.pointer(&format!("{at}/content")).and_then(Value::as_object).expect("content");
    let kind = content.keys().next().expect("a type");
    Some(format!("{at}/content/{}/schema", kind.replace('/', "~1")))
}

/// Checks that an answer is what the document says.
#[track_caller]
pub(super) fn answered(method: &Method, path: &str, status: StatusCode, body: &str) {
    // What has no route has no place in the document, and is refused like everything else.
    let schema = schema(method, path, status).unwrap_or_else(|| String::from("/components/schemas/Error"));
    let body = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
    if let Err(problem) = validator(&schema).validate(&body) {
        panic!("{method} {path} {status}: {problem} at {} of {body:#}", problem.instance_path());
    }
}

#[test]
fn an_answer_that_is_not_as_documented_is_found_out() {
    let get = |path, status, body: &str| {
        let body = body.to_owned();
        std::panic::catch_unwind(move || {
            answered(&Method::GET, path, StatusCode::from_u16(status).expect("a status"), &body);
        })
        .is_ok()
    };
    assert!(get("/__mock/leaks", 200, r#"{"leaks":[]}"#));
    assert!(get("/__mock/leaks", 401, r#"{"error":"no"}"#));
    assert!(!get("/__mock/leaks", 200, r#"{"error":"no"}"#));
    assert!(!get("/__mock/leaks", 500, r#"{"leaks":[]}"#));
    assert!(!get("/__mock/leaks", 200, r#"{"leaks":[{"kind":"thing","name":"x","job":null}]}"#));
    assert!(!get("/__mock/no-such-route", 404, "Not Found"));
}
