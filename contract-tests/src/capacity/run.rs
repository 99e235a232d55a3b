//! Level after level: fire, count, clean up; and stop at the first level that does not succeed fully.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::cluster::{ClusterView, PodsSeen};
use super::fire::{Shot, Shots, on_schedule, together};
use super::latency::Latencies;
use super::machine::Sampler;
use super::measured::{LevelResult, Measured, Outcome};
use super::plan::Plan;
use super::server::{Reply, Server};
use super::shapes::Shape;
use super::streams::{Seen, StreamsRead, open_all, read_all};
use crate::failure::Failure;
use crate::stop::Stop;
use crate::wall;

/// How often is looked whether something has come about.
const STEP: Duration = Duration::from_secs(1);
/// Jobs whose streams are opened at a time. **Chosen**: what a generator does at once, its machine does late, and it would be
/// the latency of configures that tells. Who waits for it waits from the answer on, so that first frames tell instead.
const OPENING: usize = 4;
/// How long an interrupted run waits for answers that may name jobs.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

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

/// Carries a plan out. Whatever comes of it, the jobs of the run are cancelled, and it is looked whether they are gone.
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
    let jobs = Jobs::default();
    let run = Run { plan, server, cluster, stop, watcher, began: wall::tick(), jobs };
    run.carry_out(None).await
}

/// Fires a shape instead of levels. The one level that comes of it holds the configures that the shape is judged by.
///
/// # Errors
/// As [`run`].
pub async fn run_shape(
    shape: Shape,
    plan: &Plan,
    server: &Server,
    stop: &Stop,
    watcher: Watcher<'_>,
) -> Result<Measured, Failure> {
    let jobs = Jobs::default();
    let run = Run { plan, server, cluster: None, stop, watcher, began: wall::tick(), jobs };
    run.carry_out(Some(shape)).await
}

struct Run<'a> {
    plan: &'a Plan,
    server: &'a Server,
    cluster: Option<&'a dyn ClusterView>,
    stop: &'a Stop,
    watcher: Watcher<'a>,
    began: Instant,
    jobs: Jobs,
}

/// The jobs of a run.
#[derive(Default)]
struct Jobs {
    /// Every id that any answer named.
    named: BTreeSet<String>,
    /// Those that may still be there, with their ports.
    live: BTreeMap<String, Option<u16>>,
}

impl Jobs {
    /// What an answer means for the run.
    fn judge(&mut self, reply: &Reply) -> Outcome {
        let failed =
            |code: &str, text: &str| Outcome::Failed { code: code.to_owned(), text: text.to_owned() };
        match reply {
            Reply::Job(job) => {
                // Slots, and so ports, are used again once a job is gone: they are unique among those that live.
                let port = Some(job.port);
                let taken = self.live.iter().find(|(_, other)| **other == port);
                let taken =
                    taken.map(|(other, _)| format!("stream_port {} is that of job {other}", job.port));
                self.live.insert(job.id.clone(), port);
                if !self.named.insert(job.id.clone()) {
                    return failed("not unique", &format!("job_id {} was given before", job.id));
                }
                taken.map_or(Outcome::Succeeded, |text| failed("not unique", &text))
            }
            Reply::Refused { status, code, text } => {
                let name =
                    code.as_ref().map_or_else(|| status.to_string(), |code| format!("{status} {code}"));
                Outcome::Failed { code: name, text: text.clone() }
            }
            Reply::Unusable { id, why } => {
                self.live.extend(id.clone().map(|id| (id, None)));
                failed("unusable answer", why)
            }
            Reply::NoAnswer(why) => failed("no answer", why),
        }
    }
}

impl Run<'_> {
    async fn carry_out(mut self, shape: Option<Shape>) -> Result<Measured, Failure> {
        let sampler = Sampler::start();
        let mut measured = Measured::default();
        let fired = match shape {
            None => self.fire_all(&mut measured).await,
            Some(shape) => self.fire_shape(shape).await.map(|level| measured.levels.push(level)),
        };
        let cleaned = self.clean_up(&mut measured).await;
        measured.duration = self.began.elapsed();
        measured.machine = sampler.end();
        let unanswered = measured.errors().get("no answer").copied().unwrap_or(0);
        if unanswered > 0 {
            measured.notes.push(format!(
                "{unanswered} configures got no answer: if they made jobs all the same, only the server's idle sweep removes them"
            ));
        }
        fired.and(cleaned).map(|()| measured)
    }

    async fn fire_all(&mut self, measured: &mut Measured) -> Result<(), Failure> {
        for (place, level) in self.plan.levels.iter().enumerate() {
            if place > 0 {
                self.server.pass(self.plan.pause).await?;
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
        let shots = together(level as usize, workers, move |_| {
            let server = server.clone();
            async move { server.configure().await }
        });
        self.hear(level, shots, Duration::ZERO).await
    }

    async fn fire_shape(&mut self, shape: Shape) -> Result<LevelResult, Failure> {
        let (server, moments, from) = (self.server.clone(), shape.moments(), shape.demand().from);
        let count = u32::try_from(moments.len()).unwrap_or(u32::MAX);
        let shots = on_schedule(moments, move |_| {
            let server = server.clone();
            async move { server.configure().await }
        });
        self.hear(count, shots, from).await
    }

    /// Hears what comes of so many configures, and counts those that were due from a moment on.
    async fn hear(
        &mut self,
        level: u32,
        mut shots: Shots<Reply>,
        counted_from: Duration,
    ) -> Result<LevelResult, Failure> {
        (self.watcher)(Event::Fires(level));
        let (at, fired) = (self.began.elapsed(), wall::tick());
        let (mut over, mut latency, mut succeeded) = (Vec::new(), Latencies::default(), 0);
        let mut readers = Readers::of(self.plan.read.is_some());
        loop {
            let next = tokio::select! {
                next = shots.next() => next,
                () = self.stop.now() => {
                    over.extend(shots.halt(LAST_ANSWERS).await);
                    break;
                }
            };
            let Some(shot) = next else { break };
            if let Reply::Job(job) = &shot.value {
                succeeded += 1;
                latency.record(shot.latency);
                readers.read(self.server, job);
            }
            over.push(shot);
            let answered = u32::try_from(over.len()).unwrap_or(u32::MAX);
            (self.watcher)(Event::Answered { answered, succeeded, p95_ms: latency.quantile_ms(0.95) });
        }
        let took = fired.elapsed();
        // In the order in which they were sent, so that the first refusal is always the same one.
        over.sort_by_key(|shot| shot.number);
        let mut result = LevelResult { level, at, took, ..LevelResult::default() };
        self.judge(&over, counted_from, &mut result).await?;
        if let Some(time) = self.plan.read {
            // Held are all of them: who is opened late is not read for less long.
            let held = async {
                readers.open().await;
                self.server.pass(time).await
            };
            tokio::select! {
                held = held => held?,
                () = self.stop.now() => {}
            }
        }
        result.streams = readers.end().await;
        Ok(result)
    }

    async fn judge(
        &mut self,
        over: &[Shot<Reply>],
        counted_from: Duration,
        result: &mut LevelResult,
    ) -> Result<(), Failure> {
        let mut outcomes: Vec<_> = over.iter().map(|shot| self.jobs.judge(&shot.value)).collect();
        self.see_pods(over, &mut outcomes, result).await?;
        for (shot, outcome) in over.iter().zip(&outcomes).filter(|(shot, _)| shot.due >= counted_from) {
            result.count(outcome, shot.latency, shot.service);
            result.lag.record(shot.lag);
        }
        Ok(())
    }

    /// Where the cluster can be looked at, a job without a Running pod is none.
    async fn see_pods(
        &mut self,
        over: &[Shot<Reply>],
        outcomes: &mut [Outcome],
        result: &mut LevelResult,
    ) -> Result<(), Failure> {
        let Some(cluster) = self.cluster else { return Ok(()) };
        let asked = wall::tick();
        let mut passed = Duration::ZERO;
        loop {
            let pods = cluster.pods().await?;
            let phase = |id: &str| pods.get(id).map_or("missing", |pod| pod.phase.as_str());
            let waits = over.iter().zip(&*outcomes).any(|(shot, outcome)| {
                *outcome == Outcome::Succeeded && id_of(&shot.value).is_some_and(|id| phase(id) != "Running")
            });
            if waits && passed.max(asked.elapsed()) < self.plan.pod_running && self.stop.why().is_none() {
                self.server.pass(STEP).await?;
                passed += STEP;
                continue;
            }
            for (shot, outcome) in over.iter().zip(outcomes) {
                let Some(id) = id_of(&shot.value).filter(|_| *outcome == Outcome::Succeeded) else {
                    continue;
                };
                if phase(id) != "Running" {
                    let text = format!(
                        "the pod of job {id} is {} after {} s",
                        phase(id),
                        self.plan.pod_running.as_secs()
                    );
                    *outcome = Outcome::Failed { code: String::from("pod not Running"), text };
                }
            }
            let own = pods.iter().filter(|(id, _)| self.jobs.live.contains_key(*id)).map(|(_, pod)| pod);
            result.pods = Some(PodsSeen::of(self.began.elapsed(), own));
            return Ok(());
        }
    }

    async fn clean_up(&mut self, measured: &mut Measured) -> Result<(), Failure> {
        let some = !self.jobs.live.is_empty();
        measured.left_behind = self.cancel_all().await?;
        // A job that nobody can ask about any more may hold its slot for another moment: whoever runs next finds all free.
        if some && self.stop.why().is_none() { self.server.pass(self.plan.pause).await } else { Ok(()) }
    }

    /// Cancels what lives, waits until it is gone, and tells what is not. Where cancelling does nothing, the idle sweep
    /// does it within the same time.
    async fn cancel_all(&mut self) -> Result<Vec<String>, Failure> {
        if self.jobs.live.is_empty() {
            return Ok(Vec::new());
        }
        (self.watcher)(Event::CleansUp(self.jobs.live.len()));
        let workers = self.plan.workers.max(1) as usize;
        let cancel = |server: Server, id: String| async move { server.cancel(&id).await };
        self.of_each(workers, cancel).await;
        let asked = wall::tick();
        let mut passed = Duration::ZERO;
        loop {
            let gone = |server: Server, id: String| async move { (server.is_gone(&id).await, id) };
            let told = self.of_each(workers, gone).await;
            let pods = match self.cluster {
                Some(cluster) => cluster.pods().await?,
                None => BTreeMap::new(),
            };
            for (gone, id) in told {
                if gone && !pods.contains_key(&id) {
                    self.jobs.live.remove(&id);
                }
            }
            if self.jobs.live.is_empty() || passed.max(asked.elapsed()) >= self.plan.clean_up {
                return Ok(self.jobs.live.keys().cloned().collect());
            }
            self.server.pass(STEP).await?;
            passed += STEP;
        }
    }
}

impl Run<'_> {
    /// Asks something of every job that may be there.
    async fn of_each<T, Fut>(&mut self, workers: usize, ask: fn(Server, String) -> Fut) -> Vec<T>
    where
        Fut: Future<Output = T>,
    {
        let asking: Vec<_> = self.jobs.live.keys().map(|id| ask(self.server.clone(), id.clone())).collect();
        futures_util::stream::iter(asking).buffer_unordered(workers).collect().await
    }
}

fn id_of(reply: &Reply) -> Option<&str> {
    match reply {
        Reply::Job(job) => Some(&job.id),
        Reply::Refused { .. } | Reply::Unusable { .. } | Reply::NoAnswer(_) => None,
    }
}

/// Those who read the streams of a level's jobs, from each answer on until the level has been held long enough.
struct Readers {
    wanted: bool,
    /// Leave to open the streams of a job.
    leave: Arc<Semaphore>,
    /// Jobs whose streams are not all open yet.
    opening: TaskTracker,
    done: CancellationToken,
    reading: JoinSet<Vec<Seen>>,
}

impl Readers {
    fn of(wanted: bool) -> Self {
        Self {
            wanted,
            leave: Arc::new(Semaphore::new(OPENING)),
            opening: TaskTracker::new(),
            done: CancellationToken::new(),
            reading: JoinSet::new(),
        }
    }

    fn read(&mut self, server: &Server, job: &crate::job::Job) {
        if self.wanted {
            let (server, job, done) = (server.clone(), Arc::new(job.clone()), self.done.clone());
            let (answered, leave, opening) = (wall::tick(), Arc::clone(&self.leave), self.opening.token());
            self.reading.spawn(async move {
                let open = async {
                    let _leave = leave.acquire().await;
                    open_all(&server, &job).await
                };
                // Whoever has seen enough does not wait for the others.
                let opened = done.run_until_cancelled(open).await.unwrap_or_default();
                drop(opening);
                read_all(&job, opened, answered, &done).await
            });
        }
    }

    /// Waits until every stream is open, or refused.
    async fn open(&self) {
        self.opening.close();
        self.opening.wait().await;
    }

    async fn end(self) -> Option<StreamsRead> {
        self.done.cancel();
        let mut all = StreamsRead::default();
        all.extend(self.reading.join_all().await.into_iter().flatten());
        self.wanted.then_some(all)
    }
}
