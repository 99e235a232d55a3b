//! Calls on streams: who reads what, which rows come next, and whether anything moves.
//!
//! A stream numbers its rows once for all its calls. A recorded window is played from one position that its calls
//! share; rows of a live stream go to whichever call is due.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::domain::ids::{JobId, StreamIndex};
use crate::domain::job::{CallRefusal, JobEvent, JobState, StreamEnd, Terms};
use crate::domain::pace::{BURST, Pace, Playtime, live_row_times};
use crate::domain::quirk::Quirk;
use crate::domain::time::{EpochMillis, Moment, Playback};

use super::agenda::{Agenda, Event, Key};
use super::cluster::jobs::Call as Noted;
use super::journal::Happening;
use super::leaks::Reader;
use super::signal::Signal;
use super::world::{Job, World};

/// How long a server that gives up on a recording is silent before it goes away.
const SILENCE: Duration = Duration::from_secs(30);

/// One call of a client on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    pub(super) job: JobId,
    pub(super) number: u64,
}

/// Whether the transport asks for more. What it does with that is the transport's business; the world only wants to
/// know since when it does not.
#[derive(Debug)]
pub struct Progress(AtomicU64);

impl Progress {
    const ASKING: u64 = u64::MAX;

    fn stalled_at(moment: Moment) -> Self {
        Self(AtomicU64::new(moment.nanos()))
    }

    /// The transport is ready to take more.
    pub fn asks(&self) {
        self.0.store(Self::ASKING, Ordering::Relaxed);
    }

    /// The transport was given something; until it asks again it is stalled.
    pub fn was_given(&self, at: Moment) {
        self.0.store(at.nanos(), Ordering::Relaxed);
    }

    fn stalled_since(&self) -> Option<Moment> {
        let nanos = self.0.load(Ordering::Relaxed);
        (nanos != Self::ASKING).then(|| Moment::from_nanos(nanos))
    }
}

/// A call that is open.
pub(super) struct Call {
    stream: StreamIndex,
    opened: Moment,
    /// When the next frame of a live call is due.
    due: Moment,
    progress: Arc<Progress>,
    ended: Arc<Signal<StreamEnd>>,
    /// How many frames it was given.
    frames: u64,
    /// The next look whether it makes progress.
    check: Key,
}

/// What one of a job's streams remembers.
#[derive(Debug, Default)]
pub(super) struct StreamState {
    next_row: u64,
    last_time: Option<EpochMillis>,
    playback_began: Option<Moment>,
    next_frame: u64,
    played_out: bool,
    /// When the server has sent all it will send of a recording, where it gives up before the end.
    silent_since: Option<Moment>,
}

impl StreamState {
    /// Whether the whole window was read. A live stream never is.
    pub(super) fn is_played_out(&self) -> bool {
        self.played_out
    }
}

/// A call as its reader gets it.
pub struct OpenedCall {
    /// Its id.
    pub(super) id: CallId,
    /// The job's facts.
    pub terms: Arc<Terms>,
    /// The stream it reads.
    pub stream: StreamIndex,
    /// Where the transport tells whether it asks for more.
    pub progress: Arc<Progress>,
    /// Raised when the server ends the call.
    pub ended: Arc<Signal<StreamEnd>>,
}

/// What a call gets when it asks for its next rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Turn {
    /// Rows from that number on, with their times in epoch milliseconds, and since when the call could have had a frame.
    Rows { first: u64, times: Vec<i64>, due: Moment },
    /// Nothing before that moment.
    Wait(Moment),
    /// Nothing any more.
    End(StreamEnd),
}

impl World {
    /// Opens a call on a stream of a job that runs.
    pub(super) fn open_call(
        &mut self,
        id: JobId,
        asked: i32,
        now: Moment,
    ) -> Result<OpenedCall, CallRefusal> {
        let inactivity = self.setup.times.stream_inactivity;
        let job = self
            .jobs
            .get_mut(&id)
            .filter(|job| job.state == JobState::Running)
            .ok_or(CallRefusal::JobGone)?;
        let streams = u32::try_from(job.streams.len()).unwrap_or(u32::MAX);
        let index = u32::try_from(asked).ok().filter(|index| *index < streams);
        let stream = StreamIndex(index.ok_or(CallRefusal::StreamOutOfRange { asked, streams })?);
        self.next_call += 1;
        let call_id = CallId { job: id, number: self.next_call };
        let progress = Arc::new(Progress::stalled_at(now));
        let ended = Arc::new(Signal::default());
        job.streams[stream.0 as usize].playback_began.get_or_insert(now);
        let call = Call {
            stream,
            opened: now,
            due: now,
            progress: Arc::clone(&progress),
            ended: Arc::clone(&ended),
            frames: 0,
            check: self.agenda.enter(now.after(inactivity), Event::ProgressCheck(call_id)),
        };
        job.calls.insert(call_id, call);
        // However short it is: whoever reads now and then keeps the job for at least 40 s more.
        let terms = Arc::clone(&job.terms);
        self.readers.insert(call_id, Reader { stream, job_gone: None });
        self.cluster.note_call(id, Noted::Opened(stream), now);
        self.plan_sweep(id, now);
        Ok(OpenedCall { id: call_id, terms, stream, progress, ended })
    }

    /// Takes the next rows for a call, if they are due.
    pub(super) fn take_turn(&mut self, id: CallId, now: Moment) -> Turn {
        let delivers = self.fiber_state.delivers();
        let (speed, max_frame) = (self.setup.times.playback_speed, self.setup.max_frame_bytes);
        let Some(job) = self.jobs.get_mut(&id.job) else { return Turn::End(StreamEnd::Gone) };
        let Some(call) = job.calls.get_mut(&id) else { return Turn::End(StreamEnd::Gone) };
        let stream = &mut job.streams[call.stream.0 as usize];
        let pace = pace(&job.terms, call.stream, max_frame);
        match job.terms.request.playback() {
            Playback::Live => {
                let turn = live_turn(call, stream, pace, job.terms.layout.lines_dt, delivers, now);
                call.count(&turn);
                turn
            }
            Playback::Historic(window) => {
                if let Some(since) = stream.silent_since {
                    return Turn::Wait(since.after(SILENCE));
                }
                let turn = historic_turn(call, stream, Playtime::of(window, speed, pace), pace, now);
                call.count(&turn);
                let goes_away = job.terms.quirks.has(Quirk::StreamGoaway);
                if goes_away && stream.next_frame >= BURST {
                    stream.silent_since = Some(now);
                    self.agenda.enter(now.after(SILENCE), Event::GoAway(id.job));
                } else if turn == Turn::End(StreamEnd::PlayedOut) {
                    self.streamed.ended(StreamEnd::PlayedOut, 1);
                    self.close_call(id, now);
                }
                turn
            }
        }
    }

    /// The transport has let a call go.
    pub(super) fn reader_gone(&mut self, id: CallId, now: Moment) {
        self.readers.remove(&id);
        self.close_call(id, now);
    }

    /// The reader of a call is gone, or has heard its end.
    pub(super) fn close_call(&mut self, id: CallId, now: Moment) {
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        let Some(call) = job.calls.remove(&id) else { return };
        self.agenda.withdraw(call.check);
        let nobody_reads = job.calls.is_empty();
        self.cluster.note_call(id.job, Noted::Closed(call.stream, call.frames), now);
        if nobody_reads {
            self.go_on_idling(id.job, now);
        }
        self.complete_if_played_out(id.job, now);
    }

    fn complete_if_played_out(&mut self, id: JobId, now: Moment) {
        let over = |job: &Job| job.calls.is_empty() && job.streams.iter().all(|stream| stream.played_out);
        if self.jobs.get(&id).is_some_and(over) {
            self.finish(id, JobEvent::StreamsOver, now);
        }
    }

    /// Ends a call that made no progress for too long, or looks again when it could have.
    pub(super) fn check_progress(&mut self, id: CallId, now: Moment) {
        let limit = self.setup.times.stream_inactivity;
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        let Some(call) = job.calls.get_mut(&id) else { return };
        let live = job.terms.request.playback() == Playback::Live;
        let dark_since = self.dark_since.filter(|_| live).map(|dark| dark.max(call.opened));
        let quiet_since = call.progress.stalled_since().into_iter().chain(dark_since).min();
        let over_at = quiet_since.map(|since| since.after(limit));
        if over_at.is_some_and(|at| at <= now) {
            call.ended.raise(StreamEnd::Inactive);
            self.streamed.ended(StreamEnd::Inactive, 1);
            let (stream, frames) = (call.stream, call.frames);
            job.calls.remove(&id);
            let nobody_reads = job.calls.is_empty();
            self.cluster.note_call(id.job, Noted::Closed(stream, frames), now);
            self.journal.write(now, Happening::CallEnded(id.job, StreamEnd::Inactive));
            if nobody_reads {
                self.finish(id.job, JobEvent::StreamsOver, now);
            }
            return;
        }
        let next = over_at.unwrap_or(now.after(limit)).min(now.after(limit));
        call.check = self.agenda.enter(next, Event::ProgressCheck(id));
    }
}

impl Call {
    /// Counts what it was given.
    fn count(&mut self, turn: &Turn) {
        self.frames += u64::from(matches!(turn, Turn::Rows { .. }));
    }
}

impl World {
    /// Ends every call on the streams of a job.
    pub(super) fn end_calls(&mut self, id: JobId, end: StreamEnd, at: Moment) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        for call in job.calls.values() {
            self.cluster.note_call(id, Noted::Closed(call.stream, call.frames), at);
        }
        self.streamed.ended(end, job.calls.len());
        job.end_calls(end, &mut self.agenda);
    }
}

impl Job {
    /// Ends every call that is open.
    pub(super) fn end_calls(&mut self, end: StreamEnd, agenda: &mut Agenda) {
        for call in std::mem::take(&mut self.calls).into_values() {
            call.ended.raise(end);
            agenda.withdraw(call.check);
        }
    }
}

fn pace(terms: &Terms, stream: StreamIndex, max_frame_bytes: usize) -> Pace {
    Pace::of(terms.layout.lines_dt, terms.row_bytes(stream), max_frame_bytes)
}

fn live_turn(
    call: &mut Call,
    stream: &mut StreamState,
    pace: Pace,
    lines_dt: f64,
    delivers: bool,
    now: Moment,
) -> Turn {
    if now < call.due {
        return Turn::Wait(call.due);
    }
    // A call that comes late finds its earlier rows gone: the fibre does not wait. Numbers and times jump, and the frame
    // that comes instead is as late as the first of those it has missed.
    let due = call.due;
    let missed = now.since(call.due).as_nanos() / pace.interval().as_nanos();
    let missed = u32::try_from(missed).unwrap_or(u32::MAX);
    call.due = call.due.after(pace.interval().saturating_mul(missed)).after(pace.interval());
    if !delivers {
        return Turn::Wait(call.due);
    }
    let times = live_row_times(now.millis(), pace.rows(), lines_dt, stream.last_time);
    let first = stream.next_row + u64::from(missed) * u64::from(pace.rows());
    stream.next_row = first + u64::from(pace.rows());
    stream.last_time = times.last().copied().map(EpochMillis);
    Turn::Rows { first, times, due }
}

fn historic_turn(call: &Call, stream: &mut StreamState, play: Playtime, pace: Pace, now: Moment) -> Turn {
    let began = *stream.playback_began.get_or_insert(now);
    let over = stream.next_frame >= play.frames();
    let due = began.after(if over { play.length() } else { play.due(stream.next_frame) });
    if now < due {
        return Turn::Wait(due);
    }
    if over {
        stream.played_out = true;
        return Turn::End(StreamEnd::PlayedOut);
    }
    stream.next_frame += 1;
    let first = stream.next_row;
    stream.next_row += u64::from(pace.rows());
    let times = (first..stream.next_row).map(|row| play.row_time(row).0).collect();
    // What nobody was there to take while a stream was read by nobody is not late.
    Turn::Rows { first, times, due: due.max(call.opened) }
}
