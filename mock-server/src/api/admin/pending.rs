//! What the admin interface needs of the rooms below, in one place.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::document::{Mistake, Mistakes, Node, Place, Section, tree, world_file};
use crate::domain::ids::{JobId, NodePort};
use crate::domain::refusal::PortHolder;
use crate::sim::Simulation;
use crate::sim::change::{Change, ChangeRefused};
use crate::sim::faults::Rule;
use crate::sim::setup::{GpuPool, Limits, RecordingPlan, Setup};

/// How mistakes name what was sent.
const NAME: &str = "the body";

/// The rules of a text: one, or a list of them.
pub(super) fn rules(text: &str) -> Result<Vec<Arc<Rule>>, Mistakes> {
    let tree = tree::parse(text, NAME).map_err(|mistake| Mistakes(vec![mistake]))?;
    let place = tree.as_ref().map_or(Place::Default, |node| node.place.clone());
    let list = match tree {
        Some(Node { value: list @ crate::document::Value::List(_), .. }) => list,
        Some(one) => crate::document::Value::List(vec![one]),
        None => {
            let text = String::from("a rule or a list of rules is missing");
            return Err(Mistakes(vec![Mistake { place, text }]));
        }
    };
    let node = |value| Node { value, place: place.clone() };
    let key = node(crate::document::Value::Text(String::from("faults")));
    let tree = node(crate::document::Value::Mapping(vec![(key, node(list))]));
    let mut root = Section::root("a rule", Some(&tree));
    let rules = crate::document::rules::rules(&mut root);
    Mistakes::unless_none(root.finish().wrong(), rules)
}

/// A rule, as it would be written.
pub(super) fn rule_json(rule: &Rule) -> Value {
    crate::document::rules::render(rule)
}

/// The world of a text: a world file or a scenario.
pub(super) fn world(text: &str) -> Result<Setup, Mistakes> {
    world_file::parse(text, NAME)
}

/// The recordings of a text with the key `recordings`.
pub(super) fn recordings(text: &str) -> Result<RecordingPlan, Mistakes> {
    let tree = tree::parse(text, NAME).map_err(|mistake| Mistakes(vec![mistake]))?;
    let mut root = Section::root("a body with recordings", tree.as_ref());
    root.require("recordings");
    let plan = crate::document::recordings::recordings(&mut root, RecordingPlan::default());
    Mistakes::unless_none(root.finish().wrong(), plan)
}

/// Makes a change.
pub(super) fn apply(
    simulation: &Simulation,
    change: &Change,
    lasts: Option<Duration>,
) -> Result<(), ChangeRefused> {
    simulation.apply(change, lasts)
}

/// Resets into another world, which keeps the ports.
pub(super) fn replace(simulation: &Simulation, setup: Setup) {
    simulation.replace(setup);
}

/// Limits as they are now.
pub(super) fn limits(simulation: &Simulation) -> (Limits, GpuPool) {
    let snapshot = simulation.snapshot();
    (snapshot.limits, snapshot.gpu)
}

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
pub(super) fn leaks(simulation: &Simulation) -> Vec<Leak> {
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

/// Invariants that do not hold.
pub(super) fn broken_invariants(simulation: &Simulation) -> Vec<String> {
    let broken = simulation.with(|world, _| world.broken_invariants());
    broken.iter().map(|broken| format!("{}: {}", broken.id, broken.what)).collect()
}

pub(super) use crate::sim::fate::Fate;

/// What became of a job.
pub(super) fn fate(simulation: &Simulation, id: JobId) -> Fate {
    simulation.with(|world, _| world.fate(id))
}
