//! A task beside everything else: `GET /metadata/{task_id}`, and what a task neither takes nor needs.

use std::time::Duration;

use focus_mock::domain::fiber::FiberState;
use focus_mock::sim::setup::{ClusterState, Dependencies, Limits, MongoDb, Setup, Supply};
use serde_json::Value;

use super::{assert_empty, assert_unknown, block, configured, historic, live, with_task};
use crate::common::{Client, held, held_with, light};
use crate::judge;
use crate::rest::PREFIXES;

#[tokio::test]
async fn the_metadata_of_a_task_are_those_of_the_fibre_while_it_has_data() {
    for fiber_state in [FiberState::Lit, FiberState::Mixed, FiberState::Waiting] {
        let server = held_with(Setup { fiber_state, ..Setup::default() });
        let client = Client::of(&server);
        let advance = |millis| drop(server.simulation().advance(Duration::from_millis(millis)));
        configured(&client, "task-7", &live()).await;
        advance(999);
        assert_empty(&client.get("/metadata/task-7").await, 200);
        advance(1);
        let fibre = client.get("/live_metadata").await;
        for prefix in PREFIXES {
            let answer = client.get(&format!("{prefix}/metadata/task-7")).await;
            assert_eq!(answer.status, 201);
            judge::json_answer(&answer);
            assert_eq!(answer.body, fibre.body);
        }
        advance(58_999);
        assert_eq!(client.get("/metadata/task-7").await.status, 201);
        advance(1);
        assert_empty(&client.get("/metadata/task-7").await, 200);
        advance(59_999);
        assert_empty(&client.get("/metadata/task-7").await, 200);
        advance(1);
        judge::refused(&client.get("/metadata/task-7").await, 404, "UNKNOWN_JOB", "Invalid job_id");
    }
}

#[tokio::test]
async fn a_historic_task_has_metadata_until_its_window_was_played_out() {
    let (server, client) = with_task(&historic()).await;
    server.simulation().advance(Duration::from_millis(5999));
    assert_eq!(client.get("/metadata/task-7").await.status, 201);
    server.simulation().advance(Duration::from_millis(1));
    assert_empty(&client.get("/metadata/task-7").await, 200);
}

#[tokio::test]
async fn an_id_of_the_form_of_a_jobs_is_only_ever_a_job() {
    let server = held();
    let client = Client::of(&server);
    for id in ["1-1", "9-9", "01-1", "0-0", "99999999999999999999-1"] {
        configured(&client, id, &live()).await;
        judge::refused(&client.get(&format!("/metadata/{id}")).await, 404, "UNKNOWN_JOB", "Invalid job_id");
        assert_empty(&client.get(&format!("/waterfall/{id}/1")).await, 200);
    }
    let job = client.job(&light()).await;
    assert_eq!(job["job_id"], "1-1");
    server.simulation().advance(Duration::from_secs(1));
    let metadata = client.get("/metadata/1-1").await;
    assert_eq!((metadata.status.as_u16(), metadata.json()), (200, job));
    block(&client.get("/waterfall/1-1/1").await, "1-1", 1);
    for id in ["1-", "-1", "1", "1-1-1", "1_1", "-", "--"] {
        configured(&client, id, &live()).await;
        assert_empty(&client.get(&format!("/metadata/{id}")).await, 200);
    }
}

#[tokio::test]
async fn a_job_is_no_task_and_a_task_cannot_be_cancelled_as_a_job() {
    let server = held();
    let client = Client::of(&server);
    client.job(&light()).await;
    assert_unknown(&client.get("/waterfall/1-1/1").await);
    configured(&client, "task-7", &live()).await;
    judge::refused(&client.cancel("task-7").await, 404, "UNKNOWN_JOB", "Invalid job_id");
    server.simulation().advance(Duration::from_secs(1));
    block(&client.get("/waterfall/task-7/1").await, "task-7", 1);
}

#[tokio::test]
async fn a_task_takes_no_slot_no_port_and_no_cluster_objects() {
    let server = held_with(Setup { limits: Limits { max_jobs: 1, ..Limits::default() }, ..Setup::default() });
    let client = Client::of(&server);
    let outside = async || -> Value {
        let admin = server.admin().expect("an admin listener");
        let answer = reqwest::get(format!("http://{admin}/__mock/state")).await.expect("a state");
        let mut state: Value = answer.json().await.expect("JSON");
        // Which requests there were, that is.
        state.as_object_mut().expect("an object").remove("journal");
        state
    };
    let (before, seen_before) = (judge::state(&server), outside().await);
    for number in 0..100 {
        let body = if number % 2 == 0 { live() } else { historic() };
        configured(&client, &format!("task-{number}"), &body).await;
    }
    assert_eq!((judge::state(&server), outside().await), (before, seen_before));
    assert_eq!(client.job(&light()).await["job_id"], "1-1");
    configured(&client, "one-more", &live()).await;
}

#[tokio::test]
async fn a_task_needs_neither_fibre_nor_store_nor_broker_nor_cluster() {
    let dependencies = Dependencies {
        mongodb: MongoDb::Down,
        rabbitmq: Supply::Down,
        recorder: Supply::Down,
        cluster: ClusterState::RefusesObjects,
        ..Dependencies::default()
    };
    let server = held_with(Setup { dependencies, fiber_state: FiberState::Waiting, ..Setup::default() });
    let client = Client::of(&server);
    for (id, body) in [("live", live()), ("historic", historic())] {
        configured(&client, id, &body).await;
    }
    server.simulation().advance(Duration::from_secs(1));
    for id in ["live", "historic"] {
        block(&client.get(&format!("/waterfall/{id}/5")).await, id, 5);
        assert_eq!(client.get(&format!("/metadata/{id}")).await.status, 201);
    }
}

#[tokio::test]
async fn a_reset_forgets_all_tasks() {
    let (server, client) = with_task(&live()).await;
    let reset = format!("http://{}/__mock/reset", server.admin().expect("an admin listener"));
    let answer = reqwest::Client::new().post(reset).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_unknown(&client.get("/waterfall/task-7/1").await);
}
