//! More that can be asked of a mapping: keys that may be left out, and texts with a meaning.
//!
//! None of these is a key of a configuration by itself, so none of them is noted for `--print-config`.

use std::ops::RangeInclusive;

use super::section::Section;
use super::tree::{Node, Value};

impl<'a> Section<'a> {
    /// An integer within bounds, unless it is left out.
    pub(super) fn optional_int<T: TryFrom<i64>>(
        &mut self,
        key: &'static str,
        bounds: RangeInclusive<i64>,
    ) -> Option<T> {
        self.get(key).and_then(|node| self.as_int(key, node, bounds))
    }

    /// A number that `fits`, unless it is left out; `expected` says what fits.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        expected: &str,
        fits: impl FnOnce(f64) -> bool,
    ) -> Option<f64> {
        let node = self.get(key)?;
        let number = number(node).filter(|number| fits(*number));
        if number.is_none() {
            self.mistake(node, format!("{} must be {expected}, not {node}", self.name(key)));
        }
        number
    }

    /// One of some words, unless it is left out.
    pub(super) fn one_of<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        self.get(key).and_then(|node| self.as_choice(key, node, words))
    }

    /// `true` or `false`, unless it is left out.
    pub(super) fn optional_flag(&mut self, key: &'static str) -> Option<bool> {
        self.one_of_values(key, "true or false", |value| match value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        })
    }

    /// A value that means something, unless it is left out; `expected` says what does.
    pub(super) fn one_of_values<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        meaning: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let node = self.get(key)?;
        let meant = meaning(&node.value);
        if meant.is_none() {
            self.mistake(node, format!("{} must be {expected}, not {node}", self.name(key)));
        }
        meant
    }

    /// A text of any kind, line feeds included, of so many bytes at most.
    pub(super) fn free_text(&mut self, key: &'static str, longest: usize) -> Option<String> {
        let node = self.get(key)?;
        match &node.value {
            Value::Text(text) if text.len() <= longest => Some(text.clone()),
            value => {
                let unquoted = matches!(value, Value::Flag(_) | Value::Integer(_) | Value::Number(_));
                let hint = if unquoted { " (put it in quotes)" } else { "" };
                let name = self.name(key);
                self.mistake(
                    node,
                    format!("{name} must be a text of {longest} bytes at most, not {node}{hint}"),
                );
                None
            }
        }
    }

    /// The names of its keys, as far as they are texts.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> + use<'a, '_> {
        self.entries().map(|(name, _)| name)
    }

    /// Those of the keys that are given.
    pub(super) fn given(&mut self, keys: &[&'static str]) -> Vec<&'static str> {
        keys.iter().copied().filter(|key| self.get(key).is_some()).collect()
    }

    /// The one of the keys that is given; that there is none, or more than one, is a mistake. `what` says what they
    /// are.
    pub(super) fn exactly_one(&mut self, what: &str, keys: &[&'static str]) -> Option<&'static str> {
        let given = self.given(keys);
        match given[..] {
            [one] => Some(one),
            [] => {
                // A misspelt one is told by itself.
                if self.names().all(|name| self.is_asked(name)) {
                    let text = format!("{} has no {what}: there are {}", self.shown(), keys.join(", "));
                    self.mistake_here(text);
                }
                None
            }
            [.., last] => {
                let text =
                    format!("{} can have one {what} only, not {} at once", self.shown(), given.join(", "));
                self.mistake_in(last, &text);
                None
            }
        }
    }
}

/// A number with or without a fraction.
pub(super) fn number(node: &Node) -> Option<f64> {
    match &node.value {
        // Beyond 2^53 neighbours fall together, but no bound lies there.
        #[allow(clippy::cast_precision_loss, reason = "every bound is far below 2^53")]
        Value::Integer(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        Value::Nothing | Value::Flag(_) | Value::Text(_) | Value::List(_) | Value::Mapping(_) => None,
    }
}
