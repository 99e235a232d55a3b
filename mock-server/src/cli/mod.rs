//! The command line: one file per command, and the flags that they share.

mod check;
mod ctl;
mod exec;
mod faults;
mod healthcheck;
mod http;
mod kubeconfig;
mod log;
mod quirks;
mod rehearse;
mod serve;
mod stream;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use focus_mock::settings::{FLAGS, Flag, Settings, Sources, VARIABLES};

/// Exit status of a command that could not do what it was asked to: bad arguments, bad files, busy ports.
const FAILED: u8 = 2;

pub(crate) fn run() -> ExitCode {
    let matches = command().get_matches();
    let done = match matches.subcommand() {
        None | Some(("serve", _)) => {
            let matches = matches.subcommand_matches("serve").unwrap_or(&matches);
            serve::run(matches)
        }
        Some(("check", matches)) => Ok(check::run(matches)),
        Some(("faults", matches)) => Ok(faults::run(matches)),
        Some(("rehearse", matches)) => rehearse::run(matches),
        Some(("ctl", matches)) => ctl::run(matches),
        Some(("exec", matches)) => exec::run(matches),
        Some(("healthcheck", matches)) => healthcheck::run(matches),
        Some(("kubeconfig", matches)) => kubeconfig::run(matches),
        Some(("quirks", matches)) => quirks::run(matches),
        Some(("stream", matches)) => stream::run(matches),
        Some((name, _)) => unreachable!("clap knows no command {name}"),
    };
    done.unwrap_or_else(|error| {
        eprintln!("focus-mock: {error:#}");
        ExitCode::from(FAILED)
    })
}

fn command() -> Command {
    Command::new("focus-mock")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A mock Focus Server: REST, gRPC streams and a simulated cluster, in one process, on loopback")
        .after_help(PRECEDENCE)
        .args_conflicts_with_subcommands(true)
        .args(server_flags())
        .arg(serve::print_config())
        .subcommand(
            Command::new("serve")
                .about("Start the server (what happens without a command, too)")
                .after_help(PRECEDENCE)
                .args(server_flags())
                .arg(serve::print_config()),
        )
        .subcommand(exec::command())
        .subcommand(stream::command())
        .subcommand(healthcheck::command())
        .subcommand(kubeconfig::command())
        .subcommand(check::command())
        .subcommand(quirks::command())
        .subcommand(rehearse::command())
        .subcommand(faults::command())
        .subcommand(ctl::command())
}

const PRECEDENCE: &str = "A flag wins over its variable, that over the configuration file, that over the default. \
                          --print-config shows every key with where its value was said.";

/// The flags of everything that starts a server or looks for one.
fn server_flags() -> impl Iterator<Item = Arg> {
    FLAGS.iter().map(|flag| {
        let help = format!("{} [env: {}]", flag.help, flag.variable());
        let action = if flag.is_repeatable() {
            ArgAction::Append
        } else if flag.is_switch() {
            ArgAction::SetTrue
        } else {
            ArgAction::Set
        };
        let arg = Arg::new(flag.name).long(flag.name).help(help).action(action);
        // A number below zero is a mistake about the flag's value and not an unknown flag.
        if flag.is_switch() { arg } else { arg.value_name(flag.value).allow_negative_numbers(true) }
    })
}

/// What everybody says: these arguments, the environment, the files that they name.
fn settings(
    matches: &ArgMatches,
    defaults: &'static [(&'static str, &'static str)],
) -> anyhow::Result<Settings> {
    let said = |flag: &'static Flag| -> Vec<(&'static Flag, String)> {
        // A command may have only some of the flags.
        if flag.is_switch() {
            let said = matches.try_get_one::<bool>(flag.name).ok().flatten().copied().unwrap_or(false);
            return said.then(|| (flag, String::from("true"))).into_iter().collect();
        }
        let said = matches.try_get_many::<String>(flag.name).ok().flatten();
        said.into_iter().flatten().map(|text| (flag, text.clone())).collect()
    };
    // What others are called is not our business, even if it is no text.
    let named = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
    let ours = std::env::vars_os().filter_map(named).filter(|(name, _)| name.starts_with(VARIABLES));
    let texts = ours.map(|(name, value)| match value.into_string() {
        Ok(text) => Ok((name, text)),
        Err(value) => Err(anyhow::anyhow!("{name}: not a text in UTF-8: {}", value.display())),
    });
    let sources = Sources {
        flags: FLAGS.iter().flat_map(said).collect(),
        environment: texts.collect::<anyhow::Result<_>>()?,
        defaults,
    };
    Ok(Settings::gather(&sources)?)
}
