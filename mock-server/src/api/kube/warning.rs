//! Warnings: what an answer tells people beside what it says to programs. kubectl shows them, from 1.19 on.
//!
//! **Chosen**: a patch of something that is not simulated changes nothing there and succeeds, as the contract has it; the
//! warning names it, so that nobody takes `labeled` for what happened.

use http::HeaderValue;
use serde_json::Value;

/// Fields that are named; more are left out.
const MOST: usize = 5;
/// Bytes of a warning, of which every client must make room for the header.
const LONGEST: usize = 512;

/// Where what a patch changes is simulated, or means nothing.
const SIMULATED: [&str; 4] =
    ["spec.replicas", "spec.unschedulable", "spec.template.metadata.annotations", "metadata.resourceVersion"];

/// The value of a `Warning` header, as a real API server writes it.
pub(super) fn of(text: &str) -> HeaderValue {
    let mut value = String::from("299 - \"");
    for character in text.chars() {
        match character {
            '"' | '\\' => value.extend(['\\', character]),
            ' '..='~' => value.push(character),
            _ => value.push('?'),
        }
        if value.len() > LONGEST {
            break;
        }
    }
    value.push('"');
    HeaderValue::from_str(&value).expect("printable ASCII is the value of a header")
}

/// Where a patched object differs from what it was and will not: paths with dots, in order.
pub(super) fn ignored(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    if found.len() > MOST {
        found.truncate(MOST);
        found.push(String::from("..."));
    }
    found
}

/// As deep as bodies are read, 128 levels at most.
fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    if before == after || found.len() > MOST || SIMULATED.contains(&path) {
        return;
    }
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        found.push(path.to_owned());
        return;
    };
    let nothing = Value::Null;
    for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
        // Directives of strategic merge patches are no fields.
        if !key.starts_with('$') {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            compare(&path, old.get(key).unwrap_or(&nothing), new.get(key).unwrap_or(&nothing), found);
        }
    }
}
