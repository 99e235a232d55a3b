//! The cluster before anybody does anything: it answers, and all that belongs to the product runs.

use k8s_openapi::api::core::v1::Node;

use super::{NEEDS, clean};
use crate::bodies::light;
use crate::case::{Case, Tag};
use crate::client::kube::Pick;
use crate::failure::{Failure, equal, holds};
use crate::objects::{name, phase, restarts};
use crate::story::Story;
use crate::workload::{READY, Workload};

pub(in crate::cases) static CASES: &[Case] = &[
    Case {
        id: "kubernetes/clean-startup",
        claim: "the pods of a focus server that has come up never restarted, and the log of its start tells of no failure",
        keys: &["PZ-13873"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: NEEDS,
        steps: &[
            "read the pods of the focus server",
            "GET /ack, /channels, /live_metadata, /openapi.json",
            "configure Light and cancel it",
            "read the log up to the line that tells that it listens",
        ],
        expects: "Running, Ready, restartCount 0; 200 with an empty body for /ack, 200 for the others; 200 with all \
                  invariants; no failure word",
        body: |story| Box::pin(clean_startup(story)),
    },
    Case {
        id: "kubernetes/workloads-ready",
        claim: "the cluster answers, its nodes are ready, and every workload of the product is",
        keys: &[],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: NEEDS,
        steps: &["GET /ack and /channels; ask for version, nodes and the four workloads with their pods"],
        expects: "a version; condition Ready of each node; as many ready pods as wanted, Running, with their labels; condition \
                  Available of Deployments; observedGeneration is generation",
        body: |story| Box::pin(workloads_ready(story)),
    },
];

async fn clean_startup(story: &Story) -> Result<(), Failure> {
    let standing = story.until_settled(Workload::FocusServer, READY).await?;
    for pod in &standing.pods {
        equal(&format!("the phase of pod {}", name(pod)), &phase(pod).as_str(), &"Running")?;
        equal(&format!("restartCount of pod {}", name(pod)), &restarts(pod), &0)?;
    }
    story.get("/ack").await?.is_empty(200)?;
    for path in ["/channels", "/live_metadata", "/openapi.json"] {
        story.get(path).await?.has_status(200)?;
    }
    let job = story.configure(&light()).await?;
    story.cancel(&job).await?;
    for pod in &standing.pods {
        let log = story.cluster()?.log(&name(pod), None).await?;
        // What comes later may tell of refusals.
        let end = log.lines().position(|line| line.contains("5000"));
        let end = end.ok_or_else(|| {
            Failure::broken(format!(
                "no line in the log of pod {} tells that it listens on 5000: {log}",
                name(pod)
            ))
        })?;
        let start: Vec<_> = log.lines().take(end + 1).collect();
        clean(&format!("pod {}", name(pod)), &start.join("\n"))?;
    }
    Ok(())
}

async fn workloads_ready(story: &Story) -> Result<(), Failure> {
    story.get("/ack").await?.is_empty(200)?;
    story.get("/channels").await?.has_status(200)?;
    let cluster = story.cluster()?;
    let version: serde_json::Value = cluster.version().await?.read(200)?;
    holds(version["gitVersion"].is_string() && version["major"].is_string(), || {
        format!("the version of the cluster is {version}")
    })?;
    let nodes = cluster.list::<Node>(&Pick::all()).await?.items;
    holds(!nodes.is_empty(), || String::from("the cluster has no nodes"))?;
    for node in &nodes {
        let conditions = node.status.clone().unwrap_or_default().conditions.unwrap_or_default();
        let ready = conditions.iter().find(|one| one.type_ == "Ready").map(|one| one.status.clone());
        equal(&format!("condition Ready of node {}", name(node)), &ready.as_deref(), &Some("True"))?;
    }
    for workload in Workload::ALL {
        let standing = story.standing(workload).await?;
        let words = format!("{}: {}", workload.name(), standing.words());
        holds(standing.wanted >= 1 && standing.ready == standing.wanted, || words.clone())?;
        equal(
            &format!("the ready pods of {}", workload.name()),
            &standing.ready_pods().len(),
            &standing.pods.len(),
        )?;
        holds(!standing.pods.is_empty(), || words.clone())?;
        holds(standing.pods.iter().all(|pod| phase(pod) == "Running"), || words.clone())?;
        let (generation, observed) = standing.generations;
        equal(&format!("observedGeneration of {}", workload.name()), &observed, &generation)?;
        if !workload.is_stateful() {
            let available = standing.conditions.get("Available").map(String::as_str);
            equal(&format!("condition Available of {}", workload.name()), &available, &Some("True"))?;
        }
    }
    Ok(())
}
