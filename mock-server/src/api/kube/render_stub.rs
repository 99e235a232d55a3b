//! STAND-IN for `render`, to be deleted when merging: its interface, and just enough behind it.
#![allow(missing_docs, dead_code, reason = "a stand-in that is deleted when merging")]

use std::borrow::Cow;
use std::net::IpAddr;

use serde_json::{Value, json};

use crate::domain::time::Moment;
use crate::sim::cluster::facts::{Facts, Kind, PodOf, Record, ServiceOf};

#[derive(Clone, Copy, Debug)]
pub(in crate::api::kube) struct Scene {
    pub(in crate::api::kube) node_address: IpAddr,
    pub(in crate::api::kube) now: Moment,
}

pub(in crate::api::kube) fn write(record: &Record, scene: &Scene, out: &mut Vec<u8>) {
    serde_json::to_writer(out, &value(record, scene)).expect("text");
}

pub(in crate::api::kube) fn value(record: &Record, _scene: &Scene) -> Value {
    let row = super::resource::Resource::of(record.key.kind);
    let labels: serde_json::Map<_, _> =
        labels(record).into_iter().map(|(key, value)| (key.into_owned(), json!(value))).collect();
    json!({"kind": row.kind_name, "apiVersion": row.api_version(),
        "metadata": {"name": &*record.key.name, "namespace": &*record.key.namespace.0,
            "resourceVersion": record.version.to_string(), "labels": labels},
        "spec": {"containers": [{"name": "main"}]}})
}

pub(in crate::api::kube) fn labels(record: &Record) -> Vec<(Cow<'static, str>, Cow<'_, str>)> {
    match &record.facts {
        Facts::Service(service) => match &service.of {
            ServiceOf::Planted(planted) => planted
                .labels
                .iter()
                .map(|(k, v)| (Cow::Owned(k.clone()), Cow::Borrowed(v.as_str())))
                .collect(),
            _ => vec![],
        },
        Facts::Pod(pod) => match &pod.of {
            PodOf::Workload { workload, .. } => vec![(Cow::Borrowed("app"), Cow::Borrowed(workload.name()))],
            PodOf::Job(of) => vec![(Cow::Borrowed("job_id"), Cow::Owned(of.terms.id.to_string()))],
        },
        _ => vec![],
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api::kube) enum Field {
    MetadataName,
    MetadataNamespace,
    StatusPhase,
    SpecNodeName,
    Type,
    Reason,
}

impl Field {
    pub(in crate::api::kube) fn parse(kind: Kind, text: &str) -> Option<Self> {
        Some(match (text, kind) {
            ("metadata.name", _) => Self::MetadataName,
            ("metadata.namespace", _) => Self::MetadataNamespace,
            ("status.phase", Kind::Pod) => Self::StatusPhase,
            ("spec.nodeName", Kind::Pod) => Self::SpecNodeName,
            ("type", Kind::Event) => Self::Type,
            ("reason", Kind::Event) => Self::Reason,
            _ => return None,
        })
    }
}

pub(in crate::api::kube) fn field(record: &Record, field: Field) -> Cow<'_, str> {
    match field {
        Field::MetadataName => Cow::Borrowed(&record.key.name),
        Field::MetadataNamespace => Cow::Borrowed(&record.key.namespace.0),
        Field::StatusPhase => Cow::Borrowed("Running"),
        _ => Cow::Borrowed(""),
    }
}

pub(in crate::api::kube) mod table {
    use super::{Kind, Record, Scene, json};

    #[derive(serde::Serialize)]
    pub(in crate::api::kube) struct Column {
        pub(in crate::api::kube) name: &'static str,
        pub(in crate::api::kube) r#type: &'static str,
        pub(in crate::api::kube) format: &'static str,
        pub(in crate::api::kube) description: &'static str,
        pub(in crate::api::kube) priority: i32,
    }

    pub(in crate::api::kube) fn columns(_kind: Kind) -> Vec<Column> {
        vec![Column { name: "Name", r#type: "string", format: "name", description: "", priority: 0 }]
    }

    pub(in crate::api::kube) fn write_row(
        record: &Record,
        scene: &Scene,
        include_object: bool,
        out: &mut Vec<u8>,
    ) {
        let object = if include_object {
            super::value(record, scene)
        } else {
            json!({"kind": "PartialObjectMetadata"})
        };
        serde_json::to_writer(out, &json!({"cells": [&*record.key.name], "object": object})).expect("text");
    }
}

pub(in crate::api::kube) fn container(of: &PodOf) -> &'static str {
    match of {
        PodOf::Job(_) => "grpc-server",
        PodOf::Workload { workload, .. } => workload.name(),
    }
}
