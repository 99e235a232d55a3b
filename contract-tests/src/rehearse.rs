//! What a case makes happen that no client could: outages, conflicts, failures in the middle. Only a mock lets it, and
//! only a case with the capability `faults` asks.

use reqwest::Method;
use serde_json::{Value, json};

use crate::case::Capability;
use crate::client::admin::Admin;
use crate::client::rest::Request;
use crate::failure::{Failure, equal};
use crate::story::Story;

/// Something outside the Focus Server that can fail, with the state that is no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// The fibre: ready, waiting, mixed.
    Fiber,
    /// The index of recordings: up, down, slow-fail, restarting.
    MongoDb,
    /// The message broker: up, down.
    RabbitMq,
    /// The recorder: up, down.
    Recorder,
    /// The recordings: present, none, path-mismatch.
    Recordings,
    /// The cluster: ok, refuses-objects, out-of-pod-addresses.
    Cluster,
    /// The focus-server workload: up, down.
    FocusServer,
}

impl Outside {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Fiber,
        Self::MongoDb,
        Self::RabbitMq,
        Self::Recorder,
        Self::Recordings,
        Self::Cluster,
        Self::FocusServer,
    ];

    /// As the admin interface has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fiber => "fiber",
            Self::MongoDb => "mongodb",
            Self::RabbitMq => "rabbitmq",
            Self::Recorder => "recorder",
            Self::Recordings => "recordings",
            Self::Cluster => "cluster",
            Self::FocusServer => "focus_server",
        }
    }

    /// The states in which it fails.
    #[must_use]
    pub fn failures(self) -> &'static [&'static str] {
        match self {
            Self::Fiber => &["waiting"],
            Self::MongoDb => &["down", "slow-fail", "restarting"],
            Self::RabbitMq | Self::Recorder | Self::FocusServer => &["down"],
            Self::Recordings => &["none", "path-mismatch"],
            Self::Cluster => &["refuses-objects", "out-of-pod-addresses"],
        }
    }

    /// The state in which it does not.
    #[must_use]
    pub fn well(self) -> &'static str {
        match self {
            Self::Fiber => "ready",
            Self::MongoDb | Self::RabbitMq | Self::Recorder | Self::FocusServer => "up",
            Self::Recordings => "present",
            Self::Cluster => "ok",
        }
    }
}

/// Who holds a port that a job should get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A Service that a lost job left behind.
    Service,
    /// Another process of the server's machine.
    Process,
}

impl Holder {
    fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Process => "process",
        }
    }

    /// As the refusal has it.
    #[must_use]
    pub fn named(self) -> &'static str {
        match self {
            Self::Service => "an existing service",
            Self::Process => "another process",
        }
    }
}

impl Story {
    fn controls(&self) -> Result<&Admin, Failure> {
        if !self.offers(Capability::Faults) {
            let what = "the case makes something fail without needing faults";
            return Err(Failure::could_not_run(what));
        }
        self.rehearses();
        self.admin().ok_or_else(|| Failure::could_not_run("faults are offered, but no admin interface is"))
    }

    /// Brings something outside into a state.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn set(&self, outside: Outside, state: &str) -> Result<(), Failure> {
        let path = format!("/__mock/dependencies/{}", outside.name());
        self.controls()?.put(&path, &json!({"state": state})).await.map(drop)
    }

    /// Changes limits: `max_jobs`, `gpu_pool`, `nfft_max_multichannel` and so on.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn limit(&self, limits: &Value) -> Result<(), Failure> {
        let request = Request { method: Method::PATCH, ..Request::post("/__mock/limits", limits) };
        self.controls()?.call(request).await.map(drop)
    }

    /// Takes a port.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn hold_port(&self, port: u16, by: Holder) -> Result<(), Failure> {
        let body = json!({"port": port, "by": by.name()});
        self.controls()?.call(Request::post("/__mock/ports", &body)).await.map(drop)
    }

    /// Lets go of a port that was taken.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn release_port(&self, port: u16) -> Result<(), Failure> {
        let request = Request::of(Method::DELETE, &format!("/__mock/ports/{port}"));
        self.controls()?.call(request).await.map(drop)
    }

    /// Installs a rule that makes something fail.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn fault(&self, rule: &Value) -> Result<(), Failure> {
        self.controls()?.call(Request::post("/__mock/faults", rule)).await.map(drop)
    }

    /// Takes all rules away.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn no_faults(&self) -> Result<(), Failure> {
        self.controls()?.call(Request::of(Method::DELETE, "/__mock/faults")).await.map(drop)
    }

    /// Begins anew in the same world: nothing fails, and there are no jobs.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn begin_anew(&self) -> Result<(), Failure> {
        self.controls()?.reset().await
    }

    /// Begins anew in another world.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn begin_world(&self, world: &Value) -> Result<(), Failure> {
        self.controls()?.put("/__mock/world", world).await.map(drop)
    }

    /// What belongs to no live job and should: kinds and names.
    ///
    /// # Errors
    /// When the admin interface does not tell.
    pub async fn leaks(&self) -> Result<Vec<(String, String)>, Failure> {
        let told = self.controls()?.call(Request::get("/__mock/leaks")).await?;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let leaks = told["leaks"].as_array().into_iter().flatten();
        Ok(leaks.map(|leak| (text(&leak["kind"]), text(&leak["name"]))).collect())
    }

    /// Demands that nothing is left that belongs to no live job.
    ///
    /// # Errors
    /// What is left.
    pub async fn nothing_leaks(&self) -> Result<(), Failure> {
        equal("what belongs to no live job", &self.leaks().await?, &Vec::new())
    }
}
