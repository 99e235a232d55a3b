//! From the table of routes to a service: paths bare and prefixed, exact methods, request ids, one error body.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use futures_util::FutureExt;
use http::header::HeaderName;
use http::{HeaderValue, Method};
use tower::ServiceExt;

use super::App;
use super::ask::{Ask, LocalAddr};
use super::request_id::RequestId;
use super::routes::{Handler, PREFIX, Route, table};
use crate::api::rejection::Rejection;
use crate::domain::refusal::Refusal;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The product's listener: its routes and no others.
#[derive(Clone)]
pub(crate) struct Product {
    app: Arc<App>,
    router: Router,
}

/// What a route leaves for the last step, which knows the request id.
#[derive(Clone)]
struct Rejected(Rejection);

impl Product {
    pub(crate) fn new(app: Arc<App>) -> Self {
        let mut paths: BTreeMap<&'static str, Vec<Route>> = BTreeMap::new();
        for route in table() {
            paths.entry(route.path).or_default().push(route);
        }
        let mut router = Router::new();
        for (path, routes) in paths {
            // Methods are matched here: a library would answer HEAD with GET's route, and name it in `allow`.
            let methods: Arc<[(Method, Handler)]> =
                routes.into_iter().map(|route| (route.method, route.handler)).collect();
            for path in [path.to_owned(), format!("{PREFIX}{path}")] {
                let (app, methods) = (Arc::clone(&app), Arc::clone(&methods));
                let handler =
                    move |request: Request| dispatch(Arc::clone(&app), Arc::clone(&methods), request);
                router = router.route(&path, any(handler));
            }
        }
        Self { app, router: router.fallback(|| async { rejected(Rejection::NotFound) }) }
    }

    /// Answers one request; every answer has an id, every "no" the one error body.
    pub(crate) async fn answer(self, mut request: Request, local: LocalAddr) -> Response {
        let id = RequestId::of(&request, &self.app.request_ids);
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        request.extensions_mut().insert(local);
        let answered = if self.app.simulation.is_serving() {
            // A panic is a defect of ours, and the client learns that much instead of a broken connection.
            AssertUnwindSafe(self.router.oneshot(request)).catch_unwind().await
        } else {
            Ok(Ok(rejected(Rejection::Refused(Refusal::ServerDown))))
        };
        let mut response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_panic) => rejected(Rejection::Internal),
        };
        if let Some(Rejected(rejection)) = response.extensions_mut().remove() {
            response = rejection.response(id.as_str());
            tracing::debug!(request_id = id.as_str(), code = rejection.row().code, "refused");
        }
        tracing::debug!(request_id = id.as_str(), %method, path, status = response.status().as_u16(), "answered");
        response.headers_mut().extend(HeaderValue::from_str(id.as_str()).ok().map(|id| (X_REQUEST_ID, id)));
        response
    }
}

async fn dispatch(app: Arc<App>, methods: Arc<[(Method, Handler)]>, request: Request) -> Response {
    match methods.iter().find(|(method, _)| method == request.method()) {
        Some((_, handler)) => {
            let ask = Ask::new(request, app.body_time);
            handler(app, ask).await.unwrap_or_else(rejected)
        }
        None => {
            let allowed: Vec<_> = methods.iter().map(|(method, _)| method.as_str()).collect();
            rejected(Rejection::MethodNotAllowed(allowed.join(", ")))
        }
    }
}

fn rejected(rejection: Rejection) -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(Rejected(rejection));
    response
}
