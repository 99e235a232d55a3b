//! A call as its reader sees it: one frame after the other, each when its time has come.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::domain::fiber::ChannelRange;
use crate::domain::job::{StreamEnd, Terms};
use crate::domain::pace::values_per_frame;
use crate::domain::time::Moment;

use super::calls::{OpenedCall, Progress, Turn};
use super::seed::StreamSeed;
use super::simulation::Simulation;

/// Rows of one block of channels, ready to leave.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The channels.
    pub block: ChannelRange,
    /// Values in one row: channels times bins.
    pub values_per_row: u32,
    /// Times of the rows, epoch milliseconds, rising.
    pub times: Vec<i64>,
    /// Number of the first row; the others follow.
    pub first_row: u64,
    /// One element per row.
    pub rows: Vec<Bytes>,
    /// When it should have left.
    pub due: Moment,
}

/// What comes next on a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// A frame.
    Frame(Frame),
    /// The end.
    End(StreamEnd),
}

/// A call that is being read. Dropping it tells the world that the reader is gone.
pub struct StreamCall {
    simulation: Arc<Simulation>,
    call: OpenedCall,
    seed: StreamSeed,
    blocks: Vec<ChannelRange>,
    /// Frames of rows that were taken and too large to leave in one.
    waiting: VecDeque<(ChannelRange, u64, Arc<[i64]>, Moment)>,
    /// Where rows are written: fresh pages for each frame would cost as much as its numbers.
    memory: BytesMut,
}

impl StreamCall {
    pub(super) fn new(simulation: Arc<Simulation>, call: OpenedCall, max_frame_bytes: usize) -> Self {
        let terms = &call.terms;
        let seed = simulation.seed().stream(terms.id.sequence.number(), call.stream.0);
        let group = terms.layout.streams[call.stream.0 as usize];
        let channel_bytes = terms.layout.values_per_channel() as usize * size_of::<f32>();
        let blocks = blocks(group, values_per_frame(channel_bytes, max_frame_bytes));
        Self { simulation, call, seed, blocks, waiting: VecDeque::new(), memory: BytesMut::new() }
    }

    /// The facts of the job it reads.
    #[must_use]
    pub fn terms(&self) -> &Arc<Terms> {
        &self.call.terms
    }

    /// What the simulator's clock shows.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.simulation.clock().now()
    }

    /// Where the transport tells whether it asks for more.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.call.progress)
    }

    /// The world that it is of.
    #[must_use]
    pub fn simulation(&self) -> &Arc<Simulation> {
        &self.simulation
    }

    /// Waits until the world ends the call, without taking anything from it.
    pub async fn ended(&self) -> StreamEnd {
        self.call.ended.wait().await
    }

    /// Waits for the next frame, or for the end of the call.
    pub async fn next(&mut self) -> Next {
        loop {
            if let Some(end) = self.call.ended.get() {
                return Next::End(end);
            }
            if let Some((block, first_row, times, due)) = self.waiting.pop_front() {
                return Next::Frame(self.frame(block, first_row, &times, due));
            }
            match self.simulation.take_turn(self.call.id) {
                Turn::Rows { first, times, due } => {
                    let times: Arc<[i64]> = times.into();
                    let of_block = |block: &ChannelRange| (*block, first, Arc::clone(&times), due);
                    self.waiting.extend(self.blocks.iter().map(of_block));
                }
                Turn::Wait(until) => {
                    let clock = self.simulation.clock();
                    let job = Some(self.call.terms.id);
                    tokio::select! {
                        () = clock.sleep_until(until, "next frame", job) => {}
                        end = self.call.ended.wait() => return Next::End(end),
                    }
                }
                // The world may have ended the call between the look above and the turn: its reason stands.
                Turn::End(end) => return Next::End(self.call.ended.get().unwrap_or(end)),
            }
        }
    }

    fn frame(&mut self, block: ChannelRange, first_row: u64, times: &[i64], due: Moment) -> Frame {
        let values = self.call.terms.layout.values_per_channel();
        let table = self.simulation.frames();
        let numbers = first_row..first_row + times.len() as u64;
        let row_bytes = block.count() as usize * values as usize * size_of::<f32>();
        self.memory.reserve(times.len() * row_bytes);
        Frame {
            block,
            values_per_row: block.count() * values,
            times: times.to_vec(),
            first_row,
            rows: numbers.map(|row| table.row_in(&mut self.memory, self.seed, row, block, values)).collect(),
            due,
        }
    }
}

impl Drop for StreamCall {
    fn drop(&mut self) {
        self.simulation.close_call(self.call.id);
    }
}

/// A group of channels cut into consecutive blocks of at most so many channels, at least one.
fn blocks(group: ChannelRange, most: usize) -> Vec<ChannelRange> {
    let most = u32::try_from(most).unwrap_or(u32::MAX).max(1);
    let parts = (0..group.count().div_ceil(most)).map(|part| group.part(part.saturating_mul(most), most));
    parts.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fiber::Channel;

    #[test]
    fn a_group_is_cut_into_consecutive_blocks_that_cover_it() {
        let group = ChannelRange::new(Channel(11), Channel(20)).expect("ten channels");
        let ends =
            |most| blocks(group, most).iter().map(|block| (block.min().0, block.max().0)).collect::<Vec<_>>();
        assert_eq!(ends(100), [(11, 20)]);
        assert_eq!(ends(4), [(11, 14), (15, 18), (19, 20)]);
        assert_eq!(ends(0).len(), 10, "a channel alone is the smallest block");
    }
}
