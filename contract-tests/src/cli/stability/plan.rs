//! Everything that can be wrong before a server is asked for anything is found out here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::ArgMatches;
use focus_contract::capacity::Thresholds;
use focus_contract::stability::baseline::{self, Baseline};
use focus_contract::stability::{Cancel, Kind, Limits, Pace, Plan, Report};

use crate::cli::choose::{self, Asked, Choice, Place, Variables};

/// A run, before it begins.
pub(super) struct Prepared {
    pub(super) task: Task,
    pub(super) choice: Choice,
    pub(super) server_pid: Option<u32>,
    pub(super) baseline: Option<PathBuf>,
    pub(super) in_ci: bool,
}

/// What is to be done.
pub(super) enum Task {
    /// A run of its own.
    New { plan: Plan, environment: String, limits: Limits, folder: PathBuf },
    /// One that ended early.
    Resumed { report: Box<Report>, path: PathBuf },
}

impl Prepared {
    /// Where the baseline of a run is, or will be.
    pub(super) fn baseline_path(&self, report: &Report, folder: &Path) -> PathBuf {
        let usual = || baseline::path(folder, &report.environment, report.plan.kind);
        self.baseline.clone().unwrap_or_else(usual)
    }
}

/// The baseline, if there is one yet.
pub(super) fn read_baseline(path: &Path) -> anyhow::Result<Option<Baseline>> {
    baseline::read(path).map_err(|why| anyhow::anyhow!(why))
}

/// A time as people write it.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time such as 90s, 5m or 1h");
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(parsed).map_err(|_| wrong())
}

pub(super) fn prepare(matches: &ArgMatches) -> anyhow::Result<Prepared> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
    let variables = Variables::of_this_process();
    let asked = Asked::of(matches, text("environment").into_iter().collect());
    let choice = choose::choose(&asked, &variables)?;
    let has_clock = match &choice.place {
        Place::Mock => true,
        Place::Server(remote) => {
            anyhow::ensure!(
                remote.allow_writes,
                "a stability run creates jobs: --allow-writes gives leave to"
            );
            remote.admin.is_some()
        }
    };
    let task = match path("resume") {
        Some(path) => resumed(path, text("environment").as_deref())?,
        None => {
            let held = has_clock && !matches.get_flag("real-time");
            let thresholds = path("thresholds").map(|path| Thresholds::read(&path)).transpose()?;
            let folder = path("report-dir").unwrap_or_else(|| PathBuf::from("reports"));
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
            Task::New {
                plan: planned(matches, if held { Pace::Held } else { Pace::Real }).check()?,
                environment: choice.environments.first().cloned().unwrap_or_default(),
                limits: thresholds.unwrap_or_default().stability,
                folder,
            }
        }
    };
    let prepared = Prepared {
        task,
        choice,
        server_pid: matches.get_one::<u32>("server-pid").copied(),
        baseline: path("baseline"),
        in_ci: variables.is_on("CI").unwrap_or(true),
    };
    prepared.check_baseline()?;
    Ok(prepared)
}

impl Prepared {
    /// A baseline that cannot be read is found out before an hour of measuring, and not after it.
    fn check_baseline(&self) -> anyhow::Result<()> {
        let place = match &self.task {
            Task::New { plan, environment, folder, .. } => {
                let usual = || baseline::path(folder, environment, plan.kind);
                self.baseline.clone().unwrap_or_else(usual)
            }
            Task::Resumed { report, path } => {
                self.baseline_path(report, path.parent().unwrap_or(Path::new(".")))
            }
        };
        read_baseline(&place).map(drop)
    }
}

fn planned(matches: &ArgMatches, pace: Pace) -> Plan {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    match text("soak") {
        Some("24h") => return Plan::soak(Kind::Soak24h, pace),
        Some(_) => return Plan::soak(Kind::Soak4h, pace),
        None => {}
    }
    let time = |name: &str| matches.get_one::<Duration>(name).copied();
    let plan = Plan::hour(pace);
    Plan {
        duration: time("duration").unwrap_or(plan.duration),
        interval: time("interval").unwrap_or(plan.interval),
        jobs: matches.get_one::<u32>("jobs").copied().unwrap_or(plan.jobs),
        cancel: if text("cancel") == Some("at-once") { Cancel::AtOnce } else { Cancel::AtEnd },
        ..plan
    }
}

/// The report of a run that ended early.
fn resumed(path: PathBuf, environment: Option<&str>) -> anyhow::Result<Task> {
    let shown = path.display();
    let text = std::fs::read_to_string(&path).with_context(|| format!("--resume {shown}"))?;
    let report = Report::resumable(&text).with_context(|| format!("--resume {shown}"))?;
    if let Some(environment) = environment.filter(|environment| *environment != report.environment) {
        let was = &report.environment;
        anyhow::bail!(
            "--resume {shown}: the run is of environment {was}, and --environment says {environment}"
        );
    }
    // Nothing but trying tells whether it can be written in the end.
    let writable = std::fs::OpenOptions::new().append(true).open(&path);
    writable.with_context(|| format!("--resume {shown} cannot be written"))?;
    Ok(Task::Resumed { report: Box::new(report), path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_what_people_write() {
        for (text, seconds) in [
            ("1h", Some(3600.0)),
            ("5m", Some(300.0)),
            ("36s", Some(36.0)),
            ("1h 30m", Some(5400.0)),
            ("250ms", Some(0.25)),
            ("0s", Some(0.0)),
            ("-5m", None),
            ("5", None),
            ("soon", None),
        ] {
            assert_eq!(duration(text).ok().map(|time| time.as_secs_f64()), seconds, "{text}");
        }
    }
}
