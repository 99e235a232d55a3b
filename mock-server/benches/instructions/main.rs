//! What the fault layer costs, in instructions, which do not depend on how busy the machine is; and what its times are.
//!
//! ```sh
//! cargo bench -p focus-mock --bench instructions               # instructions, counted by valgrind's callgrind
//! cargo bench -p focus-mock --bench instructions -- --delay    # a delay of 10 ms, as a client sees it
//! cargo bench -p focus-mock --bench instructions -- --advance  # an hour of the clock with 1,000 live jobs
//! ```
//!
//! A server under callgrind answers so many requests, another one answers more: the difference, divided by how many
//! more, is what a request costs. No test goes around the layer, so what it costs without rules is told by the functions
//! that it consists of. The result is a Markdown table. It needs `valgrind` on the `PATH`, and says so.

mod callgrind;
mod server;
mod times;

use std::process::ExitCode;

use callgrind::{Costs, per_request};
use server::Request;

/// Where 100 rules stand, and whom they match: nobody who asks here.
const MATCHES: [(&str, &str); 4] = [
    ("method", "method: DELETE"),
    ("caller", "caller: 127.9.0.{}"),
    ("one header", "headers: { x-team: red{} }"),
    ("100 headers", "headers: { x-team-{}: red }"),
];

/// One figure.
struct Row {
    figure: String,
    goal: String,
    value: String,
    met: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let rows = match arguments.first().map(String::as_str) {
        Some("--delay") => times::delay()?,
        Some("--advance") => times::advance()?,
        Some(other) => anyhow::bail!("{other} is none of --delay, --advance"),
        None if callgrind::is_missing() => {
            eprintln!("instructions are counted by valgrind, which is not on the PATH");
            return Ok(ExitCode::from(2));
        }
        None => instructions()?,
    };
    println!("| Figure | Goal | Measured | Met |\n|---|---|---|---|");
    for Row { figure, goal, value, met } in rows {
        println!("| {figure} | {goal} | {value} | {} |", if met { "yes" } else { "**no**" });
    }
    Ok(ExitCode::SUCCESS)
}

fn instructions() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (request, route, other) in
        [(Request::channels(), "channels", "cancel"), (Request::refused(), "configure", "cancel")]
    {
        eprintln!("{} …", request.name);
        let none = per_request(&request, None)?;
        rows.push(layer(&request, &none));
        let elsewhere = rules(other, "");
        rows.push(more(
            &request,
            "100 rules at another route",
            &none,
            &per_request(&request, Some(&elsewhere))?,
        ));
        for (what, matches) in MATCHES {
            let rules = rules(route, matches);
            let figure = format!("100 rules at the same point by {what}");
            rows.push(more(&request, &figure, &none, &per_request(&request, Some(&rules))?));
        }
    }
    Ok(rows)
}

/// What the functions of the layer take of a request that no rule is for.
fn layer(request: &Request, none: &Costs) -> Row {
    let (share, records) = (none.percent(none.layer), none.percent(none.records));
    let value = format!(
        "{share:.2} %: {:.0} of {:.0}; records of requests, kept with or without rules, {records:.1} %: {:.0}",
        none.layer, none.all, none.records
    );
    Row {
        figure: format!("{}: the layer without rules", request.name),
        goal: "≤ 3 %".into(),
        value,
        met: share <= 3.0,
    }
}

fn more(request: &Request, what: &str, none: &Costs, with: &Costs) -> Row {
    let percent = none.percent(with.all - none.all);
    let value = format!("{percent:+.1} %: {:.0}", with.all);
    Row { figure: format!("{}: {what}", request.name), goal: "≤ +10 %".into(), value, met: percent <= 10.0 }
}

/// A scenario of 100 rules before a route.
fn rules(route: &str, matches: &str) -> String {
    let rule = |number: usize| {
        let matches = if matches.is_empty() {
            String::new()
        } else {
            let hole = matches.replace("{}", &number.to_string());
            format!("    match: {{ {hole} }}\n")
        };
        format!("  - at: rest.{route}.before\n{matches}    do: {{ refuse: SERVER_DOWN }}\n")
    };
    let rules: String = (0..100).map(rule).collect();
    format!("name: rules\nabout: Rules that no request meets.\nfaults:\n{rules}")
}
