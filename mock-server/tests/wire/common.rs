//! What the wire tests share: a server with a held clock, and a client that keeps the raw answer.

use std::time::Duration;

use focus_mock::domain::time::{EpochSeconds, Moment};
use focus_mock::sim::clock::Mode;
use focus_mock::sim::setup::Setup;
use focus_mock::{Config, MockServer};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// What the clock of [`held`] servers shows at their start: 2025-12-08T00:00:00Z.
pub(crate) const START: i64 = 1_765_152_000;

/// A server of the default world whose clock only goes when it is advanced.
pub(crate) fn held() -> MockServer {
    held_with(Setup::default())
}

/// The same with another world.
pub(crate) fn held_with(setup: Setup) -> MockServer {
    held_as(|config| config.setup = setup)
}

/// The same with anything else changed.
pub(crate) fn held_as(change: impl FnOnce(&mut Config)) -> MockServer {
    MockServer::start(held_config(change)).expect("a server of the test's own")
}

/// How long connections wind up.
const WIND_UP: Duration = Duration::from_millis(500);

/// What such a server is started with.
pub(crate) fn held_config(change: impl FnOnce(&mut Config)) -> Config {
    let start_time = Some(Moment::from_seconds(EpochSeconds(START)));
    let mut config = Config { clock: Mode::Manual, start_time, ..Config::default() };
    // Connections that nobody reads end with this, and no test shall wait for it longer than it must.
    (config.http.wind_up_time, config.grpc.wind_up_time) = (WIND_UP, WIND_UP);
    change(&mut config);
    config
}

/// One answer, as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Status and code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), code)
    }
}

/// A client of one server. No retries, no hidden assertions.
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    pub(crate) fn of(server: &MockServer) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build();
        Self { http: http.expect("a client"), base: server.base_url() }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.expect("a whole body").to_vec() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string().into_bytes())).await
    }

    pub(crate) async fn configure(&self, body: &Value) -> Answer {
        self.post("/configure", body).await
    }

    /// Configures a job that must be accepted; its answer.
    pub(crate) async fn job(&self, body: &Value) -> Value {
        let answer = self.configure(body).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    pub(crate) async fn cancel(&self, job_id: &str) -> Answer {
        self.send(Method::DELETE, &format!("/job/{job_id}"), None).await
    }
}

/// A live configuration of 50 channels and 256 bins; rows every 10 ms.
pub(crate) fn base() -> Value {
    json!({"displayTimeAxisDuration": 10, "nfftSelection": 1024, "displayInfo": {"height": 1000},
           "channels": {"min": 1, "max": 50}, "frequencyRange": {"min": 0, "max": 500},
           "start_time": null, "end_time": null, "view_type": "0"})
}

/// A small live configuration: 20 channels, 64 bins.
pub(crate) fn light() -> Value {
    with(
        base(),
        &json!({"channels": {"min": 1, "max": 20}, "nfftSelection": 512,
                        "frequencyRange": {"min": 0, "max": 250}, "displayInfo": {"height": 800}}),
    )
}

/// A configuration with some fields replaced.
pub(crate) fn with(mut body: Value, changes: &Value) -> Value {
    for (key, value) in changes.as_object().expect("an object of changes") {
        body[key] = value.clone();
    }
    body
}
