//! What the jobs of each level took: their pods, and the streams that were read of them.

use maud::{Markup, html};

use super::Subject;
use super::html::uprights;
use super::plot::{Line, Plot};
use crate::capacity::cluster::{PodsSeen, RUNNING};
use crate::capacity::measured::LevelResult;
use crate::capacity::streams::StreamsRead;
use crate::report::words::plain;

/// Those plots for which there is something.
pub(super) fn plots(subject: &Subject<'_>) -> Markup {
    let levels = &subject.measured.levels;
    let used = levels.iter().any(|level| level.pods.as_ref().is_some_and(|pods| pods.used.is_some()));
    html! {
        @if levels.iter().any(|level| level.pods.is_some()) { (phases(subject)) }
        @if used { (cpu(subject)) (memory(subject)) }
        @if levels.iter().any(|level| level.streams.is_some()) { (streams(subject)) }
    }
}

/// The figures of the plots, level by level.
pub(super) fn table(subject: &Subject<'_>) -> Markup {
    let levels = &subject.measured.levels;
    let has_pods = levels.iter().any(|level| level.pods.is_some());
    let has_streams = levels.iter().any(|level| level.streams.is_some());
    html! {
        @if has_pods || has_streams {
            div.wide { table {
                thead { tr {
                    th { "Level" }
                    @if has_pods { th.text { "Pods" } th.text { "CPU and memory" } }
                    @if has_streams {
                        @for head in ["Streams read", "Frames", "First frame p95 ms", "Late p99 ms"] { th { (head) } }
                    }
                } }
                tbody { @for level in levels {
                    tr.failing[!level.fully_successful()] {
                        td { (level.level) }
                        @if has_pods { (pods_of(level)) }
                        @if has_streams { (streams_of(level)) }
                    }
                } }
            } }
        }
    }
}

fn pods_of(level: &LevelResult) -> Markup {
    let used = |pods: &PodsSeen| pods.used_in_words().unwrap_or_else(|| String::from("not told"));
    html! {
        td.text { @if let Some(pods) = &level.pods { (plain(&pods.phases_in_words())) } }
        td.text { @if let Some(pods) = &level.pods { (used(pods)) } }
    }
}

fn streams_of(level: &LevelResult) -> Markup {
    html! {
        @match &level.streams {
            Some(read) => {
                td { (read.asked - read.failed) " of " (read.asked) }
                td { (read.frames) }
                td { (format!("{:.0}", read.first_frame.quantile_ms(0.95))) }
                td { (format!("{:.0}", read.lateness.quantile_ms(0.99))) }
            }
            None => { td colspan="4" {} }
        }
    }
}

/// A point of each level that has a value.
fn points(subject: &Subject<'_>, y: impl Fn(&LevelResult) -> Option<f64>) -> Vec<(f64, f64)> {
    subject.measured.levels.iter().filter_map(|level| Some((f64::from(level.level), y(level)?))).collect()
}

fn phases(subject: &Subject<'_>) -> Markup {
    let line = |class, name, of: fn(&str) -> bool| {
        let count = |pods: &PodsSeen| -> u32 {
            pods.phases.iter().filter(|(phase, _)| of(phase)).map(|(_, count)| count).sum()
        };
        let points = points(subject, |level| level.pods.as_ref().map(|pods| f64::from(count(pods))));
        Line { class, name, points }
    };
    let mut lines = vec![
        line("a", RUNNING, |phase| phase == RUNNING),
        line("b", "Pending", |phase| phase == "Pending"),
        line("c", "other", |phase| ![RUNNING, "Pending"].contains(&phase)),
    ];
    // A phase that no pod was in would only cover the axis.
    lines.retain(|line| line.name == RUNNING || line.points.iter().any(|(_, count)| *count > 0.0));
    Plot { title: "Pods", x_name: "jobs at a time", unit: "", at_least: 1.0, lines, marks: uprights(subject) }
        .draw()
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn cpu(subject: &Subject<'_>) -> Markup {
    let of = |level: &LevelResult| Some(level.pods.as_ref()?.used?.cpu_millicores as f64 / 1_000.0);
    Plot {
        title: "CPU of pods",
        x_name: "jobs at a time",
        unit: "",
        at_least: 0.1,
        lines: vec![Line { class: "a", name: "processors", points: points(subject, of) }],
        marks: uprights(subject),
    }
    .draw()
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn memory(subject: &Subject<'_>) -> Markup {
    let of = |level: &LevelResult| Some(level.pods.as_ref()?.used?.memory_bytes as f64 / f64::from(1 << 30));
    Plot {
        title: "Memory of pods",
        x_name: "jobs at a time",
        unit: " GiB",
        at_least: 0.1,
        lines: vec![Line { class: "b", name: "all together", points: points(subject, of) }],
        marks: uprights(subject),
    }
    .draw()
}

fn streams(subject: &Subject<'_>) -> Markup {
    let line = |class, name, of: fn(&StreamsRead) -> (u64, f64)| {
        // What never came was not quick.
        let seen = |level: &LevelResult| {
            let (count, ms) = of(level.streams.as_ref()?);
            (count > 0).then_some(ms)
        };
        Line { class, name, points: points(subject, seen) }
    };
    Plot {
        title: "Streams",
        x_name: "jobs at a time",
        unit: " ms",
        at_least: 1.0,
        lines: vec![
            line("a", "first frame, p95", |read| {
                (read.first_frame.count(), read.first_frame.quantile_ms(0.95))
            }),
            line("b", "lateness of frames, p99", |read| {
                (read.lateness.count(), read.lateness.quantile_ms(0.99))
            }),
        ],
        marks: uprights(subject),
    }
    .draw()
}
