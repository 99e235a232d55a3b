//! From a task configuration as it was sent to one that makes sense, or everything that is wrong with it.

use std::time::Duration;

use super::check::{Given, RangeDraft};
use super::task::{TaskConfig, TaskId};
use super::time::{EpochSeconds, TimeRange};
use super::violation::{Field, Violation, Violations};

/// A task configuration as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct TaskDraft {
    /// `displayTimeAxisDuration`, seconds.
    pub duration: Given<f64>,
    /// `nfftSelection`
    pub nfft: Given<i64>,
    /// `canvasInfo`, with its `height`.
    pub canvas: Given<Given<i64>>,
    /// `sensors`, 0-based.
    pub sensors: Given<RangeDraft>,
    /// `frequencyRange`: its `min` and `max`, Hz.
    pub frequencies: Given<(Given<f64>, Given<f64>)>,
    /// `start_time`
    pub start: Given<EpochSeconds>,
    /// `end_time`
    pub end: Given<EpochSeconds>,
}

/// Understands a task configuration; `last_sensor` is the highest sensor there is.
///
/// # Errors
/// All its violations, the task's name first, then field by field.
pub fn task(id: &str, draft: &TaskDraft, last_sensor: u32) -> Result<(TaskId, TaskConfig), Violations> {
    let mut found = Vec::new();
    let id = TaskId::new(id);
    if id.is_none() {
        found.push(Violation::BadTaskId);
    }
    let duration = given(draft.duration, Field::Duration, Violation::NotANumber, &mut found)
        .and_then(|seconds| positive(seconds, seconds > 0.0, Field::Duration, &mut found));
    let _nfft = given(draft.nfft, Field::Nfft, Violation::NotAnInteger, &mut found)
        .and_then(|length| positive(length, length > 0, Field::Nfft, &mut found));
    let height = given(draft.canvas, Field::Canvas, Violation::NotAnObjectAt, &mut found)
        .and_then(|height| given(height, Field::CanvasHeight, Violation::NotAnInteger, &mut found))
        .and_then(|height| positive(height, height > 0, Field::CanvasHeight, &mut found));
    let sensors = given(draft.sensors, Field::Sensors, Violation::NotAnObjectAt, &mut found)
        .and_then(|range| sensors(range, last_sensor, &mut found));
    frequencies(draft.frequencies, &mut found);
    let window = window(draft, &mut found);
    let interval = duration.zip(height).and_then(|(duration, height)| row_interval(duration, height));
    match (Violations::of(found), id, sensors, interval) {
        (None, Some(id), Some(sensors), Some(row_interval)) => {
            Ok((id, TaskConfig { sensors, row_interval, window }))
        }
        (Some(violations), ..) => Err(violations),
        (None, ..) => unreachable!("a part that could not be understood reports why"),
    }
}

/// Time between two rows. Any positive numbers have one: it ends at what a clock can hold.
#[allow(clippy::cast_precision_loss, reason = "heights come from JSON integers, exact in a 64-bit float")]
fn row_interval(duration: f64, height: i64) -> Option<Duration> {
    Some(Duration::try_from_secs_f64(duration / height as f64).unwrap_or(Duration::MAX))
}

fn given<T>(
    given: Given<T>,
    field: Field,
    mistyped: fn(Field) -> Violation,
    found: &mut Vec<Violation>,
) -> Option<T> {
    match given {
        Given::Absent => found.push(Violation::Missing(field)),
        Given::Malformed => found.push(mistyped(field)),
        Given::Value(value) => return Some(value),
    }
    None
}

fn positive<T>(value: T, is_positive: bool, field: Field, found: &mut Vec<Violation>) -> Option<T> {
    if !is_positive {
        found.push(Violation::NotPositive(field));
    }
    is_positive.then_some(value)
}

fn sensors(range: RangeDraft, last: u32, found: &mut Vec<Violation>) -> Option<(u32, u32)> {
    let min = given(range.min, Field::SensorsMin, Violation::NotAnInteger, found);
    let max = given(range.max, Field::SensorsMax, Violation::NotAnInteger, found);
    if min.is_some_and(|min| min < 0) {
        found.push(Violation::Negative(Field::SensorsMin));
    }
    if min.zip(max).is_some_and(|(min, max)| min >= max) {
        found.push(Violation::RangeReversed(Field::Sensors));
    }
    if let Some(max) = max.filter(|max| *max > i64::from(last)) {
        found.push(Violation::SensorAboveLast { max, last });
    }
    Some((u32::try_from(min?).ok()?, u32::try_from(max?).ok()?))
}

fn frequencies(range: Given<(Given<f64>, Given<f64>)>, found: &mut Vec<Violation>) {
    let Some((min, max)) = given(range, Field::FrequencyRange, Violation::NotAnObjectAt, found) else {
        return;
    };
    let min = given(min, Field::FrequencyMin, Violation::NotANumber, found);
    let max = given(max, Field::FrequencyMax, Violation::NotANumber, found);
    if min.is_some_and(|min| min < 0.0) {
        found.push(Violation::Negative(Field::FrequencyMin));
    }
    if min.zip(max).is_some_and(|(min, max)| min >= max) {
        found.push(Violation::RangeReversed(Field::FrequencyRange));
    }
}

fn window(draft: &TaskDraft, found: &mut Vec<Violation>) -> Option<TimeRange> {
    match (draft.start, draft.end) {
        (Given::Absent, Given::Absent) => return None,
        (Given::Absent, _) => found.push(Violation::OneSidedWindow { absent: Field::StartTime }),
        (_, Given::Absent) => found.push(Violation::OneSidedWindow { absent: Field::EndTime }),
        _ => {}
    }
    for (field, time) in [(Field::StartTime, draft.start), (Field::EndTime, draft.end)] {
        if time == Given::Malformed {
            found.push(Violation::NotAStamp(field));
        }
    }
    let (Given::Value(start), Given::Value(end)) = (draft.start, draft.end) else { return None };
    let range = TimeRange::new(start, end);
    if range.is_none() {
        found.push(Violation::TimesReversed);
    }
    range
}
