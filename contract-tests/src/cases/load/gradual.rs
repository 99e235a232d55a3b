//! More and more jobs, step by step.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::flow::{FRAMES, Flows, INTERVAL, Playing, WINDOW_S};
use super::{Load, SECOND, differ, ids, jobs};
use crate::bodies::historic;
use crate::capacity::plan::payload;
use crate::case::{Capability, Case, Tag};
use crate::client::grpc::{Next, Reading};
use crate::failure::{Failure, holds};
use crate::job::Job;
use crate::story::Story;

const NEEDS: &[Capability] = &[Capability::Writes, Capability::Grpc];

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "load/gradual-live",
        claim: "live jobs can be added two by two up to ten, and all of them go on streaming",
        keys: &["PZ-15374"],
        tags: &[Tag::Load],
        needs: NEEDS,
        steps: &["2 more light configures every 5 s, up to 10 jobs", "a stream of each stays open"],
        expects: "at least 3 steps and 6 jobs; in each step at least five frames of every job",
        body: |story| Box::pin(live(story, &QUICK)),
    },
    Case {
        id: "load/gradual-live-100",
        claim: "live jobs can be added five by five up to a hundred, and they go on streaming",
        keys: &[],
        tags: &[Tag::Load, Tag::Nightly],
        needs: NEEDS,
        steps: &["5 more light configures every 10 s, up to 100 jobs", "a stream of each stays open"],
        expects: "production / other: 70 % of the steps have at least 85/70 % of their jobs, each with five frames or \
                  more; at least 80 jobs; three bad steps in a row end it",
        body: |story| Box::pin(live(story, &FULL)),
    },
    Case {
        id: "load/gradual-historic",
        claim: "historic jobs can be added two by two up to ten, and each plays to its end",
        keys: &[],
        tags: &[Tag::Load],
        needs: NEEDS,
        steps: &[
            "2 more light configures over 20 minutes every 10 s, up to 10 jobs",
            "each is read to its end",
        ],
        expects: "at least 70 % of the steps healthy, at least 6 jobs, at least 90 % gone at the end",
        body: |story| Box::pin(played(story, &QUICK)),
    },
    Case {
        id: "load/gradual-historic-100",
        claim: "historic jobs can be added five by five up to a hundred, and they play to their ends",
        keys: &["PZ-15317", "PZ-15318", "PZ-15319", "PZ-15320"],
        tags: &[Tag::Load, Tag::Nightly],
        needs: NEEDS,
        steps: &[
            "5 more light configures over 20 minutes every 10 s, up to 100 jobs",
            "each is read to its end",
        ],
        expects: "at least 70 % of the steps healthy, at least 80 jobs, at least 90 % gone at the end",
        body: |story| Box::pin(played(story, &FULL)),
    },
];

/// How jobs are added.
struct Ladder {
    more: usize,
    up_to: usize,
    step: Duration,
    least_steps: usize,
    least_jobs: usize,
}

const QUICK: Ladder =
    Ladder { more: 2, up_to: 10, step: Duration::from_secs(5), least_steps: 3, least_jobs: 6 };
const FULL: Ladder =
    Ladder { more: 5, up_to: 100, step: Duration::from_secs(10), least_steps: 3, least_jobs: 80 };
/// How many bad steps in a row end it.
const MOST_BAD: usize = 3;
/// Share of the steps that must be healthy.
const HEALTHY_STEPS: f64 = 0.7;

/// What came of the steps.
#[derive(Default)]
struct Climb {
    steps: usize,
    healthy: usize,
    bad_in_a_row: usize,
    reached: usize,
    first_trouble: Option<String>,
}

impl Climb {
    fn step(&mut self, well: usize, of: usize, share: f64, trouble: Option<String>) {
        self.steps += 1;
        let healthy = of > 0 && part(well, of) >= share;
        self.healthy += usize::from(healthy);
        self.bad_in_a_row = if healthy { 0 } else { self.bad_in_a_row + 1 };
        self.first_trouble = self.first_trouble.take().or(trouble);
    }

    fn held(&self, ladder: &Ladder) -> Result<(), Failure> {
        let first = self
            .first_trouble
            .as_deref()
            .map_or_else(String::new, |first| format!("; first trouble: {first}"));
        let Self { steps, healthy, reached, .. } = self;
        holds(part(*healthy, *steps) >= HEALTHY_STEPS, || {
            format!("{healthy} of {steps} steps were healthy, at least 70 % must be{first}")
        })?;
        holds(*steps >= ladder.least_steps, || {
            format!("{steps} steps, at least {} wanted{first}", ladder.least_steps)
        })?;
        holds(*reached >= ladder.least_jobs, || {
            format!("{reached} jobs were reached, at least {} wanted{first}", ladder.least_jobs)
        })
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of jobs are far below 2^53")]
fn part(some: usize, of: usize) -> f64 {
    some as f64 / of as f64
}

/// What a reader has seen.
#[derive(Clone, Debug, Default)]
struct Seen {
    frames: usize,
    trouble: Option<String>,
}

/// A job whose first stream is read as long as the case goes on.
struct Read {
    job: Job,
    seen: watch::Receiver<Seen>,
    /// How many frames there were when the step began.
    before: usize,
}

impl Read {
    fn frames(&self) -> usize {
        self.seen.borrow().frames - self.before
    }

    /// Waits until so many frames came in this step, or none will come any more: a reader gives up by itself.
    async fn until(&mut self, frames: usize) {
        let enough = self.before + frames;
        // A reader that is gone has told its last.
        let _ = self.seen.wait_for(|seen| seen.frames >= enough || seen.trouble.is_some()).await;
    }

    fn trouble(&self) -> Option<String> {
        let seen = self.seen.borrow();
        let few = || {
            let (id, frames) = (&self.job.id, self.frames());
            (frames < FRAMES)
                .then(|| format!("job {id} sent {frames} frames in a step, {FRAMES} are the least"))
        };
        seen.trouble.clone().or_else(few)
    }
}

async fn read_on(mut reading: Reading, tell: watch::Sender<Seen>) {
    loop {
        let trouble = match reading.next().await {
            Ok(Next::Frame(_)) => {
                tell.send_modify(|seen| seen.frames += 1);
                continue;
            }
            Ok(Next::End(status)) => format!("stream 0 ended: {status}"),
            Err(failure) => failure.what,
        };
        tell.send_modify(|seen| seen.trouble = Some(trouble));
        return;
    }
}

async fn live(story: &Story, ladder: &Ladder) -> Result<(), Failure> {
    let load = Load::of(story);
    // The quick one demands five frames of each job; the full one lets some jobs fail.
    let share = if ladder.up_to == QUICK.up_to { 1.0 } else { load.either(0.85, 0.70) };
    let (mut climb, mut reads, mut reading) = (Climb::default(), Vec::new(), JoinSet::new());
    let mut all = Vec::new();
    while climb.steps * ladder.more < ladder.up_to && climb.bad_in_a_row < MOST_BAD {
        let began = load.pacer.passed();
        let shots = load.configure(ladder.more, ladder.more, payload()).await?;
        let mut trouble = shots.iter().find_map(|shot| shot.value.as_ref().err().map(ToString::to_string));
        let wanted = reads.len() + ladder.more;
        for read in &mut reads {
            let Read { seen, before, .. } = read;
            *before = seen.borrow().frames;
        }
        for job in jobs(&shots) {
            all.push(job.clone());
            let (tell, seen) = watch::channel(Seen::default());
            match story.stream(&job, 0).await {
                Ok(opened) => drop(reading.spawn(read_on(opened, tell))),
                Err(failure) => tell.send_modify(|seen| seen.trouble = Some(failure.what)),
            }
            reads.push(Read { job, seen, before: 0 });
        }
        stream(&load, &mut reads).await?;
        load.pacer.pass((began + ladder.step).saturating_sub(load.pacer.passed())).await?;
        trouble = trouble.or_else(|| reads.iter().find_map(Read::trouble));
        // Whoever has failed once is not counted again.
        reads.retain(|read| read.trouble().is_none());
        climb.step(reads.len(), wanted, share, trouble);
        climb.reached = climb.reached.max(reads.len());
    }
    drop(reading);
    story.note(format!(
        "{} of {} steps healthy, {} jobs at a time",
        climb.healthy, climb.steps, climb.reached
    ));
    climb.held(ladder)?;
    differ(&all)?;
    load.end(ids(&all)).await
}

/// Lets the frames of a step come: on a held clock one for each move.
async fn stream(load: &Load<'_>, reads: &mut [Read]) -> Result<(), Failure> {
    for frames in 1..=FRAMES {
        load.pacer.pass(INTERVAL).await?;
        if load.pacer.is_held() {
            join_all(reads.iter_mut().map(|read| read.until(frames))).await;
        }
    }
    Ok(())
}

async fn played(story: &Story, ladder: &Ladder) -> Result<(), Failure> {
    const STEP: Duration = Duration::from_secs(10);
    let load = Load::of(story);
    let mut climb = Climb::default();
    let (mut ids, mut flows) = (Vec::new(), Flows::default());
    while climb.steps * ladder.more < ladder.up_to && climb.bad_in_a_row < MOST_BAD {
        let began = load.pacer.passed();
        let start = story.now().await? - 3600;
        let body = historic(payload(), start, start + WINDOW_S);
        let before = flows.succeeded();
        ids.extend(flows.walk(&load, ladder.more, &body, Playing::Historic).await?);
        let well = flows.succeeded() - before;
        climb.step(well, ladder.more, load.either(0.90, 0.75), flows.trouble());
        climb.reached += well;
        load.pacer.pass((began + STEP).saturating_sub(load.pacer.passed())).await?;
    }
    let created = ids.len();
    let left = load.cancel(ids).await?;
    story.note(format!(
        "{} of {} steps healthy, {} jobs played out",
        climb.healthy, climb.steps, climb.reached
    ));
    climb.held(ladder)?;
    holds(part(created - left.len(), created) >= 0.9, || {
        format!(
            "{} of {created} jobs are still there a minute after they were cancelled, at least 90 % must be gone",
            left.len()
        )
    })?;
    load.pacer.pass(SECOND).await
}
