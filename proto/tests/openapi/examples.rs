//! Every example is valid, and no spoilt answer is.

use std::collections::BTreeSet;

use focus_proto::OPENAPI_JSON;
use serde_json::{Value, json};

use super::{DOCUMENT, Example, GOLDEN_REQUEST, GOLDEN_RESPONSE, escape, examples, validator};

/// The examples of answers: those that stand in a response, of a route or of the components.
fn answers() -> Vec<Example> {
    examples()
        .into_iter()
        .filter(|example| example.at.contains("/responses/") && example.at.contains("/content/"))
        .collect()
}

/// Changes each object inside `value` in one place at a time and hands every result to `judge`.
fn spoil(value: &Value, judge: &mut dyn FnMut(String, Value)) {
    for at in objects(value, "") {
        let keys: Vec<String> =
            value.pointer(&at).and_then(Value::as_object).expect("an object").keys().cloned().collect();
        let mut with_extra = value.clone();
        with_extra.pointer_mut(&at).expect("an object")["unexpected"] = json!(1);
        judge(format!("extra key in {at}"), with_extra);
        for key in keys {
            let mut wrong = value.clone();
            wrong.pointer_mut(&at).expect("an object")[&key] = json!({ "wrong": true });
            judge(format!("object as {at}/{key}"), wrong);
            // A map is as valid with one channel less: only the keys of fixed shapes can be missed.
            if !at.ends_with("channel_to_stream_index") {
                let mut without = value.clone();
                let object = without.pointer_mut(&at).and_then(Value::as_object_mut).expect("an object");
                object.remove(&key);
                judge(format!("{at}/{key} missing"), without);
            }
        }
    }
}

fn objects(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(object) => std::iter::once(at.to_owned())
            .chain(object.iter().flat_map(|(key, child)| objects(child, &format!("{at}/{}", escape(key)))))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, item)| objects(item, &format!("{at}/{index}")))
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_example_is_valid_under_its_own_schema() {
    let examples = examples();
    assert!(examples.len() > 140, "only {} examples found", examples.len());
    for example in examples {
        if let Err(problem) = validator(&example.schema).validate(&example.value) {
            panic!("{} at {}: {problem}", example.at, problem.instance_path());
        }
    }
}

#[test]
fn no_answer_is_valid_with_a_key_too_many_a_key_too_few_or_a_value_of_the_wrong_type() {
    let mut judged = 0;
    for example in answers() {
        let validator = validator(&example.schema);
        spoil(&example.value, &mut |what, spoilt| {
            judged += 1;
            assert!(!validator.is_valid(&spoilt), "{}: {what} is still valid", example.at);
        });
    }
    assert!(judged > 700, "only {judged} spoilt answers judged");
}

#[test]
fn every_schema_is_a_json_schema_of_2020_12() {
    let schemas = examples().into_iter().map(|example| example.schema);
    let components = DOCUMENT["components"]["schemas"].as_object().expect("schemas");
    for pointer in schemas.chain(components.keys().map(|name| format!("/components/schemas/{name}"))) {
        let schema = DOCUMENT.pointer(&pointer).expect("the schema is there");
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{pointer}");
    }
}

#[test]
fn the_examples_of_the_recorded_job_are_the_recorded_bytes() {
    for recorded in [GOLDEN_REQUEST, GOLDEN_RESPONSE] {
        assert!(OPENAPI_JSON.contains(recorded.trim_end()), "{recorded}");
    }
}

#[test]
fn the_text_of_an_invalid_request_is_the_joined_texts_of_its_violations() {
    let mut judged = 0;
    for example in answers() {
        if let Some(violations) = example.value["detail"].as_array() {
            judged += 1;
            let texts: Vec<&str> =
                violations.iter().map(|each| each["msg"].as_str().expect("a text")).collect();
            assert_eq!(example.value["error"], texts.join("; "), "{}", example.at);
        }
    }
    assert!(judged > 30, "only {judged} refusals judged");
}

#[test]
fn no_answer_contains_what_known_suites_take_for_a_leak() {
    let leaks = [
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
    let violations = examples().into_iter().filter(|example| example.schema.ends_with("/Violation"));
    for example in answers().into_iter().chain(violations) {
        let text = example.value.to_string().to_lowercase();
        for leak in leaks {
            assert!(!text.contains(leak), "{}: {leak}", example.at);
        }
    }
}

#[test]
fn every_error_code_has_an_example_answer() {
    let enumeration = DOCUMENT["components"]["schemas"]["ErrorCode"]["enum"].as_array().expect("the codes");
    let known: BTreeSet<&str> = enumeration.iter().filter_map(Value::as_str).collect();
    let answers = answers();
    let shown: BTreeSet<&str> = answers.iter().filter_map(|example| example.value["code"].as_str()).collect();
    assert_eq!(shown, known);
    assert_eq!(known.len(), 17);
}

#[test]
fn every_kind_of_violation_has_an_example() {
    let schemas = &DOCUMENT["components"]["schemas"];
    let kinds = ["ShapeDefect", "ValueDefect"]
        .iter()
        .flat_map(|name| schemas[*name]["enum"].as_array().expect("kinds"));
    let examples = schemas["Violation"]["examples"].as_array().expect("examples");
    for kind in kinds {
        assert!(examples.iter().any(|example| example["type"] == *kind), "{kind}");
    }
}
