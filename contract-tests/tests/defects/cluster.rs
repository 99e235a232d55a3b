//! Somebody between the suite and the mock's Kubernetes API.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request as Asking, State};
use axum::http::StatusCode;
use axum::response::Response;
use focus_contract::client::rest::{Exchange, Request};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::broken::Spoil;

/// What becomes of an object, wherever the API tells of it: in a list, alone, in a watch.
pub(crate) type Objects = fn(Value) -> Vec<Value>;
/// What becomes of an event of a watch.
pub(crate) type Events = fn(Value) -> Vec<Value>;

/// An object that stays as it is but for a change, if it is of that kind.
pub(crate) fn object(mut object: Value, kind: &str, change: impl FnOnce(&mut Value)) -> Vec<Value> {
    if object["kind"] == kind {
        change(&mut object);
    }
    vec![object]
}

/// Whether an object is one of a job's streaming part.
pub(crate) fn streams(object: &Value) -> bool {
    object["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("grpc-"))
}

/// Changes the pods that stream.
pub(crate) fn pod(change: fn(&mut Value)) -> impl Fn(Value) -> Vec<Value> {
    move |pod| {
        object(pod, "Pod", |pod| {
            if streams(pod) {
                change(pod)
            }
        })
    }
}

/// Leaves out the events with that reason.
pub(crate) fn silent(event: Value, reason: &str) -> Vec<Value> {
    Some(event).filter(|event| event["kind"] != "Event" || event["reason"] != reason).into_iter().collect()
}

#[derive(Clone)]
struct Between {
    mock: String,
    http: reqwest::Client,
    spoil: Spoil,
    past: Arc<Mutex<Vec<Exchange>>>,
}

/// Starts one on a port of its own; tells its base.
pub(crate) async fn start(mock: String, spoil: Spoil) -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let http = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
    let between = Between { mock, http, spoil, past: Arc::default() };
    let router = axum::Router::new().fallback(pass).with_state(between);
    // It lives as long as the case's runtime.
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(format!("http://{address}"))
}

async fn pass(State(between): State<Between>, asking: Asking) -> Response {
    match between.answer(asking).await {
        Ok(response) => response,
        Err(why) => plain(StatusCode::BAD_GATEWAY, why.into()),
    }
}

fn plain(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

impl Between {
    async fn answer(&self, asking: Asking) -> Result<Response, String> {
        let path = asking.uri().path_and_query().map_or_else(String::new, ToString::to_string);
        let mut asked = Request::of(asking.method().clone(), &path);
        let header = |name: &str| {
            let value = asking.headers().get(name).and_then(|value| value.to_str().ok())?;
            Some((name.to_owned(), value.to_owned()))
        };
        asked.headers = ["accept", "content-type"].into_iter().filter_map(header).collect();
        let body = to_bytes(asking.into_body(), usize::MAX).await.map_err(|error| error.to_string())?;
        asked.body = Some(body.to_vec()).filter(|body| !body.is_empty());
        let mut sent = asked.clone();
        if let Spoil::Kube(ask, _) = self.spoil {
            ask(&mut sent);
        }
        let mut request = self.http.request(sent.method, format!("{}{}", self.mock, sent.path));
        for (name, value) in &sent.headers {
            request = request.header(name, value);
        }
        let response = request.body(sent.body.unwrap_or_default()).send().await;
        let response = response.map_err(|error| error.to_string())?;
        if path.contains("watch=true") {
            return Ok(plain(response.status(), self.watch(response)));
        }
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(|error| error.to_string())?.to_vec();
        let headers = Vec::new();
        let took = std::time::Duration::ZERO;
        let mut exchange = Exchange { request: asked, base: self.mock.clone(), status, headers, body, took };
        match self.spoil {
            Spoil::Kube(_, answered) => {
                let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
                answered(&mut exchange, &past);
                past.push(exchange.clone());
            }
            Spoil::Objects(spoil) => objects(&mut exchange, spoil),
            _ => {}
        }
        let status = StatusCode::from_u16(exchange.status).map_err(|error| error.to_string())?;
        Ok(plain(status, exchange.body.into()))
    }

    /// Event by event, as they come.
    fn watch(&self, response: reqwest::Response) -> Body {
        let spoil = self.spoil;
        let lines = futures_util::stream::unfold(
            (response, Vec::new()),
            move |(mut response, mut rest)| async move {
                let chunk = response.chunk().await.ok()??;
                rest.extend_from_slice(&chunk);
                let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                let after = rest.split_off(whole);
                let events = rest.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                let spoilt = events.flat_map(|line| told(line, spoil));
                let text: Vec<u8> = spoilt.flat_map(|event| format!("{event}\n").into_bytes()).collect();
                Some((Ok::<_, std::io::Error>(Bytes::from(text)), (response, after)))
            },
        );
        Body::from_stream(lines)
    }
}

fn told(line: &[u8], spoil: Spoil) -> Vec<Value> {
    let event: Value = serde_json::from_slice(line).unwrap_or_default();
    match spoil {
        Spoil::Events(spoil) => spoil(event),
        Spoil::Objects(spoil) => {
            let objects = spoil(event["object"].clone());
            objects.into_iter().map(|object| json!({"type": event["type"], "object": object})).collect()
        }
        _ => vec![event],
    }
}

/// In a list the items have no kind of their own.
fn objects(answer: &mut Exchange, spoil: Objects) {
    let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else { return };
    if body["kind"] == "Status" || !body["metadata"].is_object() {
        return;
    }
    if body["items"].is_array() {
        let kind = body["kind"].as_str().unwrap_or_default().trim_end_matches("List").to_owned();
        let Some(items) = body["items"].as_array_mut() else { return };
        let spoilt = items.drain(..).flat_map(|mut item| {
            item["kind"] = json!(kind);
            spoil(item)
        });
        let spoilt: Vec<_> = spoilt.collect();
        *items = spoilt;
    } else {
        let name = body["metadata"]["name"].clone();
        match spoil(body).into_iter().find(|object| object["metadata"]["name"] == name) {
            Some(object) => body = object,
            None => {
                answer.status = 404;
                body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound",
                              "message": "not found", "code": 404});
            }
        }
    }
    answer.body = body.to_string().into_bytes();
}
