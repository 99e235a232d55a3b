//! The page: it opens from disk and loads nothing, and its policy allows no more.

use std::time::Duration;

use maud::{DOCTYPE, Markup, html};

use super::plan::Kind;
use super::report::{Report, Verdict};
use super::rules::{Finding, Outcome, Weight};
use super::sample::Sample;
use super::summary::{number, ran, short};
use crate::capacity::report::plot::{Line, Mark, Plot};
use crate::report::head;
use crate::report::words::plain;

/// Looks like the gap report, which lies beside it.
const STYLE: &str = include_str!("../capacity/report/page.css");
/// Most samples that the table shows; the JSON document has all.
const MOST_ROWS: usize = 300;

pub(super) fn render(report: &Report) -> String {
    let (class, verdict) = verdict(report);
    let name = plain(&report.environment);
    let title = title(report);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&html! { (title) " on " (name) ": " (verdict) }, STYLE, ""))
            body {
                h1 { (title) " on " (name) ": " span class=(class) { (verdict) } }
                p.sub { (plain(&report.target)) " · " (report.began.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()) " · " (ran(report))
                        " · " (report.jira_reference) }
                (tiles(report))
                h2 { "What is demanded" }
                (rules(report))
                h2 { "Over time" }
                div.plots { (latency(report)) (memory(report)) (cpu(report)) (jobs(report)) }
                @if let Some(comparison) = &report.comparison { (compared(comparison)) }
                h2 { "Sample by sample" }
                (table(report))
                (notes(report))
            }
        }
    };
    page.into_string()
}

pub(super) fn title(report: &Report) -> &'static str {
    match report.plan.kind {
        Kind::Run => "Stability run",
        Kind::Soak4h => "Soak of 4 hours",
        Kind::Soak24h => "Soak of 24 hours",
    }
}

fn verdict(report: &Report) -> (&'static str, String) {
    let class = match report.verdict {
        Some(Verdict::Passed) => "good",
        Some(Verdict::PassedWithWarnings) | None => "warn",
        Some(Verdict::Failed) => "bad",
    };
    (class, report.outcome())
}

fn tiles(report: &Report) -> Markup {
    let figures = &report.figures;
    let tile = |value: String, what: String| html! { div.tile { b { (value) } span { (what) } } };
    let measured = |value: Option<f64>, unit: &str| value.map(|value| format!("{}{unit}", number(value)));
    let or_not = |value: Option<String>| value.unwrap_or_else(|| String::from("not seen"));
    let megabytes = figures.server_memory_bytes.map(|range| range.last / 1e6);
    html! {
        div.tiles {
            (tile(or_not(measured(figures.success_ratio.map(|ratio| ratio * 100.0), " %")), format!("of {} configures", figures.configures)))
            (tile(or_not(measured(figures.latency_mean_ms, " ms")), String::from("mean latency")))
            (tile(or_not(measured(figures.latency_max_ms, " ms")), String::from("longest")))
            (tile(or_not(measured(megabytes, " MB")), String::from("memory of the server at the end")))
            (tile(or_not(measured(figures.server_memory_growth_percent, " %")), String::from("its growth since the second sample")))
            (tile(or_not(measured(figures.runner_memory_percent.map(|range| range.change), " pp")), String::from("growth of the runner's memory")))
            (tile(or_not(figures.max_restarts.map(|count| count.to_string())), String::from("restarts of its pods")))
            (tile(or_not(report.ending.as_ref().and_then(|ending| ending.live_jobs).map(|count| count.to_string())), String::from("live jobs at the end")))
        }
    }
}

fn rules(report: &Report) -> Markup {
    let shown = |finding: &Finding| match (finding.outcome, finding.weight) {
        (Outcome::Kept, _) => ("good", "kept"),
        (Outcome::Broken, Weight::Hard) => ("bad", "broken"),
        (Outcome::Broken, Weight::Warning) => ("warn", "warning"),
        (Outcome::NotJudged, _) => ("warn", "not judged"),
    };
    html! {
        div.wide { table {
            thead { tr { th.text { "Rule" } th.text { "Demanded" } th.text { "Measured" } th.text { "Outcome" } } }
            tbody { @for finding in &report.rules {
                tr.failing[finding.outcome == Outcome::Broken] {
                    td.text { (finding.rule.words()) @if finding.weight == Weight::Warning { " (warning)" } }
                    td.text { (finding.demanded) }
                    td.text { (plain(&finding.says)) }
                    td.text { span class=(shown(finding).0) { (shown(finding).1) } }
                }
            } }
        } }
    }
}

/// Minutes, and hours where there are many.
fn axis(report: &Report) -> (&'static str, f64) {
    if report.plan.duration > Duration::from_secs(3 * 3600) { ("hours", 3600.0) } else { ("minutes", 60.0) }
}

/// A line over time: its class in the style, its name, and what it shows.
type Drawn<'a> = (&'static str, &'a str, &'a dyn Fn(&Sample) -> Option<f64>);

fn plot(
    report: &Report,
    (title, unit, at_least): (&str, &str, f64),
    lines: &[Drawn<'_>],
    marks: Vec<Mark>,
) -> Markup {
    let (x_name, seconds) = axis(report);
    let points = |of: &dyn Fn(&Sample) -> Option<f64>| -> Vec<_> {
        report.samples.iter().filter_map(|sample| Some((sample.at_seconds / seconds, of(sample)?))).collect()
    };
    let lines = lines.iter().map(|(class, name, of)| Line { class, name, points: points(of) }).collect();
    let marks = marks.into_iter().chain(gaps(report, seconds)).collect();
    Plot { title, x_name, unit, at_least, lines, marks }.draw()
}

fn gaps(report: &Report, seconds: f64) -> impl Iterator<Item = Mark> {
    let samples = report.gaps.iter().filter_map(|gap| report.samples.get(gap.after_sample as usize));
    samples.map(move |sample| Mark::Upright(sample.at_seconds / seconds, String::from("resumed"), "breaking"))
}

fn latency(report: &Report) -> Markup {
    let mean = |sample: &Sample| {
        let (sum, count) = sample.latencies().fold((0.0, 0_u32), |(sum, count), one| (sum + one, count + 1));
        (count > 0).then(|| sum / f64::from(count))
    };
    let max = |sample: &Sample| sample.latencies().reduce(f64::max);
    let lines: &[Drawn<'_>] = if report.plan.jobs > 1 {
        &[("b", "max", &max), ("a", "mean", &mean)]
    } else {
        &[("a", "configure", &max)]
    };
    plot(report, ("Latency", " ms", 1.0), lines, Vec::new())
}

#[allow(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^53")]
fn memory(report: &Report) -> Markup {
    let server = |sample: &Sample| Some(sample.server?.memory_bytes as f64 / 1e6);
    plot(report, ("Memory of the server", " MB", 1.0), &[("a", "resident", &server)], Vec::new())
}

fn cpu(report: &Report) -> Markup {
    let server = |sample: &Sample| sample.server?.cpu_percent;
    let runner = |sample: &Sample| sample.runner?.cpu_percent;
    let used = |sample: &Sample| Some(sample.runner?.memory_percent);
    let lines: &[Drawn<'_>] = &[
        ("a", "CPU of the server", &server),
        ("b", "CPU of the runner", &runner),
        ("c", "memory of the runner", &used),
    ];
    plot(report, ("CPU, and the runner", "%", 100.0), lines, Vec::new())
}

fn jobs(report: &Report) -> Markup {
    let live = |sample: &Sample| sample.live_jobs.map(f64::from);
    let restarts = |sample: &Sample| sample.restarts.map(f64::from);
    let before = report.live_jobs_before;
    let marks = before.map(|before| Mark::Across(f64::from(before), format!("{before} before the run")));
    let lines: &[Drawn<'_>] = &[("a", "live jobs", &live), ("c", "restarts of the server's pods", &restarts)];
    plot(report, ("Live jobs", "", 5.0), lines, marks.into_iter().collect())
}

fn compared(comparison: &super::baseline::Comparison) -> Markup {
    html! {
        h2 { "Against the baseline" }
        p.sub { (plain(&comparison.baseline)) " · " (comparison.at.strftime("%Y-%m-%d %H:%M UTC").to_string()) }
        @if let Some(why) = &comparison.incomparable { p.warn { "Not compared: " (plain(why)) } }
        @if !comparison.figures.is_empty() {
            div.wide { table {
                thead { tr { th.text { "Figure" } th { "Baseline" } th { "Now" } th { "Ratio" } } }
                tbody { @for row in &comparison.figures {
                    tr.failing[row.worse] {
                        td.text { (row.figure) }
                        td { (number(row.baseline)) } td { (number(row.now)) }
                        td { (row.ratio.map_or_else(String::new, number)) @if row.worse { " worse" } }
                    }
                } }
            } }
        }
        @if let Some(proposal) = &comparison.proposal {
            p { "Proposed for " code { "--thresholds" } ": of each figure the worse of both runs, twice that for what fails and half as much again for what warns; \
                 never looser than it is now." }
            pre { (proposal) }
        }
    }
}

fn table(report: &Report) -> Markup {
    let percent = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.1}"));
    html! {
        div.wide { table {
            thead { tr {
                @for head in ["Sample", "At", "Succeeded", "Longest ms", "Server MB", "Server CPU %", "Runner memory %", "Restarts", "Live jobs"] { th { (head) } }
                th.text { "Why not" }
            } }
            tbody { @for sample in report.samples.iter().take(MOST_ROWS) {
                tr.failing[sample.succeeded() < sample.configures.len()] {
                    td { (sample.number) } td { (short(sample.at_seconds)) }
                    td { (sample.succeeded()) " of " (sample.configures.len()) }
                    td { (percent(sample.latencies().reduce(f64::max))) }
                    td { (sample.server.map_or_else(String::new, |one| format!("{:.1}", megabytes(one.memory_bytes)))) }
                    td { (percent(sample.server.and_then(|one| one.cpu_percent))) }
                    td { (percent(sample.runner.map(|one| one.memory_percent))) }
                    td { (sample.restarts.map_or_else(String::new, |count| count.to_string())) }
                    td { (sample.live_jobs.map_or_else(String::new, |count| count.to_string())) }
                    td.text { (plain(&why_not(sample))) }
                }
            } }
        } }
        @if report.samples.len() > MOST_ROWS { p.sub { "The JSON document has the other " (report.samples.len() - MOST_ROWS) "." } }
    }
}

#[allow(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^53")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The first refusal of a sample, or what could not be seen.
fn why_not(sample: &Sample) -> String {
    let refusal = sample.configures.iter().find_map(|one| one.refusal.as_ref());
    match (refusal, sample.troubles.first()) {
        (Some(refusal), _) => format!("{}: {}", refusal.code, refusal.text),
        (None, Some(trouble)) => trouble.clone(),
        (None, None) => String::new(),
    }
}

fn notes(report: &Report) -> Markup {
    html! {
        h2 { "To know" }
        ul {
            @for note in &report.notes { li.warn { (plain(note)) } }
            @for gap in &report.gaps {
                li.warn { "After sample " (gap.after_sample) " the run ended early; it went on " (short(gap.seconds)) " later." }
            }
            @if let Some(left) = report.ending.as_ref().map(|ending| &ending.left_behind).filter(|left| !left.is_empty()) {
                li.bad { "Not gone at the end: " (plain(&left.join(", "))) }
            }
            li { "Each job: " (report.configuration) }
            @if report.is_held() {
                li { "The server's clock was held and moved on from sample to sample: times are those of that clock; latency is what passed on it and for real, CPU is real." }
            }
        }
    }
}
