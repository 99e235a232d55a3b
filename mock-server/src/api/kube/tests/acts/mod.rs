//! Watches, writes and logs in one process: a store that is filled by hand, in a namespace of its own, a simulated clock
//! that stands, and a wall clock that goes on only when everybody waits.

mod logs;
mod patches;
mod protobuf;
mod services;
mod watches;
mod writes;

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde_json::Value;

use crate::api::kube::ask::{Ask, Form, Query, Sub};
use crate::api::kube::failure::Failure;
use crate::api::kube::resource::Resource;
use crate::api::kube::{Kube, Watches};
use crate::domain::check::{ConfigureDraft, Given, RangeDraft, ViewNumber, WindowDraft};
use crate::domain::ids::NodePort;
use crate::domain::job::Terms;
use crate::domain::time::{EpochSeconds, Moment};
use crate::sim::Simulation;
use crate::sim::clock::{Clock, Mode};
use crate::sim::cluster::facts::{
    Deleting, Facts, Key, Kind, Namespace, Planted, Record, Scale, Service, ServiceOf,
};
use crate::sim::cluster::workloads::Workload;
use crate::sim::port::{Door, HoldError, Ports};
use crate::sim::seed::Seed;
use crate::sim::setup::Setup;

const START: i64 = 1_764_946_703;
/// A namespace that the product does not know.
const HERE: &str = "test";

/// A machine whose every port is free and leads nowhere.
struct Nowhere;

impl Ports for Nowhere {
    fn hold(&self, _port: NodePort) -> Result<Box<dyn Door>, HoldError> {
        Ok(Box::new(Self))
    }
}

impl Door for Nowhere {
    fn listen(&mut self) -> Result<(), HoldError> {
        Ok(())
    }

    fn serve(&mut self, _job: &Arc<Terms>) {}

    fn shut(&mut self) {}

    fn let_read_on(&mut self) {}
}

struct Rig {
    kube: Arc<Kube>,
}

impl Rig {
    fn new() -> Self {
        Self::with(Setup::default().history, 2_000)
    }

    fn with(history: usize, watches: usize) -> Self {
        let setup = Setup { history, ..Setup::default() };
        let clock = Clock::start(Mode::Manual, Some(at(0)));
        let simulation = Arc::new(Simulation::new(setup, Seed::default(), clock, Arc::new(Nowhere)));
        let kube = Kube {
            simulation,
            node_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            watches: Arc::new(Watches::new(watches)),
        };
        Self { kube: Arc::new(kube) }
    }

    fn put_as(&self, key: Key, deleting: Option<Deleting>, facts: Facts) -> Arc<Record> {
        let store = self.kube.simulation.store();
        let record = store.put(key, at(0), deleting, facts);
        store.told().tell();
        record
    }

    fn put(&self, key: Key, facts: Facts) -> Arc<Record> {
        self.put_as(key, None, facts)
    }

    /// A Service with one label, `team`.
    fn service(&self, name: &str, team: &str) -> Arc<Record> {
        self.put(service_key(name), service(team))
    }

    fn remove(&self, name: &str) -> Arc<Record> {
        let store = self.kube.simulation.store();
        let record = store.remove(&service_key(name)).expect("it is there");
        store.told().tell();
        record
    }

    fn deployment(&self, name: &str) -> Arc<Record> {
        let key = Key::new(Kind::Deployment, &Namespace(HERE.into()), name);
        self.put(key, Facts::Deployment(scale_of(Workload::MongoDb)))
    }

    fn terms(&self) -> Arc<Terms> {
        let range = |min, max| Given::Value(RangeDraft { min: Given::Value(min), max: Given::Value(max) });
        let draft = ConfigureDraft {
            view: Given::Value(ViewNumber::MultiChannel),
            channels: range(1, 3),
            display: Given::Value(Given::Value(100)),
            duration: Given::Value(10),
            nfft: Given::Value(128),
            frequencies: range(0, 500),
            window: WindowDraft::default(),
            view_is_number: false,
        };
        self.kube.simulation.configure(&draft, "localhost".into()).expect("nothing speaks against it")
    }
}

fn at(seconds: i64) -> Moment {
    Moment::from_seconds(EpochSeconds(START + seconds))
}

fn service_key(name: &str) -> Key {
    Key::new(Kind::Service, &Namespace(HERE.into()), name)
}

fn service(team: &str) -> Facts {
    let labels = [("team".to_owned(), team.to_owned())].into();
    let planted = Planted { labels, ..Planted::default() };
    Facts::Service(Service { of: ServiceOf::Planted(Arc::new(planted)), address: None })
}

fn scale_of(workload: Workload) -> Scale {
    Scale {
        workload,
        owner: None,
        replicas: 1,
        generation: 1,
        revision: 1,
        annotations: Arc::default(),
        pods: 1,
        ready: 1,
        updated: 1,
        changed: at(0),
    }
}

fn ask(resource: &'static Resource) -> Ask {
    Ask {
        method: http::Method::GET,
        resource,
        namespace: Some(HERE.into()),
        name: None,
        sub: None,
        query: Query::default(),
        form: Form::Object,
        content_type: String::new(),
        body: Bytes::new(),
    }
}

fn ask_of(resource: &'static Resource, name: &str, body: impl Into<Bytes>) -> Ask {
    Ask { name: Some(name.into()), body: body.into(), ..ask(resource) }
}

fn scale_ask(name: &str, content_type: &str, body: &'static str) -> Ask {
    let sub = Some(Sub::Scale);
    Ask { sub, content_type: content_type.into(), ..ask_of(Resource::of(Kind::Deployment), name, body) }
}

/// Code and message of a failure.
fn told(failure: &Failure) -> (i32, String) {
    let status = failure.status();
    (status.code.unwrap_or_default(), status.message.unwrap_or_default())
}

/// A body that is read line by line, as the pieces come.
struct Reader {
    pieces: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
}

impl Reader {
    fn of(response: Response) -> Self {
        let pieces = response.into_body().into_data_stream().map(|piece| piece.expect("no piece breaks"));
        Self { pieces: Box::pin(pieces) }
    }

    async fn piece(&mut self) -> Option<Bytes> {
        let limit = Duration::from_secs(7200);
        tokio::time::timeout(limit, self.pieces.next()).await.expect("something comes in time")
    }

    /// The objects of the next piece.
    async fn lines(&mut self) -> Vec<Value> {
        lines(&self.piece().await.expect("it is not over"))
    }

    /// The next piece in short: what happened to whom, and the version.
    async fn events(&mut self) -> Vec<(String, String, u64)> {
        self.lines().await.iter().map(event).collect()
    }
}

fn lines(piece: &[u8]) -> Vec<Value> {
    assert!(piece.ends_with(b"\n"), "whole lines");
    let lines = piece[..piece.len() - 1].split(|byte| *byte == b'\n');
    lines.map(|line| serde_json::from_slice(line).expect("a line is an object")).collect()
}

fn event(line: &Value) -> (String, String, u64) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &line["object"]["metadata"];
    let version = text(&metadata["resourceVersion"]).parse().unwrap_or_default();
    (text(&line["type"]), text(&metadata["name"]), version)
}

fn is(what: &str, record: &Record) -> (String, String, u64) {
    (what.to_owned(), record.key.name.to_string(), record.version.0)
}

async fn whole(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body in memory");
    (status, serde_json::from_slice(&body).expect("JSON"))
}

async fn answer(answer: Result<Response, Failure>) -> (u16, Value) {
    whole(answer.unwrap_or_else(IntoResponse::into_response)).await
}
