//! What holds for every frame of a stream, whatever a case demands of it: INV-FRAME.

use focus_proto::pandadatastream::DataStream;

use crate::failure::Failure;
use crate::job::Job;

/// The frames of one call on a stream, as far as they bind those that follow.
#[derive(Clone, Debug)]
pub struct Geometry {
    job: i32,
    stream: u32,
    block: (u32, u32),
    values_per_channel: u32,
    frames: u64,
    last_row: Option<i32>,
    last_time: Option<i64>,
    range: Option<(f32, f32)>,
    /// Last channel of a block that does not reach the stream's last one.
    partial: Option<i32>,
}

impl Geometry {
    /// Of a stream of a job, before its first frame.
    #[must_use]
    pub fn of(job: &Job, stream: u32) -> Self {
        Self {
            job: job.sequence,
            stream,
            block: job.block(stream).unwrap_or((0, 0)),
            values_per_channel: u32::try_from(job.frequencies.len()).unwrap_or(u32::MAX).max(1),
            frames: 0,
            last_row: None,
            last_time: None,
            range: None,
            partial: None,
        }
    }

    /// Which stream it is.
    #[must_use]
    pub fn stream(&self) -> u32 {
        self.stream
    }

    /// How many frames came.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn hold(&mut self, frame: &DataStream) -> Result<(), Failure> {
        let problem = self.shape(frame).or_else(|| self.order(frame)).or_else(|| self.values(frame));
        if let Some(problem) = problem {
            return Err(Failure::broken(format!(
                "INV-FRAME: frame {} of stream {}: {problem}",
                self.frames, self.stream
            )));
        }
        self.frames += 1;
        Ok(())
    }

    fn shape(&mut self, frame: &DataStream) -> Option<String> {
        let (first, last) = (i64::from(self.block.0), i64::from(self.block.1));
        let (start, end) = (i64::from(frame.start_channel), i64::from(frame.end_channel));
        if start < first || end > last || start > end {
            return Some(format!("channels {start} to {end}, the stream has {first} to {last}"));
        }
        // A row wider than a message leaves as several frames over consecutive blocks.
        let expected_start = self.partial.map_or(first, |end| i64::from(end) + 1);
        if start != expected_start {
            return Some(format!("begins with channel {start} and not with {expected_start}"));
        }
        self.partial = (end < last).then_some(frame.end_channel);
        let values = (end - start + 1) * i64::from(self.values_per_channel);
        if i64::from(frame.data_shape_x) != values {
            return Some(format!("data_shape_x {} and not {values}", frame.data_shape_x));
        }
        let rows = frame.main_data.len();
        let counted = [frame.row_index.len(), frame.timestamp_in_milis.len()];
        if rows == 0
            || i64::from(frame.data_shape_y) != rows as i64
            || counted.iter().any(|count| *count != rows)
        {
            return Some(format!(
                "data_shape_y {}, {rows} rows, {} row numbers, {} times",
                frame.data_shape_y, counted[0], counted[1]
            ));
        }
        if let Some(depth) = frame.data_shape_z.filter(|depth| *depth != 1) {
            return Some(format!("data_shape_z {depth} and not 1"));
        }
        let wrong = frame.main_data.iter().find(|row| row.len() as i64 != values * 4);
        if let Some(row) = wrong {
            return Some(format!("a row of {} bytes and not {}", row.len(), values * 4));
        }
        (frame.job_id != Some(self.job)).then(|| format!("job_id {:?} and not {}", frame.job_id, self.job))
    }

    fn order(&mut self, frame: &DataStream) -> Option<String> {
        let first_block = i64::from(frame.start_channel) == i64::from(self.block.0);
        for (row, time) in frame.row_index.iter().zip(&frame.timestamp_in_milis) {
            if !first_block {
                if (Some(*row), Some(*time)) != (self.last_row, self.last_time) {
                    return Some(format!(
                        "a further block of row {:?} calls itself row {row}",
                        self.last_row
                    ));
                }
                continue;
            }
            if self.last_row.is_some_and(|last| *row <= last) {
                return Some(format!("row {row} after row {:?}", self.last_row));
            }
            if self.last_time.is_some_and(|last| *time <= last) {
                return Some(format!("time {time} after time {:?}", self.last_time));
            }
            (self.last_row, self.last_time) = (Some(*row), Some(*time));
        }
        None
    }

    fn values(&mut self, frame: &DataStream) -> Option<String> {
        let (low, high) = (frame.global_minimum, frame.global_maximum);
        if !(0.0..high).contains(&low) {
            return Some(format!("global_minimum {low}, global_maximum {high}"));
        }
        if *self.range.get_or_insert((low, high)) != (low, high) {
            return Some(format!("range {low} to {high}, before it was {:?}", self.range));
        }
        let values = frame.main_data.iter().flat_map(|row| row.chunks_exact(4));
        let outside = values
            .map(|value| f32::from_le_bytes([value[0], value[1], value[2], value[3]]))
            .find(|value| !(low..=high).contains(value));
        outside.map(|value| format!("value {value} outside {low} to {high}"))
    }
}
