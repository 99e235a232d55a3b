//! From the table of routes to a service: paths bare and prefixed, exact methods, request ids, one error body.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use futures_util::FutureExt;
use http::Method;

use super::App;
use super::ask::{Ask, LocalAddr};
use super::request_id::{RequestId, X_REQUEST_ID};
use super::routes::{Handler, PREFIX, Route, table};
use crate::api::rejection::Rejection;
use crate::domain::quirk::{Quirk, Quirks};
use crate::domain::refusal::Refusal;

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
    handler: Handler,
    missing_with: Option<Quirk>,
}

impl Product {
    pub(crate) fn new(app: Arc<App>) -> Self {
        let mut routes: BTreeMap<&'static str, Methods> = BTreeMap::new();
        for route in table() {
            let Route { method, path, handler, missing_with } = route;
            routes.entry(path).or_default().push(Served { method, handler, missing_with });
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
    pub(crate) async fn answer(self, request: Request, local: LocalAddr) -> Response {
        let id = RequestId::of(&request, &self.app.request_ids);
        let (method, uri) = (request.method().clone(), request.uri().clone());
        // A panic is a defect of ours, and the client learns that much instead of a broken connection.
        let mut quirks = Quirks::NONE;
        let served = AssertUnwindSafe(self.serve(request, local, &mut quirks)).catch_unwind().await;
        let mut response = served.unwrap_or(Err(Rejection::Internal)).unwrap_or_else(|rejection| {
            tracing::debug!(request_id = id.as_str(), code = rejection.row().code, "refused");
            rejection.response(id.as_str(), quirks)
        });
        let (path, status) = (uri.path(), response.status().as_u16());
        tracing::debug!(request_id = id.as_str(), %method, path, status, "answered");
        response.headers_mut().insert(X_REQUEST_ID, id.into_value());
        response
    }

    /// Serves a request; `quirks` become those that the server had when it came in.
    async fn serve(
        &self,
        request: Request,
        local: LocalAddr,
        quirks: &mut Quirks,
    ) -> Result<Response, Rejection> {
        let reception = self.app.simulation.reception();
        *quirks = reception.quirks;
        if !reception.serving {
            return Err(Refusal::ServerDown.into());
        }
        let methods = self.paths.at(request.uri().path()).map_err(|_| Rejection::NotFound)?.value;
        // A path of which no method was ever written does not exist, whatever is asked of it.
        let is_missing =
            |method: &Served| method.missing_with.is_some_and(|quirk| reception.quirks.has(quirk));
        if methods.iter().all(is_missing) {
            return Err(Rejection::RouteMissing);
        }
        match methods.iter().find(|served| served.method == request.method()) {
            Some(served) => {
                let ask = Ask::new(request, local, self.app.body_time, reception.quirks);
                (served.handler)(Arc::clone(&self.app), ask).await
            }
            None => {
                let allowed: Vec<_> = methods.iter().map(|served| served.method.as_str()).collect();
                Err(Rejection::MethodNotAllowed(allowed.join(", ")))
            }
        }
    }
}
