//! The keys of a server: how a world is served.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tracing_subscriber::filter::{LevelFilter, Targets};

use super::flags::{ADDRESS, address};
use crate::config::{Addresses, Config, GrpcLimits, HttpLimits, KubeApi, StreamsAt, Tls, Token, WhenDown};
use crate::document::{Node, Scenario, Section, Value, print};
use crate::domain::time::{EpochSeconds, Moment};
use crate::sim::clock::Mode;
use crate::sim::seed::Seed;
use crate::sim::setup::Setup;

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// What is logged: a level, or levels by module.
    pub filter: String,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text for people on a terminal, JSON otherwise.
    Auto,
    /// Text for people.
    Text,
    /// One JSON object a line.
    Json,
}

pub(super) struct ServerKeys {
    listen: SocketAddr,
    admin: Option<SocketAddr>,
    admin_token: Option<Token>,
    kube: Option<SocketAddr>,
    kube_api: KubeApi,
    history: usize,
    when_down: WhenDown,
    streams_at: StreamsAt,
    tls: Option<Tls>,
    seed: Seed,
    clock: Mode,
    start_time: Option<Moment>,
    http: HttpLimits,
    grpc: GrpcLimits,
    stop_deadline: Duration,
    pub(super) port_file: Option<PathBuf>,
    pub(super) log: Log,
}

impl ServerKeys {
    pub(super) fn config(&self, world: Scenario) -> Config {
        let setup = Setup { history: self.history, ..world.setup };
        Config {
            addresses: Addresses::Given {
                listen: self.listen,
                admin: self.admin,
                kube: self.kube,
                ports: world.ports,
            },
            seed: self.seed,
            clock: self.clock,
            admin_token: self.admin_token.clone(),
            start_time: self.start_time,
            setup,
            streams_at: self.streams_at.clone(),
            tls: self.tls.clone(),
            kube: self.kube_api.clone(),
            when_down: self.when_down,
            http: self.http,
            grpc: self.grpc,
            stop_deadline: self.stop_deadline,
        }
    }
}

/// Top-level keys that no world has.
const OWN: [&str; 14] = [
    "seed",
    "world_file",
    "scenario_file",
    "port_file",
    "rest",
    "admin",
    "kube",
    "focus_server",
    "clock",
    "tls",
    "log",
    "stop",
    "http",
    "http2",
];

/// Whether a tree has any key that no world has.
pub(super) fn has_its_keys(tree: &Node) -> bool {
    has_any(tree, &OWN)
}

/// Whether a tree has any of some keys at its top.
pub(super) fn has_any(tree: &Node, keys: &[&str]) -> bool {
    let Value::Mapping(entries) = &tree.value else { return false };
    entries.iter().any(|(key, _)| matches!(&key.value, Value::Text(name) if keys.contains(&name.as_str())))
}

pub(super) fn read(file: &mut Section<'_>) -> ServerKeys {
    let seed = file.int("seed", 0..=i64::MAX, Seed::default().0);
    file.path("world_file");
    file.path("scenario_file");
    let port_file = file.path("port_file");
    let (listen, streams_at) = file.section("rest", rest);
    let (admin, admin_token) = file.section("admin", |keys| {
        (listener(keys, ADMIN_PORT), token(keys, "admin.token", "FOCUS_MOCK_ADMIN_TOKEN"))
    });
    let (kube, kube_api, history) = file.section("kube", kube);
    let words = [("answer", WhenDown::Answer), ("refuse", WhenDown::Refuse)];
    let when_down = file.section("focus_server", |keys| keys.choice("when_down", &words, WhenDown::Answer));
    let (clock, start_time) = file.section("clock", |keys| (mode(keys), start_time(keys)));
    let tls = file.section("tls", tls);
    let log = file.section("log", log);
    let defaults = Config::default();
    let stop_deadline = file.section("stop", |keys| keys.seconds("deadline_s", 0.0, defaults.stop_deadline));
    let http = file.section("http", |keys| http(keys, defaults.http));
    let grpc = file.section("http2", |keys| http2(keys, defaults.grpc));
    ServerKeys {
        listen,
        admin,
        admin_token,
        kube,
        kube_api,
        history,
        when_down,
        streams_at,
        tls,
        seed: Seed(seed),
        clock,
        start_time,
        http,
        grpc,
        stop_deadline,
        port_file,
        log,
    }
}

fn rest(keys: &mut Section<'_>) -> (SocketAddr, StreamsAt) {
    let host = keys.parsed("host", "an IP address such as 127.0.0.1 or ::1, or localhost", |text| {
        if text == "localhost" { Some(IpAddr::V4(Ipv4Addr::LOCALHOST)) } else { text.parse().ok() }
    });
    let host = host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    keys.note("host", print::text(&host.to_string()));
    let port = keys.int("port", 0..=65_535, 5000);
    let public_url =
        keys.parsed("public_url", "http:// or https:// and a host, without port and path", |text| {
            let url = text.strip_suffix('/').unwrap_or(text);
            let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
            is_host(host).then(|| url.to_owned())
        });
    keys.note("public_url", public_url.as_deref().map_or_else(print::nothing, print::text));
    let host_name = keys.parsed("stream_host", "a host name or an IP address, without port", |text| {
        let bare_v6 = text.parse::<std::net::Ipv6Addr>().is_ok();
        if bare_v6 { Some(format!("[{text}]")) } else { is_host(text).then(|| text.to_owned()) }
    });
    keys.note("stream_host", host_name.as_deref().map_or_else(print::nothing, print::text));
    (SocketAddr::new(host, port), StreamsAt { public_url, host: host_name })
}

/// A name or an address as URLs have it.
fn is_host(text: &str) -> bool {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(inner) = bracketed {
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=253).contains(&text.len()) && text.bytes().all(allowed)
}

const ADMIN_PORT: u16 = 5001;
const KUBE_PORT: u16 = 5002;

/// Where a listener beside the product's is, if it is to be.
fn listener(keys: &mut Section<'_>, port: u16) -> Option<SocketAddr> {
    let listen = keys.parsed("listen", &format!("{ADDRESS}, or off"), |text| {
        if text == "off" { Some(None) } else { address(text).map(Some) }
    });
    let listen = listen.unwrap_or(Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
    keys.note(
        "listen",
        print::text(&listen.map_or_else(|| String::from("off"), |address| address.to_string())),
    );
    listen
}

/// The token never shows, neither in what is printed nor in what is said about a mistake in it.
fn token(keys: &mut Section<'_>, name: &str, variable: &str) -> Option<Token> {
    let said = match keys.get("token").map(|node| &node.value) {
        None => None,
        Some(Value::Text(text)) => Some(text.clone()),
        // A token of digits alone is a number to YAML, and no less a token.
        Some(Value::Integer(number)) => Some(number.to_string()),
        Some(_) => Some(String::new()),
    };
    let token = said.as_deref().and_then(Token::new);
    if said.as_deref() == Some(Token::HIDDEN) {
        let text = format!(
            "{name} is hidden behind ***, as --print-config shows it: give the token itself, in the variable \
             {variable} for instance, or take the line out"
        );
        keys.mistake_in("token", &text);
    } else if said.is_some() && token.is_none() {
        keys.mistake_in("token", &format!("{name} must be {}", Token::EXPECTED));
    }
    let shown = token.as_ref().map_or_else(print::nothing, |_| print::text(Token::HIDDEN));
    keys.note("token", shown);
    token
}

fn kube(keys: &mut Section<'_>) -> (Option<SocketAddr>, KubeApi, usize) {
    let default = KubeApi::default();
    let listen = listener(keys, KUBE_PORT);
    let api = KubeApi {
        token: token(keys, "kube.token", "FOCUS_MOCK_KUBE_TOKEN"),
        tls: keys.flag("tls", default.tls),
        max_watches: keys.int("max_watches", 0..=100_000, default.max_watches),
    };
    (listen, api, keys.int("history", 1..=1_000_000, Setup::default().history))
}

fn mode(keys: &mut Section<'_>) -> Mode {
    let expected = "system, scaled:N with N above 0 up to 1000000, or manual";
    let mode = keys.parsed("mode", expected, |text| text.parse().ok()).unwrap_or(Mode::System);
    keys.note("mode", print::text(&mode.to_string()));
    mode
}

fn start_time(keys: &mut Section<'_>) -> Option<Moment> {
    let expected = "epoch seconds or a time such as 2025-12-05T14:58:23Z, from 1970 to 2500";
    let second = keys.parsed("start", expected, |text| {
        let time = text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second).ok();
        time.or_else(|| text.parse().ok()).filter(|second| (0..=LAST_START).contains(second))
    });
    keys.note("start", second.map_or_else(print::nothing, |second: i64| second.to_string()));
    second.map(|second| Moment::from_seconds(EpochSeconds(second)))
}

/// 2500-01-01T00:00:00Z: the clock's nanoseconds reach a little further.
const LAST_START: i64 = 16_725_225_600;

fn tls(keys: &mut Section<'_>) -> Option<Tls> {
    let (certificate, key) = (keys.path("cert"), keys.path("key"));
    let self_signed = keys.flag("self_signed", false);
    match (certificate, key, self_signed) {
        (None, None, false) => None,
        (None, None, true) => Some(Tls::SelfSigned),
        (Some(certificate), Some(key), false) => Some(Tls::Files { certificate, key }),
        (Some(_), None, _) => {
            keys.clash(
                &["cert", "key"],
                "tls.cert needs the certificate's private key: give tls.key (--tls-key), too",
            );
            None
        }
        (None, Some(_), _) => {
            keys.clash(
                &["key", "cert"],
                "tls.key needs the key's certificate: give tls.cert (--tls-cert), too",
            );
            None
        }
        (Some(_), Some(_), true) => {
            let text =
                "tls.self_signed and tls.cert cannot both be: give one of --tls-self-signed and --tls-cert";
            keys.clash(&["self_signed", "cert", "key"], text);
            None
        }
    }
}

fn log(keys: &mut Section<'_>) -> Log {
    let words = [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];
    let format = keys.choice("format", &words, LogFormat::Auto);
    let expected =
        "a level (error, warn, info, debug, trace, off) or levels by module such as focus_mock=debug";
    let filter = keys.parsed("filter", expected, |text| is_filter(text).then(|| text.to_owned()));
    let filter = filter.unwrap_or_else(|| String::from("info"));
    keys.note("filter", print::text(&filter));
    Log { format, filter }
}

/// Whether a text is a level, or levels by module. A word alone must be a level: a misspelt one would be taken for a
/// module, and nothing else would be logged.
fn is_filter(text: &str) -> bool {
    let is_told =
        |part: &str| part.contains('=') || (!part.is_empty() && part.parse::<LevelFilter>().is_ok());
    !text.contains(char::is_whitespace) && text.split(',').all(is_told) && text.parse::<Targets>().is_ok()
}

fn http(keys: &mut Section<'_>, default: HttpLimits) -> HttpLimits {
    HttpLimits {
        // Below 8 KiB hyper could not hold one of its own buffers.
        max_header_bytes: keys.int("max_header_bytes", 8192..=16_777_216, default.max_header_bytes),
        max_headers: keys.int("max_headers", 1..=65_535, default.max_headers),
        header_time: keys.seconds("header_timeout_s", 0.01, default.header_time),
        body_time: keys.seconds("body_timeout_s", 0.01, default.body_time),
        idle_time: keys.seconds("idle_timeout_s", 0.01, default.idle_time),
        write_time: keys.seconds("write_timeout_s", 0.01, default.write_time),
        wind_up_time: keys.seconds("wind_up_s", 0.01, default.wind_up_time),
        max_connections: keys.int("max_connections", 1..=1_000_000, default.max_connections),
    }
}

fn http2(keys: &mut Section<'_>, default: GrpcLimits) -> GrpcLimits {
    GrpcLimits {
        preface_time: keys.seconds("preface_timeout_s", 0.01, default.preface_time),
        max_header_bytes: keys.int("max_header_bytes", 1024..=1_048_576, default.max_header_bytes),
        max_calls_per_connection: keys.int(
            "max_calls_per_connection",
            1..=100_000,
            default.max_calls_per_connection,
        ),
        write_time: keys.seconds("write_timeout_s", 0.01, default.write_time),
        wind_up_time: keys.seconds("wind_up_s", 0.01, default.wind_up_time),
        max_connections: keys.int("max_connections", 1..=1_000_000, default.max_connections),
    }
}
