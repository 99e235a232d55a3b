//! The resources that are served, one row each: discovery and routes are made of them.

use k8s_openapi::api::{apps, batch, core, networking};

use super::ask::Sub;
use crate::sim::cluster::facts::Kind;

/// A resource.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Empty for the core group.
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    /// `pods`
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) kind_name: &'static str,
    pub(crate) short_names: &'static [&'static str],
    pub(crate) categories: &'static [&'static str],
    pub(crate) namespaced: bool,
    /// What can be done with it, in order of name, as discovery has them.
    pub(crate) verbs: &'static [&'static str],
    /// Its kind; of metrics, the kind that they are of.
    pub(crate) kind: Kind,
}

/// A part of the objects of a resource that has a path of its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The resource.
    pub(crate) kind: Kind,
    pub(crate) sub: Sub,
    /// As the path has it.
    pub(crate) name: &'static str,
    /// What is read and written there: the whole object, or a part that several kinds have, with its group and version.
    pub(crate) kind_name: &'static str,
    pub(crate) of: Option<(&'static str, &'static str)>,
    pub(crate) verbs: &'static [&'static str],
}

/// The group of the metrics, for `kubectl top`; no type of `k8s-openapi` knows it.
pub(super) const METRICS: &str = "metrics.k8s.io";

const READ: &[&str] = &["get", "list", "watch"];
const DELETED: &[&str] = &["delete", "get", "list", "watch"];
const CREATED: &[&str] = &["create", "delete", "get", "list", "watch"];
const PATCHED: &[&str] = &["get", "list", "patch", "watch"];
const LOOKED_AT: &[&str] = &["get", "list"];
const ALL: &[&str] = &["all"];

/// All of them; their groups in the order in which discovery has them.
pub(super) static TABLE: &[Resource] = &[
    served::<core::v1::ConfigMap>("configmap", &["cm"], READ, Kind::ConfigMap),
    served::<core::v1::Endpoints>("endpoints", &["ep"], READ, Kind::Endpoints),
    served::<core::v1::Event>("event", &["ev"], READ, Kind::Event),
    served::<core::v1::Namespace>("namespace", &["ns"], READ, Kind::Namespace).of_the_cluster(),
    served::<core::v1::Node>("node", &["no"], PATCHED, Kind::Node).of_the_cluster(),
    served::<core::v1::Pod>("pod", &["po"], DELETED, Kind::Pod).in_all(),
    served::<core::v1::Secret>("secret", &[], READ, Kind::Secret),
    served::<core::v1::ServiceAccount>("serviceaccount", &["sa"], READ, Kind::ServiceAccount),
    served::<core::v1::Service>("service", &["svc"], CREATED, Kind::Service).in_all(),
    served::<apps::v1::Deployment>("deployment", &["deploy"], PATCHED, Kind::Deployment).in_all(),
    served::<apps::v1::ReplicaSet>("replicaset", &["rs"], READ, Kind::ReplicaSet).in_all(),
    served::<apps::v1::StatefulSet>("statefulset", &["sts"], PATCHED, Kind::StatefulSet).in_all(),
    served::<batch::v1::Job>("job", &[], DELETED, Kind::Job).in_all(),
    served::<networking::v1::Ingress>("ingress", &["ing"], READ, Kind::Ingress),
    metrics("nodes", "NodeMetrics", Kind::Node).of_the_cluster(),
    metrics("pods", "PodMetrics", Kind::Pod),
];

/// The parts with paths of their own.
pub(super) static PARTS: &[Part] = &[
    Part { kind: Kind::Pod, sub: Sub::Log, name: "log", kind_name: "Pod", of: None, verbs: &["get"] },
    scale(Kind::Deployment),
    scale(Kind::StatefulSet),
];

const fn served<T: k8s_openapi::Resource>(
    singular: &'static str,
    short_names: &'static [&'static str],
    verbs: &'static [&'static str],
    kind: Kind,
) -> Resource {
    Resource {
        group: T::GROUP,
        version: T::VERSION,
        plural: T::URL_PATH_SEGMENT,
        singular,
        kind_name: T::KIND,
        short_names,
        categories: &[],
        namespaced: true,
        verbs,
        kind,
    }
}

const fn metrics(plural: &'static str, kind_name: &'static str, kind: Kind) -> Resource {
    Resource {
        group: METRICS,
        version: "v1beta1",
        plural,
        singular: "",
        kind_name,
        short_names: &[],
        categories: &[],
        namespaced: true,
        verbs: LOOKED_AT,
        kind,
    }
}

const fn scale(kind: Kind) -> Part {
    Part {
        kind,
        sub: Sub::Scale,
        name: "scale",
        kind_name: "Scale",
        of: Some(("autoscaling", "v1")),
        verbs: &["get", "patch", "update"],
    }
}

impl Resource {
    const fn of_the_cluster(self) -> Self {
        Self { namespaced: false, ..self }
    }

    const fn in_all(self) -> Self {
        Self { categories: ALL, ..self }
    }

    /// The resource whose objects are of a kind.
    pub(crate) fn of(kind: Kind) -> &'static Self {
        let row = TABLE.iter().find(|row| row.kind == kind);
        row.expect("every kind has a row")
    }

    /// The resource of that group and version which paths call so.
    pub(super) fn find(group: &str, version: &str, plural: &str) -> Option<&'static Self> {
        TABLE.iter().find(|row| (row.group, row.version, row.plural) == (group, version, plural))
    }

    /// `v1`, `apps/v1`
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.into() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether these are metrics and no objects.
    pub(super) fn is_metrics(&self) -> bool {
        self.group == METRICS
    }

    /// The parts that have paths of their own.
    pub(super) fn parts(&self) -> impl Iterator<Item = &'static Part> {
        let kind = (!self.is_metrics()).then_some(self.kind);
        PARTS.iter().filter(move |part| Some(part.kind) == kind)
    }
}

/// Groups with their one version, in the order in which discovery has them; the core group is none of them.
pub(super) fn groups() -> Vec<(&'static str, &'static str)> {
    let mut groups: Vec<_> = TABLE.iter().map(|row| (row.group, row.version)).collect();
    groups.dedup();
    groups.retain(|(group, _)| !group.is_empty());
    groups
}
