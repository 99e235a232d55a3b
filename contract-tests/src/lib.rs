//! The contract suite: what a Focus Server promises, as cases that run against any server that can be reached.
//!
//! A [`case::Case`] is one claim with a short story that proves it. The story is told through a [`story::Story`], which
//! reaches the server on the wire, keeps everything that was said, holds every answer against the OpenAPI document and
//! every frame against the geometry of its stream, and cleans up. It asserts exact statuses, texts and fields; of the
//! mock the suite knows nothing but how to start one, in `target`.

pub mod answer;
pub mod arithmetic;
pub mod bodies;
pub mod caller;
pub mod capacity;
pub mod case;
pub mod cases;
pub mod checks;
pub mod client;
pub mod drive;
pub mod failure;
pub mod geometry;
pub mod gone;
pub mod job;
pub mod known_failing;
pub mod model;
pub mod objects;
pub mod pace;
pub mod redact;
pub mod rehearse;
pub mod report;
pub mod requests;
pub mod runner;
pub mod select;
pub mod series;
pub mod snapshot;
pub mod spec;
pub mod stability;
pub mod stop;
pub mod story;
pub mod tally;
pub mod target;
pub mod wall;
pub mod workload;
