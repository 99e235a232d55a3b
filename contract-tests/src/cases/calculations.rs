//! The product's arithmetic: the worked cases of the contract, number by number.

use std::time::Duration;

use serde_json::json;

use super::configuring::{Fibre, about, accepted};
use super::nfft::AMOUNTS;
use crate::arithmetic::{Request, close};
use crate::bodies::{self, BASE, historic, waterfall, with};
use crate::case::{Capability, Case, Tag};
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::story::Story;

pub(super) static CASES: &[Case] = &[Case {
    id: "calculations/calculations",
    claim: "lines, bins, frequencies and groups of an accepted configuration are those of the worked cases",
    keys: &["PZ-14062", "PZ-14067", "PZ-14069", "PZ-14072", "PZ-14078"],
    tags: &[Tag::Regression],
    needs: &[Capability::Writes],
    steps: &[
        "configure W1 over the two hours until now, W2 to W10 live, each cancelled",
        "read a frame of stream 0 of each of them, where streams can be reached",
        "configure channel 7 up to 500 and up to 1000 Hz with each length of transforms",
        "configure channel 7 with NFFT 1024 and 0-100, 0-250, 100-300, 200-600 and 0-800 Hz, with NFFT 2048 and \
         200-800 Hz",
    ],
    expects: "each 200 with all invariants and the written lines_dt, number of bins, step, first and last frequency, \
              groups and width of a row, at a rate of 2000; at another rate those that the formulas give",
    body: |story| Box::pin(calculations(story)),
}];

/// A worked case.
struct Worked {
    name: &'static str,
    asked: Request,
    lines_dt: f64,
    bins: usize,
    /// Distance of two frequencies; nothing where there are no two.
    step: Option<f64>,
    /// The first frequencies and the last one.
    frequencies: &'static [f64],
    last: Option<f64>,
    sizes: &'static [usize],
    /// Values in a row of stream 0.
    width: i32,
}

/// What the worked cases with NFFT 1024 have in common.
const STEP_1024: Option<f64> = Some(1.951_219_512_195_122);
const LAST_1024: Option<f64> = Some(497.560_975_609_756_1);

const WORKED: [Worked; 10] = [
    Worked {
        name: "W1",
        asked: Request { duration: 300, height: 600, ..BASE },
        lines_dt: 0.5,
        bins: 256,
        step: STEP_1024,
        frequencies: &[0.0, 1.951_219_512_195_122, 3.902_439_024_390_244, 5.853_658_536_585_366],
        last: LAST_1024,
        sizes: &[17, 17, 16],
        width: 4352,
    },
    Worked {
        name: "W2",
        asked: Request { channels: (1, 8), nfft: 512, duration: 30, height: 768, ..BASE },
        lines_dt: 0.039_062_5,
        bins: 128,
        step: Some(3.898_635_477_582_846),
        frequencies: &[0.0],
        last: Some(495.126_705_653_021_4),
        sizes: &[3, 3, 2],
        width: 384,
    },
    Worked {
        name: "W3",
        asked: Request { view: 1, channels: (7, 7), ..BASE },
        lines_dt: 0.01,
        bins: 256,
        step: STEP_1024,
        frequencies: &[0.0],
        last: LAST_1024,
        sizes: &[1],
        width: 256,
    },
    Worked {
        name: "W4",
        asked: Request { view: 2, channels: (1, 10), height: 256, ..BASE },
        lines_dt: 0.1,
        bins: 0,
        step: None,
        frequencies: &[],
        last: None,
        sizes: &[10],
        width: 10,
    },
    Worked {
        name: "W5",
        asked: Request { channels: (1, 10), frequencies: (100, 300), duration: 30, height: 200, ..BASE },
        lines_dt: 0.15,
        bins: 102,
        step: STEP_1024,
        frequencies: &[99.512_195_121_951_22],
        last: Some(296.585_365_853_658_5),
        sizes: &[4, 3, 3],
        width: 408,
    },
    Worked {
        name: "W6",
        asked: Request {
            channels: (11, 20),
            nfft: 512,
            frequencies: (0, 250),
            duration: 5,
            height: 400,
            ..BASE
        },
        lines_dt: 0.0125,
        bins: 64,
        step: Some(3.898_635_477_582_846),
        frequencies: &[0.0],
        last: Some(245.614_035_087_719_3),
        sizes: &[4, 3, 3],
        width: 256,
    },
    Worked {
        name: "W7",
        asked: Request { channels: (11, 109), frequencies: (0, 1000), duration: 30, height: 200, ..BASE },
        lines_dt: 0.15,
        bins: 512,
        step: STEP_1024,
        frequencies: &[0.0],
        last: Some(997.073_170_731_707_3),
        sizes: &[33, 33, 33],
        width: 16_896,
    },
    Worked {
        name: "W8",
        asked: Request { channels: (7, 8), nfft: 128, frequencies: (200, 201), ..BASE },
        lines_dt: 0.01,
        bins: 1,
        step: None,
        frequencies: &[186.046_511_627_906_97],
        last: Some(186.046_511_627_906_97),
        sizes: &[1, 1],
        width: 1,
    },
    Worked {
        name: "W9",
        asked: Request { channels: (1, 2222), ..BASE },
        lines_dt: 0.01,
        bins: 256,
        step: STEP_1024,
        frequencies: &[0.0],
        last: LAST_1024,
        sizes: &[741, 741, 740],
        width: 189_696,
    },
    Worked {
        name: "W10",
        asked: Request {
            channels: (1, 20),
            nfft: 4096,
            frequencies: (0, 100),
            duration: 60,
            height: 800,
            ..BASE
        },
        lines_dt: 0.075,
        bins: 204,
        step: Some(0.488_162_069_807_175_97),
        frequencies: &[0.0],
        last: Some(99.096_900_170_856_73),
        sizes: &[7, 7, 6],
        width: 1428,
    },
];

async fn calculations(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let written = fibre.is_written(story);
    for worked in WORKED {
        let job = told(story, &worked, &fibre, written).await.map_err(about(worked.name))?;
        story.cancel(&job).await?;
    }
    // The fields that a waterfall must not have are null above; here they are absent, and NFFT is the 1 that it may be.
    for body in [waterfall(), with(waterfall(), [("nfftSelection", json!(1))])] {
        let job = story.configure(&body).await?;
        job.follows(&Request { view: 2, channels: (1, 10), height: 256, ..BASE }, fibre.prr)?;
        story.cancel(&job).await?;
    }
    amounts(story, &fibre, written).await
}

async fn told(story: &Story, worked: &Worked, fibre: &Fibre, written: bool) -> Result<Job, Failure> {
    let mut asked = worked.asked;
    asked.frequencies.1 = asked.frequencies.1.min(fibre.nyquist());
    let has_channels = asked.channels.1 <= fibre.highest;
    asked.channels.1 = asked.channels.1.min(fibre.highest);
    let mut body = bodies::of(&asked);
    if worked.name == "W1" {
        let now = story.now().await?;
        body = historic(body, now - 7200, now);
    }
    let job = story.configure(&body).await?;
    job.follows(&asked, fibre.prr)?;
    if written && has_channels {
        is_as_written(&job, worked).map_err(|failure| failure.shown_by(&job.answer.0))?;
        if story.offers(Capability::Grpc) {
            let mut stream = story.stream(&job, 0).await?;
            // Long enough for a first row of each of them.
            story.pass(Duration::from_secs(1)).await?;
            equal("data_shape_x of stream 0", &stream.frame().await?.data_shape_x, &worked.width)?;
        }
    }
    Ok(job)
}

fn is_as_written(job: &Job, worked: &Worked) -> Result<(), Failure> {
    equal("lines_dt", &job.lines_dt, &worked.lines_dt)?;
    equal("the number of bins", &job.frequencies.len(), &worked.bins)?;
    let is = |what: &str, got: Option<f64>, expected: Option<f64>| {
        let same = match (got, expected) {
            (Some(got), Some(expected)) => close(got, expected),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        holds(same, || format!("{what} is {got:?} and not {expected:?}"))
    };
    for (place, frequency) in worked.frequencies.iter().enumerate() {
        is(&format!("frequency {place}"), job.frequencies.get(place).copied(), Some(*frequency))?;
    }
    is("the last frequency", job.frequencies.last().copied(), worked.last)?;
    let step = job.frequencies.get(..2).map(|two| two[1] - two[0]);
    is("the step", step, worked.step)?;
    equal("the sizes of the groups", &job.sizes(), &worked.sizes.to_vec())?;
    let width = job.sizes().first().map(|channels| channels * job.frequencies.len().max(1));
    equal("the width of a row of stream 0", &width, &usize::try_from(worked.width).ok())
}

async fn amounts(story: &Story, fibre: &Fibre, written: bool) -> Result<(), Failure> {
    let one = Request { view: 1, channels: (7, 7), ..BASE };
    let mut rows: Vec<(u32, (u32, u32), usize)> = Vec::new();
    for (nfft, half, full) in AMOUNTS {
        rows.extend([(nfft, (0, 500), half), (nfft, (0, 1000), full)]);
    }
    rows.extend([(1024, (0, 100), 51), (1024, (0, 250), 128), (1024, (100, 300), 102)]);
    rows.extend([(1024, (200, 600), 205), (1024, (0, 800), 409), (2048, (200, 800), 615)]);
    for (nfft, frequencies, bins) in rows {
        let row = format!("NFFT {nfft}, {} to {} Hz", frequencies.0, frequencies.1);
        let frequencies = (frequencies.0, frequencies.1.min(fibre.nyquist()));
        let job = accepted(story, &Request { nfft, frequencies, ..one }, fibre).await.map_err(about(&row))?;
        if !written {
            continue;
        }
        equal("the number of bins", &job.frequencies.len(), &bins).map_err(about(&row))?;
        if nfft == 2048 && frequencies.0 == 200 {
            let ends = job.frequencies.first().copied().zip(job.frequencies.last().copied());
            let (first, last) = ends.unwrap_or_default();
            let same = close(first, 199.121_522_693_997_06) && close(last, 798.438_262_567_105_9);
            holds(same, || format!("{row}: from {first} to {last}"))?;
        }
    }
    Ok(())
}
