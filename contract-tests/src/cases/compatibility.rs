//! Configurations that ask for much or for little, as known clients send them.

use serde_json::json;

use super::configuring::{Fibre, accepted};
use crate::arithmetic::{Estimate, Request, close};
use crate::bodies::BASE;
use crate::case::{Capability, Case, Tag};
use crate::failure::{Failure, equal, holds};
use crate::story::Story;

pub(super) static CASES: &[Case] = &[
    Case {
        id: "compatibility/resource-estimation",
        claim: "Base, of whose estimated load no client warns, is taken and carries the load that its numbers say",
        keys: &[],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["estimate Base: rows per second, bytes per row, megabits per second", "configure Base"],
        expects: "at a rate of 2000: 1.953125 rows/s, 102400 B/row, 1.6 Mbit/s, no warning; 200 with all invariants; \
                  channels * bins * 4 / lines_dt of the answer is 5120000 B/s",
        body: |story| Box::pin(resource_estimation(story)),
    },
    Case {
        id: "compatibility/high-throughput",
        claim: "200 channels over the full band are taken in three streams",
        keys: &["PZ-13905"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure Base with NFFT 256, channels 1-200 and 0-1000 Hz"],
        expects: "200 with all invariants; channel_amount 200 in groups of 67, 67 and 66; 128 bins at a rate of 2000",
        body: |story| Box::pin(high_throughput(story)),
    },
    Case {
        id: "compatibility/low-throughput",
        claim: "long transforms of few channels over a narrow band are taken",
        keys: &["PZ-13906"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure Base with NFFT 4096, channels 1-20, 0-100 Hz, duration 60 and height 800"],
        expects: "200 with all invariants; lines_dt 0.075; 204 bins at a rate of 2000",
        body: |story| Box::pin(low_throughput(story)),
    },
];

#[allow(clippy::cast_precision_loss, reason = "channels and bins are far below 2^53")]
async fn resource_estimation(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let written = fibre.is_written(story);
    let estimate = BASE.estimate(fibre.prr);
    if written {
        let expected =
            Estimate { rows_per_second: 1.953_125, bytes_per_row: 102_400.0, megabits_per_second: 1.6 };
        equal("the estimate", &estimate, &expected)?;
        holds(!estimate.warns(), || format!("clients warn of {estimate:?}"))?;
    } else if estimate.warns() {
        story.note(format!("clients warn of Base on this fibre: {estimate:?}"));
    }
    let job = accepted(story, &BASE, &fibre).await?;
    let rate = |channels: usize, bins: usize, lines_dt: f64| (channels * bins * 4) as f64 / lines_dt;
    let carried = rate(job.channels.len(), job.frequencies.len(), job.lines_dt);
    let (first, end) = BASE.bins(fibre.prr);
    let bins = usize::try_from(end - first).unwrap_or(usize::MAX);
    let expected = if written { 5_120_000.0 } else { rate(50, bins, BASE.lines_dt()) };
    holds(close(carried, expected), || format!("{carried} B/s instead of {expected}"))
        .map_err(|failure| failure.shown_by(&job.answer.0))
}

async fn high_throughput(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let band = (0, fibre.nyquist().min(1000));
    let request = Request { nfft: 256, channels: (1, 200), frequencies: band, ..BASE };
    let job = accepted(story, &request, &fibre).await?;
    job.answer.has("/channel_amount", &json!(200))?;
    equal("the sizes of the groups", &job.sizes(), &vec![67, 67, 66])?;
    if fibre.is_written(story) {
        equal("the number of bins", &job.frequencies.len(), &128)?;
    }
    Ok(())
}

async fn low_throughput(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let request =
        Request { nfft: 4096, channels: (1, 20), frequencies: (0, 100), duration: 60, height: 800, ..BASE };
    let job = accepted(story, &request, &fibre).await?;
    job.answer.has("/lines_dt", &json!(0.075))?;
    if fibre.is_written(story) {
        equal("the number of bins", &job.frequencies.len(), &204)?;
    }
    Ok(())
}
