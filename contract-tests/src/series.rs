//! The trend over runs: a line for each run in `series.ndjson`, and the newest of each kind and environment as metrics in
//! `focus_contract.prom`, for the textfile collector of Prometheus's node exporter.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde::{Deserialize, Serialize};

/// Every run that was reported into a folder, oldest first.
pub const SERIES: &str = "series.ndjson";
/// The newest runs, as metrics.
pub const TEXTFILE: &str = "focus_contract.prom";

/// What kind of run a line is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `focus-contract capacity`, level after level.
    Capacity,
    /// `focus-contract capacity --shape`.
    Shape,
    /// `focus-contract stability`.
    Stability,
    /// `focus-contract stability --soak 4h`.
    #[serde(rename = "soak-4h")]
    Soak4h,
    /// `focus-contract stability --soak 24h`.
    #[serde(rename = "soak-24h")]
    Soak24h,
}

/// What a line tells, in Prometheus's base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Configures that were sent.
    Configures,
    /// Share of configures that succeeded, 0 to 1.
    SuccessRatio,
    /// Mean latency of those that succeeded.
    LatencyMeanSeconds,
    /// 95th percentile of it.
    LatencyP95Seconds,
    /// 99th percentile of it.
    LatencyP99Seconds,
    /// Longest of it.
    LatencyMaxSeconds,
    /// How long the run took, on the clock that paced it.
    DurationSeconds,
    /// Jobs that were not gone at the end.
    LeftBehindJobs,
    /// Jobs at a time that were wanted.
    CapacityTargetJobs,
    /// Jobs at a time that would have been enough.
    CapacityMinimumJobs,
    /// Jobs at a time that succeeded fully.
    CapacityActualJobs,
    /// Frames that were read.
    Frames,
    /// 99th percentile of how late they were.
    FrameLatenessP99Seconds,
    /// Growth of the used memory of the machine that the load came from, in shares of all it has.
    RunnerMemoryGrowthRatio,
    /// Growth of the server's memory since its second sample, in shares of that.
    ServerMemoryGrowthRatio,
    /// The server's memory at the last sample.
    ServerMemoryBytes,
    /// Mean CPU of the last third against that of the first.
    CpuDriftRatio,
    /// Restarts of the server's pods during the run.
    Restarts,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Configures,
        Self::SuccessRatio,
        Self::LatencyMeanSeconds,
        Self::LatencyP95Seconds,
        Self::LatencyP99Seconds,
        Self::LatencyMaxSeconds,
        Self::DurationSeconds,
        Self::LeftBehindJobs,
        Self::CapacityTargetJobs,
        Self::CapacityMinimumJobs,
        Self::CapacityActualJobs,
        Self::Frames,
        Self::FrameLatenessP99Seconds,
        Self::RunnerMemoryGrowthRatio,
        Self::ServerMemoryGrowthRatio,
        Self::ServerMemoryBytes,
        Self::CpuDriftRatio,
        Self::Restarts,
    ];

    fn help(self) -> &'static str {
        match self {
            Self::Configures => "Configures that the newest run sent",
            Self::SuccessRatio => "Share of its configures that succeeded",
            Self::LatencyMeanSeconds => "Mean latency of configures that succeeded",
            Self::LatencyP95Seconds => "95th percentile of their latency",
            Self::LatencyP99Seconds => "99th percentile of their latency",
            Self::LatencyMaxSeconds => "Longest of their latencies",
            Self::DurationSeconds => "How long it took",
            Self::LeftBehindJobs => "Jobs that were not gone at its end",
            Self::CapacityTargetJobs => "Concurrent jobs that were wanted",
            Self::CapacityMinimumJobs => "Concurrent jobs that would have been enough",
            Self::CapacityActualJobs => "Concurrent jobs that succeeded fully",
            Self::Frames => "Frames that were read",
            Self::FrameLatenessP99Seconds => "99th percentile of how late they were",
            Self::RunnerMemoryGrowthRatio => "Growth of used memory where the load came from",
            Self::ServerMemoryGrowthRatio => "Growth of the server's memory since its second sample",
            Self::ServerMemoryBytes => "Memory of the server at the last sample",
            Self::CpuDriftRatio => "Mean CPU of the last third of it against the first",
            Self::Restarts => "Restarts of the server's pods during it",
        }
    }

    /// As the metric is called, without the prefix.
    #[must_use]
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it ended.
    pub at: jiff::Timestamp,
    /// What kind of run it was.
    pub kind: Kind,
    /// Which rate shape, of a run of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<String>,
    /// What the server is called where it runs.
    pub environment: String,
    /// The server.
    pub target: String,
    /// Whether it met what was demanded.
    pub passed: bool,
    /// What was measured; a figure that was not is left out.
    pub figures: BTreeMap<Figure, f64>,
    /// Level by level, where there were levels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
}

/// One level of a capacity run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// How many configures were fired together.
    pub level: u32,
    /// Share of those that succeeded.
    pub success_ratio: f64,
    /// 95th percentile of their latency.
    pub latency_p95_seconds: f64,
}

/// The files of a series, and what of it could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The series.
    pub series: PathBuf,
    /// The metrics.
    pub textfile: PathBuf,
    /// Lines of the series that are none of ours, by number: they stay, and count for nothing.
    pub unread: Vec<usize>,
}

/// Appends a run to the series of a folder, and writes its metrics anew. Runs that end together wait for one another.
///
/// # Errors
/// When one of the files cannot be written.
pub fn append(folder: &Path, entry: &Entry) -> io::Result<Appended> {
    fs::create_dir_all(folder)?;
    let (series, textfile) = (folder.join(SERIES), folder.join(TEXTFILE));
    let mut file = File::options().read(true).append(true).create(true).open(&series)?;
    // Until both files are written: else the metrics of whoever read first could replace those of whoever read all.
    file.lock()?;
    let mut line = serde_json::to_string(entry)?;
    line.push('\n');
    if !ends_a_line(&mut file)? {
        // Somebody was stopped within a line: that one is lost, and this one must not be.
        line.insert(0, '\n');
    }
    file.write_all(line.as_bytes())?;
    let (entries, unread) = read(&series)?;
    // The collector may read at any moment, and shall never find half a file; it takes no name that ends otherwise.
    let half = folder.join(format!("{TEXTFILE}.half"));
    fs::write(&half, metrics(&entries).map_err(io::Error::other)?)?;
    fs::rename(&half, &textfile)?;
    Ok(Appended { series, textfile, unread })
}

/// Whether what is appended begins a line of its own.
fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The runs of a series, oldest first, and the numbers of lines that are none.
///
/// # Errors
/// When the file cannot be read.
pub fn read(series: &Path) -> io::Result<(Vec<Entry>, Vec<usize>)> {
    let (mut entries, mut unread) = (Vec::new(), Vec::new());
    // By bytes: what was cut off need not be text.
    for (place, line) in BufReader::new(File::open(series)?).split(b'\n').enumerate() {
        match serde_json::from_slice(&line?) {
            Ok(entry) => entries.push(entry),
            Err(_) => unread.push(place + 1),
        }
    }
    entries.sort_by_key(|entry: &Entry| entry.at);
    Ok((entries, unread))
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    kind: String,
    /// Empty, which to Prometheus is a label that is not there, for what is no run of a shape.
    shape: String,
    environment: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LevelLabels {
    kind: String,
    environment: String,
    level: u32,
}

type Gauges<L> = Family<L, Gauge<f64, AtomicU64>>;

/// The newest run of each kind, shape and environment, in Prometheus's text format.
fn metrics(entries: &[Entry]) -> Result<String, fmt::Error> {
    let newest: BTreeMap<_, _> =
        entries.iter().map(|entry| ((entry.kind, &entry.shape, &entry.environment), entry)).collect();
    let (passed, at) = (Gauges::<Labels>::default(), Gauges::<Labels>::default());
    let figures: BTreeMap<_, _> = Figure::ALL.map(|figure| (figure, Gauges::<Labels>::default())).into();
    let (success, p95) = (Gauges::<LevelLabels>::default(), Gauges::<LevelLabels>::default());
    for entry in newest.values() {
        let kind = serde_json::to_value(entry.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
        let (kind, shape) = (kind.unwrap_or_default(), entry.shape.clone().unwrap_or_default());
        let labels = Labels { kind, shape, environment: entry.environment.clone() };
        passed.get_or_create(&labels).set(f64::from(u8::from(entry.passed)));
        at.get_or_create(&labels).set(entry.at.as_duration().as_secs_f64());
        for (figure, value) in &entry.figures {
            figures[figure].get_or_create(&labels).set(*value);
        }
        for Level { level, success_ratio, latency_p95_seconds } in &entry.levels {
            let Labels { kind, environment, .. } = labels.clone();
            let labels = LevelLabels { kind, environment, level: *level };
            success.get_or_create(&labels).set(*success_ratio);
            p95.get_or_create(&labels).set(*latency_p95_seconds);
        }
    }
    let mut registry = Registry::with_prefix("focus_contract");
    registry.register("run_passed", "Whether the newest run met what was demanded", passed);
    registry.register("run_timestamp_seconds", "When it ended", at);
    for (figure, gauges) in figures {
        registry.register(figure.name(), figure.help(), gauges);
    }
    registry.register("level_success_ratio", "Share of a level's configures that succeeded", success);
    registry.register("level_latency_p95_seconds", "95th percentile of a level's latency", p95);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}
