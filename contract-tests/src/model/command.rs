//! What can be done to a server that has jobs.

use proptest::prelude::{Just, Strategy, any};
use proptest::{collection, prop_oneof, sample};
use serde_json::{Value, json};

use super::trouble::{Step, Trouble};
use crate::answer::{NO_RECORDING, Refused, Violation};
use crate::bodies::{historic, light, with};

/// One step. Jobs are counted from 0 in order of their creation; a number beyond them counts round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// A configuration that must be accepted while there is room.
    Configure(Plan),
    /// One that must be refused, whatever there is.
    Refused(Mistake),
    /// DELETE of a job, of one that has ended, too.
    Cancel(u8),
    /// A call on a stream.
    Open {
        /// Which job.
        job: u8,
        /// Which of its streams.
        stream: u8,
    },
    /// Leaves the oldest open call on a live job's stream.
    Leave {
        /// Which job.
        job: u8,
    },
    /// Seconds pass.
    Pass(u8),
    /// An outage begins or ends.
    Trouble(Trouble, bool),
    /// A step of the next job's creation fails that reaches it.
    Fail(Step),
}

/// A configuration that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whether there are three channels and streams, not one.
    pub three_streams: bool,
    /// Seconds of history; none is live.
    pub window: Option<u16>,
}

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A transform of no length.
    Nfft,
    /// No channels.
    Channels,
    /// A window before there was anything.
    NoRecording,
}

impl Plan {
    /// Number of streams.
    #[must_use]
    pub fn streams(self) -> u32 {
        if self.three_streams { 3 } else { 1 }
    }

    /// First and last channel.
    #[must_use]
    pub fn channels(self) -> (u32, u32) {
        (1, self.streams())
    }

    /// The request. One line each second: long stretches of time shall not be thousands of frames.
    #[must_use]
    pub fn body(self, now: i64) -> Value {
        let slow = [("channels.max", json!(self.streams())), ("displayInfo.height", json!(10))];
        let body = with(light(), slow);
        match self.window {
            Some(seconds) => historic(body, now - i64::from(seconds), now),
            None => body,
        }
    }
}

impl Mistake {
    /// The request.
    #[must_use]
    pub fn body(self) -> Value {
        match self {
            Self::Nfft => with(light(), [("nfftSelection", json!(0))]),
            Self::Channels => with(light(), [("channels", Value::Null)]),
            Self::NoRecording => historic(light(), 1_577_836_800, 1_577_840_400),
        }
    }

    /// What it is refused with.
    #[must_use]
    pub fn refusal(self) -> Refused<'static> {
        match self {
            Self::Nfft => Refused::value(vec![Violation::new(
                "nfftSelection",
                "nfft_unsupported",
                "nfftSelection 0 is invalid: nfft must be a power of 2 (128, 256, 512, 1024, 2048 and so on), minimum \
                 128, maximum 65536",
            )]),
            Self::Channels => {
                Refused::shape(vec![Violation::new("channels", "missing", "channels is required")])
            }
            Self::NoRecording => NO_RECORDING,
        }
    }
}

/// Sequences of up to that many steps, in which nothing fails.
pub fn sequences(longest: usize) -> impl Strategy<Value = Vec<Command>, Tree: Send> + Send + Sync + use<> {
    collection::vec(peaceful(), 1..=longest)
}

/// Sequences of up to that many steps, with outages and steps that fail among them.
pub fn troubled(longest: usize) -> impl Strategy<Value = Vec<Command>, Tree: Send> + Send + Sync + use<> {
    let trouble = (sample::select(Trouble::ALL.to_vec()), prop_oneof![1 => Just(true), 2 => Just(false)]);
    let command = prop_oneof![
        8 => peaceful(),
        2 => trouble.prop_map(|(trouble, there)| Command::Trouble(trouble, there)),
        2 => sample::select(Step::ALL.to_vec()).prop_map(Command::Fail),
    ];
    collection::vec(command, 1..=longest)
}

fn peaceful() -> impl Strategy<Value = Command, Tree: Send> + Send + Sync + use<> {
    // Windows play out half a second beside every whole one, and so never together with a sample.
    let windows = sample::select(vec![None, None, Some(500), Some(1500), Some(2900)]);
    let plan = (any::<bool>(), windows).prop_map(|(three_streams, window)| Plan { three_streams, window });
    let mistake = sample::select(vec![Mistake::Nfft, Mistake::Channels, Mistake::NoRecording]);
    let seconds = sample::select(vec![2_u8, 1, 2, 2, 5, 9, 10, 20, 40, 50, 61]);
    prop_oneof![
        6 => plan.prop_map(Command::Configure),
        1 => mistake.prop_map(Command::Refused),
        3 => (0..6_u8).prop_map(Command::Cancel),
        6 => (0..6_u8, 0..3_u8).prop_map(|(job, stream)| Command::Open { job, stream }),
        2 => (0..6_u8).prop_map(|job| Command::Leave { job }),
        6 => seconds.prop_map(Command::Pass),
    ]
}
