//! What must hold for every frame of a job (INV-FRAME).

use focus_proto::pandadatastream::DataStream;

use super::Job;

/// Judges a frame that carries the whole block of its stream.
pub(super) fn check(job: &Job, stream: i32, frame: &DataStream) {
    assert_eq!((frame.start_channel, frame.end_channel), job.group(stream), "channels of stream {stream}");
    check_part(job, stream, frame);
}

/// Judges a frame that may carry a part of its stream's block.
pub(super) fn check_part(job: &Job, stream: i32, frame: &DataStream) {
    let (first, last) = job.group(stream);
    assert!(
        first <= frame.start_channel && frame.start_channel <= frame.end_channel && frame.end_channel <= last
    );
    let channels = frame.end_channel - frame.start_channel + 1;
    assert_eq!(frame.data_shape_x, channels * job.values_per_channel(), "data_shape_x");
    assert!(frame.data_shape_y >= 1, "data_shape_y {}", frame.data_shape_y);
    assert_eq!(frame.data_shape_z, None, "data_shape_z stays unset");
    assert_eq!(frame.job_id, Some(job.id.sequence.number()), "job_id");

    let rows = usize::try_from(frame.data_shape_y).expect("not negative");
    let parts = (frame.main_data.len(), frame.row_index.len(), frame.timestamp_in_milis.len());
    assert_eq!(parts, (rows, rows, rows), "rows, numbers and times");
    let row_bytes = usize::try_from(frame.data_shape_x).expect("not negative") * size_of::<f32>();
    assert!(frame.main_data.iter().all(|row| row.len() == row_bytes), "every row has data_shape_x values");
    assert!(frame.row_index.windows(2).all(|pair| pair[1] == pair[0] + 1), "{:?}", frame.row_index);
    assert!(rising(&frame.timestamp_in_milis), "{:?}", frame.timestamp_in_milis);

    assert!(frame.global_minimum.to_bits() == 0, "global_minimum {}", frame.global_minimum);
    assert!(frame.global_maximum > 0.0, "global_maximum {}", frame.global_maximum);
    let bounds = frame.global_minimum..=frame.global_maximum;
    let outside = frame.main_data.iter().flat_map(|row| values(row)).find(|value| !bounds.contains(value));
    assert_eq!(outside, None, "a value outside of {bounds:?}");
    assert!(frame.main_data.iter().flat_map(|row| values(row)).any(|value| value > 0.0), "only zeroes");
}

/// Judges the frames of one stream together: one numbering, one time axis, one scale.
pub(super) fn check_sequence(job: &Job, stream: i32, frames: &[DataStream]) {
    frames.iter().for_each(|frame| check(job, stream, frame));
    let numbers = super::row_numbers(frames);
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    assert!(rising(&super::row_times(frames)), "times rise from frame to frame");
    assert!(
        frames.windows(2).all(|pair| pair[0].global_maximum.to_bits() == pair[1].global_maximum.to_bits())
    );
}

pub(super) fn rising(times: &[i64]) -> bool {
    times.windows(2).all(|pair| pair[0] < pair[1])
}

fn values(row: &[u8]) -> impl Iterator<Item = f32> {
    row.chunks_exact(4).map(|v| f32::from_le_bytes([v[0], v[1], v[2], v[3]]))
}
