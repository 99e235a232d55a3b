//! `exec`: a command with a server of its own.

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use super::child::{Started, focus_mock, json_of, listens};

/// Runs a line of shell with a server.
fn exec(flags: &[&str], line: &str) -> Output {
    let mut command = focus_mock(&["exec"]);
    command.args(flags).args(["--", "sh", "-c", line]);
    command.output().expect("it runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("a text")
}

/// The program itself, as a client that every machine has.
fn ourselves() -> &'static str {
    env!("CARGO_BIN_EXE_focus-mock")
}

#[test]
fn the_command_is_told_where_the_server_is() {
    let output = exec(&[], "env");
    let variable = |name: &str| {
        let line = text(&output.stdout).lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("no {name} in\n{}", text(&output.stdout))).to_owned()
    };
    let (host, port) = (variable("FOCUS_SERVER_HOST"), variable("FOCUS_SERVER_PORT"));
    assert_eq!(variable("FOCUS_BASE_URL"), format!("http://{host}:{port}"));
    assert_eq!((host.as_str(), variable("FOCUS_API_PREFIX").as_str()), ("127.0.0.1", "/focus-server"));
    assert!(variable("FOCUS_ADMIN_URL").starts_with("http://127.0.0.1:"));
    let port: u16 = port.parse().expect("a port");
    assert!(port != 0 && !listens([127, 0, 0, 1].into(), port), "the server goes with the command");
}

#[test]
fn the_server_answers_from_the_first_moment_of_the_command_to_its_last() {
    let check = format!(
        "'{}' healthcheck --ready --listen 127.0.0.1:$FOCUS_SERVER_PORT --admin ${{FOCUS_ADMIN_URL#http://}}",
        ourselves()
    );
    let output = exec(&[], &format!("{check} && {check}"));
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 2);
}

#[test]
fn its_exit_status_is_that_of_the_command_and_its_output_nothing_else() {
    for (line, status) in
        [("exit 0", 0), ("exit 1", 1), ("exit 42", 42), ("kill -KILL $$", 137), ("kill -TERM $$", 143)]
    {
        let output = exec(&[], line);
        assert_eq!(
            (output.status.code(), text(&output.stdout), text(&output.stderr)),
            (Some(status), "", ""),
            "{line}"
        );
    }
    assert_eq!(text(&exec(&[], "echo out; echo err >&2").stdout), "out\n");
}

#[test]
fn what_it_cannot_do_has_the_statuses_that_other_wrappers_have() {
    let status = |command: &mut Command| {
        let output = command.output().expect("it runs");
        (output.status.code(), text(&output.stderr).to_owned())
    };
    let (code, told) = status(&mut focus_mock(&["exec", "--", "no-such-command-anywhere"]));
    assert_eq!(code, Some(127), "{told}");
    assert!(told.starts_with("focus-mock: cannot run no-such-command-anywhere: "), "{told}");
    let (code, told) = status(&mut focus_mock(&["exec", "--", env!("CARGO_MANIFEST_DIR")]));
    assert_eq!(code, Some(126), "{told}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    let (code, told) = status(&mut focus_mock(&["exec", "--listen", &address, "--", "true"]));
    assert_eq!(code, Some(125), "{told}");
    assert!(told.contains("is already in use"), "{told}");
    let (code, told) = status(&mut focus_mock(&["exec", "--seed", "x", "--", "true"]));
    assert_eq!(
        (code, told.as_str()),
        (Some(2), "focus-mock: --seed: seed must be an integer from 0 to 9223372036854775807, not \"x\"\n")
    );
    let (code, _) = status(&mut focus_mock(&["exec"]));
    assert_eq!(code, Some(2));
}

#[test]
fn to_terminate_it_is_to_terminate_the_command() {
    let mut command = focus_mock(&["exec"]);
    // The shell says that it is there, waits for nobody, and tells what ended it.
    command.args([
        "--",
        "sh",
        "-c",
        "trap 'echo terminated; kill $!; exit 9' TERM; tail -f /dev/null & echo there; wait",
    ]);
    let program = Started::new(command);
    assert_eq!(program.line(), "there");
    program.signal("TERM");
    let ended = program.end_within(Duration::from_secs(30));
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(9), "terminated\n"), "{}", ended.stderr);
}

#[test]
fn servers_of_commands_side_by_side_do_not_meet() {
    let line = "echo $FOCUS_SERVER_PORT";
    let ports: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| exec(&[], line))).collect();
        runs.into_iter().map(|run| text(&run.join().expect("no panic").stdout).to_owned()).collect()
    });
    assert!(ports.iter().all(|port| port.trim().parse::<u16>().is_ok()), "{ports:?}");
}

#[test]
fn a_world_reaches_the_commands_server() {
    let program = {
        let mut command = focus_mock(&["exec", "--set", "world.channels={lowest: 5, highest: 9}"]);
        command.args(["--", "sh", "-c", "echo $FOCUS_BASE_URL; exec tail -f /dev/null"]);
        Started::new(command)
    };
    let base = program.line();
    let address = base.strip_prefix("http://").and_then(|address| address.parse().ok()).expect("an address");
    let channels: Value = json_of(super::child::ask(address, "GET", "/channels", ""));
    assert_eq!(channels["highest_channel"], 9);
    program.signal("TERM");
    assert_eq!(program.end_within(Duration::from_secs(30)).status.code(), Some(143));
}
