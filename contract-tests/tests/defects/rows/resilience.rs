//! Clusters and servers that do not come back as they must.

use reqwest::Method;
use serde_json::{Value, json};

use crate::broken::{Defect, Spoil, Spoilable as _, answers, cluster_answers};
use crate::cluster::object;

/// Whether an object belongs to a workload, by its name.
fn of(object: &Value, workload: &str) -> bool {
    object["metadata"]["name"].as_str().is_some_and(|name| name.starts_with(workload))
}

pub(crate) static ROWS: &[Defect] = &[
    Defect {
        name: "the pod of a Deployment keeps its name",
        case: "resilience/resilience-mongodb",
        spoil: Spoil::Objects(|one| {
            let mongo = of(&one, "mongodb-");
            object(one, "Pod", |pod| {
                if mongo {
                    pod["metadata"]["name"] = json!("mongodb-0")
                }
            })
        }),
        says: "delete pod mongodb-0: the status is 404",
    },
    Defect {
        name: "a pod that is deleted stays",
        case: "resilience/resilience-mongodb",
        spoil: Spoil::Kube(
            |asked| {
                if asked.method == Method::DELETE {
                    asked.method = Method::GET;
                }
            },
            |_, _| {},
        ),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "a change of the template has no effect",
        case: "resilience/resilience-mongodb",
        spoil: Spoil::Kube(
            |asked| {
                if asked.method == Method::PATCH && !asked.path.contains("/scale") {
                    (asked.method, asked.body) = (Method::GET, None);
                }
            },
            |_, _| {},
        ),
        says: "after 60 s: no other pod has come for mongodb-",
    },
    Defect {
        name: "what is not there is found all the same",
        case: "resilience/resilience-rabbitmq",
        spoil: cluster_answers(|answer, _| {
            if answer.status == 404 && answer.request.path.contains("/pods/rabbitmq-panda-0") {
                answer.status = 200;
            }
        }),
        says: "get pod rabbitmq-panda-0: the answer cannot be read",
    },
    Defect {
        name: "what is not there is forbidden",
        case: "resilience/resilience-rabbitmq",
        spoil: cluster_answers(|answer, _| {
            answer.body = answer.text().replace("\"NotFound\"", "\"Forbidden\"").into_bytes();
        }),
        says: "kind, status, reason and code of a refusal",
    },
    Defect {
        name: "the pod of a StatefulSet is never away",
        case: "resilience/resilience-rabbitmq",
        spoil: cluster_answers(|answer, past| {
            if answer.status == 404 && answer.request.path.contains("/pods/rabbitmq-panda-0") {
                let list = past.iter().find(|one| {
                    one.request.path.contains("instance%3Drabbitmq-panda")
                        && one.text().contains("rabbitmq-panda-0")
                });
                let list: Value =
                    list.and_then(|one| serde_json::from_slice(&one.body).ok()).unwrap_or_default();
                (answer.status, answer.body) = (200, list["items"][0].to_string().into_bytes());
            }
        }),
        says: "pod rabbitmq-panda-0 that was deleted has not gone",
    },
    Defect {
        name: "the pod of a StatefulSet is back too soon",
        case: "resilience/resilience-rabbitmq",
        spoil: cluster_answers(|answer, past| {
            let gone = |path: &str, status| path.contains("/pods/rabbitmq-panda-0") && status == 404;
            let times = past.iter().filter(|one| gone(&one.request.path, one.status)).count();
            if gone(&answer.request.path, answer.status) && times > 3 {
                let list = past.iter().find(|one| {
                    one.request.path.contains("instance%3Drabbitmq-panda")
                        && one.text().contains("rabbitmq-panda-0")
                });
                let mut list: Value =
                    list.and_then(|one| serde_json::from_slice(&one.body).ok()).unwrap_or_default();
                list["items"][0]["metadata"]["uid"] = json!("4711");
                (answer.status, answer.body) = (200, list["items"][0].to_string().into_bytes());
            }
        }),
        says: "pod rabbitmq-panda-0 came back after",
    },
    Defect {
        name: "a server without pods answers",
        case: "resilience/resilience-focus",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/ack") && answer.status == 503 {
                answer.status = 200;
                answer.headers.retain(|(name, _)| name == "x-request-id");
                answer.headers.push((String::from("content-length"), String::from("0")));
                answer.body = Vec::new();
            }
        }),
        says: "the server is scaled to 0, but GET /ack answers 200",
    },
    Defect {
        name: "the pod of the server is never ready again",
        case: "resilience/resilience-focus",
        spoil: cluster_answers(|answer, past| {
            let deleted = past.iter().any(|one| one.request.method == Method::DELETE);
            if deleted && answer.request.path.contains("name%3Dpanda-panda-focus-server") {
                let text = answer.text().replace(
                    "\"type\":\"Ready\",\"status\":\"True\"",
                    "\"type\":\"Ready\",\"status\":\"False\"",
                );
                let text = text.replace(
                    "\"status\":\"True\",\"type\":\"Ready\"",
                    "\"status\":\"False\",\"type\":\"Ready\"",
                );
                answer.body = text.into_bytes();
            }
        }),
        says: "panda-panda-focus-server is not ready again",
    },
    Defect {
        name: "the newest recording goes on without its recorder",
        case: "resilience/resilience-segy",
        spoil: answers(|answer, _| {
            if answer.is("POST", "/recordings") {
                answer.change(|body| {
                    if let Some(newest) = body.as_array_mut().and_then(|all| all.last_mut()) {
                        newest[1] = json!(-1);
                    }
                });
            }
        }),
        says: "the newest recording ends at -1",
    },
    Defect {
        name: "the recorder never records again",
        case: "resilience/resilience-segy",
        spoil: answers(|answer, past| {
            if answer.is("POST", "/recordings")
                && let Some(first) = past.iter().find(|one| one.is("POST", "/recordings"))
            {
                answer.body = first.body.clone();
            }
        }),
        says: "the recorder is back, but the newest recording ends at",
    },
    Defect {
        name: "scaling to nothing leaves a pod",
        case: "resilience/resilience-pairs",
        spoil: cluster_answers(|answer, past| {
            if answer.request.path.contains("name%3Dpanda-panda-segy-recorder")
                && let Some(first) = past.iter().find(|one| one.request.path == answer.request.path)
            {
                answer.body = first.body.clone();
            }
        }),
        says: "panda-panda-segy-recorder was scaled to 0, but has",
    },
    Defect {
        name: "the status of a workload is of an older specification",
        case: "resilience/resilience-pairs",
        spoil: Spoil::Objects(|one| {
            object(one, "StatefulSet", |one| one["status"]["observedGeneration"] = json!(0))
        }),
        says: "rabbitmq-panda is not ready again",
    },
];
