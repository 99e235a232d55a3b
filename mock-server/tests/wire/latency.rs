//! Answers to `POST /configure` that take their time, as those of the real server do.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::domain::fiber::FiberState;
use focus_mock::domain::job::JobState;
use focus_mock::sim::clock::Waiter;
use focus_mock::sim::setup::{Latency, Setup, Times};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::common::{Answer, Client, START, base, held_with, light, with};
use crate::judge;
use crate::raw::{Wire, request};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn slow(least: u64, most: u64) -> MockServer {
    let configure_latency = Latency { least: millis(least), most: millis(most) };
    held_with(Setup { times: Times { configure_latency, ..Times::default() }, ..Setup::default() })
}

/// Those who wait for their answer.
fn waiting(server: &MockServer) -> Vec<Waiter> {
    let waiters = server.simulation().snapshot().waiters.into_iter();
    waiters.filter(|waiter| waiter.what == "configure answer").collect()
}

/// Waits until so many wait for their answer.
async fn until_waiting(server: &MockServer, count: usize) {
    let reached = async {
        while waiting(server).len() != count {
            tokio::task::yield_now().await;
        }
    };
    let reached = tokio::time::timeout(Duration::from_secs(30), reached).await;
    assert!(reached.is_ok(), "{:?} instead of {count}", waiting(server));
}

/// Asks for a job beside the test.
fn ask(server: &MockServer, body: Value) -> JoinHandle<Answer> {
    let client = Client::of(server);
    tokio::spawn(async move { client.configure(&body).await })
}

fn listens(server: &MockServer, port: u16) -> bool {
    TcpStream::connect(SocketAddr::new(server.rest().ip(), port)).is_ok()
}

#[tokio::test]
async fn an_answer_leaves_when_its_time_is_over_and_the_job_is_there_all_the_while() {
    let server = slow(500, 500);
    let client = Client::of(&server);
    let asked = ask(&server, light());
    until_waiting(&server, 1).await;
    let metadata = client.get("/metadata/1-1").await;
    assert_eq!(metadata.status, 200);
    assert!(listens(&server, 12_301));
    let state = format!("http://{}/__mock/state", server.admin().expect("an admin listener"));
    let state: Value = reqwest::get(state).await.expect("an answer").json().await.expect("JSON");
    let waiters = state["clock"]["waiters"].as_array().expect("a list");
    let waiter = json!({"until_ms": START * 1000 + 500, "what": "configure answer", "job": "1-1"});
    assert!(waiters.contains(&waiter), "{waiters:?}");

    server.simulation().advance(millis(499));
    // The server has one thread: when it answers, it has done what the advance left it to do.
    assert_eq!(client.get("/ack").await.status, 200);
    assert_eq!((waiting(&server).len(), asked.is_finished()), (1, false));
    server.simulation().advance(millis(1));
    let answer = asked.await.expect("no panic");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), metadata.json());
    assert_eq!(waiting(&server), []);
}

#[tokio::test]
async fn each_answer_leaves_in_the_time_that_was_drawn_for_its_job() {
    let server = slow(130, 890);
    let mut asked = BTreeMap::new();
    for slot in 1..=5 {
        asked.insert(slot, ask(&server, light()));
        until_waiting(&server, asked.len()).await;
    }
    let start = server.simulation().clock().now();
    let mut seen = BTreeSet::new();
    for waiter in waiting(&server) {
        let job = waiter.job.expect("an answer is for a job");
        let takes = waiter.until.since(start);
        assert_eq!(takes, server.simulation().configure_latency(job));
        assert!((millis(130)..=millis(890)).contains(&takes), "{takes:?}");
        assert!(seen.insert(takes), "two jobs with the same time");
        server.simulation().advance(waiter.until.since(server.simulation().clock().now()));
        let answer = asked.remove(&job.slot.number()).expect("not answered before").await.expect("no panic");
        assert_eq!(answer.json()["job_id"], job.to_string());
        assert_eq!(waiting(&server).len(), asked.len(), "the others wait on");
    }
}

#[tokio::test]
async fn a_refusal_does_not_take_that_time() {
    let server = slow(500, 900);
    let client = Client::of(&server);
    let invalid = with(light(), &json!({"nfftSelection": 1000}));
    assert_eq!(client.configure(&invalid).await.refusal(), (400, String::from("INVALID_VALUE")));
    let future = with(base(), &json!({"start_time": START, "end_time": START + 60}));
    judge::refused(
        &client.configure(&future).await,
        404,
        "NO_RECORDING",
        "No recording found in given time range",
    );
    server.simulation().with(|world, now| world.change_fiber(FiberState::Waiting, now));
    assert_eq!(client.configure(&light()).await.refusal(), (503, String::from("WAITING_FOR_FIBER")));
    assert_eq!(waiting(&server), []);
}

#[tokio::test]
async fn a_client_that_leaves_before_its_answer_leaves_a_job_like_any_other() {
    let server = slow(500, 500);
    let mut wire = Wire::to(server.rest());
    wire.send(&request("POST", "/configure", &[], light().to_string().as_bytes()));
    until_waiting(&server, 1).await;
    drop(wire);
    let client = Client::of(&server);
    let state = || server.simulation().snapshot().jobs.first().map(|job| job.state);
    for _ in 0..2 {
        assert_eq!(client.get("/metadata/1-1").await.status, 200);
        assert_eq!(state(), Some(JobState::Running));
        assert!(listens(&server, 12_301));
        server.simulation().advance(millis(24_999));
    }
    server.simulation().advance(millis(2));
    assert_eq!(state(), None, "swept like a job that nobody reads");
    assert!(!listens(&server, 12_301));
}
