//! What the journal tells of requests.

use focus_mock::MockServer;
use focus_mock::sim::faults::{Effect, Match, Route, Schedule};
use focus_mock::sim::journal::{Happening, JournalLimits, Reason};
use focus_mock::sim::setup::Setup;
use serde_json::json;

use super::{always, records, rule};
use crate::common::{Client, START, held, held_with, light, with};
use crate::raw::{Wire, request};

#[tokio::test]
async fn every_request_is_told_of_with_its_answer_and_its_job() {
    let server = held();
    let client = Client::of(&server);
    client.job(&light()).await;
    client.get("/metadata/1-1?x=%20y").await;
    client.cancel("1-1").await;
    client.configure(&with(light(), &json!({"nfftSelection": 1000}))).await;
    client.get("/nowhere").await;
    client.post("/channels", &json!({})).await;
    client.get("/metadata/9-9").await;
    let told: Vec<_> = records(&server)
        .iter()
        .map(|record| {
            let job = record.job.map(|job| job.to_string());
            (
                record.method().to_owned(),
                record.path().to_owned(),
                record.route,
                record.status,
                record.code,
                job,
            )
        })
        .collect();
    let expected = [
        ("POST", "/configure", Route::Configure, 200, None, Some("1-1")),
        ("GET", "/metadata/1-1?x=%20y", Route::Metadata, 200, None, Some("1-1")),
        ("DELETE", "/job/1-1", Route::Cancel, 200, None, Some("1-1")),
        ("POST", "/configure", Route::Configure, 400, Some("INVALID_VALUE"), None),
        ("GET", "/nowhere", Route::Unrouted, 404, Some("NOT_FOUND"), None),
        ("POST", "/channels", Route::Unrouted, 405, Some("METHOD_NOT_ALLOWED"), None),
        ("GET", "/metadata/9-9", Route::Metadata, 404, Some("UNKNOWN_JOB"), Some("9-9")),
    ];
    let expected = expected.map(|(method, path, route, status, code, job)| {
        (method.to_owned(), path.to_owned(), route.into(), Some(status), code, job.map(str::to_owned))
    });
    assert_eq!(told, expected);
}

#[test]
fn a_record_has_who_asked_what_and_why_it_was_refused() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let body = with(light(), &json!({"nfftSelection": 1000})).to_string();
    let headers =
        [("x-request-id", "mine"), ("Authorization", "Bearer abc"), ("cookie", "a=b"), ("x-own", "ok")];
    wire.send(&request("POST", "/configure", &headers, body.as_bytes()));
    let answer = wire.answer();
    let record = &records(&server)[0];
    assert_eq!((record.id(), record.body()), ("mine", body.as_bytes()));
    assert_eq!(record.caller(), wire.inner().local_addr().expect("an address").to_string());
    assert_eq!(
        record.headers(),
        format!(
            "host: localhost\nx-request-id: mine\nauthorization: <redacted>\ncookie: <redacted>\nx-own: ok\n\
             content-length: {}\n",
            body.len()
        )
    );
    assert_eq!(record.refusal(), answer.json()["error"].as_str());
    assert_eq!(record.came.millis().0, START * 1000);
    let kept = format!("{:?}", server.simulation().journal().since(0));
    assert!(!kept.contains("Bearer") && !kept.contains("a=b"));
}

fn small() -> MockServer {
    let journal = JournalLimits { bytes: 100_000, entry_bytes: 4096, ..JournalLimits::default() };
    held_with(Setup { journal, ..Setup::default() })
}

#[test]
fn what_is_too_long_is_cut_and_the_journal_keeps_within_its_bytes() {
    let server = small();
    let mut wire = Wire::to(server.rest());
    let long = "x".repeat(5000);
    for _ in 0..100 {
        let body = with(light(), &json!({ "long": &long })).to_string();
        wire.send(&request("POST", &format!("/configure?{long}"), &[("x-long", &long)], body.as_bytes()));
        assert_eq!(wire.answer().status, 200);
    }
    let journal = server.simulation().journal();
    assert!(journal.bytes() <= 100_000, "{}", journal.bytes());
    let entries = journal.since(0);
    assert!(entries.iter().all(|entry| entry.bytes() <= 4096));
    let record = records(&server).pop().expect("some are left");
    assert!(
        record.body_bytes > 5000 && record.body().len() < 4096 && record.body().starts_with(b"{\"display")
    );
    assert!(record.path().starts_with("/configure?xxx") && record.path().len() < 1024);
    assert!(record.headers().contains("x-long: xxx"));
    assert_eq!(record.job.map(|job| job.slot.number()), Some(100));
}

#[test]
fn hits_are_told_of_with_their_rule_and_their_request() {
    let server = held();
    let id = rule(
        &server,
        "rest.ack.headers",
        Match::default(),
        Schedule { first: Some(1), ..Schedule::default() },
        None,
        Some(Effect::Reset),
    );
    let ask = request("GET", "/ack", &[("x-request-id", "mine")], b"");
    let mut socket = crate::raw::connect(server.rest());
    std::io::Write::write_all(&mut socket, &ask).expect("taken");
    assert!(super::everything(socket).1, "reset");
    let mut wire = Wire::to(server.rest());
    wire.send(&ask);
    assert_eq!(wire.answer().status, 200);
    let told = records(&server);
    assert_eq!((told[0].status, told[1].status, told[1].why.len()), (None, Some(200), 0));
    let hits: Vec<_> = server.simulation().journal().since(0);
    let Happening::Fault(hit) = &hits[0].what else { panic!("{hits:?}") };
    assert_eq!((&hit.rule, hit.effect, hit.request.as_deref()), (&id, Some("reset"), Some("mine")));
    assert_eq!(told[0].why, [Reason::Rule((**hit).clone())]);
}

#[test]
fn a_request_whose_client_was_cut_off_while_it_waited_is_told_of_without_a_status() {
    let server = held();
    let delay = Some(focus_mock::sim::faults::Delay::Fixed(std::time::Duration::from_secs(60)));
    rule(&server, "rest.ack.before", Match::default(), Schedule::default(), delay, None);
    let wire = {
        let mut wire = Wire::to(server.rest());
        wire.send(&request("GET", "/ack", &[], b""));
        wire
    };
    while server.simulation().snapshot().waiters.is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(records(&server), []);
    drop(wire);
    server.simulation().advance(std::time::Duration::from_secs(60));
    while records(&server).is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(records(&server)[0].why.len(), 1);
}

#[tokio::test]
async fn what_the_admin_listener_is_asked_is_nobodys_business() {
    let server = held();
    always(&server, "rest.before", Effect::Reset);
    let admin = server.admin().expect("an admin listener");
    for path in ["/livez", "/readyz", "/__mock/state", "/nowhere"] {
        assert!(reqwest::get(format!("http://{admin}{path}")).await.is_ok());
    }
    assert_eq!(records(&server), []);
}
