//! What a world has recorded, as its file says it.

use std::num::NonZeroU32;

use jiff::{Span, SpanRelativeTo, SpanTotal, Timestamp, Unit};
use serde_json::{Map, Value as Json, json};

use super::place::Mistakes;
use super::print;
use super::section::Section;
use super::tree::Value;
use crate::domain::time::EpochSeconds;
use crate::sim::setup::{RecordingPlan, When};

/// What is recorded; given at all, it stands in for the whole catalogue of the default world.
pub(crate) fn recordings(world: &mut Section<'_>, default: RecordingPlan) -> RecordingPlan {
    let plan = world.optional("recordings", plan).unwrap_or(default);
    world.note("recordings", shown(&plan));
    plan
}

/// Reads the text of a catalogue, under the key `recordings`; `name` is how mistakes name the text.
///
/// # Errors
/// When it has mistakes.
pub(crate) fn parse(text: &str, name: &str) -> Result<RecordingPlan, Mistakes> {
    super::read_all("a text with recordings", text, name, |keys| {
        keys.require("recordings");
        recordings(keys, RecordingPlan::default())
    })
}

/// The keys of a catalogue.
pub(super) fn plan(keys: &mut Section<'_>) -> RecordingPlan {
    RecordingPlan {
        series: keys.optional("series", series).flatten(),
        gaps: keys.list("gaps", "start", gap),
        spans: keys.list("spans", "start", span),
    }
}

/// A catalogue as it is read.
pub(super) fn render(plan: &RecordingPlan) -> Json {
    let time = |when: When| match when {
        When::At(EpochSeconds(second)) => json!(second),
        When::FromStart(offset) => json!(print::span(offset)),
    };
    let pair = |(start, end): (When, Option<When>)| json!({ "start": time(start), "end": end.map_or_else(|| json!("ongoing"), time) });
    let mut keys = Map::new();
    if let Some((from, length)) = plan.series {
        let series = json!({ "from": time(from), "length": print::span(i64::from(length.get())) });
        keys.insert(String::from("series"), series);
    }
    let gaps: Vec<_> = plan.gaps.iter().map(|(start, end)| pair((*start, Some(*end)))).collect();
    let spans: Vec<_> = plan.spans.iter().map(|span| pair(*span)).collect();
    for (key, list) in [("gaps", gaps), ("spans", spans)] {
        if !list.is_empty() {
            keys.insert(key.to_owned(), Json::from(list));
        }
    }
    Json::Object(keys)
}

fn shown(plan: &RecordingPlan) -> String {
    let pair = |start: When, end: Option<When>| {
        let end = end.map_or_else(|| String::from("ongoing"), shown_time);
        format!("{{start: {}, end: {end}}}", shown_time(start))
    };
    let mut keys = Vec::new();
    if let Some((from, length)) = plan.series {
        let length = print::span(i64::from(length.get()));
        keys.push(format!("series: {{from: {}, length: {length}}}", shown_time(from)));
    }
    let gaps: Vec<_> = plan.gaps.iter().map(|(start, end)| pair(*start, Some(*end))).collect();
    let spans: Vec<_> = plan.spans.iter().map(|(start, end)| pair(*start, *end)).collect();
    for (key, list) in [("gaps", gaps), ("spans", spans)] {
        if !list.is_empty() {
            keys.push(format!("{key}: [{}]", list.join(", ")));
        }
    }
    format!("{{{}}}", keys.join(", "))
}

fn shown_time(when: When) -> String {
    match when {
        When::At(EpochSeconds(second)) => second.to_string(),
        When::FromStart(offset) => print::span(offset),
    }
}

fn series(keys: &mut Section<'_>) -> Option<(When, NonZeroU32)> {
    let from = time(keys, "from", "");
    let length = keys.require("length").and_then(|node| {
        let seconds = match &node.value {
            Value::Integer(seconds) => Some(*seconds),
            Value::Text(text) => span_seconds(text),
            _ => None,
        };
        // Shorter ones would make millions of recordings out of a few weeks, and every request would list them.
        let seconds =
            seconds.and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| *seconds >= 60);
        let length = seconds.and_then(NonZeroU32::new);
        if length.is_none() {
            let name = keys.name("length");
            let text = format!(
                "{name} must be a duration such as 1h or 30m, or whole seconds, a minute at least, not {node}"
            );
            keys.mistake(node, text);
        }
        length
    });
    from.zip(length)
}

fn gap(keys: &mut Section<'_>) -> Option<(When, When)> {
    let start = time(keys, "start", "");
    let end = time(keys, "end", "");
    in_order(keys, start.zip(end)?)
}

fn span(keys: &mut Section<'_>) -> Option<(When, Option<When>)> {
    let start = time(keys, "start", "");
    let end = keys.get("end").map(|node| &node.value);
    if matches!(end, Some(Value::Text(text)) if text == "ongoing") {
        return start.map(|start| (start, None));
    }
    let end = time(keys, "end", ", or ongoing");
    in_order(keys, start.zip(end)?).map(|(start, end)| (start, Some(end)))
}

/// Whether one of them is the earlier can be told only if both are told in the same way.
fn in_order(keys: &mut Section<'_>, (start, end): (When, When)) -> Option<(When, When)> {
    let reversed = match (start, end) {
        (When::At(start), When::At(end)) => start >= end,
        (When::FromStart(start), When::FromStart(end)) => start >= end,
        (When::At(_), When::FromStart(_)) | (When::FromStart(_), When::At(_)) => false,
    };
    if reversed {
        let text = format!("{} must be after {}", keys.name("end"), keys.name("start"));
        keys.mistake_in("end", &text);
    }
    (!reversed).then_some((start, end))
}

pub(crate) fn time(keys: &mut Section<'_>, key: &'static str, or: &str) -> Option<When> {
    let node = keys.require(key)?;
    let when = match &node.value {
        Value::Integer(seconds) => Some(When::At(EpochSeconds(*seconds))),
        Value::Text(text) => text
            .parse::<Timestamp>()
            .map(|time| When::At(EpochSeconds(time.as_second())))
            .ok()
            .or_else(|| span_seconds(text).map(When::FromStart)),
        _ => None,
    };
    let when = when.filter(|when| match when {
        When::At(EpochSeconds(second)) => (0..=LAST_SECOND).contains(second),
        When::FromStart(_) => true,
    });
    if when.is_none() {
        let name = keys.name(key);
        let text = format!(
            "{name} must be epoch seconds, a time such as 2025-12-05T14:58:23Z, or a time relative to the start of the \
             server such as -28d or \"-1h 30m\"{or}, not {node}"
        );
        keys.mistake(node, text);
    }
    when
}

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: i64 = 253_402_300_799;

fn span_seconds(text: &str) -> Option<i64> {
    let total = SpanTotal::from(Unit::Second).relative(SpanRelativeTo::days_are_24_hours());
    let seconds = text.parse::<Span>().ok()?.total(total).ok()?;
    // Spans beyond a century make no sense here, and all others are exact.
    #[allow(clippy::cast_possible_truncation, reason = "bounded just before")]
    (seconds.abs() < 3.2e9).then_some(seconds as i64)
}
