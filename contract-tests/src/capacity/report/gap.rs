//! The document that programs read: the contract's keys, in its order.

use serde::Serialize;

use super::{Findings, Subject};
use crate::capacity::machine::{Sample, mean_and_max};
use crate::capacity::measured::{LevelResult, percent};
use crate::capacity::plan::{Environment, payload_in_words};

/// The whole document.
#[derive(Clone, Debug, Serialize)]
pub struct GapReport {
    report_metadata: Metadata,
    environment: Place,
    capacity_analysis: Analysis,
    performance_metrics: Performance,
    system_resources: Resources,
    bottleneck_analysis: Bottlenecks,
    /// What to do.
    pub recommendations: Recommendations,
    additional_context: Context,
}

#[derive(Clone, Debug, Serialize)]
struct Metadata {
    report_type: &'static str,
    generated_at: String,
    generated_by: &'static str,
    jira_reference: &'static str,
    meeting_decision: String,
}

#[derive(Clone, Debug, Serialize)]
struct Place {
    name: String,
    is_target_environment: bool,
    requirement: String,
}

#[derive(Clone, Debug, Serialize)]
struct Analysis {
    target_capacity: u32,
    actual_capacity: u32,
    minimum_capacity: u32,
    gap: u32,
    gap_percentage: String,
    success_rate: String,
    success_rate_raw: f64,
    capacity_met: bool,
    success_threshold_met: bool,
    levels: Vec<Level>,
}

#[derive(Clone, Debug, Serialize)]
struct Level {
    level: u32,
    attempted: u32,
    succeeded: u32,
    failed: u32,
    success_rate: String,
    mean_ms: f64,
    p95_ms: f64,
    fully_successful: bool,
    reason: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Performance {
    job_creation: JobCreation,
}

#[derive(Clone, Debug, Serialize)]
struct JobCreation {
    total_jobs_attempted: u32,
    successful_jobs: u32,
    failed_jobs: u32,
    average_latency_ms: String,
    p95_latency_ms: String,
    p99_latency_ms: String,
    max_latency_ms: String,
    duration_seconds: f64,
    jobs_per_second: String,
}

#[derive(Clone, Debug, Serialize)]
struct Resources {
    cpu: CpuUse,
    memory: MemoryUse,
}

#[derive(Clone, Debug, Serialize)]
struct CpuUse {
    mean_percent: String,
    max_percent: String,
    samples_collected: usize,
    #[serde(serialize_with = "plain_number")]
    threshold_warning: f64,
    #[serde(serialize_with = "plain_number")]
    threshold_critical: f64,
    exceeded_critical: bool,
}

#[derive(Clone, Debug, Serialize)]
struct MemoryUse {
    mean_percent: String,
    max_percent: String,
    #[serde(serialize_with = "plain_number")]
    threshold_warning: f64,
    #[serde(serialize_with = "plain_number")]
    threshold_critical: f64,
    exceeded_critical: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Bottlenecks {
    identified_bottlenecks: Vec<String>,
    cpu_constrained: bool,
    memory_constrained: bool,
    latency_issues: bool,
    high_failure_rate: bool,
}

/// What to do, now and later.
#[derive(Clone, Debug, Serialize)]
pub struct Recommendations {
    /// Now.
    pub immediate_actions: Vec<String>,
    investigation_areas: [&'static str; 6],
    next_steps: [String; 6],
}

#[derive(Clone, Debug, Serialize)]
struct Context {
    test_configuration: String,
    concurrency_workers: u32,
    notes: [&'static str; 4],
}

const AREAS: [&str; 6] = [
    "Node capacity: allocatable CPU, memory and GPU shares of the nodes against the requests of the pods",
    "Pod requests and limits: what each grpc-job asks for and what it uses",
    "Network: latency and loss between clients, the server and the job ports",
    "MongoDB: connection pool, slow queries",
    "RabbitMQ: throughput, queue depth, connections",
    "Contention and throttling: CPU throttling, locks, limits of the API server",
];

const NOTES: [&str; 4] = [
    "The jobs had a light configuration; heavier ones need more",
    "Production differs in hardware, data and traffic",
    "The time of day matters: other users share the environment",
    "One run is one sample: repeat it before deciding",
];

impl GapReport {
    /// Of a run.
    #[must_use]
    pub fn of(subject: &Subject<'_>) -> Self {
        let Subject { plan, environment, measured, .. } = subject;
        let findings = Findings::of(subject);
        let (target, minimum) = (plan.target, plan.minimum);
        let is_target = matches!(environment, Environment::Target(_));
        let requirement = || format!("minimum {minimum}, target {target} concurrent jobs");
        Self {
            report_metadata: Metadata {
                report_type: "Infrastructure Capacity Gap Analysis",
                generated_at: subject.at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
                generated_by: concat!("focus-contract ", env!("CARGO_PKG_VERSION")),
                jira_reference: "PZ-13756",
                meeting_decision: format!(
                    "The environment must carry {target} concurrent jobs, and at least {minimum}"
                ),
            },
            environment: Place {
                name: environment.name().to_owned(),
                is_target_environment: is_target,
                requirement: if is_target { requirement() } else { String::from("informational") },
            },
            capacity_analysis: analysis(subject),
            performance_metrics: Performance { job_creation: job_creation(subject) },
            system_resources: resources(subject),
            bottleneck_analysis: Bottlenecks {
                identified_bottlenecks: findings.bottlenecks,
                cpu_constrained: findings.cpu_constrained,
                memory_constrained: findings.memory_constrained,
                latency_issues: findings.latency_issues,
                high_failure_rate: findings.high_failure_rate,
            },
            recommendations: Recommendations {
                immediate_actions: findings.immediate_actions,
                investigation_areas: AREAS,
                next_steps: next_steps(subject),
            },
            additional_context: Context {
                test_configuration: payload_in_words(),
                concurrency_workers: plan.workers,
                notes: NOTES,
            },
        }
        .with_workers(measured.levels.iter().map(|level| level.level).max())
    }

    /// At most as many workers as configures were fired together had something to do.
    fn with_workers(mut self, largest_level: Option<u32>) -> Self {
        let workers = &mut self.additional_context.concurrency_workers;
        *workers = (*workers).min(largest_level.unwrap_or(*workers));
        self
    }
}

fn analysis(subject: &Subject<'_>) -> Analysis {
    let Subject { plan, measured, thresholds, .. } = subject;
    let (actual, rate) = (measured.actual_capacity(), measured.success_rate());
    Analysis {
        target_capacity: plan.target,
        actual_capacity: actual,
        minimum_capacity: plan.minimum,
        gap: subject.gap(),
        gap_percentage: percent(f64::from(subject.gap()) / f64::from(plan.target.max(1))),
        success_rate: percent(rate),
        success_rate_raw: rate,
        capacity_met: actual >= plan.target,
        success_threshold_met: rate >= thresholds.success.excellent,
        levels: measured.levels.iter().map(level_of).collect(),
    }
}

fn level_of(level: &LevelResult) -> Level {
    Level {
        level: level.level,
        attempted: level.attempted(),
        succeeded: level.succeeded,
        failed: level.failed,
        success_rate: percent(level.success_rate()),
        mean_ms: hundredths(level.latency.mean_ms()),
        p95_ms: hundredths(level.latency.quantile_ms(0.95)),
        fully_successful: level.fully_successful(),
        reason: level.reason(),
    }
}

fn job_creation(subject: &Subject<'_>) -> JobCreation {
    let measured = subject.measured;
    let latency = measured.latency();
    let two = |value: f64| format!("{value:.2}");
    JobCreation {
        total_jobs_attempted: measured.attempted(),
        successful_jobs: measured.succeeded(),
        failed_jobs: measured.attempted() - measured.succeeded(),
        average_latency_ms: two(latency.mean_ms()),
        p95_latency_ms: two(latency.quantile_ms(0.95)),
        p99_latency_ms: two(latency.quantile_ms(0.99)),
        max_latency_ms: two(latency.max_ms()),
        duration_seconds: hundredths(measured.duration.as_secs_f64()),
        jobs_per_second: two(measured.jobs_per_second()),
    }
}

fn resources(subject: &Subject<'_>) -> Resources {
    let Subject { measured, thresholds, .. } = subject;
    let of = |of: fn(&Sample) -> f64| mean_and_max(&measured.machine, of);
    let ((cpu_mean, cpu_max), (memory_mean, memory_max)) =
        (of(|sample| sample.cpu), of(|sample| sample.memory));
    Resources {
        cpu: CpuUse {
            mean_percent: format!("{cpu_mean:.2}"),
            max_percent: format!("{cpu_max:.2}"),
            samples_collected: measured.machine.len(),
            threshold_warning: thresholds.cpu.warning,
            threshold_critical: thresholds.cpu.critical,
            exceeded_critical: cpu_max > thresholds.cpu.critical,
        },
        memory: MemoryUse {
            mean_percent: format!("{memory_mean:.2}"),
            max_percent: format!("{memory_max:.2}"),
            threshold_warning: thresholds.memory.warning,
            threshold_critical: thresholds.memory.critical,
            exceeded_critical: memory_max > thresholds.memory.critical,
        },
    }
}

fn next_steps(subject: &Subject<'_>) -> [String; 6] {
    let Subject { plan, measured, .. } = subject;
    let (actual, gap) = (measured.actual_capacity(), subject.gap());
    [
        format!("Share this report: {actual} of {} concurrent jobs", plan.target),
        format!("Hold the capacity meeting: decide on the gap of {gap} jobs"),
        format!("Make a scaling plan for {} concurrent jobs", plan.target),
        String::from("Consider autoscaling of the nodes"),
        format!("Set alerts below {} concurrent jobs", plan.minimum),
        String::from("Re-run this measurement after each change"),
    ]
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// As the contract writes marks: without a fraction that is none.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn plain_number<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    #[allow(clippy::cast_possible_truncation, reason = "percentages that have been checked")]
    if value.fract() == 0.0 {
        serializer.serialize_i64(*value as i64)
    } else {
        serializer.serialize_f64(*value)
    }
}

#[cfg(test)]
pub(super) mod tests;
