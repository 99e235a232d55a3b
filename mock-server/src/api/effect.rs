//! Faults acted out: the only place that turns what a rule says into bytes that leave, or do not.
//!
//! A fault leaves the answer whole and only changes it, or it takes the connection with it: then what leaves is written
//! below HTTP, and the connection ends with it. Times are those of the simulator's clock.

mod line;
mod paced;
mod running;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Method, Version, response};
use http_body::Body as _;
use rand::Rng;

use super::rejection::{Refused, Rejection};
use super::{kube, status};
use crate::domain::ids::JobId;
use crate::domain::quirk::Quirks;
use crate::sim::Simulation;
use crate::sim::faults::{Effect, Hit, Phase};
use crate::sim::seed::Bits;

pub(crate) use line::{Line, Order};
use paced::Paced;

/// What the transport shall do about a request.
pub(crate) enum Answered {
    /// Send an answer.
    Whole(Response),
    /// Send these bytes and end the connection.
    Raw(Raw),
}

/// Bytes in the place of an answer.
pub(crate) struct Raw {
    /// They leave as they come.
    pub(crate) bytes: BoxStream<'static, Bytes>,
    /// What follows the last of them.
    pub(crate) end: End,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// In order: a FIN.
    Close,
    /// A RST; what the client has not read yet may be lost.
    Reset,
}

/// The request that something happens to.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) simulation: &'a Arc<Simulation>,
    /// The id of the request.
    pub(crate) id: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) version: Version,
    pub(crate) job: Option<JobId>,
    pub(crate) tongue: Tongue,
}

/// Whose words a refusal is said in.
#[derive(Clone, Copy)]
pub(crate) enum Tongue {
    /// The product's, on a server that deviates from the contract like that.
    Product(Quirks),
    /// The cluster's.
    Kubernetes,
}

/// What leaves, and what there is to tell of it.
pub(crate) struct Made {
    pub(crate) answered: Answered,
    /// The status that the client gets, if it gets one.
    pub(crate) status: Option<u16>,
    pub(crate) refused: Option<Refused>,
}

impl Made {
    pub(crate) fn whole(response: Response, refused: Option<Refused>) -> Self {
        let status = Some(response.status().as_u16());
        Self { answered: Answered::Whole(response), status, refused }
    }

    pub(crate) fn refused(rejection: &Rejection, id: &str, quirks: Quirks) -> Self {
        let (response, refused) = rejection.response(id, quirks);
        Self::whole(response, Some(refused))
    }

    /// No headers in full, so no status.
    fn raw(bytes: Bytes, end: End) -> Self {
        let bytes = futures_util::stream::iter((!bytes.is_empty()).then_some(bytes));
        let answered = Answered::Raw(Raw { bytes: Box::pin(bytes), end });
        Self { answered, status: None, refused: None }
    }
}

/// Waits out a delay.
pub(crate) async fn hold_up(
    simulation: &Simulation,
    delay: Option<Duration>,
    what: &'static str,
    job: Option<JobId>,
) {
    if let Some(delay) = delay {
        let clock = simulation.clock();
        clock.sleep_until(clock.now().after(delay), what, job).await;
    }
}

impl Case<'_> {
    /// What comes instead of serving the request; `None` when it is served.
    pub(crate) async fn before(self, hit: Hit) -> Option<Made> {
        self.hold_up(&hit, "fault: before the request is served").await;
        Some(match hit.effect? {
            Effect::Reset => Made::raw(Bytes::new(), End::Reset),
            Effect::Close => Made::raw(Bytes::new(), End::Close),
            Effect::Garbage { bytes } => Made::raw(garbage(bytes, hit.bits), End::Close),
            effect => self.instead(&effect)?,
        })
    }

    /// What leaves in the place of an answer that is about to.
    pub(crate) async fn after(self, phase: Phase, hit: Hit, made: Made) -> Made {
        let Made { answered: Answered::Whole(answer), status, refused } = made else { return made };
        match phase {
            Phase::Before => Made::whole(answer, refused),
            Phase::Headers => self.headers(hit, answer, refused).await,
            // The headers leave in any case.
            Phase::Body => Made { answered: self.body(hit, answer).await, status, refused },
        }
    }

    async fn headers(self, hit: Hit, answer: Response, refused: Option<Refused>) -> Made {
        self.hold_up(&hit, "fault: before the headers").await;
        let Some(effect) = hit.effect else { return Made::whole(answer, refused) };
        if let Some(instead) = self.instead(&effect) {
            return instead;
        }
        match effect {
            Effect::Empty => Made::whole(answer.map(|_| Body::empty()), refused),
            Effect::ContentType(text) => Made::whole(typed(answer, &text), refused),
            Effect::Garbage { bytes } => Made::raw(garbage(bytes, hit.bits), End::Close),
            Effect::Reset => Made::raw(half(&self.in_bytes(answer, 0).await.0), End::Reset),
            Effect::Close => Made::raw(half(&self.in_bytes(answer, 0).await.0), End::Close),
            Effect::ContentLength { off_by } => {
                let status = Some(answer.status().as_u16());
                let (head, body) = self.in_bytes(answer, off_by).await;
                let raw = Made::raw([head, body].concat().into(), End::Close);
                Made { status, refused, ..raw }
            }
            _ => Made::whole(answer, refused),
        }
    }

    async fn body(self, hit: Hit, answer: Response) -> Answered {
        if !is_in_memory(&answer) {
            return running::spoil(self, &hit, answer);
        }
        let cut = match hit.effect {
            Some(Effect::Reset) => Some((None, End::Reset)),
            Some(Effect::Close) => Some((None, End::Close)),
            Some(Effect::Empty) => Some((Some(0), End::Close)),
            Some(Effect::Truncate { bytes }) => Some((Some(bytes as usize), End::Close)),
            _ => None,
        };
        let simulation = Arc::clone(self.simulation);
        if let Some((most, end)) = cut {
            let (head, body) = self.in_bytes(answer, 0).await;
            let leaves = most.unwrap_or(body.len() / 2).min(body.len());
            let rest = Paced::new(simulation, body.slice(..leaves), hit.delay, None, self.job).stream();
            let bytes = futures_util::stream::iter([head]).chain(rest).boxed();
            return Answered::Raw(Raw { bytes, end });
        }
        let (mut parts, body) = whole(answer).await;
        let (body, rate) = match hit.effect {
            Some(Effect::Garbage { bytes }) => {
                let spoilt = (bytes as usize).min(body.len());
                (Bytes::from([&garbage(bytes, hit.bits)[..spoilt], &body[spoilt..]].concat()), None)
            }
            Some(Effect::Drip { bytes_per_second }) => (body, Some(bytes_per_second)),
            _ => (body, None),
        };
        // A body that comes in pieces would otherwise be sent without its length.
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        let paced = Paced::new(simulation, body, hit.delay, rate, self.job);
        Answered::Whole(Response::from_parts(parts, paced.body()))
    }

    /// A refusal or a status that takes the place of an answer.
    fn instead(self, effect: &Effect) -> Option<Made> {
        match effect {
            Effect::Refuse(error) => match self.tongue {
                Tongue::Product(quirks) => {
                    Some(Made::refused(&self.simulation.refusal(*error).into(), self.id, quirks))
                }
                // No rule has that there.
                Tongue::Kubernetes => None,
            },
            Effect::RateLimit { retry_after, .. } => Some(match self.tongue {
                Tongue::Product(quirks) => {
                    Made::refused(&Rejection::TooManyRequests(*retry_after), self.id, quirks)
                }
                Tongue::Kubernetes => {
                    let (response, refused) = kube::too_many_requests(*retry_after);
                    Made::whole(response, Some(refused))
                }
            }),
            Effect::Status { status, body, content_type, retry_after } => {
                let mut response = Response::new(Body::from(body.clone()));
                *response.status_mut() = status::any(*status);
                if !body.is_empty() {
                    response = typed(response, content_type);
                }
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*seconds));
                }
                Some(Made::whole(response, None))
            }
            _ => None,
        }
    }

    /// Waits out the delay of a hit.
    async fn hold_up(self, hit: &Hit, what: &'static str) {
        hold_up(self.simulation, hit.delay, what, self.job).await;
    }

    /// An answer as it would leave, its length wrong by so much: head and body.
    async fn in_bytes(self, answer: Response, off_by: i32) -> (Bytes, Bytes) {
        if !is_in_memory(&answer) {
            return (self.head_of_running(answer, off_by), Bytes::new());
        }
        let (mut parts, body) = whole(answer).await;
        let length = (body.len() as u64).saturating_add_signed(i64::from(off_by));
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        let body = if *self.method == Method::HEAD { Bytes::new() } else { body };
        (head(&parts, self.version), body)
    }
}

/// Whether all of an answer is known already. It is not of a watch, whose body has no end as long as nobody ends it.
fn is_in_memory(answer: &Response) -> bool {
    answer.body().size_hint().exact().is_some()
}

fn half(bytes: &Bytes) -> Bytes {
    bytes.slice(..bytes.len() / 2)
}

fn garbage(bytes: u32, bits: u64) -> Bytes {
    let mut garbage = vec![0; bytes as usize];
    Bits(bits).rng().fill_bytes(&mut garbage);
    garbage.into()
}

fn typed(mut answer: Response, content_type: &str) -> Response {
    // A rule's text may be no header value; then there is no type, which is wrong as well.
    match HeaderValue::from_str(content_type) {
        Ok(value) => drop(answer.headers_mut().insert(CONTENT_TYPE, value)),
        Err(_) => drop(answer.headers_mut().remove(CONTENT_TYPE)),
    }
    answer
}

async fn whole(answer: Response) -> (response::Parts, Bytes) {
    let (parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await;
    (parts, body.expect("bodies of answers are in memory"))
}

/// A status line with headers, as the transport writes them, but without a date.
fn head(parts: &response::Parts, version: Version) -> Bytes {
    let version = if version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" };
    let status = parts.status;
    let reason = status.canonical_reason().unwrap_or("<none>");
    let mut head = format!("{version} {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in &parts.headers {
        line_of(&mut head, name, value);
    }
    head.extend_from_slice(b"\r\n");
    head.into()
}

fn line_of(head: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    head.extend_from_slice(name.as_str().as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value.as_bytes());
    head.extend_from_slice(b"\r\n");
}
