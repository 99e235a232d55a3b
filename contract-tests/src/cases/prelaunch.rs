//! What is checked before a job starts: ports, the fibre, the catalogue of recordings.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::NO_RECORDING;
use crate::bodies::{base, historic, light};
use crate::case::{Capability, Case, Tag};
use crate::failure::{Failure, holds};
use crate::story::Story;

pub(super) static CASES: &[Case] = &[
    Case {
        id: "prelaunch/port-availability",
        claim: "two live jobs get different ids and ports, and each port accepts connections",
        keys: &["PZ-14018", "PZ-13565", "PZ-13503"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure Light twice",
            "connect to stream_url:stream_port of both by TCP and by gRPC",
            "left to the case with faults: the next port held by another service or process",
        ],
        expects: "200 with all invariants twice, different job_id and stream_port, each port connectable at the first try",
        body: |story| Box::pin(port_availability(story)),
    },
    Case {
        id: "prelaunch/data-availability-live",
        claim: "a live configuration is accepted while the fibre delivers",
        keys: &["PZ-13547", "PZ-13873", "PZ-13561"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "GET /live_metadata",
            "configure Base, live",
            "left to the case with faults: the same while the fibre is waiting",
        ],
        expects: "prr above 0, then 200 with all invariants; the metadata of the job repeat prr and dx",
        body: |story| Box::pin(data_availability_live(story)),
    },
    Case {
        id: "prelaunch/data-availability-historic",
        claim: "the last hour is always recorded and can be configured",
        keys: &["PZ-13548", "PZ-13863", "PZ-13547"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure Base over the last hour", "GET /metadata of the job"],
        expects: "200 with all invariants, the metadata equal to the answer",
        body: |story| Box::pin(data_availability_historic(story)),
    },
    Case {
        id: "prelaunch/data-availability-historic-gap",
        claim: "a window in a gap of the catalogue is refused, and one that reaches a second beyond it is not",
        keys: &["PZ-13548", "PZ-13863", "PZ-13547"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "POST /recordings_in_time_range for the last 28 days, and take the first gap between two recordings",
            "configure Base over exactly the gap",
            "configure Base from one second before the gap, and to one second behind it",
        ],
        expects: "404 NO_RECORDING with its exact text and nothing left behind; 200 with all invariants twice",
        body: |story| Box::pin(data_availability_historic_gap(story)),
    },
    Case {
        id: "prelaunch/predictable-no-data",
        claim: "a window without any recording is refused with the same clear answer, fast, and leaves nothing behind",
        keys: &["PZ-13873", "PZ-13866", "PZ-14019"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure Base over 2020-01-01 00:00 to 01:00 UTC",
            "configure Base over 1697454000 to 1697454600",
            "configure Base over five minutes one year ago",
        ],
        expects: "404 NO_RECORDING `No recording found in given time range`, no 500 in error, under 2 s, no trace",
        body: |story| Box::pin(predictable_no_data(story)),
    },
];

async fn port_availability(story: &Story) -> Result<(), Failure> {
    let (first, second) = (story.configure(&light()).await?, story.configure(&light()).await?);
    holds(first.id != second.id, || format!("two jobs share the id {}", first.id))?;
    holds(first.port != second.port, || format!("two jobs share the port {}", first.port))?;
    for job in [&first, &second] {
        holds(story.port_is_open(job).await, || format!("nobody listens on port {}", job.port))
            .map_err(|failure| failure.shown_by(&job.answer.0))?;
        story.connect(job).await?;
    }
    story.cancel(&first).await?;
    story.cancel(&second).await?;
    Ok(())
}

async fn data_availability_live(story: &Story) -> Result<(), Failure> {
    let fibre = story.get("/live_metadata").await?;
    let prr = fibre.has_status(200)?.json()?["prr"].as_f64();
    holds(prr.is_some_and(|prr| prr > 0.0), || format!("prr {prr:?} of a fibre that delivers"))
        .map_err(|failure| failure.shown_by(&fibre.0))?;
    let job = story.configure(&base()).await?;
    // The job's own copy has it as a whole number.
    job.answer.has("/metadata/parent/prr", &json!(prr.map(|prr| prr as u64)))?;
    job.answer.has("/metadata/parent/dx", &fibre.json()?["dx"])?;
    story.cancel(&job).await?;
    Ok(())
}

async fn data_availability_historic(story: &Story) -> Result<(), Failure> {
    let now = story.now().await?;
    let job = story.configure(&historic(base(), now - 3600, now)).await?;
    story.metadata(&job.id).await?.has_status(200)?.is_json(&job.answer.json()?)?;
    story.cancel(&job).await?;
    Ok(())
}

async fn data_availability_historic_gap(story: &Story) -> Result<(), Failure> {
    let (start, end) = gap(story).await?;
    let within = historic(base(), start, end);
    story.no_trace(story.post("/configure", &within)).await?.is_refused(&NO_RECORDING)?;
    for (start, end) in [(start - 1, end), (start, end + 1)] {
        let job = story.configure(&historic(base(), start, end)).await?;
        story.cancel(&job).await?;
    }
    Ok(())
}

/// The first gap of the last 28 days: end of a recording and start of the next one.
pub(super) async fn gap(story: &Story) -> Result<(i64, i64), Failure> {
    let now = story.now().await?;
    let window = json!({"start_time": now - 28 * 86_400, "end_time": now});
    let answer = story.post("/recordings_in_time_range", &window).await?;
    let recordings = answer.has_status(200)?.json()?;
    let mut reached = None;
    for recording in recordings.as_array().into_iter().flatten() {
        let bound = |index: usize| recording.get(index).and_then(Value::as_i64);
        let (Some(start), Some(end)) = (bound(0), bound(1)) else {
            return Err(answer.broken(format!("{recording} is no recording")));
        };
        if let Some(reached) = reached.filter(|reached| *reached < start) {
            return Ok((reached, start));
        }
        // One that still goes on leaves no gap behind it.
        let end = if end == -1 { i64::MAX } else { end };
        reached = reached.max(Some(end));
    }
    Err(Failure::could_not_run("the catalogue of the last 28 days has no gap").shown_by(&answer.0))
}

async fn predictable_no_data(story: &Story) -> Result<(), Failure> {
    let a_year_ago = story.now().await? - 365 * 86_400;
    for (start, end) in
        [(1_577_836_800, 1_577_840_400), (1_697_454_000, 1_697_454_600), (a_year_ago, a_year_ago + 300)]
    {
        let refused = story.no_trace(story.post("/configure", &historic(base(), start, end))).await?;
        refused.is_refused(&NO_RECORDING)?;
        let error = refused.json()?["error"].to_string();
        holds(!error.contains("500"), || format!("error {error} contains 500"))?;
        let took = refused.0.took;
        holds(took < Duration::from_secs(2), || format!("the refusal took {took:?}"))
            .map_err(|failure| failure.shown_by(&refused.0))?;
    }
    Ok(())
}
