//! What a run says at its end: each failure with all that is needed to understand and repeat it, then the sums.

use std::fmt::Write as _;

use focus_contract::report::{Meaning, Run, Verdict, difference, words};

/// Longest request or answer that is printed, in characters; reports have the rest.
const LONGEST: usize = 4_000;

pub(super) fn ending(run: &Run) -> String {
    let mut text = String::new();
    for verdict in &run.results {
        if matches!(verdict.meaning, Meaning::Failed | Meaning::CouldNotRun) {
            failure(&mut text, run, verdict);
        }
    }
    let healed = run.results.iter().filter_map(|verdict| match &verdict.meaning {
        Meaning::Healed(_, what) => Some(what),
        _ => None,
    });
    for what in healed.chain(&run.rotten) {
        let _ = writeln!(text, "\n{}", words::plain(what));
    }
    for verdict in &run.results {
        for note in &verdict.told.notes {
            let _ = writeln!(text, "note of {}: {}", verdict.told.case.id, words::plain(note));
        }
    }
    for (case, what) in run.left_behind() {
        let _ = writeln!(text, "left on the server by {case}: {}", words::plain(what));
    }
    if let Some(why) = &run.stopped {
        let _ = writeln!(text, "\nended before its last case: {why}");
    }
    let totals = run.totals();
    if totals.skipped == totals.all() {
        let _ = writeln!(text, "\nno case could be told, so nothing is known");
    }
    let _ = write!(text, "\n{} of {} cases", totals.line(), totals.all());
    text
}

fn failure(text: &mut String, run: &Run, verdict: &Verdict) {
    let Some(failure) = verdict.failure() else { return };
    let case = verdict.told.case;
    let _ = writeln!(text, "\n==== {} {}", case.id, verdict.meaning.name());
    let _ = writeln!(text, "claim: {}", case.claim);
    let _ = writeln!(text, "but:   {}", words::plain(&failure.what).replace('\n', "\n       "));
    if let Some(texts) = &failure.difference {
        block(text, "difference", &difference(texts));
    }
    if let Some(exchange) = &failure.exchange {
        block(text, "request", &words::request(exchange));
        block(text, "answer", &words::answer(exchange));
    }
    let _ = writeln!(text, "again: {}", words::plain(&run.again(case.id)));
}

fn block(text: &mut String, title: &str, lines: &str) {
    let _ = writeln!(text, "{title}:");
    for line in words::cut(lines.trim_end(), LONGEST).lines() {
        let _ = writeln!(text, "    {line}");
    }
}
