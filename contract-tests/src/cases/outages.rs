//! What outages of the systems around the Focus Server do to its clients, and what they do not.

use serde_json::json;

use crate::answer::{NO_RECORDING, Refused};
use crate::bodies::{base, historic, light, with};
use crate::case::{Capability, Case, Tag};
use crate::checks;
use crate::failure::{Failure, equal, holds};
use crate::rehearse::Outside;
use crate::story::Story;

const NEEDS: &[Capability] = &[Capability::Writes, Capability::Faults];

pub(super) static CASES: &[Case] = &[
    Case {
        id: "outages/waiting-for-fiber",
        claim: "a live configuration is refused while the fibre is awaited, and accepted as soon as it delivers",
        keys: &["PZ-13547", "PZ-13873", "PZ-13561", "PZ-14713"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: NEEDS,
        steps: &[
            "the fibre is waiting: configure Base, live, and over the last hour",
            "the fibre is mixed, then ready: configure Base, live",
        ],
        expects: "503 WAITING_FOR_FIBER with retry-after 1 and no trace, 200 for history; then 200 with all invariants twice",
        body: |story| Box::pin(waiting_for_fiber(story)),
    },
    Case {
        id: "outages/live-metadata",
        claim: "GET /live_metadata tells whether the fibre is awaited, only partly known, or delivers",
        keys: &["PZ-13562", "PZ-13765", "PZ-14713", "PZ-14714"],
        tags: &[Tag::Regression],
        needs: &[Capability::Faults],
        steps: &["GET /live_metadata while the fibre is waiting, mixed, ready"],
        expects: "200 each time: exactly the waiting body; the metadata with sw_version `waiting for fiber`; the metadata",
        body: |story| Box::pin(live_metadata(story)),
    },
    Case {
        id: "outages/mongo-outage",
        claim: "without MongoDB recordings are unavailable, at once and clearly, and nothing else is",
        keys: &["PZ-13767", "PZ-13603", "PZ-13604", "PZ-13687", "PZ-13640"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: NEEDS,
        steps: &[
            "configure Light, live; then MongoDB is down",
            "configure Light over the last hour, POST /recordings_in_time_range, GET /get_recordings_timeline",
            "configure Light, live; metadata of the first job; cancel it",
            "MongoDB is up: the same again",
        ],
        expects: "503 RECORDINGS_UNAVAILABLE with retry-after 1 three times and no trace; 200 for all else; then 200 for all",
        body: |story| Box::pin(mongo_outage(story)),
    },
    Case {
        id: "outages/rabbit-outage",
        claim: "without the broker no job is created, live or historic, and running ones go on",
        keys: &["PZ-13768", "PZ-13602"],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &[
            "configure Light; then RabbitMQ is down",
            "configure Light, live and over the last hour; metadata of the first job, recordings",
            "RabbitMQ is up: configure Light",
        ],
        expects: "503 BROKER_UNAVAILABLE with retry-after 1 twice and no trace; 200 for all else",
        body: |story| Box::pin(rabbit_outage(story)),
    },
    Case {
        id: "outages/no-recordings",
        claim: "a window whose recordings are gone, or known elsewhere only, is answered as one without any",
        keys: &["PZ-13866", "PZ-14019", "PZ-13564"],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &[
            "the recordings are gone: configure Light over the last hour, and ask for the list",
            "their paths do not match: the same",
        ],
        expects: "404 NO_RECORDING twice, no trace; an empty list, then the list that there was",
        body: |story| Box::pin(no_recordings(story)),
    },
    Case {
        id: "outages/cluster-refuses",
        claim: "a cluster that refuses objects, or has no pod addresses left, leaves no half-made job",
        keys: &["PZ-13873", "PZ-13600", "PZ-13268"],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &[
            "the cluster refuses objects: configure Light",
            "it is out of pod addresses: again",
            "it is well: again",
        ],
        expects: "503 JOB_CREATION_FAILED with retry-after 1 twice and no trace; then 200 on the lowest slot",
        body: |story| Box::pin(cluster_refuses(story)),
    },
    Case {
        id: "outages/server-down",
        claim: "without a ready pod every public route answers 503, and jobs go on",
        keys: &["PZ-14727", "PZ-14728", "PZ-14729"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Faults, Capability::Grpc],
        steps: &[
            "configure Light and read stream 0; then the focus server is down",
            "every route, one that does not exist, and a request that makes no sense",
            "read on; the focus server is up: GET /ack and the metadata of the job",
        ],
        expects: "503 SERVER_DOWN with retry-after 1 from all of them; frames all the while; then 200",
        body: |story| Box::pin(server_down(story)),
    },
    Case {
        id: "outages/recorder-down",
        claim: "without the recorder the server answers as ever, and the newest recording ends where it stopped",
        keys: &["PZ-14733", "PZ-14734", "PZ-14737"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Faults, Capability::Clock],
        steps: &[
            "the recorder is down; ten minutes pass",
            "configure Light, live, and over the last two hours; ask for the recordings of these",
        ],
        expects: "200 with all invariants twice; the newest recording ends when the recorder stopped",
        body: |story| Box::pin(recorder_down(story)),
    },
    Case {
        id: "outages/mistakes-stay-mistakes",
        claim: "a request that makes no sense gets the same answer whatever is down, but for the server itself",
        keys: &["PZ-13878", "PZ-14785"],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &[
            "configure with NFFT 0, and without channels, while all is well",
            "the same in every failing state of everything around the server",
        ],
        expects: "the same refusals, equal but for request_id, every time, and no trace",
        body: |story| Box::pin(mistakes_stay_mistakes(story)),
    },
    Case {
        id: "outages/streams-go-on",
        claim: "open streams go on through every outage; live ones fall silent only while the fibre gives nothing",
        keys: &["PZ-13604", "PZ-13687"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Faults, Capability::Grpc, Capability::Clock],
        steps: &[
            "configure Light, read stream 0",
            "MongoDB, RabbitMQ, the recorder, the cluster and the focus server fail, one after the other",
            "the fibre is waiting for 20 s, then ready again",
        ],
        expects: "a frame in each outage; none while the fibre is awaited; frames again afterwards, with higher row numbers",
        body: |story| Box::pin(streams_go_on(story)),
    },
    Case {
        id: "outages/row-by-row",
        claim: "every outage of the table of refusals has its code, its sentence, its retry-after and the one error body",
        keys: &["PZ-13297", "PZ-14785", "PZ-14786", "PZ-14787", "PZ-13878"],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &["one after the other, everything fails; configure Light, live or over the last hour"],
        expects: "the row of the table each time, and 200 as soon as it is over",
        body: |story| Box::pin(row_by_row(story)),
    },
];

const WAITING: &str = "Cannot proceed: waiting for fiber (missing required fiber metadata fields: prr)";
const NO_MONGO: &str = "Recordings are unavailable: MongoDB is unavailable";
const NO_BROKER: &str = "Message broker is unavailable: RabbitMQ is unavailable";
const NOT_CREATED: &str = "Job creation failed: all resources were released";
const DOWN: &str = "Focus Server is unavailable";

async fn waiting_for_fiber(story: &Story) -> Result<(), Failure> {
    story.set(Outside::Fiber, "waiting").await?;
    let refused = story.no_trace(story.post("/configure", &base())).await?;
    refused.is_refused(&Refused::outage("WAITING_FOR_FIBER", WAITING))?;
    let now = story.now().await?;
    let job = story.configure(&historic(base(), now - 3600, now)).await?;
    story.cancel(&job).await?;
    for state in ["mixed", "ready"] {
        story.set(Outside::Fiber, state).await?;
        let job = story.configure(&base()).await?;
        story.cancel(&job).await?;
    }
    story.nothing_leaks().await
}

async fn live_metadata(story: &Story) -> Result<(), Failure> {
    let ready = story.get("/live_metadata").await?;
    let ready = ready.has_status(200)?.json()?;
    story.set(Outside::Fiber, "waiting").await?;
    let waiting = json!({"dx": 0.0, "prr": 0.0, "sw_version": "waiting for fiber",
                         "fiber_description": "waiting for fiber"});
    story.get("/live_metadata").await?.has_status(200)?.is_json(&waiting)?;
    story.set(Outside::Fiber, "mixed").await?;
    let mixed = with(ready.clone(), [("sw_version", json!("waiting for fiber"))]);
    story.get("/live_metadata").await?.has_status(200)?.is_json(&mixed)?;
    story.set(Outside::Fiber, "ready").await?;
    story.get("/live_metadata").await?.has_status(200)?.is_json(&ready)?;
    Ok(())
}

async fn mongo_outage(story: &Story) -> Result<(), Failure> {
    let first = story.configure(&light()).await?;
    let now = story.now().await?;
    let past = historic(light(), now - 3600, now);
    let window = json!({"start_time": now - 3600, "end_time": now});
    let recordings = story.post("/recordings_in_time_range", &window).await?.has_status(200)?.json()?;
    story.set(Outside::MongoDb, "down").await?;
    let refusal = Refused::outage("RECORDINGS_UNAVAILABLE", NO_MONGO);
    story.no_trace(story.post("/configure", &past)).await?.is_refused(&refusal)?;
    story.post("/recordings_in_time_range", &window).await?.is_refused(&refusal)?;
    story.get("/get_recordings_timeline").await?.is_refused(&refusal)?;
    let second = story.configure(&light()).await?;
    story.metadata(&first.id).await?.is_json(&first.answer.json()?)?;
    story.cancel(&first).await?;
    story.set(Outside::MongoDb, "up").await?;
    let third = story.configure(&past).await?;
    story.post("/recordings_in_time_range", &window).await?.has_status(200)?.is_json(&recordings)?;
    story.get("/get_recordings_timeline").await?.has_status(200)?;
    story.cancel(&second).await?;
    story.cancel(&third).await?;
    Ok(())
}

async fn rabbit_outage(story: &Story) -> Result<(), Failure> {
    let first = story.configure(&light()).await?;
    let now = story.now().await?;
    story.set(Outside::RabbitMq, "down").await?;
    for body in [light(), historic(light(), now - 3600, now)] {
        let refused = story.no_trace(story.post("/configure", &body)).await?;
        refused.is_refused(&Refused::outage("BROKER_UNAVAILABLE", NO_BROKER))?;
    }
    story.metadata(&first.id).await?.is_json(&first.answer.json()?)?;
    let window = json!({"start_time": now - 3600, "end_time": now});
    story.post("/recordings_in_time_range", &window).await?.has_status(200)?;
    story.set(Outside::RabbitMq, "up").await?;
    let second = story.configure(&light()).await?;
    story.cancel(&first).await?;
    story.cancel(&second).await?;
    Ok(())
}

async fn no_recordings(story: &Story) -> Result<(), Failure> {
    let now = story.now().await?;
    let past = historic(light(), now - 3600, now);
    let window = json!({"start_time": now - 3600, "end_time": now});
    let listed = story.post("/recordings_in_time_range", &window).await?.has_status(200)?.json()?;
    for (state, list) in [("none", json!([])), ("path-mismatch", listed)] {
        story.set(Outside::Recordings, state).await?;
        story.no_trace(story.post("/configure", &past)).await?.is_refused(&NO_RECORDING)?;
        story.post("/recordings_in_time_range", &window).await?.has_status(200)?.is_json(&list)?;
    }
    story.set(Outside::Recordings, "present").await?;
    let job = story.configure(&past).await?;
    story.cancel(&job).await?;
    Ok(())
}

async fn cluster_refuses(story: &Story) -> Result<(), Failure> {
    for state in Outside::Cluster.failures() {
        story.set(Outside::Cluster, state).await?;
        let refused = story.no_trace(story.post("/configure", &light())).await?;
        refused.is_refused(&Refused::outage("JOB_CREATION_FAILED", NOT_CREATED))?;
    }
    story.nothing_leaks().await?;
    story.set(Outside::Cluster, "ok").await?;
    let job = story.configure(&light()).await?;
    equal("the slot of the first job", &job.slot, &1)?;
    story.cancel(&job).await?;
    Ok(())
}

async fn server_down(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    let mut reading = story.stream(&job, 0).await?;
    reading.frame().await?;
    story.set(Outside::FocusServer, "down").await?;
    let refusal = Refused::outage("SERVER_DOWN", DOWN);
    for path in ["/ack", "/channels", "/live_metadata", "/sensors", "/openapi.json", "/docs", "/nothing"] {
        story.get(path).await?.is_refused(&refusal)?;
    }
    story.metadata(&job.id).await?.is_refused(&refusal)?;
    for body in [light(), json!([]), with(light(), [("nfftSelection", json!(0))])] {
        story.no_trace(story.post("/configure", &body)).await?.is_refused(&refusal)?;
    }
    story.pass(std::time::Duration::from_secs(2)).await?;
    reading.frame().await?;
    story.set(Outside::FocusServer, "up").await?;
    story.get("/ack").await?.is_empty(200)?;
    story.metadata(&job.id).await?.is_json(&job.answer.json()?)?;
    story.cancel(&job).await?;
    Ok(())
}

async fn recorder_down(story: &Story) -> Result<(), Failure> {
    let stopped = story.now().await?;
    story.set(Outside::Recorder, "down").await?;
    story.pass(std::time::Duration::from_secs(600)).await?;
    let now = story.now().await?;
    let live = story.configure(&light()).await?;
    let past = story.configure(&historic(light(), now - 7200, now)).await?;
    let window = json!({"start_time": now - 7200, "end_time": now});
    let answer = story.post("/recordings_in_time_range", &window).await?;
    let recordings = answer.has_status(200)?.json()?;
    let newest = recordings.as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
    equal("the end of the newest recording", &newest[1], &json!(stopped))
        .map_err(|failure| failure.shown_by(&answer.0))?;
    story.cancel(&live).await?;
    story.cancel(&past).await?;
    Ok(())
}

async fn mistakes_stay_mistakes(story: &Story) -> Result<(), Failure> {
    let mistakes = [
        (
            with(light(), [("nfftSelection", json!(0))]),
            vec![checks::nfft_unsupported(0, checks::LONGEST_NFFT)],
        ),
        (with(light(), [("channels", json!(null))]), vec![checks::missing("channels")]),
    ];
    for (body, violations) in mistakes {
        let well = story.post("/configure", &body).await?;
        well.is_refused(&checks::refused(violations))?;
        for outside in Outside::ALL.into_iter().filter(|outside| *outside != Outside::FocusServer) {
            for state in outside.failures() {
                story.set(outside, state).await?;
                let refused = story.no_trace(story.post("/configure", &body)).await?;
                refused.has_status(well.status())?.equals(&well, &["request_id"])?;
            }
            story.set(outside, outside.well()).await?;
        }
    }
    Ok(())
}

async fn streams_go_on(story: &Story) -> Result<(), Failure> {
    let second = std::time::Duration::from_secs(1);
    let job = story.configure(&light()).await?;
    let mut reading = story.stream(&job, 0).await?;
    let mut row = *reading.frame().await?.row_index.last().unwrap_or(&0);
    for outside in
        [Outside::MongoDb, Outside::RabbitMq, Outside::Recorder, Outside::Cluster, Outside::FocusServer]
    {
        let failing = outside.failures()[0];
        story.set(outside, failing).await?;
        story.pass(second).await?;
        let frame = reading.frame().await?;
        let next = *frame.row_index.last().unwrap_or(&0);
        holds(next > row, || format!("{} {failing}: row {next} after row {row}", outside.name()))?;
        row = next;
        story.set(outside, outside.well()).await?;
    }
    story.set(Outside::Fiber, "waiting").await?;
    for _ in 0..20 {
        story.pass(second).await?;
    }
    story.set(Outside::Fiber, "ready").await?;
    story.pass(second).await?;
    let next = *reading.frame().await?.row_index.first().unwrap_or(&0);
    holds(next > row, || format!("row {next} after row {row} when the fibre delivers again"))?;
    story.metadata(&job.id).await?.has_status(200)?;
    story.cancel(&job).await?;
    Ok(())
}

async fn row_by_row(story: &Story) -> Result<(), Failure> {
    let now = story.now().await?;
    let past = historic(light(), now - 3600, now);
    let (mongo, created) = (
        Refused::outage("RECORDINGS_UNAVAILABLE", NO_MONGO),
        Refused::outage("JOB_CREATION_FAILED", NOT_CREATED),
    );
    for (outside, state, body, refusal) in [
        (Outside::Fiber, "waiting", light(), Refused::outage("WAITING_FOR_FIBER", WAITING)),
        (Outside::MongoDb, "down", past.clone(), mongo.clone()),
        (Outside::MongoDb, "restarting", past.clone(), mongo),
        (Outside::Recordings, "none", past.clone(), NO_RECORDING),
        (Outside::Recordings, "path-mismatch", past.clone(), NO_RECORDING),
        (Outside::RabbitMq, "down", light(), Refused::outage("BROKER_UNAVAILABLE", NO_BROKER)),
        (Outside::Cluster, "refuses-objects", light(), created.clone()),
        (Outside::Cluster, "out-of-pod-addresses", past.clone(), created),
        (Outside::FocusServer, "down", light(), Refused::outage("SERVER_DOWN", DOWN)),
    ] {
        story.set(outside, state).await?;
        story.no_trace(story.post("/configure", &body)).await?.is_refused(&refusal)?;
        story.set(outside, outside.well()).await?;
        let job = story.configure(&body).await?;
        story.cancel(&job).await?;
    }
    story.nothing_leaks().await
}
