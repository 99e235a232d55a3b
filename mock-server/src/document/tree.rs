//! YAML as a tree in which every key and every value knows its place.
//!
//! Types come later: a file is taken apart whole before anything in it is judged, so that one look finds every mistake.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy, Options, Spanned};

use super::place::{Mistake, Place};

/// A value and where it was said.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

#[derive(Clone)]
pub(crate) enum Value {
    /// No value, or `null`.
    Nothing,
    Flag(bool),
    Integer(i64),
    /// Also an integer that 64 bits do not hold.
    Number(f64),
    Text(String),
    List(Vec<Node>),
    /// Keys are any nodes, in the order of the file, the same ones more than once included.
    Mapping(Vec<(Node, Node)>),
}

/// Reads the text of a file; `None` if there is nothing in it.
pub(crate) fn parse(text: &str, file: &str) -> Result<Option<Node>, Mistake> {
    let file = Arc::from(file);
    let at = |line, column| Place::File { file: Arc::clone(&file), line, column };
    read(text)
        .map(|node| node.map(|node| node.said(&at)))
        .map_err(|(line, column, text)| Mistake { place: at(line, column), text })
}

/// Reads a value that was said in one word, on the command line for instance.
pub(crate) fn parse_value(text: &str, place: &Place) -> Result<Node, Mistake> {
    let node = read(text).map_err(|(_, _, text)| Mistake { place: place.clone(), text })?;
    let nothing = || Node { value: Value::Nothing, place: place.clone() };
    Ok(node.map_or_else(nothing, |node| node.said(&|_, _| place.clone())))
}

/// The tree of a text, or what is wrong with it, after line and column.
fn read(text: &str) -> Result<Option<Node>, (u64, u64, String)> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error: serde_saphyr::Error| {
        let location = error.location();
        let line = location.map_or(0, |location| location.line());
        let column = location.map_or(0, |location| location.column());
        (line, column, format!("not YAML that can be read: {}", first_line(&error)))
    })
}

impl Node {
    /// The same, said where `at` has it for each line and column.
    fn said(self, at: &impl Fn(u64, u64) -> Place) -> Self {
        let value = match self.value {
            Value::List(items) => Value::List(items.into_iter().map(|item| item.said(at)).collect()),
            Value::Mapping(entries) => Value::Mapping(
                entries.into_iter().map(|(key, value)| (key.said(at), value.said(at))).collect(),
            ),
            value @ (Value::Nothing
            | Value::Flag(_)
            | Value::Integer(_)
            | Value::Number(_)
            | Value::Text(_)) => value,
        };
        let place = match self.place {
            Place::File { line, column, .. } => at(line, column),
            place @ (Place::Default | Place::Flag(_) | Place::Variable(_)) => place,
        };
        Self { value, place }
    }
}

/// The message without the place, which is told in front of it.
fn first_line(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().render_with_formatter(&serde_saphyr::UserMessageFormatter);
    let line = text.lines().next().unwrap_or_default();
    let line = line.split(" at line ").next().unwrap_or_default();
    if line.starts_with(TOO_MUCH) {
        String::from("too deep or too large for a file of settings")
    } else {
        line.to_owned()
    }
}

/// How the parser begins to say that one of the limits below was reached.
const TOO_MUCH: &str = "YAML document too large or too complex";

/// A file of settings has five levels and some hundred lines; far above that, reading it could exhaust stack and memory.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 16,
            max_nodes: 20_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: 2,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
    }
}

impl fmt::Display for Node {
    /// As a message names it after "not".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Nothing => f.write_str("nothing"),
            Value::Flag(flag) => flag.fmt(f),
            Value::Integer(number) => number.fmt(f),
            Value::Number(number) => write!(f, "{number:?}"),
            Value::Text(text) if text.chars().count() > LONGEST => {
                write!(f, "{:?} and so on", text.chars().take(LONGEST).collect::<String>())
            }
            Value::Text(text) => write!(f, "{text:?}"),
            Value::List(_) => f.write_str("a list"),
            Value::Mapping(_) => f.write_str("a mapping"),
        }
    }
}

/// Characters of a text that a message repeats.
const LONGEST: usize = 60;

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<Value>::deserialize(deserializer)?;
        // The reader of a text does not know what the text is called; `said` does.
        let place =
            Place::File { file: Arc::default(), line: referenced.line(), column: referenced.column() };
        Ok(Self { value, place })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or(Value::Number(number as f64), Value::Integer))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Value::Mapping(mapping))
    }
}
