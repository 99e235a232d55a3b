//! What a case is: one claim about a Focus Server, and the story that proves it.

use futures_util::future::BoxFuture;

use crate::failure::Failure;
use crate::story::Story;

/// One claim, with all there is to know about it before it runs.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// `area/kebab-case`; never changes, since reports and lists of known failures name it.
    pub id: &'static str,
    /// What the server promises, in one sentence.
    pub claim: &'static str,
    /// Xray keys: the test's own first, then those of requirements and bugs.
    pub keys: &'static [&'static str],
    /// What it is picked by.
    pub tags: &'static [Tag],
    /// What a server must offer for it, beside REST.
    pub needs: &'static [Capability],
    /// What it does, step by step.
    pub steps: &'static [&'static str],
    /// What must come of it.
    pub expects: &'static str,
    /// The story itself.
    pub body: Body,
}

/// A story: it ends well, or with what is broken.
pub type Body = for<'a> fn(&'a Story) -> BoxFuture<'a, Result<(), Failure>>;

/// What cases are picked by, beside their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// Told in seconds, on every pull request.
    Smoke,
    /// The nightly whole.
    Regression,
    /// Too slow for a pull request.
    Nightly,
    /// Loads the server.
    Load,
    /// Takes minutes of real time where the clock cannot be moved.
    Long,
}

impl Tag {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Smoke, Self::Regression, Self::Nightly, Self::Load, Self::Long];

    /// As the command line and reports have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Regression => "regression",
            Self::Nightly => "nightly",
            Self::Load => "load",
            Self::Long => "long",
        }
    }
}

/// What a server, or who runs the suite, must offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// The routes of the product.
    Rest,
    /// Ports of jobs can be reached.
    Grpc,
    /// The clock can be held and moved.
    Clock,
    /// Failures can be made to happen.
    Faults,
    /// The Kubernetes API can be reached.
    K8s,
    /// Jobs may be created.
    Writes,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Rest, Self::Grpc, Self::Clock, Self::Faults, Self::K8s, Self::Writes];

    /// As the command line and reports have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Grpc => "grpc",
            Self::Clock => "clock",
            Self::Faults => "faults",
            Self::K8s => "k8s",
            Self::Writes => "writes",
        }
    }
}

impl Case {
    /// The part of the id before the slash.
    #[must_use]
    pub fn area(&self) -> &'static str {
        self.id.split_once('/').map_or(self.id, |(area, _)| area)
    }

    /// The part of the id behind the slash.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.id.split_once('/').map_or(self.id, |(_, name)| name)
    }
}
