//! An answer against the arithmetic, field by field.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Bounds, Configure};
use crate::answer::Answer;
use crate::arithmetic::{self, close};
use crate::failure::{Failure, holds};
use crate::job::Job;

/// The keys of the answer, in their order.
const KEYS: [&str; 12] = [
    "status",
    "frequencies_list",
    "lines_dt",
    "channel_to_stream_index",
    "stream_amount",
    "job_id",
    "frequencies_amount",
    "channel_amount",
    "stream_port",
    "stream_url",
    "view_type",
    "metadata",
];

/// Demands that an answer accepts a configuration, with every field that the arithmetic gives.
///
/// # Errors
/// The first field that is another.
pub fn accepted(answer: &Answer, asked: &Configure, bounds: &Bounds) -> Result<Job, Failure> {
    let request = asked.request;
    let job = Job::of(answer, request.channels)?;
    let body = answer.json()?;
    let keys: Vec<_> = body.as_object().into_iter().flat_map(Map::keys).collect();
    if keys != KEYS {
        return Err(answer.broken("the fields of the answer are others").between(KEYS.join(", "), body));
    }
    answer
        .has("/status", &json!("success"))?
        .has("/lines_dt", &json!(request.lines_dt()))?
        .has("/stream_amount", &json!(request.stream_amount()))?
        .has("/channel_amount", &json!(request.channel_amount()))?
        .has("/view_type", &json!(request.view))?
        .has("/metadata/parent/prr", &json!(bounds.prr))?;
    streams(&job, &request.streams()).map_err(|failure| failure.shown_by(&answer.0))?;
    frequencies(&job, request, bounds.prr, &body).map_err(|failure| failure.shown_by(&answer.0))?;
    Ok(job)
}

fn streams(job: &Job, expected: &BTreeMap<u32, u32>) -> Result<(), Failure> {
    let misplaced = expected.iter().find(|(channel, stream)| job.channels.get(channel) != Some(stream));
    match misplaced {
        None => Ok(()),
        Some((channel, stream)) => {
            let got = job.channels.get(channel).map_or_else(|| String::from("none"), ToString::to_string);
            Err(Failure::broken(format!("channel {channel} is in another stream")).between(stream, got))
        }
    }
}

fn frequencies(job: &Job, request: arithmetic::Request, prr: u32, body: &Value) -> Result<(), Failure> {
    let expected = request.frequencies_list(prr);
    if expected.len() != job.frequencies.len() {
        let failure = Failure::broken("the number of bins is not what the contract says");
        return Err(failure.between(expected.len(), job.frequencies.len()));
    }
    for (place, (got, expected)) in job.frequencies.iter().zip(&expected).enumerate() {
        if !close(*got, *expected) {
            let what = format!("the frequency of bin {place} is not what the contract says");
            return Err(Failure::broken(what).between(expected, got));
        }
    }
    let whole = body["frequencies_list"].as_array().into_iter().flatten().find(|value| !value.is_f64());
    holds(whole.is_none(), || format!("{} in frequencies_list has no fraction", json!(whole)))
}
