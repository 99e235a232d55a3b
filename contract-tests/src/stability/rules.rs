//! What a run is held against: a pure function of its samples and its end.

use serde::{Deserialize, Serialize};

use super::figures::{Figures, Range};
use super::limits::Limits;
use super::plan::{Kind, Plan};
use super::report::{Ending, Unseen};
use super::sample::Sample;

/// What is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Share of configures that make a job.
    Success,
    /// The runner's machine, from the first sample to the last.
    RunnerMemoryGrowth,
    /// The server's process, from the second sample to the last.
    ServerMemoryGrowth,
    /// The same by the hour.
    ServerMemoryRate,
    /// The last 100 response times against the first 100.
    ResponseDrift,
    /// Of the server's pods.
    Restarts,
    /// Live jobs at the end against those before the run.
    LiveJobs,
    /// **Chosen**: the run's own jobs must be gone, which the server itself tells; unlike live jobs it can always be judged.
    OwnJobs,
    /// CPU of the server's process, the last third against the first.
    CpuDrift,
}

/// What it means to break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The run fails.
    Hard,
    /// It passes with a warning.
    Warning,
}

/// What came of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Kept,
    /// It does not.
    Broken,
    /// What it is about was not seen.
    NotJudged,
}

/// A rule with what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// What it means to break it.
    pub weight: Weight,
    /// What came of it.
    pub outcome: Outcome,
    /// The figure that it is judged by.
    pub measured: Option<f64>,
    /// What is demanded, in words.
    pub demanded: String,
    /// What was measured, in words; or why nothing was.
    pub says: String,
}

impl Rule {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::RunnerMemoryGrowth => "memory growth of the runner's machine",
            Self::ServerMemoryGrowth => "memory growth of the server",
            Self::ServerMemoryRate => "memory growth of the server by the hour",
            Self::ResponseDrift => "drift of response times",
            Self::Restarts => "restarts of the server's pods",
            Self::LiveJobs => "live jobs back to what they were",
            Self::OwnJobs => "the run's own jobs gone",
            Self::CpuDrift => "CPU of the server, last third against first",
        }
    }
}

/// Applies the rules of a plan. What is not over has no end, and nothing about it is judged.
#[must_use]
pub fn judge(
    plan: &Plan,
    samples: &[Sample],
    live_before: Option<u32>,
    ending: Option<&Ending>,
    unseen: &Unseen,
    limits: &Limits,
) -> Vec<Finding> {
    let figures = Figures::of(samples);
    let trouble = samples.iter().rev().flat_map(|sample| &sample.troubles).next();
    let judged = Judged { figures: &figures, unseen, trouble };
    let (success, growth) = match plan.kind {
        Kind::Run => (limits.success.minimum, limits.memory_growth.points),
        Kind::Soak4h => (limits.soak_4h.success, limits.soak_4h.growth_points),
        Kind::Soak24h => (limits.soak_24h.success, limits.soak_24h.growth_points),
    };
    let mut findings = vec![judged.success(Weight::Hard, success)];
    findings.push(judged.runner_memory(Weight::Hard, growth));
    if plan.kind == Kind::Run {
        findings.push(judged.server_memory(Weight::Hard, limits.memory_growth.percent));
    }
    if plan.kind == Kind::Soak24h {
        findings.push(judged.server_rate(limits.soak_24h.megabytes_per_hour));
        findings.push(judged.responses(limits.soak_24h.response_drift));
    }
    // **Chosen**: what docs promise of pods and jobs holds for soaks as well, and so do warnings that say more than their
    // hard rules do.
    findings.push(judged.restarts(limits.restarts.0));
    findings.push(live_jobs(live_before, ending, unseen, limits.live_jobs_seconds.0));
    findings.push(own_jobs(ending, limits.live_jobs_seconds.0));
    if plan.kind == Kind::Run {
        findings.push(judged.success(Weight::Warning, limits.success.warning));
        findings.push(judged.runner_memory(Weight::Warning, limits.memory_growth.points_warning));
    }
    if plan.kind != Kind::Soak24h {
        findings.push(judged.server_memory(Weight::Warning, limits.memory_growth.percent_warning));
    }
    findings.push(judged.cpu(limits.cpu_drift.0));
    findings
}

struct Judged<'a> {
    figures: &'a Figures,
    unseen: &'a Unseen,
    trouble: Option<&'a String>,
}

/// What was measured, or why nothing was.
type Measured = Result<f64, String>;

fn finding(
    (rule, weight): (Rule, Weight),
    measured: Measured,
    demanded: String,
    words: impl Fn(f64) -> String,
    kept: impl Fn(f64) -> bool,
) -> Finding {
    let (outcome, measured, says) = match measured {
        Ok(value) => {
            let outcome = if kept(value) { Outcome::Kept } else { Outcome::Broken };
            (outcome, Some(value), words(value))
        }
        Err(why) => (Outcome::NotJudged, None, why),
    };
    Finding { rule, weight, outcome, measured, demanded, says }
}

impl Judged<'_> {
    /// Hard: below. Warning: not beyond. So the contract has it.
    fn bound(weight: Weight, limit: f64, unit: &str) -> (String, impl Fn(f64) -> bool) {
        let demanded = match weight {
            Weight::Hard => format!("below {limit}{unit}"),
            Weight::Warning => format!("at most {limit}{unit}"),
        };
        (demanded, move |value| if weight == Weight::Hard { value < limit } else { value <= limit })
    }

    fn success(&self, weight: Weight, least: f64) -> Finding {
        let Figures { configures, succeeded, success_ratio, .. } = self.figures;
        let measured = success_ratio.ok_or_else(|| String::from("nothing was asked"));
        let words = |share: f64| format!("{succeeded} of {configures} configures ({:.2} %)", share * 100.0);
        let demanded = format!("at least {} %", rounded(least * 100.0));
        finding((Rule::Success, weight), measured, demanded, words, |share| share >= least)
    }

    fn runner_memory(&self, weight: Weight, limit: f64) -> Finding {
        let measured = match &self.figures.runner_memory_percent {
            Some(Range { samples: 2.., change, .. }) => Ok(*change),
            Some(_) => Err(String::from("there is one sample")),
            None => Err(String::from("this machine does not tell its memory")),
        };
        let words = |points: f64| format!("{} percentage points", signed(points));
        let (demanded, kept) = Self::bound(weight, limit, " percentage points");
        finding((Rule::RunnerMemoryGrowth, weight), measured, demanded, words, kept)
    }

    /// Why nothing can be said of the server's process.
    fn unseen_server(&self, needed: usize) -> String {
        let seen = self.figures.server_memory_bytes.map_or(0, |range| range.samples);
        match (&self.unseen.server, self.trouble) {
            (Some(why), _) => why.clone(),
            (None, Some(trouble)) if seen == 0 => trouble.clone(),
            (None, _) => format!("{seen} samples have seen it, {needed} are needed"),
        }
    }

    fn server_memory(&self, weight: Weight, limit: f64) -> Finding {
        let measured = self.figures.server_memory_growth_percent.ok_or_else(|| self.unseen_server(3));
        let words = |percent: f64| format!("{} % since the second sample", signed(percent));
        let (demanded, kept) = Self::bound(weight, limit, " %");
        finding((Rule::ServerMemoryGrowth, weight), measured, demanded, words, kept)
    }

    fn server_rate(&self, limit: f64) -> Finding {
        let measured = self.figures.server_memory_megabytes_per_hour.ok_or_else(|| self.unseen_server(3));
        let words = |rate: f64| format!("{} MB/h since the second sample", signed(rate));
        let (demanded, kept) = Self::bound(Weight::Hard, limit, " MB/h");
        finding((Rule::ServerMemoryRate, Weight::Hard), measured, demanded, words, kept)
    }

    fn responses(&self, limit: f64) -> Finding {
        let needed = 2 * super::figures::RESPONSES;
        let measured = self
            .figures
            .response_drift
            .ok_or_else(|| format!("{} configures made a job, {needed} are needed", self.figures.succeeded));
        let words = |drift: f64| format!("{} % from the first 100 to the last", signed(drift * 100.0));
        let demanded = format!("below {} %", rounded(limit * 100.0));
        finding((Rule::ResponseDrift, Weight::Hard), measured, demanded, words, |drift| drift < limit)
    }

    fn restarts(&self, most: u32) -> Finding {
        let why = || self.unseen.restarts.clone().or_else(|| self.trouble.cloned());
        let why = || why().unwrap_or_else(|| String::from("no sample has seen the pods"));
        let measured = self.figures.max_restarts.map(f64::from).ok_or_else(why);
        let words = |count: f64| format!("{count}");
        let demanded = format!("at most {most}");
        finding((Rule::Restarts, Weight::Hard), measured, demanded, words, |count| count <= f64::from(most))
    }

    fn cpu(&self, limit: f64) -> Finding {
        let known = self.figures.server_cpu_percent.map_or(0, |range| range.samples);
        let why = || match (&self.unseen.server, known) {
            (Some(why), _) => why.clone(),
            (None, 3..) => String::from("it used none in the first third"),
            (None, _) => {
                format!("{known} samples tell it, 3 are needed: there is hardly any real time between them")
            }
        };
        let measured = self.figures.server_cpu_drift.ok_or_else(why);
        let words = |drift: f64| format!("{drift:.2} times");
        let (demanded, kept) = Self::bound(Weight::Warning, limit, " times");
        finding((Rule::CpuDrift, Weight::Warning), measured, demanded, words, kept)
    }
}

const NOT_OVER: &str = "the run is not over";

fn live_jobs(before: Option<u32>, ending: Option<&Ending>, unseen: &Unseen, limit: f64) -> Finding {
    let untold = || unseen.live_jobs.clone().unwrap_or_else(|| String::from("nobody told their number"));
    let ended = ending.ok_or_else(|| String::from(NOT_OVER));
    let measured = ended.and_then(|ending| {
        let (before, now) = (before.ok_or_else(untold)?, ending.live_jobs.ok_or_else(untold)?);
        Ok((before, now, ending.waited_seconds))
    });
    let demanded = match before {
        Some(before) => format!("at most {before}, as before, within {limit} s"),
        None => format!("as many as before within {limit} s"),
    };
    let (before, waited) = measured.as_ref().map_or((0, 0.0), |(before, _, waited)| (*before, *waited));
    let measured = measured.map(|(_, now, _)| f64::from(now));
    let words = |now: f64| format!("{now} after {waited} s");
    let kept = |now: f64| now <= f64::from(before) && waited <= limit;
    finding((Rule::LiveJobs, Weight::Hard), measured, demanded, words, kept)
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn own_jobs(ending: Option<&Ending>, limit: f64) -> Finding {
    let left: &[String] = ending.map_or(&[], |ending| &ending.left_behind);
    let measured = ending.map(|_| left.len() as f64).ok_or_else(|| String::from(NOT_OVER));
    let words = |count: f64| match left {
        [] => String::from("all gone"),
        [first, ..] => format!("{count} were not gone, such as {first}"),
    };
    let demanded = format!("all within {limit} s");
    finding((Rule::OwnJobs, Weight::Hard), measured, demanded, words, |count| count == 0.0)
}

/// A percentage as people write it, without what binary fractions add.
fn rounded(percent: f64) -> f64 {
    (percent * 1e6).round() / 1e6
}

/// With its sign, which nothing has none of.
fn signed(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    if rounded == 0.0 { String::from("0.00") } else { format!("{rounded:+.2}") }
}

#[cfg(test)]
pub(super) mod tests;
