//! `focus-mock ctl`: the admin interface for shells. Each command is one request; what comes back is shown for people, or
//! as it came.

mod ask;
mod command;
mod show;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::ArgMatches;
use focus_mock::client::{Admin, Error};
use serde_json::Value;

use super::healthcheck::Place;

pub(super) use command::command;

/// A request, how its answer is shown, and whether the answer is a "no".
struct Ask {
    method: &'static str,
    path: String,
    body: Option<String>,
    show: fn(&Value) -> String,
    is_no: fn(&Value) -> bool,
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let ask = ask::of(matches)?;
    let admin = admin(matches)?;
    match admin.call(ask.method, &ask.path, ask.body.as_deref()) {
        Ok(answer) => {
            let text = if matches.get_flag("json") { answer.to_string() } else { (ask.show)(&answer) };
            // Whoever reads it may have seen enough; that is no failure.
            let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
            Ok(if (ask.is_no)(&answer) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Err(error @ Error::Refused { .. }) => {
            eprintln!("focus-mock: {error}");
            Ok(ExitCode::FAILURE)
        }
        Err(error @ (Error::NoAnswer { .. } | Error::Strange { .. })) => Err(error.into()),
    }
}

/// Where the interface is: said here, by `exec` to its command, or as whoever started the server said it.
fn admin(matches: &ArgMatches) -> anyhow::Result<Admin> {
    let settings = super::settings(matches, &[])?;
    let token = settings.config.admin_token.clone();
    let said = matches.get_one::<String>("admin-url").cloned();
    let given = || std::env::var("FOCUS_ADMIN_URL").ok().filter(|url| !url.is_empty());
    let base = match said.or_else(given) {
        Some(url) if url.contains("://") => url,
        Some(address) => format!("http://{address}"),
        None => {
            Place::of(&settings)?.admin.context("the admin interface is off: say where it is with --admin")?
        }
    };
    Ok(Admin::connect(&base, token))
}
