//! Rendered objects, measured against the contract.

mod fixtures;
mod jobs;
mod pods;
mod rest;
mod rules;
mod tables;

use serde_json::Value;

use super::value;
use crate::sim::cluster::facts::Record;

/// The record's object as clients see it.
fn shown(record: &Record) -> Value {
    value(record, &fixtures::scene())
}

/// What a path of an object leads to; `null` when it leads nowhere.
fn look<'a>(object: &'a Value, path: &str) -> &'a Value {
    object.pointer(path).unwrap_or(&Value::Null)
}

/// A snapshot under `snapshots/`, readable as a whole.
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn pretty(record: &Record) -> String {
    serde_json::to_string_pretty(&shown(record)).expect("JSON")
}
