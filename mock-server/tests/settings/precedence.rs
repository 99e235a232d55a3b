//! Who is heard when several say the same key.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::keys::{CANDIDATES, is_of_world, with_companions};
use super::said::{Said, flag, nobody, yaml};

/// Who can say a key, the ones that win later first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Default,
    WorldOfTheFile,
    File,
    WorldOfAVariable,
    Variable,
    WorldOfAFlag,
    Flag,
}

use Source::{Default, File, Flag, Variable, WorldOfAFlag, WorldOfAVariable, WorldOfTheFile};

/// The flag that says a key as it is.
fn flag_of(key: &str) -> Option<&'static str> {
    let single = |name: &&str| flag(name).keys == [key] && !flag(name).is_switch();
    ["admin", "kube", "port-base", "seed", "clock", "start-time", "stream-host", "tls-cert", "tls-key"]
        .into_iter()
        .chain(["port-file", "log", "log-format", "stop-deadline"])
        .find(single)
}

/// The text of a value without its quotes: flags of texts take it as it is.
fn bare(value: &str) -> &str {
    value.trim_matches('\'')
}

/// Says it, and where it will be told to have been said.
fn say(said: Said, source: Source, key: &str, value: &str, by_its_own_flag: bool) -> (Said, String) {
    let named = if by_its_own_flag { flag_of(key) } else { None };
    let in_file = |file: &str| match key.split_once('.') {
        Some((_, name)) => format!("{file}:2:{}", name.len() + 5),
        None => format!("{file}:1:{}", key.len() + 3),
    };
    let key_and_value = format!("{key}={value}");
    match (source, named) {
        (Default, _) => (said.other_default(key.to_owned(), value.to_owned()), String::from("default")),
        (File, _) => (said.file("mock.yaml", yaml(key, value)), in_file("mock.yaml")),
        (WorldOfTheFile, _) => (said.file("file.yaml", yaml(key, value)), in_file("file.yaml")),
        (WorldOfAVariable, _) => (said.file("variable.yaml", yaml(key, value)), in_file("variable.yaml")),
        (WorldOfAFlag, _) => (said.file("flag.yaml", yaml(key, value)), in_file("flag.yaml")),
        (Variable, None) => (said.variable("FOCUS_MOCK_SET", &key_and_value), String::from("FOCUS_MOCK_SET")),
        (Variable, Some(name)) => {
            let variable = flag(name).variable();
            (said.variable(&variable, bare(value)), variable)
        }
        (Flag, None) => (said.set(&key_and_value), format!("--set {key}")),
        (Flag, Some(name)) => (said.flag(name, bare(value)), format!("--{name}")),
    }
}

impl Source {
    fn is_world(self) -> bool {
        matches!(self, WorldOfTheFile | WorldOfAVariable | WorldOfAFlag)
    }
}

/// Names the files that were written.
fn name_files(mut said: Said, sources: &[Source]) -> Said {
    if sources.contains(&WorldOfAVariable) {
        let path = said.path("variable.yaml");
        said = said.variable("FOCUS_MOCK_WORLD", &path);
    }
    if sources.contains(&WorldOfAFlag) {
        said = said.flag_with_file("world", "flag.yaml");
    }
    if sources.contains(&File) || sources.contains(&WorldOfTheFile) {
        said = said.flag_with_file("config", "mock.yaml");
    }
    said
}

/// What they all say, the ones that win later first; with it, the value that is to be heard and its place.
fn gathered<'a>(key: &str, spoken: &[(Source, &'a str, bool)]) -> (Said, &'a str, String) {
    // Of the worlds only the one that is named highest is read.
    let world = spoken.iter().map(|(source, ..)| *source).filter(|source| source.is_world()).max();
    let mut said = with_companions(nobody(), key);
    let (mut heard, mut place) = ("", String::new());
    for &(source, value, by_its_own_flag) in spoken {
        let told;
        (said, told) = say(said, source, key, value, by_its_own_flag);
        if !source.is_world() || Some(source) == world {
            (heard, place) = (value, told);
        }
    }
    let sources: Vec<Source> = spoken.iter().map(|(source, ..)| *source).collect();
    if sources.contains(&WorldOfTheFile) {
        let single = spoken.iter().find(|(source, ..)| *source == File);
        let text = single.map_or_else(String::new, |(_, value, _)| yaml(key, value));
        said = said.file("mock.yaml", format!("{text}world_file: file.yaml\n"));
    }
    (name_files(said, &sources), heard, place)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_highest_of_those_who_say_a_key_is_heard_and_named(
        key in select(CANDIDATES.keys().cloned().collect::<Vec<_>>()),
        sources in proptest::sample::subsequence(
            vec![Default, WorldOfTheFile, File, WorldOfAVariable, Variable, WorldOfAFlag, Flag], 1..=7),
        choices in prop::array::uniform7((any::<Index>(), any::<bool>())),
    ) {
        let values = &CANDIDATES[&key];
        let worlds = is_of_world(&key);
        let spoken: Vec<_> = sources
            .into_iter()
            .filter(|source| worlds || matches!(source, Default | File | Variable | Flag))
            .zip(choices)
            .map(|(source, (index, own))| (source, *index.get(values), own))
            .collect();
        prop_assume!(!spoken.is_empty());
        let (said, value, place) = gathered(&key, &spoken);
        let alone = with_companions(nobody(), &key).set(&format!("{key}={value}"));
        prop_assert_eq!(said.entry(&key), (alone.entry(&key).0, place), "{}: {:?}", key, spoken);
        prop_assert_eq!(said.right().config, alone.right().config);
    }
}

#[test]
fn a_null_is_heard_like_any_value_and_means_the_default() {
    for (key, values) in &*CANDIDATES {
        let other = values.last().expect("a value");
        let default = nobody().entry(key).0;
        let file = yaml(key, other);
        assert!(with_companions(nobody(), key).config(&file).entry(key).1.starts_with("mock.yaml:"), "{key}");
        let by_a_flag = nobody().config(&file).set(&format!("{key}=null"));
        assert_eq!(by_a_flag.entry(key), (default.clone(), format!("--set {key}")));
        let by_a_variable = nobody().config(&file).variable("FOCUS_MOCK_SET", &format!("{key}="));
        assert_eq!(by_a_variable.entry(key), (default, String::from("FOCUS_MOCK_SET")), "{key}");
    }
}

#[test]
fn a_section_without_keys_takes_nothing_away() {
    let under = || nobody().config("limits: {max_jobs: 3}\n").set("seed=5");
    for section in ["limits=", "limits=null", "limits={}"] {
        let said = under().set(section);
        assert_eq!(said.entry("limits.max_jobs"), (String::from("3"), String::from("mock.yaml:1:20")));
    }
}

#[test]
fn a_range_or_a_catalogue_is_given_whole() {
    let said =
        nobody().config("world: {channels: {lowest: 5, highest: 9}}").set("world.channels={lowest: 6}");
    assert_eq!(said.wrong(), "--set world.channels: world.channels.highest is missing");
    let said = nobody()
        .config("world: {recordings: {series: {from: -1d, length: 1h}}}")
        .set("world.recordings={spans: [{start: 1, end: 2}]}");
    assert_eq!(said.entry("world.recordings").0, "{spans: [{start: 1, end: 2}]}");
}

#[test]
fn each_half_of_an_address_has_its_own_place() {
    let said = nobody().variable("FOCUS_MOCK_LISTEN", "0.0.0.0:6000").set("rest.port=7000");
    assert_eq!(said.entry("rest.host"), (String::from("\"0.0.0.0\""), String::from("FOCUS_MOCK_LISTEN")));
    assert_eq!(said.entry("rest.port"), (String::from("7000"), String::from("--set rest.port")));
}

#[test]
fn keys_that_belong_together_may_be_said_in_different_places() {
    let said = nobody().config("tls: {cert: /a.pem}\n").variable("FOCUS_MOCK_TLS_KEY", "/a.key");
    assert_eq!(said.entry("tls.cert").1, "mock.yaml:1:13");
    let said = nobody().config("world: {fiber_start_meters: 20000}").set("world.fiber_length_meters=30000");
    assert_eq!(said.right().config.setup.fiber.start_meters, 20_000);
    let said = nobody()
        .config("world_file: w.yaml\nports: {max_slots: 1000}")
        .file("w.yaml", "ports: {base: 64535}");
    assert_eq!(said.right().config.setup.ports.base(), 64_535);
}

#[test]
fn keys_that_do_not_go_together_are_told_once_with_what_they_came_to() {
    let said = nobody().config("world: {fiber_start_meters: 20000}").set("world.fiber_length_meters=15000");
    assert_eq!(
        said.wrong(),
        "--set world.fiber_length_meters: world.fiber_length_meters (15000) must be above \
         world.fiber_start_meters (20000)"
    );
    let said = nobody().config("tls: {cert: /a.pem, key: /a.key}").flag("tls-self-signed", "true");
    assert_eq!(
        said.wrong(),
        "--tls-self-signed: tls.self_signed and tls.cert cannot both be: give one of --tls-self-signed and --tls-cert"
    );
}

#[test]
fn a_mistaken_key_is_not_told_to_fit_no_other_key() {
    for (text, told) in [
        (
            "tls: {cert: 5, key: /a.key}",
            "mock.yaml:1:13: tls.cert must be a line of 1 to 4096 characters, not 5 (put it in quotes)",
        ),
        (
            "world: {fiber_start_meters: 10000, fiber_length_meters: far}",
            "mock.yaml:1:57: world.fiber_length_meters must be an integer from 1 to 1000000, not \"far\"",
        ),
        (
            "ports: {base: 64999, max_slots: 0}",
            "mock.yaml:1:33: ports.max_slots must be an integer from 1 to 50000, not 0",
        ),
    ] {
        assert_eq!(nobody().config(text).wrong(), told);
    }
}
