//! The Kubernetes API beside many jobs, and jobs beside many watches.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::interval;

use super::golden;
use crate::compare::{Plan, Spread, alternate};
use crate::http::{Connection, request};
use crate::mock::Mock;
use crate::table::{Goal, Row};
use crate::wall::now;

const JOBS: usize = 1000;
const LISTS: usize = 21;
const WATCHES: usize = 20;
/// Configurations of one round, and the time from one to the next: a server that is asked now and then.
const CALLS: usize = 50;
const PAUSE: Duration = Duration::from_millis(8);
const WATCH: &str = "/api/v1/pods?watch=1";

pub(super) async fn figures(plan: Plan) -> anyhow::Result<Vec<Row>> {
    let mut rows = lists().await?;
    rows.push(beside_watches(plan).await?);
    rows.push(seen().await?);
    Ok(rows)
}

async fn lists() -> anyhow::Result<Vec<Row>> {
    let mock = Mock::clustered()?;
    let jobs = mock.jobs(&golden(), JOBS).await?;
    let one = format!("/api/v1/namespaces/panda/pods?labelSelector=app%3Dgrpc-job-{}", jobs[JOBS / 2].id);
    let mut rows = Vec::new();
    for (figure, path, most) in [
        ("List of all pods", "/api/v1/pods", 50.0),
        ("List of pods with a label of one job", one.as_str(), 5.0),
    ] {
        let (mut took, mut bytes) = (Vec::with_capacity(LISTS), 0);
        let (mut connection, asks) = (Connection::to(mock.kube()?).await?, request("GET", path, ""));
        for _ in 0..LISTS {
            let began = now();
            let answer = connection.ask(&asks).await?;
            took.push((now() - began).as_secs_f64() * 1000.0);
            anyhow::ensure!(answer.status == 200, "{path} is answered {}", answer.status);
            bytes = answer.body.len();
        }
        rows.push(Row {
            figure: format!("{figure}, with {JOBS} live jobs, {LISTS} times"),
            goal: Goal::AtMost(most),
            spread: Some(Spread::of(took)),
            unit: " ms",
            notes: format!("{:.1} KiB", bytes as f64 / 1024.0),
        });
    }
    Ok(rows)
}

/// Medians of rounds of configurations, without watches and with them, on two servers in turn.
async fn beside_watches(plan: Plan) -> anyhow::Result<Row> {
    let (alone, watched) = (Mock::clustered()?, Mock::clustered()?);
    let mut readers = JoinSet::new();
    for _ in 0..WATCHES {
        let mut watch = begin_watch(watched.kube()?).await?;
        readers.spawn(async move {
            let mut sink = vec![0; 1 << 20];
            while watch.read(&mut sink).await.is_ok_and(|read| read > 0) {}
        });
    }
    let plan = Plan { pairs: plan.pairs.min(9), ..plan };
    let turns = alternate::<_, 2>(plan, async |side| median_call([&watched, &alone][side]).await).await?;
    let medians = |side: usize| Spread::of(turns.iter().map(|turn| turn[side])).median;
    Ok(Row {
        figure: format!(
            "POST /configure, every {} ms: median with {WATCHES} watches of all pods to without",
            PAUSE.as_millis()
        ),
        goal: Goal::AtMost(1.3),
        spread: Some(Spread::of(turns.iter().map(|turn| turn[0] / turn[1]))),
        unit: "x",
        notes: format!("{:.0} µs, without {:.0} µs", medians(0), medians(1)),
    })
}

async fn median_call(mock: &Mock) -> anyhow::Result<f64> {
    let (mut connection, asks) = (Connection::to(mock.rest).await?, request("POST", "/configure", &golden()));
    let (mut pace, mut took) = (interval(PAUSE), Vec::with_capacity(CALLS));
    let mut ids = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        pace.tick().await;
        let began = now();
        let answer = connection.ask(&asks).await?;
        took.push((now() - began).as_secs_f64() * 1e6);
        let answer: serde_json::Value = serde_json::from_slice(answer.body)?;
        ids.push(answer["job_id"].as_str().context("a job")?.to_owned());
    }
    // The next round finds as few jobs as this one did.
    for id in ids {
        connection.ask(&request("DELETE", &format!("/job/{id}"), "")).await?;
    }
    Ok(Spread::of(took).median)
}

/// How long after a configuration was sent a watch shows its streaming pod running.
async fn seen() -> anyhow::Result<Row> {
    let mock = Mock::clustered()?;
    let mut watch = begin_watch(mock.kube()?).await?;
    let (mut connection, asks) = (Connection::to(mock.rest).await?, request("POST", "/configure", &golden()));
    let (mut pace, mut took) = (interval(PAUSE * 4), Vec::with_capacity(4 * CALLS));
    let mut text = Vec::new();
    for number in 1..=4 * CALLS {
        pace.tick().await;
        let began = now();
        connection.ask(&asks).await?;
        let pod = format!(r#""name":"grpc-job-{number}-{number}-"#);
        loop {
            let runs = |line: &[u8]| {
                let line = String::from_utf8_lossy(line);
                line.contains(&pod) && line.contains(r#""phase":"Running""#)
            };
            if text.split(|byte| *byte == b'\n').any(runs) {
                break;
            }
            anyhow::ensure!(watch.read_buf(&mut text).await? > 0, "the watch has ended");
        }
        took.push((now() - began).as_secs_f64() * 1000.0);
        text.clear();
    }
    took.sort_by(f64::total_cmp);
    let p99 = took[took.len() * 99 / 100];
    Ok(Row {
        figure: format!("From POST /configure to its running pod on a watch, {} times", took.len()),
        goal: Goal::AtMost(10.0),
        spread: Some(Spread::of(took)),
        unit: " ms",
        notes: format!("p99 {p99:.1} ms"),
    })
}

/// A watch that has told what was there.
async fn begin_watch(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let mut watch = TcpStream::connect(address).await.context("a connection")?;
    watch.write_all(&request("GET", WATCH, "")).await?;
    let mut text = Vec::new();
    while text.windows(7).filter(|seven| seven == b"\"ADDED\"").count() < 4 {
        anyhow::ensure!(watch.read_buf(&mut text).await? > 0, "the watch has ended");
    }
    Ok(watch)
}
