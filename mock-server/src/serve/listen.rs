//! The addresses a server listens on, and why it might not get them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::path::PathBuf;

use super::ports::{Block, LoopbackAddresses, claim_block};
use super::{doors, tls};
use crate::config::Addresses;
use crate::domain::ids::{PortPlan, PortPlanTooHigh};
use crate::sim::setup::PortChoice;

/// Why a server did not start, in words for whoever started it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process has the address.
    #[error(
        "port {port} on {host} is already in use: give another address with {flag} (port 0 takes a free one)"
    )]
    AddressInUse {
        /// The host.
        host: IpAddr,
        /// The port.
        port: u16,
        /// The flag that sets it.
        flag: &'static str,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address} ({flag}): {error}")]
    CannotListen {
        /// The address.
        address: SocketAddr,
        /// The flag that sets it.
        flag: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// The last job port would lie above 65535.
    #[error("{0} (--port-base)")]
    Ports(PortPlanTooHigh),
    /// A listener would take a job's port.
    #[error(
        "port {port} ({flag}) lies among the job ports {first} to {last} (--port-base): move one of them"
    )]
    AmongJobPorts {
        /// The listener's port.
        port: u16,
        /// The flag that sets it.
        flag: &'static str,
        /// The first job port.
        first: u16,
        /// The last one.
        last: u16,
    },
    /// No block of ports is free.
    #[error("no block of job ports is free: {0} (--port-base 0)")]
    NoBlock(io::Error),
    /// A file of the certificate or its key cannot be read.
    #[error("cannot read {} ({flag}): {error}; expected {}", file.display(), tls::expected(flag))]
    TlsFile {
        /// The file.
        file: PathBuf,
        /// The flag that names it.
        flag: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// A file of the certificate or its key holds something else.
    #[error("{} ({flag}) {wrong}; expected {}", file.display(), tls::expected(flag))]
    TlsContent {
        /// The file.
        file: PathBuf,
        /// The flag that names it.
        flag: &'static str,
        /// What is wrong with it.
        wrong: String,
    },
    /// The key is not the certificate's.
    #[error(
        "the key in {} (--tls-key) is not that of the certificate in {} (--tls-cert): give the two that were made together; \
         in a chain the server's own certificate comes first",
        key.display(),
        certificate.display()
    )]
    TlsKeyOfAnother {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The server's thread or runtime could not be made.
    #[error("cannot start the server: {0}")]
    Runtime(io::Error),
}

/// The sockets of a server, before anything is served on them.
pub(super) struct Listeners {
    pub(super) rest: std::net::TcpListener,
    pub(super) admin: Option<std::net::TcpListener>,
    pub(super) kube: Option<std::net::TcpListener>,
    pub(super) plan: PortPlan,
    pub(super) block: Option<Block>,
}

/// The ports that are documented; on an address of its own a server can have them.
const REST_PORT: u16 = 5000;
const ADMIN_PORT: u16 = 5001;
const KUBE_PORT: u16 = 5002;
const PORT_BASE: u16 = 12300;

impl Listeners {
    pub(super) fn open(addresses: &Addresses, max_slots: u16) -> Result<Self, StartError> {
        match addresses {
            Addresses::Given { listen, admin, kube, ports } => {
                Self::at(*listen, *admin, *kube, *ports, max_slots)
            }
            Addresses::Own => {
                for host in LoopbackAddresses::of_this_process().map(IpAddr::V4) {
                    let [rest, admin, kube] =
                        [REST_PORT, ADMIN_PORT, KUBE_PORT].map(|port| SocketAddr::new(host, port));
                    let base = PortChoice::Base(PORT_BASE);
                    match Self::at(rest, Some(admin), Some(kube), base, max_slots) {
                        // Somebody else's: the next one may be free.
                        Err(StartError::AddressInUse { .. }) => {}
                        // No such address on this system: there is only 127.0.0.1.
                        Err(StartError::CannotListen { .. }) => break,
                        opened => return opened,
                    }
                }
                let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                Self::at(free, Some(free), Some(free), PortChoice::FreeBlock, max_slots)
            }
        }
    }

    fn at(
        rest: SocketAddr,
        admin: Option<SocketAddr>,
        kube: Option<SocketAddr>,
        ports: PortChoice,
        max_slots: u16,
    ) -> Result<Self, StartError> {
        let max_slots = NonZeroU16::new(max_slots).unwrap_or(NonZeroU16::MIN);
        let (base, block) = match ports {
            PortChoice::Base(base) => (base, None),
            PortChoice::FreeBlock => {
                let block = claim_block(rest.ip(), max_slots).map_err(StartError::NoBlock)?;
                (block.base, Some(block))
            }
        };
        let plan = PortPlan::new(base, max_slots).map_err(StartError::Ports)?;
        let rest = open_apart(rest, "--listen", plan)?;
        let admin = admin.map(|admin| open_apart(admin, "--admin", plan)).transpose()?;
        let kube = kube.map(|kube| open_apart(kube, "--kube", plan)).transpose()?;
        Ok(Self { rest, admin, kube, plan, block })
    }
}

/// Listens, but not on a job's port: that would be a conflict that no job could ever get around.
fn open_apart(
    address: SocketAddr,
    flag: &'static str,
    plan: PortPlan,
) -> Result<std::net::TcpListener, StartError> {
    let (first, last) = (plan.base() + 1, plan.base() + plan.max_slots());
    // A port that the system chose may be a job's by accident; it is held while the next one is asked for.
    let mut accidents = Vec::new();
    loop {
        let listener = open(address, flag)?;
        let port = listener.local_addr().map_err(StartError::Runtime)?.port();
        if !(first..=last).contains(&port) {
            return Ok(listener);
        }
        accidents.push(listener);
        if address.port() != 0 || accidents.len() > 64 {
            return Err(StartError::AmongJobPorts { port, flag, first, last });
        }
    }
}

fn open(address: SocketAddr, flag: &'static str) -> Result<std::net::TcpListener, StartError> {
    doors::listen(address).map(Into::into).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            StartError::AddressInUse { host: address.ip(), port: address.port(), flag }
        }
        _ => StartError::CannotListen { address, flag, error },
    })
}
