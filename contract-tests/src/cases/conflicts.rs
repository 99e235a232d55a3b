//! Jobs that cannot get what they need: a port that is taken, a step that fails, limits that are reached.

use std::time::Duration;

use serde_json::json;

use crate::answer::Refused;
use crate::bodies::{base, light, with};
use crate::case::{Capability, Case, Tag};
use crate::checks;
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::rehearse::Holder;
use crate::story::Story;

const NEEDS: &[Capability] = &[Capability::Writes, Capability::Faults];

pub(super) static CASES: &[Case] = &[
    Case {
        id: "prelaunch/port-availability-held",
        claim: "a job whose port is held is refused with the port's number, and gets it once it is free",
        keys: &["PZ-14018", "PZ-13565", "PZ-13503"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: NEEDS,
        steps: &[
            "configure Light; another process takes the next port",
            "configure Light twice",
            "the port is free again: configure Light",
        ],
        expects: "409 PORT_IN_USE with the port's number twice and no trace; then 200 with that port and slot",
        body: |story| Box::pin(port_availability_held(story)),
    },
    Case {
        id: "prelaunch/predictable-port-in-use",
        claim: "a port conflict is told alike every time, whoever holds the port, and three jobs succeed after it",
        keys: &["PZ-13873", "PZ-13503"],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &[
            "a Service of a lost job holds the next port, then another process does: configure Light, twice each",
            "the port is free again: configure Light three times",
        ],
        expects: "409 PORT_IN_USE with port, `in use` and `conflict`, no trace; three jobs with three ports",
        body: |story| Box::pin(predictable_port_in_use(story)),
    },
    Case {
        id: "prelaunch/port-in-use-skipped",
        claim: "a server that is set to skip taken ports gives the job the next slot, and refuses when none is left",
        keys: &["PZ-13873"],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &[
            "a world of three slots that skips conflicts; a Service holds the first port: configure Light",
            "other processes hold the rest: configure Light",
        ],
        expects: "200 on slot 2; then 409 PORT_IN_USE and no trace",
        body: |story| Box::pin(port_in_use_skipped(story)),
    },
    Case {
        id: "jobs/rollback-on-failure",
        claim: "a job that fails at any step of its creation leaves nothing behind but a number that is not used again",
        keys: &["PZ-13873", "PZ-13600", "PZ-13569"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: NEEDS,
        steps: &[
            "port, streaming Job, cleanup Job, Service, queue and the entry itself fail, one after the other: configure Light",
            "after each: configure Light, and cancel it",
            "configure Light with NFFT 0",
        ],
        expects: "409 PORT_IN_USE for the port, 503 JOB_CREATION_FAILED for the others, no trace; the lowest slot each time \
                  and a higher sequence; 400",
        body: |story| Box::pin(rollback_on_failure(story)),
    },
    Case {
        id: "jobs/rollback-that-fails",
        claim: "what could not be given back is told by name, and nothing else is lost",
        keys: &["PZ-13600", "PZ-13503"],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &["the last step fails, and so does giving back each resource in turn: configure Light"],
        expects: "503 JOB_CREATION_FAILED; exactly that resource belongs to no job",
        body: |story| Box::pin(rollback_that_fails(story)),
    },
    Case {
        id: "capacity/limit-of-jobs",
        claim: "at the limit of jobs a further one is refused, and taken as soon as one is gone",
        keys: &["PZ-14088", "PZ-13986", "PZ-13268"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[Capability::Writes, Capability::Faults, Capability::Clock],
        steps: &[
            "the limit is 2: configure Light three times",
            "cancel the first, wait until it is gone, configure again",
            "the limit is 0: configure Light",
        ],
        expects: "200, 200, 503 CAPACITY_EXHAUSTED with the limit, retry-after 1 and no trace; 200; 503 with the limit 0",
        body: |story| Box::pin(limit_of_jobs(story)),
    },
    Case {
        id: "capacity/gpu-pending",
        claim: "without a free GPU share a job is created and waits; it starts when a share is free",
        keys: &["PZ-13268"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Faults, Capability::Grpc],
        steps: &["2 GPU shares: configure Light three times", "cancel the first"],
        expects: "200 with all invariants three times, the third port refuses; then it accepts",
        body: |story| Box::pin(gpu_pending(story)),
    },
    Case {
        id: "capacity/gpu-rejected",
        claim: "a server that is set to refuse without a free GPU share does, and leaves nothing behind",
        keys: &["PZ-13268"],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &["1 GPU share, a full pool refuses: configure Light twice"],
        expects: "200; 503 CAPACITY_EXHAUSTED `no free GPU share`, retry-after 1, no trace",
        body: |story| Box::pin(gpu_rejected(story)),
    },
    Case {
        id: "nfft/nfft-limit",
        claim: "a lower limit of transforms holds for multi-channel views, is named, and leaves the single channel alone",
        keys: &["PZ-13873", "PZ-13901"],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &["the limit is 2048: Base with NFFT 4096; with 2048; channel 7 alone with 4096"],
        expects: "400 INVALID_VALUE nfft_unsupported with `maximum 2048`; 200 twice",
        body: |story| Box::pin(nfft_limit(story)),
    },
];

fn port_in_use(port: u16, holder: Holder) -> String {
    format!("Port {port} is already in use: conflict with {}", holder.named())
}

async fn refused_for_port(story: &Story, port: u16, holder: Holder) -> Result<(), Failure> {
    let refused = story.no_trace(story.post("/configure", &light())).await?;
    refused.is_refused(&Refused::said(409, "PORT_IN_USE", &port_in_use(port, holder)))?;
    Ok(())
}

async fn cancel_all(story: &Story, jobs: &[Job]) -> Result<(), Failure> {
    for job in jobs {
        story.cancel(job).await?;
    }
    Ok(())
}

async fn port_availability_held(story: &Story) -> Result<(), Failure> {
    let first = story.configure(&light()).await?;
    let next = first.port + 1;
    story.hold_port(next, Holder::Process).await?;
    for _ in 0..2 {
        refused_for_port(story, next, Holder::Process).await?;
    }
    story.release_port(next).await?;
    let second = story.configure(&light()).await?;
    equal("slot and port once it is free", &(second.slot, second.port), &(first.slot + 1, next))?;
    story.nothing_leaks().await?;
    cancel_all(story, &[first, second]).await
}

async fn predictable_port_in_use(story: &Story) -> Result<(), Failure> {
    let first = story.configure(&light()).await?;
    let next = first.port + 1;
    for holder in [Holder::Service, Holder::Process] {
        story.hold_port(next, holder).await?;
        for _ in 0..2 {
            refused_for_port(story, next, holder).await?;
        }
        story.release_port(next).await?;
    }
    let mut jobs = vec![first];
    for place in 0..3 {
        let job = story.configure(&light()).await?;
        equal("the port of a job after the conflict", &job.port, &(next + place))?;
        jobs.push(job);
    }
    cancel_all(story, &jobs).await
}

async fn port_in_use_skipped(story: &Story) -> Result<(), Failure> {
    let probe = story.configure(&light()).await?;
    let base = probe.port - u16::try_from(probe.slot).unwrap_or_default();
    story.cancel(&probe).await?;
    story.begin_world(&json!({"ports": {"on_conflict": "skip"}, "limits": {"max_jobs": 3}})).await?;
    story.hold_port(base + 1, Holder::Service).await?;
    let job = story.configure(&light()).await?;
    equal("slot and port of a job that skips", &(job.slot, job.port), &(2, base + 2))?;
    holds(story.port_is_open(&job).await, || format!("nobody listens on port {}", job.port))?;
    story.cancel(&job).await?;
    Ok(())
}

async fn rollback_on_failure(story: &Story) -> Result<(), Failure> {
    let mut last = 0;
    for step in ["port", "grpc-job", "cleanup-job", "service", "queue", "commit"] {
        let code = if step == "port" { "PORT_IN_USE" } else { "JOB_CREATION_FAILED" };
        let rule = json!({"at": format!("step.{step}"), "when": {"first": 1}, "do": {"refuse": code}});
        story.fault(&rule).await?;
        let refused = story.no_trace(story.post("/configure", &light())).await?;
        if step == "port" {
            refused.has_status(409)?.has("/code", &json!(code))?;
        } else {
            let text = "Job creation failed: all resources were released";
            refused.is_refused(&Refused::outage(code, text))?;
        }
        story.nothing_leaks().await?;
        story.no_faults().await?;
        let job = story.configure(&light()).await?;
        // The failed attempt used one, the job the next.
        holds(job.sequence > last + 1, || format!("{step}: sequence {} after {last}", job.sequence))?;
        equal(&format!("the slot after {step} failed"), &job.slot, &1)?;
        last = job.sequence;
        story.cancel(&job).await?;
        story.until_gone(&job, Duration::from_secs(1), Duration::from_secs(5)).await?;
    }
    let mistake = with(light(), [("nfftSelection", json!(0))]);
    let refusal = checks::refused(vec![checks::nfft_unsupported(0, checks::LONGEST_NFFT)]);
    story.no_trace(story.post("/configure", &mistake)).await?.is_refused(&refusal)?;
    Ok(())
}

async fn rollback_that_fails(story: &Story) -> Result<(), Failure> {
    for undo in ["slot", "port", "grpc-job", "cleanup-job", "service", "queue"] {
        let probe = story.configure(&light()).await?;
        let (port, next) = (probe.port, probe.sequence + 1);
        story.cancel(&probe).await?;
        story.until_gone(&probe, Duration::from_secs(1), Duration::from_secs(5)).await?;
        let rules = json!([
            {"at": "step.commit", "when": {"first": 1}, "do": {"refuse": "JOB_CREATION_FAILED"}},
            {"at": format!("undo.{undo}"), "when": {"first": 1}, "do": "fail"},
        ]);
        story.fault(&rules).await?;
        let refused = story.post("/configure", &light()).await?;
        refused.has_status(503)?.has("/code", &json!("JOB_CREATION_FAILED"))?;
        let id = format!("1-{next}");
        let expected: &[(&str, String)] = match undo {
            "slot" => &[("slot", String::from("1"))],
            "port" => &[("port", port.to_string())],
            "grpc-job" => &[
                ("job", format!("grpc-job-{id}")),
                ("pod", format!("grpc-job-{id}-")),
                ("gpu-share", String::new()),
            ],
            "cleanup-job" => &[("job", format!("cleanup-job-{id}")), ("pod", format!("cleanup-job-{id}-"))],
            "service" => &[("service", format!("grpc-service-{id}"))],
            _ => &[("queue", format!("focus_baby.{id}"))],
        };
        let leaks = story.leaks().await?;
        let as_expected = leaks.len() == expected.len()
            && leaks
                .iter()
                .zip(expected)
                .all(|((kind, name), (expected, begins))| kind == expected && name.starts_with(begins));
        holds(as_expected, || {
            format!("undo of {undo} fails: {expected:?} belong to no job, and not {leaks:?}")
        })?;
        story.begin_anew().await?;
        story.nothing_leaks().await?;
    }
    Ok(())
}

async fn limit_of_jobs(story: &Story) -> Result<(), Failure> {
    let exhausted =
        |limit: u32| format!("Capacity exhausted: the limit of {limit} concurrent jobs is reached");
    story.limit(&json!({"max_jobs": 2})).await?;
    let first = story.configure(&light()).await?;
    let second = story.configure(&light()).await?;
    let refused = story.no_trace(story.post("/configure", &light())).await?;
    refused.is_refused(&Refused::outage("CAPACITY_EXHAUSTED", &exhausted(2)))?;
    story.cancel(&first).await?;
    story.until_gone(&first, Duration::from_secs(1), Duration::from_secs(5)).await?;
    let third = story.configure(&light()).await?;
    equal("the slot of the next job", &third.slot, &first.slot)?;
    story.limit(&json!({"max_jobs": 0})).await?;
    let refused = story.no_trace(story.post("/configure", &light())).await?;
    refused.is_refused(&Refused::outage("CAPACITY_EXHAUSTED", &exhausted(0)))?;
    // Jobs above a limit that was lowered go on.
    story.metadata(&second.id).await?.has_status(200)?;
    cancel_all(story, &[second, third]).await
}

async fn gpu_pending(story: &Story) -> Result<(), Failure> {
    story.limit(&json!({"gpu_pool": 2})).await?;
    let first = story.configure(&light()).await?;
    let second = story.configure(&light()).await?;
    let third = story.configure(&light()).await?;
    holds(story.port_is_open(&second).await, || String::from("a job with a share does not listen"))?;
    holds(!story.port_is_open(&third).await, || String::from("a job without a share listens"))?;
    story.metadata(&third.id).await?.has_status(200)?.is_json(&third.answer.json()?)?;
    story.cancel(&first).await?;
    holds(story.port_is_open(&third).await, || String::from("a job that has got a share does not listen"))?;
    cancel_all(story, &[second, third]).await
}

async fn gpu_rejected(story: &Story) -> Result<(), Failure> {
    story.limit(&json!({"gpu_pool": 1, "gpu_reject_when_full": true})).await?;
    let job = story.configure(&light()).await?;
    let refused = story.no_trace(story.post("/configure", &light())).await?;
    refused.is_refused(&Refused::outage("CAPACITY_EXHAUSTED", "Capacity exhausted: no free GPU share"))?;
    story.cancel(&job).await?;
    Ok(())
}

async fn nfft_limit(story: &Story) -> Result<(), Failure> {
    story.limit(&json!({"nfft_max_multichannel": 2048})).await?;
    let of = |nfft: i64| with(base(), [("nfftSelection", json!(nfft))]);
    let refusal = checks::refused(vec![checks::nfft_unsupported(4096, 2048)]);
    story.no_trace(story.post("/configure", &of(4096))).await?.is_refused(&refusal)?;
    let two = story.configure(&of(2048)).await?;
    let alone = [("channels", json!({"min": 7, "max": 7})), ("view_type", json!("1"))];
    let single = story.configure(&with(of(4096), alone)).await?;
    cancel_all(story, &[two, single]).await
}
