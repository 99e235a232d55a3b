//! What is recorded: the list of a time range, and its picture.

use std::time::Duration;

use serde_json::{Value, json};

use super::prelaunch::gap;
use crate::answer::{Answer, Refused, Violation, no_object};
use crate::case::{Capability, Case, Tag};
use crate::failure::{Failure, holds};
use crate::story::Story;

pub(super) static CASES: &[Case] = &[
    Case {
        id: "recordings/recordings-list",
        claim: "POST /recordings_in_time_range lists what overlaps the range, sorted by start and not clipped to it",
        keys: &["PZ-13564", "PZ-13766", "PZ-13424"],
        tags: &[Tag::Regression],
        needs: &[],
        steps: &[
            "ask for the last hour, and for the last 28 days",
            "ask for the second in the middle of the oldest recording",
            "ask for a gap between two recordings, for tomorrow, and for January 2020",
        ],
        expects: "a bare list of [start, end] sorted by start, each overlapping the range; the last hour is not empty; \
                  the one recording whole; [] for the gap, the future and the past",
        body: |story| Box::pin(recordings_list(story)),
    },
    Case {
        id: "recordings/recordings-list-refusals",
        claim: "a range that is incomplete, mistyped, negative or reversed is refused with every violation",
        keys: &["PZ-13564", "PZ-13766"],
        tags: &[Tag::Regression],
        needs: &[],
        steps: &[
            "POST /recordings_in_time_range without a field, with null, text, a fraction and a boolean, with a list",
            "with negative times, with equal times and with the end before the start",
        ],
        expects: "422 INVALID_REQUEST (missing, int_type, dict_type), 400 INVALID_VALUE (out_of_range, range_reversed)",
        body: |story| Box::pin(recordings_list_refusals(story)),
    },
    Case {
        id: "recordings/recordings-list-grows",
        claim: "the recorder keeps running: the newest recording ends at the moment of the request",
        keys: &["PZ-13564"],
        tags: &[Tag::Regression],
        needs: &[Capability::Clock],
        steps: &["ask for the last 15 minutes", "move the clock on by 90 minutes and ask again"],
        expects: "the newest end is the server's time, before and after",
        body: |story| Box::pin(recordings_list_grows(story)),
    },
    Case {
        id: "recordings/timeline-html",
        claim: "GET /get_recordings_timeline is an HTML page",
        keys: &["PZ-13425"],
        tags: &[Tag::Regression],
        needs: &[],
        steps: &["GET /get_recordings_timeline"],
        expects: "200, content-type text/html; charset=utf-8, a body with `<html`",
        body: |story| Box::pin(timeline_html(story)),
    },
];

const DAY: i64 = 86_400;

async fn ask(story: &Story, start: i64, end: i64) -> Result<Answer, Failure> {
    story.post("/recordings_in_time_range", &json!({"start_time": start, "end_time": end})).await
}

/// Recordings of a range, after everything that holds for every list of them.
async fn listed(story: &Story, start: i64, end: i64) -> Result<(Answer, Vec<(i64, i64)>), Failure> {
    let answer = ask(story, start, end).await?;
    let body = answer.has_status(200)?.json()?;
    let pair = |recording: &Value| match recording.as_array().map(Vec::as_slice) {
        Some([first, last]) => first.as_i64().zip(last.as_i64()),
        _ => None,
    };
    let pairs: Option<Vec<_>> = body.as_array().and_then(|list| list.iter().map(pair).collect());
    let pairs = pairs.ok_or_else(|| answer.broken("the body must be a list of pairs of integers"))?;
    let sorted = pairs.is_sorted_by_key(|(first, _)| *first);
    holds(sorted, || String::from("the recordings are not sorted by start"))
        .map_err(|failure| failure.shown_by(&answer.0))?;
    let twice = pairs.windows(2).find(|two| two[0] == two[1]);
    holds(twice.is_none(), || format!("a recording is listed twice: {twice:?}"))
        .map_err(|failure| failure.shown_by(&answer.0))?;
    for (first, last) in &pairs {
        let overlaps = *first < end && (*last == -1 || *last > start);
        holds(overlaps && (*last == -1 || first < last), || {
            format!("recording [{first}, {last}] does not overlap {start} to {end}")
        })
        .map_err(|failure| failure.shown_by(&answer.0))?;
    }
    Ok((answer, pairs))
}

async fn recordings_list(story: &Story) -> Result<(), Failure> {
    let now = story.now().await?;
    let (answer, hour) = listed(story, now - 3600, now).await?;
    holds(!hour.is_empty(), || String::from("nothing was recorded in the last hour"))
        .map_err(|failure| failure.shown_by(&answer.0))?;
    let (answer, all) = listed(story, now - 28 * DAY, now).await?;
    let held = hour.iter().all(|recording| all.contains(recording));
    holds(held, || String::from("the last 28 days lack a recording of the last hour"))
        .map_err(|failure| failure.shown_by(&answer.0))?;
    // What a range touches is listed whole, however little of it that is.
    let oldest = all.iter().find(|(_, last)| *last != -1).copied();
    let (first, last) = oldest.ok_or_else(|| answer.broken("no recording of 28 days has an end"))?;
    let middle = i64::midpoint(first, last);
    let alone = all.iter().filter(|(start, end)| *start <= middle && (*end == -1 || *end > middle));
    let alone: Vec<_> = alone.map(|(start, end)| json!([start, end])).collect();
    ask(story, middle, middle + 1).await?.has_status(200)?.is_json(&Value::from(alone))?;
    let (gap_start, gap_end) = gap(story).await?;
    for (start, end) in [(gap_start, gap_end), (now + DAY, now + DAY + 3600), (1_577_836_800, 1_580_515_200)]
    {
        ask(story, start, end).await?.has_status(200)?.is_json(&json!([]))?;
    }
    Ok(())
}

async fn recordings_list_refusals(story: &Story) -> Result<(), Failure> {
    let post = async |body: Value| story.no_trace(story.post("/recordings_in_time_range", &body)).await;
    let missing = |field: &'static str| Violation::new(field, "missing", format!("{field} is required"));
    let mistyped =
        |field: &'static str| Violation::new(field, "int_type", format!("{field} must be an integer"));
    let (start, end) = ("start_time", "end_time");
    for (body, violations) in [
        (json!({}), vec![missing(start), missing(end)]),
        (json!({"start_time": 1}), vec![missing(end)]),
        (json!({"end_time": 1}), vec![missing(start)]),
        (json!({"start_time": null, "end_time": 2}), vec![missing(start)]),
        (json!({"start_time": "1", "end_time": 2}), vec![mistyped(start)]),
        (json!({"start_time": 1, "end_time": 2.5}), vec![mistyped(end)]),
        (json!({"start_time": true, "end_time": []}), vec![mistyped(start), mistyped(end)]),
    ] {
        post(body).await?.is_refused(&Refused::shape(violations))?;
    }
    post(json!([1, 2])).await?.is_refused(&no_object())?;
    let negative = |field: &'static str| {
        Violation::new(field, "out_of_range", format!("time range is invalid: {field} must not be negative"))
    };
    let reversed =
        || Violation::new(end, "range_reversed", "time range is invalid: start_time must be before end_time");
    for (body, violations) in [
        (json!({"start_time": -1, "end_time": 2}), vec![negative(start)]),
        (json!({"start_time": 7, "end_time": 7}), vec![reversed()]),
        (json!({"start_time": 8, "end_time": 7}), vec![reversed()]),
        (json!({"start_time": -1, "end_time": -2}), vec![negative(start), negative(end), reversed()]),
    ] {
        post(body).await?.is_refused(&Refused::value(violations))?;
    }
    Ok(())
}

async fn recordings_list_grows(story: &Story) -> Result<(), Failure> {
    for passing in [Duration::ZERO, Duration::from_secs(90 * 60)] {
        story.pass(passing).await?;
        let now = story.now().await?;
        let (answer, recordings) = listed(story, now - 900, now).await?;
        let newest = recordings.iter().map(|(_, end)| *end).max();
        holds(newest == Some(now), || format!("the newest recording ends at {newest:?}, now is {now}"))
            .map_err(|failure| failure.shown_by(&answer.0))?;
    }
    Ok(())
}

async fn timeline_html(story: &Story) -> Result<(), Failure> {
    let page = story.get("/get_recordings_timeline").await?;
    page.has_status(200)?.has_header("content-type", "text/html; charset=utf-8")?;
    holds(page.text().contains("<html"), || String::from("the page has no <html"))
        .map_err(|failure| failure.shown_by(&page.0))
}
