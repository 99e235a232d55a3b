//! Resident memory of a live job, beside few others and beside many.

use super::super::golden;
use super::{SIZES, curve, rounds};
use crate::compare::Plan;
use crate::curve::Curve;
use crate::mock::Mock;

/// Nothing where the system does not tell.
pub(super) async fn per_job(plan: Plan) -> anyhow::Result<Option<Curve>> {
    let count = if plan.quick { 3 } else { 5 };
    let turns = rounds::<_, 3>(plan, count, async |side| kib(SIZES[side]).await).await?;
    let rounds: Option<Vec<Vec<f64>>> = turns.into_iter().map(|turn| turn.into_iter().collect()).collect();
    let name = "Resident memory of a live job with its Kubernetes objects";
    Ok(rounds.map(|rounds| curve(name, "KiB", "live jobs", &SIZES, rounds)))
}

async fn kib(jobs: usize) -> anyhow::Result<Option<f64>> {
    let mock = Mock::clustered()?;
    // What the first requests leave behind belongs to no job.
    let id = mock.job(&golden()).await?.id;
    mock.ask("DELETE", &format!("/job/{id}"), "").await?;
    let before = mock.process.resident_kib();
    mock.jobs(&golden(), jobs).await?;
    let after = mock.process.resident_kib();
    Ok(after.zip(before).map(|(after, before)| (after as f64 - before as f64) / jobs as f64))
}
