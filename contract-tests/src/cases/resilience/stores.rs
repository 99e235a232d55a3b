//! MongoDB and RabbitMQ: a Deployment, whose pods have other names each time, and a StatefulSet, whose pod comes back.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use super::{Bystander, NEEDS, accepted, only, past, until_replaced};
use crate::bodies::light;
use crate::case::{Capability, Case, Tag};
use crate::cases::kubernetes::outages::{refusal, until_refused};
use crate::failure::{Failure, holds};
use crate::objects::{name, uid};
use crate::story::Story;
use crate::workload::{READY, SECOND, Workload};

pub(in crate::cases) static CASES: &[Case] = &[
    Case {
        id: "resilience/resilience-mongodb",
        claim: "MongoDB that is deleted, scaled down or restarted comes back under another name, and jobs run on meanwhile",
        keys: &["PZ-14715", "PZ-14716", "PZ-14717", "PZ-14718", "PZ-14719", "PZ-14720"],
        tags: &[Tag::Regression, Tag::Long],
        needs: NEEDS,
        steps: &[
            "configure Light and read stream 0",
            "delete the pod of mongodb; scale mongodb to 0 and to 1; restart it by an annotation of its template",
            "each time configure Light over the last hour, while it is away and when it is back",
            "read on; GET /metadata",
        ],
        expects: "a pod of another name within 60 s, ready within 120 s, none within 60 s at 0; 503 RECORDINGS_UNAVAILABLE \
                  while it is away, 200 afterwards; frames from the same pod of the job",
        body: |story| Box::pin(resilience_mongodb(story)),
    },
    Case {
        id: "resilience/resilience-rabbitmq",
        claim: "the pod of the broker comes back under its own name after a gap, and jobs run on meanwhile",
        keys: &["PZ-14721", "PZ-14722", "PZ-14723", "PZ-14724", "PZ-14725", "PZ-14726"],
        tags: &[Tag::Regression, Tag::Long],
        needs: NEEDS,
        steps: &[
            "configure Light and read stream 0",
            "delete pod rabbitmq-panda-0 and look for it every second; scale rabbitmq-panda to 0 and to 1",
            "each time configure Light while it is away and when it is back",
            "read on; GET /metadata",
        ],
        expects: "404 for at least 6 s, then the same name with another uid, ready within 120 s; none within 60 s at 0; 503 \
                  BROKER_UNAVAILABLE while it is away, 200 afterwards; frames from the same pod of the job",
        body: |story| Box::pin(resilience_rabbitmq(story)),
    },
];

/// A request that a workload which is away lets nobody have.
async fn is_refused(story: &Story, away: Workload, body: &Value) -> Result<(), Failure> {
    until_refused(story, away, body).await?;
    let refused = story.nothing_new(story.post("/configure", body)).await?;
    refused.is_refused(&refusal(away))?;
    Ok(())
}

async fn resilience_mongodb(story: &Story) -> Result<(), Failure> {
    const STORE: Workload = Workload::MongoDb;
    let before = story.until_settled(STORE, READY).await?;
    let bystander = Bystander::of(story).await?;
    let past = past(story).await?;
    let first = only(&before)?;
    story.cluster()?.delete::<Pod>(&name(&first)).await?;
    // On a cluster of its own time the new pod may be ready before anybody can ask.
    if story.offers(Capability::Clock) {
        is_refused(story, STORE, &past).await?;
    }
    let second = until_replaced(story, STORE, &first).await?;
    accepted(story, &past).await?;
    story.scale(STORE, 0).await?;
    is_refused(story, STORE, &past).await?;
    story.until_empty(STORE).await?;
    story.scale(STORE, 1).await?;
    let third = until_replaced(story, STORE, &second).await?;
    accepted(story, &past).await?;
    story.restart(STORE).await?;
    until_replaced(story, STORE, &third).await?;
    accepted(story, &past).await?;
    let after = story.standing(STORE).await?;
    holds(after.generations.0 >= before.generations.0 + 3, || {
        let (before, after) = (before.generations.0, after.generations.0);
        format!("metadata.generation of mongodb went from {before} to {after} in three changes")
    })?;
    bystander.ends_unaffected(story).await
}

/// How long the pod of a StatefulSet is absent at least.
const GAP: Duration = Duration::from_secs(6);

async fn resilience_rabbitmq(story: &Story) -> Result<(), Failure> {
    const BROKER: Workload = Workload::RabbitMq;
    let first = only(&story.until_settled(BROKER, READY).await?)?;
    let bystander = Bystander::of(story).await?;
    let (cluster, pod) = (story.cluster()?, name(&first));
    cluster.delete::<Pod>(&pod).await?;
    if story.offers(Capability::Clock) {
        is_refused(story, BROKER, &light()).await?;
    }
    let until = async |there: bool| {
        let asked = story.awaited(SECOND, READY, async || {
            let found = cluster.find::<Pod>(&pod).await?;
            // The one that is about to go is not the one that comes.
            let as_wanted = match &found {
                Some(found) => there && uid(found) != uid(&first),
                None => !there,
            };
            let wanted = if there { "come back" } else { "gone" };
            Ok((!as_wanted).then(|| format!("pod {pod} that was deleted has not {wanted}")))
        });
        asked.await
    };
    until(false).await?;
    let gap = until(true).await?;
    holds(gap >= GAP, || {
        format!("pod {pod} came back after {} s, before {} s", gap.as_secs(), GAP.as_secs())
    })?;
    let second = only(&story.until_settled(BROKER, READY).await?)?;
    holds(name(&second) == pod, || format!("the pod of a StatefulSet came back as {}", name(&second)))?;
    accepted(story, &light()).await?;
    story.scale(BROKER, 0).await?;
    is_refused(story, BROKER, &light()).await?;
    story.until_empty(BROKER).await?;
    story.scale(BROKER, 1).await?;
    let third = only(&story.until_settled(BROKER, READY).await?)?;
    holds(name(&third) == pod && uid(&third) != uid(&second), || {
        format!("pod {pod} {} came back as {} {}", uid(&second), name(&third), uid(&third))
    })?;
    accepted(story, &light()).await?;
    bystander.ends_unaffected(story).await
}
