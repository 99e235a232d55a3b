//! How long something is held up: always the same, or drawn.

use std::time::Duration;

use rand_distr::{Distribution, LogNormal, Normal};

use crate::sim::seed::Bits;

/// Longest delay; a draw beyond it is cut to it.
pub const LONGEST_DELAY: Duration = Duration::from_secs(3600);

/// A time, or a distribution of times.
#[derive(Clone, Debug, PartialEq)]
pub enum Delay {
    /// Always that long.
    Fixed(Duration),
    /// Evenly between two bounds.
    Uniform {
        /// The shortest.
        least: Duration,
        /// The longest.
        most: Duration,
    },
    /// Around a mean; what would be below zero is zero.
    Normal {
        /// The mean.
        mean: Duration,
        /// The standard deviation.
        deviation: Duration,
    },
    /// Long-tailed: its logarithm is normal.
    LogNormal {
        /// Half of all are shorter.
        median: Duration,
        /// Standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// As it was measured: percentiles from 0 to 100 with their times, straight lines between them.
    Percentiles(Vec<(f64, Duration)>),
}

/// The numbers are no distribution of delays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotADelay {
    /// A time above [`LONGEST_DELAY`].
    #[error("a delay is an hour at most")]
    TooLong,
    /// `least` above `most`.
    #[error("the shortest delay must not be above the longest")]
    Reversed,
    /// `sigma` that is no number above 0.
    #[error("sigma must be a number above 0, 10 at most")]
    Sigma,
    /// Percentiles that do not rise, or leave out the ends.
    #[error("percentiles must rise from 0 to 100, at least these two, and so must their delays")]
    Percentiles,
}

impl Delay {
    /// The same, if it makes sense.
    ///
    /// # Errors
    /// When it does not.
    pub fn checked(self) -> Result<Self, NotADelay> {
        let too_long = |time: &Duration| *time > LONGEST_DELAY;
        let (times, wrong) = match &self {
            Self::Fixed(time) => (vec![*time], None),
            Self::Uniform { least, most } => {
                (vec![*least, *most], (least > most).then_some(NotADelay::Reversed))
            }
            Self::Normal { mean, deviation } => (vec![*mean, *deviation], None),
            Self::LogNormal { median, sigma } => {
                let usable = *sigma > 0.0 && *sigma <= 10.0 && !median.is_zero();
                (vec![*median], (!usable).then_some(NotADelay::Sigma))
            }
            Self::Percentiles(points) => {
                let rises = points.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1);
                let ends = points.first().map(|(first, _)| *first).zip(points.last().map(|(last, _)| *last));
                let usable = rises && ends == Some((0.0, 100.0));
                (points.iter().map(|(_, time)| *time).collect(), (!usable).then_some(NotADelay::Percentiles))
            }
        };
        match wrong {
            Some(wrong) => Err(wrong),
            None if times.iter().any(too_long) => Err(NotADelay::TooLong),
            None => Ok(self),
        }
    }

    /// Whether it is drawn.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        !matches!(self, Self::Fixed(_))
    }

    /// The time that drawn bits stand for.
    #[must_use]
    pub fn at(&self, bits: Bits) -> Duration {
        let time = match self {
            Self::Fixed(time) => *time,
            Self::Uniform { least, most } => between(*least, *most, bits.fraction()),
            Self::Normal { mean, deviation } => {
                let normal = Normal::new(mean.as_secs_f64(), deviation.as_secs_f64());
                normal.map_or(*mean, |normal| seconds(normal.sample(&mut bits.rng())))
            }
            Self::LogNormal { median, sigma } => {
                let log = LogNormal::new(median.as_secs_f64().ln(), *sigma);
                log.map_or(*median, |log| seconds(log.sample(&mut bits.rng())))
            }
            Self::Percentiles(points) => percentile(points, bits.fraction() * 100.0),
        };
        time.min(LONGEST_DELAY)
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(LONGEST_DELAY)
}

fn between(least: Duration, most: Duration, fraction: f64) -> Duration {
    least + most.saturating_sub(least).mul_f64(fraction)
}

fn percentile(points: &[(f64, Duration)], at: f64) -> Duration {
    let two = points.windows(2).find(|two| at <= two[1].0);
    let last = points.last().map_or(Duration::ZERO, |(_, time)| *time);
    two.map_or(last, |two| {
        let ((from, least), (to, most)) = (two[0], two[1]);
        between(least, most, (at - from) / (to - from))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::seed::Seed;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn drawn(delay: &Delay) -> Vec<Duration> {
        let mut times: Vec<_> =
            (0..2000).map(|number| delay.at(Seed(7).bits("a job", "a rule", number))).collect();
        times.sort();
        times
    }

    #[test]
    fn draws_follow_their_distribution() {
        let median = |delay: &Delay| drawn(delay)[1000].as_secs_f64() * 1000.0;
        let near = |delay: Delay, expected: f64| {
            let found = median(&delay);
            assert!((found - expected).abs() < expected * 0.1, "{delay:?}: {found}");
        };
        near(Delay::Fixed(MS(40)), 40.0);
        near(Delay::Uniform { least: MS(10), most: MS(90) }, 50.0);
        near(Delay::Normal { mean: MS(100), deviation: MS(10) }, 100.0);
        near(Delay::LogNormal { median: MS(100), sigma: 0.5 }, 100.0);
        near(Delay::Percentiles(vec![(0.0, MS(5)), (50.0, MS(20)), (99.0, MS(90)), (100.0, MS(400))]), 20.0);
    }

    #[test]
    fn a_normal_delay_spreads_by_its_deviation_and_is_never_negative() {
        let times = drawn(&Delay::Normal { mean: MS(100), deviation: MS(10) });
        let (low, high) = (times[320].as_secs_f64(), times[1680].as_secs_f64());
        assert!((0.085..0.095).contains(&low) && (0.105..0.115).contains(&high), "{low} {high}");
        assert_eq!(drawn(&Delay::Normal { mean: MS(1), deviation: MS(50) })[0], Duration::ZERO);
    }

    #[test]
    fn the_tail_of_measured_percentiles_is_reached_and_not_passed() {
        let points = vec![(0.0, MS(5)), (50.0, MS(20)), (99.0, MS(90)), (100.0, MS(400))];
        let times = drawn(&Delay::Percentiles(points));
        assert!(times[0] >= MS(5) && times[1999] <= MS(400) && times[1990] > MS(90));
        assert!((MS(85)..=MS(95)).contains(&times[1975]), "{:?}", times[1975]);
    }

    #[test]
    fn what_makes_no_sense_is_no_delay() {
        for (delay, wrong) in [
            (Delay::Fixed(MS(3_600_001)), NotADelay::TooLong),
            (Delay::Uniform { least: MS(2), most: MS(1) }, NotADelay::Reversed),
            (Delay::LogNormal { median: MS(2), sigma: 0.0 }, NotADelay::Sigma),
            (Delay::LogNormal { median: MS(2), sigma: f64::NAN }, NotADelay::Sigma),
            (Delay::Percentiles(vec![]), NotADelay::Percentiles),
            (Delay::Percentiles(vec![(0.0, MS(2)), (99.0, MS(3))]), NotADelay::Percentiles),
            (Delay::Percentiles(vec![(0.0, MS(2)), (100.0, MS(1))]), NotADelay::Percentiles),
        ] {
            assert_eq!(delay.checked(), Err(wrong));
        }
    }
}
