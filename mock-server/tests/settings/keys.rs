//! Every key there is, with values that it takes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use focus_mock::settings::Entry;
use focus_mock::world_file;

use super::said::{Said, nobody, yaml};

/// Every key in the order in which it is printed, as the default has it.
pub(crate) static DEFAULTS: LazyLock<Vec<Entry>> = LazyLock::new(|| nobody().right().entries().to_vec());

/// Values of many kinds; each key takes some of them.
const VALUES: [&str; 55] = [
    "true",
    "false",
    "0",
    "1",
    "2",
    "0.5",
    "3",
    "7.25",
    "256",
    "2048",
    "9000",
    "300000",
    "ready",
    "waiting",
    "mixed",
    "up",
    "down",
    "slow-fail",
    "restarting",
    "present",
    "none",
    "path-mismatch",
    "ok",
    "refuses-objects",
    "out-of-pod-addresses",
    "not-ready",
    "refuse",
    "reject",
    "skip",
    "contract",
    "observed-2025-12",
    "auto",
    "text",
    "json",
    "debug",
    "warn,hyper=info",
    "system",
    "manual",
    "scaled:0.5",
    "off",
    "'[::1]:7000'",
    "localhost",
    "'::1'",
    "http://mock.example",
    "130-890",
    "2025-12-05T14:58:23Z",
    "/tmp/a/file",
    "/tmp/b",
    "{lowest: 3, highest: 4}",
    "{series: {from: -1d, length: 30m}}",
    "{spans: [{start: -2d, end: ongoing}]}",
    "[{id: a.rule, at: grpc.frame, match: {frame: 5}, delay: 10ms, do: {corrupt: shape}}, {at: step.queue, do: {refuse: INTERNAL}}]",
    "[{at: 30s, mongodb: down, for: 60s}, {at: 1s, every: 100ms, times: 3, kill_pods: '*'}]",
    "[x-one, x-two]",
    "\"two\\nlines\"",
];

/// The values of each key.
pub(crate) static CANDIDATES: LazyLock<BTreeMap<String, Vec<&'static str>>> = LazyLock::new(|| {
    let takes = |key: &str, value: &&&str| {
        // A relative path means something else in a file.
        let is_path = ["port_file", "tls.cert", "tls.key"].contains(&key);
        let said = with_companions(nobody(), key).set(&format!("{key}={value}"));
        (!is_path || value.starts_with('/')) && said.gather().is_ok()
    };
    // Worlds and scenarios have their own tests: what they name must be there.
    let is_of_a_file = |key: &str| ["world_file", "scenario_file"].contains(&key);
    let keys = DEFAULTS.iter().map(|entry| &entry.key).filter(|key| !is_of_a_file(key));
    keys.map(|key| (key.clone(), VALUES.iter().filter(|value| takes(key, value)).copied().collect()))
        .collect()
});

/// What has to be said for a key to be said at all: a certificate goes with its private key.
pub(crate) fn with_companions(said: Said, key: &str) -> Said {
    match key {
        "tls.cert" => said.set("tls.key=/tmp/companion"),
        "tls.key" => said.set("tls.cert=/tmp/companion"),
        _ => said,
    }
}

/// Whether world files have it, too.
pub(crate) fn is_of_world(key: &str) -> bool {
    world_file::parse(&yaml(key, "null"), "w.yaml").is_ok()
}

#[test]
fn every_key_takes_some_value_that_is_not_its_default() {
    for (key, values) in &*CANDIDATES {
        let default = nobody().entry(key).0;
        let other = values.iter().any(|value| {
            with_companions(nobody(), key).set(&format!("{key}={value}")).entry(key).0 != default
        });
        assert!(other, "{key}: {values:?}");
    }
}
