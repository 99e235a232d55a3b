//! One request as its handler gets it: the id in its path, its body as JSON, the address it came in on.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HOST};
use http::request::Parts;
use http_body_util::BodyExt;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::api::rejection::{Rejection, not_an_object};
use crate::domain::quirk::Quirks;

/// The address a connection came in on.
#[derive(Clone, Copy)]
pub(crate) struct LocalAddr(pub(crate) SocketAddr);

/// A request.
pub(super) struct Ask {
    parts: Parts,
    body: Body,
    local: LocalAddr,
    /// How long a client may take to send a body, on the wall clock.
    body_time: Duration,
    quirks: Quirks,
}

impl Ask {
    pub(super) fn new(request: Request, local: LocalAddr, body_time: Duration, quirks: Quirks) -> Self {
        let (parts, body) = request.into_parts();
        Self { parts, body, local, body_time, quirks }
    }

    /// How the server deviated from the contract when the request came in.
    pub(super) fn quirks(&self) -> Quirks {
        self.quirks
    }

    /// A segment of the path, counted from its end, decoded; `None` when it is no text. It names something or it does
    /// not: slashes and dots that were encoded are characters of a name, never of a path.
    pub(super) fn segment(&self, from_end: usize) -> Option<String> {
        let segment = self.parts.uri.path().rsplit('/').nth(from_end)?;
        percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    }

    /// The host under which the client reached this server.
    pub(super) fn host(&self) -> String {
        super::host::of_request(self.parts.headers.get(HOST), self.local.0.ip())
    }

    /// The body as a JSON object, whatever the request says its type is.
    pub(super) async fn json_object(self, limit: usize) -> Result<Map<String, Value>, Rejection> {
        let bytes = self.bytes(limit).await?;
        // The tree and not a struct: of duplicate keys the last one counts, and every value is looked at, so that a
        // number out of range or nesting without end is found in fields that nobody reads as well.
        match serde_json::from_slice(&bytes).map_err(|_| Rejection::MalformedJson)? {
            Value::Object(object) => Ok(object),
            _ => Err(not_an_object()),
        }
    }

    async fn bytes(mut self, limit: usize) -> Result<Bytes, Rejection> {
        let announced = self.parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        if announced.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > limit as u64)
        {
            return Err(Rejection::BodyTooLarge(limit));
        }
        let reading = async {
            let mut read = BytesMut::new();
            while let Some(frame) = self.body.frame().await {
                // A body that breaks off is not JSON; whether the client still listens is not our business.
                let Ok(data) = frame.map_err(|_| Rejection::MalformedJson)?.into_data() else { continue };
                if read.len() + data.len() > limit {
                    return Err(Rejection::BodyTooLarge(limit));
                }
                read.extend_from_slice(&data);
            }
            Ok(read.freeze())
        };
        tokio::time::timeout(self.body_time, reading).await.unwrap_or(Err(Rejection::MalformedJson))
    }
}
