//! Reservations that fail at each step, and undos that fail.

use std::io::Write;

use focus_mock::domain::ids::{NodePort, Slot};
use focus_mock::sim::faults::{GiveBack, Step};
use focus_mock::sim::leaks::Leaks;
use serde_json::{Value, json};

use crate::play::{Play, live};
use crate::streams::read_from;

const FAILED: &str = "Job creation failed: all resources were released";

pub(crate) async fn every_step(play: &Play) -> Leaks {
    let empty = play.outside().await;
    for step in Step::ALL.iter().copied() {
        let refused = play.in_vain(&live()).await;
        match step {
            Step::Slot => {
                let text = "Capacity exhausted: the limit of 1024 concurrent jobs is reached";
                refused.assert_refusal(503, "CAPACITY_EXHAUSTED", text);
            }
            Step::Port => {
                let text = format!("Port {} is already in use: conflict with another process", play.port(1));
                refused.assert_refusal(409, "PORT_IN_USE", &text);
            }
            Step::GrpcJob | Step::CleanupJob | Step::Service | Step::Queue | Step::Commit => {
                refused.assert_refusal(503, "JOB_CREATION_FAILED", FAILED);
            }
        }
        assert_eq!(play.outside().await, empty, "{step:?}");
        play.assert_left(&Leaks::default());
    }
    let job = play.accepted(&live()).await;
    // A number is used up once a slot was had.
    assert_eq!((&job["job_id"], &job["stream_port"]), (&json!("1-7"), &json!(play.port(1))));
    read_from(play, &job).await;
    play.at(100_000);
    assert_eq!(play.outside().await, empty);
    Leaks::default()
}

pub(crate) async fn fails(play: &Play) -> Leaks {
    let empty = play.outside().await;
    play.configure(&live()).await.assert_refusal(503, "JOB_CREATION_FAILED", FAILED);
    let left = play.outside().await;
    let service = "grpc-service-1-1";
    let mut expected = empty;
    expected["cluster"]["services"] = json!([service]);
    expected["leaks"] = json!(1);
    assert_eq!(left, expected, "the Service and nothing else");
    let state = play.state().await;
    let newest = state["journal"]["newest"].as_array().expect("a list");
    let told = |entry: &&Value| entry["event"] == "leaked";
    let told: Vec<_> = newest.iter().filter(told).map(|entry| (&entry["job"], &entry["what"])).collect();
    assert_eq!(told, [(&json!("1-1"), &json!("service"))]);
    // As with a left-over Service of a real server: it is in the way of the next job of its slot.
    let text = format!("Port {} is already in use: conflict with an existing service", play.port(1));
    for _ in 0..2 {
        play.in_vain(&live()).await.assert_refusal(409, "PORT_IN_USE", &text);
    }
    // Nobody comes for it.
    play.at(3_600_000);
    assert_eq!(play.outside().await, left);
    Leaks { services: vec![service.to_owned()], ..Leaks::default() }
}

/// A server on which the first configure fails at that step, and with it these undos.
fn failing(step: Step, undos: &[GiveBack]) -> Play {
    let (step, mut file) = (step.name(), tempfile::NamedTempFile::with_suffix(".yaml").expect("a file"));
    writeln!(file, "faults:").expect("written");
    let refuse = "do: { refuse: JOB_CREATION_FAILED }";
    writeln!(file, "  - {{ at: step.{step}, when: {{ first: 1 }}, {refuse} }}").expect("written");
    for undo in undos {
        let undo = undo.name();
        writeln!(file, "  - {{ at: undo.{undo}, when: {{ first: 1 }}, do: fail }}").expect("written");
    }
    Play::of_file(file.path().to_str().expect("a path of text"))
}

/// What stays of job 1-1 when these undos fail.
fn left(play: &Play, undos: &[GiveBack]) -> Leaks {
    let mut leaks = Leaks::default();
    for undo in undos {
        match undo {
            GiveBack::Slot => leaks.slots.extend(Slot::new(1)),
            GiveBack::Port => leaks.ports.extend(NodePort::new(play.port(1))),
            GiveBack::GrpcJob => {
                leaks.jobs.push(String::from("grpc-job-1-1"));
                // Its pod has the share.
                leaks.gpu_shares.push(String::from("grpc-job-1-1"));
            }
            GiveBack::CleanupJob => leaks.jobs.push(String::from("cleanup-job-1-1")),
            GiveBack::Service => leaks.services.push(String::from("grpc-service-1-1")),
            GiveBack::Queue => leaks.queues.push(String::from("focus_baby.1-1")),
        }
    }
    leaks
}

/// The leaks, with the pods of the Jobs among them: each Job has one of its name.
fn with_pods(play: &Play, mut leaks: Leaks) -> Leaks {
    let found = play.server.simulation().snapshot().leaks.pods;
    assert_eq!(found.len(), leaks.jobs.len());
    for (pod, job) in found.iter().zip(&leaks.jobs) {
        assert_eq!(pod.strip_prefix(&format!("{job}-")).map(str::len), Some(5), "{pod}");
    }
    leaks.pods = found;
    leaks
}

/// What the outside sees of it beside an empty world.
async fn assert_outside(play: &Play, empty: &Value, leaks: &Leaks) {
    let seen = play.outside().await;
    let mut expected = empty.clone();
    if !leaks.slots.is_empty() {
        expected["slots"] = json!({"free": 1023, "lowest_free": 2});
    }
    for port in &leaks.ports {
        // It listens, as it did when the configure failed; nobody answers.
        expected["ports"][port.to_string()] = json!([false, true]);
    }
    expected["gpu_shares_taken"] = json!(leaks.gpu_shares.len());
    expected["cluster"]["jobs"] = json!(leaks.jobs);
    expected["cluster"]["pods"] = json!(leaks.pods);
    expected["cluster"]["services"] = json!(leaks.services);
    expected["queues"] = json!(leaks.queues);
    let named =
        [&leaks.jobs, &leaks.pods, &leaks.services, &leaks.queues].map(Vec::len).iter().sum::<usize>();
    expected["leaks"] = json!(named + leaks.slots.len() + leaks.ports.len() + leaks.gpu_shares.len());
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn each_undo_that_fails_leaves_just_its_own_behind_and_that_is_in_the_way_where_it_would_be() {
    for undo in GiveBack::ALL.iter().copied() {
        let play = failing(Step::Commit, &[undo]);
        let empty = play.outside().await;
        play.configure(&live()).await.assert_refusal(503, "JOB_CREATION_FAILED", FAILED);
        let leaks = with_pods(&play, left(&play, &[undo]));
        assert!(!leaks.is_empty(), "{undo:?}");
        play.assert_left(&leaks);
        assert_outside(&play, &empty, &leaks).await;
        let conflict = |what| format!("Port {} is already in use: conflict with {what}", play.port(1));
        match undo {
            GiveBack::Slot => assert_eq!(play.accepted(&live()).await["job_id"], "2-2"),
            GiveBack::Port => {
                let text = conflict("another process");
                play.in_vain(&live()).await.assert_refusal(409, "PORT_IN_USE", &text);
            }
            GiveBack::Service => {
                let text = conflict("an existing service");
                play.in_vain(&live()).await.assert_refusal(409, "PORT_IN_USE", &text);
            }
            GiveBack::GrpcJob | GiveBack::CleanupJob | GiveBack::Queue => {
                let job = play.accepted(&live()).await;
                assert_eq!(job["job_id"], "1-2");
                read_from(&play, &job).await;
            }
        }
        play.at(100_000);
        play.assert_left(&leaks);
        assert_outside(&play, &empty, &leaks).await;
        // A reset is a new cluster.
        play.server.simulation().reset();
        play.assert_left(&Leaks::default());
        assert_eq!(play.outside().await, empty);
    }
}

#[tokio::test]
async fn at_each_step_all_that_was_taken_before_stays_when_no_undo_works() {
    for (step, taken) in Step::ALL.iter().copied().zip(0..) {
        let play = failing(step, GiveBack::ALL);
        let empty = play.outside().await;
        play.configure(&live()).await.assert_refusal(503, "JOB_CREATION_FAILED", FAILED);
        let leaks = with_pods(&play, left(&play, &TAKEN[..taken]));
        play.assert_left(&leaks);
        assert_outside(&play, &empty, &leaks).await;
        // Where a slot is lost, the next one is as good.
        let job = play.accepted(&live()).await;
        assert_eq!(job["stream_port"], play.port(if taken == 0 { 1 } else { 2 }), "{step:?}");
        read_from(&play, &job).await;
        play.at(100_000);
        play.assert_left(&leaks);
        assert_outside(&play, &empty, &leaks).await;
    }
}

/// What a reservation takes, in the order of its steps.
const TAKEN: [GiveBack; 6] = [
    GiveBack::Slot,
    GiveBack::Port,
    GiveBack::GrpcJob,
    GiveBack::CleanupJob,
    GiveBack::Service,
    GiveBack::Queue,
];
