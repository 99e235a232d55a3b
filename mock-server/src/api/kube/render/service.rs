//! Services, and where they lead to.

use k8s_openapi::api::core::v1::{
    EndpointAddress, EndpointPort, EndpointSubset, Endpoints, LoadBalancerIngress, LoadBalancerStatus,
    Service, ServicePort, ServiceSpec, ServiceStatus,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::known::selector_of;
use super::meta::{meta, own, reference};
use super::template::{GRPC_PORT, ports_of};
use super::{Scene, address};
use crate::sim::cluster::facts::{self, Backend, Planted, Reach, Record, ServiceOf, Target};
use crate::sim::cluster::grpc_job_name;
use crate::sim::cluster::workloads::Workload;

/// The ports that RabbitMQ's headless Service has beside those of the other one: its nodes use them among themselves.
const AMONG_NODES: [(&str, u16); 2] = [("epmd", 4369), ("dist", 25672)];

pub(super) fn service(record: &Record, service: &facts::Service, scene: &Scene) -> Service {
    let address = service.address.map(|address| address::of_service(address).to_string());
    let cluster_ip = address.unwrap_or_else(|| String::from("None"));
    let reach = reach(&service.of);
    let is_outside = reach != Reach::ClusterIp;
    let mut metadata = meta(record);
    if let ServiceOf::Planted(planted) = &service.of
        && !planted.annotations.is_empty()
    {
        metadata.annotations = Some(planted.annotations.clone());
    }
    let selector = selector(&service.of);
    Service {
        metadata,
        spec: Some(ServiceSpec {
            type_: Some(type_name(reach).to_owned()),
            cluster_ips: Some(vec![cluster_ip.clone()]),
            cluster_ip: Some(cluster_ip),
            ip_families: Some(vec![String::from("IPv4")]),
            ip_family_policy: Some(String::from("SingleStack")),
            internal_traffic_policy: Some(String::from("Cluster")),
            external_traffic_policy: is_outside.then(|| String::from("Cluster")),
            // **Chosen**: none, so that they never have the port of a job.
            allocate_load_balancer_node_ports: (reach == Reach::LoadBalancer).then_some(false),
            session_affinity: Some(String::from("None")),
            selector: (!selector.is_empty()).then_some(selector),
            ports: Some(ports(&service.of)),
            ..ServiceSpec::default()
        }),
        status: Some(ServiceStatus {
            load_balancer: Some(LoadBalancerStatus { ingress: ingress(&service.of, scene) }),
            conditions: None,
        }),
    }
}

fn reach(of: &ServiceOf) -> Reach {
    match of {
        ServiceOf::Job(_) => Reach::NodePort,
        ServiceOf::Workload(Workload::MongoDb | Workload::RabbitMq) => Reach::LoadBalancer,
        ServiceOf::Workload(Workload::FocusServer | Workload::SegyRecorder) | ServiceOf::Headless(_) => {
            Reach::ClusterIp
        }
        ServiceOf::Planted(planted) => planted.reach,
    }
}

fn type_name(reach: Reach) -> &'static str {
    match reach {
        Reach::ClusterIp => "ClusterIP",
        Reach::NodePort => "NodePort",
        Reach::LoadBalancer => "LoadBalancer",
    }
}

/// **Chosen**: the workloads' load balancers have the nodes' address; one that somebody created waits for its own.
fn ingress(of: &ServiceOf, scene: &Scene) -> Option<Vec<LoadBalancerIngress>> {
    let is_ours = matches!(of, ServiceOf::Workload(_));
    (is_ours && reach(of) == Reach::LoadBalancer).then(|| {
        vec![LoadBalancerIngress {
            ip: Some(scene.node_address.to_string()),
            ..LoadBalancerIngress::default()
        }]
    })
}

fn selector(of: &ServiceOf) -> std::collections::BTreeMap<String, String> {
    match of {
        ServiceOf::Job(of) => own([("app", grpc_job_name(of.terms.id))]),
        ServiceOf::Workload(workload) | ServiceOf::Headless(workload) => own([selector_of(*workload)]),
        ServiceOf::Planted(planted) => planted.selector.clone(),
    }
}

fn ports(of: &ServiceOf) -> Vec<ServicePort> {
    let port = |(name, number): (&str, u16)| ServicePort {
        name: Some(name.to_owned()),
        protocol: Some(String::from("TCP")),
        port: number.into(),
        target_port: Some(IntOrString::Int(number.into())),
        ..ServicePort::default()
    };
    match of {
        ServiceOf::Job(of) => {
            let number = i32::from(of.terms.port.number());
            vec![ServicePort { port: number, node_port: Some(number), ..port(("grpc", GRPC_PORT)) }]
        }
        ServiceOf::Workload(workload) => ports_of(*workload).iter().copied().map(port).collect(),
        ServiceOf::Headless(workload) => {
            AMONG_NODES.iter().chain(ports_of(*workload)).copied().map(port).collect()
        }
        ServiceOf::Planted(planted) => ports_planted(planted),
    }
}

fn ports_planted(planted: &Planted) -> Vec<ServicePort> {
    let port = |port: &facts::ServicePort| ServicePort {
        name: port.name.clone(),
        protocol: Some(port.protocol.clone()),
        port: port.port.into(),
        target_port: Some(match &port.target {
            Target::Number(number) => IntOrString::Int((*number).into()),
            Target::Name(name) => IntOrString::String(name.clone()),
        }),
        node_port: port.node_port.map(|port| port.number().into()),
        app_protocol: None,
    };
    planted.ports.iter().map(port).collect()
}

/// Without subsets while no pod is ready.
pub(super) fn endpoints(record: &Record, endpoints: &facts::Endpoints) -> Endpoints {
    let subset = || EndpointSubset {
        addresses: Some(endpoints.backends.iter().map(backend).collect()),
        ports: Some(ports(&endpoints.of).into_iter().map(behind).collect()),
        not_ready_addresses: None,
    };
    Endpoints { metadata: meta(record), subsets: (!endpoints.backends.is_empty()).then(|| vec![subset()]) }
}

fn backend(backend: &Backend) -> EndpointAddress {
    EndpointAddress {
        ip: address::of_pod(backend.placed.address).to_string(),
        node_name: Some(backend.placed.node.name().to_owned()),
        target_ref: Some(reference(&backend.pod)),
        hostname: None,
    }
}

/// The port of the pods behind a port of a Service.
fn behind(port: ServicePort) -> EndpointPort {
    let number = match port.target_port {
        Some(IntOrString::Int(number)) => number,
        Some(IntOrString::String(_)) | None => port.port,
    };
    EndpointPort { name: port.name, port: number, protocol: port.protocol, app_protocol: None }
}
