//! What came of many requests, and what is demanded of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::caller::Trouble;
use crate::capacity::fire::Shot;
use crate::capacity::latency::Latencies;
use crate::failure::{Failure, holds};

/// Requests of one kind, counted.
#[derive(Clone, Debug)]
pub struct Tally {
    what: &'static str,
    asked: usize,
    succeeded: usize,
    latency: Latencies,
    troubles: BTreeMap<String, usize>,
    first: Option<String>,
    over: Duration,
}

/// Longest latency that a demand lets pass, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Shorter than that.
    Below(f64),
    /// That, or shorter.
    AtMost(f64),
}

impl Bound {
    fn keeps(self, ms: f64) -> bool {
        match self {
            Self::Below(limit) => ms < limit,
            Self::AtMost(limit) => ms <= limit,
        }
    }

    fn shown(self) -> String {
        match self {
            Self::Below(limit) => format!("less than {limit} ms"),
            Self::AtMost(limit) => format!("at most {limit} ms"),
        }
    }
}

impl Tally {
    /// Counts what came of requests.
    #[must_use]
    pub fn of<'a, T: 'a>(
        what: &'static str,
        shots: impl IntoIterator<Item = &'a Shot<Result<T, Trouble>>>,
    ) -> Self {
        let (latency, troubles) = (Latencies::default(), BTreeMap::new());
        let none =
            Self { what, asked: 0, succeeded: 0, latency, troubles, first: None, over: Duration::ZERO };
        shots.into_iter().fold(none, |mut tally, shot| {
            tally.over = tally.over.max(shot.due + shot.latency);
            tally.count(shot.value.as_ref().map(drop).map_err(|trouble| trouble.0.as_str()), shot.latency);
            tally
        })
    }

    /// Counts one more.
    pub fn count(&mut self, outcome: Result<(), &str>, latency: Duration) {
        self.asked += 1;
        match outcome {
            Ok(()) => {
                self.succeeded += 1;
                self.latency.record(latency);
            }
            Err(trouble) => {
                *self.troubles.entry(trouble.to_owned()).or_default() += 1;
                self.first.get_or_insert_with(|| trouble.to_owned());
            }
        }
    }

    /// How many did what they should.
    #[must_use]
    pub fn succeeded(&self) -> usize {
        self.succeeded
    }

    /// Share of those that did.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]
    pub fn rate(&self) -> f64 {
        if self.asked == 0 { 0.0 } else { self.succeeded as f64 / self.asked as f64 }
    }

    /// The latencies of those.
    #[must_use]
    pub fn latency(&self) -> &Latencies {
        &self.latency
    }

    /// How many of those in a second, if all together took at least so long.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]
    pub fn per_second(&self, least: Duration) -> f64 {
        self.succeeded as f64 / self.over.max(least).as_secs_f64()
    }

    /// The figures, for a report.
    #[must_use]
    pub fn shown(&self) -> String {
        let Self { what, asked, succeeded, latency, .. } = self;
        format!(
            "{what}: {succeeded} of {asked}, mean {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            latency.mean_ms(),
            latency.quantile_ms(0.95),
            latency.quantile_ms(0.99),
            latency.max_ms()
        )
    }

    fn failed(&self, wanted: &str) -> Failure {
        let Self { what, asked, succeeded, first, troubles, .. } = self;
        let kinds = if troubles.len() > 1 {
            format!(" ({} sorts of trouble)", troubles.len())
        } else {
            String::new()
        };
        let first = first
            .as_deref()
            .map_or_else(String::new, |first| format!("; the first that did not{kinds}: {first}"));
        Failure::broken(format!("{what}: {succeeded} of {asked} succeeded, {wanted} must{first}"))
    }

    /// Demands that all did what they should.
    ///
    /// # Errors
    /// When one did not.
    pub fn all(&self) -> Result<(), Failure> {
        if self.succeeded == self.asked && self.asked > 0 { Ok(()) } else { Err(self.failed("all")) }
    }

    /// Demands that at least such a share did.
    ///
    /// # Errors
    /// When fewer did.
    pub fn at_least(&self, share: f64) -> Result<(), Failure> {
        if self.rate() >= share {
            Ok(())
        } else {
            Err(self.failed(&format!("at least {} %", percent(share))))
        }
    }

    /// Demands that more than such a share did.
    ///
    /// # Errors
    /// When no more did.
    pub fn more_than(&self, share: f64) -> Result<(), Failure> {
        if self.rate() > share {
            Ok(())
        } else {
            Err(self.failed(&format!("more than {} %", percent(share))))
        }
    }

    /// Demands a mean latency.
    ///
    /// # Errors
    /// When it is longer.
    pub fn mean(&self, bound: Bound) -> Result<(), Failure> {
        self.latency_is("mean", self.latency.mean_ms(), bound)
    }

    /// Demands the latency that a share of them does not exceed.
    ///
    /// # Errors
    /// When it is longer.
    pub fn quantile(&self, share: f64, bound: Bound) -> Result<(), Failure> {
        self.latency_is(&format!("p{}", percent(share)), self.latency.quantile_ms(share), bound)
    }

    /// Demands that each is as fast.
    ///
    /// # Errors
    /// When one is slower.
    pub fn each(&self, bound: Bound) -> Result<(), Failure> {
        self.latency_is("longest", self.latency.max_ms(), bound)
    }

    fn latency_is(&self, which: &str, ms: f64, bound: Bound) -> Result<(), Failure> {
        holds(bound.keeps(ms), || {
            let Self { what, asked, .. } = self;
            format!("{what}: the {which} latency of {asked} is {ms} ms, it must be {}", bound.shown())
        })
    }
}

/// A share in percent, without decimals that say nothing.
fn percent(share: f64) -> f64 {
    (share * 1_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shots(latencies_ms: &[u64], fail: usize) -> Vec<Shot<Result<(), Trouble>>> {
        let shot = |(number, ms): (usize, &u64)| {
            let value = if number < fail { Err(Trouble(String::from("503 no"))) } else { Ok(()) };
            let latency = Duration::from_millis(*ms);
            Shot { number, due: Duration::ZERO, latency, service: latency, lag: Duration::ZERO, value }
        };
        latencies_ms.iter().enumerate().map(shot).collect()
    }

    #[test]
    fn shares_are_held_exactly_at_their_bounds() {
        let tally = Tally::of("calls", &shots(&[1; 20], 3));
        assert!(tally.at_least(0.85).is_ok() && tally.more_than(0.85).is_err() && tally.all().is_err());
        let said = tally.at_least(0.9).expect_err("too few").what;
        assert_eq!(said, "calls: 17 of 20 succeeded, at least 90 % must; the first that did not: 503 no");
        assert!(Tally::of("calls", &shots(&[1; 20], 0)).all().is_ok());
        assert!(Tally::of("nothing", &shots(&[], 0)).all().is_err(), "of nothing nothing is known");
    }

    #[test]
    fn latencies_are_held_exactly_at_their_bounds() {
        let tally = Tally::of("calls", &shots(&[499; 20], 0));
        assert!(tally.quantile(0.95, Bound::Below(500.0)).is_ok());
        let tally = Tally::of("calls", &shots(&[500; 20], 0));
        assert!(
            tally.quantile(0.95, Bound::AtMost(500.0)).is_ok() && tally.mean(Bound::AtMost(500.0)).is_ok()
        );
        let said = tally.quantile(0.95, Bound::Below(500.0)).expect_err("too slow").what;
        assert_eq!(said, "calls: the p95 latency of 20 is 500 ms, it must be less than 500 ms");
        assert!(tally.each(Bound::Below(500.0)).is_err() && tally.mean(Bound::Below(500.0)).is_err());
    }

    #[test]
    fn what_failed_has_no_latency_and_what_took_long_lowers_the_throughput() {
        let tally = Tally::of("calls", &shots(&[9_000, 100, 100], 1));
        assert_eq!((tally.latency().max_ms(), tally.succeeded()), (100.0, 2));
        assert!((tally.per_second(Duration::from_secs(1)) - 2.0 / 9.0).abs() < 1e-9);
        assert!((tally.per_second(Duration::from_secs(10)) - 0.2).abs() < 1e-9);
    }
}
