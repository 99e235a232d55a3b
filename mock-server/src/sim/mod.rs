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
pub mod faults;
pub mod frames;
mod invariants;
pub mod journal;
mod lifecycle;
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
pub mod tasks;
pub mod world;

pub use simulation::Simulation;

#[cfg(test)]
mod tests;
