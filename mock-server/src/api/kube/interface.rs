//! The listener of the API: who may ask, what rules do to an answer, and a record of it.
//!
//! Every answer has an `audit-id`, as a real API server's has: the client's `x-request-id` where it is usable, so that a
//! suite finds its requests in the journal, else one that is made here.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt};
use http::header::{CONTENT_LENGTH, HeaderName};
use http::request::Parts;
use http_body::Body as _;
use http_body_util::BodyExt;

use super::ask::Asked;
use super::failure::Failure;
use super::{Kube, router};
use crate::api::effect::{Answered, Case, Made, Tongue};
use crate::api::rejection::Refused;
use crate::api::rest::{Ends, RequestId, RequestIds, header};
use crate::api::token::Token;
use crate::domain::time::Moment;
use crate::sim::faults::{AnyRoute, Hit, KubeRoute, Phase, Subject};
use crate::sim::journal::{self, FaultHit, Reason, Texts};
use crate::sim::seed::Seed;
use crate::sim::signal::Signal;

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// What a real API server tells whoever asks, with its defaults.
///
/// **Chosen**: probes have no token to send, so a mock that asks for one answers them all the same.
const OPEN: [&str; 4] = ["/healthz", "/livez", "/readyz", "/version"];

/// Largest body, as that of a real API server.
pub(super) const LARGEST_BODY: usize = 3 * 1024 * 1024;

/// The API's listener: its routes and no others.
#[derive(Clone)]
pub(crate) struct Interface(Arc<Shared>);

/// What a listener of the API needs beside the API.
pub(crate) struct Shared {
    pub(crate) kube: Arc<Kube>,
    /// What callers are asked for; everybody is let in without one.
    pub(crate) token: Option<Token>,
    /// How long a client may take to send one, on the wall clock.
    pub(crate) body_time: Duration,
    /// Raised when answers that go on and on shall end.
    pub(crate) closing: Arc<Signal<()>>,
    pub(crate) ids: RequestIds,
}

impl Shared {
    /// What makes ids of requests that are no ids of the product's.
    pub(crate) fn ids(seed: Seed) -> RequestIds {
        RequestIds::of(seed, "kube request")
    }
}

impl Interface {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// Answers one request.
    pub(crate) async fn answer(self, request: http::Request<Body>, ends: Arc<Ends>) -> Answered {
        let shared = &self.0;
        let (parts, body) = request.into_parts();
        let asked = Asked::parse(&parts);
        let request = Request {
            id: RequestId::of(&parts.headers, &shared.ids),
            route: router::route(&asked),
            came: shared.kube.simulation.clock().now(),
            parts,
            ends,
            why: Mutex::default(),
        };
        let telling = Telling { shared, request: &request, open: true };
        if let Some(hit) = shared.judge(&request, Phase::Before)
            && let Some(made) = Box::pin(shared.case(&request).before(hit)).await
        {
            return telling.tell(made, &Bytes::new());
        }
        let mut read = Bytes::new();
        // A panic is a defect of ours, and the client learns that much instead of a broken connection.
        let served = AssertUnwindSafe(shared.serve(&request, asked, body, &mut read)).catch_unwind().await;
        let mut made = match served.unwrap_or(Err(Failure::Internal)) {
            Ok(response) => Made::whole(shared.until_the_end(response), None),
            Err(failure) => {
                let (response, refused) = failure.refuse();
                Made::whole(response, Some(refused))
            }
        };
        for phase in [Phase::Headers, Phase::Body] {
            if let Answered::Whole(response) = &mut made.answered {
                request.identify(response);
                if let Some(hit) = shared.judge(&request, phase) {
                    made = Box::pin(shared.case(&request).after(phase, hit, made)).await;
                }
            }
        }
        telling.tell(made, &read)
    }
}

impl Shared {
    async fn serve(
        &self,
        request: &Request,
        asked: Result<Asked, Failure>,
        body: Body,
        read: &mut Bytes,
    ) -> Result<Response, Failure> {
        let parts = &request.parts;
        let path = parts.uri.path();
        let is_open = OPEN.contains(&path.strip_suffix('/').unwrap_or(path));
        let is_let_in = self.token.as_ref().is_none_or(|token| token.is_in(&parts.headers));
        if !is_open && !is_let_in {
            return Err(Failure::Unauthorized);
        }
        let mut asked = asked?;
        if let Asked::Resource(ask) = &mut asked
            && ask.has_body()
        {
            *read = self.read(parts, body).await?;
            ask.body = read.clone();
        }
        router::act(&self.kube, &asked).await
    }

    /// The body, within the limits of size and time.
    async fn read(&self, parts: &Parts, mut body: Body) -> Result<Bytes, Failure> {
        let limit = LARGEST_BODY;
        let announced = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        if announced.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > limit as u64)
        {
            return Err(Failure::TooLarge(limit));
        }
        let reading = async {
            let mut read = BytesMut::new();
            while let Some(frame) = body.frame().await {
                let broken = |_| Failure::BadRequest(String::from("the body broke off"));
                let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
                if read.len() + data.len() > limit {
                    return Err(Failure::TooLarge(limit));
                }
                read.extend_from_slice(&data);
            }
            Ok(read.freeze())
        };
        let too_slow = |_| Failure::BadRequest(String::from("the body did not come in time"));
        tokio::time::timeout(self.body_time, reading).await.map_err(too_slow)?
    }

    /// An answer that ends when the server does, in order, though it would go on.
    fn until_the_end(&self, answer: Response) -> Response {
        if answer.body().size_hint().exact().is_some() {
            return answer;
        }
        let closing = Arc::clone(&self.closing);
        let end = async move { closing.wait().await };
        answer.map(|body| Body::from_stream(body.into_data_stream().take_until(end.boxed())))
    }

    /// The first rule that does not pass a request.
    fn judge(&self, request: &Request, phase: Phase) -> Option<Hit> {
        let point = AnyRoute::Kube(request.route).at(phase);
        let hit = self.kube.simulation.judge(point, request, Some(request.id.as_str()))?;
        request.why().push(Reason::Rule(FaultHit::of(&hit, None, Some(request.id.as_str()))));
        Some(hit)
    }

    fn case<'a>(&'a self, request: &'a Request) -> Case<'a> {
        Case {
            simulation: &self.kube.simulation,
            id: request.id.as_str(),
            method: &request.parts.method,
            version: request.parts.version,
            job: None,
            tongue: Tongue::Kubernetes,
        }
    }
}

/// One request.
struct Request {
    parts: Parts,
    id: RequestId,
    route: KubeRoute,
    came: Moment,
    ends: Arc<Ends>,
    why: Mutex<Vec<Reason>>,
}

impl Request {
    fn identify(&self, response: &mut Response) {
        response.headers_mut().insert(AUDIT_ID, self.id.value());
    }

    fn path(&self) -> &str {
        self.parts.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str)
    }

    fn why(&self) -> MutexGuard<'_, Vec<Reason>> {
        // Nothing panics while it is held.
        self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subject for Request {
    /// The id that the client gave, else who asks for what: requests that cannot be told apart share their draws, and
    /// each further one is the next occurrence.
    fn resource(&self) -> String {
        let made = || format!("{} {} {}", self.ends.address, self.parts.method, self.path());
        self.id.sent().map_or_else(made, str::to_owned)
    }

    fn method(&self) -> Option<&str> {
        Some(self.parts.method.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        header(&self.parts.headers, name)
    }

    fn header_names(&self, tell: &mut dyn FnMut(&str)) -> bool {
        self.parts.headers.keys().for_each(|name| tell(name.as_str()));
        true
    }

    fn caller(&self) -> Option<Cow<'_, str>> {
        Some(self.ends.address.as_str().into())
    }

    fn request(&self) -> Option<&str> {
        Some(self.id.as_str())
    }
}

/// A request that the journal is to be told of, once: also when it ends without an answer. A watch is told of when it
/// begins.
struct Telling<'a> {
    shared: &'a Shared,
    request: &'a Request,
    open: bool,
}

impl Telling<'_> {
    fn tell(mut self, made: Made, body: &Bytes) -> Answered {
        let Made { mut answered, status, refused } = made;
        if let Answered::Whole(response) = &mut answered {
            self.request.identify(response);
        }
        self.open = false;
        self.write(status, refused.as_ref(), body);
        answered
    }

    fn write(&self, status: Option<u16>, refused: Option<&Refused>, body: &Bytes) {
        let Self { shared, request, .. } = self;
        let (parts, simulation) = (&request.parts, &shared.kube.simulation);
        let texts = Texts {
            id: request.id.as_str(),
            method: parts.method.as_str(),
            path: request.path(),
            caller: &request.ends.caller,
            refusal: refused.map_or("", |refused| &refused.text),
        };
        let headers = || parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let answered = journal::Answered {
            route: request.route.into(),
            body: body.clone(),
            came: request.came,
            status,
            code: refused.map(|refused| refused.code),
            job: None,
            why: std::mem::take(&mut *request.why()),
        };
        tracing::debug!(request_id = texts.id, method = texts.method, path = texts.path, status, "answered");
        simulation.journal().record(simulation.clock().now(), texts, headers, answered);
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if self.open {
            self.write(None, None, &Bytes::new());
        }
    }
}
