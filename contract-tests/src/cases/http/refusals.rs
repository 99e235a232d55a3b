//! The table of refusals: one request for each row that can be reached without failures of others.

use reqwest::Method;
use serde_json::json;

use super::too_large;
use crate::answer::{
    BODY_TOO_LARGE, METHOD_NOT_ALLOWED, NO_RECORDING, NOT_FOUND, Refused, UNKNOWN_JOB, UNKNOWN_TASK,
    Violation, malformed_json,
};
use crate::bodies::{base, historic, with};
use crate::case::{Capability, Case, Tag};
use crate::client::rest::Request;
use crate::failure::{Failure, equal};
use crate::story::Story;

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "http/uniform-errors",
        claim: "every refusal has the one body: error, code, detail where it belongs, request_id",
        keys: &["PZ-13297", "PZ-14785", "PZ-14786", "PZ-14787", "PZ-13878"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "one request for MALFORMED_JSON, INVALID_VALUE, INVALID_REQUEST, NOT_FOUND, METHOD_NOT_ALLOWED, UNKNOWN_JOB \
             (GET and DELETE), UNKNOWN_TASK, NO_RECORDING and BODY_TOO_LARGE",
            "left to the cases with faults: PORT_IN_USE and the rows of 503",
        ],
        expects: "the status, code and exact text of the table, detail only on 400, 422 and those of the router, no \
                  retry-after; INV-ERR; no trace",
        body: |story| Box::pin(uniform_errors(story)),
    },
    Case {
        id: "http/refusal-order",
        claim: "of several reasons for a refusal the first in the order of checks wins",
        keys: &["PZ-13297"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "a large body on an unknown route, and with a wrong method; a large body that is no JSON",
            "a shape and a value that are wrong at once",
            "a wrong value over a window without recordings",
        ],
        expects: "404, 405, 413; 422 with both violations; 400",
        body: |story| Box::pin(refusal_order(story)),
    },
];

fn nfft_zero() -> Violation {
    let text = "nfftSelection 0 is invalid: nfft must be a power of 2 (128, 256, 512, 1024, 2048 and so on), minimum \
                128, maximum 65536";
    Violation::new("nfftSelection", "nfft_unsupported", text)
}

fn view_nine() -> Violation {
    Violation::new("view_type", "enum", "view_type is invalid: must be 0, 1 or 2")
}

/// A window before everything that is recorded.
const LONG_AGO: (i64, i64) = (1_577_836_800, 1_577_840_400);

async fn uniform_errors(story: &Story) -> Result<(), Failure> {
    let configure = |body| Request::post("/configure", &body);
    let rows = [
        (configure(base()).body("{"), malformed_json(), true),
        (configure(with(base(), [("nfftSelection", json!(0))])), Refused::value(vec![nfft_zero()]), true),
        (configure(with(base(), [("view_type", json!(9))])), Refused::shape(vec![view_nine()]), true),
        (Request::get("/nope"), NOT_FOUND, true),
        (Request::of(Method::PUT, "/ack"), METHOD_NOT_ALLOWED, true),
        (Request::get("/metadata/9999-9999"), UNKNOWN_JOB, false),
        (Request::of(Method::DELETE, "/job/9999-9999"), UNKNOWN_JOB, false),
        (Request::get("/waterfall/nobody/1"), UNKNOWN_TASK, false),
        (configure(historic(base(), LONG_AGO.0, LONG_AGO.1)), NO_RECORDING, false),
        (too_large(Method::POST, "/configure", b' '), BODY_TOO_LARGE, false),
    ];
    for (request, refusal, detailed) in rows {
        let answer = story.no_trace(story.send(request)).await?;
        answer.is_refused(&refusal)?;
        let has_detail = answer.json()?.get("detail").is_some();
        equal("whether there is a detail", &has_detail, &detailed)
            .map_err(|failure| failure.shown_by(&answer.0))?;
    }
    Ok(())
}

async fn refusal_order(story: &Story) -> Result<(), Failure> {
    let wrong = with(base(), [("nfftSelection", json!(0))]);
    let rows = [
        (too_large(Method::POST, "/nope", b'{'), NOT_FOUND),
        (too_large(Method::PUT, "/configure", b'{'), METHOD_NOT_ALLOWED),
        (too_large(Method::POST, "/configure", b'{'), BODY_TOO_LARGE),
        (
            Request::post("/configure", &with(wrong.clone(), [("displayInfo.height", json!("x"))])),
            Refused::shape(vec![
                Violation::new("displayInfo.height", "int_type", "displayInfo.height must be an integer"),
                nfft_zero(),
            ]),
        ),
        (
            Request::post("/configure", &historic(wrong, LONG_AGO.0, LONG_AGO.1)),
            Refused::value(vec![nfft_zero()]),
        ),
    ];
    for (request, refusal) in rows {
        story.no_trace(story.send(request)).await?.is_refused(&refusal)?;
    }
    Ok(())
}
