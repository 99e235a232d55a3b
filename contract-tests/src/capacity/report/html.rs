//! The page: it opens from disk and loads nothing, and its policy allows no more.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::plot::{Line, Mark, Plot};
use super::{Findings, Subject, generator_limits};
use crate::capacity::measured::{LevelResult, percent};
use crate::capacity::plan::{Standing, Verdict, payload_in_words};
use crate::report::words::plain;

const STYLE: &str = include_str!("page.css");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

pub(super) fn render(subject: &Subject<'_>) -> String {
    let Subject { environment, plan, measured, target, .. } = subject;
    let findings = Findings::of(subject);
    let name = plain(environment.name());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Infrastructure gap: " (measured.actual_capacity()) " of " (plan.target) " jobs on " (name) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (measured.actual_capacity()) " of " (plan.target) " concurrent jobs on " (name) ": "
                     span class=(class(subject)) { (subject.verdict()) } }
                p.sub { "Infrastructure gap report · " (plain(target)) " · " (subject.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
                        " · PZ-13756: minimum " (plan.minimum) ", target " (plan.target) }
                (tiles(subject))
                h2 { "What gave way" }
                ul { @for text in &findings.bottlenecks { li { (plain(text)) } } }
                h2 { "What to do" }
                ol { @for text in &findings.immediate_actions { li { (plain(text)) } } }
                h2 { "Level by level" }
                div.plots { (success(subject)) (latency(subject)) }
                (table(subject))
                (errors(subject))
                h2 { "Resources" }
                div.plots { (machine(subject)) @if measured.levels.iter().any(|level| level.pods.is_some()) { (pods(subject)) } }
                (notes(subject))
            }
        }
    };
    page.into_string()
}

fn class(subject: &Subject<'_>) -> &'static str {
    match subject.verdict() {
        Verdict::Passed => "good",
        Verdict::PassedWithWarning | Verdict::Informational => "warn",
        Verdict::Failed => "bad",
    }
}

fn tiles(subject: &Subject<'_>) -> Markup {
    let Subject { measured, thresholds, .. } = subject;
    let latency = measured.latency();
    let gap = match subject.standing() {
        Standing::Met => "good",
        Standing::AboveMinimum => "warn",
        Standing::BelowMinimum => "bad",
    };
    let (rate, mean) = (measured.success_rate(), latency.mean_ms());
    let tile = |value: String, what: String, class: &'static str| {
        html! { div.tile { b class=(class) { (value) } span { (what) } } }
    };
    html! {
        div.tiles {
            (tile(subject.gap().to_string(), String::from("jobs missing"), gap))
            (tile(percent(rate), format!("of {} configures · {}", measured.attempted(), thresholds.success_grade(rate)), ""))
            (tile(format!("{mean:.0} ms"), format!("mean latency · {}", thresholds.latency_grade(mean)), ""))
            (tile(format!("{:.0} ms", latency.quantile_ms(0.95)), String::from("p95 latency"), ""))
            (tile(format!("{:.0} ms", latency.max_ms()), String::from("longest"), ""))
            (tile(format!("{:.1} /s", measured.jobs_per_second()), format!("jobs over {:.0} s", measured.duration.as_secs_f64()), ""))
            @if let Some(read) = measured.streams() {
                (tile(format!("{}", read.asked - read.failed), format!("of {} streams read · {} frames", read.asked, read.frames), if read.failed > 0 { "bad" } else { "" }))
                (tile(format!("{:.0} ms", read.first_frame.quantile_ms(0.95)), String::from("first frame, p95"), ""))
                (tile(format!("{:.0} ms", read.lateness.quantile_ms(0.99)), String::from("lateness of frames, p99"), ""))
            }
        }
    }
}

fn points(subject: &Subject<'_>, y: impl Fn(&LevelResult) -> f64) -> Vec<(f64, f64)> {
    subject.measured.levels.iter().map(|level| (f64::from(level.level), y(level))).collect()
}

/// The target, and where the run broke.
fn uprights(subject: &Subject<'_>) -> Vec<Mark> {
    let target = subject.plan.target;
    let breaking = subject.measured.first_failing().map(|level| {
        Mark::Upright(f64::from(level.level), format!("breaking point {}", level.level), "breaking")
    });
    [Mark::Upright(f64::from(target), format!("target {target}"), "target")]
        .into_iter()
        .chain(breaking)
        .collect()
}

fn success(subject: &Subject<'_>) -> Markup {
    let rate = points(subject, |level| level.success_rate() * 100.0);
    Plot {
        title: "Success",
        x_name: "jobs at a time",
        unit: "%",
        at_least: 100.0,
        lines: vec![Line { class: "a", name: "configures that made a job", points: rate }],
        marks: uprights(subject),
    }
    .draw()
}

fn latency(subject: &Subject<'_>) -> Markup {
    let answered =
        |points: Vec<(f64, f64)>| -> Vec<_> { points.into_iter().filter(|(_, y)| *y > 0.0).collect() };
    let slow = subject.thresholds.latency_ms.poor;
    let mut marks = uprights(subject);
    marks.push(Mark::Across(slow, format!("slow from {slow} ms on")));
    Plot {
        title: "Latency",
        x_name: "jobs at a time",
        unit: " ms",
        at_least: 1.0,
        lines: vec![
            Line {
                class: "c",
                name: "max",
                points: answered(points(subject, |level| level.latency.max_ms())),
            },
            Line {
                class: "b",
                name: "p95",
                points: answered(points(subject, |level| level.latency.quantile_ms(0.95))),
            },
            Line {
                class: "a",
                name: "mean",
                points: answered(points(subject, |level| level.latency.mean_ms())),
            },
        ],
        marks,
    }
    .draw()
}

fn machine(subject: &Subject<'_>) -> Markup {
    let Subject { measured, thresholds, .. } = subject;
    let samples = &measured.machine;
    let of = |y: fn(&crate::capacity::machine::Sample) -> f64| -> Vec<_> {
        samples.iter().map(|sample| (sample.at.as_secs_f64(), y(sample))).collect()
    };
    Plot {
        title: "Machine of the suite",
        x_name: "seconds",
        unit: "%",
        at_least: 100.0,
        lines: vec![
            Line { class: "a", name: "CPU", points: of(|sample| sample.cpu) },
            Line { class: "b", name: "memory", points: of(|sample| sample.memory) },
        ],
        marks: vec![Mark::Across(
            thresholds.cpu.critical,
            format!("CPU critical {}%", thresholds.cpu.critical),
        )],
    }
    .draw()
}

fn pods(subject: &Subject<'_>) -> Markup {
    let seen = || {
        subject
            .measured
            .levels
            .iter()
            .filter_map(|level| Some((f64::from(level.level), level.pods.as_ref()?)))
    };
    let phase = |phase: &str| -> Vec<_> {
        seen().map(|(level, pods)| (level, f64::from(pods.phases.get(phase).copied().unwrap_or(0)))).collect()
    };
    Plot {
        title: "Pods",
        x_name: "jobs at a time",
        unit: "",
        at_least: 1.0,
        lines: vec![
            Line { class: "a", name: "Running", points: phase("Running") },
            Line { class: "b", name: "Pending", points: phase("Pending") },
            Line { class: "c", name: "Failed", points: phase("Failed") },
        ],
        marks: uprights(subject),
    }
    .draw()
}

fn table(subject: &Subject<'_>) -> Markup {
    let ms = |value: f64| format!("{value:.1}");
    html! {
        div.wide { table {
            thead { tr {
                @for head in ["Level", "Succeeded", "Failed", "Rate", "Mean ms", "p50", "p95", "p99", "Max", "Service p95", "Jobs/s"] { th { (head) } }
                th.text { "Why not" }
            } }
            tbody { @for level in &subject.measured.levels {
                tr.failing[!level.fully_successful()] {
                    td { (level.level) } td { (level.succeeded) } td { (level.failed) } td { (percent(level.success_rate())) }
                    td { (ms(level.latency.mean_ms())) }
                    @for share in [0.5, 0.95, 0.99] { td { (ms(level.latency.quantile_ms(share))) } }
                    td { (ms(level.latency.max_ms())) } td { (ms(level.service.quantile_ms(0.95))) }
                    td { (format!("{:.0}", f64::from(level.succeeded) / level.took.as_secs_f64().max(0.001))) }
                    td.text { (plain(&level.reason().unwrap_or_default())) }
                }
            } }
        } }
        p.sub { "Latency counts from the moment at which the level was fired, so waiting for one of " (subject.plan.workers)
                " workers is a part of it; service from the moment at which each request was sent." }
    }
}

fn errors(subject: &Subject<'_>) -> Markup {
    let errors = subject.measured.errors();
    html! {
        @if !errors.is_empty() {
            h2 { "Errors" }
            table.narrow {
                thead { tr { th.text { "Kind" } th { "Configures" } } }
                tbody { @for (code, count) in errors { tr { td.text { (plain(code)) } td { (count) } } } }
            }
        }
    }
}

fn notes(subject: &Subject<'_>) -> Markup {
    let Subject { plan, measured, thresholds, .. } = subject;
    html! {
        h2 { "To know" }
        ul {
            @for limit in generator_limits(measured, thresholds) { li.warn { (limit) } }
            @for note in &measured.notes { li.warn { (plain(note)) } }
            @if !measured.left_behind.is_empty() {
                li.bad { "Not gone at the end: " (plain(&measured.left_behind.join(", "))) }
            }
            @if let Some(why) = measured.streams().and_then(|read| read.trouble) { li.bad { "A stream: " (plain(&why)) } }
            li { "Each job: " (payload_in_words()) }
            li { @if plan.accumulate { "The jobs of all levels lived side by side." } @else { "The jobs of a level were gone before the next one." } }
            li { "A light configuration: heavier ones need more. Production differs, and so does the time of day; repeat the run before deciding." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gap::tests::{Run, level};
    use super::*;

    #[test]
    fn the_page_shows_target_and_breaking_point_and_loads_nothing() {
        let levels = vec![level(20, 0, "", ""), level(40, 10, "503 FULL", "<script>no room</script>")];
        let page = render(&Run::of(100, levels).subject());
        for words in [
            "target 100",
            "breaking point 50",
            "20 of 100 concurrent jobs on staging",
            "&lt;script&gt;no room",
        ] {
            assert!(page.contains(words), "{words}");
        }
        for loading in ["<script", "src=", "href=", "url(", "@import"] {
            assert!(!page.contains(loading), "{loading}");
        }
    }
}
