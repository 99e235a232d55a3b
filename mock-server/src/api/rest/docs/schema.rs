//! JSON schemas as tables and sentences.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    entries, items,
    text::{anchor, field, json, json_line, prose},
};

/// The keywords that bound a value by one number, with the sign they are shown by.
const LIMITS: [(&str, &str); 9] = [
    ("minimum", "≥ "),
    ("exclusiveMinimum", "> "),
    ("maximum", "≤ "),
    ("exclusiveMaximum", "< "),
    ("minLength", "characters ≥ "),
    ("minItems", "items ≥ "),
    ("maxItems", "items ≤ "),
    ("minProperties", "keys ≥ "),
    ("maxProperties", "keys ≤ "),
];

/// A schema with all this page knows to say about it: description, fields, rules and examples.
pub(super) fn full(schema: &Value) -> Markup {
    html! {
        (prose(field(schema, "description")))
        @if !schema["properties"].is_object() {
            p { "Type: " (kind(schema)) @for bound in bounds(schema) { ", " (bound) } }
        }
        (table(schema))
        @let examples = items(&schema["examples"]);
        @if !examples.is_empty() {
            details {
                summary { @if examples.len() == 1 { "Example" } @else { (examples.len()) " examples" } }
                @for example in examples { pre { code { (json(example)) } } }
            }
        }
    }
}

/// The fields of an object as a table, those of inner objects by their dotted names, and the rules below it.
pub(super) fn table(schema: &Value) -> Markup {
    let mut rows = Vec::new();
    collect_rows(schema, "", &mut rows);
    html! {
        @if !rows.is_empty() {
            div.scroll { table {
                (head(&["Field", "Type", "Required", "Bounds", "Description"]))
                tbody {
                    @for row in &rows {
                        tr {
                            td { code { (row.name) } }
                            (cells(row.schema, row.required))
                            td { (prose(field(row.schema, "description"))) }
                        }
                    }
                }
            } }
            @if schema["additionalProperties"] == false {
                p.note { "No other fields." }
            } @else if schema["additionalProperties"].is_null() {
                p.note { "Other fields are ignored." }
            }
        }
        @if items(&schema["allOf"]).iter().any(|clause| clause["if"].is_object()) {
            p.note { "Rules" }
            ul.rules { @for clause in items(&schema["allOf"]) { li { (rule(clause)) } } }
        }
    }
}

struct Row<'a> {
    name: String,
    schema: &'a Value,
    required: bool,
}

fn collect_rows<'a>(schema: &'a Value, prefix: &str, rows: &mut Vec<Row<'a>>) {
    for (name, child) in entries(&schema["properties"]) {
        let required = items(&schema["required"]).iter().any(|required| required == name);
        let name = format!("{prefix}{name}");
        rows.push(Row { name: name.clone(), schema: child, required });
        collect_rows(child, &format!("{name}."), rows);
    }
}

/// The head of a table.
pub(super) fn head(names: &[&str]) -> Markup {
    html! { thead { tr { @for name in names { th { (name) } } } } }
}

/// The cells for type, required and bounds of a table row.
pub(super) fn cells(schema: &Value, required: bool) -> Markup {
    html! {
        td { (kind(schema)) }
        td { @if required { strong { "yes" } } @else { "no" } }
        td { ul.bounds { @for bound in bounds(schema) { li { (bound) } } } }
    }
}

/// The link to the schema that is referred to, also when it is only narrowed down by further parts.
pub(super) fn link(schema: &Value) -> Option<Markup> {
    let reference = schema["$ref"]
        .as_str()
        .or_else(|| items(&schema["allOf"]).iter().find_map(|part| part["$ref"].as_str()))?;
    let name = reference.rsplit('/').next().unwrap_or(reference);
    Some(html! { a href=(format!("#{}", anchor("schema", name))) { (name) } })
}

/// What sort of value a schema describes.
fn kind(schema: &Value) -> Markup {
    let alternatives = ["oneOf", "anyOf"].iter().find_map(|key| schema[key].as_array());
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    html! {
        @if let Some(link) = link(schema) {
            (link)
        } @else if let Some(pair) = schema["prefixItems"].as_array().filter(|_| schema["items"] == false) {
            "list of " (pair.len()) ": "
            @for (index, item) in pair.iter().enumerate() { @if index > 0 { ", " } (kind(item)) }
        } @else if is_telling(&schema["items"]) {
            "list of " (kind(&schema["items"]))
        } @else if schema["additionalProperties"].is_object() {
            "object of " (kind(&schema["additionalProperties"]))
        } @else if let (Some(alternatives), true) = (alternatives, names.is_empty()) {
            @for (index, one) in alternatives.iter().enumerate() {
                @if index > 0 { " or " }
                (kind(one))
            }
        } @else if names.is_empty() {
            @if let Some(constant) = schema.get("const") { code { (json_line(constant)) } } @else { "any" }
        } @else {
            @if names == ["array"] { "list" } @else { (names.join(" or ")) }
        }
    }
}

/// Whether a schema says what sort of value it describes.
fn is_telling(schema: &Value) -> bool {
    ["type", "$ref", "allOf", "oneOf", "anyOf", "prefixItems"]
        .iter()
        .any(|keyword| schema.get(keyword).is_some())
}

/// What a value must keep to, one text per keyword.
fn bounds(schema: &Value) -> Vec<Markup> {
    let mut bounds = Vec::new();
    if *schema == Value::Bool(false) {
        bounds.push(html! { "absent" });
    }
    if let Some(constant) = schema.get("const") {
        bounds.push(html! { "always " code { (json_line(constant)) } });
    }
    if !items(&schema["enum"]).is_empty() {
        bounds.push(html! {
            "one of "
            @for (index, value) in items(&schema["enum"]).iter().enumerate() {
                @if index > 0 { ", " }
                code { (json_line(value)) }
            }
        });
    }
    for (keyword, sign) in LIMITS {
        if let Some(limit) = schema.get(keyword) {
            bounds.push(html! { (sign) (json_line(limit)) });
        }
    }
    for (keyword, word) in [("pattern", "matches "), ("format", "format ")] {
        if let Some(text) = schema[keyword].as_str() {
            bounds.push(html! { (word) code { (text) } });
        }
    }
    if let Some(pattern) = schema["propertyNames"]["pattern"].as_str() {
        bounds.push(html! { "keys match " code { (pattern) } });
    }
    for inner in ["items", "additionalProperties"]
        .map(|keyword| &schema[keyword])
        .into_iter()
        .filter(|inner| inner.is_object())
    {
        for bound in self::bounds(inner) {
            bounds.push(html! { "each " (bound) });
        }
    }
    if let Some(constant) = schema["not"].get("const") {
        bounds.push(html! { "not " code { (json_line(constant)) } });
    } else if schema["not"].is_object() {
        for bound in self::bounds(&schema["not"]) {
            bounds.push(html! { "not " (bound) });
        }
    }
    bounds
}

/// One part of an `allOf` as a sentence.
fn rule(clause: &Value) -> Markup {
    html! {
        @if let Some(description) = clause["description"].as_str() { (description) " " }
        @if clause["if"].is_object() {
            "When " (requirements(&clause["if"], false)) ": " (requirements(&clause["then"], true)) "."
        } @else if let Some(link) = link(clause) {
            "Everything of " (link) "."
        } @else {
            (requirements(clause, true)) "."
        }
    }
}

/// What is asked of the fields, as a list of phrases.
fn requirements(schema: &Value, with_required: bool) -> Markup {
    let mut phrases = Vec::new();
    for name in items(&schema["required"]).iter().filter(|_| with_required).filter_map(Value::as_str) {
        phrases.push(html! { code { (name) } " is required" });
    }
    for (name, child) in entries(&schema["properties"]) {
        phrases.push(html! { code { (name) } " " (requirement(child)) });
    }
    html! {
        @for (index, phrase) in phrases.iter().enumerate() { @if index > 0 { "; " } (phrase) }
    }
}

/// What is asked of one field, to be read after its name.
fn requirement(schema: &Value) -> Markup {
    let bounds = bounds(schema);
    let is_typed = schema.get("type").is_some() || link(schema).is_some();
    let is_choice = *schema == Value::Bool(false) || schema["enum"].is_array() || schema["not"].is_object();
    html! {
        @if let Some(constant) = schema.get("const") {
            "is " code { (json_line(constant)) }
        } @else {
            @if is_typed { "is " (kind(schema)) } @else if is_choice { "is " }
            @for (index, bound) in bounds.iter().enumerate() {
                @if is_typed || index > 0 { ", " }
                (bound)
            }
        }
        @for (keyword, words) in [("items", "in each item"), ("contains", "in at least one item")] {
            @if schema[keyword]["properties"].is_object() {
                " (" (words) " " (requirements(&schema[keyword], true)) ")"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_tells_type_bounds_and_whether_the_field_is_required() {
        let schema = json!({
            "required": ["channels"],
            "properties": { "channels": { "type": "object", "required": ["min"], "properties": {
                "min": {
                    "type": ["integer", "null"], "minimum": 1, "maximum": 2337,
                    "description": "First `channel`.",
                },
            } } },
        });
        let table = table(&schema).into_string();
        assert!(
            table.contains("<td><code>channels</code></td><td>object</td><td><strong>yes</strong></td>"),
            "{table}"
        );
        assert!(
            table.contains(
                "<td><code>channels.min</code></td><td>integer or null</td><td><strong>yes</strong></td>\
                 <td><ul class=\"bounds\"><li>≥ 1</li><li>≤ 2337</li></ul></td>\
                 <td><p>First <code>channel</code>.</p></td>"
            ),
            "{table}"
        );
        assert!(table.contains("Other fields are ignored."));
    }

    #[test]
    fn a_condition_reads_as_a_sentence() {
        let clause = json!({
            "if": { "required": ["view_type"], "properties": { "view_type": { "const": "2" } } },
            "then": { "required": ["x"], "properties": { "frequencyRange": { "type": "null" } } },
        });
        assert_eq!(
            rule(&clause).into_string(),
            "When <code>view_type</code> is <code>&quot;2&quot;</code>: \
             <code>x</code> is required; <code>frequencyRange</code> is null."
        );
    }

    #[test]
    fn references_and_lists_of_them_are_links() {
        let reference = json!({ "$ref": "#/components/schemas/Violation" });
        let link = "<a href=\"#schema-Violation\">Violation</a>";
        assert_eq!(kind(&reference).into_string(), link);
        assert_eq!(
            kind(&json!({ "type": "array", "items": reference })).into_string(),
            format!("list of {link}")
        );
        assert_eq!(
            kind(&json!({ "oneOf": [reference, { "type": "string" }] })).into_string(),
            format!("{link} or string")
        );
        let time = json!({ "type": "integer" });
        let pair = json!({ "type": "array", "items": false, "prefixItems": [time, time] });
        assert_eq!(kind(&pair).into_string(), "list of 2: integer, integer");
    }
}
