//! Stand-ins for what is built elsewhere at the same time; this file goes with the merge.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Status, StatusCause, StatusDetails};

use super::failure::{Cause, Failure};

impl Failure {
    pub(in crate::api::kube) fn status(&self) -> Status {
        let of = |code: i32, reason: &str, message: String| Status {
            code: Some(code),
            reason: Some(reason.into()),
            message: Some(message),
            status: Some("Failure".into()),
            ..Status::default()
        };
        match self {
            Self::NotFound { resource, name, .. } => {
                of(404, "NotFound", format!("{resource} {name:?} not found"))
            }
            Self::NoSuchPath(text) => of(404, "NotFound", text.clone()),
            Self::MethodNotAllowed(text) => of(405, "MethodNotAllowed", text.clone()),
            Self::AlreadyExists { resource, name, .. } => {
                of(409, "AlreadyExists", format!("{resource} {name:?} already exists"))
            }
            Self::Conflict { resource, name, .. } => {
                of(409, "Conflict", format!("{resource} {name:?}: the object has been modified"))
            }
            Self::Invalid { kind, name, causes, .. } => {
                let each: Vec<_> =
                    causes.iter().map(|Cause { field, message, .. }| format!("{field}: {message}")).collect();
                let causes = causes.iter().map(|cause| StatusCause {
                    field: Some(cause.field.clone()),
                    message: Some(cause.message.clone()),
                    reason: Some(cause.reason.into()),
                });
                let details = StatusDetails { causes: Some(causes.collect()), ..StatusDetails::default() };
                let message = format!("{kind} {name:?} is invalid: {}", each.join(", "));
                Status { details: Some(details), ..of(422, "Invalid", message) }
            }
            Self::BadRequest(text) => of(400, "BadRequest", text.clone()),
            Self::Unauthorized => of(401, "Unauthorized", "Unauthorized".into()),
            Self::Expired(text) => of(410, "Expired", text.clone()),
            Self::TooLarge(limit) => {
                of(413, "RequestEntityTooLarge", format!("at most {limit} bytes are read"))
            }
            Self::UnsupportedMediaType { asked, read } => {
                of(415, "UnsupportedMediaType", format!("{asked:?} is not read, but {read}"))
            }
            Self::TooManyRequests(text) => of(429, "TooManyRequests", text.clone()),
            Self::Internal => of(500, "InternalError", "internal error".into()),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        let code = status.code.and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
        let body = Body::from(serde_json::to_vec(&status).unwrap_or_default());
        Response::builder().status(code).body(body).expect("a response of known parts")
    }
}

pub(in crate::api::kube) mod selectors {
    use crate::sim::cluster::facts::Record;

    /// Labels that must be there, as `a=b,c=d`.
    #[derive(Clone, Debug, Default)]
    pub(in crate::api::kube) struct Selector(pub(in crate::api::kube) Vec<(String, String)>);

    impl Selector {
        pub(in crate::api::kube) fn matches(&self, record: &Record) -> bool {
            let labels = super::render::labels(record);
            self.0.iter().all(|(key, value)| labels.iter().any(|(k, v)| k == key && v == value))
        }
    }
}

pub(in crate::api::kube) mod render {
    use std::borrow::Cow;
    use std::net::IpAddr;

    use serde_json::{Value, json};

    use crate::domain::job::Terms;
    use crate::domain::time::Moment;
    use crate::sim::cluster::facts::{Facts, PodOf, Record, ServiceOf, Stage};
    use crate::sim::cluster::workloads::Workload;

    #[derive(Clone, Copy, Debug)]
    pub(in crate::api::kube) struct Scene {
        pub(in crate::api::kube) node_address: IpAddr,
        pub(in crate::api::kube) now: Moment,
    }

    pub(in crate::api::kube) fn write(record: &Record, scene: &Scene, out: &mut Vec<u8>) {
        serde_json::to_writer(out, &value(record, scene)).expect("JSON is written to memory");
    }

    pub(in crate::api::kube) fn value(record: &Record, scene: &Scene) -> Value {
        let labels: serde_json::Map<_, _> =
            labels(record).into_iter().map(|(k, v)| (k.into_owned(), v.into_owned().into())).collect();
        let (api, spec) = match &record.facts {
            Facts::Deployment(scale) | Facts::StatefulSet(scale) => (
                "apps/v1",
                json!({
                    "replicas": scale.replicas,
                    "selector": {"matchLabels": {"app.kubernetes.io/name": scale.workload.name()}},
                    "template": {"metadata": {"annotations": *scale.annotations}},
                }),
            ),
            Facts::Node(node) => (
                "v1",
                json!({ "unschedulable": node.unschedulable, "providerID": scene.node_address.to_string() }),
            ),
            Facts::Pod(pod) => {
                let name = match &pod.of {
                    PodOf::Job(_) => "grpc-server",
                    PodOf::Workload { workload, .. } => workload.name(),
                };
                ("v1", json!({ "containers": [{ "name": name }] }))
            }
            Facts::Job(_) => ("batch/v1", json!({})),
            _ => ("v1", json!({})),
        };
        let phase = match &record.facts {
            Facts::Pod(pod) => match pod.stage {
                Stage::Running { .. } => "Running",
                _ => "Pending",
            },
            _ => "",
        };
        json!({
            "kind": format!("{:?}", record.key.kind),
            "apiVersion": api,
            "metadata": {
                "name": *record.key.name,
                "namespace": *record.key.namespace.0,
                "uid": format!("{:032x}", record.uid.0),
                "resourceVersion": record.version.to_string(),
                "labels": labels,
            },
            "spec": spec,
            "status": { "phase": phase },
        })
    }

    pub(in crate::api::kube) fn labels(record: &Record) -> Vec<(Cow<'static, str>, Cow<'_, str>)> {
        let app = |workload: Workload| vec![(Cow::from("app"), Cow::from(workload.name()))];
        match &record.facts {
            Facts::Pod(pod) => match &pod.of {
                PodOf::Workload { workload, .. } => app(*workload),
                PodOf::Job(of) => vec![("job_id".into(), of.terms.id.to_string().into())],
            },
            Facts::Service(service) => match &service.of {
                ServiceOf::Planted(planted) => {
                    planted.labels.iter().map(|(k, v)| (k.clone().into(), v.as_str().into())).collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    pub(in crate::api::kube) fn command(terms: &Terms) -> Vec<String> {
        let queue = format!("focus_baby.{}", terms.id);
        ["python", "-m", "baby_analyzer", "--queue-name", &queue].map(String::from).to_vec()
    }

    pub(in crate::api::kube) mod table {
        use std::io::Write;

        use serde::Serialize;

        use super::Scene;
        use crate::sim::cluster::facts::{Kind, Record};

        #[derive(Serialize)]
        pub(in crate::api::kube) struct Column {
            name: &'static str,
        }

        pub(in crate::api::kube) fn columns(_kind: Kind) -> Vec<Column> {
            vec![Column { name: "Name" }]
        }

        pub(in crate::api::kube) fn write_row(
            record: &Record,
            scene: &Scene,
            include_object: bool,
            out: &mut Vec<u8>,
        ) {
            let _ = write!(out, r#"{{"cells":["{}"],"object":"#, record.key.name);
            if include_object {
                super::write(record, scene, out);
            } else {
                out.extend_from_slice(b"{}");
            }
            out.push(b'}');
        }
    }
}
