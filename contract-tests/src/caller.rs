//! Who asks under load: many requests at once, each answered, judged and counted, but not kept.
//!
//! **Chosen**: as in a capacity run an answer is a success if it has its status and, for a configuration, what a client
//! needs. It is not held against the OpenAPI document, so that a server with a known flaw in every answer can be loaded,
//! too; other cases ask the same routes one by one.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::Method;
use serde_json::Value;
use tokio_util::task::TaskTracker;

use crate::answer::Answer;
use crate::client::rest::{Exchange, NoAnswer, Request, Rest};
use crate::failure::Failure;
use crate::job::Job;

/// Jobs that were created and not yet cancelled or seen to be gone.
pub(crate) type Jobs = Mutex<BTreeSet<String>>;

/// A client of the server, of which a case may have as many as it likes.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) rest: Rest,
    pub(crate) jobs: Arc<Jobs>,
    /// Requests that may create something and have no answer yet.
    pub(crate) creating: TaskTracker,
    pub(crate) may_write: bool,
}

/// Why a request under load does not count as a success, as a person wants to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble(pub String);

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self(failure.what)
    }
}

impl Caller {
    /// Sends a request.
    ///
    /// # Errors
    /// When there is no answer, or nobody gave leave to write and the request might.
    pub async fn ask(&self, request: Request) -> Result<Answer, Trouble> {
        if request.writes() && !self.may_write {
            return Err(Trouble(format!("{} {} without leave to write", request.method, request.path)));
        }
        let answered = if request.method == Method::POST {
            self.to_the_end(request).await.map_err(|failure| Trouble(failure.what))?
        } else {
            self.rest.send(request).await
        };
        let exchange = answered.map_err(|error| Trouble(error.to_string()))?;
        remember(&self.jobs, &exchange);
        Ok(Answer(exchange))
    }

    /// GET /ack, which must answer 200 with an empty body.
    ///
    /// # Errors
    /// As [`Self::want`], or a body.
    pub async fn ack(&self) -> Result<(), Trouble> {
        let body = self.want(Request::get("/ack"), 200).await?.text();
        if body.is_empty() { Ok(()) } else { Err(Trouble(String::from("GET /ack answers with a body"))) }
    }

    /// A request that must be answered with a status.
    ///
    /// # Errors
    /// As [`Self::ask`], or another status.
    pub async fn want(&self, request: Request, status: u16) -> Result<Answer, Trouble> {
        let what = format!("{} {}", request.method, request.path);
        let answer = self.ask(request).await?;
        if answer.status() == status {
            return Ok(answer);
        }
        let body: Value = answer.json().unwrap_or_default();
        let said = [&body["code"], &body["error"]].map(|part| part.as_str().unwrap_or_default());
        Err(Trouble(format!("{what} answers {} {}", answer.status(), said.join(" ")).trim_end().to_owned()))
    }

    /// POST /configure, which must be accepted with everything that holds for every accepted configuration.
    ///
    /// # Errors
    /// When it is not.
    pub async fn configure(&self, body: &Value) -> Result<Job, Trouble> {
        let answer = self.want(Request::post("/configure", body), 200).await?;
        let bound = |key: &str| body["channels"][key].as_u64().and_then(|number| u32::try_from(number).ok());
        let channels = (bound("min").unwrap_or(0), bound("max").unwrap_or(0));
        Job::of(&answer, channels).map_err(Trouble::from)
    }

    /// On a task of its own: a case that is dropped meanwhile would never learn of the job that it created.
    pub(crate) async fn to_the_end(
        &self,
        request: Request,
    ) -> Result<Result<Arc<Exchange>, NoAnswer>, Failure> {
        let (rest, jobs) = (self.rest.clone(), Arc::clone(&self.jobs));
        let asking = self.creating.spawn(async move {
            let answered = rest.send(request).await;
            if let Ok(exchange) = &answered {
                remember(&jobs, exchange);
            }
            answered
        });
        asking.await.map_err(|error| Failure::could_not_run(error.to_string()))
    }
}

/// A job that was created must be cleaned up, whatever else is wrong with its answer.
pub(crate) fn remember(jobs: &Jobs, exchange: &Exchange) {
    let (method, path) = (&exchange.request.method, exchange.route());
    if exchange.status != 200 {
        return;
    }
    if *method == Method::POST && path == "/configure" {
        let body: Value = serde_json::from_slice(&exchange.body).unwrap_or_default();
        lock(jobs).extend(body["job_id"].as_str().map(str::to_owned));
    } else if let Some(id) = path.strip_prefix("/job/").filter(|_| *method == Method::DELETE) {
        lock(jobs).remove(id);
    }
}

fn lock(jobs: &Jobs) -> MutexGuard<'_, BTreeSet<String>> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner)
}
