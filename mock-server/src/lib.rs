//! The mock Focus Server: a server that cannot be told from the real one on the wire, with time in the user's hand.
//!
//! Rooms of the house, each importing only from those after it: `settings` (what is said where), `serve` and `config`
//! (listeners, start, end), `api` (REST, gRPC, admin), `document` (YAML and JSON that people write, with the place of each
//! mistake), `sim` (the world that changes), `domain` (what is true without a server).
//!
//! A test starts one server for itself:
//!
//! ```
//! use focus_mock::{Config, MockServer};
//!
//! let server = MockServer::start(Config::default())?;
//! println!("configure jobs at {}/configure", server.base_url());
//! // Dropping it closes every port and ends every task and thread before the drop returns.
//! drop(server);
//! # Ok::<(), focus_mock::StartError>(())
//! ```

mod api;
pub mod client;
mod config;
pub mod document;
pub mod domain;
pub mod kubeconfig;
mod mock;
pub mod platform;
mod serve;
pub mod settings;
pub mod sim;

pub use config::{Addresses, Config, GrpcLimits, HttpLimits, KubeApi, StreamsAt, Tls, Token, WhenDown};
pub use document::world_file;
pub use mock::MockServer;
pub use serve::{Server, StartError};
pub use sim::setup::PortChoice;
