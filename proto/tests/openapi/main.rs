//! The OpenAPI document against itself and against what its readers rely on.
//!
//! An example that is not valid under its own schema misleads whoever copies it; a schema that accepts a spoilt
//! example judges nothing. Both are checked here for every example of the document.

mod admin;
mod examples;
mod routes;
mod schemas;

use std::sync::LazyLock;

use focus_proto::OPENAPI_JSON;
use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

const BASE: &str = "urn:focus-server:openapi";

/// The recorded request and answer, as one line each.
const GOLDEN_REQUEST: &str = include_str!("../../../fixtures/captured/2025-12/configure.request.json");
const GOLDEN_RESPONSE: &str = include_str!("../../../fixtures/captured/2025-12/configure.response.json");

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(OPENAPI_JSON).expect("the document is JSON"));
static REGISTRY: LazyLock<Registry<'static>> = LazyLock::new(|| {
    let registry = Registry::new().add(BASE, &*DOCUMENT).expect("the base is a URI");
    registry.prepare().expect("the document is a resource")
});

/// The validator of the schema at a JSON pointer; references resolve within the whole document.
fn validator(pointer: &str) -> Validator {
    let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .with_registry(&REGISTRY)
        .build(&json!({ "$ref": format!("{BASE}#{fragment}") }))
        .unwrap_or_else(|problem| panic!("{pointer}: {problem}"))
}

fn component(name: &str) -> Validator {
    validator(&format!("/components/schemas/{name}"))
}

/// An example, where it stands, and where its schema stands.
struct Example {
    at: String,
    schema: String,
    value: Value,
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Every example of the document: `example` and `examples` beside a `schema`, and `examples` of a schema.
fn examples() -> Vec<Example> {
    let mut found = Vec::new();
    collect(&DOCUMENT, "", &mut found);
    found
}

fn collect(node: &Value, at: &str, found: &mut Vec<Example>) {
    let Some(object) = node.as_object() else {
        for (index, item) in node.as_array().into_iter().flatten().enumerate() {
            collect(item, &format!("{at}/{index}"), found);
        }
        return;
    };
    let beside = format!("{at}/schema");
    if let Some(value) = object.get("example") {
        found.push(Example { at: format!("{at}/example"), schema: beside.clone(), value: value.clone() });
    }
    match object.get("examples") {
        Some(Value::Object(named)) => found.extend(named.iter().map(|(name, example)| Example {
            at: format!("{at}/examples/{}", escape(name)),
            schema: beside.clone(),
            value: example["value"].clone(),
        })),
        Some(Value::Array(values)) => found.extend(values.iter().enumerate().map(|(index, value)| Example {
            at: format!("{at}/examples/{index}"),
            schema: at.to_owned(),
            value: value.clone(),
        })),
        _ => {}
    }
    for (key, child) in object {
        if !["example", "examples", "enum", "const"].contains(&key.as_str()) {
            collect(child, &format!("{at}/{}", escape(key)), found);
        }
    }
}

/// `base` with the value at a pointer replaced or added.
fn with(base: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = base.clone();
    if let Some(place) = changed.pointer_mut(pointer) {
        *place = value;
    } else {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        changed.pointer_mut(parent).expect("the parent is there")[key] = value;
    }
    changed
}

fn without(base: &Value, key: &str) -> Value {
    let mut changed = base.clone();
    changed.as_object_mut().expect("an object").remove(key).expect("the key is there");
    changed
}
