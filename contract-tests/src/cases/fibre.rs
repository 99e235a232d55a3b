//! `/channels` and `/live_metadata`: what the fibre is.

use serde_json::json;

use crate::case::{Case, Tag};
use crate::failure::{Failure, equal, holds};
use crate::story::Story;

pub(super) static CASES: &[Case] = &[
    Case {
        id: "fibre/channels-stable",
        claim: "GET /channels gives the same range in every call",
        keys: &["PZ-13895", "PZ-13560", "PZ-13762", "PZ-13896", "PZ-13897", "PZ-13419"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[],
        steps: &["GET /channels three times"],
        expects: "200, equal answers, 1 <= lowest <= highest, each within a second",
        body: |story| Box::pin(channels_stable(story)),
    },
    Case {
        id: "fibre/live-metadata-ready",
        claim: "GET /live_metadata of a fibre that delivers has all nine fields within their bounds",
        keys: &["PZ-13561", "PZ-13764", "PZ-13985", "PZ-13420"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[],
        steps: &["GET /live_metadata"],
        expects: "200 with dx, prr, fiber_start_meters, fiber_length_meters, sw_version, number_of_channels, \
                  fiber_description, num_samples_per_trace and dtype",
        body: |story| Box::pin(live_metadata_ready(story)),
    },
];

async fn channels_stable(story: &Story) -> Result<(), Failure> {
    let first = story.get("/channels").await?;
    first.has_status(200)?;
    let body = first.json()?;
    let bounds = body["lowest_channel"].as_i64().zip(body["highest_channel"].as_i64());
    let (lowest, highest) = bounds.ok_or_else(|| first.broken("both channels must be whole numbers"))?;
    holds(1 <= lowest && lowest <= highest, || format!("channels {lowest} to {highest}"))
        .map_err(|failure| failure.shown_by(&first.0))?;
    for _ in 0..2 {
        story.get("/channels").await?.has_status(200)?.is_json(&body)?;
    }
    for exchange in story.exchanges() {
        holds(exchange.took.as_secs() < 1, || format!("/channels took {:?}", exchange.took))?;
    }
    Ok(())
}

async fn live_metadata_ready(story: &Story) -> Result<(), Failure> {
    let answer = story.get("/live_metadata").await?;
    answer.has_status(200)?;
    let body = answer.json()?;
    let keys: Vec<_> = body.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    let expected = [
        "dx",
        "prr",
        "fiber_start_meters",
        "fiber_length_meters",
        "sw_version",
        "number_of_channels",
        "fiber_description",
        "num_samples_per_trace",
        "dtype",
    ];
    let shown = |failure: Failure| failure.shown_by(&answer.0);
    equal("the list of fields", &keys, &expected.to_vec()).map_err(shown)?;
    for key in ["dx", "prr"] {
        let positive = body[key].is_f64() && body[key].as_f64().is_some_and(|value| value > 0.0);
        holds(positive, || format!("{key} {} is no float above 0", body[key])).map_err(shown)?;
    }
    let whole = |key: &str| body[key].as_u64();
    let length = whole("fiber_length_meters").zip(whole("fiber_start_meters"));
    holds(length.is_some_and(|(length, start)| length > start), || {
        String::from("the fibre does not reach beyond its start")
    })
    .map_err(shown)?;
    for key in ["number_of_channels", "num_samples_per_trace"] {
        holds(whole(key).is_some_and(|value| value > 0), || format!("{key} {} is not above 0", body[key]))
            .map_err(shown)?;
    }
    holds(body["sw_version"] != json!("waiting for fiber"), || String::from("the fibre is waiting"))
        .map_err(shown)
}
