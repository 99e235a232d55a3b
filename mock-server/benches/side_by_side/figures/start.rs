//! From the start of the program to its first answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::bare::{Bare, Canned, Spec};
use crate::compare::Spread;
use crate::mock::Mock;
use crate::table::{Goal, Row};
use crate::wall::now;

const STARTS: usize = 31;

pub(super) fn exec_to_first_answer() -> anyhow::Result<Vec<Row>> {
    let ack =
        Canned { method: "GET".into(), path: "/ack".into(), parses: false, status: 200, body: String::new() };
    let spec = Spec::Rest(vec![ack]);
    let (mut mock, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        mock.push(millis(|| Mock::start().map(|mock| (mock.rest, mock)))?);
        bare.push(millis(|| Bare::start(&spec).map(|bare| (bare.address, bare)))?);
    }
    Ok(vec![Row {
        figure: format!("From the start of the process to the first 200 on GET /ack, {STARTS} starts"),
        goal: Goal::AtMost(10.0),
        spread: Some(Spread::of(mock)),
        unit: " ms",
        notes: format!("bare axum {:.2} ms", Spread::of(bare).median),
    }])
}

fn millis<S>(start: impl FnOnce() -> anyhow::Result<(SocketAddr, S)>) -> anyhow::Result<f64> {
    let began = now();
    let (address, _server) = start()?;
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /ack HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    let took = now() - began;
    anyhow::ensure!(answer == *b"HTTP/1.1 200", "the first answer is no 200");
    Ok(took.as_secs_f64() * 1000.0)
}
