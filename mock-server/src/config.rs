//! What a server is started with.

use std::net::SocketAddr;

use crate::domain::time::Moment;
use crate::serve::PortChoice;
use crate::sim::clock::Mode;
use crate::sim::seed::Seed;
use crate::sim::setup::Setup;

/// Everything a server is started with. The default is what a test wants: the default world on addresses of its own.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens.
    pub addresses: Addresses,
    /// Seed of everything that is drawn.
    pub seed: Seed,
    /// What makes its clock go.
    pub clock: Mode,
    /// What its clock shows at the start; the wall clock's time if nothing is given.
    pub start_time: Option<Moment>,
    /// The world it starts with.
    pub setup: Setup,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addresses: Addresses::Own,
            seed: Seed::default(),
            clock: Mode::System,
            start_time: None,
            setup: Setup::default(),
        }
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Addresses that nobody else has: a loopback address with the documented ports on it, or free ports of 127.0.0.1
    /// where there is only that one.
    Own,
    /// These.
    Given {
        /// The product's REST listener; job ports are on the same host. Port 0 takes a free one.
        listen: SocketAddr,
        /// The admin listener, if there shall be one.
        admin: Option<SocketAddr>,
        /// Where job ports lie.
        ports: PortChoice,
    },
}
