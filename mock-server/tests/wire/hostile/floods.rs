//! More of everything than any client needs, against a process of its own, and what is left in it afterwards.

use std::net::TcpStream;

use super::child::Server;
use super::garbage::{break_off, lie_about_bodies, pipeline, send_huge_heads, throw_garbage};
use super::normal::Normal;
use crate::common::light;
use crate::judge;
use crate::raw::{Wire, request};

/// As many connections as this process can comfortably hold beside what other tests of it need.
fn thousands() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).expect("a limit of open files");
    let many = usize::try_from(files / 4).unwrap_or(usize::MAX).min(2000);
    assert!(many >= 500, "only {files} open files: raise the limit with ulimit -n");
    many
}

#[test]
fn after_all_of_it_the_process_has_no_more_threads_and_no_more_open_files_than_before() {
    let server = Server::start();
    let mut normal = Normal::of(server.rest);
    let (threads, files) = (server.threads(), server.open_files());

    throw_garbage(server.rest);
    lie_about_bodies(server.rest);
    break_off(server.rest);
    send_huge_heads(server.rest);
    pipeline(server.rest);
    // The jobs of the pipeline hold a port each until they are cancelled.
    let mut wire = Wire::to(server.rest);
    for id in 1..=20 {
        wire.send(&request("DELETE", &format!("/job/{id}-{id}"), &[], b""));
        assert_eq!(wire.answer().status, 200);
    }
    drop(wire);

    normal.asks_until("the files are closed", || server.open_files() == files);
    assert_eq!(server.threads(), threads);
}

#[test]
fn thousands_of_idle_connections_leave_the_server_to_those_who_ask_and_nothing_behind() {
    let many = thousands();
    let server = Server::start();
    let mut normal = Normal::of(server.rest);
    let (threads, files) = (server.threads(), server.open_files());
    let mut idle: Vec<TcpStream> = Vec::with_capacity(many);
    for _ in 0..many {
        idle.push(TcpStream::connect(server.rest).expect("a connection"));
    }
    normal.asks_until("all are accepted", || server.open_files() == files + many);
    Normal::of(server.rest).asks();
    let mut wire = Wire::to(server.rest);
    wire.send(&request("POST", "/configure", &[], light().to_string().as_bytes()));
    assert_eq!(wire.answer().status, 200);
    wire.send(&request("DELETE", "/job/1-1", &[], b""));
    assert_eq!(wire.answer().status, 200);
    drop((wire, idle));
    normal.asks_until("the files are closed", || server.open_files() == files);
    assert_eq!(server.threads(), threads);
}

#[test]
fn a_server_without_a_free_file_refuses_jobs_and_serves_everybody_once_others_leave() {
    let limit = 64;
    let server = Server::with_open_files(limit);
    let mut normal = Normal::of(server.rest);
    let files = server.open_files();
    // The system accepts for the server what the server itself has no file for yet.
    let mut waiting: Vec<Wire> = (0..200).map(|_| Wire::to(server.rest)).collect();
    normal.asks_until("no file is left", || server.open_files_below(limit) == limit);
    for _ in 0..3 {
        waiting[0].send(&request("POST", "/configure", &[], light().to_string().as_bytes()));
        let text = "Job creation failed: all resources were released";
        judge::refused(&waiting[0].answer(), 503, "JOB_CREATION_FAILED", text);
    }
    drop(waiting);
    // Who connects now comes after all of them, so once it is served none of them is left to be accepted.
    let mut last = Normal::of(server.rest);
    normal.asks_until("the files are closed", || server.open_files() == files + 1);
    last.asks();
    let mut wire = Wire::to(server.rest);
    wire.send(&request("POST", "/configure", &[], light().to_string().as_bytes()));
    assert_eq!(wire.answer().status, 200);
}
