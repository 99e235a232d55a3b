//! What a run is held against beside its target: a profile that users can tune in a YAML file.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use super::demands::Demands;
use crate::stability::Limits;

/// A profile. What a file leaves out is as in the contract; what it has beside these keys is a mistake.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Shares of configures that succeed.
    pub success: Success,
    /// Latency of configures in milliseconds.
    pub latency_ms: LatencyGrades,
    /// CPU of the machine that the load comes from, in percent.
    pub cpu: Cpu,
    /// Memory of the machine that the load comes from, in percent.
    pub memory: Memory,
    /// Longest that the generator may be late, at its 99th percentile, in milliseconds.
    pub generator_lag_ms: Lag,
    /// What each rate shape demands.
    pub shapes: Demands,
    /// What a stability run or a soak is held against.
    pub stability: Limits,
}

/// Shares of configures that succeed, 0 to 1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Success {
    /// From here on excellent, and `success_threshold_met`.
    pub excellent: f64,
    /// From here on good.
    pub good: f64,
    /// From here on acceptable; below it, the failure rate is high.
    pub acceptable: f64,
    /// From here on poor; below it, it fails.
    pub poor: f64,
}

/// Mean latencies of configures in milliseconds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatencyGrades {
    /// Up to here good.
    pub good: f64,
    /// Up to here acceptable.
    pub acceptable: f64,
    /// Up to here poor; beyond it, provisioning is slow.
    pub poor: f64,
}

/// CPU of the machine that the load comes from, in percent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cpu {
    /// Beyond it, worth a look.
    pub warning: f64,
    /// Beyond it, the machine constrains the run.
    pub critical: f64,
}

/// Memory of the machine that the load comes from, in percent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Memory {
    /// Beyond it, worth a look.
    pub warning: f64,
    /// Beyond it, the machine constrains the run.
    pub critical: f64,
}

/// **Chosen**: a tenth of a second, far above what a scheduler needs and far below what users notice.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Lag(pub f64);

impl Default for Success {
    fn default() -> Self {
        Self { excellent: 0.95, good: 0.90, acceptable: 0.80, poor: 0.50 }
    }
}

impl Default for LatencyGrades {
    fn default() -> Self {
        Self { good: 200.0, acceptable: 500.0, poor: 1000.0 }
    }
}

impl Default for Cpu {
    fn default() -> Self {
        Self { warning: 70.0, critical: 85.0 }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self { warning: 75.0, critical: 90.0 }
    }
}

impl Default for Lag {
    fn default() -> Self {
        Self(100.0)
    }
}

impl Thresholds {
    /// Reads a profile.
    ///
    /// # Errors
    /// When the file cannot be read or is no profile: with the place and what is wrong there.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("the thresholds {shown}"))?;
        Self::parse(&text).map_err(|why| anyhow::anyhow!("the thresholds {shown}: {why}"))
    }

    /// Reads the text of a profile.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        // A file of comments alone says nothing, and so leaves everything as it is.
        let read: Option<Self> =
            serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string())?;
        let read = read.unwrap_or_default();
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> Result<(), String> {
        let Self { success, latency_ms: latency, cpu, memory, generator_lag_ms: Lag(lag), shapes, stability } =
            self;
        let shares = [success.poor, success.acceptable, success.good, success.excellent];
        rising("success.poor, acceptable, good, excellent", &shares, 1.0)?;
        rising(
            "latency_ms.good, acceptable, poor",
            &[latency.good, latency.acceptable, latency.poor],
            f64::MAX,
        )?;
        rising("cpu.warning, critical", &[cpu.warning, cpu.critical], 100.0)?;
        rising("memory.warning, critical", &[memory.warning, memory.critical], 100.0)?;
        rising("generator_lag_ms", &[*lag], f64::MAX)?;
        shapes.check()?;
        stability.check()
    }

    /// The contract's word for a share of success.
    #[must_use]
    pub fn success_grade(&self, share: f64) -> &'static str {
        let Success { excellent, good, acceptable, poor } = self.success;
        let grades = [(excellent, "excellent"), (good, "good"), (acceptable, "acceptable"), (poor, "poor")];
        grades.into_iter().find(|(from, _)| share >= *from).map_or("failing", |(_, grade)| grade)
    }

    /// The contract's word for a mean latency.
    #[must_use]
    pub fn latency_grade(&self, mean_ms: f64) -> &'static str {
        let LatencyGrades { good, acceptable, poor } = self.latency_ms;
        let grades = [(good, "good"), (acceptable, "acceptable"), (poor, "poor")];
        grades.into_iter().find(|(up_to, _)| mean_ms <= *up_to).map_or("slow", |(_, grade)| grade)
    }
}

fn rising(names: &str, marks: &[f64], most: f64) -> Result<(), String> {
    let within = marks.iter().all(|mark| (0.0..=most).contains(mark));
    if within && marks.is_sorted() {
        return Ok(());
    }
    let marks: Vec<_> = marks.iter().map(ToString::to_string).collect();
    let most = if most == f64::MAX { String::new() } else { format!(" and at most {most}") };
    Err(format!("{names}: {} must rise in this order, from 0 on{most}", marks.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::demands::Demand;
    use crate::capacity::shapes::Shape;

    #[test]
    fn the_file_in_the_repository_is_the_contract_and_the_default() {
        let file = include_str!("../../../fixtures/thresholds/contract.yaml");
        assert_eq!(Thresholds::parse(file), Ok(Thresholds::default()));
        // It names every key: what it leaves out would not be told apart from the default.
        for key in
            ["excellent: 0.95", "poor: 0.5", "poor: 1000", "critical: 85", "critical: 90", "lag_ms: 100"]
        {
            assert!(file.contains(key), "{key}");
        }
        let file: serde_json::Value = serde_saphyr::from_str(file).expect("YAML");
        for shape in Shape::ALL {
            let Demand { success, mean_ms, per_second, clean_up_s } = shape.demand();
            let said = &file["shapes"][shape.name()];
            let keys = ["success", "mean_ms", "per_second", "clean_up_s"].map(|key| said[key].as_f64());
            assert_eq!(keys, [success, mean_ms, per_second, clean_up_s], "{}", shape.name());
        }
    }

    #[test]
    fn a_file_changes_what_it_names_and_nothing_else() {
        let tuned = Thresholds::parse("latency_ms: { poor: 3000 }\n").expect("a profile");
        let contract = LatencyGrades::default();
        assert_eq!(tuned.latency_ms, LatencyGrades { poor: 3000.0, ..contract });
        assert_eq!(Thresholds { latency_ms: LatencyGrades::default(), ..tuned }, Thresholds::default());
        assert_eq!(Thresholds::parse("# nothing\n"), Ok(Thresholds::default()));
        let tuned = Thresholds::parse("shapes: { recovery: { success: 0.5 } }\n").expect("a profile").shapes;
        assert_eq!(
            tuned.of(Shape::Recovery),
            Demand { success: Some(0.5), mean_ms: Some(5_000.0), ..Demand::default() }
        );
        assert_eq!(tuned.of(Shape::Steady), Shape::Steady.demand());
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let mistake = |text: &str| Thresholds::parse(text).expect_err("a mistake");
        let unknown = mistake("success:\n  excelent: 0.9\n");
        assert!(unknown.contains("line 2") && unknown.contains("excelent"), "{unknown}");
        assert!(unknown.contains("excellent"), "it says what would be right: {unknown}");
        let typed = mistake("cpu:\n  warning: 70\n  critical: lots\n");
        assert!(typed.contains("line 3"), "{typed}");
        assert_eq!(
            mistake("cpu: { warning: 90 }"),
            "cpu.warning, critical: 90, 85 must rise in this order, from 0 on and at most 100"
        );
        assert!(mistake("success: { excellent: 1.1 }").contains("at most 1"));
        assert!(mistake("generator_lag_ms: -1").starts_with("generator_lag_ms: -1 must"));
        assert_eq!(
            mistake("shapes: { peak: { success: 85 } }"),
            "shapes.peak.success: 85 must be from 0 on and at most 1"
        );
        assert!(mistake("shapes: { peek: {} }").contains("peek"));
        assert!(mistake("shapes: { peak: { rate: 4 } }").contains("rate"));
    }

    #[test]
    fn grades_begin_at_their_bounds() {
        let thresholds = Thresholds::default();
        for (share, grade) in [
            (1.0, "excellent"),
            (0.95, "excellent"),
            (0.949, "good"),
            (0.90, "good"),
            (0.80, "acceptable"),
            (0.799, "poor"),
            (0.5, "poor"),
            (0.499, "failing"),
        ] {
            assert_eq!(thresholds.success_grade(share), grade, "{share}");
        }
        for (mean, grade) in [
            (200.0, "good"),
            (200.1, "acceptable"),
            (500.0, "acceptable"),
            (1000.0, "poor"),
            (1000.1, "slow"),
        ] {
            assert_eq!(thresholds.latency_grade(mean), grade, "{mean}");
        }
    }
}
