//! Whether a server stays as it was: light load for an hour, or a soak of 4 or 24, sampled at a fixed interval.
//!
//! A [`Plan`] says when samples are due; [`run()`] takes them and keeps a [`Report`] after each, so that a run that ends early
//! has lost nothing and can be resumed. What a run is held against are [`Limits`]; [`rules::judge`] alone applies them, to
//! nothing but samples. A rule that could not be judged is told as such, with the reason: it has not passed.

pub mod baseline;
pub mod figures;
pub mod file;
pub mod limits;
mod page;
pub mod plan;
pub mod probe;
pub mod report;
pub mod rules;
pub mod run;
pub mod sample;
mod summary;

pub use figures::Figures;
pub use limits::Limits;
pub use plan::{Cancel, Kind, Pace, Plan};
pub use probe::Probe;
pub use report::{Report, Verdict};
pub use run::{Event, run};
pub use sample::Sample;
