//! What comes out of a job's port: frames, ends, and the services beside them.

pub(super) mod ends;
pub(super) mod historic;
pub(super) mod keepalive;
pub(super) mod live;
pub(super) mod services;

use std::ops::Range;
use std::time::Duration;

use focus_proto::pandadatastream::DataStream;
use serde_json::Value;
use tonic::{Code, Status};

use crate::bodies::historic;
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::story::Story;

/// From one frame to the next of every job here.
const INTERVAL: Duration = Duration::from_millis(100);

/// Demands how a call ended.
fn ended(status: &Status, code: Code, message: &str) -> Result<(), Failure> {
    equal("the end of a call", &(status.code(), status.message()), &(code, message))
}

/// Demands that a call is refused.
fn refused<T>(answered: Result<T, Status>, code: Code, message: &str) -> Result<(), Failure> {
    match answered {
        Ok(_) => Err(Failure::broken(format!("a call was accepted instead of {code:?} {message:?}"))),
        Err(status) => ended(&status, code, message),
    }
}

/// Numbers of all rows, in the order in which they came.
fn rows(frames: &[DataStream]) -> Vec<i32> {
    frames.iter().flat_map(|frame| frame.row_index.iter().copied()).collect()
}

/// Times of all rows, in the order in which they came.
fn times(frames: &[DataStream]) -> Vec<i64> {
    frames.iter().flat_map(|frame| frame.timestamp_in_milis.iter().copied()).collect()
}

/// A job over 20 minutes of the last hour, which play for 6 seconds; and its window.
async fn twenty_minutes(story: &Story, body: Value) -> Result<(Job, Range<i64>), Failure> {
    let start = story.now().await? - 3600;
    let window = start..start + 1200;
    Ok((story.configure(&historic(body, window.start, window.end)).await?, window))
}

/// Play time of [`twenty_minutes`].
const PLAY: Duration = Duration::from_secs(6);

/// Demands that frames hold a whole window: every row from 0 on once, times from its start to before its end.
fn whole(frames: &[DataStream], window: &Range<i64>) -> Result<(), Failure> {
    holds(frames.len() >= 8, || format!("{} frames, 8 is the least", frames.len()))?;
    let rows = rows(frames);
    let wrong = (0..).zip(&rows).find(|(number, row): &(i32, &i32)| number != *row);
    holds(wrong.is_none(), || {
        let (place, row) = wrong.unwrap_or((0, &0));
        format!("rows are missing or doubled: in place {place} is row {row}")
    })?;
    let times = times(frames);
    equal("the time of the first row", &times.first().copied(), &Some(window.start * 1000))?;
    let late = times.iter().find(|time| **time >= window.end * 1000);
    holds(late.is_none(), || format!("a row at {late:?}, the window ends at {}", window.end * 1000))
}
