//! Sample after sample: configure, look, keep the report; and at the end nothing of it is left.

use std::time::Duration;

use super::plan::Cancel;
use super::probe::Probe;
use super::report::{Ending, Report};
use super::sample::{Configure, Refusal, Sample};
use crate::capacity::fire::{Shot, together};
use crate::capacity::latency::ms;
use crate::capacity::{Reply, Server};
use crate::failure::Failure;
use crate::stop::Stop;
use crate::wall;

/// Most requests of a sample that are in flight. **Chosen**: as the workers of a capacity run.
const WORKERS: usize = 50;
/// How often is looked whether what is cancelled is gone.
const STEP: Duration = Duration::from_secs(1);

/// How far a run is.
#[derive(Debug)]
pub enum Event<'a> {
    /// Another sample was taken.
    Sampled(&'a Report),
    /// So many jobs are being cancelled.
    CleansUp(usize),
}

/// Who sees how far a run is.
pub type Watcher<'a> = &'a mut (dyn FnMut(Event<'_>) + Send);
/// Who keeps the report after each sample.
pub type Keeper<'a> = &'a mut (dyn FnMut(&Report) -> Result<(), Failure> + Send);

/// What a run works with.
pub struct Surroundings<'a> {
    /// The server, with what paces the run.
    pub server: &'a Server,
    /// What is looked at beside it.
    pub probe: &'a mut Probe,
    /// How it ends early.
    pub stop: &'a Stop,
    /// Who keeps the report.
    pub keeper: Keeper<'a>,
    /// Who sees how far it is.
    pub watcher: Watcher<'a>,
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").field("server", &self.server).finish_non_exhaustive()
    }
}

/// Takes the samples that a report is short of. Whatever comes of it, the jobs of the run are cancelled, and the report
/// is kept; it is complete once all samples have been taken and the end has been looked at.
///
/// # Errors
/// When the server's clock cannot be moved on, what there was before the run cannot be told, or the report not be kept.
pub async fn run(report: &mut Report, with: Surroundings<'_>) -> Result<(), Failure> {
    let mut run = Run { report, with };
    let sampled = run.sample_all().await;
    let ended = run.end().await;
    run.report.ended = Some(wall::timestamp());
    run.report.sum_up();
    let kept = (run.with.keeper)(run.report);
    sampled.and(ended).and(kept)
}

struct Run<'a, 'b> {
    report: &'a mut Report,
    with: Surroundings<'b>,
}

impl Run<'_, '_> {
    fn goes_on(&self) -> bool {
        self.with.stop.why().is_none()
    }

    fn keep(&mut self) -> Result<(), Failure> {
        self.report.sum_up();
        (self.with.keeper)(self.report)
    }

    /// What there was before the first configure is what the end is compared with.
    async fn look_before(&mut self) -> Result<(), Failure> {
        let probe = &self.with.probe;
        self.report.unseen = probe.unseen();
        if self.report.samples.is_empty() {
            self.report.live_jobs_before = probe.live_jobs().await.transpose()?;
            self.report.restarts_before = probe.pods().await.transpose()?;
        }
        self.keep()
    }

    async fn sample_all(&mut self) -> Result<(), Failure> {
        self.look_before().await?;
        while self.report.taken() < self.report.plan.samples() {
            let number = self.report.taken() + 1;
            let due = self.report.plan.due(number);
            self.with.server.pacer().until(due, self.with.stop).await?;
            if !self.goes_on() {
                return Ok(());
            }
            let Some(sample) = self.sample(number).await? else { return Ok(()) };
            self.report.samples.push(sample);
            self.keep()?;
            (self.with.watcher)(Event::Sampled(self.report));
        }
        self.with.server.pacer().until(self.report.plan.duration, self.with.stop).await
    }

    /// Nothing if it was interrupted: then it did not ask all that it should.
    async fn sample(&mut self, number: u32) -> Result<Option<Sample>, Failure> {
        self.forget_gone().await;
        let (at, at_seconds) = (wall::timestamp(), self.with.server.pacer().passed().as_secs_f64());
        let mut configures = self.fire().await?;
        if configures.len() < self.report.plan.jobs as usize {
            return Ok(None);
        }
        configures.sort_by_key(|(number, _)| *number);
        let configures: Vec<_> = configures.into_iter().map(|(_, configure)| configure).collect();
        if self.report.plan.cancel == Cancel::AtOnce {
            let own = configures.iter().filter_map(|one| one.job_id.clone()).collect();
            self.with.server.cancel(own, WORKERS).await;
        }
        let look = self.with.probe.look(self.report.restarts_before.as_ref()).await;
        Ok(Some(Sample {
            number,
            at_seconds,
            at,
            configures,
            server: look.server,
            runner: look.runner,
            restarts: look.restarts,
            live_jobs: look.live_jobs,
            troubles: look.troubles,
        }))
    }

    /// The configures of a sample that were answered, with their numbers.
    async fn fire(&mut self) -> Result<Vec<(usize, Configure)>, Failure> {
        let (server, jobs) = (self.with.server.clone(), self.report.plan.jobs as usize);
        let mut shots = together(jobs, WORKERS, self.with.server.pacer(), move |_| {
            let server = server.clone();
            async move {
                let sent = wall::tick();
                let reply = server.configure().await;
                (reply, sent.elapsed())
            }
        });
        let mut over = Vec::with_capacity(jobs);
        while let Some(shot) = shots.next_until(self.with.stop).await? {
            over.push((shot.number, self.judge(&shot)));
        }
        Ok(over)
    }

    /// What an answer means; whatever job it names is cleaned up.
    fn judge(&mut self, shot: &Shot<(Reply, Duration)>) -> Configure {
        let left = &mut self.report.jobs_left;
        let (reply, real) = &shot.value;
        // **Chosen**: on a held clock what passes for real counts beside it: an hour of that clock is to show a server that
        // gets slower, too.
        let latency = shot.latency + if self.with.server.pacer().is_held() { *real } else { Duration::ZERO };
        let (job_id, refusal) = match reply {
            Reply::Job(job) => {
                let twice = || format!("job_id {} is that of another job that may still be there", job.id);
                let fresh = left.insert(job.id.clone());
                (Some(job.id.clone()), (!fresh).then(|| Refusal::new("not unique", &twice())))
            }
            Reply::Refused { status, code, text } => {
                let name =
                    code.as_ref().map_or_else(|| status.to_string(), |code| format!("{status} {code}"));
                (None, Some(Refusal::new(name, text)))
            }
            Reply::Unusable { id, why } => {
                left.extend(id.clone());
                (id.clone(), Some(Refusal::new("unusable answer", why)))
            }
            Reply::NoAnswer(why) => (None, Some(Refusal::new("no answer", why))),
        };
        Configure { job_id, latency_ms: hundredths(ms(latency)), refusal }
    }

    /// Jobs that the server knows no more need not be looked after.
    async fn forget_gone(&mut self) {
        let left = self.report.jobs_left.iter().cloned().collect();
        for id in self.with.server.gone(left, WORKERS).await {
            self.report.jobs_left.remove(&id);
        }
    }

    /// Cancels what is left, and waits until it is gone and live jobs are as few as before; at most as long as they may
    /// take.
    async fn end(&mut self) -> Result<(), Failure> {
        let over = self.goes_on() && self.report.taken() == self.report.plan.samples();
        let left: Vec<_> = self.report.jobs_left.iter().cloned().collect();
        if !left.is_empty() {
            (self.with.watcher)(Event::CleansUp(left.len()));
        }
        self.with.server.cancel(left, WORKERS).await;
        let (began, limit) = (self.with.server.pacer().passed(), self.report.limits.live_jobs_seconds.0);
        loop {
            self.forget_gone().await;
            let live = self.live_jobs_at_end().await;
            let waited = hundredths((self.with.server.pacer().passed() - began).as_secs_f64());
            let back = match (self.report.live_jobs_before, live) {
                (Some(before), Some(now)) => now <= before,
                (Some(_), None) | (None, _) => true,
            };
            // An interrupted run only sees to its own jobs: others' are nothing that it can wait for.
            let done = self.report.jobs_left.is_empty() && (back || !over);
            if done || waited >= limit {
                if over {
                    let left_behind = self.report.jobs_left.iter().cloned().collect();
                    self.report.ending =
                        Some(Ending { live_jobs: live, waited_seconds: waited, left_behind });
                    self.report.complete = true;
                }
                return Ok(());
            }
            self.with.server.pacer().pass(STEP.min(Duration::from_secs_f64(limit - waited))).await?;
        }
    }

    async fn live_jobs_at_end(&mut self) -> Option<u32> {
        self.with.probe.live_jobs().await.and_then(Result::ok)
    }
}

/// Two decimals: the report is read by people, too.
fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
