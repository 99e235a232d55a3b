//! `focus-contract capacity`: how many jobs at a time a server carries, and a report about what is missing.

mod progress;
mod said;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use focus_contract::capacity::plan::{levels_for, minimum_for};
use focus_contract::capacity::report::{Subject, write};
use focus_contract::capacity::run::{run as carry_out, run_shape};
use focus_contract::capacity::shapes::Shape;
use focus_contract::capacity::{Environment, Measured, Plan, Server, Standing, Thresholds, Verdict};
use focus_contract::client::admin::Admin;
use focus_contract::report::INTERRUPTED;
use focus_contract::stop::Stop;
use focus_contract::target::{Mock, Target, Targets};
use focus_contract::wall;

use super::choose::{self, Asked, Choice, Place, Variables};
use super::interrupt::Interrupted;
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
        .args([
            one("target", "mock|URL", "The server: a fresh mock, or the base of one that runs already"),
            one("grpc-host", "HOST", "Dial this host for streams instead of the one that answers name"),
            one("admin", "URL", "The server's admin interface, if it is a mock"),
            switch("allow-writes", "Create jobs on a server that runs already"),
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
The server is chosen as by `focus-contract run`, variables included.

Exit status: 0, the target is met, or the environment only has to carry the minimum and does, or its capacity is for \
information; 1, fewer jobs than the minimum on dev or staging, or jobs that were not gone at the end, or a shape whose \
demands are not met; 2, the run could not be done; 130, interrupted.

The first Ctrl-C ends the run, cancels its jobs and reports what was measured; the second ends at once.";

/// A run, before it begins.
struct Prepared {
    plan: Plan,
    shape: Option<Shape>,
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
    let (target, measured, interrupted) = done?;
    match prepared.shape {
        Some(shape) => Ok(end_of_shape(&prepared, shape, &measured, interrupted)),
        None => end(&prepared, &target, &measured, interrupted),
    }
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
    let choice = choose::choose(
        &Asked {
            target: text("target"),
            admin: text("admin"),
            grpc_host: text("grpc-host"),
            allow_writes: matches.get_flag("allow-writes"),
            environments: text("environment").into_iter().collect(),
            ..Asked::default()
        },
        &variables,
    )?;
    if let Place::Server(remote) = &choice.place {
        anyhow::ensure!(remote.allow_writes, "a capacity run creates jobs: --allow-writes gives leave to");
    }
    let folder =
        matches.get_one::<PathBuf>("report-dir").cloned().unwrap_or_else(|| PathBuf::from("reports"));
    let shape = text("shape").and_then(|name| Shape::ALL.into_iter().find(|shape| shape.name() == name));
    if shape.is_none() {
        std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    Ok(Prepared {
        plan: plan.check()?,
        shape,
        thresholds: thresholds.unwrap_or_default(),
        environment: Environment::named(choice.environments.first().map_or("", String::as_str)),
        choice,
        always: text("report").as_deref() == Some("always"),
        folder,
        in_ci: variables.is_on("CI").unwrap_or(true),
    })
}

/// What was measured where, and whether somebody interrupted it.
async fn measure(prepared: &Prepared) -> anyhow::Result<(String, Measured, bool)> {
    let told = |failure: focus_contract::failure::Failure| anyhow::anyhow!(failure.what);
    let stop = Arc::new(Stop::default());
    let interrupted = Interrupted::default();
    interrupted.listen(&stop)?;
    let (name, target): (_, Box<dyn Target>) = match &prepared.choice.place {
        Place::Mock => {
            let mocks = Mock { seed: 1 };
            let mock = mocks.next().map_err(told)?;
            // The mocks of cases stand still; this one is measured, and lives in real time.
            if let Some(admin) = mock.admin_url() {
                Admin::of(&admin)?.set_clock("system").await.map_err(told)?;
            }
            (mocks.name(), mock)
        }
        Place::Server(remote) => {
            let reached = remote.as_ref().clone().reach().await?;
            (reached.name(), Box::new(reached))
        }
    };
    let server = Server::of(target.as_ref()).map_err(told)?;
    let admin = target.admin_url().map(|admin| Admin::of(&admin)).transpose()?;
    let held = match admin {
        Some(admin) if admin.clock_mode().await.map_err(told)? == "manual" => Some(admin),
        _ => None,
    };
    let server = server.held_by(held);
    let plan = &prepared.plan;
    say(&said::beginning(&name, &prepared.choice.because, &prepared.environment, plan, prepared.shape));
    let mut progress = Progress::of(plan, prepared.shape, prepared.in_ci);
    let mut watcher = |event: focus_contract::capacity::run::Event<'_>| progress.sees(&event);
    let measured = match prepared.shape {
        Some(shape) => run_shape(shape, plan, &server, &stop, &mut watcher).await,
        // The cluster's pods are seen once the suite has a client of the Kubernetes API.
        None => carry_out(plan, &server, None, &stop, &mut watcher).await,
    };
    Ok((name, measured.map_err(told)?, interrupted.is_so()))
}

fn end(prepared: &Prepared, target: &str, measured: &Measured, interrupted: bool) -> anyhow::Result<u8> {
    let Prepared { plan, environment, thresholds, .. } = prepared;
    let subject = Subject { plan, environment, target, thresholds, measured, at: wall::timestamp() };
    say(&said::ending(&subject));
    let wanted = prepared.always || subject.standing() != Standing::Met;
    if wanted {
        let written = write(&subject, &prepared.folder)
            .with_context(|| format!("the report cannot be written to {}", prepared.folder.display()))?;
        say(&said::written(&written));
    }
    Ok(if interrupted {
        INTERRUPTED
    } else if subject.verdict() == Verdict::Failed || !measured.left_behind.is_empty() {
        1
    } else {
        0
    })
}

fn end_of_shape(prepared: &Prepared, shape: Shape, measured: &Measured, interrupted: bool) -> u8 {
    let (text, met) = said::shape(shape, measured, &prepared.thresholds);
    say(&text);
    match (interrupted, met && measured.left_behind.is_empty()) {
        (true, _) => INTERRUPTED,
        (false, true) => 0,
        (false, false) => 1,
    }
}
