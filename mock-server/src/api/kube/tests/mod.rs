//! The API in process, without a socket: requests as a client writes them, and what comes back, over objects that were put
//! into the store by hand.

mod acts;
mod discovery;
mod failures;
mod lists;
mod metrics;
mod pages;
mod requests;
mod selectors;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::ACCEPT;
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use serde_json::Value;

use super::{Interface, Kube, Shared, Watches};
use crate::api::effect::Answered;
use crate::api::rest::Ends;
use crate::domain::ids::NodePort;
use crate::domain::time::Moment;
use crate::sim::Simulation;
use crate::sim::clock::{Clock, Mode};
use crate::sim::cluster::facts::{Facts, Key, Kind, Namespace, Planted, Record, Service, ServiceOf, Version};
use crate::sim::port::{Door, HoldError, Ports};
use crate::sim::seed::Seed;
use crate::sim::setup::Setup;

/// 2025-12-05T14:58:23Z, a little later.
const NOW: u64 = 1_764_946_703_250_000_000;

/// A machine without ports: no job is configured here.
struct NoPorts;

impl Ports for NoPorts {
    fn hold(&self, _: NodePort) -> Result<Box<dyn Door>, HoldError> {
        Err(HoldError::InUse)
    }
}

/// The API over a store that a test fills.
struct Rig {
    kube: Arc<Kube>,
    interface: Interface,
    runtime: tokio::runtime::Runtime,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    code: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json", "{}", self.text);
        serde_json::from_str(&self.text).expect("an answer in JSON")
    }

    /// The code and the message of a `Status`.
    #[track_caller]
    fn refusal(&self) -> (u16, String) {
        let json = self.json();
        assert_eq!(json["kind"], "Status", "{json}");
        assert_eq!(json["code"], self.code, "{json}");
        (self.code, json["message"].as_str().expect("a message").into())
    }

    /// The names of a list's items, as `namespace/name`.
    #[track_caller]
    fn names(&self) -> Vec<String> {
        let json = self.json();
        let items = json["items"].as_array().unwrap_or_else(|| panic!("a list: {json}"));
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let name = |item: &Value| {
            format!("{}/{}", text(&item["metadata"]["namespace"]), text(&item["metadata"]["name"]))
        };
        items.iter().map(name).collect()
    }
}

impl Rig {
    fn new() -> Self {
        Self::keeping(20_000)
    }

    /// A rig whose store keeps so many changes.
    fn keeping(history: usize) -> Self {
        let clock = Clock::start(Mode::Manual, Some(Moment::from_nanos(NOW)));
        let setup = Setup { history, ..Setup::default() };
        let simulation = Arc::new(Simulation::new(setup, Seed(7), clock, Arc::new(NoPorts)));
        simulation.store().empty();
        let kube = Arc::new(Kube {
            simulation,
            node_address: [127, 0, 0, 1].into(),
            watches: Arc::new(Watches::new(2_000)),
        });
        Self::waiting_for_bodies(kube, Duration::from_secs(60))
    }

    fn waiting_for_bodies(kube: Arc<Kube>, body_time: Duration) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let interface = Interface::new(Shared {
            kube: Arc::clone(&kube),
            token: None,
            body_time,
            closing: Arc::default(),
            ids: Shared::ids(Seed(7)),
        });
        Self { interface, kube, runtime: runtime.expect("a runtime") }
    }

    async fn respond(&self, request: Request<Body>) -> axum::response::Response {
        let ends = Ends::new(([127, 0, 0, 1], 5002).into(), ([127, 0, 0, 1], 40_000).into());
        match self.interface.clone().answer(request, ends).await {
            Answered::Whole(response) => response,
            Answered::Raw(_) => panic!("no rule spoils an answer here"),
        }
    }

    fn put(&self, kind: Kind, namespace: &str, name: &str, facts: Facts) -> Arc<Record> {
        let key = Key::new(kind, &Namespace(namespace.into()), name);
        self.kube.simulation.store().put(key, Moment::from_nanos(NOW), None, facts)
    }

    /// A Service with labels: what objects with labels of a test's choice are.
    fn service(&self, namespace: &str, name: &str, labels: &[(&str, &str)]) -> Arc<Record> {
        let labels: BTreeMap<_, _> =
            labels.iter().map(|(k, v)| (String::from(*k), String::from(*v))).collect();
        let planted = Planted { labels, ..Planted::default() };
        let facts = Facts::Service(Service { of: ServiceOf::Planted(Arc::new(planted)), address: None });
        self.put(Kind::Service, namespace, name, facts)
    }

    fn remove(&self, kind: Kind, namespace: &str, name: &str) {
        let key = Key::new(kind, &Namespace(namespace.into()), name);
        self.kube.simulation.store().remove(&key).expect("the object is there");
    }

    fn version(&self) -> Version {
        self.kube.simulation.store().version()
    }

    fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "")
    }

    fn table(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[(ACCEPT.as_str(), TABLE)], "")
    }

    fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:5002");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request");
        self.runtime.block_on(async {
            let response = self.respond(request).await;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.expect("a body").to_bytes();
            Answer {
                code: parts.status.as_u16(),
                headers: parts.headers,
                text: String::from_utf8(body.into()).expect("text"),
            }
        })
    }
}

/// What `kubectl get` accepts.
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;\
                     g=meta.k8s.io,application/json";
