//! The cases, one file per area, and the registry of all of them.

mod calculations;
mod capacity;
mod channels;
mod compatibility;
mod configuring;
mod conflicts;
mod fibre;
mod frequency;
mod health;
mod http;
mod jobs;
mod kubernetes;
mod load;
mod nfft;
mod outages;
mod prelaunch;
mod properties;
mod recordings;
mod resilience;
mod shape;
mod snapshots;
mod stability;
mod streams;
mod tasks;
mod windows;

use crate::case::Case;

/// Every case, by area.
pub static ALL: &[&[Case]] = &[
    health::CASES,
    fibre::CASES,
    nfft::CASES,
    frequency::CASES,
    compatibility::CASES,
    channels::CASES,
    shape::CASES,
    windows::CASES,
    calculations::CASES,
    prelaunch::CASES,
    conflicts::CASES,
    capacity::CASES,
    outages::CASES,
    jobs::CASES,
    kubernetes::workloads::CASES,
    kubernetes::lifecycle::CASES,
    kubernetes::command::CASES,
    kubernetes::logs::CASES,
    kubernetes::endings::CASES,
    kubernetes::by_hand::CASES,
    kubernetes::conflicts::CASES,
    kubernetes::rollback::CASES,
    kubernetes::outages::CASES,
    resilience::stores::CASES,
    resilience::server::CASES,
    resilience::pairs::CASES,
    recordings::CASES,
    streams::live::CASES,
    streams::historic::CASES,
    streams::ends::CASES,
    streams::services::CASES,
    streams::keepalive::CASES,
    tasks::CASES,
    load::reads::CASES,
    load::configures::CASES,
    load::capacity::CASES,
    load::rates::CASES,
    load::gradual::CASES,
    load::flows::CASES,
    load::tasks::CASES,
    load::mixed::CASES,
    http::routes::CASES,
    http::bodies::CASES,
    http::refusals::CASES,
    http::openapi::CASES,
    http::exposure::CASES,
    properties::CASES,
    snapshots::CASES,
    stability::CASES,
];

/// Every case, in the order of the areas.
pub fn all() -> impl Iterator<Item = &'static Case> {
    ALL.iter().copied().flatten()
}

/// The case of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Case> {
    all().find(|case| case.id == id)
}
