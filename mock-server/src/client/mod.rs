//! A client of the admin interface, for tests in Rust: typed, blocking, and whatever it takes it gives back.
//!
//! It meets the server on the wire only, so it works with a server of the same process and with any other.
//!
//! ```
//! use focus_mock::client::{Filter, Rule};
//! use focus_mock::{Config, MockServer};
//!
//! let server = MockServer::start(Config::default())?;
//! let admin = server.admin_client().expect("it has an admin interface");
//! let busy = admin.add_fault(Rule::at("step.port").refuse("PORT_IN_USE").first(2))?;
//! // … configure: it is refused with 409, twice …
//! assert_eq!(busy.hits()?, 0, "nobody asked");
//! drop(busy);
//! assert!(admin.faults()?.is_empty(), "the rule went with its handle");
//!
//! admin.dependency("mongodb", "down", None)?;
//! assert_eq!(admin.state()?["dependencies"]["mongodb"], "down");
//! let refused = admin.dependency("mongodb", "asleep", None).expect_err("no such state");
//! assert!(refused.to_string().contains("up, down, slow-fail, restarting"));
//! assert!(admin.leaks()?.is_empty() && admin.invariants()?.is_empty());
//! assert_eq!(admin.journal(&Filter::default().kind("rule-added"))?.entries.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answers;
mod handles;
mod questions;

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::http::Request;

use crate::config::Token;

pub use answers::{Advanced, Clock, Fault, HeldPort, JournalPage, Leak, Verified, Waiter};
pub use handles::{FaultHandle, PortHandle};
pub use questions::{Count, Filter, Port, Rule};

/// How long an answer may take; a verification waits on the server's clock, which may stand.
const PATIENCE: Duration = Duration::from_secs(600);

/// Why a call came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The server does not answer.
    #[error("{base} does not answer: {text}")]
    NoAnswer {
        /// The server.
        base: String,
        /// What happened instead.
        text: String,
    },
    /// The server said no.
    #[error("{}", told(.error, .mistakes))]
    Refused {
        /// The status of the answer.
        status: u16,
        /// What it said.
        error: String,
        /// What is wrong in the document that was sent, if one was.
        mistakes: Vec<Mistake>,
    },
    /// What answers is no admin interface of a mock.
    #[error("{url} does not answer as an admin interface does: {text}")]
    Strange {
        /// What was asked.
        url: String,
        /// What is odd about the answer.
        text: String,
    },
}

/// A mistake in a document that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Mistake {
    /// Its line, from 1.
    pub line: u64,
    /// Its column, from 1.
    pub column: u64,
    /// What is wrong, and what would be right.
    pub error: String,
}

impl Mistake {
    fn shown(&self) -> String {
        format!("line {}, column {}: {}", self.line, self.column, self.error)
    }
}

/// What was said; the first mistake of a document would otherwise be told twice.
fn told(error: &str, mistakes: &[Mistake]) -> String {
    let shown: Vec<_> = mistakes.iter().map(Mistake::shown).collect();
    if shown.is_empty() { error.to_owned() } else { shown.join("\n") }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
    #[serde(default)]
    mistakes: Vec<Mistake>,
}

/// A client of one admin interface. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Admin {
    agent: ureq::Agent,
    base: String,
    token: Option<Token>,
}

impl Admin {
    /// A client of the interface at `http://host:port`. Nothing is sent yet.
    #[must_use]
    pub fn connect(base: &str, token: Option<Token>) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            // A mock is reached directly, whatever the machine's proxy is for.
            .proxy(None)
            .build()
            .into();
        Self { agent, base: base.trim_end_matches('/').to_owned(), token }
    }

    /// A client of the interface at an address.
    #[must_use]
    pub fn at(address: SocketAddr, token: Option<Token>) -> Self {
        Self::connect(&format!("http://{address}"), token)
    }

    /// Asks anything: the answer as JSON, or as the text that it is.
    ///
    /// # Errors
    /// When the server does not answer or says no.
    pub fn call(&self, method: &str, path: &str, body: Option<&str>) -> Result<Value, Error> {
        let url = format!("{}{path}", self.base);
        let strange = |text: String| Error::Strange { url: url.clone(), text };
        let no_answer =
            |error: ureq::Error| Error::NoAnswer { base: self.base.clone(), text: error.to_string() };
        let mut request = Request::builder().method(method).uri(&url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.reveal()));
        }
        let answered = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body.to_owned());
                self.agent.run(request.map_err(|error| strange(error.to_string()))?)
            }
            None => self.agent.run(request.body(()).map_err(|error| strange(error.to_string()))?),
        };
        let mut answer = answered.map_err(no_answer)?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(LARGEST).read_to_string().map_err(no_answer)?;
        if status == 200 {
            return Ok(serde_json::from_str(&body).unwrap_or(Value::String(body)));
        }
        let said: ErrorBody = serde_json::from_str(&body)
            .map_err(|_| strange(format!("status {status}, and no error in the body")))?;
        Err(Error::Refused { status, error: said.error, mistakes: said.mistakes })
    }

    fn ask<T: DeserializeOwned>(&self, method: &str, path: &str, body: Option<&Value>) -> Result<T, Error> {
        let body = body.map(Value::to_string);
        let answer = self.call(method, path, body.as_deref())?;
        serde_json::from_value(answer)
            .map_err(|error| Error::Strange { url: format!("{}{path}", self.base), text: error.to_string() })
    }

    /// One key of an answer.
    fn ask_for<T: DeserializeOwned>(&self, method: &str, path: &str, key: &str) -> Result<T, Error> {
        let mut answer: Value = self.ask(method, path, None)?;
        serde_json::from_value(answer[key].take())
            .map_err(|error| Error::Strange { url: format!("{}{path}", self.base), text: error.to_string() })
    }

    /// Everything there is, at one moment.
    ///
    /// # Errors
    /// When the server does not answer or says no; the same holds for all that follow.
    pub fn state(&self) -> Result<Value, Error> {
        self.ask("GET", "/__mock/state", None)
    }

    /// Back to the start. The clock goes on.
    pub fn reset(&self) -> Result<Value, Error> {
        self.ask("POST", "/__mock/reset", None)
    }

    /// Resets into the world of a world or scenario file's text.
    pub fn world(&self, text: &str) -> Result<Value, Error> {
        self.call("PUT", "/__mock/world", Some(text))
    }

    /// Replaces what is recorded: a text with the key `recordings`, as worlds have it.
    pub fn recordings(&self, text: &str) -> Result<Value, Error> {
        self.call("PUT", "/__mock/recordings", Some(text))
    }

    /// The clock.
    pub fn clock(&self) -> Result<Clock, Error> {
        self.ask("GET", "/__mock/clock", None)
    }

    /// Changes what makes the clock go: `system`, `scaled:N` or `manual`.
    pub fn set_clock(&self, mode: impl Display) -> Result<Clock, Error> {
        self.ask("PUT", "/__mock/clock", Some(&json!({ "mode": mode.to_string() })))
    }

    /// Moves the clock on; what happened on the way.
    pub fn advance(&self, by: Duration) -> Result<Advanced, Error> {
        self.ask("POST", "/__mock/clock/advance", Some(&json!({ "by": by.as_secs_f64() })))
    }

    /// Installs a rule, of a [`Rule`] or of its text in YAML or JSON. It goes with its handle.
    pub fn add_fault(&self, rule: impl Display) -> Result<FaultHandle, Error> {
        let mut answer = self.call("POST", "/__mock/faults", Some(&rule.to_string()))?;
        match answer["ids"][0].take() {
            Value::String(id) => Ok(FaultHandle::new(self.clone(), id)),
            _ => Err(Error::Strange {
                url: format!("{}/__mock/faults", self.base),
                text: String::from("a rule was installed, and has no name"),
            }),
        }
    }

    /// The rules in the order in which they are asked.
    pub fn faults(&self) -> Result<Vec<Fault>, Error> {
        self.ask_for("GET", "/__mock/faults", "rules")
    }

    /// Takes a rule away.
    pub fn remove_fault(&self, id: &str) -> Result<(), Error> {
        self.call("DELETE", &format!("/__mock/faults/{}", escape(id)), None).map(drop)
    }

    /// Takes all rules away; how many there were.
    pub fn remove_faults(&self) -> Result<u64, Error> {
        self.ask_for("DELETE", "/__mock/faults", "removed")
    }

    /// Switches a quirk, for a time if one is given.
    pub fn quirk(&self, name: &str, on: bool, lasts: Option<Duration>) -> Result<(), Error> {
        self.put(&format!("/__mock/quirks/{}", escape(name)), json!({ "on": on }), lasts)
    }

    /// Switches all quirks to those of a profile.
    pub fn profile(&self, name: &str) -> Result<(), Error> {
        self.put("/__mock/profile", json!({ "profile": name }), None)
    }

    /// Changes the state of something outside, for a time if one is given.
    pub fn dependency(&self, name: &str, state: &str, lasts: Option<Duration>) -> Result<(), Error> {
        self.put(&format!("/__mock/dependencies/{}", escape(name)), json!({ "state": state }), lasts)
    }

    fn put(&self, path: &str, body: Value, lasts: Option<Duration>) -> Result<(), Error> {
        self.call("PUT", path, Some(&with_time(body, lasts).to_string())).map(drop)
    }

    /// The limits, by their keys.
    pub fn limits(&self) -> Result<Value, Error> {
        self.ask("GET", "/__mock/limits", None)
    }

    /// Changes a limit, for a time if one is given; all of them then.
    pub fn limit(&self, key: &str, value: impl Into<Value>, lasts: Option<Duration>) -> Result<Value, Error> {
        let body = with_time(json!({ key: value.into() }), lasts);
        self.ask("PATCH", "/__mock/limits", Some(&body))
    }

    /// Takes a job port as a left-over Service (`service`) or as another process (`process`) would. It is let go with
    /// the handle.
    pub fn hold_port(&self, port: Port, by: &str, lasts: Option<Duration>) -> Result<PortHandle, Error> {
        let mut body = port.body();
        body["by"] = json!(by);
        let held: HeldPort = self.ask("POST", "/__mock/ports", Some(&with_time(body, lasts)))?;
        Ok(PortHandle::new(self.clone(), held.port))
    }

    /// The ports that a rehearsal holds.
    pub fn held_ports(&self) -> Result<Vec<HeldPort>, Error> {
        self.ask_for("GET", "/__mock/ports", "held")
    }

    /// Lets a port go.
    pub fn release_port(&self, port: u16) -> Result<(), Error> {
        self.call("DELETE", &format!("/__mock/ports/{port}"), None).map(drop)
    }

    /// Kills the streaming pods of the live jobs that a pattern such as `1-*` matches; which they were.
    pub fn kill_pods(&self, jobs: &str) -> Result<Vec<String>, Error> {
        self.ask_for("POST", &format!("/__mock/jobs/{}/kill-pod", escape(jobs)), "jobs")
    }

    /// Deletes their cleanup jobs.
    pub fn delete_cleanup_jobs(&self, jobs: &str) -> Result<Vec<String>, Error> {
        self.ask_for("POST", &format!("/__mock/jobs/{}/delete-cleanup-job", escape(jobs)), "jobs")
    }

    /// What happened: a page of what the filter takes.
    pub fn journal(&self, filter: &Filter) -> Result<JournalPage, Error> {
        self.ask("GET", &format!("/__mock/journal{}", filter.query()), None)
    }

    /// Whether so many requests of a sort came after an entry of the journal (0 is from the beginning); waits for them
    /// at most that long on the server's clock.
    pub fn verify(
        &self,
        requests: &Filter,
        count: Count,
        after: u64,
        within: Option<Duration>,
    ) -> Result<Verified, Error> {
        let mut body = json!({ "match": requests.body(), "count": count.body(), "after": after });
        if let Some(within) = within {
            body["within"] = json!(within.as_secs_f64());
        }
        self.ask("POST", "/__mock/verify", Some(&body))
    }

    /// What belongs to no live job.
    pub fn leaks(&self) -> Result<Vec<Leak>, Error> {
        self.ask_for("GET", "/__mock/leaks", "leaks")
    }

    /// Invariants that do not hold.
    pub fn invariants(&self) -> Result<Vec<String>, Error> {
        self.ask_for("GET", "/__mock/invariants", "broken")
    }

    /// Metrics in the text format of Prometheus.
    pub fn metrics(&self) -> Result<String, Error> {
        match self.call("GET", "/metrics", None)? {
            Value::String(text) => Ok(text),
            other => Err(Error::Strange { url: format!("{}/metrics", self.base), text: other.to_string() }),
        }
    }

    /// Why a request got its answer, by the id in the answer's `x-request-id`.
    pub fn explain_request(&self, id: &str) -> Result<Value, Error> {
        self.ask("GET", &format!("/__mock/explain?request={}", escape(id)), None)
    }

    /// What became of a job.
    pub fn explain_job(&self, id: &str) -> Result<Value, Error> {
        self.ask("GET", &format!("/__mock/explain?job={}", escape(id)), None)
    }
}

/// Bytes of an answer: a page of the journal may have some thousand requests with their bodies.
const LARGEST: u64 = 256 * 1024 * 1024;

/// A part of a path or of a query.
fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn with_time(mut body: Value, lasts: Option<Duration>) -> Value {
    if let Some(lasts) = lasts {
        body["for"] = json!(lasts.as_secs_f64());
    }
    body
}
