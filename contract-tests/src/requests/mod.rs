//! Configurations that nobody thought of: valid by construction, or with defects that are known.
//!
//! [`valid`] draws requests that every server must accept, in all the forms that the contract allows. [`defects`] spoils
//! them, and [`checks`] says which refusal a spoilt one must get. [`accepted`] holds an answer against the arithmetic.

pub mod accepted;
pub mod checks;
pub mod defects;
pub mod form;

use std::fmt;

use proptest::prelude::{Just, Strategy, any};
use proptest::{option, prop_oneof};
use serde_json::{Map, Value, json};

use crate::arithmetic;
use crate::failure::Failure;
use crate::story::Story;
use form::Form;

/// What bounds a request on a server.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// First channel of the fibre.
    pub lowest: u32,
    /// Last channel of the fibre.
    pub highest: u32,
    /// Pulses per second.
    pub prr: u32,
    /// Most channels of a request.
    pub most_channels: u32,
    /// Longest transform.
    pub largest_nfft: u32,
    /// The server's time in epoch seconds.
    pub now: i64,
    /// How far beyond that a window may end.
    pub tolerance: i64,
    /// Recordings of the last day.
    pub recordings: Vec<(i64, i64)>,
}

impl Bounds {
    /// Those of a story's server; its limits are those of the contract.
    ///
    /// # Errors
    /// When it does not tell.
    pub async fn of(story: &Story) -> Result<Self, Failure> {
        let whole =
            |value: &Value| value.as_f64().filter(|number| *number >= 1.0).map(|number| number as u32);
        let channels = story.get("/channels").await?;
        let fibre = story.get("/live_metadata").await?;
        let (range, metadata) = (channels.json()?, fibre.json()?);
        let bound = |key: &str| whole(&range[key]).ok_or_else(|| channels.broken(format!("no {key}")));
        let now = story.now().await?;
        let asked = json!({"start_time": now - 86_400, "end_time": now});
        let listed = story.post("/recordings_in_time_range", &asked).await?.has_status(200)?.json()?;
        let pair = |pair: &Value| Some((pair[0].as_i64()?, pair[1].as_i64()?));
        // One that goes on has no end to draw a window before.
        let ended = |(start, end): &(i64, i64)| start < end;
        Ok(Self {
            lowest: bound("lowest_channel")?,
            highest: bound("highest_channel")?,
            prr: whole(&metadata["prr"]).ok_or_else(|| Failure::could_not_run("the fibre is not ready"))?,
            most_channels: 2222,
            largest_nfft: 65_536,
            now,
            tolerance: 60,
            recordings: listed.as_array().into_iter().flatten().filter_map(pair).filter(ended).collect(),
        })
    }

    /// Highest frequency that can be asked for.
    #[must_use]
    pub fn nyquist(&self) -> u32 {
        self.prr / 2
    }

    fn window(&self, draw: WindowDraw) -> Option<(i64, i64)> {
        let WindowDraw { recording, offset, length, early } = draw;
        let count = u16::try_from(self.recordings.len()).ok().filter(|count| *count > 0)?;
        // The newest first: what is drawn shrinks towards it.
        let (start, end) = *self.recordings.iter().rev().nth(usize::from(recording % count))?;
        let length = i64::from(length) + 1;
        if early {
            // Begins before the recording and ends within its first second.
            return Some((start - length, start + 1));
        }
        let start = start + i64::from(offset) % (end - start);
        Some((start, (start + length).min(self.now)))
    }
}

#[derive(Clone, Copy, Debug)]
struct WindowDraw {
    recording: u16,
    offset: u16,
    length: u16,
    early: bool,
}

/// A configuration that must be accepted.
#[derive(Clone)]
pub struct Configure {
    /// Its numbers; those that a waterfall does not have are not sent with one.
    pub request: arithmetic::Request,
    /// Its stretch of history, if it is not live.
    pub window: Option<(i64, i64)>,
    /// How it is written.
    pub form: Form,
}

impl fmt::Debug for Configure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As it is sent, to be sent again.
        f.write_str(&self.form.write(&self.body()))
    }
}

impl Configure {
    /// The same for another view.
    #[must_use]
    pub fn seen_as(mut self, view: u8) -> Self {
        self.request.view = view;
        if view == 1 {
            self.request.channels.1 = self.request.channels.0;
        }
        self
    }

    /// The request without any oddities.
    #[must_use]
    pub fn body(&self) -> Value {
        let arithmetic::Request { view, channels, nfft, frequencies, duration, height } = self.request;
        let mut body = Map::new();
        if view != 2 {
            body.insert(String::from("displayTimeAxisDuration"), duration.into());
            body.insert(String::from("nfftSelection"), nfft.into());
        }
        body.insert(String::from("displayInfo"), json!({"height": height}));
        body.insert(String::from("channels"), json!({"min": channels.0, "max": channels.1}));
        if view != 2 {
            body.insert(String::from("frequencyRange"), json!({"min": frequencies.0, "max": frequencies.1}));
        }
        if let Some((start, end)) = self.window {
            body.insert(String::from("start_time"), start.into());
            body.insert(String::from("end_time"), end.into());
        }
        body.insert(String::from("view_type"), view.into());
        Value::Object(body)
    }
}

/// Configurations that every server within these bounds must accept.
pub fn valid(bounds: &Bounds) -> impl Strategy<Value = Configure, Tree: Send> + Send + Sync + use<> {
    let bounds = bounds.clone();
    let numbers = (0..=2_u8, channels(&bounds), nfft(&bounds), frequencies(&bounds), duration(), height());
    let window = (any::<u16>(), any::<u16>(), 0..7200_u16, any::<bool>())
        .prop_map(|(recording, offset, length, early)| WindowDraw { recording, offset, length, early });
    (numbers, option::of(window), form::forms()).prop_map(move |(numbers, window, form)| {
        let (view, channels, nfft, frequencies, duration, height) = numbers;
        let request = arithmetic::Request { view, channels, nfft, frequencies, duration, height };
        let window = window.and_then(|draw| bounds.window(draw));
        Configure { request, window, form }.seen_as(view)
    })
}

fn channels(bounds: &Bounds) -> impl Strategy<Value = (u32, u32), Tree: Send> + Send + Sync + use<> {
    let Bounds { lowest, highest, most_channels, .. } = *bounds;
    let first = prop_oneof![1 => Just(lowest), 1 => Just(highest), 4 => lowest..=highest];
    let amount = prop_oneof![1 => Just(1), 8 => 1..=60_u32, 1 => 1..=most_channels, 1 => Just(most_channels)];
    (first, amount).prop_map(move |(first, amount)| (first, (first + amount - 1).min(highest)))
}

fn nfft(bounds: &Bounds) -> impl Strategy<Value = u32, Tree: Send> + Send + Sync + use<> {
    // Long lists of bins take long and show nothing that shorter ones do not.
    let longest = bounds.largest_nfft.ilog2();
    prop_oneof![20 => 7..=12_u32, 1 => 13..=longest].prop_map(|exponent| 1 << exponent)
}

fn frequencies(bounds: &Bounds) -> impl Strategy<Value = (u32, u32), Tree: Send> + Send + Sync + use<> {
    let nyquist = bounds.nyquist();
    let lowest = prop_oneof![1 => Just(0), 2 => 0..nyquist];
    let width = prop_oneof![1 => Just(1), 1 => Just(nyquist), 4 => 1..=nyquist];
    (lowest, width).prop_map(move |(lowest, width)| (lowest, (lowest + width).min(nyquist)))
}

fn duration() -> impl Strategy<Value = u32, Tree: Send> + Send + Sync + use<> {
    prop_oneof![1 => Just(1), 6 => 1..=600_u32, 1 => Just(86_400), 1 => Just(u32::MAX)]
}

fn height() -> impl Strategy<Value = u32, Tree: Send> + Send + Sync + use<> {
    prop_oneof![1 => Just(1), 6 => 1..=2000_u32, 1 => Just(u32::MAX)]
}
