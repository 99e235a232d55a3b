//! `ctl`: the admin interface for shells.

use std::process::Output;

use serde_json::{Value, json};

use super::child::{Ready, ask, configuration, focus_mock, with_free};

/// A server with a clock that stands, and the way to it.
struct Mock {
    ready: Ready,
    admin: String,
}

impl Mock {
    fn start() -> Self {
        let ready = Ready::with(&["--clock", "manual", "--start-time", "2025-12-08T00:00:00Z"]);
        let admin = format!("http://{}", ready.admin());
        Self { ready, admin }
    }

    /// Status, what is shown, and what is complained about.
    fn ctl(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        ctl(&[&["--admin", self.admin.as_str()], arguments].concat())
    }

    #[track_caller]
    fn shows(&self, arguments: &[&str]) -> String {
        let (code, shown, complaint) = self.ctl(arguments);
        assert_eq!((code, complaint.as_str()), (Some(0), ""), "{shown}");
        shown
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let shown = self.shows(&[arguments, &["--json"]].concat());
        serde_json::from_str(&shown).unwrap_or_else(|error| panic!("{error}: {shown}"))
    }

    /// Status of a configuration.
    fn configure(&self) -> u16 {
        ask(self.ready.rest(), "POST", "/configure", &configuration()).0
    }
}

fn ctl(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = focus_mock(&["ctl"]).args(arguments).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("a text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn faults_are_added_listed_and_removed() {
    let mock = Mock::start();
    assert_eq!(mock.shows(&["fault", "list"]), "No rule is installed.\n");
    let rule = "{id: busy, at: step.port, do: {refuse: PORT_IN_USE}}";
    assert_eq!(mock.shows(&["fault", "add", rule]), "Installed busy.\n");
    assert_eq!(mock.configure(), 409);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("rule.yaml");
    std::fs::write(&file, "at: step.slot\ndo: { refuse: CAPACITY_EXHAUSTED }\n").expect("a file");
    let file = format!("@{}", file.display());
    assert_eq!(mock.json(&["fault", "add", &file]), json!({ "ids": ["rule-1"] }));
    let listed = mock.shows(&["fault", "list"]);
    let columns: Vec<Vec<_>> = listed.lines().map(|line| line.split_whitespace().take(3).collect()).collect();
    assert_eq!(columns, [["ID", "MATCHED", "HITS"], ["busy", "1", "1"], ["rule-1", "0", "0"]], "{listed}");
    let (code, shown, complaint) = mock.ctl(&["fault", "remove", "bsy"]);
    assert_eq!((code, shown.as_str()), (Some(1), ""));
    assert_eq!(complaint, "focus-mock: there is no rule bsy: there are busy, rule-1\n");
    mock.shows(&["fault", "remove", "rule-1"]);
    assert_eq!(mock.shows(&["fault", "reset"]), "Removed 1 rule.\n");
    assert_eq!(mock.configure(), 200);
    let points = mock.shows(&["fault", "points"]);
    assert!(
        points.lines().any(|line| line.starts_with("undo.queue") && line.contains("  fail  ")),
        "{points}"
    );
    let (code, _, complaint) = mock.ctl(&["fault", "add", "at: step.nowhere\n"]);
    assert_eq!(code, Some(1));
    assert!(
        complaint.contains("line 1, column 5: ") && complaint.contains("there are step.slot, "),
        "{complaint}"
    );
}

#[test]
fn the_clock_is_shown_changed_and_moved() {
    let mock = Mock::start();
    assert_eq!(mock.configure(), 200);
    let shown = mock.shows(&["clock"]);
    assert!(shown.starts_with("shows     2025-12-08T00:00:00Z\nmode      manual\ndue next  in "), "{shown}");
    let moved = mock.shows(&["clock", "advance", "1m"]);
    assert!(moved.starts_with("It is 2025-12-08T00:01:00Z now; 1 thing happened on the way.\n"), "{moved}");
    assert!(moved.contains("removed  1-1  what=idle"), "{moved}");
    assert_eq!(mock.json(&["clock", "advance", "1.5"])["now"], "2025-12-08T00:01:01.5Z");
    assert!(mock.shows(&["clock", "mode", "scaled:2"]).contains("mode      scaled:2\n"));
    let (code, _, complaint) = mock.ctl(&["clock", "mode", "fast"]);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("expected system, scaled:N"), "{complaint}");
}

#[test]
fn every_dependency_has_a_command_of_its_own() {
    let mock = Mock::start();
    for (name, state) in [
        ("fiber", "waiting"),
        ("mongodb", "slow-fail"),
        ("rabbitmq", "down"),
        ("recorder", "down"),
        ("recordings", "path-mismatch"),
        ("cluster", "refuses-objects"),
        ("focus-server", "down"),
    ] {
        let answer = mock.json(&[name, state]);
        assert_eq!(answer[name.replace('-', "_")]["state"], state);
    }
    assert_eq!(mock.configure(), 503);
    let shown = mock.shows(&["mongodb", "up"]);
    assert!(
        shown.lines().any(|line| line == "mongodb       up               of up, down, slow-fail, restarting"),
        "{shown}"
    );
    let (code, _, complaint) = mock.ctl(&["mongodb", "asleep"]);
    assert_eq!(code, Some(2), "the command line knows the states");
    assert!(complaint.contains("slow-fail"), "{complaint}");
    let (code, _, complaint) = mock.ctl(&["mongodb", "down", "--for", "soon"]);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("for: expected a duration"), "{complaint}");
}

#[test]
fn the_state_is_shown_and_reset() {
    let mock = Mock::start();
    assert_eq!(mock.configure(), 200);
    let state = mock.shows(&["state"]);
    for line in
        ["clock       2025-12-08T00:00:00Z, manual", "profile     contract", "leaks       0", "jobs        1"]
    {
        assert!(state.lines().any(|shown| shown == line), "{line:?} is missing in {state}");
    }
    let port = mock.ready.port_base() + 1;
    assert!(state.ends_with(&format!("  1-1  Running  port {port}  0 open calls\n")), "{state}");
    assert_eq!(mock.shows(&["reset"]), "The world is at its start again.\n");
    assert_eq!(mock.json(&["state"])["jobs"], json!([]));
}

#[test]
fn metrics_are_shown_as_a_scraper_gets_them() {
    let mock = Mock::start();
    assert_eq!(mock.configure(), 200);
    let shown = mock.shows(&["metrics"]);
    assert!(shown.starts_with("# HELP focus_mock_requests_total "), "{shown}");
    let requests = "focus_mock_requests_total{route=\"configure\",method=\"POST\",status=\"200\"} 1\n";
    assert!(shown.contains(requests), "{shown}");
}

#[test]
fn ports_are_held_and_released_and_pods_killed() {
    let mock = Mock::start();
    let port = (mock.ready.port_base() + 1).to_string();
    assert_eq!(mock.shows(&["port", "list"]), "No port is held.\n");
    assert_eq!(
        mock.shows(&["port", "hold", &port]),
        format!("Port {port} is held, as by a left-over Service.\n")
    );
    assert_eq!(mock.configure(), 409);
    assert_eq!(mock.shows(&["port", "list"]), format!("{port}  as by a left-over Service\n"));
    mock.shows(&["port", "release", &port]);
    assert_eq!(mock.configure(), 200);
    assert_eq!(mock.shows(&["job", "kill-pod", "1-*"]), "Done to 1-2.\n");
    assert_eq!(mock.json(&["state"])["jobs"][0]["state"], "Failed");
    let (code, _, complaint) = mock.ctl(&["port", "hold", "first"]);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("expected its number, slot:N or next"), "{complaint}");
}

#[test]
fn a_world_with_a_mistake_is_refused_with_its_line_and_a_missing_file_is_a_slip_of_ours() {
    let mock = Mock::start();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("world.yaml");
    std::fs::write(&file, "limits:\n  max_job: 3\n").expect("a file");
    let file = file.to_str().expect("a path of ASCII");
    let (code, shown, complaint) = mock.ctl(&["world", file]);
    assert_eq!((code, shown.as_str()), (Some(1), ""));
    assert!(complaint.contains("line 2, column 3: unknown key \"max_job\""), "{complaint}");
    assert_eq!(mock.ctl(&["world", "/nowhere.yaml"]).0, Some(2));
}

#[test]
fn the_journal_verifications_and_explanations_are_told_in_sentences() {
    let mock = Mock::start();
    assert_eq!(mock.configure(), 200);
    let journal = mock.shows(&["journal", "--kind", "configured"]);
    assert!(journal.starts_with("  1") && journal.contains("configured  1-1\n1 of "), "{journal}");
    let (code, shown, _) = mock.ctl(&["verify", "--path", "/nowhere", "--at-least", "1"]);
    assert_eq!(code, Some(1));
    assert_eq!(shown, "0 requests matched, which is not as it should be ({\"at_least\":1}).\n");
    assert_eq!(
        mock.shows(&["verify", "--path", "/nowhere", "--count", "0"]),
        "0 requests matched, as it should be (0).\n"
    );
    assert_eq!(mock.ctl(&["verify", "--path", "/nowhere"]).0, Some(2), "how many?");
    let why = mock.shows(&["explain", "1-1"]);
    assert!(why.starts_with("Job 1-1 is live, state Running.\n") && why.contains("configured"), "{why}");
    let (code, _, complaint) = mock.ctl(&["explain", "no-such-request"]);
    assert_eq!(code, Some(1));
    assert!(complaint.starts_with("focus-mock: no request \"no-such-request\" was answered"), "{complaint}");
    assert_eq!(mock.ctl(&["journal", "--kind", "requests"]).0, Some(1));
    assert_eq!(mock.shows(&["leaks"]), "Nothing leaked.\n");
    assert_eq!(mock.shows(&["invariants"]), "Every invariant holds.\n");
}

#[test]
fn quirks_and_limits_are_shown() {
    let mock = Mock::start();
    let quirks = mock.shows(&["quirk", "list"]);
    assert!(
        quirks.lines().any(|line| line.starts_with("status-empty") && line.contains("  off  ")),
        "{quirks}"
    );
    let limits = mock.shows(&["limits"]);
    assert!(limits.contains("max_jobs                  1024\n"), "{limits}");
    assert!(limits.contains("gpu_pool                  without limit\n"), "{limits}");
    for (arguments, code, told) in [
        (&["limits", "max_jobs"][..], 2, "expected KEY=VALUE"),
        (&["limits", "jobs=3"], 1, "expected one of `max_jobs`"),
        (&["quirk", "on", "nothing"], 1, "there are nfft-unchecked"),
        (&["profile", "observed"], 1, "there are contract, observed-2025-12"),
    ] {
        let (answered, _, complaint) = mock.ctl(arguments);
        assert_eq!(answered, Some(code), "{complaint}");
        assert!(complaint.contains(told), "{told:?} is missing in {complaint}");
    }
}

#[test]
fn the_server_is_found_by_address_variable_and_port_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("ready.json");
    let flags = with_free(&["--port-file", file.to_str().expect("a path of ASCII")]);
    let mock = Ready::with(&flags[..2]);
    let admin = mock.admin().to_string();
    let run = |command: &mut std::process::Command| command.output().expect("it runs").status.code();
    assert_eq!(run(&mut focus_mock(&["ctl", "leaks", "--admin", &admin])), Some(0));
    assert_eq!(
        run(focus_mock(&["ctl", "leaks"]).env("FOCUS_ADMIN_URL", format!("http://{admin}/"))),
        Some(0)
    );
    assert_eq!(run(focus_mock(&["ctl", "leaks"]).env("FOCUS_MOCK_ADMIN", &admin)), Some(0));
    let by_file = &mut focus_mock(&["ctl", "leaks", flags[0], flags[1]]);
    assert_eq!(run(by_file.env("FOCUS_MOCK_ADMIN", "127.0.0.1:0")), Some(0));
    let (code, _, complaint) = ctl(&["leaks", "--admin", "127.0.0.1:1"]);
    assert_eq!(code, Some(2));
    assert!(complaint.starts_with("focus-mock: http://127.0.0.1:1 does not answer: "), "{complaint}");
    let off = focus_mock(&["ctl", "leaks"]).env("FOCUS_MOCK_ADMIN", "off").output().expect("it runs");
    assert_eq!(off.status.code(), Some(2));
}

#[test]
fn with_a_token_only_who_has_it_is_answered_and_it_is_never_shown() {
    let mut command = focus_mock(&with_free(&["--log", "debug"]));
    command.env("FOCUS_MOCK_ADMIN_TOKEN", "open-sesame");
    let mock = Ready::of(command);
    let admin = mock.admin().to_string();
    let (code, _, complaint) = ctl(&["state", "--admin", &admin]);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("the admin token"), "{complaint}");
    assert_eq!(ctl(&["state", "--admin", &admin, "--admin-token", "open-sesame"]).0, Some(0));
    let rest = mock.rest().to_string();
    let check = |token: &str| {
        let flags = ["healthcheck", "--listen", &rest, "--admin", &admin, "--admin-token", token];
        focus_mock(&flags).output().expect("it runs").status.code()
    };
    assert_eq!((check("open-sesame"), check("open")), (Some(0), Some(1)));
    assert!(!mock.line.contains("sesame") && !mock.program.log.text().contains("sesame"));
}

#[test]
fn a_token_is_printed_hidden_and_what_is_printed_cannot_be_fed_back_silently() {
    let print = |arguments: &[&str]| {
        let Output { status, stdout, stderr } =
            focus_mock(&["--print-config"]).args(arguments).output().expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("a text");
        (status.code(), text(stdout), text(stderr))
    };
    let (code, printed, complaint) = print(&["--admin-token", "open-sesame"]);
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    assert!(printed.contains("token: \"***\"") && !printed.contains("sesame"), "{printed}");
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("mock.yaml");
    std::fs::write(&file, &printed).expect("a file");
    let file = file.to_str().expect("a path of ASCII");
    let (code, _, complaint) = print(&["--config", file]);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("admin.token is hidden behind ***"), "{complaint}");
    // Said anew, it stands in for the line that hides it.
    assert_eq!(
        print(&["--config", file, "--admin-token", "open-sesame"]).0,
        Some(2),
        "the file by itself is mistaken"
    );
    for (token, code) in [("4711", 0), ("open sesame", 2), ("", 2), ("sés", 2)] {
        let (answered, _, complaint) = print(&["--admin-token", token]);
        assert_eq!(answered, Some(code), "{complaint}");
        assert!(
            token.is_empty() || !complaint.contains(token),
            "a mistaken token is not repeated: {complaint}"
        );
    }
}

#[test]
fn an_admin_interface_that_others_may_reach_without_a_token_is_warned_of() {
    let warning = "which other machines may reach, and asks for no token";
    let open = Ready::with(&["--admin", "0.0.0.0:0"]);
    open.program.log.wait_for(warning);
    let guarded = Ready::with(&["--admin", "0.0.0.0:0", "--admin-token", "open-sesame"]);
    let usual = Ready::with(&[]);
    for quiet in [guarded, usual] {
        quiet.program.log.wait_for("answers");
        assert!(!quiet.program.log.text().contains(warning), "{}", quiet.program.log.text());
    }
}
