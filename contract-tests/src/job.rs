//! A job as its answer describes it, and what holds for every one of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::answer::Answer;
use crate::arithmetic::{Request, close};
use crate::failure::{Failure, equal};

/// An accepted configuration.
#[derive(Clone, Debug)]
pub struct Job {
    /// `<slot>-<sequence>`.
    pub id: String,
    /// First half of the id.
    pub slot: u32,
    /// Second half of the id.
    pub sequence: i32,
    /// Port of its streams.
    pub port: u16,
    /// Host of its streams, as the answer names it, without the scheme.
    pub host: String,
    /// How many streams it has.
    pub streams: u32,
    /// Which stream each channel is in.
    pub channels: BTreeMap<u32, u32>,
    /// Centre frequencies of the bins.
    pub frequencies: Vec<f64>,
    /// Seconds between two lines.
    pub lines_dt: f64,
    /// The answer itself.
    pub answer: Answer,
}

impl Job {
    /// The job of an answer that accepts a configuration of these channels: "200+" of the contract, with INV-ID, -COUNT,
    /// -STREAMS, -CHANNELS and -DT.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn of(answer: &Answer, channels: (u32, u32)) -> Result<Self, Failure> {
        answer.has_status(200)?;
        let body = answer.json()?;
        let broken = |what: String| answer.broken(what);
        let number = |key: &str| {
            body[key].as_u64().ok_or_else(|| broken(format!("{key} is no whole number: {}", body[key])))
        };
        let id = body["job_id"].as_str().unwrap_or_default().to_owned();
        let (slot, sequence) =
            halves(&id).ok_or_else(|| broken(format!("INV-ID: job_id {id:?} is not <slot>-<sequence>")))?;
        let map = streams_of(&body["channel_to_stream_index"])
            .ok_or_else(|| broken(String::from("channel_to_stream_index must map channels to streams")))?;
        let port = u16::try_from(number("stream_port")?).ok().filter(|port| *port > 0);
        let host = body["stream_url"]
            .as_str()
            .and_then(|url| url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")));
        let job = Self {
            slot,
            sequence,
            port: port.ok_or_else(|| broken(format!("stream_port {} is no port", body["stream_port"])))?,
            host: host
                .ok_or_else(|| broken(format!("stream_url {} is no URL", body["stream_url"])))?
                .to_owned(),
            streams: u32::try_from(number("stream_amount")?).unwrap_or(u32::MAX),
            frequencies: body["frequencies_list"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_f64)
                .collect(),
            lines_dt: body["lines_dt"].as_f64().unwrap_or_default(),
            channels: map,
            id,
            answer: answer.clone(),
        };
        job.hold(channels, number("frequencies_amount")?, number("channel_amount")?)
            .map_err(|failure| failure.shown_by(&answer.0))?;
        Ok(job)
    }

    fn hold(&self, channels: (u32, u32), frequencies: u64, amount: u64) -> Result<(), Failure> {
        let broken = |what: String| Err(Failure::broken(what));
        if frequencies != self.frequencies.len() as u64 {
            return broken(format!(
                "INV-COUNT: frequencies_amount {frequencies}, list of {}",
                self.frequencies.len()
            ));
        }
        let asked: Vec<u32> = (channels.0..=channels.1).collect();
        if !self.channels.keys().eq(&asked) || amount != asked.len() as u64 {
            return broken(format!(
                "INV-CHANNELS: channel_amount {amount} and {} channels in channel_to_stream_index for the channels {} to {}",
                self.channels.len(),
                channels.0,
                channels.1
            ));
        }
        let used: BTreeSet<u32> = self.channels.values().copied().collect();
        if !used.iter().copied().eq(0..self.streams) {
            return broken(format!("INV-STREAMS: stream_amount {} and the streams {used:?}", self.streams));
        }
        // Channels are in order, so contiguous groups are streams in order.
        if !self.channels.values().is_sorted() {
            return broken(String::from("INV-STREAMS: the channels of a stream are not contiguous"));
        }
        if self.lines_dt <= 0.0 {
            return broken(format!("INV-DT: lines_dt {}", self.lines_dt));
        }
        Ok(())
    }

    /// Demands the numbers that the arithmetic gives for a request at a rate of pulses.
    ///
    /// # Errors
    /// The first number that is another.
    pub fn follows(&self, request: &Request, prr: u32) -> Result<(), Failure> {
        let held = || {
            self.answer.has("/view_type", &Value::from(request.view))?;
            self.answer.has("/channel_amount", &Value::from(request.channel_amount()))?;
            equal("stream_amount", &self.streams, &request.stream_amount())?;
            equal("channel_to_stream_index", &self.channels, &request.streams())?;
            // One division of two whole numbers: there is no other way to round it.
            equal("lines_dt", &self.lines_dt, &request.lines_dt())?;
            let expected = request.frequencies_list(prr);
            equal("frequencies_amount", &self.frequencies.len(), &expected.len())?;
            let differs = |(got, expected): &(&f64, &f64)| !close(**got, **expected);
            match self.frequencies.iter().zip(&expected).find(differs) {
                Some((got, expected)) => {
                    Err(Failure::broken("a frequency is not what the contract says").between(expected, got))
                }
                None => Ok(()),
            }
        };
        held().map_err(|failure: Failure| failure.shown_by(&self.answer.0))
    }

    /// How many channels each stream has.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        let size = |stream: u32| self.channels.values().filter(|index| **index == stream).count();
        (0..self.streams).map(size).collect()
    }

    /// First and last channel of a stream.
    #[must_use]
    pub fn block(&self, stream: u32) -> Option<(u32, u32)> {
        let mut channels =
            self.channels.iter().filter(|(_, index)| **index == stream).map(|(channel, _)| *channel);
        let first = channels.next()?;
        Some((first, channels.next_back().unwrap_or(first)))
    }
}

/// Both halves of an id, decimal and without leading zeros.
fn halves(id: &str) -> Option<(u32, i32)> {
    let (slot, sequence) = id.split_once('-')?;
    let (slot, sequence) = (slot.parse().ok()?, sequence.parse().ok()?);
    (format!("{slot}-{sequence}") == id && slot > 0 && sequence > 0).then_some((slot, sequence))
}

fn streams_of(map: &Value) -> Option<BTreeMap<u32, u32>> {
    let entries = map.as_object()?.iter();
    entries
        .map(|(channel, stream)| {
            let number: u32 = channel.parse().ok()?;
            let stream = u32::try_from(stream.as_u64()?).ok()?;
            (number.to_string() == *channel).then_some((number, stream))
        })
        .collect()
}
