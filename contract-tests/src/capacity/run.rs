//! Level after level: fire, count, clean up; and stop at the first level that does not succeed fully.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::cluster::{ClusterView, PodsSeen};
use super::fire::{Shot, Shots, on_schedule, together};
use super::jobs::Jobs;
use super::latency::Latencies;
use super::machine::Sampler;
use super::measured::{LevelResult, Measured, Outcome};
use super::plan::Plan;
use super::pods::Awaited;
use super::server::{Reply, Server};
use super::shapes::Shape;
use super::streams::Readers;
use crate::failure::Failure;
use crate::stop::Stop;
use crate::wall;

/// How often is looked whether something has come about.
const STEP: Duration = Duration::from_secs(1);

/// How far a run is.
#[derive(Debug)]
pub enum Event<'a> {
    /// A level is fired now.
    Fires(u32),
    /// Another configure of it was answered.
    Answered {
        /// How many were answered.
        answered: u32,
        /// How many of them named a job.
        succeeded: u32,
        /// 95th percentile of those, in milliseconds.
        p95_ms: f64,
    },
    /// A level is over.
    Over(&'a LevelResult),
    /// So many jobs are being cancelled.
    CleansUp(usize),
}

/// Who sees how far a run is.
pub type Watcher<'a> = &'a mut (dyn FnMut(Event<'_>) + Send);

/// What is fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// The levels of the plan, one after another.
    Levels,
    /// A shape instead. The one level that comes of it holds the configures that the shape is judged by.
    Shape(Shape),
}

/// Carries out the levels of a plan. Whatever comes of it, the jobs of the run are cancelled, and it is looked whether they
/// are gone.
///
/// # Errors
/// When the server's clock cannot be moved on, or the cluster does not tell what it should.
pub async fn run(
    plan: &Plan,
    server: &Server,
    cluster: Option<&dyn ClusterView>,
    stop: &Stop,
    watcher: Watcher<'_>,
) -> Result<Measured, Failure> {
    let (measured, broke) = carry_out(plan, Load::Levels, server, cluster, stop, watcher).await;
    broke.map_or(Ok(measured), Err)
}

/// Carries out levels or a shape, and tells what was measured until something broke the run off: nothing of a long run
/// shall be lost.
pub async fn carry_out(
    plan: &Plan,
    load: Load,
    server: &Server,
    cluster: Option<&dyn ClusterView>,
    stop: &Stop,
    watcher: Watcher<'_>,
) -> (Measured, Option<Failure>) {
    let began = server.pacer().passed();
    let mut run = Run { plan, server, cluster, stop, watcher, began, jobs: Jobs::default(), unheard: 0 };
    let sampler = Sampler::start();
    let mut measured = Measured::default();
    let fired = match load {
        Load::Levels => run.fire_all(&mut measured).await,
        Load::Shape(shape) => run.fire_shape(shape).await.map(|level| measured.levels.push(level)),
    };
    let cleaned = run.clean_up(&mut measured).await;
    measured.duration = run.now();
    measured.machine = sampler.end();
    let unanswered = measured.errors().get("no answer").copied().unwrap_or(0);
    if unanswered > 0 {
        measured.notes.push(format!(
            "{unanswered} configures got no answer: if they made jobs all the same, only the server's idle sweep removes them"
        ));
    }
    if run.unheard > 0 {
        measured.notes.push(format!(
            "interrupted before {} configures were answered or even sent: if some made jobs all the same, only the server's idle sweep removes them",
            run.unheard
        ));
    }
    (measured, fired.and(cleaned).err())
}

struct Run<'a> {
    plan: &'a Plan,
    server: &'a Server,
    cluster: Option<&'a dyn ClusterView>,
    stop: &'a Stop,
    watcher: Watcher<'a>,
    began: Duration,
    jobs: Jobs,
    /// Configures of an interrupted level that were not answered in time, or not sent.
    unheard: u32,
}

/// What came of one configure, and when it was due.
type Judged = (Shot<Option<String>>, Outcome);

impl Run<'_> {
    /// Since the beginning of the run.
    fn now(&self) -> Duration {
        self.server.pacer().passed().saturating_sub(self.began)
    }

    async fn fire_all(&mut self, measured: &mut Measured) -> Result<(), Failure> {
        for (place, level) in self.plan.levels.iter().enumerate() {
            if place > 0 {
                self.server.pacer().pass(self.plan.pause).await?;
            }
            if self.stop.why().is_some() {
                break;
            }
            let result = self.fire(*level).await?;
            (self.watcher)(Event::Over(&result));
            let goes_on = result.fully_successful();
            measured.levels.push(result);
            if !goes_on {
                break;
            }
            if !self.plan.accumulate && place + 1 < self.plan.levels.len() {
                let left = self.cancel_all().await?;
                if !left.is_empty() {
                    measured.notes.push(format!(
                        "the run ended after level {level}: {} of its jobs were not gone within {} s",
                        left.len(),
                        self.plan.clean_up.as_secs()
                    ));
                    break;
                }
            }
        }
        Ok(())
    }

    async fn fire(&mut self, level: u32) -> Result<LevelResult, Failure> {
        let (server, workers) = (self.server.clone(), self.plan.workers.min(level) as usize);
        let shots = together(level as usize, workers, self.server.pacer(), move |_| {
            let server = server.clone();
            async move { server.configure().await }
        });
        self.hear(level, shots, Duration::ZERO).await
    }

    async fn fire_shape(&mut self, shape: Shape) -> Result<LevelResult, Failure> {
        let (server, moments, from) = (self.server.clone(), shape.moments(), shape.judged_from());
        let count = |moments: &[Duration]| u32::try_from(moments.len()).unwrap_or(u32::MAX);
        let judged = moments.iter().filter(|moment| **moment >= from).count();
        let all = count(&moments);
        let shots = on_schedule(&moments, self.server.pacer(), move |_| {
            let server = server.clone();
            async move { server.configure().await }
        });
        let mut result = self.hear(all, shots, from).await?;
        result.level = u32::try_from(judged).unwrap_or(u32::MAX);
        // A rate is one over the whole shape, although its last request is due a moment before its end.
        result.took = result.took.max(shape.length()).saturating_sub(from);
        Ok(result)
    }

    /// Hears what comes of so many configures, and counts those that were due from a moment on.
    async fn hear(
        &mut self,
        level: u32,
        mut shots: Shots<Reply>,
        counted_from: Duration,
    ) -> Result<LevelResult, Failure> {
        (self.watcher)(Event::Fires(level));
        let at = self.now();
        let (mut judged, mut latency, mut succeeded) = (Vec::new(), Latencies::default(), 0);
        let mut readers = Readers::of(self.plan.read.is_some());
        let mut pods = self.cluster.map(|cluster| Awaited::of(cluster, self.plan.pod_running, at));
        let mut looks = tokio::time::interval_at(wall::tick() + STEP, STEP);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = tokio::select! {
                next = shots.next_until(self.stop) => next?,
                // A shape lasts longer than a pod may take, and than an idle job lives.
                _ = looks.tick(), if pods.is_some() => {
                    self.glance(&mut pods).await;
                    continue;
                }
            };
            let Some(shot) = next else { break };
            if let Reply::Job(job) = &shot.value {
                succeeded += 1;
                latency.record(shot.latency);
                readers.read(self.server, job);
            }
            judged.push(self.judge(shot, &mut pods).await);
            if pods.as_ref().is_some_and(|pods| self.now() >= pods.looked + STEP) {
                // A clock that is held may go faster than real time.
                self.glance(&mut pods).await;
            }
            let answered = u32::try_from(judged.len()).unwrap_or(u32::MAX);
            (self.watcher)(Event::Answered { answered, succeeded, p95_ms: latency.quantile_ms(0.95) });
        }
        if self.stop.why().is_some() {
            self.unheard += level.saturating_sub(u32::try_from(judged.len()).unwrap_or(u32::MAX));
        }
        // By the answers themselves: to hear them may take longer where the generator is busy.
        let took = judged.iter().map(|(shot, _)| shot.due + shot.latency).max().unwrap_or_default();
        let mut result = LevelResult { level, at, took, ..LevelResult::default() };
        self.await_pods(&mut judged, pods.as_mut()).await?;
        // In the order in which they were due, so that the first refusal is always the same one.
        judged.sort_by_key(|(shot, _)| shot.number);
        for (shot, outcome) in judged.iter().filter(|(shot, _)| shot.due >= counted_from) {
            result.count(outcome, shot.latency, shot.service);
            result.lag.record(shot.lag);
        }
        if let Some(time) = self.plan.read {
            // Held are all of them: who is opened late is not read for less long.
            let held = async {
                readers.open().await;
                self.server.pacer().pass(time).await
            };
            tokio::select! {
                held = held => held?,
                () = self.stop.now() => {}
            }
        }
        self.see_pods(pods.as_ref(), &mut result).await;
        result.streams = readers.end().await;
        Ok(result)
    }

    /// What a look at the pods cannot tell now it must once all are answered, so that no answer gets lost.
    async fn glance(&mut self, pods: &mut Option<Awaited<'_>>) {
        if let Some(pods) = pods {
            let _ = pods.look(self.now()).await;
        }
    }

    async fn judge(&mut self, shot: Shot<Reply>, pods: &mut Option<Awaited<'_>>) -> Judged {
        let now = self.now();
        let outcome = self.jobs.judge(&shot.value, self.server, now).await;
        let id = match &shot.value {
            Reply::Job(job) => Some(job.id.clone()),
            Reply::Refused { .. } | Reply::Unusable { .. } | Reply::NoAnswer(_) => None,
        };
        if let (Some(pods), Some(id), Outcome::Succeeded) = (pods, &id, &outcome) {
            pods.answered(id, now);
        }
        let Shot { number, due, latency, service, lag, .. } = shot;
        (Shot { number, due, latency, service, lag, value: id }, outcome)
    }

    /// Where the cluster can be looked at, a job without a Running pod is none.
    async fn await_pods(
        &mut self,
        judged: &mut [Judged],
        pods: Option<&mut Awaited<'_>>,
    ) -> Result<(), Failure> {
        let Some(pods) = pods else { return Ok(()) };
        loop {
            pods.look(self.now()).await?;
            if pods.is_done() {
                break;
            }
            if self.stop.why().is_some() {
                pods.give_up(self.now());
                break;
            }
            self.server.pacer().pass(STEP).await?;
        }
        for (shot, outcome) in judged {
            let late = shot.value.as_ref().and_then(|id| pods.outcome(id));
            if let Some(late) = late.filter(|_| *outcome == Outcome::Succeeded) {
                *outcome = late;
            }
        }
        Ok(())
    }

    /// The pods of the jobs that live, and what they use once the level was held.
    async fn see_pods(&mut self, pods: Option<&Awaited<'_>>, result: &mut LevelResult) {
        let (Some(cluster), Some(pods)) = (self.cluster, pods) else { return };
        let uses = cluster.uses().await;
        if let Err(failure) = &uses {
            // Metrics are not of every cluster, and no figure is better than no run.
            result.no_metrics = Some(failure.what.clone());
        }
        let own = pods.seen.iter().filter(|(id, _)| self.jobs.live.contains_key(*id)).map(|(_, pod)| pod);
        result.pods = Some(PodsSeen::of(self.now(), own, uses.ok().as_ref()));
    }

    async fn clean_up(&mut self, measured: &mut Measured) -> Result<(), Failure> {
        let (some, began) = (!self.jobs.live.is_empty(), self.now());
        let cancelled = self.cancel_all().await;
        measured.cleaned_up_in = self.now().saturating_sub(began);
        // Whoever cannot be asked any more may have all of them.
        measured.left_behind = self.jobs.live.keys().cloned().collect();
        // A job that nobody can ask about any more may hold its slot for another moment: whoever runs next finds all free.
        let waits = some && self.stop.why().is_none();
        let waited = if waits { self.server.pacer().pass(self.plan.pause).await } else { Ok(()) };
        cancelled.map(drop).and(waited)
    }

    /// Cancels what lives, waits until it is gone, and tells what is not. Where cancelling does nothing, the idle sweep
    /// does it within the same time.
    async fn cancel_all(&mut self) -> Result<Vec<String>, Failure> {
        if self.jobs.live.is_empty() {
            return Ok(Vec::new());
        }
        (self.watcher)(Event::CleansUp(self.jobs.live.len()));
        let workers = self.plan.workers.max(1) as usize;
        self.server.cancel(self.jobs.live.keys().cloned().collect(), workers).await;
        let (asked, mut trouble) = (self.now(), None);
        loop {
            let gone = self.server.gone(self.jobs.live.keys().cloned().collect(), workers).await;
            let pods = match self.cluster {
                // Jobs end, and the server is asked whether they did, also where their cluster tells nothing.
                Some(cluster) => cluster.pods().await.unwrap_or_else(|failure| {
                    trouble.get_or_insert(failure);
                    BTreeMap::new()
                }),
                None => BTreeMap::new(),
            };
            for id in gone.iter().filter(|id| !pods.contains_key(*id)) {
                self.jobs.live.remove(id);
            }
            if self.jobs.live.is_empty() || self.now().saturating_sub(asked) >= self.plan.clean_up {
                return trouble.map_or_else(|| Ok(self.jobs.live.keys().cloned().collect()), Err);
            }
            self.server.pacer().pass(STEP).await?;
        }
    }
}
