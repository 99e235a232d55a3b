//! `focus-mock serve`: a server until it is asked to end, its banner and its ready line.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches};
use focus_mock::{Config, Server};
use serde::Serialize;

use super::log;

pub(super) fn print_config() -> Arg {
    Arg::new("print-config")
        .long("print-config")
        .action(ArgAction::SetTrue)
        .help("Show what it would start with, each key with where it was said, and end")
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let settings = super::settings(matches, &[])?;
    if matches.get_flag("print-config") {
        print!("{}", settings.yaml());
        return Ok(ExitCode::SUCCESS);
    }
    log::start(&settings.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(serve_until_asked_to_end(settings.config, settings.port_file.as_deref()));
    runtime.shutdown_background();
    result
}

async fn serve_until_asked_to_end(config: Config, port_file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let slots = config.setup.ports.max_slots();
    let mut signals = Server::asked_to_end().context("cannot wait for the signal to end")?;
    let server = Server::start(config).await?;
    announce(&server, slots, port_file)?;
    let signal = signals.next().await;
    tracing::info!(%signal, "stopping: finishing what is in flight; a second signal ends at once");
    tokio::select! {
        () = server.stop() => Ok(ExitCode::SUCCESS),
        again = signals.next() => {
            tracing::warn!(signal = %again, "ending at once");
            std::process::exit(again.exit_status())
        }
    }
}

/// One line of JSON on standard output, and the same in the port file.
#[derive(Serialize)]
struct Ready<'a> {
    event: &'static str,
    rest: &'a str,
    admin: Option<&'a str>,
    kube: Option<&'a str>,
    /// Only where the Kubernetes API speaks TLS: what it is known by.
    #[serde(skip_serializing_if = "Option::is_none")]
    kube_certificate: Option<&'a str>,
    port_base: u16,
    pid: u32,
    version: &'static str,
}

fn announce(server: &Server, slots: u16, port_file: Option<&Path>) -> anyhow::Result<()> {
    let rest = server.base_url();
    let admin = server.admin.map(|address| format!("http://{address}"));
    let kube = server.kube_url();
    let ready = Ready {
        event: "ready",
        rest: &rest,
        admin: admin.as_deref(),
        kube: kube.as_deref(),
        kube_certificate: server.kube_certificate_pem(),
        port_base: server.port_base,
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let line = serde_json::to_string(&ready).context("the ready line")?;
    if let Some(file) = port_file {
        write_whole(file, &line).with_context(|| format!("cannot write the port file {}", file.display()))?;
    }
    let first = u32::from(server.port_base) + 1;
    let last = u32::from(server.port_base) + u32::from(slots);
    // Nobody knows who signed a certificate that was made a moment ago.
    let verify = if server.certificate_pem().is_some() { "k" } else { "" };
    // Whoever started us may have closed either pipe; the server is worth having all the same.
    let _ = writeln!(
        std::io::stderr(),
        "mock Focus Server {} answers\n  REST   {rest}   also under {rest}/focus-server; documentation at {rest}/docs\n  \
         gRPC   {}:{first}-{last}, one port per job\n  admin  {}\n  kube   {}\ntry:\n  curl -s{verify} {rest}/configure -d '{EXAMPLE}'",
        env!("CARGO_PKG_VERSION"),
        server.rest.ip(),
        admin.as_deref().unwrap_or("off"),
        kube.as_deref().unwrap_or("off"),
    );
    let _ = writeln!(std::io::stdout(), "{line}").and_then(|()| std::io::stdout().flush());
    Ok(())
}

const EXAMPLE: &str = r#"{"view_type":"0","channels":{"min":1,"max":50},"displayInfo":{"height":1000},"displayTimeAxisDuration":10,"nfftSelection":1024,"frequencyRange":{"min":0,"max":500}}"#;

/// Writes beside the file and renames, so that whoever finds it finds all of it.
fn write_whole(file: &Path, line: &str) -> std::io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    std::fs::write(&beside, format!("{line}\n"))?;
    std::fs::rename(&beside, file)
}
