//! From what was asked for to whoever answers it.

use std::sync::Arc;

use axum::response::Response;

use super::ask::{Ask, Asked, Sub};
use super::failure::Failure;
use super::selectors::Selector;
use super::{Kube, answer, discovery, get, list, log, metrics, watch, write};
use crate::sim::faults::KubeRoute;

/// Does what was asked for, with the body that was sent.
pub(super) async fn act(kube: &Arc<Kube>, asked: &Asked) -> Result<Response, Failure> {
    match asked {
        Asked::Health => Ok(answer::plain("ok")),
        Asked::Discovery(document, host) => Ok(discovery::answer(*document, host.clone())),
        Asked::Resource(ask) => act_on(kube, ask).await,
    }
}

/// The route that rules and the journal know a request by.
pub(super) fn route(asked: &Result<Asked, Failure>) -> KubeRoute {
    let ask = match asked {
        Ok(Asked::Resource(ask)) => ask,
        Ok(Asked::Health | Asked::Discovery(..)) => return KubeRoute::Discovery,
        Err(_) => return KubeRoute::Unrouted,
    };
    match (ask.verb(), ask.sub) {
        ("get", Some(Sub::Log)) => KubeRoute::Log,
        ("get" | "list", None) if ask.resource.is_metrics() => KubeRoute::Metrics,
        ("get", _) => KubeRoute::Get,
        ("list", _) => KubeRoute::List,
        ("watch", _) => KubeRoute::Watch,
        ("create", _) => KubeRoute::Create,
        ("delete", _) => KubeRoute::Delete,
        ("patch", _) => KubeRoute::Patch,
        ("update", _) => KubeRoute::Update,
        _ => KubeRoute::Unrouted,
    }
}

/// That it can be done was found out when the request was taken apart.
async fn act_on(kube: &Arc<Kube>, ask: &Ask) -> Result<Response, Failure> {
    let selector = || {
        let query = &ask.query;
        Selector::parse(&query.label_selector, &query.field_selector, ask.resource.kind)
    };
    let is_metrics = ask.resource.is_metrics();
    match (ask.verb(), ask.sub) {
        ("get", Some(Sub::Log)) => log::log(kube, ask),
        ("get", Some(Sub::Scale)) => write::scale(kube, ask).await,
        ("get", None) if is_metrics => metrics::one(kube, ask),
        ("list", _) if is_metrics => Ok(metrics::all(kube, ask, &selector()?)),
        ("get", None) => get::get(kube, ask),
        ("list", _) => list::list(kube, ask, &selector()?),
        ("watch", _) => watch::watch(kube, ask, selector()?),
        ("create", _) => write::create_service(kube, ask).await,
        ("delete", _) => write::delete(kube, ask).await,
        ("patch", _) => write::patch(kube, ask).await,
        ("update", _) => write::put(kube, ask).await,
        (other, _) => Err(Failure::MethodNotAllowed(format!("{other} is not simulated"))),
    }
}
