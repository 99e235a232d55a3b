//! The Kubernetes API: who finds it, who is let in, how long answers hold, what rules do there, and what an unmodified
//! client, kube-rs, sees of the cluster through it.

mod client;
mod door;
mod faults;
mod lifecycle;
mod outages;
mod transcript;
mod watchers;
mod watches;
mod writes;

use std::net::SocketAddr;

use focus_mock::MockServer;

use crate::common::Answer;
use crate::raw::{Wire, request};

/// A watch that has a few events to say and then nothing more: nobody makes a namespace.
const WATCH: &str = "/api/v1/namespaces?watch=true";

fn address(server: &MockServer) -> SocketAddr {
    server.kube().expect("a Kubernetes API")
}

fn get(server: &MockServer, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut wire = Wire::to(address(server));
    wire.send(&request("GET", path, headers, b""));
    wire.answer()
}

/// A watch of which the first chunk has come.
fn watch(at: SocketAddr) -> Wire {
    let mut wire = Wire::to(at);
    wire.send(&request("GET", WATCH, &[], b""));
    let head = wire.head();
    assert_eq!(
        (head.status.as_u16(), &head.headers["transfer-encoding"]),
        (200, &"chunked".parse().expect("a value"))
    );
    wire
}

/// The data of the next chunk; empty at the end of the body.
fn chunk(wire: &mut Wire) -> Vec<u8> {
    let mut length = Vec::new();
    while !length.ends_with(b"\r\n") {
        length.extend(wire.bytes(1));
    }
    let length = std::str::from_utf8(&length).expect("a length").trim_end();
    let data = wire.bytes(usize::from_str_radix(length, 16).expect("a length"));
    assert_eq!(wire.bytes(2), b"\r\n");
    data
}

/// Whole lines of a watch, however they came in chunks.
fn lines(wire: &mut Wire, count: usize) -> Vec<u8> {
    let mut read = Vec::new();
    while read.iter().filter(|byte| **byte == b'\n').count() < count {
        read.extend(chunk(wire));
    }
    read
}
