//! What a job is in the cluster, as the Kubernetes API shows it: on any cluster, without a word about the server's inside.
//!
//! What the contract only chose where nobody knows (the name of a container, the registry of an image) is not asked here.

pub(super) mod by_hand;
pub(super) mod command;
pub(super) mod conflicts;
pub(super) mod endings;
pub(super) mod lifecycle;
pub(super) mod logs;
pub(super) mod outages;
pub(super) mod rollback;
pub(super) mod workloads;

use std::time::Duration;

use crate::case::Capability;
use crate::failure::Failure;
use crate::job::Job;
use crate::objects::{cleanup_job, grpc_job};
use crate::story::Story;
use crate::workload::SECOND;

/// What nearly all of them need.
const NEEDS: &[Capability] = &[Capability::Writes, Capability::K8s];

/// How long a cancelled job may keep its objects.
const GONE: Duration = Duration::from_secs(5);

/// How long a pod may take until it is ready.
pub(in crate::cases) const STARTED: Duration = Duration::from_secs(30);

/// Words that monitors take for a failure.
const FAILURES: [&str; 8] =
    ["error", "exception", "failed", "timeout", "panic", "fatal", "crash", "traceback"];

/// Waits until both pods of a job run.
async fn until_started(story: &Story, job: &Job) -> Result<(), Failure> {
    for app in [grpc_job(&job.id), cleanup_job(&job.id)] {
        story.until_running(&app, STARTED).await?;
    }
    Ok(())
}

/// Waits until the jobs of cases before have given back their slots. A server that tells about slots begins anew for each
/// case; of any other, the time that it has for that must pass.
async fn until_slots_are_back(story: &Story) -> Result<(), Failure> {
    let told = story.world().await?.is_some();
    story.pass(if told { Duration::ZERO } else { GONE }).await
}

/// Waits until nothing is left of a cancelled job in its cluster, and its slot is free.
async fn until_free(story: &Story, job: &Job) -> Result<(), Failure> {
    story.until_cluster_forgets(job, GONE).await?;
    story.until_gone(job, SECOND, SECOND).await?;
    until_slots_are_back(story).await
}

/// Demands that a log tells of no failure.
fn clean(what: &str, log: &str) -> Result<(), Failure> {
    if log.trim().is_empty() {
        return Err(Failure::broken(format!("the log of {what} is empty")));
    }
    for line in log.lines() {
        let lower = line.to_lowercase();
        if let Some(word) = FAILURES.iter().find(|word| lower.contains(**word)) {
            return Err(Failure::broken(format!("the log of {what} says {word:?}: {line}")));
        }
    }
    // Known clients take a body for JSON if it is.
    if serde_json::from_str::<serde_json::Value>(log).is_ok() {
        return Err(Failure::broken(format!("the log of {what} is a JSON value: {log}")));
    }
    Ok(())
}
