//! The scale of a workload: how many pods it shall have, as an object of its own (`autoscaling/v1`).

use std::collections::BTreeMap;

use k8s_openapi::api::autoscaling::v1::{Scale, ScaleSpec, ScaleStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use serde::Deserialize;
use serde_json::Value;

use super::ask::Ask;
use super::body::{self, invalid};
use super::failure::{Cause, Failure};
use super::render::{self, Scene};
use super::{list, patch};
use crate::sim::cluster::edit::Edit;
use crate::sim::cluster::facts::{Facts, Record, Scale as Facet, Version};

/// How a workload stands.
pub(super) fn facts<'a>(ask: &Ask, record: &'a Record) -> Result<&'a Facet, Failure> {
    match &record.facts {
        Facts::Deployment(scale) | Facts::StatefulSet(scale) => Ok(scale),
        _ => Err(Failure::MethodNotAllowed(format!("{} have no scale", ask.resource.plural))),
    }
}

/// The scale of a workload.
pub(super) fn of(ask: &Ask, record: &Record, scene: &Scene) -> Result<Scale, Failure> {
    #[derive(Deserialize)]
    struct Selecting {
        selector: LabelSelector,
    }
    #[derive(Deserialize)]
    struct Workload {
        metadata: ObjectMeta,
        spec: Selecting,
    }
    let facts = facts(ask, record)?;
    let shown: Workload = serde_json::from_value(render::value(record, scene))
        .expect("what is rendered through a type is read back through it");
    let labels: BTreeMap<_, _> = shown.spec.selector.match_labels.unwrap_or_default();
    let selector: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let ObjectMeta { name, namespace, uid, resource_version, creation_timestamp, .. } = shown.metadata;
    Ok(Scale {
        metadata: ObjectMeta {
            name,
            namespace,
            uid,
            resource_version,
            creation_timestamp,
            ..ObjectMeta::default()
        },
        spec: Some(ScaleSpec { replicas: Some(i32::try_from(facts.replicas).unwrap_or(i32::MAX)) }),
        status: Some(ScaleStatus {
            replicas: i32::try_from(facts.pods).unwrap_or(i32::MAX),
            selector: Some(selector.join(",")),
        }),
    })
}

/// What a PATCH of it asks for, if it changes anything.
pub(super) fn patched(ask: &Ask, record: &Record, is: &Scale) -> Result<Option<Edit>, Failure> {
    let before = serde_json::to_value(is).expect("texts and numbers become JSON");
    let after = patch::applied(ask, before)?;
    let replicas = replicas(ask, &after, None)?;
    let scale: Scale = patch::read(ask, after)?;
    patch::same_version(ask, record.version, scale.metadata.resource_version.as_deref())?;
    let facts = facts(ask, record)?;
    let changed = (replicas != facts.replicas).then_some(replicas);
    Ok(changed.map(|replicas| edit(facts, replicas, Some(record.version))))
}

/// Deeds of a scale are deeds of its workload.
fn edit(facts: &Facet, replicas: u32, at: Option<Version>) -> Edit {
    Edit::Workload { workload: facts.workload, replicas: Some(replicas), annotations: None, at }
}

/// What a PUT of it asks for.
pub(super) fn replaced(ask: &Ask, record: &Record) -> Result<Edit, Failure> {
    body::only_json(ask)?;
    let value: Value =
        serde_json::from_slice(&ask.body).map_err(|error| body::not_understood(ask, &error))?;
    let replicas = replicas(ask, &value, None)?;
    let scale: Scale = serde_json::from_value(value).map_err(|error| body::not_understood(ask, &error))?;
    let metadata = scale.metadata;
    body::names_fit(ask, metadata.name.as_deref(), metadata.namespace.as_deref())?;
    let at = list::version(metadata.resource_version.as_deref().unwrap_or_default())?;
    let facts = facts(ask, record)?;
    Ok(edit(facts, replicas, at))
}

/// `spec.replicas`, or what it is when left out.
pub(super) fn replicas(ask: &Ask, value: &Value, without: Option<u32>) -> Result<u32, Failure> {
    const FIELD: &str = "spec.replicas";
    let cause = match value.pointer("/spec/replicas") {
        None | Some(Value::Null) => match without {
            Some(without) => return Ok(without),
            None => Cause::required(FIELD, "how many pods it shall have"),
        },
        Some(given) => match given.as_i64().map(i32::try_from) {
            Some(Ok(number)) => match u32::try_from(number) {
                Ok(number) => return Ok(number),
                Err(_) => Cause::invalid(FIELD, number, "must be greater than or equal to 0"),
            },
            Some(Err(_)) | None => Cause::invalid(FIELD, given, "must be a whole number of 32 bits"),
        },
    };
    Err(invalid(ask, vec![cause]))
}
