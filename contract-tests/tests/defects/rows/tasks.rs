//! Servers whose task API is not what it says.

use serde_json::{Value, json};

use crate::broken::{Defect, Spoilable as _, answers, asks};

/// Changes what is said about a task's rows.
fn rows(body: &mut Value, by: impl FnMut(&mut Value)) {
    let blocks = body.as_array_mut().into_iter().flatten();
    blocks.filter_map(|block| block["rows"].as_array_mut()).flatten().for_each(by);
}

pub(crate) static ROWS: &[Defect] = &[
    Defect {
        name: "sensors are counted from 1",
        case: "tasks/task-api-sensors",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/sensors") {
                answer.change(|body| {
                    for sensor in body["sensors"].as_array_mut().expect("a list") {
                        *sensor = json!(sensor.as_u64().unwrap_or(0) + 1);
                    }
                });
            }
        }),
        says: "/sensors/0 breaks its schema: 0 was expected",
    },
    Defect {
        name: "a sensor is left out",
        case: "tasks/task-api-sensors",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/sensors") {
                answer.change(|body| drop(body["sensors"].as_array_mut().expect("a list").pop()));
            }
        }),
        says: "the body is not what the contract says",
    },
    Defect {
        name: "another task is configured",
        case: "tasks/task-api-config",
        spoil: answers(|answer, _| answer.change(|body| body["task_id"] = json!("other"))),
        says: "the body is not what the contract says",
    },
    Defect {
        name: "an id with a dot is taken",
        case: "tasks/task-api-config-id",
        spoil: asks(|asked| asked.path = asked.path.replace("a.b", "ab")),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "the sensor behind the last is taken",
        case: "tasks/task-api-config-ranges",
        spoil: asks(|asked| {
            asked.change(|body| {
                if body["sensors"]["max"].as_u64() > Some(9) {
                    body["sensors"]["max"] = json!(9);
                }
            });
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "only the first missing field is told",
        case: "tasks/task-api-config-missing",
        spoil: answers(|answer, _| {
            answer.change(|body| {
                if let Some(detail) = body["detail"].as_array_mut() {
                    detail.truncate(1);
                }
            });
        }),
        says: "detail is not what the contract says",
    },
    Defect {
        name: "no rows are one row",
        case: "tasks/task-api-waterfall-rows",
        spoil: asks(|asked| {
            if let Some(path) = asked.path.strip_suffix("/0").map(|path| format!("{path}/1")) {
                asked.path = path;
            }
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "more rows than asked for",
        case: "tasks/task-api-waterfall",
        spoil: asks(|asked| asked.path = asked.path.replace("/5", "/50")),
        says: "1 to 5 were asked for",
    },
    Defect {
        name: "rows of another canvas",
        case: "tasks/task-api-waterfall",
        spoil: answers(|answer, _| answer.change(|body| rows(body, |row| row["canvasId"] = json!("other")))),
        says: "canvasId is not what the contract says",
    },
    Defect {
        name: "rows end before they begin",
        case: "tasks/task-api-waterfall",
        spoil: answers(|answer, _| {
            answer.change(|body| rows(body, |row| row["endTimestamp"] = row["startTimestamp"].clone()));
        }),
        says: "a row from Some(",
    },
    Defect {
        name: "an amplitude outside the bounds",
        case: "tasks/task-api-waterfall",
        spoil: answers(|answer, _| {
            answer.change(|body| {
                for block in body.as_array_mut().into_iter().flatten() {
                    block["current_max_amp"] = block["current_min_amp"].clone();
                }
            });
        }),
        says: "outside (Some(",
    },
    Defect {
        name: "the same rows again",
        case: "tasks/task-api-waterfall",
        spoil: answers(|answer, past| {
            let first = past.iter().find(|one| one.is("GET", "/waterfall") && one.status == 201);
            if let Some(first) = first.filter(|_| answer.status == 201) {
                answer.body = first.body.clone();
            }
        }),
        says: "after rows at",
    },
    Defect {
        name: "a task that has exited has no data yet",
        case: "tasks/task-api-waterfall-exit",
        spoil: answers(|answer, _| {
            if answer.status == 208 {
                answer.status = 200;
            }
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "a recording is told as live",
        case: "tasks/task-api-historic",
        spoil: asks(|asked| {
            asked.change(|body| (body["start_time"], body["end_time"]) = (Value::Null, Value::Null));
        }),
        says: "the window is",
    },
    Defect {
        name: "metadata of a task before it has data",
        case: "tasks/task-api-metadata",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/metadata") && answer.status == 200 {
                answer.status = 201;
            }
        }),
        says: "the answer breaks the OpenAPI document",
    },
    Defect {
        name: "keys in another order",
        case: "snapshots/tasks",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/waterfall") {
                answer.change(|body| {
                    rows(body, |row| {
                        let canvas = row.as_object_mut().and_then(|row| row.shift_remove("canvasId"));
                        row["canvasId"] = canvas.unwrap_or_default();
                    });
                });
            }
        }),
        says: "is not the approved snapshot",
    },
];
