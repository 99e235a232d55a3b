//! Closed-loop load: so many connections, each asking again as soon as it is answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::http::{Connection, request};
use crate::wall::now;

/// Enough to keep a server busy, few enough to fit its queues.
pub(crate) const CONNECTIONS: usize = 16;

/// What each connection does again and again.
#[derive(Clone)]
pub(crate) enum Work {
    /// One request that is answered with this status.
    Repeat(Arc<[u8]>, u16),
    /// A configuration that is accepted, then the cancelling of its job.
    ConfigureAndCancel(Arc<[u8]>),
}

impl Work {
    pub(crate) fn repeat(method: &str, path: &str, body: &str, status: u16) -> Self {
        Self::Repeat(request(method, path, body).into(), status)
    }

    pub(crate) fn configure_and_cancel(body: &str) -> Self {
        Self::ConfigureAndCancel(request("POST", "/configure", body).into())
    }

    /// Works once; how many requests that were.
    async fn once(&self, connection: &mut Connection) -> anyhow::Result<u64> {
        match self {
            Self::Repeat(request, expected) => {
                let status = connection.ask(request).await?.status;
                anyhow::ensure!(status == *expected, "status {status} instead of {expected}");
                Ok(1)
            }
            Self::ConfigureAndCancel(configure) => {
                let answer = connection.ask(configure).await?;
                anyhow::ensure!(answer.status == 200, "a configuration was answered with {}", answer.status);
                let cancel = request("DELETE", &format!("/job/{}", job_id(answer.body)?), "");
                let status = connection.ask(&cancel).await?.status;
                anyhow::ensure!(status == 200, "a cancelling was answered with {status}");
                Ok(2)
            }
        }
    }
}

/// The job of an answer to a configuration.
pub(crate) fn job_id(answer: &[u8]) -> anyhow::Result<&str> {
    // From its end: what comes before is long.
    let after = std::str::from_utf8(answer)?.rsplit_once(r#""job_id":""#).context("a job id")?.1;
    Ok(after.split_once('"').context("a job id")?.0)
}

/// What came of a round of load.
pub(crate) struct Round {
    pub(crate) requests: u64,
    pub(crate) took: Duration,
    /// Nanoseconds of each piece of work.
    pub(crate) latencies: Histogram<u64>,
}

impl Round {
    /// Requests per second.
    pub(crate) fn rate(&self) -> f64 {
        self.requests as f64 / self.took.as_secs_f64()
    }

    pub(crate) fn p99_micros(&self) -> f64 {
        self.latencies.value_at_quantile(0.99) as f64 / 1000.0
    }
}

/// Works on so many connections for so long.
pub(crate) async fn drive(
    address: SocketAddr,
    work: &Work,
    connections: usize,
    length: Duration,
) -> anyhow::Result<Round> {
    let mut ready = Vec::with_capacity(connections);
    while ready.len() < connections {
        ready.push(Connection::to(address).await?);
    }
    let began = now();
    let mut workers = JoinSet::new();
    for connection in ready {
        workers.spawn(work_until(began + length, connection, work.clone()));
    }
    let mut round = Round { requests: 0, took: Duration::ZERO, latencies: histogram()? };
    while let Some(worked) = workers.join_next().await {
        let (requests, latencies) = worked??;
        round.requests += requests;
        round.latencies.add(latencies)?;
    }
    round.took = now() - began;
    Ok(round)
}

async fn work_until(
    deadline: Instant,
    mut connection: Connection,
    work: Work,
) -> anyhow::Result<(u64, Histogram<u64>)> {
    let (mut requests, mut latencies) = (0, histogram()?);
    let mut before = now();
    while before < deadline {
        requests += work.once(&mut connection).await?;
        let after = now();
        latencies.saturating_record(u64::try_from((after - before).as_nanos())?);
        before = after;
    }
    Ok((requests, latencies))
}

/// Nanoseconds up to ten seconds, to three digits.
fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 10_000_000_000, 3)?)
}
