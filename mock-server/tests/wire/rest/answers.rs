//! The happy answer of every route, to the byte where the contract gives the bytes.

use focus_mock::domain::fiber::FiberState;
use focus_mock::sim::setup::{ClusterState, Dependencies, MongoDb, Setup, Supply};
use focus_proto::OPENAPI_JSON;
use serde_json::json;

use super::PREFIXES;
use crate::common::{Answer, Client, START, base, held, held_with, light, with};
use crate::judge::{self, header, validator};
use crate::raw::{Wire, request};

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).expect("UTF-8")
}

const READY: &str = r#"{"dx":1.0213698148727417,"prr":2000.0,"fiber_start_meters":0,"fiber_length_meters":10000,"sw_version":"11.17.10513","number_of_channels":2337,"fiber_description":"Simulated fibre","num_samples_per_trace":9791,"dtype":"float32"}"#;
const WAITING: &str =
    r#"{"dx":0.0,"prr":0.0,"sw_version":"waiting for fiber","fiber_description":"waiting for fiber"}"#;

#[tokio::test]
async fn ack_is_an_empty_200_without_a_content_type() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    for prefix in PREFIXES {
        wire.send(&request("GET", &format!("{prefix}/ack"), &[], b""));
        let answer = wire.answer();
        assert_eq!(answer.status, 200);
        judge::answered(&answer);
        assert_eq!(header(&answer, "content-type"), None);
        assert_eq!(header(&answer, "content-length"), Some("0"));
        assert_eq!(text(&answer), "");
    }
}

#[tokio::test]
async fn channels_is_the_recorded_text_of_43_bytes_also_while_waiting_for_fiber() {
    for fiber_state in [FiberState::Lit, FiberState::Mixed, FiberState::Waiting] {
        let server = held_with(Setup { fiber_state, ..Setup::default() });
        let client = Client::of(&server);
        for prefix in PREFIXES {
            let answer = client.get(&format!("{prefix}/channels")).await;
            assert_eq!(answer.status, 200);
            judge::json_answer(&answer);
            assert_eq!(text(&answer), r#"{"lowest_channel":1,"highest_channel":2337}"#);
            assert_eq!(answer.body.len(), 43);
        }
    }
}

#[tokio::test]
async fn live_metadata_is_one_of_three_exact_texts() {
    let mixed = READY.replace("11.17.10513", "waiting for fiber");
    for (fiber_state, expected) in
        [(FiberState::Lit, READY), (FiberState::Mixed, &mixed), (FiberState::Waiting, WAITING)]
    {
        let server = held_with(Setup { fiber_state, ..Setup::default() });
        let client = Client::of(&server);
        for prefix in PREFIXES {
            let answer = client.get(&format!("{prefix}/live_metadata")).await;
            assert_eq!(answer.status, 200);
            judge::json_answer(&answer);
            assert_eq!(text(&answer), expected);
        }
    }
}

#[tokio::test]
async fn the_openapi_document_is_served_as_it_was_built() {
    let server = held();
    let client = Client::of(&server);
    for prefix in PREFIXES {
        let answer = client.get(&format!("{prefix}/openapi.json")).await;
        assert_eq!(answer.status, 200);
        judge::answered(&answer);
        assert_eq!(header(&answer, "content-type"), Some("application/json"));
        assert_eq!(text(&answer), OPENAPI_JSON);
    }
    let view_type =
        &judge::document()["components"]["schemas"]["ConfigureRequest"]["properties"]["view_type"];
    assert_eq!(view_type["type"], "string");
    assert_eq!(view_type["enum"], json!(["0", "1", "2"]));
}

#[tokio::test]
async fn the_docs_are_one_page_that_loads_nothing_from_the_network() {
    let server = held();
    let client = Client::of(&server);
    for prefix in PREFIXES {
        let answer = client.get(&format!("{prefix}/docs")).await;
        assert_eq!(answer.status, 200);
        judge::answered(&answer);
        assert_eq!(header(&answer, "content-type"), Some("text/html; charset=utf-8"));
        let page = text(&answer);
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<html") && page.ends_with("</html>"));
        for loading in ["<script", "<link", "<img", "<iframe", "@import", "url(", "src="] {
            assert!(!page.contains(loading), "{loading}");
        }
    }
}

#[tokio::test]
async fn a_configure_of_every_view_is_answered_as_its_schema_says() {
    let server = held();
    let client = Client::of(&server);
    let schema = validator("ConfigureResponse");
    let single = with(base(), &json!({"view_type": "1", "channels": {"min": 7, "max": 7}}));
    let waterfall =
        json!({"view_type": 2, "channels": {"min": 1, "max": 10}, "displayInfo": {"height": 256}});
    for (view, body) in [(0, base()), (0, light()), (1, single), (2, waterfall)] {
        for prefix in PREFIXES {
            let answer = client.post(&format!("{prefix}/configure"), &body).await;
            assert_eq!(answer.status, 200, "{}", text(&answer));
            let job = judge::json_answer(&answer);
            let problems: Vec<_> = schema.iter_errors(&job).map(|problem| problem.to_string()).collect();
            assert!(problems.is_empty(), "{problems:?}");
            assert_eq!(job["view_type"], view);
            let id = job["job_id"].as_str().expect("an id");
            let metadata = client.get(&format!("{prefix}/metadata/{id}")).await;
            assert_eq!((metadata.status.as_u16(), metadata.body), (200, answer.body));
        }
    }
}

#[tokio::test]
async fn outages_leave_the_routes_that_need_nothing_at_200() {
    let dependencies = Dependencies {
        mongodb: MongoDb::Down,
        rabbitmq: Supply::Down,
        recorder: Supply::Down,
        cluster: ClusterState::RefusesObjects,
        ..Dependencies::default()
    };
    let setup = Setup { dependencies, fiber_state: FiberState::Waiting, ..Setup::default() };
    let server = held_with(setup);
    let client = Client::of(&server);
    for path in ["/ack", "/channels", "/live_metadata", "/sensors", "/openapi.json", "/docs"] {
        assert_eq!(client.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_query_an_absolute_target_and_odd_headers_are_ignored() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let long_agent = "Mozilla/".repeat(2000);
    let odd = [
        ("User-Agent", long_agent.as_str()),
        ("Referer", "<script>alert(1)</script>"),
        ("Cookie", "session=../../etc/passwd; \"'"),
        ("Authorization", "Bearer nobody"),
        ("X-Forwarded-For", "../\\'\"%00"),
        ("Origin", "http://elsewhere"),
        ("If-None-Match", "*"),
        ("Range", "bytes=0-1"),
        ("Accept", "image/png"),
        ("Accept-Encoding", "gzip, br"),
        ("X-HTTP-Method-Override", "DELETE"),
    ];
    for path in ["/channels", "/channels?", "/channels?x=1&y=%ff", "http://elsewhere:1/channels"] {
        for headers in [&[][..], &odd] {
            wire.send(&request("GET", path, headers, b""));
            let answer = wire.answer();
            assert_eq!(answer.status, 200, "{path}");
            judge::json_answer(&answer);
            assert_eq!(text(&answer), r#"{"lowest_channel":1,"highest_channel":2337}"#);
        }
    }
}

#[tokio::test]
async fn the_type_a_request_claims_for_its_body_does_not_matter() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let body = json!({"start_time": START - 3600, "end_time": START}).to_string();
    for content_type in
        ["application/json", "text/plain", "application/xml", "application/x-www-form-urlencoded", "", "/;;"]
    {
        let headers = [("Content-Type", content_type)];
        wire.send(&request("POST", "/recordings_in_time_range", &headers, body.as_bytes()));
        let answer = wire.answer();
        assert_eq!(answer.status, 200, "{content_type}");
        assert_eq!(text(&answer), format!("[[{},{START}]]", START - 3600));
    }
    wire.send(&request("POST", "/recordings_in_time_range", &[], body.as_bytes()));
    assert_eq!(wire.answer().status, 200, "no content type at all");
}

#[tokio::test]
async fn there_are_no_cors_headers_on_any_answer() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    for (method, path) in [("GET", "/channels"), ("OPTIONS", "/configure"), ("GET", "/nope")] {
        let headers = [("Origin", "http://elsewhere"), ("Access-Control-Request-Method", "POST")];
        wire.send(&request(method, path, &headers, b""));
        let answer = wire.answer();
        let cors = answer.headers.keys().find(|name| name.as_str().starts_with("access-control"));
        assert_eq!(cors, None, "{method} {path}");
    }
}
