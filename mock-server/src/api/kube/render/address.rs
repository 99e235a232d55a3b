//! Made-up addresses.
//!
//! **Chosen**: they are loopback ones, `127.64.0.0/10`, the lower half for pods, the upper one for Services. Whoever dials
//! one by mistake reaches nobody beyond this machine. Two million of each come before one is used again.

use std::net::Ipv4Addr;

use crate::sim::cluster::facts::{PodAddress, ServiceAddress};

const PODS: u32 = u32::from_be_bytes([127, 64, 0, 0]);
const SERVICES: u32 = u32::from_be_bytes([127, 96, 0, 0]);
/// Of each half, without its first and its last address.
const COUNT: u32 = (1 << 21) - 2;

pub(super) fn of_pod(PodAddress(count): PodAddress) -> Ipv4Addr {
    Ipv4Addr::from_bits(PODS + 1 + count % COUNT)
}

pub(super) fn of_service(ServiceAddress(count): ServiceAddress) -> Ipv4Addr {
    Ipv4Addr::from_bits(SERVICES + 1 + count % COUNT)
}
