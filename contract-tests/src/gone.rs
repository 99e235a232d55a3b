//! Whether anything is left of a job: INV-GONE, and who still reads it.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::answer::UNKNOWN_JOB;
use crate::case::Capability;
use crate::client::rest::Request;
use crate::failure::Failure;
use crate::job::Job;
use crate::story::Story;
use crate::wall;

/// How long a server may take to notice, in steps that hardly move its clock.
const NOTICE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(5));

impl Story {
    /// What is left of a job, in words; nothing once it is gone. Cancels nothing.
    ///
    /// # Errors
    /// When its metadata are neither there nor refused as those of an unknown job.
    pub async fn remains(&self, job: &Job) -> Result<Vec<String>, Failure> {
        let mut remains = Vec::new();
        let metadata = self.metadata(&job.id).await?;
        if metadata.status() == 200 {
            remains.push(String::from("its metadata"));
        } else {
            metadata.is_refused(&UNKNOWN_JOB)?;
        }
        if self.port_is_open(job).await {
            remains.push(format!("its port {}", job.port));
        }
        for (place, value) in self.world().await?.unwrap_or_default() {
            names_in(&value, &job.id, &place, &mut remains);
        }
        Ok(remains)
    }

    /// Waits until nothing is left of a job, letting time pass in steps; tells how much passed.
    ///
    /// # Errors
    /// What is still left when the limit passes.
    pub async fn until_gone(&self, job: &Job, step: Duration, limit: Duration) -> Result<Duration, Failure> {
        let (began, mut stepped) = (wall::now(), Duration::ZERO);
        loop {
            // Where time is real, the questions take some of it, too.
            let passed = if self.offers(Capability::Clock) { stepped } else { began.elapsed() };
            let remains = self.remains(job).await?;
            if remains.is_empty() {
                // Only now: of a job that lives, this would be the end.
                let again = self.send(Request::of(Method::DELETE, &format!("/job/{}", job.id))).await?;
                again.is_refused(&UNKNOWN_JOB)?;
                return Ok(passed);
            }
            if passed >= limit {
                let limit = limit.as_secs_f64();
                let what =
                    format!("INV-GONE: after {limit} s job {} still had {}", job.id, remains.join(", "));
                return Err(Failure::broken(what).shown_by(&job.answer.0));
            }
            self.pass(step).await?;
            stepped += step;
        }
    }

    /// How many calls are open on a job's streams, where the server tells.
    ///
    /// # Errors
    /// When the admin interface does not answer.
    pub async fn open_calls(&self, job: &Job) -> Result<Option<u64>, Failure> {
        let Some(world) = self.world().await? else { return Ok(None) };
        let jobs = world.get("jobs").and_then(Value::as_array);
        let told = jobs.into_iter().flatten().find(|told| told["job_id"] == job.id.as_str());
        Ok(Some(told.and_then(|told| told["open_calls"].as_u64()).unwrap_or(0)))
    }

    /// Waits until the server has noticed that so many calls are open, where it tells: it learns of a client that
    /// left only when it hears of it.
    ///
    /// # Errors
    /// When it does not notice.
    pub async fn until_open_calls(&self, job: &Job, calls: u64) -> Result<(), Failure> {
        let (step, limit) = NOTICE;
        let what = format!("sign that {calls} calls are open on job {}", job.id);
        let noticed = async || Ok(self.open_calls(job).await?.is_none_or(|open| open == calls));
        self.until(&what, step, limit, noticed).await.map(drop)
    }
}

/// Every text in a value that names an id, whole: `1-3` is neither in `11-3` nor in `1-30`.
fn names_in(value: &Value, id: &str, place: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let part_of_a_number = |end: Option<char>| end.is_some_and(|end| end.is_ascii_digit());
            let whole = text.match_indices(id).any(|(at, _)| {
                !part_of_a_number(text[..at].chars().next_back())
                    && !part_of_a_number(text[at + id.len()..].chars().next())
            });
            if whole {
                found.push(format!("{text:?} among {place}"));
            }
        }
        Value::Array(values) => values.iter().for_each(|value| names_in(value, id, place, found)),
        Value::Object(map) => map.iter().for_each(|(key, value)| names_in(value, id, key, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
