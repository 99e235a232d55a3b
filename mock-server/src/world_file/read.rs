//! From the keys of a world file to a `Setup`, or everything that is wrong with them.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo, SpanTotal, Timestamp, Unit};
use serde_saphyr::Spanned;

use super::Mistake;
use super::keys::{self, Channels, Float, Int, Stretch, Time};
use crate::domain::fiber::{Channel, ChannelRange, Fiber, FiberState, Prr};
use crate::domain::ids::{PortPlan, Sequence};
use crate::domain::time::EpochSeconds;
use crate::domain::view::Nfft;
use crate::sim::setup::{
    ClusterState, Dependencies, GpuPool, Limits, MongoDb, OnConflict, RecordingPlan, RecordingsState, Setup,
    Supply, Times, When,
};

/// Collects mistakes and goes on with the default, so that one look at a file finds all of them.
#[derive(Default)]
struct Reader {
    mistakes: Vec<Mistake>,
}

pub(super) fn setup(file: &keys::File) -> Result<Setup, Vec<Mistake>> {
    let default = Setup::default();
    let mut reader = Reader::default();
    let setup = Setup {
        fiber: reader.fiber(&file.world, default.fiber),
        fiber_state: match file.dependencies.fiber {
            keys::Fiber::Ready => FiberState::Lit,
            keys::Fiber::Waiting => FiberState::Waiting,
            keys::Fiber::Mixed => FiberState::Mixed,
        },
        recordings: file.world.recordings.as_ref().map_or(default.recordings, |plan| reader.recordings(plan)),
        dependencies: dependencies(&file.dependencies),
        limits: reader.limits(&file.limits, default.limits),
        ports: reader.ports(&file.ports, default.ports),
        on_conflict: match file.ports.on_conflict {
            keys::OnConflict::Reject => OnConflict::Reject,
            keys::OnConflict::Skip => OnConflict::Skip,
        },
        first_sequence: reader.first_sequence(&file.jobs, default.first_sequence),
        times: reader.times(file, default.times),
        gpu: GpuPool {
            size: file.gpu.pool.as_ref().map(|_| reader.int("gpu.pool", &file.gpu.pool, 0..=1_000_000, 0)),
            reject_when_full: file.gpu.reject_when_full,
        },
        // A frame holds at least one row of one channel, which has at most 32768 bins of 4 bytes.
        max_frame_bytes: reader.int(
            "grpc.max_frame_bytes",
            &file.grpc.max_frame_bytes,
            131_072..=50_000_000,
            default.max_frame_bytes,
        ),
    };
    if reader.mistakes.is_empty() { Ok(setup) } else { Err(reader.mistakes) }
}

impl Reader {
    fn mistake<T>(&mut self, at: &Spanned<T>, text: String) {
        self.mistakes.push(Mistake { line: at.referenced.line(), column: at.referenced.column(), text });
    }

    /// An integer within bounds.
    fn int<T: TryFrom<i64>>(&mut self, key: &str, given: &Int, bounds: RangeInclusive<i64>, default: T) -> T {
        let Some(given) = given else { return default };
        match T::try_from(given.value).ok().filter(|_| bounds.contains(&given.value)) {
            Some(value) => value,
            None => {
                self.mistake(
                    given,
                    format!("{key} must be an integer from {} to {}", bounds.start(), bounds.end()),
                );
                default
            }
        }
    }

    /// A number within bounds.
    fn float(&mut self, key: &str, given: &Float, bounds: RangeInclusive<f64>, default: f64) -> f64 {
        let Some(given) = given else { return default };
        if bounds.contains(&given.value) {
            return given.value;
        }
        self.mistake(given, format!("{key} must be a number from {} to {}", bounds.start(), bounds.end()));
        default
    }

    fn seconds(&mut self, key: &str, given: &Float, least: f64, default: Duration) -> Duration {
        Duration::from_secs_f64(self.float(key, given, least..=86_400.0, default.as_secs_f64()))
    }

    /// A text of one line that is not empty.
    fn text(&mut self, key: &str, given: Option<&Spanned<String>>, default: String) -> String {
        let Some(given) = given else { return default };
        if given.value.trim().is_empty()
            || given.value.len() > 200
            || given.value.chars().any(char::is_control)
        {
            self.mistake(given, format!("{key} must be a line of 1 to 200 characters"));
            return default;
        }
        given.value.clone()
    }

    fn fiber(&mut self, keys: &keys::World, default: Fiber) -> Fiber {
        let start_meters = self.int(
            "world.fiber_start_meters",
            &keys.fiber_start_meters,
            0..=1_000_000,
            default.start_meters,
        );
        let length_meters = self.int(
            "world.fiber_length_meters",
            &keys.fiber_length_meters,
            1..=1_000_000,
            default.length_meters,
        );
        if let Some(given) = keys.fiber_length_meters.as_ref().filter(|_| length_meters <= start_meters) {
            self.mistake(
                given,
                String::from("world.fiber_length_meters must be above world.fiber_start_meters"),
            );
        }
        let prr = self.int("world.prr", &keys.prr, 2..=1_000_000, default.prr.hertz());
        Fiber {
            channels: keys
                .channels
                .as_ref()
                .and_then(|given| self.channels(given))
                .unwrap_or(default.channels),
            prr: Prr::new(prr).unwrap_or(default.prr),
            dx: self.float("world.dx", &keys.dx, 1e-6..=1e6, default.dx),
            start_meters,
            length_meters,
            sw_version: self.text("world.sw_version", keys.sw_version.as_ref(), default.sw_version),
            description: self.text(
                "world.fiber_description",
                keys.fiber_description.as_ref(),
                default.description,
            ),
            number_of_channels: self.int(
                "world.number_of_channels",
                &keys.number_of_channels,
                1..=1_000_000,
                default.number_of_channels,
            ),
            num_samples_per_trace: self.int(
                "world.num_samples_per_trace",
                &keys.num_samples_per_trace,
                1..=1_000_000_000,
                default.num_samples_per_trace,
            ),
            dtype: self.text("world.dtype", keys.dtype.as_ref(), default.dtype),
        }
    }

    fn channels(&mut self, given: &Spanned<Channels>) -> Option<ChannelRange> {
        let (lowest, highest) = (given.value.lowest, given.value.highest);
        let channel = |number| u32::try_from(number).ok().filter(|number| *number <= 1_000_000).map(Channel);
        let range = channel(lowest).zip(channel(highest)).and_then(|(min, max)| ChannelRange::new(min, max));
        if range.is_none() {
            let text = "world.channels must have 1 <= lowest <= highest <= 1000000";
            self.mistake(given, String::from(text));
        }
        range
    }

    fn limits(&mut self, keys: &keys::Limits, default: Limits) -> Limits {
        let nfft = self.int(
            "limits.nfft_max_multichannel",
            &keys.nfft_max_multichannel,
            i64::from(Nfft::MIN)..=i64::from(Nfft::MAX),
            default.nfft_max_multichannel,
        );
        if let Some(given) = keys.nfft_max_multichannel.as_ref().filter(|_| !nfft.is_power_of_two()) {
            self.mistake(given, String::from("limits.nfft_max_multichannel must be a power of two"));
        }
        Limits {
            max_channels_per_request: self.int(
                "limits.max_channels_per_request",
                &keys.max_channels_per_request,
                1..=1_000_000,
                default.max_channels_per_request,
            ),
            nfft_max_multichannel: nfft,
            max_jobs: self.int("limits.max_jobs", &keys.max_jobs, 0..=50_000, default.max_jobs),
            future_tolerance_s: self.int(
                "limits.future_tolerance_s",
                &keys.future_tolerance_s,
                0..=31_536_000,
                default.future_tolerance_s,
            ),
            max_body_bytes: self.int(
                "limits.max_body_bytes",
                &keys.max_body_bytes,
                1..=1_073_741_824,
                default.max_body_bytes,
            ),
        }
    }

    fn ports(&mut self, keys: &keys::Ports, default: PortPlan) -> PortPlan {
        let slots = self.int("ports.max_slots", &keys.max_slots, 1..=50_000, default.max_slots());
        let plan = slots.try_into().ok().and_then(|slots| PortPlan::new(default.base(), slots).ok());
        plan.unwrap_or(default)
    }

    fn first_sequence(&mut self, keys: &keys::Jobs, default: Sequence) -> Sequence {
        let bounds = 1..=i64::from(i32::MAX);
        let number = self.int("jobs.first_sequence", &keys.first_sequence, bounds, default.number());
        Sequence::new(number).unwrap_or(default)
    }

    fn times(&mut self, file: &keys::File, default: Times) -> Times {
        Times {
            pod_start: self.seconds("grpc.pod_start_s", &file.grpc.pod_start_s, 0.0, default.pod_start),
            sweep_period: self.seconds("sweep.period_s", &file.sweep.period_s, 0.1, default.sweep_period),
            sweep_hits: self.int("sweep.hits", &file.sweep.hits, 1..=100_000, default.sweep_hits),
            sweep_cpu_threshold_m: self.int(
                "sweep.cpu_threshold_m",
                &file.sweep.cpu_threshold_m,
                0..=100_000,
                default.sweep_cpu_threshold_m,
            ),
            stream_inactivity: self.seconds(
                "stream.inactivity_s",
                &file.stream.inactivity_s,
                0.1,
                default.stream_inactivity,
            ),
            job_ttl: self.seconds("job.ttl_s", &file.job.ttl_s, 0.0, default.job_ttl),
            // Slower than real time there would be more rows than milliseconds in a window.
            playback_speed: self.float(
                "historic.playback_speed",
                &file.historic.playback_speed,
                1.0..=1_000_000.0,
                default.playback_speed,
            ),
            waterfall_lines_dt: self.float(
                "waterfall.lines_dt",
                &file.waterfall.lines_dt,
                0.001..=3600.0,
                default.waterfall_lines_dt,
            ),
        }
    }

    fn recordings(&mut self, keys: &keys::Recordings) -> RecordingPlan {
        let series = keys.series.as_ref().and_then(|series| {
            let from = self.time("from", &series.from);
            let length = self.length(&series.length);
            from.zip(length)
        });
        RecordingPlan {
            series,
            gaps: keys
                .gaps
                .iter()
                .filter_map(|gap| self.stretch(gap, false))
                .collect::<Vec<_>>()
                .into_iter()
                .filter_map(|(from, to)| to.map(|to| (from, to)))
                .collect(),
            spans: keys.spans.iter().filter_map(|span| self.stretch(span, true)).collect(),
        }
    }

    fn stretch(&mut self, given: &Spanned<Stretch>, may_be_ongoing: bool) -> Option<(When, Option<When>)> {
        let start = self.time("start", &given.value.start);
        let ongoing = matches!(&given.value.end.value, Time::Text(text) if text == "ongoing");
        if ongoing && may_be_ongoing {
            return start.map(|start| (start, None));
        }
        let end = self.time("end", &given.value.end);
        let (start, end) = start.zip(end)?;
        let reversed = match (start, end) {
            (When::At(start), When::At(end)) => start >= end,
            (When::FromStart(start), When::FromStart(end)) => start >= end,
            (When::At(_), When::FromStart(_)) | (When::FromStart(_), When::At(_)) => false,
        };
        if reversed {
            self.mistake(&given.value.end, String::from("end must be after start"));
            return None;
        }
        Some((start, Some(end)))
    }

    fn time(&mut self, key: &str, given: &Spanned<Time>) -> Option<When> {
        let when = match &given.value {
            Time::Seconds(seconds) => (*seconds >= 0).then_some(When::At(EpochSeconds(*seconds))),
            Time::Text(text) => when(text),
        };
        if when.is_none() {
            let text = "must be epoch seconds, a time such as 2025-12-05T14:58:23Z, or a time relative to the start of \
                        the server such as -28d or -1h 30m";
            self.mistake(given, format!("{key} {text}"));
        }
        when
    }

    fn length(&mut self, given: &Spanned<Time>) -> Option<NonZeroU32> {
        let seconds = match &given.value {
            Time::Seconds(seconds) => Some(*seconds),
            Time::Text(text) => span_seconds(text),
        };
        let length = seconds.and_then(|seconds| u32::try_from(seconds).ok()).and_then(NonZeroU32::new);
        if length.is_none() {
            self.mistake(
                given,
                String::from("length must be a duration such as 1h, or a number of seconds, above 0"),
            );
        }
        length
    }
}

fn when(text: &str) -> Option<When> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(When::At(EpochSeconds(time.as_second())));
    }
    span_seconds(text).map(When::FromStart)
}

fn span_seconds(text: &str) -> Option<i64> {
    let total = SpanTotal::from(Unit::Second).relative(SpanRelativeTo::days_are_24_hours());
    let seconds = text.parse::<Span>().ok()?.total(total).ok()?;
    // Spans beyond a century make no sense here, and all others are exact.
    #[allow(clippy::cast_possible_truncation, reason = "bounded just before")]
    (seconds.abs() < 3.2e9).then_some(seconds as i64)
}

fn supply(state: keys::Supply) -> Supply {
    match state {
        keys::Supply::Up => Supply::Up,
        keys::Supply::Down => Supply::Down,
    }
}

fn dependencies(keys: &keys::Dependencies) -> Dependencies {
    Dependencies {
        mongodb: match keys.mongodb {
            keys::MongoDb::Up => MongoDb::Up,
            keys::MongoDb::Down => MongoDb::Down,
            keys::MongoDb::SlowFail => MongoDb::SlowFail,
            keys::MongoDb::Restarting => MongoDb::Restarting,
        },
        rabbitmq: supply(keys.rabbitmq),
        recorder: supply(keys.recorder),
        recordings: match keys.recordings {
            keys::RecordingsState::Present => RecordingsState::Present,
            keys::RecordingsState::None => RecordingsState::None,
            keys::RecordingsState::PathMismatch => RecordingsState::PathMismatch,
        },
        cluster: match keys.cluster {
            keys::Cluster::Ok => ClusterState::Ok,
            keys::Cluster::RefusesObjects => ClusterState::RefusesObjects,
            keys::Cluster::OutOfPodAddresses => ClusterState::OutOfPodAddresses,
        },
        focus_server: supply(keys.focus_server),
    }
}
