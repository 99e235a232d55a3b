//! Arguments, good and bad ones, and world files by way of them.

use std::path::Path;

use super::child::{Ready, ask, configuration, failed, focus_mock, json_of, with_free};

#[test]
fn a_bad_argument_is_told_with_what_it_is_for() {
    for (arguments, told) in [
        (["--listen", "5000"], "--listen: expected an IP address and a port such as 127.0.0.1:5000"),
        (["--admin", "on"], "--admin: admin.listen must be an IP address and a port"),
        (["--port-base", "65536"], "--port-base: ports.base must be an integer from 0 to 65534, not 65536"),
        (["--port-base", "-1"], "--port-base: ports.base must be an integer from 0 to 65534, not -1"),
        (["--seed", "x"], "--seed: seed must be an integer from 0 to 9223372036854775807, not \"x\""),
        (
            ["--clock", "fast"],
            "--clock: clock.mode must be system, scaled:N with N above 0 up to 1000000, or manual, not \"fast\"",
        ),
        (["--clock", "scaled:0"], "--clock: clock.mode must be system, scaled:N"),
        (["--clock", "scaled:bad"], "--clock: clock.mode must be system, scaled:N"),
        (["--wrld", "x"], "'--wrld'"),
        (["--seed", "--world"], "--seed <N>"),
        (["run", "now"], "'run'"),
    ] {
        let ended = failed(&arguments);
        assert!(ended.stderr.contains(told), "{arguments:?}: {told:?} is missing in\n{}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
}

#[test]
fn help_and_version_need_no_server() {
    let help = focus_mock(&["--help"]).output().expect("it runs");
    assert!(help.status.success());
    let text = String::from_utf8(help.stdout).expect("a text");
    for flag in ["--listen", "--admin", "--port-base", "--world", "--seed", "--clock", "--port-file", "serve"]
    {
        assert!(text.contains(flag), "{flag} is missing in\n{text}");
    }
    let version = focus_mock(&["--version"]).output().expect("it runs");
    assert_eq!(
        String::from_utf8(version.stdout).expect("a text"),
        format!("focus-mock {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn the_clock_runs_in_the_mode_it_was_given() {
    for (argument, mode) in
        [("system", "system"), ("manual", "manual"), ("scaled:60", "scaled:60"), ("scaled:0.5", "scaled:0.5")]
    {
        let mock = Ready::with(&["--clock", argument]);
        assert_eq!(json_of(ask(mock.admin(), "GET", "/__mock/clock", ""))["mode"], mode);
    }
}

#[test]
fn a_manual_clock_starts_at_the_wall_time_and_stands() {
    let mock = Ready::with(&["--clock", "manual"]);
    let clock = json_of(ask(mock.admin(), "GET", "/__mock/clock", ""));
    assert!(clock["now_ms"].as_i64().expect("a number") > 1_764_946_703_000, "{clock}");
    for _ in 0..20 {
        assert_eq!(json_of(ask(mock.admin(), "GET", "/__mock/clock", "")), clock);
    }
}

#[test]
fn a_world_file_makes_the_world() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/worlds/one-slot.yaml");
    let mock = Ready::with(&["--world", path.to_str().expect("a path of text")]);
    assert_eq!(json_of(ask(mock.admin(), "GET", "/__mock/state", ""))["slots"]["free"], 1);
    assert_eq!(ask(mock.rest(), "POST", "/configure", &configuration()).0, 200);
    let (status, body) = ask(mock.rest(), "POST", "/configure", &configuration());
    assert!(status == 503 && body.contains("CAPACITY_EXHAUSTED"), "{status} {body}");
}

#[test]
fn every_world_of_the_fixtures_starts() {
    let worlds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/worlds");
    for entry in std::fs::read_dir(worlds).expect("the worlds") {
        let path = entry.expect("an entry").path();
        let mock = Ready::with(&["--world", path.to_str().expect("a path of text")]);
        assert_eq!(ask(mock.rest(), "GET", "/ack", "").0, 200, "{}", path.display());
    }
}

#[test]
fn a_mistaken_world_file_is_told_with_its_places() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "world:\n  prr: fast\ngpu:\n  pol: 2\n").expect("written");
    let path = file.path().to_str().expect("a path of ASCII");
    let ended = failed(&with_free(&["--world", path]));
    assert_eq!(
        ended.stderr,
        format!(
            "focus-mock: {path}:2:8: world.prr must be an integer from 2 to 1000000, not \"fast\"\n\
             {path}:4:3: unknown key \"pol\": gpu has the keys pool, reject_when_full\n"
        )
    );
}

#[test]
fn a_missing_world_file_is_named() {
    let ended = failed(&with_free(&["--world", "/nowhere/w.yaml"]));
    assert_eq!(
        ended.stderr,
        "focus-mock: --world: /nowhere/w.yaml: No such file or directory (os error 2)\n"
    );
}

#[test]
fn a_port_file_that_cannot_be_written_is_named() {
    let ended = failed(&with_free(&["--port-file", "/nowhere/mock.json"]));
    let told =
        "focus-mock: cannot write the port file /nowhere/mock.json: No such file or directory (os error 2)";
    assert!(ended.stderr.lines().any(|line| line == told), "{}", ended.stderr);
}
