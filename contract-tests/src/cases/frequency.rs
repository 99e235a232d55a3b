//! Frequencies: which bands there are, and which bins they give.

use serde_json::json;

use super::configuring::{Fibre, about, accepted, refused};
use crate::answer::{Refused, Violation};
use crate::arithmetic::Request;
use crate::bodies::{BASE, base, with};
use crate::case::{Capability, Case, Tag};
use crate::checks;
use crate::failure::{Failure, equal, holds};
use crate::story::Story;

pub(super) static CASES: &[Case] = &[
    Case {
        id: "frequency/frequency-within-nyquist",
        claim: "a band up to four fifths of the Nyquist limit is taken, and no bin lies beyond it",
        keys: &["PZ-14100"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["read prr from GET /live_metadata", "configure Base with 0 to 0.8 * prr / 2"],
        expects: "prr above 0; 200 with all invariants; at a rate of 2000: 409 bins, none above 800 Hz",
        body: |story| Box::pin(frequency_within_nyquist(story)),
    },
    Case {
        id: "frequency/frequency-range-variations",
        claim: "the bins of a band begin within a step of its lower end and stay below its upper end",
        keys: &["PZ-13904", "PZ-13819"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure Base with 0-100, 0-250, 0-500, 100-300 and 200-600 Hz, each cancelled"],
        expects: "each 200 with all invariants; 51, 128, 256, 102 and 205 bins at a rate of 2000; first value at \
                  most one step above the lower end, last one below the upper end",
        body: |story| Box::pin(frequency_range_variations(story)),
    },
    Case {
        id: "frequency/frequency-exceeds-nyquist",
        claim: "a band beyond the Nyquist limit is refused, one up to the limit itself is taken",
        keys: &["PZ-13877", "PZ-13903", "PZ-13555"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "read prr from GET /live_metadata",
            "configure Base with 0 to prr / 2 + 1",
            "configure Base with 0 to prr / 2",
        ],
        expects: "400 INVALID_VALUE, nyquist_exceeded, nothing left behind; then 200 with all invariants",
        body: |story| Box::pin(frequency_exceeds_nyquist(story)),
    },
    Case {
        id: "frequency/frequency-values",
        claim: "a band without width, one the wrong way round and one below 0 Hz are refused",
        keys: &["PZ-13877", "PZ-13761", "PZ-13555"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure Base with 500-100, 501-500, 500-500, 0-0 and -1-500 Hz"],
        expects: "400 INVALID_VALUE: range_reversed four times, then out_of_range",
        body: |story| Box::pin(frequency_values(story)),
    },
];

async fn frequency_within_nyquist(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let highest = fibre.prr * 2 / 5;
    let job = accepted(story, &Request { frequencies: (0, highest), ..BASE }, &fibre).await?;
    let beyond = job.frequencies.iter().find(|value| **value > f64::from(highest));
    holds(beyond.is_none(), || format!("a bin at {beyond:?} Hz in a band up to {highest} Hz"))
        .map_err(|failure| failure.shown_by(&job.answer.0))?;
    if fibre.is_written(story) {
        equal("the number of bins", &job.frequencies.len(), &409)?;
    }
    Ok(())
}

async fn frequency_range_variations(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let written = fibre.is_written(story);
    let step = f64::from(fibre.prr) / f64::from(BASE.nfft + 1);
    for (min, max, bins) in [(0, 100, 51), (0, 250, 128), (0, 500, 256), (100, 300, 102), (200, 600, 205)] {
        let max = fibre.nyquist().min(max);
        let row = format!("{min} to {max} Hz");
        let request = Request { frequencies: (min, max), ..BASE };
        let job = accepted(story, &request, &fibre).await.map_err(about(&row))?;
        let ends = job.frequencies.first().copied().zip(job.frequencies.last().copied());
        let within = |(first, last): (f64, f64)| first <= f64::from(min) + step && last < f64::from(max);
        holds(ends.is_some_and(within), || format!("{row}: bins from {ends:?}"))
            .map_err(|failure| failure.shown_by(&job.answer.0))?;
        if written {
            equal("the number of bins", &job.frequencies.len(), &bins).map_err(about(&row))?;
        }
    }
    Ok(())
}

async fn frequency_exceeds_nyquist(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let beyond = i64::from(fibre.nyquist()) + 1;
    let body = with(base(), [("frequencyRange.max", json!(beyond))]);
    let refusal = Refused::value(vec![checks::above_nyquist(beyond, fibre.prr)]);
    refused(story, &body, &refusal).await?;
    accepted(story, &Request { frequencies: (0, fibre.nyquist()), ..BASE }, &fibre).await?;
    Ok(())
}

async fn frequency_values(story: &Story) -> Result<(), Failure> {
    let reversed = |min, max| (min, max, checks::frequencies_reversed(min, max));
    let rows: [(i64, i64, Violation); 5] = [
        reversed(500, 100),
        reversed(501, 500),
        reversed(500, 500),
        reversed(0, 0),
        (-1, 500, checks::frequency_negative()),
    ];
    for (min, max, violation) in rows {
        let body = with(base(), [("frequencyRange", json!({"min": min, "max": max}))]);
        let row = format!("{min} to {max} Hz");
        refused(story, &body, &Refused::value(vec![violation])).await.map_err(about(row))?;
    }
    Ok(())
}
