//! The Jobs of a product's job.

use std::time::Duration;

use k8s_openapi::api::batch::v1::{Job, JobCondition, JobSpec, JobStatus};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use super::Scene;
use super::known::of_job_pod;
use super::meta::{meta, own, uid};
use super::template::spec;
use super::time::time;
use crate::sim::cluster::facts::{ClusterJob, Outcome, Over, Part, PodOf, Record};

pub(super) fn job(record: &Record, job: &ClusterJob, scene: &Scene) -> Job {
    let ttl = match job.of.part {
        Part::Grpc => scene.job_ttl,
        Part::Cleanup => scene.cleanup_ttl,
    };
    let template = PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(own(of_job_pod(&record.key.name, uid(record.uid), &job.of))),
            ..ObjectMeta::default()
        }),
        spec: Some(spec(&PodOf::Job(job.of.clone()))),
    };
    Job {
        metadata: meta(record),
        spec: Some(JobSpec {
            parallelism: Some(1),
            completions: Some(1),
            backoff_limit: Some(0),
            ttl_seconds_after_finished: Some(whole_seconds(ttl)),
            selector: Some(LabelSelector {
                match_labels: Some(own([("controller-uid", uid(record.uid))])),
                match_expressions: None,
            }),
            template,
            ..JobSpec::default()
        }),
        status: Some(status(record, job.over)),
    }
}

/// Not one second less than it takes.
fn whole_seconds(ttl: Duration) -> i32 {
    i32::try_from(ttl.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}

/// No condition while the Job is active: that it has one tells clients that it is over.
fn status(record: &Record, over: Option<Over>) -> JobStatus {
    let status = JobStatus { start_time: Some(time(record.created)), ..JobStatus::default() };
    let Some(Over { at, how }) = over else {
        return JobStatus { active: Some(1), ..status };
    };
    let condition = |type_: &str, reason: Option<&str>, message: Option<&str>| JobCondition {
        type_: type_.to_owned(),
        status: String::from("True"),
        last_probe_time: Some(time(at)),
        last_transition_time: Some(time(at)),
        reason: reason.map(str::to_owned),
        message: message.map(str::to_owned),
    };
    match how {
        Outcome::Succeeded => JobStatus {
            succeeded: Some(1),
            completion_time: Some(time(at)),
            conditions: Some(vec![condition("Complete", None, None)]),
            ..status
        },
        Outcome::Failed => JobStatus {
            failed: Some(1),
            conditions: Some(vec![condition(
                "Failed",
                Some("BackoffLimitExceeded"),
                Some("Job has reached the specified backoff limit"),
            )]),
            ..status
        },
    }
}
