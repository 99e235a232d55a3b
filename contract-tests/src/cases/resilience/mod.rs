//! What the product does when its workloads are deleted, restarted and scaled: each alone, and two at a time.
//!
//! A clock that cannot be moved makes these take minutes: they are tagged long.

pub(super) mod pairs;
pub(super) mod server;
pub(super) mod stores;

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use crate::bodies::{historic, light};
use crate::case::Capability;
use crate::client::grpc::Reading;
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::objects::{grpc_job, name, uid};
use crate::story::Story;
use crate::workload::{READY, SECOND, Standing, Workload};

const NEEDS: &[Capability] = &[Capability::Writes, Capability::K8s, Capability::Grpc];

/// How long known clients wait until another pod has come for one that was deleted.
const REPLACED: Duration = Duration::from_secs(60);

/// How long they wait until the server answers again.
const ANSWERS: Duration = Duration::from_secs(60);

/// A job that runs while workloads fail. Somebody reads it, else it would be swept.
struct Bystander {
    job: Job,
    pod: Pod,
    reading: Reading,
}

impl Bystander {
    async fn of(story: &Story) -> Result<Self, Failure> {
        let job = story.configure(&light()).await?;
        let pod = story.until_running(&grpc_job(&job.id), super::kubernetes::STARTED).await?;
        let mut reading = story.stream(&job, 0).await?;
        reading.frame().await?;
        Ok(Self { job, pod, reading })
    }

    /// Demands that nothing has happened to it: the same pod, frames, its metadata; and ends it.
    async fn ends_unaffected(mut self, story: &Story) -> Result<(), Failure> {
        story.is_still(&self.pod).await?;
        story.pass(SECOND).await?;
        self.reading.frame().await?;
        story.metadata(&self.job.id).await?.has_status(200)?.is_json(&self.job.answer.json()?)?;
        story.cancel(&self.job).await?;
        Ok(())
    }
}

/// Light over the last hour.
async fn past(story: &Story) -> Result<Value, Failure> {
    let now = story.now().await?;
    Ok(historic(light(), now - 3600, now))
}

/// Demands that a configuration is accepted, and cancels it.
async fn accepted(story: &Story, body: &Value) -> Result<(), Failure> {
    let job = story.configure(body).await?;
    story.cancel(&job).await?;
    Ok(())
}

/// The only pod of a workload that is settled.
fn only(standing: &Standing) -> Result<Pod, Failure> {
    let [pod] = standing.ready_pods()[..] else {
        return Err(Failure::could_not_run(format!("the case wants one pod, not {}", standing.words())));
    };
    Ok(pod.clone())
}

/// Waits until a pod of another name has come for one of a Deployment, and is the only one and ready.
async fn until_replaced(story: &Story, workload: Workload, old: &Pod) -> Result<Pod, Failure> {
    story
        .awaited(SECOND, REPLACED, async || {
            let standing = story.standing(workload).await?;
            let new = standing.pods.iter().any(|pod| name(pod) != name(old) && uid(pod) != uid(old));
            Ok((!new).then(|| format!("no other pod has come for {}: {}", name(old), standing.words())))
        })
        .await?;
    let standing = story.until_settled(workload, READY).await?;
    let pod = only(&standing)?;
    holds(name(&pod) != name(old), || format!("pod {} is there again", name(old)))?;
    equal("restartCount of the new pod", &crate::objects::restarts(&pod), &0)?;
    Ok(pod)
}

/// Waits until GET /ack is 200 again.
async fn until_it_answers(story: &Story) -> Result<(), Failure> {
    story
        .awaited(SECOND, ANSWERS, async || {
            let answer = story.get("/ack").await?;
            Ok((answer.status() != 200).then(|| format!("GET /ack answers {}", answer.status())))
        })
        .await
        .map(drop)
}
