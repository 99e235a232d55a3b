//! The command line: one file per command.

mod bar;
mod capacity;
mod choose;
mod interrupt;
mod list;
mod print;
mod progress;
mod reach;
mod run;
mod stability;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Command;
use focus_contract::series::Appended;

/// Exit status of a command that could not do what it was asked to.
const FAILED: u8 = 2;

pub(crate) fn main() -> ExitCode {
    let matches = command().get_matches();
    let done = match matches.subcommand() {
        Some(("run", matches)) => run::run(matches),
        Some(("capacity", matches)) => capacity::run(matches),
        Some(("stability", matches)) => stability::run(matches),
        Some(("list", matches)) => Ok(list::list(matches)),
        Some(("explain", matches)) => list::explain(matches),
        _ => unreachable!("clap lets no other command through"),
    };
    ExitCode::from(done.unwrap_or_else(|error| {
        eprintln!("focus-contract: {error:#}");
        FAILED
    }))
}

fn command() -> Command {
    Command::new("focus-contract")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Says whether a Focus Server keeps its contract: the mock, or any that can be reached")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(run::command())
        .subcommand(capacity::command())
        .subcommand(stability::command())
        .subcommand(list::list_command())
        .subcommand(list::explain_command())
}

/// Says something on standard output. Whoever closed it wants to hear no more, which is no reason to end a run without
/// its reports.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Where a run was appended to the series, and what else stands there.
fn appended(appended: &Appended) -> String {
    let Appended { series, textfile, unread } = appended;
    let mut text = format!("series: {}\n        {}", series.display(), textfile.display());
    if !unread.is_empty() {
        let lines: Vec<_> = unread.iter().map(ToString::to_string).collect();
        let _ = write!(text, "\nnote: lines of the series that are no runs: {}", lines.join(", "));
    }
    text
}
