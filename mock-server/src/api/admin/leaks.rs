//! What belongs to no live job, by name; and what a rehearsal took, which is no leak.

use crate::domain::ids::{JobId, NodePort};
use crate::domain::refusal::PortHolder;
use crate::sim::Simulation;

/// Ports that a rehearsal holds, and as whom.
pub(super) fn held_ports(simulation: &Simulation) -> Vec<(NodePort, PortHolder)> {
    let planted = simulation.snapshot().leaks.planted;
    let services = planted.services.into_iter().map(|port| (port, PortHolder::Service));
    let mut held: Vec<_> =
        services.chain(planted.ports.into_iter().map(|port| (port, PortHolder::Process))).collect();
    held.sort_by_key(|(port, _)| port.number());
    held
}

/// Something that belongs to no live job.
pub(super) struct Leak {
    /// What sort of thing.
    pub(super) kind: &'static str,
    /// Its name.
    pub(super) name: String,
    /// The job that it was for, if it is known.
    pub(super) job: Option<JobId>,
}

/// What belongs to no live job.
pub(super) fn all(simulation: &Simulation) -> Vec<Leak> {
    let leaks = simulation.snapshot().leaks;
    // Names of objects end with the id of their job, those of pods with letters of their own after it.
    let job = |name: &str| {
        let id = name.trim_start_matches(|char: char| !char.is_ascii_digit());
        let parts: Vec<_> = id.split('-').take(2).collect();
        parts.join("-").parse().ok()
    };
    let named =
        |kind, names: Vec<String>| names.into_iter().map(move |name| Leak { kind, job: job(&name), name });
    let slots = leaks.slots.iter().map(|slot| slot.number().to_string()).collect::<Vec<_>>();
    let ports = leaks.ports.iter().map(|port| port.number().to_string()).collect::<Vec<_>>();
    let bare = |kind, names: Vec<String>| names.into_iter().map(move |name| Leak { kind, name, job: None });
    let streams = leaks.streams.iter().map(|stream| Leak {
        kind: "stream",
        name: format!("stream {} of {}", stream.stream.0, stream.job),
        job: Some(stream.job),
    });
    let mut all: Vec<_> = bare("slot", slots).chain(bare("port", ports)).collect();
    all.extend(named("job", leaks.jobs));
    all.extend(named("pod", leaks.pods));
    all.extend(named("service", leaks.services));
    all.extend(named("queue", leaks.queues));
    all.extend(named("gpu-share", leaks.gpu_shares));
    all.extend(streams);
    all
}
