//! From a request to its answer.
//!
//! Taken apart first, served then: whoever makes faults decides in between.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::ask::{Ask, Asked, Sub};
use super::failure::Failure;
use super::selectors::Selector;
use super::{Kube, answer, discovery, get, list, metrics};

use stand_ins::{log, watch, write};

/// Largest body, as that of a real API server.
pub(crate) const LARGEST_BODY: usize = 3 * 1024 * 1024;

/// The routes of the cluster's API.
#[derive(Clone)]
pub(crate) struct Router {
    kube: Arc<Kube>,
    /// How long a client may take to send a body, on the wall clock.
    body_time: Duration,
}

impl Router {
    /// Routes to the objects of that cluster.
    pub(crate) fn new(kube: Arc<Kube>, body_time: Duration) -> Self {
        Self { kube, body_time }
    }

    /// What a request asks for.
    pub(crate) fn parse(parts: &Parts) -> Result<Asked, Failure> {
        Asked::parse(parts)
    }

    /// Answers what was asked for, and reads what was sent with it.
    pub(crate) async fn serve(&self, mut asked: Asked, body: Body) -> Response {
        if let Asked::Resource(ask) = &mut asked
            && ask.has_body()
        {
            match self.read(body).await {
                Ok(read) => ask.body = read,
                Err(failure) => return failure.into_response(),
            }
        }
        caught(|| self.act(&asked))
    }

    /// Takes a request apart and answers it.
    pub(crate) async fn respond(&self, request: http::Request<Body>) -> Response {
        let (parts, body) = request.into_parts();
        match Self::parse(&parts) {
            Ok(asked) => self.serve(asked, body).await,
            Err(failure) => failure.into_response(),
        }
    }

    /// Does what was asked for, with the body that was sent.
    pub(crate) fn act(&self, asked: &Asked) -> Result<Response, Failure> {
        match asked {
            Asked::Health => Ok(answer::plain("ok")),
            Asked::Discovery(document, host) => Ok(discovery::answer(*document, host.clone())),
            Asked::Resource(ask) => self.act_on(ask),
        }
    }

    /// That it can be done was found out when the request was taken apart.
    fn act_on(&self, ask: &Ask) -> Result<Response, Failure> {
        let kube = &self.kube;
        let selector = || {
            let query = &ask.query;
            Selector::parse(&query.label_selector, &query.field_selector, ask.resource.kind)
        };
        let is_metrics = ask.resource.is_metrics();
        match (ask.verb(), ask.sub) {
            ("get", Some(Sub::Log)) => log::log(kube, ask),
            ("get", Some(Sub::Scale)) => write::scale(kube, ask),
            ("get", None) if is_metrics => metrics::one(kube, ask),
            ("list", _) if is_metrics => Ok(metrics::all(kube, ask, &selector()?)),
            ("get", None) => get::get(kube, ask),
            ("list", _) => list::list(kube, ask, &selector()?),
            ("watch", _) => watch::watch(kube, ask, selector()?),
            ("create", _) => write::create_service(kube, ask),
            ("delete", _) => write::delete(kube, ask),
            ("patch", _) => write::patch(kube, ask),
            ("update", _) => write::put(kube, ask),
            (other, _) => Err(Failure::MethodNotAllowed(format!("{other} is not simulated"))),
        }
    }

    async fn read(&self, body: Body) -> Result<Bytes, Failure> {
        let reading = Limited::new(body, LARGEST_BODY).collect();
        match tokio::time::timeout(self.body_time, reading).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Failure::TooLarge(LARGEST_BODY)),
            Ok(Err(error)) => Err(Failure::BadRequest(format!("the body cannot be read: {error}"))),
            Err(_elapsed) => {
                let time = self.body_time;
                Err(Failure::BadRequest(format!("the body did not arrive within {time:?}")))
            }
        }
    }
}

/// The answer, also where there is none: a panic is a defect of ours, and the client learns that much instead of a broken
/// connection.
pub(super) fn caught(act: impl FnOnce() -> Result<Response, Failure>) -> Response {
    let done = catch_unwind(AssertUnwindSafe(act)).unwrap_or(Err(Failure::Internal));
    done.unwrap_or_else(IntoResponse::into_response)
}

/// STAND-INS until watches and writes are merged: replace the module by `use super::{log, watch, write};`.
mod stand_ins {
    pub(super) mod watch {
        use crate::api::kube::{Kube, ask::Ask, failure::Failure, selectors::Selector};

        pub(crate) fn watch(
            _: &std::sync::Arc<Kube>,
            _: &Ask,
            _: Selector,
        ) -> Result<axum::response::Response, Failure> {
            Err(Failure::no_such_path("not merged yet"))
        }
    }

    pub(super) mod log {
        use crate::api::kube::{Kube, ask::Ask, failure::Failure};

        pub(crate) fn log(_: &std::sync::Arc<Kube>, _: &Ask) -> Result<axum::response::Response, Failure> {
            Err(Failure::no_such_path("not merged yet"))
        }
    }

    pub(super) mod write {
        use crate::api::kube::{Kube, ask::Ask, failure::Failure};

        type Done = Result<axum::response::Response, Failure>;

        /// Tells in the body which one it was, for the tests of routes.
        fn done(which: &str, ask: &Ask) -> Done {
            let told = format!("{which} {} {} bytes", ask.content_type, ask.body.len());
            Ok(crate::api::kube::answer::json(&told))
        }

        pub(crate) fn delete(_: &std::sync::Arc<Kube>, ask: &Ask) -> Done {
            done("delete", ask)
        }

        pub(crate) fn create_service(_: &std::sync::Arc<Kube>, ask: &Ask) -> Done {
            done("create_service", ask)
        }

        pub(crate) fn scale(_: &std::sync::Arc<Kube>, ask: &Ask) -> Done {
            done("scale", ask)
        }

        pub(crate) fn patch(_: &std::sync::Arc<Kube>, ask: &Ask) -> Done {
            done("patch", ask)
        }

        pub(crate) fn put(_: &std::sync::Arc<Kube>, ask: &Ask) -> Done {
            done("put", ask)
        }
    }
}
