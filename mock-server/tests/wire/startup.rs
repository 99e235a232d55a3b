//! A server that needs MongoDB for its start, as its clients and its operators see it.

use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::sim::setup::{Dependencies, MongoDb, Setup};
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::{Client, START, held_with, light};
use crate::judge;
use crate::rest::{PREFIXES, ROUTES};

const START_MS: i64 = START * 1000;

fn needy(mongodb: MongoDb) -> MockServer {
    let dependencies = Dependencies { mongodb, ..Dependencies::default() };
    held_with(Setup { requires_mongo: true, dependencies, ..Setup::default() })
}

/// A path of the admin listener: status and text.
async fn admin(server: &MockServer, method: Method, path: &str) -> (u16, String) {
    let url = format!("http://{}{path}", server.admin().expect("an admin listener"));
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = client.request(method, url).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

async fn state(server: &MockServer) -> Value {
    let (status, text) = admin(server, Method::GET, "/__mock/state").await;
    assert_eq!(status, 200);
    serde_json::from_str(&text).expect("JSON")
}

async fn assert_down(server: &MockServer) {
    let client = Client::of(server);
    for (method, path, _) in ROUTES {
        for prefix in PREFIXES {
            let method = method.parse().expect("a method");
            let answer = client.send(method, &format!("{prefix}{path}"), None).await;
            judge::refused(&answer, 503, "SERVER_DOWN", "Focus Server is unavailable");
        }
    }
    assert_eq!(admin(server, Method::GET, "/livez").await.0, 200);
    assert_eq!(admin(server, Method::GET, "/readyz").await.0, 503);
}

async fn assert_up(server: &MockServer) {
    let client = Client::of(server);
    client.job(&light()).await;
    assert_eq!(client.get("/ack").await.status, 200);
    assert_eq!(admin(server, Method::GET, "/readyz").await, (200, String::from("ok")));
}

#[tokio::test]
async fn every_route_is_down_until_mongodb_is_there_and_the_pod_after_it() {
    let server = needy(MongoDb::Down);
    assert_down(&server).await;
    let seen = state(&server).await;
    assert_eq!((&seen["serving"], &seen["waiting_for"]), (&json!(false), &json!("mongodb")));
    assert_eq!(seen["dependencies"]["focus_server"], "up", "nobody has scaled it down");

    server.simulation().with(|world, now| world.change_dependencies(Dependencies::default(), now));
    server.simulation().advance(Duration::from_millis(2_999));
    assert_down(&server).await;
    let seen = state(&server).await;
    assert_eq!((&seen["serving"], &seen["waiting_for"]), (&json!(false), &json!("pod-start")));

    server.simulation().advance(Duration::from_millis(1));
    assert_up(&server).await;
    let seen = state(&server).await;
    assert_eq!((&seen["serving"], &seen["waiting_for"]), (&json!(true), &Value::Null));
    let told = seen["journal"]["newest"].as_array().expect("a list");
    assert_eq!(
        told[1..4],
        [
            json!({"number": 2, "at_ms": START_MS, "event": "server-waits", "what": "mongodb"}),
            json!({"number": 3, "at_ms": START_MS, "event": "dependency-changed", "what": "mongodb", "state": "up"}),
            json!({"number": 4, "at_ms": START_MS + 3_000, "event": "server-up"}),
        ]
    );
}

#[tokio::test]
async fn a_reset_lets_the_server_wait_again_and_a_restarting_mongodb_ends_the_wait_by_itself() {
    let server = needy(MongoDb::Restarting);
    for _ in 0..2 {
        assert_down(&server).await;
        server.simulation().advance(Duration::from_millis(5_999));
        assert_down(&server).await;
        server.simulation().advance(Duration::from_millis(1));
        assert_up(&server).await;
        assert_eq!(admin(&server, Method::POST, "/__mock/reset").await.0, 200);
    }
}
