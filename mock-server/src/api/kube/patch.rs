//! Patches, applied to an object as it is shown.
//!
//! Every sort is applied to the JSON of the object, and the result is read back through its type. A strategic merge patch
//! differs from a merge patch in lists, of which none is simulated: **Chosen**: it is taken as one.

use json_patch::{Patch, PatchOperation};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ask::Ask;
use super::body::{self, invalid};
use super::failure::{Cause, Failure};
use crate::sim::cluster::facts::Version;

/// Content types that are read.
const READ: &str = "application/json-patch+json, application/merge-patch+json, \
                    application/strategic-merge-patch+json, application/json";

/// Operations of one patch. **Chosen**: real servers take 10,000.
const MOST_OPERATIONS: usize = 1000;
/// Bytes, about, that all operations of one patch may copy or move; as of real servers.
const MOST_COPIED: usize = 3 * 1024 * 1024;
/// Levels that a value may lie deep, as when it is read from a body. Deeper ones would use up the stack.
const DEEPEST: usize = 128;

/// The object as the patch makes it.
pub(super) fn applied(ask: &Ask, mut object: Value) -> Result<Value, Failure> {
    let not_understood = |error: serde_json::Error| body::not_understood(ask, &error);
    match ask.content_type.as_str() {
        "application/json-patch+json" => {
            let patch: Patch = serde_json::from_slice(&ask.body).map_err(not_understood)?;
            operate(ask, &mut object, &patch)?;
        }
        "application/merge-patch+json" | "application/strategic-merge-patch+json" | "application/json" => {
            let patch: Value = serde_json::from_slice(&ask.body).map_err(not_understood)?;
            if !patch.is_object() {
                return Err(Failure::BadRequest("a merge patch is an object: {\"spec\": …}".into()));
            }
            json_patch::merge(&mut object, &patch);
        }
        other => return Err(Failure::UnsupportedMediaType { asked: other.to_owned(), read: READ }),
    }
    Ok(object)
}

/// One operation after the other, none of which makes the object too large or too deep to handle: one that copies the
/// whole into itself doubles it, and thirty of them are a short text.
fn operate(ask: &Ask, object: &mut Value, patch: &Patch) -> Result<(), Failure> {
    let fails = |message: String| {
        invalid(ask, vec![Cause { field: "patch".into(), reason: "FieldValueInvalid", message }])
    };
    if patch.len() > MOST_OPERATIONS {
        let count = patch.len();
        return Err(fails(format!("{count} operations, where {MOST_OPERATIONS} are done at most")));
    }
    let mut copied = 0;
    for (number, operation) in patch.iter().enumerate() {
        let from = match operation {
            PatchOperation::Copy(copy) => Some(copy.from.as_str()),
            PatchOperation::Move(moved) => Some(moved.from.as_str()),
            PatchOperation::Add(_)
            | PatchOperation::Remove(_)
            | PatchOperation::Replace(_)
            | PatchOperation::Test(_) => None,
        };
        let path = operation.path().count();
        let mut deep = path;
        if let Some(value) = from.and_then(|from| object.pointer(from)) {
            let size = Size::of(value);
            copied += size.bytes;
            deep += size.levels;
        }
        if copied > MOST_COPIED {
            return Err(fails(format!("operation {number}: more than {MOST_COPIED} bytes are copied")));
        }
        if deep > DEEPEST {
            return Err(fails(format!("operation {number}: more than {DEEPEST} levels deep")));
        }
        json_patch::patch(object, std::slice::from_ref(operation)).map_err(|error| {
            fails(format!("operation {number}, at {:?}: {}", error.path.as_str(), error.kind))
        })?;
    }
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Size {
    bytes: usize,
    levels: usize,
}

impl Size {
    /// Without recursion: how deep it goes is the question.
    fn of(value: &Value) -> Self {
        let mut size = Self::default();
        let mut left = vec![(value, 1)];
        while let Some((value, level)) = left.pop() {
            size.bytes += size_of::<Value>();
            size.levels = size.levels.max(level);
            match value {
                Value::Array(items) => left.extend(items.iter().map(|item| (item, level + 1))),
                Value::Object(fields) => {
                    size.bytes += fields.keys().map(String::len).sum::<usize>();
                    left.extend(fields.values().map(|field| (field, level + 1)));
                }
                Value::String(text) => size.bytes += text.len(),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        size
    }
}

/// The object that a patch has led to, or a part of it.
pub(super) fn read<T: DeserializeOwned>(ask: &Ask, value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| {
        let message = format!("the patch makes it no {}: {error}", ask.resource.kind_name);
        invalid(ask, vec![Cause { field: "patch".into(), reason: "FieldValueInvalid", message }])
    })
}

/// A version in a patch is the one that it is for.
pub(super) fn same_version(ask: &Ask, is: Version, asked: Option<&str>) -> Result<(), Failure> {
    if asked.is_some_and(|asked| !asked.is_empty() && asked != is.to_string()) {
        let (group, resource) = (ask.resource.group, ask.resource.plural);
        return Err(Failure::Conflict { group, resource, name: ask.name.clone().unwrap_or_default() });
    }
    Ok(())
}
