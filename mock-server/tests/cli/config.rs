//! What is said by flags, variables and files, as the program hears it.

use std::process::Command;

use super::child::{failed, focus_mock};

/// What it prints when nothing is wrong.
fn printed(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("a text");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{stdout}");
    stdout
}

fn line<'a>(text: &'a str, key: &str) -> &'a str {
    let start = format!("{key}: ");
    text.lines()
        .find(|line| line.trim_start().starts_with(&start))
        .unwrap_or_else(|| panic!("no {key} in\n{text}"))
}

#[test]
fn the_printed_configuration_has_each_value_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("mock.yaml"), "limits:\n  max_jobs: 6\n").expect("written");
    let mut command =
        focus_mock(&["--seed", "5", "--set", "gpu.pool=3", "--config", "mock.yaml", "--print-config"]);
    let text = printed(command.current_dir(directory.path()).env("FOCUS_MOCK_CLOCK", "manual"));
    for (key, value, place) in [
        ("seed", "5", "--seed"),
        ("pool", "3", "--set gpu.pool"),
        ("mode", "manual", "FOCUS_MOCK_CLOCK"),
        ("max_jobs", "6", "mock.yaml:2:13"),
        ("max_slots", "1024", "default"),
    ] {
        let words: Vec<_> = line(&text, key).split("  # ").map(str::trim).collect();
        assert_eq!(words, [format!("{key}: {value}").as_str(), place], "{text}");
    }
}

/// On ports that are taken a server would not come to print anything.
#[test]
fn to_print_a_configuration_starts_nothing() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("ready.json");
    let path = file.to_str().expect("a path of text");
    let arguments = ["--listen", &address, "--admin", &address, "--port-file", path, "--print-config"];
    let text = printed(&mut focus_mock(&arguments));
    assert!(line(&text, "listen").contains(&address), "{text}");
    assert!(!file.exists());
    let serve: Vec<_> = ["serve"].into_iter().chain(arguments).collect();
    assert_eq!(printed(&mut focus_mock(&serve)), text);
}

#[test]
fn what_is_printed_can_be_given_as_a_configuration() {
    let first = tempfile::tempdir().expect("a directory");
    let second = tempfile::tempdir().expect("a directory");
    let arguments = [
        "--seed",
        "9",
        "--port-file",
        "ready.json",
        "--set",
        "latency.configure_ms=130-890",
        "--print-config",
    ];
    let text = printed(focus_mock(&arguments).current_dir(first.path()));
    let file = second.path().join("printed.yaml");
    std::fs::write(&file, &text).expect("written");
    let path = file.to_str().expect("a path of text");
    let again = printed(&mut focus_mock(&["--config", path, "--print-config"]));
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  # ").next().unwrap_or_default().trim_end().to_owned()).collect()
    };
    assert_eq!(values(&again), values(&text));
    let mut check = focus_mock(&["check", path]);
    assert_eq!(printed(&mut check), format!("{path}: a configuration without mistakes\n"));
}

#[test]
fn a_flag_can_be_given_once_and_single_keys_several_times() {
    let ended = failed(&["--seed", "1", "--seed", "2"]);
    assert!(ended.stderr.contains("'--seed <N>' cannot be used multiple times"), "{}", ended.stderr);
    let ended = failed(&["--seed", "1", "--set", "seed=2", "--set", "nothing"]);
    assert_eq!(
        ended.stderr,
        "focus-mock: --seed: seed is given more than once, first by --set seed\n\
         --set nothing: expected key=value such as limits.max_jobs=10, not \"nothing\"\n"
    );
    let text = printed(&mut focus_mock(&["--set", "seed=1", "--set", "gpu.pool=-0", "--print-config"]));
    assert!(line(&text, "pool").starts_with("  pool: 0 "), "{text}");
}

#[test]
fn an_unknown_variable_stops_the_start() {
    let output = focus_mock(&["--print-config"]).env("FOCUS_MOCK_SEEDS", "1").output().expect("it runs");
    let stderr = String::from_utf8(output.stderr).expect("a text");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), [].as_slice()));
    assert!(
        stderr.starts_with("focus-mock: FOCUS_MOCK_SEEDS: unknown variable: there are FOCUS_MOCK_LISTEN, "),
        "{stderr}"
    );
}

#[cfg(unix)]
#[test]
fn what_is_no_text_is_refused_and_no_reason_to_panic() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let no_text = OsStr::from_bytes(b"sm\xffall");
    for arguments in [[OsStr::new("--seed"), no_text], [OsStr::new("--set"), no_text], [no_text, no_text]] {
        let ended = failed(&arguments);
        assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
    let output = focus_mock(&["--print-config"]).env("FOCUS_MOCK_SEED", no_text).output().expect("it runs");
    let stderr = String::from_utf8(output.stderr).expect("a text");
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.starts_with("focus-mock: FOCUS_MOCK_SEED: "), "{stderr}");
    // Whatever else is in the environment is nobody's mistake.
    printed(focus_mock(&["--print-config"]).env("OTHER", no_text).env(no_text, "x"));
    // The name of a checked file may be anything.
    let file = tempfile::Builder::new().prefix(no_text).tempfile().expect("a file");
    assert!(focus_mock(&["check"]).arg(file.path()).output().expect("it runs").status.success());
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_named_unless_it_is_somebody_elses() {
    use std::os::unix::ffi::OsStrExt;
    let no_text = std::ffi::OsStr::from_bytes(b"w\xff.yaml");
    let output = |name: &str| focus_mock(&["--print-config"]).env(name, no_text).output().expect("it runs");
    let refused = output("FOCUS_MOCK_WORLD");
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8(refused.stderr).expect("a text");
    assert!(told.starts_with("focus-mock: FOCUS_MOCK_WORLD: not a text in UTF-8: w"), "{told}");
    assert!(output("SOMEBODY_ELSES").status.success());
}
