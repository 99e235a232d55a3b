//! A job from its configuration to the last of its traces.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::answer::UNKNOWN_JOB;
use crate::bodies::{base, light, with};
use crate::case::{Capability, Case, Tag};
use crate::client::rest::Request;
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::story::Story;

pub(super) static CASES: &[Case] = &[
    Case {
        id: "jobs/clean-startup",
        claim: "a server that has come up answers all its reading routes and accepts a job",
        keys: &["PZ-13873"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "GET /ack, /channels, /live_metadata, /openapi.json",
            "configure Light and cancel it",
            "left to the case with the cluster: pods, restart counts, log of the start",
        ],
        expects: "200 with an empty body for /ack, 200 for the others, 200 with all invariants",
        body: |story| Box::pin(clean_startup(story)),
    },
    Case {
        id: "jobs/two-jobs",
        claim: "two jobs that live side by side have different ids, slots and ports",
        keys: &["PZ-14018", "PZ-13565"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure Base and Light", "GET /metadata of both", "cancel both"],
        expects: "200 with all invariants twice; job_id, slot and stream_port differ; each answers with its own metadata",
        body: |story| Box::pin(two_jobs(story)),
    },
    Case {
        id: "jobs/connect-stream-port",
        claim: "the port of a job accepts connections as soon as the answer has arrived",
        keys: &["PZ-13294"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &["configure Light", "connect to stream_url:stream_port by TCP, once"],
        expects: "connected at the first try",
        body: |story| Box::pin(connect_stream_port(story)),
    },
    Case {
        id: "jobs/metadata-by-job-id",
        claim: "GET /metadata repeats the configure answer from the first moment of a job until it is cancelled",
        keys: &["PZ-13293", "PZ-13563", "PZ-13269"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure Base",
            "GET /metadata at once and ten times more",
            "cancel the job, and ask again",
        ],
        expects: "200 and equal to the configure answer, field by field, eleven times; then 404 `Invalid job_id`",
        body: |story| Box::pin(metadata_by_job_id(story)),
    },
    Case {
        id: "jobs/metadata-by-job-id-streaming",
        claim: "GET /metadata repeats the configure answer after half a minute of streaming",
        keys: &["PZ-13293", "PZ-13563"],
        tags: &[Tag::Regression, Tag::Long],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &["configure Base and read stream 0", "after 30 s with the stream open, GET /metadata"],
        expects: "200 and equal to the configure answer",
        body: |story| Box::pin(metadata_by_job_id_streaming(story)),
    },
    Case {
        id: "jobs/metadata-by-job-id-unknown",
        claim: "an id of no live job is unknown, whatever its text is",
        keys: &["PZ-13293", "PZ-13563"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "GET /metadata and DELETE /job with 9999-9999, abc, ..%2f..%2fx, numbers out of range, text",
        ],
        expects: "404 UNKNOWN_JOB `Invalid job_id` each time, nothing changed",
        body: |story| Box::pin(metadata_by_job_id_unknown(story)),
    },
    Case {
        id: "jobs/cancellation-and-cleanup",
        claim: "a cancelled job is gone within five seconds, and its slot goes to the next one",
        keys: &["PZ-13899", "PZ-13670"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure Light twice and DELETE the first job",
            "at once: metadata, second DELETE, connection to its port",
            "within 5 s: nothing of it is left among jobs, cluster objects and queues",
            "configure Light again",
            "left to the case with the cluster: phases of its pods",
        ],
        expects: "200 cancelled; 404, 404, refused; INV-GONE; the other job untouched; the next job has the same slot and \
                  port and a new sequence",
        body: |story| Box::pin(cancellation_and_cleanup(story)),
    },
    Case {
        id: "jobs/slots-and-sequence",
        claim: "a job gets the lowest free slot, its port is a constant plus the slot, and sequences only increase",
        keys: &["PZ-13565"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "with no other job: configure Light three times",
            "cancel the second one and wait until it is gone",
            "let a configuration be refused",
            "configure Light again, and once more",
        ],
        expects: "slots 1, 2, 3, then 2, then 4; sequences strictly increase; stream_port - slot is the same for all",
        body: |story| Box::pin(slots_and_sequence(story)),
    },
    Case {
        id: "jobs/idle-sweep",
        claim: "a job that nobody ever reads is removed 50 seconds after its creation",
        keys: &[],
        tags: &[Tag::Regression, Tag::Long],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &["configure Light and never open a stream", "look every second whether it is gone"],
        expects: "removed at 50 s, 2 s more or less on a clock that is held and 11 s else; INV-GONE",
        body: |story| Box::pin(idle_sweep(story)),
    },
    Case {
        id: "jobs/idle-sweep-left",
        claim: "a job is removed 40 to 50 seconds after its last stream was closed",
        keys: &[],
        tags: &[Tag::Regression, Tag::Long],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &["configure Light, read stream 0 for 13 s, leave", "look every second whether it is gone"],
        expects: "removed 40 to 50 s after leaving, to 61 s where the clock is not held; INV-GONE",
        body: |story| Box::pin(idle_sweep_left(story)),
    },
    Case {
        id: "jobs/idle-sweep-read",
        claim: "a job that is read is not swept, however long it takes",
        keys: &[],
        tags: &[Tag::Regression, Tag::Long],
        needs: &[Capability::Writes, Capability::Grpc, Capability::Clock],
        steps: &[
            "configure Light and open stream 0",
            "let ten minutes pass, reading a frame every ten seconds",
        ],
        expects: "frames all the time, and the metadata at the end",
        body: |story| Box::pin(idle_sweep_read(story)),
    },
];

const SECOND: Duration = Duration::from_secs(1);

async fn clean_startup(story: &Story) -> Result<(), Failure> {
    story.get("/ack").await?.is_empty(200)?;
    for path in ["/channels", "/live_metadata", "/openapi.json"] {
        story.get(path).await?.has_status(200)?;
    }
    let job = story.configure(&light()).await?;
    story.cancel(&job).await?;
    Ok(())
}

async fn two_jobs(story: &Story) -> Result<(), Failure> {
    let (first, second) = (story.configure(&base()).await?, story.configure(&light()).await?);
    holds(first.slot != second.slot, || format!("two jobs share slot {}", first.slot))?;
    holds(first.sequence != second.sequence, || format!("two jobs share sequence {}", first.sequence))?;
    holds(first.port != second.port, || format!("two jobs share port {}", first.port))?;
    for job in [&first, &second] {
        story.metadata(&job.id).await?.has_status(200)?.is_json(&job.answer.json()?)?;
    }
    story.cancel(&first).await?;
    story.metadata(&second.id).await?.has_status(200)?;
    story.cancel(&second).await?;
    Ok(())
}

async fn connect_stream_port(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    holds(story.port_is_open(&job).await, || format!("nobody listens on {}", story.authority(&job)))
        .map_err(|failure| failure.shown_by(&job.answer.0))?;
    story.cancel(&job).await?;
    Ok(())
}

async fn metadata_by_job_id(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&base()).await?;
    let expected = job.answer.json()?;
    for _ in 0..11 {
        story.metadata(&job.id).await?.has_status(200)?.is_json(&expected)?;
    }
    story.cancel(&job).await?;
    story.metadata(&job.id).await?.is_refused(&UNKNOWN_JOB)?;
    Ok(())
}

async fn metadata_by_job_id_streaming(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&base()).await?;
    let mut reading = story.stream(&job, 0).await?;
    reading.frame().await?;
    story.pass(Duration::from_secs(30)).await?;
    reading.frame().await?;
    story.metadata(&job.id).await?.has_status(200)?.is_json(&job.answer.json()?)?;
    story.cancel(&job).await?;
    story.metadata(&job.id).await?.is_refused(&UNKNOWN_JOB)?;
    Ok(())
}

async fn metadata_by_job_id_unknown(story: &Story) -> Result<(), Failure> {
    for id in [
        "9999-9999",
        "abc",
        "..%2f..%2fx",
        "%2fetc%2fpasswd",
        "0-0",
        "-1--1",
        "99999999999999999999-1",
        "1-99999999999999999999",
        "%00",
        "%ff",
        "%3Cscript%3E",
    ] {
        for request in
            [Request::get(&format!("/metadata/{id}")), Request::of(Method::DELETE, &format!("/job/{id}"))]
        {
            story.no_trace(story.send(request)).await?.is_refused(&UNKNOWN_JOB)?;
        }
    }
    Ok(())
}

/// How long a cancelled job may keep its slot.
const CLEAN_UP: Duration = Duration::from_secs(5);

/// Waits until a cancelled job is gone and its slot is free. Where the server does not tell about slots, the time that
/// it has for that must pass.
async fn until_free(story: &Story, job: &Job) -> Result<(), Failure> {
    story.until_gone(job, SECOND, CLEAN_UP).await?;
    if story.world().await?.is_none() {
        story.pass(CLEAN_UP).await?;
    }
    Ok(())
}

async fn cancellation_and_cleanup(story: &Story) -> Result<(), Failure> {
    let (job, other) = (story.configure(&light()).await?, story.configure(&light()).await?);
    story.cancel(&job).await?;
    story.metadata(&job.id).await?.is_refused(&UNKNOWN_JOB)?;
    let again = story.send(Request::of(Method::DELETE, &format!("/job/{}", job.id))).await?;
    again.is_refused(&UNKNOWN_JOB)?;
    holds(!story.port_is_open(&job).await, || {
        format!("port {} of a cancelled job accepts connections", job.port)
    })?;
    until_free(story, &job).await?;
    story.metadata(&other.id).await?.has_status(200)?.is_json(&other.answer.json()?)?;
    let next = story.configure(&light()).await?;
    equal("slot and port of the next job", &(next.slot, next.port), &(job.slot, job.port))
        .map_err(|failure| failure.shown_by(&next.answer.0))?;
    holds(next.sequence > other.sequence, || format!("sequence {} after {}", next.sequence, other.sequence))?;
    story.cancel(&next).await?;
    story.cancel(&other).await?;
    Ok(())
}

async fn slots_and_sequence(story: &Story) -> Result<(), Failure> {
    // Where the server does not tell about others, whoever runs the suite has seen to it that there are none but those
    // that the case before has cancelled.
    let told = story.world().await?.is_some();
    let alone = async || {
        let world = story.world().await?;
        Ok(world.is_none_or(|world| world.get("jobs").is_none_or(|jobs| jobs == &json!([]))))
    };
    story.pass(if told { Duration::ZERO } else { CLEAN_UP }).await?;
    story.until("server without other jobs", SECOND, 60 * SECOND, alone).await?;
    let mut jobs: Vec<Job> = Vec::new();
    for _ in 0..3 {
        jobs.push(story.configure(&light()).await?);
    }
    story.cancel(&jobs[1]).await?;
    until_free(story, &jobs[1]).await?;
    let wrong = with(light(), [("nfftSelection", 1000.into())]);
    story.no_trace(story.post("/configure", &wrong)).await?.has_status(400)?;
    for _ in 0..2 {
        jobs.push(story.configure(&light()).await?);
    }
    let slots: Vec<_> = jobs.iter().map(|job| job.slot).collect();
    equal("the list of slots", &slots, &vec![1, 2, 3, 2, 4])?;
    let sequences: Vec<_> = jobs.iter().map(|job| job.sequence).collect();
    let increase = sequences.windows(2).all(|pair| pair[0] < pair[1]);
    holds(increase, || format!("INV-SEQ: sequences {sequences:?}"))?;
    let bases: Vec<_> = jobs.iter().map(|job| i64::from(job.port) - i64::from(job.slot)).collect();
    let constant = bases.windows(2).all(|pair| pair[0] == pair[1]);
    holds(constant, || format!("INV-PORT: ports minus slots {bases:?}"))?;
    for job in jobs.iter().filter(|job| job.id != jobs[1].id) {
        story.cancel(job).await?;
    }
    Ok(())
}

/// Waits for the sweep; demands that it comes within these seconds, looking every second.
async fn swept(story: &Story, job: &Job, earliest: u64, latest: u64) -> Result<(), Failure> {
    let limit = Duration::from_secs(latest);
    let passed = story.until_gone(job, SECOND, limit).await?;
    holds(passed >= Duration::from_secs(earliest), || {
        format!("job {} was removed after {} s, before {earliest} s", job.id, passed.as_secs())
    })
    .map_err(|failure| failure.shown_by(&job.answer.0))
}

async fn idle_sweep(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    let port = story.connect(&job).await?;
    let tolerance = if story.offers(Capability::Clock) { 2 } else { 11 };
    swept(story, &job, 50 - tolerance, 50 + tolerance).await?;
    let Err(status) = port.open_raw(0).await else {
        return Err(Failure::broken("a connection to a removed job still opens streams"));
    };
    equal("the end of a call on a removed job", &status.code(), &tonic::Code::Unavailable)
}

async fn idle_sweep_left(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    let mut reading = story.stream(&job, 0).await?;
    reading.frame().await?;
    // Between two samples, which come every ten seconds: a sweep of other periods or counts ends elsewhere.
    story.pass(13 * SECOND).await?;
    reading.frame().await?;
    drop(reading);
    story.until_open_calls(&job, 0).await?;
    // The server samples every ten seconds; a held clock shows no more than the rule.
    let latest = if story.offers(Capability::Clock) { 50 } else { 61 };
    swept(story, &job, 40, latest).await
}

async fn idle_sweep_read(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    let mut reading = story.stream(&job, 0).await?;
    for _ in 0..60 {
        reading.frame().await?;
        story.pass(10 * SECOND).await?;
    }
    story.metadata(&job.id).await?.has_status(200)?;
    story.cancel(&job).await?;
    Ok(())
}
