//! `focus-mock healthcheck`: whether a server answers, for containers and scripts.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use focus_mock::settings::Settings;
use focus_mock::{Addresses, Tls};
use serde::Deserialize;

use super::exec::reachable;
use super::http;

pub(super) fn command() -> Command {
    Command::new("healthcheck")
        .about("Ask a running server whether it is well: exit status 0 if it is, 1 if not")
        .after_help(
            "Flags, variables and files say where the server is as they said it when it was started; \
             where a port was 0, the port file does. The admin interface is asked, or, where that is off, the product's.",
        )
        .args(super::server_flags())
        .arg(
            Arg::new("ready")
                .long("ready")
                .action(ArgAction::SetTrue)
                .help("Also ask whether the simulated server serves the product's routes"),
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("SECONDS")
                .default_value("3")
                .value_parser(value_parser!(u64).range(1..=600))
                .help("How long it may take to answer"),
        )
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let settings = super::settings(matches, &[])?;
    let ready = matches.get_flag("ready");
    let place = Place::of(&settings)?;
    let (url, is_admin) = match (&place.admin, ready) {
        (Some(admin), false) => (format!("{admin}/livez"), true),
        (Some(admin), true) => (format!("{admin}/readyz"), true),
        (None, _) => (format!("{}/ack", place.rest), false),
    };
    let timeout = Duration::from_secs(*matches.get_one::<u64>("timeout").unwrap_or(&3));
    let token = settings.config.admin_token.as_ref().filter(|_| is_admin);
    match http::get(&url, timeout, token) {
        // Without the admin interface, a product that says that it is down is a server that is well.
        Ok(answer) if answer.status == 200 || (!is_admin && !ready) => {
            println!("{url} answers {}", answer.status);
            Ok(ExitCode::SUCCESS)
        }
        Ok(answer) => {
            eprintln!("focus-mock: {url} answers {}: {}", answer.status, answer.body.trim());
            Ok(ExitCode::FAILURE)
        }
        Err(error) => {
            eprintln!("focus-mock: {url} does not answer: {error:#}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Bases of a server's interfaces.
#[derive(Deserialize)]
pub(super) struct Place {
    rest: String,
    pub(super) admin: Option<String>,
}

impl Place {
    pub(super) fn of(settings: &Settings) -> anyhow::Result<Self> {
        let Addresses::Given { listen, admin, .. } = &settings.config.addresses else {
            anyhow::bail!("settings always give addresses")
        };
        if listen.port() == 0 || admin.is_some_and(|admin| admin.port() == 0) {
            let file = settings.port_file.as_deref().context(
                "a port is 0, so only the port file can tell where the server is: give --port-file",
            )?;
            return Self::read(file).with_context(|| format!("port file {}", file.display()));
        }
        let scheme = match settings.config.tls {
            None => "http",
            Some(Tls::SelfSigned | Tls::Files { .. }) => "https",
        };
        Ok(Self {
            rest: format!("{scheme}://{}", reachable(*listen)),
            admin: admin.map(|admin| format!("http://{}", reachable(admin))),
        })
    }

    fn read(file: &Path) -> anyhow::Result<Self> {
        Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?)
    }
}
