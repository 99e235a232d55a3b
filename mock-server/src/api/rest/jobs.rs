//! A job's answer, `GET /metadata/{job_id}` and `DELETE /job/{job_id}`.

use std::time::Duration;

use axum::response::Response;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::ask::Ask;
use super::{App, json, json_of, quirky, tasks};
use crate::api::rejection::Rejection;
use crate::domain::fiber::Fiber;
use crate::domain::ids::{JobId, NotAJobId};
use crate::domain::job::Terms;
use crate::domain::quirk::{Quirk, Quirks};
use crate::domain::refusal::Refusal;
use crate::domain::task::looks_like_a_job;
use crate::domain::view::{Layout, View};
use crate::sim::fate::Fate;
use crate::sim::journal::Reason;
use crate::sim::setup::MongoDb;

/// The answer of a job, or what there is of a task: an id of the form of a job's is only ever a job.
pub(super) fn metadata(app: &App, ask: &Ask) -> Result<Response, Rejection> {
    let id = ask.segment(0).ok_or(Refusal::UnknownJob)?;
    if !looks_like_a_job(&id) {
        let has_tasks = !ask.quirks().has(Quirk::TaskApiMissing);
        return if has_tasks { tasks::metadata(app, &id) } else { Err(Refusal::UnknownJob.into()) };
    }
    let id: JobId = id.parse().map_err(|NotAJobId| Refusal::UnknownJob)?;
    let terms = app.simulation.job(id).inspect_err(|_| {
        // Only a server that does not know its own jobs yet refuses one that lives.
        let races = ask.quirks().has(Quirk::MetadataRace);
        if races && matches!(app.simulation.with(|world, _| world.fate(id)), Fate::Live(_)) {
            ask.because(Reason::Quirk(Quirk::MetadataRace, None));
        }
    })?;
    quirky::of_answer(&terms).for_each(|reason| ask.because(reason));
    Ok(json(app.answers.of(terms.id.slot, &terms, || write_answer(app, &terms))))
}

pub(super) fn cancel(app: &App, ask: &Ask) -> Result<Response, Rejection> {
    let id: JobId = ask.segment(0).and_then(|id| id.parse().ok()).ok_or(Refusal::UnknownJob)?;
    app.simulation.cancel(id)?;
    Ok(json_of(&CancelledBody { status: "cancelled", job_id: id.to_string() }))
}

#[derive(Serialize)]
struct CancelledBody {
    status: &'static str,
    job_id: String,
}

/// How long an outage that does not show at once lets its callers wait; four such answers and the back-off of a known client make up the
/// 15.4 s that were measured (PZ-13640).
const SLOW_OUTAGE: Duration = Duration::from_millis(850);

/// A refusal, after the time that finding it out takes a server with these quirks.
pub(super) async fn in_its_time(app: &App, refusal: Refusal, quirks: Quirks) -> Rejection {
    let slow_mongodb = refusal == Refusal::RecordingsUnavailable
        && app.simulation.with(|world, _| world.dependencies().mongodb == MongoDb::SlowFail);
    let rejection = Rejection::from(refusal);
    if slow_mongodb || rejection.is_slow_outage(quirks) {
        let clock = app.simulation.clock();
        let what = if slow_mongodb { "slow MongoDB" } else { "slow outage" };
        clock.sleep_until(clock.now().after(SLOW_OUTAGE), what, None).await;
    }
    rejection
}

/// Writes a job's answer; it is the same text for as long as the job lives.
pub(super) fn write_answer(app: &App, terms: &Terms) -> Vec<u8> {
    let layout = &terms.layout;
    let has = |quirk| terms.quirks.has(quirk);
    let answer = ConfigureResponse {
        status: if has(Quirk::StatusEmpty) { "" } else { "success" },
        frequencies_list: Frequencies(layout),
        lines_dt: layout.lines_dt,
        channel_to_stream_index: StreamOfChannel(layout),
        stream_amount: layout.streams.len(),
        job_id: terms.id.to_string(),
        frequencies_amount: layout.bins.count(),
        channel_amount: match terms.request.view() {
            // Of one channel, however many were taken.
            View::SingleChannel(_) => 1,
            View::MultiChannel(_) | View::Waterfall => terms.request.channels().count(),
        },
        stream_port: Number::of(terms.port.number(), has(Quirk::StreamPortString)),
        stream_url: app.stream_base.url(&terms.stream_host),
        view_type: Number::of(terms.request.view().number().into(), has(Quirk::ViewTypeStringResponse)),
        metadata: Metadata::of(&terms.fiber),
    };
    serde_json::to_vec(&answer).expect("numbers, strings, lists and string-keyed maps are always JSON")
}

#[derive(Serialize)]
struct ConfigureResponse<'a> {
    status: &'static str,
    frequencies_list: Frequencies<'a>,
    lines_dt: f64,
    channel_to_stream_index: StreamOfChannel<'a>,
    stream_amount: usize,
    job_id: String,
    frequencies_amount: u32,
    channel_amount: u32,
    stream_port: Number,
    stream_url: String,
    view_type: Number,
    metadata: Metadata<'a>,
}

/// A number, or the text that some servers make of it.
#[derive(Serialize)]
#[serde(untagged)]
enum Number {
    Plain(u16),
    Text(String),
}

impl Number {
    fn of(number: u16, as_text: bool) -> Self {
        if as_text { Self::Text(number.to_string()) } else { Self::Plain(number) }
    }
}

struct Frequencies<'a>(&'a Layout);

impl Serialize for Frequencies<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.bins.frequencies())
    }
}

struct StreamOfChannel<'a>(&'a Layout);

impl Serialize for StreamOfChannel<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (index, group) in self.0.streams.iter().enumerate() {
            for channel in group.iter() {
                map.serialize_entry(&channel.0, &index)?;
            }
        }
        map.end()
    }
}

/// What the recorded server says about itself in every answer. What is not of the fibre is constant; the uuids are
/// made up.
#[derive(Serialize)]
struct Metadata<'a> {
    layer_type: &'static str,
    uuid: &'static str,
    sw_version: Option<&'static str>,
    cmd: &'static str,
    processors: [u8; 0],
    version: &'static str,
    num_traces: u32,
    parent: Parent<'a>,
}

#[derive(Serialize)]
struct Parent<'a> {
    layer_type: &'static str,
    uuid: &'static str,
    sw_version: Option<&'static str>,
    dx: f64,
    prr: u32,
    num_traces: u32,
    num_samples_per_trace: u32,
    fast_time_pixels: Option<u32>,
    slow_time_pixels: Option<u32>,
    version: &'static str,
    fiber_start_meters: u32,
    fiber_length_meters: u32,
    gauge_length_meters: f64,
    late_t_axis_decimation: u32,
    fiber_description: &'a str,
    decimation_factor_x: u32,
    recording_timezone: &'static str,
    recording_machine_name: &'static str,
    content_type: Option<&'static str>,
    feature_names: Option<&'static str>,
    producer_version: Option<&'static str>,
    source_uuid: Option<&'static str>,
    n_features: u32,
    original_uuid: Option<&'static str>,
    algo_metadata: Option<&'static str>,
    recording_sw_version: Option<&'static str>,
    cut_sw_version: Option<&'static str>,
    start_time: Option<u64>,
    end_time: Option<u64>,
    preprocessor_version: &'static str,
    preprocessor_calculation_version: &'static str,
}

impl<'a> Metadata<'a> {
    fn of(fiber: &'a Fiber) -> Self {
        Self {
            layer_type: "smart_recorder",
            uuid: "00000000-0000-4000-8000-000000000001",
            sw_version: None,
            cmd: "smart_recorder",
            processors: [],
            version: "TLV-1.3",
            num_traces: 10_000,
            parent: Parent::of(fiber),
        }
    }
}

impl<'a> Parent<'a> {
    fn of(fiber: &'a Fiber) -> Self {
        Self {
            layer_type: "prp2_recording",
            uuid: "00000000-0000-4000-8000-000000000002",
            sw_version: None,
            dx: fiber.dx,
            prr: fiber.prr.hertz(),
            num_traces: 2048,
            num_samples_per_trace: fiber.num_samples_per_trace,
            fast_time_pixels: None,
            slow_time_pixels: None,
            version: "TLV-1.3",
            fiber_start_meters: fiber.start_meters,
            fiber_length_meters: fiber.length_meters,
            gauge_length_meters: 10.213_698_387_145_996,
            late_t_axis_decimation: 4,
            fiber_description: &fiber.description,
            decimation_factor_x: 4,
            recording_timezone: "UTC",
            recording_machine_name: "recorder",
            content_type: None,
            feature_names: None,
            producer_version: None,
            source_uuid: None,
            n_features: 1,
            original_uuid: None,
            algo_metadata: None,
            recording_sw_version: None,
            cut_sw_version: None,
            start_time: None,
            end_time: None,
            preprocessor_version: "11",
            preprocessor_calculation_version: "8",
        }
    }
}
