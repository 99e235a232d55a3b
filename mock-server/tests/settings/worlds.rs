//! World files: where they are named, what that makes of their keys, and where they are looked for.

use super::said::{Said, nobody};

fn jobs(said: &Said) -> (String, String) {
    said.entry("limits.max_jobs")
}

fn told(value: &str, place: &str) -> (String, String) {
    (value.to_owned(), place.to_owned())
}

#[test]
fn a_world_named_by_a_flag_wins_over_the_single_key_of_a_variable() {
    let said = nobody().file("w.yaml", "limits: {max_jobs: 7}").flag_with_file("world", "w.yaml");
    let said = said.variable("FOCUS_MOCK_SET", "limits.max_jobs=8");
    assert_eq!(jobs(&said), told("7", "w.yaml:1:20"));
}

#[test]
fn a_single_key_of_a_flag_wins_over_the_world_named_by_a_flag() {
    let said = nobody().file("w.yaml", "limits: {max_jobs: 7}").flag_with_file("world", "w.yaml");
    assert_eq!(jobs(&said.set("limits.max_jobs=9")), told("9", "--set limits.max_jobs"));
}

#[test]
fn a_world_named_by_a_variable_wins_over_the_file_and_not_over_a_variable() {
    let said = || {
        let mut said = nobody().file("w.yaml", "limits: {max_jobs: 7}").config("limits: {max_jobs: 6}");
        let path = said.path("w.yaml");
        said.variable("FOCUS_MOCK_WORLD", &path)
    };
    assert_eq!(jobs(&said()), told("7", "w.yaml:1:20"));
    assert_eq!(jobs(&said().variable("FOCUS_MOCK_SET", "limits.max_jobs=8")), told("8", "FOCUS_MOCK_SET"));
}

#[test]
fn a_single_key_of_the_file_wins_over_the_world_that_the_file_names() {
    let world = "limits: {max_jobs: 7, max_body_bytes: 77}";
    let said = nobody().file("w.yaml", world).config("limits: {max_jobs: 6}\nworld_file: w.yaml");
    assert_eq!(jobs(&said), told("6", "mock.yaml:1:20"));
    assert_eq!(said.entry("limits.max_body_bytes"), told("77", "w.yaml:1:39"));
}

#[test]
fn a_world_wins_over_another_default() {
    let said = nobody().file("w.yaml", "limits: {max_jobs: 7}").config("world_file: w.yaml");
    let said = said.other_default(String::from("limits.max_jobs"), String::from("5"));
    assert_eq!(jobs(&said), told("7", "w.yaml:1:20"));
}

/// The other worlds are not even there.
#[test]
fn only_the_world_that_is_named_highest_is_read() {
    let said = || nobody().config("world_file: not-there.yaml");
    assert_eq!(said().wrong(), "mock.yaml:1:13: not-there.yaml: No such file or directory (os error 2)");
    let by_a_variable = || {
        let mut said = said().file("w.yaml", "limits: {max_jobs: 7}");
        let path = said.path("w.yaml");
        said.variable("FOCUS_MOCK_WORLD", &path)
    };
    assert_eq!(jobs(&by_a_variable()), told("7", "w.yaml:1:20"));
    let by_a_flag = said()
        .variable("FOCUS_MOCK_WORLD", "/not/there.yaml")
        .file("f.yaml", "gpu: {pool: 1}")
        .flag_with_file("world", "f.yaml");
    assert_eq!(jobs(&by_a_flag), told("1024", "default"));
    assert_eq!(by_a_flag.entry("gpu.pool"), told("1", "f.yaml:1:13"));
}

#[test]
fn no_world_can_be_said_over_a_world() {
    let said = nobody().file("w.yaml", "limits: {max_jobs: 7}").config("world_file: w.yaml");
    let said = said.set("world_file=null");
    assert_eq!(jobs(&said), told("1024", "default"));
    assert_eq!(said.entry("world_file"), told("null", "--set world_file"));
    assert_eq!(jobs(&nobody().config("world_file:\n")), told("1024", "default"));
}

#[test]
fn a_world_can_be_named_like_any_key() {
    let mut said = nobody().file("w.yaml", "limits: {max_jobs: 7}");
    let path = said.path("w.yaml");
    assert_eq!(jobs(&said.set(&format!("world_file={path}"))), told("7", "w.yaml:1:20"));
}

#[test]
fn paths_in_a_file_are_relative_to_it() {
    let said = nobody()
        .file("team/mock.yaml", "world_file: worlds/w.yaml\nport_file: ready.json\n")
        .file("team/worlds/w.yaml", "limits: {max_jobs: 7}")
        .flag_with_file("config", "team/mock.yaml");
    assert_eq!(jobs(&said), told("7", "team/worlds/w.yaml:1:20"));
    let port_file = said.right().port_file.expect("a port file");
    assert!(port_file.is_absolute() && port_file.ends_with("team/ready.json"), "{}", port_file.display());
}

#[test]
fn paths_of_flags_and_variables_are_relative_to_where_the_program_is() {
    let here = std::env::current_dir().expect("a directory");
    let of = |said: Said| said.right().port_file.expect("a port file");
    assert_eq!(of(nobody().flag("port-file", "a/ready.json")), here.join("a/ready.json"));
    assert_eq!(of(nobody().variable("FOCUS_MOCK_PORT_FILE", "ready.json")), here.join("ready.json"));
    assert_eq!(of(nobody().set("port_file=ready.json")), here.join("ready.json"));
    // Tests run where the package is.
    let said = nobody().flag("world", "../fixtures/worlds/one-slot.yaml");
    assert_eq!(said.entry("ports.max_slots"), told("1", "../fixtures/worlds/one-slot.yaml:3:14"));
}

#[test]
fn a_long_path_is_a_path() {
    let deep = format!("/tmp/{}ready.json", "a-directory/".repeat(100));
    assert_eq!(nobody().flag("port-file", &deep).right().port_file, Some(deep.into()));
    let too_long = format!("/{}", "a".repeat(4096));
    assert!(
        nobody()
            .flag("port-file", &too_long)
            .wrong()
            .starts_with("--port-file: port_file must be a line of 1 to 4096 ")
    );
}

#[test]
fn a_world_cannot_name_a_world_nor_say_how_it_is_served() {
    let said =
        nobody().file("w.yaml", "world_file: v.yaml\nrest: {port: 1}\n").flag_with_file("world", "w.yaml");
    let keys = "a world file has the keys profile, quirks, world, dependencies, limits, ports, jobs, waterfall, latency, grpc, \
                historic, sweep, stream, job, cleanup, startup, cluster, gpu";
    assert_eq!(
        said.wrong(),
        format!("w.yaml:1:1: unknown key \"world_file\": {keys}\nw.yaml:2:1: unknown key \"rest\": {keys}")
    );
}

#[test]
fn a_configuration_that_names_itself_is_no_world() {
    let said = nobody().config("world_file: mock.yaml\n");
    assert!(
        said.wrong()
            .starts_with("mock.yaml:1:1: unknown key \"world_file\": a world file has the keys profile, ")
    );
}
