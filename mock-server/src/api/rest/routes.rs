//! The table of the product's routes. The router is built from it, and a test holds it against the OpenAPI document.

use std::sync::Arc;

use axum::response::Response;
use futures_util::future::BoxFuture;
use http::Method;

use super::ask::Ask;
use super::{App, channels, configure, jobs, recordings, tasks, timeline};
use crate::api::rejection::Rejection;
use crate::domain::quirk::Quirk;

/// What answers a route.
pub(super) type Handler = fn(Arc<App>, Ask) -> BoxFuture<'static, Result<Response, Rejection>>;

/// One method of one path.
pub(super) struct Route {
    pub(super) method: Method,
    /// The path without prefix, parameters in braces.
    pub(super) path: &'static str,
    pub(super) handler: Handler,
    /// The quirk of servers that do not have it.
    pub(super) missing_with: Option<Quirk>,
}

impl Route {
    fn unless(self, quirk: Quirk) -> Self {
        Self { missing_with: Some(quirk), ..self }
    }
}

/// A proxy in front of the real server adds this prefix; inside the cluster there is none. Both are served.
pub(super) const PREFIX: &str = "/focus-server";

pub(super) fn table() -> Vec<Route> {
    let get = |path, handler| Route { method: Method::GET, path, handler, missing_with: None };
    let post = |path, handler| Route { method: Method::POST, path, handler, missing_with: None };
    let delete = |path, handler| Route { method: Method::DELETE, path, handler, missing_with: None };
    vec![
        get("/ack", |_, _| Box::pin(async { Ok(Response::default()) })),
        get("/channels", |app, _| Box::pin(async move { Ok(channels::channels(&app)) })),
        get("/live_metadata", |app, _| Box::pin(async move { channels::live_metadata(&app) })),
        post("/configure", |app, ask| Box::pin(configure::configure(app, ask))),
        get("/metadata/{job_id}", |app, ask| Box::pin(async move { jobs::metadata(&app, &ask) })),
        delete("/job/{job_id}", |app, ask| Box::pin(async move { jobs::cancel(&app, &ask) }))
            .unless(Quirk::CancelNotImplemented),
        post("/recordings_in_time_range", |app, ask| Box::pin(recordings::in_time_range(app, ask))),
        get("/get_recordings_timeline", |app, ask| Box::pin(timeline::timeline(app, ask))),
        get("/sensors", |app, _| Box::pin(async move { Ok(tasks::sensors(&app)) }))
            .unless(Quirk::TaskApiMissing),
        post("/config/{task_id}", |app, ask| Box::pin(tasks::configure(app, ask)))
            .unless(Quirk::TaskApiMissing),
        get("/waterfall/{task_id}/{row_count}", |app, ask| {
            Box::pin(async move { tasks::waterfall(&app, &ask) })
        })
        .unless(Quirk::TaskApiMissing),
        get("/openapi.json", |_, _| Box::pin(async { Ok(super::json(focus_proto::OPENAPI_JSON)) })),
        get("/docs", |_, _| Box::pin(async { Ok(super::html(super::docs_page())) })),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_and_the_openapi_document_name_the_same_paths_and_methods() {
        let document: serde_json::Value =
            serde_json::from_str(focus_proto::OPENAPI_JSON).expect("built as JSON");
        let documented: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .expect("has paths")
            .iter()
            .flat_map(|(path, item)| {
                let item = item.as_object().expect("a path item");
                let methods = item
                    .keys()
                    .filter(|key| !["parameters", "summary", "description"].contains(&key.as_str()));
                methods.map(|method| (path.clone(), method.to_uppercase()))
            })
            .collect();
        let routed: BTreeSet<(String, String)> =
            table().iter().map(|route| (route.path.to_owned(), route.method.to_string())).collect();
        assert_eq!(routed, documented);
        assert_eq!(routed.len(), table().len(), "no route stands twice");
    }
}
