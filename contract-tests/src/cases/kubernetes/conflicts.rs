//! Requests that must leave nothing in the cluster: a port that a left-over Service holds, and requests that make no sense.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{NEEDS, until_slots_are_back};
use crate::answer::{NO_RECORDING, Refused};
use crate::bodies::{base, historic, light, without};
use crate::case::{Case, Tag};
use crate::checks;
use crate::client::kube::Pick;
use crate::client::watch::Change;
use crate::failure::{Failure, equal, holds};
use crate::objects::{grpc_job, grpc_service, name};
use crate::story::Story;

pub(in crate::cases) static CASES: &[Case] = &[
    Case {
        id: "kubernetes/predictable-port-in-use",
        claim: "a Service that a lost job left behind makes its port conflict, until it is deleted",
        keys: &["PZ-13873", "PZ-13503"],
        tags: &[Tag::Regression],
        needs: NEEDS,
        steps: &[
            "configure Light; create a NodePort Service on the next port, one of that name on another port, and one of \
             another name on that port",
            "configure Light twice",
            "delete the Service, configure Light three times",
        ],
        expects: "201, 409 AlreadyExists, 422 Invalid; 409 PORT_IN_USE with port, `in use` and `conflict` twice, no object \
                  left; three jobs with three ports, the first of which is that port",
        body: |story| Box::pin(predictable_port_in_use(story)),
    },
    Case {
        id: "kubernetes/invalid-no-orchestration",
        claim: "a request that is refused for what it says never reaches the cluster",
        keys: &["PZ-14018", "PZ-13600", "PZ-14019"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: NEEDS,
        steps: &[
            "watch the Jobs",
            "configure Base without channels; Base over 2020-01-01 00:00 to 01:00 UTC",
            "configure Light, which the watch must tell",
        ],
        expects: "422 under 1 s and 404 NO_RECORDING under 2 s, no object left; the first Job that the watch tells is that of \
                  Light",
        body: |story| Box::pin(invalid_no_orchestration(story)),
    },
];

/// What a lost job leaves behind.
fn left_over(named: &str, port: u16) -> Service {
    let app = String::from("grpc-job-999-999999");
    Service {
        metadata: ObjectMeta { name: Some(named.to_owned()), ..ObjectMeta::default() },
        spec: Some(ServiceSpec {
            type_: Some(String::from("NodePort")),
            selector: Some(BTreeMap::from([(String::from("app"), app)])),
            ports: Some(vec![ServicePort {
                name: Some(String::from("grpc")),
                port: port.into(),
                node_port: Some(port.into()),
                target_port: Some(IntOrString::Int(5000)),
                protocol: Some(String::from("TCP")),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

async fn predictable_port_in_use(story: &Story) -> Result<(), Failure> {
    until_slots_are_back(story).await?;
    let cluster = story.cluster()?;
    let first = story.configure(&light()).await?;
    let port = first.port + 1;
    // Named as those of jobs are, with numbers that no job has.
    let (planted, other) = (grpc_service("999-999999"), grpc_service("999-999998"));
    let created = story.plant(&left_over(&planted, port)).await?;
    let spec = created.spec.unwrap_or_default();
    let ports: Vec<_> = spec.ports.unwrap_or_default().into_iter().map(|one| one.node_port).collect();
    equal("the nodePorts of the Service that was created", &ports, &vec![Some(i32::from(port))])?;
    let again = cluster.create_service(&left_over(&planted, port + 9)).await?;
    again.is_refused(409, "AlreadyExists")?;
    let taken = cluster.create_service(&left_over(&other, port)).await?;
    taken.is_refused(422, "Invalid")?;
    let said = taken.exchange().text();
    holds(said.contains("provided port is already allocated"), || format!("a port that is taken: {said}"))?;
    let conflict = format!("Port {port} is already in use: conflict with an existing service");
    for _ in 0..2 {
        let refused = story.nothing_new(story.post("/configure", &light())).await?;
        refused.is_refused(&Refused::said(409, "PORT_IN_USE", &conflict))?;
    }
    story.uproot(&planted).await?;
    let gone = cluster.find::<Service>(&planted).await?;
    holds(gone.is_none(), || format!("service {planted} was deleted, but is there"))?;
    let mut jobs = vec![first];
    for place in 0..3 {
        let job = story.configure(&light()).await?;
        equal("the port of a job after the conflict", &job.port, &(port + place))?;
        jobs.push(job);
    }
    for job in &jobs {
        story.cancel(job).await?;
    }
    Ok(())
}

async fn invalid_no_orchestration(story: &Story) -> Result<(), Failure> {
    let cluster = story.cluster()?;
    let version = cluster.list::<batch::Job>(&Pick::all()).await?.version;
    let jobs = cluster.watch::<batch::Job>(&Pick::all(), &version).await?;
    let incomplete = without(base(), &["channels"]);
    let refused = story.nothing_new(story.post("/configure", &incomplete)).await?;
    refused.is_refused(&checks::refused(vec![checks::missing("channels")]))?;
    let took = refused.0.took;
    holds(took < Duration::from_secs(1), || format!("the refusal took {took:?}"))?;
    let empty = historic(base(), 1_577_836_800, 1_577_840_400);
    let refused = story.nothing_new(story.post("/configure", &empty)).await?;
    refused.is_refused(&NO_RECORDING)?;
    let took = refused.0.took;
    holds(took < Duration::from_secs(2), || format!("the refusal took {took:?}"))?;
    let job = story.configure(&light()).await?;
    let app = grpc_job(&job.id);
    let told =
        jobs.until(&format!("job {app}"), |seen| seen.iter().any(|seen| name(&seen.object) == app)).await?;
    let added: Vec<_> = told.iter().filter(|seen| seen.change == Change::Added).collect();
    let first = added.first().map(|seen| name(&seen.object));
    equal("the first job that the watch tells of", &first, &Some(app))?;
    story.cancel(&job).await?;
    Ok(())
}
