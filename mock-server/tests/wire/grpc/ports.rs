//! The port of a job: open before its answer, closed before the next, held in between by nobody else.

use std::io::ErrorKind;
use std::net::SocketAddr;

use focus_mock::MockServer;
use focus_mock::domain::job::JobState;
use focus_mock::sim::setup::{GpuPool, Setup};
use socket2::{Domain, Socket, Type};
use tokio::net::TcpStream;

use super::raw::Http2;
use super::{Job, assert_refused, in_time, millis, reader, seconds};
use crate::common::{Client, held, held_with, light};

async fn assert_open(address: SocketAddr) {
    TcpStream::connect(address).await.expect("the port accepts connections");
}

/// A server whose pods take seven seconds to start.
fn slow_pods() -> MockServer {
    let mut setup = Setup::default();
    setup.times.pod_start = seconds(7);
    held_with(setup)
}

#[tokio::test]
async fn a_port_is_open_when_the_configure_answer_arrives_a_hundred_times_in_a_row() {
    let server = held();
    let mut jobs = Vec::new();
    for slot in 1..=100 {
        let job = Job::start(&server, &light()).await;
        assert_open(job.address).await;
        assert_eq!(job.address.port(), server.port_base() + slot, "base and slot");
        assert_eq!(job.address.ip(), server.rest().ip());
        jobs.push(job);
    }
    for job in jobs.iter().step_by(33) {
        reader::check(job, 0, &job.call(0).await.frame().await);
    }
}

#[tokio::test]
async fn a_port_refuses_from_the_moment_the_answer_to_a_delete_arrives() {
    let server = held();
    let client = Client::of(&server);
    for round in 0..30 {
        let job = Job::start(&server, &light()).await;
        // With an open call, an idle connection, one that says nothing, or none of these.
        let call = if round % 2 == 0 { Some(job.call(0).await) } else { None };
        let others = if round % 3 == 0 {
            Some((job.connect().await, TcpStream::connect(job.address).await.expect("open")))
        } else {
            None
        };
        assert_eq!(client.cancel(&job.id.to_string()).await.status, 200);
        assert_refused(job.address).await;
        drop((call, others));
    }
}

#[tokio::test]
async fn a_port_is_refused_until_its_pod_has_started_and_open_from_then_on() {
    let server = slow_pods();
    let job = Job::start(&server, &light()).await;
    let state = job.state(&server).expect("there");
    assert_eq!((state.state, state.port_held), (JobState::Pending, true));
    assert_refused(job.address).await;
    assert_eq!(Client::of(&server).get(&format!("/metadata/{}", job.id)).await.json(), job.answer);
    server.simulation().advance(millis(6_999));
    assert_refused(job.address).await;
    server.simulation().advance(millis(1));
    assert_open(job.address).await;
    reader::check(&job, 0, &job.call(0).await.frame().await);
}

#[tokio::test]
async fn a_job_that_is_cancelled_while_its_pod_starts_never_opens_its_port() {
    let server = slow_pods();
    let job = Job::start(&server, &light()).await;
    assert_eq!(Client::of(&server).cancel(&job.id.to_string()).await.status, 200);
    assert_refused(job.address).await;
    server.simulation().advance(seconds(60));
    assert_refused(job.address).await;
    assert!(job.state(&server).is_none());
}

#[tokio::test]
async fn a_job_without_a_gpu_share_is_refused_until_one_is_free_and_is_not_swept_meanwhile() {
    let gpu = GpuPool { size: Some(1), reject_when_full: false };
    let server = held_with(Setup { gpu, ..Setup::default() });
    let first = Job::start(&server, &light()).await;
    let second = Job::start(&server, &light()).await;
    let third = Job::start(&server, &light()).await;
    let mut call = first.call(0).await;
    call.frame().await;
    first.until_waiting(&server, 1).await;
    assert_refused(second.address).await;
    server.simulation().advance(seconds(600));
    call.frame().await;
    for waiting in [&second, &third] {
        assert_refused(waiting.address).await;
        assert_eq!(waiting.state(&server).expect("not swept").state, JobState::Pending);
    }
    assert_eq!(Client::of(&server).cancel(&first.id.to_string()).await.status, 200);
    assert_open(second.address).await;
    assert_refused(third.address).await;
    reader::check(&second, 0, &second.call(0).await.frame().await);
}

/// What a process meets that wants the address for itself.
fn take(address: SocketAddr, reuse: bool) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(reuse)?;
    socket.bind(&address.into())?;
    socket.listen(16)?;
    Ok(socket)
}

#[tokio::test]
async fn nobody_can_take_the_port_of_a_running_job() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    for reuse in [false, true] {
        let error = take(job.address, reuse).expect_err("it is the job's");
        assert_eq!(error.kind(), ErrorKind::AddrInUse, "with reuse {reuse}");
    }
}

#[tokio::test]
async fn nobody_can_take_the_port_of_a_pod_that_starts() {
    let server = slow_pods();
    let job = Job::start(&server, &light()).await;
    for reuse in [false, true] {
        let error = take(job.address, reuse).expect_err("it is held for the job");
        assert_eq!(error.kind(), ErrorKind::AddrInUse, "with reuse {reuse}");
    }
    server.simulation().advance(seconds(7));
    assert_open(job.address).await;
}

#[tokio::test]
async fn the_next_job_on_a_port_is_never_met_on_a_connection_of_the_former_one() {
    let server = held();
    let former = Job::start(&server, &light()).await;
    let mut connection = Http2::connect(former.address).await;
    let (_, body) = connection.stream_data(0).await;
    let silent = TcpStream::connect(former.address).await.expect("the port is open");
    assert_eq!(Client::of(&server).cancel(&former.id.to_string()).await.status, 200);
    server.simulation().advance(seconds(2));
    let next = Job::start(&server, &light()).await;
    assert_eq!(next.address, former.address, "the slot is used again");
    let frame = next.call(0).await.frame().await;
    assert_eq!(frame.job_id, Some(next.id.sequence.number()));
    drop(body);
    in_time("the end of the former job's connection", connection.ended()).await;
    in_time("the end of a silent connection", super::raw::closed(silent)).await;
}

#[tokio::test]
async fn a_port_is_closed_with_its_server() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut call = job.call(0).await;
    call.frame().await;
    drop(server);
    assert_refused(job.address).await;
    let (frames, status) = call.rest().await;
    assert!(frames.is_empty());
    assert_ne!(status.code(), tonic::Code::Ok, "a call that was cut off did not end well");
}
