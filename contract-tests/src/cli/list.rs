//! `focus-contract list` and `focus-contract explain`: what the cases are, without telling any.

use std::fmt::Write as _;

use anyhow::bail;
use clap::{Arg, ArgMatches, Command};
use focus_contract::case::Case;
use focus_contract::cases;
use focus_contract::select::Pattern;
use serde_json::json;

use super::say;

pub(super) fn list_command() -> Command {
    Command::new("list").about("List all cases").arg(
        Arg::new("format")
            .long("format")
            .value_name("FORMAT")
            .help("A line per case, the documentation of the tests by area, or all there is for programs")
            .value_parser(["text", "markdown", "json"])
            .default_value("text"),
    )
}

pub(super) fn explain_command() -> Command {
    Command::new("explain")
        .about("Show what a case claims, does and expects")
        .arg(Arg::new("case").value_name("CASE").help("Its id, or a pattern").required(true))
}

pub(super) fn list(matches: &ArgMatches) -> u8 {
    let text = match matches.get_one::<String>("format").map(String::as_str) {
        Some("markdown") => markdown(),
        Some("json") => json(),
        _ => text(),
    };
    say(text.trim_end());
    0
}

pub(super) fn explain(matches: &ArgMatches) -> anyhow::Result<u8> {
    let name = matches.get_one::<String>("case").map_or("", String::as_str);
    let pattern = Pattern::new(name);
    let found: Vec<_> = cases::all().filter(|case| pattern.matches(case.id)).collect();
    if found.is_empty() {
        bail!("there is no case {name}; `focus-contract list` shows all");
    }
    let explained: Vec<_> = found.into_iter().map(explained).collect();
    say(explained.join("\n").trim_end());
    Ok(0)
}

fn tags(case: &Case) -> Vec<&'static str> {
    case.tags.iter().map(|tag| tag.name()).collect()
}

fn needs(case: &Case) -> Vec<&'static str> {
    case.needs.iter().map(|need| need.name()).collect()
}

fn or_nothing(words: &[&str]) -> String {
    if words.is_empty() { String::from("nothing") } else { words.join(", ") }
}

fn text() -> String {
    let widest = cases::all().map(|case| case.id.len()).max().unwrap_or(0);
    let lines = cases::all().map(|case| format!("{:<widest$}  {}", case.id, case.claim));
    lines.collect::<Vec<_>>().join("\n")
}

fn explained(case: &Case) -> String {
    let mut text = format!("{}\n\n{}\n\n", case.id, case.claim);
    for (name, words) in [("keys", case.keys), ("tags", &tags(case)), ("needs", &needs(case))] {
        let _ = writeln!(text, "{name:<6} {}", or_nothing(words));
    }
    for (number, step) in (1..).zip(case.steps) {
        let _ = write!(text, "\n{number}. {step}");
    }
    let _ = writeln!(text, "\n=> {}", case.expects);
    text
}

fn markdown() -> String {
    let mut text = String::from("# What the contract suite tests\n");
    let mut area = "";
    for case in cases::all() {
        if case.area() != area {
            area = case.area();
            let _ = writeln!(text, "\n## {area}");
        }
        let _ = writeln!(text, "\n### {}\n\n{}.\n", case.id, case.claim);
        for (name, words) in [("Keys", case.keys), ("Tags", &tags(case)), ("Needs", &needs(case))] {
            let _ = writeln!(text, "- {name}: {}", or_nothing(words));
        }
        text.push('\n');
        for (number, step) in (1..).zip(case.steps) {
            let _ = writeln!(text, "{number}. {step}");
        }
        let _ = writeln!(text, "\nExpected: {}", case.expects);
    }
    text
}

fn json() -> String {
    let cases = cases::all().map(|case| {
        json!({
            "id": case.id, "area": case.area(), "claim": case.claim, "keys": case.keys, "tags": tags(case),
            "needs": needs(case), "steps": case.steps, "expects": case.expects,
        })
    });
    format!("{:#}", json!(cases.collect::<Vec<_>>()))
}
