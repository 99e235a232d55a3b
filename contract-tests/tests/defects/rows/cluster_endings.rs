//! Clusters that do not tell what happens, in which jobs do not end as they must, and in which others than jobs are broken.

use focus_contract::client::rest::{Exchange, Request};
use reqwest::Method;
use serde_json::{Value, json};

use crate::broken::{Defect, Spoil, cluster_answers};
use crate::cluster::{object, pod, silent};
use crate::raw::Raw;

/// Whether it is that method on such a path of the API.
fn asked(answer: &Exchange, method: &str, path: &str) -> bool {
    answer.request.method.as_str() == method && answer.request.path.contains(path)
}

/// Answers as before the object went.
fn as_before(answer: &mut Exchange, past: &[Exchange]) {
    let path = |one: &Exchange| one.request.path.trim_end_matches('?').to_owned();
    let before = past
        .iter()
        .rev()
        .find(|one| one.request.method == Method::GET && one.status == 200 && path(one) == path(answer));
    if let Some(before) = before.filter(|_| answer.request.method == Method::GET) {
        (answer.status, answer.body) = (before.status, before.body.clone());
    }
}

/// Answers a deletion as if it had happened.
fn nothing_is_deleted(asked: &mut Request) {
    if asked.method == Method::DELETE {
        asked.method = Method::GET;
    }
}

fn log(answer: &mut Exchange, change: impl FnOnce(String) -> String) {
    if answer.request.path.contains("/log?") && answer.status == 200 {
        answer.body = change(answer.text()).into_bytes();
    }
}

pub(crate) static ROWS: &[Defect] = &[
    Defect {
        name: "no events",
        case: "kubernetes/observability",
        spoil: Spoil::Objects(|one| if one["kind"] == "Event" { Vec::new() } else { vec![one] }),
        says: "the events of pod",
    },
    Defect {
        name: "an event is left out",
        case: "kubernetes/observability",
        spoil: Spoil::Objects(|one| silent(one, "Pulled")),
        says: "the events of pod",
    },
    Defect {
        name: "events come in no order",
        case: "kubernetes/observability",
        spoil: cluster_answers(|answer, _| {
            let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            if body["kind"] == "EventList" {
                body["items"].as_array_mut().map(|items| items.reverse()).unwrap_or_default();
                answer.body = body.to_string().into_bytes();
            }
        }),
        says: "events are not in the order of their resourceVersion",
    },
    Defect {
        name: "what is normal is a warning",
        case: "kubernetes/observability",
        spoil: Spoil::Objects(|one| object(one, "Event", |event| event["type"] = json!("Warning"))),
        says: "type of event Scheduled",
    },
    Defect {
        name: "nobody tells the pod to end",
        case: "kubernetes/observability",
        spoil: Spoil::Objects(|one| silent(one, "Killing")),
        says: "after the cancel is not what the contract says",
    },
    Defect {
        name: "a Job ends without an event",
        case: "kubernetes/observability",
        spoil: Spoil::Objects(|one| silent(one, "Completed")),
        says: "was completed without event Completed",
    },
    Defect {
        name: "an empty log",
        case: "kubernetes/observability",
        spoil: cluster_answers(|answer, _| log(answer, |_| String::new())),
        says: "is empty",
    },
    Defect {
        name: "a log with a failure",
        case: "kubernetes/observability",
        spoil: cluster_answers(|answer, _| log(answer, |text| text.replacen('\n', " TimeoutError\n", 2))),
        says: "says \"error\"",
    },
    Defect {
        name: "the tail of a log is all of it",
        case: "kubernetes/observability",
        spoil: Spoil::Kube(|asked| asked.path = asked.path.replace("tailLines", "ignored"), |_, _| {}),
        says: "the last two lines of the log of pod",
    },
    Defect {
        name: "the server does not log its jobs",
        case: "kubernetes/observability",
        spoil: cluster_answers(|answer, _| log(answer, |text| text.replace(".yml", ".yaml"))),
        says: "no line in the log of the focus server has job-1-1.yml",
    },
    Defect {
        name: "a container that is not ready",
        case: "kubernetes/observability",
        spoil: Spoil::Objects(|one| {
            pod(|pod| pod["status"]["containerStatuses"][0]["ready"] = json!(false))(one)
        }),
        says: "Running and not ready",
    },
    Defect {
        name: "pods just vanish",
        case: "kubernetes/cancellation-and-cleanup",
        spoil: Spoil::Objects(|one| {
            let ended = one["kind"] == "Pod" && one["status"]["phase"] == "Succeeded";
            if ended { Vec::new() } else { vec![one] }
        }),
        says: "the status is 404, and not 200",
    },
    Defect {
        name: "no watch tells that a pod has ended",
        case: "kubernetes/cancellation-and-cleanup",
        spoil: Spoil::Events(|event| {
            let ended = event["object"]["status"]["phase"] == "Succeeded";
            if event["type"] == "MODIFIED" && ended { Vec::new() } else { vec![event] }
        }),
        says: "but the watch never told that it ended",
    },
    Defect {
        name: "a cancelled job has failed",
        case: "kubernetes/cancellation-and-cleanup",
        spoil: Spoil::Objects(|one| {
            pod(|pod| {
                if pod["status"]["phase"] == "Succeeded" {
                    pod["status"]["phase"] = json!("Failed")
                }
            })(one)
        }),
        says: "of a cancelled job is not what the contract says",
    },
    Defect {
        name: "a Job does not tell that it is complete",
        case: "kubernetes/cancellation-and-cleanup",
        spoil: Spoil::Objects(|one| {
            object(one, "Job", |job| {
                job["status"].as_object_mut().map(|status| status.remove("conditions"));
            })
        }),
        says: "the verdict on job",
    },
    Defect {
        name: "a Service is left over",
        case: "kubernetes/cancellation-and-cleanup",
        spoil: cluster_answers(|answer, past| {
            if asked(answer, "GET", "/services/grpc-service-1-1") {
                as_before(answer, past);
            }
        }),
        says: "service grpc-service-1-1 of a cancelled job is there",
    },
    Defect {
        name: "pods stay",
        case: "kubernetes/cancellation-and-cleanup",
        spoil: cluster_answers(|answer, past| {
            let path = answer.request.path.trim_end_matches('?').to_owned();
            if path.ends_with("/pods")
                && past.iter().filter(|one| one.request.path.contains("/jobs")).count() > 4
            {
                let full = past.iter().rev().find(|one| {
                    one.request.path == answer.request.path && one.text().contains("grpc-job-1-1")
                });
                answer.body = full.map_or_else(|| answer.body.clone(), |full| full.body.clone());
            }
        }),
        says: "after 5 s: INV-GONE: job 1-1 still has pod",
    },
    Defect {
        name: "a watch is told that its version is too old",
        case: "kubernetes/cancellation-and-cleanup",
        spoil: Spoil::Events(|_| {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired",
                                "message": "too old resource version", "code": 410});
            vec![json!({"type": "ERROR", "object": status})]
        }),
        says: ": 410 too old resource version",
    },
    Defect {
        name: "pods are swept without a word",
        case: "kubernetes/idle-sweep",
        spoil: Spoil::Objects(|one| silent(one, "Killing")),
        says: "was swept without event Killing",
    },
    Defect {
        name: "the Endpoints of a job are not swept",
        case: "kubernetes/idle-sweep",
        spoil: cluster_answers(|answer, past| {
            if asked(answer, "GET", "/endpoints")
                && let Some(full) = past.iter().find(|one| {
                    one.request.path == answer.request.path && one.text().contains("grpc-service-1-1")
                })
            {
                answer.body = full.body.clone();
            }
        }),
        says: "after 52 s: job 1-1 still has endpoints grpc-service-1-1",
    },
    Defect {
        name: "a Service is not deleted",
        case: "kubernetes/service-deleted",
        spoil: Spoil::Kube(nothing_is_deleted, |_, _| {}),
        says: "service grpc-service-1-1 was deleted, but is there",
    },
    Defect {
        name: "a Job whose pod was killed is complete",
        case: "kubernetes/pod-deleted",
        spoil: Spoil::Objects(|one| {
            object(one, "Job", |job| {
                let text = job.to_string().replace("\"type\":\"Failed\"", "\"type\":\"Complete\"");
                *job = serde_json::from_str(&text).unwrap_or_default();
            })
        }),
        says: "the verdict on job grpc-job-1-1",
    },
    Defect {
        name: "a failed Job says another reason",
        case: "kubernetes/pod-deleted",
        spoil: Spoil::Objects(|one| {
            object(one, "Job", |job| {
                let text = job.to_string().replace("BackoffLimitExceeded", "DeadlineExceeded");
                *job = serde_json::from_str(&text).unwrap_or_default();
            })
        }),
        says: "the reason of the failure",
    },
    Defect {
        name: "nobody hears of a Job that fails",
        case: "kubernetes/pod-deleted",
        spoil: Spoil::Objects(|one| silent(one, "BackoffLimitExceeded")),
        says: "grpc-job-1-1 failed without a Warning event BackoffLimitExceeded",
    },
    Defect {
        name: "a Job is not deleted",
        case: "kubernetes/job-deleted",
        spoil: Spoil::Kube(nothing_is_deleted, |_, _| {}),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "what is created is accepted",
        case: "kubernetes/predictable-port-in-use",
        spoil: cluster_answers(|answer, _| {
            if answer.status == 201 {
                answer.status = 202;
            }
        }),
        says: "create service grpc-service-999-999999: the status is 202, and not 201",
    },
    Defect {
        name: "what is there already is in conflict",
        case: "kubernetes/predictable-port-in-use",
        spoil: cluster_answers(|answer, _| {
            answer.body = answer.text().replace("AlreadyExists", "Conflict").into_bytes();
        }),
        says: "kind, status, reason and code of a refusal",
    },
    Defect {
        name: "two Services have one port",
        case: "kubernetes/predictable-port-in-use",
        spoil: Spoil::Kube(
            |asked| {
                // Somebody else's port, so that it is not taken.
                let body = asked.body.take().map(|body| String::from_utf8_lossy(&body).into_owned());
                asked.body = body.map(|body| {
                    let other = body.contains("999-999998");
                    if other { body.replace("\"nodePort\":12302", "\"nodePort\":12390") } else { body }
                        .into_bytes()
                });
            },
            |_, _| {},
        ),
        says: "create service grpc-service-999-999998: the status is 201, and not 422",
    },
    Defect {
        name: "who watches sees a Job of a refused request",
        case: "kubernetes/invalid-no-orchestration",
        spoil: Spoil::Events(|event| {
            let mut other = event.clone();
            if event["type"] == "ADDED" {
                other["object"]["metadata"]["name"] = json!("grpc-job-1-0");
            }
            vec![other, event]
        }),
        says: "the first job that the watch tells of",
    },
    Defect {
        name: "a refused request leaves a Service",
        case: "kubernetes/invalid-no-orchestration",
        spoil: cluster_answers(|answer, past| {
            let lists = past.iter().filter(|one| one.request.path == answer.request.path).count();
            if asked(answer, "GET", "/services?") && lists % 2 == 1 {
                let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                let mut left = body["items"][0].clone();
                left["metadata"]["name"] = json!("grpc-service-1-1");
                body["items"].as_array_mut().map(|items| items.push(left)).unwrap_or_default();
                answer.body = body.to_string().into_bytes();
            }
        }),
        says: "INV-REFUSE: what must be refused left service grpc-service-1-1 in the cluster",
    },
    Defect {
        name: "who watches sees a Service survive",
        case: "kubernetes/rollback-on-failure",
        spoil: Spoil::Events(|event| {
            let service = event["object"]["kind"] == "Service";
            if service && event["type"] == "DELETED" { Vec::new() } else { vec![event] }
        }),
        says: "who watches Service objects sees these survive: grpc-service-1-",
    },
    Defect {
        name: "scaling is ignored",
        case: "kubernetes/mongo-outage",
        spoil: Spoil::Kube(
            |asked| {
                if asked.path.contains("/scale") {
                    (asked.method, asked.body) = (Method::GET, None);
                }
            },
            |_, _| {},
        ),
        says: "spec.replicas of the scale of mongodb",
    },
    Defect {
        name: "pods outlive their workload",
        case: "kubernetes/rabbit-outage",
        spoil: cluster_answers(|answer, past| {
            if asked(answer, "GET", "instance%3Drabbitmq-panda")
                && let Some(first) = past.iter().find(|one| one.request.path == answer.request.path)
            {
                answer.body = first.body.clone();
            }
        }),
        says: "after 60 s: rabbitmq-panda was scaled to 0, but has",
    },
    Defect {
        name: "a pod was restarted",
        case: "kubernetes/clean-startup",
        spoil: Spoil::Objects(|one| {
            object(one, "Pod", |pod| pod["status"]["containerStatuses"][0]["restartCount"] = json!(3))
        }),
        says: "restartCount of pod panda-panda-focus-server-",
    },
    Defect {
        name: "the log of the start tells of a crash",
        case: "kubernetes/clean-startup",
        spoil: cluster_answers(|answer, _| log(answer, |text| format!("recovering from a CRASH\n{text}"))),
        says: "says \"crash\": recovering from a CRASH",
    },
    Defect {
        name: "a node is not ready",
        case: "kubernetes/workloads-ready",
        spoil: Spoil::Objects(|one| {
            object(one, "Node", |node| {
                let conditions = node["status"]["conditions"].as_array_mut().into_iter().flatten();
                for condition in conditions.filter(|condition| condition["type"] == "Ready") {
                    condition["status"] = json!("Unknown");
                }
            })
        }),
        says: "condition Ready of node",
    },
    Defect {
        name: "a Deployment is not available",
        case: "kubernetes/workloads-ready",
        spoil: Spoil::Objects(|one| {
            object(one, "Deployment", |one| {
                one["status"].as_object_mut().map(|status| status.remove("conditions"));
            })
        }),
        says: "condition Available of panda-panda-focus-server",
    },
    Defect {
        name: "a StatefulSet counts no pod",
        case: "kubernetes/workloads-ready",
        spoil: Spoil::Objects(|one| {
            object(one, "StatefulSet", |one| {
                one["status"].as_object_mut().map(|status| status.remove("readyReplicas"));
            })
        }),
        says: "rabbitmq-panda: 0 of 1 ready",
    },
    Defect {
        name: "a cluster without a version",
        case: "kubernetes/workloads-ready",
        spoil: cluster_answers(|answer, _| {
            if asked(answer, "GET", "/version") {
                answer.status = 403;
            }
        }),
        says: "get the version of the cluster: the status is 403, and not 200",
    },
    Defect {
        name: "the cluster does not answer",
        case: "kubernetes/workloads-ready",
        spoil: Spoil::KubeRaw(Raw::Stall),
        says: "get the version of the cluster: no whole answer within 1 s",
    },
];
