//! The five lives of a job as its orchestration shows them: creation, resources, exposure, cancellation, observation.

use std::net::TcpStream;

use futures_util::StreamExt;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Endpoints, Event, Pod, Service};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, LogParams, Preconditions};
use kube::runtime::wait::{await_condition, conditions as is};
use serde_json::json;

use super::client::{Cluster, conditions, is_ready, phase, refusal, within};
use crate::common::{START, base, light, with};

#[tokio::test]
async fn a_configured_job_is_two_jobs_and_their_pods_running_under_its_names_and_labels() {
    let cluster = Cluster::held().await;
    let answer = cluster.job().await;
    assert_eq!(answer["job_id"], "1-1");
    assert_eq!(cluster.names_of::<Job>("1-1").await, ["cleanup-job-1-1", "grpc-job-1-1"]);
    for (name, image) in [("grpc-job-1-1", "panda/pzlinux:"), ("cleanup-job-1-1", "panda/cleanup-grpc:1.1")] {
        let job = cluster.jobs().get(name).await.expect("a job");
        assert_eq!(
            (conditions(&job), job.status.and_then(|status| status.active)),
            (vec![], Some(1)),
            "{name}"
        );
        let pod = cluster.pod_of(name).await;
        assert_eq!((phase(&pod), is_ready(&pod)), ("Running".into(), true), "{name}");
        assert_eq!(pod.labels()["job_id"], "1-1");
        assert_eq!(pod.labels()["app"], name);
        let owner = &pod.owner_references()[0];
        assert_eq!(
            (owner.kind.as_str(), &*owner.name, Some(&owner.uid)),
            ("Job", name, job.metadata.uid.as_ref())
        );
        let containers = pod.spec.expect("a spec").containers;
        assert!(containers[0].image.as_deref().unwrap_or_default().starts_with(image), "{name}");
    }
    // An id is a part of others: neither of these is found as `1-1`.
    for _ in 0..10 {
        cluster.job().await;
    }
    assert_eq!(cluster.names_of::<Pod>("1-1").await.len(), 2);
}

#[tokio::test]
async fn the_pod_says_what_it_was_asked_to_stream_and_what_it_takes() {
    let cluster = Cluster::held().await;
    let window = json!({"start_time": START - 7200, "end_time": START - 3600});
    cluster.rest.job(&with(base(), &window)).await;
    let pod = cluster.pod_of("grpc-job-1-1").await;
    let container = pod.spec.expect("a spec").containers.remove(0);
    assert_eq!(
        container.command.expect("a command").join(" "),
        format!(
            "python -m baby_analyzer --roi 1 50 -sg 1024 --sg-range 0 500 --grpc-streams-num 3 --queue-name \
             focus_baby.1-1 --time-start {} --time-end {} --time-zone UTC",
            START - 7200,
            START - 3600
        )
    );
    assert_eq!(container.args, None);
    let resources = container.resources.expect("resources");
    let told = |quantities: &Option<std::collections::BTreeMap<String, _>>| -> Vec<String> {
        let quantities: &std::collections::BTreeMap<
            _,
            k8s_openapi::apimachinery::pkg::api::resource::Quantity,
        > = quantities.as_ref().expect("quantities");
        quantities.iter().map(|(name, quantity)| format!("{name}={}", quantity.0)).collect()
    };
    assert_eq!(told(&resources.requests), ["cpu=2", "memory=32Gi", "nvidia.com/gpu.shared=1"]);
    assert_eq!(told(&resources.limits), ["cpu=4", "memory=32Gi", "nvidia.com/gpu.shared=1"]);
    let cleanup = cluster.pod_of("cleanup-job-1-1").await.spec.expect("a spec");
    assert_eq!(cleanup.service_account_name.as_deref(), Some("cleanup-sa"));
    let env = cleanup.containers[0].env.as_ref().expect("an environment");
    let env: Vec<_> = env.iter().map(|env| (env.name.as_str(), env.value.as_deref())).collect();
    assert_eq!(
        env,
        [
            ("CPU_USAGE_THRESHOLD", Some("4")),
            ("ENABLE_CPU_USAGE_CHECK", Some("true")),
            ("MAX_CPU_USAGE_COUNT", Some("5"))
        ]
    );
    let template = cluster.api::<ConfigMap>().get("grpc-job-template").await.expect("a template");
    assert!(template.data.expect("data").values().any(|text| text.contains("ttlSecondsAfterFinished: 120")));
}

#[tokio::test]
async fn its_service_opens_the_port_that_configure_answered_and_leads_to_its_pod() {
    let cluster = Cluster::held().await;
    let answer = cluster.job().await;
    let service = cluster.services().get("grpc-service-1-1").await.expect("a service");
    let spec = service.spec.expect("a spec");
    let port = &spec.ports.expect("ports")[0];
    let number = i32::from(cluster.server.port_base() + 1);
    assert_eq!(answer["stream_port"].as_i64(), Some(number.into()));
    assert_eq!(
        (port.port, port.node_port, port.target_port.clone()),
        (number, Some(number), Some(IntOrString::Int(5000)))
    );
    assert_eq!(
        (spec.type_.as_deref(), spec.selector.expect("a selector")["app"].as_str()),
        (Some("NodePort"), "grpc-job-1-1")
    );
    let endpoints = cluster.api::<Endpoints>().get("grpc-service-1-1").await.expect("endpoints");
    let address = endpoints.subsets.expect("subsets").remove(0).addresses.expect("addresses").remove(0);
    let pod = cluster.pod_of("grpc-job-1-1").await;
    assert_eq!(address.target_ref.and_then(|pod| pod.name), Some(pod.name_any()));
    assert_eq!(Some(address.ip), pod.status.and_then(|status| status.pod_ip));
    let at = (cluster.server.rest().ip(), cluster.server.port_base() + 1);
    assert!(TcpStream::connect(at).is_ok(), "it is open");
    cluster.services().delete("grpc-service-1-1", &DeleteParams::default()).await.expect("deleted");
    assert!(TcpStream::connect(at).is_err(), "without its Service it is closed");
    assert_eq!(cluster.rest.get("/metadata/1-1").await.status, 200, "the job stays");
}

#[tokio::test]
async fn a_cancelled_job_is_complete_for_two_seconds_and_then_gone_with_everything() {
    let cluster = Cluster::held().await;
    cluster.job().await;
    let pod = cluster.pod_of("grpc-job-1-1").await.name_any();
    assert_eq!(cluster.rest.cancel("1-1").await.status, 200);
    assert_eq!(cluster.names_of::<Service>("1-1").await, [""; 0]);
    assert_eq!(cluster.names_of::<Endpoints>("1-1").await, [""; 0]);
    for milliseconds in [0, 1999] {
        cluster.advance(milliseconds);
        for name in ["grpc-job-1-1", "cleanup-job-1-1"] {
            assert_eq!(phase(&cluster.pod_of(name).await), "Succeeded", "{name}");
            let job = cluster.jobs().get(name).await.expect("a job");
            assert_eq!(
                (conditions(&job), job.status.and_then(|status| status.succeeded)),
                (vec!["Complete=True".into()], Some(1))
            );
        }
    }
    cluster.advance(3001);
    assert_eq!(cluster.names_of::<Pod>("1-1").await, [""; 0]);
    assert_eq!(cluster.names_of::<Job>("1-1").await, [""; 0]);
    let (code, reason, message) = refusal(cluster.pods().get(&pod).await);
    assert_eq!((code, &*reason, message), (404, "NotFound", format!("pods {pod:?} not found")));
    assert_eq!(cluster.reasons(&pod).await, ["Scheduled", "Pulled", "Created", "Started", "Killing"]);
}

#[tokio::test]
async fn what_a_job_does_is_told_by_events_and_by_logs_that_are_followed_to_their_end() {
    let cluster = Cluster::held().await;
    cluster.job().await;
    let pod = cluster.pod_of("grpc-job-1-1").await.name_any();
    let mut log = cluster.follow(&pod).await;
    for part in ["python -m baby_analyzer", "streams", "listening on port 5000"] {
        let line = within("a line", log.next()).await.expect("a line");
        assert!(line.contains(part), "{line}");
    }
    let last = LogParams { tail_lines: Some(1), ..LogParams::default() };
    let tail = cluster.pods().logs(&pod, &last).await.expect("a log");
    assert_eq!((tail.lines().count(), tail.contains("listening")), (1, true), "{tail}");
    cluster.advance(10_000);
    let cleanup = cluster.pod_of("cleanup-job-1-1").await.name_any();
    let samples = cluster.pods().logs(&cleanup, &last).await.expect("a log");
    assert!(samples.contains("CPU"), "{samples}");
    let server = cluster.pod_of_workload("app=focus-server").await.expect("a pod").0;
    let told = cluster.pods().logs(&server, &LogParams::default()).await.expect("a log");
    for part in ["--queue-name focus_baby.1-1", "job-1-1.yml applied", "POST /configure 200"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert_eq!(cluster.reasons("grpc-job-1-1").await, ["SuccessfulCreate"]);
    let warnings = ListParams::default().fields("type=Warning");
    assert_eq!(cluster.api::<Event>().list(&warnings).await.expect("a list").items.len(), 0);
    cluster.rest.cancel("1-1").await;
    within("the end of the log", log.by_ref().for_each(|_| async {})).await;
}

#[tokio::test]
async fn a_condition_is_awaited_and_met_when_the_clock_comes_to_it() {
    let cluster = Cluster::held().await;
    cluster.job().await;
    let pod = cluster.pod_of("grpc-job-1-1").await;
    let (name, uid) = (pod.name_any(), pod.uid().expect("a uid"));
    let running = await_condition(cluster.pods(), &name, is::is_pod_running());
    assert!(within("a running pod", running).await.expect("a watch").is_some());
    let completed = await_condition(cluster.jobs(), "grpc-job-1-1", is::is_job_completed());
    let deleted = await_condition(cluster.pods(), &name, is::is_deleted(&uid));
    // Only once the completed Job was seen may it go: whoever lists afterwards waits for ever.
    let first = async {
        let job = within("a completed job", completed).await;
        cluster.advance(5000);
        job
    };
    let deleted = within("the end of the pod", deleted);
    let (job, gone, answer) = tokio::join!(first, deleted, cluster.rest.cancel("1-1"));
    assert_eq!(answer.status, 200);
    assert_eq!(job.expect("a watch").map(|job| conditions(&job)), Some(vec!["Complete=True".into()]));
    assert_eq!(gone.expect("a watch").map(|pod| pod.name_any()), None);
}

#[tokio::test]
async fn a_job_that_nobody_reads_is_swept_away_after_fifty_seconds() {
    let cluster = Cluster::held().await;
    cluster.job().await;
    cluster.advance(49_999);
    assert_eq!(cluster.names_of::<Job>("1-1").await.len(), 2);
    cluster.advance(1);
    assert_eq!(
        cluster.names_of::<Job>("1-1").await.len() + cluster.names_of::<Service>("1-1").await.len(),
        0
    );
    assert_eq!(cluster.rest.get("/metadata/1-1").await.status, 404);
}

#[tokio::test]
async fn a_deleted_pod_fails_its_job_and_a_deleted_job_ends_the_product_s() {
    let cluster = Cluster::held().await;
    cluster.job().await;
    cluster.job().await;
    let pod = cluster.pod_of("grpc-job-1-1").await;
    cluster
        .pods()
        .delete(&pod.name_any(), &DeleteParams::default())
        .await
        .expect("deleted")
        .left()
        .expect("the pod");
    cluster.advance(2000);
    assert_eq!(conditions(&cluster.jobs().get("grpc-job-1-1").await.expect("a job")), ["Failed=True"]);
    assert!(cluster.reasons("grpc-job-1-1").await.contains(&"BackoffLimitExceeded".into()));
    // Of another version it is not deleted.
    let other = Preconditions { uid: pod.metadata.uid, ..Preconditions::default() };
    let meant = DeleteParams::background().preconditions(other);
    assert_eq!(refusal(cluster.jobs().delete("grpc-job-2-2", &meant).await).0, 409);
    let status = cluster.jobs().delete("grpc-job-2-2", &DeleteParams::background()).await.expect("deleted");
    assert!(status.right().expect("a status").is_success());
    assert_eq!(cluster.rest.get("/metadata/2-2").await.status, 404);
    assert_eq!(cluster.names_of::<Service>("2-2").await, [""; 0]);
    assert_eq!(cluster.configures(&light()).await.0, 200);
}

#[tokio::test]
async fn who_follows_a_cleanup_pod_through_the_sweep_reads_why_it_went() {
    let cluster = Cluster::held().await;
    cluster.job().await;
    let pod = cluster.pod_of("cleanup-job-1-1").await.name_any();
    let lines = cluster.follow(&pod).await;
    cluster.advance(60_000);
    let lines: Vec<_> = within("the end of the log", lines.collect()).await;
    let [.., sampled, last] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(last, "INFO CPU usage is low for long enough: the job is cleaned up");
    assert!(sampled.contains("5/5"), "{lines:?}");
    assert!(cluster.names_of::<Pod>("1-1").await.is_empty());
}
