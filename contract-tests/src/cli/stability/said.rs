//! What a run says: where it goes, each sample, and what came of it.

use std::fmt::Write as _;
use std::path::Path;

use focus_contract::report::words::plain;
use focus_contract::series::Appended;
use focus_contract::stability::rules::{Finding, Outcome, Weight};
use focus_contract::stability::{Cancel, Pace, Report};

use crate::cli::appended;

pub(super) fn beginning(report: &Report, because: &str, path: &Path) -> String {
    let plan = &report.plan;
    let cancelled = match plan.cancel {
        Cancel::AtOnce => "cancelled at once",
        Cancel::AtEnd => "left to the sweep, the last ones cancelled at the end",
    };
    let clock = match plan.pace {
        Pace::Held => "the server's clock is held and moved on",
        Pace::Real => "in real time",
    };
    let mut text = format!(
        "target: {} ({because}); environment {}\n{}: {} samples, one every {:?}, {} jobs each, {cancelled}; {clock}\nreport: {}",
        plain(&report.target),
        plain(&report.environment),
        plan.kind.name(),
        plan.samples(),
        plan.interval,
        plan.jobs,
        path.display()
    );
    if let Some(gap) = report.gaps.last() {
        let (taken, seconds) = (gap.after_sample, gap.seconds);
        let _ =
            write!(text, "\nresumed after sample {taken}, {seconds:.0} s after the last thing that is known");
    }
    text
}

/// The newest sample.
pub(super) fn sample(report: &Report) -> String {
    let Some(sample) = report.samples.last() else { return String::new() };
    let mut text = format!(
        "sample {:>4} of {}: {} of {} configures",
        sample.number,
        report.plan.samples(),
        sample.succeeded(),
        sample.configures.len()
    );
    if let Some(longest) = sample.latencies().reduce(f64::max) {
        let _ = write!(text, ", longest {longest:.1} ms");
    }
    if let Some(server) = sample.server {
        let _ = write!(text, "; server {}", megabytes(server.memory_bytes));
        if let Some(cpu) = server.cpu_percent {
            let _ = write!(text, ", CPU {cpu:.0}%");
        }
    }
    if let Some(live) = sample.live_jobs {
        let _ = write!(text, "; {live} live jobs");
    }
    if let Some(restarts) = sample.restarts.filter(|restarts| *restarts > 0) {
        let _ = write!(text, "; {restarts} restarts");
    }
    if let Some(refusal) = sample.configures.iter().find_map(|one| one.refusal.as_ref()) {
        let _ = write!(text, "\n             {}: {}", plain(&refusal.code), plain(&refusal.text));
    }
    for trouble in &sample.troubles {
        let _ = write!(text, "\n             not seen: {}", plain(trouble));
    }
    text
}

#[allow(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^53")]
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// What stands beside the bar.
pub(super) fn so_far(report: &Report) -> String {
    let figures = &report.figures;
    let mut text = String::new();
    if let (Some(share), Some(p95)) = (figures.success_ratio, figures.latency_p95_ms) {
        let _ = write!(text, "{:.0}% success, p95 {p95:.0} ms", share * 100.0);
    }
    if let Some(memory) = figures.server_memory_bytes {
        let _ = write!(text, ", {:.0} MB", memory.last / 1e6);
    }
    let last = report.samples.last().map_or(0.0, |sample| sample.at_seconds);
    let left = (report.plan.duration.as_secs_f64() - last).max(0.0) / 60.0;
    let clock = if report.is_held() { " of the server's clock" } else { "" };
    let _ = write!(text, ", {left:.0} min left{clock}");
    text
}

pub(super) fn ending(report: &Report) -> String {
    let mut text =
        format!("{} on {}: {}", report.plan.kind.name(), plain(&report.environment), report.outcome());
    for finding in &report.rules {
        let _ = write!(text, "\n  {}", rule(finding));
    }
    if let Some(comparison) = &report.comparison {
        let _ = write!(text, "\nagainst the baseline {}:", comparison.baseline);
        if let Some(why) = &comparison.incomparable {
            let _ = write!(text, " not compared: {}; delete it, or name another with --baseline", plain(why));
        }
        for row in &comparison.figures {
            let ratio = row.ratio.map_or_else(String::new, |ratio| format!(", {ratio:.2} times"));
            let worse = if row.worse { ", worse" } else { "" };
            let _ =
                write!(text, "\n  {:<32} {:.2} -> {:.2}{ratio}{worse}", row.figure, row.baseline, row.now);
        }
        if let Some(proposal) = &comparison.proposal {
            let _ = write!(text, "\nproposed thresholds:\n{}", proposal.trim_end());
        }
    }
    text
}

fn rule(finding: &Finding) -> String {
    let outcome = match (finding.outcome, finding.weight) {
        (Outcome::Kept, _) => "kept",
        (Outcome::Broken, Weight::Hard) => "BROKEN",
        (Outcome::Broken, Weight::Warning) => "WARNING",
        (Outcome::NotJudged, _) => "not judged",
    };
    let (words, says) = (finding.rule.words(), plain(&finding.says));
    format!("{outcome:<10}  {words}: {says} ({})", finding.demanded)
}

/// A run that ended early.
pub(super) fn early(report: &Report, path: &Path) -> String {
    let mut text = format!("ended early: {} of {} samples were taken", report.taken(), report.plan.samples());
    if !report.jobs_left.is_empty() {
        let left: Vec<_> = report.jobs_left.iter().map(String::as_str).collect();
        let _ = write!(text, "\nnot gone: {}", left.join(", "));
    }
    let _ = write!(text, "\nto go on: the same command's target, and --resume {}", path.display());
    text
}

pub(super) fn written(
    path: &Path,
    pages: &[std::path::PathBuf],
    series: &Appended,
    baseline: Option<&Path>,
) -> String {
    let mut text = format!("report: {}", path.display());
    for page in pages {
        let _ = write!(text, "\n        {}", page.display());
    }
    let _ = write!(text, "\n{}", appended(series));
    if let Some(baseline) = baseline {
        let _ = write!(text, "\nbaseline: {}, which later runs are compared with", baseline.display());
    }
    text
}
