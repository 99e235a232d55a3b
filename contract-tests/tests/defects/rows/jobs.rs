//! Servers that do something else with jobs than they say.

use focus_contract::client::rest::Exchange;
use reqwest::Method;
use serde_json::json;

use crate::broken::{Defect, Spoil, Spoilable as _, answers, before, body};
use crate::raw::Raw;

/// A refusal as that of an id that nobody has.
fn unknown(answer: &mut Exchange) {
    let id = answer.header("x-request-id").unwrap_or_default().to_owned();
    answer.status = 404;
    body(
        answer,
        "application/json",
        &format!(r#"{{"error":"Invalid job_id","code":"UNKNOWN_JOB","request_id":"{id}"}}"#),
    );
}

fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

pub(crate) static ROWS: &[Defect] = &[
    Defect {
        name: "the document comes late",
        case: "jobs/clean-startup",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/openapi.json") {
                answer.status = 202;
            }
        }),
        says: "status 202 is not listed for GET /openapi.json",
    },
    Defect {
        name: "one slot for two jobs",
        case: "jobs/two-jobs",
        spoil: answers(|answer, _| {
            if answer.is("POST", "/configure") {
                answer.change(|body| {
                    let id = body["job_id"].as_str().unwrap_or_default().replace("2-", "1-");
                    body["job_id"] = json!(id);
                });
            }
        }),
        says: "two jobs share slot 1",
    },
    Defect {
        name: "nobody listens",
        case: "jobs/connect-stream-port",
        spoil: answers(|answer, _| {
            if answer.is("POST", "/configure") {
                answer.change(|body| body["stream_port"] = json!(1));
            }
        }),
        says: "nobody listens on",
    },
    Defect {
        name: "a job is forgotten",
        case: "jobs/metadata-by-job-id",
        spoil: answers(|answer, past| {
            if answer.is("GET", "/metadata") && before(past, "GET", "/metadata", 200) == 4 {
                unknown(answer);
            }
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "a job is forgotten while it streams",
        case: "jobs/metadata-by-job-id-streaming",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/metadata") {
                unknown(answer);
            }
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "whatever is cancelled was there",
        case: "jobs/metadata-by-job-id-unknown",
        spoil: answers(|answer, _| {
            if answer.is("DELETE", "/job/9999-9999") {
                answer.status = 200;
                answer.body = br#"{"status":"cancelled","job_id":"9999-9999"}"#.to_vec();
            }
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "cancelling does nothing",
        case: "jobs/cancellation-and-cleanup",
        spoil: Spoil::Rest(
            |asked| {
                if asked.is("DELETE", "/job/") {
                    asked.method = Method::GET;
                    asked.path = asked.path.replace("/job/", "/metadata/");
                }
            },
            |answer, _| {
                if answer.is("DELETE", "/job/") && answer.status == 200 {
                    let id = id_of(&answer.request.path).to_owned();
                    answer.body = format!(r#"{{"status":"cancelled","job_id":"{id}"}}"#).into_bytes();
                }
            },
        ),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "the next job gets another port",
        case: "jobs/cancellation-and-cleanup",
        spoil: answers(|answer, past| {
            if answer.is("POST", "/configure") && before(past, "POST", "/configure", 200) == 2 {
                answer.change(|body| body["stream_port"] = json!(4711));
            }
        }),
        says: "slot and port of the next job is not what the contract says",
    },
    Defect {
        name: "ports do not follow slots",
        case: "jobs/slots-and-sequence",
        spoil: answers(|answer, past| {
            if answer.is("POST", "/configure") && before(past, "POST", "/configure", 200) == 2 {
                answer.change(|body| body["stream_port"] = json!(4711));
            }
        }),
        says: "INV-PORT: ports minus slots",
    },
    Defect {
        name: "a job dies too early",
        case: "jobs/idle-sweep-read",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/metadata") {
                unknown(answer);
            }
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "a job never goes",
        case: "jobs/idle-sweep",
        spoil: answers(|answer, past| {
            let first = past.iter().find(|one| one.is("GET", "/metadata") && one.status == 200);
            if let Some(first) = first.filter(|_| answer.is("GET", "/metadata")) {
                let first = first.clone();
                (answer.status, answer.headers, answer.body) = (first.status, first.headers, first.body);
            }
        }),
        says: "INV-GONE: after 52 s job",
    },
    Defect {
        name: "another port than that of the model",
        case: "properties/job-sequences",
        spoil: answers(|answer, past| {
            if answer.is("POST", "/configure") && before(past, "POST", "/configure", 200) >= 1 {
                answer.change(|body| {
                    if body["stream_port"].is_u64() {
                        body["stream_port"] = json!(4711);
                    }
                });
            }
        }),
        says: "smallest input",
    },
    Defect {
        name: "a port that speaks no HTTP/2",
        case: "streams/grpc-validity",
        spoil: Spoil::Ports(Raw::Garbage),
        says: "stream 0:",
    },
    Defect {
        name: "a port that accepts and hangs",
        case: "streams/grpc-validity",
        spoil: Spoil::Ports(Raw::Stall),
        says: "no answer to the call within 1 s",
    },
    Defect {
        name: "no connection to a port lasts",
        case: "streams/grpc-live-frames",
        spoil: Spoil::Ports(Raw::Close),
        says: "stream 0:",
    },
];
