//! Frames of recorded windows, from their burst to their end.

use std::time::Duration;

use focus_proto::pandadatastream::DataStream;
use tonic::Code;

use super::{PLAY, ended, rows, times, twenty_minutes, whole};
use crate::bodies::light;
use crate::case::{Capability, Case, Tag};
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::story::Story;

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "streams/grpc-historic-end",
        claim: "a historic stream plays its whole window and ends with OK; with the last one the job is over",
        keys: &["PZ-13868", "PZ-13872"],
        tags: &[Tag::Regression, Tag::Long],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure Light over 20 minutes of the last hour, which play for 6 s",
            "read stream 0 to its end, and read it again",
            "read streams 1 and 2 to their ends",
            "look whether the job is gone",
        ],
        expects: "at least 8 frames per stream, every row once, times within the window, OK within 8 s each; OK without \
                  a frame for the second reading; the job gone at most 12 s after the last end, its port at once",
        body: |story| Box::pin(grpc_historic_end(story)),
    },
    Case {
        id: "streams/grpc-historic-pacing",
        claim: "a historic stream has as many frames as fit its play time, spread evenly over its window",
        keys: &["PZ-13868"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc, Capability::Clock],
        steps: &["configure Light over 20 minutes", "read stream 0 to its end"],
        expects: "a burst of 8 frames before any time passes, 60 frames of 8 rows in all, rows 2.5 s apart",
        body: |story| Box::pin(grpc_historic_pacing(story)),
    },
    Case {
        id: "streams/grpc-validity-historic",
        claim: "shapes, bounds, row numbers and times of historic frames hold together",
        keys: &["PZ-15201"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &["configure Light over 20 minutes", "read the first eight frames of every stream"],
        expects: "as grpc-validity, and the first row at start_time",
        body: |story| Box::pin(grpc_validity_historic(story)),
    },
    Case {
        id: "streams/grpc-historic-shared",
        claim: "two calls on a historic stream share one read position and get every row once",
        keys: &[],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &["configure Light over 20 minutes", "read stream 0 to its end with two calls at once"],
        expects: "both end with OK; together they have every row exactly once",
        body: |story| Box::pin(grpc_historic_shared(story)),
    },
    Case {
        id: "streams/historic-flow",
        claim: "one historic job goes its whole way: configured, all streams read at once to their ends, gone by itself",
        keys: &["PZ-15241"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure Light over 20 minutes, GET /metadata",
            "read all streams at once to their ends",
            "left to the cases with load: five, six and heavy jobs, sustained",
        ],
        expects: "INV-META, the whole window on each stream, OK three times, the metadata still there, gone within 12 s",
        body: |story| Box::pin(historic_flow(story)),
    },
];

/// What PZ-15201 asks of frames, whatever else they are held to.
pub(super) fn valid(frames: &[DataStream]) -> Result<(), Failure> {
    for frame in frames {
        let (x, y) = (frame.data_shape_x, frame.data_shape_y);
        holds(x > 0 && y > 0, || format!("a frame of {x} times {y} values"))?;
        let (low, high) = (frame.global_minimum, frame.global_maximum);
        holds(0.0 <= low && low <= high, || format!("a frame with bounds {low} to {high}"))?;
    }
    let rows = rows(frames);
    holds(rows.is_sorted_by(|one, next| one < next), || format!("rows {rows:?}"))?;
    let times = times(frames);
    holds(times.is_sorted_by(|one, next| one < next), || format!("times {times:?}"))
}

/// Reads a stream to its end while its window plays; it must come in time, with OK.
async fn played(story: &Story, job: &Job, stream: u32) -> Result<Vec<DataStream>, Failure> {
    let began = story.now().await?;
    let mut reading = story.stream(job, stream).await?;
    // The burst first: the playback begins with the call, and must have begun before time passes.
    let mut frames = reading.frames(8).await?;
    let (rest, passed) = tokio::join!(reading.rest(), story.pass(PLAY));
    passed?;
    let (rest, status) = rest?;
    ended(&status, Code::Ok, "")?;
    frames.extend(rest);
    let took = story.now().await? - began;
    holds(took <= 8, || format!("stream {stream} took {took} s to its end"))?;
    Ok(frames)
}

async fn grpc_historic_end(story: &Story) -> Result<(), Failure> {
    let (job, window) = twenty_minutes(story, light()).await?;
    whole(&played(story, &job, 0).await?, &window)?;
    let (again, status) = story.stream(&job, 0).await?.to_its_end().await?;
    equal("the number of frames of a second reading", &again, &0)?;
    ended(&status, Code::Ok, "")?;
    for stream in [1, 2] {
        whole(&played(story, &job, stream).await?, &window)?;
    }
    over(story, &job).await
}

/// A job whose streams have all ended: its port is closed, and it goes away by itself.
async fn over(story: &Story, job: &Job) -> Result<(), Failure> {
    holds(!story.port_is_open(job).await, || {
        format!("port {} of a job that was played out accepts connections", job.port)
    })?;
    story.until_gone(job, Duration::from_secs(1), Duration::from_secs(12)).await?;
    Ok(())
}

async fn grpc_historic_pacing(story: &Story) -> Result<(), Failure> {
    let (job, window) = twenty_minutes(story, light()).await?;
    let frames = played(story, &job, 0).await?;
    whole(&frames, &window)?;
    let shape: Vec<_> = frames.iter().map(|frame| frame.data_shape_y).collect();
    equal("rows of each frame", &shape, &vec![8; 60])?;
    for (row, time) in (0..).zip(times(&frames)) {
        let even = window.start * 1000 + row * 2500;
        holds((time - even).abs() <= 1, || format!("row {row} at {time} instead of {even}"))?;
    }
    story.cancel(&job).await?;
    Ok(())
}

async fn grpc_validity_historic(story: &Story) -> Result<(), Failure> {
    let (job, window) = twenty_minutes(story, light()).await?;
    for stream in 0..job.streams {
        let frames = story.stream(&job, stream).await?.frames(8).await?;
        valid(&frames)?;
        equal("the time of the first row", &times(&frames).first().copied(), &Some(window.start * 1000))?;
    }
    story.cancel(&job).await?;
    Ok(())
}

async fn grpc_historic_shared(story: &Story) -> Result<(), Failure> {
    let (job, window) = twenty_minutes(story, light()).await?;
    let mut first = story.stream(&job, 0).await?;
    let mut frames = vec![first.frame().await?];
    let mut second = story.stream(&job, 0).await?;
    let (one, two, passed) = tokio::join!(first.rest(), second.rest(), story.pass(PLAY));
    passed?;
    for rest in [one, two] {
        let (rest, status) = rest?;
        ended(&status, Code::Ok, "")?;
        frames.extend(rest);
    }
    frames.sort_by_key(|frame| frame.row_index.first().copied());
    whole(&frames, &window)?;
    story.cancel(&job).await?;
    Ok(())
}

async fn historic_flow(story: &Story) -> Result<(), Failure> {
    let (job, window) = twenty_minutes(story, light()).await?;
    story.metadata(&job.id).await?.has_status(200)?.is_json(&job.answer.json()?)?;
    let mut readings = Vec::new();
    let mut frames = Vec::new();
    for stream in 0..job.streams {
        let mut reading = story.stream(&job, stream).await?;
        frames.push(reading.frames(8).await?);
        readings.push(reading);
    }
    let reading = futures_util::future::join_all(readings.iter_mut().map(|reading| reading.rest()));
    let (rests, passed) = tokio::join!(reading, story.pass(PLAY));
    passed?;
    for (rest, mut frames) in rests.into_iter().zip(frames) {
        let (rest, status) = rest?;
        ended(&status, Code::Ok, "")?;
        frames.extend(rest);
        whole(&frames, &window)?;
    }
    story.metadata(&job.id).await?.has_status(200)?.is_json(&job.answer.json()?)?;
    over(story, &job).await
}
