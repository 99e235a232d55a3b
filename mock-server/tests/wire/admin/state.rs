//! The state, and the reset that goes back to its start.

use std::net::TcpStream;
use std::time::Duration;

use focus_mock::domain::fiber::FiberState;
use focus_mock::sim::setup::{Setup, Times};
use serde_json::{Value, json};
use tonic::Code;

use super::super::common::{Client, base, held, held_with, light};
use super::{Admin, START_MS, port_of, stream};

#[tokio::test]
async fn the_state_of_a_fresh_world_has_everything_at_its_start() {
    let server = held();
    let mut state = Admin::of(&server).state().await;
    // The loop of the server waits for the next event, and there is none; whether it does so already is its matter.
    state["clock"]["waiters"].take();
    assert_eq!(
        state,
        json!({
            "clock": {"mode": "manual", "now": "2025-12-08T00:00:00Z", "now_ms": START_MS, "waiters": null},
            "fiber": "ready",
            "dependencies": {"mongodb": "up", "rabbitmq": "up", "recorder": "up", "recordings": "present",
                             "cluster": "ok", "focus_server": "up", "node": "ready"},
            "serving": true,
            "waiting_for": null,
            "jobs": [],
            "slots": {"free": 1024, "lowest_free": 1},
            "next_sequence": 1,
            "gpu_shares_taken": 0,
            "cluster": {"namespace": "panda", "jobs": [], "pods": [], "services": [], "leftover_service_ports": [],
                        "cleanup_job_ttl_s": 10.0},
            "queues": [],
            "journal": {"written": 0, "dropped": 0, "bytes": 0, "newest": []},
            "profile": "contract",
            "quirks": [],
            "limits": {"max_jobs": 1024, "max_channels_per_request": 2222, "nfft_max_multichannel": 65536,
                       "future_tolerance_s": 60, "gpu_pool": null, "gpu_reject_when_full": false},
            "rules": 0,
            "held_ports": [],
            "leaks": 0,
        })
    );
}

#[tokio::test]
async fn the_state_shows_a_job_with_all_its_objects_and_what_was_refused() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    client.job(&light()).await;
    server.simulation().with(|world, now| world.change_fiber(FiberState::Waiting, now));
    assert_eq!(client.configure(&light()).await.refusal(), (503, String::from("WAITING_FOR_FIBER")));
    let state = admin.state().await;
    assert_eq!(
        state["jobs"],
        json!([{"job_id": "1-1", "state": "Running", "port": 12301, "port_held": true, "streams": 3, "open_calls": 0}])
    );
    assert_eq!(state["fiber"], "waiting");
    assert_eq!(state["slots"], json!({"free": 1023, "lowest_free": 2}));
    assert_eq!((&state["next_sequence"], &state["gpu_shares_taken"]), (&json!(2), &json!(1)));
    assert_eq!(state["cluster"]["jobs"], json!(["grpc-job-1-1", "cleanup-job-1-1"]));
    assert_eq!(state["cluster"]["services"], json!(["grpc-service-1-1"]));
    assert_eq!(state["queues"], json!(["focus_baby.1-1"]));
    let pods = state["cluster"]["pods"].as_array().expect("a list");
    let of_jobs: Vec<_> =
        pods.iter().map(|pod| pod.as_str().and_then(|name| name.rsplit_once('-'))).collect();
    assert!(matches!(of_jobs[..], [Some(("grpc-job-1-1", _)), Some(("cleanup-job-1-1", _))]), "{pods:?}");
    let beside_requests = |entry: &&Value| entry["event"] != "request";
    let newest: Vec<_> =
        state["journal"]["newest"].as_array().expect("a list").iter().filter(beside_requests).collect();
    let told = |keys: &[&str]| {
        newest.iter().map(|entry| keys.iter().map(|key| entry[key].clone()).collect()).collect()
    };
    let told: Vec<Vec<Value>> = told(&["event", "job", "what", "state", "code", "refusal"]);
    let waiting = "Cannot proceed: waiting for fiber (missing required fiber metadata fields: prr)";
    assert_eq!(
        json!(told),
        json!([
            ["configured", "1-1", null, null, null, null],
            ["dependency-changed", null, "fiber", "waiting", null, null],
            ["refused", null, null, null, "WAITING_FOR_FIBER", waiting],
        ])
    );
}

#[tokio::test]
async fn the_cluster_of_the_state_is_that_of_the_setup() {
    let times = Times { cleanup_ttl: Duration::from_millis(7_500), ..Times::default() };
    let server = held_with(Setup { namespace: String::from("rehearsal"), times, ..Setup::default() });
    let admin = Admin::of(&server);
    for cluster in [&admin.state().await["cluster"], &admin.reset().await["cluster"]] {
        assert_eq!(
            (&cluster["namespace"], &cluster["cleanup_job_ttl_s"]),
            (&json!("rehearsal"), &json!(7.5))
        );
    }
}

#[tokio::test]
async fn the_state_lists_who_waits_for_the_clock_and_an_advance_ends_the_wait() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let job = client.job(&base()).await;
    let mut frames = stream(port_of(&server, &job)).await;
    assert!(frames.message().await.expect("the first frame").is_some());
    let next_frame = || async {
        loop {
            let waiters = admin.state().await["clock"]["waiters"].clone();
            let waiter =
                waiters.as_array().expect("a list").iter().find(|waiter| waiter["what"] == "next frame");
            if let Some(waiter) = waiter {
                return waiter.clone();
            }
        }
    };
    let waiter = tokio::time::timeout(Duration::from_secs(30), next_frame()).await.expect("the call waits");
    assert_eq!(waiter["job"], "1-1");
    let until = waiter["until_ms"].as_i64().expect("a number");
    assert!((START_MS + 1..START_MS + 1000).contains(&until), "{waiter}");
    assert_eq!(admin.state().await["jobs"][0]["open_calls"], 1);
    admin.advance(json!("1s")).await;
    assert!(frames.message().await.expect("a frame").is_some());
}

#[tokio::test]
async fn a_reset_goes_back_to_the_start_and_lets_the_clock_go_on() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let jobs = [client.job(&base()).await, client.job(&base()).await];
    let mut frames = stream(port_of(&server, &jobs[0])).await;
    assert!(frames.message().await.expect("the first frame").is_some());
    admin.advance(json!("3s")).await;
    server.simulation().with(|world, now| world.change_fiber(FiberState::Waiting, now));

    let mut state = admin.reset().await;
    state["clock"]["waiters"].take();
    let mut fresh = Admin::of(&held()).state().await;
    // It goes on, and begins its new part with the reset.
    assert_eq!(
        state["journal"]["newest"].as_array().and_then(|all| all.last()).expect("an entry")["event"],
        "reset"
    );
    fresh["journal"] = state["journal"].clone();
    fresh["clock"] =
        json!({"mode": "manual", "now": "2025-12-08T00:00:03Z", "now_ms": START_MS + 3000, "waiters": null});
    assert_eq!(state, fresh, "as a fresh world, but for the time");

    let end = async {
        loop {
            match frames.message().await {
                Ok(frame) => assert!(frame.is_some(), "a live stream has no end of its own"),
                Err(status) => return status,
            }
        }
    };
    let status = tokio::time::timeout(Duration::from_secs(30), end).await.expect("the stream ends");
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "job is gone"));
    for job in &jobs {
        let id = job["job_id"].as_str().expect("an id");
        assert_eq!(client.get(&format!("/metadata/{id}")).await.status, 404, "{id}");
        TcpStream::connect(port_of(&server, job)).expect_err("the job's port is closed");
    }
    let again = client.job(&base()).await;
    assert_eq!((&again["job_id"], &again["stream_port"]), (&json!("1-1"), &json!(12301)));
    let mut frames = stream(port_of(&server, &again)).await;
    let frame = frames.message().await.expect("a frame").expect("a frame");
    assert_eq!((frame.job_id, frame.row_index[0]), (Some(1), 0));
}
