//! `focus-mock faults`: where something can go wrong, and what.

use focus_mock::sim::faults::{At, Effect};
use serde_json::Value;

use super::child::focus_mock;

fn told(arguments: &[&str]) -> String {
    let output = focus_mock(&["faults"]).args(arguments).output().expect("it runs");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("a text")
}

#[test]
fn every_point_is_listed_once_under_what_can_be_done_there() {
    let text = told(&[]);
    let mut can = "";
    let mut points = Vec::new();
    for line in text.lines().take_while(|line| !line.starts_with("delay   ")) {
        if let Some(point) = line.strip_prefix("  ") {
            let (name, doc) = point.split_once("  ").expect("a name and a line about it");
            let at: At = name.parse().expect("a point");
            assert_eq!(Effect::at(at).join(", "), can, "{name}");
            assert!(doc.trim().len() > 10, "{name}: {doc}");
            points.push(at);
        } else if !line.is_empty() {
            can = line;
        }
    }
    points.sort_unstable();
    let mut all: Vec<_> = At::all().collect();
    all.sort_unstable();
    assert_eq!(points, all);
}

#[test]
fn every_effect_is_told_with_how_it_is_written() {
    let text = told(&[]);
    assert!(text.starts_with(
        "refuse\n  step.slot                   Taking a job's resources: The lowest free slot.\n"
    ));
    let start = text.find("\ntruncate ").expect("an effect");
    let lines: Vec<_> = text[start..].trim_start().lines().take(2).collect();
    assert_eq!(
        lines,
        [
            "truncate        The body ends after so many bytes, and the connection with it.",
            "                do: {truncate: 100}"
        ]
    );
    for name in Effect::NAMES {
        assert!(text.contains(&format!("\n{name} ")), "{name}");
    }
}

#[test]
fn programs_get_the_same_as_json() {
    let document: Value = serde_json::from_str(&told(&["--json"])).expect("JSON");
    let points = document["points"].as_array().expect("a list");
    assert_eq!(points.len(), At::all().count());
    for (point, at) in points.iter().zip(At::all()) {
        assert_eq!(point["point"], at.to_string());
        assert_eq!(point["effects"], serde_json::json!(Effect::at(at)));
    }
    assert_eq!(document["effects"].as_array().expect("a list").len(), Effect::NAMES.len() + 1);
    assert_eq!(document["effects"][0]["name"], "delay");
}
