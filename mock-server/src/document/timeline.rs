//! The timeline of a scenario: changes with their times.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::changes::{self, change_of};
use super::duration::{self, LONGEST};
use super::effects::add;
use super::print;
use super::section::Section;
use super::tree::{Node, Value};
use crate::sim::change::{MOST_OCCURRENCES, MOST_PLANNED, MOST_TOGETHER, Planned, SHORTEST_PERIOD};

/// How often something can come again.
const MOST_TIMES: i64 = 1_000_000;

/// The entries under `timeline`.
pub(super) fn timeline(keys: &mut Section<'_>) -> Vec<Planned> {
    if let Some(node @ Node { value: Value::List(items), .. }) = keys.get("timeline")
        && items.len() > MOST_PLANNED
    {
        let (name, most) = (keys.name("timeline"), MOST_PLANNED);
        keys.mistake(node, format!("{name} can have {most} changes at most, not {}", items.len()));
        return Vec::new();
    }
    let timeline = keys.list("timeline", "at", planned);
    let often = |planned: &Planned| match (planned.every, planned.times) {
        (None, _) => 1,
        (Some(_), times) => u64::from(times.unwrap_or(MOST_OCCURRENCES)),
    };
    let together: u64 = timeline.iter().map(often).sum();
    if together > MOST_TOGETHER {
        let text = format!(
            "{} comes to {together} changes, and may come to {MOST_TOGETHER}: without times a change that comes again \
             does so {MOST_OCCURRENCES} times",
            keys.name("timeline")
        );
        keys.mistake_in("timeline", &text);
    }
    let shown: Vec<_> = timeline.iter().map(render).collect();
    keys.note("timeline", print::json(&Json::from(shown)));
    timeline
}

fn planned(keys: &mut Section<'_>) -> Option<Planned> {
    let at = keys.required_duration("at", Duration::ZERO..=LONGEST);
    let every = keys.duration("every", SHORTEST_PERIOD..=LONGEST);
    let times = keys.optional_int("times", 1..=MOST_TIMES);
    if times.is_some() && keys.given(&["every"]).is_empty() {
        let text =
            format!("{} needs {}: how long until it comes again", keys.name("times"), keys.name("every"));
        keys.mistake_in("times", &text);
    }
    let change = change_of(keys);
    let ((change, lasts), at) = change.zip(at)?;
    Some(Planned { at, every, times, lasts, change })
}

/// An entry as it is read.
fn render(planned: &Planned) -> Json {
    let mut keys = Map::from_iter([(String::from("at"), json!(duration::show(planned.at)))]);
    add(&mut keys, "every", planned.every.map(duration::show).as_ref());
    add(&mut keys, "times", planned.times.as_ref());
    add(&mut keys, "for", planned.lasts.map(duration::show).as_ref());
    if let Json::Object(change) = changes::render(&planned.change) {
        keys.extend(change);
    }
    Json::Object(keys)
}
