//! Instructions of a server, counted by valgrind's callgrind.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::server::{Connection, Request, Server};

/// Enough that what happens once, at the start, is the same in both.
const FEW: u32 = 200;
const MORE: u32 = 1000;

/// What asking rules consists of. Asking whether there are any is a load and a comparison, compiled into its callers.
const LAYER: [&str; 5] = [
    "focus_mock::sim::simulation::Simulation::judge",
    "focus_mock::sim::faults::table::Faults::judge",
    "focus_mock::sim::faults::table::Faults::asks_bodies_of",
    "focus_mock::sim::faults::table::Faults::stands_at",
    "focus_mock::api::rest::router::judge",
];
const RECORDS: [&str; 1] = ["focus_mock::api::rest::router::Telling::write"];

/// Instructions of one request.
pub(crate) struct Costs {
    pub(crate) all: f64,
    /// Of those, in functions of the layer.
    pub(crate) layer: f64,
    /// And in the record that is kept of it.
    pub(crate) records: f64,
}

impl Costs {
    pub(crate) fn percent(&self, instructions: f64) -> f64 {
        100.0 * instructions / self.all
    }
}

/// Whether there is no valgrind.
pub(crate) fn is_missing() -> bool {
    let silent = || Stdio::null();
    !Command::new("valgrind")
        .arg("--version")
        .stdout(silent())
        .stderr(silent())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a request costs on a server with these rules.
pub(crate) fn per_request(request: &Request, scenario: Option<&str>) -> anyhow::Result<Costs> {
    let (few, more) = (count(request, FEW, scenario)?, count(request, FEW + MORE, scenario)?);
    let each = |costs: fn(&Counted) -> u64| (costs(&more) as f64 - costs(&few) as f64) / f64::from(MORE);
    Ok(Costs { all: each(|counted| counted.all), layer: each(|c| c.layer), records: each(|c| c.records) })
}

struct Counted {
    all: u64,
    layer: u64,
    records: u64,
}

fn count(request: &Request, times: u32, scenario: Option<&str>) -> anyhow::Result<Counted> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("callgrind.out");
    let mut command = Command::new("valgrind");
    command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(env!("CARGO_BIN_EXE_focus-mock"));
    let server = Server::start(command, &[], scenario)?;
    let mut connection = Connection::to(server.rest)?;
    for _ in 0..times {
        connection.ask(request)?;
    }
    drop(connection);
    server.stop()?;
    read(&out)
}

/// Reads callgrind's file: `fn=` begins the costs of a function, `calls=` a line with what its callee took.
fn read(out: &Path) -> anyhow::Result<Counted> {
    let text = std::fs::read_to_string(out).context("what callgrind wrote")?;
    let mut names: HashMap<&str, &str> = HashMap::new();
    let (mut function, mut callee, mut is_call) = ("", "", false);
    let mut counted = Counted { all: 0, layer: 0, records: 0 };
    for line in text.lines() {
        if let Some(total) = line.strip_prefix("totals:").or_else(|| line.strip_prefix("summary:")) {
            counted.all = total.trim().parse().context("a total")?;
        } else if let Some(name) = line.strip_prefix("fn=") {
            function = named(name, &mut names);
        } else if let Some(name) = line.strip_prefix("cfn=") {
            callee = named(name, &mut names);
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let cost: u64 = line.split(' ').nth(1).and_then(|cost| cost.parse().ok()).unwrap_or_default();
            // What a call took belongs to its caller; between two of the same kind it would count twice.
            let of = |kind: &[&str]| kind.contains(&function) && !(is_call && kind.contains(&callee));
            counted.layer += if of(&LAYER) { cost } else { 0 };
            counted.records += if of(&RECORDS) { cost } else { 0 };
            is_call = false;
        }
    }
    anyhow::ensure!(counted.all > 0, "callgrind counted nothing");
    anyhow::ensure!(counted.records > 0, "the program has no symbols, or they have changed: see RECORDS");
    Ok(counted)
}

/// The name of a function, which is written out once and a number from then on: `(12) name`, then `(12)`.
fn named<'a>(text: &'a str, names: &mut HashMap<&'a str, &'a str>) -> &'a str {
    match text.split_once(' ') {
        Some((number, name)) => {
            names.insert(number, name);
            name
        }
        None => names.get(text).copied().unwrap_or_default(),
    }
}
