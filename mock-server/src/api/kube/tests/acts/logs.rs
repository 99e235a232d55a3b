//! Logs: what containers say, which part of it is told, and how it is followed.

use std::future::Future;
use std::sync::Mutex;

use futures_util::{StreamExt, poll};

use super::*;
use crate::api::kube::log::{Follow, Look, Says, Tail, log};
use crate::api::kube::said;
use crate::domain::ids::StreamIndex;
use crate::domain::job::StreamEnd;
use crate::domain::refusal::Refusal;
use crate::sim::change::Outside;
use crate::sim::cluster::facts::{Outcome, Owner, Pod, PodOf, Stage, Uid, Unschedulable};
use crate::sim::cluster::logs::{LogLine, Said};
use crate::sim::faults::{Route, Step};
use crate::sim::journal::{Answered, Happening, Journal, JournalLimits, Removal, Texts};
use crate::sim::setup::MongoDb;
use crate::sim::signal::Told;

const WORDS: [&str; 8] = ["error", "exception", "failed", "timeout", "panic", "fatal", "crash", "traceback"];

fn is_clean(line: &str) -> bool {
    let line = line.to_lowercase();
    WORDS.iter().all(|word| !line.contains(word))
}

/// A request of the product's, as the journal has it.
fn request(status: Option<u16>, code: Option<&'static str>) -> Happening {
    let journal = Journal::new(JournalLimits::default());
    let texts = Texts { id: "r", method: "POST", path: "/configure", caller: "127.0.0.1:1", refusal: "" };
    let (body, came, job, why) = (Bytes::new(), at(0), None, Vec::new());
    let answered = Answered { route: Route::Configure.into(), body, came, status, code, job, why };
    journal.record(at(0), texts, std::iter::empty::<(&str, &[u8])>, answered);
    journal.since(0).remove(0).what
}

/// Everything that containers say while nothing is wrong.
fn healthy(terms: &Arc<Terms>) -> Vec<Said> {
    let id = terms.id;
    let mut all = vec![
        Said::Runs(Arc::clone(terms)),
        Said::Listens,
        Said::Connected(StreamIndex(0)),
        Said::Disconnected(StreamIndex(0), 17),
        Said::Ended(Outcome::Succeeded),
        Said::Watches(Arc::clone(terms)),
        Said::Sampled { cpu_m: 2, hits: 3, of: 5 },
        Said::Triggered,
    ];
    all.extend(Workload::ALL.map(Said::Starts));
    all.extend(Workload::ALL.map(Said::IsReady));
    let happened = [
        Happening::Configured(Arc::clone(terms)),
        Happening::Started(id),
        Happening::Completed(id),
        Happening::Cancelled(id),
        Happening::CallOpened(id),
        Happening::CleanupJobDeleted(id),
        Happening::ServerUp,
        Happening::Reset,
        Happening::RecordingsReplaced,
        request(Some(200), None),
        request(Some(404), Some("UNKNOWN_JOB")),
        request(None, None),
        Happening::OutsideChanged(Outside::MongoDb(MongoDb::Up)),
    ];
    let removed = [Removal::Idle, Removal::Finished, Removal::Ttl, Removal::Cancelled];
    let ended = [StreamEnd::PlayedOut, StreamEnd::Inactive, StreamEnd::Cancelled, StreamEnd::Gone];
    all.extend(happened.map(Said::Happened));
    all.extend(removed.map(|why| Said::Happened(Happening::Removed(id, why))));
    all.extend(ended.map(|end| Said::Happened(Happening::CallEnded(id, end))));
    all
}

#[test]
fn no_line_of_a_healthy_run_sounds_like_a_failure_and_none_is_bare_json() {
    let terms = Rig::new().terms();
    for said in healthy(&terms) {
        for line in said::lines(&said) {
            assert!(is_clean(&line), "{line}");
            assert!(serde_json::from_str::<Value>(&line).is_err(), "{line}");
        }
    }
}

#[test]
fn what_is_wrong_sounds_like_it_and_refusals_have_their_code() {
    let terms = Rig::new().terms();
    let refusal = Refusal::JobCreationFailed;
    for said in [
        Said::Ended(Outcome::Failed),
        Said::Waits("mongodb"),
        Said::Happened(Happening::Failed(terms.id)),
        Said::Happened(Happening::ServerWaits("mongodb")),
        Said::Happened(Happening::OutsideChanged(Outside::MongoDb(MongoDb::Down))),
        Said::Happened(Happening::CallEnded(terms.id, StreamEnd::GoneAway)),
        Said::Happened(Happening::RolledBack { id: terms.id, step: Step::Queue, refusal }),
        Said::Happened(request(Some(503), Some("JOB_CREATION_FAILED"))),
    ] {
        let lines = said::lines(&said);
        assert!(lines.iter().any(|line| !is_clean(line)), "{said:?}: {lines:?}");
    }
    let refused = Said::Happened(Happening::Refused(Refusal::WaitingForFiber));
    assert!(said::lines(&refused)[0].starts_with("WARNING WAITING_FOR_FIBER: "), "{refused:?}");
}

#[test]
fn the_focus_server_tells_of_requests_and_of_each_job_its_command_and_its_file() {
    let terms = Rig::new().terms();
    let id = terms.id;
    let lines = said::lines(&Said::Happened(Happening::Configured(Arc::clone(&terms))));
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("python -m baby_analyzer "), "{lines:?}");
    assert!(lines[0].ends_with(&format!(" --queue-name focus_baby.{id}")), "{lines:?}");
    assert_eq!(lines[1], format!("INFO job-{id}.yml applied"));
    let told = |status, code| said::lines(&Said::Happened(request(status, code)));
    assert_eq!(told(Some(200), None), ["INFO POST /configure 200"]);
    assert_eq!(told(Some(409), Some("PORT_IN_USE")), ["WARNING POST /configure 409 PORT_IN_USE"]);
}

/// A line for each second given.
fn connected(seconds: &[i64]) -> Vec<LogLine> {
    let what = |number: usize| Said::Connected(StreamIndex(u32::try_from(number).expect("few")));
    let line = |(number, second): (usize, &i64)| LogLine { at: at(*second), what: what(number) };
    seconds.iter().enumerate().map(line).collect()
}

fn line(number: u32) -> String {
    format!("INFO client connected to stream {number}\n")
}

#[test]
fn the_end_and_the_newest_are_what_is_asked_for() {
    let log = connected(&[0, 1, 2, 3]);
    let text = |query: Query| Tail::of(&query, at(4)).text(&log);
    let all: String = (0..4).map(line).collect();
    let query = Query::default;
    assert_eq!(text(query()), all);
    assert_eq!(text(Query { tail_lines: Some(2), ..query() }), line(2) + &line(3));
    assert_eq!(text(Query { tail_lines: Some(0), ..query() }), "");
    assert_eq!(text(Query { tail_lines: Some(u64::MAX), ..query() }), all);
    assert_eq!(text(Query { since_seconds: Some(2), ..query() }), line(2) + &line(3));
    assert_eq!(text(Query { since_seconds: Some(u64::MAX), ..query() }), all);
    assert_eq!(text(Query { since_seconds: Some(3), tail_lines: Some(1), ..query() }), line(3));
    assert_eq!(text(Query { limit_bytes: Some(10), ..query() }), &all[..10]);
    let stamped = text(Query { timestamps: true, tail_lines: Some(1), ..query() });
    assert_eq!(stamped, format!("2025-12-05T14:58:26.000000000Z {}", line(3)));
}

#[test]
fn of_something_that_is_said_in_two_lines_the_last_is_the_end() {
    let terms = Rig::new().terms();
    let log = [LogLine { at: at(0), what: Said::Happened(Happening::Configured(Arc::clone(&terms))) }];
    let text = Tail::of(&Query { tail_lines: Some(1), ..Query::default() }, at(0)).text(&log);
    assert_eq!(text, format!("INFO job-{}.yml applied\n", terms.id));
}

#[test]
fn only_what_is_new_is_told_the_next_time_also_when_the_oldest_is_gone() {
    let mut tail = Tail::of(&Query { tail_lines: Some(1), ..Query::default() }, at(9));
    let log = connected(&[0, 1, 1, 1, 2]);
    assert_eq!(tail.text(&log[..2]), line(1));
    assert_eq!(tail.text(&log[..2]), "");
    assert_eq!(tail.text(&log[..4]), line(2) + &line(3), "of the same time, and more than were asked for");
    assert_eq!(tail.text(&log[1..]), line(4));
    assert_eq!(tail.text(&log[4..]), "");
    assert_eq!(tail.text(&[]), "");
}

#[test]
fn no_more_than_the_newest_mib_is_told() {
    let log = connected(&vec![0; 100_000]);
    let text = Tail::of(&Query::default(), at(0)).text(&log);
    assert!((1024 * 1024 - 100..=1024 * 1024).contains(&text.len()), "{}", text.len());
    assert!(text.ends_with(&line(99_999)));
}

#[derive(Default)]
struct Script {
    now: Mutex<(Vec<LogLine>, bool, bool)>,
    told: Told,
}

impl Script {
    fn set(&self, lines: Vec<LogLine>, over: bool, gone: bool) {
        *self.now.lock().expect("no test panics meanwhile") = (lines, over, gone);
        self.told.tell();
    }
}

impl Says for Arc<Script> {
    fn look(&self) -> Option<Look> {
        let (lines, over, gone) = self.now.lock().expect("no test panics meanwhile").clone();
        (!gone).then_some(Look { lines, over })
    }

    fn news(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.told.next())
    }
}

fn followed(query: &Query) -> (Arc<Script>, Reader) {
    let script = Arc::new(Script::default());
    let pieces = Box::pin(Follow::new(Arc::clone(&script), Tail::of(query, at(9))).stream());
    (script, Reader { pieces })
}

#[tokio::test(start_paused = true)]
async fn a_followed_log_wakes_up_for_what_is_said_and_ends_with_its_container() {
    let (script, mut reader) = followed(&Query::default());
    assert!(poll!(reader.pieces.next()).is_pending());
    let log = connected(&[0, 1, 2, 3]);
    script.set(log[..1].to_vec(), false, false);
    assert_eq!(reader.piece().await, Some(line(0).into()));
    assert!(poll!(reader.pieces.next()).is_pending(), "nothing new");
    script.set(log[..3].to_vec(), false, false);
    assert_eq!(reader.piece().await, Some((line(1) + &line(2)).into()));
    assert!(poll!(reader.pieces.next()).is_pending());
    script.set(log, true, false);
    assert_eq!(reader.piece().await, Some(line(3).into()), "the last words");
    assert_eq!(reader.piece().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_followed_log_ends_with_its_pod_and_with_its_limit() {
    let (script, mut reader) = followed(&Query::default());
    assert!(poll!(reader.pieces.next()).is_pending());
    script.set(Vec::new(), false, true);
    assert_eq!(reader.piece().await, None);
    let (script, mut reader) = followed(&Query { limit_bytes: Some(40), ..Query::default() });
    let log = connected(&[0, 1]);
    script.set(log[..1].to_vec(), false, false);
    assert_eq!(reader.piece().await, Some(line(0).into()));
    script.set(log, false, false);
    assert_eq!(reader.piece().await.map(|piece| piece.len()), Some(40 - line(0).len()));
    assert_eq!(reader.piece().await, None);
}

impl Rig {
    fn pod(&self, name: &str, stage: Stage) {
        let owner = Key::new(Kind::ReplicaSet, &Namespace(HERE.into()), "owner");
        let pod = Pod {
            of: PodOf::Workload { workload: Workload::MongoDb, unlabelled: false },
            owner: Owner { key: owner, uid: Uid(1) },
            placed: None,
            stage,
            restarts: 0,
        };
        self.put(Key::new(Kind::Pod, &Namespace(HERE.into()), name), Facts::Pod(pod));
    }

    fn log_refused(&self, name: &str, change: impl FnOnce(&mut Query)) -> (i32, String) {
        let mut ask = ask_of(Resource::of(Kind::Pod), name, "");
        change(&mut ask.query);
        told(&log(&self.kube, &ask).expect_err("something speaks against it"))
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_as_by_a_real_server() {
    let rig = Rig::new();
    rig.pod("p", Stage::Running { since: at(0), ready: None });
    rig.pod("creating", Stage::Creating);
    let bad = |message: &str| (400, message.to_owned());
    assert_eq!(rig.log_refused("q", |_| {}), (404, "pods \"q\" not found".into()));
    assert_eq!(
        rig.log_refused("p", |query| query.container = Some("x".into())),
        bad("container x is not valid for pod p")
    );
    assert_eq!(
        rig.log_refused("p", |query| query.previous = true),
        bad("previous terminated container \"mongodb\" in pod \"p\" not found")
    );
    assert_eq!(
        rig.log_refused("creating", |_| {}),
        bad("container \"mongodb\" in pod \"creating\" is waiting to start: ContainerCreating")
    );
    let (code, message) = rig.log_refused("p", |query| query.since_seconds = Some(0));
    assert_eq!(code, 422);
    assert!(message.ends_with("sinceSeconds: Invalid value: 0: must be greater than 0"), "{message}");
    assert_eq!(rig.log_refused("p", |query| query.limit_bytes = Some(0)).0, 422);
}

#[tokio::test]
async fn a_pod_that_no_node_has_taken_has_an_empty_log_that_is_over() {
    let rig = Rig::new();
    rig.pod("p", Stage::Unschedulable(Unschedulable::Cordoned));
    let mut ask = ask_of(Resource::of(Kind::Pod), "p", "");
    ask.query.follow = true;
    let response = log(&rig.kube, &ask).expect("it is there");
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(Reader::of(response).piece().await, None);
}
