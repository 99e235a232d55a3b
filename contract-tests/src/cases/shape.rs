//! The shape of requests and answers: what must be there, what must not, and how it is told.

mod clarity;

use std::time::Duration;

use serde_json::{Value, json};

use super::configuring::{Fibre, about, accepted_as, refused};
use crate::answer::{NO_RECORDING, Refused, Violation};
use crate::arithmetic::Request;
use crate::bodies::{self, BASE, base, historic, waterfall, with, without};
use crate::case::{Capability, Case, Tag};
use crate::checks;
use crate::failure::{Failure, equal, holds};
use crate::story::Story;

pub(super) static CASES: &[Case] = &[
    Case {
        id: "shape/view0-required",
        claim: "duration, transform and band are required for views with frequencies",
        keys: &["PZ-13291", "PZ-14095", "PZ-14097", "PZ-14098", "PZ-13267"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure Base without displayTimeAxisDuration, nfftSelection, frequencyRange, then without all three; \
             each absent, then null",
            "the same in view 1",
        ],
        expects: "422 INVALID_REQUEST with missing for each of them, in this order",
        body: |story| Box::pin(view0_required(story)),
    },
    Case {
        id: "shape/missing-fields",
        claim: "every missing field is named, in the order of the checks",
        keys: &["PZ-13430", "PZ-13266", "PZ-13879", "PZ-14099", "PZ-14751"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure {}, then with only displayInfo",
            "configure Base without channels, view_type, displayInfo, height, both bounds of channels and of \
             frequencyRange; each absent, then null",
        ],
        expects: "422 INVALID_REQUEST with missing for each of them",
        body: |story| Box::pin(missing_fields(story)),
    },
    Case {
        id: "shape/waterfall-minimal",
        claim: "a waterfall needs no more than channels, a height and its view",
        keys: &["PZ-13296", "PZ-13238", "PZ-13422"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure view 2 with channels 1-10 and height 256 and nothing else",
            "the same with the other fields null, and with NFFT 1",
        ],
        expects: "200 with all invariants; lines_dt 0.1, no frequencies, one stream with ten channels",
        body: |story| Box::pin(waterfall_minimal(story)),
    },
    Case {
        id: "shape/waterfall-forbidden",
        claim: "a waterfall refuses what only views with frequencies have",
        keys: &["PZ-13428", "PZ-13429", "PZ-13557"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure the smallest waterfall with a duration, with a frequencyRange, with NFFT 4, with all of them",
        ],
        expects: "422 INVALID_REQUEST: extra_forbidden; extra_forbidden; value_error; all three",
        body: |story| Box::pin(waterfall_forbidden(story)),
    },
    Case {
        id: "shape/view-type-forms",
        claim: "view_type means the same as a number and as a text",
        keys: &["PZ-13878"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure each view with view_type as a text and as an integer, each cancelled"],
        expects: "200 with all invariants; both answers equal but for job_id and stream_port; view_type an integer",
        body: |story| Box::pin(view_type_forms(story)),
    },
    Case {
        id: "shape/invalid-view-type",
        claim: "a view that is none of the three is refused",
        keys: &["PZ-13878", "PZ-14093", "PZ-14094"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure Base with view_type \"3\", 3, -1, 99, \"999\", \"invalid\", \"02\", \"\", 0.5, true, [0]",
            "configure Base with view_type null and without it",
            "configure view_type \"0\", 0, \"1\" and \"2\" with fitting fields",
        ],
        expects: "422 INVALID_REQUEST, enum; null and absent: missing; then 200 with all invariants",
        body: |story| Box::pin(invalid_view_type(story)),
    },
    Case {
        id: "shape/height-positive",
        claim: "a display has at least one line",
        keys: &["PZ-13878"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure each view with height 0 and -1", "configure Base with height 1 and duration 1"],
        expects: "400 INVALID_VALUE, not_positive; then 200 with all invariants",
        body: |story| Box::pin(height_positive(story)),
    },
    Case {
        id: "shape/response-invariants",
        claim: "the answer to every accepted configuration is sound in itself",
        keys: &["PZ-13292", "PZ-13272", "PZ-13271", "PZ-13667"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure views 0, 1 and 2, live and over the last hour, each cancelled"],
        expects: "200 with INV-ID, -COUNT, -STREAMS, -CHANNELS and -DT; status success; amounts, stream_port and \
                  view_type integers; frequencies and lines_dt floats, whole ones too",
        body: |story| Box::pin(response_invariants(story)),
    },
    Case {
        id: "shape/error-message-clarity",
        claim: "a refusal says in one clear sentence for each mistake what is wrong, and names the field",
        keys: &["PZ-13878"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure with one bad NFFT, channel range, frequency range, height and time range",
            "configure with one mistake of each row of the table of checks",
            "configure with everything wrong at once, twice each",
        ],
        expects: "one sentence with at least two of the words that clients look for, the field in detail; the exact \
                  status, code, text, type and place of each row; every mistake at once, in the order of the checks, \
                  both times",
        body: |story| Box::pin(clarity::error_message_clarity(story)),
    },
    Case {
        id: "shape/invalid-no-orchestration",
        claim: "a refusal comes at once and starts nothing",
        keys: &["PZ-14018", "PZ-13600", "PZ-14019"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure Base without channels", "configure Base over the first hour of 2020"],
        expects: "422 INVALID_REQUEST, missing, within a second; 404 NO_RECORDING within two; nothing left behind",
        body: |story| Box::pin(invalid_no_orchestration(story)),
    },
];

/// What only views with frequencies have.
const SPECTRUM: [&str; 3] = ["displayTimeAxisDuration", "nfftSelection", "frequencyRange"];

/// View 1 with Base's numbers.
const SINGLE: Request = Request { view: 1, channels: (7, 7), ..BASE };
/// The smallest waterfall.
const WATERFALL: Request = Request { view: 2, channels: (1, 10), height: 256, ..BASE };

/// A body with some of its fields absent, then with the same ones null.
fn both_without(body: &Value, fields: &[&'static str]) -> [Value; 2] {
    let null = fields.iter().fold(body.clone(), |body, field| with(body, [(*field, Value::Null)]));
    [without(body.clone(), fields), null]
}

async fn view0_required(story: &Story) -> Result<(), Failure> {
    let rows: [&[&'static str]; 4] = [&SPECTRUM[..1], &SPECTRUM[1..2], &SPECTRUM[2..], &SPECTRUM];
    for view in [BASE, SINGLE] {
        for fields in rows {
            let missing: Vec<_> = fields.iter().map(|field| checks::missing_for_spectrum(field)).collect();
            for body in both_without(&bodies::of(&view), fields) {
                let row = format!("view {} without {}", view.view, fields.join(", "));
                refused(story, &body, &Refused::shape(missing.clone())).await.map_err(about(row))?;
            }
        }
    }
    Ok(())
}

async fn missing_fields(story: &Story) -> Result<(), Failure> {
    let missing =
        |fields: &[&'static str]| Refused::shape(fields.iter().map(|field| checks::missing(field)).collect());
    refused(story, &json!({}), &missing(&["view_type", "channels", "displayInfo"])).await?;
    let only = json!({"displayInfo": {"height": 1000}});
    refused(story, &only, &missing(&["view_type", "channels"])).await?;
    let rows: [&[&'static str]; 7] = [
        &["channels"],
        &["view_type"],
        &["displayInfo"],
        &["displayInfo.height"],
        &["channels.min", "channels.max"],
        &["frequencyRange.min", "frequencyRange.max"],
        &["view_type", "channels", "displayInfo"],
    ];
    for fields in rows {
        for body in both_without(&base(), fields) {
            let row = format!("without {}", fields.join(", "));
            refused(story, &body, &missing(fields)).await.map_err(about(row))?;
        }
    }
    Ok(())
}

async fn waterfall_minimal(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    for body in [waterfall(), bodies::of(&WATERFALL), with(waterfall(), [("nfftSelection", json!(1))])] {
        let job = accepted_as(story, &body, &WATERFALL, &fibre).await?;
        let one_stream: serde_json::Map<_, _> =
            (1..=10).map(|channel| (channel.to_string(), json!(0))).collect();
        job.answer
            .has("/lines_dt", &json!(0.1))?
            .has("/frequencies_list", &json!([]))?
            .has("/frequencies_amount", &json!(0))?
            .has("/stream_amount", &json!(1))?
            .has("/channel_amount", &json!(10))?
            .has("/channel_to_stream_index", &Value::Object(one_stream))?;
    }
    Ok(())
}

async fn waterfall_forbidden(story: &Story) -> Result<(), Failure> {
    let [duration, nfft, band] = SPECTRUM;
    let rows = [
        (duration, json!(10), checks::not_for_waterfall(duration)),
        (band, json!({"min": 0, "max": 500}), checks::not_for_waterfall(band)),
        (nfft, json!(4), checks::nfft_for_waterfall()),
    ];
    let mut all = waterfall();
    for (field, value, violation) in rows.clone() {
        all = with(all, [(field, value.clone())]);
        let body = with(waterfall(), [(field, value)]);
        refused(story, &body, &Refused::shape(vec![violation])).await.map_err(about(field))?;
    }
    let [(.., first), (.., third), (.., second)] = rows;
    refused(story, &all, &Refused::shape(vec![first, second, third])).await?;
    Ok(())
}

async fn view_type_forms(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    for view in [BASE, SINGLE, WATERFALL] {
        let body = bodies::of(&view);
        let text = accepted_as(story, &body, &view, &fibre).await?;
        let body = with(body, [("view_type", json!(view.view))]);
        let number = accepted_as(story, &body, &view, &fibre).await?;
        number.answer.equals(&text.answer, &["job_id", "stream_port"])?;
        text.answer.has("/view_type", &json!(view.view))?;
    }
    Ok(())
}

async fn invalid_view_type(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let unknown = [
        json!("3"),
        json!(3),
        json!(-1),
        json!(99),
        json!("999"),
        json!("invalid"),
        json!("02"),
        json!(""),
        json!(0.5),
        json!(true),
        json!([0]),
    ];
    for view in unknown {
        let row = format!("view_type {view}");
        let body = with(base(), [("view_type", view)]);
        let refusal = Refused::shape(vec![checks::view_unknown()]);
        refused(story, &body, &refusal).await.map_err(about(row))?;
    }
    for body in both_without(&base(), &["view_type"]) {
        refused(story, &body, &Refused::shape(vec![checks::missing("view_type")])).await?;
    }
    for (view, form) in [(BASE, json!("0")), (BASE, json!(0)), (SINGLE, json!("1")), (WATERFALL, json!("2"))]
    {
        let row = format!("view_type {form}");
        let body = with(bodies::of(&view), [("view_type", form)]);
        accepted_as(story, &body, &view, &fibre).await.map_err(about(row))?;
    }
    Ok(())
}

async fn height_positive(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    for view in [BASE, SINGLE, WATERFALL] {
        for height in [0, -1] {
            let body = with(bodies::of(&view), [("displayInfo.height", json!(height))]);
            let refusal = Refused::value(vec![checks::height_not_positive()]);
            let row = format!("view {} with height {height}", view.view);
            refused(story, &body, &refusal).await.map_err(about(row))?;
        }
    }
    // The smallest that is positive, of the other number that must be, too.
    let one = Request { height: 1, duration: 1, ..BASE };
    accepted_as(story, &bodies::of(&one), &one, &fibre).await?;
    Ok(())
}

async fn response_invariants(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let now = story.now().await?;
    // As many lines as seconds: lines_dt is a whole number, which a float must not hide.
    let whole = Request { height: BASE.duration, ..BASE };
    for request in [BASE, SINGLE, WATERFALL, whole] {
        let live = bodies::of(&request);
        for body in [live.clone(), historic(live, now - 3600, now)] {
            let job = accepted_as(story, &body, &request, &fibre).await?;
            let answer = job.answer.json()?;
            job.answer.has("/status", &json!("success"))?;
            let integers =
                ["stream_amount", "frequencies_amount", "channel_amount", "stream_port", "view_type"];
            let wrong = integers.into_iter().find(|key| !answer[key].is_u64());
            equal("a number that is no integer", &wrong, &None)
                .map_err(|failure| failure.shown_by(&job.answer.0))?;
            let frequencies = answer["frequencies_list"].as_array().cloned().unwrap_or_default();
            let floats = answer["lines_dt"].is_f64() && frequencies.iter().all(Value::is_f64);
            holds(floats, || String::from("frequencies and lines_dt must keep their fraction"))
                .map_err(|failure| failure.shown_by(&job.answer.0))?;
        }
    }
    Ok(())
}

async fn invalid_no_orchestration(story: &Story) -> Result<(), Failure> {
    let missing: Vec<Violation> = vec![checks::missing("channels")];
    let rows = [
        (without(base(), &["channels"]), Refused::shape(missing), Duration::from_secs(1)),
        (historic(base(), 1_577_836_800, 1_577_840_400), NO_RECORDING, Duration::from_secs(2)),
    ];
    for (body, refusal, limit) in rows {
        let answer = refused(story, &body, &refusal).await?;
        let took = answer.0.took;
        holds(took < limit, || format!("the refusal took {took:?}"))
            .map_err(|failure| failure.shown_by(&answer.0))?;
    }
    Ok(())
}
