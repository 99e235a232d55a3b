//! `focus-mock exec -- COMMAND`: a server for as long as a command runs.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::{ExitCode, ExitStatus};

use clap::{Arg, ArgMatches, Command, value_parser};
use focus_mock::kubeconfig::Reach;
use focus_mock::{Server, Token, platform};

use super::log;

/// Exit statuses of what `exec` itself could not do, as `env` and `timeout` have them.
const NO_SERVER: i32 = 125;
const CANNOT_RUN: i32 = 126;
const NOT_FOUND: i32 = 127;

/// Everything free, and a log that leaves the terminal to the command.
const DEFAULTS: &[(&str, &str)] = &[
    ("rest.port", "0"),
    ("admin.listen", "127.0.0.1:0"),
    ("kube.listen", "127.0.0.1:0"),
    ("ports.base", "0"),
    ("log.filter", "warn"),
];

pub(super) fn command() -> Command {
    Command::new("exec")
        .about("Run a command with a server of its own on free ports, and end with its exit status")
        .after_help(
            "The command finds the server by FOCUS_BASE_URL, FOCUS_SERVER_HOST, FOCUS_SERVER_PORT and \
             FOCUS_API_PREFIX, the admin interface by FOCUS_ADMIN_URL, and the simulated cluster by KUBECONFIG, a file that goes \
             when the command has ended.\n\n\
             Exit status: the command's; 128 + N if signal N ended it; 125 if the server did not start, \
             126 if the command cannot be run, 127 if it is not found.",
        )
        .args(super::server_flags())
        .arg(
            Arg::new("command")
                .value_name("COMMAND")
                .help("The command and its arguments, after --")
                .required(true)
                .num_args(1..)
                .last(true)
                .value_parser(value_parser!(OsString)),
        )
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let settings = super::settings(matches, DEFAULTS)?;
    log::start(&settings.log);
    let words: Vec<_> = matches.get_many::<OsString>("command").into_iter().flatten().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let token = settings.config.admin_token.as_ref().map(|token| token.reveal().to_owned());
    let (kube_token, namespace) =
        (settings.config.kube.token.clone(), settings.config.setup.namespace.clone());
    let status = runtime.block_on(async {
        let server = match Server::start(settings.config).await {
            Ok(server) => server,
            Err(error) => {
                eprintln!("focus-mock: {error}");
                return Ok(NO_SERVER);
            }
        };
        let kubeconfig = match kubeconfig(&server, kube_token.as_ref(), &namespace) {
            Ok(kubeconfig) => kubeconfig,
            Err(error) => {
                eprintln!("focus-mock: cannot write a kubeconfig: {error}");
                return Ok(NO_SERVER);
            }
        };
        let mut command = tokio::process::Command::new(words[0]);
        command.args(&words[1..]).envs(where_it_is(&server, token));
        if let Some(file) = &kubeconfig {
            command.env("KUBECONFIG", file.path());
        }
        let ended = run_to_its_end(&mut command).await;
        server.stop().await;
        drop(kubeconfig);
        match ended {
            Ok(status) => Ok(platform::exit_status(status)),
            Err(error) => {
                eprintln!("focus-mock: cannot run {}: {error}", words[0].display());
                Ok(if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { CANNOT_RUN })
            }
        }
    });
    runtime.shutdown_background();
    status.map(|status: i32| std::process::exit(status))
}

/// What the product's clients look for, and where the admin interface is.
fn where_it_is(server: &Server, token: Option<String>) -> impl Iterator<Item = (&'static str, String)> {
    let rest = reachable(server.rest);
    let host = match rest.ip() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    let product = [
        ("FOCUS_BASE_URL", format!("{}://{rest}", server.scheme())),
        ("FOCUS_SERVER_HOST", host),
        ("FOCUS_SERVER_PORT", rest.port().to_string()),
        ("FOCUS_API_PREFIX", String::from("/focus-server")),
    ];
    let admin = server.admin.map(|admin| ("FOCUS_ADMIN_URL", format!("http://{}", reachable(admin))));
    // So that `ctl` and the suite in it are let in.
    let token = token.map(|token| ("FOCUS_MOCK_ADMIN_TOKEN", token));
    product.into_iter().chain(admin).chain(token)
}

/// A file with which clients find the simulated cluster, if there is one to be found.
fn kubeconfig(
    server: &Server,
    token: Option<&Token>,
    namespace: &str,
) -> io::Result<Option<tempfile::NamedTempFile>> {
    let (Some(address), Some(url)) = (server.kube, server.kube_url()) else { return Ok(None) };
    let url = url.replace(&address.to_string(), &reachable(address).to_string());
    let reach = Reach { url: &url, namespace, token, certificate: server.kube_certificate_pem() };
    // Readable for nobody else: it may have a token in it.
    let mut file = tempfile::Builder::new().prefix("focus-mock-kubeconfig-").suffix(".yaml").tempfile()?;
    file.write_all(reach.kubeconfig().as_bytes())?;
    file.flush()?;
    Ok(Some(file))
}

/// An address that a client on this machine can dial: a server that listens everywhere is also on loopback.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    let host = match address.ip() {
        IpAddr::V4(any) if any.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(any) if any.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        host => host,
    };
    SocketAddr::new(host, address.port())
}

/// Runs it until it ends by itself. A terminal tells its whole group when somebody interrupts it; whoever asks only
/// this process to terminate means the command.
async fn run_to_its_end(command: &mut tokio::process::Command) -> io::Result<ExitStatus> {
    let mut signals = Server::asked_to_end()?;
    let mut child = command.spawn()?;
    loop {
        tokio::select! {
            ended = child.wait() => return ended,
            signal = signals.next() => if let (platform::Asked::Terminate, Some(id)) = (signal, child.id()) {
                platform::ask_to_end(id);
            },
        }
    }
}
