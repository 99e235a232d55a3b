//! Servers that do not stay as they were.

use focus_contract::client::rest::Exchange;
use serde_json::json;

use crate::broken::{Defect, Spoilable as _, answers, body, cluster_answers};

/// How many answers before were to that.
fn asked(past: &[Exchange], method: &str, route: &str) -> usize {
    past.iter().filter(|answer| answer.is(method, route)).count()
}

/// Whether it lists the pods that a part of its query means.
fn lists_pods(answer: &Exchange, query: &str) -> bool {
    answer.request.path.contains("/pods") && answer.request.path.contains(query)
}

/// Whether it lists the pods of the server.
fn lists_server(answer: &Exchange) -> bool {
    lists_pods(answer, "panda-panda-focus-server")
}

pub(crate) static ROWS: &[Defect] = &[
    Defect {
        name: "every third configure is refused",
        case: "stability/stability-over-time",
        spoil: answers(|answer, past| {
            if answer.is("POST", "/configure") && asked(past, "POST", "/configure") % 3 == 2 {
                answer.status = 503;
                body(answer, "application/json", r#"{"error":"busy","code":"BUSY"}"#);
            }
        }),
        says: "success: 8 of 12 configures (66.67 %); demanded: at least 90 %",
    },
    Defect {
        name: "the server's pod is started again",
        case: "stability/stability-over-time",
        spoil: cluster_answers(|answer, past| {
            let restarted = past.iter().filter(|answer| lists_server(answer)).count() >= 6;
            if lists_server(answer) && restarted {
                answer.change(|list| {
                    list["items"][0]["status"]["containerStatuses"][0]["restartCount"] = json!(2)
                });
            }
        }),
        says: "restarts of the server's pods: 2; demanded: at most 0",
    },
    Defect {
        name: "another pod takes the place of the server's",
        case: "stability/soak",
        spoil: cluster_answers(|answer, past| {
            let replaced = past.iter().filter(|answer| lists_server(answer)).count() >= 6;
            if lists_server(answer) && replaced {
                answer.change(|list| list["items"][0]["metadata"]["uid"] = json!("another"));
            }
        }),
        says: "restarts of the server's pods: 1; demanded: at most 0",
    },
    Defect {
        name: "jobs that were cancelled are never gone",
        case: "stability/soak",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/metadata/") && answer.status == 404 {
                answer.status = 200;
            }
        }),
        says: "the run's own jobs gone: 72 were not gone",
    },
    Defect {
        name: "a pod of a job stays for ever",
        case: "stability/stability-over-time",
        spoil: cluster_answers(|answer, past| {
            if lists_pods(answer, "") && !lists_server(answer) && !past.is_empty() {
                answer.change(|list| {
                    let mut pod = list["items"][0].clone();
                    pod["metadata"]["name"] = json!("grpc-job-7-7-abcde");
                    pod["status"]["phase"] = json!("Running");
                    if let Some(items) = list["items"].as_array_mut() {
                        items.push(pod);
                    }
                });
            }
        }),
        says: "live jobs back to what they were: 1 after 60 s; demanded: at most 0, as before, within 60 s",
    },
];
