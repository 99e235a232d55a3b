//! Requests of every kind, each to a world at its start, and what comes back: status, headers, body, time on the clock.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::domain::fiber::FiberState;
use focus_mock::domain::quirk::Quirk;
use focus_mock::domain::time::{EpochSeconds, Moment};
use focus_mock::sim::setup::{ClusterState, Dependencies, MongoDb, Setup, Supply};
use focus_proto::pandadatastream::StreamDataRequest;
use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use serde_json::{Value, json};
use tonic::transport::Endpoint;

use super::{but, historic, waited_out, waterfall, without};
use crate::common::{START, base, held_as, with};

/// One thing that is done.
enum Act {
    /// A request whose answer is looked at.
    Ask(&'static str, &'static str, Vec<u8>),
    /// A request whose answer is not.
    Before(&'static str, &'static str, Value),
    /// Time that passes.
    Wait(Duration),
    /// A change of the world.
    Change(fn(&MockServer)),
    /// Whether the port of the first job is open.
    Port,
    /// The first stream of the first job, read to its end.
    Stream,
}

use Act::{Ask, Before, Change, Port, Stream, Wait};

fn get(path: &'static str) -> Act {
    Ask("GET", path, Vec::new())
}

fn post(path: &'static str, body: &Value) -> Act {
    Ask("POST", path, body.to_string().into_bytes())
}

fn configure(body: &Value) -> Vec<Act> {
    vec![post("/configure", body)]
}

fn depend(server: &MockServer, change: impl FnOnce(&mut Dependencies)) {
    server.simulation().with(|world, now| {
        let mut dependencies = world.dependencies();
        change(&mut dependencies);
        world.change_dependencies(dependencies, now);
    });
}

fn fiber(server: &MockServer, state: FiberState) {
    server.simulation().with(|world, now| world.change_fiber(state, now));
}

const MONGODB_DOWN: Act = Change(|server| depend(server, |world| world.mongodb = MongoDb::Down));

fn window() -> Value {
    json!({"start_time": START - 7200, "end_time": START - 3600})
}

fn task() -> Value {
    json!({"displayTimeAxisDuration": 30, "nfftSelection": 1024, "canvasInfo": {"height": 300},
           "sensors": {"min": 0, "max": 2}, "frequencyRange": {"min": 0, "max": 500},
           "start_time": null, "end_time": null})
}

/// The routes, each as it is meant.
fn routes() -> Vec<(&'static str, Vec<Act>)> {
    let later = || Wait(Duration::from_secs(8));
    let job = || Before("POST", "/configure", base());
    vec![
        ("ack", vec![get("/ack")]),
        ("channels", vec![get("/channels")]),
        ("live metadata", vec![get("/focus-server/live_metadata")]),
        (
            "live metadata, mixed",
            vec![Change(|server| fiber(server, FiberState::Mixed)), get("/live_metadata")],
        ),
        (
            "live metadata, waiting",
            vec![Change(|server| fiber(server, FiberState::Waiting)), get("/live_metadata")],
        ),
        ("multi-channel", configure(&base())),
        ("multi-channel, integer view", configure(&but("view_type", &json!(0)))),
        (
            "single-channel",
            configure(&with(base(), &json!({"view_type": "1", "channels": {"min": 7, "max": 7}}))),
        ),
        ("waterfall", configure(&waterfall())),
        ("historic", configure(&historic())),
        ("metadata at once", vec![job(), get("/metadata/1-1")]),
        ("metadata later", vec![job(), later(), get("/metadata/1-1")]),
        ("metadata, unknown job", vec![get("/metadata/9-9")]),
        ("cancel", vec![job(), Ask("DELETE", "/job/1-1", Vec::new()), later(), get("/metadata/1-1")]),
        ("cancel, unknown job", vec![Ask("DELETE", "/job/9-9", Vec::new())]),
        (
            "port",
            vec![job(), Port, Wait(Duration::from_millis(6_499)), Port, Wait(Duration::from_millis(1)), Port],
        ),
        ("live stream", vec![job(), later(), Stream]),
        ("historic stream", vec![Before("POST", "/configure", historic()), later(), Stream]),
        ("recordings", vec![post("/recordings_in_time_range", &window())]),
        (
            "recordings, none",
            vec![post("/recordings_in_time_range", &json!({"start_time": 1, "end_time": 2}))],
        ),
        ("timeline", vec![get("/get_recordings_timeline")]),
        ("sensors", vec![get("/sensors")]),
        ("task config", vec![post("/config/task-7", &task())]),
        (
            "task data",
            vec![
                Before("POST", "/config/task-7", task()),
                Wait(Duration::from_secs(2)),
                get("/waterfall/task-7/2"),
            ],
        ),
        (
            "task metadata",
            vec![
                Before("POST", "/config/task-7", task()),
                Wait(Duration::from_secs(2)),
                get("/metadata/task-7"),
            ],
        ),
        ("openapi", vec![get("/openapi.json")]),
        ("docs", vec![get("/docs")]),
    ]
}

/// Requests that the contract refuses for what they are.
fn refused() -> Vec<(&'static str, Vec<Act>)> {
    let window =
        |start: Value, end: Value| configure(&with(base(), &json!({"start_time": start, "end_time": end})));
    let channels = |min: i64, max: i64| configure(&but("channels", &json!({"min": min, "max": max})));
    let frequencies =
        |min: i64, max: i64| configure(&but("frequencyRange", &json!({"min": min, "max": max})));
    let raw = |body: &[u8]| vec![Ask("POST", "/configure", body.to_vec())];
    vec![
        ("unknown route", vec![get("/nothing")]),
        ("wrong method", vec![Ask("POST", "/ack", Vec::new())]),
        ("wrong method of a job", vec![get("/job/1-1")]),
        ("wrong method of a task", vec![post("/sensors", &json!({}))]),
        ("metadata, unknown task", vec![get("/metadata/nobody")]),
        ("task data, unknown", vec![get("/waterfall/nobody/5")]),
        ("task config, wrong", vec![post("/config/task-7", &json!({}))]),
        (
            "recordings, wrong order",
            vec![post("/recordings_in_time_range", &json!({"start_time": 2, "end_time": 1}))],
        ),
        ("recordings, no times", vec![post("/recordings_in_time_range", &json!({}))]),
        ("no JSON", raw(b"{")),
        ("no object", raw(b"[]")),
        ("empty object", raw(b"{}")),
        ("too large", raw(&vec![b' '; 1_048_577])),
        ("no view", configure(&without("view_type"))),
        ("unknown view", configure(&but("view_type", &json!("9")))),
        ("no channels", configure(&without("channels"))),
        ("channels of text", configure(&but("channels", &json!({"min": "a", "max": 5})))),
        ("channel 0", channels(0, 10)),
        ("channels reversed", channels(20, 11)),
        ("channels beyond", channels(2330, 2340)),
        ("too many channels", channels(1, 2337)),
        ("far too many channels", channels(1, 10_001)),
        ("single-channel range", configure(&but("view_type", &json!("1")))),
        ("no displayInfo", configure(&without("displayInfo"))),
        ("height 0", configure(&but("displayInfo", &json!({"height": 0})))),
        ("no duration", configure(&without("displayTimeAxisDuration"))),
        ("duration 0", configure(&but("displayTimeAxisDuration", &json!(0)))),
        ("no nfft", configure(&without("nfftSelection"))),
        ("nfft 1000", configure(&but("nfftSelection", &json!(1000)))),
        ("nfft 0", configure(&but("nfftSelection", &json!(0)))),
        ("no frequencyRange", configure(&without("frequencyRange"))),
        ("frequencies beyond", frequencies(0, 1001)),
        ("frequencies reversed", frequencies(500, 0)),
        ("frequencies equal", frequencies(500, 500)),
        ("frequency negative", frequencies(-1, 500)),
        ("waterfall with everything", configure(&but("view_type", &json!("2")))),
        ("start alone", window(json!(START - 7200), Value::Null)),
        ("end alone", window(Value::Null, json!(START - 3600))),
        ("window reversed", window(json!(START - 3600), json!(START - 7200))),
        ("window in the future", window(json!(START + 864_000), json!(START + 867_600))),
        ("window without a recording", window(json!(1_000), json!(2_000))),
    ]
}

/// Requests that the contract refuses for the state of the world.
fn outages() -> Vec<(&'static str, Vec<Act>)> {
    vec![
        ("MongoDB down: historic", vec![MONGODB_DOWN, post("/configure", &historic())]),
        ("MongoDB down: recordings", vec![MONGODB_DOWN, post("/recordings_in_time_range", &window())]),
        ("MongoDB down: timeline", vec![MONGODB_DOWN, get("/get_recordings_timeline")]),
        (
            "RabbitMQ down: live",
            vec![
                Change(|server| depend(server, |world| world.rabbitmq = Supply::Down)),
                post("/configure", &base()),
            ],
        ),
        (
            "fiber waiting: live",
            vec![Change(|server| fiber(server, FiberState::Waiting)), post("/configure", &base())],
        ),
        (
            "cluster refuses: live",
            vec![
                Change(|server| depend(server, |world| world.cluster = ClusterState::RefusesObjects)),
                post("/configure", &base()),
            ],
        ),
        (
            "server down",
            vec![
                Change(|server| depend(server, |world| world.focus_server = Supply::Down)),
                get("/channels"),
            ],
        ),
    ]
}

/// Everything that came back from one kind of request.
pub(super) type Seen = Vec<String>;

/// What a server with these quirks does with all of them.
pub(super) async fn of(quirks: &[Quirk]) -> BTreeMap<&'static str, Seen> {
    let server = held_as(|config| {
        config.setup = Setup { quirks: quirks.iter().copied().collect(), ..Setup::default() };
        // Two servers have two addresses; the answers shall not.
        config.streams_at.host = Some(String::from("streams.example"));
    });
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut seen = BTreeMap::new();
    let kinds = [routes(), refused(), outages()].into_iter().flatten();
    for (number, (name, acts)) in kinds.enumerate() {
        // Each at a time of its own, however long the one before took.
        let start = START + 300 * i64::try_from(number).expect("few");
        let now = server.simulation().clock().now();
        server.simulation().advance(Moment::from_seconds(EpochSeconds(start)).since(now));
        assert_eq!(server.simulation().clock().now().seconds(), EpochSeconds(start));
        server.simulation().reset();
        let mut results = Vec::new();
        for act in acts {
            results.extend(done(&server, &http, act).await);
        }
        assert!(seen.insert(name, results).is_none(), "{name} is there twice");
    }
    seen
}

async fn done(server: &MockServer, http: &reqwest::Client, act: Act) -> Option<String> {
    match act {
        Wait(time) => drop(server.simulation().advance(time)),
        Change(change) => change(server),
        Before(method, path, body) => {
            sent(server, http, method, path, body.to_string().into_bytes()).await;
        }
        Ask(method, path, body) => return Some(sent(server, http, method, path, body).await),
        Port => {
            let address = (server.rest().ip(), server.port_base() + 1);
            return Some(format!("port open: {}", TcpStream::connect(address).is_ok()));
        }
        Stream => return Some(read(server).await),
    }
    None
}

async fn sent(
    server: &MockServer,
    http: &reqwest::Client,
    method: &str,
    path: &str,
    body: Vec<u8>,
) -> String {
    let url = format!("{}{path}", server.base_url());
    let request =
        http.request(method.parse().expect("a method"), url).header("x-request-id", "probe").body(body);
    let (response, waited) = waited_out(server, request.send()).await;
    let response = response.expect("an answer");
    let status = response.status();
    let headers: BTreeMap<String, String> = response
        .headers()
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").to_owned()))
        .collect();
    let body = response.bytes().await.expect("a whole body");
    // Whose port it is shows in no answer but those of the job itself.
    format!("{method} {path}: {status} after {waited:?} {headers:?} {}", String::from_utf8_lossy(&body))
}

/// Frames and end of the first stream of the first job; a live one is left after ten frames.
async fn read(server: &MockServer) -> String {
    let address = format!("http://{}:{}", server.rest().ip(), server.port_base() + 1);
    let reading = async {
        let endpoint = Endpoint::from_shared(address).expect("a URL");
        let channel = endpoint.connect().await.expect("the port is open");
        let mut client = DataStreamServiceClient::new(channel).max_decoding_message_size(1 << 26);
        let call = client.stream_data(StreamDataRequest { stream_id: 0 }).await.expect("it is served");
        let mut call = call.into_inner();
        let mut rows = Vec::new();
        loop {
            match call.message().await {
                Ok(Some(_)) if rows.len() == 400 => return format!("{rows:?} and so on"),
                Ok(Some(frame)) => rows.extend(frame.row_index),
                Ok(None) => return format!("{rows:?} and OK"),
                Err(status) => return format!("{rows:?} and {:?}", status.code()),
            }
        }
    };
    let (read, waited) = waited_out(server, reading).await;
    format!("{read} after {} s", waited.as_secs())
}
