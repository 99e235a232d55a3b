//! Transforms: which lengths there are, and what they give.

use serde_json::{Value, json};

use super::configuring::{Fibre, about, accepted, refused};
use crate::answer::Refused;
use crate::arithmetic::Request;
use crate::bodies::{BASE, base, with, without};
use crate::case::{Capability, Case, Tag};
use crate::checks;
use crate::failure::{Failure, equal};
use crate::story::Story;

pub(super) static CASES: &[Case] = &[
    Case {
        id: "nfft/nfft-power-of-two",
        claim: "a transform of 256 samples up to 500 Hz gives 64 bins",
        keys: &["PZ-13873"],
        tags: &[Tag::Smoke, Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure Base with NFFT 256, duration 30 and height 768"],
        expects: "200 with all invariants, 64 bins, lines_dt 0.0390625",
        body: |story| Box::pin(nfft_power_of_two(story)),
    },
    Case {
        id: "nfft/nfft-variations",
        claim: "each of the common lengths of transforms gives its number of bins",
        keys: &["PZ-13873"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure Base with NFFT 128, 256, 512, 1024, 2048 and 4096, each cancelled"],
        expects: "each 200 with all invariants and 32, 64, 128, 256, 512 and 1024 bins",
        body: |story| Box::pin(nfft_variations(story)),
    },
    Case {
        id: "nfft/nfft-non-power-of-two",
        claim: "a transform whose length is no power of two is refused and leaves nothing behind",
        keys: &["PZ-13901", "PZ-13873"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure Base with NFFT 1000"],
        expects: "400 INVALID_VALUE, nfft_unsupported",
        body: |story| Box::pin(no_such_length(story, &[1000])),
    },
    Case {
        id: "nfft/zero-nfft",
        claim: "a transform without samples is refused and leaves nothing behind",
        keys: &["PZ-13874"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure Base with NFFT 0"],
        expects: "400 INVALID_VALUE, nfft_unsupported",
        body: |story| Box::pin(no_such_length(story, &[0])),
    },
    Case {
        id: "nfft/negative-nfft",
        claim: "a transform of a negative length is refused and leaves nothing behind",
        keys: &["PZ-13875", "PZ-13555"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure Base with NFFT -1"],
        expects: "400 INVALID_VALUE, nfft_unsupported",
        body: |story| Box::pin(no_such_length(story, &[-1])),
    },
    Case {
        id: "nfft/invalid-nfft",
        claim: "only powers of two from 128 to 65536 are lengths of transforms",
        keys: &["PZ-13874", "PZ-13875", "PZ-13901"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure Base with NFFT 0, -1, 64, 100, 127, 129, 300, 500, 1000, 3000, 65537, 100000 and 131072",
            "configure Base without NFFT and with null",
        ],
        expects: "each 400 INVALID_VALUE, nfft_unsupported; absent and null 422 INVALID_REQUEST, missing",
        body: |story| Box::pin(invalid_nfft(story)),
    },
    Case {
        id: "nfft/nfft-all-values",
        claim: "every power of two from 128 to 65536 is taken in views 0 and 1, and its neighbours beyond are not",
        keys: &["PZ-13873"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure Base with each of the ten lengths, each cancelled",
            "the same in view 1 with channel 7",
            "configure both views with NFFT 64 and 131072",
        ],
        expects: "each 200 with all invariants and NFFT / 4 bins up to 500 Hz at a rate of 2000; 64 and 131072 are \
                  400 INVALID_VALUE, nfft_unsupported",
        body: |story| Box::pin(nfft_all_values(story)),
    },
];

/// Every length, with its bins up to 500 Hz and up to 1000 Hz at the rate that written numbers are for.
pub(super) const AMOUNTS: [(u32, usize, usize); 10] = [
    (128, 32, 64),
    (256, 64, 128),
    (512, 128, 256),
    (1024, 256, 512),
    (2048, 512, 1024),
    (4096, 1024, 2048),
    (8192, 2048, 4096),
    (16384, 4096, 8192),
    (32768, 8192, 16384),
    (65536, 16384, 32768),
];

/// What a length that no transform has is refused with.
fn unsupported(nfft: i64) -> Refused<'static> {
    Refused::value(vec![checks::nfft_unsupported(nfft, checks::LONGEST_NFFT)])
}

async fn nfft_power_of_two(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let job = accepted(story, &Request { nfft: 256, duration: 30, height: 768, ..BASE }, &fibre).await?;
    job.answer.has("/lines_dt", &json!(0.039_062_5))?;
    if fibre.is_written(story) {
        equal("the number of bins", &job.frequencies.len(), &64)?;
    }
    Ok(())
}

async fn nfft_variations(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let written = fibre.is_written(story);
    for (nfft, bins) in [(128, 32), (256, 64), (512, 128), (1024, 256), (2048, 512), (4096, 1024)] {
        let row = format!("NFFT {nfft}");
        let job = accepted(story, &Request { nfft, ..BASE }, &fibre).await.map_err(about(&row))?;
        if written {
            equal("the number of bins", &job.frequencies.len(), &bins).map_err(about(&row))?;
        }
    }
    Ok(())
}

async fn no_such_length(story: &Story, lengths: &[i64]) -> Result<(), Failure> {
    for nfft in lengths {
        let body = with(base(), [("nfftSelection", json!(nfft))]);
        refused(story, &body, &unsupported(*nfft)).await.map_err(about(format!("NFFT {nfft}")))?;
    }
    Ok(())
}

async fn invalid_nfft(story: &Story) -> Result<(), Failure> {
    let lengths = [0, -1, 64, 100, 127, 129, 300, 500, 1000, 3000, 65537, 100_000, 131_072];
    no_such_length(story, &lengths).await?;
    let missing = Refused::shape(vec![checks::missing_for_spectrum("nfftSelection")]);
    refused(story, &without(base(), &["nfftSelection"]), &missing).await?;
    refused(story, &with(base(), [("nfftSelection", Value::Null)]), &missing).await?;
    Ok(())
}

async fn nfft_all_values(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let written = fibre.is_written(story);
    for view in [BASE, Request { view: 1, channels: (7, 7), ..BASE }] {
        for (nfft, bins, _) in AMOUNTS {
            let row = format!("view {}, NFFT {nfft}", view.view);
            let job = accepted(story, &Request { nfft, ..view }, &fibre).await.map_err(about(&row))?;
            if written {
                equal("the number of bins", &job.frequencies.len(), &bins).map_err(about(&row))?;
            }
        }
        for nfft in [64_u32, 131_072] {
            let body = crate::bodies::of(&Request { nfft, ..view });
            let row = format!("view {}, NFFT {nfft}", view.view);
            refused(story, &body, &unsupported(nfft.into())).await.map_err(about(row))?;
        }
    }
    Ok(())
}
