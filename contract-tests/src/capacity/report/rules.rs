//! What follows from what was measured. Each rule has one figure and one bound, is strict about it, and names both.

use super::Subject;
use crate::capacity::latency::Latencies;
use crate::capacity::machine::{Sample, mean_and_max};
use crate::capacity::measured::{Measured, percent};
use crate::capacity::plan::Standing;
use crate::capacity::thresholds::Thresholds;

/// What the rules find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// CPU of the machine that the load came from was beyond critical.
    pub cpu_constrained: bool,
    /// So was its memory.
    pub memory_constrained: bool,
    /// Jobs take long to be created.
    pub latency_issues: bool,
    /// Many configures fail.
    pub high_failure_rate: bool,
    /// Each of these in words; never empty.
    pub bottlenecks: Vec<String>,
    /// What to do now.
    pub immediate_actions: Vec<String>,
}

impl Findings {
    /// What follows from a run.
    #[must_use]
    pub fn of(subject: &Subject<'_>) -> Self {
        let Subject { measured, thresholds, .. } = subject;
        let (_, cpu) = mean_and_max(&measured.machine, |sample| sample.cpu);
        let (_, memory) = mean_and_max(&measured.machine, |sample| sample.memory);
        let (mean, slow) = (measured.latency().mean_ms(), thresholds.latency_ms.poor);
        let (rate, acceptable) = (measured.success_rate(), thresholds.success.acceptable);
        let (most_cpu, most_memory) = (thresholds.cpu.critical, thresholds.memory.critical);
        let rules = [
            (
                cpu > most_cpu,
                format!("CPU exceeded on the machine of the suite: peak {cpu:.2}% over {most_cpu}%"),
            ),
            (
                memory > most_memory,
                format!("Memory exceeded on the machine of the suite: peak {memory:.2}% over {most_memory}%"),
            ),
            (mean > slow, format!("Slow provisioning: mean creation latency {mean:.2} ms over {slow:.2} ms")),
            (
                rate < acceptable,
                format!(
                    "High failure rate: {} of configures failed, more than {}: overload or misconfiguration",
                    percent(1.0 - rate),
                    percent(1.0 - acceptable)
                ),
            ),
        ];
        let [cpu_constrained, memory_constrained, latency_issues, high_failure_rate] =
            rules.clone().map(|(holds, _)| holds);
        let mut bottlenecks: Vec<_> =
            rules.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text).collect();
        if bottlenecks.is_empty() {
            bottlenecks.push(format!(
                "Nothing obvious was found: CPU peak {cpu:.2}%, memory peak {memory:.2}%, mean creation latency {mean:.2} ms, success rate {}",
                percent(rate)
            ));
        }
        Self {
            cpu_constrained,
            memory_constrained,
            latency_issues,
            high_failure_rate,
            bottlenecks,
            immediate_actions: actions(subject, latency_issues, high_failure_rate),
        }
    }
}

/// **Chosen**: the first two always; each of the others only when its figure says so.
fn actions(subject: &Subject<'_>, latency_issues: bool, high_failure_rate: bool) -> Vec<String> {
    let Subject { plan, measured, .. } = subject;
    let (actual, gap) = (measured.actual_capacity(), subject.gap());
    let missing = match subject.standing() {
        Standing::AboveMinimum => format!("; {gap} of {} jobs are missing to the target", plan.target),
        Standing::Met | Standing::BelowMinimum => String::new(),
    };
    let achieved = format!("Achieved level: {actual} concurrent jobs of {}{missing}", plan.target);
    let failing = match measured.first_failing() {
        Some(level) => {
            let reason = level.reason().unwrap_or_default();
            let (failed, all) = (level.failed, level.attempted());
            format!("First failing level: {} ({failed} of {all} failed: {reason}){missing}", level.level)
        }
        None => format!("No level failed below the target{missing}"),
    };
    let errors = measured.errors();
    let with = |wanted: &[&str]| -> u32 {
        let of = |code: &str| {
            wanted.iter().any(|wanted| code == *wanted || code.starts_with(&format!("{wanted} ")))
        };
        errors.iter().filter(|(code, _)| of(code)).map(|(_, count)| count).sum()
    };
    let (full, silent, no_pod) = (with(&["503", "429"]), with(&["no answer"]), with(&["pod not Running"]));
    let latency = measured.latency();
    let rate = percent(measured.success_rate());
    let rules = [
        (gap > 0, format!("Add nodes: the gap to {} jobs is {gap}", plan.target)),
        (
            no_pod > 0 || high_failure_rate,
            match no_pod {
                0 => format!(
                    "Raise pod limits: success rate {rate}, below {}",
                    percent(subject.thresholds.success.acceptable)
                ),
                _ => format!("Raise pod limits: {no_pod} pods were not Running in time, success rate {rate}"),
            },
        ),
        (
            latency_issues,
            format!(
                "Optimise start-up: mean creation latency {:.2} ms, p95 {:.2} ms",
                latency.mean_ms(),
                latency.quantile_ms(0.95)
            ),
        ),
        (
            full > 0,
            format!("Put a job queue before the server: {full} configures were refused with 503 or 429"),
        ),
        (silent > 0, format!("Review the network: {silent} configures got no answer")),
        (
            actual < plan.minimum,
            format!("Consult operations: {actual} jobs are fewer than the minimum of {}", plan.minimum),
        ),
    ];
    let indicated = rules.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text);
    [achieved, failing].into_iter().chain(indicated).collect()
}

/// Why the figures may be those of the generator and not those of the server, if so.
#[must_use]
pub fn generator_limits(measured: &Measured, thresholds: &Thresholds) -> Vec<String> {
    let peak = |of: fn(&Sample) -> f64| mean_and_max(&measured.machine, of).1;
    let lag = |lag: &Latencies| lag.quantile_ms(0.99);
    let rules = [
        ("CPU of its machine peaked at", peak(|sample| sample.cpu), thresholds.cpu.critical, "%"),
        ("memory of its machine peaked at", peak(|sample| sample.memory), thresholds.memory.critical, "%"),
        ("it sent late, at p99 by", lag(&measured.lag()), thresholds.generator_lag_ms.0, " ms"),
    ];
    let beyond = rules.into_iter().filter(|(_, figure, most, _)| figure > most);
    beyond
        .map(|(what, figure, most, unit)| {
            format!("the load generator was a limit itself: {what} {figure:.2}{unit}, over {most}{unit}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::Semaphore;

    use super::super::gap::tests::{Run, full, level};
    use super::*;
    use crate::capacity::fire::together;
    use crate::capacity::measured::{LevelResult, Outcome};
    use crate::pace::Pacer;
    use crate::wall;

    fn findings(run: &Run) -> Findings {
        Findings::of(&run.subject())
    }

    #[test]
    fn cpu_and_memory_constrain_beyond_their_bounds_and_not_at_them() {
        for (percent, beyond) in [(84.99, false), (85.0, false), (85.01, true)] {
            let found = findings(&full(10).sampled(percent, 0.0));
            assert_eq!(found.cpu_constrained, beyond, "{percent}");
            let text = "CPU exceeded on the machine of the suite: peak 85.01% over 85%";
            assert_eq!(found.bottlenecks[0] == text, beyond, "{found:?}");
        }
        for (percent, beyond) in [(89.99, false), (90.0, false), (90.01, true)] {
            let found = findings(&full(10).sampled(0.0, percent));
            assert_eq!(found.memory_constrained, beyond, "{percent}");
            let text = "Memory exceeded on the machine of the suite: peak 90.01% over 90%";
            assert_eq!(found.bottlenecks[0] == text, beyond, "{found:?}");
        }
    }

    #[test]
    fn latency_is_an_issue_beyond_a_second_in_the_mean() {
        for (micros, beyond) in [(999_990, false), (1_000_000, false), (1_000_010, true)] {
            let mut run = full(10);
            let mut slow = LevelResult { level: 10, ..LevelResult::default() };
            (0..10)
                .for_each(|_| slow.count(&Outcome::Succeeded, Duration::from_micros(micros), Duration::ZERO));
            run.measured.levels = vec![slow];
            let found = findings(&run);
            assert_eq!(found.latency_issues, beyond, "{micros}");
            let text = "Slow provisioning: mean creation latency 1000.01 ms over 1000.00 ms";
            assert_eq!(found.bottlenecks[0] == text, beyond, "{found:?}");
            let action = found
                .immediate_actions
                .iter()
                .any(|action| action.starts_with("Optimise start-up: mean creation latency 1000.01 ms"));
            assert_eq!(action, beyond, "{found:?}");
        }
    }

    #[test]
    fn the_failure_rate_is_high_below_four_fifths_of_success() {
        for (succeeded, high) in [(801, false), (800, false), (799, true)] {
            let found = findings(&Run::of(1000, vec![level(succeeded, 1000 - succeeded, "503", "full")]));
            assert_eq!(found.high_failure_rate, high, "{succeeded}");
            let limits = "Raise pod limits: success rate 79.90%, below 80.00%";
            assert_eq!(found.immediate_actions.iter().any(|action| action == limits), high, "{found:?}");
            let text = "High failure rate: 20.10% of configures failed, more than 20.00%: overload or misconfiguration";
            assert_eq!(found.bottlenecks[0] == text, high, "{found:?}");
        }
    }

    #[test]
    fn where_nothing_is_found_the_figures_that_were_looked_at_are_said() {
        let found = findings(&full(10).sampled(12.5, 40.0));
        let text = "Nothing obvious was found: CPU peak 12.50%, memory peak 40.00%, mean creation latency 10.00 ms, success rate 100.00%";
        assert_eq!(found.bottlenecks, [text]);
    }

    #[test]
    fn actions_say_how_many_are_missing_between_minimum_and_target_only() {
        let actions = |target: u32, full: u32, failing: u32| {
            let levels =
                vec![level(full, 0, "", ""), level(failing - 1, 1, "503 CAPACITY_EXHAUSTED", "full")];
            findings(&Run::of(target, levels)).immediate_actions
        };
        // The minimum of 200 is 160.
        let above = actions(200, 160, 200);
        assert_eq!(
            above[0],
            "Achieved level: 160 concurrent jobs of 200; 40 of 200 jobs are missing to the target"
        );
        assert_eq!(
            above[1],
            "First failing level: 200 (1 of 200 failed: partial failure 199/200 (99.50%): full); 40 of 200 jobs are missing to the target"
        );
        assert_eq!(
            above[2..],
            [
                "Add nodes: the gap to 200 jobs is 40",
                "Put a job queue before the server: 1 configures were refused with 503 or 429",
            ]
        );
        let below = actions(200, 159, 200);
        assert_eq!(below[0], "Achieved level: 159 concurrent jobs of 200");
        assert_eq!(
            below[1],
            "First failing level: 200 (1 of 200 failed: partial failure 199/200 (99.50%): full)"
        );
        assert_eq!(below[4], "Consult operations: 159 jobs are fewer than the minimum of 160");
        let met = findings(&full(200)).immediate_actions;
        assert_eq!(met, ["Achieved level: 200 concurrent jobs of 200", "No level failed below the target"]);
        assert_eq!(
            findings(&full(199).wanting(200)).immediate_actions[2],
            "Add nodes: the gap to 200 jobs is 1"
        );
    }

    /// A server that takes one configure at a time, 100 ms each: of n that come together the mean waits (n + 1) / 2 times.
    #[tokio::test(start_paused = true)]
    async fn a_server_that_slows_down_with_the_level_is_told_by_its_latency() {
        for (jobs, mean, slow) in [(5, 300.0, false), (19, 1_000.0, false), (20, 1_050.0, true)] {
            let busy = Arc::new(Semaphore::new(1));
            let shots = together(jobs, jobs, &Pacer::default(), move |_| {
                let busy = Arc::clone(&busy);
                async move {
                    let _one = busy.acquire().await;
                    wall::until(wall::tick() + Duration::from_millis(100)).await;
                }
            });
            let mut fired =
                LevelResult { level: u32::try_from(jobs).expect("few"), ..LevelResult::default() };
            for shot in shots.all().await.expect("no clock is moved") {
                // Timers go by whole milliseconds.
                let latency = Duration::from_millis(u64::try_from(shot.latency.as_millis()).expect("short"));
                fired.count(&Outcome::Succeeded, latency, shot.service);
            }
            let run = Run::of(fired.level, vec![fired]);
            assert!((run.measured.latency().mean_ms() - mean).abs() < 1e-9, "{:?}", run.measured.latency());
            let found = findings(&run);
            assert_eq!(found.latency_issues, slow, "{jobs}");
            let named =
                found.bottlenecks[0] == "Slow provisioning: mean creation latency 1050.00 ms over 1000.00 ms";
            assert_eq!(named, slow, "{found:?}");
        }
    }

    #[test]
    fn each_way_to_fail_has_its_action() {
        let has = |code: &str, begin: &str| {
            let found = findings(&Run::of(100, vec![level(99, 1, code, "")]));
            found.immediate_actions.iter().any(|action| action.starts_with(begin))
        };
        let (queue, network, pods) = ("Put a job queue", "Review the network: 1 ", "Raise pod limits: 1 ");
        for (code, expected) in [
            ("503", [true, false, false]),
            ("503 CAPACITY_EXHAUSTED", [true, false, false]),
            ("429", [true, false, false]),
            ("500", [false, false, false]),
            ("5031", [false, false, false]),
            ("no answer", [false, true, false]),
            ("pod not Running", [false, false, true]),
        ] {
            assert_eq!([queue, network, pods].map(|begin| has(code, begin)), expected, "{code}");
        }
    }

    #[test]
    fn a_generator_is_a_limit_beyond_its_bounds_and_not_at_them() {
        let limits = |run: &Run| generator_limits(&run.measured, &Thresholds::default());
        assert_eq!(limits(&full(10).sampled(85.0, 90.0)), Vec::<String>::new());
        let beyond = limits(&full(10).sampled(85.01, 90.01));
        assert_eq!(
            beyond,
            [
                "the load generator was a limit itself: CPU of its machine peaked at 85.01%, over 85%",
                "the load generator was a limit itself: memory of its machine peaked at 90.01%, over 90%",
            ]
        );
        for (millis, late) in [(99, false), (100, false), (101, true)] {
            let mut run = full(10);
            run.measured.levels[0].lag.record(Duration::from_millis(millis));
            assert_eq!(limits(&run).len(), usize::from(late), "{millis}");
        }
    }
}
