//! Times that the fault layer and the clock are owed.

use std::process::Command;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::Row;
use crate::server::{Connection, Request, Server};

const DELAYED: &str =
    "name: delay\nabout: A delay.\nfaults:\n  - at: rest.channels.before\n    delay: 10ms\n";
const ASKED: u64 = 500;
const JOBS: usize = 1000;
/// Nothing is swept, so that all jobs live for the hour.
const LASTING: &str = "name: jobs\nabout: Jobs that stay.\nsweep: { period_s: 86400, hits: 100000 }\nstream: { inactivity_s: 86400 }\n";

/// A delay of 10 ms on the system's clock, as a client sees it.
pub(crate) fn delay() -> anyhow::Result<Vec<Row>> {
    let server = Server::start(Command::new(env!("CARGO_BIN_EXE_focus-mock")), &[], Some(DELAYED))?;
    let (mut connection, request) = (Connection::to(server.rest)?, Request::channels());
    let mut micros = Histogram::<u64>::new_with_bounds(1, 10_000_000, 3)?;
    for _ in 0..ASKED {
        let took = timed(|| connection.ask(&request).map(|_| ()))?;
        micros.record(u64::try_from(took.as_micros())?)?;
    }
    let row = |quantile: f64, within: f64| {
        let took = micros.value_at_quantile(quantile) as f64 / 1000.0;
        Row {
            figure: format!("GET /channels, held up for 10 ms: p{:.0} of {ASKED}", quantile * 100.0),
            goal: format!("10 ms, within {within} ms"),
            value: format!("{took:.2} ms"),
            met: (took - 10.0).abs() <= within,
        }
    };
    Ok(vec![row(0.5, 2.0), row(0.99, 5.0)])
}

/// An hour of a manual clock with many live jobs.
pub(crate) fn advance() -> anyhow::Result<Vec<Row>> {
    let manual = ["--clock", "manual"];
    let server = Server::start(Command::new(env!("CARGO_BIN_EXE_focus-mock")), &manual, Some(LASTING))?;
    let mut connection = Connection::to(server.rest)?;
    for _ in 0..JOBS {
        connection.ask(&Request::configure())?;
    }
    let mut admin = Connection::to(server.admin)?;
    let advance = Request::new("an advance", "POST", "/__mock/clock/advance", r#"{"by": "1h"}"#, 200);
    let took = timed(|| admin.ask(&advance).map(|_| ()))?.as_secs_f64() * 1000.0;
    Ok(vec![Row {
        figure: format!("An hour of the clock with {JOBS} live jobs"),
        goal: "≤ 100 ms".into(),
        value: format!("{took:.1} ms"),
        met: took <= 100.0,
    }])
}

fn timed(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let began = now();
    work()?;
    Ok(began.elapsed())
}

#[allow(clippy::disallowed_methods, reason = "a bench measures wall time; this is its one look at it")]
fn now() -> Instant {
    Instant::now()
}
