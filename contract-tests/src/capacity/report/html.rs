//! The page: it opens from disk and loads nothing, and its policy allows no more.

use maud::{DOCTYPE, Markup, html};

use super::plot::{Line, Mark, Plot};
use super::{Findings, Subject, generator_limits, resources};
use crate::capacity::measured::{LevelResult, percent};
use crate::capacity::plan::{Standing, Verdict, payload_in_words};
use crate::report::head;
use crate::report::words::plain;

const STYLE: &str = include_str!("page.css");

pub(super) fn render(subject: &Subject<'_>) -> String {
    let Subject { environment, plan, measured, target, .. } = subject;
    let findings = Findings::of(subject);
    let name = plain(environment.name());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&html! { "Infrastructure gap: " (measured.actual_capacity()) " of " (plan.target) " jobs on " (name) }, STYLE, ""))
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
                div.plots { (machine(subject)) (resources::plots(subject)) }
                (resources::table(subject))
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
    let answered = |ms: f64| if latency.count() == 0 { String::from("–") } else { format!("{ms:.0} ms") };
    html! {
        div.tiles {
            (tile(subject.gap().to_string(), String::from("jobs missing"), gap))
            (tile(percent(rate), format!("of {} configures · {}", measured.attempted(), thresholds.success_grade(rate)), ""))
            (tile(answered(mean), format!("mean latency · {}", subject.latency_grade()), ""))
            (tile(answered(latency.quantile_ms(0.95)), String::from("p95 latency"), ""))
            (tile(answered(latency.max_ms()), String::from("longest"), ""))
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
pub(super) fn uprights(subject: &Subject<'_>) -> Vec<Mark> {
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

fn table(subject: &Subject<'_>) -> Markup {
    html! {
        div.wide { table {
            thead { tr {
                @for head in ["Level", "Succeeded", "Failed", "Rate", "Mean ms", "p50 ms", "p95 ms", "p99 ms", "Max ms", "Service p95 ms", "Jobs/s"] { th { (head) } }
                th.text { "Why not" }
            } }
            tbody { @for level in &subject.measured.levels {
                tr.failing[!level.fully_successful()] {
                    td { (level.level) } td { (level.succeeded) } td { (level.failed) } td { (percent(level.success_rate())) }
                    @for latency in latencies(level) { td { (latency) } }
                    td { (format!("{:.0}", level.jobs_per_second())) }
                    td.text { (plain(&level.reason().unwrap_or_default())) }
                }
            } }
        } }
        p.sub { "Latency counts from the moment at which the level was fired, so waiting for one of " (subject.plan.workers)
                " workers is a part of it; service from the moment at which each request was sent." }
    }
}

/// Mean, median, 95th and 99th percentile, maximum, and the 95th percentile of service; of nothing, nothing.
fn latencies(level: &LevelResult) -> [String; 6] {
    let (latency, service) = (&level.latency, &level.service);
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| latency.quantile_ms(share));
    [latency.mean_ms(), p50, p95, p99, latency.max_ms(), service.quantile_ms(0.95)]
        .map(|ms| if latency.count() == 0 { String::from("–") } else { format!("{ms:.1}") })
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
            @for note in measured.all_notes() { li.warn { (plain(&note)) } }
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
    use std::time::Duration;

    use super::super::gap::tests::{Run, level};
    use super::*;
    use crate::capacity::cluster::{PodsSeen, Use};
    use crate::capacity::streams::StreamsRead;

    /// How often a run of these levels shows something.
    fn shown(levels: Vec<LevelResult>, words: &str) -> usize {
        render(&Run::of(100, levels).subject()).matches(words).count()
    }

    #[test]
    fn pods_and_streams_are_shown_where_they_were_seen() {
        let mut seen = level(20, 0, "", "");
        for title in ["Pods", "CPU of pods", "Memory of pods", "Streams"] {
            assert_eq!(shown(vec![seen.clone()], &format!("<figcaption>{title}<")), 0, "{title}");
        }
        let used = Some(Use { cpu_millicores: 2_500, memory_bytes: 1 << 30 });
        let phases = [(String::from("Running"), 18), (String::from("Pending"), 2)].into();
        seen.pods = Some(PodsSeen { at: Duration::ZERO, phases, used, measured: 18 });
        seen.streams = Some(StreamsRead { asked: 60, failed: 6, ..StreamsRead::default() });
        for title in ["Pods", "CPU of pods", "Memory of pods", "Streams"] {
            assert_eq!(shown(vec![seen.clone()], &format!("<figcaption>{title}<")), 1, "{title}");
        }
        for words in [
            "18 Running, 2 Pending</td>",
            "2.50 CPU, 1.00 GiB",
            "54 of 60",
            "Running: 18 at 20",
            "Pending: 2 at 20",
        ] {
            assert_eq!(shown(vec![seen.clone()], words), 1, "{words}");
        }
        assert_eq!(shown(vec![seen], "other"), 0, "a phase that no pod was in is left out");
    }

    #[test]
    fn a_run_in_which_nothing_succeeded_was_not_quick() {
        let refused = vec![level(0, 10, "503", "full")];
        assert_eq!(shown(refused.clone(), "mean latency · of no job"), 1);
        assert_eq!(shown(refused.clone(), "<b>–</b>") + shown(refused.clone(), "<b class=\"\">–</b>"), 3);
        assert_eq!(shown(refused, "nothing was measured"), 2, "latency, and the machine");
    }

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
