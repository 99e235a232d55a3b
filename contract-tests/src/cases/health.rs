//! `/ack`: the server is there.

use reqwest::Method;

use crate::case::{Case, Tag};
use crate::client::rest::Request;
use crate::failure::{Failure, equal};
use crate::story::Story;

pub(super) static CASES: &[Case] = &[
    Case {
        id: "health/ack-contract",
        claim: "GET /ack answers 200 with an empty body, and no other method is allowed",
        keys: &["PZ-14026", "PZ-14027", "PZ-14031"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[],
        steps: &["GET /ack", "POST, PUT, DELETE, PATCH, HEAD and OPTIONS /ack"],
        expects: "200 without content-type and with content-length 0; 405 with allow: GET",
        body: |story| Box::pin(ack_contract(story)),
    },
    Case {
        id: "health/ack-headers",
        claim: "odd and hostile header values change nothing",
        keys: &["PZ-14029", "PZ-14030", "PZ-14032"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[],
        steps: &[
            "GET /ack with script tags, path traversal, quotes, a long user agent, bogus credentials in headers",
        ],
        expects: "200 with an empty body each time",
        body: |story| Box::pin(ack_headers(story)),
    },
];

async fn ack_contract(story: &Story) -> Result<(), Failure> {
    let ack = story.get("/ack").await?;
    ack.has_status(200)?.has_header("content-length", "0")?;
    equal("the body", &ack.text(), &String::new()).map_err(|failure| failure.shown_by(&ack.0))?;
    equal("content-type", &ack.header("content-type"), &None).map_err(|failure| failure.shown_by(&ack.0))?;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD, Method::OPTIONS] {
        let refused = story.send(Request::of(method, "/ack")).await?;
        refused.has_status(405)?.has_header("allow", "GET")?;
    }
    Ok(())
}

async fn ack_headers(story: &Story) -> Result<(), Failure> {
    let long = "x".repeat(4000);
    for (name, value) in [
        ("x-custom", "<script>alert(1)</script>"),
        ("referer", "../../../etc/passwd"),
        ("x-quote", "'\"; DROP TABLE jobs; --"),
        ("user-agent", long.as_str()),
        ("authorization", "Bearer nobody"),
        ("cookie", "session=1"),
        ("accept", "image/png"),
        ("content-type", "application/xml"),
    ] {
        story.send(Request::get("/ack").header(name, value)).await?.has_status(200)?;
    }
    Ok(())
}
