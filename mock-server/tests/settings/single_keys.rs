//! `--set KEY=VALUE`: one key, its value as YAML.

use super::keys::DEFAULTS;
use super::said::{Said, nobody, yaml};

/// Keys that the mock promises to have.
const PROMISED: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "profile",
            "seed",
            "world_file",
            "scenario_file",
            "port_file",
            "name",
            "about",
            "faults",
            "timeline",
        ],
    ),
    ("rest", &["host", "port", "public_url", "stream_host"]),
    (
        "limits",
        &[
            "max_body_bytes",
            "max_channels_per_request",
            "nfft_max_multichannel",
            "max_jobs",
            "future_tolerance_s",
        ],
    ),
    ("kube", &["listen", "token", "tls", "max_watches", "history"]),
    ("focus_server", &["when_down"]),
    ("ports", &["base", "max_slots", "on_conflict"]),
    ("jobs", &["first_sequence", "metadata_race_s"]),
    (
        "world",
        &[
            "channels",
            "prr",
            "dx",
            "fiber_start_meters",
            "fiber_length_meters",
            "sw_version",
            "num_samples_per_trace",
            "dtype",
            "number_of_channels",
            "recordings",
        ],
    ),
    ("journal", &["max_bytes", "entry_bytes", "redact"]),
    ("waterfall", &["lines_dt"]),
    ("latency", &["configure_ms"]),
    ("grpc", &["pod_start_s", "legacy_service", "max_frame_bytes"]),
    ("historic", &["playback_speed"]),
    ("sweep", &["period_s", "hits", "cpu_threshold_m"]),
    ("stream", &["inactivity_s"]),
    ("job", &["ttl_s"]),
    ("cleanup", &["ttl_s"]),
    ("gpu", &["pool", "reject_when_full"]),
    ("startup", &["requires_mongo"]),
    ("cluster", &["namespace"]),
];

#[test]
fn every_promised_key_is_there() {
    for (section, keys) in PROMISED {
        for key in *keys {
            let name = if section.is_empty() { (*key).to_owned() } else { format!("{section}.{key}") };
            assert!(DEFAULTS.iter().any(|entry| entry.key == name), "{name}");
        }
    }
}

#[test]
fn every_key_can_be_set_singly_and_by_a_file() {
    for entry in DEFAULTS.iter() {
        let (key, value) = (&entry.key, &entry.value);
        let (found, place) = nobody().set(&format!("{key}={value}")).entry(key);
        assert_eq!((&found, place), (value, format!("--set {key}")));
        let (found, place) = nobody().config(yaml(key, value)).entry(key);
        assert_eq!(&found, value);
        assert!(place.starts_with("mock.yaml:"), "{key}: {place}");
    }
}

/// What is told about a key that is not at the top.
const ALL: &str = "a configuration has the keys seed, world_file, scenario_file, port_file, rest, admin, kube, focus_server, clock, tls, log, \
                   stop, http, http2, name, about, profile, quirks, world, dependencies, limits, ports, jobs, waterfall, latency, \
                   grpc, historic, sweep, stream, job, cleanup, startup, cluster, gpu, journal, faults, timeline";

#[test]
fn an_unknown_key_is_told_with_those_there_are() {
    let sweep = "sweep has the keys period_s, hits, cpu_threshold_m";
    for (key, told) in [
        ("sed", format!("unknown key \"sed\": {ALL}")),
        ("sweep.perod_s", format!("unknown key \"perod_s\": {sweep}")),
        ("sweep.hits.max", format!("unknown key \"hits.max\": {sweep}")),
        ("sweep.", format!("unknown key \"\": {sweep}")),
        (".sweep", format!("unknown key \"\": {ALL}")),
        ("a.b.c", format!("unknown key \"a\": {ALL}")),
        ("Seed", format!("unknown key \"Seed\": {ALL}")),
    ] {
        assert_eq!(nobody().set(&format!("{key}=1")).wrong(), format!("--set {key}: {told}"));
        let by_a_variable = nobody().variable("FOCUS_MOCK_SET", &format!("{key}=1"));
        assert_eq!(by_a_variable.wrong(), format!("FOCUS_MOCK_SET: {told}"));
    }
    assert_eq!(nobody().set("=1").wrong(), format!("--set: unknown key \"\": {ALL}"));
    assert_eq!(nobody().config("sed: 1\n").wrong(), format!("mock.yaml:1:1: unknown key \"sed\": {ALL}"));
    assert_eq!(
        nobody().config("seed: 1\nsweep:\n  hits: 1\n  perod_s: 1\n").wrong(),
        format!("mock.yaml:4:3: unknown key \"perod_s\": {sweep}")
    );
    // A key of a file stands in its section and has no dots.
    assert_eq!(
        nobody().config("rest.port: 1").wrong(),
        format!("mock.yaml:1:1: unknown key \"rest.port\": {ALL}")
    );
}

/// Not as a key of a world and again as one of a configuration.
#[test]
fn an_unknown_key_of_a_world_is_told_once() {
    let said = nobody().file("w.yaml", "foo: 1\n2: x\n").flag_with_file("world", "w.yaml");
    let wrong = said.wrong();
    let starts: Vec<_> =
        wrong.lines().map(|line| line.split(" has the keys").next().unwrap_or_default()).collect();
    assert_eq!(
        starts,
        ["w.yaml:1:1: unknown key \"foo\": a world file", "w.yaml:2:1: unknown key 2: a world file"]
    );
}

#[test]
fn a_key_without_a_value_is_no_setting() {
    for (said, place) in [
        ("seed", "--set seed"),
        ("", "--set"),
        (" ", "--set"),
        ("limits.max_jobs: 5", "--set limits.max_jobs: 5"),
    ] {
        assert_eq!(
            nobody().set(said).wrong(),
            format!("{place}: expected key=value such as limits.max_jobs=10, not {said:?}")
        );
    }
}

#[test]
fn the_same_key_twice_is_a_mistake_however_it_is_said() {
    for (said, told) in [
        (
            nobody().flag("seed", "1").set("seed=1"),
            "--set seed: seed is given more than once, first by --seed",
        ),
        (
            nobody().set("seed=1").flag("seed", "2"),
            "--seed: seed is given more than once, first by --set seed",
        ),
        (
            nobody().flag("seed", "1").flag("seed", "2"),
            "--seed: seed is given more than once, first by --seed",
        ),
        (
            nobody().set("seed=1").set("seed=2"),
            "--set seed: seed is given more than once, first by --set seed",
        ),
        (
            nobody().flag("listen", "[::1]:1").set("rest.port=2"),
            "--set rest.port: rest.port is given more than once, first by --listen",
        ),
        (
            nobody().variable("FOCUS_MOCK_SET", "seed=1;seed=1"),
            "FOCUS_MOCK_SET: seed is given more than once, first by FOCUS_MOCK_SET",
        ),
        (
            nobody().set("limits={max_jobs: 1}").set("limits.max_jobs=2"),
            "--set limits.max_jobs: limits.max_jobs is given more than once, first by --set limits",
        ),
        (
            nobody().set("limits.max_jobs=2").set("limits={max_jobs: 1, max_body_bytes: 5}"),
            "--set limits: limits.max_jobs is given more than once, first by --set limits.max_jobs",
        ),
        (
            nobody().set("limits={max_jobs: 1, max_jobs: 2}"),
            "--set limits: limits.max_jobs is given more than once, first by --set limits",
        ),
        // Also when somebody else said the section, too.
        (
            nobody().config("limits: {max_body_bytes: 9}").set("limits={max_jobs: 1, max_jobs: 2}"),
            "--set limits: limits.max_jobs is given more than once, first by --set limits",
        ),
        (
            nobody().config("seed: 1\nlimits: {max_jobs: 1, max_jobs: 2}\nseed: 3"),
            "mock.yaml:2:23: limits.max_jobs is given more than once, first in line 2\n\
             mock.yaml:3:1: seed is given more than once, first in line 1",
        ),
    ] {
        assert_eq!(said.wrong(), told);
    }
}

#[test]
fn a_section_can_be_said_with_several_keys() {
    let both = |said: Said| {
        let value = |key| said.entry(key).0;
        (value("limits.max_jobs"), value("limits.max_body_bytes"))
    };
    let expected = (String::from("3"), String::from("5"));
    assert_eq!(both(nobody().set("limits={max_jobs: 3, max_body_bytes: 5}")), expected);
    assert_eq!(both(nobody().set("limits={max_jobs: 3}").set("limits.max_body_bytes=5")), expected);
    assert_eq!(both(nobody().set("limits.max_body_bytes=5").set("limits={max_jobs: 3}")), expected);
    assert_eq!(both(nobody().set("limits={max_jobs: 3}").set("limits={max_body_bytes: 5}")), expected);
    assert_eq!(
        both(nobody().config("limits: {max_jobs: 9, max_body_bytes: 5}").set("limits={max_jobs: 3}")),
        expected
    );
    // A section that was said empty before loses nothing that is said after it.
    assert_eq!(both(nobody().set("limits=").set("limits={max_jobs: 3, max_body_bytes: 5}")), expected);
    assert_eq!(
        both(nobody().set("limits={}").set("limits.max_jobs=3").set("limits.max_body_bytes=5")),
        expected
    );
}

#[test]
fn a_section_is_no_number_and_a_number_no_section() {
    let told = "--set limits: limits must be a mapping (lines of \"key: value\"), not 5";
    assert_eq!(nobody().set("limits=5").wrong(), told);
    assert_eq!(nobody().set("limits=5").set("limits.max_jobs=1").wrong(), told);
    assert_eq!(nobody().config("limits: {max_jobs: 2}").set("limits=5").wrong(), told);
    assert_eq!(
        nobody().config("limits: 5").set("limits.max_jobs=1").wrong(),
        "mock.yaml:1:9: limits must be a mapping (lines of \"key: value\"), not 5"
    );
    let told = "--set seed: seed must be an integer from 0 to 9223372036854775807, not a mapping";
    assert_eq!(nobody().set("seed={}").wrong(), told);
    assert_eq!(nobody().set("seed={a: 1}").wrong(), told);
    assert_eq!(
        nobody().set("seed.a=1").wrong(),
        "--set seed.a: seed must be an integer from 0 to 9223372036854775807, not a mapping"
    );
}

#[test]
fn a_value_is_yaml() {
    for (said, key, value) in [
        ("seed= 0x10 ", "seed", "16"),
        ("seed=\n5", "seed", "5"),
        ("seed=5 # of apples", "seed", "5"),
        ("waterfall.lines_dt=1e-1", "waterfall.lines_dt", "0.1"),
        ("world.sw_version=11.17.1", "world.sw_version", "\"11.17.1\""),
        ("world.sw_version='11.17'", "world.sw_version", "\"11.17\""),
        ("world.sw_version=\"a=b;c\"", "world.sw_version", "\"a=b;c\""),
        ("world.channels={lowest: 2, highest: 3}", "world.channels", "{lowest: 2, highest: 3}"),
        ("world.channels=lowest: 2\nhighest: 3", "world.channels", "{lowest: 2, highest: 3}"),
        ("world.recordings={}", "world.recordings", "{}"),
        ("gpu.pool=&a 5", "gpu.pool", "5"),
        ("gpu.pool=~", "gpu.pool", "null"),
    ] {
        assert_eq!(nobody().set(said).entry(key).0, value, "{said}");
    }
    for (said, told) in [
        ("seed=[", "unclosed bracket '['"),
        ("seed=*a", "reference to unknown value"),
        ("seed=1\n---\n2", "only single YAML document expected but multiple found"),
    ] {
        assert_eq!(
            nobody().set(said).wrong(),
            format!("--set seed: not YAML that can be read: {told}"),
            "{said}"
        );
    }
}
