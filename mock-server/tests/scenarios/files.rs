//! The scenarios that come with the repository, and files with the keys of scenarios.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use focus_mock::document::{Scenario, scenario};
use focus_mock::sim::setup::{RecordingsState, Setup};

use super::schema;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/scenarios")
}

/// Their files, without the schema.
pub(crate) fn names() -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder()).expect("the directory of scenarios");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    names.filter(|name| name != "scenario.schema.json").collect()
}

pub(crate) fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).expect("the file")
}

fn load(name: &str) -> Scenario {
    scenario::load(&folder().join(name)).unwrap_or_else(|wrong| panic!("{wrong}"))
}

#[test]
fn each_has_its_name_and_says_what_it_rehearses_and_for_which_tickets() {
    assert_eq!(names().len(), 17);
    for file in names() {
        let Scenario { name, about, setup, .. } = load(&file);
        assert_eq!(name.map(|name| format!("{name}.yaml")).as_ref(), Some(&file));
        let about = about.unwrap_or_else(|| panic!("{file} says nothing about itself"));
        assert!(about.contains("Tickets: PZ-"), "{file}: {about}");
        assert_ne!(setup, Setup::default(), "{file} changes nothing");
    }
}

#[test]
fn each_is_in_the_readme_of_the_fixtures_and_the_other_way_round() {
    let readme = std::fs::read_to_string(folder().join("../README.md")).expect("the README");
    let listed: BTreeSet<String> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `scenarios/")?.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name != "scenario.schema.json")
        .collect();
    assert_eq!(listed, names());
}

#[test]
fn an_empty_file_is_the_default_world() {
    for text in ["", "{}", "faults: []\ntimeline: []\njournal: {}\nname:\nabout: null"] {
        let read = scenario::parse(text, "s.yaml").expect("no mistakes");
        assert_eq!((read.name, read.about, read.setup), (None, None, Setup::default()), "{text:?}");
    }
}

#[test]
fn a_scenario_has_every_key_of_a_world_and_more() {
    let text = "name: two words\nabout: |\n  Two\n  lines.\ndependencies: {recordings: none}\nfaults: [{at: grpc.end, do: reset}]\n\
                timeline: [{at: 1m, mongodb: down}]\njournal: {max_bytes: 5000, entry_bytes: 300, redact: [X-One, x-two]}\n";
    let read = scenario::parse(text, "s.yaml").expect("no mistakes");
    assert_eq!(read.name.as_deref(), Some("two words"));
    assert_eq!(read.about.as_deref(), Some("Two\nlines.\n"));
    assert_eq!(read.setup.dependencies.recordings, RecordingsState::None);
    assert_eq!(read.setup.rules[0].at().to_string(), "grpc.end");
    assert_eq!(read.setup.timeline[0].at, Duration::from_secs(60));
    let journal = read.setup.journal;
    assert_eq!((journal.bytes, journal.entry_bytes), (5000, 300));
    assert_eq!(journal.redacted, ["x-one", "x-two"]);
}

#[test]
fn headers_to_leave_out_can_be_one_text() {
    let redacted = |value: &str| {
        let read = scenario::parse(&format!("journal: {{redact: {value}}}"), "s").expect("no mistakes");
        read.setup.journal.redacted
    };
    assert_eq!(redacted("'Cookie, x-two'"), ["cookie", "x-two"]);
    assert_eq!(redacted("''"), Vec::<String>::new());
    assert_eq!(redacted("[]"), Vec::<String>::new());
    let wrong = scenario::parse("journal: {redact: [a b]}", "s").expect_err("no name of a header");
    assert_eq!(
        wrong.to_string(),
        "s:1:19: journal.redact must be names of headers, 100 at most, as a list or in one text between commas, not a \
         list"
    );
}

#[test]
fn no_scenario_says_how_it_is_served_or_what_the_clock_does() {
    for key in ["clock: {mode: manual}", "rest: {port: 1}", "seed: 3", "scenario_file: a.yaml"] {
        let wrong = scenario::parse(key, "s").expect_err("a key of a configuration").to_string();
        assert!(
            wrong.starts_with("s:1:1: unknown key ")
                && wrong.contains(": a scenario has the keys name, about, ")
        );
    }
}

/// A timeline of everything that can come, each in its place.
#[test]
fn a_timeline_is_read_in_its_order() {
    let read = load("waiting-for-fiber.yaml").setup.timeline;
    let at: Vec<_> = read.iter().map(|planned| planned.at.as_secs()).collect();
    assert_eq!(at, [30, 90, 150]);
    let bad_day = load("bad-day.yaml").setup.timeline;
    let again = bad_day.iter().find(|planned| planned.every.is_some()).expect("one that comes again");
    assert_eq!((again.every, again.times), (Some(Duration::from_secs(600)), Some(4)));
    assert_eq!(load("mongodb-outage.yaml").setup.timeline[0].lasts, Some(Duration::from_secs(60)));
}

#[test]
fn there_can_be_a_thousand_rules_and_a_thousand_changes_and_no_more() {
    let of = |count: usize, key: &str, entry: &str| {
        scenario::parse(&format!("{key}:\n{}", entry.repeat(count)), "s")
    };
    for (key, entry, what) in [
        ("faults", "- {at: grpc.end, do: reset}\n", "rules"),
        ("timeline", "- {at: 1s, mongodb: up}\n", "changes"),
    ] {
        assert!(of(1000, key, entry).is_ok(), "{key}");
        let wrong = of(1001, key, entry).expect_err("too many").to_string();
        assert_eq!(wrong, format!("s:2:3: {key} can have 1000 {what} at most, not 1001"));
    }
}

#[test]
fn the_scenario_of_the_readme_is_one() {
    let readme = std::fs::read_to_string("README.md").expect("the README");
    let (_, example) = readme.split_once("```yaml\n# yaml-language-server").expect("the example");
    let (text, _) = example.split_once("```").expect("its end");
    let text = format!("# yaml-language-server{text}");
    let read = scenario::parse(&text, "README.md").unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!((read.setup.rules.len(), read.setup.timeline.len()), (2, 2));
    schema::assert_valid(&schema::document(&text));
}
