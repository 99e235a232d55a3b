//! Outages that come about as people provoke them: by scaling a workload to nothing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::Refused;
use crate::bodies::{historic, light};
use crate::case::{Capability, Case, Tag};
use crate::failure::{Failure, holds};
use crate::story::Story;
use crate::workload::{EMPTY, READY, SECOND, Workload};

const NEEDS: &[Capability] = &[Capability::Writes, Capability::K8s];

pub(in crate::cases) static CASES: &[Case] = &[
    Case {
        id: "kubernetes/mongo-outage",
        claim: "while mongodb is scaled to 0 recordings are unavailable, at once and clearly, and nothing else is",
        keys: &["PZ-13767", "PZ-13603", "PZ-13604", "PZ-13687", "PZ-13640"],
        tags: &[Tag::Regression, Tag::Long],
        needs: NEEDS,
        steps: &[
            "configure Light, live; scale mongodb to 0",
            "configure Light over the last hour three times, POST /recordings_in_time_range, GET /get_recordings_timeline",
            "configure Light, live; metadata of the first job",
            "scale mongodb to 1, wait until its pod is ready, configure Light over the last hour",
        ],
        expects: "503 RECORDINGS_UNAVAILABLE with retry-after 1, under 50 ms, no trace; 200 for all else; no pod within 60 s; \
                  ready within 120 s, then 200 for all",
        body: |story| Box::pin(mongo_outage(story)),
    },
    Case {
        id: "kubernetes/rabbit-outage",
        claim: "while rabbitmq-panda is scaled to 0 no job is created, and running ones go on",
        keys: &["PZ-13768", "PZ-13602"],
        tags: &[Tag::Regression, Tag::Long],
        needs: NEEDS,
        steps: &[
            "configure Light; scale rabbitmq-panda to 0",
            "configure Light, live and over the last hour; metadata of the first job, recordings",
            "scale it to 1, wait until its pod is ready, configure Light",
        ],
        expects: "503 BROKER_UNAVAILABLE with retry-after 1 twice, no trace; 200 for all else; 200 as soon as it is ready",
        body: |story| Box::pin(rabbit_outage(story)),
    },
];

/// What an outage is answered with.
pub(in crate::cases) fn refusal(of: Workload) -> Refused<'static> {
    match of {
        Workload::MongoDb => {
            Refused::outage("RECORDINGS_UNAVAILABLE", "Recordings are unavailable: MongoDB is unavailable")
        }
        Workload::RabbitMq => {
            Refused::outage("BROKER_UNAVAILABLE", "Message broker is unavailable: RabbitMQ is unavailable")
        }
        Workload::FocusServer | Workload::Recorder => {
            Refused::outage("SERVER_DOWN", "Focus Server is unavailable")
        }
    }
}

/// Waits until a request is refused for an outage: at once on a clock that is held, and elsewhere as soon as the last pod
/// is gone.
pub(in crate::cases) async fn until_refused(
    story: &Story,
    of: Workload,
    body: &Value,
) -> Result<(), Failure> {
    let limit = if story.offers(Capability::Clock) { Duration::ZERO } else { EMPTY };
    let refusal = refusal(of);
    story
        .awaited(SECOND, limit, async || {
            let answer = story.post("/configure", body).await?;
            match answer.is_refused(&refusal) {
                Ok(_) => Ok(None),
                // A job that was created after all goes with the others at the end of the story.
                Err(failure) if limit.is_zero() => Err(failure),
                Err(failure) => Ok(Some(format!("{} is down, but: {}", of.name(), failure.what))),
            }
        })
        .await
        .map(drop)
}

async fn mongo_outage(story: &Story) -> Result<(), Failure> {
    story.until_settled(Workload::MongoDb, READY).await?;
    let first = story.configure(&light()).await?;
    let now = story.now().await?;
    let past = historic(light(), now - 3600, now);
    let window = json!({"start_time": now - 3600, "end_time": now});
    story.scale(Workload::MongoDb, 0).await?;
    until_refused(story, Workload::MongoDb, &past).await?;
    let refusal = refusal(Workload::MongoDb);
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let refused = story.nothing_new(story.post("/configure", &past)).await?;
        refused.is_refused(&refusal)?;
        fastest = fastest.min(refused.0.took);
    }
    holds(fastest < Duration::from_millis(50), || format!("the fastest of three refusals took {fastest:?}"))?;
    story.post("/recordings_in_time_range", &window).await?.is_refused(&refusal)?;
    story.get("/get_recordings_timeline").await?.is_refused(&refusal)?;
    let second = story.configure(&light()).await?;
    story.metadata(&first.id).await?.is_json(&first.answer.json()?)?;
    // A real server sweeps jobs that nobody reads.
    story.cancel(&first).await?;
    story.cancel(&second).await?;
    story.until_empty(Workload::MongoDb).await?;
    story.scale(Workload::MongoDb, 1).await?;
    story.until_settled(Workload::MongoDb, READY).await?;
    let third = story.configure(&past).await?;
    story.post("/recordings_in_time_range", &window).await?.has_status(200)?;
    story.get("/get_recordings_timeline").await?.has_status(200)?;
    story.cancel(&third).await?;
    Ok(())
}

async fn rabbit_outage(story: &Story) -> Result<(), Failure> {
    story.until_settled(Workload::RabbitMq, READY).await?;
    let first = story.configure(&light()).await?;
    let now = story.now().await?;
    story.scale(Workload::RabbitMq, 0).await?;
    until_refused(story, Workload::RabbitMq, &light()).await?;
    for body in [light(), historic(light(), now - 3600, now)] {
        let refused = story.nothing_new(story.post("/configure", &body)).await?;
        refused.is_refused(&refusal(Workload::RabbitMq))?;
    }
    story.metadata(&first.id).await?.is_json(&first.answer.json()?)?;
    let window = json!({"start_time": now - 3600, "end_time": now});
    story.post("/recordings_in_time_range", &window).await?.has_status(200)?;
    story.cancel(&first).await?;
    story.until_empty(Workload::RabbitMq).await?;
    story.scale(Workload::RabbitMq, 1).await?;
    story.until_settled(Workload::RabbitMq, READY).await?;
    let second = story.configure(&light()).await?;
    story.cancel(&second).await?;
    Ok(())
}
