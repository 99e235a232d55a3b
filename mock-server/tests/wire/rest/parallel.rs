//! Many at once.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::common::{Client, START, base, held, light, with};
use crate::judge;
use crate::raw::{Wire, request};

#[tokio::test]
async fn fifty_parallel_configures_are_all_accepted_with_ids_and_ports_of_their_own() {
    let server = held();
    let client = Client::of(&server);
    let historic = with(base(), &json!({"start_time": START - 7200, "end_time": START - 3600}));
    let bodies: Vec<Value> = [light(), base(), historic].into_iter().cycle().take(50).collect();
    let answers = join_all(bodies.iter().map(|body| client.configure(body))).await;
    let jobs: Vec<Value> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.status, 200);
            judge::json_answer(answer)
        })
        .collect();
    let distinct = |key: &str| jobs.iter().map(|job| job[key].to_string()).collect::<BTreeSet<_>>().len();
    assert_eq!((distinct("job_id"), distinct("stream_port")), (50, 50));
    for job in &jobs {
        let (slot, _) = job["job_id"].as_str().and_then(|id| id.split_once('-')).expect("a job id");
        let port = server.port_base() + slot.parse::<u16>().expect("a slot");
        assert_eq!(job["stream_port"], port);
        TcpStream::connect(SocketAddr::new(server.rest().ip(), port)).expect("the job's port is open");
    }
    let slots: BTreeSet<_> =
        server.simulation().snapshot().jobs.iter().map(|job| job.id.slot.number()).collect();
    assert_eq!(slots, (1..=50).collect(), "the lowest slots");
}

#[tokio::test]
async fn fifty_parallel_cancels_of_one_job_cancel_it_once() {
    let server = held();
    let client = Client::of(&server);
    client.job(&light()).await;
    let answers = join_all((0..50).map(|_| client.cancel("1-1"))).await;
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(done, 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        judge::refused(answer, 404, "UNKNOWN_JOB", "Invalid job_id");
    }
}

#[test]
fn two_hundred_open_connections_are_all_answered_again_and_again() {
    let server = held();
    let mut open: Vec<Wire> = (0..200).map(|_| Wire::to(server.rest())).collect();
    for path in ["/ack", "/channels", "/live_metadata"] {
        // Everybody asks before anybody reads.
        for wire in &mut open {
            wire.send(&request("GET", path, &[], b""));
        }
        for wire in &mut open {
            let answer = wire.answer();
            assert_eq!(answer.status, 200, "{path}");
            judge::answered(&answer);
        }
    }
}
