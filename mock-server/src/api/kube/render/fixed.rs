//! Objects that never change: namespaces, ConfigMaps, the Secret, ServiceAccounts, the Ingress.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{
    ConfigMap, Namespace, NamespaceSpec, NamespaceStatus, Secret, ServiceAccount,
};
use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressLoadBalancerIngress,
    IngressLoadBalancerStatus, IngressRule, IngressServiceBackend, IngressSpec, IngressStatus,
    ServiceBackendPort,
};

use super::Scene;
use super::meta::{meta, own};
use crate::sim::cluster::facts::{self, Record};
use crate::sim::cluster::workloads::Workload;

/// What the Jobs of the product are made of, as the product keeps it. A test holds that rendered Jobs agree with it.
pub(super) const JOB_TEMPLATE: &str = include_str!("job-template.yaml");

/// **Chosen**: one setting; nothing reads it.
const PRISMA_CONFIG: &str = "broker:\n  host: rabbitmq-panda\n  port: 5672\n";

pub(super) fn namespace(record: &Record) -> Namespace {
    Namespace {
        metadata: meta(record),
        spec: Some(NamespaceSpec { finalizers: Some(vec![String::from("kubernetes")]) }),
        status: Some(NamespaceStatus { phase: Some(String::from("Active")), conditions: None }),
    }
}

pub(super) fn config_map(record: &Record, map: facts::ConfigMap) -> ConfigMap {
    let (key, text) = match map {
        facts::ConfigMap::GrpcJobTemplate => ("grpc-job.yaml", JOB_TEMPLATE),
        facts::ConfigMap::PrismaConfig => ("prisma.yaml", PRISMA_CONFIG),
    };
    ConfigMap { metadata: meta(record), data: Some(own([(key, text)])), ..ConfigMap::default() }
}

/// The broker's Secret; its values are dummies.
pub(super) fn secret(record: &Record) -> Secret {
    let data = [("rabbitmq-username", "user"), ("rabbitmq-password", "dummy")];
    let bytes = data.map(|(key, value)| (key.to_owned(), ByteString(value.into())));
    Secret {
        metadata: meta(record),
        type_: Some(String::from("Opaque")),
        data: Some(bytes.into_iter().collect()),
        ..Secret::default()
    }
}

pub(super) fn service_account(record: &Record) -> ServiceAccount {
    ServiceAccount { metadata: meta(record), ..ServiceAccount::default() }
}

pub(super) fn ingress(record: &Record, scene: &Scene) -> Ingress {
    let backend = IngressServiceBackend {
        name: Workload::FocusServer.name().to_owned(),
        port: Some(ServiceBackendPort { number: Some(5000), name: None }),
    };
    let path = HTTPIngressPath {
        path: Some(String::from("/focus-server")),
        path_type: String::from("Prefix"),
        backend: IngressBackend { service: Some(backend), resource: None },
    };
    let rule = IngressRule { host: None, http: Some(HTTPIngressRuleValue { paths: vec![path] }) };
    let address = IngressLoadBalancerIngress {
        ip: Some(scene.node_address.to_string()),
        ..IngressLoadBalancerIngress::default()
    };
    Ingress {
        metadata: meta(record),
        spec: Some(IngressSpec { rules: Some(vec![rule]), ..IngressSpec::default() }),
        status: Some(IngressStatus {
            load_balancer: Some(IngressLoadBalancerStatus { ingress: Some(vec![address]) }),
        }),
    }
}
