//! The admin listener: clock, state, reset, and what it says to requests it does not take.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use focus_mock::domain::fiber::FiberState;
use focus_mock::sim::clock::Mode;
use focus_mock::sim::setup::{Setup, Times};
use focus_mock::{Config, MockServer};
use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tonic::transport::Endpoint;
use tonic::{Code, Streaming};

use super::common::{Answer, Client, START, base, held, held_as, held_with, light};
use super::raw::{Wire, request};

const START_MS: i64 = START * 1000;

/// A client of the admin listener; sends bodies as `curl -d` does, without telling that they are JSON.
struct Admin {
    http: reqwest::Client,
    base: String,
}

impl Admin {
    fn of(server: &MockServer) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build();
        let address = server.admin().expect("an admin listener");
        Self { http: http.expect("a client"), base: format!("http://{address}") }
    }

    async fn send(&self, method: Method, path: &str, body: &str) -> (StatusCode, String) {
        let request = self.http.request(method, format!("{}{path}", self.base)).body(body.to_owned());
        let response = request.send().await.expect("an answer");
        (response.status(), response.text().await.expect("a body of text"))
    }

    async fn ok(&self, method: Method, path: &str, body: &str) -> Value {
        let (status, text) = self.send(method, path, body).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    async fn clock(&self) -> Value {
        self.ok(Method::GET, "/__mock/clock", "").await
    }

    async fn set_mode(&self, mode: &str) -> Value {
        self.ok(Method::PUT, "/__mock/clock", &json!({ "mode": mode }).to_string()).await
    }

    async fn advance(&self, by: Value) -> Value {
        self.ok(Method::POST, "/__mock/clock/advance", &json!({ "by": by }).to_string()).await
    }

    async fn state(&self) -> Value {
        self.ok(Method::GET, "/__mock/state", "").await
    }

    async fn reset(&self) -> Value {
        self.ok(Method::POST, "/__mock/reset", "").await
    }
}

fn port_of(server: &MockServer, job: &Value) -> SocketAddr {
    let port = job["stream_port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
    SocketAddr::new(server.rest().ip(), port)
}

async fn stream(port: SocketAddr) -> Streaming<DataStream> {
    let endpoint = Endpoint::from_shared(format!("http://{port}")).expect("an address");
    let channel = endpoint.connect().await.expect("the job's port is open");
    let call = DataStreamServiceClient::new(channel).stream_data(StreamDataRequest { stream_id: 0 }).await;
    call.expect("a stream").into_inner()
}

#[tokio::test]
async fn the_clock_shows_its_mode_its_time_and_what_is_due_next() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let still =
        json!({"mode": "manual", "now": "2025-12-08T00:00:00Z", "now_ms": START_MS, "next_due_ms": null});
    assert_eq!(admin.clock().await, still);
    client.job(&base()).await;
    assert_eq!(admin.clock().await["next_due_ms"], START_MS + 50_000, "the sample that removes the job");
    let clock = admin.advance(json!(1.5)).await;
    assert_eq!(
        (&clock["now"], &clock["now_ms"]),
        (&json!("2025-12-08T00:00:01.5Z"), &json!(START_MS + 1500))
    );
}

#[tokio::test]
async fn a_change_of_mode_goes_on_from_where_the_clock_was() {
    let server = held();
    let admin = Admin::of(&server);
    let mut latest = START_MS;
    for mode in ["scaled:1000", "system", "scaled:0.001", "manual"] {
        let clock = admin.set_mode(mode).await;
        assert_eq!(clock["mode"], mode);
        let now = clock["now_ms"].as_i64().expect("a number");
        assert!((latest..latest + 86_400_000).contains(&now), "{mode}: {now} after {latest}");
        latest = now;
    }
    let clock = admin.clock().await;
    assert_eq!(clock, admin.clock().await, "it stands again");
}

#[tokio::test]
async fn a_scaled_clock_lets_things_happen_by_themselves() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let job = client.job(&base()).await;
    let id = job["job_id"].as_str().expect("an id");
    admin.set_mode("scaled:10000").await;
    let gone = async { while client.get(&format!("/metadata/{id}")).await.status == 200 {} };
    tokio::time::timeout(Duration::from_secs(30), gone).await.expect("the idle sweep removes the job");
}

#[tokio::test]
async fn an_advance_tells_what_happened_in_order_and_when() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    client.job(&base()).await;
    assert_eq!(admin.advance(json!("5s")).await["fired"], json!([]));
    client.job(&base()).await;
    let third = client.job(&base()).await;
    client.cancel(third["job_id"].as_str().expect("an id")).await;
    let clock = admin.advance(json!("1m")).await;
    // 1-8: three configured and one cancelled, each with its request.
    assert_eq!(
        clock["fired"],
        json!([
            {"number": 9, "at_ms": START_MS + 7_000, "event": "removed", "job": "3-3", "what": "cancelled"},
            {"number": 10, "at_ms": START_MS + 50_000, "event": "removed", "job": "1-1", "what": "idle"},
            {"number": 11, "at_ms": START_MS + 55_000, "event": "removed", "job": "2-2", "what": "idle"},
        ])
    );
    assert_eq!((&clock["now_ms"], &clock["next_due_ms"]), (&json!(START_MS + 65_000), &Value::Null));
    let state = admin.state().await;
    assert_eq!((&state["jobs"], &state["slots"]["free"]), (&json!([]), &json!(1024)));
}

#[tokio::test]
async fn an_advance_takes_durations_in_every_documented_form() {
    let server = held();
    let admin = Admin::of(&server);
    let mut now = START_MS;
    for (by, millis) in [
        (json!("50s"), 50_000),
        (json!("1m 30s"), 90_000),
        (json!("2h"), 7_200_000),
        (json!("PT1M"), 60_000),
        (json!("250ms"), 250),
        (json!(7), 7_000),
        (json!(0.25), 250),
        (json!(0), 0),
        (json!("0s"), 0),
        (json!("744h"), 2_678_400_000),
        (json!(2_678_400), 2_678_400_000),
    ] {
        now += millis;
        assert_eq!(admin.advance(by.clone()).await["now_ms"], now, "{by}");
    }
}

#[tokio::test]
async fn an_advance_also_moves_a_clock_that_runs() {
    let config = Config { clock: Mode::System, ..Config::default() };
    let server = MockServer::start(config).expect("a server of the test's own");
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let before = admin.clock().await["now_ms"].as_i64().expect("a number");
    client.job(&base()).await;
    let clock = admin.advance(json!("60s")).await;
    assert!(clock["now_ms"].as_i64().expect("a number") >= before + 60_000, "{clock} after {before}");
    assert_eq!(clock["mode"], "system");
    assert_eq!(clock["fired"][0]["what"], "idle", "{clock}");
}

const NO_SUCH_ROUTE: &str = "no such route: there are GET /livez, GET /readyz, GET and PUT /__mock/clock, POST \
                             /__mock/clock/advance, GET /__mock/state and POST /__mock/reset";
const MODES: &str = r#"expected {"mode": "system"}, {"mode": "scaled:60"} or {"mode": "manual"}"#;
const NO_MODE: &str = "mode: not a clock: expected system, scaled:N with N above 0 up to 1000000, or manual";
const DURATION: &str =
    "by: expected a duration such as \"50s\" or \"1m 30s\", or a number of seconds, from 0 to 31 days";

#[tokio::test]
async fn a_request_that_is_not_taken_is_told_why_and_changes_nothing() {
    let server = held();
    let admin = Admin::of(&server);
    let before = admin.state().await;
    let refused: &[(&str, &str, &str, u16, &str)] = &[
        ("PUT", "/__mock/clock", r#"{"mode":"fast"}"#, 422, NO_MODE),
        ("PUT", "/__mock/clock", r#"{"mode":"scaled:0"}"#, 422, NO_MODE),
        ("PUT", "/__mock/clock", r#"{"mode":"scaled:-60"}"#, 422, NO_MODE),
        ("PUT", "/__mock/clock", r#"{"mode":60}"#, 422, "invalid type: integer `60`, expected a string"),
        ("PUT", "/__mock/clock", r#"{"mod":"manual"}"#, 422, "unknown field `mod`, expected `mode`"),
        ("PUT", "/__mock/clock", r#"{"mode":"manual","by":1}"#, 422, "unknown field `by`, expected `mode`"),
        ("PUT", "/__mock/clock", "{}", 422, "missing field `mode`"),
        ("PUT", "/__mock/clock", "\"manual\"", 422, MODES),
        ("PUT", "/__mock/clock", "manual", 400, "the body is not JSON"),
        ("PUT", "/__mock/clock", "", 400, MODES),
        ("POST", "/__mock/clock/advance", r#"{"by":-1}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":"-1s"}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":"soon"}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":"50"}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":""}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":2678400.001}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":"745h"}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":1e300}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":true}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":null}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"by":{"s":1}}"#, 422, DURATION),
        ("POST", "/__mock/clock/advance", r#"{"for":"50s"}"#, 422, "unknown field `for`, expected `by`"),
        ("POST", "/__mock/clock/advance", r#"{"by":1,"by":2}"#, 422, "duplicate field `by`"),
        ("POST", "/__mock/clock/advance", "{", 400, r#"expected {"by": "50s"}"#),
        ("POST", "/__mock/clock/advance", "", 400, "the body is not JSON"),
        ("POST", "/__mock/clock", r#"{"mode":"system"}"#, 405, "it has GET, HEAD, PUT"),
        ("GET", "/__mock/clock/advance", "", 405, "it has POST"),
        ("GET", "/__mock/reset", "", 405, "it has POST"),
        ("DELETE", "/__mock/state", "", 405, "it has GET, HEAD"),
        ("GET", "/__mock", "", 404, NO_SUCH_ROUTE),
        ("GET", "/__mock/state/", "", 404, NO_SUCH_ROUTE),
        ("GET", "/__mock/clok", "", 404, NO_SUCH_ROUTE),
        ("GET", "/", "", 404, NO_SUCH_ROUTE),
    ];
    for (method, path, body, status, told) in refused {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let (answered, text) = admin.send(method.clone(), path, body).await;
        assert_eq!(answered, *status, "{method} {path} {body}: {text}");
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let error = answer["error"].as_str().unwrap_or_else(|| panic!("no error in {text}"));
        assert!(error.contains(told), "{method} {path} {body}: {told:?} is missing in {error:?}");
    }
    assert_eq!(admin.state().await, before);
}

/// The error that an admin request got, which has no other key.
fn error_of(answer: &Answer) -> String {
    let body = answer.json();
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
    body["error"].as_str().unwrap_or_else(|| panic!("no error in {body}")).to_owned()
}

#[test]
fn a_body_above_one_mebibyte_is_413_announced_or_in_chunks_and_one_below_is_read() {
    let server = held();
    let address = server.admin().expect("an admin listener");
    let body = |length: usize| {
        let mut body = br#"{"mode":"manual"}"#.to_vec();
        body.resize(length, b' ');
        body
    };
    let chunked = |length: usize| {
        let head = "PUT /__mock/clock HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
        [format!("{head}{length:x}\r\n").as_bytes(), &body(length), b"\r\n0\r\n\r\n"].concat()
    };
    let limit = 1024 * 1024;
    let announced = |length| request("PUT", "/__mock/clock", &[], &body(length));
    for (sent, status) in [
        (announced(limit), 200),
        (chunked(limit), 200),
        (announced(limit + 1), 413),
        (chunked(limit + 1), 413),
    ] {
        let mut wire = Wire::to(address);
        wire.send(&sent);
        let answer = wire.answer();
        assert_eq!(answer.status, status);
        if status == 413 {
            assert_eq!(error_of(&answer), "the body is too large: the limit is 1048576 bytes");
        }
    }
}

#[test]
fn a_body_that_does_not_arrive_in_time_is_408_and_one_that_breaks_off_400() {
    let server = held_as(|config| config.http.body_time = Duration::from_millis(100));
    let address = server.admin().expect("an admin listener");
    let begun = b"PUT /__mock/clock HTTP/1.1\r\nhost: x\r\ncontent-length: 17\r\n\r\n{";
    let mut wire = Wire::to(address);
    wire.send(begun);
    let answer = wire.answer();
    assert_eq!(
        (answer.status.as_u16(), error_of(&answer).as_str()),
        (408, "the body did not arrive within 100ms")
    );
    wire.assert_closed();
    let mut wire = Wire::to(address);
    wire.send(begun);
    wire.end_sending();
    let answer = wire.answer();
    assert_eq!(answer.status, 400);
    assert!(error_of(&answer).starts_with("the body cannot be read: "), "{}", error_of(&answer));
}

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
                             "cluster": "ok", "focus_server": "up"},
            "serving": true,
            "waiting_for": null,
            "jobs": [],
            "slots": {"free": 1024, "lowest_free": 1},
            "next_sequence": 1,
            "gpu_shares_taken": 0,
            "cluster": {"namespace": "panda", "jobs": [], "pods": [], "services": [], "leftover_service_ports": [],
                        "cleanup_job_ttl_s": 10.0},
            "queues": [],
            "journal": {"written": 0, "newest": []},
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
    assert_eq!(
        state["journal"],
        json!({"written": 5, "newest": [
            {"number": 1, "at_ms": START_MS, "event": "configured", "job": "1-1"},
            {"number": 2, "at_ms": START_MS, "event": "request", "job": "1-1"},
            {"number": 3, "at_ms": START_MS, "event": "dependency-changed", "what": "fiber"},
            {"number": 4, "at_ms": START_MS, "event": "refused", "code": "WAITING_FOR_FIBER"},
            {"number": 5, "at_ms": START_MS, "event": "request", "code": "WAITING_FOR_FIBER"},
        ]})
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
