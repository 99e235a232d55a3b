//! `focus-mock kubeconfig`: what kubectl and every other client of the Kubernetes API need to find a server.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command};
use focus_mock::kubeconfig::Reach;
use focus_mock::settings::Settings;
use focus_mock::{Addresses, Tls};
use serde::Deserialize;

use super::exec::reachable;

pub(super) fn command() -> Command {
    Command::new("kubeconfig")
        .about("Print a kubeconfig for the simulated cluster of a server")
        .after_help(
            "Flags, variables and files say where the server is as they said it when it was started; the port file, \
             where one is named, knows better, and also the certificate that was made at the start.\n\n\
             focus-mock kubeconfig > kubeconfig.yaml\n\
             KUBECONFIG=kubeconfig.yaml kubectl get pods",
        )
        .args(super::server_flags())
        .arg(
            Arg::new("token")
                .long("token")
                .value_name("TOKEN")
                .help("What the Kubernetes API asks for; the same as --kube-token"),
        )
        .arg(
            Arg::new("namespace")
                .long("namespace")
                .short('n')
                .value_name("NAME")
                .help("The namespace of commands that name none; that of the product's jobs unless said otherwise"),
        )
}

/// What a port file says of the API.
#[derive(Deserialize)]
struct Said {
    kube: Option<String>,
    kube_certificate: Option<String>,
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let settings = super::settings(matches, &[])?;
    let said = where_it_is(&settings)?;
    let url = said.kube.context("the server has no Kubernetes API: it was left out with --kube off")?;
    let namespace = matches.get_one::<String>("namespace");
    let token = matches.get_one::<String>("token").map(|text| {
        focus_mock::Token::new(text)
            .with_context(|| format!("--token must be {}", focus_mock::Token::EXPECTED))
    });
    let token = token.transpose()?;
    let reach = Reach {
        url: &url,
        namespace: namespace.unwrap_or(&settings.config.setup.namespace),
        token: token.as_ref().or(settings.config.kube.token.as_ref()),
        certificate: said.kube_certificate.as_deref(),
    };
    print!("{}", reach.kubeconfig());
    Ok(ExitCode::SUCCESS)
}

fn where_it_is(settings: &Settings) -> anyhow::Result<Said> {
    if let Some(file) = &settings.port_file {
        let read = || -> anyhow::Result<Said> { Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?) };
        return read().with_context(|| format!("port file {}", file.display()));
    }
    let Addresses::Given { kube, .. } = &settings.config.addresses else {
        anyhow::bail!("settings always give addresses")
    };
    if kube.is_some_and(|kube| kube.port() == 0) {
        anyhow::bail!("a port is 0, so only the port file can tell where the server is: give --port-file");
    }
    let tls = settings.config.kube.tls;
    let kube_certificate = match &settings.config.tls {
        Some(Tls::Files { certificate, .. }) if tls => Some(
            std::fs::read_to_string(certificate)
                .with_context(|| format!("cannot read {}", certificate.display()))?,
        ),
        // One that is made at the start is only known to who started the server.
        Some(Tls::Files { .. } | Tls::SelfSigned) | None => None,
    };
    let scheme = if tls { "https" } else { "http" };
    Ok(Said { kube: kube.map(|kube| format!("{scheme}://{}", reachable(kube))), kube_certificate })
}
