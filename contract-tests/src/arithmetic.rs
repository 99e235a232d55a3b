//! The product's arithmetic, from the contract: what an accepted configuration is answered with.

use std::collections::BTreeMap;

/// A configuration's numbers, as far as the arithmetic needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// 0 multichannel, 1 single channel, 2 waterfall.
    pub view: u8,
    /// First and last channel.
    pub channels: (u32, u32),
    /// Length of the transform; waterfalls have none.
    pub nfft: u32,
    /// Lowest and highest frequency in Hz; waterfalls have none.
    pub frequencies: (u32, u32),
    /// Seconds of the time axis; waterfalls have none.
    pub duration: u32,
    /// Lines of the display.
    pub height: u32,
}

/// Seconds between two lines of a waterfall.
pub const WATERFALL_LINES_DT: f64 = 0.1;

impl Request {
    /// Number of channels.
    #[must_use]
    pub fn channel_amount(&self) -> u32 {
        self.channels.1 - self.channels.0 + 1
    }

    /// Seconds between two lines.
    #[must_use]
    pub fn lines_dt(&self) -> f64 {
        if self.view == 2 { WATERFALL_LINES_DT } else { f64::from(self.duration) / f64::from(self.height) }
    }

    /// First bin, and the one behind the last.
    #[must_use]
    pub fn bins(&self, prr: u32) -> (u64, u64) {
        if self.view == 2 {
            return (0, 0);
        }
        let bin = |frequency: u32| u64::from(frequency) * u64::from(self.nfft) / u64::from(prr);
        let low = bin(self.frequencies.0);
        (low, bin(self.frequencies.1).max(low + 1))
    }

    /// Centre frequencies of the bins.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "bins are far below 2^53")]
    pub fn frequencies_list(&self, prr: u32) -> Vec<f64> {
        let step = f64::from(prr) / (f64::from(self.nfft) + 1.0);
        let (low, high) = self.bins(prr);
        (low..high).map(|bin| bin as f64 * step).collect()
    }

    /// Number of streams.
    #[must_use]
    pub fn stream_amount(&self) -> u32 {
        match self.view {
            0 => self.channel_amount().min(3),
            _ => 1,
        }
    }

    /// Which stream each channel is in: contiguous groups, the larger ones first.
    #[must_use]
    pub fn streams(&self) -> BTreeMap<u32, u32> {
        let (amount, streams) = (self.channel_amount(), self.stream_amount());
        let (quotient, remainder) = (amount / streams, amount % streams);
        let sizes = (0..streams).map(|stream| quotient + u32::from(stream < remainder));
        let indices = sizes.enumerate().flat_map(|(stream, size)| {
            std::iter::repeat_n(u32::try_from(stream).unwrap_or(u32::MAX), size as usize)
        });
        (self.channels.0..=self.channels.1).zip(indices).collect()
    }
}

/// What clients estimate before they ask. Nothing of it is in an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Transforms per second.
    pub rows_per_second: f64,
    /// Bytes of all channels of one transform.
    pub bytes_per_row: f64,
    /// Load of the network.
    pub megabits_per_second: f64,
}

impl Estimate {
    /// Whether clients would warn of it.
    #[must_use]
    pub fn warns(&self) -> bool {
        !(1.0..=1000.0).contains(&self.rows_per_second) || self.megabits_per_second > 100.0
    }
}

impl Request {
    /// What a client estimates for it.
    #[must_use]
    pub fn estimate(&self, prr: u32) -> Estimate {
        let rows_per_second = f64::from(prr) / f64::from(self.nfft);
        let bytes_per_row = f64::from(self.channel_amount()) * f64::from(self.nfft / 2) * 4.0;
        let megabits_per_second = rows_per_second * bytes_per_row * 8.0 / 1e6;
        Estimate { rows_per_second, bytes_per_row, megabits_per_second }
    }
}

/// Whether a list value is what the arithmetic gives: another order of the same operations may differ in the last digit.
#[must_use]
pub fn close(got: f64, expected: f64) -> bool {
    (got - expected).abs() <= expected.abs() * 1e-9
}
