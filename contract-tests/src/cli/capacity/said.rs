//! What a run says: where it goes, each level, and what came of it.

use std::fmt::Write as _;
use std::path::Path;

use focus_contract::capacity::measured::percent;
use focus_contract::capacity::report::{Findings, Subject, Written, generator_limits};
use focus_contract::capacity::results::Finished;
use focus_contract::capacity::run::Load;
use focus_contract::capacity::shapes::Shape;
use focus_contract::capacity::{LevelResult, Measured, Thresholds};
use focus_contract::client::kube::Access;
use focus_contract::report::words::plain;
use focus_contract::series::Appended;

use super::Prepared;
use crate::cli::appended;

/// How many recommendations are printed; the report has all.
const MOST_RECOMMENDATIONS: usize = 3;

pub(super) fn beginning(target: &str, prepared: &Prepared, cluster: Option<&Access>) -> String {
    let Prepared { plan, environment, choice, .. } = prepared;
    let levels: Vec<_> = plan.levels.iter().map(ToString::to_string).collect();
    let load = match prepared.load {
        Load::Shape(shape) => {
            format!("shape {}: {} configures, open-loop", shape.name(), shape.moments().len())
        }
        Load::Levels => format!(
            "{} jobs wanted, {} are enough; levels {} with {} workers",
            plan.target,
            plan.minimum,
            levels.join(", "),
            plan.workers
        ),
    };
    let pods = match cluster {
        Some(access) => format!("pods: by {}, namespace {}", access.shown(), access.namespace()),
        None => String::from("pods: not looked at, for want of a Kubernetes API"),
    };
    let (because, environment) = (&choice.because, environment.name());
    format!(
        "target: {} ({because}); environment {}\n{}\n{load}",
        plain(target),
        plain(environment),
        plain(&pods)
    )
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
        level.jobs_per_second(),
    );
    if let Some(pods) = &level.pods {
        let _ = write!(text, "\n             pods: {}", pods.words());
    }
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

pub(super) fn ending(finished: &Finished<'_>) -> String {
    let subject = &finished.subject;
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
        subject.latency_grade(),
        latency.quantile_ms(0.95),
        latency.quantile_ms(0.99),
        latency.max_ms(),
        measured.jobs_per_second(),
        measured.duration.as_secs_f64()
    );
    remarks(&mut text, measured, thresholds);
    if let Some(how) = finished.unfinished() {
        let (actual, place) = (measured.actual_capacity(), plain(environment.name()));
        let _ = write!(
            text,
            "capacity at least {actual} of {} on {place}: {how}, so there is no verdict",
            plan.target
        );
        return text;
    }
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
    for what in generator_limits(measured, thresholds).iter().chain(&measured.all_notes()) {
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

/// What came of a shape, and which of its demands are met.
pub(super) fn shape(shape: Shape, finished: &Finished<'_>) -> String {
    let Subject { measured, thresholds, .. } = &finished.subject;
    let mut text = String::new();
    for result in &measured.levels {
        let _ = writeln!(text, "{}", level(result));
    }
    remarks(&mut text, measured, thresholds);
    if let Some(how) = finished.unfinished() {
        let _ = write!(text, "shape {}: {how}, so there is no verdict", shape.name());
        return text;
    }
    for held in finished.demands() {
        let _ = writeln!(text, "shape {}: {}", shape.name(), held.words);
    }
    let passed = if finished.passed() { "passed" } else { "failed" };
    let _ = write!(text, "shape {}: {passed}", shape.name());
    text
}

/// Where the results and the series are.
pub(super) fn kept(results: &Path, series: Option<&Appended>) -> String {
    let series = series.map_or_else(String::new, |series| format!("\n{}", appended(series)));
    format!("results: {}{series}", results.display())
}
