//! The table of refusals, row by row: text, code, status, `retry-after`, and a world that is as it was.

use std::net::TcpListener;
use std::num::NonZeroU16;
use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::domain::fiber::FiberState;
use focus_mock::domain::ids::{NodePort, PortPlan};
use focus_mock::sim::faults::Step;
use focus_mock::sim::setup::{
    ClusterState, Dependencies, GpuPool, Limits, MongoDb, OnConflict, RecordingsState, Setup, Supply,
};
use focus_mock::sim::snapshot::Snapshot;
use serde_json::{Value, json};

use super::{depend, historic};
use crate::common::{Client, START, held, held_with, light, with};
use crate::judge;

const NO_BROKER: &str = "Message broker is unavailable: RabbitMQ is unavailable";
const NO_STORE: &str = "Recordings are unavailable: MongoDB is unavailable";
const NO_FIBER: &str = "Cannot proceed: waiting for fiber (missing required fiber metadata fields: prr)";
const NO_JOB: &str = "Job creation failed: all resources were released";

/// The world but for the count of attempts, which a refusal after step 9 uses up.
fn state(server: &MockServer) -> Snapshot {
    Snapshot { next_sequence: None, ..judge::state(server) }
}

/// Configures under both paths, expects the same "no" each time, and the world as it was.
async fn assert_refused(server: &MockServer, body: &Value, status: u16, code: &str, text: &str) {
    let client = Client::of(server);
    let before = state(server);
    for path in ["/configure", "/focus-server/configure"] {
        judge::refused(&client.post(path, body).await, status, code, text);
        assert_eq!(state(server), before, "{code} changed something");
    }
}

async fn assert_accepted(server: &MockServer, body: &Value) {
    Client::of(server).job(body).await;
}

#[tokio::test]
async fn a_live_job_waits_for_light_and_for_nothing_else_of_the_fibre() {
    let server = held_with(Setup { fiber_state: FiberState::Waiting, ..Setup::default() });
    assert_refused(&server, &light(), 503, "WAITING_FOR_FIBER", NO_FIBER).await;
    assert_accepted(&server, &historic()).await;
    for state in [FiberState::Mixed, FiberState::Lit] {
        server.simulation().with(|world, now| world.change_fiber(state, now));
        assert_accepted(&server, &light()).await;
    }
}

#[tokio::test]
async fn without_mongodb_there_are_no_recordings_until_it_is_back() {
    let server = held();
    let client = Client::of(&server);
    let window = json!({"start_time": START - 3600, "end_time": START});
    for mongodb in [MongoDb::Down, MongoDb::Restarting] {
        depend(&server, Dependencies { mongodb, ..Dependencies::default() });
        assert_refused(&server, &historic(), 503, "RECORDINGS_UNAVAILABLE", NO_STORE).await;
        for path in ["/recordings_in_time_range", "/focus-server/recordings_in_time_range"] {
            judge::refused(&client.post(path, &window).await, 503, "RECORDINGS_UNAVAILABLE", NO_STORE);
        }
        assert_accepted(&server, &light()).await;
        depend(&server, Dependencies::default());
        assert_accepted(&server, &historic()).await;
        assert_eq!(client.post("/recordings_in_time_range", &window).await.status, 200);
    }
}

#[tokio::test]
async fn a_mongodb_that_fails_slowly_gives_the_same_answers_once_the_clock_has_moved() {
    let server = held();
    let client = Client::of(&server);
    depend(&server, Dependencies { mongodb: MongoDb::SlowFail, ..Dependencies::default() });
    let window = json!({"start_time": START - 3600, "end_time": START});
    let (windowed, historic) = (client.post("/recordings_in_time_range", &window), historic());
    let configured = client.configure(&historic);
    let advance = async {
        // Both wait on the held clock; each look is a request to the same server, so this lets them get there.
        while server.simulation().snapshot().waiters.iter().filter(|w| w.what == "slow MongoDB").count() < 2 {
            assert_eq!(client.get("/ack").await.status, 200);
        }
        server.simulation().advance(Duration::from_secs(1));
    };
    let (windowed, configured, ()) = tokio::join!(windowed, configured, advance);
    judge::refused(&windowed, 503, "RECORDINGS_UNAVAILABLE", NO_STORE);
    judge::refused(&configured, 503, "RECORDINGS_UNAVAILABLE", NO_STORE);
}

#[tokio::test]
async fn a_window_without_a_recording_is_404() {
    let server = held();
    let text = "No recording found in given time range";
    let ten_days = START - 10 * 86_400;
    for (start, end) in [(0, 100), (ten_days, ten_days + 6 * 3600), (START, START + 60)] {
        let body = with(historic(), &json!({"start_time": start, "end_time": end}));
        assert_refused(&server, &body, 404, "NO_RECORDING", text).await;
    }
    for recordings in [RecordingsState::None, RecordingsState::PathMismatch] {
        depend(&server, Dependencies { recordings, ..Dependencies::default() });
        assert_refused(&server, &historic(), 404, "NO_RECORDING", text).await;
        assert_accepted(&server, &light()).await;
    }
}

#[tokio::test]
async fn without_a_broker_neither_live_nor_historic_jobs_start() {
    let server = held();
    depend(&server, Dependencies { rabbitmq: Supply::Down, ..Dependencies::default() });
    assert_refused(&server, &light(), 503, "BROKER_UNAVAILABLE", NO_BROKER).await;
    assert_refused(&server, &historic(), 503, "BROKER_UNAVAILABLE", NO_BROKER).await;
    depend(&server, Dependencies::default());
    assert_accepted(&server, &light()).await;
    assert_accepted(&server, &historic()).await;
}

#[tokio::test]
async fn the_smaller_of_the_limits_on_jobs_is_named_and_a_removed_job_makes_room() {
    for (max_jobs, slots, text) in [
        (2, 1024, "Capacity exhausted: the limit of 2 concurrent jobs is reached"),
        (1024, 2, "Capacity exhausted: the limit of 2 concurrent jobs is reached"),
        (0, 1024, "Capacity exhausted: the limit of 0 concurrent jobs is reached"),
    ] {
        let slots = NonZeroU16::new(slots).expect("not zero");
        let ports = PortPlan::new(12300, slots).expect("ports");
        let limits = Limits { max_jobs, ..Limits::default() };
        let server = held_with(Setup { limits, ports, ..Setup::default() });
        let room = max_jobs.min(2);
        for _ in 0..room {
            assert_accepted(&server, &light()).await;
        }
        assert_refused(&server, &light(), 503, "CAPACITY_EXHAUSTED", text).await;
        assert_refused(&server, &historic(), 503, "CAPACITY_EXHAUSTED", text).await;
        if room > 0 {
            assert_eq!(Client::of(&server).cancel("1-1").await.status, 200);
            assert_refused(&server, &light(), 503, "CAPACITY_EXHAUSTED", text).await;
            server.simulation().advance(Duration::from_secs(5));
            assert_accepted(&server, &light()).await;
        }
    }
}

#[tokio::test]
async fn a_full_gpu_pool_refuses_only_when_it_is_told_to() {
    let pool =
        |reject_when_full| Setup { gpu: GpuPool { size: Some(1), reject_when_full }, ..Setup::default() };
    let server = held_with(pool(true));
    assert_accepted(&server, &light()).await;
    let text = "Capacity exhausted: no free GPU share";
    assert_refused(&server, &light(), 503, "CAPACITY_EXHAUSTED", text).await;
    let server = held_with(pool(false));
    assert_accepted(&server, &light()).await;
    assert_accepted(&server, &light()).await;
}

fn first_port(server: &MockServer) -> u16 {
    server.port_base() + 1
}

#[tokio::test]
async fn a_left_over_service_on_the_port_is_409_until_it_is_gone() {
    let server = held();
    let port = first_port(&server);
    let plant = |planted| {
        let port = NodePort::new(port).expect("a port");
        server.simulation().with(|world, _| world.plant_leftover_service(port, planted));
    };
    plant(true);
    let text = format!("Port {port} is already in use: conflict with an existing service");
    assert_refused(&server, &light(), 409, "PORT_IN_USE", &text).await;
    assert_refused(&server, &historic(), 409, "PORT_IN_USE", &text).await;
    plant(false);
    assert_accepted(&server, &light()).await;
}

#[tokio::test]
async fn a_port_that_another_process_listens_on_is_409_until_it_is_free() {
    let server = held();
    let port = first_port(&server);
    let other = TcpListener::bind((server.rest().ip(), port)).expect("the port is free");
    let text = format!("Port {port} is already in use: conflict with another process");
    assert_refused(&server, &light(), 409, "PORT_IN_USE", &text).await;
    drop(other);
    assert_accepted(&server, &light()).await;
}

#[tokio::test]
async fn where_conflicts_are_skipped_only_the_last_free_port_can_be_in_use() {
    let ports = PortPlan::new(12300, NonZeroU16::new(2).expect("not zero")).expect("ports");
    let server = held_with(Setup { on_conflict: OnConflict::Skip, ports, ..Setup::default() });
    let port = first_port(&server);
    let other = TcpListener::bind((server.rest().ip(), port)).expect("the port is free");
    let job = Client::of(&server).job(&light()).await;
    assert_eq!(job["stream_port"], port + 1, "the next slot");
    let text = format!("Port {port} is already in use: conflict with another process");
    assert_refused(&server, &light(), 409, "PORT_IN_USE", &text).await;
    drop(other);
    assert_accepted(&server, &light()).await;
}

#[tokio::test]
async fn a_step_that_fails_gives_everything_back_and_the_next_configure_succeeds() {
    let server = held();
    let first = first_port(&server);
    let steps = [Step::GrpcJob, Step::CleanupJob, Step::Service, Step::Queue, Step::Port];
    for (port, step) in (first..).zip(steps) {
        server.simulation().with(|world, _| world.fail_next(step, 4));
        let in_use = format!("Port {port} is already in use: conflict with another process");
        let (status, code, text) = match step {
            Step::Port => (409, "PORT_IN_USE", in_use.as_str()),
            _ => (503, "JOB_CREATION_FAILED", NO_JOB),
        };
        assert_refused(&server, &light(), status, code, text).await;
        assert_refused(&server, &historic(), status, code, text).await;
        assert_accepted(&server, &light()).await;
    }
}

#[tokio::test]
async fn a_cluster_that_takes_no_objects_fails_every_creation() {
    let server = held();
    for cluster in [ClusterState::RefusesObjects, ClusterState::OutOfPodAddresses] {
        depend(&server, Dependencies { cluster, ..Dependencies::default() });
        assert_refused(&server, &light(), 503, "JOB_CREATION_FAILED", NO_JOB).await;
        assert_refused(&server, &historic(), 503, "JOB_CREATION_FAILED", NO_JOB).await;
    }
    depend(&server, Dependencies::default());
    assert_accepted(&server, &light()).await;
}
