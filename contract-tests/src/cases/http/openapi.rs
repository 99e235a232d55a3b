//! The document that a server publishes about itself.

use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::bodies::{base, light, waterfall, with, without};
use crate::case::{Case, Tag};
use crate::failure::{Failure, equal, holds};
use crate::story::Story;

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "http/openapi-published",
        claim: "the published document is OpenAPI 3.1.0 and lists every public route with every status it answers",
        keys: &["PZ-13298"],
        tags: &[Tag::Regression],
        needs: &[],
        steps: &[
            "GET /openapi.json",
            "that answers validate against the document, every case checks of every answer",
        ],
        expects: "200; 3.1.0; the paths of the contract and no others, each with its method and statuses; /metadata as \
                  one path with the answers of jobs and of tasks; an error body with error, code, detail, request_id",
        body: |story| Box::pin(published(story)),
    },
    Case {
        id: "http/openapi-configure",
        claim: "the published schema of ConfigureRequest says what known clients read from it, and judges as the server",
        keys: &["PZ-13298"],
        tags: &[Tag::Regression],
        needs: &[],
        steps: &[
            "GET /openapi.json, and take ConfigureRequest with its bounds",
            "validate Base, Light and a waterfall against it, then each with something missing, forbidden or out of bounds",
        ],
        expects: "view_type is an inline string of 0, 1, 2; three required fields; the others nullable and required or \
                  forbidden by view; bounds as in force; what the server accepts is valid, what it refuses is not",
        body: |story| Box::pin(configure_schema(story)),
    },
    Case {
        id: "http/docs-page",
        claim: "GET /docs shows the document without loading anything from the network",
        keys: &["PZ-13298"],
        tags: &[Tag::Regression],
        needs: &[],
        steps: &["GET /docs"],
        expects: "200 text/html with every path of the document; no src or href with an address of its own, no import",
        body: |story| Box::pin(docs_page(story)),
    },
];

/// Every path with its method and the statuses that its answers have.
const PATHS: [(&str, &str, &[&str]); 13] = [
    ("/ack", "get", &["200"]),
    ("/channels", "get", &["200"]),
    ("/live_metadata", "get", &["200"]),
    ("/configure", "post", &["200", "400", "404", "409", "413", "422", "503"]),
    ("/metadata/{}", "get", &["200", "201", "404"]),
    ("/job/{}", "delete", &["200", "404"]),
    ("/recordings_in_time_range", "post", &["200", "400", "413", "422", "503"]),
    ("/get_recordings_timeline", "get", &["200", "503"]),
    ("/sensors", "get", &["200"]),
    ("/config/{}", "post", &["200", "400", "413", "422"]),
    ("/waterfall/{}/{}", "get", &["200", "201", "208", "400", "404", "422"]),
    ("/openapi.json", "get", &["200"]),
    ("/docs", "get", &["200"]),
];

async fn document(story: &Story) -> Result<(Answer, Value), Failure> {
    let answer = story.get("/openapi.json").await?;
    let document = answer.has_status(200)?.has_header("content-type", "application/json")?.json()?;
    Ok((answer, document))
}

/// A path with its parameters' names taken out: two names for one place would be two truths.
fn nameless(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}" } else { part }.to_owned();
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

async fn published(story: &Story) -> Result<(), Failure> {
    let (answer, document) = document(story).await?;
    let shown = |failure: Failure| failure.shown_by(&answer.0);
    answer.has("/openapi", &json!("3.1.0"))?;
    let items: Vec<_> = document["paths"].as_object().into_iter().flatten().collect();
    let mut paths: Vec<_> = items.iter().map(|(path, _)| nameless(path)).collect();
    paths.sort();
    let mut expected: Vec<_> = PATHS.iter().map(|(path, ..)| (*path).to_owned()).collect();
    expected.sort();
    equal("the list of paths", &paths, &expected).map_err(shown)?;
    for (path, item) in items {
        let Some((_, method, statuses)) = PATHS.iter().find(|(known, ..)| *known == nameless(path)) else {
            continue;
        };
        let keys = item.as_object().into_iter().flat_map(Map::keys);
        let methods: Vec<_> = keys.filter(|key| METHODS.contains(&key.as_str())).collect();
        equal(&format!("the methods of {path}"), &methods, &vec![&(*method).to_owned()]).map_err(shown)?;
        for status in statuses.iter().chain(&["405", "503"]) {
            holds(item[method]["responses"].get(status).is_some(), || {
                format!("{status} is not among the responses of {method} {path}")
            })
            .map_err(shown)?;
        }
    }
    let error = document.pointer("/components/schemas/ErrorBody").unwrap_or(&Value::Null);
    for key in ["error", "code", "detail", "request_id"] {
        holds(error["properties"].get(key).is_some(), || format!("ErrorBody has no {key}")).map_err(shown)?;
    }
    Ok(())
}

const METHODS: [&str; 8] = ["get", "post", "put", "patch", "delete", "head", "options", "trace"];

async fn configure_schema(story: &Story) -> Result<(), Failure> {
    let (answer, document) = document(story).await?;
    let schema = &document["components"]["schemas"]["ConfigureRequest"];
    let at = |pointer: &str, expected: Value| {
        let got = schema.pointer(pointer).unwrap_or(&Value::Null);
        equal(&format!("ConfigureRequest{pointer}"), got, &expected)
            .map_err(|failure| failure.shown_by(&answer.0))
    };
    at("/properties/view_type/type", json!("string"))?;
    at("/properties/view_type/enum", json!(["0", "1", "2"]))?;
    for key in ["$ref", "anyOf", "oneOf", "allOf"] {
        at(&format!("/properties/view_type/{key}"), Value::Null)?;
    }
    let mut required: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    required.sort_unstable();
    equal("required of ConfigureRequest", &required, &vec!["channels", "displayInfo", "view_type"])?;
    let channels = story.get("/channels").await?.json()?;
    at("/properties/channels/properties/max/maximum", channels["highest_channel"].clone())?;
    at("/properties/channels/properties/min/minimum", json!(1))?;
    at("/properties/displayInfo/properties/height/minimum", json!(1))?;
    for key in ["displayTimeAxisDuration", "start_time", "end_time"] {
        at(&format!("/properties/{key}/type"), json!(["integer", "null"]))?;
    }
    at("/properties/frequencyRange/type", json!(["object", "null"]))?;
    let highest = channels["highest_channel"].as_i64().unwrap_or_default();
    judged(&document, schema, highest).map_err(|failure| failure.shown_by(&answer.0))
}

/// What the published schema says of requests that the server accepts, and of those that it refuses for their shape.
fn judged(document: &Value, schema: &Value, highest: i64) -> Result<(), Failure> {
    let mut whole = schema.clone();
    whole["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    whole["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&whole)
        .map_err(|error| Failure::broken(format!("ConfigureRequest is no schema: {error}")))?;
    let single = with(base(), [("view_type", json!("1")), ("channels", json!({"min": 7, "max": 7}))]);
    let valid = [
        base(),
        light(),
        waterfall(),
        single.clone(),
        with(waterfall(), [("nfftSelection", json!(1)), ("frequencyRange", Value::Null)]),
        with(base(), [("start_time", json!(1)), ("end_time", json!(2))]),
        with(base(), [("nfftSelection", json!(65_536)), ("frequencyRange.max", json!(1000))]),
    ];
    for body in valid {
        holds(validator.is_valid(&body), || format!("the published schema refuses {body}"))?;
    }
    let mut invalid = vec![
        with(base(), [("view_type", json!("3"))]),
        with(base(), [("nfftSelection", json!(1000))]),
        with(base(), [("nfftSelection", json!(131_072))]),
        with(base(), [("frequencyRange.max", json!(1001))]),
        with(base(), [("frequencyRange.min", json!(-1))]),
        with(base(), [("displayInfo.height", json!(0))]),
        with(base(), [("displayTimeAxisDuration", json!(0))]),
        with(base(), [("channels.min", json!(0))]),
        with(base(), [("channels.max", json!(highest + 1))]),
        with(base(), [("start_time", json!(1))]),
        with(base(), [("end_time", json!(1))]),
        with(waterfall(), [("displayTimeAxisDuration", json!(10))]),
        with(waterfall(), [("frequencyRange", json!({"min": 0, "max": 500}))]),
        with(waterfall(), [("nfftSelection", json!(4))]),
    ];
    for key in ["view_type", "channels", "displayInfo", "channels.max", "displayInfo.height"] {
        invalid.push(without(base(), &[key]));
    }
    for view in [base(), single] {
        for key in ["displayTimeAxisDuration", "nfftSelection", "frequencyRange"] {
            invalid.push(without(view.clone(), &[key]));
            invalid.push(with(view.clone(), [(key, Value::Null)]));
        }
    }
    for body in invalid {
        holds(!validator.is_valid(&body), || format!("the published schema accepts {body}"))?;
    }
    Ok(())
}

async fn docs_page(story: &Story) -> Result<(), Failure> {
    let page = story.get("/docs").await?;
    page.has_status(200)?.has_header("content-type", "text/html; charset=utf-8")?;
    let text = page.text();
    let shown = |failure: Failure| failure.shown_by(&page.0);
    holds(text.contains("<html"), || String::from("the page has no <html")).map_err(shown)?;
    let (_, document) = document(story).await?;
    for path in document["paths"].as_object().into_iter().flat_map(Map::keys) {
        holds(text.contains(path.as_str()), || format!("the page does not show {path}")).map_err(shown)?;
    }
    for loading in [
        "src=\"http",
        "src='http",
        "src=\"//",
        "href=\"http",
        "href='http",
        "href=\"//",
        "@import",
        "url(http",
        "url(//",
    ] {
        holds(!text.contains(loading), || format!("the page has {loading}")).map_err(shown)?;
    }
    Ok(())
}
