//! Exit statuses, and what is said with them.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::common::{Server, answer, broken, run};

#[test]
fn a_kept_contract_is_0() {
    run(&["--only", "health/ack-contract"])
        .with(0)
        .says("target: mock (neither --target nor a variable names another); seed 1, 1 cases\noffers: rest, grpc, ")
        .says("passed        health/ack-contract: ")
        .says("\n1 passed of 1 cases\n");
}

#[test]
fn a_broken_one_is_1_with_all_that_shows_it() {
    let server = broken();
    let ended = run(&["--target", &server.base, "--only", "health/ack-headers", "--seed", "7"]).with(1);
    let again = format!(
        "again: focus-contract run --target {} --environment staging --seed 7 --only health/ack-headers\n",
        server.base
    );
    let request = format!("request:\n    GET {}/ack\n    x-custom: <script>alert(1)</script>\n", server.base);
    ended
        .says("==== health/ack-headers failed\nclaim: odd and hostile header values change nothing\nbut:   ")
        .says(&request)
        .says("answer:\n    500 after ")
        .says("    connection: close\n    content-length: 4\n    \n    boom\n")
        .says(&again);
}

#[test]
fn what_was_expected_stands_beside_what_came() {
    let calls = AtomicU32::new(0);
    let server = Server::start(move |asked| match asked.line.as_str() {
        "GET /ack" => answer(200, "", b""),
        _ => {
            let highest = 10 + calls.fetch_add(1, Ordering::Relaxed);
            let body = format!(r#"{{"lowest_channel":1,"highest_channel":{highest}}}"#);
            answer(200, "content-type: application/json\r\n", body.as_bytes())
        }
    });
    let difference = "difference:\n    --- expected\n    +++ got\n    @@ -1,4 +1,4 @@\n     {\n       \"lowest_channel\": 1,\n    \
                      -  \"highest_channel\": 10\n    +  \"highest_channel\": 11\n     }\n";
    run(&["--target", &server.base, "--only", "fibre/channels-stable"]).with(1).says(difference);
}

#[test]
fn nothing_told_is_1() {
    let server = broken();
    run(&["--target", &server.base, "--only", "nfft/nfft-power-of-two"])
        .with(1)
        .says("skipped       nfft/nfft-power-of-two: the target does not offer writes\n")
        .says("no case could be told, so nothing is known");
    assert_eq!(server.asked(), ["GET /ack"]);
}

#[test]
fn a_case_that_could_not_be_told_is_2() {
    let admin = Server::start(|asked| match asked.line.as_str() {
        "GET /__mock/clock" | "PUT /__mock/clock" => answer(200, "", br#"{"mode":"system","now_ms":1}"#),
        _ => answer(500, "", b"no"),
    });
    let server = Server::start(|_| answer(200, "", b""));
    run(&["--target", &server.base, "--admin", &admin.base, "--allow-writes", "--only", "health/*"])
        .with(2)
        .says("could not run health/ack-headers: the admin interface refuses /__mock/reset: 500 no\n");
    assert_eq!(admin.asked().last().map(String::as_str), Some("PUT /__mock/clock"), "the clock is set back");
}

#[test]
fn bad_flags_are_2() {
    for (flags, complaint) in [
        (&["--only", "nothing/*"][..], "no case matches nothing/*"),
        (&["--only", "health"], "no case matches health; health/* does"),
        (&["--skip", "nothing"], "no case matches nothing"),
        (&["--skip", "**"], "no case is left"),
        (&["--tag", "fast"], "invalid value 'fast'"),
        (&["--suite", "all"], "invalid value 'all'"),
        (&["--jobs", "0"], "invalid value '0'"),
        (&["--seed", "x"], "invalid value 'x'"),
        (&["--target", "localhost"], "is no URL"),
        (&["--admin", "http://127.0.0.1:1"], "--admin goes with a target that runs already"),
        (&["--report", "pdf=x"], "there is no report \"pdf\""),
        (&["--report", "junit"], "expected KIND=FILE"),
        (&["--report", "junit=/dev/null/x"], "/dev/null/x cannot be written"),
        (&["--report", "junit=/"], "/ cannot be written"),
        (&["--known-failing", "/dev/null/x"], "/dev/null/x: "),
        (&["--surprise"], "unexpected argument"),
    ] {
        let ended = run(flags).with(2).complains(complaint);
        assert_eq!(ended.out, "", "nothing is told before everything is clear");
    }
}

#[test]
fn two_reports_cannot_be_one_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report").display().to_string();
    run(&["--report", &format!("junit={path}"), "--report", &format!("json={path}")])
        .with(2)
        .complains("two reports cannot be written to");
}

#[test]
fn a_server_that_is_not_there_is_2_before_any_case() {
    let ended = run(&["--target", "http://127.0.0.1:1"])
        .with(2)
        .complains("the Focus Server at http://127.0.0.1:1 cannot be reached: ");
    assert_eq!(ended.out, "");
    let server = broken();
    let ended = run(&["--target", &server.base, "--admin", "http://me:hush@127.0.0.1:1"])
        .with(2)
        .complains("the admin interface at http://127.0.0.1:1 cannot be reached: ");
    assert!(!ended.err.contains("hush"), "{}", ended.err);
    run(&["--target", &server.base, "--kube", "http://127.0.0.1:1"])
        .with(2)
        .complains("the Kubernetes API at http://127.0.0.1:1 cannot be reached: ");
}

#[test]
fn a_case_that_does_not_end_is_ended() {
    let (_hold, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let server = Server::start(move |asked| {
        if asked.line != "GET /ack" {
            // Nobody ever says anything: the case has to give up first.
            let _ = held.lock().expect("the only one").recv();
        }
        answer(200, "", b"")
    });
    run(&["--target", &server.base, "--only", "fibre/channels-stable", "--limit", "1"])
        .with(1)
        .says("failed        fibre/channels-stable: it did not end within 1 s\n");
}
