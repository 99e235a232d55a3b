//! Known failures: how a list excuses, and how it fails a run itself.

use std::path::PathBuf;

use crate::common::{Ended, broken, run};

struct List {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn list(text: &str) -> List {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("list.txt");
    std::fs::write(&path, text).expect("a list");
    List { _folder: folder, path }
}

fn told(target: &str, text: &str) -> Ended {
    let list = list(text);
    let path = list.path.display().to_string();
    run(&["--target", target, "--only", "health/*", "--known-failing", &path])
}

const LISTED: &str = "health/* | PZ-1 | slow-outage: nothing works | 9999-12-31\n";

#[test]
fn a_known_bug_is_told_and_named_but_fails_nothing() {
    told(&broken().base, LISTED)
        .with(0)
        .says(
            "known bug     health/ack-contract: PZ-1; slow-outage: nothing works; "
                .replace("PZ-1;", "PZ-1:")
                .as_str(),
        )
        .says("\n2 known bugs of 2 cases\n");
}

#[test]
fn what_is_not_listed_still_fails() {
    told(&broken().base, "health/ack-headers | PZ-1 | x | 9999-12-31\n")
        .with(1)
        .says("\n1 failed, 1 known bugs of 2 cases\n");
}

#[test]
fn a_listed_case_that_passes_fails_the_run() {
    told("mock", LISTED)
        .with(1)
        .says("list.txt:1: health/ack-contract passes now: remove it from the list and close PZ-1\n")
        .says("\n2 healed of 2 cases\n");
}

#[test]
fn a_line_that_matches_nothing_fails_the_run() {
    told("mock", "healt/ack-contract | PZ-1 | x | 9999-12-31\n")
        .with(1)
        .says("list.txt:1: healt/ack-contract matches no case: correct the pattern or remove the line")
        .says("(is it health/ack-contract now?)")
        .says("\n2 passed of 2 cases\n");
}

#[test]
fn an_expired_line_fails_the_run() {
    let text = "# old\nfibre/* | PZ-1 | x | 2026-01-01\n";
    told("mock", text).with(1).says("list.txt:2: fibre/* expired on 2026-01-01: ask for PZ-1");
}

#[test]
fn a_line_of_another_form_is_told_before_any_case() {
    let ended = told("mock", "health/* | PZ-1\n").with(2).complains("list.txt:1: 2 fields instead of four");
    assert_eq!(ended.out, "");
}
