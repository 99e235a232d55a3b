//! What one scrape sees.
//!
//! The world, the journal and the cluster's objects are each looked at once and behind their own locks, one after the
//! other: each is of one moment, and nobody waits for more than one of them. All text is made afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::process::Process;
use crate::api::kube::{self, Watches};
use crate::sim::Simulation;
use crate::sim::cluster::facts::{Facts, Kind, PodOf, Stage};
use crate::sim::cluster::workloads::Workload;
use crate::sim::counts::Streamed;
use crate::sim::figures::Figures;
use crate::sim::journal::{JournalLimits, Tally};

pub(super) struct Seen {
    pub(super) figures: Figures,
    pub(super) tally: Tally,
    pub(super) journal: JournalLimits,
    pub(super) streamed: Arc<Streamed>,
    pub(super) rules: usize,
    pub(super) objects: BTreeMap<Kind, usize>,
    /// By phase.
    pub(super) pods: BTreeMap<&'static str, usize>,
    pub(super) pods_in_crash_loop: usize,
    pub(super) workloads: BTreeMap<Workload, Replicas>,
    pub(super) watches: usize,
    pub(super) most_watches: usize,
    pub(super) process: Option<Process>,
}

/// The pods of a workload.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Replicas {
    pub(super) wanted: u32,
    pub(super) ready: u32,
    /// Restarts of the pods that are there.
    pub(super) restarts: u32,
}

impl Seen {
    pub(super) fn of(simulation: &Simulation, watches: &Watches) -> Self {
        // First: what is due happens now, and everything else is looked at after it.
        let figures = simulation.figures();
        let mut seen = Self {
            figures,
            tally: simulation.journal().tally(),
            journal: simulation.journal().limits().clone(),
            streamed: Arc::clone(simulation.streamed()),
            rules: simulation.faults().list().len(),
            objects: simulation.store().count(),
            pods: BTreeMap::new(),
            pods_in_crash_loop: 0,
            workloads: BTreeMap::new(),
            watches: watches.open(),
            most_watches: watches.most(),
            process: Process::look(),
        };
        seen.look_at_workloads(simulation);
        seen.look_at_pods(simulation);
        seen
    }

    fn look_at_workloads(&mut self, simulation: &Simulation) {
        for kind in [Kind::Deployment, Kind::StatefulSet] {
            for record in simulation.store().list(kind, None).records {
                if let Facts::Deployment(scale) | Facts::StatefulSet(scale) = &record.facts {
                    let replicas = self.workloads.entry(scale.workload).or_default();
                    (replicas.wanted, replicas.ready) = (scale.replicas, scale.ready);
                }
            }
        }
    }

    fn look_at_pods(&mut self, simulation: &Simulation) {
        for record in simulation.store().list(Kind::Pod, None).records {
            let Facts::Pod(pod) = &record.facts else { continue };
            *self.pods.entry(kube::phase(pod.stage)).or_default() += 1;
            self.pods_in_crash_loop += usize::from(matches!(pod.stage, Stage::CrashLoop { .. }));
            if let PodOf::Workload { workload, .. } = &pod.of {
                self.workloads.entry(*workload).or_default().restarts += pod.restarts;
            }
        }
    }
}
