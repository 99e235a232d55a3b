//! `list` and `explain`.

use focus_contract::cases;

use crate::common::{ended, focus_contract};

#[test]
fn every_case_is_listed_in_every_format() {
    let listed = |format| ended(focus_contract(&["list", "--format", format])).with(0).out;
    let (text, markdown) = (listed("text"), listed("markdown"));
    let json: serde_json::Value = serde_json::from_str(&listed("json")).expect("JSON");
    let json = json.as_array().expect("a list");
    assert_eq!(json.len(), cases::all().count());
    for (case, entry) in cases::all().zip(json) {
        assert!(
            text.lines().any(|line| line.starts_with(case.id) && line.ends_with(case.claim)),
            "{}",
            case.id
        );
        assert!(markdown.contains(&format!("\n### {}\n\n{}.\n", case.id, case.claim)), "{}", case.id);
        assert_eq!((&entry["id"], &entry["keys"]), (&case.id.into(), &case.keys.into()));
    }
    ended(focus_contract(&["list", "--format", "pdf"])).with(2);
}

#[test]
fn a_case_explains_itself() {
    ended(focus_contract(&["explain", "nfft/nfft-power-of-two"]))
        .with(0)
        .says("nfft/nfft-power-of-two\n\na transform of 256 samples")
        .says("keys   PZ-13873\n")
        .says("needs  writes\n")
        .says("\n1. configure Base")
        .says("\n=> 200 with all invariants");
    ended(focus_contract(&["explain", "nfft/nothing"])).with(2).complains("there is no case nfft/nothing");
}

#[test]
fn help_documents_the_exit_statuses() {
    ended(focus_contract(&["run", "--help"])).with(0).says("Exit status: 0,");
    ended(focus_contract(&[])).with(2);
}
