//! The table of the admin interface's routes. The router is built from it, and tests hold it against the OpenAPI document
//! and against the README.

use axum::Router;
use axum::routing::{MethodRouter, delete, get, patch, post, put};

use super::{
    Shared, checks, clock, dependencies, explain, faults, journal, limits, live, metrics, openapi, ports,
    quirks, ready, state, verify, worlds,
};

/// One method of one path.
pub(super) struct Route {
    pub(super) method: &'static str,
    /// The path, parameters in braces.
    pub(super) path: &'static str,
    handler: MethodRouter<Shared>,
}

fn route(method: &'static str, path: &'static str, handler: MethodRouter<Shared>) -> Route {
    Route { method, path, handler }
}

pub(super) fn table() -> Vec<Route> {
    let mut routes = vec![
        route("GET", "/livez", get(live)),
        route("GET", "/readyz", get(ready)),
        route("GET", "/metrics", get(metrics::get)),
        route("GET", "/__mock/openapi.json", get(openapi)),
        route("GET", "/__mock/state", get(state::get)),
        route("POST", "/__mock/reset", post(worlds::reset)),
        route("PUT", "/__mock/world", put(worlds::replace)),
        route("PUT", "/__mock/recordings", put(worlds::recordings)),
        route("GET", "/__mock/clock", get(clock::get)),
        route("PUT", "/__mock/clock", put(clock::set)),
        route("POST", "/__mock/clock/advance", post(clock::advance)),
    ];
    routes.extend(controls());
    routes.extend(looks());
    routes
}

/// What changes the world.
fn controls() -> Vec<Route> {
    vec![
        route("GET", "/__mock/faults", get(faults::get)),
        route("POST", "/__mock/faults", post(faults::add)),
        route("DELETE", "/__mock/faults", delete(faults::clear)),
        route("GET", "/__mock/faults/points", get(faults::points)),
        route("DELETE", "/__mock/faults/{id}", delete(faults::remove)),
        route("GET", "/__mock/quirks", get(quirks::get)),
        route("GET", "/__mock/quirks/{name}", get(quirks::get_one)),
        route("PUT", "/__mock/quirks/{name}", put(quirks::set)),
        route("PUT", "/__mock/profile", put(quirks::set_profile)),
        route("GET", "/__mock/dependencies", get(dependencies::get)),
        route("PUT", "/__mock/dependencies/{name}", put(dependencies::set)),
        route("GET", "/__mock/limits", get(limits::get)),
        route("PATCH", "/__mock/limits", patch(limits::patch)),
        route("GET", "/__mock/ports", get(ports::get)),
        route("POST", "/__mock/ports", post(ports::hold)),
        route("DELETE", "/__mock/ports/{port}", delete(ports::release)),
        route("POST", "/__mock/jobs/{pattern}/kill-pod", post(worlds::kill_pod)),
        route("POST", "/__mock/jobs/{pattern}/delete-cleanup-job", post(worlds::delete_cleanup_job)),
    ]
}

/// What looks at it.
fn looks() -> Vec<Route> {
    vec![
        route("GET", "/__mock/journal", get(journal::get)),
        route("POST", "/__mock/verify", post(verify::verify)),
        route("GET", "/__mock/explain", get(explain::explain)),
        route("GET", "/__mock/leaks", get(checks::leaks)),
        route("GET", "/__mock/invariants", get(checks::invariants)),
    ]
}

/// All routes, for a "no".
pub(super) fn names() -> String {
    table().iter().map(|route| format!("{} {}", route.method, route.path)).collect::<Vec<_>>().join(", ")
}

pub(super) fn router() -> Router<Shared> {
    table().into_iter().fold(Router::new(), |router, route| router.route(route.path, route.handler))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sim::faults::AnyRoute;

    fn routed() -> BTreeSet<(String, String)> {
        let all: BTreeSet<_> =
            table().iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
        assert_eq!(all.len(), table().len(), "no route stands twice");
        all
    }

    #[test]
    fn the_table_and_the_openapi_document_name_the_same_routes() {
        let document: serde_json::Value =
            serde_json::from_str(focus_proto::ADMIN_OPENAPI_JSON).expect("built as JSON");
        let paths = document["paths"].as_object().expect("has paths");
        let documented: BTreeSet<_> = paths
            .iter()
            .flat_map(|(path, item)| {
                let keys = item.as_object().expect("a path item").keys();
                let methods = keys.filter(|key| *key != "parameters");
                methods.map(move |method| (method.to_uppercase(), path.clone()))
            })
            .collect();
        assert_eq!(routed(), documented);
    }

    #[test]
    fn the_openapi_document_names_everything_that_the_code_does() {
        let document: serde_json::Value =
            serde_json::from_str(focus_proto::ADMIN_OPENAPI_JSON).expect("built as JSON");
        let said = |pointer: &str| -> Vec<_> {
            let list = document.pointer(pointer).and_then(serde_json::Value::as_array).expect(pointer);
            list.iter().filter_map(|name| name.as_str()).collect()
        };
        let kinds: BTreeSet<_> = said("/components/schemas/Kind/enum").into_iter().collect();
        assert_eq!(kinds, super::super::entry::KINDS.into_iter().collect());
        let routes: Vec<_> = AnyRoute::all().map(AnyRoute::name).collect();
        assert_eq!(said("/components/schemas/Route/enum"), routes);
        let dependencies = "/paths/~1__mock~1dependencies~1{name}/parameters/0/schema/enum";
        assert_eq!(said(dependencies), crate::sim::change::Outside::NAMES);
        let profiles = crate::domain::quirk::Profile::ALL.map(crate::domain::quirk::Profile::name);
        assert_eq!(said("/components/schemas/Profile/enum"), profiles);
    }

    #[test]
    fn the_table_of_the_readme_names_the_same_routes() {
        let readme = include_str!("../../../README.md");
        let rows = readme.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|row| {
            let (method, rest) = row.split_once(' ')?;
            let is_method = ["GET", "PUT", "POST", "PATCH", "DELETE"].contains(&method);
            let path = rest.split(['`', ' ']).next()?;
            is_method.then(|| (method.to_owned(), path.split('?').next().unwrap_or(path).to_owned()))
        });
        assert_eq!(rows.collect::<BTreeSet<_>>(), routed());
    }
}
