//! What a run says: where it goes, each level, and what came of it.

use std::fmt::Write as _;

use focus_contract::capacity::latency::ms;
use focus_contract::capacity::measured::percent;
use focus_contract::capacity::report::{Findings, Subject, Written, generator_limits};
use focus_contract::capacity::shapes::Shape;
use focus_contract::capacity::{Environment, LevelResult, Measured, Plan, Thresholds};
use focus_contract::report::words::plain;

/// How many recommendations are printed; the report has all.
const MOST_RECOMMENDATIONS: usize = 3;

pub(super) fn beginning(
    target: &str,
    because: &str,
    environment: &Environment,
    plan: &Plan,
    shape: Option<Shape>,
) -> String {
    let levels: Vec<_> = plan.levels.iter().map(ToString::to_string).collect();
    let load = match shape {
        Some(shape) => format!("shape {}: {} configures, open-loop", shape.name(), shape.moments().len()),
        None => format!(
            "{} jobs wanted, {} are enough; levels {} with {} workers",
            plan.target,
            plan.minimum,
            levels.join(", "),
            plan.workers
        ),
    };
    format!("target: {} ({because}); environment {}\n{load}", plain(target), plain(environment.name()))
}

pub(super) fn level(level: &LevelResult) -> String {
    let latency = &level.latency;
    let quantile = |share| latency.quantile_ms(share);
    let mut text = format!(
        "level {:>5}: {:>5} of {:<5} {:>7}  mean {:>7.1}  p50 {:>7.1}  p95 {:>7.1}  p99 {:>7.1}  max {:>7.1}  service p95 {:>7.1} ms  {:>6.0} jobs/s",
        level.level,
        level.succeeded,
        level.attempted(),
        percent(level.success_rate()),
        latency.mean_ms(),
        quantile(0.5),
        quantile(0.95),
        quantile(0.99),
        latency.max_ms(),
        level.service.quantile_ms(0.95),
        f64::from(level.succeeded) / level.took.as_secs_f64().max(0.001),
    );
    if let Some(read) = &level.streams {
        let _ = write!(
            text,
            "\n             {} of {} streams, {} frames; first frame p95 {:.0} ms; late at p99 {:.0} ms",
            read.asked - read.failed,
            read.asked,
            read.frames,
            read.first_frame.quantile_ms(0.95),
            read.lateness.quantile_ms(0.99)
        );
    }
    if let Some(reason) = level.reason() {
        let _ = write!(text, "\n             {reason}");
    }
    text
}

pub(super) fn ending(subject: &Subject<'_>) -> String {
    let Subject { plan, environment, measured, thresholds, .. } = subject;
    let mut text = String::new();
    let latency = measured.latency();
    let _ = writeln!(
        text,
        "\n{} of {} configures succeeded ({}, {}); mean {:.1} ms ({}), p95 {:.1}, p99 {:.1}, max {:.1} ms; {:.1} jobs/s over {:.1} s",
        measured.succeeded(),
        measured.attempted(),
        percent(measured.success_rate()),
        thresholds.success_grade(measured.success_rate()),
        latency.mean_ms(),
        thresholds.latency_grade(latency.mean_ms()),
        latency.quantile_ms(0.95),
        latency.quantile_ms(0.99),
        latency.max_ms(),
        measured.jobs_per_second(),
        measured.duration.as_secs_f64()
    );
    remarks(&mut text, measured, thresholds);
    for bottleneck in Findings::of(subject).bottlenecks {
        let _ = writeln!(text, "bottleneck: {}", plain(&bottleneck));
    }
    let _ = write!(
        text,
        "capacity {} of {} on {}: {}",
        measured.actual_capacity(),
        plan.target,
        plain(environment.name()),
        subject.verdict()
    );
    text
}

/// Errors by kind, and what whoever reads the figures should know.
fn remarks(text: &mut String, measured: &Measured, thresholds: &Thresholds) {
    for (code, count) in measured.errors() {
        let _ = writeln!(text, "error: {count} x {}", plain(code));
    }
    if let Some(why) = measured.streams().and_then(|read| read.trouble) {
        let _ = writeln!(text, "a stream: {}", plain(&why));
    }
    for what in generator_limits(measured, thresholds).iter().chain(&measured.notes) {
        let _ = writeln!(text, "note: {}", plain(what));
    }
    if !measured.left_behind.is_empty() {
        let _ = writeln!(text, "not gone at the end: {}", plain(&measured.left_behind.join(", ")));
    }
}

pub(super) fn written(written: &Written) -> String {
    let mut text = format!(
        "report: {}\n        {}\n        {}",
        written.json.display(),
        written.html.display(),
        written.markdown.display()
    );
    for (place, action) in written.actions.iter().take(MOST_RECOMMENDATIONS).enumerate() {
        let _ = write!(text, "\n  {}. {}", place + 1, plain(action));
    }
    text
}

/// What came of a shape, and whether its demands are met.
pub(super) fn shape(shape: Shape, measured: &Measured, thresholds: &Thresholds) -> (String, bool) {
    let demand = shape.demand();
    let mut text = String::new();
    for result in &measured.levels {
        let _ = writeln!(text, "{}", level(result));
    }
    remarks(&mut text, measured, thresholds);
    let (rate, mean) = (measured.success_rate(), measured.latency().mean_ms());
    let quick = demand.mean.is_none_or(|longest| mean <= ms(longest));
    let met = rate >= demand.success && quick;
    let longest =
        demand.mean.map_or_else(String::new, |longest| format!(", mean at most {:.0} ms", ms(longest)));
    let _ = write!(
        text,
        "shape {}: {} succeeded, mean {mean:.1} ms; wanted {}{longest}: {}",
        shape.name(),
        percent(rate),
        percent(demand.success),
        if met { "met" } else { "missed" }
    );
    (text, met)
}
