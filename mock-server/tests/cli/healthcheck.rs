//! `healthcheck`: whether a server is well.

use std::process::Output;

use super::child::{Ready, focus_mock, with_free};

fn check(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        focus_mock(&["healthcheck"]).args(arguments).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("a text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn a_server_is_found_where_its_flags_have_it() {
    let mock = Ready::with(&[]);
    let (rest, admin) = (mock.rest().to_string(), mock.admin().to_string());
    let expected = |path: &str| (Some(0), format!("http://{admin}/{path} answers 200\n"), String::new());
    assert_eq!(check(&["--listen", &rest, "--admin", &admin]), expected("livez"));
    assert_eq!(check(&["--listen", &rest, "--admin", &admin, "--ready"]), expected("readyz"));
}

#[test]
fn a_server_on_free_ports_is_found_by_its_port_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("ready.json");
    let flags = with_free(&["--port-file", file.to_str().expect("a path of ASCII")]);
    let mock = Ready::with(&flags[..2]);
    assert_eq!(
        check(&flags),
        (Some(0), format!("http://{}/livez answers 200\n", mock.admin()), String::new())
    );
}

#[test]
fn without_the_admin_interface_the_product_is_asked() {
    let mock = Ready::with(&["--admin", "off"]);
    let rest = mock.rest().to_string();
    let (code, told, _) = check(&["--listen", &rest, "--admin", "off"]);
    assert_eq!((code, told), (Some(0), format!("http://{rest}/ack answers 200\n")));
}

#[test]
fn a_server_that_simulates_to_be_down_is_well_but_not_ready() {
    let mock = Ready::with(&["--set", "dependencies.focus_server=down"]);
    let (rest, admin) = (mock.rest().to_string(), mock.admin().to_string());
    let at = ["--listen", rest.as_str(), "--admin", admin.as_str()];
    assert_eq!(check(&at).0, Some(0));
    let (code, _, told) = check(&[&at[..], &["--ready"]].concat());
    assert_eq!(code, Some(1));
    assert!(told.starts_with(&format!("focus-mock: http://{admin}/readyz answers 503: ")), "{told}");
    assert_eq!(
        check(&["--listen", &rest, "--admin", "off"]).0,
        Some(0),
        "it answers, if only that it is down"
    );
    assert_eq!(check(&["--listen", &rest, "--admin", "off", "--ready"]).0, Some(1));
}

#[test]
fn nobody_there_is_not_well() {
    let (code, _, told) = check(&["--listen", "127.0.0.1:1", "--admin", "127.0.0.1:1"]);
    assert_eq!(code, Some(1));
    assert!(told.starts_with("focus-mock: http://127.0.0.1:1/livez does not answer: "), "{told}");
}

#[test]
fn a_place_that_cannot_be_known_is_a_mistake_of_the_command_line() {
    let (code, _, told) = check(&with_free(&[]));
    assert_eq!(
        (code, told.as_str()),
        (
            Some(2),
            "focus-mock: a port is 0, so only the port file can tell where the server is: give --port-file\n"
        )
    );
    let (code, _, told) = check(&with_free(&["--port-file", "/nowhere/ready.json"]));
    assert_eq!(code, Some(2));
    assert!(told.starts_with("focus-mock: port file /nowhere/ready.json: "), "{told}");
}
