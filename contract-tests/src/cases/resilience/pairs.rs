//! Two workloads away at a time, and both orders in which they can come back.

use super::{accepted, past, until_it_answers};
use crate::bodies::light;
use crate::case::{Capability, Case, Tag};
use crate::cases::kubernetes::outages::refusal;
use crate::failure::Failure;
use crate::story::Story;
use crate::workload::{READY, Workload};

pub(in crate::cases) static CASES: &[Case] = &[Case {
    id: "resilience/resilience-pairs",
    claim: "two workloads that were away at a time come back in either order, and then everything works",
    keys: &["PZ-14738", "PZ-14739", "PZ-14740", "PZ-14741", "PZ-14742", "PZ-14743", "PZ-14744"],
    tags: &[Tag::Regression, Tag::Long],
    needs: &[Capability::Writes, Capability::K8s],
    steps: &[
        "each pair of focus server, recorder, mongodb and rabbitmq-panda, twice: scale both to 0, wait until they are empty",
        "scale one to 1 and wait until it is ready: what the other refuses is still refused; then the other",
        "GET /ack; configure Light, live and over the last hour",
    ],
    expects: "each ready within 120 s; 503 as long as one is away; /ack 200 within 60 s and 200 with all invariants at the end",
    body: |story| Box::pin(resilience_pairs(story)),
}];

async fn resilience_pairs(story: &Story) -> Result<(), Failure> {
    for workload in Workload::ALL {
        story.until_settled(workload, READY).await?;
    }
    for (place, first) in Workload::ALL.into_iter().enumerate() {
        for second in Workload::ALL.into_iter().skip(place + 1) {
            for [earlier, later] in [[first, second], [second, first]] {
                let names = format!("{}, then {}", earlier.name(), later.name());
                recovered(story, earlier, later)
                    .await
                    .map_err(|failure| Failure { what: format!("{names}: {}", failure.what), ..failure })?;
            }
        }
    }
    Ok(())
}

async fn recovered(story: &Story, earlier: Workload, later: Workload) -> Result<(), Failure> {
    for workload in [earlier, later] {
        story.scale(workload, 0).await?;
    }
    for workload in [earlier, later] {
        story.until_empty(workload).await?;
    }
    story.scale(earlier, 1).await?;
    story.until_settled(earlier, READY).await?;
    match later {
        // The server is there without it.
        Workload::Recorder => until_it_answers(story).await?,
        Workload::FocusServer => {
            story.get("/ack").await?.is_refused(&refusal(later))?;
        }
        Workload::MongoDb | Workload::RabbitMq => {
            until_it_answers(story).await?;
            let body = past(story).await?;
            story.nothing_new(story.post("/configure", &body)).await?.is_refused(&refusal(later))?;
        }
    }
    story.scale(later, 1).await?;
    story.until_settled(later, READY).await?;
    until_it_answers(story).await?;
    accepted(story, &light()).await?;
    accepted(story, &past(story).await?).await
}
