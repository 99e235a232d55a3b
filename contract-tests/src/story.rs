//! What a case tells its story through: the server, what was said, and what must be cleaned up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio_util::task::TaskTracker;

use crate::answer::Answer;
use crate::caller::{Caller, remember};
use crate::capacity::Server;
use crate::case::Capability;
use crate::client::admin::Admin;
use crate::client::grpc::{Port, Reading};
use crate::client::kube::Cluster;
use crate::client::rest::{Exchange, PREFIX, Request, Rest, has_path};
use crate::failure::Failure;
use crate::job::Job;
use crate::pace::Pacer;
use crate::spec;
use crate::target::{Strictness, Target};
use crate::wall;
use crate::workload::Meddled;

/// How long cleaning up waits for answers that the case itself no longer waited for.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// One case's time with one server.
pub struct Story {
    target: Box<dyn Target>,
    /// Who asks: the client, the jobs of the story, and what may create one and has no answer yet.
    caller: Caller,
    admin: Option<Admin>,
    cluster: Option<Cluster>,
    offered: BTreeSet<Capability>,
    seed: u64,
    said: Mutex<Vec<Arc<Exchange>>>,
    notes: Mutex<Vec<String>>,
    /// Whether something was made to fail.
    rehearsed: AtomicBool,
    /// What was done to the cluster and must be undone.
    meddled: Mutex<Meddled>,
}

impl Story {
    /// Begins with a server that offers what the run found out.
    ///
    /// # Errors
    /// When its clients cannot be built, or its clock cannot be held.
    pub async fn begin(
        target: Box<dyn Target>,
        offered: BTreeSet<Capability>,
        seed: u64,
    ) -> Result<Self, Failure> {
        let could_not = |error: reqwest::Error| Failure::could_not_run(error.to_string());
        let rest = Rest::trusting(&target.base_url(), target.trust()).map_err(could_not)?;
        let rest = rest.patient_for(target.patience());
        let admin = target.admin_url().map(|url| Admin::of(&url)).transpose().map_err(could_not)?;
        let access = target.kube().filter(|_| offered.contains(&Capability::K8s));
        let cluster = access.map(|access| Cluster::of(&access, target.patience())).transpose()?;
        let may_write = offered.contains(&Capability::Writes);
        let caller = Caller { rest, jobs: Arc::default(), creating: TaskTracker::new(), may_write };
        if let Some(admin) = admin.as_ref().filter(|_| offered.contains(&Capability::Clock)) {
            admin.set_clock("manual").await?;
        }
        Ok(Self {
            target,
            caller,
            admin,
            cluster,
            offered,
            seed,
            said: Mutex::default(),
            notes: Mutex::default(),
            rehearsed: AtomicBool::new(false),
            meddled: Mutex::default(),
        })
    }

    /// Seed of what the case draws.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn admin(&self) -> Option<&Admin> {
        self.admin.as_ref()
    }

    /// The cluster that the server works with.
    ///
    /// # Errors
    /// When the case asks for it without needing it.
    pub fn cluster(&self) -> Result<&Cluster, Failure> {
        let without = || Failure::could_not_run("the case asks the cluster without needing k8s");
        self.cluster.as_ref().ok_or_else(without)
    }

    /// What must be undone in the cluster.
    pub(crate) fn meddled(&self) -> std::sync::MutexGuard<'_, Meddled> {
        lock(&self.meddled)
    }

    /// From here on the server is not as it was, until the end of the story.
    pub(crate) fn rehearses(&self) {
        self.rehearsed.store(true, Ordering::Relaxed);
    }

    /// Whether the server offers something that the case can do without.
    #[must_use]
    pub fn offers(&self, capability: Capability) -> bool {
        self.offered.contains(&capability)
    }

    /// What can be put before a path: nothing and the prefix, or nothing alone where the base has a path already.
    #[must_use]
    pub fn prefixes(&self) -> &'static [&'static str] {
        if has_path(self.caller.rest.base()) { &[""] } else { &["", PREFIX] }
    }

    /// Something worth knowing for whoever reads the report.
    pub fn note(&self, text: impl Into<String>) {
        lock(&self.notes).push(text.into());
    }

    /// The server, for load: what is said then is counted, and not kept.
    ///
    /// # Errors
    /// When nobody gave leave to write, or its client cannot be built.
    pub fn under_load(&self) -> Result<Server, Failure> {
        if !self.offers(Capability::Writes) {
            return Err(Failure::could_not_run("the case creates jobs without needing leave to write"));
        }
        Ok(Server::of(self.target.as_ref())?.paced_by(self.pacer()))
    }

    /// Who asks under load: the jobs that come of it are cleaned up like all others, what is said is not kept.
    #[must_use]
    pub fn caller(&self) -> Caller {
        self.caller.clone()
    }

    /// Moments and latencies, on the server's clock where that is held.
    #[must_use]
    pub fn pacer(&self) -> Pacer {
        Pacer::of(self.held_clock().cloned(), self.target.patience())
    }

    /// How long the server may take for an answer, in real time.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.target.patience()
    }

    /// Which of two thresholds count, where the contract has two.
    #[must_use]
    pub fn strictness(&self) -> Strictness {
        self.target.strictness()
    }

    /// Sends any request. Its answer is kept, and held against the OpenAPI document.
    ///
    /// # Errors
    /// When there is no answer, it breaks the document, or nobody gave leave to write and the request might.
    pub async fn send(&self, request: Request) -> Result<Answer, Failure> {
        if request.writes() && !self.offers(Capability::Writes) {
            let what =
                format!("the case sends {} {} without needing leave to write", request.method, request.path);
            return Err(Failure::could_not_run(what));
        }
        let answered = if request.method == Method::POST {
            self.caller.to_the_end(request).await?
        } else {
            self.caller.rest.send(request).await
        };
        let exchange = answered.map_err(|error| Failure::broken(error.to_string()))?;
        lock(&self.said).push(Arc::clone(&exchange));
        remember(&self.caller.jobs, &exchange);
        let breaches = spec::breaches(&exchange);
        if breaches.is_empty() {
            return Ok(Answer(exchange));
        }
        let what = format!("the answer breaks the OpenAPI document: {}", breaches.join("; "));
        Err(Failure::broken(what).shown_by(&exchange))
    }

    /// GET.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Request::get(path)).await
    }

    /// POST with a JSON body.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send(Request::post(path, body)).await
    }

    /// POST /configure, which must be accepted with everything that holds for every accepted configuration.
    ///
    /// # Errors
    /// When it is not.
    pub async fn configure(&self, body: &Value) -> Result<Job, Failure> {
        let answer = self.post("/configure", body).await?;
        let bound = |key: &str| body["channels"][key].as_f64().map_or(0, |number| number as u32);
        Job::of(&answer, (bound("min"), bound("max")))
    }

    /// DELETE of a job, which must be there.
    ///
    /// # Errors
    /// When it is not.
    pub async fn cancel(&self, job: &Job) -> Result<Answer, Failure> {
        let answer = self.send(Request::of(Method::DELETE, &format!("/job/{}", job.id))).await?;
        answer.is_json(&serde_json::json!({"status": "cancelled", "job_id": job.id}))?;
        Ok(answer)
    }

    /// GET /metadata of a job.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn metadata(&self, id: &str) -> Result<Answer, Failure> {
        self.get(&format!("/metadata/{id}")).await
    }

    /// Host and port of a job's streams, as they are dialled.
    #[must_use]
    pub fn authority(&self, job: &Job) -> String {
        let host = self.target.grpc_host().unwrap_or_else(|| job.host.clone());
        format!("{host}:{}", job.port)
    }

    /// A connection to a job's port.
    ///
    /// # Errors
    /// When nobody takes it at the first try.
    pub async fn connect(&self, job: &Job) -> Result<Port, Failure> {
        let port = Port::connect(&self.authority(job)).await;
        let port = port.map_err(|failure| failure.shown_by(&job.answer.0))?;
        Ok(port.patient_for(self.target.patience()))
    }

    /// Opens a stream of a job, which must be possible.
    ///
    /// # Errors
    /// When it is not.
    pub async fn stream(&self, job: &Job, stream: u32) -> Result<Reading, Failure> {
        self.connect(job).await?.open(job, stream).await.map_err(|status| {
            Failure::broken(format!(
                "stream {stream} of job {} is refused: {:?} {:?}",
                job.id,
                status.code(),
                status.message()
            ))
        })
    }

    /// Whether somebody accepts connections on a job's port.
    pub async fn port_is_open(&self, job: &Job) -> bool {
        let connecting = tokio::net::TcpStream::connect(self.authority(job));
        tokio::time::timeout(Duration::from_secs(5), connecting)
            .await
            .is_ok_and(|connected| connected.is_ok())
    }

    /// The server's time in epoch seconds: of its own clock where that can be asked, else of the wall.
    ///
    /// # Errors
    /// When its clock does not answer.
    pub async fn now(&self) -> Result<i64, Failure> {
        match self.held_clock() {
            Some(admin) => Ok(admin.now_ms().await?.div_euclid(1000)),
            None => Ok(wall::epoch_seconds()),
        }
    }

    fn held_clock(&self) -> Option<&Admin> {
        self.admin.as_ref().filter(|_| self.offers(Capability::Clock))
    }

    /// Lets time pass: on the server's clock where that can be moved, else for real.
    ///
    /// # Errors
    /// When the clock cannot be moved.
    pub async fn pass(&self, time: Duration) -> Result<(), Failure> {
        match self.held_clock() {
            Some(admin) => admin.advance(time).await,
            None => {
                // Real servers keep real time; the pending future only gives the timeout something to end.
                let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
                Ok(())
            }
        }
    }

    /// Waits for a condition, letting time pass in steps; tells how much passed.
    ///
    /// # Errors
    /// When the limit passes first; `missing` says what was still missing.
    pub async fn until<F, Fut>(
        &self,
        missing: &str,
        step: Duration,
        limit: Duration,
        condition: F,
    ) -> Result<Duration, Failure>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<bool, Failure>>,
    {
        let mut passed = Duration::ZERO;
        loop {
            if condition().await? {
                return Ok(passed);
            }
            if passed >= limit {
                return Err(Failure::broken(format!(
                    "after {} s there was still no {missing}",
                    limit.as_secs_f64()
                )));
            }
            self.pass(step).await?;
            passed += step;
        }
    }

    /// Waits until nothing is missing, which is said in words, letting time pass in steps; tells how much passed.
    ///
    /// # Errors
    /// What was still missing when the limit passed.
    pub async fn awaited<F, Fut>(
        &self,
        step: Duration,
        limit: Duration,
        missing: F,
    ) -> Result<Duration, Failure>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Option<String>, Failure>>,
    {
        let (began, mut stepped) = (wall::now(), Duration::ZERO);
        loop {
            // Where time is real, the questions take some of it, too.
            let passed = if self.offers(Capability::Clock) { stepped } else { began.elapsed() };
            let Some(missing) = missing().await? else { return Ok(passed) };
            if passed >= limit {
                return Err(Failure::broken(format!("after {} s: {missing}", limit.as_secs_f64())));
            }
            self.pass(step).await?;
            stepped += step;
        }
    }

    /// What there is in the server's world, for a comparison: jobs, slots, ports, objects, queues. `None` where the
    /// server does not tell.
    ///
    /// # Errors
    /// When the admin interface does not answer.
    pub async fn world(&self) -> Result<Option<BTreeMap<String, Value>>, Failure> {
        let Some(admin) = &self.admin else { return Ok(None) };
        let state = admin.state().await?;
        // What passes or is only remembered is no trace: time, journal, the count of sequence numbers.
        let kept = |key: &String| {
            !["now", "now_ms", "journal", "next_sequence", "next_due_ms", "clock", "waiters"]
                .contains(&key.as_str())
        };
        let entries = state.as_object().into_iter().flatten();
        Ok(Some(
            entries.filter(|(key, _)| kept(key)).map(|(key, value)| (key.clone(), value.clone())).collect(),
        ))
    }

    /// INV-REFUSE: whatever is asked meanwhile leaves the world as it was, where the server tells about it.
    ///
    /// # Errors
    /// What `asking` fails with, or what it left behind.
    pub async fn no_trace<T>(&self, asking: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let before = self.world().await?;
        let result = asking.await?;
        let after = self.world().await?;
        if let (Some(before), Some(after)) = (before, after) {
            for (key, was) in &before {
                let is = after.get(key).unwrap_or(&Value::Null);
                if is != was {
                    let what = format!("INV-REFUSE: what must be refused changed {key} of the world");
                    return Err(Failure::broken(what).between(was, is));
                }
            }
        }
        Ok(result)
    }

    /// Cancels every job that is left; tells which could not be.
    pub async fn clean_up(&self) -> Vec<String> {
        let mut failed = Vec::new();
        self.caller.creating.close();
        if tokio::time::timeout(LAST_ANSWERS, self.caller.creating.wait()).await.is_err() {
            failed.push(format!("what {} unanswered POSTs may have created", self.caller.creating.len()));
        }
        let left = std::mem::take(&mut *lock(&self.caller.jobs));
        let cancelling = left.into_iter().map(|id| async move {
            let gone = self.caller.rest.send(Request::of(Method::DELETE, &format!("/job/{id}"))).await;
            let why = match gone {
                Ok(exchange) if exchange.status == 200 => return None,
                // It has ended by itself. Any other 404 comes from a server that cannot cancel.
                Ok(exchange) if exchange.status == 404 && exchange.text().contains("Invalid job_id") => {
                    return None;
                }
                Ok(exchange) => format!("DELETE answers {}", exchange.status),
                Err(error) => error.why,
            };
            Some(format!("job {id} ({why})"))
        });
        if self.rehearsed.load(Ordering::Relaxed)
            && let Some(admin) = &self.admin
        {
            // Whatever was made to fail would fail for the next case and for everybody else, and for cleaning up first.
            if let Err(failure) = admin.reset().await {
                failed.push(format!("what was made to fail ({failure})"));
            }
            return failed;
        }
        // First: a server that was scaled down cancels nothing.
        failed.extend(self.undo().await);
        failed.extend(futures_util::future::join_all(cancelling).await.into_iter().flatten());
        failed
    }

    /// Everything that was said, in order.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Arc<Exchange>> {
        lock(&self.said).clone()
    }

    /// What the case found worth knowing.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        lock(&self.notes).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
