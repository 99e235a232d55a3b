//! Arguments, the banner, the ready line.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use focus_mock::sim::clock::Mode;
use focus_mock::sim::seed::Seed;
use focus_mock::sim::setup::Setup;
use focus_mock::{Addresses, Config, PortChoice, Server, world_file};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

/// A mock Focus Server: REST, gRPC streams and a simulated cluster, in one process, on loopback.
#[derive(Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server (what happens without a command, too)
    Serve(Serve),
}

#[derive(Args)]
struct Serve {
    /// Where the REST interface listens; job ports are on the same host; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5000", value_parser = address)]
    listen: SocketAddr,
    /// Where the admin interface listens (clock, state, reset); port 0 takes a free one, "off" leaves it out
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5001", value_parser = admin_address)]
    admin: Admin,
    /// A job's port is this plus its slot; 0 claims a free block
    #[arg(long, value_name = "PORT", default_value_t = 12300)]
    port_base: u16,
    /// YAML file with the world to start with: fibre, recordings, limits, dependency states
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Seed of everything that is drawn: frames, names of pods, request ids
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What makes the clock go: system, scaled:N or manual
    #[arg(long, value_name = "MODE", default_value = "system")]
    clock: Mode,
    /// File to write the ready line to, once the server answers
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
}

#[derive(Clone, Copy)]
struct Admin(Option<SocketAddr>);

fn admin_address(text: &str) -> Result<Admin, String> {
    if text == "off" {
        return Ok(Admin(None));
    }
    address(text).map(|address| Admin(Some(address))).map_err(|error| format!("{error}, or off"))
}

/// An address; `localhost` is taken as the one that everybody means.
fn address(text: &str) -> Result<SocketAddr, String> {
    let named = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    named.as_deref().unwrap_or(text).parse().map_err(|_| {
        String::from("expected an IP address and a port such as 127.0.0.1:5000, [::1]:5000 or localhost:5000")
    })
}

/// One line of JSON on standard output, and the same in the port file.
#[derive(Serialize)]
struct Ready<'a> {
    event: &'static str,
    rest: &'a str,
    admin: Option<&'a str>,
    port_base: u16,
    pid: u32,
    version: &'static str,
}

pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let serve = match arguments.command {
        Some(Command::Serve(serve)) => serve,
        None => arguments.serve,
    };
    let filter = EnvFilter::try_from_env("FOCUS_MOCK_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // It would complain on standard error that standard error is closed, and die of that.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let setup = serve.world.as_deref().map(world_file::load).transpose()?.unwrap_or_else(Setup::default);
    let ports = if serve.port_base == 0 { PortChoice::FreeBlock } else { PortChoice::Base(serve.port_base) };
    let config = Config {
        addresses: Addresses::Given { listen: serve.listen, admin: serve.admin.0, ports },
        seed: Seed(serve.seed),
        clock: serve.clock,
        setup,
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(serve_until_asked_to_end(config, serve.port_file.as_deref()));
    runtime.shutdown_background();
    result
}

async fn serve_until_asked_to_end(config: Config, port_file: Option<&Path>) -> anyhow::Result<()> {
    let slots = config.setup.ports.max_slots();
    let asked = Server::asked_to_end().context("cannot wait for the signal to end")?;
    let server = Server::start(config).await?;
    announce(&server, slots, port_file)?;
    let signal = asked.await;
    tracing::info!(signal, "stopping");
    server.stop().await;
    Ok(())
}

fn announce(server: &Server, slots: u16, port_file: Option<&Path>) -> anyhow::Result<()> {
    let rest = format!("http://{}", server.rest);
    let admin = server.admin.map(|address| format!("http://{address}"));
    let ready = Ready {
        event: "ready",
        rest: &rest,
        admin: admin.as_deref(),
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
    // Whoever started us may have closed either pipe; the server is worth having all the same.
    let _ = writeln!(
        std::io::stderr(),
        "mock Focus Server {} answers\n  REST   {rest}   also under {rest}/focus-server; documentation at {rest}/docs\n  \
         gRPC   {}:{first}-{last}, one port per job\n  admin  {}\ntry:\n  curl -s {rest}/configure -d '{EXAMPLE}'",
        env!("CARGO_PKG_VERSION"),
        server.rest.ip(),
        admin.as_deref().unwrap_or("off"),
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
