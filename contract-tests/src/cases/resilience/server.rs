//! The Focus Server itself, and the recorder.

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::{Bystander, NEEDS, accepted, only, past, until_it_answers, until_replaced};
use crate::bodies::light;
use crate::case::{Capability, Case, Tag};
use crate::cases::kubernetes::outages::refusal;
use crate::failure::{Failure, equal, holds};
use crate::objects::name;
use crate::story::Story;
use crate::workload::{EMPTY, READY, SECOND, Workload};

pub(in crate::cases) static CASES: &[Case] = &[
    Case {
        id: "resilience/resilience-focus",
        claim: "a focus server that is scaled down says so and comes back, and jobs outlive it",
        keys: &["PZ-14727", "PZ-14728", "PZ-14729", "PZ-14730", "PZ-14731", "PZ-14732"],
        tags: &[Tag::Regression, Tag::Long],
        needs: NEEDS,
        steps: &[
            "configure Light and read stream 0",
            "delete the pod of panda-panda-focus-server; scale it to 0: GET /ack, configure Light; scale it to 1; restart it",
            "each time wait until GET /ack is 200, and configure Light",
            "read on; GET /metadata",
        ],
        expects: "503 SERVER_DOWN with retry-after 1 at 0, no pod within 60 s; a pod of another name, 200 within 60 s; frames \
                  from the same pod of the job, and its metadata",
        body: |story| Box::pin(resilience_focus(story)),
    },
    Case {
        id: "resilience/resilience-segy",
        claim: "without the recorder the server answers as ever, and the newest recording ends where it stopped",
        keys: &["PZ-14733", "PZ-14734", "PZ-14735", "PZ-14736", "PZ-14737"],
        tags: &[Tag::Regression, Tag::Long],
        needs: NEEDS,
        steps: &[
            "configure Light and read stream 0",
            "delete the pod of panda-panda-segy-recorder; scale it to 0",
            "GET /ack, /channels, /live_metadata, configure Light, live and over the last hour",
            "the end of the newest recording, now and a minute later; scale it to 1",
        ],
        expects: "200 for all; the newest recording has an end, which is the same a minute later; it goes on afterwards",
        body: |story| Box::pin(resilience_segy(story)),
    },
];

async fn resilience_focus(story: &Story) -> Result<(), Failure> {
    const SERVER: Workload = Workload::FocusServer;
    let before = story.until_settled(SERVER, READY).await?;
    until_it_answers(story).await?;
    let bystander = Bystander::of(story).await?;
    let first = only(&before)?;
    story.cluster()?.delete::<Pod>(&name(&first)).await?;
    let second = until_replaced(story, SERVER, &first).await?;
    until_it_answers(story).await?;
    accepted(story, &light()).await?;
    story.scale(SERVER, 0).await?;
    let down = refusal(SERVER);
    let limit = if story.offers(Capability::Clock) { std::time::Duration::ZERO } else { EMPTY };
    story
        .awaited(SECOND, limit, async || {
            let status = story.get("/ack").await?.status();
            Ok((status != 503).then(|| format!("the server is scaled to 0, but GET /ack answers {status}")))
        })
        .await?;
    story.get("/ack").await?.is_refused(&down)?;
    story.nothing_new(story.post("/configure", &light())).await?.is_refused(&down)?;
    story.metadata(&bystander.job.id).await?.is_refused(&down)?;
    story.is_still(&bystander.pod).await?;
    story.until_empty(SERVER).await?;
    story.scale(SERVER, 1).await?;
    let third = until_replaced(story, SERVER, &second).await?;
    // Ready again means that it answers.
    if story.offers(Capability::Clock) {
        story.get("/ack").await?.is_empty(200)?;
    }
    until_it_answers(story).await?;
    accepted(story, &light()).await?;
    story.restart(SERVER).await?;
    until_replaced(story, SERVER, &third).await?;
    until_it_answers(story).await?;
    accepted(story, &light()).await?;
    bystander.ends_unaffected(story).await
}

async fn resilience_segy(story: &Story) -> Result<(), Failure> {
    const RECORDER: Workload = Workload::Recorder;
    let first = only(&story.until_settled(RECORDER, READY).await?)?;
    let bystander = Bystander::of(story).await?;
    story.cluster()?.delete::<Pod>(&name(&first)).await?;
    until_replaced(story, RECORDER, &first).await?;
    story.scale(RECORDER, 0).await?;
    let scaled = story.now().await?;
    story.until_empty(RECORDER).await?;
    story.get("/ack").await?.is_empty(200)?;
    for path in ["/channels", "/live_metadata"] {
        story.get(path).await?.has_status(200)?;
    }
    accepted(story, &light()).await?;
    accepted(story, &past(story).await?).await?;
    let stopped = newest(story).await?;
    let latest = scaled + i64::try_from(EMPTY.as_secs()).unwrap_or(i64::MAX);
    holds(stopped > 0 && stopped <= latest, || {
        format!("the newest recording ends at {stopped}; the recorder was stopped at {scaled}")
    })?;
    story.pass(60 * SECOND).await?;
    equal("the end of the newest recording a minute later", &newest(story).await?, &stopped)?;
    story.scale(RECORDER, 1).await?;
    story.until_settled(RECORDER, READY).await?;
    story
        .awaited(SECOND, READY, async || {
            let end = newest(story).await?;
            let goes_on = end == -1 || end > stopped;
            Ok((!goes_on).then(|| format!("the recorder is back, but the newest recording ends at {end}")))
        })
        .await?;
    bystander.ends_unaffected(story).await
}

/// The end of the newest recording of the last two hours; -1 while it goes on.
async fn newest(story: &Story) -> Result<i64, Failure> {
    let now = story.now().await?;
    let window = json!({"start_time": now - 7200, "end_time": now});
    let answer = story.post("/recordings_in_time_range", &window).await?;
    let recordings = answer.has_status(200)?.json()?;
    let newest = recordings.as_array().and_then(|all| all.last());
    let end = newest.and_then(|newest| newest.get(1)).and_then(Value::as_i64);
    end.ok_or_else(|| answer.broken("the last two hours have no recording with an end"))
}
