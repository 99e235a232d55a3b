//! The world that changes: one state, one clock, one seed.
//!
//! Every command enters through [`Simulation`], holds the world's lock for one synchronous stretch and leaves with an
//! answer or a `Refusal`. Checks read and reservations write, so a refused request changed nothing. Sockets are behind
//! the [`port::Ports`] trait; HTTP, JSON and protobuf are unknown here.

mod agenda;
pub mod calls;
pub mod change;
pub mod clock;
pub mod cluster;
mod controls;
pub mod counts;
pub mod fate;
pub mod faults;
pub mod figures;
pub mod frames;
mod holding;
pub mod invariants;
pub mod journal;
pub mod leaks;
mod lifecycle;
mod orchestration;
mod plan;
pub mod port;
mod prelaunch;
pub mod record;
mod reserve;
pub mod seed;
pub mod setup;
pub mod signal;
pub mod simulation;
pub mod snapshot;
pub mod startup;
pub mod stream;
mod sweep;
pub mod tasks;
mod temporary;
pub mod world;

pub use simulation::{Front, Simulation};

#[cfg(test)]
mod tests;
