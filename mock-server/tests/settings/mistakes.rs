//! What is wrong with values, in words. Those of worlds have a table of their own in `world_files.rs`.

use super::keys::CANDIDATES;
use super::said::{nobody, yaml};

const HOST: &str = "rest.host must be an IP address such as 127.0.0.1 or ::1, or localhost, not ";
const PORT: &str = "rest.port must be an integer from 0 to 65535, not ";
const URL: &str = "rest.public_url must be http:// or https:// and a host, without port and path, not ";
const STREAM_HOST: &str = "rest.stream_host must be a host name or an IP address, without port, not ";
const ADMIN: &str = "admin.listen must be an IP address and a port such as 127.0.0.1:5000, [::1]:5000 or localhost:5000, \
                     or off, not ";
const MODE: &str = "clock.mode must be system, scaled:N with N above 0 up to 1000000, or manual, not ";
const START: &str =
    "clock.start must be epoch seconds or a time such as 2025-12-05T14:58:23Z, from 1970 to 2500, not ";
const CERT: &str = "tls.cert must be a line of 1 to 4096 characters, not ";
const FILTER: &str = "log.filter must be a level (error, warn, info, debug, trace, off) or levels by module such as \
                      focus_mock=debug, not ";
const LATENCY: &str = "latency.configure_ms must be milliseconds up to 600000, such as 250, or two bounds such as 130-890, not ";
const NAMESPACE: &str =
    "cluster.namespace must be 1 to 63 lower-case letters, digits and inner hyphens, not ";

/// A key, what is told about a mistaken value, and such values, each with how it is shown behind that.
type Mistaken = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const MISTAKEN: &[Mistaken] = &[
    (
        "rest.host",
        HOST,
        &[
            ("mock.example", "\"mock.example\""),
            ("127.0.0.1:80", "\"127.0.0.1:80\""),
            ("'[::1]'", "\"[::1]\""),
            ("1", "1"),
            ("true", "true"),
            ("127.0.0.256", "\"127.0.0.256\""),
            ("''", "\"\""),
        ],
    ),
    (
        "rest.port",
        PORT,
        &[
            ("http", "\"http\""),
            ("'80'", "\"80\""),
            ("80.0", "80.0"),
            ("[80]", "a list"),
            ("99999999999999999999", "1e20"),
        ],
    ),
    (
        "rest.public_url",
        URL,
        &[
            ("mock.example", "\"mock.example\""),
            ("http://", "\"http://\""),
            ("http://a:80", "\"http://a:80\""),
            ("http://a/b", "\"http://a/b\""),
            ("http://a//", "\"http://a//\""),
            ("ftp://a", "\"ftp://a\""),
            ("HTTP://a", "\"HTTP://a\""),
            ("http://u@a", "\"http://u@a\""),
            ("'http://[a]'", "\"http://[a]\""),
            ("'http://::1'", "\"http://::1\""),
            ("5", "5"),
        ],
    ),
    (
        "rest.stream_host",
        STREAM_HOST,
        &[
            ("a:80", "\"a:80\""),
            ("http://a", "\"http://a\""),
            ("'a b'", "\"a b\""),
            ("''", "\"\""),
            ("'[::1'", "\"[::1\""),
            ("ä.example", "\"ä.example\""),
            ("1.5", "1.5"),
            ("{a: b}", "a mapping"),
        ],
    ),
    (
        "admin.listen",
        ADMIN,
        &[
            ("5001", "5001"),
            ("127.0.0.1", "\"127.0.0.1\""),
            ("'::1:5001'", "\"::1:5001\""),
            ("a:5001", "\"a:5001\""),
            ("127.0.0.1:65536", "\"127.0.0.1:65536\""),
            ("false", "false"),
            ("Off", "\"Off\""),
            ("'localhost:'", "\"localhost:\""),
        ],
    ),
    (
        "clock.mode",
        MODE,
        &[
            ("fast", "\"fast\""),
            ("scaled", "\"scaled\""),
            ("'scaled:'", "\"scaled:\""),
            ("scaled:0", "\"scaled:0\""),
            ("scaled:-1", "\"scaled:-1\""),
            ("scaled:1000000.1", "\"scaled:1000000.1\""),
            ("scaled:nan", "\"scaled:nan\""),
            ("scaled:inf", "\"scaled:inf\""),
            ("Manual", "\"Manual\""),
            ("60", "60"),
        ],
    ),
    (
        "clock.start",
        START,
        &[
            ("yesterday", "\"yesterday\""),
            ("-1", "-1"),
            ("16725225601", "16725225601"),
            ("2025-12-05", "\"2025-12-05\""),
            ("2025-12-05T14:58:23", "\"2025-12-05T14:58:23\""),
            ("1969-12-31T23:59:59Z", "\"1969-12-31T23:59:59Z\""),
            ("2500-01-01T00:00:01Z", "\"2500-01-01T00:00:01Z\""),
            ("1.5", "1.5"),
            ("-1h", "\"-1h\""),
        ],
    ),
    (
        "tls.cert",
        CERT,
        &[
            ("5", "5 (put it in quotes)"),
            ("''", "\"\""),
            ("'  '", "\"  \""),
            ("\"a\\nb\"", "\"a\\nb\""),
            ("[a]", "a list"),
        ],
    ),
    (
        "tls.self_signed",
        "tls.self_signed must be true or false, not ",
        &[("1", "1"), ("yes", "\"yes\""), ("'true'", "\"true\"")],
    ),
    (
        "log.format",
        "log.format must be auto, text or json, not ",
        &[("xml", "\"xml\""), ("JSON", "\"JSON\""), ("true", "true")],
    ),
    (
        "log.filter",
        FILTER,
        &[
            ("debgu", "\"debgu\""),
            ("focus_mock", "\"focus_mock\""),
            ("info,debgu", "\"info,debgu\""),
            ("focus_mock=loud", "\"focus_mock=loud\""),
            ("a=b=c", "\"a=b=c\""),
            ("'info, hyper=debug'", "\"info, hyper=debug\""),
            ("'info,'", "\"info,\""),
            ("''", "\"\""),
            ("9", "9"),
            ("[info]", "a list"),
        ],
    ),
    (
        "latency.configure_ms",
        LATENCY,
        &[
            ("-1", "-1"),
            ("600001", "600001"),
            ("1.5", "1.5"),
            ("890-130", "\"890-130\""),
            ("1-", "\"1-\""),
            ("'-'", "\"-\""),
            ("1-2-3", "\"1-2-3\""),
            ("250ms", "\"250ms\""),
            ("0-600001", "\"0-600001\""),
        ],
    ),
    (
        "cluster.namespace",
        NAMESPACE,
        &[
            ("Panda", "\"Panda\""),
            ("-a", "\"-a\""),
            ("a-", "\"a-\""),
            ("a.b", "\"a.b\""),
            ("a_b", "\"a_b\""),
            ("''", "\"\""),
            ("ä", "\"ä\""),
            ("1.5", "1.5"),
            (
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" and so on",
            ),
        ],
    ),
    ("profile", "profile must be contract or observed-2025-12, not ", &[("real", "\"real\""), ("1", "1")]),
];

#[test]
fn a_mistaken_value_is_told_with_what_would_be_right_and_what_it_is() {
    for (key, text, values) in MISTAKEN {
        for (value, shown) in *values {
            assert_eq!(
                nobody().set(&format!("{key}={value}")).wrong(),
                format!("--set {key}: {text}{shown}")
            );
            let by_a_file = nobody().config(yaml(key, value)).wrong();
            assert!(by_a_file.ends_with(&format!(": {text}{shown}")), "{by_a_file}");
            assert!(by_a_file.starts_with("mock.yaml:"), "{by_a_file}");
        }
    }
}

/// Integers: the lowest and the highest.
const INTEGERS: &[(&str, i64, i64)] = &[
    ("rest.port", 0, 65_535),
    ("http.max_header_bytes", 8192, 16_777_216),
    ("http.max_headers", 1, 65_535),
    ("http.max_connections", 1, 1_000_000),
    ("http2.max_header_bytes", 1024, 1_048_576),
    ("http2.max_calls_per_connection", 1, 100_000),
    ("http2.max_connections", 1, 1_000_000),
];

#[test]
fn the_bounds_of_integers_are_taken_and_what_lies_beyond_is_told() {
    for &(key, lowest, highest) in INTEGERS {
        for value in [lowest, highest] {
            assert_eq!(nobody().set(&format!("{key}={value}")).entry(key).0, value.to_string());
        }
        for value in [lowest - 1, highest + 1] {
            assert_eq!(
                nobody().set(&format!("{key}={value}")).wrong(),
                format!("--set {key}: {key} must be an integer from {lowest} to {highest}, not {value}")
            );
        }
    }
}

#[test]
fn the_bounds_of_the_seed_are_those_of_its_type() {
    for value in ["0", "9223372036854775807"] {
        assert_eq!(nobody().flag("seed", value).entry("seed").0, value);
    }
    for (value, shown) in
        [("-1", "-1"), ("9223372036854775808", "9.223372036854776e18"), ("1.0", "1.0"), ("'1'", "\"1\"")]
    {
        let told = format!("--seed: seed must be an integer from 0 to 9223372036854775807, not {shown}");
        assert_eq!(nobody().flag("seed", value).wrong(), told);
    }
}

/// Times in seconds, of a day at most: the shortest.
const SECONDS: &[(&str, &str)] = &[
    ("stop.deadline_s", "0"),
    ("http.header_timeout_s", "0.01"),
    ("http.body_timeout_s", "0.01"),
    ("http.idle_timeout_s", "0.01"),
    ("http.write_timeout_s", "0.01"),
    ("http.wind_up_s", "0.01"),
    ("http2.preface_timeout_s", "0.01"),
    ("http2.write_timeout_s", "0.01"),
    ("http2.wind_up_s", "0.01"),
    ("cleanup.ttl_s", "0"),
];

#[test]
fn the_bounds_of_times_are_taken_and_what_lies_beyond_is_told() {
    for &(key, shortest) in SECONDS {
        for value in [shortest, "86400", "0.5"] {
            assert_eq!(nobody().set(&format!("{key}={value}")).entry(key).0, value);
        }
        let below = if shortest == "0" { "-0.001" } else { "0.009" };
        for (value, shown) in [
            (below, below),
            ("86400.001", "86400.001"),
            (".inf", "inf"),
            (".nan", "NaN"),
            ("5s", "\"5s\""),
            ("true", "true"),
        ] {
            assert_eq!(
                nobody().set(&format!("{key}={value}")).wrong(),
                format!("--set {key}: {key} must be a number from {shortest} to 86400, not {shown}")
            );
        }
    }
}

#[test]
fn what_lies_just_inside_other_bounds_is_taken() {
    for (key, value, printed) in [
        ("clock.mode", "scaled:1000000", "\"scaled:1000000\""),
        ("clock.start", "0", "0"),
        ("clock.start", "16725225600", "16725225600"),
        ("clock.start", "1970-01-01T00:00:00Z", "0"),
        ("clock.start", "2500-01-01T02:00:00+02:00", "16725225600"),
        ("latency.configure_ms", "600000", "600000"),
        ("latency.configure_ms", "0-600000", "\"0-600000\""),
        ("latency.configure_ms", "5 - 5", "5"),
        ("cluster.namespace", "a", "a"),
        ("cluster.namespace", "0", "\"0\""),
        ("rest.public_url", "https://mock.example/", "\"https://mock.example\""),
        ("rest.public_url", "'http://[::1]'", "\"http://[::1]\""),
        ("rest.stream_host", "'::1'", "\"[::1]\""),
        ("rest.stream_host", "'[::1]'", "\"[::1]\""),
        ("rest.host", "localhost", "\"127.0.0.1\""),
        ("admin.listen", "localhost:1", "\"127.0.0.1:1\""),
        ("admin.listen", "0.0.0.0:0", "\"0.0.0.0:0\""),
        ("kube.listen", "localhost:1", "\"127.0.0.1:1\""),
        ("log.filter", "off", "\"off\""),
        ("log.filter", "WARN,focus_mock=debug,hyper=off", "\"WARN,focus_mock=debug,hyper=off\""),
    ] {
        assert_eq!(nobody().set(&format!("{key}={value}")).entry(key).0, printed, "{key}={value}");
    }
    let longest = "n".repeat(63);
    assert_eq!(nobody().set(&format!("cluster.namespace={longest}")).entry("cluster.namespace").0, longest);
}

#[test]
fn a_job_port_above_the_highest_is_told_with_the_highest_base() {
    let too_high = "port base 64512 with 1024 slots ends above port 65535: the highest base is 64511 (ports.base, ports.max_slots)";
    assert_eq!(nobody().flag("port-base", "64511").entry("ports.base").0, "64511");
    assert_eq!(nobody().flag("port-base", "64512").wrong(), format!("--port-base: {too_high}"));
    let said = nobody().config("ports: {base: 64512}");
    assert_eq!(said.wrong(), format!("mock.yaml:1:15: {too_high}"));
    assert_eq!(said.set("ports.max_slots=1023").entry("ports.base").0, "64512");
    assert_eq!(nobody().set("ports.max_slots=50000").set("ports.base=0").entry("ports.max_slots").0, "50000");
    for (value, slots) in [("65534", "1"), ("0", "1")] {
        let said = nobody().flag("port-base", value).set(&format!("ports.max_slots={slots}"));
        assert_eq!(said.entry("ports.base").0, value);
    }
    for value in ["65535", "-1"] {
        let told = format!("--port-base: ports.base must be an integer from 0 to 65534, not {value}");
        assert_eq!(nobody().flag("port-base", value).wrong(), told);
    }
}

#[test]
fn a_listener_is_an_address_and_a_port() {
    for value in
        ["5000", "127.0.0.1", ":5000", "mock.example:5000", "127.0.0.1:65536", "::1:5000", "", "localhost:"]
    {
        let told = format!(
            "expected an IP address and a port such as 127.0.0.1:5000, [::1]:5000 or localhost:5000, not {value:?}"
        );
        assert_eq!(nobody().flag("listen", value).wrong(), format!("--listen: {told}"));
        if !value.is_empty() {
            assert_eq!(
                nobody().variable("FOCUS_MOCK_LISTEN", value).wrong(),
                format!("FOCUS_MOCK_LISTEN: {told}")
            );
        }
    }
}

#[test]
fn a_certificate_and_its_key_come_together_or_not_at_all() {
    let no_key = "tls.cert needs the certificate's private key: give tls.key (--tls-key), too";
    let no_certificate = "tls.key needs the key's certificate: give tls.cert (--tls-cert), too";
    let both = "tls.self_signed and tls.cert cannot both be: give one of --tls-self-signed and --tls-cert";
    for (text, told) in [
        ("{cert: a}", format!("1:13: {no_key}")),
        ("{key: a}", format!("1:12: {no_certificate}")),
        ("{cert: a, self_signed: true}", format!("1:13: {no_key}")),
        ("{key: a, self_signed: true}", format!("1:12: {no_certificate}")),
        ("{cert: a, key: b, self_signed: true}", format!("1:37: {both}")),
    ] {
        assert_eq!(nobody().config(format!("tls: {text}")).wrong(), format!("mock.yaml:{told}"));
    }
    for text in ["{}", "{self_signed: true}", "{cert: a, key: b}", "{cert: a, key: b, self_signed: false}"] {
        nobody().config(format!("tls: {text}")).right();
    }
}

#[test]
fn all_mistakes_of_everybody_are_told_at_once_in_the_order_of_their_places() {
    let said = nobody()
        .file("w.yaml", "gpu:\n  pool: many\nstranger: 1\n")
        .config("world_file: w.yaml\nrest:\n  port: -1\nseed: x\ntls: {cert: a}\n")
        .variable("FOCUS_MOCK_SET", "seed")
        .variable("FOCUS_MOCK_PORT", "5")
        .variable("FOCUS_MOCK_CLOCK", "fast")
        .flag("listen", "5000")
        .set("limits.max_jobs=-1")
        .flag("seed", "many");
    let wrong = said.wrong();
    let places: Vec<_> = wrong.lines().map(|line| line.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(
        places,
        [
            "--listen",
            "--seed",
            "--set limits.max_jobs",
            "FOCUS_MOCK_CLOCK",
            "FOCUS_MOCK_PORT",
            "FOCUS_MOCK_SET",
            "mock.yaml:3:9",
            "mock.yaml:4:7",
            "mock.yaml:5:13",
            "w.yaml:2:9",
            "w.yaml:3:1",
        ],
        "{wrong}"
    );
}

/// Otherwise it would show only once the flag is left out.
#[test]
fn a_mistake_in_a_file_is_told_even_where_a_flag_says_it_right() {
    assert_eq!(
        nobody().config("limits: {max_jobs: many}").set("limits.max_jobs=1").wrong(),
        "mock.yaml:1:20: limits.max_jobs must be an integer from 0 to 50000, not \"many\""
    );
}

#[test]
fn no_key_takes_a_list_or_a_mapping_that_is_none() {
    for key in CANDIDATES.keys() {
        let is_list = ["faults", "timeline", "journal.redact"].contains(&key.as_str());
        for value in ["[]", "[1, 2]", "{stranger: 1}"].into_iter().skip(usize::from(is_list)) {
            let wrong = nobody().set(&format!("{key}={value}")).wrong();
            assert!(wrong.starts_with(&format!("--set {key}: ")), "{key}={value}: {wrong}");
        }
    }
}
