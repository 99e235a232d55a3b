//! From the tree of a file to a setup, or everything that is wrong with it.

use std::num::NonZeroU32;

use jiff::{Span, SpanRelativeTo, SpanTotal, Timestamp, Unit};

use super::Mistake;
use super::section::Section;
use super::tree::{Node, Value};
use crate::domain::fiber::{Channel, ChannelRange, Fiber, FiberState, Prr};
use crate::domain::ids::{PortPlan, Sequence};
use crate::domain::time::EpochSeconds;
use crate::domain::view::Nfft;
use crate::sim::setup::{
    ClusterState, Dependencies, GpuPool, Limits, MongoDb, OnConflict, RecordingPlan, RecordingsState, Setup,
    Supply, Times, When,
};

pub(super) fn setup(file: Option<&Node>) -> Result<Setup, Vec<Mistake>> {
    let mut root = Section::of(String::new(), file);
    let setup = read(&mut root, Setup::default());
    let mut mistakes = root.finish();
    mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    if mistakes.is_empty() { Ok(setup) } else { Err(mistakes) }
}

fn read(file: &mut Section<'_>, default: Setup) -> Setup {
    let times = default.times;
    let (fiber, recordings) = file.section("world", |world| {
        let fiber = fiber(world, default.fiber);
        (fiber, recordings(world, default.recordings))
    });
    let (fiber_state, dependencies) = file.section("dependencies", |keys| {
        (fiber_state(keys, default.fiber_state), dependencies(keys, default.dependencies))
    });
    let limits = file.section("limits", |keys| limits(keys, default.limits));
    let (ports, on_conflict) = file.section("ports", |keys| ports(keys, default.ports, default.on_conflict));
    let first_sequence = file.section("jobs", |keys| first_sequence(keys, default.first_sequence));
    let waterfall_lines_dt =
        file.section("waterfall", |keys| keys.float("lines_dt", 0.001..=3600.0, times.waterfall_lines_dt));
    let (pod_start, max_frame_bytes) = file.section("grpc", |keys| {
        let pod_start = keys.seconds("pod_start_s", 0.0, times.pod_start);
        // A frame holds at least one row of one channel, which has at most 32768 bins of 4 bytes.
        (pod_start, keys.int("max_frame_bytes", 262_144..=50_000_000, default.max_frame_bytes))
    });
    // Slower than real time there would be more rows than milliseconds in a window.
    let playback_speed = file
        .section("historic", |keys| keys.float("playback_speed", 1.0..=1_000_000.0, times.playback_speed));
    let (sweep_period, sweep_hits, sweep_cpu_threshold_m) = file.section("sweep", |keys| {
        (
            keys.seconds("period_s", 0.1, times.sweep_period),
            keys.int("hits", 1..=100_000, times.sweep_hits),
            keys.int("cpu_threshold_m", 0..=100_000, times.sweep_cpu_threshold_m),
        )
    });
    let stream_inactivity =
        file.section("stream", |keys| keys.seconds("inactivity_s", 0.1, times.stream_inactivity));
    let job_ttl = file.section("job", |keys| keys.seconds("ttl_s", 0.0, times.job_ttl));
    let gpu = file.section("gpu", |keys| gpu(keys, default.gpu));
    Setup {
        fiber,
        fiber_state,
        recordings,
        dependencies,
        limits,
        ports,
        on_conflict,
        first_sequence,
        times: Times {
            pod_start,
            sweep_period,
            sweep_hits,
            sweep_cpu_threshold_m,
            stream_inactivity,
            job_ttl,
            cleanup_ttl: times.cleanup_ttl,
            configure_latency: times.configure_latency,
            playback_speed,
            waterfall_lines_dt,
        },
        gpu,
        max_frame_bytes,
        legacy_service: default.legacy_service,
        requires_mongo: default.requires_mongo,
        namespace: default.namespace,
    }
}

fn fiber(world: &mut Section<'_>, default: Fiber) -> Fiber {
    let channels = world.optional("channels", channels).flatten().unwrap_or(default.channels);
    let prr = world.int("prr", 2..=1_000_000, default.prr.hertz());
    let dx = world.float("dx", 1e-6..=1e6, default.dx);
    let start_meters = world.int("fiber_start_meters", 0..=1_000_000, default.start_meters);
    let length_meters = world.int("fiber_length_meters", 1..=1_000_000, default.length_meters);
    if length_meters <= start_meters {
        world.mistake_in(
            &["fiber_length_meters", "fiber_start_meters"],
            &format!("world.fiber_length_meters ({length_meters}) must be above world.fiber_start_meters ({start_meters})"),
        );
    }
    Fiber {
        channels,
        prr: Prr::new(prr).unwrap_or(default.prr),
        dx,
        start_meters,
        length_meters,
        sw_version: world.text("sw_version", default.sw_version),
        description: world.text("fiber_description", default.description),
        number_of_channels: world.int("number_of_channels", 1..=1_000_000, default.number_of_channels),
        num_samples_per_trace: world.int(
            "num_samples_per_trace",
            1..=1_000_000_000,
            default.num_samples_per_trace,
        ),
        dtype: world.text("dtype", default.dtype),
    }
}

fn channels(keys: &mut Section<'_>) -> Option<ChannelRange> {
    let lowest = keys.required_int("lowest", 1..=1_000_000);
    let highest = keys.required_int("highest", 1..=1_000_000);
    let (lowest, highest) = lowest.zip(highest)?;
    let range = ChannelRange::new(Channel(lowest), Channel(highest));
    if range.is_none() {
        let text =
            format!("world.channels.highest ({highest}) must not be below world.channels.lowest ({lowest})");
        keys.mistake_in(&["highest"], &text);
    }
    range
}

fn limits(keys: &mut Section<'_>, default: Limits) -> Limits {
    let bounds = i64::from(Nfft::MIN)..=i64::from(Nfft::MAX);
    let nfft = keys.int("nfft_max_multichannel", bounds, default.nfft_max_multichannel);
    if !nfft.is_power_of_two() {
        let text = format!("limits.nfft_max_multichannel must be a power of two, not {nfft}");
        keys.mistake_in(&["nfft_max_multichannel"], &text);
    }
    Limits {
        max_channels_per_request: keys.int(
            "max_channels_per_request",
            1..=1_000_000,
            default.max_channels_per_request,
        ),
        nfft_max_multichannel: nfft,
        max_jobs: keys.int("max_jobs", 0..=50_000, default.max_jobs),
        future_tolerance_s: keys.int("future_tolerance_s", 0..=31_536_000, default.future_tolerance_s),
        max_body_bytes: keys.int("max_body_bytes", 1..=1_073_741_824, default.max_body_bytes),
    }
}

fn ports(keys: &mut Section<'_>, default: PortPlan, on_conflict: OnConflict) -> (PortPlan, OnConflict) {
    let slots: u16 = keys.int("max_slots", 1..=50_000, default.max_slots());
    let plan = slots.try_into().ok().and_then(|slots| PortPlan::new(default.base(), slots).ok());
    let words = [("reject", OnConflict::Reject), ("skip", OnConflict::Skip)];
    (plan.unwrap_or(default), keys.choice("on_conflict", &words, on_conflict))
}

fn first_sequence(keys: &mut Section<'_>, default: Sequence) -> Sequence {
    let number = keys.int("first_sequence", 1..=i64::from(i32::MAX), default.number());
    Sequence::new(number).unwrap_or(default)
}

fn gpu(keys: &mut Section<'_>, default: GpuPool) -> GpuPool {
    let size = keys.get("pool").map(|_| keys.int("pool", 0..=1_000_000, 0));
    GpuPool {
        size: size.or(default.size),
        reject_when_full: keys.flag("reject_when_full", default.reject_when_full),
    }
}

fn fiber_state(keys: &mut Section<'_>, default: FiberState) -> FiberState {
    let words = [("ready", FiberState::Lit), ("waiting", FiberState::Waiting), ("mixed", FiberState::Mixed)];
    keys.choice("fiber", &words, default)
}

fn dependencies(keys: &mut Section<'_>, default: Dependencies) -> Dependencies {
    let supply = [("up", Supply::Up), ("down", Supply::Down)];
    let mongodb = [
        ("up", MongoDb::Up),
        ("down", MongoDb::Down),
        ("slow-fail", MongoDb::SlowFail),
        ("restarting", MongoDb::Restarting),
    ];
    let recordings = [
        ("present", RecordingsState::Present),
        ("none", RecordingsState::None),
        ("path-mismatch", RecordingsState::PathMismatch),
    ];
    let cluster = [
        ("ok", ClusterState::Ok),
        ("refuses-objects", ClusterState::RefusesObjects),
        ("out-of-pod-addresses", ClusterState::OutOfPodAddresses),
    ];
    Dependencies {
        mongodb: keys.choice("mongodb", &mongodb, default.mongodb),
        rabbitmq: keys.choice("rabbitmq", &supply, default.rabbitmq),
        recorder: keys.choice("recorder", &supply, default.recorder),
        recordings: keys.choice("recordings", &recordings, default.recordings),
        cluster: keys.choice("cluster", &cluster, default.cluster),
        focus_server: keys.choice("focus_server", &supply, default.focus_server),
    }
}

/// What is recorded; given at all, it stands in for the whole catalogue of the default world.
fn recordings(world: &mut Section<'_>, default: RecordingPlan) -> RecordingPlan {
    let plan = world.optional("recordings", |keys| RecordingPlan {
        series: keys.optional("series", series).flatten(),
        gaps: keys.list("gaps", gap),
        spans: keys.list("spans", span),
    });
    plan.unwrap_or(default)
}

fn series(keys: &mut Section<'_>) -> Option<(When, NonZeroU32)> {
    let from = time(keys, "from", "");
    let length = keys.require("length").and_then(|node| {
        let seconds = match &node.value {
            Value::Integer(seconds) => Some(*seconds),
            Value::Text(text) => span_seconds(text),
            _ => None,
        };
        // Shorter ones would make millions of recordings out of a few weeks, and every request would list them.
        let seconds =
            seconds.and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| *seconds >= 60);
        let length = seconds.and_then(NonZeroU32::new);
        if length.is_none() {
            let name = keys.name("length");
            let text = format!(
                "{name} must be a duration such as 1h or 30m, or whole seconds, a minute at least, not {node}"
            );
            keys.mistake(node, text);
        }
        length
    });
    from.zip(length)
}

fn gap(keys: &mut Section<'_>) -> Option<(When, When)> {
    let start = time(keys, "start", "");
    let end = time(keys, "end", "");
    in_order(keys, start.zip(end)?)
}

fn span(keys: &mut Section<'_>) -> Option<(When, Option<When>)> {
    let start = time(keys, "start", "");
    let end = keys.get("end").map(|node| &node.value);
    if matches!(end, Some(Value::Text(text)) if text == "ongoing") {
        return start.map(|start| (start, None));
    }
    let end = time(keys, "end", ", or ongoing");
    in_order(keys, start.zip(end)?).map(|(start, end)| (start, Some(end)))
}

/// Whether one of them is the earlier can be told only if both are told in the same way.
fn in_order(keys: &mut Section<'_>, (start, end): (When, When)) -> Option<(When, When)> {
    let reversed = match (start, end) {
        (When::At(start), When::At(end)) => start >= end,
        (When::FromStart(start), When::FromStart(end)) => start >= end,
        (When::At(_), When::FromStart(_)) | (When::FromStart(_), When::At(_)) => false,
    };
    if reversed {
        let text = format!("{} must be after {}", keys.name("end"), keys.name("start"));
        keys.mistake_in(&["end"], &text);
    }
    (!reversed).then_some((start, end))
}

fn time(keys: &mut Section<'_>, key: &'static str, or: &str) -> Option<When> {
    let node = keys.require(key)?;
    let when = match &node.value {
        Value::Integer(seconds) => Some(When::At(EpochSeconds(*seconds))),
        Value::Text(text) => text
            .parse::<Timestamp>()
            .map(|time| When::At(EpochSeconds(time.as_second())))
            .ok()
            .or_else(|| span_seconds(text).map(When::FromStart)),
        _ => None,
    };
    let when = when.filter(|when| match when {
        When::At(EpochSeconds(second)) => (0..=LAST_SECOND).contains(second),
        When::FromStart(_) => true,
    });
    if when.is_none() {
        let name = keys.name(key);
        let text = format!(
            "{name} must be epoch seconds, a time such as 2025-12-05T14:58:23Z, or a time relative to the start of the \
             server such as -28d or \"-1h 30m\"{or}, not {node}"
        );
        keys.mistake(node, text);
    }
    when
}

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: i64 = 253_402_300_799;

fn span_seconds(text: &str) -> Option<i64> {
    let total = SpanTotal::from(Unit::Second).relative(SpanRelativeTo::days_are_24_hours());
    let seconds = text.parse::<Span>().ok()?.total(total).ok()?;
    // Spans beyond a century make no sense here, and all others are exact.
    #[allow(clippy::cast_possible_truncation, reason = "bounded just before")]
    (seconds.abs() < 3.2e9).then_some(seconds as i64)
}
