//! What becomes of a job when somebody deletes one of its objects by hand.

use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1::{Pod, Service};

use super::endings::verdict;
use super::{until_free, until_slots_are_back, until_started};
use crate::answer::UNKNOWN_JOB;
use crate::bodies::light;
use crate::case::{Capability, Case, Tag};
use crate::client::kube::Pick;
use crate::failure::{Failure, equal, holds};
use crate::objects::{grpc_job, grpc_service, name};
use crate::story::Story;
use crate::workload::SECOND;

const NEEDS: &[Capability] = &[Capability::Writes, Capability::K8s, Capability::Grpc];

pub(in crate::cases) static CASES: &[Case] = &[
    Case {
        id: "kubernetes/service-deleted",
        claim: "without its Service a job cannot be reached, but goes on",
        keys: &[],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &[
            "configure Light, delete its Service",
            "connect to its port; GET /metadata; read its pod; cancel it",
        ],
        expects: "the Service is gone and the port refuses; 200 with its metadata, the pod is the same; cancelled",
        body: |story| Box::pin(service_deleted(story)),
    },
    Case {
        id: "kubernetes/pod-deleted",
        claim: "a job whose pod is killed has failed: it gets no other pod, and is removed",
        keys: &[],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &[
            "configure Light, delete its pod",
            "read the Job and the pods of the job",
            "look every second for its objects",
        ],
        expects: "Failed with reason BackoffLimitExceeded, no other pod; events Killing and BackoffLimitExceeded; all gone at the next sweep, 12 s later at the latest",
        body: |story| Box::pin(pod_deleted(story)),
    },
    Case {
        id: "kubernetes/job-deleted",
        claim: "a job whose Job is deleted is over at once",
        keys: &[],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &[
            "configure Light twice, delete the streaming Job of the first",
            "GET /metadata; look for its objects; configure Light",
        ],
        expects: "404 `Invalid job_id`, nothing of it within 5 s; the other job untouched; the slot goes to the next job",
        body: |story| Box::pin(job_deleted(story)),
    },
];

async fn service_deleted(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    until_started(story, &job).await?;
    let objects = story.objects(&job).await?;
    holds(story.port_is_open(&job).await, || format!("nobody listens on {}", story.authority(&job)))?;
    let cluster = story.cluster()?;
    cluster.delete::<Service>(&grpc_service(&job.id)).await?;
    let service = cluster.find::<Service>(&grpc_service(&job.id)).await?;
    holds(service.is_none(), || format!("service {} was deleted, but is there", grpc_service(&job.id)))?;
    holds(!story.port_is_open(&job).await, || {
        format!("port {} accepts connections without a Service", job.port)
    })?;
    story.metadata(&job.id).await?.has_status(200)?.is_json(&job.answer.json()?)?;
    story.is_still(&objects.pod).await?;
    story.cancel(&job).await?;
    story.until_cluster_forgets(&job, super::GONE).await?;
    Ok(())
}

async fn pod_deleted(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    until_started(story, &job).await?;
    let objects = story.objects(&job).await?;
    let (cluster, app) = (story.cluster()?, grpc_job(&job.id));
    cluster.delete::<Pod>(&name(&objects.pod)).await?;
    let failed: batch::Job = cluster.get(&app).await?;
    equal(&format!("the verdict on job {app}"), &verdict(&failed), &vec![String::from("Failed")])?;
    let conditions = failed.status.unwrap_or_default().conditions.unwrap_or_default();
    let reason = conditions.into_iter().find(|one| one.type_ == "Failed").and_then(|one| one.reason);
    equal("the reason of the failure", &reason.as_deref(), &Some("BackoffLimitExceeded"))?;
    story
        .awaited(SECOND, 12 * SECOND, async || {
            let pods = cluster.list::<Pod>(&Pick::labels(format!("app={app}"))).await?.items;
            let others: Vec<_> = pods.iter().map(name).filter(|other| *other != name(&objects.pod)).collect();
            holds(others.is_empty(), || format!("job {app} has failed, but got {}", others.join(", ")))?;
            let left = story.things_of(&job).await?;
            Ok((!left.is_empty()).then(|| format!("job {} still has {}", job.id, left.join(", "))))
        })
        .await?;
    story.until_gone(&job, SECOND, SECOND).await?;
    for (object, kind, reason) in
        [(name(&objects.pod), "Normal", "Killing"), (app, "Warning", "BackoffLimitExceeded")]
    {
        let events = cluster.events(&object).await?.into_iter();
        let told: Vec<_> = events.map(|event| (event.type_, event.reason)).collect();
        holds(told.contains(&(Some(kind.to_owned()), Some(reason.to_owned()))), || {
            format!("{object} failed without a {kind} event {reason}: {told:?}")
        })?;
    }
    Ok(())
}

async fn job_deleted(story: &Story) -> Result<(), Failure> {
    until_slots_are_back(story).await?;
    let (job, other) = (story.configure(&light()).await?, story.configure(&light()).await?);
    until_started(story, &job).await?;
    story.cluster()?.delete::<batch::Job>(&grpc_job(&job.id)).await?;
    story.metadata(&job.id).await?.is_refused(&UNKNOWN_JOB)?;
    until_free(story, &job).await?;
    story.objects(&other).await?;
    story.metadata(&other.id).await?.has_status(200)?.is_json(&other.answer.json()?)?;
    let next = story.configure(&light()).await?;
    equal("slot and port of the next job", &(next.slot, next.port), &(job.slot, job.port))?;
    story.cancel(&next).await?;
    story.cancel(&other).await?;
    Ok(())
}
