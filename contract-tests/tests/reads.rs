//! What the suite does to a server that nobody gave leave to write to.

use focus_contract::case::Tag;
use focus_contract::cases;
use focus_contract::runner::{Manner, Outcome, tell};
use focus_contract::target::Remote;
use focus_mock::sim::journal::Happening;
use focus_mock::{Config, MockServer};

/// A refused configuration takes no sequence number, so even an attempt to create something would not show in the
/// world; the story itself refuses to send what might.
#[tokio::test]
async fn without_leave_to_write_the_suite_only_reads() {
    let server = MockServer::start(Config::default()).expect("a server");
    let remote = Remote { base: server.base_url(), ..Remote::default() };
    let mut told = Vec::new();
    // What takes a minute of real time asks no other routes than the others.
    for case in cases::all().filter(|case| !case.tags.contains(&Tag::Nightly)) {
        match tell(case, &remote, Manner::default()).await.outcome {
            Outcome::Passed => told.push(case.id),
            Outcome::Skipped(reason) => {
                assert!(
                    ["writes", "clock", "faults"].iter().any(|missing| reason.contains(missing)),
                    "{}: {reason}",
                    case.id
                )
            }
            Outcome::Failed(failure) | Outcome::CouldNotRun(failure) => panic!("{}: {failure}", case.id),
        }
    }
    assert!(told.len() >= 10 && told.contains(&"health/ack-contract"), "{told:?}");
    assert!(server.simulation().snapshot().jobs.is_empty());
    for entry in server.simulation().journal().since(0) {
        let Happening::Request(record) = &entry.what else { panic!("{:?} is no request", entry.what) };
        let may_write = record.method() == "DELETE" || record.path().contains("/config");
        assert!(!may_write || record.status == Some(405), "{} {}", record.method(), record.path());
    }
}
