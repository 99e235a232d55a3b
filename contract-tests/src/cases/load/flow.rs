//! The way of jobs that are fired together: configured, connected to, read, and ended; in step with each other, so that
//! one clock paces them all.

use std::time::Duration;

use focus_proto::pandadatastream::DataStream;
use futures_util::future::join_all;
use serde_json::Value;
use tonic::Code;

use super::Load;
use crate::caller::Trouble;
use crate::capacity::latency::{Latencies, ms};
use crate::client::grpc::Reading;
use crate::failure::{Failure, holds};
use crate::job::Job;

/// How often a client that finds no port tries again, and how many times. **Chosen**: real pods take 6 to 7 s.
const AGAIN: Duration = Duration::from_secs(2);
const MOST_RETRIES: u32 = 10;
/// From one frame of a live job to the next.
pub(super) const INTERVAL: Duration = Duration::from_millis(100);
/// How many frames each stream of a live job must deliver.
pub(super) const FRAMES: usize = 5;
/// How many frames a historic stream begins with.
const BURST: usize = 8;
/// How long 20 minutes of history play.
const PLAY: Duration = Duration::from_secs(6);
/// How long the window of a historic flow is. Of heavy jobs **chosen** shorter: it is the width of their rows that weighs.
pub(super) const WINDOW_S: i64 = 1200;
pub(super) const HEAVY_WINDOW_S: i64 = 240;

/// What is read of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Playing {
    /// Some frames of every stream.
    Live,
    /// Every stream to its end.
    Historic,
}

/// What is demanded of the flows of a case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    pub(super) success: f64,
    pub(super) p95: Duration,
    pub(super) mean_retries: f64,
    /// Share of the jobs that may need any.
    pub(super) with_retries: Option<f64>,
}

/// Flows, counted.
#[derive(Debug, Default)]
pub(super) struct Flows {
    flows: usize,
    succeeded: usize,
    total: Latencies,
    retries: u32,
    with_retries: usize,
    first_trouble: Option<String>,
}

/// A job on its way.
struct Walk {
    job: Job,
    retries: u32,
    streams: Vec<Reading>,
    trouble: Option<Trouble>,
}

impl Walk {
    fn is_well(&self) -> bool {
        self.trouble.is_none()
    }

    /// One try to open every stream; a port that nobody listens on is no trouble until the last.
    async fn open(&mut self, load: &Load<'_>) {
        match open_all(load, &self.job).await {
            Ok(streams) => self.streams = streams,
            Err(_) if self.retries < MOST_RETRIES => self.retries += 1,
            Err(failure) => {
                self.trouble = Some(Trouble(format!("after {MOST_RETRIES} retries: {}", failure.what)));
            }
        }
    }

    /// So many frames of each stream.
    async fn read(&mut self, count: usize) {
        let reading = join_all(self.streams.iter_mut().map(|stream| stream.frames(count))).await;
        let read: Result<Vec<Vec<DataStream>>, Failure> = reading.into_iter().collect();
        self.trouble = self.trouble.take().or(read.err().map(Trouble::from));
    }

    /// Each stream to its end, which must be a normal one.
    async fn play(&mut self) {
        let id = self.job.id.clone();
        let ends = join_all(self.streams.iter_mut().map(|stream| stream.to_its_end())).await;
        for (number, end) in ends.into_iter().enumerate() {
            let trouble = match end {
                Ok((_, status)) if status.code() == Code::Ok => None,
                Ok((_, status)) => Some(Trouble(format!("stream {number} of job {id} ended: {status}"))),
                Err(failure) => Some(Trouble::from(failure)),
            };
            self.trouble = self.trouble.take().or(trouble);
        }
    }
}

async fn open_all(load: &Load<'_>, job: &Job) -> Result<Vec<Reading>, Failure> {
    let port = load.story.connect(job).await?;
    let mut streams = Vec::new();
    for stream in 0..job.streams {
        let opened = port.open(job, stream).await;
        streams.push(opened.map_err(|status| Failure::broken(format!("stream {stream}: {status}")))?);
    }
    Ok(streams)
}

impl Flows {
    /// So many jobs go their way at once, and are cancelled.
    pub(super) async fn go(
        &mut self,
        load: &Load<'_>,
        count: usize,
        body: &Value,
        playing: Playing,
    ) -> Result<(), Failure> {
        let ids = self.walk(load, count, body, playing).await?;
        load.end(ids).await
    }

    /// So many jobs go their way at once; their ids, for whoever ends them.
    pub(super) async fn walk(
        &mut self,
        load: &Load<'_>,
        count: usize,
        body: &Value,
        playing: Playing,
    ) -> Result<Vec<String>, Failure> {
        let began = load.pacer.passed();
        let shots = load.configure(count, count, body.clone()).await?;
        self.flows += count;
        let mut walks = Vec::new();
        for shot in shots {
            match shot.value {
                Ok(job) => walks.push(Walk { job, retries: 0, streams: Vec::new(), trouble: None }),
                Err(trouble) => self.troubled(&trouble),
            }
        }
        connect(load, &mut walks).await?;
        match playing {
            Playing::Live => {
                for _ in 0..FRAMES {
                    join_all(well(&mut walks).map(|walk| walk.read(1))).await;
                    load.pacer.pass(INTERVAL).await?;
                }
            }
            Playing::Historic => {
                // The bursts first: playback begins with the calls, and must have begun before time passes.
                join_all(well(&mut walks).map(|walk| walk.read(BURST))).await;
                let playing = join_all(well(&mut walks).map(|walk| walk.play()));
                let (_, passed) = tokio::join!(playing, load.pacer.pass(PLAY));
                passed?;
            }
        }
        let took = load.pacer.passed() - began;
        for walk in &walks {
            self.over(walk, took);
        }
        Ok(walks.into_iter().map(|walk| walk.job.id).collect())
    }

    pub(super) fn succeeded(&self) -> usize {
        self.succeeded
    }

    /// What the first that did not go its whole way says.
    pub(super) fn trouble(&self) -> Option<String> {
        self.first_trouble.clone()
    }

    fn troubled(&mut self, trouble: &Trouble) {
        self.first_trouble.get_or_insert_with(|| trouble.to_string());
    }

    fn over(&mut self, walk: &Walk, took: Duration) {
        self.retries += walk.retries;
        self.with_retries += usize::from(walk.retries > 0);
        match &walk.trouble {
            None => {
                self.succeeded += 1;
                self.total.record(took);
            }
            Some(trouble) => self.troubled(trouble),
        }
    }

    /// Demands enough success in time, and not too many retries.
    #[allow(clippy::cast_precision_loss, reason = "counts of jobs are far below 2^53")]
    pub(super) fn held(&self, demand: &Demand) -> Result<(), Failure> {
        let Self { flows, succeeded, .. } = self;
        let all = *flows as f64;
        holds(*succeeded as f64 / all >= demand.success, || {
            let first = self.first_trouble.as_deref().unwrap_or_default();
            format!(
                "{succeeded} of {flows} jobs went their whole way, at least {:.0} % must; the first that did not: {first}",
                demand.success * 100.0
            )
        })?;
        let p95 = self.total.quantile_ms(0.95);
        holds(p95 < ms(demand.p95), || {
            format!("the whole way took {p95} ms at p95, it must be less than {} ms", demand.p95.as_millis())
        })?;
        let mean = f64::from(self.retries) / all;
        holds(mean <= demand.mean_retries, || {
            format!("{mean} retries in the mean until a port was open, {} are the most", demand.mean_retries)
        })?;
        let with = self.with_retries as f64 / all;
        holds(demand.with_retries.is_none_or(|most| with <= most), || {
            format!("{} of {flows} jobs needed retries until their port was open", self.with_retries)
        })
    }

    /// The figures, for a report.
    pub(super) fn shown(&self) -> String {
        format!(
            "{} of {} jobs went their whole way, p95 {:.0} ms, {} retries",
            self.succeeded,
            self.flows,
            self.total.quantile_ms(0.95),
            self.retries
        )
    }
}

fn well(walks: &mut [Walk]) -> impl Iterator<Item = &mut Walk> {
    walks.iter_mut().filter(|walk| walk.is_well())
}

/// Opens every stream of every job, trying again where nobody listens yet.
async fn connect(load: &Load<'_>, walks: &mut [Walk]) -> Result<(), Failure> {
    loop {
        let waiting = |walk: &&mut Walk| walk.is_well() && walk.streams.is_empty();
        let tries: Vec<_> = walks.iter_mut().filter(waiting).map(|walk| walk.open(load)).collect();
        if tries.is_empty() {
            return Ok(());
        }
        join_all(tries).await;
        if walks.iter().any(|walk| walk.is_well() && walk.streams.is_empty()) {
            load.pacer.pass(AGAIN).await?;
        }
    }
}
