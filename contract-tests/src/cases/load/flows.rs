//! Whole flows of jobs, live and historic: some at once, heavy ones, and one after the other.

use std::time::Duration;

use serde_json::{Value, json};

use super::flow::{Demand, Flows, HEAVY_WINDOW_S, Playing, WINDOW_S};
use super::{Load, SECOND, sized};
use crate::bodies::{historic, light, with};
use crate::case::{Capability, Case, Tag};
use crate::failure::Failure;
use crate::story::Story;

const TAGS: &[Tag] = &[Tag::Load, Tag::Nightly];
const NEEDS: &[Capability] = &[Capability::Writes, Capability::Grpc];
const LIVE: &str = "production / other: at least 95/80 % go their whole way, p95 less than 20/45 s, at most 2/3 retries \
                    in the mean, at most 30/50 % of the jobs with any";
const HISTORIC: &str = "production / other: at least 90/75 % go their whole way, every stream to its end with OK, p95 \
                        less than 30/60 s, at most 2.5/4 retries in the mean";

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "load/live-flow",
        claim: "one, five and six live jobs at once go their whole way",
        keys: &["PZ-15234", "PZ-15235", "PZ-15236"],
        tags: TAGS,
        needs: NEEDS,
        steps: &[
            "configure Light 1, 5 and 6 times at once",
            "five frames of every stream of each job",
            "cancel all",
        ],
        expects: LIVE,
        body: |story| Box::pin(several(story, Playing::Live)),
    },
    Case {
        id: "load/live-flow-heavy",
        claim: "three live jobs of 500 channels with long transforms go their whole way",
        keys: &["PZ-15237", "PZ-15238"],
        tags: TAGS,
        needs: NEEDS,
        steps: &["configure 500 channels with NFFT 2048 three times at once", "as live-flow"],
        expects: LIVE,
        body: |story| Box::pin(heavy(story, Playing::Live)),
    },
    Case {
        id: "load/live-flow-sustained",
        claim: "live jobs go their whole way one after the other for a minute",
        keys: &["PZ-15239", "PZ-15240"],
        tags: TAGS,
        needs: NEEDS,
        steps: &["twelve times: configure Light, as live-flow, and 5 s of pause"],
        expects: LIVE,
        body: |story| Box::pin(sustained(story, Playing::Live)),
    },
    Case {
        id: "load/historic-flow",
        claim: "one, five and six historic jobs at once go their whole way",
        keys: &["PZ-15241", "PZ-15242", "PZ-15243", "PZ-15244"],
        tags: TAGS,
        needs: NEEDS,
        steps: &[
            "configure Light over 20 minutes 1, 5 and 6 times at once",
            "every stream of each job to its end",
            "cancel what is left",
        ],
        expects: HISTORIC,
        body: |story| Box::pin(several(story, Playing::Historic)),
    },
    Case {
        id: "load/historic-flow-heavy",
        claim: "three historic jobs of 500 channels with long transforms go their whole way",
        keys: &["PZ-15245", "PZ-15246"],
        tags: TAGS,
        needs: NEEDS,
        steps: &[
            "configure 500 channels with NFFT 2048 over 4 minutes three times at once",
            "as historic-flow",
        ],
        expects: HISTORIC,
        body: |story| Box::pin(heavy(story, Playing::Historic)),
    },
    Case {
        id: "load/historic-flow-sustained",
        claim: "historic jobs go their whole way one after the other for a minute and more",
        keys: &["PZ-15247", "PZ-15248", "PZ-15249"],
        tags: TAGS,
        needs: NEEDS,
        steps: &["twelve times: configure Light over 20 minutes, as historic-flow, and 5 s of pause"],
        expects: HISTORIC,
        body: |story| Box::pin(sustained(story, Playing::Historic)),
    },
];

fn demand(load: &Load<'_>, playing: Playing) -> Demand {
    let seconds = Duration::from_secs;
    match playing {
        Playing::Live => Demand {
            success: load.either(0.95, 0.80),
            p95: load.either(seconds(20), seconds(45)),
            mean_retries: load.either(2.0, 3.0),
            with_retries: Some(load.either(0.3, 0.5)),
        },
        Playing::Historic => Demand {
            success: load.either(0.90, 0.75),
            p95: load.either(seconds(30), seconds(60)),
            mean_retries: load.either(2.5, 4.0),
            with_retries: None,
        },
    }
}

/// The same configuration, over a window within the last hour if it shall be historic.
async fn over(story: &Story, body: Value, playing: Playing, window: i64) -> Result<Value, Failure> {
    Ok(match playing {
        Playing::Live => body,
        Playing::Historic => {
            let start = story.now().await? - 3600;
            historic(body, start, start + window)
        }
    })
}

async fn several(story: &Story, playing: Playing) -> Result<(), Failure> {
    let load = Load::of(story);
    for count in [1, 5, 6] {
        let mut flows = Flows::default();
        flows.go(&load, count, &over(story, light(), playing, WINDOW_S).await?, playing).await?;
        story.note(flows.shown());
        flows.held(&demand(&load, playing))?;
    }
    Ok(())
}

async fn heavy(story: &Story, playing: Playing) -> Result<(), Failure> {
    let load = Load::of(story);
    let mut flows = Flows::default();
    let body = with(sized(500, 2048), [("frequencyRange.max", json!(250))]);
    flows.go(&load, 3, &over(story, body, playing, HEAVY_WINDOW_S).await?, playing).await?;
    story.note(flows.shown());
    flows.held(&demand(&load, playing))
}

async fn sustained(story: &Story, playing: Playing) -> Result<(), Failure> {
    let load = Load::of(story);
    let mut flows = Flows::default();
    for _ in 0..12 {
        flows.go(&load, 1, &over(story, light(), playing, WINDOW_S).await?, playing).await?;
        load.pacer.pass(SECOND * 5).await?;
    }
    story.note(flows.shown());
    flows.held(&demand(&load, playing))
}
