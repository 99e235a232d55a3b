//! Markdown for people: totals, a table by category, what failed, what is known, what was skipped.

use std::fmt::Write as _;

use super::words::{cut, plain};
use super::{Meaning, Run, Totals, Verdict, date, difference, words};
use crate::case::{Capability, Case, Tag};

/// Longest text of a failure, in characters.
const LONGEST: usize = 500;

/// What the summary groups by, in its order.
const CATEGORIES: [&str; 9] = [
    "integration",
    "smoke",
    "infrastructure",
    "load/performance",
    "security",
    "stress",
    "unit",
    "data quality",
    "other",
];

pub(super) fn render(run: &Run) -> String {
    let mut text = String::new();
    head(&mut text, run);
    table(&mut text, run);
    let of = |wanted: fn(&Meaning) -> bool| -> Vec<&Verdict> {
        run.results.iter().filter(|verdict| wanted(&verdict.meaning)).collect()
    };
    failures(&mut text, run, "Failures", &of(|meaning| *meaning == Meaning::Failed));
    failures(&mut text, run, "Could not run", &of(|meaning| *meaning == Meaning::CouldNotRun));
    let wrong = of(|meaning| matches!(meaning, Meaning::Healed(..)));
    let healed = wrong.iter().filter_map(|verdict| verdict.remark());
    list(&mut text, "List of known failures is wrong", healed.chain(run.rotten.iter().cloned()));
    remarks(&mut text, "Known bugs", &of(|meaning| matches!(meaning, Meaning::KnownBug(_))));
    remarks(&mut text, "Skipped", &of(|meaning| *meaning == Meaning::Skipped));
    let notes = run.results.iter().flat_map(|verdict| {
        verdict.told.notes.iter().map(|note| format!("{}: {note}", verdict.told.case.id))
    });
    list(&mut text, "Notes", notes);
    list(&mut text, "Left on the server", run.left_behind().map(|(case, what)| format!("{case}: {what}")));
    text
}

fn head(text: &mut String, run: &Run) {
    let suite = run.suite.map_or_else(String::new, |suite| format!("suite {suite}, "));
    let _ = writeln!(
        text,
        "# Focus Server contract\n\n**{}** of {} cases; exit status {}\n\n{} ({}), {suite}seed {}, {}, {} to {}",
        run.totals().line(),
        run.results.len(),
        run.exit_status(),
        inline(&run.target),
        inline(&run.because),
        run.seed,
        inline(&run.environments.join(", ")),
        date(run.began),
        date(run.ended),
    );
    if let Some(why) = &run.stopped {
        let _ = writeln!(text, "\nIt ended before its last case: {}", inline(why));
    }
}

fn table(text: &mut String, run: &Run) {
    let names = Totals::default().named().map(|(name, _)| name);
    let _ = writeln!(text, "\n| Category | {} |\n|---|{}", names.join(" | "), "---:|".repeat(names.len()));
    for category in CATEGORIES {
        let verdicts = run.results.iter().filter(|verdict| category_of(verdict.told.case) == category);
        let totals = Totals::of(verdicts);
        if totals.all() > 0 {
            let counts = totals.named().map(|(_, count)| count.to_string());
            let _ = writeln!(text, "| {category} | {} |", counts.join(" | "));
        }
    }
}

fn failures(text: &mut String, run: &Run, title: &str, verdicts: &[&Verdict]) {
    if verdicts.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n## {title}");
    for verdict in verdicts {
        let (case, Some(failure)) = (verdict.told.case, verdict.failure()) else { continue };
        let mut detail = failure.what.clone();
        if let Some(texts) = &failure.difference {
            let _ = write!(detail, "\n{}", difference(texts));
        }
        let _ =
            writeln!(text, "\n### {} {}\n\n{}", case.id, inline(&case.keys.join(", ")), inline(case.claim));
        fenced(text, &cut(plain(&detail).trim_end(), LONGEST));
        if let Some(exchange) = &failure.exchange {
            let line = format!("{} {} → {}", exchange.request.method, words::url(exchange), exchange.status);
            let _ = writeln!(text, "\n{}", inline(&line));
        }
        fenced(text, &plain(&run.again(case.id)));
    }
}

fn remarks(text: &mut String, title: &str, verdicts: &[&Verdict]) {
    let lines = verdicts.iter().map(|verdict| {
        format!("{}: {}", verdict.told.case.id, cut(&verdict.remark().unwrap_or_default(), LONGEST))
    });
    list(text, title, lines);
}

fn list(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        let _ = writeln!(text, "\n## {title}\n");
    }
    for line in lines {
        let _ = writeln!(text, "- {}", inline(&line));
    }
}

/// A block that nothing in the text can end: its fence is longer than any in it.
fn fenced(text: &mut String, block: &str) {
    let longest = block.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(text, "\n{fence}text\n{block}\n{fence}");
}

/// Text in a line of its own or of a table, in which nothing is markup.
fn inline(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in plain(text).chars() {
        match character {
            '\n' | '\t' => safe.push(' '),
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => safe.extend(['\\', character]),
            _ => safe.push(character),
        }
    }
    safe
}

/// The project's sorts of tests, by what a case does.
fn category_of(case: &Case) -> &'static str {
    match case.area() {
        _ if case.tags.contains(&Tag::Load) => "load/performance",
        _ if case.tags.contains(&Tag::Long) => "stress",
        "http" => "security",
        _ if case.needs.contains(&Capability::K8s) => "infrastructure",
        "calculations" | "fibre" | "recordings" => "data quality",
        _ if case.tags.contains(&Tag::Smoke) => "smoke",
        "channels" | "compatibility" | "frequency" | "health" | "jobs" | "nfft" | "prelaunch"
        | "properties" | "shape" | "snapshots" | "streams" | "tasks" | "throughput" | "windows" => {
            "integration"
        }
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_fence_and_nothing_in_a_line_is_markup() {
        let mut text = String::new();
        fenced(&mut text, "a\n````\nb");
        assert_eq!(text, "\n`````text\na\n````\nb\n`````\n");
        assert_eq!(inline("<b>|\n*a*"), r"&lt;b>\| \*a\*");
    }
}
