//! Where it listens: busy addresses, hosts, blocks of job ports, and which routes are on which listener.

use std::net::{SocketAddr, TcpListener};

use serde_json::Value;

use super::child::{Connection, Ready, ask, configuration, failed, json_of, listens, with_free};

fn busy() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

#[test]
fn a_busy_address_is_one_sentence_with_the_port_and_the_flag() {
    let (_listener, address) = busy();
    for flag in ["--listen", "--admin"] {
        let ended = failed(&with_free(&[flag, &address.to_string()]));
        let told = format!(
            "focus-mock: port {} on 127.0.0.1 is already in use: give another address with {flag} (port 0 takes a free \
             one)\n",
            address.port()
        );
        assert_eq!(ended.stderr, told);
    }
}

#[test]
fn the_same_address_for_both_listeners_is_refused_with_the_second_flag() {
    let (listener, address) = busy();
    drop(listener);
    let text = address.to_string();
    let ended = failed(&with_free(&["--listen", &text, "--admin", &text]));
    assert!(
        ended.stderr.contains("is already in use: give another address with --admin"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_listener_among_the_job_ports_is_refused_with_both_flags() {
    let (listener, address) = busy();
    drop(listener);
    let port = address.port();
    let told = |flag: &str| {
        let base = port - 1;
        let last = base + 1024;
        format!(
            "port {port} ({flag}) lies among the job ports {port} to {last} (--port-base): move one of them"
        )
    };
    for flag in ["--listen", "--admin"] {
        let base = (port - 1).to_string();
        let ended = failed(&with_free(&[flag, &address.to_string(), "--port-base", &base]));
        assert_eq!(ended.stderr, format!("focus-mock: {}\n", told(flag)));
    }
}

#[test]
fn without_an_admin_listener_there_is_none() {
    let mock = Ready::with(&["--admin", "off"]);
    assert_eq!(mock.said["admin"], Value::Null);
    assert_eq!(ask(mock.rest(), "GET", "/ack", "").0, 200);
    mock.program.log.wait_for("admin  off");
}

#[test]
fn no_route_is_on_both_listeners() {
    let mock = Ready::with(&[]);
    let (mut product, mut admin) = (Connection::to(mock.rest()), Connection::to(mock.admin()));
    for (method, path) in [
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("GET", "/__mock/clock"),
        ("PUT", "/__mock/clock"),
        ("POST", "/__mock/clock/advance"),
        ("GET", "/__mock/state"),
        ("POST", "/__mock/reset"),
    ] {
        for prefix in ["", "/focus-server"] {
            let (status, body) = product.ask(method, &format!("{prefix}{path}"), "");
            assert!(
                status == 404 && body.contains("\"NOT_FOUND\""),
                "{method} {prefix}{path}: {status} {body}"
            );
        }
    }
    for (method, path) in [
        ("GET", "/ack"),
        ("GET", "/channels"),
        ("GET", "/live_metadata"),
        ("POST", "/configure"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("GET", "/"),
    ] {
        // The admin interface has a document of its own.
        let prefixes = ["", "/focus-server", "/__mock"].into_iter();
        for prefix in prefixes.filter(|prefix| *prefix != "/__mock" || path != "/openapi.json") {
            let (status, body) = admin.ask(method, &format!("{prefix}{path}"), "");
            assert!(
                status == 404 && body.contains("no such route"),
                "{method} {prefix}{path}: {status} {body}"
            );
        }
    }
    assert_eq!(admin.ask("GET", "/livez", ""), (200, String::from("ok")));
    assert_eq!(admin.ask("GET", "/readyz", ""), (200, String::from("ok")));
}

#[test]
fn a_server_whose_workload_is_down_lives_but_is_not_ready() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "dependencies: {focus_server: down}").expect("written");
    let mock = Ready::with(&["--world", file.path().to_str().expect("a path of ASCII")]);
    assert_eq!(ask(mock.admin(), "GET", "/livez", "").0, 200);
    let (status, body) = ask(mock.admin(), "GET", "/readyz", "");
    assert_eq!((status, body.as_str()), (503, "{\"error\":\"the focus-server workload has no ready pod\"}"));
    assert_eq!(ask(mock.rest(), "GET", "/ack", "").0, 503);
}

/// Only Linux and Windows route the whole of 127.0.0.0/8 to the machine itself.
#[cfg(any(target_os = "linux", windows))]
#[test]
fn job_ports_are_on_the_host_of_the_rest_listener_and_nowhere_else() {
    let mock = Ready::with(&["--listen", "127.0.0.5:0"]);
    assert_eq!(mock.rest().ip().to_string(), "127.0.0.5");
    let job = json_of(ask(mock.rest(), "POST", "/configure", &configuration()));
    let port = mock.job_port(&job).port();
    assert!(listens([127, 0, 0, 5].into(), port));
    assert!(!listens([127, 0, 0, 1].into(), port), "the job's port is open on another host");
}

#[test]
fn servers_that_look_for_a_block_at_the_same_time_find_different_ones() {
    let starts: Vec<_> = (0..4).map(|_| std::thread::spawn(|| Ready::with(&[]))).collect();
    let mocks: Vec<_> = starts.into_iter().map(|start| start.join().expect("a server")).collect();
    for (position, mock) in mocks.iter().enumerate() {
        for other in &mocks[..position] {
            let distance = mock.port_base().abs_diff(other.port_base());
            assert!(distance > 1024, "{} and {} overlap", mock.port_base(), other.port_base());
        }
        let job = json_of(ask(mock.rest(), "POST", "/configure", &configuration()));
        assert_eq!(mock.job_port(&job).port(), mock.port_base() + 1);
    }
}

#[test]
fn a_port_base_without_room_above_it_is_refused_with_the_highest_one() {
    let ended = failed(&with_free(&["--port-base", "64512"]));
    assert_eq!(
        ended.stderr,
        "focus-mock: --port-base: port base 64512 with 1024 slots ends above port 65535: the highest base is 64511 (ports.base, ports.max_slots)\n"
    );
}

#[test]
fn the_highest_port_base_has_a_port_for_every_slot() {
    let mock = Ready::with(&["--port-base", "64511"]);
    assert_eq!(mock.port_base(), 64511);
    mock.program.log.wait_for("127.0.0.1:64512-65535");
}
