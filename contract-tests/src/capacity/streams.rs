//! Every stream of every job, read while a level holds.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::latency::Latencies;
use super::server::Server;
use crate::client::grpc::{Next, Port};
use crate::job::Job;
use crate::wall;

/// What reading streams showed.
#[derive(Clone, Debug, Default)]
pub struct StreamsRead {
    /// How many should have been read.
    pub asked: u64,
    /// How many could not be opened, ended early, sent nothing or something wrong.
    pub failed: u64,
    /// How many frames came.
    pub frames: u64,
    /// From the answer that named the job to the first frame of each stream.
    pub first_frame: Latencies,
    /// How late each frame was.
    pub lateness: Latencies,
    /// What the first stream that failed says.
    pub trouble: Option<String>,
}

impl StreamsRead {
    /// Adds what others showed.
    pub fn add(&mut self, other: Self) {
        self.asked += other.asked;
        self.failed += other.failed;
        self.frames += other.frames;
        self.first_frame.add(&other.first_frame);
        self.lateness.add(&other.lateness);
        self.trouble = self.trouble.take().or(other.trouble);
    }

    fn fails(mut self, why: impl Into<String>) -> Self {
        self.failed += 1;
        self.trouble = Some(why.into());
        self
    }
}

/// Reads every stream of a job until somebody has seen enough.
async fn read_job(server: &Server, job: &Job, answered: Instant, until: &CancellationToken) -> StreamsRead {
    let streams = u64::from(job.streams);
    let port = match Port::connect(&server.authority(job)).await {
        Ok(port) => port.patient_for(server.patience()),
        Err(failure) => {
            let none = StreamsRead { asked: streams, failed: streams, ..StreamsRead::default() };
            return StreamsRead { trouble: Some(failure.what), ..none };
        }
    };
    let reading = (0..job.streams).map(|stream| read(&port, job, stream, answered, until));
    let mut all = StreamsRead::default();
    for one in futures_util::future::join_all(reading).await {
        all.add(one);
    }
    all
}

async fn read(
    port: &Port,
    job: &Job,
    stream: u32,
    answered: Instant,
    until: &CancellationToken,
) -> StreamsRead {
    let mut seen = StreamsRead { asked: 1, ..StreamsRead::default() };
    let mut lateness = Lateness::default();
    let mut reading = match port.open(job, stream).await {
        Ok(reading) => reading,
        Err(status) => {
            return seen.fails(format!("stream {stream} of job {} is refused: {status}", job.id));
        }
    };
    loop {
        let next = tokio::select! {
            next = reading.next() => next,
            () = until.cancelled() => break,
        };
        let now = wall::tick();
        match next {
            Ok(Next::Frame(frame)) => {
                if seen.frames == 0 {
                    seen.first_frame.record(now - answered);
                }
                seen.frames += 1;
                if let Some(time) = frame.timestamp_in_milis.last() {
                    lateness.came(now - answered, *time);
                }
            }
            Ok(Next::End(status)) => {
                return seen.fails(format!("stream {stream} of job {} ended: {status}", job.id));
            }
            Err(failure) => return seen.fails(failure.what),
        }
    }
    lateness.into_latencies(&mut seen.lateness);
    if seen.frames == 0 {
        seen.fails(format!("stream {stream} of job {} sent no frame", job.id))
    } else {
        seen
    }
}

/// Those who read the streams of a level's jobs, from each answer on until the level has been held long enough.
pub(super) struct Readers {
    wanted: bool,
    done: CancellationToken,
    reading: JoinSet<StreamsRead>,
}

impl Readers {
    pub(super) fn of(wanted: bool) -> Self {
        Self { wanted, done: CancellationToken::new(), reading: JoinSet::new() }
    }

    pub(super) fn read(&mut self, server: &Server, job: &Job) {
        if self.wanted {
            let (server, job, done) = (server.clone(), Arc::new(job.clone()), self.done.clone());
            let answered = wall::tick();
            self.reading.spawn(async move { read_job(&server, &job, answered, &done).await });
        }
    }

    pub(super) async fn end(self) -> Option<StreamsRead> {
        self.done.cancel();
        let mut all = StreamsRead::default();
        for read in self.reading.join_all().await {
            all.add(read);
        }
        self.wanted.then_some(all)
    }
}

/// How late frames are, though nobody knows how far the server's clock is off.
///
/// **Chosen**: the frame that came earliest for the time of its last row was not late; every other one is as late as it
/// came later for its own.
#[derive(Debug, Default)]
struct Lateness {
    /// When each frame came less the time of its last row, in milliseconds.
    offsets: Vec<i64>,
}

impl Lateness {
    fn came(&mut self, at: Duration, time_ms: i64) {
        self.offsets.push(i64::try_from(at.as_millis()).unwrap_or(i64::MAX).saturating_sub(time_ms));
    }

    fn into_latencies(self, latencies: &mut Latencies) {
        let earliest = self.offsets.iter().copied().min().unwrap_or(0);
        for offset in self.offsets {
            let late = u64::try_from(offset.saturating_sub(earliest)).unwrap_or(0);
            latencies.record(Duration::from_millis(late));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_as_late_as_it_came_later_for_its_time_than_the_earliest() {
        let mut lateness = Lateness::default();
        // The server's clock is years ahead; frames of every 100 ms, the third one comes 250 ms late.
        for (at, time) in [(5, 1_700_000_000_000), (105, 1_700_000_000_100), (455, 1_700_000_000_200)] {
            lateness.came(Duration::from_millis(at), time);
        }
        let mut latencies = Latencies::default();
        lateness.into_latencies(&mut latencies);
        assert_eq!((latencies.count(), latencies.max_ms()), (3, 250.0));
        assert!(latencies.quantile_ms(0.5) < 1.0);
    }
}
