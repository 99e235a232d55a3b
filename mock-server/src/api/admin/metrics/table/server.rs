//! What the server is made of: the cluster it simulates, its journal, its clock, its process.

use super::{Family, Measure, Sample, Sort, Value, each, known, one};
use crate::api::kube;
use crate::sim::clock::Mode;
use crate::sim::cluster::workloads::Workload;

pub(super) static CLUSTER: &[Family] = &[
    Family {
        name: "focus_mock_cluster_objects",
        unit: None,
        sort: Sort::Gauge,
        labels: &["kind"],
        help: "Objects of the simulated cluster.",
        samples: |seen| {
            each(kube::kinds().map(|(kind, name)| (name, seen.objects.get(&kind).copied().unwrap_or(0))))
        },
    },
    Family {
        name: "focus_mock_pods",
        unit: None,
        sort: Sort::Gauge,
        labels: &["phase"],
        help: "Pods of the simulated cluster.",
        samples: |seen| each(kube::PHASES.map(|phase| (phase, seen.pods.get(phase).copied().unwrap_or(0)))),
    },
    Family {
        name: "focus_mock_pods_in_crash_loop",
        unit: None,
        sort: Sort::Gauge,
        labels: &[],
        help: "Pods whose container exits and is started again.",
        samples: |seen| one(seen.pods_in_crash_loop),
    },
    Family {
        name: "focus_mock_workload_pods_wanted",
        unit: None,
        sort: Sort::Gauge,
        labels: &["workload"],
        help: "Pods that a workload of the product should have.",
        samples: |seen| each(workloads(seen, |replicas| replicas.wanted)),
    },
    Family {
        name: "focus_mock_workload_pods_ready",
        unit: None,
        sort: Sort::Gauge,
        labels: &["workload"],
        help: "Pods of a workload of the product that are ready.",
        samples: |seen| each(workloads(seen, |replicas| replicas.ready)),
    },
    Family {
        name: "focus_mock_workload_restarts",
        unit: None,
        sort: Sort::Gauge,
        labels: &["workload"],
        help: "Restarts of the pods that a workload has now; they go with their pod.",
        samples: |seen| each(workloads(seen, |replicas| replicas.restarts)),
    },
    Family {
        name: "focus_mock_watches_open",
        unit: None,
        sort: Sort::Gauge,
        labels: &[],
        help: "Watches of the Kubernetes API that are open.",
        samples: |seen| one(seen.watches),
    },
    Family {
        name: "focus_mock_watches_limit",
        unit: None,
        sort: Sort::Gauge,
        labels: &[],
        help: "How many watches there can be at a time.",
        samples: |seen| one(seen.most_watches),
    },
];

fn workloads(
    seen: &super::Seen,
    number: fn(super::super::seen::Replicas) -> u32,
) -> [(&'static str, u32); Workload::ALL.len()] {
    Workload::ALL.map(|workload| {
        let replicas = seen.workloads.get(&workload).copied().unwrap_or_default();
        (workload.name(), number(replicas))
    })
}

pub(super) static SERVER: &[Family] = &[
    Family {
        name: "focus_mock_serving",
        unit: None,
        sort: Sort::Gauge,
        labels: &[],
        help: "1 while the routes of the product answer, 0 while its simulated server is down.",
        samples: |seen| one(seen.figures.serving),
    },
    Family {
        name: "focus_mock_resets",
        unit: None,
        sort: Sort::Counter,
        labels: &[],
        help: "How often the world went back to a start; other counts go on.",
        samples: |seen| one(seen.tally.counts.resets),
    },
    Family {
        name: "focus_mock_journal",
        unit: Some(Measure::Bytes),
        sort: Sort::Gauge,
        labels: &[],
        help: "Bytes of the journal.",
        samples: |seen| one(seen.tally.bytes),
    },
    Family {
        name: "focus_mock_journal_limit",
        unit: Some(Measure::Bytes),
        sort: Sort::Gauge,
        labels: &[],
        help: "How many bytes the journal can have before its oldest entries go.",
        samples: |seen| one(seen.journal.bytes),
    },
    Family {
        name: "focus_mock_journal_entries",
        unit: None,
        sort: Sort::Gauge,
        labels: &[],
        help: "Entries of the journal.",
        samples: |seen| one(seen.tally.written - seen.tally.dropped),
    },
    Family {
        name: "focus_mock_journal_entries_written",
        unit: None,
        sort: Sort::Counter,
        labels: &[],
        help: "Entries that were written to the journal.",
        samples: |seen| one(seen.tally.written),
    },
    Family {
        name: "focus_mock_journal_entries_dropped",
        unit: None,
        sort: Sort::Counter,
        labels: &[],
        help: "Entries of the journal that had to go to make room.",
        samples: |seen| one(seen.tally.dropped),
    },
    Family {
        name: "focus_mock_clock_timestamp",
        unit: Some(Measure::Seconds),
        sort: Sort::Gauge,
        labels: &[],
        help: "What the clock of the simulator shows, since 1970.",
        #[allow(clippy::cast_precision_loss, reason = "a nanosecond more or less is none for a scraper")]
        samples: |seen| one(seen.figures.now.nanos() as f64 / 1e9),
    },
    Family {
        name: "focus_mock_clock_mode",
        unit: None,
        sort: Sort::Gauge,
        labels: &["mode"],
        help: "1 for what makes the clock go, 0 for the others.",
        samples: |seen| {
            let mode = seen.figures.mode;
            each([
                ("system", mode == Mode::System),
                ("scaled", matches!(mode, Mode::Scaled(_))),
                ("manual", mode == Mode::Manual),
            ])
        },
    },
    Family {
        name: "focus_mock_build",
        unit: None,
        sort: Sort::Info,
        labels: &["version"],
        help: "The version of the program.",
        samples: |_| vec![Sample { labels: vec![env!("CARGO_PKG_VERSION").into()], value: Value::Info }],
    },
    Family {
        name: "process_resident_memory",
        unit: Some(Measure::Bytes),
        sort: Sort::Gauge,
        labels: &[],
        help: "Memory of the process that is resident.",
        samples: |seen| known(seen.process.map(|process| process.memory_bytes)),
    },
    Family {
        name: "process_virtual_memory",
        unit: Some(Measure::Bytes),
        sort: Sort::Gauge,
        labels: &[],
        help: "Virtual memory of the process.",
        samples: |seen| known(seen.process.map(|process| process.virtual_bytes)),
    },
    Family {
        name: "process_cpu",
        unit: Some(Measure::Seconds),
        sort: Sort::Counter,
        labels: &[],
        help: "CPU time of the process, of user and system.",
        #[allow(clippy::cast_precision_loss, reason = "that many milliseconds are ages")]
        samples: |seen| known(seen.process.map(|process| process.cpu_ms as f64 / 1e3)),
    },
    Family {
        name: "process_open_fds",
        unit: None,
        sort: Sort::Gauge,
        labels: &[],
        help: "Files and sockets that the process has open.",
        samples: |seen| known(seen.process.and_then(|process| process.open_files)),
    },
    Family {
        name: "process_max_fds",
        unit: None,
        sort: Sort::Gauge,
        labels: &[],
        help: "How many it can have open.",
        samples: |seen| known(seen.process.and_then(|process| process.open_files_limit)),
    },
    Family {
        name: "process_start_time",
        unit: Some(Measure::Seconds),
        sort: Sort::Gauge,
        labels: &[],
        help: "When the process was started, since 1970, on the clock of the machine.",
        samples: |seen| known(seen.process.map(|process| process.started)),
    },
];
