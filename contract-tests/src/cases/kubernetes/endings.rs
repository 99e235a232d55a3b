//! How the objects of a job go.

use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1::{Pod, Service};
use reqwest::Method;

use super::{NEEDS, until_free, until_slots_are_back, until_started};
use crate::answer::UNKNOWN_JOB;
use crate::bodies::light;
use crate::case::{Capability, Case, Tag};
use crate::client::kube::Pick;
use crate::client::rest::Request;
use crate::client::watch::{Change, Seen};
use crate::failure::{Failure, equal, holds};
use crate::objects::{belongs, cleanup_job, grpc_job, grpc_service, name, phase};
use crate::story::Story;
use crate::workload::SECOND;

pub(in crate::cases) static CASES: &[Case] = &[
    Case {
        id: "kubernetes/cancellation-and-cleanup",
        claim: "the pods of a cancelled job end as Succeeded before they go, and soon nothing of it is left",
        keys: &["PZ-13899", "PZ-13670"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[Capability::Writes, Capability::K8s, Capability::Grpc],
        steps: &[
            "configure Light twice, watch the pods of the first",
            "DELETE the first job, at once read its pod, Job and Service",
            "within 5 s: no object of it, and what the watch has told",
            "DELETE it again, configure Light",
        ],
        expects: "200 cancelled; pod Succeeded, Job Complete, no Service; Succeeded before DELETED for both pods; INV-GONE; \
                  404; the slot goes to the next job; of Jobs, pods, Services and Endpoints only those of the living",
        body: |story| Box::pin(cancellation_and_cleanup(story)),
    },
    Case {
        id: "kubernetes/idle-sweep",
        claim: "50 seconds after its creation a job that nobody reads has no object left, and its pods were told to end",
        keys: &[],
        tags: &[Tag::Regression, Tag::Long],
        needs: NEEDS,
        steps: &["configure Light and never open a stream", "look every second for its objects"],
        expects: "all are there until 50 s and none afterwards, 2 s more or less on a clock that is held and 11 s else; \
                  Killing on both pods; INV-GONE",
        body: |story| Box::pin(idle_sweep(story)),
    },
];

async fn cancellation_and_cleanup(story: &Story) -> Result<(), Failure> {
    let cluster = story.cluster()?;
    until_slots_are_back(story).await?;
    let before = story.things().await?;
    let (job, other) = (story.configure(&light()).await?, story.configure(&light()).await?);
    until_started(story, &job).await?;
    let objects = story.objects(&job).await?;
    let version = cluster.list::<Pod>(&Pick::all()).await?.version;
    let pods = cluster.watch::<Pod>(&Pick::all(), &version).await?;
    story.cancel(&job).await?;
    // Known clients look each second for a pod that ends; one that is gone never did.
    for pod in [&objects.pod, &objects.cleanup_pod] {
        let ended: Pod = cluster.get(&name(pod)).await?;
        equal(
            &format!("the phase of pod {} of a cancelled job", name(pod)),
            &phase(&ended).as_str(),
            &"Succeeded",
        )?;
    }
    for app in [grpc_job(&job.id), cleanup_job(&job.id)] {
        let ended: batch::Job = cluster.get(&app).await?;
        equal(&format!("the verdict on job {app}"), &verdict(&ended), &vec![String::from("Complete")])?;
    }
    let service = cluster.find::<Service>(&grpc_service(&job.id)).await?;
    holds(service.is_none(), || format!("service {} of a cancelled job is there", grpc_service(&job.id)))?;
    story.metadata(&job.id).await?.is_refused(&UNKNOWN_JOB)?;
    until_free(story, &job).await?;
    let again = story.send(Request::of(Method::DELETE, &format!("/job/{}", job.id))).await?;
    again.is_refused(&UNKNOWN_JOB)?;
    for pod in [&objects.pod, &objects.cleanup_pod] {
        let told = pods.until(&format!("the end of pod {}", name(pod)), |seen| is_deleted(seen, pod)).await?;
        let of_it =
            told.iter().filter(|seen| name(&seen.object) == name(pod) && seen.change != Change::Deleted);
        let phases: Vec<_> = of_it.map(|seen| phase(&seen.object)).collect();
        holds(phases.iter().any(|phase| phase == "Succeeded"), || {
            format!("pod {} was deleted, but the watch never told that it ended: {phases:?}", name(pod))
        })?;
    }
    let next = story.configure(&light()).await?;
    equal("slot and port of the next job", &(next.slot, next.port), &(job.slot, job.port))
        .map_err(|failure| failure.shown_by(&next.answer.0))?;
    let after = story.things().await?;
    let orphans: Vec<_> = after
        .difference(&before)
        .filter(|(_, name, _)| !belongs(name, &next.id) && !belongs(name, &other.id))
        .map(|(kind, name, _)| format!("{kind} {name}"))
        .collect();
    equal("what belongs to no job that lives", &orphans, &Vec::new())?;
    story.objects(&other).await?;
    story.cancel(&next).await?;
    story.cancel(&other).await?;
    Ok(())
}

fn is_deleted(seen: &[Seen<Pod>], pod: &Pod) -> bool {
    seen.iter().any(|seen| seen.change == Change::Deleted && name(&seen.object) == name(pod))
}

/// The conditions of a Job that are true.
pub(super) fn verdict(job: &batch::Job) -> Vec<String> {
    let conditions = job.status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default();
    let mut verdict: Vec<_> =
        conditions.into_iter().filter(|one| one.status == "True").map(|one| one.type_).collect();
    // Newer clusters announce the verdict before it.
    verdict.retain(|kind| kind != "SuccessCriteriaMet" && kind != "FailureTarget");
    verdict
}

async fn idle_sweep(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    until_started(story, &job).await?;
    let objects = story.objects(&job).await?;
    let tolerance = if story.offers(Capability::Clock) { 2 } else { 11 };
    let (earliest, latest) = ((50 - tolerance) * SECOND, (50 + tolerance) * SECOND);
    // Nothing may go before the rest does; the question itself looks at all kinds.
    let passed = story
        .awaited(SECOND, latest, async || {
            let left = story.things_of(&job).await?;
            Ok((!left.is_empty()).then(|| format!("job {} still has {}", job.id, left.join(", "))))
        })
        .await?;
    holds(passed >= earliest, || format!("job {} was removed after {} s", job.id, passed.as_secs()))
        .map_err(|failure| failure.shown_by(&job.answer.0))?;
    story.until_gone(&job, SECOND, SECOND).await?;
    for pod in [&objects.pod, &objects.cleanup_pod] {
        let events = story.cluster()?.events(&name(pod)).await?;
        let reasons: Vec<_> = events.into_iter().filter_map(|event| event.reason).collect();
        holds(reasons.iter().any(|reason| reason == "Killing"), || {
            format!("pod {} was swept without event Killing: {reasons:?}", name(pod))
        })?;
    }
    Ok(())
}
