//! What the admin interface is asked: rules, filters, counts, ports.

use std::fmt;

use serde_json::{Map, Value, json};

use super::escape;

/// A rule of fault, said in code. What it cannot say, a text can.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule(Value);

impl Rule {
    /// A rule that stands at a point, such as `step.port` or `rest.configure.before`.
    #[must_use]
    pub fn at(point: &str) -> Self {
        Self(json!({ "at": point }))
    }

    fn with(mut self, section: &str, key: &str, value: impl Into<Value>) -> Self {
        self.0[section][key] = value.into();
        self
    }

    /// Its name; without one it gets one.
    #[must_use]
    pub fn named(mut self, id: &str) -> Self {
        self.0["id"] = id.into();
        self
    }

    /// Only for jobs of these ids; `*` and `?` are wild.
    #[must_use]
    pub fn job(self, pattern: &str) -> Self {
        self.with("match", "job", pattern)
    }

    /// Only where something else matches: `method`, `view`, `caller`, …
    #[must_use]
    pub fn matching(self, key: &str, value: impl Into<Value>) -> Self {
        self.with("match", key, value)
    }

    /// At most so many hits.
    #[must_use]
    pub fn first(self, hits: u64) -> Self {
        self.with("when", "first", hits)
    }

    /// Drawn for each match.
    #[must_use]
    pub fn probability(self, probability: f64) -> Self {
        self.with("when", "probability", probability)
    }

    /// Something else about how often: `after`, `every`, `from`, `until`, `ttl`.
    #[must_use]
    pub fn when(self, key: &str, value: impl Into<Value>) -> Self {
        self.with("when", key, value)
    }

    /// Holds up, for a time such as `250ms`.
    #[must_use]
    pub fn delay(mut self, time: &str) -> Self {
        self.0["delay"] = time.into();
        self
    }

    /// Refuses, with a code of the contract.
    #[must_use]
    pub fn refuse(self, code: &str) -> Self {
        self.with("do", "refuse", code)
    }

    /// Does something else: `reset`, or `{"truncate": 100}`.
    #[must_use]
    pub fn does(mut self, effect: impl Into<Value>) -> Self {
        self.0["do"] = effect.into();
        self
    }
}

impl fmt::Display for Rule {
    /// As the interface takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which entries of the journal are meant; what is not said matches all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    keys: Map<String, Value>,
    page: Map<String, Value>,
}

macro_rules! filters {
    ($(#[doc = $doc:literal] $name:ident: $kind:ty;)+) => {
        $(
            #[doc = $doc]
            #[must_use]
            pub fn $name(self, value: $kind) -> Self {
                self.key(stringify!($name), value)
            }
        )+
    };
}

impl Filter {
    /// A key by its name.
    #[must_use]
    pub fn key(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.keys.insert(key.to_owned(), value.into());
        self
    }

    filters! {
        /// Requests of that method.
        method: &str;
        /// Requests of that path; `*` and `?` are wild.
        path: &str;
        /// Requests of that route, such as `configure`.
        route: &str;
        /// Requests that were answered with that status.
        status: u16;
        /// What was refused with that code.
        code: &str;
        /// What is about that job; `*` and `?` are wild.
        job: &str;
        /// What that rule did something about.
        rule: &str;
        /// Requests of that client; `*` and `?` are wild.
        caller: &str;
        /// What is about that request.
        request_id: &str;
    }

    /// Entries of that kind; no matter of a verification, which is of requests alone.
    #[must_use]
    pub fn kind(mut self, kind: &str) -> Self {
        self.page.insert(String::from("kind"), kind.into());
        self
    }

    /// Entries after that number; a verification is given its own.
    #[must_use]
    pub fn after(mut self, number: u64) -> Self {
        self.page.insert(String::from("after"), number.into());
        self
    }

    /// So many at most, up to 1000.
    #[must_use]
    pub fn limit(mut self, entries: u64) -> Self {
        self.page.insert(String::from("limit"), entries.into());
        self
    }

    /// As a query.
    pub(super) fn query(&self) -> String {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let pairs = self.page.iter().chain(&self.keys);
        let pairs: Vec<_> = pairs.map(|(key, value)| format!("{key}={}", escape(&text(value)))).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }

    /// As the `match` of a verification.
    pub(super) fn body(&self) -> Value {
        Value::Object(self.keys.clone())
    }
}

/// How many requests there must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exactly(u64),
    /// So many or more.
    AtLeast(u64),
    /// So many or fewer.
    AtMost(u64),
}

impl Count {
    pub(super) fn body(self) -> Value {
        match self {
            Self::Exactly(number) => json!(number),
            Self::AtLeast(number) => json!({ "at_least": number }),
            Self::AtMost(number) => json!({ "at_most": number }),
        }
    }
}

/// A job port, however it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// That number.
    Number(u16),
    /// The port of that slot.
    Slot(u16),
    /// The port that the next job would get.
    Next,
}

impl Port {
    pub(super) fn body(self) -> Value {
        match self {
            Self::Number(port) => json!({ "port": port }),
            Self::Slot(slot) => json!({ "slot": slot }),
            Self::Next => json!({ "port": "next" }),
        }
    }
}
