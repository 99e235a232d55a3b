//! What the suite does to a server that nobody gave leave to write to.

use focus_contract::cases;
use focus_contract::runner::{Manner, Outcome, tell};
use focus_contract::target::Remote;
use focus_mock::{Config, MockServer};

/// A refused configuration takes no sequence number, so even an attempt to create something would not show in the
/// world; the story itself refuses to send what might.
#[tokio::test]
async fn without_leave_to_write_the_suite_only_reads() {
    let server = MockServer::start(Config::default()).expect("a server");
    let remote = Remote { base: server.base_url(), ..Remote::default() };
    let mut told = Vec::new();
    for case in cases::all() {
        match tell(case, &remote, Manner::default()).await.outcome {
            Outcome::Passed => told.push(case.id),
            Outcome::Skipped(reason) => {
                assert!(reason.contains("writes") || reason.contains("clock"), "{}: {reason}", case.id)
            }
            Outcome::Failed(failure) | Outcome::CouldNotRun(failure) => panic!("{}: {failure}", case.id),
        }
    }
    assert!(told.len() >= 10 && told.contains(&"health/ack-contract"), "{told:?}");
    let state = server.simulation().snapshot();
    assert!(state.jobs.is_empty() && state.journal.is_empty(), "{state:?}");
}
