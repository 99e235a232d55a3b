//! Services that are created: read, checked as a real server does, and cut down to what is kept.
//!
//! **Chosen**: a NodePort Service must name its node ports, which may be any port; of a LoadBalancer they may be left out.
//! Type ExternalName and `generateName` are not simulated.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Service, ServicePort as Port, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::failure::Cause;
use super::names;
use crate::domain::ids::NodePort;
use crate::sim::cluster::facts::{Planted, Reach, ServicePort, Target};

const TYPES: [&str; 3] = ["ClusterIP", "LoadBalancer", "NodePort"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const PORT_RANGE: &str = "must be between 1 and 65535, inclusive";

/// What is kept of a Service, or everything that is wrong with it.
pub(super) fn planted(service: Service) -> Result<Planted, Vec<Cause>> {
    let mut causes = Vec::new();
    let metadata = service.metadata;
    match metadata.name.as_deref().unwrap_or_default() {
        "" if metadata.generate_name.as_deref().is_some_and(|prefix| !prefix.is_empty()) => {
            causes.push(Cause::forbidden("metadata.generateName", "is not simulated: give metadata.name"));
        }
        "" => causes.push(Cause::required("metadata.name", "name or generateName is required")),
        name => causes.extend(names::dns_1035("metadata.name", name)),
    }
    let labels = metadata.labels.unwrap_or_default();
    let annotations = metadata.annotations.unwrap_or_default();
    names::labels("metadata.labels", &labels, &mut causes);
    names::annotations("metadata.annotations", &annotations, &mut causes);
    let spec = service.spec.unwrap_or_default();
    let reach = reach(&spec, &mut causes);
    let selector = spec.selector.unwrap_or_default();
    names::labels("spec.selector", &selector, &mut causes);
    let ports = ports(&spec.ports.unwrap_or_default(), reach, &mut causes);
    if !causes.is_empty() {
        return Err(causes);
    }
    Ok(Planted { labels, annotations, selector, reach, ports })
}

fn reach(spec: &ServiceSpec, causes: &mut Vec<Cause>) -> Reach {
    match spec.type_.as_deref() {
        None | Some("ClusterIP" | "") => Reach::ClusterIp,
        Some("NodePort") => Reach::NodePort,
        Some("LoadBalancer") => Reach::LoadBalancer,
        Some(other) => {
            causes.push(Cause::unsupported("spec.type", other, &TYPES));
            Reach::ClusterIp
        }
    }
}

fn ports(given: &[Port], reach: Reach, causes: &mut Vec<Cause>) -> Vec<ServicePort> {
    if given.is_empty() {
        causes.push(Cause::required("spec.ports", ""));
    }
    let (mut names, mut numbers, mut on_nodes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut ports = Vec::new();
    for (index, port) in given.iter().enumerate() {
        let at = |field: &str| format!("spec.ports[{index}]{field}");
        let name = port.name.as_deref().unwrap_or_default();
        if name.is_empty() {
            if given.len() > 1 {
                causes.push(Cause::required(at(".name"), ""));
            }
        } else if !names.insert(name) {
            causes.push(Cause::duplicate(at(".name"), format!("{name:?}")));
        } else {
            causes.extend(names::dns_1123(at(".name"), name));
        }
        let protocol = port.protocol.as_deref().filter(|text| !text.is_empty()).unwrap_or("TCP");
        if !PROTOCOLS.contains(&protocol) {
            causes.push(Cause::unsupported(at(".protocol"), protocol, &PROTOCOLS));
        }
        let number = number(port.port, at(".port"), causes);
        if !numbers.insert((protocol, port.port)) {
            causes.push(Cause::duplicate(at(""), format!("{protocol} {}", port.port)));
        }
        let target = target(port.target_port.as_ref(), number, at(".targetPort"), causes);
        let node_port = node_port(port.node_port, reach, at(".nodePort"), causes);
        if let Some(on_node) = node_port
            && !on_nodes.insert((protocol, on_node.number()))
        {
            causes.push(Cause::duplicate(at(".nodePort"), on_node));
        }
        ports.push(ServicePort {
            name: Some(name).filter(|name| !name.is_empty()).map(str::to_owned),
            protocol: protocol.to_owned(),
            port: number,
            target,
            node_port,
        });
    }
    ports
}

/// 0 where it is none, which is told then.
fn number(number: i32, field: String, causes: &mut Vec<Cause>) -> u16 {
    let found = u16::try_from(number).ok().filter(|number| *number > 0);
    if found.is_none() {
        causes.push(Cause::invalid(field, number, PORT_RANGE));
    }
    found.unwrap_or_default()
}

fn target(given: Option<&IntOrString>, port: u16, field: String, causes: &mut Vec<Cause>) -> Target {
    match given {
        // As a real server reads an explicit zero or an empty text: not given.
        None | Some(IntOrString::Int(0)) => Target::Number(port),
        Some(IntOrString::String(name)) if name.is_empty() => Target::Number(port),
        Some(IntOrString::Int(target)) => Target::Number(number(*target, field, causes)),
        Some(IntOrString::String(name)) => {
            causes.extend(names::port_name(field, name));
            Target::Name(name.clone())
        }
    }
}

fn node_port(given: Option<i32>, reach: Reach, field: String, causes: &mut Vec<Cause>) -> Option<NodePort> {
    match (given.filter(|port| *port != 0), reach) {
        (None, Reach::NodePort) => {
            causes
                .push(Cause::required(field, "none is chosen here: say which port of the nodes it shall be"));
            None
        }
        (None, Reach::ClusterIp | Reach::LoadBalancer) => None,
        (Some(_), Reach::ClusterIp) => {
            causes.push(Cause::forbidden(field, "may not be used when `type` is 'ClusterIP'"));
            None
        }
        (Some(port), Reach::NodePort | Reach::LoadBalancer) => NodePort::new(number(port, field, causes)),
    }
}
