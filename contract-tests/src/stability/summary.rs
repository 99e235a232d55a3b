//! The summary for a ticket, and the words that the page shares with it.

use std::fmt::Write as _;

use super::page::title;
use super::plan::{Cancel, Pace};
use super::report::Report;
use super::rules::{Outcome, Weight};
use crate::capacity::report::markdown::inline;

pub(super) fn render(report: &Report) -> String {
    let verdict = report.outcome();
    let figures = &report.figures;
    let mut text = format!("## {} on {}: {verdict}\n\n", title(report), inline(&report.environment));
    let _ = writeln!(
        text,
        "{}, {}; {}; {} of {} configures succeeded.\n",
        inline(&report.target),
        report.began.strftime("%Y-%m-%d %H:%M:%S UTC"),
        ran(report),
        figures.succeeded,
        figures.configures
    );
    text.push_str("| Rule | Demanded | Measured | Outcome |\n|---|---|---|---|\n");
    for finding in &report.rules {
        let outcome = match (finding.outcome, finding.weight) {
            (Outcome::Kept, _) => "kept",
            (Outcome::Broken, Weight::Hard) => "**broken**",
            (Outcome::Broken, Weight::Warning) => "**warning**",
            (Outcome::NotJudged, _) => "not judged",
        };
        let weight = if finding.weight == Weight::Warning { " (warning)" } else { "" };
        let (rule, says) = (finding.rule.words(), inline(&finding.says));
        let _ = writeln!(text, "| {rule}{weight} | {} | {says} | {outcome} |", finding.demanded);
    }
    let latency = [
        ("mean", figures.latency_mean_ms),
        ("p95", figures.latency_p95_ms),
        ("p99", figures.latency_p99_ms),
        ("max", figures.latency_max_ms),
    ];
    let known = latency.iter().filter_map(|(name, value)| Some(format!("{name} {} ms", number((*value)?))));
    let known: Vec<_> = known.collect();
    if !known.is_empty() {
        let _ = writeln!(text, "\nLatency: {}.", known.join(", "));
    }
    compared(&mut text, report);
    notes(&mut text, report);
    text
}

fn compared(text: &mut String, report: &Report) {
    let Some(comparison) = &report.comparison else { return };
    let _ = writeln!(text, "\n### Against the baseline {}\n", inline(&comparison.baseline));
    if let Some(why) = &comparison.incomparable {
        let _ = writeln!(text, "Not compared: {}", inline(why));
        return;
    }
    text.push_str("| Figure | Baseline | Now | Ratio |\n|---|---:|---:|---:|\n");
    for row in &comparison.figures {
        let ratio = row.ratio.map_or_else(String::new, number);
        let worse = if row.worse { " **worse**" } else { "" };
        let (then, now) = (number(row.baseline), number(row.now));
        let _ = writeln!(text, "| {} | {then} | {now} | {ratio}{worse} |", inline(&row.figure));
    }
    if let Some(proposal) = &comparison.proposal {
        let _ =
            writeln!(text, "\nProposed thresholds, from the worse of both runs:\n\n```yaml\n{proposal}```");
    }
}

fn notes(text: &mut String, report: &Report) {
    let gaps = report.gaps.iter().map(|gap| {
        format!("ended early after sample {}, resumed {} later", gap.after_sample, short(gap.seconds))
    });
    let left = report.ending.iter().flat_map(|ending| &ending.left_behind);
    let left = left.map(|id| format!("job {id} was not gone at the end"));
    let notes: Vec<_> = report.notes.iter().cloned().chain(gaps).chain(left).collect();
    if !notes.is_empty() {
        text.push_str("\n### To know\n\n");
    }
    for note in notes {
        let _ = writeln!(text, "- {}", inline(&note));
    }
}

/// What was done, in words.
pub(super) fn ran(report: &Report) -> String {
    let plan = &report.plan;
    let jobs = if plan.jobs == 1 { "1 job" } else { &format!("{} jobs", plan.jobs) };
    let cancelled = match plan.cancel {
        Cancel::AtOnce => "cancelled at once",
        Cancel::AtEnd => "left to the sweep",
    };
    let clock = match plan.pace {
        Pace::Held => " of the server's clock",
        Pace::Real => "",
    };
    format!(
        "{} of {} samples, {jobs} every {}{clock}, {cancelled}",
        report.taken(),
        plan.samples(),
        short(plan.interval.as_secs_f64())
    )
}

/// A time in at most two units.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of weeks")]
pub(super) fn short(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{} s", number(seconds));
    }
    let minutes = (seconds / 60.0).round() as u64;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// A number with at most two decimals; large ones with none.
pub(super) fn number(value: f64) -> String {
    let rounded = if value.abs() >= 1e5 { value.round() } else { (value * 100.0).round() / 100.0 };
    // Not -0.
    format!("{}", rounded + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_are_short() {
        for (seconds, words) in [
            (0.5, "0.5 s"),
            (36.0, "36 s"),
            (300.0, "5 min"),
            (3600.0, "1 h"),
            (5400.0, "1 h 30 min"),
            (86_400.0, "24 h"),
        ] {
            assert_eq!(short(seconds), words);
        }
        assert_eq!([1.005, 12.0, -0.001, 123_456.7].map(number), ["1", "12", "0", "123457"]);
    }
}
