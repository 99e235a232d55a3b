//! Bodies of requests to the admin listener, within limits that are told in the words of its other errors.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Path, Query, Request};
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::answer::No;

/// How mistakes name what was sent.
pub(super) const BODY: &str = "the body";

/// Largest body: a mode or a duration has a few bytes, a world some thousand.
const LARGEST: usize = 1024 * 1024;

/// How long a client may take to send a body, on the wall clock.
#[derive(Clone, Copy)]
pub(super) struct BodyTime(pub(super) Duration);

/// A whole body.
pub(super) struct Sent(pub(super) Bytes);

impl<S> FromRequest<S> for Sent
where
    BodyTime: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = No;

    async fn from_request(request: Request, state: &S) -> Result<Self, No> {
        let BodyTime(time) = BodyTime::from_ref(state);
        match tokio::time::timeout(time, Limited::new(request.into_body(), LARGEST).collect()).await {
            Ok(Ok(body)) => Ok(Self(body.to_bytes())),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                Err(No::large("the body is too large: the limit is 1048576 bytes"))
            }
            Ok(Err(error)) => Err(No::unreadable(format!("the body cannot be read: {error}"))),
            Err(_elapsed) => Err(No::late(format!("the body did not arrive within {time:?}"))),
        }
    }
}

/// The one parameter of a path.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, No> {
        let named = Path::<String>::from_request_parts(parts, state).await;
        named
            .map(|Path(name)| Self(name))
            .map_err(|error| No::unreadable(format!("the path cannot be read: {}", error.body_text())))
    }
}

/// What stands behind the question mark, with unknown keys refused.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, No> {
        let query = Query::<T>::try_from_uri(&parts.uri);
        query
            .map(|Query(asked)| Self(asked))
            .map_err(|error| No::wrong(format!("the query is not what is asked for: {}", error.body_text())))
    }
}
