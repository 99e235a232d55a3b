//! Bodies of requests to the admin listener, within limits that are told in the words of its other errors.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRef, FromRequest, Request};
use axum::response::Response;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::failure;

/// Largest body: a mode or a duration has a few bytes, and whatever else may come has its bound, too.
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
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let BodyTime(time) = BodyTime::from_ref(state);
        match tokio::time::timeout(time, Limited::new(request.into_body(), LARGEST).collect()).await {
            Ok(Ok(body)) => Ok(Self(body.to_bytes())),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(failure(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is too large: the limit is 1048576 bytes",
            )),
            Ok(Err(error)) => {
                Err(failure(StatusCode::BAD_REQUEST, &format!("the body cannot be read: {error}")))
            }
            Err(_elapsed) => {
                let text = format!("the body did not arrive within {time:?}");
                Err(failure(StatusCode::REQUEST_TIMEOUT, &text))
            }
        }
    }
}
