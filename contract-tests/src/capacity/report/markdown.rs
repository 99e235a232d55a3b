//! The summary for a ticket.

use std::fmt::Write as _;

use super::{Findings, Subject, generator_limits};
use crate::capacity::measured::percent;
use crate::capacity::plan::payload_in_words;
use crate::report::words::plain;

pub(super) fn render(subject: &Subject<'_>) -> String {
    let Subject { plan, environment, measured, target, .. } = subject;
    let findings = Findings::of(subject);
    let mut text = format!(
        "## Infrastructure gap: {} of {} concurrent jobs on {}\n\n",
        measured.actual_capacity(),
        plan.target,
        inline(environment.name())
    );
    let _ = writeln!(
        text,
        "**{}**: gap {} (target {}, minimum {}); {} of {} configures succeeded ({}).\n\n{}, {}; {}; {} workers.\n",
        subject.verdict(),
        subject.gap(),
        plan.target,
        plan.minimum,
        measured.succeeded(),
        measured.attempted(),
        percent(measured.success_rate()),
        inline(target),
        subject.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        payload_in_words(),
        plan.workers
    );
    levels(&mut text, subject);
    if let Some(read) = measured.streams() {
        let _ = writeln!(
            text,
            "\nStreams: {} of {} read, {} frames; first frame p95 {:.0} ms; lateness p99 {:.0} ms.",
            read.asked - read.failed,
            read.asked,
            read.frames,
            read.first_frame.quantile_ms(0.95),
            read.lateness.quantile_ms(0.99)
        );
    }
    let errors = measured.errors().into_iter().map(|(code, count)| format!("{count} x {code}"));
    list(&mut text, "Errors", errors);
    list(&mut text, "Bottlenecks", findings.bottlenecks.into_iter());
    list(&mut text, "Recommendations", findings.immediate_actions.into_iter());
    let left = measured.left_behind.iter().map(|id| format!("job {id} was not gone at the end"));
    let limits = generator_limits(measured, subject.thresholds).into_iter();
    list(&mut text, "To know", limits.chain(measured.all_notes()).chain(left));
    text
}

fn levels(text: &mut String, subject: &Subject<'_>) {
    text.push_str("| Level | Succeeded | Rate | Mean | p50 | p95 | p99 | Max | Service p95 | Why not |\n");
    text.push_str("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|\n");
    for level in &subject.measured.levels {
        let latency = &level.latency;
        let _ = write!(text, "| {} | {} | {} ", level.level, level.succeeded, percent(level.success_rate()));
        let quantiles = [0.5, 0.95, 0.99].map(|share| latency.quantile_ms(share));
        let service = level.service.quantile_ms(0.95);
        for ms in [latency.mean_ms()].into_iter().chain(quantiles).chain([latency.max_ms(), service]) {
            let _ = write!(text, "| {ms:.1} ms ");
        }
        let _ = writeln!(text, "| {} |", inline(&level.reason().unwrap_or_default()));
    }
    let seen =
        || subject.measured.levels.iter().filter_map(|level| Some((level.level, level.pods.as_ref()?)));
    if seen().next().is_some() {
        text.push_str("\n| Level | Pods | CPU and memory |\n|---:|---|---|\n");
    }
    for (level, pods) in seen() {
        let used = pods.used_in_words().unwrap_or_else(|| String::from("not told"));
        let _ = writeln!(text, "| {level} | {} | {used} |", inline(&pods.phases_in_words()));
    }
}

fn list(text: &mut String, title: &str, entries: impl Iterator<Item = String>) {
    let entries: Vec<_> = entries.map(|entry| format!("- {}\n", inline(&entry))).collect();
    if !entries.is_empty() {
        let _ = write!(text, "\n### {title}\n\n{}", entries.concat());
    }
}

/// Text of anybody's, where it can neither end a cell nor begin markup.
pub(crate) fn inline(text: &str) -> String {
    let mut shown = String::new();
    for c in plain(text).chars() {
        match c {
            '\n' | '\t' => shown.push(' '),
            '|' | '<' | '*' | '_' | '`' | '[' | ']' | '\\' => shown.extend(['\\', c]),
            _ => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::gap::tests::{Run, level};
    use super::*;
    use crate::capacity::cluster::PodsSeen;

    #[test]
    fn a_ticket_says_what_is_missing_why_and_what_to_do() {
        let levels = vec![level(20, 0, "", ""), level(40, 10, "503 FULL", "no | <b>room</b>")];
        let text = render(&Run::of(50, levels).subject());
        for line in [
            "## Infrastructure gap: 20 of 50 concurrent jobs on staging\n",
            "**failed**: gap 30 (target 50, minimum 40); 60 of 70 configures succeeded (85.71%).\n",
            "| 50 | 40 | 80.00% | 10.0 ms | 10.0 ms | 10.0 ms | 10.0 ms | 10.0 ms | 5.0 ms | partial failure 40/50 (80.00%): no \\| \\<b>room\\</b> |\n",
            "- 10 x 503 FULL\n",
            "- Achieved level: 20 concurrent jobs of 50\n",
        ] {
            assert!(text.contains(line), "{line} is missing in:\n{text}");
        }
        assert!(!text.contains("Pods"));
    }

    #[test]
    fn pods_are_told_level_by_level() {
        let mut seen = level(20, 0, "", "");
        let phases = [(String::from("Running"), 20)].into();
        seen.pods = Some(PodsSeen { at: Duration::ZERO, phases, used: None, measured: 0 });
        let text = render(&Run::of(20, vec![seen]).subject());
        assert!(
            text.contains(
                "| Level | Pods | CPU and memory |\n|---:|---|---|\n| 20 | 20 Running | not told |\n"
            ),
            "{text}"
        );
    }
}
