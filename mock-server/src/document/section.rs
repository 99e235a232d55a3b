//! A mapping while it is read: asks for its keys one by one, and knows afterwards which nobody asked for, and what
//! each key came to.
//!
//! Every question has an answer: where a value is mistaken the default stands in for it and the mistake is noted, so
//! that reading goes on to the end.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::place::{Mistake, Place};
use super::print::{self, Entry};
use super::tree::{Node, Value};

/// The keys of one mapping, under the path that messages call it by.
pub(crate) struct Section<'a> {
    path: String,
    entries: Vec<(&'a str, &'a Node)>,
    asked: Vec<&'static str>,
    /// What messages call it when it has no path.
    kind: &'static str,
    /// Where it stands, for what is missing in it.
    at: Place,
    strangers: Vec<&'a Node>,
    pub(crate) found: Found,
}

/// What reading a mapping leaves beside the values.
#[derive(Default)]
pub(crate) struct Found {
    /// Everything that is wrong with it.
    pub(crate) mistakes: Vec<Mistake>,
    /// Keys that do not go together, each right by itself. Another place may say one of them otherwise.
    pub(crate) clashes: Vec<Mistake>,
    /// Every key with what it came to, in the order in which they were asked for.
    pub(crate) entries: Vec<Entry>,
}

impl Found {
    /// Everything that is wrong when nobody says anything else.
    pub(crate) fn wrong(self) -> Vec<Mistake> {
        self.mistakes.into_iter().chain(self.clashes).collect()
    }
}

/// Longest time of a job or stream: a day.
const LONGEST_SECONDS: f64 = 86_400.0;
/// Characters of a text that is one line of an answer.
const LONGEST_TEXT: usize = 200;
/// Characters of a path.
const LONGEST_PATH: usize = 4096;

impl<'a> Section<'a> {
    /// All there is; `kind` is what messages call it.
    pub(crate) fn root(kind: &'static str, node: Option<&'a Node>) -> Self {
        Self::of(String::new(), kind, node)
    }

    /// The mapping of a node; without one, or where it is something else, a section without keys.
    fn of(path: String, kind: &'static str, node: Option<&'a Node>) -> Self {
        let mut section = Self {
            path,
            kind,
            entries: Vec::new(),
            asked: Vec::new(),
            at: node.map_or(Place::Default, |node| node.place.clone()),
            strangers: Vec::new(),
            found: Found::default(),
        };
        match node.map(|node| (node, &node.value)) {
            None | Some((_, Value::Nothing)) => {}
            Some((_, Value::Mapping(entries))) => entries.iter().for_each(|entry| section.enter(entry)),
            Some((node, _)) => {
                let what = section.shown().to_owned();
                let text = format!("{what} must be a mapping (lines of \"key: value\"), not {node}");
                section.mistake(node, text);
            }
        }
        section
    }

    fn enter(&mut self, (key, value): &'a (Node, Node)) {
        let Value::Text(name) = &key.value else { return self.strangers.push(key) };
        if let Some((_, first)) = self.entries.iter().find(|(known, _)| known == name) {
            let first = match &first.place {
                Place::File { line, .. } => format!("in line {line}"),
                place @ (Place::Default | Place::Flag(_) | Place::Variable(_)) => format!("by {place}"),
            };
            let text = format!("{} is given more than once, first {first}", self.name(name));
            return self.mistake(key, text);
        }
        self.entries.push((name, value));
        // Whether anybody knows it shows at the end; until then the key's own place is kept.
        self.strangers.push(key);
    }

    /// The path of one of its keys.
    pub(crate) fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(crate) fn mistake(&mut self, at: &Node, text: String) {
        self.found.mistakes.push(Mistake { place: at.place.clone(), text });
    }

    /// What a key came to, as YAML.
    pub(crate) fn note(&mut self, key: &'static str, value: String) {
        let place = self.place_of(key).cloned().unwrap_or(Place::Default);
        self.found.entries.push(Entry { key: self.name(key), value, place });
    }

    /// A mistake in a key.
    pub(crate) fn mistake_in(&mut self, key: &str, text: &str) {
        let place = self.place_of(key).unwrap_or(&self.at).clone();
        self.found.mistakes.push(Mistake { place, text: text.to_owned() });
    }

    /// Keys that do not go together; told in the first of them that is there, unless one of them is mistaken anyway.
    pub(crate) fn clash(&mut self, keys: &[&str], text: &str) {
        let places: Vec<_> = keys.iter().filter_map(|key| self.place_of(key)).collect();
        if !self.found.mistakes.iter().any(|mistake| places.contains(&&mistake.place)) {
            let place = places.first().copied().unwrap_or(&self.at).clone();
            self.found.clashes.push(Mistake { place, text: text.to_owned() });
        }
    }

    /// A mistake in it as a whole.
    pub(super) fn mistake_here(&mut self, text: String) {
        self.found.mistakes.push(Mistake { place: self.at.clone(), text });
    }

    /// What messages call it.
    pub(super) fn shown(&self) -> &str {
        if self.path.is_empty() { self.kind } else { &self.path }
    }

    /// Its keys with their values, as far as they are texts.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Node)> + use<'a, '_> {
        self.entries.iter().copied()
    }

    /// Keys that were asked for.
    pub(super) fn asked(&self) -> &[&'static str] {
        &self.asked
    }

    /// Whether anybody asked for that key.
    pub(super) fn is_asked(&self, key: &str) -> bool {
        self.asked.contains(&key)
    }

    fn place_of(&self, key: &str) -> Option<&Place> {
        self.entries.iter().find(|(name, _)| *name == key).map(|(_, node)| &node.place)
    }

    /// The value of a key, unless it is left out.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<&'a Node> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let (_, node) = self.entries.iter().find(|(name, _)| *name == key)?;
        (!matches!(node.value, Value::Nothing)).then_some(node)
    }

    /// The value of a key that must not be left out.
    pub(crate) fn require(&mut self, key: &'static str) -> Option<&'a Node> {
        let node = self.get(key);
        if node.is_none() {
            let text = format!("{} is missing", self.name(key));
            self.found.mistakes.push(Mistake { place: self.at.clone(), text });
        }
        node
    }

    /// Reads the mapping under a key.
    pub(crate) fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'a>) -> T) -> T {
        let node = self.get(key);
        self.inner(self.name(key), node, read)
    }

    /// Reads the mapping under a key; `None` if it is left out.
    pub(crate) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'a>) -> T,
    ) -> Option<T> {
        let node = self.get(key)?;
        Some(self.inner(self.name(key), Some(node), read))
    }

    /// Reads the mappings of the list under a key; nothing if it is left out. `first` is a key that they have.
    pub(crate) fn list<T>(
        &mut self,
        key: &'static str,
        first: &str,
        read: impl Fn(&mut Section<'a>) -> Option<T>,
    ) -> Vec<T> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let name = self.name(key);
        let Value::List(items) = &node.value else {
            self.mistake(node, format!("{name} must be a list (lines of \"- {first}: ...\"), not {node}"));
            return Vec::new();
        };
        let mut all = Vec::new();
        for (position, item) in items.iter().enumerate() {
            let name = format!("{name}[{position}]");
            if matches!(item.value, Value::Nothing) {
                self.mistake(
                    item,
                    format!("{name} must be a mapping (lines of \"key: value\"), not nothing"),
                );
            } else {
                all.extend(self.inner(name, Some(item), &read));
            }
        }
        all
    }

    fn inner<T>(
        &mut self,
        path: String,
        node: Option<&'a Node>,
        read: impl FnOnce(&mut Section<'a>) -> T,
    ) -> T {
        let mut inner = Section::of(path, self.kind, node);
        let is_mapping = inner.found.mistakes.is_empty() || !inner.entries.is_empty();
        let value = read(&mut inner);
        let mut found = inner.finish();
        if !is_mapping {
            // That it is no mapping says it all; nothing can be missing in it.
            found.mistakes.truncate(1);
        }
        self.found.mistakes.append(&mut found.mistakes);
        self.found.clashes.append(&mut found.clashes);
        self.found.entries.append(&mut found.entries);
        value
    }

    /// Everything that is wrong with it, unknown keys included.
    pub(crate) fn finish(mut self) -> Found {
        for key in std::mem::take(&mut self.strangers) {
            if matches!(&key.value, Value::Text(name) if self.asked.contains(&name.as_str())) {
                continue;
            }
            let text = format!("unknown key {key}: {} has the keys {}", self.shown(), self.asked.join(", "));
            self.mistake(key, text);
        }
        self.found
    }

    /// An integer within bounds.
    pub(crate) fn int<T: TryFrom<i64> + Display>(
        &mut self,
        key: &'static str,
        bounds: RangeInclusive<i64>,
        default: T,
    ) -> T {
        let number = self.get(key).and_then(|node| self.as_int(key, node, bounds)).unwrap_or(default);
        self.note(key, number.to_string());
        number
    }

    /// An integer within bounds that must not be left out.
    pub(crate) fn required_int<T: TryFrom<i64>>(
        &mut self,
        key: &'static str,
        bounds: RangeInclusive<i64>,
    ) -> Option<T> {
        self.require(key).and_then(|node| self.as_int(key, node, bounds))
    }

    pub(super) fn as_int<T: TryFrom<i64>>(
        &mut self,
        key: &str,
        node: &Node,
        bounds: RangeInclusive<i64>,
    ) -> Option<T> {
        let number = match node.value {
            Value::Integer(number) if bounds.contains(&number) => T::try_from(number).ok(),
            _ => None,
        };
        if number.is_none() {
            let (name, low, high) = (self.name(key), bounds.start(), bounds.end());
            self.mistake(node, format!("{name} must be an integer from {low} to {high}, not {node}"));
        }
        number
    }

    /// A number within bounds, with or without a fraction.
    pub(crate) fn float(&mut self, key: &'static str, bounds: RangeInclusive<f64>, default: f64) -> f64 {
        let number = self.as_float(key, bounds, default);
        self.note(key, number.to_string());
        number
    }

    fn as_float(&mut self, key: &'static str, bounds: RangeInclusive<f64>, default: f64) -> f64 {
        let Some(node) = self.get(key) else { return default };
        let number = match node.value {
            // Beyond 2^53 neighbours fall together, but no bound lies there.
            #[allow(clippy::cast_precision_loss, reason = "every bound is far below 2^53")]
            Value::Integer(number) => number as f64,
            Value::Number(number) => number,
            _ => f64::NAN,
        };
        if bounds.contains(&number) {
            return number;
        }
        let (name, low, high) = (self.name(key), bounds.start(), bounds.end());
        self.mistake(node, format!("{name} must be a number from {low} to {high}, not {node}"));
        default
    }

    /// A time in seconds, of a day at most.
    pub(crate) fn seconds(&mut self, key: &'static str, least: f64, default: Duration) -> Duration {
        Duration::from_secs_f64(self.float(key, least..=LONGEST_SECONDS, default.as_secs_f64()))
    }

    /// A text of one line that is not empty.
    pub(crate) fn text(&mut self, key: &'static str, default: String) -> String {
        let text = self.as_text(key, LONGEST_TEXT).unwrap_or(default);
        self.note(key, print::text(&text));
        text
    }

    /// A path, or nothing. One in a file is relative to that file; it comes out absolute, so that it means the same
    /// wherever it is said again.
    pub(crate) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let place = self.get(key).map(|node| node.place.clone());
        let path = self.as_text(key, LONGEST_PATH).zip(place).map(|(path, place)| place.resolve(&path));
        let path = path.map(|path| std::path::absolute(&path).unwrap_or(path));
        let shown =
            path.as_deref().map_or_else(print::nothing, |path| print::text(&path.display().to_string()));
        self.note(key, shown);
        path
    }

    /// A text that `parse` takes; `expected` says what that is.
    pub(crate) fn parsed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let node = self.get(key)?;
        let parsed = match &node.value {
            Value::Text(text) => parse(text),
            // Nobody shall have to know which words YAML takes for numbers.
            Value::Integer(number) => parse(&number.to_string()),
            Value::Nothing | Value::Flag(_) | Value::Number(_) | Value::List(_) | Value::Mapping(_) => None,
        };
        if parsed.is_none() {
            self.mistake(node, format!("{} must be {expected}, not {node}", self.name(key)));
        }
        parsed
    }

    fn as_text(&mut self, key: &'static str, longest: usize) -> Option<String> {
        let node = self.get(key)?;
        match &node.value {
            Value::Text(text)
                if !text.trim().is_empty()
                    && text.chars().count() <= longest
                    && !text.chars().any(char::is_control) =>
            {
                Some(text.clone())
            }
            value => {
                let unquoted = matches!(value, Value::Flag(_) | Value::Integer(_) | Value::Number(_));
                let hint = if unquoted { " (put it in quotes)" } else { "" };
                let name = self.name(key);
                let text = format!("{name} must be a line of 1 to {longest} characters, not {node}{hint}");
                self.mistake(node, text);
                None
            }
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let flag = match self.get(key) {
            None => default,
            Some(Node { value: Value::Flag(flag), .. }) => *flag,
            Some(node) => {
                self.mistake(node, format!("{} must be true or false, not {node}", self.name(key)));
                default
            }
        };
        self.note(key, flag.to_string());
        flag
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
        default: T,
    ) -> T {
        let value = self.get(key).and_then(|node| self.as_choice(key, node, words)).unwrap_or(default);
        let word = words.iter().find(|(_, meant)| *meant == value).map_or("", |(word, _)| word);
        self.note(key, print::text(word));
        value
    }

    pub(super) fn as_choice<T: Copy>(&mut self, key: &str, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let chosen = match &node.value {
            Value::Text(text) => words.iter().find(|(word, _)| word == text),
            _ => None,
        };
        if chosen.is_none() {
            let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let all = all.split_last().map_or_else(String::new, |(last, before)| {
                if before.is_empty() {
                    (*last).to_owned()
                } else {
                    format!("{} or {last}", before.join(", "))
                }
            });
            self.mistake(node, format!("{} must be {all}, not {node}", self.name(key)));
        }
        chosen.map(|(_, value)| *value)
    }
}
