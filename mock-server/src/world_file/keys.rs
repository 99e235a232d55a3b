//! The keys of a world file, as serde sees them. Types only; bounds and sense are the business of `read`.

use serde::Deserialize;
use serde_saphyr::Spanned;

pub(super) type Int = Option<Spanned<i64>>;
pub(super) type Float = Option<Spanned<f64>>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) world: World,
    pub(super) dependencies: Dependencies,
    pub(super) limits: Limits,
    pub(super) ports: Ports,
    pub(super) jobs: Jobs,
    pub(super) waterfall: Waterfall,
    pub(super) grpc: Grpc,
    pub(super) historic: Historic,
    pub(super) sweep: Sweep,
    pub(super) stream: Stream,
    pub(super) job: Job,
    pub(super) gpu: Gpu,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct World {
    pub(super) channels: Option<Spanned<Channels>>,
    pub(super) prr: Int,
    pub(super) dx: Float,
    pub(super) fiber_start_meters: Int,
    pub(super) fiber_length_meters: Int,
    pub(super) sw_version: Option<Spanned<String>>,
    pub(super) fiber_description: Option<Spanned<String>>,
    pub(super) number_of_channels: Int,
    pub(super) num_samples_per_trace: Int,
    pub(super) dtype: Option<Spanned<String>>,
    pub(super) recordings: Option<Recordings>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Channels {
    pub(super) lowest: i64,
    pub(super) highest: i64,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Recordings {
    pub(super) series: Option<Series>,
    pub(super) gaps: Vec<Spanned<Stretch>>,
    pub(super) spans: Vec<Spanned<Stretch>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Series {
    pub(super) from: Spanned<Time>,
    pub(super) length: Spanned<Time>,
}

/// A stretch of time; the end of a span may be `ongoing`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stretch {
    pub(super) start: Spanned<Time>,
    pub(super) end: Spanned<Time>,
}

/// Seconds, or a text such as `-28d` or `2025-12-05T14:58:23Z`.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Time {
    Seconds(i64),
    Text(String),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Dependencies {
    pub(super) fiber: Fiber,
    pub(super) mongodb: MongoDb,
    pub(super) rabbitmq: Supply,
    pub(super) recorder: Supply,
    pub(super) recordings: RecordingsState,
    pub(super) cluster: Cluster,
    pub(super) focus_server: Supply,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fiber {
    #[default]
    Ready,
    Waiting,
    Mixed,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MongoDb {
    #[default]
    Up,
    Down,
    SlowFail,
    Restarting,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Supply {
    #[default]
    Up,
    Down,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RecordingsState {
    #[default]
    Present,
    None,
    PathMismatch,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Cluster {
    #[default]
    Ok,
    RefusesObjects,
    OutOfPodAddresses,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) max_body_bytes: Int,
    pub(super) max_channels_per_request: Int,
    pub(super) nfft_max_multichannel: Int,
    pub(super) max_jobs: Int,
    pub(super) future_tolerance_s: Int,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ports {
    pub(super) max_slots: Int,
    pub(super) on_conflict: OnConflict,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnConflict {
    #[default]
    Reject,
    Skip,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Jobs {
    pub(super) first_sequence: Int,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Waterfall {
    pub(super) lines_dt: Float,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Grpc {
    pub(super) pod_start_s: Float,
    pub(super) max_frame_bytes: Int,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Historic {
    pub(super) playback_speed: Float,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Sweep {
    pub(super) period_s: Float,
    pub(super) hits: Int,
    pub(super) cpu_threshold_m: Int,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Stream {
    pub(super) inactivity_s: Float,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Job {
    pub(super) ttl_s: Float,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Gpu {
    /// Absent or `null`: unlimited.
    pub(super) pool: Int,
    pub(super) reject_when_full: bool,
}
