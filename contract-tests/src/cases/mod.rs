//! The cases, one file per area.

pub mod smoke;
