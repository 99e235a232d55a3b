//! `GET /channels` and `GET /live_metadata`: what the fibre offers.

use axum::response::Response;
use serde::Serialize;

use super::{App, json_of};
use crate::domain::fiber::FiberState;

#[derive(Serialize)]
struct Channels {
    lowest_channel: u32,
    highest_channel: u32,
}

pub(super) fn channels(app: &App) -> Response {
    let range = app.simulation.live_metadata().fiber.channels;
    json_of(&Channels { lowest_channel: range.min().0, highest_channel: range.max().0 })
}

/// What clients compare to find out that a server has no light yet.
const WAITING: &str = "waiting for fiber";

#[derive(Serialize)]
struct Ready<'a> {
    dx: f64,
    prr: f64,
    fiber_start_meters: u32,
    fiber_length_meters: u32,
    sw_version: &'a str,
    number_of_channels: u32,
    fiber_description: &'a str,
    num_samples_per_trace: u32,
    dtype: &'a str,
}

#[derive(Serialize)]
struct Waiting {
    dx: f64,
    prr: f64,
    sw_version: &'static str,
    fiber_description: &'static str,
}

pub(super) fn live_metadata(app: &App) -> Response {
    let metadata = app.simulation.live_metadata();
    let fiber = &metadata.fiber;
    let ready = |sw_version| Ready {
        dx: fiber.dx,
        prr: f64::from(fiber.prr.hertz()),
        fiber_start_meters: fiber.start_meters,
        fiber_length_meters: fiber.length_meters,
        sw_version,
        number_of_channels: fiber.number_of_channels,
        fiber_description: &fiber.description,
        num_samples_per_trace: fiber.num_samples_per_trace,
        dtype: &fiber.dtype,
    };
    match metadata.state {
        FiberState::Lit => json_of(&ready(&fiber.sw_version)),
        FiberState::Mixed => json_of(&ready(WAITING)),
        FiberState::Waiting => {
            json_of(&Waiting { dx: 0.0, prr: 0.0, sw_version: WAITING, fiber_description: WAITING })
        }
    }
}
