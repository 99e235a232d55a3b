//! The door behind the product: its clock, its state, its reset. On a listener of its own, never on the product's.

mod body;
mod state;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, State};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use http::header::ALLOW;
use jiff::{Span, SpanRelativeTo, SpanTotal, Unit};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::time::Moment;
use crate::sim::Simulation;
use crate::sim::clock::Mode;
use body::{BodyTime, Sent};
use state::{EntryBody, StateBody};

type World = State<Arc<Simulation>>;

/// What the routes share.
#[derive(Clone)]
struct Shared {
    simulation: Arc<Simulation>,
    body_time: BodyTime,
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

/// All routes of the admin listener, for clients that send a body within that time of the wall clock.
pub(crate) fn router(simulation: Arc<Simulation>, body_time: Duration) -> Router {
    let routes = Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/__mock/clock", get(clock).put(set_clock))
        .route("/__mock/clock/advance", post(advance))
        .route("/__mock/state", get(state))
        .route("/__mock/reset", post(reset))
        .fallback(|| async { failure(StatusCode::NOT_FOUND, NO_SUCH_ROUTE) })
        .with_state(Shared { simulation, body_time: BodyTime(body_time) });
    // Around the router and not a layer of it: it names the methods of a path in a header, after all its layers.
    Router::new().fallback_service(routes).layer(map_response(name_the_methods))
}

/// Tells a client that asked with another method which ones the path has.
async fn name_the_methods(response: Response) -> Response {
    let allowed =
        response.headers().get(ALLOW).filter(|_| response.status() == StatusCode::METHOD_NOT_ALLOWED);
    let Some(allowed) = allowed.cloned() else { return response };
    let methods = allowed.to_str().unwrap_or_default().replace(',', ", ");
    let text = format!("the path has no such method: it has {methods}");
    let mut told = failure(StatusCode::METHOD_NOT_ALLOWED, &text);
    told.headers_mut().insert(ALLOW, allowed);
    told
}

const NO_SUCH_ROUTE: &str = "no such route: there are GET /livez, GET /readyz, GET and PUT /__mock/clock, \
                             POST /__mock/clock/advance, GET /__mock/state and POST /__mock/reset";

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
}

fn failure(status: StatusCode, error: &str) -> Response {
    (status, Json(ErrorBody { error })).into_response()
}

/// A body as JSON, whatever its headers call it.
fn parse<T: DeserializeOwned>(body: &[u8], expected: &str) -> Result<T, Box<Response>> {
    serde_json::from_slice(body).map_err(|error| {
        let (status, what) = if error.is_data() {
            (StatusCode::UNPROCESSABLE_ENTITY, "the body is not what is asked for")
        } else {
            (StatusCode::BAD_REQUEST, "the body is not JSON")
        };
        Box::new(failure(status, &format!("{what}: {error}; expected {expected}")))
    })
}

async fn ready(State(simulation): World) -> Response {
    if simulation.is_serving() {
        "ok".into_response()
    } else {
        failure(StatusCode::SERVICE_UNAVAILABLE, "the focus-server workload has no ready pod")
    }
}

#[derive(Serialize)]
struct ClockBody {
    mode: String,
    /// Simulated time, RFC 3339.
    now: String,
    now_ms: i64,
    /// When something will next happen by itself.
    next_due_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fired: Option<Vec<EntryBody>>,
}

fn clock_body(simulation: &Simulation, fired: Option<Vec<EntryBody>>) -> Response {
    let snapshot = simulation.snapshot();
    let next_due_ms = snapshot.next_due.map(|due| due.millis().0);
    Json(ClockBody {
        mode: snapshot.mode.to_string(),
        now: rfc3339(snapshot.now),
        now_ms: snapshot.now.millis().0,
        next_due_ms,
        fired,
    })
    .into_response()
}

fn rfc3339(moment: Moment) -> String {
    jiff::Timestamp::from_millisecond(moment.millis().0)
        .map_or_else(|_| String::new(), |time| time.to_string())
}

async fn clock(State(simulation): World) -> Response {
    clock_body(&simulation, None)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    mode: String,
}

async fn set_clock(State(simulation): World, Sent(body): Sent) -> Response {
    let body: SetClock =
        match parse(&body, r#"{"mode": "system"}, {"mode": "scaled:60"} or {"mode": "manual"}"#) {
            Ok(body) => body,
            Err(failure) => return *failure,
        };
    match body.mode.parse::<Mode>() {
        Ok(mode) => {
            simulation.clock().set_mode(mode);
            clock_body(&simulation, None)
        }
        Err(error) => failure(StatusCode::UNPROCESSABLE_ENTITY, &format!("mode: {error}")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    /// `"50s"`, `"1m 30s"`, or a number of seconds.
    by: Value,
}

/// Furthest single step: each simulated job takes a sample every ten seconds, and the world stands still meanwhile.
const FURTHEST: Duration = Duration::from_secs(31 * 24 * 3600);

impl Advance {
    fn duration(&self) -> Option<Duration> {
        let duration = match &self.by {
            Value::Number(seconds) => Duration::try_from_secs_f64(seconds.as_f64()?).ok()?,
            Value::String(text) => {
                // A day has 24 hours here, as it has in world files.
                let seconds = SpanTotal::from(Unit::Second).relative(SpanRelativeTo::days_are_24_hours());
                Duration::try_from_secs_f64(text.parse::<Span>().ok()?.total(seconds).ok()?).ok()?
            }
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        (duration <= FURTHEST).then_some(duration)
    }
}

async fn advance(State(simulation): World, Sent(body): Sent) -> Response {
    let body: Advance = match parse(&body, r#"{"by": "50s"}"#) {
        Ok(body) => body,
        Err(failure) => return *failure,
    };
    let Some(by) = body.duration() else {
        let text = "by: expected a duration such as \"50s\" or \"1m 30s\", or a number of seconds, from 0 to 31 days";
        return failure(StatusCode::UNPROCESSABLE_ENTITY, text);
    };
    let fired = simulation.advance(by).iter().map(EntryBody::of).collect();
    clock_body(&simulation, Some(fired))
}

async fn state(State(simulation): World) -> Response {
    Json(StateBody::of(&simulation.snapshot())).into_response()
}

async fn reset(State(simulation): World) -> Response {
    simulation.reset();
    Json(StateBody::of(&simulation.snapshot())).into_response()
}
