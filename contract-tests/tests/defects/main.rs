//! The suite's own tests with teeth: Focus Servers that are broken in one way each, and the case that must notice.
//!
//! A broken server is the mock behind somebody who spoils one thing. Each row of [`rows::all`] must make its case fail
//! with words that say what is wrong: without a panic, without hanging, and not because it could not be told. The same
//! case must pass when nothing is spoilt. `cargo test -p focus-contract --test defects -- --list` lists the rows;
//! `DEFECTS=table` prints them as Markdown, with what each case says.

mod broken;
mod cluster;
mod goaway;
mod port;
mod proxy;
mod raw;
mod rows;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Duration;

use broken::{Broken, Defect, Spoil};
use focus_contract::case::Capability;
use focus_contract::cases;
use focus_contract::failure::Failure;
use focus_contract::runner::{Manner, Outcome, Told, tell};
use libtest_mimic::{Arguments, Failed, Trial};

/// Far beyond what any row takes: a case that hangs fails with other words than the row expects.
const LIMIT: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    if std::env::var("DEFECTS").is_ok_and(|what| what == "table") {
        print!("{}", table());
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let mut trials = vec![
        Trial::test("table/is-complete", || complete().map_err(Failed::from)),
        Trial::test("limit/a-case-that-hangs-is-ended", || limited().map_err(Failed::from)),
    ];
    for defect in rows::all() {
        let name = format!("{}/{}", defect.area(), defect.name.replace([' ', ','], "-"));
        trials.push(Trial::test(name, || noticed(defect).map_err(Failed::from)));
    }
    for (name, (case, spoil)) in untouched() {
        trials.push(Trial::test(format!("nothing-spoilt/{name}"), move || passes(case, spoil)));
    }
    trials.extend(whole::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Tells a case on a broken server.
fn told(case: &str, spoil: Spoil, limit: Duration, patience: Option<Duration>) -> Result<Told, String> {
    let case = cases::find(case).ok_or_else(|| format!("there is no case {case}"))?;
    let runtime = runtime()?;
    let manner = Manner { limit, ..Manner::default() };
    runtime.block_on(async {
        let server = Broken::start(spoil, patience).await?;
        Ok(tell(case, &server, manner).await)
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().map_err(|error| error.to_string())
}

/// What a case says of a defect.
fn failure(defect: &Defect) -> Result<Failure, String> {
    // Who never answers must not be waited for as long as in earnest.
    let patience = defect.spoil.stalls().then(|| Duration::from_secs(1));
    match told(defect.case, defect.spoil, LIMIT, patience)?.outcome {
        Outcome::Failed(failure) => Ok(failure),
        Outcome::Passed => Err(format!("{} passed: it does not notice", defect.case)),
        Outcome::CouldNotRun(failure) => Err(format!("{} could not be told: {failure}", defect.case)),
        Outcome::Skipped(why) => Err(format!("{} was skipped: {why}", defect.case)),
    }
}

fn noticed(defect: &Defect) -> Result<(), String> {
    let said = failure(defect)?.to_string();
    if said.contains("the case itself panicked") || !said.contains(defect.says) {
        return Err(format!("{} says something else than {:?}:\n{said}", defect.case, defect.says));
    }
    Ok(())
}

/// Every case that a row names, once for each way in which its server is reached.
fn untouched() -> BTreeMap<String, (&'static str, Spoil)> {
    let rows = rows::all();
    let ways = rows.map(|defect| match defect.spoil {
        Spoil::Frames(_) | Spoil::Silent => {
            (format!("{}-through-a-port", defect.case), (defect.case, Spoil::Frames(port::UNSPOILT)))
        }
        Spoil::Goaway(..) => {
            (format!("{}-through-a-wire", defect.case), (defect.case, Spoil::Goaway(u32::MAX, 0)))
        }
        spoil if spoil.is_of_cluster() => (
            format!("{}-through-a-cluster", defect.case),
            (defect.case, Spoil::Objects(|object| vec![object])),
        ),
        _ => (defect.case.to_owned(), (defect.case, Spoil::NOTHING)),
    });
    ways.collect()
}

fn passes(case: &str, spoil: Spoil) -> Result<(), Failed> {
    let told = told(case, spoil, LIMIT, None)?;
    if !told.left_behind.is_empty() {
        return Err(format!("left behind: {:?}", told.left_behind).into());
    }
    match told.outcome {
        Outcome::Passed => Ok(()),
        Outcome::Failed(failure) | Outcome::CouldNotRun(failure) => {
            Err(format!("the proxy alone breaks {case}: {failure}").into())
        }
        Outcome::Skipped(why) => Err(format!("{case} was skipped: {why}").into()),
    }
}

fn complete() -> Result<(), String> {
    let rows: Vec<_> = rows::all().collect();
    if rows.len() < 40 {
        return Err(format!("{} rows are too few", rows.len()));
    }
    let unknown: Vec<_> =
        rows.iter().filter(|row| cases::find(row.case).is_none()).map(|row| row.case).collect();
    if !unknown.is_empty() {
        return Err(format!("there are no cases {unknown:?}"));
    }
    let areas: BTreeSet<_> = cases::all().map(|case| case.area()).collect();
    let held: BTreeSet<_> = rows.iter().map(|row| row.area()).collect();
    if areas != held {
        return Err(format!("no defect for {:?}", areas.difference(&held).collect::<Vec<_>>()));
    }
    // Whatever else a cluster is asked, each of its cases is known to notice something.
    let held: BTreeSet<_> = rows.iter().map(|row| row.case).collect();
    let of_cluster = cases::all().filter(|case| case.needs.contains(&Capability::K8s)).map(|case| case.id);
    let unheld: Vec<_> = of_cluster.filter(|id| !held.contains(id)).collect();
    if !unheld.is_empty() {
        return Err(format!("no defect for the cases {unheld:?}"));
    }
    let names: BTreeSet<_> = rows.iter().map(|row| (row.area(), row.name)).collect();
    if names.len() != rows.len() {
        return Err(String::from("two rows have one name"));
    }
    Ok(())
}

/// Where a server would be waited for longer than a case may take, the case's own limit ends it.
fn limited() -> Result<(), String> {
    let told = told("fibre/channels-stable", Spoil::Raw(raw::Raw::Stall), Duration::from_secs(1), None)?;
    match told.outcome {
        Outcome::Failed(failure) if failure.what.starts_with("it did not end within 1 s") => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn table() -> String {
    let mut table = String::from("| Defect | Area | Case | What it says |\n|---|---|---|---|\n");
    for defect in rows::all() {
        let said = failure(defect).map_or_else(|why| format!("NOT NOTICED: {why}"), |failure| failure.what);
        let said = said.lines().next().unwrap_or_default().replace('|', "\\|");
        let said: String = said.chars().take(160).collect();
        table.push_str(&format!("| {} | {} | `{}` | {said} |\n", defect.name, defect.area(), defect.case));
    }
    table
}
