//! Transforms: which lengths there are, and what they give.

use serde_json::{Value, json};

use crate::answer::{Refused, Violation};
use crate::bodies::{base, with};
use crate::case::{Capability, Case, Tag};
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
        id: "nfft/nfft-non-power-of-two",
        claim: "a transform whose length is no power of two is refused and leaves nothing behind",
        keys: &["PZ-13901", "PZ-13873"],
        tags: &[Tag::Regression],
        needs: &[],
        steps: &["configure Base with NFFT 1000"],
        expects: "400 INVALID_VALUE, nfft_unsupported",
        body: |story| Box::pin(nfft_non_power_of_two(story)),
    },
];

/// What a length that no transform has is refused with.
fn unsupported(nfft: &Value) -> Refused<'static> {
    Refused::value(vec![Violation::new(
        "nfftSelection",
        "nfft_unsupported",
        format!(
            "nfftSelection {nfft} is invalid: nfft must be a power of 2 (128, 256, 512, 1024, 2048 and so on), minimum \
             128, maximum 65536"
        ),
    )])
}

async fn nfft_power_of_two(story: &Story) -> Result<(), Failure> {
    let request = with(
        base(),
        [
            ("nfftSelection", json!(256)),
            ("displayTimeAxisDuration", json!(30)),
            ("displayInfo.height", json!(768)),
        ],
    );
    let job = story.configure(&request).await?;
    equal("the number of bins", &job.frequencies.len(), &64)?;
    job.answer.has("/lines_dt", &json!(0.039_062_5))?;
    story.cancel(&job).await?;
    Ok(())
}

async fn nfft_non_power_of_two(story: &Story) -> Result<(), Failure> {
    let request = with(base(), [("nfftSelection", json!(1000))]);
    let refused = story.no_trace(story.post("/configure", &request)).await?;
    refused.is_refused(&unsupported(&json!(1000)))?;
    Ok(())
}
