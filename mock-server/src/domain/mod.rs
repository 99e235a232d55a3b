//! What is true without a server: the words of the product and their rules.
//!
//! Everything here is a plain value or a pure function. There is no JSON, no status code, no clock, no lock and no
//! socket in this layer; those live in `sim` (the world that changes) and `api` (the transports).

pub mod check;
pub mod check_task;
pub mod command;
pub mod fiber;
pub mod ids;
pub mod job;
pub mod leniency;
pub mod pace;
pub mod quirk;
pub mod recording;
pub mod refusal;
pub mod task;
pub mod time;
pub mod view;
pub mod violation;
