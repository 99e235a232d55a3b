//! Somebody between the suite and the mock's REST interface.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};

use focus_contract::client::rest::{Exchange, Request, Rest};
use serde_json::Value;
use tokio::runtime::Handle;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Respond, ResponseTemplate};

use crate::broken::Spoil;
use crate::{goaway, port, raw};

/// A running one.
pub(crate) struct Proxy(MockServer);

impl Proxy {
    pub(crate) fn base(&self) -> String {
        self.0.uri()
    }
}

/// Starts one that asks a mock, and spoils what it is told to.
pub(crate) async fn start(mock: &focus_mock::MockServer, spoil: Spoil) -> Result<Proxy, String> {
    if let Spoil::Always(answer) = spoil {
        return serving(move |_: &wiremock::Request| answer()).await;
    }
    let rest = Rest::of(&mock.base_url()).map_err(|error| error.to_string())?;
    let host = mock.rest().ip();
    serving(Forward {
        rest,
        host,
        spoil,
        past: Arc::default(),
        ports: Arc::default(),
        runtime: Handle::current(),
    })
    .await
}

async fn serving(respond: impl Respond + 'static) -> Result<Proxy, String> {
    let server = MockServer::builder().disable_request_recording().start().await;
    Mock::given(any()).respond_with(respond).mount(&server).await;
    Ok(Proxy(server))
}

#[derive(Clone)]
struct Forward {
    rest: Rest,
    /// Where the ports of jobs are.
    host: IpAddr,
    spoil: Spoil,
    past: Arc<Mutex<Vec<Exchange>>>,
    /// Which port stands for that of a job.
    ports: Arc<Mutex<BTreeMap<u16, u16>>>,
    runtime: Handle,
}

/// What belongs to a connection, and to nobody behind it.
const HOP: [&str; 4] = ["content-length", "transfer-encoding", "host", "date"];

impl Respond for Forward {
    fn respond(&self, request: &wiremock::Request) -> ResponseTemplate {
        let headers = request.headers.iter().filter(|(name, _)| !HOP.contains(&name.as_str()));
        let headers = headers.map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let query = request.url.query().map_or_else(String::new, |query| format!("?{query}"));
        let asked = Request {
            method: request.method.clone(),
            path: format!("{}{query}", request.url.path()),
            headers: headers.collect(),
            body: Some(request.body.clone()).filter(|body| !body.is_empty()),
        };
        // wiremock's own thread may block, and its runtime may not be entered twice.
        let (tell, told) = sync_channel(1);
        let forward = self.clone();
        self.runtime.spawn(async move {
            let _ = tell.send(forward.answer(asked).await);
        });
        told.recv().ok().and_then(Result::ok).unwrap_or_else(|| ResponseTemplate::new(599))
    }
}

impl Forward {
    async fn answer(&self, asked: Request) -> Result<ResponseTemplate, String> {
        let mut sent = asked.clone();
        if let Spoil::Rest(ask, _) = self.spoil {
            ask(&mut sent);
        }
        let answer = self.rest.send(sent).await.map_err(|error| error.to_string())?;
        let mut answer = Exchange { request: asked, ..Exchange::clone(&answer) };
        match self.spoil {
            Spoil::Rest(_, spoil) => {
                let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
                spoil(&mut answer, &past);
                past.push(answer.clone());
            }
            Spoil::Frames(frames) => self.other_port(&mut answer, |job| port::start(job, frames))?,
            Spoil::Silent => self.other_port(&mut answer, |job| port::start(job, port::SILENT))?,
            Spoil::OnlyStreams => self.other_port(&mut answer, |job| port::start(job, port::UNSPOILT))?,
            Spoil::Goaway(pings, reason) => {
                self.other_port(&mut answer, |job| goaway::start(job, pings, reason))?;
            }
            Spoil::Ports(raw) => self.other_port(&mut answer, |job| Ok(raw::start(raw, job.ip())))?,
            Spoil::Late(..) | Spoil::Always(_) | Spoil::Raw(_) | Spoil::Rule(_) => {}
            Spoil::Kube(..) | Spoil::Objects(_) | Spoil::Events(_) | Spoil::KubeRaw(_) => {}
        }
        let mut template = ResponseTemplate::new(answer.status);
        for (name, value) in answer.headers.iter().filter(|(name, _)| !HOP.contains(&name.as_str())) {
            template = template.append_header(name.as_str(), value.as_str());
        }
        template = template.set_body_bytes(answer.body.clone());
        Ok(match self.spoil {
            Spoil::Late(route, delay) if answer.route() == route => template.set_delay(delay),
            _ => template,
        })
    }

    /// Puts another port into the answer to a configuration, and into everything that repeats it.
    fn other_port(
        &self,
        answer: &mut Exchange,
        start: impl FnOnce(SocketAddr) -> Result<SocketAddr, String>,
    ) -> Result<(), String> {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let Some(real) = body["stream_port"].as_u64().and_then(|port| u16::try_from(port).ok()) else {
            return Ok(());
        };
        let mut ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        let other = match ports.get(&real) {
            Some(port) => *port,
            None => start((self.host, real).into())?.port(),
        };
        ports.insert(real, other);
        let named = |port: u16| format!("\"stream_port\":{port}");
        answer.body = answer.text().replace(&named(real), &named(other)).into_bytes();
        Ok(())
    }
}
