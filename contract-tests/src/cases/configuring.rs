//! What cases about POST /configure have in common: the fibre they ask about, an accepted request, a refused one.

use std::fmt;

use serde_json::Value;

use crate::answer::{Answer, Refused};
use crate::arithmetic::Request;
use crate::bodies;
use crate::failure::Failure;
use crate::job::Job;
use crate::story::Story;

/// Rate of the pulses that the contract's written numbers are computed for.
pub(super) const WRITTEN_FOR: u32 = 2000;

/// What a server's fibre is, as far as it decides about a configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fibre {
    /// First channel.
    pub(super) lowest: u32,
    /// Last channel.
    pub(super) highest: u32,
    /// Pulses per second.
    pub(super) prr: u32,
}

impl Fibre {
    /// The one that the server tells about.
    pub(super) async fn of(story: &Story) -> Result<Self, Failure> {
        let channels = story.get("/channels").await?;
        let metadata = story.get("/live_metadata").await?;
        channels.has_status(200)?;
        metadata.has_status(200)?;
        let (range, rate) = (channels.json()?, metadata.json()?["prr"].as_f64().unwrap_or_default());
        let bound = |key: &str| {
            range[key]
                .as_u64()
                .and_then(|number| u32::try_from(number).ok())
                .ok_or_else(|| channels.broken(format!("{key} is no channel")))
        };
        // The arithmetic is one of whole numbers; 0 is the rate of a fibre that is still waited for.
        let prr = f64::from(rate as u32);
        if rate < 1.0 || prr.to_bits() != rate.to_bits() {
            let what = format!("the fibre's rate of {rate} pulses per second is nothing to compute with");
            return Err(Failure::could_not_run(what).shown_by(&metadata.0));
        }
        Ok(Self { lowest: bound("lowest_channel")?, highest: bound("highest_channel")?, prr: rate as u32 })
    }

    /// Highest frequency in whole Hz that can be asked for.
    pub(super) fn nyquist(&self) -> u32 {
        self.prr / 2
    }

    /// So many channels from the first one on, or as many as there are.
    pub(super) fn channels(&self, amount: u32) -> (u32, u32) {
        (self.lowest, self.highest.min(self.lowest + amount - 1))
    }

    /// Whether the numbers that the contract writes down hold for it; they are computed where they do not.
    pub(super) fn is_written(&self, story: &Story) -> bool {
        let written = self.prr == WRITTEN_FOR;
        if !written {
            story.note(format!(
                "the fibre has {} pulses per second: numbers that are written down for {WRITTEN_FOR} are computed",
                self.prr
            ));
        }
        written
    }
}

/// Configures with these numbers, holds the answer against the arithmetic, and cancels.
pub(super) async fn accepted(story: &Story, request: &Request, fibre: &Fibre) -> Result<Job, Failure> {
    accepted_as(story, &bodies::of(request), request, fibre).await
}

/// The same with a body of one's own.
pub(super) async fn accepted_as(
    story: &Story,
    body: &Value,
    request: &Request,
    fibre: &Fibre,
) -> Result<Job, Failure> {
    let job = story.configure(body).await?;
    job.follows(request, fibre.prr)?;
    story.cancel(&job).await?;
    Ok(job)
}

/// Configures, which must be refused in exactly this way and leave no trace.
pub(super) async fn refused(story: &Story, body: &Value, refusal: &Refused<'_>) -> Result<Answer, Failure> {
    let asking = async {
        let answer = story.post("/configure", body).await?;
        answer.is_refused(refusal)?;
        Ok(answer)
    };
    story.no_trace(asking).await
}

/// Names the row of a table that a failure comes from.
pub(super) fn about(row: impl fmt::Display) -> impl FnOnce(Failure) -> Failure {
    move |failure| Failure { what: format!("{row}: {}", failure.what), ..failure }
}
