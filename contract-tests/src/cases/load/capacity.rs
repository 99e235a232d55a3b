//! Jobs in numbers, fired together: from one to forty.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use super::{Load, SECOND, differ, ids, jobs, sized};
use crate::capacity::plan::payload;
use crate::case::{Capability, Case, Tag};
use crate::client::kube::Pick;
use crate::failure::{Failure, equal, holds};
use crate::objects::{belongs, name};
use crate::story::Story;
use crate::tally::Bound::Below;
use crate::tally::Tally;

const TAGS: &[Tag] = &[Tag::Load, Tag::Nightly];
const NEEDS: &[Capability] = &[Capability::Writes];

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "load/baseline",
        claim: "one job of 50 channels is created in less than a second",
        keys: &[],
        tags: TAGS,
        needs: NEEDS,
        steps: &["configure 50 channels with NFFT 1024", "cancel it"],
        expects: "200 with all invariants, in less than 1000 ms",
        body: |story| Box::pin(baseline(story)),
    },
    Case {
        id: "load/linear",
        claim: "5, then 10 jobs at a time are carried on the way to 20 and 30",
        keys: &[],
        tags: TAGS,
        needs: NEEDS,
        steps: &[
            "5, 10, 20, 30 light configures at once, 5 s apart, those of a level cancelled before the next",
            "stop behind a level of which less than 90 % succeed",
        ],
        expects: "at least 90 % of 5 and of 10",
        body: |story| Box::pin(linear(story)),
    },
    Case {
        id: "load/stress-40",
        claim: "most of 40 jobs at a time are created",
        keys: &["PZ-13986", "PZ-13268"],
        tags: TAGS,
        needs: NEEDS,
        steps: &["40 light configures over 30 workers", "cancel all"],
        expects: "more than 50 % succeed, each job with an id and a port of its own",
        body: |story| Box::pin(stress(story)),
    },
    Case {
        id: "load/heavy-10",
        claim: "10 heavy jobs at a time are created",
        keys: &[],
        tags: TAGS,
        needs: NEEDS,
        steps: &["10 configures of 200 channels with NFFT 2048 over 5 workers", "cancel all"],
        expects: "at least 80 % succeed, each job with an id and a port of its own",
        body: |story| Box::pin(heavy(story)),
    },
    Case {
        id: "load/recovery",
        claim: "half a minute after 20 jobs at a time a job is created as fast as ever",
        keys: &[],
        tags: TAGS,
        needs: NEEDS,
        steps: &["20 light configures at once, all cancelled", "30 s", "one light configure"],
        expects: "200 with all invariants, in less than 1000 ms",
        body: |story| Box::pin(recovery(story)),
    },
    Case {
        id: "load/cleanup",
        claim: "nothing is left of jobs a minute after their streams were closed, though nobody cancels them",
        keys: &[],
        tags: TAGS,
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &["10 light configures at once", "read a frame of each job and leave", "wait at most 60 s"],
        expects: "INV-GONE for each job within 60 s",
        body: |story| Box::pin(cleanup(story)),
    },
    Case {
        id: "load/pod-explosion",
        claim: "a run leaves the cluster no more pods than its jobs have",
        keys: &[],
        tags: TAGS,
        needs: &[Capability::Writes, Capability::K8s],
        steps: &[
            "count the grpc-job pods",
            "20 light configures at once, count again",
            "cancel all, and count again",
        ],
        expects: "one grpc-job pod of each job while they live, none afterwards; at most 100 more of others than before",
        body: |story| Box::pin(pod_explosion(story)),
    },
];

/// One configure, which must succeed in less than a second; it is cancelled.
async fn one(load: &Load<'_>, body: Value) -> Result<(), Failure> {
    let shots = load.configure(1, 1, body).await?;
    let tally = Tally::of("one configure", &shots);
    load.story.note(tally.shown());
    tally.all()?;
    tally.mean(Below(1000.0))?;
    load.end(ids(&jobs(&shots))).await
}

async fn baseline(story: &Story) -> Result<(), Failure> {
    one(&Load::of(story), sized(50, 1024)).await
}

async fn linear(story: &Story) -> Result<(), Failure> {
    let load = Load::of(story);
    for (level, what) in [
        (5, "5 configures at once"),
        (10, "10 configures at once"),
        (20, "20 configures at once"),
        (30, "30 configures at once"),
    ] {
        if level > 5 {
            load.pacer.pass(SECOND * 5).await?;
        }
        let shots = load.configure(level, level, payload()).await?;
        let tally = Tally::of(what, &shots);
        story.note(tally.shown());
        differ(&jobs(&shots))?;
        let carried = tally.at_least(0.9);
        load.end(ids(&jobs(&shots))).await?;
        // What is beyond 10 is worth knowing, and no demand.
        if let (Err(failure), true) = (&carried, level > 10) {
            story.note(format!("stopped at {level}: {failure}"));
            return Ok(());
        }
        carried?;
    }
    Ok(())
}

async fn stress(story: &Story) -> Result<(), Failure> {
    let load = Load::of(story);
    let shots = load.configure(40, 30, payload()).await?;
    let tally = Tally::of("40 configures over 30 workers", &shots);
    story.note(tally.shown());
    tally.more_than(0.5)?;
    differ(&jobs(&shots))?;
    load.end(ids(&jobs(&shots))).await
}

async fn heavy(story: &Story) -> Result<(), Failure> {
    let load = Load::of(story);
    let shots = load.configure(10, 5, sized(200, 2048)).await?;
    let tally = Tally::of("10 heavy configures over 5 workers", &shots);
    story.note(tally.shown());
    tally.at_least(0.8)?;
    differ(&jobs(&shots))?;
    load.end(ids(&jobs(&shots))).await
}

async fn recovery(story: &Story) -> Result<(), Failure> {
    let load = Load::of(story);
    let shots = load.configure(20, 20, payload()).await?;
    story.note(Tally::of("20 configures at once", &shots).shown());
    load.end(ids(&jobs(&shots))).await?;
    load.pacer.pass(SECOND * 30).await?;
    one(&load, payload()).await
}

async fn cleanup(story: &Story) -> Result<(), Failure> {
    const LIMIT: Duration = Duration::from_secs(60);
    let load = Load::of(story);
    let shots = load.configure(10, 10, payload()).await?;
    Tally::of("10 configures at once", &shots).all()?;
    let jobs = jobs(&shots);
    for job in &jobs {
        story.stream(job, 0).await?.frame().await?;
    }
    for job in &jobs {
        // The sweep counts from when the server has noticed.
        story.until_open_calls(job, 0).await?;
    }
    let left = load.until_gone(ids(&jobs), LIMIT).await?;
    holds(left.is_empty(), || {
        format!(
            "{} of 10 jobs are still there 60 s after their streams were closed: {}",
            left.len(),
            left.join(", ")
        )
    })?;
    for job in &jobs {
        let remains = story.remains(job).await?;
        equal(&format!("what is left of job {}", job.id), &remains, &Vec::new())?;
    }
    Ok(())
}

/// The pods that stream, by name.
async fn grpc_pods(story: &Story) -> Result<Vec<String>, Failure> {
    let pods = story.cluster()?.list::<Pod>(&Pick::all()).await?;
    Ok(pods.items.iter().map(name).filter(|name| name.starts_with("grpc-job-")).collect())
}

async fn pod_explosion(story: &Story) -> Result<(), Failure> {
    const JOBS: usize = 20;
    const MORE: usize = 100;
    let load = Load::of(story);
    let before = grpc_pods(story).await?.len();
    let shots = load.configure(JOBS, JOBS, payload()).await?;
    Tally::of("20 configures at once", &shots).all()?;
    let jobs = jobs(&shots);
    let others =
        |pods: &[String]| pods.iter().filter(|pod| !jobs.iter().any(|job| belongs(pod, &job.id))).count();
    let during = grpc_pods(story).await?;
    let many = |others: usize, when: &str| {
        holds(others <= before + MORE, || {
            format!(
                "{others} grpc-job pods {when} belong to no job of the run, {before} did before it: {MORE} more are the most"
            )
        })
    };
    many(others(&during), "while its jobs live")?;
    equal("the number of pods of the run's jobs", &(during.len() - others(&during)), &JOBS)?;
    load.end(ids(&jobs)).await?;
    let after = grpc_pods(story).await?;
    many(others(&after), "after its jobs")?;
    equal("the number of pods of jobs that are gone", &(after.len() - others(&after)), &0)
}
