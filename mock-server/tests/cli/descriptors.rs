//! Out of file descriptors: a limit of the machine, told as such, survived, and left behind.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::child::{Connection, Ready, Started, configuration, json_of, with_free};

/// The program under limits of open files.
fn limited(hard: u32, soft: u32, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\" \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_focus-mock")).args(with_free(arguments)).env_remove("FOCUS_MOCK_LOG");
    command
}

/// A server that has no descriptor for another job, and the connection over which it made the jobs it has.
fn exhausted() -> (Ready, Connection, Vec<String>) {
    let mock = Ready::of(limited(64, 64, &["--clock", "manual"]));
    let mut connection = Connection::to(mock.rest());
    let mut jobs = Vec::new();
    loop {
        let (status, body) = connection.ask("POST", "/configure", &configuration());
        if status != 200 {
            assert!(status == 503 && body.contains("\"JOB_CREATION_FAILED\""), "{status} {body}");
            return (mock, connection, jobs);
        }
        let id = json_of((status, body))["job_id"].as_str().expect("an id").to_owned();
        jobs.push(id);
        assert!(jobs.len() < 64, "more jobs than descriptors");
    }
}

fn open_files(program: &Started) -> usize {
    std::fs::read_dir(Path::new("/proc").join(program.pid().to_string()).join("fd"))
        .expect("a process")
        .count()
}

/// Processor time it has taken, in hundredths of a second.
fn processor_ticks(program: &Started) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", program.pid())).expect("a process");
    let (_, after_the_name) = stat.rsplit_once(") ").expect("the name is in parentheses");
    let fields: Vec<_> = after_the_name.split(' ').collect();
    // Fields 14 and 15 of the whole line; the first one here is the third.
    [11, 12].iter().map(|field| fields[*field].parse::<u64>().expect("a number")).sum()
}

#[test]
fn a_low_limit_is_told_with_what_it_is_and_what_it_takes_away() {
    let mock = Ready::of(limited(64, 64, &[]));
    mock.program.log.wait_for("curl");
    let log = mock.program.log.text();
    let warning =
        log.lines().find(|line| line.contains("WARN")).unwrap_or_else(|| panic!("no warning in\n{log}"));
    for part in ["1024 slots", "limit of 64", "503 JOB_CREATION_FAILED", "ulimit -n"] {
        assert!(warning.contains(part), "{part:?} is missing in\n{warning}");
    }
}

#[test]
fn a_low_soft_limit_is_raised_to_the_hard_one_without_a_word() {
    let mock = Ready::of(limited(2048, 64, &[]));
    mock.program.log.wait_for("curl");
    assert!(!mock.program.log.text().contains("WARN"), "{}", mock.program.log.text());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", mock.program.pid())).expect("a process");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("the limit");
    assert_eq!(line.split_whitespace().collect::<Vec<_>>()[3..5], ["2048", "2048"]);
}

#[test]
fn a_job_without_a_descriptor_is_refused_and_leaves_everything_as_it_was() {
    let (mock, mut connection, jobs) = exhausted();
    assert!(jobs.len() > 20, "{} jobs are few for 64 descriptors", jobs.len());
    let before = open_files(&mock.program);
    for _ in 0..20 {
        let (status, body) = connection.ask("POST", "/configure", &configuration());
        assert!(status == 503 && body.contains("\"JOB_CREATION_FAILED\""), "{status} {body}");
    }
    assert_eq!(open_files(&mock.program), before);
    for id in &jobs {
        let metadata = json_of(connection.ask("GET", &format!("/metadata/{id}"), ""));
        assert_eq!(metadata["job_id"], id.as_str());
    }
}

#[test]
fn a_cancelled_job_makes_room_for_another_one() {
    let (_mock, mut connection, jobs) = exhausted();
    json_of(connection.ask("DELETE", &format!("/job/{}", jobs[0]), ""));
    let job = json_of(connection.ask("POST", "/configure", &configuration()));
    assert!(!jobs.contains(&job["job_id"].as_str().expect("an id").to_owned()));
    let (status, body) = connection.ask("POST", "/configure", &configuration());
    assert!(status == 503 && body.contains("\"JOB_CREATION_FAILED\""), "{status} {body}");
}

#[test]
fn a_connection_without_a_descriptor_waits_until_another_one_ends() {
    let (mock, connection, jobs) = exhausted();
    let mut waiting = Connection::to(mock.rest());
    waiting.send("GET /ack HTTP/1.1\r\nhost: a\r\n\r\n");
    mock.program.log.wait_for("no connection can be accepted");
    drop(connection);
    assert_eq!(waiting.answer().0, 200);
    let metadata = json_of(waiting.ask("GET", &format!("/metadata/{}", jobs[0]), ""));
    assert_eq!(metadata["job_id"], jobs[0].as_str());
}

#[test]
fn connections_alone_can_use_up_the_descriptors_and_give_them_back() {
    let mock = Ready::of(limited(64, 64, &[]));
    let mut first = Connection::to(mock.rest());
    let crowd: Vec<_> = (0..64).map(|_| Connection::to(mock.rest())).collect();
    mock.program.log.wait_for("no connection can be accepted");
    let (status, body) = first.ask("POST", "/configure", &configuration());
    assert!(status == 503 && body.contains("\"JOB_CREATION_FAILED\""), "{status} {body}");
    drop(crowd);
    // Whoever comes now waits behind the crowd until its ends have been seen.
    let mut late = Connection::to(mock.rest());
    assert_eq!(late.ask("GET", "/ack", "").0, 200);
    json_of(late.ask("POST", "/configure", &configuration()));
}

#[test]
fn a_listener_without_descriptors_neither_spins_nor_floods_the_log() {
    let (mock, mut connection, _) = exhausted();
    let mut waiting = Connection::to(mock.rest());
    waiting.send("GET /ack HTTP/1.1\r\nhost: a\r\n\r\n");
    mock.program.log.wait_for("no connection can be accepted");
    let before = processor_ticks(&mock.program);
    assert!(!waiting.is_answered_within(Duration::from_millis(900)), "there was a descriptor after all");
    let taken = processor_ticks(&mock.program) - before;
    assert!(taken < 22, "it took {taken} of 90 ticks for waiting");
    assert_eq!(connection.ask("GET", "/ack", "").0, 200);
    let warnings = mock.program.log.text().matches("no connection can be accepted").count();
    assert_eq!(warnings, 1);
}
