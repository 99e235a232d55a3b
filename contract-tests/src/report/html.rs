//! One HTML page for people. It opens from disk and loads nothing: style and script are in it, and its policy allows no
//! more.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::words::plain;
use super::{Run, Verdict, date, difference, words};
use crate::client::rest::Exchange;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Most exchanges that are shown of one case: its last ones, and the one that shows its failure.
const MOST_EXCHANGES: usize = 10;

/// The head of a page. A browser may do nothing with it but show what is in it, and what else is said.
pub(crate) fn head(title: &Markup, style: &str, may: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy"
                content=(format!("default-src 'none'; style-src 'unsafe-inline'{may}"));
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (title) }
            style { (PreEscaped(style)) }
        }
    }
}

pub(super) fn render(run: &Run) -> String {
    let totals = run.totals();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&html! { "Focus Server contract: " (totals.line()) }, STYLE, "; script-src 'unsafe-inline'"))
            body {
                header {
                    h1 { "Focus Server contract" }
                    p { strong { (totals.line()) } " of " (run.results.len()) " cases; exit status " (run.exit_status()) }
                    (about(run))
                    (wrong(run))
                    p.tools {
                        input #search type="search" placeholder="Search in everything" aria-label="Search";
                        @for (name, count) in totals.named().into_iter().filter(|(_, count)| *count > 0) {
                            label { input type="checkbox" value=(outcome(name)) checked; (name) " " (count) }
                        }
                        span #shown aria-live="polite" {}
                    }
                }
                main {
                    @for (area, verdicts) in run.areas() {
                        section {
                            h2 { (area) }
                            @for verdict in verdicts { (case(run, verdict)) }
                        }
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// The word for a total or a meaning, as the page's script has it.
fn outcome(name: &str) -> String {
    name.trim_end_matches('s').replace(' ', "-")
}

fn about(run: &Run) -> Markup {
    html! {
        dl {
            dt { "Target" } dd { (plain(&run.target)) " (" (plain(&run.because)) ")" }
            dt { "Environment" } dd { (plain(&run.environments.join(", "))) }
            @if let Some(suite) = run.suite { dt { "Suite" } dd { (suite) } }
            dt { "Seed" } dd { (run.seed) }
            dt { "Time" } dd { (date(run.began)) " to " (date(run.ended)) }
        }
    }
}

fn wrong(run: &Run) -> Markup {
    let left: Vec<_> = run.left_behind().collect();
    html! {
        @if let Some(why) = &run.stopped { p.warning { "It ended before its last case: " (plain(why)) } }
        @for what in &run.rotten { p.warning { (plain(what)) } }
        @if !left.is_empty() {
            p.warning { "Left on the server:" }
            ul { @for (case, what) in left { li { (case) ": " (plain(what)) } } }
        }
    }
}

fn case(run: &Run, verdict: &Verdict) -> Markup {
    let told = &verdict.told;
    let name = verdict.meaning.name();
    html! {
        details.case data-outcome=(outcome(name)) {
            summary {
                span class=(format!("outcome {}", outcome(name))) { (name) }
                code { (told.case.id) }
                span.claim { (told.case.claim) }
                span.took { (words::took(told.took)) }
            }
            @if let Some(remark) = verdict.remark() { p.remark { (plain(&remark)) } }
            @if let Some(texts) = verdict.failure().and_then(|failure| failure.difference.as_ref()) {
                pre { (difference(texts)) }
            }
            dl {
                dt { "Keys" } dd { (told.case.keys.join(", ")) }
                dt { "Steps" } dd { ol { @for step in told.case.steps { li { (step) } } } }
                dt { "Expected" } dd { (told.case.expects) }
                @if !told.notes.is_empty() {
                    dt { "Notes" } dd { ul { @for note in &told.notes { li { (plain(note)) } } } }
                }
                dt { "Again" } dd { code { (plain(&run.again(told.case.id))) } }
            }
            (exchanges(verdict))
        }
    }
}

fn exchanges(verdict: &Verdict) -> Markup {
    let told = &verdict.told;
    let shows = verdict.failure().and_then(|failure| failure.exchange.as_deref());
    let before = told.exchanges.len().saturating_sub(MOST_EXCHANGES);
    html! {
        @if let Some(exchange) = shows { h3 { "What shows the failure" } (pair(exchange, true)) }
        @if !told.exchanges.is_empty() {
            h3 { "Said over REST" @if before > 0 { " (" (before) " exchanges before these)" } }
            @for exchange in &told.exchanges[before..] { (pair(exchange, false)) }
        }
    }
}

fn pair(exchange: &Exchange, open: bool) -> Markup {
    html! {
        details.exchange open[open] {
            summary {
                code { (exchange.request.method) " " (plain(&exchange.request.path)) }
                " " (exchange.status) " " span.took { (words::took(exchange.took)) }
            }
            pre { (words::request(exchange)) }
            pre { (words::answer(exchange)) }
        }
    }
}
