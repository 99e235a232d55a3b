//! The document of the mock's admin interface against itself.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use focus_proto::{ADMIN_OPENAPI_JSON, ADMIN_OPENAPI_YAML};
use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

use super::collect;

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

#[test]
fn every_example_is_valid_under_its_own_schema_and_spoilt_it_is_not() {
    let mut examples = Vec::new();
    collect(&DOCUMENT, "", &mut examples);
    assert!(examples.len() > 25, "only {} examples found", examples.len());
    for example in examples {
        let validator = validator(&example.schema);
        if let Err(problem) = validator.validate(&example.value) {
            panic!("{}: {problem}", example.at);
        }
        for key in example.value.as_object().into_iter().flat_map(|object| object.keys()) {
            let mut spoilt = example.value.clone();
            spoilt[key] = json!({ "wrong": { "very": true } });
            // Parts of a rule are read by the mock; the document says where they are explained.
            let is_free = ["when", "match", "do", "delay", "recordings"].contains(&key.as_str());
            assert!(is_free || !validator.is_valid(&spoilt), "{}: {key} is not looked at", example.at);
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    fn references<'a>(node: &'a Value, found: &mut BTreeSet<&'a str>) {
        match node {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|child| references(child, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    references(&DOCUMENT, &mut found);
    for reference in &found {
        assert!(DOCUMENT.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
    }
    for kind in ["parameters", "responses", "schemas"] {
        for name in DOCUMENT["components"][kind].as_object().expect("components").keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(found.contains(reference.as_str()), "{reference} is used nowhere");
        }
    }
}

#[test]
fn every_route_says_what_it_is_for_and_what_a_no_looks_like() {
    let mut names = BTreeSet::new();
    for (path, item) in DOCUMENT["paths"].as_object().expect("paths") {
        let methods = item.as_object().expect("a path").iter().filter(|(key, _)| *key != "parameters");
        for (method, route) in methods {
            assert!(route["summary"].is_string(), "{method} {path}");
            assert_eq!(route["responses"]["default"]["$ref"], "#/components/responses/No", "{method} {path}");
            assert!(names.insert(route["operationId"].as_str().expect("a name")), "{method} {path}");
        }
        let wanted = path.matches('{').count();
        assert_eq!(item["parameters"].as_array().map_or(0, Vec::len), wanted, "{path}");
    }
}

#[test]
fn only_loopback_addresses_occur() {
    for text in [ADMIN_OPENAPI_YAML, ADMIN_OPENAPI_JSON] {
        let hosts: BTreeSet<&str> = text
            .split("://")
            .skip(1)
            .map(|rest| rest.split(|next: char| !next.is_ascii_alphanumeric() && next != '.' && next != '-'))
            .map(|mut parts| parts.next().expect("a split has a first part"))
            .collect();
        assert_eq!(hosts, BTreeSet::from(["127.0.0.1", "json-schema.org"]));
    }
}
