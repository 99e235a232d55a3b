//! Refusals that the contract does not have, and those of the contract in another form.

use focus_mock::MockServer;
use focus_mock::domain::quirk::Quirk;
use focus_mock::sim::setup::{Dependencies, Setup, Supply};
use reqwest::Method;
use serde_json::{Value, json};

use super::{but, historic, waterfall, with_quirks, without};
use crate::common::{Answer, Client, START, base, held_as, light, with};
use crate::judge::{header, state};

/// Checks that a request fails at the parser, and leaves nothing behind.
async fn fails_at_the_parser(server: &MockServer, body: &Value) {
    let before = state(server);
    let answer = Client::of(server).configure(body).await;
    let id = header(&answer, "x-request-id").expect("an id").to_owned();
    let text =
        format!("{{\"error\":\"Error parsing configuration\",\"code\":\"PARSER\",\"request_id\":\"{id}\"}}");
    assert_eq!(
        (answer.status.as_u16(), String::from_utf8_lossy(&answer.body).as_ref()),
        (500, &*text),
        "{body}"
    );
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    assert_eq!(header(&answer, "retry-after"), None);
    assert_eq!(state(server), before);
}

async fn status(server: &MockServer, body: &Value) -> u16 {
    Client::of(server).configure(body).await.status.as_u16()
}

#[tokio::test]
async fn an_integer_view_is_refused_with_422_and_nothing_at_all() {
    let server = with_quirks(&[Quirk::ViewTypeIntRejected]);
    for view in [json!(0), json!(1), json!(2), json!(99), json!(-1), json!(0.0)] {
        let answer = Client::of(&server).configure(&but("view_type", &view)).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (422, 0), "{view}");
        assert_eq!((header(&answer, "content-length"), header(&answer, "content-type")), (Some("0"), None));
        assert!(header(&answer, "x-request-id").is_some());
    }
    assert_eq!(status(&server, &base()).await, 200);
    // What was no view before is none now.
    for view in [json!(true), json!(0.5), json!("7"), Value::Null] {
        let answer = Client::of(&server).configure(&but("view_type", &view)).await;
        assert_eq!(answer.refusal(), (422, String::from("INVALID_REQUEST")), "{view}");
    }
    // Whatever else is wrong, and before any parser.
    let server = with_quirks(&[Quirk::ViewTypeIntRejected, Quirk::Parser500]);
    let answer = Client::of(&server).configure(&json!({"view_type": 0})).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (422, 0));
}

#[tokio::test]
async fn a_missing_part_fails_at_the_parser_whatever_else_is_wrong() {
    let server = with_quirks(&[Quirk::Parser500]);
    for key in ["displayInfo", "channels", "view_type", "frequencyRange"] {
        fails_at_the_parser(&server, &without(key)).await;
        fails_at_the_parser(&server, &but(key, &Value::Null)).await;
        let mut wrong = without(key);
        wrong["nfftSelection"] = json!("many");
        wrong["displayTimeAxisDuration"] = json!(-1);
        fails_at_the_parser(&server, &wrong).await;
    }
    let mut single = without("frequencyRange");
    single["view_type"] = json!("1");
    fails_at_the_parser(&server, &single).await;
    fails_at_the_parser(&server, &json!({"nfftSelection": 1024})).await;
    // Not there and of the wrong type are two things, and a waterfall has no frequencies.
    assert_eq!(status(&server, &but("displayInfo", &json!([]))).await, 422);
    assert_eq!(status(&server, &but("displayInfo", &json!({}))).await, 422);
    assert_eq!(status(&server, &without("nfftSelection")).await, 422);
    assert_eq!(status(&server, &without("displayTimeAxisDuration")).await, 422);
    assert_eq!(status(&server, &waterfall()).await, 200);
    for nothing in [json!({}), json!({"view_type": null, "comment": 1})] {
        let answer = Client::of(&server).configure(&nothing).await;
        assert_eq!(answer.refusal(), (422, String::from("INVALID_REQUEST")), "{nothing}");
    }
}

#[tokio::test]
async fn a_minimal_waterfall_fails_at_the_parser() {
    let server = with_quirks(&[Quirk::WaterfallMinimal500]);
    fails_at_the_parser(&server, &waterfall()).await;
    fails_at_the_parser(&server, &with(waterfall(), &json!({"nfftSelection": 1}))).await;
    fails_at_the_parser(&server, &with(waterfall(), &json!({"view_type": 2, "displayInfo": null}))).await;
    // With either of the two the contract's own checks refuse it.
    for extra in [json!({"displayTimeAxisDuration": 10}), json!({"frequencyRange": {"min": 0, "max": 5}})] {
        assert_eq!(status(&server, &with(waterfall(), &extra)).await, 422);
    }
    assert_eq!(status(&server, &base()).await, 200);
}

#[tokio::test]
async fn a_one_sided_window_fails_at_the_parser() {
    let server = with_quirks(&[Quirk::OneSidedWindow500]);
    for window in
        [json!({"start_time": START - 60, "end_time": null}), json!({"start_time": null, "end_time": START})]
    {
        fails_at_the_parser(&server, &with(base(), &window)).await;
        fails_at_the_parser(&server, &with(with(base(), &window), &json!({"channels": 5}))).await;
    }
    assert_eq!(status(&server, &base()).await, 200);
    assert_eq!(status(&server, &historic()).await, 200);
    // The window of the recordings is another route's.
    let answer = Client::of(&server).post("/recordings_in_time_range", &json!({"start_time": 1})).await;
    assert_eq!(answer.status, 422);
}

const NOT_FOUND: &[u8] = b"{\"detail\":\"Not Found\"}";

fn assert_no_route(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (404, NOT_FOUND));
    assert_eq!(answer.body.len(), 22);
    assert_eq!(header(answer, "content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_job_cannot_be_cancelled_and_goes_on() {
    let server = with_quirks(&[Quirk::CancelNotImplemented]);
    let client = Client::of(&server);
    client.job(&light()).await;
    for id in ["1-1", "1-1", "9-9", "no-id"] {
        assert_no_route(&client.cancel(id).await);
        assert_no_route(&client.send(Method::DELETE, &format!("/focus-server/job/{id}"), None).await);
    }
    assert_eq!(client.get("/metadata/1-1").await.status, 200);
    assert_eq!(server.simulation().snapshot().jobs.len(), 1);
}

#[tokio::test]
async fn the_routes_of_tasks_do_not_exist_and_their_metadata_are_those_of_an_unknown_job() {
    let server = with_quirks(&[Quirk::TaskApiMissing]);
    let client = Client::of(&server);
    for prefix in ["", "/focus-server"] {
        assert_no_route(&client.get(&format!("{prefix}/sensors")).await);
        assert_no_route(&client.post(&format!("{prefix}/config/task-7"), &json!({})).await);
        assert_no_route(&client.get(&format!("{prefix}/waterfall/task-7/10")).await);
        let answer = client.get(&format!("{prefix}/metadata/task-7")).await;
        assert_eq!(answer.refusal(), (404, String::from("UNKNOWN_JOB")));
        assert_eq!(answer.json()["error"], "Invalid job_id");
    }
    client.job(&light()).await;
    assert_eq!(client.get("/metadata/1-1").await.status, 200, "that of a job is as ever");
}

fn text(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), std::str::from_utf8(&answer.body).expect("UTF-8"))
}

#[tokio::test]
async fn bare_errors_have_one_key() {
    let server = with_quirks(&[Quirk::BareErrorBody]);
    let client = Client::of(&server);
    let no_recording = with(base(), &json!({"start_time": 1000, "end_time": 2000}));
    let answer = client.configure(&no_recording).await;
    assert_eq!(text(&answer), (404, "{\"error\":\"No recording found in given time range\"}"));
    assert_eq!(answer.body.len(), 50);
    assert_eq!(text(&client.get("/metadata/9-9").await), (404, "{\"error\":\"Invalid job_id\"}"));
    assert_no_route(&client.get("/nothing").await);
    let answer = client.send(Method::POST, "/ack", None).await;
    assert_eq!(text(&answer), (405, "{\"detail\":\"Method Not Allowed\"}"));
    assert_eq!(header(&answer, "allow"), Some("GET"));
    let answer = client.configure(&without("displayInfo")).await;
    let expected = "{\"detail\":[{\"loc\":[\"body\",\"displayInfo\"],\"msg\":\"displayInfo is required\",\"type\":\"missing\"}]}";
    assert_eq!(text(&answer), (422, expected));
    let answer = client.configure(&but("displayInfo", &json!({"height": 0}))).await;
    let expected = "{\"error\":\"displayInfo.height is invalid: height must be positive\"}";
    assert_eq!(text(&answer), (400, expected));
    let answer = client.send(Method::POST, "/configure", Some(b"{".to_vec())).await;
    assert_eq!(text(&answer), (400, "{\"error\":\"Request body is not valid JSON\"}"));
    let answer = client.send(Method::POST, "/configure", Some(vec![b' '; 1_048_577])).await;
    assert_eq!(text(&answer), (413, "{\"error\":\"Request body is too large: the limit is 1048576 bytes\"}"));
    let down = Dependencies { focus_server: Supply::Down, ..Dependencies::default() };
    server.simulation().with(|world, now| world.change_dependencies(down, now));
    let answer = client.get("/channels").await;
    assert_eq!(text(&answer), (503, "{\"error\":\"Focus Server is unavailable\"}"));
    assert_eq!(header(&answer, "retry-after"), Some("1"), "that belongs to another quirk");
    assert!(header(&answer, "x-request-id").is_some());
}

#[tokio::test]
async fn a_bare_error_of_the_parser_is_its_text_alone() {
    let server = held_as(|config| {
        let quirks = [Quirk::Parser500, Quirk::BareErrorBody].into_iter().collect();
        config.setup = Setup { quirks, ..Setup::default() };
    });
    let answer = Client::of(&server).configure(&without("channels")).await;
    assert_eq!(text(&answer), (500, "{\"error\":\"Error parsing configuration\"}"));
}
