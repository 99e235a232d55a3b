//! What a world starts from, and what a reset goes back to.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::fiber::{Channel, ChannelRange, Fiber, FiberState, Prr};
use crate::domain::ids::{JobId, PortPlan, Sequence};
use crate::domain::quirk::Quirks;
use crate::domain::recording::{Catalog, Recording, RecordingEnd, Series};
use crate::domain::time::{EpochSeconds, TimeRange};
use crate::domain::view::Nfft;

use super::change::Planned;
use super::faults::Rule;
use super::journal::JournalLimits;
use super::seed::Seed;

/// Everything that is set before the first request.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// The fibre.
    pub fiber: Fiber,
    /// Whether it delivers.
    pub fiber_state: FiberState,
    /// What is recorded.
    pub recordings: RecordingPlan,
    /// States of the outside systems.
    pub dependencies: Dependencies,
    /// Limits of requests and jobs.
    pub limits: Limits,
    /// The ports jobs get.
    pub ports: PortPlan,
    /// What happens when the port of the lowest free slot is taken.
    pub on_conflict: OnConflict,
    /// First number of the global count.
    pub first_sequence: Sequence,
    /// Times of jobs and streams.
    pub times: Times,
    /// The GPU shares of the cluster.
    pub gpu: GpuPool,
    /// Largest frame in bytes.
    pub max_frame_bytes: usize,
    /// Whether job ports serve the older stream service, too.
    pub legacy_service: bool,
    /// Whether the Focus Server comes up only once MongoDB does (PZ-14712).
    pub requires_mongo: bool,
    /// Kubernetes namespace of jobs and workloads.
    pub namespace: String,
    /// How it deviates from the contract.
    pub quirks: Quirks,
    /// Rules that are installed at the start.
    pub rules: Vec<Arc<Rule>>,
    /// What changes by itself as time passes.
    pub timeline: Vec<Planned>,
    /// How much of what happens is kept.
    pub journal: JournalLimits,
    /// How many changes of the cluster's objects are kept for those who watch.
    pub history: usize,
}

/// Limits of requests and jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most channels in one request.
    pub max_channels_per_request: u32,
    /// Longest transform of a multi-channel view.
    pub nfft_max_multichannel: u32,
    /// Most jobs at a time; slots limit them too.
    pub max_jobs: u32,
    /// Tolerated skew of a client's clock, seconds.
    pub future_tolerance_s: u32,
    /// Largest request body in bytes.
    pub max_body_bytes: usize,
}

/// Times of jobs and streams, on the simulator's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// From the configure answer to a ready pod; zero means the port is open before the answer leaves.
    pub pod_start: Duration,
    /// Between two samples of the idle sweep.
    pub sweep_period: Duration,
    /// Idle samples in a row that remove a job.
    pub sweep_hits: u32,
    /// CPU, in millicores, up to which a sample counts as idle.
    pub sweep_cpu_threshold_m: u32,
    /// How long a stream may go without progress.
    pub stream_inactivity: Duration,
    /// How long a finished job stays when its cleanup job is gone.
    pub job_ttl: Duration,
    /// `ttlSecondsAfterFinished` of cleanup jobs.
    pub cleanup_ttl: Duration,
    /// How long the answer to an accepted configuration takes.
    pub configure_latency: Latency,
    /// How many times faster than real time a recorded window plays.
    pub playback_speed: f64,
    /// Line interval of waterfalls, seconds.
    pub waterfall_lines_dt: f64,
    /// How long after its answer a job is not found, on a server with that race.
    pub metadata_race: Duration,
}

/// A time that is drawn anew for each occasion, evenly between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// The shortest.
    pub least: Duration,
    /// The longest, not below the shortest.
    pub most: Duration,
}

impl Latency {
    /// The time of one job's answer.
    pub(super) fn of_job(self, seed: Seed, job: JobId) -> Duration {
        if self.most.is_zero() {
            return Duration::ZERO;
        }
        self.at(seed.draw(&job.to_string(), "configure latency", 0))
    }

    /// The time that evenly spread bits stand for.
    #[must_use]
    pub fn at(self, bits: u64) -> Duration {
        let span = self.most.saturating_sub(self.least).as_nanos();
        // The upper half of a product spreads the bits over the span without favouring a part of it.
        let nanos = (u128::from(bits) * (span + 1)) >> u64::BITS;
        self.least.saturating_add(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }
}

/// Where job ports lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortChoice {
    /// Port = base + slot.
    Base(u16),
    /// A block that no other server of this machine has claimed.
    FreeBlock,
}

/// What happens when the port of the lowest free slot is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// The request is refused.
    Reject,
    /// The next free slot is tried.
    Skip,
}

/// GPU shares; every job takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuPool {
    /// How many there are, `None` without limit.
    pub size: Option<u32>,
    /// Whether a full pool refuses jobs instead of leaving their pods Pending.
    pub reject_when_full: bool,
}

/// Something that is there or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// It answers.
    Up,
    /// It does not.
    Down,
}

/// The index of recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MongoDb {
    /// It answers.
    Up,
    /// It does not, and that shows at once.
    Down,
    /// It does not, and finding out takes a while.
    SlowFail,
    /// It is down until its new pod is ready.
    Restarting,
}

/// What a historic window finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingsState {
    /// The catalogue as it is.
    Present,
    /// An empty catalogue.
    None,
    /// The catalogue lists recordings whose files are elsewhere: a configure does not find them.
    PathMismatch,
}

/// Whether the cluster takes new objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterState {
    /// It does.
    Ok,
    /// It rejects every object.
    RefusesObjects,
    /// It has no address left for another pod.
    OutOfPodAddresses,
}

/// Whether the node takes new pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// It does.
    Ready,
    /// It does not: new pods stay Pending.
    NotReady,
}

/// States of the outside systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependencies {
    /// Index of recordings.
    pub mongodb: MongoDb,
    /// Message broker; every job takes a queue.
    pub rabbitmq: Supply,
    /// Writer of recordings.
    pub recorder: Supply,
    /// What a historic window finds.
    pub recordings: RecordingsState,
    /// The Kubernetes cluster.
    pub cluster: ClusterState,
    /// The workload of the Focus Server itself.
    pub focus_server: Supply,
    /// The node on which pods run.
    pub node: NodeState,
}

/// A time that may be told relative to the start of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// That second.
    At(EpochSeconds),
    /// So many seconds after the start; negative is before.
    FromStart(i64),
}

impl When {
    fn resolve(self, start: EpochSeconds) -> EpochSeconds {
        match self {
            Self::At(second) => second,
            Self::FromStart(offset) => start.plus(offset),
        }
    }
}

/// The recordings of a world, before its start time is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingPlan {
    /// Back-to-back recordings that a running recorder adds to: where they begin and how long each is, in seconds.
    pub series: Option<(When, NonZeroU32)>,
    /// What the series leaves out.
    pub gaps: Vec<(When, When)>,
    /// Single recordings; without an end they are ongoing.
    pub spans: Vec<(When, Option<When>)>,
}

/// 2025-01-01T00:00Z: the synthetic catalogue holds nothing older.
pub const EARLIEST_RECORDING: EpochSeconds = EpochSeconds(1_735_689_600);

impl RecordingPlan {
    /// The catalogue of a world that starts at that second. Empty and reversed spans and gaps leave nothing.
    #[must_use]
    pub fn catalog(&self, start: EpochSeconds) -> Catalog {
        let series = self.series.map(|(from, length_s)| Series {
            from: from.resolve(start),
            not_before: EARLIEST_RECORDING,
            length_s,
        });
        let range = |from: When, to: When| TimeRange::new(from.resolve(start), to.resolve(start));
        let gaps = self.gaps.iter().filter_map(|(from, to)| range(*from, *to)).collect();
        let span = |(from, to): &(When, Option<When>)| match to {
            None => Some(Recording { start: from.resolve(start), end: RecordingEnd::Ongoing }),
            Some(to) => range(*from, *to)
                .map(|span| Recording { start: span.start(), end: RecordingEnd::At(span.end()) }),
        };
        Catalog::new(self.spans.iter().filter_map(span).collect(), series, gaps)
    }
}

const DAY: i64 = 86_400;

impl Default for RecordingPlan {
    /// 28 days of one-hour recordings with a gap of 6 h ten days before the start and one of 30 min three days before.
    fn default() -> Self {
        let gap =
            |days: i64, length: i64| (When::FromStart(-days * DAY), When::FromStart(-days * DAY + length));
        Self {
            series: NonZeroU32::new(3600).map(|hour| (When::FromStart(-28 * DAY), hour)),
            gaps: vec![gap(10, 6 * 3600), gap(3, 1800)],
            spans: Vec::new(),
        }
    }
}

impl Default for Dependencies {
    fn default() -> Self {
        Self {
            mongodb: MongoDb::Up,
            rabbitmq: Supply::Up,
            recorder: Supply::Up,
            recordings: RecordingsState::Present,
            cluster: ClusterState::Ok,
            focus_server: Supply::Up,
            node: NodeState::Ready,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_channels_per_request: 2222,
            nfft_max_multichannel: Nfft::MAX,
            max_jobs: 1024,
            future_tolerance_s: 60,
            max_body_bytes: 1024 * 1024,
        }
    }
}

impl Default for Times {
    fn default() -> Self {
        Self {
            pod_start: Duration::ZERO,
            sweep_period: Duration::from_secs(10),
            sweep_hits: 5,
            sweep_cpu_threshold_m: 4,
            stream_inactivity: Duration::from_secs(180),
            job_ttl: Duration::from_secs(120),
            cleanup_ttl: Duration::from_secs(10),
            configure_latency: Latency { least: Duration::ZERO, most: Duration::ZERO },
            playback_speed: 200.0,
            waterfall_lines_dt: 0.1,
            metadata_race: Duration::from_secs(2),
        }
    }
}

/// The fibre of the recorded server.
#[must_use]
pub fn recorded_fiber() -> Fiber {
    Fiber {
        channels: ChannelRange::new(Channel(1), Channel(2337)).expect("1 to 2337 is a range"),
        prr: Prr::new(2000).expect("2000 Hz is a rate"),
        dx: 1.021_369_814_872_741_7,
        start_meters: 0,
        length_meters: 10_000,
        sw_version: String::from("11.17.10513"),
        description: String::from("Simulated fibre"),
        number_of_channels: 2337,
        num_samples_per_trace: 9791,
        dtype: String::from("float32"),
    }
}

impl Default for Setup {
    /// The default world: the recorded fibre, four weeks of recordings, everything up, 1024 slots from port 12301.
    fn default() -> Self {
        let slots = std::num::NonZeroU16::new(1024).expect("not zero");
        Self {
            fiber: recorded_fiber(),
            fiber_state: FiberState::Lit,
            recordings: RecordingPlan::default(),
            dependencies: Dependencies::default(),
            limits: Limits::default(),
            ports: PortPlan::new(12300, slots).expect("12300 + 1024 is a port"),
            on_conflict: OnConflict::Reject,
            first_sequence: Sequence::new(1).expect("1 is a sequence number"),
            times: Times::default(),
            gpu: GpuPool { size: None, reject_when_full: false },
            max_frame_bytes: 16 * 1024 * 1024,
            legacy_service: false,
            requires_mongo: false,
            namespace: String::from("panda"),
            quirks: Quirks::NONE,
            rules: Vec::new(),
            timeline: Vec::new(),
            journal: JournalLimits::default(),
            history: 20_000,
        }
    }
}
