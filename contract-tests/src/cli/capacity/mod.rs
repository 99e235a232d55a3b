//! `focus-contract capacity`: how many jobs at a time a server carries, and a report about what is missing.

mod progress;
mod said;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use focus_contract::capacity::cluster::ClusterView;
use focus_contract::capacity::plan::{levels_for, minimum_for};
use focus_contract::capacity::report::{Subject, stem, write};
use focus_contract::capacity::results::Finished;
use focus_contract::capacity::run::{Load, carry_out};
use focus_contract::capacity::shapes::Shape;
use focus_contract::capacity::{Environment, Measured, Plan, Server, Standing, Thresholds};
use focus_contract::pace::Pacer;
use focus_contract::report::INTERRUPTED;
use focus_contract::series::append;
use focus_contract::stop::Stop;
use focus_contract::wall;

use super::choose::{self, Asked, Choice, Place, Variables};
use super::interrupt::Interrupted;
use super::reach::{Reached, told};
use super::say;
use progress::Progress;

pub(super) fn command() -> Command {
    let one = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let number =
        |name, value, help| one(name, value, help).value_parser(value_parser!(u32).range(1..=100_000));
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    Command::new("capacity")
        .about("Measure how many jobs at a time a server carries, and report what is missing")
        .after_help(AFTER)
        .args(choose::arguments(
            "The server: a fresh mock, or the base of one that runs already",
            "Create jobs on a server that runs already",
        ))
        .arg(choose::grpc_host())
        .args([
            number("jobs", "N", "How many jobs at a time are wanted").default_value("200"),
            number("minimum", "N", "How many are enough [default: 80 % of --jobs]"),
            number("levels", "N,N,...", "How many are fired together, level by level").value_delimiter(','),
            one(
                "environment",
                "NAME",
                "What the server is called where it runs; dev and staging must carry the minimum",
            ),
            number("workers", "N", "Most configures in flight").default_value("50"),
            switch("stream", "Read every stream of every job of a level while it holds"),
            one("hold", "SECONDS", "How long a level is held for reading")
                .value_parser(value_parser!(u64).range(1..=3600))
                .default_value("5"),
            switch("accumulate", "Let the jobs of a level live on while the next ones are fired"),
            one("shape", "NAME", "Fire this rate shape instead of levels, open-loop")
                .value_parser(Shape::ALL.map(Shape::name))
                .conflicts_with_all(["levels", "accumulate", "report", "minimum"]),
            one("thresholds", "FILE", "Profile to hold the run against [default: the contract's]")
                .value_parser(value_parser!(PathBuf)),
            one("report", "WHEN", "When the report is written")
                .value_parser(["always", "when-missed"])
                .default_value("when-missed"),
            one("report-dir", "DIR", "Where it is written")
                .value_parser(value_parser!(PathBuf))
                .default_value("reports"),
        ])
}

const AFTER: &str = "\
The server and its cluster are chosen as by `focus-contract run`, variables included.

Exit status: 0, the target is met, or the environment only has to carry the minimum and does, or its capacity is for \
information; 1, fewer jobs than the minimum on dev or staging, or jobs that were not gone at the end, or a shape whose \
demands are not met; 2, the run could not be done; 130, interrupted.

The first Ctrl-C ends the run, cancels its jobs and reports what was measured; the second ends at once.";

/// A run, before it begins.
struct Prepared {
    plan: Plan,
    load: Load,
    thresholds: Thresholds,
    environment: Environment,
    choice: Choice,
    always: bool,
    folder: PathBuf,
    in_ci: bool,
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let prepared = prepare(matches)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(measure(&prepared));
    runtime.shutdown_background();
    end(&prepared, &done?)
}

/// Everything that can be wrong before a server is asked for anything is found out here.
fn prepare(matches: &ArgMatches) -> anyhow::Result<Prepared> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let number = |name: &str| matches.get_one::<u32>(name).copied();
    let target = number("jobs").unwrap_or(200);
    let levels: Vec<u32> = matches.get_many("levels").into_iter().flatten().copied().collect();
    let plan = Plan {
        minimum: number("minimum").unwrap_or_else(|| minimum_for(target)),
        levels: if levels.is_empty() { levels_for(target) } else { levels },
        workers: number("workers").unwrap_or(50),
        accumulate: matches.get_flag("accumulate"),
        read: matches
            .get_flag("stream")
            .then(|| Duration::from_secs(matches.get_one("hold").copied().unwrap_or(5))),
        ..Plan::of(target)
    };
    let thresholds =
        matches.get_one::<PathBuf>("thresholds").map(|path| Thresholds::read(path)).transpose()?;
    let variables = Variables::of_this_process();
    let asked = Asked::of(matches, text("environment").into_iter().collect());
    let choice = choose::choose(&asked, &variables)?;
    if let Place::Server(remote) = &choice.place {
        anyhow::ensure!(remote.allow_writes, "a capacity run creates jobs: --allow-writes gives leave to");
    }
    let folder =
        matches.get_one::<PathBuf>("report-dir").cloned().unwrap_or_else(|| PathBuf::from("reports"));
    let shape = text("shape").and_then(|name| Shape::ALL.into_iter().find(|shape| shape.name() == name));
    let plan = plan.check()?;
    std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let environment = Environment::named(choice.environments.first().map_or("", String::as_str));
    try_out(&folder, &environment)
        .with_context(|| format!("reports cannot be written to {}", folder.display()))?;
    Ok(Prepared {
        plan,
        load: shape.map_or(Load::Levels, Load::Shape),
        thresholds: thresholds.unwrap_or_default(),
        environment,
        choice,
        always: text("report").as_deref() == Some("always"),
        folder,
        in_ci: variables.is_on("CI").unwrap_or(true),
    })
}

/// Finds out before the first configure whether a report of that name can be written there.
fn try_out(folder: &Path, environment: &Environment) -> std::io::Result<()> {
    let path = folder.join(format!("{}.json", stem(environment.name(), wall::timestamp())));
    std::fs::File::create_new(&path)?;
    std::fs::remove_file(path)
}

/// A run that is over.
struct Over {
    target: String,
    measured: Measured,
    interrupted: bool,
    broke_off: Option<String>,
}

async fn measure(prepared: &Prepared) -> anyhow::Result<Over> {
    let stop = Arc::new(Stop::default());
    let interrupted = Interrupted::default();
    interrupted.listen(&stop)?;
    let Reached { target, name, admin, cluster, is_own } = Reached::at(&prepared.choice.place).await?;
    let mut held = None;
    if let Some(admin) = admin {
        if is_own {
            // The mocks of cases stand still; this one is measured, and lives in real time.
            admin.set_clock("system").await.map_err(told)?;
        } else if admin.clock_mode().await.map_err(told)? == "manual" {
            held = Some(admin);
        }
    }
    let server = Server::of(target.as_ref()).map_err(told)?.paced_by(Pacer::of(held, target.patience()));
    let (plan, load) = (&prepared.plan, prepared.load);
    say(&said::beginning(&name, prepared, target.kube().as_ref()));
    let mut progress = Progress::of(plan, load, prepared.in_ci);
    let mut watcher = |event: focus_contract::capacity::run::Event<'_>| progress.sees(&event);
    let seen = cluster.as_ref().map(|cluster| cluster as &dyn ClusterView);
    let (measured, broke) = carry_out(plan, load, &server, seen, &stop, &mut watcher).await;
    let broke_off = broke.map(|failure| failure.what);
    Ok(Over { target: name, measured, interrupted: interrupted.is_so(), broke_off })
}

/// Says and keeps what there is, also of a run that did not come to its end.
fn end(prepared: &Prepared, over: &Over) -> anyhow::Result<u8> {
    let Prepared { plan, environment, thresholds, folder, load, .. } = prepared;
    let Over { target, measured, interrupted, broke_off } = over;
    let subject = Subject { plan, environment, target, thresholds, measured, at: wall::timestamp() };
    let (interrupted, broke_off) = (*interrupted, broke_off.as_deref());
    let finished = Finished { subject, load: *load, interrupted, broke_off };
    let cannot = |what: &str| format!("{what} cannot be written to {}", folder.display());
    match load {
        Load::Shape(shape) => say(&said::shape(*shape, &finished)),
        Load::Levels => {
            let subject = &finished.subject;
            say(&said::ending(&finished));
            // Of what was not measured to its end nothing can be said that somebody should act upon.
            let due = prepared.always || subject.standing() != Standing::Met;
            if due && finished.unfinished().is_none() {
                say(&said::written(&write(subject, folder).with_context(|| cannot("the report"))?));
            }
        }
    }
    let results = finished.write(folder).with_context(|| cannot("the results"))?;
    let entry = finished.entry();
    let appended = entry.map(|entry| append(folder, &entry)).transpose();
    say(&said::kept(&results, appended.with_context(|| cannot("the series"))?.as_ref()));
    if interrupted {
        return Ok(INTERRUPTED);
    }
    anyhow::ensure!(broke_off.is_none(), "the run broke off: {}", broke_off.unwrap_or_default());
    Ok(u8::from(!finished.passed()))
}
