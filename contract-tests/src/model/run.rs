//! A sequence of commands, told to the model and to a server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tonic::{Code, Status};

use super::command::{Command, Mistake, Plan};
use super::trouble::{No, Step, Trouble};
use super::{Model, Phase};
use crate::answer::{Refused, UNKNOWN_JOB};
use crate::client::rest::Request;
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::story::Story;

/// How long a call may take to end on the server once its client is gone, in questions to the server.
const QUESTIONS: u32 = 2000;
/// How long the fibre may give nothing.
const LONGEST_DARK_MS: u64 = 150_000;
/// How long the end of a call may take to come once it is due, in real time: the clock is held, nothing else happens.
const PATIENCE: Duration = Duration::from_secs(3);

/// Tells a sequence to a server, which begins it without jobs.
///
/// # Errors
/// The first step after which the server is not what the model says.
pub async fn run(story: &Story, limit: u32, commands: &[Command]) -> Result<(), Failure> {
    empty(story).await?;
    let mut run = Run { story, model: Model::new(limit), jobs: Vec::new(), calls: Vec::new() };
    for (place, command) in commands.iter().enumerate() {
        let step = async {
            run.tell(*command).await?;
            run.compare().await
        };
        step.await.map_err(|mut failure| {
            failure.what = format!("step {} {command:?}: {}", place + 1, failure.what);
            failure
        })?;
    }
    Ok(())
}

/// Whatever an earlier sequence left behind goes.
async fn empty(story: &Story) -> Result<(), Failure> {
    let stuck = story.clean_up().await;
    holds(stuck.is_empty(), || format!("jobs that could not be cancelled: {}", stuck.join(", ")))?;
    story.pass(Duration::from_secs(5)).await
}

/// A call that is read as fast as it comes.
struct Call {
    job: usize,
    stream: usize,
    reading: JoinHandle<Result<(u64, Status), Failure>>,
}

impl Drop for Call {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Call {
    /// Waits for its end.
    async fn ended(mut self) -> Result<(u64, Status), Failure> {
        let lost = |error: tokio::task::JoinError| Failure::could_not_run(error.to_string());
        match tokio::time::timeout(PATIENCE, &mut self.reading).await {
            Ok(read) => read.map_err(lost)?,
            Err(_) => Err(Failure::broken(format!(
                "a call on stream {} of job {} does not end when its time has come",
                self.stream, self.job
            ))),
        }
    }

    /// Waits for its end, which must be this one.
    async fn ends(self, code: Code, message: &str) -> Result<u64, Failure> {
        let what = format!("the end of a call on stream {} of job {}", self.stream, self.job);
        let (frames, status) = self.ended().await?;
        equal(&what, &(status.code(), status.message()), &(code, message))?;
        Ok(frames)
    }
}

struct Run<'a> {
    story: &'a Story,
    model: Model,
    jobs: Vec<Job>,
    calls: Vec<Call>,
}

impl Run<'_> {
    async fn tell(&mut self, command: Command) -> Result<(), Failure> {
        match command {
            Command::Configure(plan) => self.configure(plan).await,
            Command::Refused(mistake) => self.refused(mistake).await,
            Command::Cancel(job) => match self.pick(job) {
                Some(job) => self.cancel(job).await,
                None => Ok(()),
            },
            Command::Open { job, stream } => match self.pick(job) {
                Some(job) => self.open(job, stream).await,
                None => Ok(()),
            },
            Command::Leave { job } => match self.pick(job) {
                Some(job) => self.leave(job).await,
                None => Ok(()),
            },
            Command::Pass(seconds) => {
                let time = u64::from(seconds) * 1000;
                self.light_in_time(time).await?;
                self.pass(time).await
            }
            Command::Trouble(trouble, there) => self.trouble(trouble, there).await,
            Command::Fail(step) => self.fail(step).await,
        }
    }

    fn pick(&self, job: u8) -> Option<usize> {
        (!self.jobs.is_empty()).then(|| usize::from(job) % self.jobs.len())
    }

    async fn configure(&mut self, plan: Plan) -> Result<(), Failure> {
        let body = plan.body(self.story.now().await?);
        if let Some(no) = self.model.refuses(plan.window.is_none()) {
            return self.told(&body, &no).await;
        }
        let Some(slot) = self.model.free_slot() else {
            let limit = self.model.limit;
            let text = format!("Capacity exhausted: the limit of {limit} concurrent jobs is reached");
            let refusal = Refused::outage("CAPACITY_EXHAUSTED", &text);
            let asked = self.story.no_trace(self.story.post("/configure", &body)).await?;
            return asked.is_refused(&refusal).map(drop);
        };
        let answer = self.story.post("/configure", &body).await?;
        let job = Job::of(&answer, plan.channels())?;
        let shown = |failure: Failure| failure.shown_by(&answer.0);
        equal("the slot", &job.slot, &slot).map_err(shown)?;
        if let Some(sequence) = self.model.next_sequence {
            equal("the sequence number", &job.sequence, &sequence).map_err(shown)?;
        }
        equal("the number of streams", &job.streams, &plan.streams()).map_err(shown)?;
        if let Some(first) = self.jobs.first() {
            let base = |job: &Job| i64::from(job.port) - i64::from(job.slot);
            equal("the port less the slot", &base(&job), &base(first)).map_err(shown)?;
        }
        self.model.configured(slot, job.sequence, job.streams, plan.window.map(u64::from));
        self.jobs.push(job);
        Ok(())
    }

    /// A configuration that makes sense, refused for what is wrong around the server.
    async fn told(&self, body: &Value, no: &No) -> Result<(), Failure> {
        let answer = self.story.no_trace(self.story.post("/configure", body)).await?;
        match no {
            No::Before(refusal) | No::Rollback(refusal) => answer.is_refused(refusal).map(drop),
            No::Port => answer.has_status(409)?.has("/code", &json!(Step::Port.code())).map(drop),
        }
    }

    async fn trouble(&mut self, trouble: Trouble, there: bool) -> Result<(), Failure> {
        let outside = trouble.of();
        let state = if there { outside.failures()[0] } else { outside.well() };
        self.story.set(outside, state).await?;
        self.model.trouble(trouble, there);
        Ok(())
    }

    async fn fail(&mut self, step: Step) -> Result<(), Failure> {
        if !self.model.troubles.steps.insert(step) {
            return Ok(());
        }
        let rule = json!({"at": format!("step.{}", step.name()), "when": {"first": 1},
                          "do": {"refuse": step.code()}});
        self.story.fault(&rule).await
    }

    /// Calls on a fibre that gives nothing for three minutes end, which is another story.
    async fn light_in_time(&mut self, time: u64) -> Result<(), Failure> {
        let dark = self.model.dark_since.map_or(0, |since| self.model.now + time - since);
        if dark > LONGEST_DARK_MS { self.trouble(Trouble::Fiber, false).await } else { Ok(()) }
    }

    async fn refused(&self, mistake: Mistake) -> Result<(), Failure> {
        let body = mistake.body();
        // That nothing was recorded can be found out only while the index can be asked.
        if mistake == Mistake::NoRecording
            && self.model.troubles.outages.contains(&Trouble::MongoDb)
            && let Some(no) = self.model.troubles.before(false)
        {
            return self.told(&body, &no).await;
        }
        self.story
            .no_trace(self.story.post("/configure", &body))
            .await?
            .is_refused(&mistake.refusal())
            .map(drop)
    }

    async fn cancel(&mut self, job: usize) -> Result<(), Failure> {
        let id = self.jobs[job].id.clone();
        let answer = self.story.send(Request::of(Method::DELETE, &format!("/job/{id}"))).await?;
        if !self.model.cancelled(job) {
            return answer.is_refused(&UNKNOWN_JOB).map(drop);
        }
        answer.has_status(200)?.is_json(&json!({"status": "cancelled", "job_id": id}))?;
        for call in self.taken(|call| call.job == job) {
            call.ends(Code::Cancelled, "job cancelled").await?;
        }
        Ok(())
    }

    /// The calls that something holds for, no longer among the open ones.
    fn taken(&mut self, holds: impl Fn(&Call) -> bool) -> Vec<Call> {
        self.calls.extract_if(.., |call| holds(call)).collect()
    }

    async fn open(&mut self, job: usize, stream: u8) -> Result<(), Failure> {
        let known = &self.model.jobs[job];
        // Other ports are closed, or belong to a later job: the comparison connects to them.
        if known.phase != Phase::Running {
            return Ok(());
        }
        let stream = u32::from(stream) % self.jobs[job].streams;
        let mut reading = self.story.stream(&self.jobs[job], stream).await?;
        let place = stream as usize;
        let over = self.model.opened(job, place);
        let reading = tokio::spawn(async move { reading.to_its_end().await });
        let call = Call { job, stream: place, reading };
        if over {
            let frames = call.ends(Code::Ok, "").await?;
            return equal("the number of frames of a stream that is played out", &frames, &0);
        }
        self.calls.push(call);
        Ok(())
    }

    async fn leave(&mut self, job: usize) -> Result<(), Failure> {
        // What a historic stream does while nobody reads it is not promised.
        if self.model.jobs[job].is_historic() {
            return Ok(());
        }
        let Some(place) = self.calls.iter().position(|call| call.job == job) else { return Ok(()) };
        let call = self.calls.remove(place);
        self.model.left(job, call.stream);
        drop(call);
        // The server hears of it some time later, of the wall's and not of its own clock.
        let (id, left) = (&self.jobs[job].id, json!(self.model.jobs[job].calls()));
        for _ in 0..QUESTIONS {
            let open = self.world("jobs").await?.and_then(|jobs| {
                let job = jobs.as_array()?.iter().find(|job| job["job_id"] == json!(id))?;
                Some(job["open_calls"].clone())
            });
            if open.is_none_or(|open| open == left) {
                return Ok(());
            }
        }
        Err(Failure::broken(format!("job {id} still counts a call whose client is gone")))
    }

    async fn world(&self, key: &str) -> Result<Option<Value>, Failure> {
        Ok(self.story.world().await?.and_then(|mut world| world.remove(key)))
    }

    /// Stops wherever a stream is played out: its end must come while the clock is held there.
    async fn pass(&mut self, time: u64) -> Result<(), Failure> {
        let target = self.model.now + time;
        while self.model.now < target {
            let stop = self.model.next_end().filter(|end| *end <= target).unwrap_or(target);
            self.story.pass(Duration::from_millis(stop - self.model.now)).await?;
            self.model.pass_to(stop);
            let model = self.model.clone();
            // Calls on one stream share its frames.
            let mut frames = BTreeMap::new();
            for call in self.taken(|call| model.jobs[call.job].streams[call.stream].played_out) {
                let stream = (call.job, call.stream);
                *frames.entry(stream).or_insert(0) += call.ends(Code::Ok, "").await?;
            }
            for ((job, stream), frames) in frames {
                holds(frames >= 8, || {
                    format!("stream {stream} of job {job} is played out after {frames} frames, not 8")
                })?;
            }
        }
        Ok(())
    }

    async fn compare(&self) -> Result<(), Failure> {
        let running: BTreeSet<_> =
            self.model.jobs.iter().filter(|job| job.phase == Phase::Running).map(|job| job.slot).collect();
        let mut ports = BTreeSet::new();
        for (job, known) in self.jobs.iter().zip(&self.model.jobs) {
            let metadata = self.story.metadata(&job.id).await?;
            if known.is_live() {
                metadata.has_status(200)?.is_json(&job.answer.json()?)?;
            } else {
                metadata.is_refused(&UNKNOWN_JOB)?;
            }
            // Jobs come and go on the same port.
            if ports.insert(job.port) {
                let what = format!("whether port {} of slot {} is open", job.port, known.slot);
                equal(&what, &self.story.port_is_open(job).await, &running.contains(&known.slot))?;
            }
        }
        self.compare_world().await
    }

    /// What only a mock tells: objects, queues, slots.
    async fn compare_world(&self) -> Result<(), Failure> {
        let Some(world) = self.story.world().await? else { return Ok(()) };
        let told = |pointer: &str| {
            let (key, rest) = pointer.split_once('/').unwrap_or((pointer, ""));
            world.get(key).and_then(|value| if rest.is_empty() { Some(value) } else { value.get(rest) })
        };
        let texts = |pointer: &str| -> BTreeSet<String> {
            let values = told(pointer).and_then(Value::as_array).into_iter().flatten();
            values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
        };
        let named = |prefixes: &[&str], holds: &dyn Fn(Phase) -> bool| -> BTreeSet<String> {
            let jobs = self.jobs.iter().zip(&self.model.jobs).filter(|(_, known)| holds(known.phase));
            jobs.flat_map(|(job, _)| prefixes.iter().map(move |prefix| format!("{prefix}{}", job.id)))
                .collect()
        };
        let live = |phase| matches!(phase, Phase::Running | Phase::Completed);
        equal("Services", &texts("cluster/services"), &named(&["grpc-service-"], &live))?;
        let there = |phase| phase != Phase::Removed;
        equal("Jobs", &texts("cluster/jobs"), &named(&["grpc-job-", "cleanup-job-"], &there))?;
        let queues = texts("queues");
        let missing = named(&["focus_baby."], &live).difference(&queues).cloned().collect::<Vec<_>>();
        equal("queues of live jobs that are missing", &missing, &Vec::new())?;
        let more = queues.difference(&named(&["focus_baby."], &there)).cloned().collect::<Vec<_>>();
        equal("queues that nobody needs", &more, &Vec::new())?;
        if let Some(lowest) = told("slots/lowest_free") {
            let free = self.model.free_slot();
            // With a limit below the number of slots there is a free one that nobody gets.
            holds(free.is_none() || *lowest == json!(free), || {
                format!("the lowest free slot is {lowest} and not {free:?}")
            })?;
        }
        for (job, known) in self.jobs.iter().zip(&self.model.jobs).filter(|(_, known)| known.is_live()) {
            let jobs = told("jobs").and_then(Value::as_array).into_iter().flatten();
            let calls: Vec<_> = jobs
                .filter(|told| told["job_id"] == json!(job.id))
                .map(|told| told["open_calls"].clone())
                .collect();
            equal(&format!("open calls of job {}", job.id), &calls, &vec![json!(known.calls())])?;
        }
        Ok(())
    }
}
