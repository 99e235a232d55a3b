//! Variables of the environment.

use focus_mock::settings::FLAGS;

use super::said::{Said, entry, nobody};

/// A value for each flag with a single value.
fn value_of(name: &str) -> &'static str {
    match name {
        "listen" => "[::1]:6000",
        "admin" => "off",
        "kube" => "off",
        "kube-token" => "open-sesame",
        "kube-tls" => "true",
        "port-base" => "2000",
        "config" => "../fixtures/worlds/gpu-pool-2.yaml",
        "world" => "../fixtures/worlds/one-slot.yaml",
        "scenario" => "../fixtures/scenarios/bad-day.yaml",
        "profile" => "observed-2025-12",
        "quirk" => "status-empty",
        "no-quirk" => "metadata-race",
        "admin-token" => "open-sesame",
        "set" => "limits.max_jobs=3",
        "seed" => "77",
        "clock" => "scaled:60",
        "start-time" => "2025-12-05T14:58:23Z",
        "stream-host" => "streams.example",
        "tls-cert" => "cert.pem",
        "tls-key" => "key.pem",
        "tls-self-signed" => "true",
        "port-file" => "ready.json",
        "log" => "warn,hyper=debug",
        "log-format" => "json",
        "stop-deadline" => "2.5",
        _ => panic!("a new flag: --{name}"),
    }
}

/// What a flag needs beside it: a certificate goes with its private key.
fn companions_of(name: &str) -> Said {
    match name {
        "tls-cert" => nobody().set("tls.key=/companion"),
        "tls-key" => nobody().set("tls.cert=/companion"),
        "no-quirk" => nobody().set("profile=observed-2025-12"),
        _ => nobody(),
    }
}

#[test]
fn each_flag_has_a_variable_which_says_the_same() {
    let default = nobody().right();
    for flag in &FLAGS {
        let value = value_of(flag.name);
        let by_flag = companions_of(flag.name).flag(flag.name, value).right();
        let by_variable = companions_of(flag.name).variable(&flag.variable(), value).right();
        assert_eq!(by_flag.config, by_variable.config, "{}", flag.name);
        assert_eq!((&by_flag.port_file, &by_flag.log), (&by_variable.port_file, &by_variable.log));
        let changed = (&by_flag.config, &by_flag.port_file, &by_flag.log)
            != (&default.config, &default.port_file, &default.log);
        assert!(changed, "--{} {value} changes nothing", flag.name);
        for key in flag.keys {
            assert_eq!(entry(&by_flag, key).place.to_string(), format!("--{}", flag.name));
            assert_eq!(entry(&by_variable, key).place.to_string(), flag.variable());
        }
    }
}

#[test]
fn each_flag_wins_over_its_variable() {
    for flag in &FLAGS {
        let value = value_of(flag.name);
        let said = companions_of(flag.name).variable(&flag.variable(), value).flag(flag.name, value).right();
        for key in flag.keys {
            assert_eq!(entry(&said, key).place.to_string(), format!("--{}", flag.name));
        }
    }
}

#[test]
fn empty_variables_say_nothing() {
    let said = FLAGS.iter().fold(nobody(), |said, flag| said.variable(&flag.variable(), ""));
    let said = said.variable("FOCUS_MOCK_UNKNOWN", "");
    assert_eq!(said.right().entries(), nobody().right().entries());
}

#[test]
fn an_unknown_variable_is_named_with_those_there_are() {
    let told = "unknown variable: there are FOCUS_MOCK_LISTEN, FOCUS_MOCK_ADMIN, FOCUS_MOCK_ADMIN_TOKEN, FOCUS_MOCK_KUBE, \
                FOCUS_MOCK_KUBE_TOKEN, FOCUS_MOCK_KUBE_TLS, FOCUS_MOCK_PORT_BASE, FOCUS_MOCK_CONFIG, \
                FOCUS_MOCK_WORLD, FOCUS_MOCK_SCENARIO, FOCUS_MOCK_PROFILE, FOCUS_MOCK_QUIRK, FOCUS_MOCK_NO_QUIRK, FOCUS_MOCK_SET, FOCUS_MOCK_SEED, FOCUS_MOCK_CLOCK, FOCUS_MOCK_START_TIME, \
                FOCUS_MOCK_STREAM_HOST, FOCUS_MOCK_TLS_CERT, FOCUS_MOCK_TLS_KEY, FOCUS_MOCK_TLS_SELF_SIGNED, \
                FOCUS_MOCK_PORT_FILE, FOCUS_MOCK_LOG, FOCUS_MOCK_LOG_FORMAT, FOCUS_MOCK_STOP_DEADLINE";
    for name in ["FOCUS_MOCK_PORT", "FOCUS_MOCK_", "FOCUS_MOCK_seed", "FOCUS_MOCK_SEED_"] {
        assert_eq!(nobody().variable(name, "5").wrong(), format!("{name}: {told}"));
    }
}

#[test]
fn other_variables_are_none_of_its_business() {
    for name in ["FOCUS_MOCKING", "FOCUSMOCK_SEED", "focus_mock_seed", "SEED", ""] {
        assert_eq!(nobody().variable(name, "5").right().entries(), nobody().right().entries());
    }
}

#[test]
fn a_switch_is_true_or_false() {
    let said = |value: &str| nobody().variable("FOCUS_MOCK_TLS_SELF_SIGNED", value);
    for (value, printed) in [("true", "true"), ("false", "false"), ("True", "true"), (" true ", "true")] {
        let place = String::from("FOCUS_MOCK_TLS_SELF_SIGNED");
        assert_eq!(said(value).entry("tls.self_signed"), (printed.to_owned(), place));
    }
    for (value, shown) in
        [("maybe", "\"maybe\""), ("1", "1"), ("yes", "\"yes\""), ("on", "\"on\""), ("[]", "a list")]
    {
        assert_eq!(
            said(value).wrong(),
            format!("FOCUS_MOCK_TLS_SELF_SIGNED: tls.self_signed must be true or false, not {shown}")
        );
    }
}

#[test]
fn a_switch_of_the_file_can_be_taken_back_by_its_variable() {
    let said = nobody().config("tls: {self_signed: true}");
    assert!(said.right().config.tls.is_some());
    assert!(said.variable("FOCUS_MOCK_TLS_SELF_SIGNED", "false").right().config.tls.is_none());
}

#[test]
fn several_keys_stand_between_semicolons() {
    let said = nobody().variable("FOCUS_MOCK_SET", " seed=5 ;;limits.max_jobs = 6; clock.mode=manual;");
    for (key, value) in [("seed", "5"), ("limits.max_jobs", "6"), ("clock.mode", "manual")] {
        assert_eq!(said.entry(key), (value.to_owned(), String::from("FOCUS_MOCK_SET")));
    }
    assert_eq!(
        nobody().variable("FOCUS_MOCK_SET", "seed=5;seed").wrong(),
        "FOCUS_MOCK_SET: expected key=value such as limits.max_jobs=10, not \"seed\""
    );
    assert_eq!(nobody().variable("FOCUS_MOCK_SET", ";").right().entries(), nobody().right().entries());
}

/// The environment has no order.
#[test]
fn which_of_two_variables_was_the_first_is_no_chance() {
    let told = "FOCUS_MOCK_SET: seed is given more than once, first by FOCUS_MOCK_SEED";
    assert_eq!(nobody().variable("FOCUS_MOCK_SEED", "1").variable("FOCUS_MOCK_SET", "seed=2").wrong(), told);
    assert_eq!(nobody().variable("FOCUS_MOCK_SET", "seed=2").variable("FOCUS_MOCK_SEED", "1").wrong(), told);
}

#[test]
fn the_file_of_a_flag_is_read_instead_of_the_one_of_the_variable() {
    let said = nobody().variable("FOCUS_MOCK_CONFIG", "/not/there.yaml").config("seed: 3");
    assert_eq!(said.entry("seed"), (String::from("3"), String::from("mock.yaml:1:7")));
    assert_eq!(
        nobody().variable("FOCUS_MOCK_CONFIG", "/not/there.yaml").wrong(),
        "FOCUS_MOCK_CONFIG: /not/there.yaml: No such file or directory (os error 2)"
    );
}
