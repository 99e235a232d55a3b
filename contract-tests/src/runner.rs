//! Tells cases, one or many, and keeps what came of each.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};

use crate::case::{Capability, Case};
use crate::client::rest::Exchange;
use crate::failure::{Failure, FailureKind};
use crate::story::Story;
use crate::target::Targets;
use crate::wall;

/// What came of a case.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The server keeps what the case claims.
    Passed,
    /// It does not.
    Failed(Failure),
    /// The case could not be told.
    CouldNotRun(Failure),
    /// The target lacks something that the case needs.
    Skipped(String),
}

/// A case that was told.
#[derive(Clone, Debug)]
pub struct Told {
    /// Which one.
    pub case: &'static Case,
    /// What came of it.
    pub outcome: Outcome,
    /// When it began, in epoch seconds.
    pub began: i64,
    /// How long it took.
    pub took: Duration,
    /// Everything that was said over REST, in order.
    pub exchanges: Vec<Arc<Exchange>>,
    /// What the case found worth knowing.
    pub notes: Vec<String>,
    /// Jobs that could not be cleaned up.
    pub left_behind: Vec<String>,
}

/// How cases are told.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// How many at a time, where the target allows it.
    pub jobs: usize,
    /// Longest a case may take, in real time.
    pub limit: Duration,
}

impl Default for Manner {
    fn default() -> Self {
        Self { seed: 1, jobs: 1, limit: Duration::from_secs(120) }
    }
}

/// Why a target cannot be told a case, if it cannot.
#[must_use]
pub fn missing(case: &Case, offered: &BTreeSet<Capability>) -> Option<String> {
    let missing: Vec<_> =
        case.needs.iter().filter(|need| !offered.contains(need)).map(|need| need.name()).collect();
    (!missing.is_empty()).then(|| format!("the target does not offer {}", missing.join(", ")))
}

/// Tells one case; whatever comes of it, its jobs are cleaned up.
pub async fn tell(case: &'static Case, targets: &dyn Targets, manner: Manner) -> Told {
    let (began, start) = (wall::epoch_seconds(), wall::now());
    let offered = targets.capabilities();
    let untold = |outcome| Told {
        case,
        outcome,
        began,
        took: start.elapsed(),
        exchanges: Vec::new(),
        notes: Vec::new(),
        left_behind: Vec::new(),
    };
    if let Some(reason) = missing(case, &offered) {
        return untold(Outcome::Skipped(reason));
    }
    let story = match targets.next() {
        Ok(target) => Story::begin(target, offered, manner.seed).await,
        Err(failure) => Err(failure),
    };
    let story = match story {
        Ok(story) => story,
        Err(failure) => return untold(Outcome::CouldNotRun(failure)),
    };
    let telling = AssertUnwindSafe((case.body)(&story)).catch_unwind();
    let outcome = match tokio::time::timeout(manner.limit, telling).await {
        Ok(Ok(Ok(()))) => Outcome::Passed,
        Ok(Ok(Err(failure))) if failure.kind == FailureKind::CouldNotRun => Outcome::CouldNotRun(failure),
        Ok(Ok(Err(failure))) => Outcome::Failed(failure),
        Ok(Err(panic)) => {
            Outcome::Failed(Failure::broken(format!("the case itself panicked: {}", said(&*panic))))
        }
        Err(_) => {
            let last = story.exchanges().last().map(|exchange| exchange.request.path.clone());
            let after = last.map_or_else(String::new, |path| format!("; the last answer was that of {path}"));
            Outcome::Failed(Failure::broken(format!(
                "it did not end within {} s{after}",
                manner.limit.as_secs()
            )))
        }
    };
    let left_behind = story.clean_up().await;
    Told {
        case,
        outcome,
        began,
        took: start.elapsed(),
        exchanges: story.exchanges(),
        notes: story.notes(),
        left_behind,
    }
}

/// Tells many cases, and each as soon as it is over to whoever watches; in the order of the registry at the end.
pub async fn tell_all(
    cases: &[&'static Case],
    targets: &dyn Targets,
    manner: Manner,
    mut watch: impl FnMut(&Told),
) -> Vec<Told> {
    let at_a_time = if targets.is_private() { manner.jobs.max(1) } else { 1 };
    let telling = cases
        .iter()
        .enumerate()
        .map(|(place, case)| async move { (place, tell(case, targets, manner).await) });
    let mut telling = futures_util::stream::iter(telling).buffer_unordered(at_a_time);
    let mut told = Vec::new();
    while let Some((place, one)) = telling.next().await {
        watch(&one);
        told.push((place, one));
    }
    told.sort_by_key(|(place, _)| *place);
    told.into_iter().map(|(_, one)| one).collect()
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| String::from("without a word"))
}
