//! Tells cases, one or many, and keeps what came of each.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};

use crate::case::{Capability, Case, Tag};
use crate::client::rest::Exchange;
use crate::failure::{Failure, FailureKind};
use crate::stop::Stop;
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

/// How long a case that is tagged long may take where the clock cannot be moved: an hour of load, and its ends.
const LONG: Duration = Duration::from_secs(90 * 60);

/// How long one that loads the server may take there: some minutes of requests, and their jobs swept at the end.
const LOAD: Duration = Duration::from_secs(20 * 60);

impl Manner {
    fn limit_of(&self, case: &Case, offered: &BTreeSet<Capability>) -> Duration {
        if offered.contains(&Capability::Clock) {
            return self.limit;
        }
        let at_least = |tag: Tag, limit: Duration| if case.tags.contains(&tag) { limit } else { self.limit };
        self.limit.max(at_least(Tag::Long, LONG)).max(at_least(Tag::Load, LOAD))
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
    tell_unless(&Stop::default(), case, targets, manner).await
}

/// Tells one case, unless the run has stopped or stops meanwhile.
async fn tell_unless(stop: &Stop, case: &'static Case, targets: &dyn Targets, manner: Manner) -> Told {
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
    if let Some(why) = stop.why() {
        return untold(Outcome::Skipped(format!("not begun: {why}")));
    }
    let limit = manner.limit_of(case, &offered);
    let story = tokio::select! {
        biased;
        () = stop.now() => return untold(stopped(stop)),
        story = begin(targets, offered, manner.seed) => story,
    };
    let story = match story {
        Ok(story) => story,
        Err(failure) => return untold(Outcome::CouldNotRun(failure)),
    };
    let outcome = tokio::select! {
        biased;
        () = stop.now() => stopped(stop),
        outcome = to_its_end(case, &story, limit) => outcome,
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

async fn begin(targets: &dyn Targets, offered: BTreeSet<Capability>, seed: u64) -> Result<Story, Failure> {
    targets.prepare().await?;
    Story::begin(targets.next()?, offered, seed).await
}

fn stopped(stop: &Stop) -> Outcome {
    let why = stop.why().unwrap_or("the run was stopped");
    Outcome::CouldNotRun(Failure::could_not_run(format!("not told to its end: {why}")))
}

async fn to_its_end(case: &Case, story: &Story, limit: Duration) -> Outcome {
    let telling = AssertUnwindSafe((case.body)(story)).catch_unwind();
    match tokio::time::timeout(limit, telling).await {
        Ok(Ok(Ok(()))) => Outcome::Passed,
        Ok(Ok(Err(failure))) if failure.kind == FailureKind::CouldNotRun => Outcome::CouldNotRun(failure),
        Ok(Ok(Err(failure))) => Outcome::Failed(failure),
        Ok(Err(panic)) => {
            Outcome::Failed(Failure::broken(format!("the case itself panicked: {}", said(&*panic))))
        }
        Err(_) => {
            let last = story.exchanges().last().map(|exchange| exchange.request.path.clone());
            let after = last.map_or_else(String::new, |path| format!("; the last answer was that of {path}"));
            Outcome::Failed(Failure::broken(format!("it did not end within {} s{after}", limit.as_secs())))
        }
    }
}

/// What happens in a run.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A case begins, or is found to be one that cannot be told.
    Begins(&'static Case),
    /// It is over.
    Over(&'a Told),
}

/// Tells many cases, and whoever watches of each; in the order of the registry at the end.
pub async fn tell_all(
    cases: &[&'static Case],
    targets: &dyn Targets,
    manner: Manner,
    stop: &Stop,
    watch: impl FnMut(Event<'_>),
) -> Vec<Told> {
    let at_a_time = if targets.is_private() { manner.jobs.max(1) } else { 1 };
    let watch = &RefCell::new(watch);
    let telling = cases.iter().enumerate().map(|(place, case)| async move {
        watch.borrow_mut()(Event::Begins(case));
        let told = tell_unless(stop, case, targets, manner).await;
        watch.borrow_mut()(Event::Over(&told));
        (place, told)
    });
    let telling = futures_util::stream::iter(telling).buffer_unordered(at_a_time);
    let mut told: Vec<_> = telling.collect().await;
    told.sort_by_key(|(place, _)| *place);
    told.into_iter().map(|(_, one)| one).collect()
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| String::from("without a word"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Body;
    use crate::target::Remote;

    const fn case(id: &'static str, body: Body) -> Case {
        Case { id, claim: "", keys: &[], tags: &[], needs: &[], steps: &[], expects: "", body }
    }

    static PASSES: Case = case("a/passes", |_| Box::pin(async { Ok(()) }));
    static FAILS: Case = case("a/fails", |_| Box::pin(async { Err(Failure::broken("no")) }));
    static PANICS: Case = case("a/panics", |_| Box::pin(async { panic!("oh") }));
    static HANGS: Case = case("a/hangs", |_| Box::pin(std::future::pending()));

    /// What is said of each case, if `watch` may stop the run after any.
    fn told(cases: &[&'static Case], limit: Duration, watch: impl Fn(&Stop, Event<'_>)) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let stop = Stop::default();
        let manner = Manner { limit, ..Manner::default() };
        // Nobody listens there, and no case asks.
        let nowhere = Remote { base: String::from("http://127.0.0.1:1"), ..Remote::default() };
        let telling = tell_all(cases, &nowhere, manner, &stop, |event| watch(&stop, event));
        let said = |told: Told| match told.outcome {
            Outcome::Passed => format!("{} passed", told.case.name()),
            Outcome::Failed(failure) => format!("{} failed: {}", told.case.name(), failure.what),
            Outcome::CouldNotRun(failure) => format!("{} could not: {}", told.case.name(), failure.what),
            Outcome::Skipped(why) => format!("{} skipped: {why}", told.case.name()),
        };
        runtime.block_on(telling).into_iter().map(said).collect()
    }

    #[test]
    fn whatever_a_case_does_the_next_is_told() {
        let told = told(&[&FAILS, &PANICS, &HANGS, &PASSES], Duration::from_millis(10), |_, _| {});
        let expected = [
            "fails failed: no",
            "panics failed: the case itself panicked: oh",
            "hangs failed: it did not end within 0 s",
            "passes passed",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn after_enough_failures_no_case_is_begun() {
        let told = told(&[&FAILS, &PASSES], Duration::from_secs(60), |stop, event| {
            if let Event::Over(Told { outcome: Outcome::Failed(_), .. }) = event {
                stop.begin_no_more("enough");
            }
        });
        assert_eq!(told, ["fails failed: no", "passes skipped: not begun: enough"]);
    }

    #[test]
    fn once_the_run_has_stopped_nothing_is_begun() {
        let told = told(&[&PASSES, &HANGS, &PASSES], Duration::from_secs(60), |stop, event| {
            if let Event::Begins(Case { id: "a/hangs", .. }) = event {
                stop.at_once("over");
            }
        });
        let expected = ["passes passed", "hangs skipped: not begun: over", "passes skipped: not begun: over"];
        assert_eq!(told, expected);
    }
}
