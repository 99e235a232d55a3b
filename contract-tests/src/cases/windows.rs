//! Windows of time that cannot be played.

use serde_json::{Value, json};

use super::configuring::{Fibre, about, accepted_as, refused};
use crate::answer::{NO_RECORDING, Refused};
use crate::bodies::{BASE, base, historic, with, without};
use crate::case::{Capability, Case, Tag};
use crate::checks;
use crate::failure::Failure;
use crate::story::Story;

pub(super) static CASES: &[Case] = &[
    Case {
        id: "windows/future-timestamps",
        claim: "a window that ends in the future is refused",
        keys: &["PZ-14089", "PZ-13870", "PZ-13984"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure Base from tomorrow over an hour",
            "configure Base from an hour ago to just beyond the 60 s that clocks may differ by",
            "configure Base from an hour ago to the last second within them",
        ],
        expects: "400 INVALID_VALUE, time_in_future, twice; then 200 with all invariants",
        body: |story| Box::pin(future_timestamps(story)),
    },
    Case {
        id: "windows/reversed-range",
        claim: "a window the wrong way round, one without length and one before 1970 are refused",
        keys: &["PZ-13869", "PZ-13552"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure Base from an hour ago to two hours ago",
            "configure Base from an hour ago to the same second",
            "configure Base from -1 to an hour ago, and from -20 to -10",
            "configure Base over the first second of 1970",
        ],
        expects: "400 INVALID_VALUE: range_reversed; range_reversed; out_of_range for the start; out_of_range for \
                  both; then 404 NO_RECORDING, since that window is a possible one",
        body: |story| Box::pin(reversed_range(story)),
    },
    Case {
        id: "windows/one-sided-window",
        claim: "a window with one end only is refused, wherever the other one is missing",
        keys: &["PZ-13907", "PZ-13909", "PZ-13552"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure Base with only start_time, then with only end_time; the other one absent, then null",
        ],
        expects: "422 INVALID_REQUEST, missing at the absent one, with the words ambiguous and both",
        body: |story| Box::pin(one_sided_window(story)),
    },
];

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

async fn future_timestamps(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let now = story.now().await?;
    // To the second where the server's clock is held; elsewhere it goes on, and nobody knows how it differs from ours.
    let (within, beyond) = if story.offers(Capability::Clock) { (60, 61) } else { (0, HOUR) };
    let refusal = Refused::value(vec![checks::time_in_future()]);
    for (start, end) in [(now + DAY, now + DAY + HOUR), (now - HOUR, now + beyond)] {
        let row = format!("{} to {} s from now", start - now, end - now);
        refused(story, &historic(base(), start, end), &refusal).await.map_err(about(row))?;
    }
    accepted_as(story, &historic(base(), now - HOUR, now + within), &BASE, &fibre).await?;
    Ok(())
}

async fn reversed_range(story: &Story) -> Result<(), Failure> {
    let now = story.now().await?;
    let (start, end) = (checks::time_negative("start_time"), checks::time_negative("end_time"));
    let rows = [
        (now - HOUR, now - 2 * HOUR, vec![checks::times_reversed()]),
        (now - HOUR, now - HOUR, vec![checks::times_reversed()]),
        (-1, now - HOUR, vec![start.clone()]),
        (-20, -10, vec![start, end]),
    ];
    for (start, end, violations) in rows {
        refused(story, &historic(base(), start, end), &Refused::value(violations))
            .await
            .map_err(about(format!("{start} to {end}")))?;
    }
    refused(story, &historic(base(), 0, 1), &NO_RECORDING).await?;
    Ok(())
}

async fn one_sided_window(story: &Story) -> Result<(), Failure> {
    let then = story.now().await? - HOUR;
    for (given, absent) in [("start_time", "end_time"), ("end_time", "start_time")] {
        let body = with(base(), [(given, json!(then))]);
        let refusal = Refused::shape(vec![checks::one_sided_window(absent)]);
        for body in [without(body.clone(), &[absent]), with(body, [(absent, Value::Null)])] {
            refused(story, &body, &refusal).await.map_err(about(format!("only {given}")))?;
        }
    }
    Ok(())
}
