//! What can be learnt of a job without the server: logs, events, status.

use k8s_openapi::api::core::v1::Event;

use super::{NEEDS, clean, until_started};
use crate::bodies::light;
use crate::case::{Case, Tag};
use crate::client::kube::Pick;
use crate::failure::{Failure, equal, holds};
use crate::objects::{condition, grpc_job, is_ready, name, phase, restarts};
use crate::story::Story;
use crate::workload::{READY, SECOND, Workload};

pub(in crate::cases) static CASES: &[Case] = &[Case {
    id: "kubernetes/observability",
    claim: "logs, events and status tell how a job began, how it stands and how it ended",
    keys: &["PZ-13899"],
    tags: &[Tag::Regression],
    needs: NEEDS,
    steps: &[
        "configure Light, wait until both pods run, and for a sample of the cleanup pod",
        "read status and log of its pod, the log's last two lines, and the logs of the cleanup pod and the focus server",
        "read the events of pod and Job, cancel the job, read them again",
    ],
    expects: "phase, conditions and restartCount are there; logs are not empty and tell of no failure, that of the server \
              names the job; Scheduled, Pulled, Created, Started in this order, SuccessfulCreate on the Job; Killing on the \
              pod and Completed on the Job after the cancel",
    body: |story| Box::pin(observability(story)),
}];

async fn observability(story: &Story) -> Result<(), Failure> {
    let cluster = story.cluster()?;
    let server = story.until_settled(Workload::FocusServer, READY).await?;
    let job = story.configure(&light()).await?;
    until_started(story, &job).await?;
    let objects = story.objects(&job).await?;
    let (pod, app) = (name(&objects.pod), grpc_job(&job.id));
    equal("the phase of the pod", &phase(&objects.pod).as_str(), &"Running")?;
    equal("restartCount of the pod", &restarts(&objects.pod), &0)?;
    for kind in ["Ready", "Initialized", "ContainersReady", "PodScheduled"] {
        let status = condition(&objects.pod, kind);
        equal(&format!("condition {kind} of the pod"), &status.as_deref(), &Some("True"))?;
    }
    holds(is_ready(&objects.pod), || String::from("the container of a pod that is ready is not"))?;
    // Ten seconds are between two samples.
    story.pass(11 * SECOND).await?;
    let queue = format!("focus_baby.{}", job.id);
    let tail = cluster.log(&pod, Some(2)).await?;
    let log = cluster.log(&pod, None).await?;
    clean(&format!("pod {pod}"), &log)?;
    holds(log.contains(&queue), || format!("the log of pod {pod} does not show its command: {log}"))?;
    holds(log.contains(tail.trim_end()) && tail.lines().count() == 2, || {
        format!("the last two lines of the log of pod {pod} are {tail:?} of {log:?}")
    })?;
    let cleanup = name(&objects.cleanup_pod);
    clean(&format!("pod {cleanup}"), &cluster.log(&cleanup, None).await?)?;
    let mut logs = Vec::new();
    for server in server.ready_pods() {
        logs.push(cluster.log(&name(server), None).await?);
    }
    for sign in [format!("--queue-name {queue}"), format!("job-{}.yml", job.id)] {
        let told = logs.iter().flat_map(|log| log.lines()).any(|line| {
            // Whole, as ids begin with each other.
            line.split_once(&sign)
                .is_some_and(|(_, rest)| !rest.starts_with(|next: char| next.is_ascii_digit()))
        });
        holds(told, || format!("no line in the log of the focus server has {sign}"))?;
    }
    let events = cluster.events(&pod).await?;
    equal(
        &format!("the events of pod {pod}"),
        &reasons(&events)?,
        &["Scheduled", "Pulled", "Created", "Started"].map(String::from).to_vec(),
    )?;
    let of_job = cluster.events(&app).await?;
    equal(&format!("the events of job {app}"), &reasons(&of_job)?, &vec![String::from("SuccessfulCreate")])?;
    story.cancel(&job).await?;
    let ended = cluster.events(&pod).await?;
    let last = reasons(&ended)?.split_off(events.len().min(ended.len()));
    equal(&format!("the events of pod {pod} after the cancel"), &last, &vec![String::from("Killing")])?;
    let ended = reasons(&cluster.events(&app).await?)?;
    holds(ended.iter().any(|reason| reason == "Completed"), || {
        format!("job {app} was completed without event Completed: {ended:?}")
    })?;
    let killing = Pick::fields(format!("involvedObject.name={pod},reason=Killing"));
    equal("the number of events Killing", &cluster.list::<Event>(&killing).await?.items.len(), &1)
}

/// The reasons of events of one object, which come in the order in which they happened; each is Normal.
fn reasons(events: &[Event]) -> Result<Vec<String>, Failure> {
    let version =
        |event: &Event| event.metadata.resource_version.as_deref().and_then(|text| text.parse::<u64>().ok());
    let versions: Vec<_> = events.iter().map(version).collect();
    holds(versions.iter().all(Option::is_some) && versions.is_sorted(), || {
        format!("events are not in the order of their resourceVersion: {versions:?}")
    })?;
    let mut reasons = Vec::new();
    for event in events {
        let reason = event.reason.clone().unwrap_or_default();
        equal(&format!("type of event {reason}"), &event.type_.as_deref(), &Some("Normal"))?;
        reasons.push(reason);
    }
    Ok(reasons)
}
