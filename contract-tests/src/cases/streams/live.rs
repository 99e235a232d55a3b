//! Frames of live jobs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{INTERVAL, rows, times};
use crate::bodies::{base, light, waterfall, with};
use crate::case::{Capability, Case, Tag};
use crate::client::grpc::Reading;
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::story::Story;
use crate::wall;

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "streams/grpc-live-frames",
        claim: "every stream of a live job delivers frames of its own channels, one after the other",
        keys: &["PZ-15200", "PZ-15202", "PZ-13570"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &["configure Base", "open every stream", "read five frames of each"],
        expects: "the first frame at once (within 0.5 s), at least three within 30 s; INV-FRAME; row numbers from 0 on \
                  without a gap; times near the server's clock",
        body: |story| Box::pin(grpc_live_frames(story)),
    },
    Case {
        id: "streams/grpc-live-frames-views",
        claim: "a single channel and a waterfall stream as many channels do, in their own shape",
        keys: &["PZ-15200", "PZ-15202"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure channel 7 alone, and the smallest waterfall",
            "read three frames of stream 0 of both",
        ],
        expects: "data_shape_x is the number of bins, and the number of channels; INV-FRAME",
        body: |story| Box::pin(grpc_live_frames_views(story)),
    },
    Case {
        id: "streams/grpc-live-frames-large",
        claim: "a row of more than 16 MiB comes as several frames over consecutive blocks of channels",
        keys: &["PZ-15200"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure 129 channels per stream with 32768 bins each",
            "read the frames of the first row",
        ],
        expects: "two frames of at most 16 MiB, the second with the same row and beginning behind the first's channels",
        body: |story| Box::pin(grpc_live_frames_large(story)),
    },
    Case {
        id: "streams/grpc-validity",
        claim: "shapes, bounds, row numbers and times of live frames hold together",
        keys: &["PZ-15201"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure Light",
            "read ten frames of every stream",
            "the historic part is grpc-validity-historic",
        ],
        expects: "data_shape_x·data_shape_y above 0, global_maximum >= global_minimum >= 0 and constant, rows and times \
                  strictly increase; INV-FRAME",
        body: |story| Box::pin(grpc_validity(story)),
    },
    Case {
        id: "streams/grpc-shared-rows",
        claim: "calls on one live stream share its row counter: no row comes twice, and a later call goes on",
        keys: &[],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure Light",
            "read five frames each of two calls on stream 0, on one connection and on another",
            "leave both, and read a frame of a third call",
        ],
        expects: "all rows differ, times rise with them; the third call's rows are above all before",
        body: |story| Box::pin(grpc_shared_rows(story)),
    },
    Case {
        id: "streams/live-flow",
        claim: "one live job goes its whole way: configured, read on every stream, left, cancelled, gone",
        keys: &["PZ-15234"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure Light, GET /metadata",
            "read five frames of every stream",
            "DELETE the job",
            "left to the cases with load: five, six and heavy jobs, sustained",
        ],
        expects: "200 with all invariants, INV-META, five frames each, 200 cancelled, INV-GONE within 5 s",
        body: |story| Box::pin(live_flow(story)),
    },
];

/// A call on every stream of a job.
async fn open_all(story: &Story, job: &Job) -> Result<Vec<Reading>, Failure> {
    let port = story.connect(job).await?;
    let mut readings = Vec::new();
    for stream in 0..job.streams {
        let opened = port.open(job, stream).await;
        readings.push(opened.map_err(|status| Failure::broken(format!("stream {stream}: {status}")))?);
    }
    Ok(readings)
}

async fn grpc_live_frames(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&base()).await?;
    let asked = wall::now();
    let mut readings = open_all(story, &job).await?;
    let mut frames = vec![Vec::new(); readings.len()];
    for round in 0..5 {
        let now = story.now().await?;
        for (reading, frames) in readings.iter_mut().zip(&mut frames) {
            let frame = reading.frame().await?;
            let last = frame.timestamp_in_milis.last().copied().unwrap_or(0).div_euclid(1000);
            // Clocks of servers that cannot be asked may differ by as much as `end_time` is allowed to.
            let near = if story.offers(Capability::Clock) { 1 } else { 60 };
            holds((last - now).abs() <= near, || format!("a live row at {last}, the clock shows {now}"))?;
            frames.push(frame);
        }
        if round == 0 && !story.offers(Capability::Clock) {
            let took = asked.elapsed().as_millis();
            holds(took <= 500, || format!("the first frame came after {took} ms, 500 is the limit"))?;
        }
        story.pass(INTERVAL).await?;
    }
    for frames in frames {
        let first = frames.first().map(|frame| frame.row_index.clone()).unwrap_or_default();
        equal("the number of the first row", &first.first(), &Some(&0))?;
        let gapless = rows(&frames).windows(2).all(|pair| pair[0] + 1 == pair[1]);
        // Where time is real, a client may be slower than the fibre, and rows pass unread.
        holds(gapless || !story.offers(Capability::Clock), || format!("rows {:?}", rows(&frames)))?;
    }
    story.cancel(&job).await?;
    Ok(())
}

async fn grpc_live_frames_views(story: &Story) -> Result<(), Failure> {
    let single = with(base(), [("view_type", json!("1")), ("channels", json!({"min": 7, "max": 7}))]);
    for (body, values) in [(single, 256), (waterfall(), 10)] {
        let job = story.configure(&body).await?;
        let mut reading = story.stream(&job, 0).await?;
        for _ in 0..3 {
            let frame = reading.frame().await?;
            equal("data_shape_x", &frame.data_shape_x, &values)?;
            story.pass(INTERVAL).await?;
        }
        story.cancel(&job).await?;
    }
    Ok(())
}

async fn grpc_live_frames_large(story: &Story) -> Result<(), Failure> {
    const LARGEST_FRAME: usize = 16 * 1024 * 1024;
    let body = with(
        base(),
        [
            ("channels", json!({"min": 1, "max": 387})),
            ("nfftSelection", json!(65_536)),
            ("frequencyRange.max", json!(1000)),
        ],
    );
    let job = story.configure(&body).await?;
    let mut reading = story.stream(&job, 0).await?;
    // That the second block goes on where the first one ends, and calls itself the same row, every frame is held to.
    let frames = reading.frames(2).await?;
    for frame in &frames {
        let bytes: usize = frame.main_data.iter().map(|row| row.len()).sum();
        holds(bytes <= LARGEST_FRAME, || format!("a frame of {bytes} bytes"))?;
    }
    let ends: Vec<_> = frames.iter().map(|frame| (frame.start_channel, frame.end_channel)).collect();
    let covered = ends[0].0 == 1 && ends[1].0 == ends[0].1 + 1 && ends[1].1 == 129;
    holds(covered, || format!("blocks {ends:?} of the channels 1 to 129"))?;
    equal("the row of both blocks", &frames[1].row_index, &frames[0].row_index)?;
    story.cancel(&job).await?;
    Ok(())
}

async fn grpc_validity(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    let mut readings = open_all(story, &job).await?;
    let mut frames = vec![Vec::new(); readings.len()];
    for _ in 0..10 {
        for (reading, frames) in readings.iter_mut().zip(&mut frames) {
            frames.push(reading.frame().await?);
        }
        story.pass(INTERVAL).await?;
    }
    for frames in &frames {
        super::historic::valid(frames)?;
    }
    story.cancel(&job).await?;
    Ok(())
}

async fn grpc_shared_rows(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    for one_connection in [true, false] {
        let port = story.connect(&job).await?;
        let other = if one_connection { port.clone() } else { story.connect(&job).await? };
        let refused = |status: tonic::Status| Failure::broken(format!("stream 0: {status}"));
        let mut first = port.open(&job, 0).await.map_err(refused)?;
        let mut second = other.open(&job, 0).await.map_err(refused)?;
        let mut frames = Vec::new();
        for _ in 0..5 {
            frames.push(first.frame().await?);
            frames.push(second.frame().await?);
            story.pass(INTERVAL).await?;
        }
        let all: BTreeSet<_> = rows(&frames).into_iter().collect();
        equal("the number of different rows", &all.len(), &rows(&frames).len())?;
        frames.sort_by_key(|frame| frame.row_index.first().copied());
        let rise = times(&frames).is_sorted_by(|one, next| one < next);
        holds(rise, || format!("times {:?} of the rows {:?}", times(&frames), rows(&frames)))?;
        drop((first, second));
        let later = story.stream(&job, 0).await?.frame().await?;
        let goes_on = later.row_index.first() > all.last();
        holds(goes_on, || format!("rows {:?} after row {:?}", later.row_index, all.last()))?;
    }
    story.cancel(&job).await?;
    Ok(())
}

async fn live_flow(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    let answer: Value = job.answer.json()?;
    story.metadata(&job.id).await?.has_status(200)?.is_json(&answer)?;
    let mut readings = open_all(story, &job).await?;
    for _ in 0..5 {
        for reading in &mut readings {
            reading.frame().await?;
        }
        story.pass(INTERVAL).await?;
    }
    drop(readings);
    story.cancel(&job).await?;
    story.until_gone(&job, std::time::Duration::from_secs(1), std::time::Duration::from_secs(5)).await?;
    Ok(())
}
