//! The task API: sensors, configurations of tasks, polls of their rows.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, Refused, UNKNOWN_JOB, UNKNOWN_TASK, Violation, malformed_json, no_object};
use crate::bodies::{with, without};
use crate::case::{Capability, Case, Tag};
use crate::client::rest::Request;
use crate::failure::{Failure, equal, holds};
use crate::story::Story;

pub(super) static CASES: &[Case] = &[
    Case {
        id: "tasks/task-api-sensors",
        claim: "GET /sensors numbers the channels of the fibre from 0",
        keys: &["PZ-14750", "PZ-13897"],
        tags: &[Tag::Regression],
        needs: &[],
        steps: &["GET /live_metadata", "GET /sensors"],
        expects: "200, the numbers 0 to number_of_channels - 1 in order",
        body: |story| Box::pin(sensors(story)),
    },
    Case {
        id: "tasks/task-api-config",
        claim: "a valid task configuration is received, live or historic, and a second one replaces it",
        keys: &["PZ-14751", "PZ-13547"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "POST /config of a live and of a historic task",
            "POST /config with values at their bounds, and ids of every allowed character and of 256 characters",
            "POST /config again under the first id",
        ],
        expects: "200 with the id each time; no job, no slot, no cluster object of it",
        body: |story| Box::pin(config(story)),
    },
    Case {
        id: "tasks/task-api-config-id",
        claim: "a task id has 1 to 256 characters of a-z, A-Z, 0-9, _ and -",
        keys: &["PZ-14752"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["POST /config with a dot, a blank, a slash, an umlaut or 257 characters in the id"],
        expects: "400 INVALID_VALUE, loc path.task_id, nothing left behind",
        body: |story| Box::pin(config_id(story)),
    },
    Case {
        id: "tasks/task-api-config-ranges",
        claim: "a task configuration whose values cannot be is refused, and no task comes of it",
        keys: &["PZ-14753", "PZ-13557"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "POST /config with one impossible value: not positive, negative, reversed, beyond the last sensor",
        ],
        expects: "400 INVALID_VALUE naming the field; GET /waterfall of the id 404",
        body: |story| Box::pin(config_ranges(story)),
    },
    Case {
        id: "tasks/task-api-config-missing",
        claim: "a task configuration that lacks a field, or has one of a wrong type, is refused with every violation",
        keys: &["PZ-14754", "PZ-13557"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "POST /config without each field in turn, with a text for each, with one time only",
            "POST /config with an empty object, a list, and no JSON",
        ],
        expects: "422 INVALID_REQUEST naming the field; all of them for the empty object; 400 MALFORMED_JSON for no JSON",
        body: |story| Box::pin(config_missing(story)),
    },
    Case {
        id: "tasks/task-api-waterfall-rows",
        claim: "the row count of a poll is a positive integer, which is judged before the id",
        keys: &["PZ-14756", "PZ-14757"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "GET /waterfall of an unknown task with x, 1.5, 0, -1 and 1 rows",
            "the same polls of a task that is there",
        ],
        expects: "422 INVALID_REQUEST for no integer, 400 INVALID_VALUE for 0 and -1, 404 UNKNOWN_TASK \
                  `Consumer not found` for the unknown task alone",
        body: |story| Box::pin(waterfall_rows(story)),
    },
    Case {
        id: "tasks/task-api-waterfall",
        claim: "a task has no data for a second after its configuration, and then rows",
        keys: &["PZ-14755", "PZ-14758", "PZ-14760"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "POST /config of ten sensors, GET /waterfall at once",
            "after 1 s GET /waterfall twice with 5 rows, after another second with 5 rows",
            "configure the task anew and GET /waterfall at once",
        ],
        expects: "200 with an empty body; 201 with one block: 1 to 5 rows of the task's sensors, each ending after it \
                  begins, amplitudes within the block's bounds; later rows are later; 200 and empty again",
        body: |story| Box::pin(waterfall(story)),
    },
    Case {
        id: "tasks/task-api-waterfall-exit",
        claim: "a task that nobody polls for 60 seconds has exited, and 60 seconds later it is forgotten",
        keys: &["PZ-14759", "PZ-14761"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Clock],
        steps: &[
            "POST /config, and poll after 59 s",
            "poll 59.9 s later, 60 s after that, and 60 s after that; GET /metadata each time",
        ],
        expects: "201, 201, 208 with an empty body, 404 UNKNOWN_TASK; metadata 201, 201, 200 empty, 404 `Invalid job_id`",
        body: |story| Box::pin(waterfall_exit(story)),
    },
    Case {
        id: "tasks/task-api-historic",
        claim: "a historic task shows its window and exits when the window was played out",
        keys: &["PZ-14762"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Clock],
        steps: &["POST /config over 1000 recorded seconds", "poll after 1 s, after 5.9 s and after 6 s"],
        expects: "201 with times of the window twice, then 208 with an empty body",
        body: |story| Box::pin(historic_task(story)),
    },
    Case {
        id: "tasks/task-api-metadata",
        claim: "the metadata of a task are those of the fibre as soon as it has data",
        keys: &["PZ-14763", "PZ-14764", "PZ-13563"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "GET /metadata of an unknown task",
            "POST /config, GET /metadata at once and after 1 s",
            "POST /config under an id that looks like one of a job, GET /metadata",
        ],
        expects: "404 UNKNOWN_JOB `Invalid job_id`; 200 with an empty body; 201 and equal to /live_metadata; 404 again: \
                  such an id is only ever a job",
        body: |story| Box::pin(metadata(story)),
    },
];

const SECOND: Duration = Duration::from_secs(1);

/// A live task of ten sensors, a row every 100 ms.
fn live() -> Value {
    json!({"displayTimeAxisDuration": 10, "nfftSelection": 1024, "canvasInfo": {"height": 100},
           "sensors": {"min": 0, "max": 9}, "frequencyRange": {"min": 0, "max": 500},
           "start_time": null, "end_time": null})
}

/// The same over 1000 seconds from 2025-12-05 14:58:23 UTC on, which play for five.
fn recorded() -> Value {
    with(live(), [("start_time", json!("251205145823")), ("end_time", json!("251205151503"))])
}

/// Begin of that window in epoch milliseconds.
const RECORDED_FROM: i64 = 1_764_946_703_000;

async fn received(story: &Story, id: &str, body: &Value) -> Result<(), Failure> {
    let answer = story.post(&format!("/config/{id}"), body).await?;
    let expected = json!({"status": "Config received successfully", "task_id": id});
    answer.has_status(200)?.is_json(&expected).map(drop)
}

async fn refused(story: &Story, body: &Value, refusal: &Refused<'_>) -> Result<(), Failure> {
    story.no_trace(story.post("/config/refused", body)).await?.is_refused(refusal).map(drop)
}

async fn sensors(story: &Story) -> Result<(), Failure> {
    let channels = story.get("/live_metadata").await?.json()?["number_of_channels"].as_u64();
    let channels = channels.ok_or_else(|| Failure::broken("number_of_channels is no whole number"))?;
    let all: Vec<u64> = (0..channels).collect();
    story.get("/sensors").await?.has_status(200)?.is_json(&json!({"sensors": all}))?;
    Ok(())
}

async fn config(story: &Story) -> Result<(), Failure> {
    let longest = "x".repeat(256);
    let tell = async {
        for id in ["task-api", "A-1_b", "7", "_", &longest] {
            received(story, id, &live()).await?;
        }
        received(story, "task-api-recorded", &recorded()).await?;
        for (key, value) in [
            ("displayTimeAxisDuration", json!(0.5)),
            ("nfftSelection", json!(1)),
            ("canvasInfo.height", json!(1)),
            ("sensors", json!({"min": 0, "max": 1})),
            ("frequencyRange", json!({"min": 0.25, "max": 0.5})),
        ] {
            received(story, "task-api", &with(live(), [(key, value)])).await?;
        }
        Ok(())
    };
    // A task takes nothing that the world of jobs could show.
    story.no_trace(tell).await
}

async fn config_id(story: &Story) -> Result<(), Failure> {
    let text = "task_id is invalid: must be 1 to 256 characters of a-z, A-Z, 0-9, _ and -";
    let bad = Refused::value(vec![Violation::new("path.task_id", "string_pattern_mismatch", text)]);
    let too_long = "x".repeat(257);
    for id in ["a.b", "a%20b", "a%2Fb", "%C3%A4", "a:b", "%00", &too_long] {
        let asking = story.send(Request::post(&format!("/config/{id}"), &live()));
        story.no_trace(asking).await?.is_refused(&bad)?;
    }
    Ok(())
}

async fn config_ranges(story: &Story) -> Result<(), Failure> {
    let sensors = story.get("/live_metadata").await?.json()?["number_of_channels"].as_u64().unwrap_or(0);
    let positive =
        |field| Violation::new(field, "not_positive", format!("{field} is invalid: must be positive"));
    let negative =
        |field| Violation::new(field, "out_of_range", format!("{field} is invalid: must not be negative"));
    let reversed = |field| {
        let text = format!("{field} is invalid: {field}.min must be less than {field}.max");
        Violation::new(field, "range_reversed", text)
    };
    let beyond = format!(
        "sensors is invalid: sensors.max {sensors} is above the last sensor {}",
        sensors.saturating_sub(1)
    );
    let times = "time range is invalid: start_time must be before end_time";
    for (change, violation) in [
        (("displayTimeAxisDuration", json!(0)), positive("displayTimeAxisDuration")),
        (("displayTimeAxisDuration", json!(-0.5)), positive("displayTimeAxisDuration")),
        (("nfftSelection", json!(0)), positive("nfftSelection")),
        (("canvasInfo.height", json!(-1)), positive("canvasInfo.height")),
        (("sensors.min", json!(-1)), negative("sensors.min")),
        (("sensors.min", json!(9)), reversed("sensors")),
        (("sensors.max", json!(sensors)), Violation::new("sensors.max", "out_of_range", beyond)),
        (("frequencyRange.min", json!(-0.25)), negative("frequencyRange.min")),
        (("frequencyRange.min", json!(500)), reversed("frequencyRange")),
        (("end_time", json!("251205145823")), Violation::new("end_time", "range_reversed", times)),
    ] {
        let base = if change.0 == "end_time" { recorded() } else { live() };
        refused(story, &with(base, [change]), &Refused::value(vec![violation])).await?;
    }
    story.get("/waterfall/refused/1").await?.is_refused(&UNKNOWN_TASK)?;
    Ok(())
}

async fn config_missing(story: &Story) -> Result<(), Failure> {
    let missing = |field| Violation::new(field, "missing", format!("{field} is required"));
    let fields = ["displayTimeAxisDuration", "nfftSelection", "canvasInfo", "sensors", "frequencyRange"];
    for field in fields {
        refused(story, &without(live(), &[field]), &Refused::shape(vec![missing(field)])).await?;
    }
    for field in
        ["canvasInfo.height", "sensors.min", "sensors.max", "frequencyRange.min", "frequencyRange.max"]
    {
        refused(story, &without(live(), &[field]), &Refused::shape(vec![missing(field)])).await?;
    }
    refused(story, &json!({}), &Refused::shape(fields.map(missing).to_vec())).await?;
    for (field, kind, what) in [
        ("displayTimeAxisDuration", "float_type", "a number"),
        ("nfftSelection", "int_type", "an integer"),
        ("canvasInfo", "dict_type", "an object"),
        ("sensors.max", "int_type", "an integer"),
        ("frequencyRange.min", "float_type", "a number"),
        ("start_time", "string_pattern_mismatch", "a time of 12 digits, yymmddHHMMSS"),
    ] {
        // A time in epoch seconds is as wrong as a text elsewhere.
        let wrong = if field == "start_time" { json!(1_764_946_703) } else { json!("seven") };
        let violation = Violation::new(field, kind, format!("{field} must be {what}"));
        refused(story, &with(recorded(), [(field, wrong)]), &Refused::shape(vec![violation])).await?;
    }
    for absent in ["start_time", "end_time"] {
        let text = "time range is ambiguous: give both start_time and end_time, or neither";
        let violation = Violation::new(absent, "missing", text);
        refused(story, &without(recorded(), &[absent]), &Refused::shape(vec![violation])).await?;
    }
    refused(story, &json!([]), &no_object()).await?;
    let broken = story.send(Request::post("/config/refused", &live()).body("{"));
    story.no_trace(broken).await?.is_refused(&malformed_json())?;
    story.get("/waterfall/refused/1").await?.is_refused(&UNKNOWN_TASK)?;
    Ok(())
}

async fn waterfall_rows(story: &Story) -> Result<(), Failure> {
    let no_integer = Violation::new("path.row_count", "int_type", "row_count must be an integer");
    let no_integer = Refused::shape(vec![no_integer]);
    let none = Violation::new("path.row_count", "not_positive", "row_count is invalid: must be positive");
    let none = Refused::value(vec![none]);
    received(story, "task-api-rows", &live()).await?;
    for id in ["nobody", "task-api-rows"] {
        for (count, refusal) in [("x", &no_integer), ("1.5", &no_integer), ("0", &none), ("-1", &none)] {
            story.get(&format!("/waterfall/{id}/{count}")).await?.is_refused(refusal)?;
        }
    }
    for id in ["nobody", "task-api-row", "TASK-API-ROWS"] {
        story.get(&format!("/waterfall/{id}/1")).await?.is_refused(&UNKNOWN_TASK)?;
    }
    story.get("/waterfall/task-api-rows/1").await?.is_empty(200)?;
    Ok(())
}

/// Begins of the rows of a poll, after everything that holds for each of them.
fn begins(answer: &Answer, id: &str, at_most: usize) -> Result<Vec<i64>, Failure> {
    let blocks = answer.has_status(201)?.json()?;
    let shown = |failure: Failure| failure.shown_by(&answer.0);
    let mut begins = Vec::new();
    for block in blocks.as_array().into_iter().flatten() {
        let bounds = (block["current_min_amp"].as_f64(), block["current_max_amp"].as_f64());
        holds(bounds.0 <= bounds.1, || format!("amplitudes {bounds:?}")).map_err(shown)?;
        for row in block["rows"].as_array().into_iter().flatten() {
            equal("canvasId", &row["canvasId"], &json!(id)).map_err(shown)?;
            let (begin, end) = (row["startTimestamp"].as_i64(), row["endTimestamp"].as_i64());
            holds(begin.is_some() && end > begin, || format!("a row from {begin:?} to {end:?}"))
                .map_err(shown)?;
            begins.extend(begin);
            let sensors = row["sensors"].as_array().map(Vec::as_slice).unwrap_or_default();
            let ids: Vec<_> = sensors.iter().map(|sensor| sensor["id"].as_u64()).collect();
            equal("the sensors of a row", &ids, &(0..10).map(Some).collect()).map_err(shown)?;
            let values = sensors.iter().flat_map(|sensor| sensor["intensity"].as_array()).flatten();
            let outside = values.map(Value::as_f64).find(|value| *value < bounds.0 || *value > bounds.1);
            holds(outside.is_none(), || format!("amplitude {outside:?} outside {bounds:?}"))
                .map_err(shown)?;
        }
    }
    let fits = (1..=at_most).contains(&begins.len());
    holds(fits, || format!("{} rows, 1 to {at_most} were asked for", begins.len())).map_err(shown)?;
    holds(begins.is_sorted_by(|one, next| one < next), || format!("rows begin at {begins:?}"))
        .map_err(shown)?;
    Ok(begins)
}

async fn waterfall(story: &Story) -> Result<(), Failure> {
    let id = "task-api-waterfall";
    let poll = async || story.get(&format!("/waterfall/{id}/5")).await;
    received(story, id, &live()).await?;
    poll().await?.is_empty(200)?;
    story.pass(SECOND).await?;
    let first = begins(&poll().await?, id, 5)?;
    begins(&poll().await?, id, 5)?;
    story.pass(SECOND).await?;
    let second = begins(&poll().await?, id, 5)?;
    holds(first.last() < second.first(), || format!("rows at {second:?} after rows at {first:?}"))?;
    received(story, id, &live()).await?;
    poll().await?.is_empty(200)?;
    Ok(())
}

async fn waterfall_exit(story: &Story) -> Result<(), Failure> {
    let id = "task-api-exit";
    let poll = async || story.get(&format!("/waterfall/{id}/5")).await;
    let metadata = async || story.metadata(id).await;
    received(story, id, &live()).await?;
    for passing in [59_000, 59_900] {
        story.pass(Duration::from_millis(passing)).await?;
        // Metadata are no poll: asking for them first makes no task live longer.
        metadata().await?.has_status(201)?;
        begins(&poll().await?, id, 5)?;
    }
    story.pass(60 * SECOND).await?;
    metadata().await?.is_empty(200)?;
    poll().await?.is_empty(208)?;
    story.pass(60 * SECOND).await?;
    metadata().await?.is_refused(&UNKNOWN_JOB)?;
    poll().await?.is_refused(&UNKNOWN_TASK)?;
    Ok(())
}

async fn historic_task(story: &Story) -> Result<(), Failure> {
    let id = "task-api-historic";
    let poll = async || story.get(&format!("/waterfall/{id}/5")).await;
    received(story, id, &recorded()).await?;
    for passing in [1000, 4900] {
        story.pass(Duration::from_millis(passing)).await?;
        let begins = begins(&poll().await?, id, 5)?;
        let window = RECORDED_FROM..RECORDED_FROM + 1_000_000;
        let within = begins.iter().all(|begin| window.contains(begin));
        holds(within, || format!("rows at {begins:?}, the window is {window:?}"))?;
    }
    story.pass(Duration::from_millis(100)).await?;
    poll().await?.is_empty(208)?;
    Ok(())
}

async fn metadata(story: &Story) -> Result<(), Failure> {
    let id = "task-api-metadata";
    story.metadata("nobody").await?.is_refused(&UNKNOWN_JOB)?;
    received(story, id, &live()).await?;
    story.metadata(id).await?.is_empty(200)?;
    story.pass(SECOND).await?;
    let fibre = story.get("/live_metadata").await?.json()?;
    story.metadata(id).await?.has_status(201)?.is_json(&fibre)?;
    received(story, "999-999999999", &live()).await?;
    story.metadata("999-999999999").await?.is_refused(&UNKNOWN_JOB)?;
    Ok(())
}
