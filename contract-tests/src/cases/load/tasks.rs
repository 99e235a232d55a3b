//! Rates of rows that polls of tasks give.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Load, SECOND, every};
use crate::caller::{Caller, Trouble};
use crate::capacity::fire::on_schedule;
use crate::case::{Capability, Case, Tag};
use crate::client::rest::Request;
use crate::failure::{Failure, holds};
use crate::story::Story;
use crate::tally::Bound::Below;
use crate::tally::Tally;

pub(crate) static CASES: &[Case] = &[Case {
    id: "load/waterfall-rates",
    claim: "tasks that are polled ten times a second give all their rows, fast",
    keys: &["PZ-15141"],
    tags: &[Tag::Load, Tag::Nightly],
    needs: &[Capability::Writes],
    steps: &[
        "POST /config of six tasks of ten sensors with 100 rows a second each",
        "after a second GET /waterfall of each ten times a second for 10 s",
    ],
    expects: "at least 98 % answer 201 with rows, mean less than 300 ms, p95 less than 500 ms, at least 500 rows a second",
    body: |story| Box::pin(waterfall_rates(story)),
}];

const TASKS: usize = 6;
const TIME: u32 = 10;

/// A row every 10 ms: as many lines as fit into the height within the duration.
fn task() -> Value {
    json!({"displayTimeAxisDuration": 10, "nfftSelection": 1024, "canvasInfo": {"height": 1000},
           "sensors": {"min": 0, "max": 9}, "frequencyRange": {"min": 0, "max": 500},
           "start_time": null, "end_time": null})
}

/// How many rows a poll gives.
async fn poll(caller: &Caller, path: &str) -> Result<usize, Trouble> {
    let blocks = caller.want(Request::get(path), 201).await?.json()?;
    let blocks = blocks.as_array().into_iter().flatten();
    let rows = blocks.filter_map(|block| block["rows"].as_array()).map(Vec::len).sum();
    if rows == 0 { Err(Trouble(format!("GET {path} answers 201 without a row"))) } else { Ok(rows) }
}

async fn waterfall_rates(story: &Story) -> Result<(), Failure> {
    let load = Load::of(story);
    let paths: Vec<_> = (0..TASKS).map(|task| format!("load-{task}")).collect();
    for id in &paths {
        story.post(&format!("/config/{id}"), &task()).await?.has_status(200)?;
    }
    // Nothing is there for a second, and the first poll then gives what has gathered; a tenth more, and it has rows.
    load.pacer.pass(SECOND + SECOND / 10).await?;
    for id in &paths {
        story.get(&format!("/waterfall/{id}/1000")).await?;
    }
    let moments: Vec<Duration> =
        every(10, TIME).into_iter().flat_map(|moment| [moment + SECOND / 10; TASKS]).collect();
    let (caller, paths) = (load.caller.clone(), Arc::new(paths));
    let ask = move |number: usize| {
        let (caller, path) = (caller.clone(), format!("/waterfall/{}/1000", paths[number % TASKS]));
        async move { poll(&caller, &path).await }
    };
    let shots = on_schedule(&moments, &load.pacer, ask).all().await?;
    let tally = Tally::of("polls", &shots);
    story.note(tally.shown());
    tally.at_least(0.98)?;
    tally.mean(Below(300.0))?;
    tally.quantile(0.95, Below(500.0))?;
    let rows: usize = shots.iter().filter_map(|shot| shot.value.as_ref().ok()).sum();
    let over = shots.iter().map(|shot| shot.due + shot.latency).max().unwrap_or_default();
    #[allow(clippy::cast_precision_loss, reason = "some thousand rows")]
    let rate = rows as f64 / over.max(SECOND * TIME).as_secs_f64();
    story.note(format!("{rate:.0} rows a second"));
    holds(rate >= 500.0, || format!("{rate:.1} rows a second came, at least 500 wanted"))
}
