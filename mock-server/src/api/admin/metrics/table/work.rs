//! What the product does: requests, jobs, streams.

use std::borrow::Cow;

use super::super::super::state::{job_state, removal, stream_end};
use super::{Family, Measure, Sample, Sort, Value, each, one};
use crate::domain::job::{JobState, StreamEnd};
use crate::sim::counts::{Source, Transition};
use crate::sim::faults::{GiveBack, Step};
use crate::sim::journal::Removal;

pub(super) static REQUESTS: &[Family] = &[
    Family {
        name: "focus_mock_requests",
        unit: None,
        sort: Sort::Counter,
        labels: &["route", "method", "status"],
        help: "Requests that were answered, or ended without an answer (status none); routes of the Kubernetes API begin \
               with kube.",
        samples: |seen| {
            let requests = seen.tally.counts.requests();
            let of_status = requests.flat_map(|(route, verb, requests)| {
                requests.statuses.iter().map(move |(status, count)| {
                    let status = status.map_or(Cow::Borrowed("none"), |status| status.to_string().into());
                    let labels = vec![route.name().into(), verb.name().into(), status];
                    Sample { labels, value: (*count).into() }
                })
            });
            of_status.collect()
        },
    },
    Family {
        name: "focus_mock_request_duration",
        unit: Some(Measure::Seconds),
        sort: Sort::Histogram,
        labels: &["route", "method"],
        help: "From a request to its answer, injected delays included, on the clock of the simulator.",
        samples: |seen| {
            let times = seen.tally.counts.requests().map(|(route, verb, requests)| Sample {
                labels: vec![route.name().into(), verb.name().into()],
                value: Value::Times(Box::new(requests.took)),
            });
            times.collect()
        },
    },
    Family {
        name: "focus_mock_refusals",
        unit: None,
        sort: Sort::Counter,
        labels: &["route", "method", "code"],
        help: "Requests that were refused with an error body, by its code.",
        samples: |seen| {
            let of_code = seen.tally.counts.requests().flat_map(|(route, verb, requests)| {
                requests.codes.iter().map(move |(code, count)| Sample {
                    labels: vec![route.name().into(), verb.name().into(), (*code).into()],
                    value: (*count).into(),
                })
            });
            of_code.collect()
        },
    },
    Family {
        name: "focus_mock_faults_injected",
        unit: None,
        sort: Sort::Counter,
        labels: &["point", "effect"],
        help: "Hits of rules, by the point they stood at and what they did; effect delay where that was all.",
        samples: |seen| {
            let hits = seen.tally.counts.faults.iter().map(|((point, effect), count)| Sample {
                labels: vec![point.to_string().into(), effect.unwrap_or("delay").into()],
                value: (*count).into(),
            });
            hits.collect()
        },
    },
    Family {
        name: "focus_mock_fault_rules",
        unit: None,
        sort: Sort::Gauge,
        labels: &[],
        help: "Rules that are installed.",
        samples: |seen| one(seen.rules),
    },
];

pub(super) static JOBS: &[Family] = &[
    Family {
        name: "focus_mock_jobs",
        unit: None,
        sort: Sort::Gauge,
        labels: &["state"],
        help: "Jobs that are not yet removed.",
        samples: |seen| {
            let jobs = &seen.figures.jobs;
            each(JobState::ALL.map(|state| (job_state(state), jobs.get(&state).copied().unwrap_or(0))))
        },
    },
    Family {
        name: "focus_mock_jobs_limit",
        unit: None,
        sort: Sort::Gauge,
        labels: &[],
        help: "How many jobs there can be at a time.",
        samples: |seen| one(seen.figures.job_limit),
    },
    Family {
        name: "focus_mock_job_transitions",
        unit: None,
        sort: Sort::Counter,
        labels: &["event"],
        help: "What happened to jobs: configured, started (after it was Pending), completed, failed, cancelled, removed.",
        samples: |seen| {
            let counts = &seen.tally.counts.transitions;
            each(Transition::ALL.map(|event| (event.name(), counts.get(&event).copied().unwrap_or(0))))
        },
    },
    Family {
        name: "focus_mock_job_removals",
        unit: None,
        sort: Sort::Counter,
        labels: &["reason"],
        help: "Why jobs were removed.",
        samples: |seen| {
            let counts = &seen.tally.counts.removals;
            each(Removal::ALL.map(|why| (removal(why), counts.get(&why).copied().unwrap_or(0))))
        },
    },
    Family {
        name: "focus_mock_rollbacks",
        unit: None,
        sort: Sort::Counter,
        labels: &["step"],
        help: "Configurations that failed at a step and were undone.",
        samples: |seen| {
            let counts = &seen.tally.counts.rollbacks;
            each(Step::ALL.iter().map(|step| (step.name(), counts.get(step).copied().unwrap_or(0))))
        },
    },
    Family {
        name: "focus_mock_undo_failures",
        unit: None,
        sort: Sort::Counter,
        labels: &["step"],
        help: "Undos that failed and left their resource behind.",
        samples: |seen| {
            let counts = &seen.tally.counts.undo_failures;
            each(GiveBack::ALL.iter().map(|undo| (undo.name(), counts.get(undo).copied().unwrap_or(0))))
        },
    },
    Family {
        name: "focus_mock_leaked_resources",
        unit: None,
        sort: Sort::Gauge,
        labels: &["kind"],
        help: "What belongs to no live job and is still there.",
        samples: |seen| {
            let leaks = &seen.figures.leaks;
            each([
                ("slot", leaks.slots.len()),
                ("port", leaks.ports.len()),
                ("job", leaks.jobs.len()),
                ("pod", leaks.pods.len()),
                ("service", leaks.services.len()),
                ("queue", leaks.queues.len()),
                ("gpu-share", leaks.gpu_shares.len()),
                ("stream", leaks.streams.len()),
            ])
        },
    },
    Family {
        name: "focus_mock_slots",
        unit: None,
        sort: Sort::Gauge,
        labels: &["state"],
        help: "Slots that are free, taken by a job, or leaked.",
        samples: |seen| {
            let taken: usize = seen.figures.jobs.values().sum();
            let leaked = seen.figures.leaks.slots.len();
            each([("free", seen.figures.free_slots), ("taken", taken), ("leaked", leaked)])
        },
    },
    Family {
        name: "focus_mock_ports_in_use",
        unit: None,
        sort: Sort::Gauge,
        labels: &["holder"],
        help: "Job ports that are held: by a job, by a leak, by a planted service, or as another process would.",
        samples: |seen| {
            let leaks = &seen.figures.leaks;
            each([
                ("job", seen.figures.job_ports),
                ("leak", leaks.ports.len()),
                ("service", leaks.planted.services.len()),
                ("process", leaks.planted.ports.len()),
            ])
        },
    },
    Family {
        name: "focus_mock_gpu_shares_in_use",
        unit: None,
        sort: Sort::Gauge,
        labels: &[],
        help: "GPU shares that pods have.",
        samples: |seen| one(seen.figures.gpu_shares),
    },
];

pub(super) static STREAMS: &[Family] = &[
    Family {
        name: "focus_mock_streams",
        unit: None,
        sort: Sort::Gauge,
        labels: &[],
        help: "Streams of jobs that are Running.",
        samples: |seen| one(seen.figures.streams),
    },
    Family {
        name: "focus_mock_stream_calls_open",
        unit: None,
        sort: Sort::Gauge,
        labels: &[],
        help: "Calls that are open on streams.",
        samples: |seen| one(seen.figures.open_calls),
    },
    Family {
        name: "focus_mock_stream_calls_opened",
        unit: None,
        sort: Sort::Counter,
        labels: &[],
        help: "Calls that clients opened on streams.",
        samples: |seen| one(seen.tally.counts.calls_opened),
    },
    Family {
        name: "focus_mock_stream_calls_ended",
        unit: None,
        sort: Sort::Counter,
        labels: &["reason"],
        help: "Calls that the server ended; those that a client left are in none of them.",
        samples: |seen| each(StreamEnd::ALL.map(|end| (stream_end(end), seen.streamed.ended_so_far(end)))),
    },
    Family {
        name: "focus_mock_stream_frames_sent",
        unit: None,
        sort: Sort::Counter,
        labels: &[],
        help: "Frames that were handed to the transport.",
        samples: |seen| one(seen.streamed.frames_so_far()),
    },
    Family {
        name: "focus_mock_frame_lateness",
        unit: Some(Measure::Seconds),
        sort: Sort::Histogram,
        labels: &["playback"],
        help: "From the moment at which a frame was due to that at which it was handed to the transport, on the clock of \
               the simulator; a slow reader and injected delays make it late.",
        samples: |seen| {
            let times = Source::ALL.map(|source| Sample {
                labels: vec![source.name().into()],
                value: Value::Times(Box::new(seen.streamed.lateness_so_far(source))),
            });
            times.into()
        },
    },
    Family {
        name: "focus_mock_stream_sent",
        unit: Some(Measure::Bytes),
        sort: Sort::Counter,
        labels: &[],
        help: "Bytes of messages that were handed to the transport, with the five bytes before each.",
        samples: |seen| one(seen.streamed.bytes_so_far()),
    },
];
