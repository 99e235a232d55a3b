//! The flags that set keys, each with a variable of the environment.

use std::net::SocketAddr;

use crate::document::{Mistake, Node, Place, Value, tree};

/// A flag that says one key, or a few that belong together.
#[derive(Debug, PartialEq, Eq)]
pub struct Flag {
    /// Its name, without the dashes.
    pub name: &'static str,
    /// What its value is called in the help; empty for a switch, which has none.
    pub value: &'static str,
    /// The keys it says.
    pub keys: &'static [&'static str],
    /// What it is for.
    pub help: &'static str,
    /// How its value is read.
    pub reading: Reading,
}

/// How the value of a flag becomes the value of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As it is.
    Text,
    /// As YAML: a number is a number, `true` is a switch.
    Yaml,
    /// An address: its host is the first key, its port the second.
    HostAndPort,
    /// The path of a configuration file.
    ConfigurationFile,
    /// `key=value`, the value as YAML; in a variable, several of them between semicolons.
    KeyAndValue,
    /// The name of a quirk, which is there or is not; in a variable, several of them between semicolons.
    Quirk(bool),
}

const fn flag(
    name: &'static str,
    value: &'static str,
    keys: &'static [&'static str],
    reading: Reading,
    help: &'static str,
) -> Flag {
    Flag { name, value, keys, help, reading }
}

/// All of them, in the order of the help.
pub static FLAGS: [Flag; 25] = [
    flag(
        "listen",
        "ADDRESS",
        &["rest.host", "rest.port"],
        Reading::HostAndPort,
        "Where the REST interface listens; job ports are on the same host; port 0 takes a free one",
    ),
    flag(
        "admin",
        "ADDRESS",
        &["admin.listen"],
        Reading::Text,
        "Where the admin interface listens (clock, state, reset); port 0 takes a free one, \"off\" leaves it out",
    ),
    flag(
        "admin-token",
        "TOKEN",
        &["admin.token"],
        Reading::Text,
        "What the admin interface asks its callers for; better said in the variable, which no list of processes shows",
    ),
    flag(
        "kube",
        "ADDRESS",
        &["kube.listen"],
        Reading::Text,
        "Where the Kubernetes API of the simulated cluster listens; port 0 takes a free one, \"off\" leaves it out",
    ),
    flag(
        "kube-token",
        "TOKEN",
        &["kube.token"],
        Reading::Text,
        "What the Kubernetes API asks its callers for; kubectl sends it over TLS alone (--kube-tls). Better said in the \
         variable, which no list of processes shows",
    ),
    flag(
        "kube-tls",
        "",
        &["kube.tls"],
        Reading::Yaml,
        "Serve the Kubernetes API over TLS: with the certificate of the REST interface, else with one made at the start",
    ),
    flag(
        "port-base",
        "PORT",
        &["ports.base"],
        Reading::Yaml,
        "A job's port is this plus its slot; 0 claims a free block",
    ),
    flag("config", "FILE", &[], Reading::ConfigurationFile, "YAML file with any of the keys below"),
    flag(
        "world",
        "FILE",
        &["world_file"],
        Reading::Text,
        "YAML file with the world to start with: fibre, recordings, limits, dependency states",
    ),
    flag(
        "scenario",
        "FILE",
        &["scenario_file"],
        Reading::Text,
        "YAML file with what to rehearse: a world, fault rules and a timeline of changes",
    ),
    flag(
        "profile",
        "NAME",
        &["profile"],
        Reading::Text,
        "Which deviations from the contract the server has: contract (none) or observed-2025-12",
    ),
    flag(
        "quirk",
        "NAME",
        &[],
        Reading::Quirk(true),
        "Have one deviation more; may be given more than once; \"focus-mock quirks\" lists them",
    ),
    flag(
        "no-quirk",
        "NAME",
        &[],
        Reading::Quirk(false),
        "Leave out one deviation of the profile; may be given more than once",
    ),
    flag(
        "set",
        "KEY=VALUE",
        &[],
        Reading::KeyAndValue,
        "Set one key of a configuration; may be given more than once",
    ),
    flag(
        "seed",
        "N",
        &["seed"],
        Reading::Yaml,
        "Seed of everything that is drawn: frames, names of pods, request ids",
    ),
    flag(
        "clock",
        "MODE",
        &["clock.mode"],
        Reading::Text,
        "What makes the clock go: system, scaled:N or manual",
    ),
    flag(
        "start-time",
        "TIME",
        &["clock.start"],
        Reading::Yaml,
        "What the clock shows at the start: RFC 3339 or epoch seconds",
    ),
    flag(
        "stream-host",
        "HOST",
        &["rest.stream_host"],
        Reading::Text,
        "Host under which clients shall reach streams",
    ),
    flag(
        "tls-cert",
        "FILE",
        &["tls.cert"],
        Reading::Text,
        "PEM file with the certificate (chain) of the REST interface",
    ),
    flag("tls-key", "FILE", &["tls.key"], Reading::Text, "PEM file with the private key of that certificate"),
    flag(
        "tls-self-signed",
        "",
        &["tls.self_signed"],
        Reading::Yaml,
        "Serve the REST interface over TLS, with a certificate made at the start",
    ),
    flag(
        "port-file",
        "FILE",
        &["port_file"],
        Reading::Text,
        "File to write the ready line to, once the server answers",
    ),
    flag(
        "log",
        "FILTER",
        &["log.filter"],
        Reading::Text,
        "What is logged: error, warn, info, debug, or a filter such as focus_mock=debug",
    ),
    flag(
        "log-format",
        "FORMAT",
        &["log.format"],
        Reading::Text,
        "text, json, or auto: text on a terminal, JSON otherwise",
    ),
    flag(
        "stop-deadline",
        "SECONDS",
        &["stop.deadline_s"],
        Reading::Yaml,
        "How long a server that was asked to stop finishes what is in flight",
    ),
];

/// What names of variables begin with.
pub const VARIABLES: &str = "FOCUS_MOCK_";

impl Flag {
    /// The variable of the environment that says the same.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{VARIABLES}{}", self.name.to_uppercase().replace('-', "_"))
    }

    /// Whether it may be given more than once, and its variable has several values between semicolons.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        match self.reading {
            Reading::KeyAndValue | Reading::Quirk(_) => true,
            Reading::Text | Reading::Yaml | Reading::HostAndPort | Reading::ConfigurationFile => false,
        }
    }

    /// Whether it stands for itself.
    #[must_use]
    pub fn is_switch(&self) -> bool {
        self.value.is_empty()
    }

    /// What it says when its value is this text.
    pub(super) fn say(&self, text: &str, place: &Place) -> Result<Vec<(String, Node)>, Mistake> {
        let node = |value| Node { value, place: place.clone() };
        match self.reading {
            Reading::Text => Ok(self.all_keys(&node(Value::Text(text.to_owned())))),
            Reading::Yaml => Ok(self.all_keys(&tree::parse_value(text, place)?)),
            Reading::HostAndPort => {
                let address = address(text).ok_or_else(|| Mistake {
                    place: place.clone(),
                    text: format!("expected {ADDRESS}, not {text:?}"),
                })?;
                let host = node(Value::Text(address.ip().to_string()));
                let port = node(Value::Integer(i64::from(address.port())));
                Ok(self.keys.iter().map(|key| (*key).to_owned()).zip([host, port]).collect())
            }
            Reading::Quirk(on) => Ok(vec![(format!("quirks.{text}"), node(Value::Flag(on)))]),
            Reading::ConfigurationFile | Reading::KeyAndValue => Ok(Vec::new()),
        }
    }

    fn all_keys(&self, node: &Node) -> Vec<(String, Node)> {
        self.keys.iter().map(|key| ((*key).to_owned(), node.clone())).collect()
    }
}

/// What an address is, in words.
pub(super) const ADDRESS: &str =
    "an IP address and a port such as 127.0.0.1:5000, [::1]:5000 or localhost:5000";

/// An address; `localhost` is taken as the one that everybody means.
pub(super) fn address(text: &str) -> Option<SocketAddr> {
    let named = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    named.as_deref().unwrap_or(text).parse().ok()
}
