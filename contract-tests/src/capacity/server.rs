//! The server under load: one request per question, no retries.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::clock::Clock;
use super::plan::{PAYLOAD, payload};
use crate::answer::Answer;
use crate::client::admin::Admin;
use crate::client::rest::{Request, Rest};
use crate::failure::Failure;
use crate::job::Job;
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
    clock: Clock,
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
            clock: Clock::default(),
            grpc_host: target.grpc_host(),
            patience,
        })
    }

    /// With a clock that stands until it is moved on.
    #[must_use]
    pub fn held_by(self, admin: Option<Admin>) -> Self {
        Self { clock: Clock::of(admin), ..self }
    }

    /// Lets time pass: on the server's clock where that is held, else for real.
    ///
    /// # Errors
    /// When the clock cannot be moved.
    pub async fn pass(&self, time: Duration) -> Result<(), Failure> {
        self.clock.pass(time).await
    }

    /// What passes for its users.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
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

    /// Asks for the end of a job. Whatever the answer is, [`Self::is_gone`] says whether it came.
    pub async fn cancel(&self, id: &str) {
        let _ = self.rest.send(Request::of(Method::DELETE, &format!("/job/{id}"))).await;
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
