//! `focus-contract stability`: whether a server stays as it was, for an hour or a day.

mod plan;
mod progress;
mod said;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use focus_contract::capacity::Server;
use focus_contract::client::admin::Admin;
use focus_contract::failure::Failure;
use focus_contract::pace::Pacer;
use focus_contract::report::INTERRUPTED;
use focus_contract::series;
use focus_contract::stability::baseline;
use focus_contract::stability::file::Kept;
use focus_contract::stability::run::Surroundings;
use focus_contract::stability::{Event, Probe, Report, Verdict, run as carry_out};
use focus_contract::stop::Stop;
use focus_contract::wall;

use super::choose;
use super::interrupt::Interrupted;
use super::reach::{Reached, told};
use super::say;
use plan::{Prepared, Task, prepare, read_baseline};
use progress::Progress;

pub(super) fn command() -> Command {
    let one = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let path = |name, value, help| one(name, value, help).value_parser(value_parser!(PathBuf));
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    Command::new("stability")
        .about("Watch whether a server stays as it was under light load, for an hour or a day")
        .after_help(AFTER)
        .args(choose::arguments(
            "The server: a fresh mock, or the base of one that runs already",
            "Create jobs on a server that runs already",
        ))
        .mut_arg("admin", |admin| {
            admin.help("The server's admin interface, if it is a mock: its clock is held, unless --real-time")
        })
        .args([
            one("environment", "NAME", "What the server is called where it runs"),
            one("duration", "TIME", "How long it is watched [default: 1h]").value_parser(plan::duration),
            one("interval", "TIME", "From each sample to the next [default: 5m]").value_parser(plan::duration),
            one("jobs", "N", "Configures of a sample, fired together [default: 1]")
                .value_parser(value_parser!(u32).range(1..=1000)),
            one("cancel", "WHEN", "When the jobs of a sample are cancelled; until then the server's sweep has them [default: at-end]")
                .value_parser(["at-once", "at-end"]),
            one("soak", "4h|24h", "A soak instead, with its rules: 3 jobs every 10 minutes, cancelled at once")
                .value_parser(["4h", "24h"])
                .conflicts_with_all(["duration", "interval", "jobs", "cancel"]),
            switch("real-time", "Wait for real also where the server's clock could be held"),
            one("server-pid", "PID", "The server's process, where it is one of this machine")
                .value_parser(value_parser!(u32).range(1..)),
            path("thresholds", "FILE", "Profile to hold the run against [default: the contract's]"),
            path("baseline", "FILE", "The run to compare with; stored there by the first that passes [default: in --report-dir]"),
            path("report-dir", "DIR", "Where the report is kept [default: reports]"),
            path("resume", "REPORT", "Go on with a run that ended early, in its report").conflicts_with_all([
                "duration",
                "interval",
                "jobs",
                "cancel",
                "soak",
                "real-time",
                "thresholds",
                "report-dir",
            ]),
        ])
}

const AFTER: &str = "\
The server is chosen as by `focus-contract run`, variables included. Times are such as 90s, 5m, 1h.

Where the server's clock can be held (a mock of its own, or --admin with --allow-writes) it is, and moved on from sample to \
sample: an hour takes seconds. It goes as before at the end. Elsewhere the run waits for real.

The report is written after every sample. A run that ended early goes on with --resume.

Exit status: 0, no hard rule is broken; 1, one is; 2, the run could not be done; 130, interrupted.

The first Ctrl-C ends the run, cancels its jobs and keeps the report; the second ends at once.";

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let prepared = prepare(matches)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(watch(prepared));
    runtime.shutdown_background();
    done
}

async fn watch(prepared: Prepared) -> anyhow::Result<u8> {
    let stop = Arc::new(Stop::default());
    let interrupted = Interrupted::default();
    interrupted.listen(&stop)?;
    let reached = tokio::select! {
        reached = Reached::at(&prepared.choice.place) => reached?,
        () = stop.now() => return Ok(INTERRUPTED),
    };
    let is_own = reached.is_own;
    let mut probe =
        Probe::of(reached.admin.clone(), reached.cluster.clone(), prepared.server_pid).map_err(told)?;
    let (mut report, kept) = begin(&prepared, &reached.name, is_own)?;
    let held = hold(&mut report, &kept, reached.admin.as_ref(), is_own).await?;
    let pacer = Pacer::of(held.clone(), reached.target.patience()).after(report.plan.due(report.taken() + 1));
    let server = Server::of(reached.target.as_ref()).map_err(told)?.paced_by(pacer);
    say(&said::beginning(&report, &prepared.choice.because, kept.path()));
    let progress = Progress::of(&report, prepared.in_ci);
    let done = {
        let mut keeper = |report: &Report| {
            let path = kept.path().display();
            kept.write(report)
                .map_err(|error| Failure::could_not_run(format!("{path} cannot be written: {error}")))
        };
        let mut watcher = |event: Event<'_>| progress.sees(&event);
        let with = Surroundings {
            server: &server,
            probe: &mut probe,
            stop: &stop,
            keeper: &mut keeper,
            watcher: &mut watcher,
        };
        carry_out(&mut report, with).await
    };
    drop(progress);
    // Whatever came of the run, the clock of a server that others use goes on as before.
    if let (Some(admin), Some(mode)) = (held, &report.clock_before)
        && !is_own
        && let Err(failure) = admin.set_clock(mode).await
    {
        eprintln!("focus-contract: the server's clock could not be set back to {mode}: {}", failure.what);
    }
    done.map_err(|failure| {
        anyhow::anyhow!("{}; what was seen is kept: --resume {}", failure.what, kept.path().display())
    })?;
    end(&prepared, &mut report, &kept, interrupted.is_so())
}

/// The report that is gone on with, or a new one; its file is there from now on.
fn begin(prepared: &Prepared, target: &str, is_own: bool) -> anyhow::Result<(Report, Kept)> {
    let now = wall::timestamp();
    match &prepared.task {
        Task::New { plan, environment, limits, folder } => {
            let mut report = Report::begin(plan.clone(), environment, target, *limits, now);
            if is_own && prepared.server_pid.is_none() {
                report.notes.push(String::from(
                    "the mock is a part of the suite's process: the server's memory and CPU are those of both together",
                ));
            }
            let kept = Kept::create(folder, &report)
                .with_context(|| format!("the report cannot be written to {}", folder.display()))?;
            Ok((report, kept))
        }
        Task::Resumed { report, path } => {
            let (mut report, shown) = (report.as_ref().clone(), path.display());
            anyhow::ensure!(
                report.target == target,
                "--resume {shown}: the run was against {}, and the target is {target} now",
                report.target
            );
            report.go_on(now);
            if is_own {
                // Ids begin anew with the mock: those of the one before would mean other jobs now.
                report.jobs_left.clear();
                report.restarts_before = None;
                report
                    .notes
                    .push(String::from("the mock of its own was started anew when the run was resumed"));
            }
            Ok((report, Kept::again(path.clone())))
        }
    }
}

/// Holds the server's clock where the plan says so. What made it go before is kept in the report first, so that also
/// whoever resumes the run knows it.
async fn hold(
    report: &mut Report,
    kept: &Kept,
    admin: Option<&Admin>,
    is_own: bool,
) -> anyhow::Result<Option<Admin>> {
    let mode = match admin {
        Some(admin) => Some(admin.clock_mode().await.map_err(told)?),
        None => None,
    };
    if !report.is_held() {
        if let Some(admin) = admin.filter(|_| is_own) {
            admin.set_clock("system").await.map_err(told)?;
        } else if mode.as_deref() == Some("manual") {
            anyhow::bail!(
                "the server's clock stands still (mode manual): without --real-time the run moves it on"
            );
        } else if let Some(mode) = mode.filter(|mode| mode != "system") {
            report
                .notes
                .push(format!("the server's clock was in mode {mode}, and samples were due in real time"));
        }
        return Ok(None);
    }
    let admin =
        admin.context("the run was begun on a held clock: --admin must name the server's admin interface")?;
    // A run that was killed left the clock held: how it went before is in the report.
    report.clock_before = report.clock_before.take().or(mode);
    kept.write(report).with_context(|| format!("{} cannot be written", kept.path().display()))?;
    admin.set_clock("manual").await.map_err(told)?;
    Ok(Some(admin.clone()))
}

fn end(prepared: &Prepared, report: &mut Report, kept: &Kept, interrupted: bool) -> anyhow::Result<u8> {
    if !report.complete {
        say(&said::early(report, kept.path()));
        return Ok(if interrupted { INTERRUPTED } else { super::FAILED });
    }
    let shown = kept.path().display().to_string();
    let name = kept.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    let place = prepared.baseline_path(report, kept.folder());
    let stored = match &read_baseline(&place)? {
        Some(baseline) => {
            report.comparison = Some(baseline::compare(baseline, report));
            false
        }
        // A short try is nothing that later runs are to be held against, unless somebody says so.
        None if prepared.baseline.is_none() && !report.plan.is_full() => false,
        None => baseline::store(&place, report, &name)
            .with_context(|| format!("the baseline {} cannot be written", place.display()))?,
    };
    kept.write(report).with_context(|| format!("{shown} cannot be written"))?;
    let pages =
        kept.write_for_people(report).with_context(|| format!("beside {shown} nothing can be written"))?;
    let appended = series::append(kept.folder(), &report.entry())
        .with_context(|| format!("the series in {} cannot be written", kept.folder().display()))?;
    say(&said::ending(report));
    say(&said::written(kept.path(), &pages, &appended, stored.then_some(place.as_path())));
    Ok(if interrupted {
        INTERRUPTED
    } else if report.verdict == Some(Verdict::Failed) {
        1
    } else {
        0
    })
}
