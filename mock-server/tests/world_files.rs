//! World files: the documented default, the ones that come with the repository, and what a mistake looks like.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use focus_mock::domain::fiber::FiberState;
use focus_mock::domain::recording::RecordingEnd;
use focus_mock::domain::time::{EpochSeconds, TimeRange};
use focus_mock::settings::Place;
use focus_mock::sim::setup::{MongoDb, Setup};
use focus_mock::world_file;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

fn world(name: &str) -> Setup {
    let path = fixtures().join("worlds").join(name);
    world_file::load(&path).unwrap_or_else(|error| panic!("{error}"))
}

fn names() -> BTreeSet<String> {
    let entries = std::fs::read_dir(fixtures().join("worlds")).expect("the directory of worlds");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect()
}

/// What a mistaken file is refused with.
fn refusal(text: &str) -> String {
    match world_file::parse(text, "w.yaml") {
        Ok(_) => panic!("no mistake was found in\n{text}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_default_file_is_the_default_world() {
    assert_eq!(world("default.yaml"), Setup::default());
}

/// An unknown key makes the file name the keys it looked for: the only list of them there is.
#[test]
fn the_default_file_has_every_key_there_is() {
    let text = std::fs::read_to_string(fixtures().join("worlds/default.yaml")).expect("the file");
    let sections: BTreeSet<_> = keys_of(&refusal("stranger: 1")).collect();
    let mut sought: Vec<(String, String)> = sections.iter().map(|key| (String::new(), key.clone())).collect();
    // A single word and no section.
    for section in sections.iter().filter(|section| *section != "profile") {
        let keys: Vec<_> = keys_of(&refusal(&format!("{section}: {{stranger: 1}}"))).collect();
        sought.extend(keys.into_iter().map(|key| (format!("{section}."), key)));
    }
    let deeper = [
        ("world.channels", "{channels: {stranger: 1, lowest: 1, highest: 2}}"),
        ("world.recordings", "{recordings: {stranger: 1}}"),
        ("world.recordings.series", "{recordings: {series: {stranger: 1, from: 0, length: 60}}}"),
        ("world.recordings.gaps[0]", "{recordings: {gaps: [{stranger: 1, start: 0, end: 1}]}}"),
    ];
    for (path, yaml) in deeper {
        let keys: Vec<_> = keys_of(&refusal(&format!("world: {yaml}"))).collect();
        sought.extend(keys.into_iter().map(|key| (format!("{path}."), key)));
    }
    assert!(sought.len() > 45, "the search itself finds keys: {sought:?}");
    for (path, key) in sought {
        let is_written = text.lines().any(|line| {
            let line = line.trim_start().trim_start_matches("- ");
            line.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with(':'))
        });
        assert!(is_written, "{path}{key} is not in default.yaml");
    }
}

fn keys_of(refusal: &str) -> impl Iterator<Item = String> {
    assert_eq!(refusal.lines().count(), 1, "one mistake was expected:\n{refusal}");
    let (_, keys) = refusal.split_once(" has the keys ").unwrap_or_else(|| panic!("no keys in {refusal}"));
    keys.split(", ").map(str::to_owned).collect::<Vec<_>>().into_iter()
}

#[test]
fn every_world_of_the_fixtures_can_be_read() {
    for name in names() {
        let setup = world(&name);
        assert!(name == "default.yaml" || setup != Setup::default(), "{name} changes nothing");
    }
}

#[test]
fn every_world_of_the_fixtures_is_in_their_readme_and_the_other_way_round() {
    let readme = std::fs::read_to_string(fixtures().join("README.md")).expect("the README");
    let listed: BTreeSet<String> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `worlds/")?.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(listed, names());
}

#[test]
fn the_worlds_of_the_fixtures_are_what_their_names_say() {
    assert_eq!(world("waiting-for-fiber.yaml").fiber_state, FiberState::Waiting);
    assert_eq!(world("outage-mongodb.yaml").dependencies.mongodb, MongoDb::Down);
    assert_eq!(world("one-slot.yaml").ports.max_slots(), 1);
    assert_eq!(world("slow-pod-start.yaml").times.pod_start.as_secs(), 7);
    assert_eq!(world("gpu-pool-2.yaml").gpu.size, Some(2));
    let start = EpochSeconds(1_765_152_000);
    let always = TimeRange::new(EpochSeconds(0), EpochSeconds(2_000_000_000)).expect("a range");
    let none = world("no-recordings.yaml").recordings.catalog(start).overlapping(always, start);
    assert_eq!(none, []);
}

#[test]
fn recordings_can_be_told_in_any_of_the_ways_the_documentation_names() {
    let start = EpochSeconds(1_765_152_000); // 2025-12-08T00:00:00Z
    let catalog = world("recordings-with-gaps.yaml").recordings.catalog(start);
    let list = |from: i64, to: i64| -> Vec<(i64, i64)> {
        let window = TimeRange::new(start.plus(from), start.plus(to)).expect("a window");
        let end = |end| match end {
            RecordingEnd::At(second) => second.0 - start.0,
            RecordingEnd::Ongoing => -1,
        };
        let found = catalog.overlapping(window, start);
        found.iter().map(|recording| (recording.start.0 - start.0, end(recording.end))).collect()
    };
    let (minute, hour, day) = (60, 3600, 86_400);
    assert_eq!(list(-8 * day, -6 * day), [(-7 * day, -7 * day + 10 * minute)], "relative");
    // 2025-12-05T14:58:23Z as text and two hours later as a number, relative to the start.
    assert_eq!(list(-3 * day, -2 * day), [(1_764_946_703 - start.0, 1_764_953_903 - start.0)]);
    assert_eq!(
        list(-26 * hour, -24 * hour),
        [(-26 * hour, -26 * hour + 15 * minute), (-25 * hour + 45 * minute, -24 * hour),],
        "a gap shortens what it cuts into"
    );
    assert_eq!(
        list(-6 * hour, -6 * hour + 30 * minute),
        [(-6 * hour + 10 * minute, -6 * hour + 30 * minute)],
        "a gap at the begin of one"
    );
    assert_eq!(list(-20 * minute, 0).last(), Some(&(-20 * minute, -1)), "ongoing");
}

#[test]
fn a_file_without_keys_is_the_default_world() {
    for text in
        ["", "\n", "# nothing but words\n", "---\n", "{}", "null", "world:\nlimits: ~\ngpu: {pool: null}\n"]
    {
        assert_eq!(world_file::parse(text, "w.yaml").expect("no mistake"), Setup::default(), "{text:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = world_file::load(Path::new("/nowhere/w.yaml")).expect_err("no such file");
    assert_eq!(error.to_string(), "/nowhere/w.yaml: No such file or directory (os error 2)");
}

#[test]
fn a_file_that_is_no_text_is_named() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), b"world: \xff").expect("written");
    let error = world_file::load(file.path()).expect_err("no UTF-8");
    assert_eq!(error.to_string(), format!("{}: stream did not contain valid UTF-8", file.path().display()));
}

/// Mistakes and what each is told as, without the name of the file.
const MISTAKES: &[(&str, &str)] = &[
    // Unknown keys, at every level; the place is the key's.
    (
        "world: {}\nwrld: {}",
        "2:1: unknown key \"wrld\": a world file has the keys profile, quirks, world, dependencies, limits, ports, jobs, waterfall, \
         latency, grpc, historic, sweep, stream, job, cleanup, startup, cluster, gpu",
    ),
    (
        "5: x",
        "1:1: unknown key 5: a world file has the keys profile, quirks, world, dependencies, limits, ports, jobs, waterfall, \
         latency, grpc, historic, sweep, stream, job, cleanup, startup, cluster, gpu",
    ),
    ("ports:\n  bas: 1", "2:3: unknown key \"bas\": ports has the keys base, max_slots, on_conflict"),
    (
        "sweep: {perod_s: 1}",
        "1:9: unknown key \"perod_s\": sweep has the keys period_s, hits, cpu_threshold_m",
    ),
    (
        "world:\n  channels: {lowest: 1, highest: 5, step: 2}",
        "2:37: unknown key \"step\": world.channels has the keys lowest, highest",
    ),
    (
        "world:\n  recordings:\n    span: []",
        "3:5: unknown key \"span\": world.recordings has the keys series, gaps, spans",
    ),
    (
        "world:\n  recordings:\n    spans:\n      - start: 1\n        end: 2\n        uuid: x",
        "6:9: unknown key \"uuid\": world.recordings.spans[0] has the keys start, end",
    ),
    // Not the type.
    ("- world", "1:1: a world file must be a mapping (lines of \"key: value\"), not a list"),
    ("fast", "1:1: a world file must be a mapping (lines of \"key: value\"), not \"fast\""),
    ("limits: 5", "1:9: limits must be a mapping (lines of \"key: value\"), not 5"),
    (
        "world: {channels: 1-2337}",
        "1:19: world.channels must be a mapping (lines of \"key: value\"), not \"1-2337\"",
    ),
    ("world: {prr: fast}", "1:14: world.prr must be an integer from 2 to 1000000, not \"fast\""),
    ("world: {prr: \"2000\"}", "1:14: world.prr must be an integer from 2 to 1000000, not \"2000\""),
    ("world: {prr: 2000.5}", "1:14: world.prr must be an integer from 2 to 1000000, not 2000.5"),
    ("world: {prr: [2000]}", "1:14: world.prr must be an integer from 2 to 1000000, not a list"),
    ("world: {dx: near}", "1:13: world.dx must be a number from 0.000001 to 1000000, not \"near\""),
    ("world: {dx: .nan}", "1:13: world.dx must be a number from 0.000001 to 1000000, not NaN"),
    ("world: {dx: .inf}", "1:13: world.dx must be a number from 0.000001 to 1000000, not inf"),
    (
        "world: {sw_version: 11.17}",
        "1:21: world.sw_version must be a line of 1 to 200 characters, not 11.17 (put it in quotes)",
    ),
    ("world: {dtype: \"\"}", "1:16: world.dtype must be a line of 1 to 200 characters, not \"\""),
    ("world: {dtype: \"a\\nb\"}", "1:16: world.dtype must be a line of 1 to 200 characters, not \"a\\nb\""),
    (
        "world: {recordings: []}",
        "1:21: world.recordings must be a mapping (lines of \"key: value\"), not a list",
    ),
    (
        "world: {recordings: {gaps: 5}}",
        "1:28: world.recordings.gaps must be a list (lines of \"- start: ...\"), not 5",
    ),
    (
        "world: {recordings: {spans: [5]}}",
        "1:30: world.recordings.spans[0] must be a mapping (lines of \"key: value\"), not 5",
    ),
    ("gpu: {reject_when_full: yes}", "1:25: gpu.reject_when_full must be true or false, not \"yes\""),
    ("dependencies: {fiber: dark}", "1:23: dependencies.fiber must be ready, waiting or mixed, not \"dark\""),
    (
        "dependencies: {mongodb: dwn}",
        "1:25: dependencies.mongodb must be up, down, slow-fail or restarting, not \"dwn\"",
    ),
    ("dependencies: {rabbitmq: false}", "1:26: dependencies.rabbitmq must be up or down, not false"),
    ("dependencies: {recorder: Up}", "1:26: dependencies.recorder must be up or down, not \"Up\""),
    (
        "dependencies: {recordings: 0}",
        "1:28: dependencies.recordings must be present, none or path-mismatch, not 0",
    ),
    (
        "dependencies: {cluster: full}",
        "1:25: dependencies.cluster must be ok, refuses-objects or out-of-pod-addresses, not \"full\"",
    ),
    ("dependencies: {focus_server: {}}", "1:30: dependencies.focus_server must be up or down, not a mapping"),
    ("ports: {on_conflict: wait}", "1:22: ports.on_conflict must be reject or skip, not \"wait\""),
    // Values that are no sense together.
    (
        "world: {channels: {lowest: 5, highest: 4}}",
        "1:40: world.channels.highest (4) must not be below world.channels.lowest (5)",
    ),
    ("world: {channels: {highest: 4}}", "1:19: world.channels.lowest is missing"),
    (
        "world: {channels: {}}",
        "1:19: world.channels.lowest is missing\n1:19: world.channels.highest is missing",
    ),
    (
        "world: {fiber_start_meters: 50, fiber_length_meters: 50}",
        "1:54: world.fiber_length_meters (50) must be above world.fiber_start_meters (50)",
    ),
    (
        "world: {fiber_start_meters: 10000}",
        "1:29: world.fiber_length_meters (10000) must be above world.fiber_start_meters (10000)",
    ),
    (
        "limits: {nfft_max_multichannel: 1000}",
        "1:33: limits.nfft_max_multichannel must be a power of two, not 1000",
    ),
    // Times.
    (
        "world: {recordings: {spans: [{start: 20, end: 20}]}}",
        "1:47: world.recordings.spans[0].end must be after world.recordings.spans[0].start",
    ),
    (
        "world: {recordings: {gaps: [{start: -1h, end: -2h}]}}",
        "1:47: world.recordings.gaps[0].end must be after world.recordings.gaps[0].start",
    ),
    (
        "world: {recordings: {spans: [{start: 1}, {end: 2}]}}",
        "1:30: world.recordings.spans[0].end is missing\n1:42: world.recordings.spans[1].start is missing",
    ),
    (
        "world: {recordings: {spans: [{start: yesterday, end: ongoing}]}}",
        "1:38: world.recordings.spans[0].start must be epoch seconds, a time such as 2025-12-05T14:58:23Z, or a time \
         relative to the start of the server such as -28d or \"-1h 30m\", not \"yesterday\"",
    ),
    (
        "world: {recordings: {spans: [{start: -1, end: 2025-12-05}]}}",
        "1:38: world.recordings.spans[0].start must be epoch seconds, a time such as 2025-12-05T14:58:23Z, or a time \
         relative to the start of the server such as -28d or \"-1h 30m\", not -1\n\
         1:47: world.recordings.spans[0].end must be epoch seconds, a time such as 2025-12-05T14:58:23Z, or a time \
         relative to the start of the server such as -28d or \"-1h 30m\", or ongoing, not \"2025-12-05\"",
    ),
    (
        "world: {recordings: {gaps: [{start: 1, end: ongoing}]}}",
        "1:45: world.recordings.gaps[0].end must be epoch seconds, a time such as 2025-12-05T14:58:23Z, or a time \
         relative to the start of the server such as -28d or \"-1h 30m\", not \"ongoing\"",
    ),
    (
        "world: {recordings: {series: {from: 99999999999999, length: 1h}}}",
        "1:37: world.recordings.series.from must be epoch seconds, a time such as 2025-12-05T14:58:23Z, or a time \
         relative to the start of the server such as -28d or \"-1h 30m\", not 99999999999999",
    ),
    (
        "world: {recordings: {series: {from: -28d, length: -1h}}}",
        "1:51: world.recordings.series.length must be a duration such as 1h or 30m, or whole seconds, a minute at least, not \"-1h\"",
    ),
    (
        "world: {recordings: {series: {from: -28d, length: 59}}}",
        "1:51: world.recordings.series.length must be a duration such as 1h or 30m, or whole seconds, a minute at least, not 59",
    ),
    ("world: {recordings: {series: {from: -28d}}}", "1:30: world.recordings.series.length is missing"),
    // The same key again, and what is no YAML.
    ("gpu: {pool: 1}\njob: {}\ngpu: {pool: 2}", "3:1: gpu is given more than once, first in line 1"),
    ("world:\n  prr: 5\n  prr: 6", "3:3: world.prr is given more than once, first in line 2"),
    ("world: [", "1:8: not YAML that can be read: unclosed bracket '['"),
    ("world: \"a", "1:8: not YAML that can be read: unclosed quote"),
    (
        "world:\n\tprr: 1",
        "2:2: not YAML that can be read: tabs disallowed within this context (block indentation)",
    ),
    ("world: *base", "1:8: not YAML that can be read: reference to unknown value"),
    ("{}\n---\n{}", "3:1: not YAML that can be read: only single YAML document expected but multiple found"),
];

#[test]
fn a_mistake_is_told_with_its_place_its_key_and_what_would_be_right() {
    for (yaml, expected) in MISTAKES {
        let expected: Vec<_> = expected.lines().map(|line| format!("w.yaml:{line}")).collect();
        assert_eq!(refusal(yaml), expected.join("\n"), "{yaml}");
    }
}

/// Keys with bounds: the value just below, the lowest, the highest, the value just above.
const BOUNDS: &[(&str, [&str; 4])] = &[
    ("world.prr", ["1", "2", "1000000", "1000001"]),
    ("world.dx", ["0.0000009", "0.000001", "1000000", "1000000.1"]),
    ("world.fiber_start_meters", ["-1", "0", "9999", "1000001"]),
    ("world.fiber_length_meters", ["0", "1", "1000000", "1000001"]),
    ("world.number_of_channels", ["0", "1", "1000000", "1000001"]),
    ("world.num_samples_per_trace", ["0", "1", "1000000000", "1000000001"]),
    ("limits.max_body_bytes", ["0", "1", "1073741824", "1073741825"]),
    ("limits.max_channels_per_request", ["0", "1", "1000000", "1000001"]),
    ("limits.nfft_max_multichannel", ["127", "128", "65536", "65537"]),
    ("limits.max_jobs", ["-1", "0", "50000", "50001"]),
    ("limits.future_tolerance_s", ["-1", "0", "31536000", "31536001"]),
    ("ports.max_slots", ["0", "1", "50000", "50001"]),
    ("jobs.first_sequence", ["0", "1", "2147483647", "2147483648"]),
    ("waterfall.lines_dt", ["0.0009", "0.001", "3600", "3600.1"]),
    ("grpc.pod_start_s", ["-0.1", "0", "86400", "86400.1"]),
    ("grpc.max_frame_bytes", ["262143", "262144", "50000000", "50000001"]),
    ("historic.playback_speed", ["0.99", "1", "1000000", "1e7"]),
    ("sweep.period_s", ["0.09", "0.1", "86400", "1e300"]),
    ("sweep.hits", ["0", "1", "100000", "99999999999999999999"]),
    ("sweep.cpu_threshold_m", ["-1", "0", "100000", "100001"]),
    ("stream.inactivity_s", ["0", "0.1", "86400", "86401"]),
    ("job.ttl_s", ["-1", "0", "86400", "86401"]),
    ("gpu.pool", ["-1", "0", "1000000", "-9223372036854775809"]),
];

#[test]
fn every_bound_is_taken_and_what_lies_beyond_it_is_refused() {
    for (key, [below, lowest, highest, above]) in BOUNDS {
        let (section, name) = key.split_once('.').expect("section.key");
        let yaml = |value: &str| format!("{section}:\n  {name}: {value}\n");
        for value in [lowest, highest] {
            let read = world_file::parse(&yaml(value), "w.yaml");
            assert!(read.is_ok(), "{key}: {value}: {}", read.expect_err("not ok"));
        }
        for value in [below, above] {
            let refusal = refusal(&yaml(value));
            let start = format!("w.yaml:2:{}: {key} must be a", name.len() + 5);
            assert!(refusal.starts_with(&start), "{key}: {value}: {refusal}");
            assert!(refusal.contains(" from ") && refusal.contains(", not "), "{key}: {value}: {refusal}");
        }
    }
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once_in_the_order_of_their_lines() {
    let text = "gpu:\n  pool: many\nworld:\n  prs: 2000\n  channels: {lowest: 9, highest: 3}\n  recordings:\n    \
                spans:\n      - start: soon\n        end: ongoing\ndependencies:\n  mongodb: gone\n";
    let told = refusal(text);
    let places: Vec<_> = told.lines().map(|line| line.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(places, ["w.yaml:2:9", "w.yaml:4:3", "w.yaml:5:34", "w.yaml:8:16", "w.yaml:11:12"], "{told}");
}

#[test]
fn mistakes_are_also_there_as_values() {
    let error = world_file::parse("gpu: {pool: -1}", "w.yaml").expect_err("a mistake");
    let [mistake] = error.0.as_slice() else { panic!("{error}") };
    assert_eq!(mistake.place, Place::File { file: Arc::from("w.yaml"), line: 1, column: 13 });
}

/// What hostile files are refused with; each would exhaust the stack or the memory if it were followed.
#[test]
fn a_file_that_is_made_to_exhaust_the_reader_is_refused() {
    let nested = |depth: usize| {
        (0..depth).fold(String::new(), |mut text, level| {
            let _ = writeln!(text, "{}a:", " ".repeat(level));
            text
        })
    };
    let bomb = |width: usize, levels: usize| {
        (1..levels).fold(String::from("a0: &a0 [x]\n"), |mut text, level| {
            let aliases = vec![format!("*a{}", level - 1); width].join(", ");
            let _ = writeln!(text, "a{level}: &a{level} [[[[[[{aliases}]]]]]]");
            text
        })
    };
    let too_much = "not YAML that can be read: too deep or too large for a file of settings";
    for (yaml, expected) in [
        (nested(17), too_much),
        (nested(200), too_much),
        (nested(2000), too_much),
        (format!("{}{}", "[".repeat(20), "]".repeat(20)), too_much),
        ("[".repeat(100_000), "not YAML that can be read: recursion limit exceeded"),
        ("{a: ".repeat(100_000), "not YAML that can be read: recursion limit exceeded"),
        (bomb(9, 20), too_much),
        (bomb(1, 200), too_much),
        (format!("a: &a [x]\nb: [{}]", "*a, ".repeat(20_000)), too_much),
        (format!("[{}]", "x, ".repeat(200_000)), too_much),
        (String::from("a: &a [*a]"), "not YAML that can be read: Recursive reference not allowed here"),
    ] {
        let refusal = refusal(&yaml);
        let shown: String = yaml.chars().take(60).collect();
        assert!(refusal.ends_with(expected), "{shown}: {refusal}");
    }
}

#[test]
fn anchors_and_merges_of_ordinary_size_work() {
    let text = "world:\n  recordings:\n    spans:\n      - &first {start: -2h, end: -1h}\n      - {<<: *first, start: -1h 30m}\n";
    let setup = world_file::parse(text, "w.yaml").expect("no mistake");
    assert_eq!(setup.recordings.spans.len(), 2);
    let (first, second) = (setup.recordings.spans[0], setup.recordings.spans[1]);
    assert_eq!(first.1, second.1);
    assert_ne!(first.0, second.0);
}
