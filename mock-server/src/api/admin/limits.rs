//! Limits that can be changed while the world goes on.

use axum::extract::State;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::World;
use super::answer::{Answer, No, json, parse};
use super::body::Sent;
use super::time::lasts;
use crate::sim::Simulation;
use crate::sim::change::{Change, LimitsChange};
use crate::sim::snapshot::Snapshot;

/// The limits as they are.
#[derive(Serialize)]
pub(super) struct LimitsBody {
    max_jobs: u32,
    max_channels_per_request: u32,
    nfft_max_multichannel: u32,
    future_tolerance_s: u32,
    /// Without limit if nothing.
    gpu_pool: Option<u32>,
    gpu_reject_when_full: bool,
}

impl LimitsBody {
    pub(super) fn of(simulation: &Simulation) -> Self {
        let Snapshot { limits, gpu, .. } = simulation.snapshot();
        Self {
            max_jobs: limits.max_jobs,
            max_channels_per_request: limits.max_channels_per_request,
            nfft_max_multichannel: limits.nfft_max_multichannel,
            future_tolerance_s: limits.future_tolerance_s,
            gpu_pool: gpu.size,
            gpu_reject_when_full: gpu.reject_when_full,
        }
    }
}

pub(super) async fn get(State(simulation): World) -> Answer {
    json(LimitsBody::of(&simulation))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    max_jobs: Option<u32>,
    max_channels_per_request: Option<u32>,
    nfft_max_multichannel: Option<u32>,
    future_tolerance_s: Option<u32>,
    /// Nothing is a value of it: without limit.
    #[serde(default, deserialize_with = "given")]
    gpu_pool: Option<Option<u32>>,
    gpu_reject_when_full: Option<bool>,
    r#for: Option<Value>,
}

#[allow(clippy::option_option, reason = "left out, without limit, or a number")]
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

pub(super) async fn patch(State(simulation): World, Sent(body): Sent) -> Answer {
    let body: Patch =
        parse(&body, r#"some of the keys of GET /__mock/limits, and "for" if they shall go back"#)?;
    let change = body.change()?;
    if change == LimitsChange::default() {
        return Err(No::wrong(format!("no limit is given: there are {}", KEYS.join(", "))));
    }
    simulation.apply(&Change::Limits(change), lasts(body.r#for.as_ref())?)?;
    json(LimitsBody::of(&simulation))
}

const KEYS: [&str; 6] = [
    "max_jobs",
    "max_channels_per_request",
    "nfft_max_multichannel",
    "future_tolerance_s",
    "gpu_pool",
    "gpu_reject_when_full",
];

impl Patch {
    /// The change, with the bounds that worlds have.
    fn change(&self) -> Result<LimitsChange, No> {
        let bounds = [
            ("max_jobs", self.max_jobs, 0, 50_000),
            ("max_channels_per_request", self.max_channels_per_request, 1, 1_000_000),
            ("nfft_max_multichannel", self.nfft_max_multichannel, 128, 65_536),
            ("future_tolerance_s", self.future_tolerance_s, 0, 31_536_000),
            ("gpu_pool", self.gpu_pool.flatten(), 0, 1_000_000),
        ];
        for (key, said, least, most) in bounds {
            if let Some(said) = said.filter(|said| !(least..=most).contains(said)) {
                return Err(No::wrong(format!(
                    "{key} must be an integer from {least} to {most}, not {said}"
                )));
            }
        }
        if let Some(said) = self.nfft_max_multichannel.filter(|said| !said.is_power_of_two()) {
            return Err(No::wrong(format!("nfft_max_multichannel must be a power of two, not {said}")));
        }
        Ok(LimitsChange {
            max_jobs: self.max_jobs,
            max_channels_per_request: self.max_channels_per_request,
            nfft_max_multichannel: self.nfft_max_multichannel,
            future_tolerance_s: self.future_tolerance_s,
            gpu_pool: self.gpu_pool,
            gpu_reject_when_full: self.gpu_reject_when_full,
        })
    }
}
