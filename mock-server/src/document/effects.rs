//! What a rule does, as people write it: an effect without parameters is a word, one with parameters is a mapping from
//! its name to them.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::duration::{self, LONGEST};
use super::section::Section;
use super::tree::Value;
use crate::domain::refusal::ContractError;
use crate::sim::faults::{At, Corruption, Effect, GrpcCode, StatusDetails};

/// An effect, for whoever looks for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Its name.
    pub name: &'static str,
    /// What can stand behind `do:`, or behind `delay:` where that is its name.
    pub example: &'static str,
    /// A line about it.
    pub doc: &'static str,
}

const fn form(name: &'static str, example: &'static str, doc: &'static str) -> Form {
    Form { name, example, doc }
}

/// Everything that can be done, with an example of how it is written.
pub const FORMS: [Form; 19] = [
    form(
        "delay",
        "{uniform: [10ms, 90ms]}",
        "It is held up, for a time on the clock; what else it does comes after that.",
    ),
    form("fail", "fail", "The undo fails: what it should have given back is left behind, as a leak."),
    form("refuse", "{refuse: PORT_IN_USE}", "It is refused, as the contract has it."),
    form(
        "status",
        "{status: {code: 503, body: busy, content_type: text/plain, retry_after: 1}}",
        "Any status from 200 to 599, with any body.",
    ),
    form(
        "rate_limit",
        "{rate_limit: {requests: 10, per: 1s, retry_after: 1}}",
        "So many requests in each stretch of the clock pass, further ones are answered 429.",
    ),
    form("reset", "reset", "The connection is reset."),
    form("close", "close", "The connection is closed without the rest of the answer."),
    form("empty", "empty", "The body is left out."),
    form("garbage", "{garbage: 32}", "So many drawn bytes that are no HTTP, or no body of that type."),
    form("truncate", "{truncate: 100}", "The body ends after so many bytes, and the connection with it."),
    form("drip", "{drip: 64}", "The body leaves slowly: so many bytes in a second of the clock."),
    form("content_length", "{content_length: -3}", "The content-length is wrong by so many bytes."),
    form("content_type", "{content_type: text/html}", "Another content-type."),
    form(
        "end_call",
        "{end_call: {code: UNAVAILABLE, message: gone, reason: POD_LOST, domain: example, retry_after: 2s}}",
        "The call ends with a status of gRPC, with details where a reason, a domain or a time to retry is given.",
    ),
    form("silence", "silence", "No frames any more, and no end."),
    form("goaway", "{goaway: 2}", "The connection is told to go away, with that error code of HTTP/2."),
    form("corrupt", "{corrupt: values}", "A frame is spoilt: its values, its shape or its encoding."),
    form("duplicate", "duplicate", "A frame is sent twice."),
    form("reorder", "reorder", "A frame is sent after the one that follows it."),
];

/// Where a status says nothing about its body's type.
const PLAIN: &str = "text/plain";
/// Bytes of a body.
const LONGEST_BODY: usize = 65_536;
/// Bytes of a message.
const LONGEST_MESSAGE: usize = 1024;
/// Longest stretch of a rate limit.
const HOUR: Duration = Duration::from_secs(3600);

/// The effects that are words.
fn word(name: &str) -> Option<Effect> {
    [
        Effect::Fail,
        Effect::Reset,
        Effect::Close,
        Effect::Empty,
        Effect::Silence,
        Effect::Duplicate,
        Effect::Reorder,
    ]
    .into_iter()
    .find(|effect| effect.name() == name)
}

/// What `do:` says; at an unknown point, whatever can be done anywhere.
pub(super) fn effect(keys: &mut Section<'_>, at: Option<At>) -> Option<Effect> {
    let node = keys.get("do")?;
    let there: Vec<&'static str> = match at {
        Some(at) => Effect::at(at).iter().copied().filter(|name| *name != "delay").collect(),
        None => Effect::NAMES.to_vec(),
    };
    let offered =
        at.map_or_else(|| String::from("there are "), |at| format!("at {at} there are ")) + &there.join(", ");
    let name = keys.name("do");
    match &node.value {
        Value::Text(said) => {
            let effect = word(said);
            if effect.is_none() {
                let form = FORMS.iter().find(|form| form.name == said && said != "delay");
                let text = match form {
                    Some(form) => format!("{name}: {said} has parameters, such as {}", form.example),
                    None => format!("{name}: no such effect {node}: {offered}"),
                };
                keys.mistake(node, text);
            }
            effect
        }
        Value::Mapping(entries) => {
            let [(key, _)] = &entries[..] else {
                keys.mistake(node, format!("{name} must be one effect, not {}: {offered}", entries.len()));
                return None;
            };
            let said = Effect::NAMES
                .iter()
                .copied()
                .find(|name| matches!(&key.value, Value::Text(text) if text == name));
            match said {
                None => {
                    keys.mistake(key, format!("{name}: no such effect {key}: {offered}"));
                    None
                }
                Some(said) if word(said).is_some() => {
                    keys.mistake(key, format!("{name}: {said} has no parameters: write \"do: {said}\""));
                    None
                }
                Some(said) => keys.optional("do", |keys| with_parameters(keys, said)).flatten(),
            }
        }
        Value::Nothing | Value::Flag(_) | Value::Integer(_) | Value::Number(_) | Value::List(_) => {
            keys.mistake(node, format!("{name} must be an effect, not {node}: {offered}"));
            None
        }
    }
}

/// The one effect of a mapping; those without parameters are words and never come here.
fn with_parameters(keys: &mut Section<'_>, name: &'static str) -> Option<Effect> {
    let most = i64::from(u32::MAX);
    match name {
        "refuse" => {
            let words = ContractError::ALL.map(|error| (error.name(), error));
            keys.one_of(name, &words).map(Effect::Refuse)
        }
        "status" => keys.optional(name, status).flatten(),
        "rate_limit" => keys.optional(name, rate_limit).flatten(),
        "garbage" => keys.required_int(name, 1..=65_536).map(|bytes| Effect::Garbage { bytes }),
        "truncate" => keys.required_int(name, 0..=most).map(|bytes| Effect::Truncate { bytes }),
        "drip" => keys.required_int(name, 1..=most).map(|bytes| Effect::Drip { bytes_per_second: bytes }),
        "content_length" => {
            let off_by = keys.required_int(name, i64::from(i32::MIN)..=i64::from(i32::MAX))?;
            if off_by == 0 {
                keys.mistake_in(name, "a content-length that is off by 0 is right");
                return None;
            }
            Some(Effect::ContentLength { off_by })
        }
        "content_type" => content_type(keys, name).map(Effect::ContentType),
        "end_call" => keys.optional(name, end_call).flatten(),
        "goaway" => keys.required_int(name, 0..=most).map(|code| Effect::GoAway { code }),
        "corrupt" => keys.one_of(name, &Corruption::ALL.map(|way| (way.name(), way))).map(Effect::Corrupt),
        _ => unreachable!("{name} has no parameters"),
    }
}

fn content_type(keys: &mut Section<'_>, key: &'static str) -> Option<String> {
    let fits = |text: &str| {
        (1..=200).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    keys.parsed(key, "a content type such as text/html", |text| fits(text).then(|| text.to_owned()))
}

fn status(keys: &mut Section<'_>) -> Option<Effect> {
    let code = keys.required_int("code", 200..=599);
    let body = keys.free_text("body", LONGEST_BODY).unwrap_or_default();
    let content_type = content_type(keys, "content_type").unwrap_or_else(|| String::from(PLAIN));
    let retry_after = keys.optional_int("retry_after", 0..=86_400);
    Some(Effect::Status { status: code?, body, content_type, retry_after })
}

fn rate_limit(keys: &mut Section<'_>) -> Option<Effect> {
    let requests = keys.required_int("requests", 0..=1_000_000);
    let per = keys.required_duration("per", Duration::from_nanos(1)..=HOUR);
    let retry_after = keys.optional_int("retry_after", 0..=86_400).unwrap_or(1);
    Some(Effect::RateLimit { requests: requests?, per: per?, retry_after })
}

fn end_call(keys: &mut Section<'_>) -> Option<Effect> {
    if keys.require("code").is_none() {
        keys.given(&["message", "reason", "domain", "retry_after"]);
        return None;
    }
    let code = keys.one_of("code", &GrpcCode::ALL.map(|code| (code.name(), code)));
    let message = keys.free_text("message", LONGEST_MESSAGE).unwrap_or_default();
    let told = !keys.given(&["reason", "domain", "retry_after"]).is_empty();
    let details = StatusDetails {
        reason: keys.free_text("reason", 63).unwrap_or_default(),
        domain: keys.free_text("domain", 253).unwrap_or_default(),
        retry_after: keys.duration("retry_after", Duration::ZERO..=LONGEST),
    };
    Some(Effect::EndCall { code: code?, message, details: told.then_some(details) })
}

/// An effect as it is read.
pub(super) fn render(effect: &Effect) -> Json {
    let name = effect.name();
    match effect {
        Effect::Fail
        | Effect::Reset
        | Effect::Close
        | Effect::Empty
        | Effect::Silence
        | Effect::Duplicate
        | Effect::Reorder => json!(name),
        Effect::Refuse(error) => json!({ name: error.name() }),
        Effect::Status { status, body, content_type, retry_after } => {
            let mut keys = Map::from_iter([(String::from("code"), json!(status))]);
            add(&mut keys, "body", (!body.is_empty()).then_some(body));
            add(&mut keys, "content_type", (content_type != PLAIN).then_some(content_type));
            add(&mut keys, "retry_after", retry_after.as_ref());
            json!({ name: keys })
        }
        Effect::RateLimit { requests, per, retry_after } => json!({
            name: { "requests": requests, "per": duration::show(*per), "retry_after": retry_after }
        }),
        Effect::Garbage { bytes } | Effect::Truncate { bytes } => json!({ name: bytes }),
        Effect::Drip { bytes_per_second } => json!({ name: bytes_per_second }),
        Effect::ContentLength { off_by } => json!({ name: off_by }),
        Effect::ContentType(text) => json!({ name: text }),
        Effect::EndCall { code, message, details } => {
            let mut keys = Map::from_iter([(String::from("code"), json!(code.name()))]);
            add(&mut keys, "message", (!message.is_empty()).then_some(message));
            if let Some(StatusDetails { reason, domain, retry_after }) = details {
                keys.insert(String::from("reason"), json!(reason));
                add(&mut keys, "domain", (!domain.is_empty()).then_some(domain));
                add(&mut keys, "retry_after", retry_after.map(duration::show).as_ref());
            }
            json!({ name: keys })
        }
        Effect::GoAway { code } => json!({ name: code }),
        Effect::Corrupt(way) => json!({ name: way.name() }),
    }
}

/// Adds what is there.
pub(super) fn add<T: serde::Serialize>(keys: &mut Map<String, Json>, key: &str, value: Option<&T>) {
    if let Some(value) = value {
        keys.insert(key.to_owned(), json!(value));
    }
}
