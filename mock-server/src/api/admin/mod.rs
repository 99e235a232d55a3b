//! The door behind the product: its clock, its state, what goes wrong on purpose, and what happened. On a listener of its
//! own, never on the product's; one file per topic.

mod answer;
mod body;
mod checks;
mod clock;
mod dependencies;
mod entry;
mod explain;
mod faults;
mod journal;
mod leaks;
mod limits;
mod metrics;
mod ports;
mod quirks;
mod routes;
mod state;
mod time;
mod verify;
mod worlds;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE};

use crate::api::kube::Watches;
use crate::api::token::Token;
use crate::sim::Simulation;
use answer::{Answer, No};
use body::BodyTime;
use metrics::Watching;

type World = State<Arc<Simulation>>;

/// What the routes share.
#[derive(Clone)]
struct Shared {
    simulation: Arc<Simulation>,
    body_time: BodyTime,
    watching: Watching,
}

impl FromRef<Shared> for Arc<Simulation> {
    fn from_ref(shared: &Shared) -> Self {
        Arc::clone(&shared.simulation)
    }
}

impl FromRef<Shared> for BodyTime {
    fn from_ref(shared: &Shared) -> Self {
        shared.body_time
    }
}

/// All routes of the admin listener, for clients that send a body within that time of the wall clock, and the token if
/// there is one. The watches of the Kubernetes API are seen by nobody else.
pub(crate) fn router(
    simulation: Arc<Simulation>,
    watches: Arc<Watches>,
    body_time: Duration,
    token: Option<Token>,
) -> Router {
    let routes = routes::router()
        .fallback(|| async { No::unknown(format!("no such route: there are {}", routes::names())) })
        .with_state(Shared { simulation, body_time: BodyTime(body_time), watching: Watching(watches) });
    // Around the router and not layers of it: it names the methods of a path in a header, after all its layers; and
    // whoever has no token shall not learn either which routes there are.
    Router::new()
        .fallback_service(routes)
        .layer(map_response(name_the_methods))
        .layer(from_fn_with_state(token, guard))
}

/// Lets nobody pass who does not have the token.
async fn guard(State(token): State<Option<Token>>, request: Request, next: Next) -> Response {
    let may_pass = token.is_none_or(|token| token.is_in(request.headers()));
    if may_pass { next.run(request).await } else { No::unauthorized().into_response() }
}

/// Tells a client that asked with another method which ones the path has.
async fn name_the_methods(response: Response) -> Response {
    // Only the router itself answers with that header.
    let Some(allowed) = response.headers().get(ALLOW).cloned() else { return response };
    let methods = allowed.to_str().unwrap_or_default().replace(',', ", ");
    let mut told = No::method(format!("the path has no such method: it has {methods}")).into_response();
    told.headers_mut().insert(ALLOW, allowed);
    told
}

async fn live() -> &'static str {
    "ok"
}

async fn ready(State(simulation): World) -> Result<&'static str, No> {
    let serving = simulation.is_serving();
    serving.then_some("ok").ok_or_else(|| No::unavailable("the focus-server workload has no ready pod"))
}

async fn openapi() -> Answer {
    Ok(([(CONTENT_TYPE, "application/json")], focus_proto::ADMIN_OPENAPI_JSON).into_response())
}
