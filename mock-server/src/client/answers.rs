//! What the admin interface answers, as far as it has a shape worth naming.

use serde::Deserialize;
use serde_json::Value;

/// The clock, as it stands.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Clock {
    /// What makes it go.
    pub mode: String,
    /// What it shows, RFC 3339.
    pub now: String,
    /// The same in milliseconds since 1970.
    pub now_ms: i64,
    /// When something will next happen by itself.
    pub next_due_ms: Option<i64>,
    /// Who waits on it.
    pub waiters: Vec<Waiter>,
}

/// Somebody who waits on the clock.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Waiter {
    /// When the wait is over.
    pub until_ms: i64,
    /// What for.
    pub what: String,
    /// For which job, if any.
    pub job: Option<String>,
}

/// A clock that was moved.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Advanced {
    /// The clock.
    #[serde(flatten)]
    pub clock: Clock,
    /// How many entries the journal got on the way.
    pub fired_total: u64,
    /// The newest of them, oldest first.
    pub fired: Vec<Value>,
}

/// A rule that is installed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Fault {
    /// Its name.
    pub id: String,
    /// How often somebody matched it.
    pub matched: u64,
    /// How often it hit.
    pub hits: u64,
    /// The rule.
    pub rule: Value,
}

/// A port that a rehearsal holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct HeldPort {
    /// The port.
    pub port: u16,
    /// As whom: `service` or `process`.
    pub by: String,
}

/// A page of the journal.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct JournalPage {
    /// The entries, oldest first.
    pub entries: Vec<Value>,
    /// Where the next page begins.
    pub next: u64,
    /// Whether there are more already.
    pub more: bool,
    /// How many were ever written.
    pub written: u64,
    /// How many of them are gone.
    pub dropped: u64,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Verified {
    /// Whether it is as it should be.
    pub holds: bool,
    /// How many matched.
    pub matched: u64,
}

/// Something that belongs to no live job.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Leak {
    /// What sort of thing.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The job that it was for, if that is known.
    pub job: Option<String>,
}
