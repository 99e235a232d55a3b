//! What a server tells without being asked for much: that it is there, its fibre, its recordings.

use std::time::Duration;

use serde_json::{Value, json};

use crate::broken::{Defect, Spoil, Spoilable as _, answers, asks, before, body, header};
use crate::raw::Raw;

pub(crate) static ROWS: &[Defect] = &[
    Defect {
        name: "ack has a body",
        case: "health/ack-contract",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/ack") {
                body(answer, "text/plain", "ok");
            }
        }),
        says: "an empty body without content-type is listed",
    },
    Defect {
        name: "HEAD is answered as GET",
        case: "health/ack-contract",
        spoil: answers(|answer, _| {
            if answer.is("HEAD", "/ack") {
                answer.status = 200;
            }
        }),
        says: "status 200 for a method that is not listed, instead of 405",
    },
    Defect {
        name: "connections are reset",
        case: "health/ack-contract",
        spoil: Spoil::Raw(Raw::Reset),
        says: "GET /ack: no whole answer",
    },
    Defect {
        name: "credentials are judged",
        case: "health/ack-headers",
        spoil: answers(|answer, _| {
            if answer.request.headers.iter().any(|(name, _)| name == "authorization") {
                answer.status = 401;
            }
        }),
        says: "status 401 is not listed for GET /ack",
    },
    Defect {
        name: "no request id",
        case: "health/ack-headers",
        spoil: answers(|answer, _| header(answer, "x-request-id", None)),
        says: "header x-request-id is missing",
    },
    Defect {
        name: "the range changes",
        case: "fibre/channels-stable",
        spoil: answers(|answer, past| {
            if before(past, "GET", "/channels", 200) == 2 {
                answer.change(|body| body["highest_channel"] = json!(2000));
            }
        }),
        says: "the body is not what the contract says",
    },
    Defect {
        name: "slow",
        case: "fibre/channels-stable",
        spoil: Spoil::Late("/channels", Duration::from_millis(1050)),
        says: "/channels took 1.",
    },
    Defect {
        name: "a body is truncated",
        case: "fibre/channels-stable",
        spoil: Spoil::Raw(Raw::Truncated),
        says: "GET /channels: no whole answer",
    },
    Defect {
        name: "a connection ends in the middle of a body",
        case: "fibre/channels-stable",
        spoil: Spoil::Raw(Raw::EarlyClose),
        says: "GET /channels: no whole answer",
    },
    Defect {
        name: "never answers",
        case: "fibre/channels-stable",
        spoil: Spoil::Raw(Raw::Stall),
        says: "operation timed out",
    },
    Defect {
        name: "stalls inside a body",
        case: "fibre/live-metadata-ready",
        spoil: Spoil::Raw(Raw::StallInside),
        says: "operation timed out",
    },
    Defect {
        name: "a field is missing",
        case: "fibre/live-metadata-ready",
        spoil: answers(|answer, _| {
            answer.change(|body| drop(body.as_object_mut().and_then(|body| body.shift_remove("dtype"))));
        }),
        says: "\"dtype\" is a required property",
    },
    Defect {
        name: "a field has a wrong type",
        case: "fibre/live-metadata-ready",
        spoil: answers(|answer, _| answer.change(|body| body["number_of_channels"] = json!("2222"))),
        says: "/number_of_channels breaks its schema",
    },
    Defect {
        name: "a float loses its fraction",
        case: "fibre/live-metadata-ready",
        spoil: answers(|answer, _| answer.change(|body| body["prr"] = json!(2000))),
        says: "prr 2000 is no float above 0",
    },
    Defect {
        name: "HTML instead of JSON",
        case: "fibre/live-metadata-ready",
        spoil: answers(|answer, _| body(answer, "text/html", "<html>Bad gateway</html>")),
        says: "content-type application/json is listed, not Some(\"text/html\")",
    },
    Defect {
        name: "HTML that calls itself JSON",
        case: "fibre/live-metadata-ready",
        spoil: answers(|answer, _| body(answer, "application/json", "<html>Bad gateway</html>")),
        says: "the body is not JSON",
    },
    Defect {
        name: "the list is not sorted",
        case: "recordings/recordings-list",
        spoil: answers(|answer, _| answer.change(|body| body.as_array_mut().expect("a list").reverse())),
        says: "the recordings are not sorted by start",
    },
    Defect {
        name: "a recording of another time is listed",
        case: "recordings/recordings-list",
        spoil: answers(|answer, _| {
            answer.change(|body| body.as_array_mut().expect("a list").insert(0, json!([1000, 2000])));
        }),
        says: "recording [1000, 2000] does not overlap",
    },
    Defect {
        name: "a recording is listed twice",
        case: "recordings/recordings-list",
        spoil: answers(|answer, _| {
            answer.change(|body| {
                let list = body.as_array_mut().expect("a list");
                *list = list.iter().flat_map(|recording| [recording.clone(), recording.clone()]).collect();
            });
        }),
        says: "a recording is listed twice",
    },
    Defect {
        name: "recordings are cut to the range",
        case: "recordings/recordings-list",
        spoil: answers(|answer, _| {
            let asked: Value = serde_json::from_slice(answer.request.body.as_deref().unwrap_or_default())
                .unwrap_or_default();
            answer.change(|body| {
                for recording in body.as_array_mut().into_iter().flatten() {
                    recording[0] = recording[0].as_i64().max(asked["start_time"].as_i64()).into();
                }
            });
        }),
        says: "the body is not what the contract says",
    },
    Defect {
        name: "a range without length is taken",
        case: "recordings/recordings-list-refusals",
        spoil: asks(|asked| {
            asked.change(|body| {
                if body["end_time"] == 7 && body["start_time"] == 7 {
                    body["end_time"] = json!(8);
                }
            });
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "the recorder lags behind",
        case: "recordings/recordings-list-grows",
        spoil: answers(|answer, _| {
            answer.change(|body| {
                if let Some(last) = body.as_array_mut().and_then(|list| list.last_mut()) {
                    last[1] = (last[1].as_i64().unwrap_or(0) - 60).into();
                }
            });
        }),
        says: "the newest recording ends at",
    },
    Defect {
        name: "no page but its words",
        case: "recordings/timeline-html",
        spoil: answers(|answer, _| body(answer, "text/plain", "recordings")),
        says: "content-type text/html; charset=utf-8 is listed",
    },
    Defect {
        name: "one port for two jobs",
        case: "prelaunch/port-availability",
        spoil: answers(|answer, past| {
            let first = past.iter().find(|one| one.is("POST", "/configure"));
            if let Some(first) = first.and_then(|first| serde_json::from_slice::<Value>(&first.body).ok()) {
                answer.change(|body| {
                    if body["stream_port"] != Value::Null {
                        body["stream_port"] = first["stream_port"].clone();
                    }
                });
            }
        }),
        says: "two jobs share the port",
    },
    Defect {
        name: "the job has another rate than the fibre",
        case: "prelaunch/data-availability-live",
        spoil: answers(|answer, _| {
            if answer.is("POST", "/configure") {
                answer.change(|body| body["metadata"]["parent"]["prr"] = json!(1000));
            }
        }),
        says: "/metadata/parent/prr is not what the contract says",
    },
    Defect {
        name: "the metadata are not those of the answer",
        case: "prelaunch/data-availability-historic",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/metadata") {
                answer.change(|body| body["lines_dt"] = json!(0.02));
            }
        }),
        says: "the body is not what the contract says",
    },
    Defect {
        name: "a gap is taken, and refused in the body",
        case: "prelaunch/data-availability-historic-gap",
        spoil: answers(|answer, past| {
            if answer.is("POST", "/configure") && past.len() == 1 {
                answer.status = 200;
            }
        }),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "an error that tells of 500",
        case: "prelaunch/predictable-no-data",
        spoil: answers(|answer, _| answer.change(|body| body["error"] = json!("500: no recording"))),
        says: "/error breaks its schema: \"No recording found in given time range\" was expected",
    },
    Defect {
        name: "an internal error for what is not recorded",
        case: "prelaunch/predictable-no-data",
        spoil: answers(|answer, _| answer.status = 500),
        says: "status 500 is not listed for POST /configure",
    },
];
