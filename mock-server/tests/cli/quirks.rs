//! `focus-mock quirks`, and the flags that its names are for.

use focus_mock::domain::quirk::Quirk;
use serde_json::{Value, json};

use super::child::{Ready, ask, failed, focus_mock, json_of};

fn printed(arguments: &[&str]) -> String {
    let output = focus_mock(arguments).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a text")
}

#[test]
fn the_list_has_every_quirk_in_columns_that_stand_below_each_other() {
    let text = printed(&["quirks"]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), Quirk::ALL.len() + 1);
    let columns =
        ["WHERE", "PROFILE", "TICKETS", "WITH IT"].map(|name| lines[0].find(name).expect("a column"));
    for (line, quirk) in lines[1..].iter().zip(Quirk::ALL) {
        assert!(line.starts_with(&format!("{quirk} ")), "{line}");
        let cells: Vec<_> = columns.iter().map(|column| &line[*column..]).collect();
        assert!(cells[0].starts_with(quirk.place()), "{line}");
        assert_eq!(cells[1].starts_with("observed-2025-12 "), quirk.is_of_2025_12(), "{line}");
        assert!(cells[2].starts_with(quirk.tickets().first().unwrap_or(&"- ")), "{line}");
        assert_eq!(cells[3], quirk.doc());
    }
}

#[test]
fn the_list_can_be_read_by_programs() {
    let list: Vec<Value> = serde_json::from_str(&printed(&["quirks", "--json"])).expect("JSON");
    assert_eq!(list.len(), Quirk::ALL.len());
    for (entry, quirk) in list.iter().zip(Quirk::ALL) {
        let profiles = if quirk.is_of_2025_12() { vec!["observed-2025-12"] } else { vec![] };
        assert_eq!(
            entry,
            &json!({"name": quirk.name(), "place": quirk.place(), "tickets": quirk.tickets(),
                    "profiles": profiles, "about": quirk.doc()})
        );
    }
}

#[test]
fn a_server_has_the_quirks_that_its_flags_name() {
    let mock = Ready::with(&["--quirk", "task-api-missing", "--quirk", "bare-error-body"]);
    assert_eq!(ask(mock.rest(), "GET", "/sensors", ""), (404, String::from("{\"detail\":\"Not Found\"}")));
    assert_eq!(
        ask(mock.rest(), "GET", "/metadata/1-1", ""),
        (404, String::from("{\"error\":\"Invalid job_id\"}"))
    );
    let mock = Ready::with(&["--profile", "observed-2025-12", "--no-quirk", "bare-error-body"]);
    let refused = ask(mock.rest(), "GET", "/metadata/1-1", "");
    assert_eq!(json_of((200, refused.1))["code"], "UNKNOWN_JOB");
    assert_eq!(ask(mock.rest(), "GET", "/sensors", "").0, 404);
}

#[test]
fn a_name_that_does_not_exist_ends_the_start_with_those_that_do() {
    for flag in ["--quirk", "--no-quirk"] {
        let ended = failed(&[flag, "metadata_race"]);
        let told = format!(
            "{flag} metadata_race: unknown key \"metadata_race\": quirks has the keys nfft-unchecked, "
        );
        assert!(ended.stderr.contains(&told), "{}", ended.stderr);
        assert!(ended.stderr.contains("metadata-race"), "{}", ended.stderr);
    }
}
