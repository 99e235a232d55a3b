//! The rows of the table, by area.

mod basics;
mod cluster;
mod cluster_endings;
mod configuring;
mod http;
mod jobs;
mod load;
mod rehearsals;
mod requests;
mod resilience;
mod stability;
mod streams;
mod tasks;

use crate::broken::Defect;

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Defect> {
    let tables = [
        basics::ROWS,
        requests::ROWS,
        configuring::ROWS,
        jobs::ROWS,
        rehearsals::ROWS,
        cluster::ROWS,
        cluster_endings::ROWS,
        resilience::ROWS,
        stability::ROWS,
        streams::ROWS,
        tasks::ROWS,
        load::ROWS,
        http::ROWS,
    ];
    tables.into_iter().flatten()
}
