//! A job's facts and its states.

use std::sync::Arc;

use super::command::ConfigureJob;
use super::fiber::Fiber;
use super::ids::{JobId, NodePort, StreamIndex};
use super::leniency::Forgiven;
use super::quirk::Quirks;
use super::view::Layout;

/// What a job was created with; it never changes.
#[derive(Debug)]
pub struct Terms {
    /// Its id.
    pub id: JobId,
    /// Where its streams are served.
    pub port: NodePort,
    /// What was asked for.
    pub request: ConfigureJob,
    /// What follows from that.
    pub layout: Layout,
    /// The fibre as it was at that time.
    pub fiber: Arc<Fiber>,
    /// Host under which the client reached the server and will dial the streams.
    pub stream_host: String,
    /// How the server deviated from the contract when the job was created: its answer stays what it was.
    pub quirks: Quirks,
    /// What the contract has against the request, and those quirks let pass.
    pub forgiven: Vec<Forgiven>,
}

impl PartialEq for Terms {
    /// They never change: an id stands for them.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Terms {
    /// Bytes of one row of a stream: a 32-bit float for every bin of every channel.
    #[must_use]
    pub fn row_bytes(&self, stream: StreamIndex) -> usize {
        let channels = self.layout.streams.get(stream.0 as usize).map_or(0, |group| group.count());
        channels as usize * self.layout.values_per_channel() as usize * size_of::<f32>()
    }
}

/// Where a job is in its life. A removed job is in no state: it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobState {
    /// Its pod waits for a GPU share or starts up; the port is held but refuses connections.
    Pending,
    /// Streaming.
    Running,
    /// Played out, or ended for want of progress; waits for removal.
    Completed,
    /// Its pod was lost; waits for removal.
    Failed,
    /// Cancelled by a client; its pods stay readable for a moment.
    Cancelled,
}

/// What can happen to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobEvent {
    /// Its pod became ready.
    PodReady,
    /// Every stream of a historic job was played out, or the last open stream made no progress for too long.
    StreamsOver,
    /// Its pod was killed or could not open its port.
    PodLost,
    /// A client cancelled it.
    Cancel,
}

impl JobState {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Running, Self::Completed, Self::Failed, Self::Cancelled];

    /// The state after an event, `None` where the event means nothing.
    #[must_use]
    pub fn after(self, event: JobEvent) -> Option<Self> {
        match (self, event) {
            (Self::Pending, JobEvent::PodReady) => Some(Self::Running),
            (Self::Running, JobEvent::StreamsOver) => Some(Self::Completed),
            (Self::Pending | Self::Running, JobEvent::PodLost) => Some(Self::Failed),
            (Self::Pending | Self::Running | Self::Completed | Self::Failed, JobEvent::Cancel) => {
                Some(Self::Cancelled)
            }
            (Self::Pending, JobEvent::StreamsOver)
            | (Self::Running | Self::Completed | Self::Failed, JobEvent::PodReady)
            | (Self::Completed | Self::Failed, JobEvent::StreamsOver | JobEvent::PodLost)
            | (
                Self::Cancelled,
                JobEvent::PodReady | JobEvent::StreamsOver | JobEvent::PodLost | JobEvent::Cancel,
            ) => None,
        }
    }

    /// Whether clients still know the job: its metadata is answered and it can be cancelled.
    #[must_use]
    pub fn is_live(self) -> bool {
        match self {
            Self::Pending | Self::Running | Self::Completed | Self::Failed => true,
            Self::Cancelled => false,
        }
    }
}

/// Why a call on a stream ended from the server's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamEnd {
    /// The recorded window was played out.
    PlayedOut,
    /// No progress for the inactivity limit: the client does not read, or the fibre gives nothing.
    Inactive,
    /// The job was cancelled.
    Cancelled,
    /// The job's pod is gone, or the job was removed.
    Gone,
    /// The server gave up on the streams of a recording, and on their job.
    GoneAway,
}

impl StreamEnd {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::PlayedOut, Self::Inactive, Self::Cancelled, Self::Gone, Self::GoneAway];
}

/// Why a call on a job's port was not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CallRefusal {
    /// The job has no stream of that index.
    #[error("stream_id {asked} is out of range: the job has {streams} streams")]
    StreamOutOfRange {
        /// What was asked for.
        asked: i32,
        /// How many there are, from index 0.
        streams: u32,
    },
    /// The job of this port is over or was removed while the connection stood.
    #[error("the job of this port is gone")]
    JobGone,
    /// The request names a job, and this port is another one's.
    #[error("this port serves job {served} and no other")]
    OtherJob {
        /// The job of this port.
        served: JobId,
    },
    /// Fewer frames than none were asked for.
    #[error("max_frames {asked} is negative: 0 means without limit")]
    NegativeFrames {
        /// What was asked for.
        asked: i32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_job_stays_cancelled_whatever_happens() {
        for event in [JobEvent::PodReady, JobEvent::StreamsOver, JobEvent::PodLost, JobEvent::Cancel] {
            assert_eq!(JobState::Cancelled.after(event), None);
        }
    }

    #[test]
    fn every_live_job_can_be_cancelled_and_no_other() {
        use JobState::{Cancelled, Completed, Failed, Pending, Running};
        for state in [Pending, Running, Completed, Failed, Cancelled] {
            assert_eq!(state.after(JobEvent::Cancel).is_some(), state.is_live(), "{state:?}");
        }
    }

    #[test]
    fn only_a_running_job_completes_and_only_a_pending_one_starts() {
        assert_eq!(JobState::Pending.after(JobEvent::PodReady), Some(JobState::Running));
        assert_eq!(JobState::Running.after(JobEvent::StreamsOver), Some(JobState::Completed));
        assert_eq!(JobState::Pending.after(JobEvent::StreamsOver), None);
        assert_eq!(JobState::Completed.after(JobEvent::PodLost), None);
    }
}
