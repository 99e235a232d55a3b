//! `GET /metrics`: what a scraper of Prometheus asks for, on the listener of the admin interface.
//!
//! What can be seen in the world is looked up when it is asked for; only what passes (requests, faults, frames) is
//! counted, see [`counts`](crate::sim::counts). One row of the table is one family of metrics, with its name, its unit,
//! its labels and where its values come from.
//!
//! **Chosen**, where the contract is silent:
//! - The path is `/metrics`, outside `/__mock`, where scrapers look for it. The admin token guards it like everything else
//!   there: a scraper sends it with `authorization: { type: Bearer, credentials: TOKEN }` in its `scrape_configs`.
//! - OpenMetrics 1.0.0 for whoever accepts it, the older text format for everybody else.
//! - Times are those of the simulator's clock, so that a held clock gives exact values; so are durations of requests.
//! - Counts go on over a reset, as a scraper expects of one process.
//! - Requests to the admin interface are not counted, as they are not in the journal.

mod process;
mod seen;
mod table;
mod text;

use std::sync::Arc;

use axum::extract::{FromRef, State};
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};

use super::answer::Answer;
use super::{Shared, World};
use crate::api::kube::Watches;
use seen::Seen;

/// The watches of the Kubernetes API.
#[derive(Clone)]
pub(super) struct Watching(pub(super) Arc<Watches>);

impl FromRef<Shared> for Watching {
    fn from_ref(shared: &Shared) -> Self {
        shared.watching.clone()
    }
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn get(
    State(simulation): World,
    State(Watching(watches)): State<Watching>,
    headers: HeaderMap,
) -> Answer {
    let open_metrics = text::open_metrics(&Seen::of(&simulation, &watches));
    let (kind, text) = if takes_open_metrics(&headers) {
        (OPEN_METRICS, open_metrics)
    } else {
        (TEXT, text::older(&open_metrics))
    };
    Ok(axum::response::IntoResponse::into_response(([(CONTENT_TYPE, kind)], text)))
}

/// Whether OpenMetrics is among what a client takes, however much it likes it.
fn takes_open_metrics(headers: &HeaderMap) -> bool {
    let said = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let named = parts.next().is_some_and(|name| name == "application/openmetrics-text");
        let refused = |part: &str| {
            part.strip_prefix("q=").and_then(|q| q.parse::<f64>().ok()).is_some_and(|q| q <= 0.0)
        };
        named && !parts.any(|part| refused(&part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_whoever_names_it() {
        let takes = |accept: &'static str| {
            takes_open_metrics(&[(ACCEPT, accept.parse().expect("a value"))].into_iter().collect())
        };
        // What Prometheus sends.
        assert!(takes(
            "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        ));
        assert!(takes("Application/OpenMetrics-Text"));
        for other in ["*/*", "text/plain", "application/openmetrics-text; q=0", "application/openmetrics"] {
            assert!(!takes(other), "{other}");
        }
        assert!(!takes_open_metrics(&HeaderMap::new()));
    }
}
