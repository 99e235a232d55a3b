//! Everything that a run measured, for programs: written whatever came of it, beside the report about what is missing.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::demands::Held;
use super::latency::Latencies;
use super::machine::Sample;
use super::measured::LevelResult;
use super::plan::{Standing, Verdict, payload_in_words};
use super::report::{Subject, exclusively, generator_limits, stem_of};
use super::run::Load;
use super::streams::StreamsRead;
use crate::series::{Entry, Figure, Kind, Level as SeriesLevel};

/// A run that is over, whether or not it came to its end.
#[derive(Clone, Debug)]
pub struct Finished<'a> {
    /// What was measured, and what it is held against.
    pub subject: Subject<'a>,
    /// What was fired.
    pub load: Load,
    /// Whether somebody interrupted it.
    pub interrupted: bool,
    /// Why it could not go on, if so.
    pub broke_off: Option<&'a str>,
}

impl Finished<'_> {
    /// Whether it came to its end and met what was demanded.
    #[must_use]
    pub fn passed(&self) -> bool {
        let met = match self.load {
            Load::Levels => self.subject.verdict() != Verdict::Failed,
            Load::Shape(_) => self.demands().iter().all(|held| held.met),
        };
        met && self.is_whole() && self.subject.measured.left_behind.is_empty()
    }

    /// How it ended before its end, if it did.
    #[must_use]
    pub fn unfinished(&self) -> Option<&'static str> {
        match (self.interrupted, self.broke_off) {
            (true, _) => Some("interrupted"),
            (false, Some(_)) => Some("broken off"),
            (false, None) => None,
        }
    }

    /// Whether it came to its end.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.interrupted && self.broke_off.is_none()
    }

    /// What the shape demands, against what was measured; nothing of levels.
    #[must_use]
    pub fn demands(&self) -> Vec<Held> {
        let Subject { thresholds, measured, .. } = &self.subject;
        match self.load {
            Load::Levels => Vec::new(),
            Load::Shape(shape) => thresholds.shapes.of(shape).held_against(measured),
        }
    }

    /// Writes all of it as `capacity_<environment>_<stamp>.json`, never over a file that is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        std::fs::create_dir_all(folder)?;
        let mut text = serde_json::to_string_pretty(&Results::of(self))?;
        text.push('\n');
        let stem = stem_of("capacity", self.subject.environment.name(), self.subject.at);
        exclusively(folder, &stem, "json", &text)
    }

    /// Its line of the series; a run that did not come to its end has none, since its figures are not the server's.
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        let Subject { plan, environment, target, measured, at, .. } = &self.subject;
        if !self.is_whole() {
            return None;
        }
        let latency = measured.latency();
        let seconds = |ms: f64| ms / 1_000.0;
        let mut figures = BTreeMap::from([
            (Figure::Configures, f64::from(measured.attempted())),
            (Figure::SuccessRatio, measured.success_rate()),
            (Figure::DurationSeconds, measured.duration.as_secs_f64()),
            (Figure::LeftBehindJobs, count(measured.left_behind.len() as u64)),
        ]);
        // What never succeeded was not quick.
        if latency.count() > 0 {
            figures.extend([
                (Figure::LatencyMeanSeconds, seconds(latency.mean_ms())),
                (Figure::LatencyP95Seconds, seconds(latency.quantile_ms(0.95))),
                (Figure::LatencyP99Seconds, seconds(latency.quantile_ms(0.99))),
                (Figure::LatencyMaxSeconds, seconds(latency.max_ms())),
            ]);
        }
        if let Some(read) = measured.streams() {
            figures.insert(Figure::Frames, count(read.frames));
            if read.lateness.count() > 0 {
                figures.insert(Figure::FrameLatenessP99Seconds, seconds(read.lateness.quantile_ms(0.99)));
            }
        }
        if let [first, .., last] = &measured.machine[..] {
            figures.insert(Figure::RunnerMemoryGrowthRatio, (last.memory - first.memory) / 100.0);
        }
        let (kind, shape, levels) = match self.load {
            Load::Shape(shape) => (Kind::Shape, Some(shape.name().to_owned()), Vec::new()),
            Load::Levels => {
                figures.extend([
                    (Figure::CapacityTargetJobs, f64::from(plan.target)),
                    (Figure::CapacityMinimumJobs, f64::from(plan.minimum)),
                    (Figure::CapacityActualJobs, f64::from(measured.actual_capacity())),
                ]);
                (Kind::Capacity, None, measured.levels.iter().map(series_level).collect())
            }
        };
        let (environment, target) = (environment.name().to_owned(), (*target).to_owned());
        Some(Entry { at: *at, kind, shape, environment, target, passed: self.passed(), figures, levels })
    }
}

fn series_level(level: &LevelResult) -> SeriesLevel {
    SeriesLevel {
        level: level.level,
        success_ratio: level.success_rate(),
        latency_p95_seconds: level.latency.quantile_ms(0.95) / 1_000.0,
    }
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn count(number: u64) -> f64 {
    number as f64
}

#[derive(Serialize)]
struct Results {
    run: Run,
    plan: Planned,
    verdict: Judgement,
    totals: Totals,
    levels: Vec<Level>,
    machine: Vec<MachineSample>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Run {
    kind: &'static str,
    shape: Option<&'static str>,
    generated_at: String,
    generated_by: &'static str,
    target: String,
    environment: String,
    interrupted: bool,
    broke_off: Option<String>,
}

#[derive(Serialize)]
struct Planned {
    target_jobs: u32,
    minimum_jobs: u32,
    levels: Vec<u32>,
    workers: u32,
    pause_s: f64,
    accumulate: bool,
    read_s: Option<f64>,
    clean_up_s: f64,
    pod_running_s: f64,
    payload: String,
}

#[derive(Serialize)]
struct Judgement {
    passed: bool,
    words: String,
    actual_jobs: Option<u32>,
    standing: Option<&'static str>,
    demands: Vec<Demanded>,
}

#[derive(Serialize)]
struct Demanded {
    demand: &'static str,
    wanted: f64,
    got: f64,
    met: bool,
}

#[derive(Serialize)]
struct Totals {
    attempted: u32,
    succeeded: u32,
    failed: u32,
    success_rate: f64,
    duration_s: f64,
    jobs_per_second: f64,
    latency_ms: Distribution,
    service_ms: Distribution,
    lag_ms: Distribution,
    errors: BTreeMap<String, u32>,
    streams: Option<Streams>,
    left_behind: Vec<String>,
    cleaned_up_in_s: f64,
}

#[derive(Serialize)]
struct Level {
    level: u32,
    at_s: f64,
    took_s: f64,
    attempted: u32,
    succeeded: u32,
    failed: u32,
    success_rate: f64,
    fully_successful: bool,
    reason: Option<String>,
    jobs_per_second: f64,
    latency_ms: Distribution,
    service_ms: Distribution,
    lag_ms: Distribution,
    errors: BTreeMap<String, u32>,
    streams: Option<Streams>,
    pods: Option<Pods>,
}

#[derive(Serialize)]
struct Distribution {
    count: u64,
    mean: f64,
    p50: f64,
    p95: f64,
    p99: f64,
    max: f64,
}

#[derive(Serialize)]
struct Streams {
    asked: u64,
    failed: u64,
    frames: u64,
    first_frame_ms: Distribution,
    lateness_ms: Distribution,
    trouble: Option<String>,
}

#[derive(Serialize)]
struct Pods {
    at_s: f64,
    phases: BTreeMap<String, u32>,
    measured: u32,
    cpu_millicores: Option<u64>,
    memory_bytes: Option<u64>,
}

#[derive(Serialize)]
struct MachineSample {
    at_s: f64,
    cpu_percent: f64,
    memory_percent: f64,
}

impl Results {
    fn of(finished: &Finished<'_>) -> Self {
        let Finished { subject, load, interrupted, broke_off } = finished;
        let Subject { plan, environment, target, thresholds, measured, at } = subject;
        let shape = match load {
            Load::Levels => None,
            Load::Shape(shape) => Some(shape.name()),
        };
        Self {
            run: Run {
                kind: if shape.is_some() { "shape" } else { "capacity" },
                shape,
                generated_at: at.strftime("%Y-%m-%dT%H:%M:%S.%3f+00:00").to_string(),
                generated_by: concat!("focus-contract ", env!("CARGO_PKG_VERSION")),
                target: (*target).to_owned(),
                environment: environment.name().to_owned(),
                interrupted: *interrupted,
                broke_off: broke_off.map(str::to_owned),
            },
            plan: Planned {
                target_jobs: plan.target,
                minimum_jobs: plan.minimum,
                levels: plan.levels.clone(),
                workers: plan.workers,
                pause_s: seconds(plan.pause),
                accumulate: plan.accumulate,
                read_s: plan.read.map(seconds),
                clean_up_s: seconds(plan.clean_up),
                pod_running_s: seconds(plan.pod_running),
                payload: payload_in_words(),
            },
            verdict: judgement(finished),
            totals: totals(subject),
            levels: measured.levels.iter().map(level_of).collect(),
            machine: measured.machine.iter().map(sample_of).collect(),
            notes: generator_limits(measured, thresholds).into_iter().chain(measured.all_notes()).collect(),
        }
    }
}

fn judgement(finished: &Finished<'_>) -> Judgement {
    let Finished { subject, load, .. } = finished;
    let passed = finished.passed();
    let words = match (finished.unfinished(), load) {
        (Some(words), _) => words.to_owned(),
        (None, Load::Levels) if subject.measured.left_behind.is_empty() => subject.verdict().to_string(),
        (None, Load::Levels | Load::Shape(_)) => String::from(if passed { "passed" } else { "failed" }),
    };
    let levels = *load == Load::Levels;
    let standing = match subject.standing() {
        Standing::Met => "met",
        Standing::AboveMinimum => "above minimum",
        Standing::BelowMinimum => "below minimum",
    };
    let demands = finished.demands();
    Judgement {
        passed,
        words,
        actual_jobs: levels.then(|| subject.measured.actual_capacity()),
        standing: levels.then_some(standing),
        demands: demands
            .into_iter()
            .map(|Held { demand, wanted, got, met, .. }| Demanded {
                demand,
                wanted,
                got: thousandths(got),
                met,
            })
            .collect(),
    }
}

fn totals(subject: &Subject<'_>) -> Totals {
    let measured = subject.measured;
    let errors = measured.errors().into_iter();
    Totals {
        attempted: measured.attempted(),
        succeeded: measured.succeeded(),
        failed: measured.attempted() - measured.succeeded(),
        success_rate: measured.success_rate(),
        duration_s: seconds(measured.duration),
        jobs_per_second: thousandths(measured.jobs_per_second()),
        latency_ms: distribution(&measured.latency()),
        service_ms: distribution(&measured.service()),
        lag_ms: distribution(&measured.lag()),
        errors: errors.map(|(code, count)| (code.to_owned(), count)).collect(),
        streams: measured.streams().as_ref().map(streams_of),
        left_behind: measured.left_behind.clone(),
        cleaned_up_in_s: seconds(measured.cleaned_up_in),
    }
}

fn level_of(level: &LevelResult) -> Level {
    Level {
        level: level.level,
        at_s: seconds(level.at),
        took_s: seconds(level.took),
        attempted: level.attempted(),
        succeeded: level.succeeded,
        failed: level.failed,
        success_rate: level.success_rate(),
        fully_successful: level.fully_successful(),
        reason: level.reason(),
        jobs_per_second: thousandths(level.jobs_per_second()),
        latency_ms: distribution(&level.latency),
        service_ms: distribution(&level.service),
        lag_ms: distribution(&level.lag),
        errors: level.errors.clone(),
        streams: level.streams.as_ref().map(streams_of),
        pods: level.pods.as_ref().map(|pods| Pods {
            at_s: seconds(pods.at),
            phases: pods.phases.clone(),
            measured: pods.measured,
            cpu_millicores: pods.used.map(|used| used.cpu_millicores),
            memory_bytes: pods.used.map(|used| used.memory_bytes),
        }),
    }
}

fn streams_of(read: &StreamsRead) -> Streams {
    Streams {
        asked: read.asked,
        failed: read.failed,
        frames: read.frames,
        first_frame_ms: distribution(&read.first_frame),
        lateness_ms: distribution(&read.lateness),
        trouble: read.trouble.clone(),
    }
}

fn sample_of(sample: &Sample) -> MachineSample {
    MachineSample {
        at_s: seconds(sample.at),
        cpu_percent: thousandths(sample.cpu),
        memory_percent: thousandths(sample.memory),
    }
}

fn distribution(latencies: &Latencies) -> Distribution {
    let quantile = |share| thousandths(latencies.quantile_ms(share));
    Distribution {
        count: latencies.count(),
        mean: thousandths(latencies.mean_ms()),
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
        max: thousandths(latencies.max_ms()),
    }
}

fn seconds(duration: Duration) -> f64 {
    thousandths(duration.as_secs_f64())
}

fn thousandths(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
