//! `focus-mock faults`: where something can be made to go wrong, and what.

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use focus_mock::document::rules::FORMS;
use focus_mock::sim::faults::{At, Effect};
use serde_json::{Value, json};

pub(super) fn command() -> Command {
    Command::new("faults")
        .about("List the points at which rules can stand, and what can be done there")
        .arg(Arg::new("json").long("json").help("As one JSON document").action(ArgAction::SetTrue))
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    if matches.get_flag("json") {
        println!("{:#}", document());
    } else {
        print!("{}", text());
    }
    ExitCode::SUCCESS
}

fn document() -> Value {
    let points: Vec<_> = At::all()
        .map(|at| json!({ "point": at.to_string(), "about": at.doc(), "effects": Effect::at(at) }))
        .collect();
    let effects: Vec<_> = FORMS
        .iter()
        .map(|form| json!({ "name": form.name, "example": form.example, "about": form.doc }))
        .collect();
    json!({ "points": points, "effects": effects })
}

/// Points that can have the same done to them stand together.
fn text() -> String {
    let mut groups: Vec<(&[&str], Vec<At>)> = Vec::new();
    for at in At::all() {
        let can = Effect::at(at);
        match groups.iter_mut().find(|(known, _)| *known == can) {
            Some((_, points)) => points.push(at),
            None => groups.push((can, vec![at])),
        }
    }
    let width = At::all().map(|at| at.to_string().len()).max().unwrap_or(0);
    let mut text = String::new();
    for (can, points) in groups {
        text += &format!("{}\n", can.join(", "));
        for at in points {
            text += &format!("  {:width$}  {}\n", at.to_string(), at.doc());
        }
        text += "\n";
    }
    let width = FORMS.iter().map(|form| form.name.len()).max().unwrap_or(0);
    for form in FORMS {
        let key = if form.name == "delay" { "delay" } else { "do" };
        text += &format!("{:width$}  {}\n{:width$}  {key}: {}\n", form.name, form.doc, "", form.example);
    }
    text
}
