//! What a stability run is held against: the section `stability` of a profile.

use serde::{Deserialize, Serialize};

/// The section. What a file leaves out is as in the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Shares of configures that succeed in the hour run.
    pub success: Success,
    /// Memory of the hour run.
    pub memory_growth: MemoryGrowth,
    /// Most restarts of the server's pods.
    pub restarts: Restarts,
    /// How long live jobs may take to be as few as before the run.
    pub live_jobs_seconds: LiveJobs,
    /// Mean CPU of the last third against that of the first: beyond it, a warning.
    pub cpu_drift: CpuDrift,
    /// The soak of four hours.
    pub soak_4h: Soak4h,
    /// The soak of a day.
    pub soak_24h: Soak24h,
}

/// Shares of configures that succeed, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Success {
    /// Below it, the run fails.
    pub minimum: f64,
    /// Below it, a warning.
    pub warning: f64,
}

/// Growth of memory: it must stay below.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryGrowth {
    /// Of the runner's machine, from the first sample on, in percentage points.
    pub points: f64,
    /// Beyond it, a warning.
    pub points_warning: f64,
    /// Of the server's process, from its second sample on, in percent of that.
    pub percent: f64,
    /// Beyond it, a warning.
    pub percent_warning: f64,
}

/// Most restarts of the server's pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Restarts(pub u32);

/// Seconds that live jobs may take to be as few as before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LiveJobs(pub f64);

/// A ratio of CPU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CpuDrift(pub f64);

/// The soak of four hours.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Soak4h {
    /// Least share of configures that succeed.
    pub success: f64,
    /// Growth of the runner's machine must stay below so many percentage points.
    pub growth_points: f64,
}

/// The soak of a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Soak24h {
    /// Least share of configures that succeed.
    pub success: f64,
    /// Growth of the runner's machine must stay below so many percentage points.
    pub growth_points: f64,
    /// Growth of the server's process must stay below so many megabytes (of 10^6 bytes) an hour.
    pub megabytes_per_hour: f64,
    /// The mean of the last 100 response times must stay below that of the first 100 by so much more, 0.2 being 20 %.
    pub response_drift: f64,
}

impl Default for Success {
    fn default() -> Self {
        Self { minimum: 0.90, warning: 0.95 }
    }
}

impl Default for MemoryGrowth {
    fn default() -> Self {
        Self { points: 20.0, points_warning: 10.0, percent: 20.0, percent_warning: 10.0 }
    }
}

impl Default for LiveJobs {
    fn default() -> Self {
        Self(60.0)
    }
}

impl Default for CpuDrift {
    fn default() -> Self {
        Self(1.5)
    }
}

impl Default for Soak4h {
    fn default() -> Self {
        Self { success: 0.95, growth_points: 5.0 }
    }
}

impl Default for Soak24h {
    fn default() -> Self {
        Self { success: 0.95, growth_points: 15.0, megabytes_per_hour: 50.0, response_drift: 0.2 }
    }
}

impl Limits {
    /// Whether its numbers can be meant.
    ///
    /// # Errors
    /// Which cannot, and what would be right.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { success, memory_growth: memory, live_jobs_seconds, cpu_drift, soak_4h, soak_24h, .. } =
            self;
        let soaks = [soak_4h.growth_points, soak_24h.growth_points];
        let rows = [
            ("success.minimum", success.minimum, 0.0, 1.0),
            ("success.warning", success.warning, success.minimum, 1.0),
            ("memory_growth.points_warning", memory.points_warning, 0.0, 100.0),
            ("memory_growth.points", memory.points, memory.points_warning, 100.0),
            ("memory_growth.percent_warning", memory.percent_warning, 0.0, f64::MAX),
            ("memory_growth.percent", memory.percent, memory.percent_warning, f64::MAX),
            // An hour: whoever waits longer measures something else.
            ("live_jobs_seconds", live_jobs_seconds.0, 0.0, 3600.0),
            ("cpu_drift", cpu_drift.0, 1.0, f64::MAX),
            ("soak_4h.success", soak_4h.success, 0.0, 1.0),
            ("soak_4h.growth_points", soaks[0], 0.0, 100.0),
            ("soak_24h.success", soak_24h.success, 0.0, 1.0),
            ("soak_24h.growth_points", soaks[1], 0.0, 100.0),
            ("soak_24h.megabytes_per_hour", soak_24h.megabytes_per_hour, 0.0, f64::MAX),
            ("soak_24h.response_drift", soak_24h.response_drift, 0.0, f64::MAX),
        ];
        match rows.into_iter().find(|(_, value, from, to)| !(*from..=*to).contains(value)) {
            None => Ok(()),
            Some((name, value, from, f64::MAX)) => {
                Err(format!("stability.{name}: {value} must be at least {from}"))
            }
            Some((name, value, from, to)) => {
                Err(format!("stability.{name}: {value} must be from {from} to {to}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::capacity::Thresholds;
    use super::*;

    #[test]
    fn the_file_in_the_repository_names_every_limit() {
        let file = include_str!("../../../fixtures/thresholds/contract.yaml");
        let section = file.split("\nstability:\n").nth(1).expect("the section");
        let written = serde_json::to_value(Limits::default()).expect("JSON");
        for (key, value) in written.as_object().expect("an object") {
            assert!(section.contains(&format!("  {key}:")), "{key}");
            for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
                assert!(section.contains(&format!("    {key}: ")), "{key}");
            }
        }
        assert_eq!(Thresholds::parse(file).expect("a profile").stability, Limits::default());
    }

    #[test]
    fn mistakes_are_told() {
        let mistake = |text: &str| {
            let text = format!("stability: {{ {text} }}\n");
            Thresholds::parse(&text).expect_err("a mistake")
        };
        assert_eq!(
            mistake("success: { minimum: 0.96 }"),
            "stability.success.warning: 0.95 must be from 0.96 to 1"
        );
        assert_eq!(mistake("cpu_drift: 0.9"), "stability.cpu_drift: 0.9 must be at least 1");
        assert_eq!(
            mistake("memory_growth: { percent: 9 }"),
            "stability.memory_growth.percent: 9 must be at least 10"
        );
        assert_eq!(
            mistake("live_jobs_seconds: 3601"),
            "stability.live_jobs_seconds: 3601 must be from 0 to 3600"
        );
        assert!(mistake("soak_4h: { growth: 3 }").contains("growth_points"));
        assert!(mistake("restarts: -1").contains("line 1"));
        let tuned = Thresholds::parse("stability: { soak_4h: { growth_points: 7 } }\n").expect("a profile");
        assert_eq!(tuned.stability.soak_4h, Soak4h { growth_points: 7.0, success: 0.95 });
        assert_eq!(tuned.stability.soak_24h, Soak24h::default());
    }
}
