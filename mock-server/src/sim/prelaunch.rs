//! Everything that must hold before anything is taken. Reads only.

use crate::domain::check::Understood;
use crate::domain::command::ConfigureJob;
use crate::domain::leniency::Forgiven;
use crate::domain::quirk::Quirk;
use crate::domain::refusal::{Capacity, Refusal};
use crate::domain::time::{Moment, Playback};

use super::setup::{RecordingsState, Supply};
use super::world::World;

/// A configuration that the world is ready for. Only [`admit`] makes one, so reserving unchecked does not compile.
pub(super) struct Admitted {
    request: ConfigureJob,
    forgiven: Vec<Forgiven>,
}

impl Admitted {
    pub(super) fn request(&self) -> ConfigureJob {
        self.request
    }

    /// What the contract has against it.
    pub(super) fn forgiven(&self) -> &[Forgiven] {
        &self.forgiven
    }
}

/// Looks whether the world is ready for a job: its data, the broker, capacity; in that order, the first "no" counts.
pub(super) fn admit(world: &World, understood: &Understood, now: Moment) -> Result<Admitted, Refusal> {
    let request = understood.job;
    match request.playback() {
        Playback::Live if !world.fiber_state.delivers() => return Err(Refusal::WaitingForFiber),
        Playback::Live => {}
        Playback::Historic(window) => {
            world.require_mongodb()?;
            let found = match world.dependencies.recordings {
                RecordingsState::Present => world.catalog.any_overlapping(window, now.seconds()),
                RecordingsState::None | RecordingsState::PathMismatch => false,
            };
            // Nobody has recorded the future; who takes a window there does not look for recordings.
            if !found && !understood.thanks_to(Quirk::FutureWindowAccepted) {
                return Err(Refusal::NoRecording);
            }
        }
    }
    if world.dependencies.rabbitmq == Supply::Down {
        return Err(Refusal::BrokerUnavailable);
    }
    let limit = world.job_limit();
    if world.jobs_counted() >= usize::try_from(limit).unwrap_or(usize::MAX) {
        return Err(Refusal::CapacityExhausted(Capacity::Jobs(limit)));
    }
    if world.setup.gpu.reject_when_full && !world.has_free_gpu_share() {
        return Err(Refusal::CapacityExhausted(Capacity::Gpu));
    }
    Ok(Admitted { request, forgiven: understood.forgiven.clone() })
}
