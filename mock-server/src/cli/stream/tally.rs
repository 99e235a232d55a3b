//! What came so far, in numbers.

use std::collections::VecDeque;
use std::time::Duration;

use focus_proto::pandadatastream::DataStream;

/// Time between two looks at what came.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// Looks over which a rate is taken: three seconds.
const LOOKS: usize = 30;

/// Counts of a stream.
#[derive(Debug, Default)]
pub(super) struct Tally {
    frames: u64,
    rows: u64,
    bytes: u64,
    since_tick: (u64, u64),
    ticks: VecDeque<(u64, u64)>,
    shape: String,
    extent: Option<(f32, f32)>,
}

impl Tally {
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    pub(super) fn count(&mut self, frame: &DataStream) {
        let rows = frame.main_data.len() as u64;
        let bytes: u64 = frame.main_data.iter().map(|row| row.len() as u64).sum();
        self.frames += 1;
        self.rows += rows;
        self.bytes += bytes;
        self.since_tick.0 += rows;
        self.since_tick.1 += bytes;
        self.shape = shape(frame);
        for (least, most) in frame.main_data.iter().filter_map(|row| extent(row)) {
            let (low, high) = self.extent.unwrap_or((least, most));
            self.extent = Some((low.min(least), high.max(most)));
        }
    }

    /// Another tenth of a second is over.
    pub(super) fn tick(&mut self) {
        self.ticks.push_back(std::mem::take(&mut self.since_tick));
        if self.ticks.len() > LOOKS {
            self.ticks.pop_front();
        }
    }

    /// Rows and bytes a second.
    #[allow(clippy::cast_precision_loss, reason = "a rate is shown with three digits")]
    fn rate(&self) -> (f64, f64) {
        let seconds = TICK.as_secs_f64() * self.ticks.len().max(1) as f64;
        let (rows, bytes) = self.ticks.iter().fold((0, 0), |sum, tick| (sum.0 + tick.0, sum.1 + tick.1));
        (rows as f64 / seconds, bytes as f64 / seconds)
    }

    /// Everything so far, in two lines.
    pub(super) fn lines(&self) -> [String; 2] {
        let (rows, bytes) = self.rate();
        let extent =
            self.extent.map_or_else(String::new, |(low, high)| format!("  values {low:.2} to {high:.2}"));
        let (shape, frames, total) = (&self.shape, self.frames, self.rows);
        [
            format!("{shape}{extent}"),
            format!("frames {frames}  rows {total}  {rows:.1} rows/s  {:.2} MB/s", bytes / 1e6),
        ]
    }

    /// The frame that was counted last, in a line.
    pub(super) fn line(&self, frame: &DataStream) -> String {
        let range = |list: &[i64]| match (list.first(), list.last()) {
            (Some(first), Some(last)) if first != last => format!("{first}-{last}"),
            (Some(first), _) => first.to_string(),
            (None, _) => String::from("none"),
        };
        let rows: Vec<_> = frame.row_index.iter().map(|row| i64::from(*row)).collect();
        let time =
            frame.timestamp_in_milis.first().and_then(|time| jiff::Timestamp::from_millisecond(*time).ok());
        let time = time.map_or_else(|| String::from("at no time"), |time| format!("at {time:.3}"));
        let values = frame.main_data.iter().filter_map(|row| extent(row));
        let values = values.reduce(|sum, row| (sum.0.min(row.0), sum.1.max(row.1)));
        let values = values.map_or_else(String::new, |(low, high)| format!("  min {low:.2}  max {high:.2}"));
        format!("frame {}  {}  rows {}  {time}{values}", self.frames, shape(frame), range(&rows))
    }
}

fn shape(frame: &DataStream) -> String {
    let channels = frame.end_channel - frame.start_channel + 1;
    let values = frame.data_shape_x / channels.max(1);
    format!("channels {}-{} ({channels} x {values} values)", frame.start_channel, frame.end_channel)
}

/// Values of a row.
pub(super) fn values(row: &[u8]) -> impl Iterator<Item = f32> {
    row.chunks_exact(4).map(|value| f32::from_le_bytes([value[0], value[1], value[2], value[3]]))
}

fn extent(row: &[u8]) -> Option<(f32, f32)> {
    values(row).map(|value| (value, value)).reduce(|sum, value| (sum.0.min(value.0), sum.1.max(value.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: i32, values: &[f32]) -> DataStream {
        let row: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        DataStream {
            start_channel: 3,
            end_channel: 4,
            row_index: vec![first],
            timestamp_in_milis: vec![1_764_946_703_500],
            data_shape_x: 4,
            data_shape_y: 1,
            main_data: vec![row.into()],
            ..DataStream::default()
        }
    }

    #[test]
    fn a_frame_is_told_in_a_line() {
        let mut tally = Tally::default();
        let frame = frame(7, &[0.5, 2.0, -1.25, 1.0]);
        tally.count(&frame);
        assert_eq!(
            tally.line(&frame),
            "frame 1  channels 3-4 (2 x 2 values)  rows 7  at 2025-12-05T14:58:23.500Z  min -1.25  max 2.00"
        );
    }

    #[test]
    fn counts_add_up_and_rates_are_of_the_last_three_seconds() {
        let mut tally = Tally::default();
        for row in 0..4 {
            tally.count(&frame(row, &[1.0, 2.0, 3.0, 4.0]));
        }
        for _ in 0..10 {
            tally.tick();
        }
        let [what, how_much] = tally.lines();
        assert_eq!(what, "channels 3-4 (2 x 2 values)  values 1.00 to 4.00");
        assert_eq!(how_much, "frames 4  rows 4  4.0 rows/s  0.00 MB/s");
        for _ in 0..LOOKS {
            tally.tick();
        }
        assert_eq!(tally.lines()[1], "frames 4  rows 4  0.0 rows/s  0.00 MB/s");
    }
}
