//! Frames: rows of numbers that look like something and cost next to nothing.
//!
//! Every row is cut out of a table of seeded noise that is made once: each channel gets a stretch of it at a drawn
//! offset, out of one of sixteen loudness levels. A loud place, as if something drove along the fibre, moves through the
//! channels from row to row. The same seed, job, stream and row give the same bytes.

use bytes::{Bytes, BytesMut};

use crate::domain::fiber::{Channel, ChannelRange};

use super::seed::{Seed, StreamSeed};

/// Largest value of any frame; the recorded server sent 1143.47 and about 825.
pub const MAXIMUM: f32 = 1143.47;
/// Smallest value of any frame.
pub const MINIMUM: f32 = 0.0;

const LEVELS: usize = 16;
/// Offsets to choose from; beyond the last one there is room for the most bins a channel can have. So few that what common
/// views read of the table stays in a core's cache: copying it is what a frame costs.
const OFFSETS: usize = 4096;
const MOST_BINS: usize = 32_768;
const WIDTH: usize = OFFSETS + MOST_BINS;
const VALUE: usize = size_of::<f32>();

/// Channels between two loud places, and rows in which one moves on by a channel.
const SPACING: u64 = 240;
const ROWS_PER_CHANNEL: u64 = 4;

/// The noise of one seed.
pub struct FrameTable {
    levels: Vec<u8>,
}

impl FrameTable {
    /// The table of a seed: 2.3 MiB, made in a few milliseconds.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        let noise = seed.stream(0, 0);
        let mut levels = Vec::with_capacity(LEVELS * WIDTH * VALUE);
        let values: Vec<f32> = (0..WIDTH as u64).map(|place| unit(noise.cell(place, 0))).collect();
        for level in 1..=LEVELS {
            let loudness = level as f32 / LEVELS as f32;
            let peak = MAXIMUM * loudness * loudness;
            // `min`: the product of rounded factors may exceed the maximum in its last digit.
            levels.extend(values.iter().flat_map(|value| (peak * value).min(MAXIMUM).to_le_bytes()));
        }
        Self { levels }
    }

    /// One row of a block of channels, channel by channel: `values_per_channel` little-endian 32-bit floats each.
    #[must_use]
    pub fn row(&self, stream: StreamSeed, row: u64, block: ChannelRange, values_per_channel: u32) -> Bytes {
        self.row_in(&mut BytesMut::new(), stream, row, block, values_per_channel)
    }

    /// The same in memory that is used again once the rows that were written to it before are gone.
    pub(super) fn row_in(
        &self,
        memory: &mut BytesMut,
        stream: StreamSeed,
        row: u64,
        block: ChannelRange,
        values_per_channel: u32,
    ) -> Bytes {
        let stretch = values_per_channel as usize * VALUE;
        memory.reserve(block.count() as usize * stretch);
        for channel in block.iter() {
            let cell = stream.cell(row, place(channel));
            let offset = usize::try_from(cell % OFFSETS as u64).unwrap_or(0);
            let level = level(row, channel, cell);
            let begin = (level * WIDTH + offset) * VALUE;
            let mut left = stretch;
            // Only unchecked requests have more bins than the table is wide: their noise repeats itself.
            while left > MOST_BINS * VALUE {
                memory.extend_from_slice(&self.levels[begin..begin + MOST_BINS * VALUE]);
                left -= MOST_BINS * VALUE;
            }
            memory.extend_from_slice(&self.levels[begin..begin + left]);
        }
        memory.split().freeze()
    }
}

/// The numbers of a row, or of a part of one.
pub fn values(row: &[u8]) -> impl Iterator<Item = f32> {
    row.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value))
}

/// A number from 0 up to 1 out of the upper bits of a draw.
#[allow(clippy::cast_precision_loss, reason = "24 bits fit a 32-bit float")]
fn unit(draw: u64) -> f32 {
    (draw >> 40) as f32 / (1u64 << 24) as f32
}

/// The number that a channel's noise is drawn for. All channels of a fibre have one of their own; those far outside of
/// any share theirs with others.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "any number will do")]
fn place(channel: Channel) -> u32 {
    channel.0 as u32
}

/// How loud a channel is in a row: quiet, unless a loud place is near.
fn level(row: u64, channel: Channel, cell: u64) -> usize {
    let loud = (row / ROWS_PER_CHANNEL) % SPACING;
    let distance = (u64::from(place(channel)) + SPACING - loud) % SPACING;
    let distance = usize::try_from(distance.min(SPACING - distance)).unwrap_or(0);
    let quiet = if cell >> 63 == 0 { 2 } else { 3 };
    (LEVELS - 1).saturating_sub(distance).max(quiet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(min: i64, max: i64) -> ChannelRange {
        ChannelRange::new(Channel(min), Channel(max)).expect("a block")
    }

    #[test]
    fn rows_channels_streams_jobs_and_seeds_differ_and_the_same_ones_repeat() {
        let table = FrameTable::new(Seed(1));
        let stream = Seed(1).stream(5, 0);
        let row = table.row(stream, 9, block(1, 17), 256);
        assert_eq!(row.len(), 17 * 256 * 4);
        assert_eq!(row, FrameTable::new(Seed(1)).row(stream, 9, block(1, 17), 256));
        assert_ne!(row, table.row(stream, 10, block(1, 17), 256));
        assert_ne!(row, table.row(Seed(1).stream(5, 1), 9, block(1, 17), 256));
        assert_ne!(row, table.row(Seed(1).stream(6, 0), 9, block(1, 17), 256));
        assert_ne!(row, FrameTable::new(Seed(2)).row(Seed(2).stream(5, 0), 9, block(1, 17), 256));
        let channels: Vec<_> = row.chunks(256 * 4).collect();
        assert!((1..17).all(|channel| channels[channel] != channels[0]));
    }

    #[test]
    fn a_part_of_the_channels_holds_the_same_numbers_as_the_whole() {
        let table = FrameTable::new(Seed(3));
        let stream = Seed(3).stream(1, 0);
        let whole = table.row(stream, 4, block(1, 10), 64);
        assert_eq!(table.row(stream, 4, block(6, 10), 64), whole.slice(5 * 64 * 4..));
    }

    #[test]
    fn values_stay_between_the_stated_bounds_up_to_the_widest_row() {
        let table = FrameTable::new(Seed(4));
        for row in 0..50 {
            let row = table.row(Seed(4).stream(1, 2), row, block(1, 3), 32_768);
            assert!(values(&row).all(|value| (MINIMUM..=MAXIMUM).contains(&value)));
        }
    }

    #[test]
    fn a_row_of_unchecked_length_is_as_long_as_it_was_asked_for_wherever_its_channel_lies() {
        let table = FrameTable::new(Seed(4));
        for bins in [32_768, 32_769, 65_536, 131_072] {
            let block = ChannelRange::between(Channel(-1), Channel(-1));
            let row = table.row(Seed(4).stream(1, 0), 3, block, bins);
            assert_eq!(row.len(), bins as usize * VALUE);
            assert!(values(&row).all(|value| (MINIMUM..=MAXIMUM).contains(&value)));
        }
    }

    #[test]
    fn something_loud_moves_along_the_fibre() {
        let table = FrameTable::new(Seed(5));
        let loudest = |row: u64| {
            let row = table.row(Seed(5).stream(1, 0), row, block(1, 200), 64);
            let energies: Vec<f32> = row.chunks(64 * 4).map(|channel| values(channel).sum()).collect();
            (0..200).max_by(|a, b| energies[*a].total_cmp(&energies[*b])).expect("has channels")
        };
        let (early, late) = (loudest(160), loudest(640));
        assert!((110..=130).contains(&(late - early)), "moved from {early} to {late}");
    }
}
