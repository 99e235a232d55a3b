//! Bodies in protobuf, as far as clients send them: typed clients written in Go do by default (`kubectl create service` from
//! 1.32 on, `kubectl drain`). They are read into the types that JSON is read into; answers are JSON, which those clients
//! accept as their second choice.
//!
//! The fields are those of the published `generated.proto` files that are simulated; others are skipped.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
use k8s_openapi::apimachinery::pkg::util::intstr;
use prost::{DecodeError, Message};

/// The content type of a body in protobuf.
pub(super) const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// What every such body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// What can be read from such a body.
pub(super) trait FromProtobuf: Sized {
    /// The object of an envelope's contents.
    fn read(raw: &[u8]) -> Result<Self, DecodeError>;
}

/// The object in a body; in words, why there is none.
pub(super) fn object<T: FromProtobuf>(body: &[u8], kind: &str) -> Result<T, String> {
    let envelope = body.strip_prefix(MAGIC).ok_or("it does not begin with \"k8s\\0\"")?;
    let envelope = Unknown::decode(envelope).map_err(|error| error.to_string())?;
    let is = envelope.type_meta.unwrap_or_default().kind;
    if !is.is_empty() && is != kind {
        return Err(format!("it is a {is:?}"));
    }
    T::read(&envelope.raw).map_err(|error| error.to_string())
}

#[derive(Clone, PartialEq, Message)]
struct Unknown {
    #[prost(message, optional, tag = "1")]
    type_meta: Option<TypeMeta>,
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct TypeMeta {
    #[prost(string, tag = "2")]
    kind: String,
}

#[derive(Clone, PartialEq, Message)]
struct Service {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ObjectMeta>,
    #[prost(message, optional, tag = "2")]
    spec: Option<ServiceSpec>,
}

#[derive(Clone, PartialEq, Message)]
struct ObjectMeta {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    generate_name: Option<String>,
    #[prost(string, optional, tag = "3")]
    namespace: Option<String>,
    #[prost(btree_map = "string, string", tag = "11")]
    labels: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "12")]
    annotations: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct ServiceSpec {
    #[prost(message, repeated, tag = "1")]
    ports: Vec<ServicePort>,
    #[prost(btree_map = "string, string", tag = "2")]
    selector: BTreeMap<String, String>,
    #[prost(string, optional, tag = "4")]
    type_: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct ServicePort {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    protocol: Option<String>,
    #[prost(int32, tag = "3")]
    port: i32,
    #[prost(message, optional, tag = "4")]
    target_port: Option<IntOrString>,
    #[prost(int32, optional, tag = "5")]
    node_port: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct IntOrString {
    /// 1 where it is the text.
    #[prost(int64, tag = "1")]
    type_: i64,
    #[prost(int32, tag = "2")]
    number: i32,
    #[prost(string, tag = "3")]
    text: String,
}

#[derive(Clone, PartialEq, Message)]
struct DeleteOptions {
    #[prost(int64, optional, tag = "1")]
    grace_period_seconds: Option<i64>,
    #[prost(message, optional, tag = "2")]
    preconditions: Option<Preconditions>,
    #[prost(bool, optional, tag = "3")]
    orphan_dependents: Option<bool>,
    #[prost(string, optional, tag = "4")]
    propagation_policy: Option<String>,
    #[prost(string, repeated, tag = "5")]
    dry_run: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Preconditions {
    #[prost(string, optional, tag = "1")]
    uid: Option<String>,
    #[prost(string, optional, tag = "2")]
    resource_version: Option<String>,
}

impl FromProtobuf for core::Service {
    fn read(raw: &[u8]) -> Result<Self, DecodeError> {
        let service = Service::decode(raw)?;
        let metadata = service.metadata.unwrap_or_default();
        let spec = service.spec.unwrap_or_default();
        Ok(Self {
            metadata: meta::ObjectMeta {
                name: metadata.name,
                generate_name: metadata.generate_name,
                namespace: metadata.namespace,
                labels: Some(metadata.labels),
                annotations: Some(metadata.annotations),
                ..meta::ObjectMeta::default()
            },
            spec: Some(core::ServiceSpec {
                ports: Some(spec.ports.into_iter().map(ServicePort::read).collect()),
                selector: Some(spec.selector),
                type_: spec.type_,
                ..core::ServiceSpec::default()
            }),
            status: None,
        })
    }
}

impl ServicePort {
    fn read(self) -> core::ServicePort {
        core::ServicePort {
            name: self.name,
            protocol: self.protocol,
            port: self.port,
            target_port: self.target_port.map(|target| match target.type_ {
                1 => intstr::IntOrString::String(target.text),
                _ => intstr::IntOrString::Int(target.number),
            }),
            node_port: self.node_port,
            ..core::ServicePort::default()
        }
    }
}

impl FromProtobuf for meta::DeleteOptions {
    fn read(raw: &[u8]) -> Result<Self, DecodeError> {
        let options = DeleteOptions::decode(raw)?;
        Ok(Self {
            grace_period_seconds: options.grace_period_seconds,
            preconditions: options.preconditions.map(|given| meta::Preconditions {
                uid: given.uid,
                resource_version: given.resource_version,
            }),
            orphan_dependents: options.orphan_dependents,
            propagation_policy: options.propagation_policy.filter(|policy| !policy.is_empty()),
            dry_run: Some(options.dry_run),
            ..Self::default()
        })
    }
}
