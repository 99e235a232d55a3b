//! The objects of a job.

use serde_json::{Value, json};

use super::fixtures::{Asked, at, bare, cluster_job, endpoints, of, scene, service, terms};
use super::{look, pretty, shown, snapshot};
use crate::api::kube::render::fixed::JOB_TEMPLATE;
use crate::api::kube::render::{Scene, command, value};
use crate::domain::quirk::Quirks;
use crate::sim::cluster::facts::{Outcome, Part, ServiceOf};

const HISTORIC: &str = "python -m baby_analyzer --roi 1 50 -sg 1024 --sg-range 0 500 --grpc-streams-num 3 \
    --queue-name focus_baby.1-1603 --time-start 1764946703 --time-end 1764953903 --time-zone UTC";

#[test]
fn the_command_line_is_the_one_that_suites_parse() {
    let command = |asked| command(&terms(asked, Quirks::NONE)).join(" ");
    assert_eq!(command(Asked::Historic), HISTORIC);
    assert_eq!(
        command(Asked::Live),
        "python -m baby_analyzer --roi 1 50 -sg 1024 --sg-range 0 500 --grpc-streams-num 3 --queue-name focus_baby.1-1603"
    );
    assert_eq!(
        command(Asked::Waterfall),
        "python -m baby_analyzer --roi 1 50 -sg 1 --grpc-streams-num 1 --queue-name focus_baby.1-1603"
    );
}

#[test]
fn the_streaming_job_is_as_the_contract_has_it() {
    snapshot("job-grpc", &pretty(&cluster_job(of(Part::Grpc), None)));
}

#[test]
fn the_cleanup_job_is_as_the_contract_has_it() {
    snapshot("job-cleanup", &pretty(&cluster_job(of(Part::Cleanup), None)));
}

#[test]
fn a_job_has_a_condition_only_once_it_is_over() {
    let status = |over| shown(&cluster_job(of(Part::Grpc), over))["status"].clone();
    assert_eq!(status(None), json!({ "active": 1, "startTime": "2025-12-05T16:58:23Z" }));
    let succeeded = status(Some(Outcome::Succeeded));
    assert_eq!(look(&succeeded, "/active"), &Value::Null);
    assert_eq!(succeeded["succeeded"], 1);
    assert_eq!(succeeded["completionTime"], "2025-12-05T17:00:03Z");
    assert_eq!(succeeded["conditions"][0]["type"], "Complete");
    assert_eq!(succeeded["conditions"][0]["status"], "True");
    let failed = status(Some(Outcome::Failed));
    assert_eq!(look(&failed, "/active"), &Value::Null);
    assert_eq!(look(&failed, "/completionTime"), &Value::Null);
    assert_eq!(failed["failed"], 1);
    assert_eq!(failed["conditions"][0]["type"], "Failed");
    assert_eq!(failed["conditions"][0]["status"], "True");
    assert_eq!(failed["conditions"][0]["reason"], "BackoffLimitExceeded");
}

#[test]
fn a_job_says_how_long_it_is_kept_and_never_less() {
    let scene = Scene {
        job_ttl: std::time::Duration::from_millis(1500),
        cleanup_ttl: std::time::Duration::from_secs(7),
        now: at(0),
        ..scene()
    };
    let ttl = |part| value(&cluster_job(of(part), None), &scene)["spec"]["ttlSecondsAfterFinished"].clone();
    assert_eq!((ttl(Part::Grpc), ttl(Part::Cleanup)), (json!(2), json!(7)));
}

#[test]
fn a_job_of_the_observed_template_asks_for_a_gpu_share_alone_and_has_no_job_id() {
    let job = shown(&cluster_job(bare(), None));
    let template = &job["spec"]["template"];
    let resources = &template["spec"]["containers"][0]["resources"];
    let share = json!({ "nvidia.com/gpu.shared": "1" });
    assert_eq!((&resources["requests"], &resources["limits"]), (&share, &share));
    assert_eq!(job["metadata"]["labels"], json!({ "app": "grpc-job-1-1603" }));
    assert_eq!(look(template, "/metadata/labels/job_id"), &Value::Null);
    let service = shown(&service("grpc-service-1-1603", ServiceOf::Job(bare())));
    assert_eq!(service["metadata"]["labels"], json!({ "app": "grpc-job-1-1603" }));
}

#[test]
fn a_job_finds_its_pod_by_its_own_uid() {
    for part in [Part::Grpc, Part::Cleanup] {
        let job = shown(&cluster_job(of(part), None));
        let selector = json!({ "matchLabels": { "controller-uid": job["metadata"]["uid"] } });
        assert_eq!(job["spec"]["selector"], selector);
        assert_eq!(job["spec"]["template"]["metadata"]["labels"]["controller-uid"], job["metadata"]["uid"]);
    }
}

#[test]
fn the_template_in_the_config_map_is_of_the_jobs_that_are_rendered() {
    let template: Value = serde_saphyr::from_str(JOB_TEMPLATE).expect("YAML");
    serde_json::from_value::<k8s_openapi::api::batch::v1::Job>(template.clone()).expect("a Job");
    let job = shown(&cluster_job(of(Part::Grpc), None));
    let with_id = |value: &Value| {
        let text = value.to_string().replace("{job_id}", "1-1603");
        serde_json::from_str::<Value>(&text).expect("JSON still")
    };
    let container = "/spec/template/spec/containers/0";
    for path in ["image", "ports", "env", "resources", "volumeMounts"] {
        let path = format!("{container}/{path}");
        assert_eq!(look(&with_id(&template), &path), look(&job, &path), "{path}");
    }
    for path in ["/spec/template/spec/volumes", "/metadata/labels", "/metadata/name", "/spec/backoffLimit"] {
        assert_eq!(look(&with_id(&template), path), look(&job, path), "{path}");
    }
    assert_eq!(look(&template, "/spec/ttlSecondsAfterFinished"), 120);
}

#[test]
fn the_service_of_a_job_has_its_port_inside_and_outside() {
    snapshot("service-of-a-job", &pretty(&service("grpc-service-1-1603", ServiceOf::Job(of(Part::Grpc)))));
}

#[test]
fn the_endpoints_of_a_job_are_its_pod_while_that_is_ready() {
    let of = || ServiceOf::Job(of(Part::Grpc));
    let ready = shown(&endpoints("grpc-service-1-1603", of(), 1));
    let expected = json!([{
        "addresses": [{
            "ip": "127.64.0.1",
            "nodeName": "worker-node",
            "targetRef": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": "grpc-service-1-1603-0",
                "namespace": "panda",
                "uid": "fedcba98-7654-4210-bedc-ba9876543210",
            },
        }],
        "ports": [{ "name": "grpc", "port": 5000, "protocol": "TCP" }],
    }]);
    assert_eq!(ready["subsets"], expected);
    assert_eq!(ready["metadata"]["labels"], json!({ "app": "grpc-job-1-1603", "job_id": "1-1603" }));
    assert_eq!(look(&shown(&endpoints("grpc-service-1-1603", of(), 0)), "/subsets"), &Value::Null);
}
