//! The objects of a job while it lives.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1::{Endpoints, Node, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{NEEDS, STARTED, until_free, until_slots_are_back, until_started};
use crate::bodies::{LIGHT, light};
use crate::case::{Capability, Case, Tag};
use crate::cases::kubernetes::command::Command;
use crate::client::kube::Pick;
use crate::client::quantity::quantity;
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::objects::{
    Objects, cleanup_job, condition, container, grpc_job, grpc_service, is_ready, label, name, phase,
    restarts, uid,
};
use crate::story::Story;
use crate::workload::SECOND;

pub(in crate::cases) static CASES: &[Case] = &[
    Case {
        id: "kubernetes/creation-triggers-pod",
        claim: "a configuration creates two Jobs with a pod each and a Service, and the pod runs what was asked for",
        keys: &["PZ-13899", "PZ-14925"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: NEEDS,
        steps: &[
            "list all objects, configure Light, list them again",
            "within 10 s: the pods with label app=grpc-job-<id>",
            "within 30 s: that pod is Running and Ready",
            "read both Jobs, both pods, and the command of the container",
        ],
        expects: "exactly one pod with the labels app, job-name, controller-uid and job_id, owned by its Job; one container \
                  whose command has the flags of the request; exactly two Jobs, two pods, a Service and its Endpoints more \
                  than before (INV-OBJECTS); no condition on a Job that is active",
        body: |story| Box::pin(creation_triggers_pod(story)),
    },
    Case {
        id: "kubernetes/resource-allocation",
        claim: "the pod of a job has the resources of the template, and never asks for more than it may use",
        keys: &["PZ-13899"],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &["configure Light", "read the resources of both pods of the job"],
        expects: "requests cpu 2, memory 32Gi, nvidia.com/gpu.shared 1; limits cpu 4, memory 32Gi, nvidia.com/gpu.shared 1; \
                  quantities parse, requests are within limits; no GPU for the cleanup pod",
        body: |story| Box::pin(resource_allocation(story)),
    },
    Case {
        id: "kubernetes/port-exposure",
        claim: "the port of a job is that of a NodePort Service that leads to its pod, and accepts connections",
        keys: &["PZ-13899", "PZ-13294"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[Capability::Writes, Capability::K8s, Capability::Grpc],
        steps: &[
            "configure Light, connect to stream_url:stream_port by TCP and by gRPC",
            "read Service, Endpoints and pod",
        ],
        expects: "type NodePort; port = nodePort = stream_port; targetPort 5000 = containerPort; the selector picks the pod, \
                  the endpoint has its address; connected at the first try",
        body: |story| Box::pin(port_exposure(story)),
    },
    Case {
        id: "kubernetes/slots-and-sequence",
        claim: "the objects of jobs are named after slots and sequences, and their ports are a constant plus the slot",
        keys: &["PZ-13565"],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &[
            "with no other job in the cluster: configure Light three times",
            "cancel the second one and wait until the cluster has nothing of it",
            "configure Light again",
        ],
        expects: "slots 1, 2, 3, then 2; sequences strictly increase; nodePort - slot is the same for all Services",
        body: |story| Box::pin(slots_and_sequence(story)),
    },
    Case {
        id: "kubernetes/gpu-pending",
        claim: "a job without a free GPU share waits as a Pending pod that says why, and runs when a share is free",
        keys: &["PZ-13268"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::K8s, Capability::Faults],
        steps: &[
            "2 GPU shares: configure Light three times",
            "read the third pod, its events and Endpoints",
            "cancel the first",
        ],
        expects: "200 three times; the third pod is Pending with FailedScheduling `Insufficient nvidia.com/gpu.shared` and no \
                  endpoint; Running and Ready after the cancel",
        body: |story| Box::pin(gpu_pending(story)),
    },
];

async fn creation_triggers_pod(story: &Story) -> Result<(), Failure> {
    let before = story.things().await?;
    let job = story.configure(&light()).await?;
    let (cluster, app) = (story.cluster()?, grpc_job(&job.id));
    let picked = Pick::labels(format!("app={app}"));
    let limit = Duration::from_secs(10);
    story
        .awaited(SECOND, limit, async || {
            let pods = cluster.list::<Pod>(&picked).await?.items;
            Ok(pods.is_empty().then(|| format!("there is no pod with label app={app}")))
        })
        .await?;
    story.until_running(&app, STARTED).await?;
    until_started(story, &job).await?;
    let objects = story.objects(&job).await?;
    owned(&objects.pod, &objects.job, &job)?;
    owned(&objects.cleanup_pod, &objects.cleanup_job, &job)?;
    active(&objects.job, 120)?;
    active(&objects.cleanup_job, 10)?;
    let command = Command::of(&container(&objects.pod)?)?;
    equal("the command of the pod", &command, &Command::live(&LIGHT, &job))?;
    cleans_up(&objects)?;
    let after = story.things().await?;
    let new: BTreeSet<_> = after.difference(&before).map(|(kind, name, _)| (*kind, name.clone())).collect();
    let expected = BTreeSet::from([
        ("job", app.clone()),
        ("job", cleanup_job(&job.id)),
        ("pod", name(&objects.pod)),
        ("pod", name(&objects.cleanup_pod)),
        ("service", grpc_service(&job.id)),
        ("endpoints", grpc_service(&job.id)),
    ]);
    equal("what the configuration created in the cluster", &new, &expected)?;
    story.cancel(&job).await?;
    Ok(())
}

/// That a pod is that of its Job, by labels and owner.
fn owned(pod: &Pod, owner: &batch::Job, job: &Job) -> Result<(), Failure> {
    let (app, owner_uid) = (name(owner), uid(owner));
    for (key, expected) in
        [("app", &app), ("job-name", &app), ("controller-uid", &owner_uid), ("job_id", &job.id)]
    {
        equal(&format!("label {key} of pod {}", name(pod)), &label(pod, key), &Some(expected.clone()))?;
    }
    let owners = pod.metadata.owner_references.clone().unwrap_or_default();
    let owners: Vec<_> = owners
        .into_iter()
        .map(|one| (one.api_version, one.kind, one.name, one.uid, one.controller))
        .collect();
    let expected = (String::from("batch/v1"), String::from("Job"), app, owner_uid, Some(true));
    equal(&format!("the owners of pod {}", name(pod)), &owners, &vec![expected])?;
    equal(&format!("restarts of pod {}", name(pod)), &restarts(pod), &0)
}

/// That a Job is at work: one pod, no verdict yet.
fn active(job: &batch::Job, ttl: i32) -> Result<(), Failure> {
    let what = |field: &str| format!("{field} of job {}", name(job));
    let (spec, status) = (job.spec.clone().unwrap_or_default(), job.status.clone().unwrap_or_default());
    equal(&what("backoffLimit"), &spec.backoff_limit, &Some(0))?;
    equal(&what("parallelism and completions"), &(spec.parallelism, spec.completions), &(Some(1), Some(1)))?;
    equal(&what("ttlSecondsAfterFinished"), &spec.ttl_seconds_after_finished, &Some(ttl))?;
    equal(&what("status.active"), &status.active, &Some(1))?;
    holds(status.start_time.is_some(), || format!("job {} has no startTime", name(job)))?;
    let conditions: Vec<_> = status.conditions.into_iter().flatten().map(|one| one.type_).collect();
    equal(&what("conditions while it is active"), &conditions, &Vec::new())
}

/// That the other pod watches over the job as its settings say.
fn cleans_up(objects: &Objects) -> Result<(), Failure> {
    let cleanup = container(&objects.cleanup_pod)?;
    let env = cleanup.env.unwrap_or_default();
    let env: BTreeMap<_, _> = env.into_iter().map(|one| (one.name, one.value.unwrap_or_default())).collect();
    for (key, expected) in
        [("CPU_USAGE_THRESHOLD", "4"), ("ENABLE_CPU_USAGE_CHECK", "true"), ("MAX_CPU_USAGE_COUNT", "5")]
    {
        equal(&format!("{key} of the cleanup pod"), &env.get(key).map(String::as_str), &Some(expected))?;
    }
    let account = objects.cleanup_pod.spec.as_ref().and_then(|spec| spec.service_account_name.clone());
    equal("serviceAccountName of the cleanup pod", &account.as_deref(), &Some("cleanup-sa"))
}

const GPU: &str = "nvidia.com/gpu.shared";

/// Quantities by resource, as numbers.
fn numbers(quantities: Option<BTreeMap<String, Quantity>>) -> Result<BTreeMap<String, f64>, Failure> {
    let number = |(resource, Quantity(text)): (String, Quantity)| {
        let parsed = quantity(&text);
        let parsed = parsed.ok_or_else(|| Failure::broken(format!("{resource} {text:?} is no quantity")))?;
        Ok((resource, parsed))
    };
    quantities.into_iter().flatten().map(number).collect()
}

async fn resource_allocation(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    until_started(story, &job).await?;
    let objects = story.objects(&job).await?;
    let resources = container(&objects.pod)?.resources.unwrap_or_default();
    let (requests, limits) = (numbers(resources.requests)?, numbers(resources.limits)?);
    let expected = |cpu: f64| {
        let memory = 32.0 * 1_073_741_824.0;
        [("cpu", cpu), ("memory", memory), (GPU, 1.0)].map(|(key, value)| (key.to_owned(), value)).into()
    };
    equal("the requests of the pod", &requests, &expected(2.0))?;
    equal("the limits of the pod", &limits, &expected(4.0))?;
    for (resource, request) in &requests {
        let limit = limits.get(resource).copied().unwrap_or_default();
        holds(*request <= limit, || format!("{resource}: {request} is requested, and the limit is {limit}"))?;
    }
    let resources = container(&objects.cleanup_pod)?.resources.unwrap_or_default();
    for (what, quantities) in [("requests", resources.requests), ("limits", resources.limits)] {
        let gpu = quantities.unwrap_or_default().remove(GPU);
        equal(&format!("{GPU} among the {what} of the cleanup pod"), &gpu, &None)?;
    }
    story.cancel(&job).await?;
    Ok(())
}

async fn port_exposure(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    holds(story.port_is_open(&job).await, || format!("nobody listens on {}", story.authority(&job)))
        .map_err(|failure| failure.shown_by(&job.answer.0))?;
    story.connect(&job).await?;
    let objects = story.objects(&job).await?;
    let pod = story.until_running(&grpc_job(&job.id), STARTED).await?;
    let service = objects.service.spec.clone().unwrap_or_default();
    equal("the type of the Service", &service.type_.as_deref(), &Some("NodePort"))?;
    let ports: Vec<_> = service
        .ports
        .unwrap_or_default()
        .into_iter()
        .map(|port| (port.port, port.node_port, port.target_port, port.protocol))
        .collect();
    let streams = i32::from(job.port);
    let tcp = Some(String::from("TCP"));
    let expected = (streams, Some(streams), Some(IntOrString::Int(5000)), tcp);
    equal("port, nodePort, targetPort and protocol of the Service", &ports, &vec![expected])?;
    let selector: Vec<_> = service.selector.unwrap_or_default().into_iter().collect();
    equal("the selector of the Service", &selector, &vec![(String::from("app"), grpc_job(&job.id))])?;
    let inside = container(&pod)?.ports.unwrap_or_default();
    let inside: Vec<_> = inside.iter().map(|port| port.container_port).collect();
    equal("the ports of the container", &inside, &vec![5000])?;
    equal("the addresses of the Endpoints", &addresses(story, &job).await?, &vec![address(&pod)])?;
    story.cancel(&job).await?;
    Ok(())
}

/// An address of Endpoints: ip, port, and the pod that it is.
type Address = (String, i32, Option<String>);

/// The only address that a running pod may have there.
fn address(pod: &Pod) -> Address {
    let ip = pod.status.as_ref().and_then(|status| status.pod_ip.clone()).unwrap_or_default();
    (ip, 5000, Some(name(pod)))
}

/// The addresses to which the Service of a job leads.
pub(super) async fn addresses(story: &Story, job: &Job) -> Result<Vec<Address>, Failure> {
    let endpoints: Endpoints = story.cluster()?.get(&grpc_service(&job.id)).await?;
    let mut found = Vec::new();
    for subset in endpoints.subsets.unwrap_or_default() {
        for address in subset.addresses.unwrap_or_default() {
            for port in subset.ports.iter().flatten() {
                let target = address.target_ref.as_ref().and_then(|target| target.name.clone());
                found.push((address.ip.clone(), port.port, target));
            }
        }
    }
    Ok(found)
}

async fn slots_and_sequence(story: &Story) -> Result<(), Failure> {
    let of_jobs = |name: &str| ["grpc-", "cleanup-job-"].iter().any(|start| name.starts_with(start));
    story
        .awaited(SECOND, 60 * SECOND, async || {
            let things = story.things().await?.into_iter().map(|(_, name, _)| name);
            let others: Vec<_> = things.filter(|name| of_jobs(name)).collect();
            Ok((!others.is_empty()).then(|| format!("there are other jobs: {}", others.join(", "))))
        })
        .await?;
    until_slots_are_back(story).await?;
    let mut jobs: Vec<Job> = Vec::new();
    for _ in 0..3 {
        jobs.push(story.configure(&light()).await?);
    }
    let mut bases = BTreeSet::new();
    for job in &jobs {
        bases.insert(base_of(story, job).await?);
    }
    story.cancel(&jobs[1]).await?;
    until_free(story, &jobs[1]).await?;
    let last = story.configure(&light()).await?;
    bases.insert(base_of(story, &last).await?);
    jobs.push(last);
    let slots: Vec<_> = jobs.iter().map(|job| job.slot).collect();
    equal("the list of slots", &slots, &vec![1, 2, 3, 2])?;
    let sequences: Vec<_> = jobs.iter().map(|job| job.sequence).collect();
    let increase = sequences.windows(2).all(|pair| pair[0] < pair[1]);
    holds(increase, || format!("INV-SEQ: sequences {sequences:?}"))?;
    holds(bases.len() == 1, || format!("INV-PORT: ports of Services minus slots {bases:?}"))?;
    for job in jobs.iter().filter(|job| job.id != jobs[1].id) {
        story.cancel(job).await?;
    }
    Ok(())
}

/// The port of a job's Service without its slot.
async fn base_of(story: &Story, job: &Job) -> Result<i64, Failure> {
    let spec = story.objects(job).await?.service.spec.unwrap_or_default();
    let ports: Vec<_> =
        spec.ports.unwrap_or_default().into_iter().filter_map(|port| port.node_port).collect();
    equal(&format!("the nodePorts of the Service of job {}", job.id), &ports, &vec![i32::from(job.port)])?;
    Ok(i64::from(job.port) - i64::from(job.slot))
}

async fn gpu_pending(story: &Story) -> Result<(), Failure> {
    story.limit(&serde_json::json!({"gpu_pool": 2})).await?;
    let cluster = story.cluster()?;
    let pool: Vec<_> = cluster.list::<Node>(&Pick::all()).await?.items;
    let shares =
        pool.into_iter().filter_map(|node| node.status?.allocatable?.remove(GPU)).map(|share| share.0);
    let shares: f64 = shares.filter_map(|share| quantity(&share)).sum();
    equal("the shares that all nodes have together", &shares, &2.0)?;
    let first = story.configure(&light()).await?;
    let second = story.configure(&light()).await?;
    let third = story.configure(&light()).await?;
    story.until_running(&grpc_job(&second.id), STARTED).await?;
    let pod = story.pod_of(&grpc_job(&third.id)).await?;
    equal(&format!("the phase of pod {}", name(&pod)), &phase(&pod).as_str(), &"Pending")?;
    holds(!is_ready(&pod), || format!("pod {} has no share, but is ready", name(&pod)))?;
    let scheduled = condition(&pod, "PodScheduled");
    equal("condition PodScheduled of a pod without a share", &scheduled.as_deref(), &Some("False"))?;
    let events = cluster.events(&name(&pod)).await?;
    let failed = events.iter().find(|event| event.reason.as_deref() == Some("FailedScheduling"));
    let told = failed.map(|event| (event.type_.clone(), event.message.clone().unwrap_or_default()));
    let says = |(kind, message): &(Option<String>, String)| {
        kind.as_deref() == Some("Warning") && message.contains("Insufficient nvidia.com/gpu.shared")
    };
    holds(told.as_ref().is_some_and(says), || format!("the event of a pod without a share: {told:?}"))?;
    equal("the addresses of a job that waits", &addresses(story, &third).await?, &Vec::new())?;
    story.metadata(&third.id).await?.has_status(200)?.is_json(&third.answer.json()?)?;
    story.cancel(&first).await?;
    let pod = story.until_running(&grpc_job(&third.id), STARTED).await?;
    equal("the addresses of the job that waited", &addresses(story, &third).await?, &vec![address(&pod)])?;
    story.cancel(&second).await?;
    story.cancel(&third).await?;
    Ok(())
}
