//! What is printed can be said again.

use focus_mock::settings::Settings;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::keys::CANDIDATES;
use super::said::{Said, nobody};

/// Printed hidden, so that they cannot be said again: the only ones.
const HIDDEN: [&str; 2] = ["admin.token", "kube.token"];

/// Settings that were read from what other settings printed.
fn again(settings: &Settings) -> Said {
    nobody().config(settings.yaml())
}

fn assert_same(said: &Said) {
    let settings = said.right();
    let text = settings.yaml();
    let read = again(&settings).gather().unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"));
    assert_eq!(read.config, settings.config, "{text}");
    assert_eq!(read.port_file, settings.port_file, "{text}");
    assert_eq!(read.log, settings.log, "{text}");
    for (read, said) in read.entries().iter().zip(settings.entries()) {
        assert_eq!((&read.key, &read.value), (&said.key, &said.value), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printed_settings_are_read_as_the_same_settings(
        keys in subsequence(CANDIDATES.keys().filter(|key| !HIDDEN.contains(&key.as_str())).cloned().collect::<Vec<_>>(), 1..40),
        choices in prop::collection::vec(any::<Index>(), 40),
    ) {
        let mut said = nobody();
        for (key, choice) in keys.iter().zip(choices) {
            let tried = format!("{key}={}", choice.get(&CANDIDATES[key]));
            said = said.set(&tried);
        }
        // Some keys do not go together; those that are left out of this are tried one by one above.
        prop_assume!(said.gather().is_ok());
        assert_same(&said);
    }

    #[test]
    fn any_line_of_text_survives(text in "\\PC{1,40}", quoted in any::<bool>()) {
        prop_assume!(!text.trim().is_empty());
        let value = if quoted { text.clone() } else { format!(" {text}") };
        let value = serde_json::Value::from(value).to_string();
        let said = nobody().set(&format!("world.fiber_description={value}")).set(&format!("port_file={value}"));
        assert_same(&said);
        prop_assert!(said.right().config.setup.fiber.description.ends_with(&text));
    }

    #[test]
    fn any_number_survives(number in 0.001..3600.0_f64, speed in 1.0..1e6_f64, factor in 1e-9..1e6_f64) {
        let said = nobody()
            .set(&format!("waterfall.lines_dt={number}"))
            .set(&format!("sweep.period_s={}", number + 0.1))
            .set(&format!("historic.playback_speed={speed}"))
            .flag("clock", &format!("scaled:{factor}"));
        assert_same(&said);
    }
}

#[test]
fn every_value_of_every_key_survives() {
    for (key, values) in CANDIDATES.iter().filter(|(key, _)| !HIDDEN.contains(&key.as_str())) {
        for value in values {
            assert_same(&super::keys::with_companions(nobody(), key).set(&format!("{key}={value}")));
        }
    }
}

#[test]
fn words_that_yaml_takes_for_something_else_survive() {
    for word in [
        "null",
        "~",
        "true",
        "no",
        "12",
        "1e3",
        "0x1f",
        ".nan",
        "- a",
        "a: b",
        "#a",
        "*a",
        "&a",
        "!a",
        "%a",
        "2025-12-05",
        "a #b",
        "\"",
        "'",
        "{",
        "]",
        "=",
        "<<",
        "a\u{2028}b",
        "\u{fffd}",
        "é",
        "\u{1f980}",
        "NULL",
        "True",
    ] {
        let value = serde_json::Value::from(word).to_string();
        let said = nobody().set(&format!("world.dtype={value}")).set(&format!("world.sw_version={value}"));
        assert_eq!(said.right().config.setup.fiber.dtype, word);
        assert_same(&said);
    }
}

#[test]
fn relative_paths_mean_the_same_wherever_the_printed_file_lies() {
    let said = nobody().flag("tls-cert", "a.pem").flag("tls-key", "b/a.key").flag("port-file", "ready.json");
    assert_same(&said);
    assert_same(&nobody().config("port_file: ../ready.json"));
}

#[test]
fn a_world_is_printed_with_all_that_it_made() {
    for name in ["recordings-with-gaps.yaml", "gpu-pool-2.yaml", "slow-pod-start.yaml", "default.yaml"] {
        let world = format!("../fixtures/worlds/{name}");
        assert_same(&nobody().flag("world", &world));
        // What was taken back stays taken back.
        assert_same(&nobody().flag("world", &world).set("gpu.pool=").set("grpc.pod_start_s=null"));
    }
}

#[cfg(unix)]
#[test]
fn a_file_with_a_line_feed_in_its_name_is_printed_in_one_line() {
    let said = nobody().file("a\nb: c.yaml", "seed: 9").flag_with_file("config", "a\nb: c.yaml");
    assert_eq!(said.entry("seed").1, "a\nb: c.yaml:1:7");
    assert_same(&said);
    // Blanks around a key are not part of it.
    assert_eq!(nobody().set("\n seed =9").entry("seed").1, "--set seed");
}

#[test]
fn each_key_is_printed_in_its_section_with_its_place() {
    let said = nobody().config("rest: {port: 1}").variable("FOCUS_MOCK_SEED", "2").flag("admin", "off");
    let yaml = said.right().yaml();
    let line = |start: &str| yaml.lines().find(|line| line.starts_with(start)).expect("a line").to_owned();
    let file = said
        .right()
        .entries()
        .iter()
        .find(|entry| entry.key == "rest.port")
        .map(|entry| entry.place.to_string());
    assert_eq!(line("seed: 2"), "seed: 2                                 # FOCUS_MOCK_SEED");
    assert_eq!(line("  listen: "), "  listen: \"off\"                         # --admin");
    assert_eq!(
        line("  port: 1"),
        format!("  port: 1                               # {}", file.expect("a place"))
    );
    assert_eq!(line("  max_slots"), "  max_slots: 1024                       # default");
    for section in ["rest", "admin", "limits", "http", "http2"] {
        assert_eq!(yaml.lines().filter(|line| *line == format!("{section}:")).count(), 1);
    }
}
