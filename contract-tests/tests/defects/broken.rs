//! Focus Servers that are broken in one way.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use focus_contract::case::Capability;
use focus_contract::client::admin::Admin;
use focus_contract::client::kube::{Access, NAMESPACE};
use focus_contract::client::rest::{Exchange, PATIENCE, Request, Trust};
use focus_contract::failure::Failure;
use focus_contract::target::{Target, Targets};
use focus_mock::sim::clock::Mode;
use focus_mock::{Config, MockServer};
use serde_json::Value;
use wiremock::ResponseTemplate;

use crate::cluster::{self, Events, Objects};
use crate::port::Says;
use crate::proxy::{self, Proxy};
use crate::raw::{self, Raw};

/// One way of being broken, and who must notice.
#[derive(Debug)]
pub(crate) struct Defect {
    /// What is wrong, in a few words.
    pub(crate) name: &'static str,
    /// The case that must fail.
    pub(crate) case: &'static str,
    /// How it comes about.
    pub(crate) spoil: Spoil,
    /// Part of what the case must say.
    pub(crate) says: &'static str,
}

impl Defect {
    pub(crate) fn area(&self) -> &'static str {
        self.case.split_once('/').map_or(self.case, |(area, _)| area)
    }
}

/// Changes a request on its way to the mock.
pub(crate) type Asked = fn(&mut Request);
/// Changes an answer on its way back; it knows what was asked, and those before it.
pub(crate) type Answered = fn(&mut Exchange, &[Exchange]);
/// What comes out of a stream instead of its nth word.
pub(crate) type Frames = fn(u64, Says) -> Vec<Says>;

/// How a server is broken.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spoil {
    /// On the way there, and on the way back.
    Rest(Asked, Answered),
    /// One answer to everything.
    Always(fn() -> ResponseTemplate),
    /// The answers of a route take so long.
    Late(&'static str, Duration),
    /// The mock itself does this by a rule, on its clock.
    Rule(&'static str),
    /// What the ports of jobs send.
    Frames(Frames),
    /// The ports of jobs answer so many pings of a connection, and then say GOAWAY for a reason.
    Goaway(u32, u8),
    /// The ports of jobs send a frame, and then nothing more.
    Silent,
    /// The ports of jobs serve the streams and nothing else.
    OnlyStreams,
    /// Jobs are answered with a port that does this to whoever connects.
    Ports(Raw),
    /// The server does this to whoever connects.
    Raw(Raw),
    /// The Kubernetes API: on the way there, and on the way back, but for watches.
    Kube(Asked, Answered),
    /// The objects of the cluster.
    Objects(Objects),
    /// The events of its watches.
    Events(Events),
    /// The Kubernetes API does this to whoever connects.
    KubeRaw(Raw),
}

impl Spoil {
    /// A server that is as it should be.
    pub(crate) const NOTHING: Self = Self::Rest(|_| {}, |_, _| {});

    /// Whether somebody never answers.
    pub(crate) fn stalls(self) -> bool {
        match self {
            Self::Raw(raw) | Self::Ports(raw) | Self::KubeRaw(raw) => {
                matches!(raw, Raw::Stall | Raw::StallInside)
            }
            Self::Silent => true,
            Self::Rest(..) | Self::Always(_) | Self::Late(..) | Self::Frames(_) | Self::OnlyStreams => false,
            Self::Rule(_) | Self::Goaway(..) => false,
            // What a watch must tell is waited for, but on this machine it comes at once.
            Self::Events(_) => true,
            Self::Kube(..) | Self::Objects(_) => false,
        }
    }

    /// Whether it is the cluster that is broken.
    pub(crate) fn is_of_cluster(self) -> bool {
        matches!(self, Self::Kube(..) | Self::Objects(_) | Self::Events(_) | Self::KubeRaw(_))
    }
}

/// A server that accepts what it must refuse, or answers another question.
pub(crate) const fn asks(asked: Asked) -> Spoil {
    Spoil::Rest(asked, |_, _| {})
}

/// A server that answers otherwise.
pub(crate) const fn answers(answered: Answered) -> Spoil {
    Spoil::Rest(|_| {}, answered)
}

/// A cluster that answers otherwise.
pub(crate) const fn cluster_answers(answered: Answered) -> Spoil {
    Spoil::Kube(|_| {}, answered)
}

/// Changes a JSON body; what is none stays.
pub(crate) fn change(body: &mut Vec<u8>, change: impl FnOnce(&mut Value)) {
    if let Ok(mut json) = serde_json::from_slice(body) {
        change(&mut json);
        *body = json.to_string().into_bytes();
    }
}

/// What words do of their own accord to an answer or a request.
pub(crate) trait Spoilable {
    /// Whether it is that method on a route that begins so.
    fn is(&self, method: &str, route: &str) -> bool;
    /// The JSON body, changed.
    fn change(&mut self, by: impl FnOnce(&mut Value));
}

impl Spoilable for Request {
    fn is(&self, method: &str, route: &str) -> bool {
        self.method.as_str() == method && self.path.starts_with(route)
    }

    fn change(&mut self, by: impl FnOnce(&mut Value)) {
        if let Some(body) = &mut self.body {
            change(body, by);
        }
    }
}

impl Spoilable for Exchange {
    fn is(&self, method: &str, route: &str) -> bool {
        self.request.is(method, route)
    }

    fn change(&mut self, by: impl FnOnce(&mut Value)) {
        change(&mut self.body, by);
    }
}

/// Another value of a header, or none.
pub(crate) fn header(answer: &mut Exchange, name: &str, value: Option<&str>) {
    answer.headers.retain(|(known, _)| known != name);
    answer.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
}

/// Another body of another kind.
pub(crate) fn body(answer: &mut Exchange, kind: &str, text: &str) {
    header(answer, "content-type", Some(kind));
    answer.body = text.as_bytes().to_vec();
}

/// How many answers before were to that method on such a route, with that status.
pub(crate) fn before(past: &[Exchange], method: &str, route: &str, status: u16) -> usize {
    past.iter().filter(|answer| answer.is(method, route) && answer.status == status).count()
}

/// The mock with somebody before it, for one case.
pub(crate) struct Broken {
    base: String,
    kube: String,
    patience: Duration,
    mock: MockServer,
    _proxy: Option<Proxy>,
}

impl Broken {
    pub(crate) async fn start(spoil: Spoil, patience: Option<Duration>) -> Result<Self, String> {
        let config = Config { clock: Mode::Manual, ..Config::default() };
        let mock = MockServer::start(config).map_err(|error| error.to_string())?;
        let (base, proxy) = match spoil {
            Spoil::Raw(raw) => (format!("http://{}", raw::start(raw, mock.rest().ip())), None),
            // Nobody between: a request that waits on the clock would hold up those behind it.
            Spoil::Rule(rule) => {
                install(&mock, rule).await?;
                (mock.base_url(), None)
            }
            _ => {
                let proxy = proxy::start(&mock, spoil).await?;
                (proxy.base(), Some(proxy))
            }
        };
        let kube = mock.kube_url().ok_or("the mock has no Kubernetes API")?;
        let kube = match spoil {
            Spoil::KubeRaw(raw) => format!("http://{}", raw::start(raw, mock.rest().ip())),
            _ if spoil.is_of_cluster() => cluster::start(kube, spoil).await?,
            _ => kube,
        };
        Ok(Self { base, kube, patience: patience.unwrap_or(PATIENCE), mock, _proxy: proxy })
    }
}

async fn install(mock: &MockServer, rule: &str) -> Result<(), String> {
    let admin = mock.admin().ok_or("the mock has no admin interface")?;
    let admin = Admin::of(&format!("http://{admin}")).map_err(|error| error.to_string())?;
    let rule: Value = serde_json::from_str(rule).map_err(|error| error.to_string())?;
    admin.call(Request::post("/__mock/faults", &rule)).await.map(drop).map_err(|failure| failure.what)
}

struct Address {
    base: String,
    kube: String,
    admin: Option<SocketAddr>,
    patience: Duration,
}

impl Targets for Broken {
    fn name(&self) -> String {
        String::from("a broken server")
    }

    fn capabilities(&self) -> BTreeSet<Capability> {
        Capability::ALL.into()
    }

    fn is_private(&self) -> bool {
        true
    }

    fn next(&self) -> Result<Box<dyn Target>, Failure> {
        let admin = self.mock.admin();
        let (base, kube) = (self.base.clone(), self.kube.clone());
        Ok(Box::new(Address { base, kube, admin, patience: self.patience }))
    }
}

impl Target for Address {
    fn base_url(&self) -> String {
        self.base.clone()
    }

    fn admin_url(&self) -> Option<String> {
        self.admin.map(|admin| format!("http://{admin}"))
    }

    fn grpc_host(&self) -> Option<String> {
        None
    }

    fn kube(&self) -> Option<Access> {
        Access::at(&self.kube, NAMESPACE, None, Trust::Anyone).ok()
    }

    fn patience(&self) -> Duration {
        self.patience
    }
}
