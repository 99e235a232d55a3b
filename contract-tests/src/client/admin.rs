//! The mock's admin interface: its clock and its state. Real servers have none.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::rest::{Request, Rest};
use crate::failure::Failure;

/// The clock at one moment.
#[derive(Clone, Debug, Deserialize)]
pub struct Clock {
    /// What it shows, in epoch milliseconds.
    pub now_ms: i64,
    /// Who waits on it.
    pub waiters: Vec<Waiter>,
}

/// Somebody who waits on the clock.
#[derive(Clone, Debug, Deserialize)]
pub struct Waiter {
    /// Until when, in epoch milliseconds.
    pub until_ms: i64,
    /// For what.
    pub what: String,
}

/// A client of an admin interface.
#[derive(Clone, Debug)]
pub struct Admin(Rest);

impl Admin {
    /// A client of the admin interface at a base URL.
    ///
    /// # Errors
    /// When the client cannot be built.
    pub fn of(base: &str) -> Result<Self, reqwest::Error> {
        Rest::of(base).map(Self)
    }

    /// Asks anything.
    ///
    /// # Errors
    /// When the admin interface does not answer, or says no.
    pub async fn call(&self, request: Request) -> Result<Value, Failure> {
        let path = request.path.clone();
        let exchange =
            self.0.send(request).await.map_err(|error| Failure::could_not_run(error.to_string()))?;
        if !(200..300).contains(&exchange.status) {
            let told = format!("the admin interface refuses {path}: {} {}", exchange.status, exchange.text());
            return Err(Failure::could_not_run(told));
        }
        serde_json::from_slice(&exchange.body).map_err(|error| {
            Failure::could_not_run(format!("the admin interface answers {path} without JSON: {error}"))
        })
    }

    /// PUT with a JSON body.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Request { method: reqwest::Method::PUT, ..Request::post(path, body) }).await
    }

    /// Everything there is, at one moment.
    ///
    /// # Errors
    /// When the admin interface does not answer.
    pub async fn state(&self) -> Result<Value, Failure> {
        self.call(Request::get("/__mock/state")).await
    }

    /// What it measures, in Prometheus's text format.
    ///
    /// # Errors
    /// When the admin interface does not answer, or has no metrics.
    pub async fn metrics(&self) -> Result<String, Failure> {
        let answered = self.0.send(Request::get("/metrics")).await;
        let exchange = answered.map_err(|error| Failure::could_not_run(error.to_string()))?;
        if exchange.status != 200 {
            return Err(Failure::could_not_run(format!("/metrics is answered with {}", exchange.status)));
        }
        Ok(exchange.text())
    }

    /// Simulated time in epoch milliseconds.
    ///
    /// # Errors
    /// When the admin interface does not answer.
    pub async fn now_ms(&self) -> Result<i64, Failure> {
        let clock = self.call(Request::get("/__mock/clock")).await?;
        clock["now_ms"].as_i64().ok_or_else(|| Failure::could_not_run("the clock shows no time"))
    }

    /// The clock, with everybody who waits on it.
    ///
    /// # Errors
    /// When the admin interface does not answer, or tells something else.
    pub async fn clock(&self) -> Result<Clock, Failure> {
        let told = self.call(Request::get("/__mock/clock")).await?;
        serde_json::from_value(told)
            .map_err(|error| Failure::could_not_run(format!("the clock tells something else: {error}")))
    }

    /// What makes the clock go, as [`Self::set_clock`] takes it.
    ///
    /// # Errors
    /// When the admin interface does not answer.
    pub async fn clock_mode(&self) -> Result<String, Failure> {
        let clock = self.call(Request::get("/__mock/clock")).await?;
        let mode = clock["mode"].as_str().map(str::to_owned);
        mode.ok_or_else(|| Failure::could_not_run("the clock shows no mode"))
    }

    /// Whether failures can be made to happen.
    pub async fn offers_faults(&self) -> bool {
        self.call(Request::get("/__mock/faults")).await.is_ok()
    }

    /// Holds the clock, or lets it go.
    ///
    /// # Errors
    /// When the admin interface does not take the mode.
    pub async fn set_clock(&self, mode: &str) -> Result<(), Failure> {
        self.put("/__mock/clock", &json!({"mode": mode})).await.map(drop)
    }

    /// Moves the clock on.
    ///
    /// # Errors
    /// When the admin interface does not move it.
    pub async fn advance(&self, by: Duration) -> Result<(), Failure> {
        let body = json!({"by": by.as_secs_f64()});
        self.call(Request::post("/__mock/clock/advance", &body)).await.map(drop)
    }

    /// Goes back to the start.
    ///
    /// # Errors
    /// When the admin interface does not answer.
    pub async fn reset(&self) -> Result<(), Failure> {
        self.call(Request::of(reqwest::Method::POST, "/__mock/reset")).await.map(drop)
    }
}
