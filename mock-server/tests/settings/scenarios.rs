//! Scenarios: where they are named, what that makes of their keys, and that one is applied whole or not at all.

use focus_mock::sim::faults::RuleId;
use focus_mock::sim::setup::MongoDb;

use super::said::{Said, nobody};

const SCENARIO: &str = "name: a rehearsal\nlimits: {max_jobs: 7}\ndependencies: {mongodb: down}\n\
                        faults: [{id: a, at: grpc.end, do: reset}]\ntimeline: [{at: 1m, mongodb: up}]\n";

fn jobs(said: &Said) -> (String, String) {
    said.entry("limits.max_jobs")
}

fn told(value: &str, place: &str) -> (String, String) {
    (value.to_owned(), place.to_owned())
}

fn by_a_flag() -> Said {
    nobody().file("s.yaml", SCENARIO).flag_with_file("scenario", "s.yaml")
}

#[test]
fn a_scenario_makes_the_world_its_rules_and_its_timeline() {
    let setup = by_a_flag().right().config.setup;
    assert_eq!((setup.limits.max_jobs, setup.dependencies.mongodb), (7, MongoDb::Down));
    assert_eq!(setup.rules[0].id().map(RuleId::as_str), Some("a"));
    assert_eq!(setup.timeline.len(), 1);
    assert_eq!(by_a_flag().entry("name"), told("\"a rehearsal\"", "s.yaml:1:7"));
    assert_eq!(
        by_a_flag().entry("faults"),
        told("[{\"id\":\"a\",\"at\":\"grpc.end\",\"do\":\"reset\"}]", "s.yaml:4:9")
    );
    assert_eq!(by_a_flag().entry("timeline"), told("[{\"at\":\"1m\",\"mongodb\":\"up\"}]", "s.yaml:5:11"));
}

#[test]
fn it_wins_over_the_world_said_at_the_same_place_and_not_over_single_keys() {
    let world = "limits: {max_jobs: 3, max_body_bytes: 33}\nfaults: [{id: b, at: grpc.open, do: reset}]";
    let both = || by_a_flag().file("w.yaml", world).flag_with_file("world", "w.yaml");
    assert_eq!(jobs(&both()), told("7", "s.yaml:2:20"));
    assert_eq!(both().entry("limits.max_body_bytes"), told("33", "w.yaml:1:39"));
    // Rules that are given are given whole.
    let rules = both().right().config.setup.rules;
    assert_eq!(rules.iter().map(|rule| rule.at().to_string()).collect::<Vec<_>>(), ["grpc.end"]);
    assert_eq!(jobs(&both().set("limits.max_jobs=9")), told("9", "--set limits.max_jobs"));
}

#[test]
fn it_counts_as_said_where_it_is_named() {
    let in_the_file =
        || nobody().file("s.yaml", SCENARIO).config("scenario_file: s.yaml\nlimits: {max_jobs: 5}");
    assert_eq!(jobs(&in_the_file()), told("5", "mock.yaml:2:20"));
    assert_eq!(in_the_file().right().config.setup.timeline.len(), 1);
    let world_by_a_flag = in_the_file().file("w.yaml", "dependencies: {mongodb: slow-fail}");
    let world_by_a_flag = world_by_a_flag.flag_with_file("world", "w.yaml");
    assert_eq!(world_by_a_flag.entry("dependencies.mongodb"), told("slow-fail", "w.yaml:1:25"));
    let by_a_variable = || {
        let mut said = in_the_file();
        let path = said.path("s.yaml");
        said.variable("FOCUS_MOCK_SCENARIO", &path)
    };
    assert_eq!(jobs(&by_a_variable()), told("7", "s.yaml:2:20"));
    assert_eq!(jobs(&by_a_variable().set("scenario_file=null")), told("5", "mock.yaml:2:20"));
}

#[test]
fn one_with_a_mistake_is_not_applied_at_all() {
    let said =
        nobody().file("s.yaml", format!("{SCENARIO}gpu: {{pol: 2}}\n")).flag_with_file("scenario", "s.yaml");
    assert_eq!(said.wrong(), "s.yaml:6:7: unknown key \"pol\": gpu has the keys pool, reject_when_full");
    let late = SCENARIO.replace("mongodb: up", "mongodb: upp");
    let said = nobody().file("s.yaml", late).flag_with_file("scenario", "s.yaml");
    assert_eq!(
        said.wrong(),
        "s.yaml:5:30: timeline[0].mongodb must be up, down, slow-fail or restarting, not \"upp\""
    );
}

#[test]
fn it_says_nothing_about_how_it_is_served() {
    let said = nobody().file("s.yaml", "clock: {mode: manual}").flag_with_file("scenario", "s.yaml");
    assert!(
        said.wrong().starts_with("s.yaml:1:1: unknown key \"clock\": a scenario has the keys name, about, ")
    );
    assert_eq!(
        nobody().flag("scenario", "/not/there.yaml").wrong(),
        "--scenario: /not/there.yaml: No such file or directory (os error 2)"
    );
}

#[test]
fn what_a_scenario_made_is_printed_and_read_again() {
    for entry in std::fs::read_dir("../fixtures/scenarios").expect("the scenarios") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let settings = nobody().flag("scenario", path.to_str().expect("a path of text")).right();
            let printed = settings.yaml();
            let again = nobody().config(&printed).right();
            assert_eq!(again.config, settings.config, "{printed}");
        }
    }
}
