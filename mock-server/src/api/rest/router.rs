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
use super::quirky;
use super::request_id::X_REQUEST_ID;
use super::routes::{Handler, PREFIX, Row, table};
use crate::api::effect::{Answered, Made};
use crate::api::rejection::{Refused, Rejection};
use crate::domain::quirk::{Quirk, Quirks};
use crate::domain::refusal::Refusal;
use crate::sim::faults::{Hit, Phase, Point, Route};
use crate::sim::journal::{self, FaultHit, Reason, Texts};

/// The product's listener: its routes and no others.
#[derive(Clone)]
pub(crate) struct Product {
    app: Arc<App>,
    paths: Arc<matchit::Router<Methods>>,
}

/// The methods of one path. They are matched here: a library would answer HEAD with GET's route, and name it in `allow`.
type Methods = Vec<Served>;

/// One of them.
#[derive(Clone)]
struct Served {
    method: Method,
    route: Route,
    handler: Handler,
    missing_with: Option<Quirk>,
}

/// What a path and a method come to.
struct Found<'a> {
    /// The methods of the path, if there is such a path.
    methods: Option<&'a Methods>,
    /// The one that was asked for.
    served: Option<&'a Served>,
}

impl Product {
    pub(crate) fn new(app: Arc<App>) -> Self {
        let mut routes: BTreeMap<&'static str, Methods> = BTreeMap::new();
        for Row { route, method, path, handler, missing_with } in table() {
            routes.entry(path).or_default().push(Served { method, route, handler, missing_with });
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
        let found = self.find(&parts);
        let route = found.served.map_or(Route::Unrouted, |served| served.route);
        let ask = Arc::new(Asked::new(parts, route, app, ends));
        let telling = Telling { app, ask: &ask, open: true };
        let mut body = Some(body);
        let faults = app.simulation.faults();
        if faults.stands_at(Point::Rest(route, Phase::Before)) || faults.asks_bodies_of(route) {
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
            Err(rejection) => {
                let reasons = quirky::of_rejection(&rejection, ask.quirks());
                reasons.into_iter().for_each(|reason| ask.because(reason));
                Made::refused(&rejection, ask.id.as_str(), ask.quirks())
            }
        };
        let stands = |phase| faults.stands_at(Point::Rest(route, phase));
        if stands(Phase::Headers) || stands(Phase::Body) {
            made = Box::pin(spoil(app, &ask, made)).await;
        }
        telling.tell(made)
    }

    fn find(&self, parts: &Parts) -> Found<'_> {
        let methods = self.paths.at(parts.uri.path()).ok().map(|found| found.value);
        let served = methods.and_then(|methods| methods.iter().find(|served| served.method == parts.method));
        Found { methods, served }
    }

    /// Answers a request as the contract says; its body was read already where it is `None`.
    async fn serve(&self, found: Found<'_>, ask: &Ask, body: Option<Body>) -> Result<Response, Rejection> {
        let reception = self.app.simulation.reception();
        ask.met(reception.quirks);
        if !reception.serving {
            return Err(Refusal::ServerDown.into());
        }
        let handler = found.handler(reception.quirks)?;
        if let Some(body) = body
            && ask.route.has_body()
        {
            // Boxed, as everything else that few requests need: the rest shall stay small.
            Box::pin(ask.read(body, &self.app)).await;
        }
        handler(Arc::clone(&self.app), Arc::clone(ask)).await
    }
}

impl Found<'_> {
    /// What answers on a server with these quirks.
    fn handler(&self, quirks: Quirks) -> Result<Handler, Rejection> {
        let methods = self.methods.ok_or(Rejection::NotFound)?;
        // A path of which no method was ever written does not exist, whatever is asked of it.
        let is_missing = |method: &Served| method.missing_with.is_some_and(|quirk| quirks.has(quirk));
        if methods.iter().all(is_missing) {
            return Err(Rejection::RouteMissing);
        }
        self.served.map(|served| served.handler).ok_or_else(|| {
            let allowed: Vec<_> = methods.iter().map(|served| served.method.as_str()).collect();
            Rejection::MethodNotAllowed(allowed.join(", "))
        })
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
            route: ask.route.into(),
            body: ask.body(),
            came: ask.came,
            status,
            code: refused.map(|refused| refused.code),
            job: ask.facts.job(ask),
            why: ask.reasons(),
        };
        tracing::debug!(request_id = texts.id, method = texts.method, path = texts.path, status, "answered");
        app.simulation.journal().record(app.simulation.clock().now(), texts, headers, answered);
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if self.open {
            self.write(None, None);
        }
    }
}
