//! Text of the document as HTML, and values as text.

use maud::{Markup, html};
use serde_json::Value;

/// Columns after which a value is broken over several lines.
const WIDTH: usize = 96;

/// A string of an object; empty when it is absent or something else.
pub(super) fn field<'a>(node: &'a Value, key: &str) -> &'a str {
    node[key].as_str().unwrap_or_default()
}

/// The anchor of a part of the page. What an anchor cannot hold becomes a dash.
pub(super) fn anchor(prefix: &str, name: &str) -> String {
    let dashed = |next: char| if next.is_ascii_alphanumeric() || next == '_' { next } else { '-' };
    std::iter::once(prefix)
        .chain([name.trim_matches('/')])
        .map(|part| part.replace(|c| dashed(c) != c, "-"))
        .collect::<Vec<_>>()
        .join("-")
}

/// The part of Markdown that the document's descriptions use: paragraphs, lists, code and bold text.
pub(super) fn prose(text: &str) -> Markup {
    let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    html! {
        @for block in blocks {
            @if let Some(list) = block.strip_prefix("- ") {
                ul { @for item in list.split("\n- ") { li { (spans(item)) } } }
            } @else {
                p { (spans(block)) }
            }
        }
    }
}

/// Code between backticks and bold text between double asterisks; code is not looked into.
fn spans(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 {
                code { (part) }
            } @else {
                @for (index, part) in part.split("**").enumerate() {
                    @if index % 2 == 1 { strong { (part) } } @else { (part) }
                }
            }
        }
    }
}

/// A value as JSON that can be read: what fits stays on one line, long lists of plain values are filled.
pub(super) fn json(value: &Value) -> String {
    let mut out = String::new();
    write_json(value, 0, &mut out);
    out
}

/// A value as JSON on one line, with blanks.
pub(super) fn json_line(value: &Value) -> String {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", Value::from(key.as_str()), json_line(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(json_line).collect::<Vec<_>>().join(", ")),
        plain => plain.to_string(),
    }
}

fn write_json(value: &Value, indent: usize, out: &mut String) {
    let line = json_line(value);
    if indent + line.len() <= WIDTH {
        out.push_str(&line);
        return;
    }
    let inner = indent + 2;
    match value {
        Value::Object(entries) => {
            out.push('{');
            let is_plain = entries.values().all(|value| !value.is_object() && !value.is_array());
            if is_plain && entries.len() > 12 {
                let texts =
                    entries.iter().map(|(key, value)| format!("{}: {value}", Value::from(key.as_str())));
                fill(texts, inner, out);
            } else {
                for (index, (key, value)) in entries.iter().enumerate() {
                    new_line(index > 0, inner, out);
                    out.push_str(&format!("{}: ", Value::from(key.as_str())));
                    write_json(value, inner, out);
                }
            }
            new_line(false, indent, out);
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            if items.iter().all(|item| !item.is_object() && !item.is_array()) {
                fill(items.iter().map(Value::to_string), inner, out);
            } else {
                for (index, item) in items.iter().enumerate() {
                    new_line(index > 0, inner, out);
                    write_json(item, inner, out);
                }
            }
            new_line(false, indent, out);
            out.push(']');
        }
        _ => out.push_str(&line),
    }
}

/// Writes texts separated by commas, as many on a line as fit.
fn fill(texts: impl Iterator<Item = String>, indent: usize, out: &mut String) {
    let mut column = usize::MAX;
    for (index, text) in texts.enumerate() {
        if column.saturating_add(text.len() + 3) > WIDTH {
            new_line(index > 0, indent, out);
            column = indent;
        } else {
            out.push_str(", ");
            column += 2;
        }
        out.push_str(&text);
        column += text.len();
    }
}

fn new_line(comma: bool, indent: usize, out: &mut String) {
    out.push_str(if comma { ",\n" } else { "\n" });
    out.extend(std::iter::repeat_n(' ', indent));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_reads_back_as_itself_however_it_is_broken() {
        for value in [
            json!(null),
            json!("a \" quote"),
            json!([]),
            json!({}),
            json!((0..200).map(f64::from).collect::<Vec<_>>()),
            json!({ "long": "x".repeat(200), "inner": [{ "a": 1 }, { "b": ["y".repeat(99), 2.5] }] }),
            Value::from_iter((0..50).map(|channel| (channel.to_string(), json!(channel % 3)))),
        ] {
            let text = json(&value);
            assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value, "{text}");
        }
    }

    #[test]
    fn long_lists_are_filled_and_short_values_stay_on_one_line() {
        assert_eq!(json(&json!({ "lowest_channel": 1 })), "{ \"lowest_channel\": 1 }");
        let text = json(&json!((0..200).collect::<Vec<_>>()));
        assert!(text.lines().all(|line| line.len() <= WIDTH));
        assert!(text.lines().count() < 15, "{text}");
    }

    #[test]
    fn descriptions_become_paragraphs_lists_code_and_bold_text() {
        let text = "One\nparagraph with `code **as is**`.\n\n- first **bold**\n- second\n  goes on";
        assert_eq!(
            prose(text).into_string(),
            "<p>One\nparagraph with <code>code **as is**</code>.</p>\
             <ul><li>first <strong>bold</strong></li><li>second\n  goes on</li></ul>"
        );
    }

    #[test]
    fn an_anchor_holds_no_character_that_would_need_escaping() {
        assert_eq!(anchor("get", "/metadata/{job_id}"), "get-metadata--job_id-");
        assert_eq!(anchor("schema", "A \"b\" <c>#"), "schema-A--b---c--");
    }
}
