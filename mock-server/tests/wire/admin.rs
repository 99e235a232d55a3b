//! The admin listener. Every answer that these tests get is held against the OpenAPI document.

mod clock;
mod controls;
mod faults;
mod handles;
mod judge;
mod records;
mod refused;
mod state;
mod token;
mod why;

use std::net::SocketAddr;
use std::time::Duration;

use focus_mock::MockServer;
use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tonic::Streaming;
use tonic::transport::Endpoint;

use super::common::START;

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
        let request = self.http.request(method.clone(), format!("{}{path}", self.base)).body(body.to_owned());
        let response = request.send().await.expect("an answer");
        let (status, text) = (response.status(), response.text().await.expect("a body of text"));
        judge::answered(&method, path, status, &text);
        (status, text)
    }

    async fn ok(&self, method: Method, path: &str, body: &str) -> Value {
        let (status, text) = self.send(method, path, body).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    async fn get(&self, path: &str) -> Value {
        self.ok(Method::GET, path, "").await
    }

    async fn put(&self, path: &str, body: Value) -> Value {
        self.ok(Method::PUT, path, &body.to_string()).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.ok(Method::POST, path, &body.to_string()).await
    }

    async fn delete(&self, path: &str) -> Value {
        self.ok(Method::DELETE, path, "").await
    }

    /// Status and error of a "no".
    async fn refused(&self, method: Method, path: &str, body: &Value) -> (u16, String) {
        let (status, text) = self.send(method, path, &body.to_string()).await;
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        (status.as_u16(), answer["error"].as_str().unwrap_or_else(|| panic!("no error in {text}")).to_owned())
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
