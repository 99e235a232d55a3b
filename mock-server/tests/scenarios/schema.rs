//! The schema that editors hold scenarios against says what the reader says, as far as a schema can.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use focus_mock::document::changes::KEYS;
use focus_mock::document::rules::METHODS;
use focus_mock::document::scenario;
use focus_mock::domain::quirk::{Profile, Quirk};
use focus_mock::domain::refusal::ContractError;
use focus_mock::settings::{Settings, Sources};
use focus_mock::sim::change::{MOST_PLANNED, Outside};
use focus_mock::sim::faults::{AnyRoute, At, Corruption, Effect, GrpcCode, MOST_RULES};
use jsonschema::Validator;
use serde_json::{Value, json};

use super::files;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let text = std::fs::read_to_string(files::folder().join("scenario.schema.json")).expect("the schema");
    serde_json::from_str(&text).expect("JSON")
});

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&SCHEMA).expect("a JSON Schema"));

#[track_caller]
pub(crate) fn assert_valid(document: &Value) {
    let wrong: Vec<_> = VALIDATOR.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{}\n{document}", wrong.join("\n"));
}

/// What a file says, as a schema sees it.
pub(crate) fn document(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("YAML that JSON can say")
}

fn at(pointer: &str) -> &'static Value {
    SCHEMA.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}"))
}

fn words(pointer: &str) -> BTreeSet<String> {
    let list = at(pointer).as_array().expect("a list");
    list.iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
}

fn keys(pointer: &str) -> BTreeSet<String> {
    at(pointer).as_object().expect("a mapping").keys().cloned().collect()
}

fn set<T: ToString>(words: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    words.into_iter().map(|word| word.to_string()).collect()
}

#[test]
fn its_lists_are_those_of_the_code() {
    assert_eq!(words("/$defs/point/enum"), set(At::all()));
    assert_eq!(words("/$defs/quirk/enum"), set(Quirk::ALL.iter().map(|quirk| quirk.name())));
    assert_eq!(words("/$defs/profile/enum"), set(Profile::ALL.map(Profile::name)));
    assert_eq!(words("/$defs/match/properties/route/enum"), set(AnyRoute::all().map(AnyRoute::name)));
    assert_eq!(words("/$defs/match/properties/method/enum"), set(METHODS));
    let effects = "/$defs/effect/oneOf/1/properties";
    let mut all = words("/$defs/effect/oneOf/0/enum");
    all.extend(keys(effects));
    assert_eq!(all, set(Effect::NAMES));
    assert_eq!(words(&format!("{effects}/refuse/enum")), set(ContractError::ALL.map(ContractError::name)));
    assert_eq!(words(&format!("{effects}/corrupt/enum")), set(Corruption::ALL.map(Corruption::name)));
    let codes = format!("{effects}/end_call/properties/code/enum");
    assert_eq!(words(&codes), set(GrpcCode::ALL.map(GrpcCode::name)));
}

#[test]
fn its_states_and_changes_are_those_of_the_code() {
    for name in Outside::NAMES {
        let states = set(Outside::all().into_iter().filter(|one| one.name() == name).map(Outside::state));
        assert_eq!(words(&format!("/properties/dependencies/properties/{name}/enum")), states, "{name}");
        let change = format!("/$defs/planned/properties/{name}");
        let states_of_change = if name == "recordings" { "/oneOf/0/enum" } else { "/enum" };
        assert_eq!(words(&format!("{change}{states_of_change}")), states, "{name}");
    }
    let mut planned = set(KEYS);
    planned.extend(set(["at", "every", "times", "for"]));
    assert_eq!(keys("/$defs/planned/properties"), planned);
    let one_of: Vec<_> = at("/$defs/planned/oneOf")
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["required"][0].clone())
        .collect();
    assert_eq!(one_of, KEYS.map(Value::from));
    assert_eq!(at("/properties/faults/maxItems"), &json!(MOST_RULES));
    assert_eq!(at("/properties/timeline/maxItems"), &json!(MOST_PLANNED));
}

#[test]
fn it_has_every_key_of_a_scenario_and_no_other() {
    let settings = Settings::gather(&Sources::default()).expect("the default settings");
    let is_of_scenario = |key: &str| match key.split_once('.') {
        Some((section, key)) => scenario::parse(&format!("{section}: {{{key}: null}}"), "s").is_ok(),
        None => scenario::parse(&format!("{key}: null"), "s").is_ok(),
    };
    let known = set(settings.entries().iter().map(|entry| &entry.key).filter(|key| is_of_scenario(key)));
    let mut written = BTreeSet::new();
    for (name, section) in at("/properties").as_object().expect("a mapping") {
        match section["properties"].as_object() {
            Some(keys) => written.extend(keys.keys().map(|key| format!("{name}.{key}"))),
            // Each quirk is a key of its own.
            None if section["propertyNames"]["$ref"] == "#/$defs/quirk" => {
                written.extend(words("/$defs/quirk/enum").iter().map(|quirk| format!("{name}.{quirk}")));
            }
            None => drop(written.insert(name.clone())),
        }
    }
    assert_eq!(written, known);
}

#[test]
fn every_shipped_scenario_is_valid_and_names_the_schema() {
    for name in files::names() {
        let text = files::text(&name);
        assert!(text.starts_with("# yaml-language-server: $schema=scenario.schema.json\n"), "{name}");
        assert_valid(&document(&text));
    }
    let defaults = std::fs::read_to_string(files::folder().join("../worlds/default.yaml")).expect("the file");
    let mut defaults = document(&defaults);
    // Left-out values are left out.
    defaults["gpu"].as_object_mut().expect("a mapping").remove("pool");
    assert_valid(&defaults);
}

/// Mistakes that both find; after each, what the reader says of it in short.
const MISTAKEN: [(&str, &str); 26] = [
    ("stranger: 1", "unknown key \"stranger\""),
    ("faults: 5", "faults must be a list"),
    ("faults: [{do: reset}]", "faults[0].at is missing"),
    ("faults: [{at: grpc.frames, do: reset}]", "no such point"),
    ("faults: [{at: admin.before, do: reset}]", "the admin interface is no place for faults"),
    ("faults: [{at: grpc.frame}]", "nothing to do"),
    ("faults: [{at: grpc.frame, do: explode}]", "no such effect"),
    ("faults: [{at: grpc.frame, do: {explode: 1}}]", "no such effect"),
    ("faults: [{at: rest.before, do: {status: {code: 199}}}]", "from 200 to 599"),
    ("faults: [{at: rest.before, do: {status: {}}}]", "status.code is missing"),
    ("faults: [{at: rest.before, do: {refuse: PORT_TAKEN}}]", "must be MALFORMED_JSON, "),
    ("faults: [{at: rest.body, do: {content_length: 0}}]", "off by 0 is right"),
    ("faults: [{at: grpc.frame, do: silence, when: {probability: 0}}]", "a probability above 0"),
    ("faults: [{at: grpc.frame, do: silence, when: {first: 0}}]", "from 1 to 1000000000"),
    ("faults: [{at: grpc.frame, do: silence, match: {strem: 1}}]", "unknown key \"strem\""),
    ("faults: [{at: grpc.frame, do: silence, match: {job: a-1}}]", "the id of a job"),
    ("faults: [{at: grpc.frame, do: silence, id: a b}]", "1 to 64 letters"),
    ("faults: [{at: grpc.open, delay: {uniform: [1s]}}]", "two durations"),
    ("timeline: [{mongodb: down}]", "timeline[0].at is missing"),
    ("timeline: [{at: 1s}]", "timeline[0] has no change"),
    ("timeline: [{at: 1s, mongodb: down, fiber: waiting}]", "one change only, not fiber, mongodb at once"),
    ("timeline: [{at: 1s, mongodb: dwn}]", "must be up, down, slow-fail or restarting"),
    ("timeline: [{at: 1s, times: 2, mongodb: down}]", "times needs timeline[0].every"),
    ("timeline: [{at: 1s, quirk: {metadata-rase: true}}]", "no such quirk: there are nfft-unchecked, "),
    ("timeline: [{at: 1s, limits: {}}]", "must have at least one of nfft_max_multichannel, "),
    ("timeline: [{at: 1s, hold_port: {slot: 1}}]", "hold_port.by is missing"),
];

#[test]
fn mistakes_are_found_by_the_reader_and_by_the_schema() {
    for (text, told) in MISTAKEN {
        let wrong = scenario::parse(text, "s.yaml").expect_err(text).to_string();
        assert!(wrong.contains(told), "{text}: {told:?} is not in {wrong}");
        assert!(!VALIDATOR.is_valid(&document(text)), "{text} is valid");
    }
}
