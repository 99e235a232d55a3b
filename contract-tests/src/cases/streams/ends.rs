//! How calls end when no window does: refused, cancelled, without progress.

use std::time::Duration;

use tonic::Code;

use super::{INTERVAL, ended, refused, twenty_minutes};
use crate::bodies::{base, light, with};
use crate::case::{Capability, Case, Tag};
use crate::client::grpc::Port;
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::story::Story;

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "streams/grpc-stream-id",
        claim: "a stream that a job does not have is an invalid argument, and neither job nor connection minds",
        keys: &[],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure Light and channel 7 alone",
            "open stream -1, stream_amount, stream_amount + 1 and the largest number",
            "open the last stream on the same connection",
        ],
        expects: "INVALID_ARGUMENT `stream_id {n} is out of range: the job has {k} streams`; then a frame",
        body: |story| Box::pin(grpc_stream_id(story)),
    },
    Case {
        id: "streams/grpc-cancelled",
        claim: "cancelling a job ends its open calls with CANCELLED and closes its port",
        keys: &["PZ-13670"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure Light, live and over 20 minutes",
            "open all streams and read a frame",
            "DELETE the job",
        ],
        expects: "CANCELLED `job cancelled` on each call; connections refused at once",
        body: |story| Box::pin(grpc_cancelled(story)),
    },
    Case {
        id: "streams/grpc-inactivity",
        claim: "a call whose client does not read for 180 seconds ends with DEADLINE_EXCEEDED; others keep the job",
        keys: &[],
        tags: &[Tag::Regression, Tag::Long],
        needs: &[Capability::Writes, Capability::Grpc, Capability::Clock],
        steps: &[
            "configure Base, open stream 0 with a window smaller than a frame, and read nothing of it",
            "read stream 1 for 190 s",
            "read what there is of stream 0",
        ],
        expects: "both calls open at 175 s, the frames that had left and then DEADLINE_EXCEEDED; stream 1 goes on",
        body: |story| Box::pin(grpc_inactivity(story)),
    },
    Case {
        id: "streams/grpc-inactivity-last",
        claim: "when the last call of a job ends for want of progress, the job is over",
        keys: &[],
        tags: &[Tag::Regression, Tag::Long],
        needs: &[Capability::Writes, Capability::Grpc, Capability::Clock],
        steps: &[
            "configure Base, open stream 0 with a window smaller than a frame, and read nothing",
            "wait",
        ],
        expects: "the job is gone 180 to 195 s later: after the limit, at the next tick of the sweep",
        body: |story| Box::pin(grpc_inactivity_last(story)),
    },
    Case {
        id: "streams/grpc-reconnect",
        claim: "a client that comes back before the sweep goes on with its live stream",
        keys: &[],
        tags: &[Tag::Regression, Tag::Long],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure Light, read a frame of stream 0, leave for 30 s",
            "read a frame again, twice over",
        ],
        expects: "frames each time, row numbers and times above those before, the range of the values the same",
        body: |story| Box::pin(grpc_reconnect(story)),
    },
];

async fn grpc_stream_id(story: &Story) -> Result<(), Failure> {
    let single =
        with(base(), [("view_type", "1".into()), ("channels", serde_json::json!({"min": 7, "max": 7}))]);
    for (body, streams) in [(light(), 3), (single, 1)] {
        let job = story.configure(&body).await?;
        let port = story.connect(&job).await?;
        for asked in [-1, streams, streams + 1, i32::MAX, i32::MIN] {
            let text = format!("stream_id {asked} is out of range: the job has {streams} streams");
            refused(port.open_raw(asked).await, Code::InvalidArgument, &text)?;
        }
        open(&port, &job, job.streams - 1).await?.frame().await?;
        story.cancel(&job).await?;
    }
    Ok(())
}

async fn open(port: &Port, job: &Job, stream: u32) -> Result<crate::client::grpc::Reading, Failure> {
    port.open(job, stream)
        .await
        .map_err(|status| Failure::broken(format!("stream {stream} of job {} is refused: {status}", job.id)))
}

async fn grpc_cancelled(story: &Story) -> Result<(), Failure> {
    let live = story.configure(&light()).await?;
    let (recorded, _) = twenty_minutes(story, light()).await?;
    for job in [live, recorded] {
        let mut readings = Vec::new();
        for stream in 0..job.streams {
            let mut reading = story.stream(&job, stream).await?;
            reading.frame().await?;
            readings.push(reading);
        }
        story.cancel(&job).await?;
        holds(!story.port_is_open(&job).await, || {
            format!("port {} of a cancelled job accepts connections", job.port)
        })?;
        for reading in &mut readings {
            let (_, status) = reading.rest().await?;
            ended(&status, Code::Cancelled, "job cancelled")?;
        }
    }
    Ok(())
}

async fn grpc_inactivity(story: &Story) -> Result<(), Failure> {
    const STEP: Duration = Duration::from_secs(5);
    let job = story.configure(&base()).await?;
    let narrow = Port::connect_narrow(&story.authority(&job)).await?;
    let mut idle = open(&narrow, &job, 0).await?;
    let mut read = story.stream(&job, 1).await?;
    for step in 0..38 {
        read.frame().await?;
        if step == 35 {
            // 175 s: not yet.
            let open = story.open_calls(&job).await?;
            holds(open.is_none_or(|open| open == 2), || format!("{open:?} calls are open after 175 s"))?;
        }
        story.pass(STEP).await?;
    }
    let (frames, status) = idle.rest().await?;
    equal("the end of a call that nobody read", &status.code(), &Code::DeadlineExceeded)?;
    holds(!frames.is_empty(), || String::from("what had left before the end was lost"))?;
    read.frame().await?;
    story.metadata(&job.id).await?.has_status(200)?;
    story.cancel(&job).await?;
    Ok(())
}

async fn grpc_inactivity_last(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&base()).await?;
    let narrow = Port::connect_narrow(&story.authority(&job)).await?;
    let idle = open(&narrow, &job, 0).await?;
    let step = Duration::from_secs(5);
    let passed = story.until_gone(&job, step, Duration::from_secs(195)).await?;
    holds(passed >= Duration::from_secs(180), || format!("gone after {} s", passed.as_secs()))?;
    drop(idle);
    Ok(())
}

async fn grpc_reconnect(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    let (mut last, mut range) = (None, None);
    for _ in 0..3 {
        let mut reading = story.stream(&job, 0).await?;
        for _ in 0..2 {
            let frame = reading.frame().await?;
            let first = frame.row_index.first().copied().zip(frame.timestamp_in_milis.first().copied());
            let later = first
                .zip(last)
                .is_none_or(|((row, time), (last_row, last_time))| row > last_row && time > last_time);
            holds(later, || format!("row and time {first:?} after {last:?}"))?;
            let is = (frame.global_minimum, frame.global_maximum);
            equal("the range of the values", &is, range.get_or_insert(is))?;
            last = frame.row_index.last().copied().zip(frame.timestamp_in_milis.last().copied());
            story.pass(INTERVAL).await?;
        }
        drop(reading);
        story.until_open_calls(&job, 0).await?;
        story.pass(Duration::from_secs(30)).await?;
    }
    story.cancel(&job).await?;
    Ok(())
}
