//! Scenarios: a world with what goes wrong in it, and when.
//!
//! A scenario file is a world file with more keys: what it is called and about, rules that are installed at the start,
//! and a timeline of changes. It is read whole or not at all.

use std::path::Path;

use super::place::{Mistakes, Place};
use super::section::Section;
use super::tree::Value;
use super::world::{self, WorldKeys};
use super::{print, read_all, read_text, rules, timeline};
use crate::sim::journal::JournalLimits;
use crate::sim::setup::{PortChoice, Setup};

/// What a scenario file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What it is called.
    pub name: Option<String>,
    /// What it rehearses.
    pub about: Option<String>,
    /// The world it starts with, rules and timeline included.
    pub setup: Setup,
    /// Where its job ports lie.
    pub ports: PortChoice,
}

/// Keys that make a world a scenario.
pub(crate) const ITS_KEYS: [&str; 4] = ["name", "about", "faults", "timeline"];

/// Reads a scenario file.
///
/// # Errors
/// When it cannot be read or has mistakes.
pub fn load(path: &Path) -> Result<Scenario, Mistakes> {
    let file = path.display().to_string();
    parse(&read_text(path, &Place::file(&file))?, &file)
}

/// Reads the text of a scenario file; `file` is how mistakes name it.
///
/// # Errors
/// When it has mistakes.
pub fn parse(text: &str, file: &str) -> Result<Scenario, Mistakes> {
    parse_as("a scenario", text, file)
}

pub(super) fn parse_as(kind: &'static str, text: &str, file: &str) -> Result<Scenario, Mistakes> {
    read_all(kind, text, file, read)
}

pub(crate) fn read(file: &mut Section<'_>) -> Scenario {
    let (name, about) = (prose(file, "name", 100), prose(file, "about", 4096));
    let WorldKeys { setup, ports } = world::read(file);
    let journal = file.section("journal", |keys| journal(keys, setup.journal.clone()));
    let (rules, timeline) = (rules::rules(file), timeline::timeline(file));
    Scenario { name, about, setup: Setup { rules, timeline, journal, ..setup }, ports }
}

fn prose(file: &mut Section<'_>, key: &'static str, longest: usize) -> Option<String> {
    let text = file.free_text(key, longest);
    file.note(key, text.as_deref().map_or_else(print::nothing, print::text));
    text
}

fn journal(keys: &mut Section<'_>, default: JournalLimits) -> JournalLimits {
    JournalLimits {
        bytes: keys.int("max_bytes", 4096..=1_073_741_824, default.bytes),
        entry_bytes: keys.int("entry_bytes", 256..=16_777_216, default.entry_bytes),
        redacted: redacted(keys, default.redacted),
    }
}

/// Names of headers, as a list or in one text between commas.
fn redacted(keys: &mut Section<'_>, default: Vec<String>) -> Vec<String> {
    let names = |value: &Value| -> Option<Vec<String>> {
        let parts: Vec<&str> = match value {
            Value::Text(text) => text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect(),
            Value::List(items) => {
                let part = |value: &'_ Value| matches!(value, Value::Text(_));
                if !items.iter().all(|item| part(&item.value)) {
                    return None;
                }
                let texts = items.iter().filter_map(|item| match &item.value {
                    Value::Text(text) => Some(text.as_str()),
                    _ => None,
                });
                texts.collect()
            }
            Value::Nothing | Value::Flag(_) | Value::Integer(_) | Value::Number(_) | Value::Mapping(_) => {
                return None;
            }
        };
        if parts.len() > MOST_REDACTED { None } else { parts.into_iter().map(rules::header_name).collect() }
    };
    let expected = "names of headers, 100 at most, as a list or in one text between commas";
    let names = keys.one_of_values("redact", expected, names).unwrap_or(default);
    keys.note("redact", serde_json::Value::from(names.clone()).to_string());
    names
}

/// Headers whose values can be left out.
const MOST_REDACTED: usize = 100;
