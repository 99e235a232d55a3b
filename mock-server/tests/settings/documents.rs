//! The documentation has every flag, every variable and every key, and each with its default.

use std::collections::BTreeMap;

use focus_mock::settings::{FLAGS, Flag};

use super::keys::{DEFAULTS, is_of_world};
use super::said::nobody;

/// The tables of the README whose header begins with this cell, each row as its cells.
fn rows(first_header: &str) -> Vec<Vec<String>> {
    let readme = std::fs::read_to_string("README.md").expect("the README");
    let mut rows = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        let Some(row) = line.strip_prefix('|') else {
            inside = false;
            continue;
        };
        let cells: Vec<_> = row.trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        if inside && !cells[0].starts_with("---") {
            rows.push(cells);
        } else {
            inside = inside || cells[0] == first_header;
        }
    }
    rows
}

/// The parts of a cell between commas; those in braces and in code are whole.
fn parts(cell: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut code) = (0, false);
    for character in cell.chars() {
        match character {
            '`' => code = !code,
            ',' if depth == 0 && !code => parts.push(String::new()),
            _ => {
                depth += i32::from(character == '{') - i32::from(character == '}');
                parts.last_mut().expect("one at least").push(character);
            }
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// The keys of a cell; one that begins with a dot is in the section of the one before.
fn keys(cell: &str) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for part in parts(cell) {
        let section = keys.last().and_then(|key| key.split('.').next()).unwrap_or_default();
        keys.push(if part.starts_with('.') { format!("{section}{part}") } else { part });
    }
    keys
}

/// Every key that a table has, with its default there.
fn documented() -> BTreeMap<String, String> {
    let flags = rows("Flag").into_iter().map(|row| (row[2].clone(), row[3].clone()));
    let others = rows("Key").into_iter().map(|row| (row[0].clone(), row[1].clone()));
    let mut documented = BTreeMap::new();
    for (cell, defaults) in flags.chain(others) {
        // What sets any key has none of its own.
        if matches!(cell.as_str(), "–" | "any" | "any quirk") {
            continue;
        }
        let (keys, defaults) = (keys(&cell), parts(&defaults));
        assert!(defaults.len() == 1 || defaults.len() == keys.len(), "{cell}: {defaults:?}");
        for (key, default) in keys.into_iter().zip(defaults.iter().cycle()) {
            let other = documented.insert(key.clone(), default.clone());
            assert_eq!(other.as_ref().unwrap_or(default), default, "{key} is there twice");
        }
    }
    documented
}

#[test]
fn the_table_of_flags_has_each_with_its_value_its_variable_and_its_keys() {
    let said = |flag: &Flag| {
        let value = if flag.is_switch() { String::new() } else { format!(" {}", flag.value) };
        let flag_cell = format!("`--{}{value}`", flag.name);
        (flag_cell, format!("`{}`", flag.variable()), flag.keys.join(", "))
    };
    let rows: Vec<_> = rows("Flag")
        .into_iter()
        .map(|row| {
            let keys = if matches!(row[2].as_str(), "–" | "any" | "any quirk") {
                String::new()
            } else {
                keys(&row[2]).join(", ")
            };
            (row[0].clone(), row[1].clone(), keys)
        })
        .collect();
    assert_eq!(rows, FLAGS.iter().map(said).collect::<Vec<_>>());
}

#[test]
fn the_tables_have_each_key_and_no_other() {
    let documented: Vec<_> = documented().into_keys().collect();
    let mut keys: Vec<_> = DEFAULTS.iter().map(|entry| entry.key.clone()).collect();
    keys.sort();
    assert_eq!(documented, keys);
}

#[test]
fn the_tables_have_the_default_of_each_key() {
    let documented = documented();
    for entry in DEFAULTS.iter() {
        let expected = match (entry.key.as_str(), entry.value.trim_matches('"')) {
            // In words, where there is no value.
            ("world_file", "null") => "default world",
            ("clock.start", "null") => "now",
            ("rest.stream_host", "null") => "Host header",
            ("gpu.pool", "null") => "unlimited",
            ("world.recordings", _) => "see below",
            (_, "null") => "none",
            (_, value) => value,
        };
        assert_eq!(documented[&entry.key], expected, "{}", entry.key);
    }
}

#[test]
fn the_default_world_file_has_each_key_of_a_world_with_its_default() {
    let said = nobody().flag("world", "../fixtures/worlds/default.yaml");
    let settings = said.right();
    for (entry, default) in settings.entries().iter().zip(DEFAULTS.iter()) {
        let place = entry.place.to_string();
        if is_of_world(&entry.key) {
            assert!(
                place.starts_with("../fixtures/worlds/default.yaml:"),
                "{} is not in it: {place}",
                entry.key
            );
            assert_eq!((&entry.key, &entry.value), (&default.key, &default.value));
        } else {
            let expected = if entry.key == "world_file" { "--world" } else { "default" };
            assert_eq!(place, expected, "{}", entry.key);
        }
    }
    assert_eq!(settings.config, nobody().right().config);
}

#[test]
fn the_configuration_of_the_readme_is_one() {
    let readme = std::fs::read_to_string("README.md").expect("the README");
    let (_, text) = readme.split_once("```yaml\n# mock.yaml").expect("the example");
    let (text, _) = text.split_once("```").expect("its end");
    let said =
        nobody().file("worlds/short-fibre.yaml", "gpu: {pool: 1}").config(format!("# mock.yaml{text}"));
    for (key, value) in [
        ("rest.port", "5010"),
        ("gpu.pool", "1"),
        ("limits.max_jobs", "40"),
        ("latency.configure_ms", "130-890"),
    ] {
        assert_eq!(said.entry(key).0.trim_matches('"'), value);
    }
}
