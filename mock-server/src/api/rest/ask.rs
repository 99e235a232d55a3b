//! One request, as everybody who deals with it sees it: its headers, the id in its path, its body as JSON, the addresses
//! it went between, and what there is to tell of it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HOST};
use http::request::Parts;
use http_body_util::BodyExt;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::App;
use super::request_id::RequestId;
use crate::api::effect::{Case, Tongue};
use crate::api::rejection::{Rejection, not_an_object};
use crate::domain::ids::JobId;
use crate::domain::quirk::Quirks;
use crate::domain::time::Moment;
use crate::sim::faults::Route;
use crate::sim::journal::Reason;

/// The addresses that a connection is between.
pub(crate) struct Ends {
    /// Where it came in.
    local: SocketAddr,
    pub(super) peer: SocketAddr,
    /// The same as text: every request of the connection is recorded with it.
    pub(crate) caller: String,
    /// The peer's address alone, as rules see it.
    pub(crate) address: String,
}

impl Ends {
    pub(crate) fn new(local: SocketAddr, peer: SocketAddr) -> Arc<Self> {
        let address = peer.ip().to_canonical().to_string();
        Arc::new(Self { local, peer, caller: peer.to_string(), address })
    }
}

/// A request that several hold.
pub(super) type Ask = Arc<Asked>;

/// A request.
pub(super) struct Asked {
    pub(super) parts: Parts,
    pub(super) id: RequestId,
    pub(super) route: Route,
    pub(super) came: Moment,
    pub(super) ends: Arc<Ends>,
    body: OnceLock<Sent>,
    /// What a rule wants to know of it.
    pub(super) facts: super::subject::Facts,
    why: Mutex<Vec<Reason>>,
    quirks: OnceLock<Quirks>,
}

/// A body as far as it came, and why no further.
struct Sent {
    bytes: Bytes,
    broken: Option<Rejection>,
}

impl Asked {
    pub(super) fn new(parts: Parts, route: Route, app: &App, ends: Arc<Ends>) -> Self {
        Self {
            id: RequestId::of(&parts.headers, &app.request_ids),
            parts,
            route,
            came: app.simulation.clock().now(),
            ends,
            body: OnceLock::new(),
            facts: super::subject::Facts::default(),
            why: Mutex::default(),
            quirks: OnceLock::new(),
        }
    }

    /// How the server deviated from the contract when it looked at the request.
    pub(super) fn quirks(&self) -> Quirks {
        self.quirks.get().copied().unwrap_or_default()
    }

    /// The server looks at the request, and is like that.
    pub(super) fn met(&self, quirks: Quirks) {
        let _ = self.quirks.set(quirks);
    }

    /// A segment of the path, counted from its end, decoded; `None` when it is no text. It names something or it does
    /// not: slashes and dots that were encoded are characters of a name, never of a path.
    pub(super) fn segment(&self, from_end: usize) -> Option<String> {
        let segment = self.parts.uri.path().rsplit('/').nth(from_end)?;
        percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    }

    /// The host under which the client reached this server.
    pub(super) fn host(&self) -> String {
        super::host::of_request(self.parts.headers.get(HOST), self.ends.local.ip())
    }

    /// The body as a JSON object, whatever the request says its type is.
    pub(super) fn json_object(&self) -> Result<Map<String, Value>, Rejection> {
        let bytes = match self.body.get() {
            Some(Sent { broken: Some(rejection), .. }) => return Err(rejection.clone()),
            Some(Sent { bytes, broken: None }) => &bytes[..],
            None => &[],
        };
        // The tree and not a struct: of duplicate keys the last one counts, and every value is looked at, so that a
        // number out of range or nesting without end is found in fields that nobody reads as well.
        match serde_json::from_slice(bytes).map_err(|_| Rejection::MalformedJson)? {
            Value::Object(object) => Ok(object),
            _ => Err(not_an_object()),
        }
    }

    /// What was read of the body.
    pub(super) fn body(&self) -> Bytes {
        self.body.get().map(|sent| sent.bytes.clone()).unwrap_or_default()
    }

    /// Reads the body, within the limits of size and time.
    pub(super) async fn read(&self, body: Body, app: &App) {
        let limit = app.max_body_bytes;
        let announced = self.parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let announced = announced.and_then(|length| length.parse::<u64>().ok());
        let sent = if announced.is_some_and(|length| length > limit as u64) {
            Sent { bytes: Bytes::new(), broken: Some(Rejection::BodyTooLarge(limit)) }
        } else {
            let mut read = BytesMut::new();
            let reading = tokio::time::timeout(app.body_time, read_all(body, limit, &mut read)).await;
            let broken = reading.unwrap_or(Err(Rejection::MalformedJson)).err();
            Sent { bytes: read.freeze(), broken }
        };
        // Read once; a second reading would find nothing.
        let _ = self.body.set(sent);
    }

    /// The job that this request made.
    pub(super) fn made(&self, job: JobId) {
        self.facts.made(job);
    }

    /// Something that made a difference to the answer.
    pub(super) fn because(&self, reason: Reason) {
        self.why().push(reason);
    }

    /// Everything that did.
    pub(super) fn reasons(&self) -> Vec<Reason> {
        std::mem::take(&mut *self.why())
    }

    /// The request as the one that something is done to.
    pub(super) fn case<'a>(&'a self, app: &'a App) -> Case<'a> {
        Case {
            simulation: &app.simulation,
            id: self.id.as_str(),
            method: &self.parts.method,
            version: self.parts.version,
            job: self.facts.job(self),
            tongue: Tongue::Product(*self.quirks.get_or_init(|| app.simulation.reception().quirks)),
        }
    }

    fn why(&self) -> MutexGuard<'_, Vec<Reason>> {
        // Nothing panics while it is held.
        self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read_all(mut body: Body, limit: usize, read: &mut BytesMut) -> Result<(), Rejection> {
    while let Some(frame) = body.frame().await {
        // A body that breaks off is not JSON; whether the client still listens is not our business.
        let Ok(data) = frame.map_err(|_| Rejection::MalformedJson)?.into_data() else { continue };
        if read.len() + data.len() > limit {
            return Err(Rejection::BodyTooLarge(limit));
        }
        read.extend_from_slice(&data);
    }
    Ok(())
}
