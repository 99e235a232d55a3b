//! `focus-mock quirks`: in which ways the server can deviate from the contract.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use focus_mock::domain::quirk::{Profile, Quirk};
use serde::Serialize;

pub(super) fn command() -> Command {
    Command::new("quirks")
        .about("List the quirks: the known deviations of real servers from the contract")
        .arg(Arg::new("json").long("json").help("As one JSON list, for programs").action(ArgAction::SetTrue))
}

/// Prints the list.
pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let text = if matches.get_flag("json") { json()? } else { table() };
    match std::io::stdout().write_all(text.as_bytes()) {
        // Whoever reads only the first lines has what they want.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        written => Ok(written.map(|()| ExitCode::SUCCESS)?),
    }
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    place: &'static str,
    tickets: &'static [&'static str],
    profiles: Vec<&'static str>,
    about: &'static str,
}

impl Row {
    fn of(quirk: Quirk) -> Self {
        let profiles = Profile::ALL.into_iter().filter(|profile| profile.quirks().has(quirk));
        Self {
            name: quirk.name(),
            place: quirk.place(),
            tickets: quirk.tickets(),
            profiles: profiles.map(Profile::name).collect(),
            about: quirk.doc(),
        }
    }
}

fn json() -> anyhow::Result<String> {
    let rows: Vec<_> = Quirk::ALL.iter().copied().map(Row::of).collect();
    Ok(serde_json::to_string_pretty(&rows)? + "\n")
}

fn table() -> String {
    let header = ["QUIRK", "WHERE", "PROFILE", "TICKETS", "WITH IT"].map(String::from);
    let row = |quirk: &Quirk| {
        let Row { name, place, tickets, profiles, about } = Row::of(*quirk);
        let or_dash = |text: String| if text.is_empty() { String::from("-") } else { text };
        [
            name.to_owned(),
            place.to_owned(),
            or_dash(profiles.join(", ")),
            or_dash(tickets.join(", ")),
            about.to_owned(),
        ]
    };
    let rows: Vec<_> = std::iter::once(header).chain(Quirk::ALL.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
