//! What varies between runs and servers, and what stands for it in a snapshot. The one list of both.
//!
//! Ids become references that are counted within one exchange, so that it still shows which id is which. Times, places
//! and the numbers of a world become their sort. Everything else stays as it is; what is too long to be read is cut.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::client::rest::Exchange;

/// Headers that the contract lists; what others a server sends is its own affair.
const HEADERS: [&str; 4] = ["allow", "content-length", "content-type", "retry-after"];
/// More entries than that are cut.
const LONGEST: usize = 12;
/// Characters of a list or an object that is written in one row.
const WIDEST: usize = 90;

/// Phrases of refusals that a number follows which every server has its own of, and what it is.
const PHRASES: [(&str, &str); 4] = [
    ("the lowest channel ", "int"),
    ("the highest channel ", "int"),
    ("the Nyquist limit of ", "int"),
    ("Port ", "port"),
];

/// What a value is, as the key above it says.
enum Sort {
    /// An id: which one matters, what it says does not.
    Id(&'static str),
    /// Not even which one matters.
    Any(&'static str),
    /// A URL whose host varies.
    Url,
}

/// What a field holds that varies.
fn sort(key: &str) -> Option<Sort> {
    match key {
        "job_id" => Some(Sort::Id("job")),
        "request_id" | "x-request-id" => Some(Sort::Id("request")),
        "uuid" | "source_uuid" | "original_uuid" => Some(Sort::Id("uuid")),
        "stream_port" => Some(Sort::Id("port")),
        "stream_url" => Some(Sort::Url),
        "start_time" | "end_time" | "startTimestamp" | "endTimestamp" => Some(Sort::Any("time")),
        // The world: every fibre has its own.
        "dx" | "gauge_length_meters" | "current_max_amp" | "current_min_amp" => Some(Sort::Any("float")),
        "fiber_start_meters"
        | "fiber_length_meters"
        | "number_of_channels"
        | "num_samples_per_trace"
        | "lowest_channel"
        | "highest_channel" => Some(Sort::Any("int")),
        "sw_version" | "fiber_description" | "recording_machine_name" => Some(Sort::Any("text")),
        // Drawn from the seed.
        "intensity" => Some(Sort::Any("floats")),
        // As many as the fibre has.
        "sensors" => Some(Sort::Any("sensors")),
        _ => None,
    }
}

/// An exchange as it is in every run and on every server.
#[must_use]
pub fn exchange(exchange: &Exchange) -> String {
    let mut redactor = Redactor::default();
    let request = &exchange.request;
    let mut text = format!("{} {}\n", request.method, redactor.path(&request.path));
    if let Some(body) = &request.body {
        redactor.body(body, &mut text);
    }
    let _ = writeln!(text, "\n{}", exchange.status);
    for name in HEADERS {
        let Some(value) = exchange.header(name) else { continue };
        // Of other lengths than none it is only the body that tells.
        if name != "content-length" || value == "0" {
            let _ = writeln!(text, "{name}: {value}");
        }
    }
    if let Some(id) = exchange.header("x-request-id") {
        let _ = writeln!(text, "x-request-id: {}", redactor.reference("request", id));
    }
    let kind = exchange.header("content-type").unwrap_or_default();
    if exchange.body.is_empty() {
        return text;
    }
    text.push('\n');
    // Pages and the document are text of their own, which other tests read.
    if kind.starts_with("text/html") {
        text.push_str("<page>\n");
    } else if request.path.ends_with("/openapi.json") {
        text.push_str("<document>\n");
    } else {
        redactor.body(&exchange.body, &mut text);
    }
    text
}

/// The names of an exchange's ids.
#[derive(Default)]
struct Redactor {
    names: BTreeMap<(&'static str, String), usize>,
}

impl Redactor {
    fn reference(&mut self, sort: &'static str, id: &str) -> String {
        let next = 1 + self.names.keys().filter(|(known, _)| *known == sort).count();
        let number = *self.names.entry((sort, id.to_owned())).or_insert(next);
        format!("<{sort} {number}>")
    }

    /// Ids of jobs in paths; those of tasks are the client's own.
    fn path(&mut self, path: &str) -> String {
        let parts: Vec<_> = path
            .split('/')
            .map(|part| if is_job_id(part) { self.reference("job", part) } else { part.to_owned() })
            .collect();
        parts.join("/")
    }

    fn body(&mut self, body: &[u8], text: &mut String) {
        match serde_json::from_slice(body) {
            Ok(value) => {
                let value = self.value(None, value);
                write_value(&value, 0, text);
            }
            // The client's own rubbish: it is the same in every run.
            Err(_) if body.len() <= 200 => text.push_str(&String::from_utf8_lossy(body)),
            Err(_) => {
                let _ = write!(text, "<{} bytes>", body.len());
            }
        }
        text.push('\n');
    }

    fn value(&mut self, key: Option<&str>, value: Value) -> Value {
        match (key.and_then(sort), value) {
            (_, Value::Null) => Value::Null,
            (Some(Sort::Id(sort)), Value::String(id)) => Value::String(self.reference(sort, &id)),
            (Some(Sort::Id(sort)), Value::Number(id)) => Value::String(self.reference(sort, &id.to_string())),
            (Some(Sort::Url), Value::String(url)) => Value::String(placeless(&url)),
            // Something of another sort than the key says is a mistake that shall be seen.
            (Some(Sort::Any("sensors")), Value::Array(list)) if list.iter().all(Value::is_number) => {
                Value::String(format!("<sensors from {}>", list.first().unwrap_or(&Value::Null)))
            }
            (Some(Sort::Any("sensors")), Value::Array(list)) => {
                // Those of a waterfall's row: all alike but for their numbers.
                Value::Array(list.into_iter().take(1).map(|sensor| self.value(None, sensor)).collect())
            }
            (Some(Sort::Any("floats")), Value::Array(list)) if list.iter().all(Value::is_f64) => {
                Value::String(String::from("<floats>"))
            }
            (Some(Sort::Any(sort)), value) if is_a(sort, &value) => Value::String(format!("<{sort}>")),
            (_, Value::Array(list)) if is_pairs_of_times(&list) => {
                Value::String(String::from("<recordings>"))
            }
            (_, Value::Array(list)) => {
                Value::Array(list.into_iter().map(|value| self.value(None, value)).collect())
            }
            (_, Value::Object(fields)) => Value::Object(
                fields
                    .into_iter()
                    .map(|(key, value)| {
                        let value = self.value(Some(&key), value);
                        (key, value)
                    })
                    .collect(),
            ),
            (_, Value::String(text)) => Value::String(said(&text)),
            (_, value) => value,
        }
    }
}

/// A sentence without the numbers that are the server's own.
fn said(text: &str) -> String {
    let mut said = text.to_owned();
    for (phrase, sort) in PHRASES {
        let mut from = 0;
        while let Some(found) = said[from..].find(phrase) {
            let start = from + found + phrase.len();
            let digits = said[start..].bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 {
                said.replace_range(start..start + digits, &format!("<{sort}>"));
            }
            from = start;
        }
    }
    said
}

fn is_job_id(text: &str) -> bool {
    let digits = |half: &str| !half.is_empty() && half.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-').is_some_and(|(slot, sequence)| digits(slot) && digits(sequence))
}

fn is_a(sort: &str, value: &Value) -> bool {
    match sort {
        // Years after 2001; what is smaller was meant as a mistake, and stays.
        "time" => value.as_i64().is_some_and(|time| time >= 1_000_000_000),
        "float" => value.is_f64(),
        "int" => value.is_u64(),
        "text" => value.is_string(),
        _ => false,
    }
}

fn is_pairs_of_times(list: &[Value]) -> bool {
    let is_pair = |value: &Value| {
        value.as_array().is_some_and(|pair| {
            pair.len() == 2 && is_a("time", &pair[0]) && (is_a("time", &pair[1]) || pair[1] == -1)
        })
    };
    !list.is_empty() && list.iter().all(is_pair)
}

/// A URL without its host; what else is in it stays.
fn placeless(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // An address in brackets has colons of its own.
    let end = match rest.strip_prefix('[').and_then(|address| address.find(']')) {
        Some(closing) => closing + 2,
        None => rest.find([':', '/', '?', '#']).unwrap_or(rest.len()),
    };
    format!("{scheme}://<host>{}", &rest[end..])
}

/// JSON for people: what is short in one row, what is long cut in the middle.
fn write_value(value: &Value, depth: usize, text: &mut String) {
    let row = in_a_row(value);
    if row.len() <= WIDEST
        || matches!(value, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_))
    {
        text.push_str(&row);
        return;
    }
    let indent = "  ".repeat(depth + 1);
    let end = "  ".repeat(depth);
    match value {
        Value::Array(list) if list.len() > LONGEST => text.push_str(&row),
        Value::Array(list) => {
            text.push_str("[\n");
            for (place, value) in list.iter().enumerate() {
                text.push_str(&indent);
                write_value(value, depth + 1, text);
                text.push_str(if place + 1 < list.len() { ",\n" } else { "\n" });
            }
            let _ = write!(text, "{end}]");
        }
        Value::Object(fields) if is_cut(fields) => text.push_str(&row),
        Value::Object(fields) => {
            text.push_str("{\n");
            for (place, (key, value)) in fields.iter().enumerate() {
                let _ = write!(text, "{indent}{}: ", Value::from(key.as_str()));
                write_value(value, depth + 1, text);
                text.push_str(if place + 1 < fields.len() { ",\n" } else { "\n" });
            }
            let _ = write!(text, "{end}}}");
        }
        _ => text.push_str(&row),
    }
}

/// Maps of numbers to numbers are cut, objects with fields are not.
fn is_cut(fields: &Map<String, Value>) -> bool {
    fields.len() > LONGEST && fields.keys().all(|key| key.bytes().all(|byte| byte.is_ascii_digit()))
}

fn in_a_row(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            let cut = list.len() > LONGEST;
            format!("[{}]{}", joined(list.iter().map(in_a_row), cut), amount(cut, list.len()))
        }
        Value::Object(fields) => {
            let entry = |(key, value): (&String, &Value)| {
                format!("{}: {}", Value::from(key.as_str()), in_a_row(value))
            };
            let cut = is_cut(fields);
            format!("{{{}}}{}", joined(fields.iter().map(entry), cut), amount(cut, fields.len()))
        }
        value => value.to_string(),
    }
}

fn joined(entries: impl Iterator<Item = String>, cut: bool) -> String {
    let mut entries: Vec<_> = entries.collect();
    if cut {
        let last = entries.pop();
        entries.truncate(3);
        entries.push(String::from("…"));
        entries.extend(last);
    }
    entries.join(", ")
}

fn amount(cut: bool, amount: usize) -> String {
    if cut { format!(" ({amount})") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redacted(value: Value) -> Value {
        Redactor::default().value(None, value)
    }

    #[test]
    fn ids_stay_apart_and_the_same() {
        let ids = json!([{"job_id": "1-7"}, {"job_id": "2-8"}, {"job_id": "1-7"}, {"stream_port": 12301}]);
        let expected = json!([{"job_id": "<job 1>"}, {"job_id": "<job 2>"}, {"job_id": "<job 1>"},
                              {"stream_port": "<port 1>"}]);
        assert_eq!(redacted(ids), expected);
        let mut redactor = Redactor::default();
        assert_eq!(redactor.path("/job/1-7"), "/job/<job 1>");
        assert_eq!(
            redactor.value(Some("job_id"), json!("1-7")),
            redactor.value(Some("job_id"), json!("1-7"))
        );
    }

    #[test]
    fn only_hosts_go_out_of_urls() {
        assert_eq!(placeless("http://127.0.0.5"), "http://<host>");
        assert_eq!(placeless("http://[::1]"), "http://<host>");
        assert_eq!(placeless("http://focus.example:12301/x"), "http://<host>:12301/x");
    }

    #[test]
    fn what_is_of_another_sort_is_seen() {
        let odd = json!({"start_time": -5, "dx": "far", "number_of_channels": 1.5, "start": 1_790_000_000});
        assert_eq!(redacted(odd.clone()), odd);
        assert_eq!(redacted(json!([[1_790_000_000, 1_790_000_060]])), json!("<recordings>"));
        assert_eq!(redacted(json!([])), json!([]));
    }

    #[test]
    fn sentences_lose_the_numbers_of_a_server() {
        let text = "channels.max 2400 is above the highest channel 2337; Port 12301 is already in use";
        let expected = "channels.max 2400 is above the highest channel <int>; Port <port> is already in use";
        assert_eq!(said(text), expected);
        assert_eq!(said("Port of call"), "Port of call");
    }

    #[test]
    fn what_is_long_is_cut() {
        let mut text = String::new();
        write_value(&json!((0..50).collect::<Vec<_>>()), 0, &mut text);
        assert_eq!(text, "[0, 1, 2, …, 49] (50)");
    }
}
