//! The server under load: one request per question, no retries.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::Value;

use super::plan::{PAYLOAD, payload};
use crate::answer::Answer;
use crate::client::rest::{Request, Rest};
use crate::failure::Failure;
use crate::job::Job;
use crate::pace::Pacer;
use crate::target::Target;

/// What a configure was answered with.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A job.
    Job(Box<Job>),
    /// Another status.
    Refused {
        /// HTTP status.
        status: u16,
        /// `code` of the body, where it has one.
        code: Option<String>,
        /// What the body says.
        text: String,
    },
    /// 200, but nothing that a client can use.
    Unusable {
        /// The job that was made all the same, if it can be told.
        id: Option<String>,
        /// What is wrong with the answer.
        why: String,
    },
    /// No whole answer, or none in time.
    NoAnswer(String),
}

/// Clients of a server.
#[derive(Clone, Debug)]
pub struct Server {
    rest: Rest,
    pacer: Pacer,
    grpc_host: Option<String>,
    patience: Duration,
}

impl Server {
    /// Of a target whose clock goes by itself.
    ///
    /// # Errors
    /// When its client cannot be built.
    pub fn of(target: &dyn Target) -> Result<Self, Failure> {
        let rest = Rest::trusting(&target.base_url(), target.trust());
        let rest = rest.map_err(|error| Failure::could_not_run(error.to_string()))?;
        let patience = target.patience();
        Ok(Self {
            rest: rest.patient_for(patience),
            pacer: Pacer::default(),
            grpc_host: target.grpc_host(),
            patience,
        })
    }

    /// With a pace of its own, where real time is not it.
    #[must_use]
    pub fn paced_by(self, pacer: Pacer) -> Self {
        Self { pacer, ..self }
    }

    /// What passes for its users: on its clock where that is held, else in real time.
    #[must_use]
    pub fn pacer(&self) -> &Pacer {
        &self.pacer
    }

    /// One configure with the payload of capacity runs.
    pub async fn configure(&self) -> Reply {
        let exchange = match self.rest.send(Request::post("/configure", &payload())).await {
            Ok(exchange) => exchange,
            Err(error) => return Reply::NoAnswer(error.why),
        };
        let body: Option<Value> = serde_json::from_slice(&exchange.body).ok();
        let text = |key: &str| body.as_ref().and_then(|body| body[key].as_str()).map(str::to_owned);
        if exchange.status != 200 {
            let said = text("error").unwrap_or_else(|| exchange.text());
            return Reply::Refused { status: exchange.status, code: text("code"), text: said };
        }
        match Job::of(&Answer(Arc::clone(&exchange)), PAYLOAD.channels) {
            Ok(job) => Reply::Job(Box::new(job)),
            Err(failure) => Reply::Unusable { id: text("job_id"), why: failure.what },
        }
    }

    /// Asks for the end of jobs, of so many at a time. Whatever the answers are, [`Self::gone`] says whether it came.
    pub async fn cancel(&self, ids: Vec<String>, workers: usize) {
        let cancel = |id: String| async move {
            let _ = self.rest.send(Request::of(Method::DELETE, &format!("/job/{id}"))).await;
        };
        stream::iter(ids.into_iter().map(cancel)).buffer_unordered(workers).collect::<Vec<()>>().await;
    }

    /// Those of jobs that the server knows no more; so many are asked about at a time.
    pub async fn gone(&self, ids: Vec<String>, workers: usize) -> Vec<String> {
        let gone = |id: String| async move { self.is_gone(&id).await.then_some(id) };
        let asking = stream::iter(ids.into_iter().map(gone)).buffer_unordered(workers);
        asking.filter_map(std::future::ready).collect().await
    }

    /// Whether the server knows no such job any more. No answer is no proof of that.
    pub async fn is_gone(&self, id: &str) -> bool {
        let asked = self.rest.send(Request::get(&format!("/metadata/{id}"))).await;
        asked.is_ok_and(|exchange| exchange.status == 404)
    }

    /// Where a job's streams are dialled.
    #[must_use]
    pub fn authority(&self, job: &Job) -> String {
        format!("{}:{}", self.grpc_host.as_ref().unwrap_or(&job.host), job.port)
    }

    /// How long a call must be answered, and a frame come.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.patience
    }
}
