//! One answer of each sort, as a whole: whatever no case asks for is still held.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::bodies::{base, historic, light, waterfall, with, without};
use crate::case::{Capability, Case, Tag};
use crate::client::rest::Request;
use crate::failure::Failure;
use crate::story::Story;

pub(super) static CASES: &[Case] = &[
    Case {
        id: "snapshots/reads",
        claim: "what every reading route answers is what was approved",
        keys: &["PZ-13297", "PZ-13298"],
        tags: &[Tag::Regression],
        needs: &[],
        steps: &[
            "GET each route without parameters, /recordings_in_time_range for the last hour and for 2020",
        ],
        expects: "status, listed headers and body as in the snapshots",
        body: |story| Box::pin(reads(story)),
    },
    Case {
        id: "snapshots/refusals",
        claim: "each refusal that can be had without an outage is what was approved",
        keys: &["PZ-13297", "PZ-13878", "PZ-14785", "PZ-14786", "PZ-14787"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["ask for one refusal of each code and sort"],
        expects: "status, listed headers and body as in the snapshots",
        body: |story| Box::pin(refusals(story)),
    },
    Case {
        id: "snapshots/jobs",
        claim: "what is answered about jobs of every view is what was approved",
        keys: &["PZ-13297", "PZ-13667"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure each view, live and historic; GET /metadata, DELETE /job, both again"],
        expects: "status, listed headers and body as in the snapshots",
        body: |story| Box::pin(jobs(story)),
    },
    Case {
        id: "snapshots/tasks",
        claim: "what the task API answers is what was approved",
        keys: &["PZ-14750", "PZ-14757"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Clock],
        steps: &["POST /config, ask for rows and metadata before and after the first second"],
        expects: "status, listed headers and body as in the snapshots",
        body: |story| Box::pin(tasks(story)),
    },
];

async fn reads(story: &Story) -> Result<(), Failure> {
    for (name, path) in [
        ("ack", "/ack"),
        ("channels", "/channels"),
        ("live-metadata", "/live_metadata"),
        ("timeline", "/get_recordings_timeline"),
        ("openapi", "/openapi.json"),
        ("docs", "/docs"),
        ("sensors", "/sensors"),
    ] {
        story.snapshot(name, &story.get(path).await?)?;
    }
    let now = story.now().await?;
    for (name, start, end) in
        [("recordings", now - 3600, now), ("recordings-none", 1_577_836_800, 1_577_840_400)]
    {
        let window = json!({"start_time": start, "end_time": end});
        story.snapshot(name, &story.post("/recordings_in_time_range", &window).await?)?;
    }
    Ok(())
}

async fn refusals(story: &Story) -> Result<(), Failure> {
    let malformed = Request::post("/configure", &Value::Null).body("{\"view_type\": \"0\"");
    let large = Request::post("/configure", &Value::Null).body(vec![b' '; 1_048_577]);
    for (name, request) in [
        ("malformed-json", malformed),
        ("body-too-large", large),
        ("not-found", Request::get("/health")),
        ("method-not-allowed", Request::of(Method::PUT, "/channels")),
        ("metadata-unknown-job", Request::get("/metadata/9999-9999")),
        ("cancel-unknown-job", Request::of(Method::DELETE, "/job/9999-9999")),
        ("waterfall-unknown-task", Request::get("/waterfall/nobody/1")),
        ("waterfall-no-rows", Request::get("/waterfall/nobody/0")),
        ("waterfall-rows-no-integer", Request::get("/waterfall/nobody/many")),
        ("config-bad-id", Request::post("/config/a.b", &task())),
        ("config-bad-range", Request::post("/config/a", &with(task(), [("sensors.max", json!(-1))]))),
        ("config-missing", Request::post("/config/a", &json!({}))),
    ] {
        story.snapshot(name, &story.send(request).await?)?;
    }
    let now = story.now().await?;
    for (name, body) in configures(now) {
        story.snapshot(name, &story.post("/configure", &body).await?)?;
    }
    for (name, body) in [
        ("recordings-missing", json!({})),
        ("recordings-reversed", json!({"start_time": now, "end_time": now - 60})),
    ] {
        story.snapshot(name, &story.post("/recordings_in_time_range", &body).await?)?;
    }
    Ok(())
}

/// Configurations with one mistake of each sort, and with many.
fn configures(now: i64) -> Vec<(&'static str, Value)> {
    vec![
        ("configure-no-object", json!([])),
        ("configure-nothing", json!({})),
        ("configure-view", with(base(), [("view_type", json!("3"))])),
        ("configure-channels-beyond", with(base(), [("channels.max", json!(100_000))])),
        ("configure-channels-reversed", with(base(), [("channels.min", json!(60))])),
        ("configure-channels-below-one", with(base(), [("channels.min", json!(0))])),
        ("configure-single-channel", with(base(), [("view_type", json!("1"))])),
        ("configure-height", with(base(), [("displayInfo.height", json!(0))])),
        ("configure-duration", with(base(), [("displayTimeAxisDuration", json!(0))])),
        ("configure-duration-missing", without(base(), &["displayTimeAxisDuration"])),
        ("configure-nfft", with(base(), [("nfftSelection", json!(1000))])),
        ("configure-nfft-type", with(base(), [("nfftSelection", json!("1024"))])),
        ("configure-nyquist", with(base(), [("frequencyRange.max", json!(100_000))])),
        ("configure-frequencies-reversed", with(base(), [("frequencyRange.min", json!(500))])),
        ("configure-waterfall", with(base(), [("view_type", json!("2"))])),
        ("configure-one-time", with(base(), [("start_time", (now - 60).into())])),
        ("configure-times-reversed", historic(base(), now - 60, now - 120)),
        ("configure-future", historic(base(), now - 60, now + 86_400)),
        ("configure-negative-time", historic(base(), -5, now - 60)),
        ("configure-no-recording", historic(base(), 1_577_836_800, 1_577_840_400)),
        (
            "configure-many",
            with(
                base(),
                [
                    ("channels", json!({"min": 60, "max": 50})),
                    ("displayInfo.height", json!(-1)),
                    ("displayTimeAxisDuration", Value::Null),
                    ("nfftSelection", json!(0)),
                    ("frequencyRange", json!({"min": -1, "max": -2})),
                    ("end_time", json!(true)),
                ],
            ),
        ),
    ]
}

async fn jobs(story: &Story) -> Result<(), Failure> {
    let now = story.now().await?;
    let golden = with(
        base(),
        [
            ("displayTimeAxisDuration", json!(300)),
            ("displayInfo.height", json!(600)),
            ("view_type", json!("0")),
        ],
    );
    let single = with(light(), [("view_type", json!(1)), ("channels", json!({"min": 7, "max": 7}))]);
    for (name, body) in [
        ("configure-multichannel", light()),
        ("configure-historic", historic(golden, now - 7200, now)),
        ("configure-single", single),
        ("configure-waterfall-minimal", waterfall()),
    ] {
        let answer = story.post("/configure", &body).await?;
        story.snapshot(name, &answer)?;
        let id = id_of(&answer)?;
        story.snapshot(&format!("{name}-metadata"), &story.metadata(&id).await?)?;
        let cancel = Request::of(Method::DELETE, &format!("/job/{id}"));
        story.snapshot("cancel", &story.send(cancel.clone()).await?)?;
        story.snapshot("cancel-unknown-job", &story.send(cancel).await?)?;
        story.snapshot("metadata-unknown-job", &story.metadata(&id).await?)?;
    }
    Ok(())
}

fn id_of(answer: &Answer) -> Result<String, Failure> {
    let id = answer.json()?["job_id"].as_str().map(str::to_owned);
    id.ok_or_else(|| answer.broken("there is no job_id"))
}

fn task() -> Value {
    json!({"displayTimeAxisDuration": 10, "nfftSelection": 1024, "canvasInfo": {"height": 100},
           "sensors": {"min": 0, "max": 3}, "frequencyRange": {"min": 0, "max": 500},
           "start_time": null, "end_time": null})
}

async fn tasks(story: &Story) -> Result<(), Failure> {
    story.snapshot("config", &story.post("/config/snapshot", &task()).await?)?;
    story.snapshot("waterfall-not-yet", &story.get("/waterfall/snapshot/1").await?)?;
    story.snapshot("task-metadata-not-yet", &story.get("/metadata/snapshot").await?)?;
    story.pass(std::time::Duration::from_secs(2)).await?;
    story.snapshot("waterfall-rows", &story.get("/waterfall/snapshot/1").await?)?;
    story.snapshot("task-metadata", &story.get("/metadata/snapshot").await?)?;
    // Nobody asks for a minute: the analyzer leaves, and a minute later nobody knows the task.
    story.pass(std::time::Duration::from_secs(61)).await?;
    story.snapshot("waterfall-over", &story.get("/waterfall/snapshot/1").await?)?;
    story.snapshot("task-metadata-over", &story.get("/metadata/snapshot").await?)?;
    story.pass(std::time::Duration::from_secs(61)).await?;
    Ok(())
}
