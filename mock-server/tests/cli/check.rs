//! `focus-mock check`: what is wrong with files, shown where it is.

use std::path::Path;
use std::process::Command;

use super::child::focus_mock;

/// Files of one directory, which is where the program is started.
struct Files(tempfile::TempDir);

impl Files {
    fn with(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).expect("written");
        }
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// How the check of these files ends: exit status, standard output, standard error.
    fn check(&self, names: &[&str]) -> (i32, String, String) {
        let mut command: Command = focus_mock(&["check"]);
        let output = command.args(names).current_dir(self.path()).output().expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("a text");
        (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
    }
}

/// What is told about a file with mistakes.
fn told(text: &str) -> String {
    let (code, stdout, stderr) = Files::with(&[("f.yaml", text)]).check(&["f.yaml"]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    stderr
}

#[test]
fn a_right_file_is_named_with_what_it_is() {
    let files = Files::with(&[
        ("w.yaml", "gpu: {pool: 2}"),
        ("c.yaml", "rest: {port: 1}\nworld_file: w.yaml"),
        ("e.yaml", ""),
    ]);
    assert_eq!(files.check(&["w.yaml"]), (0, "w.yaml: a world without mistakes\n".into(), String::new()));
    assert_eq!(
        files.check(&["c.yaml", "e.yaml"]),
        (
            0,
            "c.yaml: a configuration without mistakes\ne.yaml: a world without mistakes\n".into(),
            String::new()
        )
    );
}

#[test]
fn a_scenario_is_named_as_one_and_its_mistakes_are_shown_in_their_lines() {
    let files = Files::with(&[("s.yaml", "faults: [{at: grpc.end, do: reset}]")]);
    assert_eq!(files.check(&["s.yaml"]), (0, "s.yaml: a scenario without mistakes\n".into(), String::new()));
    let text =
        "name: mine\nfaults:\n  - at: grpc.open\n    do: duplicate\ntimeline:\n  - {at: 1s, mongodb: dwn}\n";
    assert_eq!(
        told(text),
        r#"error: faults[0].do: duplicate cannot be done at grpc.open: there are delay, end_call, silence, goaway, reset
 --> f.yaml:4:9
  |
4 |     do: duplicate
  |         ^^^^^^^^^

error: timeline[0].mongodb must be up, down, slow-fail or restarting, not "dwn"
 --> f.yaml:6:23
  |
6 |   - {at: 1s, mongodb: dwn}
  |                       ^^^
"#
    );
}

#[test]
fn editors_get_the_schema_of_scenarios() {
    let (code, stdout, stderr) = Files::with(&[]).check(&["--schema"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/scenarios/scenario.schema.json");
    assert_eq!(stdout, std::fs::read_to_string(path).expect("the schema"));
}

#[test]
fn every_mistake_is_shown_in_its_line() {
    let text = "# Our world.\nworld:\n  prr: fast\n  sw_version: 11.17\ngpu:\n  pol: 2\nports: {base: 65000, max_slots: 1024}\n";
    assert_eq!(
        told(text),
        r#"error: world.prr must be an integer from 2 to 1000000, not "fast"
 --> f.yaml:3:8
  |
3 |   prr: fast
  |        ^^^^

error: world.sw_version must be a line of 1 to 200 characters, not 11.17 (put it in quotes)
 --> f.yaml:4:15
  |
4 |   sw_version: 11.17
  |               ^^^^^

error: unknown key "pol": gpu has the keys pool, reject_when_full
 --> f.yaml:6:3
  |
6 |   pol: 2
  |   ^^^

error: port base 65000 with 1024 slots ends above port 65535: the highest base is 64511 (ports.base, ports.max_slots)
 --> f.yaml:7:15
  |
7 | ports: {base: 65000, max_slots: 1024}
  |               ^^^^^
"#
    );
}

#[test]
fn a_value_in_quotes_is_marked_whole() {
    let marked = |text: &str| told(text).lines().last().map(|line| line.matches('^').count());
    assert_eq!(marked("gpu: {pool: \"two or three\"}"), Some("\"two or three\"".len()));
    assert_eq!(marked("gpu: {pool: 'two, three'} # four"), Some("'two, three'".len()));
    assert_eq!(marked("gpu: {pool: two, reject_when_full: true}"), Some("two".len()));
}

#[test]
fn one_bad_file_of_several_is_enough() {
    let files =
        Files::with(&[("a.yaml", "gpu: {pool: 2}"), ("b.yaml", "gpu: {pol: 2}"), ("c.yaml", "seed: 5")]);
    let (code, stdout, stderr) = files.check(&["a.yaml", "b.yaml", "missing.yaml", ".", "c.yaml"]);
    assert_eq!(code, 2);
    assert_eq!(stdout, "a.yaml: a world without mistakes\nc.yaml: a configuration without mistakes\n");
    assert_eq!(
        stderr,
        "error: unknown key \"pol\": gpu has the keys pool, reject_when_full\n --> b.yaml:1:7\n  |\n1 | gpu: {pol: 2}\n  |       ^^^\n\
         focus-mock: missing.yaml: No such file or directory (os error 2)\n\
         focus-mock: .: Is a directory (os error 21)\n"
    );
}

#[test]
fn what_is_no_text_is_not_taken_apart() {
    let files = Files::with(&[]);
    std::fs::write(files.path().join("b.yaml"), [0xff, 0x00]).expect("written");
    let told = String::from("focus-mock: b.yaml: stream did not contain valid UTF-8\n");
    assert_eq!(files.check(&["b.yaml"]), (2, String::new(), told));
}

#[test]
fn a_mistake_is_shown_where_it_is_in_any_text() {
    for (text, place, line, mark) in [
        // Behind characters of several bytes, and of two columns.
        ("gpu: {\"ö\": 1}", "1:7", "1 | gpu: {\"ö\": 1}", "  |       ^^^"),
        (
            "gpu: {pool: \"日本\", pol: 2}",
            "1:13",
            "1 | gpu: {pool: \"日本\", pol: 2}",
            "  |             ^^^^^^",
        ),
        // Behind a tab, which is shown as four blanks.
        ("gpu:\t{pol: 2}", "1:7", "1 | gpu:    {pol: 2}", "  |          ^^^"),
        // At the end of the text.
        ("gpu: {pool: 2}\nseed: [", "2:7", "2 | seed: [", "  |       ^"),
        ("gpu:\n  pol:", "2:3", "2 |   pol:", "  |   ^^^"),
        // With a mark and the line ends of other editors.
        ("\u{feff}gpu: {pol: 2}", "1:7", "1 | gpu: {pol: 2}", "  |       ^^^"),
        ("seed: 1\r\ngpu: {pol: 2}\r\n", "2:7", "2 | gpu: {pol: 2}", "  |       ^^^"),
        ("seed: 1\rgpu: {pol: 2}\r", "2:7", "2 | gpu: {pol: 2}", "  |       ^^^"),
    ] {
        let told = told(text);
        let shown: Vec<_> = told.lines().skip(1).take(4).collect();
        assert_eq!(shown, [&format!(" --> f.yaml:{place}"), "  |", line, mark], "{told}");
    }
}

#[test]
fn a_file_that_is_no_mapping_is_told_from_its_first_line_on() {
    assert_eq!(
        told("- gpu\n"),
        "error: a world file must be a mapping (lines of \"key: value\"), not a list\n --> f.yaml:1:1\n  |\n1 | - gpu\n  | ^\n"
    );
}

#[test]
fn without_a_file_there_is_nothing_to_check() {
    let (code, stdout, stderr) = Files::with(&[]).check(&[]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("<FILE>..."), "{stderr}");
}

/// A check is about files alone.
#[test]
fn the_environment_is_not_asked() {
    let files = Files::with(&[("w.yaml", "gpu: {pool: 2}")]);
    let mut command = focus_mock(&["check", "w.yaml"]);
    let output =
        command.current_dir(files.path()).env("FOCUS_MOCK_SEED", "x").env("FOCUS_MOCK_NONE", "x").output();
    assert!(output.expect("it runs").status.success());
}
