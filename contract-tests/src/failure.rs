//! Why a case did not come to its end.

use std::fmt;
use std::sync::Arc;

use crate::client::rest::Exchange;

/// What is broken, as a person wants to read it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Whose fault it is.
    pub kind: FailureKind,
    /// What is wrong, in one sentence.
    pub what: String,
    /// What was expected and what came, where the two can be laid side by side.
    pub difference: Option<Difference>,
    /// The request and its answer, where one shows it.
    pub exchange: Option<Arc<Exchange>>,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The server breaks the contract.
    Broken,
    /// The case could not be told: no connection at its beginning, an admin interface that refuses.
    CouldNotRun,
}

/// Two texts that should be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What the contract says.
    pub expected: String,
    /// What came.
    pub got: String,
}

impl Failure {
    /// The server breaks the contract.
    pub fn broken(what: impl Into<String>) -> Self {
        Self { kind: FailureKind::Broken, what: what.into(), difference: None, exchange: None }
    }

    /// The case could not be told.
    pub fn could_not_run(what: impl Into<String>) -> Self {
        Self { kind: FailureKind::CouldNotRun, ..Self::broken(what) }
    }

    /// With what was expected and what came.
    #[must_use]
    pub fn between(mut self, expected: impl fmt::Display, got: impl fmt::Display) -> Self {
        self.difference = Some(Difference { expected: expected.to_string(), got: got.to_string() });
        self
    }

    /// Shown by that exchange.
    #[must_use]
    pub fn shown_by(mut self, exchange: &Arc<Exchange>) -> Self {
        self.exchange.get_or_insert_with(|| Arc::clone(exchange));
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(Difference { expected, got }) = &self.difference {
            write!(f, "\n  expected {expected}\n  got      {got}")?;
        }
        Ok(())
    }
}

/// Fails unless two values are the same.
///
/// # Errors
/// When they differ; `what` names the value.
pub fn equal<T: PartialEq + fmt::Debug>(what: &str, got: &T, expected: &T) -> Result<(), Failure> {
    if got == expected {
        return Ok(());
    }
    let text = |value: &T| format!("{value:?}");
    Err(Failure::broken(format!("{what} is not what the contract says")).between(text(expected), text(got)))
}

/// Fails unless something holds.
///
/// # Errors
/// When it does not; `what` says what is wrong then.
pub fn holds(condition: bool, what: impl FnOnce() -> String) -> Result<(), Failure> {
    if condition { Ok(()) } else { Err(Failure::broken(what())) }
}
