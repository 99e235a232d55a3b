//! Bodies as they should not be, and those that look so and are fine.

use reqwest::Method;
use serde_json::{Value, json};

use super::too_large;
use crate::answer::{BODY_TOO_LARGE, Refused, Violation, malformed_json, no_object};
use crate::bodies::{base, with};
use crate::case::{Capability, Case, Tag};
use crate::client::rest::Request;
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::story::Story;

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "http/http-hardening",
        claim: "hostile bodies are refused with the right words and repeat nothing; odd but harmless ones are accepted",
        keys: &["PZ-13769", "PZ-13572", "PZ-14774", "PZ-14788"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure with malformed JSON, nothing, a list, 200 levels of nesting, 2 MiB",
            "configure with script text as view_type and in a number's place",
            "configure with unknown fields, with content type text/plain, with none, with exactly 1 MiB",
            "GET /ack",
        ],
        expects: "400 MALFORMED_JSON twice, 422, 400, 413; 422 without a word of the text; 200 with all invariants; 200",
        body: |story| Box::pin(http_hardening(story)),
    },
    Case {
        id: "http/malformed-json",
        claim: "what is no JSON is told from what is JSON and no object, on every route that takes a body",
        keys: &["PZ-13769", "PZ-14774"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "POST /configure, /recordings_in_time_range and /config with bodies that are no JSON",
            "with JSON of other kinds, and nested 127 and 128 deep",
        ],
        expects: "400 MALFORMED_JSON for no JSON and 128 levels; 422 dict_type for other kinds and 127 levels; no trace",
        body: |story| Box::pin(malformed(story)),
    },
    Case {
        id: "http/body-limit",
        claim: "a body above 1 MiB is refused before it is read as JSON, on every route that takes one",
        keys: &["PZ-14788"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "POST 1048577 bytes of blanks and braces to /configure, /recordings_in_time_range and /config",
        ],
        expects: "413 BODY_TOO_LARGE `Request body is too large: the limit is 1048576 bytes`, no trace",
        body: |story| Box::pin(body_limit(story)),
    },
    Case {
        id: "http/number-forms",
        claim: "a float without a fraction is an integer; fractions, texts, booleans and numbers beyond 2^53 are not",
        keys: &["PZ-13769"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure Base with every integer as a float: 10.0, 1024.0, …",
            "configure Base with a duration of 10.5, \"10\", true, [10], 1e300 and 9007199254740993",
        ],
        expects: "the answer of Base but for id and port; 422 int_type each time, no trace",
        body: |story| Box::pin(number_forms(story)),
    },
    Case {
        id: "http/duplicate-keys",
        claim: "of a key that is given twice the last value counts",
        keys: &["PZ-13769"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure Base with NFFT 1000 before its own",
            "with NFFT 1000 behind its own",
            "with view_type 9 before",
        ],
        expects: "200 with all invariants; 400 nfft_unsupported; 200",
        body: |story| Box::pin(duplicate_keys(story)),
    },
];

const LIMIT: usize = 1024 * 1024;

fn raw(path: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::post(path, &Value::Null).body(body)
}

async fn http_hardening(story: &Story) -> Result<(), Failure> {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for (body, refusal) in [
        (String::from("{\"channels\": "), malformed_json()),
        (String::new(), malformed_json()),
        (String::from("[]"), no_object()),
        (deep, malformed_json()),
    ] {
        story.no_trace(story.send(raw("/configure", body))).await?.is_refused(&refusal)?;
    }
    let large = raw("/configure", format!("{}{}", base(), " ".repeat(2 * LIMIT)));
    let refused = story.no_trace(story.send(large.header("connection", "close"))).await?;
    refused.is_refused(&BODY_TOO_LARGE)?;
    let script = "<script>alert('zq')</script>../../etc/passwd";
    let view = Violation::new("view_type", "enum", "view_type is invalid: must be 0, 1 or 2");
    let height = Violation::new("displayInfo.height", "int_type", "displayInfo.height must be an integer");
    for (key, violation) in [("view_type", view), ("displayInfo.height", height)] {
        let body = with(base(), [(key, json!(script))]);
        let refused = story.no_trace(story.post("/configure", &body)).await?;
        refused.is_refused(&Refused::shape(vec![violation]))?;
        holds(!refused.text().contains("zq"), || String::from("the answer repeats the client's text"))
            .map_err(|failure| failure.shown_by(&refused.0))?;
    }
    let unknown = with(base(), [("unknown", json!({"deep": [1]})), ("displayInfo.width", json!("x"))]);
    let mut full = base().to_string();
    full.push_str(&" ".repeat(LIMIT - full.len()));
    for request in [
        Request::post("/configure", &unknown),
        Request::of(Method::POST, "/configure").header("content-type", "text/plain").body(base().to_string()),
        Request::of(Method::POST, "/configure").body(base().to_string()),
        raw("/configure", full),
    ] {
        let answer = story.send(request).await?;
        story.cancel(&Job::of(&answer, (1, 50))?).await?;
    }
    story.get("/ack").await?.is_empty(200)?;
    Ok(())
}

const TAKING: [&str; 3] = ["/configure", "/recordings_in_time_range", "/config/nobody"];

async fn malformed(story: &Story) -> Result<(), Failure> {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels)).into_bytes();
    let no_json = [
        b"".to_vec(),
        b" ".to_vec(),
        b"{".to_vec(),
        b"nope".to_vec(),
        b"{'a': 1}".to_vec(),
        b"{\"a\": 1,}".to_vec(),
        b"{} {}".to_vec(),
        b"{} x".to_vec(),
        b"{\"a\": NaN}".to_vec(),
        b"{\"a\": Infinity}".to_vec(),
        b"{\"a\": 1e400}".to_vec(),
        b"{\"a\": 01}".to_vec(),
        b"{\"a\": \"\xff\"}".to_vec(),
        nested(128),
    ];
    let no_objects = [&b"[]"[..], b"5", b"null", b"true", b"\"text\"", b"-0.5e3"].map(<[u8]>::to_vec);
    let asking = async {
        for path in TAKING {
            for body in &no_json {
                story.send(raw(path, body.clone())).await?.is_refused(&malformed_json())?;
            }
            for body in no_objects.iter().cloned().chain([nested(127)]) {
                story.send(raw(path, body)).await?.is_refused(&no_object())?;
            }
        }
        Ok(())
    };
    story.no_trace(asking).await
}

async fn body_limit(story: &Story) -> Result<(), Failure> {
    let asking = async {
        for path in TAKING {
            for filling in [b' ', b'{'] {
                let refused = story.send(too_large(Method::POST, path, filling)).await?;
                refused.is_refused(&BODY_TOO_LARGE)?;
            }
        }
        Ok(())
    };
    story.no_trace(asking).await
}

async fn number_forms(story: &Story) -> Result<(), Failure> {
    let plain = story.configure(&base()).await?;
    let floats = with(
        base(),
        [
            ("displayTimeAxisDuration", json!(10.0)),
            ("nfftSelection", json!(1024.0)),
            ("displayInfo.height", json!(1000.0)),
            ("channels", json!({"min": 1.0, "max": 50.0})),
            ("frequencyRange", json!({"min": 0.0, "max": 500.0})),
        ],
    );
    let same = story.configure(&floats).await?;
    let without_place = |job: &Job| -> Result<Value, Failure> {
        let mut body = job.answer.json()?;
        for key in ["job_id", "stream_port"] {
            body[key] = Value::Null;
        }
        Ok(body)
    };
    equal("the answer to floats", &without_place(&same)?, &without_place(&plain)?)?;
    story.cancel(&plain).await?;
    story.cancel(&same).await?;
    let text = "displayTimeAxisDuration must be an integer";
    for wrong in
        [json!(10.5), json!("10"), json!(true), json!([10]), json!(1e300), json!(9_007_199_254_740_993_i64)]
    {
        let body = with(base(), [("displayTimeAxisDuration", wrong)]);
        let refused = story.no_trace(story.post("/configure", &body)).await?;
        let violation = Violation::new("displayTimeAxisDuration", "int_type", text);
        refused.is_refused(&Refused::shape(vec![violation]))?;
    }
    Ok(())
}

async fn duplicate_keys(story: &Story) -> Result<(), Failure> {
    let text = base().to_string();
    let before = |pair: &str| format!("{{{pair},{}", &text[1..]);
    for body in [before("\"nfftSelection\":1000"), before("\"view_type\":9")] {
        let answer = story.send(raw("/configure", body)).await?;
        story.cancel(&Job::of(&answer, (1, 50))?).await?;
    }
    let behind = format!("{},\"nfftSelection\":1000}}", &text[..text.len() - 1]);
    let refused = story.no_trace(story.send(raw("/configure", behind))).await?;
    refused.has_status(400)?.has("/detail/0/type", &json!("nfft_unsupported"))?;
    Ok(())
}
