//! Every stream of every job, read while a level holds.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::latency::Latencies;
use super::server::Server;
use crate::client::grpc::{Next, Port, Reading};
use crate::job::Job;
use crate::wall;

/// Jobs whose streams are opened at a time. **Chosen**: what a generator does at once, its machine does late, and it would be
/// the latency of configures that tells. Who waits for it waits from the answer on, so that first frames tell instead.
const OPENING: usize = 4;

/// How often a client comes again to a port that is not open yet, and for how long: as long as a pod may take.
const AGAIN: Duration = Duration::from_secs(1);
const OPENS: Duration = Duration::from_secs(30);

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

    fn count(&mut self, seen: Seen) {
        self.asked += 1;
        self.failed += u64::from(seen.trouble.is_some());
        self.frames += seen.lateness.offsets.len() as u64;
        seen.first_frame.into_iter().for_each(|time| self.first_frame.record(time));
        seen.lateness.into_latencies(&mut self.lateness);
        self.trouble = self.trouble.take().or(seen.trouble);
    }
}

/// What reading one stream showed. Six hundred of them are read at a time, so it is a few numbers and no distribution.
#[derive(Debug, Default)]
struct Seen {
    first_frame: Option<Duration>,
    lateness: Lateness,
    /// Why it could not be opened, ended early, or sent nothing or something wrong.
    trouble: Option<String>,
}

impl Seen {
    fn fails(self, why: impl Into<String>) -> Self {
        Self { trouble: Some(why.into()), ..self }
    }
}

impl Extend<Seen> for StreamsRead {
    fn extend<T: IntoIterator<Item = Seen>>(&mut self, streams: T) {
        streams.into_iter().for_each(|seen| self.count(seen));
    }
}

/// A stream that is open, or why it is not.
type Opened = Result<Reading, String>;

/// Opens every stream of a job, once it has leave to. Real pods take 6 to 7 s until their port is open, so a client comes
/// again, each time with new leave.
async fn open_all(server: &Server, job: &Job, answered: Instant, leave: &Semaphore) -> Vec<Opened> {
    let (_leave, port) = loop {
        let leave = leave.acquire().await;
        match Port::connect(&server.authority(job)).await {
            Ok(port) => break (leave, port.patient_for(server.patience())),
            // On a clock that is held it opens only when that is moved.
            Err(failure) if server.pacer().is_held() || answered.elapsed() >= OPENS => {
                return (0..job.streams).map(|_| Err(failure.what.clone())).collect();
            }
            Err(_) => drop(leave),
        }
        wall::until(wall::tick() + AGAIN).await;
    };
    let open = async |stream| {
        let refused = |status| format!("stream {stream} of job {} is refused: {status}", job.id);
        port.open(job, stream).await.map_err(refused)
    };
    futures_util::future::join_all((0..job.streams).map(open)).await
}

/// Reads the streams of a job until somebody has seen enough.
async fn read_all(job: &Job, opened: Vec<Opened>, answered: Instant, until: &CancellationToken) -> Vec<Seen> {
    let reading = (0..).zip(opened).map(|(stream, opened)| async move {
        match opened {
            Ok(reading) => read(job, stream, reading, answered, until).await,
            Err(why) => Seen::default().fails(why),
        }
    });
    futures_util::future::join_all(reading).await
}

async fn read(
    job: &Job,
    stream: u32,
    mut reading: Reading,
    answered: Instant,
    until: &CancellationToken,
) -> Seen {
    let mut seen = Seen::default();
    loop {
        let next = tokio::select! {
            next = reading.next() => next,
            () = until.cancelled() => break,
        };
        let came = wall::tick() - answered;
        match next {
            Ok(Next::Frame(frame)) => {
                seen.first_frame.get_or_insert(came);
                // Every frame that fits the geometry of its stream has rows.
                seen.lateness.came(came, frame.timestamp_in_milis.last().copied().unwrap_or_default());
            }
            Ok(Next::End(status)) => {
                return seen.fails(format!("stream {stream} of job {} ended: {status}", job.id));
            }
            Err(failure) => return seen.fails(failure.what),
        }
    }
    if seen.first_frame.is_none() {
        return seen.fails(format!("stream {stream} of job {} sent no frame", job.id));
    }
    seen
}

/// Those who read the streams of a level's jobs, from each answer on until the level has been held long enough.
pub(super) struct Readers {
    wanted: bool,
    /// Leave to open the streams of a job.
    leave: Arc<Semaphore>,
    /// Jobs whose streams are not all open yet.
    opening: TaskTracker,
    done: CancellationToken,
    reading: JoinSet<Vec<Seen>>,
}

impl Readers {
    pub(super) fn of(wanted: bool) -> Self {
        Self {
            wanted,
            leave: Arc::new(Semaphore::new(OPENING)),
            opening: TaskTracker::new(),
            done: CancellationToken::new(),
            reading: JoinSet::new(),
        }
    }

    pub(super) fn read(&mut self, server: &Server, job: &Job) {
        if self.wanted {
            let (server, job, done) = (server.clone(), Arc::new(job.clone()), self.done.clone());
            let (answered, leave, opening) = (wall::tick(), Arc::clone(&self.leave), self.opening.token());
            self.reading.spawn(async move {
                let open = open_all(&server, &job, answered, &leave);
                // Whoever has seen enough does not wait for the others.
                let opened = done.run_until_cancelled(open).await.unwrap_or_default();
                drop(opening);
                read_all(&job, opened, answered, &done).await
            });
        }
    }

    /// Waits until every stream is open, or refused.
    pub(super) async fn open(&self) {
        self.opening.close();
        self.opening.wait().await;
    }

    pub(super) async fn end(self) -> Option<StreamsRead> {
        self.done.cancel();
        let mut all = StreamsRead::default();
        all.extend(self.reading.join_all().await.into_iter().flatten());
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
