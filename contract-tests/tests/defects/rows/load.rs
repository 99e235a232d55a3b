//! Servers that break under load, or are too slow for it.

use focus_contract::client::rest::Exchange;
use serde_json::{Value, json};
use tonic::Status;

use crate::broken::{Defect, Spoil, Spoilable as _, answers};
use crate::port::Says;
use crate::raw::Raw;

/// Refuses every so-manieth configuration.
macro_rules! refuses_every {
    ($number:literal) => {
        Spoil::Rule(concat!(
            r#"{"at": "rest.configure.before", "do": {"refuse": "CAPACITY_EXHAUSTED"}, "when": {"every": "#,
            $number,
            "}}"
        ))
    };
}

/// Answers a route so much later on its clock.
macro_rules! late {
    ($route:literal, $delay:literal) => {
        Spoil::Rule(concat!(r#"{"at": "rest."#, $route, r#".before", "delay": ""#, $delay, r#""}"#))
    };
}

/// A job that is told of as if it still were there. The first slot is always among those of a run.
fn immortal(answer: &mut Exchange, past: &[Exchange]) {
    if !answer.is("GET", "/metadata/1-") || answer.status != 404 {
        return;
    }
    let id = answer.route().trim_start_matches("/metadata/").to_owned();
    let named = |one: &&Exchange| one.is("POST", "/configure") && one.text().contains(&format!("\"{id}\""));
    if let Some(configured) = past.iter().find(named) {
        answer.status = 200;
        answer.body = configured.body.clone();
    }
}

/// Ends every stream behind so many frames.
fn ends(after: u64, number: u64, says: Says) -> Vec<Says> {
    if number < after { vec![says] } else { vec![Says::End(Status::unavailable("gone"))] }
}

/// Puts the value of the first job that was answered with into later ones.
fn as_the_first(answer: &mut Exchange, past: &[Exchange], key: &str) {
    if !answer.is("POST", "/configure") || answer.status != 200 {
        return;
    }
    if let Some(first) = past.iter().find(|one| one.is("POST", "/configure") && one.status == 200) {
        let first: Value = serde_json::from_slice(&first.body).unwrap_or_default();
        answer.change(|body| body[key] = first[key].clone());
    }
}

pub(crate) static ROWS: &[Defect] = &[
    Defect {
        name: "the sign of life takes a second",
        case: "load/ack-connectivity",
        spoil: late!("ack", "1s"),
        says: "GET /ack: the longest latency of 1 is 1000 ms, it must be less than 1000 ms",
    },
    Defect {
        name: "signs of life take half a second",
        case: "load/ack-load",
        spoil: late!("ack", "500ms"),
        says: "GET /ack over 20 workers: the mean latency of 10 is 500 ms, it must be less than 500 ms",
    },
    Defect {
        name: "signs of life take longer the longer the minute lasts",
        case: "load/ack-load",
        spoil: Spoil::Rule(r#"{"at": "rest.ack.before", "when": {"after": 725}, "delay": "800ms"}"#),
        says: "GET /ack for a minute: the p95 latency of 600 is 800 ms, it must be less than 800 ms",
    },
    Defect {
        name: "a sign of life in a hundred is missing",
        case: "load/ack-load",
        spoil: Spoil::Rule(
            r#"{"at": "rest.ack.before", "when": {"every": 100}, "do": {"status": {"code": 502}}}"#,
        ),
        says: "GET /ack over 20 workers: 99 of 100 succeeded, all must",
    },
    Defect {
        name: "the channels take a second while jobs run",
        case: "load/ack-and-channels",
        spoil: late!("channels", "1s"),
        says: "GET /channels while jobs run: the p95 latency of 250 is 1000 ms",
    },
    Defect {
        name: "signs of life get lost while jobs run",
        case: "load/ack-and-channels",
        spoil: Spoil::Rule(
            r#"{"at": "rest.ack.before", "when": {"every": 100}, "do": {"status": {"code": 502}}}"#,
        ),
        says: "GET /ack while jobs run: 248 of 250 succeeded, more than 99.5 % must",
    },
    Defect {
        name: "the channels take a tenth of a second",
        case: "load/single-requests",
        spoil: late!("channels", "100ms"),
        says: "GET /channels: the longest latency of 1 is 100 ms, it must be less than 100 ms",
    },
    Defect {
        name: "every fifth configuration is refused",
        case: "load/parallel-configures",
        spoil: refuses_every!(5),
        says: "configures at once: 40 of 50 succeeded, all must; the first that did not: POST /configure answers 503 \
               CAPACITY_EXHAUSTED",
    },
    Defect {
        name: "an id is given twice",
        case: "load/parallel-configures",
        spoil: answers(|answer, past| as_the_first(answer, past, "job_id")),
        says: "was given twice",
    },
    Defect {
        name: "a port is given twice",
        case: "load/parallel-configures",
        spoil: answers(|answer, past| as_the_first(answer, past, "stream_port")),
        says: "live at a time, and both have port",
    },
    Defect {
        name: "ten configurations at once take more than ten seconds",
        case: "load/concurrent-configures",
        spoil: late!("configure", "10001ms"),
        says: "10 configures at once: the mean latency of 10 is 10001 ms, it must be at most 10000 ms",
    },
    Defect {
        name: "a configuration takes half a second",
        case: "load/configure-latency",
        spoil: late!("configure", "500ms"),
        says: "the first 20 configures: the p95 latency of 20 is 500 ms, it must be less than 500 ms",
    },
    Defect {
        name: "a sixteenth of the configurations is refused",
        case: "load/configure-latency",
        spoil: refuses_every!(16),
        says: "100 configures in turn: 94 of 100 succeeded, at least 95 % must",
    },
    Defect {
        name: "a single job takes a second",
        case: "load/baseline",
        spoil: late!("configure", "1s"),
        says: "one configure: the mean latency of 1 is 1000 ms, it must be less than 1000 ms",
    },
    Defect {
        name: "a fifth of few configurations is refused",
        case: "load/linear",
        spoil: refuses_every!(5),
        says: "5 configures at once: 4 of 5 succeeded, at least 90 % must",
    },
    Defect {
        name: "half of forty configurations is refused",
        case: "load/stress-40",
        spoil: refuses_every!(2),
        says: "20 of 40 succeeded, more than 50 % must",
    },
    Defect {
        name: "a third of the heavy configurations is refused",
        case: "load/heavy-10",
        spoil: refuses_every!(3),
        says: "10 heavy configures over 5 workers: 7 of 10 succeeded, at least 80 % must",
    },
    Defect {
        name: "after twenty jobs the next takes a second",
        case: "load/recovery",
        spoil: Spoil::Rule(r#"{"at": "rest.configure.before", "when": {"after": 20}, "delay": "1s"}"#),
        says: "one configure: the mean latency of 1 is 1000 ms",
    },
    Defect {
        name: "a job outlives its streams",
        case: "load/cleanup",
        spoil: answers(immortal),
        says: "1 of 10 jobs are still there 60 s after their streams were closed: 1-",
    },
    Defect {
        name: "a job has ten pods",
        case: "load/pod-explosion",
        spoil: Spoil::Objects(|object| {
            let streams =
                object["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("grpc-job-"));
            if object["kind"] != "Pod" || !streams {
                return vec![object];
            }
            let another = |number: u32| {
                let mut other = object.clone();
                other["metadata"]["name"] = json!(format!("grpc-job-{number}-4711-abcde"));
                other
            };
            std::iter::once(object.clone()).chain((0..9).map(another)).collect()
        }),
        says: "180 grpc-job pods while its jobs live belong to no job of the run, 0 did before it",
    },
    Defect {
        name: "a fifth of a rising rate is refused",
        case: "load/rate-ramp",
        spoil: refuses_every!(5),
        says: "configures: 120 of 150 succeeded, at least 85 % must",
    },
    Defect {
        name: "a quarter of a spike is refused",
        case: "load/rate-spike",
        spoil: refuses_every!(4),
        says: "configures: 120 of 160 succeeded, at least 80 % must",
    },
    Defect {
        name: "a fifth of a steady rate is refused",
        case: "load/rate-steady",
        spoil: refuses_every!(5),
        says: "configures: 180 of 225 succeeded, at least 90 % must",
    },
    Defect {
        name: "a sixth of a slow rate is refused",
        case: "load/rate-sustained",
        spoil: refuses_every!(6),
        says: "configures: 10 of 12 succeeded, at least 90 % must",
    },
    Defect {
        name: "a burst leaves the server slow",
        case: "load/rate-recovery",
        spoil: Spoil::Rule(r#"{"at": "rest.configure.before", "when": {"after": 200}, "delay": "5001ms"}"#),
        says: "configures: the mean latency of 10 is 5001 ms, it must be at most 5000 ms",
    },
    Defect {
        name: "answers come ever later than asked for",
        case: "load/rate-peak",
        spoil: late!("configure", "6s"),
        says: "3.88 configures a second were answered with a job, at least 4 wanted",
    },
    Defect {
        name: "a job of many is never cleaned up",
        case: "load/rate-exhaustion",
        spoil: answers(immortal),
        says: "1 of 225 jobs are still there 60 s after they were cancelled, such as 1-",
    },
    Defect {
        name: "streams end after three frames",
        case: "load/gradual-live",
        spoil: Spoil::Frames(|number, says| ends(3, number, says)),
        says: "0 of 3 steps were healthy, at least 70 % must be; first trouble: stream 0 ended",
    },
    Defect {
        name: "a quarter of a hundred jobs is refused",
        case: "load/gradual-live-100",
        spoil: refuses_every!(4),
        says: "75 jobs were reached, at least 80 wanted; first trouble: POST /configure answers 503 CAPACITY_EXHAUSTED",
    },
    Defect {
        name: "recorded streams break off",
        case: "load/gradual-historic",
        spoil: Spoil::Frames(|number, says| ends(20, number, says)),
        says: "0 of 3 steps were healthy, at least 70 % must be; first trouble: stream 0 of job",
    },
    Defect {
        name: "a quarter of a hundred recorded jobs is refused",
        case: "load/gradual-historic-100",
        spoil: refuses_every!(4),
        says: "0 of 3 steps were healthy",
    },
    Defect {
        name: "a live stream ends after three frames",
        case: "load/live-flow",
        spoil: Spoil::Frames(|number, says| ends(3, number, says)),
        says: "0 of 1 jobs went their whole way, at least 95 % must; the first that did not: stream 0 ended after 3 frames",
    },
    Defect {
        name: "nobody speaks gRPC on the port of a job",
        case: "load/live-flow",
        spoil: Spoil::Ports(Raw::Close),
        says: "the first that did not: after 10 retries",
    },
    Defect {
        name: "a heavy job takes twenty seconds",
        case: "load/live-flow-heavy",
        spoil: late!("configure", "20s"),
        says: "the whole way took 20500 ms at p95, it must be less than 20000 ms",
    },
    Defect {
        name: "one of six jobs in turn is refused",
        case: "load/live-flow-sustained",
        spoil: refuses_every!(6),
        says: "10 of 12 jobs went their whole way, at least 95 % must",
    },
    Defect {
        name: "a recorded stream breaks off",
        case: "load/historic-flow",
        spoil: Spoil::Frames(|number, says| ends(20, number, says)),
        says: "0 of 1 jobs went their whole way, at least 90 % must; the first that did not: stream 0 of job",
    },
    Defect {
        name: "one of three heavy recorded jobs is refused",
        case: "load/historic-flow-heavy",
        spoil: refuses_every!(3),
        says: "2 of 3 jobs went their whole way, at least 90 % must",
    },
    Defect {
        name: "one of six recorded jobs in turn is refused",
        case: "load/historic-flow-sustained",
        spoil: refuses_every!(6),
        says: "10 of 12 jobs went their whole way, at least 90 % must",
    },
    Defect {
        name: "every third row of a task is lost",
        case: "load/waterfall-rates",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/waterfall/") {
                answer.change(|body| {
                    let blocks = body.as_array_mut().into_iter().flatten();
                    for rows in blocks.filter_map(|block| block["rows"].as_array_mut()) {
                        let mut place = 0;
                        rows.retain(|_| {
                            place += 1;
                            place % 3 != 0
                        });
                    }
                });
            }
        }),
        says: "rows a second came, at least 500 wanted",
    },
    Defect {
        name: "a fifteenth of all requests fails",
        case: "load/mixed-ramp",
        spoil: Spoil::Rule(
            r#"{"at": "rest.before", "when": {"every": 15}, "do": {"status": {"code": 502}}}"#,
        ),
        says: "succeeded, at least 95 % must",
    },
    Defect {
        name: "no user can configure",
        case: "load/mixed-steady",
        spoil: refuses_every!(1),
        says: "succeeded, at least 95 % must; the first that did not: POST /configure answers 503 CAPACITY_EXHAUSTED",
    },
    Defect {
        name: "half of the lists of recordings fail",
        case: "load/mixed-spike",
        spoil: Spoil::Rule(
            r#"{"at": "rest.before", "match": {"route": "recordings"}, "when": {"every": 2}, "do": {"status": {"code": 502}}}"#,
        ),
        says: "succeeded, at least 95 % must",
    },
    Defect {
        name: "the third ping is one too many",
        case: "streams/grpc-keepalive",
        spoil: Spoil::Goaway(2, 11),
        says: "the server said GOAWAY",
    },
    Defect {
        name: "after two pings no other call is taken",
        case: "streams/grpc-keepalive",
        spoil: Spoil::Goaway(2, 0),
        says: "the server said GOAWAY",
    },
];
