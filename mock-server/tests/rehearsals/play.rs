//! A scenario being played: its server, its clock, and a client that keeps what it saw.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use focus_mock::domain::time::{EpochSeconds, Moment};
use focus_mock::settings::{FLAGS, Settings, Sources};
use focus_mock::sim::clock::Waiter;
use focus_mock::sim::leaks::Leaks;
use focus_mock::{Addresses, Config, MockServer};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// What the clock shows when a scenario begins: 2025-12-08T00:00:00Z.
pub(crate) const START: i64 = 1_765_152_000;
/// How long anything may take on the wall clock before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where clients are sent for their streams, whatever address a server has.
pub(crate) const STREAMS_AT: &str = "streams.test";

/// A server of a scenario whose clock only goes when it is advanced, and a client of it.
pub(crate) struct Play {
    pub(crate) server: MockServer,
    http: reqwest::Client,
    began: Moment,
}

/// One answer, as it came.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// An answer that broke off.
#[derive(Debug)]
pub(crate) struct Broken {
    /// 0 where not even the headers came.
    pub(crate) status: u16,
    /// Length of the body, by its header.
    pub(crate) length: u64,
    /// What came of it.
    pub(crate) body: Vec<u8>,
}

/// Where the scenarios lie.
pub(crate) fn scenarios() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/scenarios")
}

/// What a server is started with that is told this, as on the command line.
fn told(flags: &[(&str, String)]) -> Config {
    let flag = |name: &str| FLAGS.iter().find(|flag| flag.name == name).expect("a flag of that name");
    let flags = flags.iter().map(|(name, value)| (flag(name), value.clone())).collect();
    let sources = Sources { flags, ..Sources::default() };
    let told = Settings::gather(&sources).unwrap_or_else(|wrong| panic!("{wrong}"));
    // In a test each server has addresses of its own.
    Config { addresses: Addresses::Own, ..told.config }
}

impl Play {
    /// A server as `--scenario` starts it.
    pub(crate) fn of(scenario: &str) -> Self {
        let file = scenarios().join(format!("{scenario}.yaml"));
        Self::of_file(file.to_str().expect("a path of text"))
    }

    pub(crate) fn of_file(file: &str) -> Self {
        let config = told(&[
            ("scenario", file.to_owned()),
            ("clock", String::from("manual")),
            ("start-time", START.to_string()),
            ("stream-host", STREAMS_AT.to_owned()),
        ]);
        let server = MockServer::start(config).expect("a server of the test's own");
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        Self { server, http, began: Moment::from_seconds(EpochSeconds(START)) }
    }

    /// Lets the clock go on to so many milliseconds after the start; it must not have been there already.
    pub(crate) fn at(&self, millis: u64) {
        let until = self.began.after(Duration::from_millis(millis));
        assert!(until >= self.now(), "{millis} ms are over");
        self.server.simulation().advance(until.since(self.now()));
    }

    pub(crate) fn advance(&self, millis: u64) {
        self.server.simulation().advance(Duration::from_millis(millis));
    }

    pub(crate) fn now(&self) -> Moment {
        self.server.simulation().clock().now()
    }

    /// The time since the start, in milliseconds.
    pub(crate) fn passed(&self) -> u128 {
        self.now().since(self.began).as_millis()
    }

    pub(crate) fn host(&self) -> IpAddr {
        self.server.rest().ip()
    }

    /// The port of a slot.
    pub(crate) fn port(&self, slot: u16) -> u16 {
        self.server.port_base() + slot
    }

    /// Whether somebody listens there.
    pub(crate) fn is_open(&self, port: u16) -> bool {
        TcpStream::connect(SocketAddr::new(self.host(), port)).is_ok()
    }

    /// Whether the port is free on the machine.
    pub(crate) fn is_free(&self, port: u16) -> bool {
        TcpListener::bind((self.host(), port)).is_ok()
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.server.base_url()))
    }

    /// What a request with this id gets.
    pub(crate) async fn ask(
        &self,
        id: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Broken> {
        let request = self.request(method, path).header("x-request-id", id);
        let request = match body {
            Some(body) => request.body(body.to_string()),
            None => request,
        };
        whole(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.try_get(path).await.unwrap_or_else(|broken| panic!("{path}: {broken:?}"))
    }

    pub(crate) async fn try_get(&self, path: &str) -> Result<Answer, Broken> {
        whole(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).await.unwrap_or_else(|broken| panic!("{path}: {broken:?}"))
    }

    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> Result<Answer, Broken> {
        whole(self.request(Method::POST, path).body(body.to_string())).await
    }

    pub(crate) async fn configure(&self, body: &Value) -> Answer {
        self.post("/configure", body).await
    }

    /// Recordings of the last days, as a client lists them.
    pub(crate) async fn recordings(&self) -> Answer {
        self.post("/recordings_in_time_range", &last_days()).await
    }

    /// Configures a job that must be accepted; its answer.
    pub(crate) async fn accepted(&self, body: &Value) -> Value {
        let answer = self.configure(body).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    /// Configures in vain; everything is then as it was before.
    pub(crate) async fn in_vain(&self, body: &Value) -> Answer {
        let before = self.outside().await;
        let answer = self.configure(body).await;
        assert_ne!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        assert_eq!(self.outside().await, before);
        answer
    }

    pub(crate) async fn cancel(&self, job: &Value) {
        let path = format!("/job/{}", job["job_id"].as_str().expect("a job_id"));
        let answer = whole(self.request(Method::DELETE, &path)).await.expect("an answer");
        assert_eq!(answer.status, 200);
    }

    /// Waits for an answer of a server that takes its time, and lets the clock go on to whatever it waits for; how long
    /// it took on the clock.
    pub(crate) async fn patiently<T>(&self, asking: impl Future<Output = T>) -> (T, Duration) {
        let asked = self.now();
        let mut asking = pin!(asking);
        let answer = in_time("an answer", async {
            loop {
                tokio::select! {
                    biased;
                    answer = &mut asking => return answer,
                    () = tokio::task::yield_now() => {}
                }
                let next = self.waiters().into_iter().find(|waiter| waiter.until > self.now());
                if let Some(next) = next {
                    self.server.simulation().advance(next.until.since(self.now()));
                }
            }
        });
        let answer = answer.await;
        (answer, self.now().since(asked))
    }

    /// What answers wait for.
    pub(crate) fn waiters(&self) -> Vec<Waiter> {
        let all = self.server.simulation().clock().waiters().into_iter();
        let others = ["next event", "next frame", "fault: call held up"];
        all.filter(|waiter| !others.contains(&waiter.what)).collect()
    }

    /// The world as the admin listener shows it.
    pub(crate) async fn state(&self) -> Value {
        let admin = self.server.admin().expect("an admin listener");
        let asking = self.http.get(format!("http://{admin}/__mock/state"));
        whole(asking).await.expect("a state").json()
    }

    /// What the outside can see of what is taken: the state without counts and clock, and the ports of the first slots.
    pub(crate) async fn outside(&self) -> Value {
        let mut state = self.state().await;
        let keys = state.as_object_mut().expect("an object");
        for key in ["clock", "journal", "next_sequence"] {
            keys.remove(key).expect("the state has it");
        }
        let ports = (1..=8).map(|slot| self.port(slot));
        let ports: BTreeMap<_, _> =
            ports.map(|port| (port.to_string(), (self.is_free(port), self.is_open(port)))).collect();
        keys.insert(String::from("ports"), json!(ports));
        state
    }

    /// The state of a job as the admin listener shows it; nothing once it is removed.
    pub(crate) async fn job_state(&self, job: &Value) -> Option<String> {
        let state = self.state().await;
        let jobs = state["jobs"].as_array().expect("a list");
        let job = jobs.iter().find(|one| one["job_id"] == job["job_id"])?;
        Some(job["state"].as_str().expect("a text").to_owned())
    }

    /// Nothing is wrong with the world, and this is all that belongs to nobody.
    pub(crate) fn assert_left(&self, leaks: &Leaks) {
        let (left, broken) =
            self.server.simulation().with(|world, now| (world.leaks(now), world.broken_invariants()));
        assert_eq!(left, *leaks);
        assert_eq!(broken, []);
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// It is this refusal, with this text; one that passes says when to come again.
    #[track_caller]
    pub(crate) fn assert_refusal(&self, status: u16, code: &str, text: &str) {
        let body = self.json();
        let found = (self.status, body["code"].as_str(), body["error"].as_str());
        assert_eq!(found, (status, Some(code), Some(text)));
        assert_eq!(self.header("retry-after"), (status == 503).then_some("1"));
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"));
    }
}

/// A request's answer, if it comes whole.
async fn whole(request: reqwest::RequestBuilder) -> Result<Answer, Broken> {
    let Ok(mut response) = request.send().await else {
        return Err(Broken { status: 0, length: 0, body: Vec::new() });
    };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let length = response.content_length().expect("every answer tells its length");
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(bytes)) => body.extend_from_slice(&bytes),
            Ok(None) => return Ok(Answer { status, headers, body }),
            Err(_) => return Err(Broken { status, length, body }),
        }
    }
}

/// Waits for something of the wire; the failure says what.
pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("still missing after {PATIENCE:?}: {what}"))
}

/// A window of the last days before the start.
pub(crate) fn last_days() -> Value {
    json!({"start_time": START - 2 * 86_400, "end_time": START})
}

/// A live configuration: 20 channels in three streams.
pub(crate) fn live() -> Value {
    json!({"displayTimeAxisDuration": 10, "nfftSelection": 512, "displayInfo": {"height": 800},
           "channels": {"min": 1, "max": 20}, "frequencyRange": {"min": 0, "max": 250},
           "start_time": null, "end_time": null, "view_type": "0"})
}

/// The same of so many recorded seconds, two days before the start.
pub(crate) fn recorded(seconds: i64) -> Value {
    let mut body = live();
    body["start_time"] = json!(START - 2 * 86_400);
    body["end_time"] = json!(START - 2 * 86_400 + seconds);
    body
}
