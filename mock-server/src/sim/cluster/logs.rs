//! What the containers of the cluster say, as facts.

use std::sync::Arc;

use super::facts::Outcome;
use super::workloads::Workload;
use crate::domain::ids::StreamIndex;
use crate::domain::job::Terms;
use crate::domain::time::Moment;
use crate::sim::journal::Happening;

/// A line of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// When.
    pub at: Moment,
    /// What.
    pub what: Said,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Streaming pod: its command line.
    Runs(Arc<Terms>),
    /// Streaming pod: its port accepts connections.
    Listens,
    /// Streaming pod: a client opened a call on a stream.
    Connected(StreamIndex),
    /// Streaming pod: a call is over, after so many frames.
    Disconnected(StreamIndex, u64),
    /// Streaming pod: it has ended.
    Ended(Outcome),
    /// Cleanup pod: it watches this job.
    Watches(Arc<Terms>),
    /// Cleanup pod: a sample of the streaming pod's CPU.
    Sampled {
        /// Millicores.
        cpu_m: u32,
        /// Idle samples in a row, this one included.
        hits: u32,
        /// How many remove the job.
        of: u32,
    },
    /// Cleanup pod: the job is removed for that.
    Triggered,
    /// A workload's pod: it starts.
    Starts(Workload),
    /// A workload's pod: it does its work.
    IsReady(Workload),
    /// A workload's pod: what it needs is not there.
    Waits(&'static str),
    /// The Focus Server's pod: something of the journal that it would tell of.
    Happened(Happening),
}
