//! Servers that do something else than they should when the systems around them fail, or a job cannot have what it
//! needs.

use focus_contract::client::rest::Exchange;
use reqwest::Method;
use serde_json::json;

use crate::broken::{Defect, Spoil, Spoilable as _, answers, before, header};

/// Whether it is the answer to a configuration that was refused with that code.
fn refused(answer: &Exchange, code: &str) -> bool {
    let has = String::from_utf8_lossy(&answer.body).contains(&format!("\"code\":\"{code}\""));
    answer.is("POST", "/configure") && has
}

/// Leaves out when to ask again.
fn late(answer: &mut Exchange, code: &str) {
    if refused(answer, code) {
        header(answer, "retry-after", None);
    }
}

pub(crate) static ROWS: &[Defect] = &[
    Defect {
        name: "an outage does not say when to try again",
        case: "outages/waiting-for-fiber",
        spoil: answers(|answer, _| late(answer, "WAITING_FOR_FIBER")),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "a fibre that is awaited is answered as one that is ready",
        case: "outages/live-metadata",
        spoil: answers(|answer, past| {
            let first = past.iter().find(|one| one.is("GET", "/live_metadata"));
            if let Some(first) = first.filter(|_| answer.is("GET", "/live_metadata")) {
                answer.body = first.body.clone();
            }
        }),
        says: "the body is not what the contract says",
    },
    Defect {
        name: "no list of recordings is an empty list",
        case: "outages/mongo-outage",
        spoil: answers(|answer, _| {
            if answer.is("POST", "/recordings") && answer.status == 503 {
                answer.status = 200;
                header(answer, "retry-after", None);
                answer.body = b"[]".to_vec();
            }
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "without a broker jobs are said to be too many",
        case: "outages/rabbit-outage",
        spoil: answers(|answer, _| {
            if refused(answer, "BROKER_UNAVAILABLE") {
                answer.change(|body| body["code"] = json!("CAPACITY_EXHAUSTED"));
            }
        }),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "recordings that are gone are an outage",
        case: "outages/no-recordings",
        spoil: answers(|answer, _| {
            if refused(answer, "NO_RECORDING") {
                answer.status = 503;
            }
        }),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "what the cluster refuses is the caller's fault",
        case: "outages/cluster-refuses",
        spoil: answers(|answer, _| {
            if refused(answer, "JOB_CREATION_FAILED") {
                answer.status = 400;
            }
        }),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "a server that is down still says that it is well",
        case: "outages/server-down",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/ack") {
                answer.status = 200;
                answer.headers.retain(|(name, _)| name == "x-request-id");
                header(answer, "content-length", Some("0"));
                answer.body = Vec::new();
            }
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "the newest recording goes on without a recorder",
        case: "outages/recorder-down",
        spoil: answers(|answer, _| {
            if answer.is("POST", "/recordings") {
                answer.change(|body| {
                    if let Some(newest) = body.as_array_mut().and_then(|all| all.last_mut()) {
                        newest[1] = json!(-1);
                    }
                });
            }
        }),
        says: "the end of the newest recording is not what the contract says",
    },
    Defect {
        name: "outages come before mistakes",
        case: "outages/mistakes-stay-mistakes",
        spoil: answers(|answer, past| {
            if refused(answer, "INVALID_VALUE") && before(past, "POST", "/configure", 400) == 3 {
                answer.status = 503;
                header(answer, "retry-after", Some("1"));
            }
        }),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "an outage has another sentence",
        case: "outages/row-by-row",
        spoil: answers(|answer, _| {
            if refused(answer, "RECORDINGS_UNAVAILABLE") {
                answer.change(|body| body["error"] = json!("Recordings are unavailable"));
            }
        }),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "a job is forgotten in an outage",
        case: "outages/streams-go-on",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/metadata") {
                answer.status = 404;
            }
        }),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "a port conflict names no port",
        case: "prelaunch/port-availability-held",
        spoil: answers(|answer, _| {
            if refused(answer, "PORT_IN_USE") {
                answer.change(|body| body["error"] = json!("Port is already in use"));
            }
        }),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "a left-over Service is another process",
        case: "prelaunch/predictable-port-in-use",
        spoil: answers(|answer, _| {
            if refused(answer, "PORT_IN_USE") {
                answer.change(|body| {
                    let said = body["error"].as_str().unwrap_or_default();
                    body["error"] = json!(said.replace("an existing service", "another process"));
                });
            }
        }),
        says: "/error is not what the contract says",
    },
    Defect {
        name: "a port that is skipped is the job's all the same",
        case: "prelaunch/port-in-use-skipped",
        spoil: answers(|answer, past| {
            if answer.is("POST", "/configure") && before(past, "POST", "/configure", 200) == 1 {
                answer.change(|body| body["job_id"] = json!("1-1"));
            }
        }),
        says: "slot and port of a job that skips",
    },
    Defect {
        name: "a half-made job is made",
        case: "jobs/rollback-on-failure",
        spoil: answers(|answer, _| {
            if refused(answer, "JOB_CREATION_FAILED") {
                answer.status = 500;
            }
        }),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "what could not be given back is a conflict",
        case: "jobs/rollback-that-fails",
        spoil: answers(|answer, _| {
            if refused(answer, "JOB_CREATION_FAILED") {
                answer.status = 409;
            }
        }),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "the limit is not the one that was set",
        case: "capacity/limit-of-jobs",
        spoil: answers(|answer, _| {
            if refused(answer, "CAPACITY_EXHAUSTED") {
                answer.change(|body| {
                    let said = body["error"].as_str().unwrap_or_default();
                    body["error"] = json!(said.replace("limit of 2", "limit of 1024"));
                });
            }
        }),
        says: "/error is not what the contract says",
    },
    Defect {
        name: "a job that waits is unknown",
        case: "capacity/gpu-pending",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/metadata") {
                answer.status = 404;
            }
        }),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "a full pool takes one more",
        case: "capacity/gpu-rejected",
        spoil: answers(|answer, _| {
            if refused(answer, "CAPACITY_EXHAUSTED") {
                answer.status = 429;
            }
        }),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "a lower limit of transforms is not named",
        case: "nfft/nfft-limit",
        spoil: answers(|answer, _| {
            if refused(answer, "INVALID_VALUE") {
                let text = String::from_utf8_lossy(&answer.body).replace("maximum 2048", "maximum 65536");
                answer.body = text.into_bytes();
            }
        }),
        says: "detail is not what the contract says",
    },
    Defect {
        name: "a job that failed was made",
        case: "properties/troubled-sequences",
        spoil: Spoil::Rest(
            |asked| {
                // A job that nobody can cancel is there for ever.
                if asked.is("DELETE", "/job/") {
                    asked.method = Method::GET;
                }
            },
            |_, _| {},
        ),
        says: "the status is not what the contract says",
    },
];
