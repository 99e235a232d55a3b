//! Many streams at a time, in real time, with a reader on each.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use focus_proto::pandadatastream::DataStream;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use super::super::Measured;
use super::{curve, light, rounds};
use crate::compare::{Plan, Spread, Turn};
use crate::curve::Curve;
use crate::grpc::{self, Calls};
use crate::mock::Mock;
use crate::table::{Goal, Row};
use crate::wall::{epoch_micros, now};

const SIZES: [usize; 2] = [200, 1000];
/// Streams of a job, and microseconds from one of its frames to the next.
const STREAMS: usize = 3;
const INTERVAL: i64 = 100_000;

pub(super) async fn figures(plan: Plan) -> anyhow::Result<Measured> {
    let (count, length) = if plan.quick { (1, Duration::from_secs(2)) } else { (5, Duration::from_secs(8)) };
    let turns = rounds::<_, 2>(plan, count, async |side| crowd(SIZES[side], length).await).await?;
    let rows = (0..SIZES.len()).map(|side| row(&turns, side)).collect();
    let of = |cost: fn(&Crowd) -> Option<f64>| {
        turns.iter().map(|turn| turn.iter().map(cost).collect()).collect::<Option<Vec<Vec<f64>>>>()
    };
    let named = |name: &str, unit, rounds| Some(curve(name, unit, "open streams", &SIZES, rounds?));
    let curves: [Option<Curve>; 3] = [
        named("CPU of the server per frame", "µs", of(Crowd::cpu_per_frame)),
        named("Lateness of frames, p99", "ms", of(|crowd| Some(crowd.millis(0.99)))),
        named("Resident memory of an open stream", "KiB", of(|crowd| crowd.kib)),
    ];
    Ok(Measured { rows, curves: curves.into_iter().flatten().collect() })
}

/// What came of reading many streams.
struct Crowd {
    frames: u64,
    /// Of rows.
    bytes: u64,
    /// Frames whose rows were gone before anybody took them.
    missed: i64,
    took: Duration,
    /// Microseconds.
    lateness: Histogram<u64>,
    /// CPU time of the server in seconds, where the system tells.
    cpu: Option<f64>,
    /// More memory than before the streams were opened, for each of them.
    kib: Option<f64>,
}

impl Crowd {
    fn millis(&self, quantile: f64) -> f64 {
        self.lateness.value_at_quantile(quantile) as f64 / 1000.0
    }

    fn cpu_per_frame(&self) -> Option<f64> {
        Some(self.cpu? * 1e6 / self.frames as f64)
    }
}

fn row(turns: &[Turn<Crowd, 2>], side: usize) -> Row {
    let median = |of: &dyn Fn(&Crowd) -> f64| Spread::of(turns.iter().map(|turn| of(&turn[side]))).median;
    let seconds = |crowd: &Crowd| crowd.took.as_secs_f64();
    let cpu = turns.iter().all(|turn| turn[side].cpu.is_some()).then(|| {
        let share = median(&|crowd| crowd.cpu.unwrap_or_default() * 100.0 / seconds(crowd));
        format!("; server {share:.0} % of a core")
    });
    Row {
        figure: format!("{} streams of live jobs in real time: lateness of frames, p99", SIZES[side]),
        goal: Goal::AtMost(100.0),
        spread: Some(Spread::of(turns.iter().map(|turn| turn[side].millis(0.99)))),
        unit: " ms",
        notes: format!(
            "p50 {:.1} ms, max {:.1} ms; {:.0} frames/s, {:.1} MB/s; {:.0} missed{}",
            median(&|crowd| crowd.millis(0.5)),
            median(&|crowd| crowd.lateness.max() as f64 / 1000.0),
            median(&|crowd| crowd.frames as f64 / seconds(crowd)),
            median(&|crowd| crowd.bytes as f64 / 1e6 / seconds(crowd)),
            median(&|crowd| crowd.missed as f64),
            cpu.unwrap_or_default(),
        ),
    }
}

/// A server of its own, on the clock of the machine; all streams of a job on one connection.
async fn crowd(streams: usize, length: Duration) -> anyhow::Result<Crowd> {
    let mock = Mock::start()?;
    let ports = mock.jobs(&light(), streams.div_ceil(STREAMS)).await?;
    let ports: Vec<_> = ports.iter().map(|job| SocketAddr::new(mock.rest.ip(), job.port)).collect();
    // What the first frame ever needs belongs to no stream.
    grpc::first(ports[0], 1).await?;
    let before = mock.process.resident_kib();
    let (mut readers, until) = (JoinSet::new(), Arc::new(OnceLock::new()));
    for (place, port) in ports.iter().enumerate() {
        let mut of_job = Calls::to(*port).await?;
        for stream in 0..STREAMS.min(streams - place * STREAMS) {
            // Read from the beginning on: frames that wait for a reader would be late by his fault.
            readers.spawn(read(of_job.open(i32::try_from(stream)?).await?, Arc::clone(&until)));
        }
    }
    let (began, from, cpu) = (now(), epoch_micros(), mock.process.cpu_seconds());
    until.get_or_init(|| began + length);
    let lateness = Histogram::new_with_bounds(1, 60_000_000, 3)?;
    let mut crowd =
        Crowd { frames: 0, bytes: 0, missed: 0, took: Duration::ZERO, lateness, cpu: None, kib: None };
    let mut sockets = Vec::with_capacity(streams);
    while let Some(read) = readers.join_next().await {
        let (seen, socket) = read??;
        if sockets.is_empty() {
            // The first that is done: all of them are open still.
            crowd.took = now() - began;
            crowd.cpu = mock.process.cpu_seconds().zip(cpu).map(|(after, before)| after - before);
            let more = mock.process.resident_kib().zip(before);
            crowd.kib = more.map(|(after, before)| (after as f64 - before as f64) / streams as f64);
        }
        seen.add_to(&mut crowd, from);
        sockets.push(socket);
    }
    Ok(crowd)
}

/// A frame of a stream: its number, the time of its last row and that of its coming, in microseconds since the epoch.
struct Came {
    number: i64,
    row: i64,
    at: i64,
    bytes: u64,
}

/// Frames of a stream in their order.
struct Seen(Vec<Came>);

/// Reads until a moment that is said later, and gives the call back open.
async fn read(
    mut call: tonic::Streaming<DataStream>,
    until: Arc<OnceLock<Instant>>,
) -> anyhow::Result<(Seen, tonic::Streaming<DataStream>)> {
    let mut seen = Vec::new();
    while until.get().is_none_or(|until| now() < *until) {
        let frame = call.message().await?.context("a stream that goes on")?;
        let at = epoch_micros();
        let bytes = frame.main_data.iter().map(bytes::Bytes::len).sum::<usize>() as u64;
        let (first, row) = frame.row_index.first().zip(frame.timestamp_in_milis.last()).context("rows")?;
        let number = i64::from(first / frame.data_shape_y);
        seen.push(Came { number, row: row * 1000, at, bytes });
    }
    Ok((Seen(seen), call))
}

impl Seen {
    /// A row says when it was taken, not when it was due; but a stream's frames are due one interval after the other, so the
    /// frame that was taken most punctually says when all of them were. A frame is late from the moment at which the
    /// first was due that its reader had not yet seen, to its coming: whoever was slow meanwhile. Rows say milliseconds,
    /// so it may be up to one less late than said.
    fn add_to(&self, crowd: &mut Crowd, from: i64) {
        let origin = self.0.iter().map(|frame| frame.row - frame.number * INTERVAL).min().unwrap_or(0);
        let mut next = 0;
        for frame in &self.0 {
            if frame.at >= from {
                let late = frame.at - origin - next * INTERVAL;
                crowd.lateness.saturating_record(u64::try_from(late).unwrap_or(0).max(1));
                crowd.missed += frame.number - next;
                crowd.frames += 1;
                crowd.bytes += frame.bytes;
            }
            next = frame.number + 1;
        }
    }
}
