//! Faults that put another answer in the place of one, on a connection that goes on.

use std::time::Duration;

use focus_mock::domain::fiber::FiberState;
use focus_mock::domain::refusal::ContractError;
use focus_mock::sim::faults::{Effect, Match, Probability, Schedule};
use focus_mock::sim::setup::{Dependencies, Supply};
use serde_json::{Value, json};
use wildmatch::WildMatch;

use super::{CHANNELS, always, assert_unharmed, records, rule};
use crate::common::{Client, held, light, with};
use crate::judge;
use crate::raw::{Wire, request};

/// Status, text and whether to try again, in the order of the contract.
const ROWS: [(u16, &str, bool); 17] = [
    (400, "Request body is not valid JSON", false),
    (400, "displayInfo.height", false),
    (422, "channels", false),
    (404, "Not Found", false),
    (405, "Method Not Allowed", false),
    (404, "Invalid job_id", false),
    (404, "Consumer not found", false),
    (404, "No recording found in given time range", false),
    (409, "Port 12301 is already in use: conflict with another process", false),
    (413, "Request body is too large: the limit is 1048576 bytes", false),
    (503, "Cannot proceed: waiting for fiber (missing required fiber metadata fields: prr)", true),
    (503, "Recordings are unavailable: MongoDB is unavailable", true),
    (503, "Message broker is unavailable: RabbitMQ is unavailable", true),
    (503, "Capacity exhausted: the limit of 1024 concurrent jobs is reached", true),
    (503, "Job creation failed: all resources were released", true),
    (503, "Focus Server is unavailable", true),
    (500, "Internal error", false),
];

#[tokio::test]
async fn every_refusal_of_the_contract_can_be_had_with_the_body_of_the_contract() {
    for (at, made) in [("rest.configure.before", 0), ("rest.configure.headers", 1)] {
        for (error, (status, text, again)) in ContractError::ALL.into_iter().zip(ROWS) {
            let server = held();
            always(&server, at, Effect::Refuse(error));
            let client = Client::of(&server);
            let answer = client.configure(&light()).await;
            assert_eq!(answer.refusal(), (status, error.name().to_owned()));
            let said = answer.json()["error"].as_str().expect("a text").to_owned();
            let port = if made == 1 { "Port 12302" } else { "Port 12301" };
            let text = text.replace("Port 12301", port);
            assert!(said.contains(&text), "{said:?} instead of {text:?}");
            assert_eq!(answer.headers.get("retry-after").is_some(), again, "{said}");
            let detail = &answer.json()["detail"];
            let listed = matches!(status, 400 | 422);
            assert_eq!(detail.as_array().is_some_and(|list| !list.is_empty()), listed, "{detail}");
            assert_eq!(answer.json()["request_id"], answer.headers["x-request-id"].to_str().expect("text"));
            assert_eq!(server.simulation().snapshot().jobs.len(), made, "{at}");
            let record = &records(&server)[0];
            assert_eq!((record.status, record.code), (Some(status), Some(error.name())));
            assert_eq!(record.refusal(), Some(&*said));
        }
    }
}

#[tokio::test]
async fn any_status_can_be_had_with_any_body() {
    for status in [200, 204, 418, 500, 599] {
        let server = held();
        let (body, retry_after) = (if status == 204 { "" } else { "<h1>no</h1>" }, Some(7));
        let (body, content_type) = (body.to_owned(), String::from("text/html"));
        let effect = Effect::Status { status, body: body.clone(), content_type, retry_after };
        always(&server, "rest.channels.before", effect);
        let answer = Client::of(&server).get("/channels").await;
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (status, body.as_bytes()));
        assert_eq!(answer.headers["retry-after"], "7");
        assert_eq!(answer.headers.get("content-type").is_some(), status != 204);
        assert!(answer.headers.contains_key("x-request-id"));
        assert_unharmed(&server);
    }
}

#[tokio::test]
async fn a_rate_limit_lets_so_many_pass_in_each_stretch_of_the_clock() {
    let server = held();
    let effect = Effect::RateLimit { requests: 2, per: Duration::from_secs(10), retry_after: 4 };
    always(&server, "rest.before", effect);
    let client = Client::of(&server);
    for _ in 0..2 {
        let mut statuses = Vec::new();
        for path in ["/ack", "/channels", "/ack", "/nowhere"] {
            statuses.push(client.get(path).await.status.as_u16());
        }
        assert_eq!(statuses, [200, 200, 429, 429]);
        server.simulation().advance(Duration::from_secs(10));
    }
    for _ in 0..2 {
        client.get("/ack").await;
    }
    let answer = client.get("/ack").await;
    assert_eq!(answer.refusal(), (429, String::from("RATE_LIMITED")));
    assert_eq!(answer.headers["retry-after"], "4");
    assert_eq!(answer.json()["error"], "Too many requests: try again in 4 s");
}

#[tokio::test]
async fn the_body_is_missing_of_another_type_or_spoilt_and_the_connection_goes_on() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let mut ask = |at: &str, effect| {
        let id = always(&server, at, effect);
        wire.send(&request("GET", "/channels", &[], b""));
        let answer = wire.answer();
        server.simulation().faults().remove(&id);
        assert_eq!(answer.status, 200);
        answer
    };
    let empty = ask("rest.channels.headers", Effect::Empty);
    assert_eq!((&empty.body[..], &empty.headers["content-length"]), (&b""[..], &"0".parse().expect("text")));
    let typed = ask("rest.channels.headers", Effect::ContentType(String::from("text/plain")));
    assert_eq!(
        (&typed.body[..], &typed.headers["content-type"]),
        (CHANNELS, &"text/plain".parse().expect("text"))
    );
    let garbage = ask("rest.channels.body", Effect::Garbage { bytes: 10 });
    assert_eq!((garbage.body.len(), &garbage.body[10..]), (CHANNELS.len(), &CHANNELS[10..]));
    assert_ne!(&garbage.body[..10], &CHANNELS[..10]);
    let all = ask("rest.channels.body", Effect::Garbage { bytes: 9999 });
    assert!(all.body.len() == CHANNELS.len() && all.body[20..] != CHANNELS[20..]);
    wire.send(&request("GET", "/channels", &[], b""));
    assert_eq!(wire.answer().body, CHANNELS);
}

#[tokio::test]
async fn faults_come_before_the_first_check_and_reach_what_has_no_route() {
    let server = held();
    let client = Client::of(&server);
    let down = Dependencies { focus_server: Supply::Down, ..Dependencies::default() };
    server.simulation().with(|world, now| world.change_dependencies(down, now));
    assert_eq!(client.get("/channels").await.refusal(), (503, String::from("SERVER_DOWN")));
    let effect = Effect::Refuse(ContractError::Internal);
    always(&server, "rest.channels.before", effect.clone());
    assert_eq!(client.get("/channels").await.refusal().0, 500);
    assert_eq!(client.get("/focus-server/channels").await.refusal().0, 500);
    assert_eq!(
        client.post("/channels", &json!({})).await.refusal().0,
        503,
        "another method is another route"
    );
    always(&server, "rest.unrouted.before", effect);
    assert_eq!(client.post("/channels", &json!({})).await.refusal().0, 500);
    assert_eq!(client.get("/nowhere").await.refusal().0, 500);
    let admin = format!("http://{}/__mock/state", server.admin().expect("an admin listener"));
    assert_eq!(reqwest::get(admin).await.expect("an answer").status(), 200, "never the admin's");
}

#[tokio::test]
async fn rules_match_route_method_job_view_header_and_caller() {
    let refused = |matches: Match, at: &str| {
        let server = held();
        rule(&server, at, matches, Schedule::default(), None, Some(Effect::Refuse(ContractError::Internal)));
        server
    };
    let statuses = async |server: &focus_mock::MockServer, bodies: &[Value]| {
        let client = Client::of(server);
        let mut statuses = Vec::new();
        for body in bodies {
            statuses.push(client.configure(body).await.status.as_u16());
        }
        for path in ["/metadata/1-1", "/metadata/2-2", "/metadata/3-3", "/channels"] {
            statuses.push(client.get(path).await.status.as_u16());
        }
        statuses
    };
    let single = with(light(), &json!({"view_type": 1, "channels": {"min": 7, "max": 7}}));
    let bodies = [light(), single.clone(), with(light(), &json!({"view_type": 0}))];
    let wild = WildMatch::new;
    let anybody = Match::default();
    for (matches, at, expected) in [
        (
            Match { job: Some(wild("2-*")), ..anybody.clone() },
            "rest.before",
            [200, 200, 200, 200, 500, 200, 200],
        ),
        (
            Match { job: Some(wild("2-*")), ..anybody.clone() },
            "rest.headers",
            [200, 500, 200, 200, 500, 200, 200],
        ),
        (
            Match { method: Some("POST".into()), ..anybody.clone() },
            "rest.before",
            [500, 500, 500, 404, 404, 404, 200],
        ),
        (
            Match { route: Some(focus_mock::sim::faults::Route::Channels.into()), ..anybody.clone() },
            "rest.before",
            [200, 200, 200, 200, 200, 200, 500],
        ),
        (
            Match { view: Some(0), ..anybody.clone() },
            "rest.configure.before",
            [500, 200, 500, 200, 404, 404, 200],
        ),
        (
            Match { view: Some(1), ..anybody.clone() },
            "rest.configure.before",
            [200, 500, 200, 200, 200, 404, 200],
        ),
        (Match { caller: Some(wild("127.*")), ..anybody.clone() }, "rest.before", [500; 7]),
        (Match { caller: Some(wild("10.*")), ..anybody.clone() }, "rest.before", [200; 7]),
    ] {
        let server = refused(matches.clone(), at);
        assert_eq!(statuses(&server, &bodies).await, expected, "{matches:?} at {at}");
    }

    let server = refused(Match { headers: vec![("x-team".into(), wild("b*e"))], ..anybody }, "rest.before");
    let mut wire = Wire::to(server.rest());
    for (headers, status) in [
        (&[][..], 200),
        (&[("X-Team", "blue")], 500),
        (&[("x-team", "red")], 200),
        (&[("x-other", "blue")], 200),
    ] {
        wire.send(&request("GET", "/ack", headers, b""));
        assert_eq!(wire.answer().status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_read_for_a_rule_gets_the_answers_it_would_get_without() {
    let server = held();
    let matches = Match { view: Some(2), ..Match::default() };
    rule(&server, "rest.configure.before", matches, Schedule::default(), None, Some(Effect::Reset));
    let probability = Some(Probability::new(1.0).expect("in range"));
    let schedule = Schedule { probability, after: 1_000, ..Schedule::default() };
    rule(&server, "rest.recordings.before", Match::default(), schedule, None, Some(Effect::Reset));
    let mut wire = Wire::to(server.rest());
    for path in ["/configure", "/recordings_in_time_range"] {
        for (body, code) in
            [(&b"{"[..], "MALFORMED_JSON"), (b"[]", "INVALID_REQUEST"), (b"", "MALFORMED_JSON")]
        {
            wire.send(&request("POST", path, &[], body));
            assert_eq!(wire.answer().refusal().1, code);
        }
        let large = vec![b' '; 1024 * 1024 + 1];
        let answer = crate::raw::ask(server.rest(), "POST", path, &large);
        assert_eq!(answer.refusal(), (413, String::from("BODY_TOO_LARGE")));
    }
    wire.send(&request("POST", "/configure", &[], light().to_string().as_bytes()));
    assert_eq!(wire.answer().status, 200);
    let chunked = b"POST /configure HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n100001\r\n";
    let mut other = Wire::to(server.rest());
    other.send(&[&chunked[..], &vec![b' '; 0x10_0001]].concat());
    assert_eq!(other.answer().refusal(), (413, String::from("BODY_TOO_LARGE")));
}

#[tokio::test]
async fn a_refusal_of_a_step_names_its_rule_in_the_record_of_the_request() {
    let server = held();
    let client = Client::of(&server);
    let matches = Match { headers: vec![("x-team".into(), WildMatch::new("blue"))], ..Match::default() };
    let effect = Effect::Refuse(ContractError::InvalidValue);
    let id = rule(&server, "step.queue", matches, Schedule::default(), None, Some(effect));
    assert_eq!(client.configure(&light()).await.status, 200);
    let mut wire = Wire::to(server.rest());
    wire.send(&request("POST", "/configure", &[("x-team", "blue")], light().to_string().as_bytes()));
    let answer = wire.answer();
    judge::refused(&answer, 400, "INVALID_VALUE", answer.json()["error"].as_str().expect("a text"));
    assert_eq!(server.simulation().snapshot().jobs.len(), 1);
    let record = records(&server).pop().expect("two records");
    let focus_mock::sim::journal::Reason::Rule(hit) = &record.why[0] else { panic!("{record:?}") };
    assert_eq!((&hit.rule, hit.request.as_deref()), (&id, Some(record.id())));
    server.simulation().with(|world, now| world.change_fiber(FiberState::Waiting, now));
    assert_eq!(client.configure(&light()).await.refusal().1, "WAITING_FOR_FIBER");
    assert_eq!(records(&server).pop().expect("another").why, []);
}
