//! Profiles and quirks: what composes with what, who wins, and what is said about names that do not exist.

use std::collections::BTreeSet;

use focus_mock::domain::quirk::{Profile, Quirk, Quirks};

use super::said::{Said, nobody};

fn quirks(said: &Said) -> Quirks {
    said.right().config.setup.quirks
}

fn of(all: &[Quirk]) -> Quirks {
    all.iter().copied().collect()
}

#[test]
fn nobody_has_quirks_unless_somebody_says_so() {
    assert_eq!(quirks(&nobody()), Quirks::NONE);
    assert_eq!(quirks(&nobody().flag("profile", "contract")), Quirks::NONE);
}

#[test]
fn a_profile_is_its_quirks_and_single_ones_come_on_top_whoever_says_them() {
    let observed = Profile::Observed202512.quirks();
    assert_eq!(quirks(&nobody().flag("profile", "observed-2025-12")), observed);
    let said = nobody()
        .config("quirks:\n  metadata-race: false\n")
        .variable("FOCUS_MOCK_PROFILE", "observed-2025-12")
        .flag("quirk", "stream-port-string")
        .flag("quirk", "recordings-wrapped")
        .flag("no-quirk", "slow-outage");
    let expected = observed
        .with(Quirk::MetadataRace, false)
        .with(Quirk::StreamPortString, true)
        .with(Quirk::RecordingsWrapped, true)
        .with(Quirk::SlowOutage, false);
    assert_eq!(quirks(&said), expected);
    assert_eq!(said.entry("quirks.slow-outage"), ("false".to_owned(), "--no-quirk slow-outage".to_owned()));
    assert_eq!(said.entry("quirks.status-empty"), ("true".to_owned(), "default".to_owned()));
}

#[test]
fn each_quirk_can_be_said_by_flag_variable_key_and_file_and_they_all_mean_it_alone() {
    for quirk in Quirk::ALL.iter().copied() {
        let (name, alone) = (quirk.name(), of(&[quirk]));
        assert_eq!(quirks(&nobody().flag("quirk", name)), alone);
        assert_eq!(quirks(&nobody().variable("FOCUS_MOCK_QUIRK", name)), alone);
        assert_eq!(quirks(&nobody().set(&format!("quirks.{name}=true"))), alone);
        assert_eq!(quirks(&nobody().config(format!("quirks: {{{name}: true}}"))), alone);
        let world = nobody().file("w.yaml", format!("quirks: {{{name}: true}}"));
        assert_eq!(quirks(&world.flag_with_file("world", "w.yaml")), alone);
        let less = nobody().flag("profile", "observed-2025-12").flag("no-quirk", name);
        assert_eq!(quirks(&less), Profile::Observed202512.quirks().with(quirk, false));
    }
}

#[test]
fn a_variable_has_several_quirks_between_semicolons_and_a_flag_wins_over_it() {
    let two = nobody().variable("FOCUS_MOCK_QUIRK", " status-empty; ;parser-500;");
    assert_eq!(quirks(&two), of(&[Quirk::StatusEmpty, Quirk::Parser500]));
    assert_eq!(two.entry("quirks.parser-500").1, "FOCUS_MOCK_QUIRK");
    assert_eq!(quirks(&two.flag("no-quirk", "status-empty")), of(&[Quirk::Parser500]));
}

#[test]
fn what_was_printed_reads_as_the_same_quirks_again() {
    let said = nobody().flag("profile", "observed-2025-12").flag("no-quirk", "parser-500");
    assert_eq!(quirks(&nobody().config(said.right().yaml())), quirks(&said));
}

#[test]
fn a_name_that_does_not_exist_is_told_with_those_that_do() {
    let names: Vec<_> = Quirk::ALL.iter().map(|quirk| quirk.name()).collect();
    let names = names.join(", ");
    for (said, place) in [
        (nobody().flag("quirk", "metadata_race"), "--quirk metadata_race"),
        (nobody().flag("no-quirk", "metadata_race"), "--no-quirk metadata_race"),
        (nobody().variable("FOCUS_MOCK_QUIRK", "metadata_race"), "FOCUS_MOCK_QUIRK"),
        (nobody().set("quirks.metadata_race=true"), "--set quirks.metadata_race"),
        (nobody().config("quirks: {metadata_race: true}"), "mock.yaml:1:10"),
    ] {
        let told = format!("{place}: unknown key \"metadata_race\": quirks has the keys {names}");
        assert_eq!(said.wrong(), told);
    }
    assert_eq!(
        nobody().flag("profile", "observed").wrong(),
        "--profile: profile must be contract or observed-2025-12, not \"observed\""
    );
    assert_eq!(
        nobody().set("quirks.parser-500=1").wrong(),
        "--set quirks.parser-500: quirks.parser-500 must be true or false, not 1"
    );
}

#[test]
fn on_and_off_at_once_is_a_mistake() {
    let said = nobody().flag("quirk", "parser-500").flag("no-quirk", "parser-500");
    assert_eq!(
        said.wrong(),
        "--no-quirk parser-500: quirks.parser-500 is given more than once, first by --quirk parser-500"
    );
}

#[test]
fn the_readme_tells_each_quirk_with_its_place_its_meaning_its_tickets_and_its_profile() {
    let readme = std::fs::read_to_string("README.md").expect("the README");
    let row = |quirk: &Quirk| {
        let tickets = match quirk.tickets() {
            [] => String::from("–"),
            tickets => tickets.join(", "),
        };
        let observed = if quirk.is_of_2025_12() { "yes" } else { "no" };
        let (name, place, doc) = (quirk.name(), quirk.place(), quirk.doc());
        format!("| `quirks.{name}` | false | {place} | {doc} | {tickets} | {observed} |")
    };
    let expected: BTreeSet<_> = Quirk::ALL.iter().map(row).collect();
    let told: BTreeSet<_> =
        readme.lines().filter(|line| line.starts_with("| `quirks.")).map(str::to_owned).collect();
    assert_eq!(told, expected);
}
