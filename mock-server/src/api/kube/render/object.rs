//! An object of any kind.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{
    ConfigMap, Endpoints, Event, Namespace, Node, Pod, Secret, Service, ServiceAccount,
};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Serialize, Serializer};

use super::{Scene, event, fixed, job, node, pod, service, workload};
use crate::sim::cluster::facts::{Facts, Kind, Record};

macro_rules! objects {
    ($($kind:ident),+) => {
        /// An object as the API has it.
        #[derive(Clone, Debug, PartialEq)]
        pub(super) enum Object {
            $($kind(Box<$kind>),)+
        }

        $(impl From<$kind> for Object {
            fn from(object: $kind) -> Self {
                Self::$kind(Box::new(object))
            }
        })+

        impl Object {
            /// Its metadata.
            pub(super) fn metadata(&self) -> &ObjectMeta {
                match self {
                    $(Self::$kind(object) => &object.metadata,)+
                }
            }
        }

        impl Serialize for Object {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$kind(object) => object.serialize(serializer),)+
                }
            }
        }

        /// The `apiVersion` and `kind` of objects of a kind.
        pub(in crate::api::kube) fn type_of(kind: Kind) -> (&'static str, &'static str) {
            match kind {
                $(Kind::$kind => (
                    <$kind as k8s_openapi::Resource>::API_VERSION,
                    <$kind as k8s_openapi::Resource>::KIND,
                ),)+
            }
        }

        /// Reads an object of that kind back, as a client would.
        #[cfg(test)]
        pub(super) fn read(kind: Kind, json: &[u8]) -> serde_json::Result<Object> {
            Ok(match kind {
                $(Kind::$kind => Object::$kind(serde_json::from_slice(json)?),)+
            })
        }
    };
}

objects!(
    Namespace,
    Node,
    Pod,
    Service,
    Endpoints,
    Event,
    ConfigMap,
    Secret,
    ServiceAccount,
    Deployment,
    ReplicaSet,
    StatefulSet,
    Job,
    Ingress
);

/// The object that a record is of.
pub(super) fn object(record: &Record, scene: &Scene) -> Object {
    match &record.facts {
        Facts::Namespace => fixed::namespace(record).into(),
        Facts::Node(node) => node::node(record, node, scene).into(),
        Facts::Pod(pod) => pod::pod(record, pod, scene).into(),
        Facts::Service(service) => service::service(record, service, scene).into(),
        Facts::Endpoints(endpoints) => service::endpoints(record, endpoints).into(),
        Facts::Event(event) => event::event(record, event).into(),
        Facts::ConfigMap(map) => fixed::config_map(record, *map).into(),
        Facts::Secret => fixed::secret(record).into(),
        Facts::ServiceAccount => fixed::service_account(record).into(),
        Facts::Deployment(scale) => workload::deployment(record, scale).into(),
        Facts::ReplicaSet(scale) => workload::replica_set(record, scale).into(),
        Facts::StatefulSet(scale) => workload::stateful_set(record, scale).into(),
        Facts::Job(job) => job::job(record, job, scene).into(),
        Facts::Ingress => fixed::ingress(record, scene).into(),
    }
}
