//! Sequences of what can be done with jobs, against the model.

use crate::drive::{Rounds, hold};
use crate::failure::Failure;
use crate::model::command::{sequences, troubled};
use crate::model::run::run;
use crate::story::Story;

/// The number of slots, and the limit on jobs: out of reach here, `tests/limits.rs` begins with a smaller one.
const LIMIT: u32 = 1024;

pub(super) async fn job_sequences(story: &Story) -> Result<(), Failure> {
    hold(&sequences(18), Rounds::of(story, 40), async |commands| run(story, LIMIT, &commands).await).await
}

pub(super) async fn troubled_sequences(story: &Story) -> Result<(), Failure> {
    hold(&troubled(22), Rounds::of(story, 40), async |commands| {
        // What an earlier sequence made fail is over, and its jobs are gone.
        story.begin_anew().await?;
        run(story, LIMIT, &commands).await?;
        story.nothing_leaks().await
    })
    .await
}
