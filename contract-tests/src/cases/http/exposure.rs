//! What no answer may tell: paths, hosts, and the client's own words.

use reqwest::Method;
use serde_json::{Value, json};

use super::{READING, ROUTES};
use crate::bodies::{base, historic, light, with};
use crate::case::{Capability, Case, Tag};
use crate::client::rest::{Exchange, Request};
use crate::failure::Failure;
use crate::story::Story;

pub(crate) static CASES: &[Case] = &[Case {
    id: "http/data-exposure",
    claim: "no JSON answer tells a file path, a host but that of stream_url, or a word of the client",
    keys: &["PZ-14779", "PZ-13572"],
    tags: &[Tag::Regression],
    needs: &[Capability::Writes],
    steps: &[
        "ask every route: as it should be, with a wrong method, with hostile text in path, query, headers and body",
        "configure a live and a historic job, ask for their metadata, cancel them",
        "look through every text of every JSON answer but /openapi.json",
    ],
    expects: "none of the forbidden words (every case checks that of every answer), no slash but in stream_url, no \
              address, nothing of the marked text",
    body: |story| Box::pin(data_exposure(story)),
}];

/// What the client says wherever it can; no answer may repeat it.
const MARK: &str = "zq7mark";

async fn data_exposure(story: &Story) -> Result<(), Failure> {
    for path in READING {
        story.get(path).await?.has_status(200)?;
    }
    for (own, path) in ROUTES {
        let marked = format!("{path}?{MARK}={MARK}");
        let hostile = Request::of(own, &marked).header("x-forwarded-host", MARK).header("referer", MARK);
        story.send(hostile.header("user-agent", MARK).body(format!("{{\"{MARK}\": \"{MARK}\""))).await?;
        story.send(Request::of(Method::PATCH, &marked)).await?.has_status(405)?;
    }
    for request in [
        Request::get(&format!("/{MARK}")),
        Request::get(&format!("/metadata/{MARK}")),
        Request::of(Method::DELETE, &format!("/job/{MARK}")),
        Request::get(&format!("/waterfall/{MARK}/{MARK}")),
        Request::get(&format!("/waterfall/{MARK}/1")),
        Request::post(&format!("/config/{MARK}.{MARK}"), &json!({MARK: MARK})),
    ] {
        story.send(request).await?;
    }
    for key in ["view_type", "channels", "channels.min", "displayInfo", "nfftSelection", "start_time", MARK] {
        // With a height of 0, no such configuration may be accepted.
        let body = with(base(), [("displayInfo.height", json!(0)), (key, json!(MARK))]);
        story.no_trace(story.post("/configure", &body)).await?;
    }
    let now = story.now().await?;
    for body in [light(), historic(light(), now - 3600, now)] {
        let job = story.configure(&with(body, [(MARK, json!(MARK))])).await?;
        story.metadata(&job.id).await?.has_status(200)?;
        story.cancel(&job).await?;
    }
    for exchange in story.exchanges() {
        exposed(&exchange).map_err(|failure| failure.shown_by(&exchange))?;
    }
    Ok(())
}

fn exposed(exchange: &Exchange) -> Result<(), Failure> {
    let is_json = exchange.header("content-type") == Some("application/json");
    if !is_json || exchange.route() == "/openapi.json" {
        return Ok(());
    }
    let mut body: Value = serde_json::from_slice(&exchange.body)
        .map_err(|error| Failure::broken(format!("the body is not JSON: {error}")))?;
    if let Some(body) = body.as_object_mut() {
        body.shift_remove("stream_url");
    }
    let text = body.to_string();
    let address = exchange.base.split("://").nth(1).unwrap_or_default();
    let host = address.split(['/', ':']).next().unwrap_or_default();
    for (what, told) in
        [("a path or address", "/"), ("a path", "\\\\"), ("its host", host), ("the client's text", MARK)]
    {
        if !told.is_empty() && text.contains(told) {
            return Err(Failure::broken(format!("the answer tells {what}: it contains {told:?}")));
        }
    }
    Ok(())
}
