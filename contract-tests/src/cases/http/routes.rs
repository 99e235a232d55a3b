//! Methods, unknown routes, both prefixes, request ids, credentials.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::{READING, ROUTES};
use crate::answer::{Answer, METHOD_NOT_ALLOWED, NOT_FOUND, UNKNOWN_JOB};
use crate::bodies::{base, light, with};
use crate::case::{Capability, Case, Tag};
use crate::client::rest::Request;
use crate::failure::{Failure, equal, holds};
use crate::story::Story;

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "http/methods",
        claim: "a known route allows exactly its one method, HEAD and OPTIONS included",
        keys: &["PZ-14031", "PZ-13572"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[],
        steps: &[
            "ask every route with each of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, TRACE that is not its own",
        ],
        expects: "405 METHOD_NOT_ALLOWED with detail `Method Not Allowed` and allow naming the one method; no trace",
        body: |story| Box::pin(methods(story)),
    },
    Case {
        id: "http/unknown-routes",
        claim: "a route that there is not is 404 with one fixed body, whatever the method",
        keys: &["PZ-13297"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "GET /, /focus-server, /health, /info, /metadata/, /job/, known routes with a slash behind or a part more",
            "POST and DELETE some of them",
        ],
        expects: "404 NOT_FOUND, error and detail `Not Found`",
        body: |story| Box::pin(unknown_routes(story)),
    },
    Case {
        id: "http/prefix",
        claim: "every route is served bare and under /focus-server, with the same answers",
        keys: &[],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "GET every reading route under each prefix that the base leaves to ask",
            "configure Light under one, GET /metadata under the other, DELETE under the first",
            "ask for an unknown route under each",
        ],
        expects: "equal status, content type and body; 200 with all invariants, equal metadata, 200 cancelled; 404",
        body: |story| Box::pin(prefix(story)),
    },
    Case {
        id: "http/request-ids",
        claim: "a usable request id is kept, any other is replaced, and every answer has one",
        keys: &["PZ-13297"],
        tags: &[Tag::Regression],
        needs: &[],
        steps: &[
            "GET /ack and an unknown route with ids of 1 to 64 allowed characters",
            "with none, an empty one, one of 65 characters, and ones with blanks, slashes, quotes",
        ],
        expects: "the same id back, in header and body; else another one of 1 to 64 characters [A-Za-z0-9._-], no two alike",
        body: |story| Box::pin(request_ids(story)),
    },
    Case {
        id: "http/no-auth",
        claim: "credentials change nothing, and nobody is slowed down",
        keys: &["PZ-14771", "PZ-14772", "PZ-14773", "PZ-14776", "PZ-14777"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "GET /live_metadata 20 times, with and without bogus credentials of five kinds",
            "send 20 configurations that are refused, with and without them",
            "configure Light with bogus credentials",
            "left to the cases with load: 20 jobs at 10 per second",
        ],
        expects: "200 and equal bodies; the same 400 each time, never 401, 403 or 429; 200 with all invariants",
        body: |story| Box::pin(no_auth(story)),
    },
];

async fn methods(story: &Story) -> Result<(), Failure> {
    let all = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
        Method::TRACE,
    ];
    let asking = async {
        for (own, path) in ROUTES {
            for method in all.iter().filter(|method| **method != own) {
                let refused = story.send(Request::of(method.clone(), path)).await?;
                refused.has_status(405)?.has_header("allow", own.as_str())?;
                if *method != Method::HEAD {
                    refused.is_refused(&METHOD_NOT_ALLOWED)?.has("/detail", &json!("Method Not Allowed"))?;
                }
            }
        }
        Ok(())
    };
    story.no_trace(asking).await
}

async fn unknown_routes(story: &Story) -> Result<(), Failure> {
    let mut paths = vec![
        "/",
        "/health",
        "/info",
        "/ack/",
        "/channels/",
        "/configure/",
        "/metadata",
        "/metadata/",
        "/metadata/1-1/x",
        "/job",
        "/job/",
        "/waterfall/nobody",
        "/waterfall/nobody/1/",
        "/config/",
        "/ACK",
        "/ack%2f",
        "/openapi.yaml",
        "/prisma/api",
        "/__mock/state",
        "/focus-server/focus-server/ack",
    ];
    if story.prefixes().len() > 1 {
        paths.extend(["/focus-server", "/focus-server/", "/focus-server/nope"]);
    }
    let asking = async {
        for path in paths {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                let refused = story.send(Request::of(method, path)).await?;
                refused.is_refused(&NOT_FOUND)?.has("/detail", &json!("Not Found"))?;
            }
        }
        Ok(())
    };
    story.no_trace(asking).await
}

async fn prefix(story: &Story) -> Result<(), Failure> {
    let prefixes = story.prefixes();
    if prefixes.len() == 1 {
        story.note("the base has a path of its own: bare routes cannot be asked");
    }
    for path in READING {
        let mut first: Option<Answer> = None;
        for prefix in prefixes {
            let answer = story.get(&format!("{prefix}{path}")).await?;
            answer.has_status(200)?;
            if let Some(first) = &first {
                equal("the content type", &answer.header("content-type"), &first.header("content-type"))?;
                // The picture of the recordings ends now, whenever that is.
                let same = path == "/get_recordings_timeline" || answer.text() == first.text();
                holds(same, || format!("{path} differs with and without {prefix}"))
                    .map_err(|failure| failure.shown_by(&answer.0))?;
            }
            first.get_or_insert(answer);
        }
    }
    for (one, other) in prefixes.iter().zip(prefixes.iter().rev()) {
        let answer = story.post(&format!("{one}/configure"), &light()).await?;
        let job = crate::job::Job::of(&answer, (1, 20))?;
        let metadata = story.get(&format!("{other}/metadata/{}", job.id)).await?;
        metadata.has_status(200)?.is_json(&answer.json()?)?;
        let cancelled = story.send(Request::of(Method::DELETE, &format!("{one}/job/{}", job.id))).await?;
        cancelled.has_status(200)?.is_json(&json!({"status": "cancelled", "job_id": job.id}))?;
        story.get(&format!("{other}/metadata/{}", job.id)).await?.is_refused(&UNKNOWN_JOB)?;
        story.get(&format!("{one}/nope")).await?.is_refused(&NOT_FOUND)?;
    }
    Ok(())
}

async fn request_ids(story: &Story) -> Result<(), Failure> {
    let (longest, too_long) = ("x".repeat(64), "x".repeat(65));
    for path in ["/ack", "/nope"] {
        for id in ["a", "7", "A-b_c.9", "...", &longest] {
            let answer = story.send(Request::get(path).header("x-request-id", id)).await?;
            // That a refusal's body repeats the header, every one of them is held to.
            answer.has_header("x-request-id", id)?;
        }
        let mut made = BTreeSet::new();
        for id in ["", "a b", "a/b", "\"a\"", "<b>", "a,b", "a:b", &too_long] {
            for request in [Request::get(path).header("x-request-id", id), Request::get(path)] {
                let answer = story.send(request).await?;
                let got = answer.header("x-request-id").unwrap_or_default().to_owned();
                let usable = (1..=64).contains(&got.len())
                    && got.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
                holds(usable, || format!("{got:?} was made an id of a request with {id:?}"))
                    .map_err(|failure| failure.shown_by(&answer.0))?;
                holds(made.insert(got.clone()), || format!("two requests have the id {got:?}"))?;
            }
        }
    }
    Ok(())
}

const CREDENTIALS: [Option<(&str, &str)>; 6] = [
    None,
    Some(("authorization", "Bearer nobody")),
    Some(("authorization", "Basic bm9ib2R5Om5vdGhpbmc=")),
    Some(("cookie", "session=nobody; csrftoken=nothing")),
    Some(("x-api-key", "nothing")),
    Some(("x-csrf-token", "nothing")),
];

fn bearing(request: Request, number: usize) -> Request {
    match CREDENTIALS[number % CREDENTIALS.len()] {
        Some((name, value)) => request.header(name, value),
        None => request,
    }
}

async fn no_auth(story: &Story) -> Result<(), Failure> {
    let fibre: Value = story.get("/live_metadata").await?.json()?;
    let wrong = with(base(), [("nfftSelection", json!(0))]);
    let first = story.post("/configure", &wrong).await?.json()?;
    for number in 0..20 {
        let answer = story.send(bearing(Request::get("/live_metadata"), number)).await?;
        answer.has_status(200)?.is_json(&fibre)?;
        equal("set-cookie", &answer.header("set-cookie"), &None)?;
        let asking = story.send(bearing(Request::post("/configure", &wrong), number));
        let refused = story.no_trace(asking).await?;
        refused.has_status(400)?.has("/code", &json!("INVALID_VALUE"))?.has("/error", &first["error"])?;
    }
    let answer = story.send(bearing(Request::post("/configure", &light()), 1)).await?;
    let job = crate::job::Job::of(&answer, (1, 20))?;
    story.cancel(&job).await?;
    Ok(())
}
