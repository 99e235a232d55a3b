//! `GET /channels` and `GET /live_metadata`: what the fibre offers.

use axum::response::Response;
use serde::Serialize;

use super::{App, json_of};
use crate::api::rejection::Rejection;
use crate::domain::fiber::FiberState;
use crate::domain::quirk::Quirk;
use crate::sim::world::LiveMetadata;

#[derive(Serialize)]
struct Channels {
    lowest_channel: i64,
    highest_channel: i64,
}

pub(super) fn channels(app: &App) -> Response {
    let range = app.simulation.live_metadata().fiber.channels;
    json_of(&Channels { lowest_channel: range.min().0, highest_channel: range.max().0 })
}

/// What clients compare to find out that a server has no light yet.
const WAITING: &str = "waiting for fiber";

/// Keys in the order of the contract; which of them are there depends on the state and on the server.
#[derive(Serialize)]
struct Metadata<'a> {
    dx: f64,
    prr: f64,
    #[serde(skip_serializing_if = "Key::is_left_out")]
    fiber_start_meters: Key<u32>,
    #[serde(skip_serializing_if = "Key::is_left_out")]
    fiber_length_meters: Key<u32>,
    sw_version: &'a str,
    #[serde(skip_serializing_if = "Key::is_left_out")]
    number_of_channels: Key<u32>,
    fiber_description: &'a str,
    #[serde(skip_serializing_if = "Key::is_left_out")]
    num_samples_per_trace: Key<u32>,
    #[serde(skip_serializing_if = "Key::is_left_out")]
    dtype: Key<&'a str>,
}

/// The value of a key that may be missing.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
enum Key<T> {
    Value(T),
    Null,
    #[serde(skip)]
    LeftOut,
}

impl<T> Key<T> {
    fn is_left_out(&self) -> bool {
        matches!(self, Self::LeftOut)
    }
}

/// The answer about the fibre.
///
/// # Errors
/// While the fibre is awaited, of a server with the quirk for it.
pub(super) fn live_metadata(app: &App) -> Result<Response, Rejection> {
    let (metadata, quirks) = app.simulation.with(|world, _| (world.asked_live_metadata(), world.quirks()));
    Ok(json_of(&body(&metadata?, quirks.has(Quirk::LiveMetadataFieldsMissing))))
}

/// The same about the fibre of a task.
pub(super) fn task_metadata(app: &App) -> Response {
    json_of(&body(&app.simulation.live_metadata(), false))
}

fn body(metadata: &LiveMetadata, fields_missing: bool) -> Metadata<'_> {
    let fiber = &metadata.fiber;
    if metadata.state == FiberState::Waiting {
        // Servers that lack fields elsewhere have some more here.
        let (meters, channels) = if fields_missing {
            (Key::Null, Key::Value(fiber.number_of_channels))
        } else {
            (Key::LeftOut, Key::LeftOut)
        };
        return Metadata {
            dx: 0.0,
            prr: 0.0,
            fiber_start_meters: meters,
            fiber_length_meters: meters,
            sw_version: WAITING,
            number_of_channels: channels,
            fiber_description: WAITING,
            num_samples_per_trace: Key::LeftOut,
            dtype: Key::LeftOut,
        };
    }
    // What was recorded of such servers has the number of samples where that of channels belongs.
    let (channels, samples, dtype) = if fields_missing {
        (fiber.num_samples_per_trace, Key::LeftOut, Key::LeftOut)
    } else {
        (fiber.number_of_channels, Key::Value(fiber.num_samples_per_trace), Key::Value(&*fiber.dtype))
    };
    Metadata {
        dx: fiber.dx,
        prr: f64::from(fiber.prr.hertz()),
        fiber_start_meters: Key::Value(fiber.start_meters),
        fiber_length_meters: Key::Value(fiber.length_meters),
        sw_version: if metadata.state == FiberState::Mixed { WAITING } else { &fiber.sw_version },
        number_of_channels: Key::Value(channels),
        fiber_description: &fiber.description,
        num_samples_per_trace: samples,
        dtype,
    }
}
