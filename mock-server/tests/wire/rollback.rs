//! Failing a configure at every step in turn, and looking from the outside whether anything is left of it.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

use focus_mock::MockServer;
use focus_mock::sim::faults::Step;
use serde_json::Value;

use crate::common::{Client, held, light};

/// Ports looked at: those of the first slots.
const LOOKED_AT: u16 = 8;

/// What the outside can see: the state of the world, and which job ports can be bound.
#[derive(Debug, PartialEq)]
struct Outside {
    state: Value,
    free_ports: Vec<u16>,
}

async fn outside(server: &MockServer) -> Outside {
    let admin = server.admin().expect("an admin listener");
    let answer = reqwest::get(format!("http://{admin}/__mock/state")).await.expect("a state");
    let mut state: Value = answer.json().await.expect("JSON");
    let state_object = state.as_object_mut().expect("an object");
    // What a refusal may change: the journal tells of it, and a number may be skipped.
    state_object.remove("journal");
    state_object.remove("next_sequence");
    // The rehearsal itself: the rule that makes the step fail.
    state_object.remove("rules");
    let host = server.rest().ip();
    let ports = (1..=LOOKED_AT).map(|slot| server.port_base() + slot);
    Outside { state, free_ports: ports.filter(|port| TcpListener::bind((host, *port)).is_ok()).collect() }
}

fn port_of(job: &Value) -> u16 {
    job["stream_port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port")
}

fn accepts(host: IpAddr, port: u16) -> bool {
    TcpStream::connect(SocketAddr::new(host, port)).is_ok()
}

/// The status and code of a failure at a step.
fn expected(step: Step) -> (u16, &'static str) {
    match step {
        Step::Slot => (503, "CAPACITY_EXHAUSTED"),
        Step::Port => (409, "PORT_IN_USE"),
        Step::GrpcJob | Step::CleanupJob | Step::Service | Step::Queue | Step::Commit => {
            (503, "JOB_CREATION_FAILED")
        }
    }
}

#[tokio::test]
async fn a_failure_at_any_step_leaves_the_world_as_it_was() {
    for step in Step::ALL.iter().copied() {
        let server = held();
        let client = Client::of(&server);
        let standing = client.job(&light()).await;
        let before = outside(&server).await;
        assert_eq!(before.free_ports.len(), usize::from(LOOKED_AT) - 1, "one job stands");

        server.simulation().with(|world, _| world.fail_next(step, 1));
        let refused = client.configure(&light()).await;
        let (status, code) = expected(step);
        assert_eq!(refused.refusal(), (status, code.to_owned()), "{step:?}");
        assert_eq!(refused.headers.contains_key("retry-after"), status == 503, "{step:?}");
        assert_eq!(outside(&server).await, before, "{step:?}");

        let next = client.job(&light()).await;
        assert_eq!(port_of(&next), port_of(&standing) + 1, "{step:?}: the lowest slot is free again");
        assert!(accepts(server.rest().ip(), port_of(&next)), "{step:?}");
        // A number is used up once a slot was had, and never given out again.
        let sequence = if step == Step::Slot { "2-2" } else { "2-3" };
        assert_eq!(next["job_id"], sequence, "{step:?}");
    }
}

#[tokio::test]
async fn a_port_that_another_process_holds_is_a_conflict_until_it_is_released() {
    let server = held();
    let client = Client::of(&server);
    let host = server.rest().ip();
    let wanted = server.port_base() + 1;
    let holder = TcpListener::bind((host, wanted)).expect("the first job's port");
    let before = outside(&server).await;

    for _ in 0..2 {
        let refused = client.configure(&light()).await;
        assert_eq!(refused.refusal(), (409, String::from("PORT_IN_USE")));
        let text = format!("Port {wanted} is already in use: conflict with another process");
        assert_eq!(refused.json()["error"], text);
        assert_eq!(refused.json().get("detail"), None);
        assert_eq!(outside(&server).await, before, "the same slot meets the same conflict");
    }

    drop(holder);
    let accepted = client.job(&light()).await;
    assert_eq!((port_of(&accepted), &accepted["job_id"]), (wanted, &Value::from("1-3")));
    assert!(accepts(host, wanted));
}

#[tokio::test]
async fn a_left_over_service_is_a_conflict_although_the_port_itself_is_free() {
    let server = held();
    let client = Client::of(&server);
    let wanted = server.port_base() + 1;
    let port = focus_mock::domain::ids::NodePort::new(wanted).expect("a port");
    server.simulation().with(|world, _| world.plant_leftover_service(port, true));
    let before = outside(&server).await;
    let refused = client.configure(&light()).await;
    let text = format!("Port {wanted} is already in use: conflict with an existing service");
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (409, &Value::from(text)));
    assert_eq!(outside(&server).await, before);
    server.simulation().with(|world, _| world.plant_leftover_service(port, false));
    assert_eq!(port_of(&client.job(&light()).await), wanted);
}

#[tokio::test]
async fn a_refused_request_takes_nothing() {
    let server = held();
    let client = Client::of(&server);
    client.job(&light()).await;
    let before = outside(&server).await;
    let mut nothing_there = light();
    nothing_there["start_time"] = 1_577_836_800.into();
    nothing_there["end_time"] = 1_577_840_400.into();
    let mut invalid = light();
    invalid["nfftSelection"] = 0.into();
    for (body, status) in [(nothing_there, 404), (invalid, 400), (Value::Null, 422), (Value::from("{"), 422)]
    {
        assert_eq!(client.configure(&body).await.status, status, "{body}");
        assert_eq!(outside(&server).await, before, "{body}");
    }
    assert_eq!(client.job(&light()).await["job_id"], "2-2", "not even a number was used up");
}
