//! Load: how many at a time, how often, how fast.
//!
//! Every case is paced by [`Pacer`]: where the clock is held, moments are reached by moving it and latencies are what
//! passes on it; where time is real, both are real.

pub(super) mod capacity;
pub(super) mod configures;
pub(super) mod flow;
pub(super) mod flows;
pub(super) mod gradual;
pub(super) mod mixed;
pub(super) mod rates;
pub(super) mod reads;
pub(super) mod tasks;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::bodies::{base, with};
use crate::caller::{Caller, Trouble};
use crate::capacity::fire::{Shot, on_schedule, together};
use crate::client::rest::Request;
use crate::failure::{Failure, holds};
use crate::job::Job;
use crate::pace::Pacer;
use crate::story::Story;
use crate::target::Strictness;

/// How long the jobs of a run may take to be gone, where cancelling does nothing and the idle sweep has to do it.
const GONE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);
/// How long a slot may stay taken once nobody can ask about its job any more.
const SLOTS_FREE: Duration = Duration::from_secs(2);

/// A configure and what came of it.
type Configured = Shot<Result<Job, Trouble>>;

/// What a load case works with.
struct Load<'a> {
    story: &'a Story,
    caller: Caller,
    pacer: Pacer,
}

impl<'a> Load<'a> {
    fn of(story: &'a Story) -> Self {
        Self { story, caller: story.caller(), pacer: story.pacer() }
    }

    /// The strict one of two thresholds, or the lenient one.
    fn either<T>(&self, strict: T, lenient: T) -> T {
        match self.story.strictness() {
            Strictness::Strict => strict,
            Strictness::Lenient => lenient,
        }
    }

    /// So many configures at once, with at most so many in flight.
    async fn configure(&self, count: usize, workers: usize, body: Value) -> Result<Vec<Configured>, Failure> {
        let (caller, body) = (self.caller.clone(), Arc::new(body));
        let ask = move |_| {
            let (caller, body) = (caller.clone(), Arc::clone(&body));
            async move { caller.configure(&body).await }
        };
        together(count, workers, &self.pacer, ask).all().await
    }

    /// A configure at each moment.
    async fn configure_at(&self, moments: &[Duration], body: Value) -> Result<Vec<Configured>, Failure> {
        let (caller, body) = (self.caller.clone(), Arc::new(body));
        let ask = move |_| {
            let (caller, body) = (caller.clone(), Arc::clone(&body));
            async move { caller.configure(&body).await }
        };
        on_schedule(moments, &self.pacer, ask).all().await
    }

    /// GET /ack at each moment.
    async fn ack_at(&self, moments: &[Duration]) -> Result<Vec<Shot<Result<(), Trouble>>>, Failure> {
        let caller = self.caller.clone();
        let ask = move |_| {
            let caller = caller.clone();
            async move { caller.ack().await }
        };
        on_schedule(moments, &self.pacer, ask).all().await
    }

    /// Cancels jobs, and waits until the server knows none of them any more.
    async fn end(&self, ids: Vec<String>) -> Result<(), Failure> {
        let all = ids.len();
        let left = self.cancel(ids).await?;
        holds(left.is_empty(), || {
            format!(
                "{} of {all} jobs are still there {} s after they were cancelled, such as {}",
                left.len(),
                GONE.as_secs(),
                left[0]
            )
        })
    }

    /// Cancels jobs; tells which are still there a minute later.
    async fn cancel(&self, ids: Vec<String>) -> Result<Vec<String>, Failure> {
        const WORKERS: usize = 20;
        let (caller, all) = (self.caller.clone(), Arc::new(ids.clone()));
        let cancel = move |number: usize| {
            let (caller, all) = (caller.clone(), Arc::clone(&all));
            // Whatever the answer is, whether the job is gone says whether it came.
            async move {
                drop(caller.ask(Request::of(Method::DELETE, &format!("/job/{}", all[number]))).await);
            }
        };
        together(ids.len(), WORKERS, &self.pacer, cancel).all().await?;
        let left = self.until_gone(ids, GONE).await?;
        // A job that nobody can ask about may hold its slot for another moment.
        self.pacer.pass(SLOTS_FREE).await?;
        Ok(left)
    }

    /// Waits until jobs are unknown; tells which are not when the limit has passed. As long as the last one is there the
    /// others are not asked for: hundreds of them would be a load of their own.
    async fn until_gone(&self, mut ids: Vec<String>, limit: Duration) -> Result<Vec<String>, Failure> {
        let began = self.pacer.passed();
        loop {
            let over = self.pacer.passed() - began >= limit;
            let last = ids.last().cloned().into_iter().collect();
            if over || self.known(last).await?.is_empty() {
                ids = self.known(ids).await?;
            }
            if ids.is_empty() || over {
                return Ok(ids);
            }
            self.pacer.pass(SECOND).await?;
        }
    }

    /// Those of which the server still knows. No answer is no proof that it does not.
    async fn known(&self, ids: Vec<String>) -> Result<Vec<String>, Failure> {
        const WORKERS: usize = 20;
        let (caller, asked) = (self.caller.clone(), Arc::new(ids.clone()));
        let ask = move |number: usize| {
            let (caller, asked) = (caller.clone(), Arc::clone(&asked));
            async move {
                let path = format!("/metadata/{}", asked[number]);
                caller.ask(Request::get(&path)).await.is_ok_and(|answer| answer.status() == 404)
            }
        };
        let gone = together(ids.len(), WORKERS, &self.pacer, ask).all().await?;
        Ok(ids.into_iter().zip(gone).filter(|(_, gone)| !gone.value).map(|(id, _)| id).collect())
    }
}

/// The jobs that came of configures.
fn jobs<'a>(shots: impl IntoIterator<Item = &'a Configured>) -> Vec<Job> {
    shots.into_iter().filter_map(|shot| shot.value.as_ref().ok().cloned()).collect()
}

/// Their ids.
fn ids(jobs: &[Job]) -> Vec<String> {
    jobs.iter().map(|job| job.id.clone()).collect()
}

/// Demands that jobs which live at a time have ids and ports of their own.
fn differ(jobs: &[Job]) -> Result<(), Failure> {
    let mut ports = BTreeMap::new();
    let mut ids = BTreeMap::new();
    for job in jobs {
        let before = ids.insert(job.id.as_str(), job);
        holds(before.is_none(), || format!("job_id {} was given twice", job.id))?;
        if let Some(other) = ports.insert(job.port, job.id.as_str()) {
            let what = format!("jobs {other} and {} live at a time, and both have port {}", job.id, job.port);
            return Err(Failure::broken(what).shown_by(&job.answer.0));
        }
    }
    Ok(())
}

/// So many moments a second, for so many seconds.
fn every(per_second: u32, seconds: u32) -> Vec<Duration> {
    (0..per_second * seconds).map(|number| SECOND * number / per_second).collect()
}

/// Base with other channels and another transform.
fn sized(channels: u32, nfft: u32) -> Value {
    with(base(), [("channels", json!({"min": 1, "max": channels})), ("nfftSelection", json!(nfft))])
}
