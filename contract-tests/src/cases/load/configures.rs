//! Configurations, many at once and one after the other.

use super::{Load, differ, ids, jobs};
use crate::bodies::light;
use crate::capacity::plan::payload;
use crate::case::{Capability, Case, Tag};
use crate::failure::Failure;
use crate::story::Story;
use crate::tally::Bound::{AtMost, Below};
use crate::tally::Tally;

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "load/parallel-configures",
        claim: "50 configurations at once give 50 jobs with ids and ports of their own",
        keys: &["PZ-13771", "PZ-14793", "PZ-14800"],
        tags: &[Tag::Load, Tag::Nightly],
        needs: &[Capability::Writes],
        steps: &["configure Light 50 times at once", "cancel all"],
        expects: "200 with all invariants each, 50 different job_ids and stream_ports, all gone at the end",
        body: |story| Box::pin(parallel_configures(story)),
    },
    Case {
        id: "load/concurrent-configures",
        claim: "10 and 20 configurations at once are answered in time",
        keys: &["PZ-13771"],
        tags: &[Tag::Load, Tag::Nightly],
        needs: &[Capability::Writes],
        steps: &["10 light configures at once", "20 light configures over 10 workers"],
        expects: "at least 80 % of the 10, mean at most 10 s, none beyond 20 s; at least 90 % of the 20",
        body: |story| Box::pin(concurrent_configures(story)),
    },
    Case {
        id: "load/configure-latency",
        claim: "configurations are fast: alone, and at the 95th and 99th percentile of many",
        keys: &["PZ-14090", "PZ-14091", "PZ-14092", "PZ-13770", "PZ-13571", "PZ-14790"],
        tags: &[Tag::Load, Tag::Nightly],
        needs: &[Capability::Writes],
        steps: &["100 light configures, one after the other", "cancel all"],
        expects: "at most 5 % fail; the first 10 each in less than 2 s; p95 of the first 20 less than 500 ms; p99 of the \
                  100 less than 1000 ms, p95 less than 2 s; a note about the grade of the mean (200, 500, 1000 ms) and a \
                  warning from p95 300 ms or p99 500 ms on",
        body: |story| Box::pin(configure_latency(story)),
    },
];

async fn parallel_configures(story: &Story) -> Result<(), Failure> {
    let load = Load::of(story);
    let shots = load.configure(50, 50, light()).await?;
    let tally = Tally::of("configures at once", &shots);
    story.note(tally.shown());
    tally.all()?;
    let jobs = jobs(&shots);
    differ(&jobs)?;
    load.end(ids(&jobs)).await
}

async fn concurrent_configures(story: &Story) -> Result<(), Failure> {
    let load = Load::of(story);
    let ten = load.configure(10, 10, payload()).await?;
    let tally = Tally::of("10 configures at once", &ten);
    story.note(tally.shown());
    tally.at_least(0.8)?;
    tally.mean(AtMost(10_000.0))?;
    tally.each(AtMost(20_000.0))?;
    differ(&jobs(&ten))?;
    load.end(ids(&jobs(&ten))).await?;
    let twenty = load.configure(20, 10, payload()).await?;
    let tally = Tally::of("20 configures over 10 workers", &twenty);
    story.note(tally.shown());
    tally.at_least(0.9)?;
    differ(&jobs(&twenty))?;
    load.end(ids(&jobs(&twenty))).await
}

async fn configure_latency(story: &Story) -> Result<(), Failure> {
    let load = Load::of(story);
    let mut shots = Vec::new();
    for _ in 0..100 {
        shots.extend(load.configure(1, 1, payload()).await?);
    }
    let all = Tally::of("100 configures in turn", &shots);
    all.at_least(0.95)?;
    Tally::of("the first 10 configures", &shots[..10]).each(Below(2000.0))?;
    Tally::of("the first 20 configures", &shots[..20]).quantile(0.95, Below(500.0))?;
    all.quantile(0.99, Below(1000.0))?;
    all.quantile(0.95, Below(2000.0))?;
    let grade = [("good", 200.0), ("acceptable", 500.0), ("poor", 1000.0)]
        .into_iter()
        .find(|(_, limit)| all.latency().mean_ms() <= *limit);
    story.note(format!("{}: {}", all.shown(), grade.map_or("beyond every grade", |(name, _)| name)));
    for (share, limit) in [(0.95, 300.0), (0.99, 500.0)] {
        if let Err(slow) = all.quantile(share, Below(limit)) {
            story.note(format!("warning: {slow}"));
        }
    }
    load.end(ids(&jobs(&shots))).await
}
