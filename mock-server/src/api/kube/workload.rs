//! Patches of workloads and nodes, and what of them is simulated: `spec.replicas` and the annotations of the pod template,
//! and whether a node takes pods. **Chosen**: everything else in a patch is ignored, but must still fit its type.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::Value;

use super::ask::Ask;
use super::body::{invalid, names_fit};
use super::failure::{Cause, Failure};
use super::{names, patch, scale};
use crate::sim::cluster::edit::Edit;
use crate::sim::cluster::facts::{Facts, Node as NodeFacts, Record, Scale};

/// Pods of a workload that does not say how many.
const DEFAULT_REPLICAS: u32 = 1;

/// What a PATCH asks for, if it changes anything.
pub(super) fn patched(ask: &Ask, record: &Record, before: Value) -> Result<Option<Edit>, Failure> {
    match &record.facts {
        Facts::Deployment(scale) | Facts::StatefulSet(scale) => workload(ask, record, scale, before),
        Facts::Node(node) => self::node(ask, record, *node, before),
        _ => Err(Failure::MethodNotAllowed(format!("patching {} is not simulated", ask.resource.plural))),
    }
}

/// Deployments and StatefulSets alike.
#[derive(Deserialize)]
struct Workload {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Option<Spec>,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default)]
    template: PodTemplateSpec,
}

impl Workload {
    fn annotations(self) -> BTreeMap<String, String> {
        let template = self.spec.map(|spec| spec.template).unwrap_or_default();
        template.metadata.and_then(|metadata| metadata.annotations).unwrap_or_default()
    }
}

fn workload(ask: &Ask, record: &Record, is: &Scale, before: Value) -> Result<Option<Edit>, Failure> {
    let was = patch::read::<Workload>(ask, before.clone())?.annotations();
    let after = patch::applied(ask, before)?;
    let replicas = scale::replicas(ask, &after, Some(DEFAULT_REPLICAS))?;
    let after: Workload = patch::read(ask, after)?;
    if after.spec.is_none() {
        return Err(invalid(ask, vec![Cause::required("spec", "")]));
    }
    names_fit(ask, after.metadata.name.as_deref(), after.metadata.namespace.as_deref())?;
    patch::same_version(ask, record.version, after.metadata.resource_version.as_deref())?;
    let annotations = after.annotations();
    let mut causes = Vec::new();
    names::annotations("spec.template.metadata.annotations", &annotations, &mut causes);
    if !causes.is_empty() {
        return Err(invalid(ask, causes));
    }
    let replicas = (replicas != is.replicas).then_some(replicas);
    let annotations = (annotations != was).then_some(annotations);
    if replicas.is_none() && annotations.is_none() {
        return Ok(None);
    }
    let at = Some(record.version);
    Ok(Some(Edit::Workload { workload: is.workload, replicas, annotations, at }))
}

fn node(ask: &Ask, record: &Record, is: NodeFacts, before: Value) -> Result<Option<Edit>, Failure> {
    let node: Node = patch::read(ask, patch::applied(ask, before)?)?;
    names_fit(ask, node.metadata.name.as_deref(), None)?;
    patch::same_version(ask, record.version, node.metadata.resource_version.as_deref())?;
    let unschedulable = node.spec.and_then(|spec| spec.unschedulable).unwrap_or_default();
    let changes = unschedulable != is.unschedulable;
    Ok(changes.then_some(Edit::Node { name: is.name, unschedulable }))
}
