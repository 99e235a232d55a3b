//! Rates of configures that go up and down: each is due at its moment, whatever becomes of those before.

use std::time::Duration;

use super::{Load, differ, ids, jobs};
use crate::capacity::plan::payload;
use crate::capacity::shapes::Shape;
use crate::case::{Capability, Case, Tag};
use crate::failure::{Failure, holds};
use crate::story::Story;
use crate::tally::Bound::AtMost;
use crate::tally::Tally;

const TAGS: &[Tag] = &[Tag::Load, Tag::Nightly];
const NEEDS: &[Capability] = &[Capability::Writes];

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "load/rate-ramp",
        claim: "a rate of configures that rises from 2 to 8 a second is carried",
        keys: &[],
        tags: TAGS,
        needs: NEEDS,
        steps: &["light configures, 2 to 8 a second within 30 s", "cancel all"],
        expects: "at least 85 % succeed, each job with an id and a port of its own",
        body: |story| Box::pin(shaped(story, Shape::Ramp)),
    },
    Case {
        id: "load/rate-spike",
        claim: "a rate of configures that jumps from 3 to 10 a second and back is carried",
        keys: &[],
        tags: TAGS,
        needs: NEEDS,
        steps: &["light configures, 3, 10 and 3 a second for 10 s each", "cancel all"],
        expects: "at least 80 % succeed, each job with an id and a port of its own",
        body: |story| Box::pin(shaped(story, Shape::Spike)),
    },
    Case {
        id: "load/rate-steady",
        claim: "5 configures a second for 45 s are carried",
        keys: &[],
        tags: TAGS,
        needs: NEEDS,
        steps: &["light configures, 5 a second for 45 s", "cancel all"],
        expects: "at least 90 % succeed, each job with an id and a port of its own",
        body: |story| Box::pin(shaped(story, Shape::Steady)),
    },
    Case {
        id: "load/rate-sustained",
        claim: "a configure in 5 s for a minute is carried",
        keys: &[],
        tags: TAGS,
        needs: NEEDS,
        steps: &["light configures, one in 5 s for 60 s", "cancel all"],
        expects: "at least 90 % succeed",
        body: |story| Box::pin(shaped(story, Shape::Sustained)),
    },
    Case {
        id: "load/rate-recovery",
        claim: "after a burst of configures and a pause the server is as well as before",
        keys: &[],
        tags: TAGS,
        needs: NEEDS,
        steps: &[
            "light configures, 10 a second for 20 s",
            "after 10 s one a second for 10 s, which are those that count",
            "cancel all",
        ],
        expects: "at least 90 % of those that count succeed, mean latency at most 5 s",
        body: |story| Box::pin(shaped(story, Shape::Recovery)),
    },
    Case {
        id: "load/rate-peak",
        claim: "5 configures a second for 20 s are answered at least as fast as 4 a second",
        keys: &[],
        tags: TAGS,
        needs: NEEDS,
        steps: &["light configures, 5 a second for 20 s", "cancel all"],
        expects: "at least 85 % succeed, at least 4 a second until the last answer",
        body: |story| Box::pin(shaped(story, Shape::Peak)),
    },
    Case {
        id: "load/rate-exhaustion",
        claim: "whatever becomes of 15 configures a second, their jobs can be cleaned up",
        keys: &[],
        tags: TAGS,
        needs: NEEDS,
        steps: &["light configures, 15 a second for 15 s", "cancel every job that came of it"],
        expects: "no job of it is there 60 s after",
        body: |story| Box::pin(exhaustion(story)),
    },
];

async fn shaped(story: &Story, shape: Shape) -> Result<(), Failure> {
    let load = Load::of(story);
    let demand = shape.demand();
    let shots = load.configure_at(&shape.moments(), payload()).await?;
    let tally = Tally::of("configures", shots.iter().filter(|shot| shot.due >= shape.judged_from()));
    story.note(tally.shown());
    if let Some(share) = demand.success {
        tally.at_least(share)?;
    }
    if let Some(mean) = demand.mean_ms {
        tally.mean(AtMost(mean))?;
    }
    if let Some(least) = demand.per_second {
        let got = tally.per_second(shape.length());
        holds(got >= least, || {
            format!("{got:.2} configures a second were answered with a job, at least {least} wanted")
        })?;
    }
    // Those of the minute may have been swept meanwhile, and their ports are then free for others.
    if shape.moments().last().is_none_or(|last| *last < SWEEP) {
        differ(&jobs(&shots))?;
    }
    load.end(ids(&jobs(&shots))).await
}

/// When the first job that nobody reads may be gone.
const SWEEP: Duration = Duration::from_secs(50);

async fn exhaustion(story: &Story) -> Result<(), Failure> {
    let load = Load::of(story);
    let shots = load.configure_at(&Shape::Exhaustion.moments(), payload()).await?;
    let tally = Tally::of("configures", &shots);
    story.note(tally.shown());
    differ(&jobs(&shots))?;
    // Somebody who refuses them all is not exhausted, but down.
    tally.more_than(0.0)?;
    load.end(ids(&jobs(&shots))).await
}
