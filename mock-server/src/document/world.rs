//! The keys of a world: from a mapping to a setup.

use std::num::NonZeroU16;
use std::time::Duration;

use super::print;
use super::recordings::recordings;
use super::section::Section;
use crate::domain::fiber::{Channel, ChannelRange, Fiber, FiberState, Prr};
use crate::domain::ids::{PortPlan, Sequence};
use crate::domain::quirk::{Profile, Quirk, Quirks};
use crate::domain::view::Nfft;
use crate::sim::change::Outside;
use crate::sim::setup::{Dependencies, GpuPool, Latency, Limits, OnConflict, PortChoice, Setup, Times};

/// A world, and where its job ports lie, which is up to the listeners.
pub(crate) struct WorldKeys {
    pub(crate) setup: Setup,
    pub(crate) ports: PortChoice,
}

pub(crate) fn read(file: &mut Section<'_>) -> WorldKeys {
    let default = Setup::default();
    let quirks = quirks(file);
    let times = default.times;
    let (fiber, recordings) = file.section("world", |world| {
        let fiber = fiber(world, default.fiber);
        (fiber, recordings(world, default.recordings))
    });
    let (fiber_state, dependencies) = file.section("dependencies", |keys| {
        (fiber_state(keys, default.fiber_state), dependencies(keys, default.dependencies))
    });
    let limits = file.section("limits", |keys| limits(keys, default.limits));
    let (plan, ports, on_conflict) =
        file.section("ports", |keys| ports(keys, default.ports, default.on_conflict));
    let (first_sequence, metadata_race) = file.section("jobs", |keys| {
        let first = first_sequence(keys, default.first_sequence);
        (first, keys.seconds("metadata_race_s", 0.0, times.metadata_race))
    });
    let waterfall_lines_dt =
        file.section("waterfall", |keys| keys.float("lines_dt", 0.001..=3600.0, times.waterfall_lines_dt));
    let configure_latency =
        file.section("latency", |keys| latency(keys, "configure_ms", times.configure_latency));
    let (pod_start, max_frame_bytes, legacy_service) = file.section("grpc", |keys| {
        (
            keys.seconds("pod_start_s", 0.0, times.pod_start),
            // A frame holds at least one row of one channel, which has at most 32768 bins of 4 bytes.
            keys.int("max_frame_bytes", 262_144..=50_000_000, default.max_frame_bytes),
            keys.flag("legacy_service", default.legacy_service),
        )
    });
    // Slower than real time there would be more rows than milliseconds in a window.
    let playback_speed = file
        .section("historic", |keys| keys.float("playback_speed", 1.0..=1_000_000.0, times.playback_speed));
    let (sweep_period, sweep_hits, sweep_cpu_threshold_m) = file.section("sweep", |keys| sweep(keys, times));
    let stream_inactivity =
        file.section("stream", |keys| keys.seconds("inactivity_s", 0.1, times.stream_inactivity));
    let job_ttl = file.section("job", |keys| keys.seconds("ttl_s", 0.0, times.job_ttl));
    let cleanup_ttl = file.section("cleanup", |keys| keys.seconds("ttl_s", 0.0, times.cleanup_ttl));
    let requires_mongo = file.section("startup", |keys| keys.flag("requires_mongo", default.requires_mongo));
    let namespace = file.section("cluster", |keys| namespace(keys, &default.namespace));
    let gpu = file.section("gpu", |keys| gpu(keys, default.gpu));
    let setup = Setup {
        fiber,
        fiber_state,
        recordings,
        dependencies,
        limits,
        ports: plan,
        on_conflict,
        first_sequence,
        times: Times {
            pod_start,
            sweep_period,
            sweep_hits,
            sweep_cpu_threshold_m,
            stream_inactivity,
            job_ttl,
            cleanup_ttl,
            configure_latency,
            playback_speed,
            waterfall_lines_dt,
            metadata_race,
        },
        gpu,
        max_frame_bytes,
        legacy_service,
        requires_mongo,
        namespace,
        quirks,
        ..default
    };
    WorldKeys { setup, ports }
}

/// A profile, with single quirks more or less.
fn quirks(file: &mut Section<'_>) -> Quirks {
    let words = Profile::ALL.map(|profile| (profile.name(), profile));
    let of_profile = file.choice("profile", &words, Profile::default()).quirks();
    file.section("quirks", |keys| {
        let is_on = |quirk: &Quirk| keys.flag(quirk.name(), of_profile.has(*quirk));
        Quirk::ALL.iter().copied().filter(is_on).collect()
    })
}

fn sweep(keys: &mut Section<'_>, default: Times) -> (Duration, u32, u32) {
    (
        keys.seconds("period_s", 0.1, default.sweep_period),
        keys.int("hits", 1..=100_000, default.sweep_hits),
        keys.int("cpu_threshold_m", 0..=100_000, default.sweep_cpu_threshold_m),
    )
}

fn fiber(world: &mut Section<'_>, default: Fiber) -> Fiber {
    let channels = world.optional("channels", channels).flatten().unwrap_or(default.channels);
    world.note("channels", format!("{{lowest: {}, highest: {}}}", channels.min().0, channels.max().0));
    let prr = world.int("prr", 2..=1_000_000, default.prr.hertz());
    let dx = world.float("dx", 1e-6..=1e6, default.dx);
    let start_meters = world.int("fiber_start_meters", 0..=1_000_000, default.start_meters);
    let length_meters = world.int("fiber_length_meters", 1..=1_000_000, default.length_meters);
    if length_meters <= start_meters {
        world.clash(
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
        keys.mistake_in("highest", &text);
    }
    range
}

fn limits(keys: &mut Section<'_>, default: Limits) -> Limits {
    let bounds = i64::from(Nfft::MIN)..=i64::from(Nfft::MAX);
    let nfft = keys.int("nfft_max_multichannel", bounds, default.nfft_max_multichannel);
    if !nfft.is_power_of_two() {
        let text = format!("limits.nfft_max_multichannel must be a power of two, not {nfft}");
        keys.mistake_in("nfft_max_multichannel", &text);
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

fn ports(
    keys: &mut Section<'_>,
    default: PortPlan,
    on_conflict: OnConflict,
) -> (PortPlan, PortChoice, OnConflict) {
    let base: u16 = keys.int("base", 0..=65_534, default.base());
    let slots: u16 = keys.int("max_slots", 1..=50_000, default.max_slots());
    let choice = if base == 0 { PortChoice::FreeBlock } else { PortChoice::Base(base) };
    let lowest = base.max(1);
    let plan = NonZeroU16::new(slots).map(|slots| PortPlan::new(lowest, slots));
    if let Some(Err(too_high)) = &plan {
        keys.clash(&["base", "max_slots"], &format!("{too_high} (ports.base, ports.max_slots)"));
    }
    let plan = plan.and_then(Result::ok).unwrap_or(default);
    let words = [("reject", OnConflict::Reject), ("skip", OnConflict::Skip)];
    (plan, choice, keys.choice("on_conflict", &words, on_conflict))
}

/// Milliseconds, or two bounds between which each occasion draws.
fn latency(keys: &mut Section<'_>, key: &'static str, default: Latency) -> Latency {
    let expected = "milliseconds up to 600000, such as 250, or two bounds such as 130-890";
    let bound = |text: &str| {
        let millis: u64 = text.trim().parse().ok()?;
        (millis <= 600_000).then(|| Duration::from_millis(millis))
    };
    let latency = keys.parsed(key, expected, |text| {
        let (least, most) = text.split_once('-').unwrap_or((text, text));
        let (least, most) = (bound(least)?, bound(most)?);
        (least <= most).then_some(Latency { least, most })
    });
    let latency = latency.unwrap_or(default);
    let (least, most) = (latency.least.as_millis(), latency.most.as_millis());
    keys.note(key, if least == most { least.to_string() } else { print::text(&format!("{least}-{most}")) });
    latency
}

/// A name as Kubernetes takes it: an RFC 1123 label.
fn namespace(keys: &mut Section<'_>, default: &str) -> String {
    let expected = "1 to 63 lower-case letters, digits and inner hyphens";
    let namespace = keys.parsed("namespace", expected, |text| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_label = (1..=63).contains(&text.len())
            && text.bytes().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        is_label.then(|| text.to_owned())
    });
    let namespace = namespace.unwrap_or_else(|| default.to_owned());
    keys.note("namespace", print::text(&namespace));
    namespace
}

fn first_sequence(keys: &mut Section<'_>, default: Sequence) -> Sequence {
    let number = keys.int("first_sequence", 1..=i64::from(i32::MAX), default.number());
    Sequence::new(number).unwrap_or(default)
}

fn gpu(keys: &mut Section<'_>, default: GpuPool) -> GpuPool {
    let size = match keys.get("pool") {
        Some(_) => Some(keys.int("pool", 0..=1_000_000, 0)),
        None => {
            keys.note("pool", default.size.map_or_else(print::nothing, |size| size.to_string()));
            default.size
        }
    };
    GpuPool { size, reject_when_full: keys.flag("reject_when_full", default.reject_when_full) }
}

fn fiber_state(keys: &mut Section<'_>, default: FiberState) -> FiberState {
    let words = words(|one| if let Outside::Fiber(state) = one { Some(state) } else { None });
    keys.choice("fiber", &words, default)
}

fn dependencies(keys: &mut Section<'_>, default: Dependencies) -> Dependencies {
    let mongodb = words(|one| if let Outside::MongoDb(state) = one { Some(state) } else { None });
    let recordings = words(|one| if let Outside::Recordings(state) = one { Some(state) } else { None });
    let cluster = words(|one| if let Outside::Cluster(state) = one { Some(state) } else { None });
    let node = words(|one| if let Outside::Node(state) = one { Some(state) } else { None });
    // The others can be up and down like it.
    let supply = words(|one| if let Outside::RabbitMq(state) = one { Some(state) } else { None });
    Dependencies {
        mongodb: keys.choice("mongodb", &mongodb, default.mongodb),
        rabbitmq: keys.choice("rabbitmq", &supply, default.rabbitmq),
        recorder: keys.choice("recorder", &supply, default.recorder),
        recordings: keys.choice("recordings", &recordings, default.recordings),
        cluster: keys.choice("cluster", &cluster, default.cluster),
        focus_server: keys.choice("focus_server", &supply, default.focus_server),
        node: keys.choice("node", &node, default.node),
    }
}

/// The states of something outside, with the words that changes have for them.
fn words<T>(of: impl Fn(Outside) -> Option<T>) -> Vec<(&'static str, T)> {
    Outside::all().into_iter().filter_map(|one| Some((one.state(), of(one)?))).collect()
}
