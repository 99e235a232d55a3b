//! How many jobs at a time an environment carries, what gives way first, and the report about what is missing.
//!
//! A [`Plan`] says which levels are fired and what is demanded; [`run::run`] fires them at a [`Server`] and measures; a
//! [`Measured`] is what came of it, from which [`report`] derives every sentence. Nothing here retries a request, and a
//! latency counts from the moment at which its request was due, so that a slow server cannot hide in a client's queue.

pub mod cluster;
pub mod demands;
pub mod fire;
mod jobs;
pub mod latency;
pub mod machine;
pub mod measured;
pub mod plan;
mod pods;
pub mod report;
pub mod results;
pub mod run;
mod server;
pub mod shapes;
pub mod streams;
pub mod thresholds;

pub use measured::{LevelResult, Measured, Outcome};
pub use plan::{Environment, Plan, Standing, Verdict};
pub use server::{Reply, Server};
pub use thresholds::Thresholds;
