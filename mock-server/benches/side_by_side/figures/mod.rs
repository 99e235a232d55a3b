//! What is measured, in groups that can be asked for by name.

mod cluster;
mod memory;
mod pairs;
mod rest;
mod start;
mod streams;

use std::pin::Pin;

use crate::compare::Plan;
use crate::table::Row;

type Rows = Pin<Box<dyn Future<Output = anyhow::Result<Vec<Row>>>>>;

/// Figures that are measured together.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) measure: fn(Plan) -> Rows,
}

pub(crate) const GROUPS: [Group; 10] = [
    Group { name: "channels", measure: |plan| Box::pin(rest::channels(plan)) },
    Group { name: "metadata", measure: |plan| Box::pin(rest::metadata(plan)) },
    Group { name: "refused", measure: |plan| Box::pin(rest::refused(plan)) },
    Group { name: "pairs", measure: |plan| Box::pin(pairs::configure_and_cancel(plan)) },
    Group { name: "stream-large", measure: |plan| Box::pin(streams::large(plan)) },
    Group { name: "stream-small", measure: |plan| Box::pin(streams::small(plan)) },
    Group { name: "start", measure: |_| Box::pin(async { start::exec_to_first_answer() }) },
    Group { name: "cluster", measure: |plan| Box::pin(cluster::figures(plan)) },
    Group { name: "memory", measure: |_| Box::pin(memory::per_job()) },
    Group { name: "load", measure: |plan| Box::pin(memory::full_load(plan)) },
];

/// A live job as the recorded configuration has it: channels 1 to 50, NFFT 1024, view 0; with a window it is historic.
fn configuration(first: u32, last: u32, nfft: u32, more: &str) -> String {
    format!(
        r#"{{"displayTimeAxisDuration":300,"nfftSelection":{nfft},"displayInfo":{{"height":600}},"channels":{{"min":{first},"max":{last}}},"frequencyRange":{{"min":0,"max":500}},{more}"view_type":"0"}}"#
    )
}

fn golden() -> String {
    configuration(1, 50, 1024, "")
}
