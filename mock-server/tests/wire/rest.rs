//! The REST interface: what each route answers, which methods and paths exist, and what becomes of a job.

mod answers;
mod hosts;
mod ids;
mod jobs;
mod methods;
mod parallel;
mod recordings;

use std::collections::BTreeSet;

use super::judge;

/// Every route of the product: a method, a path, and where it stands in the OpenAPI document.
pub(crate) const ROUTES: [(&str, &str, &str); 13] = [
    ("GET", "/ack", "/ack"),
    ("GET", "/channels", "/channels"),
    ("GET", "/live_metadata", "/live_metadata"),
    ("POST", "/configure", "/configure"),
    ("GET", "/metadata/1-1", "/metadata/{job_id}"),
    ("DELETE", "/job/1-1", "/job/{job_id}"),
    ("POST", "/recordings_in_time_range", "/recordings_in_time_range"),
    ("GET", "/get_recordings_timeline", "/get_recordings_timeline"),
    ("GET", "/sensors", "/sensors"),
    ("POST", "/config/task-7", "/config/{task_id}"),
    ("GET", "/waterfall/task-7/10", "/waterfall/{task_id}/{row_count}"),
    ("GET", "/openapi.json", "/openapi.json"),
    ("GET", "/docs", "/docs"),
];

/// Every path is served bare and as the proxy in front of the real server calls it.
pub(crate) const PREFIXES: [&str; 2] = ["", "/focus-server"];

/// The methods of a path, as `allow` names them.
pub(crate) fn methods_of(path: &str) -> Vec<&'static str> {
    ROUTES.iter().filter(|(_, known, _)| *known == path).map(|(method, ..)| *method).collect()
}

#[test]
fn these_tests_know_exactly_the_routes_of_the_openapi_document() {
    let known: BTreeSet<(String, String)> =
        ROUTES.iter().map(|(method, _, path)| (method.to_lowercase(), (*path).to_owned())).collect();
    let paths = judge::document()["paths"].as_object().expect("paths");
    let documented: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, item)| {
            let keys = item.as_object().expect("a path item").keys();
            let methods =
                keys.filter(|key| !["parameters", "summary", "description"].contains(&key.as_str()));
            methods.map(|method| (method.clone(), path.clone()))
        })
        .collect();
    assert_eq!(known, documented);
}
