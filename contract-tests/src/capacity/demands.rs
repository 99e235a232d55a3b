//! What a rate shape demands, and what came of it.

use std::time::Duration;

use serde::Deserialize;

use super::measured::{Measured, percent};
use super::shapes::Shape;

/// What a shape demands of the configures that it is judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Demand {
    /// Least share of them that succeeds.
    pub success: Option<f64>,
    /// Longest mean latency, in milliseconds.
    pub mean_ms: Option<f64>,
    /// Least number of them that succeed in a second, over the whole shape.
    pub per_second: Option<f64>,
    /// Within how many seconds its jobs are gone, once they are cancelled.
    pub clean_up_s: Option<f64>,
}

/// The demands of all shapes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Tuned")]
pub struct Demands([Demand; Shape::ALL.len()]);

/// What a profile says of a shape; what it leaves out stays.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TunedDemand {
    success: Option<f64>,
    mean_ms: Option<f64>,
    per_second: Option<f64>,
    clean_up_s: Option<f64>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Tuned {
    steady: TunedDemand,
    ramp: TunedDemand,
    spike: TunedDemand,
    sustained: TunedDemand,
    recovery: TunedDemand,
    peak: TunedDemand,
    exhaustion: TunedDemand,
}

impl From<Tuned> for Demands {
    fn from(tuned: Tuned) -> Self {
        Self(Shape::ALL.map(|shape| {
            let tuned = match shape {
                Shape::Steady => tuned.steady,
                Shape::Ramp => tuned.ramp,
                Shape::Spike => tuned.spike,
                Shape::Sustained => tuned.sustained,
                Shape::Recovery => tuned.recovery,
                Shape::Peak => tuned.peak,
                Shape::Exhaustion => tuned.exhaustion,
            };
            let contract = contract(shape);
            Demand {
                success: tuned.success.or(contract.success),
                mean_ms: tuned.mean_ms.or(contract.mean_ms),
                per_second: tuned.per_second.or(contract.per_second),
                clean_up_s: tuned.clean_up_s.or(contract.clean_up_s),
            }
        }))
    }
}

impl Default for Demands {
    fn default() -> Self {
        Self(Shape::ALL.map(contract))
    }
}

fn contract(shape: Shape) -> Demand {
    let success = |share| Demand { success: Some(share), ..Demand::default() };
    match shape {
        Shape::Steady | Shape::Sustained => success(0.90),
        Shape::Ramp => success(0.85),
        Shape::Spike => success(0.80),
        Shape::Recovery => Demand { mean_ms: Some(5_000.0), ..success(0.90) },
        Shape::Peak => Demand { per_second: Some(4.0), ..success(0.85) },
        Shape::Exhaustion => Demand { clean_up_s: Some(60.0), ..Demand::default() },
    }
}

impl Demands {
    /// That of a shape.
    #[must_use]
    pub fn of(&self, shape: Shape) -> Demand {
        let place = Shape::ALL.iter().position(|one| *one == shape);
        place.map_or_else(|| contract(shape), |place| self.0[place])
    }

    pub(super) fn check(&self) -> Result<(), String> {
        for shape in Shape::ALL {
            let Demand { success, mean_ms, per_second, clean_up_s } = self.of(shape);
            let marks = [
                ("success", success, 1.0),
                ("mean_ms", mean_ms, f64::MAX),
                ("per_second", per_second, f64::MAX),
                ("clean_up_s", clean_up_s, f64::MAX),
            ];
            for (key, mark, most) in marks {
                if let Some(mark) = mark.filter(|mark| !(0.0..=most).contains(mark)) {
                    let most = if most == f64::MAX { "" } else { " and at most 1" };
                    return Err(format!("shapes.{}.{key}: {mark} must be from 0 on{most}", shape.name()));
                }
            }
        }
        Ok(())
    }
}

/// One demand against what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// What was wanted, as the profile calls it.
    pub demand: &'static str,
    /// The bound.
    pub wanted: f64,
    /// What was measured.
    pub got: f64,
    /// Whether that is good enough.
    pub met: bool,
    /// In words.
    pub words: String,
}

impl Demand {
    /// What of it is met.
    #[must_use]
    pub fn held_against(&self, measured: &Measured) -> Vec<Held> {
        let (rate, mean) = (measured.success_rate(), measured.latency().mean_ms());
        let took: Duration = measured.levels.iter().map(|level| level.took).sum();
        let per_second = f64::from(measured.succeeded()) / took.as_secs_f64().max(0.001);
        let clean_up = measured.cleaned_up_in.as_secs_f64();
        let gone = measured.left_behind.is_empty();
        let held = |demand, wanted: Option<f64>, got: f64, met: fn(f64, f64) -> bool| {
            wanted.map(|wanted| (demand, wanted, got, met(got, wanted)))
        };
        let all = [
            held("success", self.success, rate, |got, wanted| got >= wanted),
            // Nothing that succeeded has no latency, and is not quick.
            held("mean_ms", self.mean_ms, mean, |got, wanted| got <= wanted)
                .map(|(demand, wanted, got, met)| (demand, wanted, got, met && measured.succeeded() > 0)),
            held("per_second", self.per_second, per_second, |got, wanted| got >= wanted),
            held("clean_up_s", self.clean_up_s, clean_up, |got, wanted| got < wanted).map(
                |(demand, wanted, got, met)| (demand, wanted, got, met && gone && measured.succeeded() > 0),
            ),
        ];
        let words = |demand: &str, got: f64, wanted: f64| match demand {
            "mean_ms" | "clean_up_s" if measured.succeeded() == 0 => String::from("no job was made"),
            "success" => format!("{} succeeded, at least {} wanted", percent(got), percent(wanted)),
            "mean_ms" => format!("mean {got:.1} ms, at most {wanted:.1} wanted"),
            "per_second" => format!("{got:.2} jobs a second, at least {wanted:.2} wanted"),
            _ => format!("gone after {got:.1} s, less than {wanted:.0} wanted"),
        };
        all.into_iter()
            .flatten()
            .map(|(demand, wanted, got, met)| {
                let met_or_not = if met { "met" } else { "missed" };
                let words = format!("{}: {met_or_not}", words(demand, got, wanted));
                Held { demand, wanted, got, met, words }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::measured::{LevelResult, Outcome};

    fn measured(succeeded: u32, failed: u32, latency_us: u64, took: u64) -> Measured {
        let took = Duration::from_secs(took);
        let mut level = LevelResult { level: succeeded + failed, took, ..LevelResult::default() };
        let refused = Outcome::Failed { code: String::from("503"), text: String::new() };
        let latency = Duration::from_micros(latency_us);
        (0..succeeded).for_each(|_| level.count(&Outcome::Succeeded, latency, latency));
        (0..failed).for_each(|_| level.count(&refused, latency, latency));
        Measured { levels: vec![level], ..Measured::default() }
    }

    fn met(shape: Shape, measured: &Measured) -> Vec<bool> {
        shape.demand().held_against(measured).iter().map(|held| held.met).collect()
    }

    #[test]
    fn where_no_job_was_made_none_is_gone_in_time() {
        let nothing = measured(0, 225, 1, 15);
        let held = Shape::Exhaustion.demand().held_against(&nothing);
        assert_eq!((held[0].met, held[0].words.as_str()), (false, "no job was made: missed"));
    }

    #[test]
    fn shares_are_demanded_as_the_contract_says_and_met_at_their_bounds() {
        for (shape, bound) in
            [(Shape::Steady, 900), (Shape::Ramp, 850), (Shape::Spike, 800), (Shape::Sustained, 900)]
        {
            for (succeeded, expected) in [(bound + 1, true), (bound, true), (bound - 1, false)] {
                let run = measured(succeeded, 1000 - succeeded, 1, 1);
                assert_eq!(met(shape, &run), [expected], "{} {succeeded}", shape.name());
            }
        }
    }

    #[test]
    fn recovery_is_quick_up_to_five_seconds_in_the_mean() {
        for (micros, quick) in [(4_999_990, true), (5_000_000, true), (5_000_010, false)] {
            assert_eq!(met(Shape::Recovery, &measured(10, 0, micros, 10)), [true, quick], "{micros}");
        }
        assert_eq!(met(Shape::Recovery, &measured(8, 1, 1, 10)), [false, true]);
        assert_eq!(met(Shape::Recovery, &measured(0, 10, 1, 10)), [false, false], "nothing is not quick");
    }

    #[test]
    fn a_peak_makes_four_jobs_a_second() {
        for (succeeded, expected) in [(86, [true, true]), (85, [true, true]), (84, [false, true])] {
            assert_eq!(
                met(Shape::Peak, &measured(succeeded, 100 - succeeded, 1, 20)),
                expected,
                "{succeeded}"
            );
        }
        for (succeeded, enough) in [(81, true), (80, true), (79, false)] {
            assert_eq!(met(Shape::Peak, &measured(succeeded, 0, 1, 20)), [true, enough], "{succeeded}");
        }
    }

    #[test]
    fn what_is_exhausted_is_cleaned_up_in_less_than_a_minute() {
        for (millis, in_time) in [(59_999, true), (60_000, false), (60_001, false)] {
            let run = Measured { cleaned_up_in: Duration::from_millis(millis), ..measured(1, 224, 1, 15) };
            assert_eq!(met(Shape::Exhaustion, &run), [in_time], "{millis}");
        }
        let left = Measured { left_behind: vec![String::from("1-1")], ..measured(225, 0, 1, 15) };
        assert_eq!(met(Shape::Exhaustion, &left), [false]);
    }

    #[test]
    fn demands_are_told_in_words() {
        let run = Measured { cleaned_up_in: Duration::from_millis(2_040), ..measured(90, 10, 12_340, 20) };
        let words = |shape: Shape| -> Vec<_> {
            shape.demand().held_against(&run).into_iter().map(|held| held.words).collect()
        };
        assert_eq!(
            words(Shape::Peak),
            [
                "90.00% succeeded, at least 85.00% wanted: met",
                "4.50 jobs a second, at least 4.00 wanted: met"
            ]
        );
        assert_eq!(words(Shape::Recovery)[1], "mean 12.3 ms, at most 5000.0 wanted: met");
        assert_eq!(words(Shape::Exhaustion), ["gone after 2.0 s, less than 60 wanted: met"]);
    }
}
