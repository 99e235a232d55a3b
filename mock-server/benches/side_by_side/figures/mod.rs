//! What is measured, in groups that can be asked for by name.

mod cluster;
mod memory;
mod pairs;
mod rest;
mod scale;
mod start;
mod streams;

use std::pin::Pin;

use crate::compare::Plan;
use crate::curve::Curve;
use crate::table::Row;

/// What came of a group.
pub(crate) struct Measured {
    pub(crate) rows: Vec<Row>,
    pub(crate) curves: Vec<Curve>,
}

type Measuring = Pin<Box<dyn Future<Output = anyhow::Result<Measured>>>>;

/// Figures that are measured together.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) measure: fn(Plan) -> Measuring,
}

pub(crate) const GROUPS: [Group; 11] = [
    Group { name: "channels", measure: |plan| rows(rest::channels(plan)) },
    Group { name: "metadata", measure: |plan| rows(rest::metadata(plan)) },
    Group { name: "refused", measure: |plan| rows(rest::refused(plan)) },
    Group { name: "pairs", measure: |plan| rows(pairs::configure_and_cancel(plan)) },
    Group { name: "stream-large", measure: |plan| rows(streams::large(plan)) },
    Group { name: "stream-small", measure: |plan| rows(streams::small(plan)) },
    Group { name: "start", measure: |_| rows(async { start::exec_to_first_answer() }) },
    Group { name: "cluster", measure: |plan| rows(cluster::figures(plan)) },
    Group { name: "memory", measure: |_| rows(memory::per_job()) },
    Group { name: "load", measure: |plan| rows(memory::full_load(plan)) },
    Group { name: "scale", measure: |plan| Box::pin(scale::figures(plan)) },
];

fn rows(measuring: impl Future<Output = anyhow::Result<Vec<Row>>> + 'static) -> Measuring {
    Box::pin(async { Ok(Measured { rows: measuring.await?, curves: Vec::new() }) })
}

/// A live job as the recorded configuration has it: channels 1 to 50, NFFT 1024, view 0; with a window it is historic.
fn configuration(first: u32, last: u32, nfft: u32, more: &str) -> String {
    format!(
        r#"{{"displayTimeAxisDuration":300,"nfftSelection":{nfft},"displayInfo":{{"height":600}},"channels":{{"min":{first},"max":{last}}},"frequencyRange":{{"min":0,"max":500}},{more}"view_type":"0"}}"#
    )
}

fn golden() -> String {
    configuration(1, 50, 1024, "")
}
