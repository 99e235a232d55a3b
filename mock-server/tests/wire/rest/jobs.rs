//! A job from its configuration to the end of what is left of it.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use focus_mock::MockServer;
use reqwest::Method;
use serde_json::{Value, json};

use super::PREFIXES;
use crate::common::{Client, START, base, held, light, with};
use crate::judge;

fn port_of(server: &MockServer, job: &Value) -> SocketAddr {
    let port = job["stream_port"].as_u64().expect("an integer");
    SocketAddr::new(server.rest().ip(), u16::try_from(port).expect("a port"))
}

fn is_open(port: SocketAddr) -> bool {
    match TcpStream::connect(port) {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => false,
        Err(error) => panic!("{port}: {error}"),
    }
}

async fn assert_unknown(client: &Client, id: &str) {
    for prefix in PREFIXES {
        let metadata = client.get(&format!("{prefix}/metadata/{id}")).await;
        judge::refused(&metadata, 404, "UNKNOWN_JOB", "Invalid job_id");
        let cancelled = client.send(Method::DELETE, &format!("{prefix}/job/{id}"), None).await;
        judge::refused(&cancelled, 404, "UNKNOWN_JOB", "Invalid job_id");
    }
}

#[tokio::test]
async fn a_cancelled_job_is_gone_at_once_and_everything_of_it_within_five_seconds() {
    for prefix in PREFIXES {
        let server = held();
        let client = Client::of(&server);
        let before = judge::state(&server);
        let job = client.job(&light()).await;
        let port = port_of(&server, &job);
        assert!(is_open(port), "the port answers before the response leaves");

        let answer = client.send(Method::DELETE, &format!("{prefix}/job/1-1"), None).await;
        assert_eq!(answer.status, 200);
        judge::json_answer(&answer);
        assert_eq!(answer.body, br#"{"status":"cancelled","job_id":"1-1"}"#);
        assert!(!is_open(port), "the port is closed when the answer is there");
        assert_unknown(&client, "1-1").await;
        let left = server.simulation().snapshot().objects;
        assert_eq!(left.services, Vec::<String>::new(), "the Service went at once");
        assert_eq!((left.jobs.len(), left.pods.len()), (2, 2), "the pods are still there");

        server.simulation().advance(Duration::from_secs(5));
        assert_unknown(&client, "1-1").await;
        let after = judge::state(&server);
        assert_eq!((after.jobs, after.objects), (before.jobs, before.objects));
        assert_eq!(after.free_slots, before.free_slots);
    }
}

#[tokio::test]
async fn a_slot_is_given_again_once_its_former_job_is_gone_and_a_sequence_never() {
    let server = held();
    let client = Client::of(&server);
    assert_eq!(client.job(&light()).await["job_id"], "1-1");
    assert_eq!(client.job(&light()).await["job_id"], "2-2");
    assert_eq!(client.cancel("1-1").await.status, 200);
    assert_eq!(client.job(&light()).await["job_id"], "3-3", "the pods of the first are still there");
    server.simulation().advance(Duration::from_secs(5));
    let job = client.job(&light()).await;
    assert_eq!(job["job_id"], "1-4");
    assert_eq!(job["stream_port"], server.port_base() + 1);
    assert!(is_open(port_of(&server, &job)));
    assert_unknown(&client, "1-1").await;
}

#[tokio::test]
async fn cancelling_one_job_leaves_those_whose_ids_look_like_it() {
    let server = held();
    let client = Client::of(&server);
    for _ in 0..12 {
        client.job(&light()).await;
    }
    assert_eq!(client.cancel("1-1").await.status, 200);
    for other in ["10-10", "11-11", "12-12", "2-2"] {
        assert_eq!(client.get(&format!("/metadata/{other}")).await.status, 200, "{other}");
    }
    assert_unknown(&client, "1-1").await;
}

#[tokio::test]
async fn a_job_that_nobody_reads_is_gone_after_fifty_seconds_and_not_before() {
    let server = held();
    let client = Client::of(&server);
    let job = client.job(&light()).await;
    server.simulation().advance(Duration::from_millis(49_999));
    let metadata = client.get("/metadata/1-1").await;
    assert_eq!((metadata.status.as_u16(), metadata.json()), (200, job.clone()));
    assert!(is_open(port_of(&server, &job)));
    server.simulation().advance(Duration::from_millis(1));
    assert_unknown(&client, "1-1").await;
    assert!(!is_open(port_of(&server, &job)));
}

#[tokio::test]
async fn live_and_historic_jobs_of_the_same_view_differ_in_nothing_but_their_ids() {
    let server = held();
    let client = Client::of(&server);
    let live = client.job(&base()).await;
    let window = json!({"start_time": START - 7200, "end_time": START - 3600});
    let historic = client.job(&with(base(), &window)).await;
    let same = with(live, &json!({"job_id": "2-2", "stream_port": server.port_base() + 2}));
    assert_eq!(historic, same);
}

#[tokio::test]
async fn what_a_job_was_given_depends_on_its_channels_only_where_channels_are_meant() {
    let server = held();
    let client = Client::of(&server);
    let one = client.job(&base()).await;
    let other = client.job(&with(base(), &json!({"channels": {"min": 300, "max": 2521 - 300}}))).await;
    for key in
        ["frequencies_list", "frequencies_amount", "lines_dt", "view_type", "stream_amount", "metadata"]
    {
        assert_eq!(one[key], other[key], "{key}");
    }
    assert_eq!(other["channel_amount"], 2521 - 300 - 299);
}

/// An answer that is kept for whoever asks again must not outlive its job.
#[tokio::test]
async fn a_job_that_gets_the_id_of_an_earlier_one_has_metadata_of_its_own() {
    let server = held();
    let client = Client::of(&server);
    let first = client.job(&base()).await;
    assert_eq!(client.get("/metadata/1-1").await.json(), first);
    server.simulation().reset();
    assert_eq!(client.get("/metadata/1-1").await.refusal(), (404, String::from("UNKNOWN_JOB")));
    let second = client.job(&light()).await;
    assert_eq!((&second["job_id"], &second["channel_amount"]), (&first["job_id"], &Value::from(20)));
    for _ in 0..2 {
        assert_eq!(client.get("/metadata/1-1").await.json(), second);
    }
}
