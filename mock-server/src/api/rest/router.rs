//! From the table of routes to a service: paths bare and prefixed, exact methods, request ids, one error body; what
//! rules do to an answer, and a record of it.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures_util::FutureExt;
use http::Method;
use http::request::Parts;
use http::uri::PathAndQuery;

use super::App;
use super::ask::{Ask, Asked, Ends};
use super::request_id::X_REQUEST_ID;
use super::routes::{Handler, PREFIX, Row, table};
use crate::api::effect::{Answered, Made};
use crate::api::rejection::{Refused, Rejection};
use crate::domain::refusal::Refusal;
use crate::sim::faults::{Hit, Phase, Point, Route};
use crate::sim::journal::{self, FaultHit, Happening, Reason, RequestRecord, Texts};

/// The product's listener: its routes and no others.
#[derive(Clone)]
pub(crate) struct Product {
    app: Arc<App>,
    paths: Arc<matchit::Router<Methods>>,
}

/// The methods of one path. They are matched here: a library would answer HEAD with GET's route, and name it in `allow`.
type Methods = Vec<(Method, Route, Handler)>;

/// A route's handler, or what there is instead.
type Found = Result<Handler, Rejection>;

impl Product {
    pub(crate) fn new(app: Arc<App>) -> Self {
        let mut routes: BTreeMap<&'static str, Methods> = BTreeMap::new();
        for Row { route, method, path, handler } in table() {
            routes.entry(path).or_default().push((method, route, handler));
        }
        let mut paths = matchit::Router::new();
        for (path, methods) in routes {
            for path in [path.to_owned(), format!("{PREFIX}{path}")] {
                paths.insert(path, methods.clone()).expect("no two paths of the table match the same");
            }
        }
        Self { app, paths: Arc::new(paths) }
    }

    /// Answers one request; every answer has an id, every "no" the one error body.
    pub(crate) async fn answer(self, request: Request, ends: Arc<Ends>) -> Answered {
        let app = &self.app;
        let (parts, body) = request.into_parts();
        let (route, found) = self.find(&parts);
        let ask = Arc::new(Asked::new(parts, route, app, ends));
        let telling = Telling { app, ask: &ask, open: true };
        let mut body = Some(body);
        let faults = app.simulation.faults();
        if faults.any_at(route) {
            if faults.asks_bodies_of(route)
                && let Some(body) = body.take()
            {
                Box::pin(ask.read(body, app)).await;
            }
            if let Some(hit) = judge(app, &ask, Phase::Before)
                && let Some(made) = Box::pin(ask.case(app).before(hit)).await
            {
                return telling.tell(made);
            }
        }
        // A panic is a defect of ours, and the client learns that much instead of a broken connection.
        let served = AssertUnwindSafe(self.serve(found, &ask, body)).catch_unwind().await;
        let mut made = match served.unwrap_or(Err(Rejection::Internal)) {
            Ok(response) => Made::whole(response, None),
            Err(rejection) => Made::refused(&rejection, ask.id.as_str()),
        };
        if faults.any_at(route) {
            made = Box::pin(spoil(app, &ask, made)).await;
        }
        telling.tell(made)
    }

    fn find(&self, parts: &Parts) -> (Route, Found) {
        let Ok(methods) = self.paths.at(parts.uri.path()) else {
            return (Route::Unrouted, Err(Rejection::NotFound));
        };
        match methods.value.iter().find(|(method, ..)| *method == parts.method) {
            Some((_, route, handler)) => (*route, Ok(*handler)),
            None => {
                let allowed: Vec<_> = methods.value.iter().map(|(method, ..)| method.as_str()).collect();
                (Route::Unrouted, Err(Rejection::MethodNotAllowed(allowed.join(", "))))
            }
        }
    }

    /// Answers a request as the contract says; its body was read already where it is `None`.
    async fn serve(&self, found: Found, ask: &Ask, body: Option<Body>) -> Result<Response, Rejection> {
        if !self.app.simulation.is_serving() {
            return Err(Refusal::ServerDown.into());
        }
        let handler = found?;
        if let Some(body) = body
            && ask.route.has_body()
        {
            // Boxed, as everything else that few requests need: the rest shall stay small.
            Box::pin(ask.read(body, &self.app)).await;
        }
        handler(Arc::clone(&self.app), Arc::clone(ask)).await
    }
}

/// The first rule that does not pass a request.
fn judge(app: &App, ask: &Asked, phase: Phase) -> Option<Hit> {
    let hit = app.simulation.judge(Point::Rest(ask.route, phase), ask, Some(ask.id.as_str()))?;
    let told = FaultHit::of(&hit, ask.facts.job(ask), Some(ask.id.as_str()));
    ask.because(Reason::Rule(told));
    Some(hit)
}

/// What rules make of an answer to a request that was served.
async fn spoil(app: &App, ask: &Asked, mut made: Made) -> Made {
    for phase in [Phase::Headers, Phase::Body] {
        if let Answered::Whole(response) = &mut made.answered {
            identify(response, ask);
            if let Some(hit) = judge(app, ask, phase) {
                made = ask.case(app).after(phase, hit, made).await;
            }
        }
    }
    made
}

fn identify(response: &mut Response, ask: &Asked) {
    response.headers_mut().insert(X_REQUEST_ID, ask.id.value());
}

/// A request that the journal is to be told of, once: also when it ends without an answer, because its client or this
/// server goes away meanwhile.
struct Telling<'a> {
    app: &'a App,
    ask: &'a Asked,
    open: bool,
}

impl Telling<'_> {
    /// The answer, with its id; the journal knows it then.
    fn tell(mut self, made: Made) -> Answered {
        let Made { mut answered, status, refused } = made;
        if let Answered::Whole(response) = &mut answered {
            identify(response, self.ask);
        }
        self.open = false;
        self.write(status, refused.as_ref());
        answered
    }

    fn write(&self, status: Option<u16>, refused: Option<&Refused>) {
        let Self { app, ask, .. } = self;
        let parts = &ask.parts;
        let texts = Texts {
            id: ask.id.as_str(),
            method: parts.method.as_str(),
            path: parts.uri.path_and_query().map_or("", PathAndQuery::as_str),
            caller: &ask.ends.caller,
            refusal: refused.map_or("", |refused| &refused.text),
        };
        let headers = || parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let answered = journal::Answered {
            route: ask.route,
            body: ask.body(),
            came: ask.came,
            status,
            code: refused.map(|refused| refused.code),
            job: ask.facts.job(ask),
            why: ask.reasons(),
        };
        tracing::debug!(request_id = texts.id, method = texts.method, path = texts.path, status, "answered");
        let journal = app.simulation.journal();
        let record = RequestRecord::new(texts, headers, answered, journal.limits());
        journal.write(app.simulation.clock().now(), Happening::Request(Box::new(record)));
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if self.open {
            self.write(None, None);
        }
    }
}
