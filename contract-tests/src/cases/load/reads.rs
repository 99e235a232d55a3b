//! What is only read: alone, often, and while jobs run.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{Load, every, ids, jobs};
use crate::bodies::{base, historic, with};
use crate::capacity::fire::{on_schedule, together};
use crate::capacity::plan::payload;
use crate::case::{Capability, Case, Tag};
use crate::client::rest::Request;
use crate::failure::Failure;
use crate::story::Story;
use crate::tally::Bound::{AtMost, Below};
use crate::tally::Tally;

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "load/ack-connectivity",
        claim: "GET /ack answers in well under a second",
        keys: &[],
        tags: &[Tag::Load],
        needs: &[],
        steps: &["GET /ack", "POST /ack"],
        expects: "200 in less than 1000 ms, with a note which grade that is (300, 500, 1000 ms); 405 in less than 1000 ms",
        body: |story| Box::pin(ack_connectivity(story)),
    },
    Case {
        id: "load/ack-load",
        claim: "GET /ack stays fast with many callers at once and for a minute",
        keys: &["PZ-14028", "PZ-14033"],
        tags: &[Tag::Load, Tag::Nightly],
        needs: &[],
        steps: &["GET /ack 10, 50 and 100 times over 20 workers", "GET /ack ten times a second for 60 s"],
        expects: "all 200 and empty; mean less than 500, 600, 700 ms, p95 less than 800, 1000, 1500 ms; for the minute mean less \
                  than 500 ms and p95 less than 800 ms",
        body: |story| Box::pin(ack_load(story)),
    },
    Case {
        id: "load/ack-and-channels",
        claim: "GET /ack and GET /channels stay fast while jobs run",
        keys: &[],
        tags: &[Tag::Load, Tag::Nightly],
        needs: &[Capability::Writes],
        steps: &["configure 10 light jobs", "GET /ack and GET /channels, each 25 times a second for 10 s"],
        expects: "production / other: /channels p95 less than 1000/5000 ms, errors below 1/15 %; /ack p50 less than \
                  200/1000, p95 500/3000, p99 800/5000 ms, errors below 0.5/5 %; more than 20/5 requests a second of each",
        body: |story| Box::pin(ack_and_channels(story)),
    },
    Case {
        id: "load/single-requests",
        claim: "every sort of request alone is answered within its limit",
        keys: &["PZ-14018", "PZ-14019"],
        tags: &[Tag::Load, Tag::Nightly],
        needs: &[Capability::Writes],
        steps: &[
            "GET /channels, /live_metadata, and /metadata of a job",
            "POST /configure with channels the wrong way round, and over a window without recordings",
        ],
        expects: "/channels in less than 100 ms (1000 ms where the environment is lenient), both metadata in at most 1 s, \
                  the refusals in less than 1 s and 2 s",
        body: |story| Box::pin(single_requests(story)),
    },
];

async fn ack_connectivity(story: &Story) -> Result<(), Failure> {
    let load = Load::of(story);
    let shots = load.ack_at(&[Duration::ZERO]).await?;
    let ack = Tally::of("GET /ack", &shots);
    ack.all()?;
    ack.each(Below(1000.0))?;
    let grade = [300.0, 500.0].into_iter().find(|grade| ack.latency().max_ms() < *grade).unwrap_or(1000.0);
    story.note(format!("{}: within the grade of {grade} ms", ack.shown()));
    let wrong = one(&load, "POST /ack", Request::of(Method::POST, "/ack"), 405).await?;
    wrong.each(Below(1000.0))
}

async fn ack_load(story: &Story) -> Result<(), Failure> {
    let load = Load::of(story);
    for (count, mean, p95) in [(10, 500.0, 800.0), (50, 600.0, 1000.0), (100, 700.0, 1500.0)] {
        let caller = load.caller.clone();
        let ask = move |_| {
            let caller = caller.clone();
            async move { caller.ack().await }
        };
        held(
            &Tally::of("GET /ack over 20 workers", &together(count, 20, &load.pacer, ask).all().await?),
            mean,
            p95,
            story,
        )?;
    }
    let minute = load.ack_at(&every(10, 60)).await?;
    held(&Tally::of("GET /ack for a minute", &minute), 500.0, 800.0, story)
}

fn held(tally: &Tally, mean: f64, p95: f64, story: &Story) -> Result<(), Failure> {
    story.note(tally.shown());
    tally.all()?;
    tally.mean(Below(mean))?;
    tally.quantile(0.95, Below(p95))
}

async fn ack_and_channels(story: &Story) -> Result<(), Failure> {
    const TIME: u32 = 10;
    let load = Load::of(story);
    let configured = load.configure(10, 10, payload()).await?;
    Tally::of("configures", &configured).all()?;
    // Both kinds at the same moments, each with a count of its own.
    let moments: Vec<_> = every(25, TIME).into_iter().flat_map(|moment| [moment; 2]).collect();
    let caller = load.caller.clone();
    let ask = move |number: usize| {
        let caller = caller.clone();
        async move {
            if number.is_multiple_of(2) {
                caller.ack().await
            } else {
                caller.want(Request::get("/channels"), 200).await.map(drop)
            }
        }
    };
    let shots = on_schedule(&moments, &load.pacer, ask).all().await?;
    let of = |what, rest| Tally::of(what, shots.iter().filter(move |shot| shot.number % 2 == rest));
    let (ack, channels) = (of("GET /ack while jobs run", 0), of("GET /channels while jobs run", 1));
    for tally in [&ack, &channels] {
        story.note(tally.shown());
    }
    channels.more_than(1.0 - load.either(0.01, 0.15))?;
    channels.quantile(0.95, Below(load.either(1000.0, 5000.0)))?;
    ack.more_than(1.0 - load.either(0.005, 0.05))?;
    for (share, strict, lenient) in [(0.5, 200.0, 1000.0), (0.95, 500.0, 3000.0), (0.99, 800.0, 5000.0)] {
        ack.quantile(share, Below(load.either(strict, lenient)))?;
    }
    for (what, tally) in [("/ack", &ack), ("/channels", &channels)] {
        let (got, wanted) = (tally.per_second(super::SECOND * TIME), load.either(20.0, 5.0));
        crate::failure::holds(got > wanted, || {
            format!("GET {what}: {got:.1} answers a second, more than {wanted} wanted")
        })?;
    }
    load.end(ids(&jobs(&configured))).await
}

async fn single_requests(story: &Story) -> Result<(), Failure> {
    let load = Load::of(story);
    let channels = one(&load, "GET /channels", Request::get("/channels"), 200).await?;
    channels.each(Below(load.either(100.0, 1000.0)))?;
    let live = one(&load, "GET /live_metadata", Request::get("/live_metadata"), 200).await?;
    live.each(AtMost(1000.0))?;
    let job = story.configure(&payload()).await?;
    let path = format!("/metadata/{}", job.id);
    one(&load, "GET /metadata", Request::get(&path), 200).await?.each(AtMost(1000.0))?;
    let reversed = with(base(), [("channels", json!({"min": 60, "max": 50}))]);
    let refused =
        one(&load, "a request that is refused", Request::post("/configure", &reversed), 400).await?;
    refused.each(Below(1000.0))?;
    // 2020-01-01, of which there is no recording.
    let empty = historic(base(), 1_577_836_800, 1_577_840_400);
    one(&load, "an empty window", Request::post("/configure", &empty), 404).await?.each(Below(2000.0))?;
    load.end(vec![job.id]).await
}

/// One request, which must be answered with a status.
async fn one(load: &Load<'_>, what: &'static str, request: Request, status: u16) -> Result<Tally, Failure> {
    let caller = load.caller.clone();
    let ask = move |_| {
        let (caller, request) = (caller.clone(), request.clone());
        async move { caller.want(request, status).await.map(drop) }
    };
    let tally = Tally::of(what, &together(1, 1, &load.pacer, ask).all().await?);
    load.story.note(tally.shown());
    tally.all()?;
    Ok(tally)
}
