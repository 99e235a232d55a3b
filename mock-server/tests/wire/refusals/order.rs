//! Which "no" comes first: the steps 1 to 11 of the contract, each hiding all that follow.

use focus_mock::MockServer;
use focus_mock::domain::fiber::FiberState;
use focus_mock::sim::faults::Step;
use focus_mock::sim::setup::{
    ClusterState, Dependencies, MongoDb, NodeState, RecordingsState, Setup, Supply,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{depend, historic, single, waterfall};
use crate::common::{Client, base, held, held_with, light, with};
use crate::judge;
use crate::raw::{Wire, ask, request};
use crate::rest::{PREFIXES, ROUTES};

/// Nothing works but the server itself.
fn outage() -> Dependencies {
    Dependencies {
        mongodb: MongoDb::Down,
        rabbitmq: Supply::Down,
        recorder: Supply::Down,
        recordings: RecordingsState::None,
        cluster: ClusterState::RefusesObjects,
        focus_server: Supply::Up,
        node: NodeState::Ready,
    }
}

const DOWN: &str = "Focus Server is unavailable";

#[test]
fn step_1_a_server_that_is_down_says_so_to_every_request_and_answers_again_when_it_is_up() {
    let server = held();
    let down = Dependencies { focus_server: Supply::Down, ..Dependencies::default() };
    depend(&server, down);
    let unknown = ["/", "/nope", "/ack/", "/focus-server"].map(|path| ("GET", path));
    let known = ROUTES.map(|(method, path, _)| (method, path));
    let mut wire = Wire::to(server.rest());
    for (method, path) in unknown.into_iter().chain(known) {
        for prefix in PREFIXES {
            for method in [method, "PUT", "OPTIONS", "BREW"] {
                for body in ["", "{", "{}"] {
                    wire.send(&request(method, &format!("{prefix}{path}"), &[], body.as_bytes()));
                    judge::refused(&wire.answer(), 503, "SERVER_DOWN", DOWN);
                }
            }
        }
    }
    wire.send(&request("HEAD", "/ack", &[], b""));
    let head = wire.head();
    assert_eq!((head.status.as_u16(), judge::header(&head, "retry-after")), (503, Some("1")));
    let large = vec![b'x'; 1024 * 1024 + 1];
    for path in ["/configure", "/nope"] {
        judge::refused(&ask(server.rest(), "POST", path, &large), 503, "SERVER_DOWN", DOWN);
    }
    depend(&server, Dependencies::default());
    assert_eq!(ask(server.rest(), "GET", "/ack", b"").status, 200);
}

#[tokio::test]
async fn jobs_outlive_a_server_that_is_down() {
    let server = held();
    let client = Client::of(&server);
    let job = client.job(&light()).await;
    depend(&server, Dependencies { focus_server: Supply::Down, ..Dependencies::default() });
    judge::refused(&client.get("/metadata/1-1").await, 503, "SERVER_DOWN", DOWN);
    judge::refused(&client.cancel("1-1").await, 503, "SERVER_DOWN", DOWN);
    let port = job["stream_port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
    std::net::TcpStream::connect((server.rest().ip(), port)).expect("the job goes on");
    depend(&server, Dependencies::default());
    assert_eq!(client.get("/metadata/1-1").await.json(), job);
}

#[tokio::test]
async fn step_2_route_and_method_come_before_size_json_fields_and_jobs() {
    let server = held();
    let client = Client::of(&server);
    for body in ["", "{", "[]", "{}"] {
        let body = Some(body.as_bytes().to_vec());
        let unknown = client.send(Method::POST, "/configuration", body.clone()).await;
        judge::refused(&unknown, 404, "NOT_FOUND", "Not Found");
        let method = client.send(Method::PUT, "/configure", body.clone()).await;
        judge::refused(&method, 405, "METHOD_NOT_ALLOWED", "Method Not Allowed");
        let job = client.send(Method::POST, "/metadata/9-9", body).await;
        judge::refused(&job, 405, "METHOD_NOT_ALLOWED", "Method Not Allowed");
    }
}

#[tokio::test]
async fn steps_4_and_5_an_invalid_request_gets_the_same_answer_in_every_state_of_the_world() {
    let server = held();
    let client = Client::of(&server);
    let invalid = [
        json!({}),
        json!([]),
        with(base(), &json!({"nfftSelection": 1000, "displayInfo": {"height": 0}})),
        with(historic(), &json!({"channels": {"min": 1, "max": 9999}})),
        with(historic(), &json!({"frequencyRange": {"min": 0, "max": 1001}})),
        with(single(), &json!({"channels": {"min": 7, "max": 8}})),
        with(waterfall(), &json!({"nfftSelection": 2, "start_time": 5})),
    ];
    let window = json!({"start_time": 5, "end_time": 5});
    let mut answers: Vec<Vec<(u16, Value)>> = Vec::new();
    for (fiber, dependencies) in [
        (FiberState::Lit, Dependencies::default()),
        (FiberState::Waiting, outage()),
        (FiberState::Mixed, outage()),
    ] {
        depend(&server, dependencies);
        server.simulation().with(|world, now| world.change_fiber(fiber, now));
        let mut round = Vec::new();
        for body in &invalid {
            round.push(client.configure(body).await);
        }
        round.push(client.post("/recordings_in_time_range", &window).await);
        round.push(client.send(Method::POST, "/configure", Some(b"{".to_vec())).await);
        round.push(client.send(Method::POST, "/recordings_in_time_range", Some(b"{".to_vec())).await);
        let told = round.iter().map(|answer| {
            let mut body = judge::refusal(answer);
            body["request_id"] = Value::Null;
            (answer.status.as_u16(), body)
        });
        answers.push(told.collect());
    }
    assert_eq!(answers[1], answers[0]);
    assert_eq!(answers[2], answers[0]);
    let statuses: Vec<u16> = answers[0].iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [422, 422, 400, 422, 400, 400, 422, 400, 400, 400]);
}

/// A world in which every step from 6 to 11 says no.
fn hopeless() -> MockServer {
    let server =
        held_with(Setup { dependencies: outage(), fiber_state: FiberState::Waiting, ..Setup::default() });
    server.simulation().with(|world, _| {
        world.fail_next(Step::Slot, 1);
        world.fail_next(Step::Port, 1);
    });
    server
}

#[tokio::test]
async fn steps_6_to_11_of_a_historic_configure_come_one_after_the_other_as_the_world_is_mended() {
    let server = hopeless();
    let client = Client::of(&server);
    let mut dependencies = outage();
    let mut told = Vec::new();
    told.push(client.configure(&historic()).await);
    dependencies.mongodb = MongoDb::Up;
    depend(&server, dependencies);
    told.push(client.configure(&historic()).await);
    dependencies.recordings = RecordingsState::Present;
    depend(&server, dependencies);
    told.push(client.configure(&historic()).await);
    dependencies.rabbitmq = Supply::Up;
    depend(&server, dependencies);
    // Each of the two forced failures is used up by the attempt that meets it.
    told.push(client.configure(&historic()).await);
    told.push(client.configure(&historic()).await);
    told.push(client.configure(&historic()).await);
    let told: Vec<_> = told.iter().map(|answer| (judge::refusal(answer), answer.refusal()).1).collect();
    let expected = [
        (503, "RECORDINGS_UNAVAILABLE"),
        (404, "NO_RECORDING"),
        (503, "BROKER_UNAVAILABLE"),
        (503, "CAPACITY_EXHAUSTED"),
        (409, "PORT_IN_USE"),
        (503, "JOB_CREATION_FAILED"),
    ];
    assert_eq!(told, expected.map(|(status, code)| (status, code.to_owned())));
    dependencies.cluster = ClusterState::Ok;
    depend(&server, dependencies);
    client.job(&historic()).await;
}

#[tokio::test]
async fn steps_6_to_11_of_a_live_configure_come_one_after_the_other_as_the_world_is_mended() {
    let server = hopeless();
    let client = Client::of(&server);
    let mut told = Vec::new();
    told.push(client.configure(&light()).await);
    server.simulation().with(|world, now| world.change_fiber(FiberState::Mixed, now));
    told.push(client.configure(&light()).await);
    depend(&server, Dependencies { rabbitmq: Supply::Up, ..outage() });
    told.push(client.configure(&light()).await);
    told.push(client.configure(&light()).await);
    told.push(client.configure(&light()).await);
    let told: Vec<_> = told.iter().map(|answer| (judge::refusal(answer), answer.refusal()).1).collect();
    let expected = [
        (503, "WAITING_FOR_FIBER"),
        (503, "BROKER_UNAVAILABLE"),
        (503, "CAPACITY_EXHAUSTED"),
        (409, "PORT_IN_USE"),
        (503, "JOB_CREATION_FAILED"),
    ];
    assert_eq!(told, expected.map(|(status, code)| (status, code.to_owned())));
    depend(&server, Dependencies { rabbitmq: Supply::Up, cluster: ClusterState::Ok, ..outage() });
    client.job(&light()).await;
}

#[tokio::test]
async fn a_count_of_attempts_goes_on_only_after_step_9() {
    let server = hopeless();
    let client = Client::of(&server);
    let sequence = || server.simulation().snapshot().next_sequence.map(|sequence| sequence.number());
    client.configure(&json!({})).await;
    client.configure(&light()).await;
    client.configure(&historic()).await;
    server.simulation().with(|world, now| world.change_fiber(FiberState::Lit, now));
    depend(&server, Dependencies { cluster: ClusterState::RefusesObjects, ..Dependencies::default() });
    assert_eq!(client.configure(&light()).await.refusal(), (503, String::from("CAPACITY_EXHAUSTED")));
    assert_eq!(sequence(), Some(1));
    assert_eq!(client.configure(&light()).await.refusal(), (409, String::from("PORT_IN_USE")));
    assert_eq!(sequence(), Some(2));
    assert_eq!(client.configure(&light()).await.refusal(), (503, String::from("JOB_CREATION_FAILED")));
    assert_eq!(sequence(), Some(3));
    depend(&server, Dependencies::default());
    assert_eq!(client.job(&light()).await["job_id"], "1-3");
}
