//! The jobs of a server as the contract has them: a second, small machine that says what must be.
//!
//! It knows slots, sequence numbers, the idle sweep, playing out, cancelling and capacity, on a clock that moves only
//! when told. It knows nothing of the wire; [`run`] drives it beside a server and compares after every step.

pub mod command;
pub mod run;
pub mod trouble;

use std::collections::BTreeSet;

use trouble::{No, Trouble, Troubles};

/// How often the cleanup job of a job samples, counted from the job's creation.
const SAMPLE_MS: u64 = 10_000;
/// Idle samples in a row that end a job.
const IDLE_SAMPLES: u32 = 5;
/// How long the objects of a cancelled job remain, and with them its slot.
const CANCELLED_MS: u64 = 2_000;
/// How much faster than it was recorded history is played.
const PLAYBACK_SPEED: u64 = 200;

/// What must be.
#[derive(Clone, Debug)]
pub struct Model {
    /// Milliseconds since it began.
    pub now: u64,
    /// Most jobs at a time.
    pub limit: u32,
    /// The next sequence number, once one is known.
    pub next_sequence: Option<i32>,
    /// Every job there ever was, in order of creation.
    pub jobs: Vec<Known>,
    /// What is wrong around the server.
    pub troubles: Troubles,
    /// Since when the fibre gives nothing.
    pub dark_since: Option<u64>,
}

/// A job.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its slot.
    pub slot: u32,
    /// What it is doing.
    pub phase: Phase,
    /// Its streams.
    pub streams: Vec<Stream>,
    /// How long each of them plays, if it is historic.
    plays: Option<u64>,
    next_sample: u64,
    idle_samples: u32,
}

/// What a job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its port is open.
    Running,
    /// Every stream is played out.
    Completed,
    /// Its objects are still there, until then.
    Cancelled {
        /// When they go.
        until: u64,
    },
    /// Nothing is there.
    Removed,
}

/// One stream of a job.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stream {
    /// Calls that are open.
    pub calls: usize,
    /// When it is played out, once it has begun to.
    ends: Option<u64>,
    /// Whether it is played out.
    pub played_out: bool,
}

impl Known {
    /// Whether the job can be asked about.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Completed)
    }

    /// Calls that are open on all of its streams.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.streams.iter().map(|stream| stream.calls).sum()
    }

    /// Whether it plays history.
    #[must_use]
    pub fn is_historic(&self) -> bool {
        self.plays.is_some()
    }

    fn sample(&mut self) {
        self.next_sample += SAMPLE_MS;
        match self.phase {
            Phase::Running if self.calls() > 0 => self.idle_samples = 0,
            Phase::Running => self.idle_samples += 1,
            // What has ended by itself goes at the next sample.
            Phase::Completed => self.phase = Phase::Removed,
            Phase::Cancelled { .. } | Phase::Removed => {}
        }
        if self.idle_samples == IDLE_SAMPLES && self.phase == Phase::Running {
            self.phase = Phase::Removed;
        }
    }

    fn play_out(&mut self, now: u64) {
        let over = |stream: &&mut Stream| !stream.played_out && stream.ends.is_some_and(|ends| ends <= now);
        for stream in self.streams.iter_mut().filter(over) {
            stream.played_out = true;
            stream.calls = 0;
            self.idle_samples = 0;
        }
        if self.phase == Phase::Running && self.streams.iter().all(|stream| stream.played_out) {
            self.phase = Phase::Completed;
        }
    }

    /// When something next happens to it by itself.
    fn due(&self) -> Option<u64> {
        match self.phase {
            Phase::Running => {
                let ends =
                    self.streams.iter().filter(|stream| !stream.played_out).filter_map(|stream| stream.ends);
                ends.chain([self.next_sample]).min()
            }
            Phase::Completed => Some(self.next_sample),
            Phase::Cancelled { until } => Some(until),
            Phase::Removed => None,
        }
    }
}

impl Model {
    /// A server without jobs.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Self {
            now: 0,
            limit,
            next_sequence: None,
            jobs: Vec::new(),
            troubles: Troubles::default(),
            dark_since: None,
        }
    }

    /// The slot of the next job; `None` when the limit is reached.
    #[must_use]
    pub fn free_slot(&self) -> Option<u32> {
        let taken: BTreeSet<_> =
            self.jobs.iter().filter(|job| job.phase != Phase::Removed).map(|job| job.slot).collect();
        // Each slot counts until its job is removed, so the slots are the count.
        (1..=self.limit).find(|slot| !taken.contains(slot))
    }

    /// Why a configuration that makes sense is refused now; nothing where it is taken.
    pub fn refuses(&mut self, live: bool) -> Option<No> {
        if let Some(no) = self.troubles.before(live) {
            return Some(no);
        }
        self.free_slot()?;
        let no = self.troubles.taking()?;
        // The attempt had its number, which is not used again.
        self.next_sequence = self.next_sequence.map(|next| next + 1);
        Some(no)
    }

    /// An outage begins or ends.
    pub fn trouble(&mut self, trouble: Trouble, there: bool) {
        if there {
            self.troubles.outages.insert(trouble);
        } else {
            self.troubles.outages.remove(&trouble);
        }
        if trouble == Trouble::Fiber {
            self.dark_since = there.then(|| self.dark_since.unwrap_or(self.now));
        }
    }

    /// A job begins, in the lowest free slot.
    pub fn configured(&mut self, slot: u32, sequence: i32, streams: u32, window: Option<u64>) {
        self.next_sequence = Some(sequence + 1);
        self.jobs.push(Known {
            slot,
            phase: Phase::Running,
            streams: vec![Stream::default(); streams as usize],
            plays: window.map(|seconds| seconds * 1000 / PLAYBACK_SPEED),
            next_sample: self.now + SAMPLE_MS,
            idle_samples: 0,
        });
    }

    /// Somebody opens a call; tells whether it ends at once.
    pub fn opened(&mut self, job: usize, stream: usize) -> bool {
        let now = self.now;
        let Some(job) = self.jobs.get_mut(job) else { return false };
        let plays = job.plays;
        let Some(stream) = job.streams.get_mut(stream) else { return false };
        if stream.played_out {
            // It was a call all the same, and has ended just now.
            job.idle_samples = 0;
            return true;
        }
        stream.calls += 1;
        // Playback of a stream begins with its first call.
        stream.ends = stream.ends.or(plays.map(|plays| now + plays));
        false
    }

    /// Somebody leaves a call.
    pub fn left(&mut self, job: usize, stream: usize) {
        let Some(job) = self.jobs.get_mut(job) else { return };
        if let Some(stream) = job.streams.get_mut(stream) {
            stream.calls -= 1;
        }
        // A call between two samples is seen by none of them, and still a job goes 40 to 50 s after its last call.
        job.idle_samples = 0;
    }

    /// A job is cancelled; tells whether there was one.
    pub fn cancelled(&mut self, job: usize) -> bool {
        let until = self.now + CANCELLED_MS;
        let Some(job) = self.jobs.get_mut(job).filter(|job| job.is_live()) else { return false };
        job.phase = Phase::Cancelled { until };
        for stream in &mut job.streams {
            stream.calls = 0;
        }
        true
    }

    /// When a stream is next played out.
    #[must_use]
    pub fn next_end(&self) -> Option<u64> {
        let running = self.jobs.iter().filter(|job| job.phase == Phase::Running);
        let streams = running.flat_map(|job| &job.streams).filter(|stream| !stream.played_out);
        streams.filter_map(|stream| stream.ends).min()
    }

    /// Time passes, and everything that is due happens.
    pub fn pass_to(&mut self, now: u64) {
        for job in &mut self.jobs {
            while let Some(due) = job.due().filter(|due| *due <= now) {
                job.play_out(due);
                match job.phase {
                    Phase::Cancelled { .. } => job.phase = Phase::Removed,
                    Phase::Running | Phase::Completed if job.next_sample == due => job.sample(),
                    _ => {}
                }
            }
        }
        self.now = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases(model: &Model) -> Vec<Phase> {
        model.jobs.iter().map(|job| job.phase).collect()
    }

    #[test]
    fn what_nobody_connects_to_is_gone_after_50_s() {
        let mut model = Model::new(9);
        model.configured(1, 1, 1, None);
        model.pass_to(49_999);
        assert_eq!(phases(&model), [Phase::Running]);
        model.pass_to(50_000);
        assert_eq!((phases(&model), model.free_slot()), (vec![Phase::Removed], Some(1)));
    }

    #[test]
    fn what_was_left_is_gone_40_to_50_s_later() {
        for (left, gone) in [(12_000, 60_000), (19_000, 60_000), (20_000, 70_000)] {
            let mut model = Model::new(9);
            model.configured(1, 1, 1, None);
            model.opened(0, 0);
            model.pass_to(left);
            model.left(0, 0);
            model.pass_to(gone - 1);
            assert_eq!(phases(&model), [Phase::Running], "left at {left}");
            model.pass_to(gone);
            assert_eq!(phases(&model), [Phase::Removed], "left at {left}");
        }
    }

    #[test]
    fn a_call_between_two_samples_begins_the_count_anew() {
        let mut model = Model::new(9);
        model.configured(1, 1, 2, Some(500));
        model.pass_to(11_000);
        model.opened(0, 0);
        model.pass_to(59_999);
        assert_eq!(phases(&model), [Phase::Running]);
        model.pass_to(60_000);
        assert_eq!(phases(&model), [Phase::Removed]);
    }

    #[test]
    fn what_is_played_out_goes_at_the_next_sample() {
        let mut model = Model::new(9);
        model.configured(1, 1, 2, Some(2500));
        model.pass_to(1000);
        model.opened(0, 0);
        model.pass_to(14_000);
        assert!(model.opened(0, 0), "played out at 13.5 s");
        assert_eq!(phases(&model), [Phase::Running]);
        model.opened(0, 1);
        assert_eq!(model.next_end(), Some(26_500));
        model.pass_to(29_000);
        assert_eq!(phases(&model), [Phase::Completed]);
        model.pass_to(30_000);
        assert_eq!(phases(&model), [Phase::Removed]);
    }

    #[test]
    fn a_slot_comes_back_2_s_after_the_cancel() {
        let mut model = Model::new(2);
        model.configured(1, 7, 1, None);
        assert!(model.cancelled(0) && !model.cancelled(0));
        model.configured(2, 8, 1, None);
        assert_eq!((model.free_slot(), model.next_sequence), (None, Some(9)));
        model.pass_to(2000);
        assert_eq!(model.free_slot(), Some(1));
    }
}
