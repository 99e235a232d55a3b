//! Files as they come from editors, and what is no file of settings.

use std::path::Path;

use focus_mock::settings::{self, FileKind};

use super::said::{Said, nobody};

#[test]
fn a_file_without_keys_changes_nothing() {
    for text in ["", "\n", "# nothing\n", "---\n", "null\n", "{}\n", "\u{feff}", "\r\n"] {
        assert_eq!(nobody().config(text).right().entries(), nobody().right().entries(), "{text:?}");
        let world = nobody().file("w.yaml", text).flag_with_file("world", "w.yaml");
        assert_eq!(world.right().config, nobody().right().config, "{text:?}");
    }
}

#[test]
fn a_file_says_the_same_with_the_line_ends_and_marks_of_any_editor() {
    let text = "# ours\nseed: 5\nlimits:\n  max_jobs: 6\nworld:\n  fiber_description: |-\n    one line\n";
    let plain = nobody().config(text);
    for other in [
        text.replace('\n', "\r\n"),
        text.replace('\n', "\r"),
        format!("\u{feff}{text}"),
        text.replacen("# ours", "---", 1) + "...\n",
    ] {
        let said = nobody().config(&other);
        assert_eq!(said.right().config, plain.right().config, "{other:?}");
        for key in ["seed", "limits.max_jobs", "world.fiber_description"] {
            assert_eq!(said.entry(key), plain.entry(key), "{other:?}");
        }
    }
}

#[test]
fn columns_are_counted_in_characters() {
    let wrong = |text: &str| nobody().config(text).wrong();
    assert!(wrong("gpu: {\"pööl\": 1, pol: 2}").contains("mock.yaml:1:18: unknown key \"pol\""));
    assert!(wrong("\u{feff}gpu: {pol: 1}").starts_with("mock.yaml:1:7: unknown key \"pol\""));
    assert!(wrong("# \u{1f980}\r\ngpu: {pol: 1}\r\n").starts_with("mock.yaml:2:7: unknown key \"pol\""));
}

fn place_of_flag(said: &Said) -> String {
    let wrong = said.wrong();
    wrong.strip_prefix("--config: ").unwrap_or_else(|| panic!("{wrong}")).to_owned()
}

#[test]
fn what_cannot_be_read_is_a_mistake_of_whoever_names_it() {
    let missing = nobody().flag("config", "/not/there.yaml");
    assert_eq!(place_of_flag(&missing), "/not/there.yaml: No such file or directory (os error 2)");
    let binary = nobody().config([0xff, 0xfe, 0x00, 0x01]);
    assert_eq!(place_of_flag(&binary), "mock.yaml: stream did not contain valid UTF-8");
    let directory = nobody().file("d/f.yaml", "").flag_with_file("config", "d");
    assert_eq!(place_of_flag(&directory), "d: Is a directory (os error 21)");
    let named_in_a_file = nobody().file("d/f.yaml", "").config("seed: 1\nworld_file: d\n");
    assert_eq!(named_in_a_file.wrong(), "mock.yaml:2:13: d: Is a directory (os error 21)");
}

/// Whoever may read everything reads this, too.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let mut said = nobody().config("seed: 1");
    let path = said.path("mock.yaml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("ours");
    if std::fs::read(&path).is_err() {
        assert_eq!(place_of_flag(&said), "mock.yaml: Permission denied (os error 13)");
    }
}

#[test]
fn what_is_no_mapping_is_no_configuration() {
    for (text, shown) in [("- seed", "a list"), ("seed", "\"seed\""), ("5", "5"), ("[]", "a list")] {
        let told = format!(
            "mock.yaml:1:1: a configuration must be a mapping (lines of \"key: value\"), not {shown}"
        );
        assert_eq!(nobody().config(text).wrong(), told);
    }
}

#[test]
fn what_is_no_yaml_is_told_with_its_place() {
    assert_eq!(
        nobody().config("seed: 1\nrest: [").wrong(),
        "mock.yaml:2:7: not YAML that can be read: unclosed bracket '['"
    );
}

fn checked(name: &str, text: &str) -> Result<FileKind, String> {
    let mut said = nobody().file(name, text);
    let path = said.path(name);
    let checked = settings::check(Path::new(&path)).expect("it can be read");
    checked.mistakes.map(|()| checked.kind).map_err(|wrong| wrong.to_string().replace(&path, name))
}

#[test]
fn a_file_with_only_the_keys_of_worlds_is_a_world() {
    for text in ["", "{}", "gpu: {pool: 2}", "profile: contract"] {
        assert_eq!(checked("a.yaml", text), Ok(FileKind::World), "{text}");
    }
    for text in ["name: x", "about: x", "faults: []", "timeline:", "gpu: {pool: 2}\ntimeline: []"] {
        assert_eq!(checked("a.yaml", text), Ok(FileKind::Scenario), "{text}");
    }
    for text in [
        "faults: []\nseed: 1",
        "seed: 1",
        "world_file: w",
        "scenario_file: s",
        "port_file: p",
        "rest:",
        "admin:",
        "clock:",
        "tls:",
        "log:",
        "stop:",
        "http:",
        "http2:",
        "gpu: {pool: 2}\nrest: {}",
    ] {
        assert_eq!(checked("a.yaml", text), Ok(FileKind::Configuration), "{text}");
    }
}

#[test]
fn a_file_is_checked_by_itself() {
    // Whether the world is there is not asked; that keys do not go together is.
    assert_eq!(checked("a.yaml", "world_file: not-there.yaml"), Ok(FileKind::Configuration));
    assert_eq!(
        checked("a.yaml", "tls: {cert: a}"),
        Err(String::from(
            "a.yaml:1:13: tls.cert needs the certificate's private key: give tls.key (--tls-key), too"
        ))
    );
    assert_eq!(
        checked("a.yaml", "ports: {base: 65000}"),
        Err(String::from(
            "a.yaml:1:15: port base 65000 with 1024 slots ends above port 65535: the highest base is 64511 (ports.base, \
             ports.max_slots)"
        ))
    );
}
