//! Jobs that fail in the middle of their creation, as the cluster and its watchers see them.

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1::{Pod, Service};
use serde_json::json;

use super::until_free;
use crate::answer::Refused;
use crate::bodies::{light, with};
use crate::case::{Capability, Case, Tag};
use crate::checks;
use crate::client::kube::{Object, Pick};
use crate::client::watch::{Change, Watching};
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::objects::{belongs, name};
use crate::story::Story;

pub(in crate::cases) static CASES: &[Case] = &[Case {
    id: "kubernetes/rollback-on-failure",
    claim: "a job that fails at any step of its creation leaves no object, and whoever watches sees none survive",
    keys: &["PZ-13873", "PZ-13600", "PZ-13569"],
    tags: &[Tag::Smoke, Tag::Regression],
    needs: &[Capability::Writes, Capability::K8s, Capability::Faults],
    steps: &[
        "watch Jobs, pods and Services",
        "port, streaming Job, cleanup Job, Service and queue fail, one after the other: configure Light",
        "after each: configure Light, count the pods, cancel it, wait until the cluster has nothing of it",
        "configure Light with NFFT 0, and a valid one; what the watches have told",
    ],
    expects: "409 PORT_IN_USE for the port, 503 JOB_CREATION_FAILED for the others; the same objects as before; the lowest \
              slot and a higher sequence; two more pods; 400; every object that a watch has told of is deleted, or of the \
              last job",
    body: |story| Box::pin(rollback_on_failure(story)),
}];

/// A watch, and what was there when it began.
struct Witness<K> {
    before: BTreeSet<String>,
    watching: Watching<K>,
}

impl<K: Object> Witness<K> {
    async fn of(story: &Story) -> Result<Self, Failure> {
        let cluster = story.cluster()?;
        let listed = cluster.list::<K>(&Pick::all()).await?;
        let watching = cluster.watch(&Pick::all(), &listed.version).await?;
        Ok(Self { before: listed.items.iter().map(name).collect(), watching })
    }

    /// Demands that of all that it has seen only what a job needs is there, now that the job is.
    async fn sees_only(&self, job: &Job, things: usize) -> Result<(), Failure> {
        let of_it = |name: &str| belongs(name, &job.id);
        let kind = K::kind(&());
        let wanted = format!("{things} x {kind} of job {}", job.id);
        let told = self.watching.until(&wanted, |seen| {
            let names: BTreeSet<_> =
                seen.iter().map(|seen| name(&seen.object)).filter(|name| of_it(name)).collect();
            names.len() >= things
        });
        let mut present = self.before.clone();
        for seen in told.await? {
            match seen.change {
                Change::Added => present.insert(name(&seen.object)),
                Change::Deleted => present.remove(&name(&seen.object)),
                Change::Modified => continue,
            };
        }
        let survivors: Vec<_> =
            present.difference(&self.before).filter(|name| !of_it(name)).cloned().collect();
        holds(survivors.is_empty(), || {
            format!("who watches {kind} objects sees these survive: {}", survivors.join(", "))
        })
    }
}

async fn rollback_on_failure(story: &Story) -> Result<(), Failure> {
    let (jobs, pods, services) = (
        Witness::<batch::Job>::of(story).await?,
        Witness::<Pod>::of(story).await?,
        Witness::<Service>::of(story).await?,
    );
    let mut last = 0;
    for step in ["port", "grpc-job", "cleanup-job", "service", "queue"] {
        let code = if step == "port" { "PORT_IN_USE" } else { "JOB_CREATION_FAILED" };
        story
            .fault(&json!({"at": format!("step.{step}"), "when": {"first": 1}, "do": {"refuse": code}}))
            .await?;
        let refused = story.nothing_new(story.post("/configure", &light())).await?;
        if step == "port" {
            refused.has_status(409)?.has("/code", &json!(code))?;
        } else {
            let text = "Job creation failed: all resources were released";
            refused.is_refused(&Refused::outage(code, text))?;
        }
        story.no_faults().await?;
        let before = count(story).await?;
        let job = story.configure(&light()).await?;
        equal(
            &format!("the pods more than before, after {step} failed"),
            &(count(story).await? - before),
            &2,
        )?;
        // The failed attempt used one, the job the next.
        holds(job.sequence > last + 1, || format!("{step}: sequence {} after {last}", job.sequence))?;
        equal(&format!("the slot after {step} failed"), &job.slot, &1)?;
        last = job.sequence;
        story.objects(&job).await?;
        story.cancel(&job).await?;
        until_free(story, &job).await?;
    }
    let mistake = with(light(), [("nfftSelection", json!(0))]);
    let refusal = checks::refused(vec![checks::nfft_unsupported(0, checks::LONGEST_NFFT)]);
    story.nothing_new(story.post("/configure", &mistake)).await?.is_refused(&refusal)?;
    let job = story.configure(&light()).await?;
    jobs.sees_only(&job, 2).await?;
    pods.sees_only(&job, 2).await?;
    services.sees_only(&job, 1).await?;
    story.cancel(&job).await?;
    Ok(())
}

async fn count(story: &Story) -> Result<usize, Failure> {
    Ok(story.cluster()?.list::<Pod>(&Pick::all()).await?.items.len())
}
