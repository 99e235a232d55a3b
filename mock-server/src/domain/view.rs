//! Views, and everything that follows from one by arithmetic: bins, line interval, groups of channels.
//!
//! The formulas are those of the recorded answers (all samples fit, bit for bit); where no sample exists, for a lowest
//! frequency above 0 and for waterfalls, they are our choice.

use super::fiber::{ChannelRange, Prr};

/// Length of the Fourier transform: a power of two from 128 to 65536, or any from 1 to 131072 where that is not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nfft(u32);

impl Nfft {
    /// Shortest transform.
    pub const MIN: u32 = 128;
    /// Longest transform.
    pub const MAX: u32 = 65536;

    /// The length, `None` unless it is a power of two from 128 up to `limit` and 65536.
    #[must_use]
    pub fn new(length: i64, limit: u32) -> Option<Self> {
        let length = u32::try_from(length).ok()?;
        (length.is_power_of_two() && (Self::MIN..=limit.min(Self::MAX)).contains(&length))
            .then_some(Self(length))
    }

    /// Longest transform where lengths are not checked.
    pub const UNCHECKED_MAX: u32 = 131_072;

    /// Any length from 1 to 131072.
    #[must_use]
    pub fn unchecked(length: i64) -> Option<Self> {
        let length = u32::try_from(length).ok()?;
        (1..=Self::UNCHECKED_MAX).contains(&length).then_some(Self(length))
    }

    /// The length in samples.
    #[must_use]
    pub fn samples(self) -> u32 {
        self.0
    }
}

/// Frequencies from `min` to `max` in Hz; `min < max` unless that is not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrequencyRange {
    min: u32,
    max: u32,
}

impl FrequencyRange {
    /// The range, `None` unless `min < max`.
    #[must_use]
    pub fn new(min: u32, max: u32) -> Option<Self> {
        (min < max).then_some(Self { min, max })
    }

    /// Any two frequencies. What lies below 0 or far beyond every Nyquist limit gives no bins, so it is cut off here.
    #[must_use]
    pub fn unchecked(min: i64, max: i64) -> Self {
        let hertz = |value: i64| u32::try_from(value.max(0)).unwrap_or(u32::MAX);
        Self { min: hertz(min), max: hertz(max) }
    }

    /// Lowest frequency, Hz.
    #[must_use]
    pub fn min(self) -> u32 {
        self.min
    }

    /// Highest frequency, Hz.
    #[must_use]
    pub fn max(self) -> u32 {
        self.max
    }
}

/// What a spectrogram view asks for and a waterfall does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spectrum {
    /// Transform length.
    pub nfft: Nfft,
    /// Frequencies shown.
    pub frequencies: FrequencyRange,
    /// Seconds that the display spans, positive.
    pub duration_s: u64,
}

/// The three views of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// View 0: a spectrogram of many channels.
    MultiChannel(Spectrum),
    /// View 1: a spectrogram of one channel.
    SingleChannel(Spectrum),
    /// View 2: amplitudes of many channels, no frequencies.
    Waterfall,
}

impl View {
    /// Number of the view on the wire.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::MultiChannel(_) => 0,
            Self::SingleChannel(_) => 1,
            Self::Waterfall => 2,
        }
    }

    /// Its spectrum, if it has one.
    #[must_use]
    pub fn spectrum(self) -> Option<Spectrum> {
        match self {
            Self::MultiChannel(spectrum) | Self::SingleChannel(spectrum) => Some(spectrum),
            Self::Waterfall => None,
        }
    }
}

/// The frequency bins of a view: `index · step` for every index of `first..end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bins {
    first: u64,
    end: u64,
    step: f64,
}

impl Bins {
    /// No bins: a waterfall.
    pub const NONE: Self = Self { first: 0, end: 0, step: 0.0 };

    fn of(spectrum: Spectrum, prr: Prr) -> Self {
        let samples = u64::from(spectrum.nfft.samples());
        // Whole numbers throughout: a floating-point quotient just below an integer would lose a bin.
        let index = |hertz: u32| u64::from(hertz) * samples / u64::from(prr.hertz());
        // Only unchecked frequencies reach beyond the transform. There is one bin at least.
        let first = index(spectrum.frequencies.min()).min(samples - 1);
        let end = index(spectrum.frequencies.max()).clamp(first + 1, samples);
        Self { first, end, step: f64::from(prr.hertz()) / (f64::from(spectrum.nfft.samples()) + 1.0) }
    }

    /// A quarter of them, four times as far apart; at least one, unless there is none.
    #[must_use]
    pub fn decimated(self) -> Self {
        if self.end == self.first {
            return self;
        }
        let first = self.first / 4;
        let count = ((self.end - self.first) / 4).max(1);
        Self { first, end: first + count, step: 4.0 * self.step }
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> u32 {
        u32::try_from(self.end - self.first)
            .expect("a transform has at most 131072 samples, and no more bins")
    }

    /// Their frequencies in Hz, ascending.
    pub fn frequencies(self) -> impl ExactSizeIterator<Item = f64> {
        let first = self.first;
        (0..self.count()).map(move |offset| {
            let index = u32::try_from(first).expect("bin indices are below the transform length") + offset;
            // The step first, then the product: the order in which the recorded values come out bit for bit.
            f64::from(index) * self.step
        })
    }
}

/// What follows from a view, its channels and its height.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Frequency bins, none for a waterfall.
    pub bins: Bins,
    /// Seconds between two displayed lines, positive.
    pub lines_dt: f64,
    /// The channels of each stream: contiguous, in order, larger groups first.
    pub streams: Vec<ChannelRange>,
}

impl Layout {
    /// The layout of a view over channels; `waterfall_dt` is the line interval of waterfalls.
    #[must_use]
    pub fn of(view: View, channels: ChannelRange, height: u64, prr: Prr, waterfall_dt: f64) -> Self {
        match view {
            View::MultiChannel(spectrum) => Self {
                bins: Bins::of(spectrum, prr),
                lines_dt: lines_dt(spectrum, height),
                streams: groups(channels, channels.count().min(3)),
            },
            View::SingleChannel(spectrum) => Self {
                bins: Bins::of(spectrum, prr),
                lines_dt: lines_dt(spectrum, height),
                streams: groups(channels, 1),
            },
            View::Waterfall => {
                Self { bins: Bins::NONE, lines_dt: waterfall_dt, streams: groups(channels, 1) }
            }
        }
    }

    /// Values of one row of one channel: its bins, or the one amplitude of a waterfall.
    #[must_use]
    pub fn values_per_channel(&self) -> u32 {
        self.bins.count().max(1)
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "both numbers come from JSON integers, which are exact in a 64-bit float"
)]
fn lines_dt(spectrum: Spectrum, height: u64) -> f64 {
    spectrum.duration_s as f64 / height as f64
}

/// `channels` cut into `parts` contiguous groups whose sizes differ by at most one, larger ones first.
fn groups(channels: ChannelRange, parts: u32) -> Vec<ChannelRange> {
    let (size, larger) = (channels.count() / parts, channels.count() % parts);
    let mut taken = 0;
    (0..parts)
        .filter_map(|part| {
            let count = size + u32::from(part < larger);
            let group = channels.part(taken, count);
            taken += count;
            group
        })
        .collect()
}
