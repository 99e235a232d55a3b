//! A distribution of latencies: an HDR histogram, with mean and maximum exact beside it.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest latency that is told apart from longer ones. **Chosen**: ten minutes, far beyond any client's patience.
const LONGEST_US: u64 = 600_000_000;

/// Latencies, at microseconds and three significant digits.
#[derive(Clone, Debug)]
pub struct Latencies {
    histogram: Histogram<u64>,
    sum: Duration,
    max: Duration,
}

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, 3).expect("bounds that are far apart");
        Self { histogram, sum: Duration::ZERO, max: Duration::ZERO }
    }
}

impl Latencies {
    /// Adds one.
    pub fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.histogram.saturating_record(micros.max(1));
        self.sum += latency;
        self.max = self.max.max(latency);
    }

    /// Adds all of another distribution.
    pub fn add(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).expect("the same bounds");
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// Mean in milliseconds; 0 of none.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn mean_ms(&self) -> f64 {
        if self.count() == 0 { 0.0 } else { ms(self.sum) / self.count() as f64 }
    }

    /// The latency in milliseconds that a share of them does not exceed; 0 of none.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "at most ten minutes in microseconds")]
    pub fn quantile_ms(&self, share: f64) -> f64 {
        if self.count() == 0 {
            return 0.0;
        }
        (self.histogram.value_at_quantile(share) as f64 / 1_000.0).min(self.max_ms())
    }

    /// Longest in milliseconds; 0 of none.
    #[must_use]
    pub fn max_ms(&self) -> f64 {
        ms(self.max)
    }
}

/// A duration in milliseconds.
#[must_use]
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_quantiles_and_maximum_are_those_of_what_was_recorded() {
        let mut latencies = Latencies::default();
        (1..=100).for_each(|number| latencies.record(Duration::from_millis(number)));
        assert_eq!((latencies.count(), latencies.mean_ms(), latencies.max_ms()), (100, 50.5, 100.0));
        for (share, expected) in [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0), (1.0, 100.0)] {
            let got = latencies.quantile_ms(share);
            assert!((got - expected).abs() / expected < 0.001, "{share}: {got}");
        }
        let mut both = Latencies::default();
        both.record(Duration::from_millis(302));
        both.add(&latencies);
        assert_eq!((both.count(), both.max_ms()), (101, 302.0));
        assert!((both.mean_ms() - 5352.0 / 101.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_has_no_latency() {
        let none = Latencies::default();
        assert_eq!([none.mean_ms(), none.quantile_ms(0.99), none.max_ms()], [0.0; 3]);
    }
}
