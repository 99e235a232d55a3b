//! The document of a run: written as it goes, with all that is needed to go on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::baseline::Comparison;
use super::figures::Figures;
use super::limits::Limits;
use super::plan::{Pace, Plan};
use super::rules::{self, Finding, Outcome, Weight};
use super::sample::Sample;
use crate::capacity::plan::payload_in_words;
use crate::series::{Entry, Figure, Kind as Series};

/// What tells this document from others.
pub const TYPE: &str = "Stability Run";
/// Changes with what a program must know to go on with a document.
const FORMAT: u32 = 1;

/// The whole document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`TYPE`].
    pub report_type: String,
    /// Of this document.
    pub format: u32,
    /// The suite.
    pub generated_by: String,
    /// The ticket that it belongs to.
    pub jira_reference: String,
    /// What the server is called where it runs.
    pub environment: String,
    /// The server, without credentials.
    pub target: String,
    /// Each job.
    pub configuration: String,
    /// What was to be done.
    pub plan: Plan,
    /// What it is held against.
    pub limits: Limits,
    /// Whether all samples were taken and the end was looked at.
    pub complete: bool,
    /// When it began, in real time.
    pub began: Timestamp,
    /// When it was complete, or ended early.
    pub ended: Option<Timestamp>,
    /// What made the server's clock go before the run held it.
    pub clock_before: Option<String>,
    /// Jobs that lived before the first configure.
    pub live_jobs_before: Option<u32>,
    /// How often the server's pods had been started again before the run, by their uids.
    pub restarts_before: Option<BTreeMap<String, u32>>,
    /// Why something is not looked at.
    pub unseen: Unseen,
    /// What was seen, in order.
    pub samples: Vec<Sample>,
    /// Jobs of the run that may still be there.
    pub jobs_left: BTreeSet<String>,
    /// Where the run ended early and went on later.
    pub gaps: Vec<Gap>,
    /// What is worth knowing.
    pub notes: Vec<String>,
    /// What there was once all samples had been taken.
    pub ending: Option<Ending>,
    /// What it comes to so far.
    pub figures: Figures,
    /// Its rules with what came of them so far.
    pub rules: Vec<Finding>,
    /// What came of it, once it is complete.
    pub verdict: Option<Verdict>,
    /// How it stands against the first run of this environment.
    pub comparison: Option<Comparison>,
}

/// Why something is not looked at; nothing where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unseen {
    /// The server's process.
    pub server: Option<String>,
    /// Restarts of its pods.
    pub restarts: Option<String>,
    /// Live jobs.
    pub live_jobs: Option<String>,
}

/// A time in which a run did not go on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// After so many samples.
    pub after_sample: u32,
    /// When the last thing was seen, in real time.
    pub from: Timestamp,
    /// When it went on.
    pub until: Timestamp,
    /// How long that was.
    pub seconds: f64,
}

/// What there was once all samples had been taken and what was left had been cancelled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// Live jobs, whoever made them.
    pub live_jobs: Option<u32>,
    /// How long was waited until the run's jobs were gone and live jobs were as few as before, or nobody waited longer.
    pub waited_seconds: f64,
    /// Jobs of the run that were not gone then.
    pub left_behind: Vec<String>,
}

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Every rule that could be judged holds.
    #[serde(rename = "passed")]
    Passed,
    /// Only a warning is broken.
    #[serde(rename = "passed with warnings")]
    PassedWithWarnings,
    /// A hard rule is broken.
    #[serde(rename = "failed")]
    Failed,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::PassedWithWarnings => "passed with warnings",
            Self::Failed => "failed",
        })
    }
}

/// Why a run cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotResumable {
    /// Cut off, or never was JSON of this kind.
    #[error("it is no stability report that could be read: {0}")]
    Unreadable(String),
    /// JSON of another kind.
    #[error("it is no stability report: its report_type is {0}, and not \"{TYPE}\"")]
    Foreign(String),
    /// Of another version of the suite.
    #[error("its format is {0}; this program goes on with format {FORMAT} only")]
    Format(u64),
    /// Nothing is missing.
    #[error("it is complete: there is nothing to resume")]
    Complete,
    /// Somebody has changed it.
    #[error("it contradicts itself: {0}")]
    Contradicts(String),
}

impl Report {
    /// Of a run that begins now.
    #[must_use]
    pub fn begin(plan: Plan, environment: &str, target: &str, limits: Limits, began: Timestamp) -> Self {
        Self {
            report_type: String::from(TYPE),
            format: FORMAT,
            generated_by: String::from(concat!("focus-contract ", env!("CARGO_PKG_VERSION"))),
            jira_reference: plan.kind.ticket().to_owned(),
            environment: environment.to_owned(),
            target: target.to_owned(),
            configuration: payload_in_words(),
            plan,
            limits,
            complete: false,
            began,
            ended: None,
            clock_before: None,
            live_jobs_before: None,
            restarts_before: None,
            unseen: Unseen::default(),
            samples: Vec::new(),
            jobs_left: BTreeSet::new(),
            gaps: Vec::new(),
            notes: Vec::new(),
            ending: None,
            figures: Figures::default(),
            rules: Vec::new(),
            verdict: None,
            comparison: None,
        }
    }

    /// A run that ended early, from its text.
    ///
    /// # Errors
    /// Why it cannot go on.
    pub fn resumable(text: &str) -> Result<Self, NotResumable> {
        let unreadable = |error: serde_json::Error| NotResumable::Unreadable(error.to_string());
        let document: serde_json::Value = serde_json::from_str(text).map_err(unreadable)?;
        if document["report_type"] != TYPE {
            return Err(NotResumable::Foreign(document["report_type"].to_string()));
        }
        if let Some(format) = document["format"].as_u64().filter(|format| *format != u64::from(FORMAT)) {
            return Err(NotResumable::Format(format));
        }
        let report: Self = serde_json::from_value(document).map_err(unreadable)?;
        if report.complete {
            return Err(NotResumable::Complete);
        }
        let contradicts = |why: String| Err(NotResumable::Contradicts(why));
        if let Err(why) = report.plan.clone().check() {
            return contradicts(why.to_string());
        }
        if let Err(why) = report.limits.check() {
            return contradicts(why);
        }
        let numbers = report.samples.iter().map(|sample| sample.number);
        let (taken, due) = (report.samples.len(), report.plan.samples());
        if !numbers.eq((1..).take(taken)) || taken > due as usize {
            return contradicts(format!("its {taken} samples are not numbers 1 to {taken} of {due}"));
        }
        Ok(report)
    }

    /// The last moment at which something is known of the run.
    #[must_use]
    pub fn last_seen(&self) -> Timestamp {
        let sampled = self.samples.last().map_or(self.began, |sample| sample.at);
        self.ended.map_or(sampled, |ended| ended.max(sampled))
    }

    /// How many samples there are.
    #[must_use]
    pub fn taken(&self) -> u32 {
        u32::try_from(self.samples.len()).unwrap_or(u32::MAX)
    }

    /// Goes on after an early end.
    pub fn go_on(&mut self, now: Timestamp) {
        let from = self.last_seen();
        let seconds = now.duration_since(from).as_secs_f64();
        self.gaps.push(Gap { after_sample: self.taken(), from, until: now, seconds });
        self.ended = None;
    }

    /// Sums up what there is, and what that means.
    pub fn sum_up(&mut self) {
        self.figures = Figures::of(&self.samples);
        self.rules = rules::judge(
            &self.plan,
            &self.samples,
            self.live_jobs_before,
            self.ending.as_ref(),
            &self.unseen,
            &self.limits,
        );
        self.verdict = self.complete.then(|| self.judged());
    }

    fn judged(&self) -> Verdict {
        let broken = |weight| self.broken().any(|finding| finding.weight == weight);
        match (broken(Weight::Hard), broken(Weight::Warning)) {
            (true, _) => Verdict::Failed,
            (false, true) => Verdict::PassedWithWarnings,
            (false, false) => Verdict::Passed,
        }
    }

    /// The rules that are broken.
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        self.rules.iter().filter(|finding| finding.outcome == Outcome::Broken)
    }

    /// What came of it, in words that do not hide what could not be judged.
    #[must_use]
    pub fn outcome(&self) -> String {
        let Some(verdict) = self.verdict else { return String::from("not complete") };
        match self.rules.iter().filter(|finding| finding.outcome == Outcome::NotJudged).count() {
            0 => verdict.to_string(),
            1 => format!("{verdict} (1 rule not judged)"),
            count => format!("{verdict} ({count} rules not judged)"),
        }
    }

    /// How long the run took on the clock that paced it.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        let waited = self.ending.as_ref().map_or(0.0, |ending| ending.waited_seconds);
        let last = self.samples.last().map_or(0.0, |sample| sample.at_seconds);
        if self.complete { last.max(self.plan.duration.as_secs_f64()) + waited } else { last }
    }

    /// What stays of it in the series of its folder.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn entry(&self) -> Entry {
        let Figures { configures, success_ratio, server_cpu_drift, .. } = &self.figures;
        let seconds = |ms: Option<f64>| ms.map(|ms| ms / 1e3);
        let share = |percent: Option<f64>| percent.map(|percent| percent / 100.0);
        let runner = self.figures.runner_memory_percent;
        let left = self.ending.as_ref().map(|ending| ending.left_behind.len() as f64);
        let figures = [
            (Figure::Configures, Some(f64::from(*configures))),
            (Figure::SuccessRatio, *success_ratio),
            (Figure::LatencyMeanSeconds, seconds(self.figures.latency_mean_ms)),
            (Figure::LatencyP95Seconds, seconds(self.figures.latency_p95_ms)),
            (Figure::LatencyP99Seconds, seconds(self.figures.latency_p99_ms)),
            (Figure::LatencyMaxSeconds, seconds(self.figures.latency_max_ms)),
            (Figure::DurationSeconds, Some(self.seconds())),
            (Figure::LeftBehindJobs, left),
            (Figure::RunnerMemoryGrowthRatio, share(runner.map(|range| range.change))),
            (Figure::ServerMemoryGrowthRatio, share(self.figures.server_memory_growth_percent)),
            (Figure::ServerMemoryBytes, self.figures.server_memory_bytes.map(|range| range.last)),
            (Figure::CpuDriftRatio, *server_cpu_drift),
            (Figure::Restarts, self.figures.max_restarts.map(f64::from)),
        ];
        Entry {
            shape: None,
            at: self.last_seen(),
            kind: match self.plan.kind {
                super::Kind::Run => Series::Stability,
                super::Kind::Soak4h => Series::Soak4h,
                super::Kind::Soak24h => Series::Soak24h,
            },
            environment: self.environment.clone(),
            target: self.target.clone(),
            passed: self.verdict.is_some_and(|verdict| verdict != Verdict::Failed),
            figures: figures.into_iter().filter_map(|(figure, value)| Some((figure, value?))).collect(),
            levels: Vec::new(),
        }
    }

    /// Whether the server's clock is moved instead of waiting.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.plan.pace == Pace::Held
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::plan::Kind;
    use super::super::rules::tests::sample;
    use super::*;

    /// A report of an hour, after so many samples.
    pub(in super::super) fn after(taken: u32, complete: bool) -> Report {
        let began = "2025-12-08T00:08:52.000012034Z".parse().expect("a time");
        let mut report =
            Report::begin(Plan::hour(Pace::Real), "staging", "http://127.0.0.1:1", Limits::default(), began);
        report.live_jobs_before = Some(1);
        report.samples = (1..=taken).map(sample).collect();
        if complete {
            report.ending = Some(Ending { live_jobs: Some(1), ..Ending::default() });
            report.complete = true;
            report.ended = Some(began);
        }
        report.sum_up();
        report
    }

    fn text(report: &Report) -> String {
        serde_json::to_string_pretty(report).expect("JSON")
    }

    #[test]
    fn a_report_is_as_its_schema_says_whether_complete_or_not() {
        let schema = include_str!("../../schema/stability-report.schema.json");
        let schema =
            jsonschema::validator_for(&serde_json::from_str(schema).expect("JSON")).expect("a schema");
        let breaches = |document: &serde_json::Value| -> Vec<String> {
            schema.iter_errors(document).map(|error| error.to_string()).collect()
        };
        for report in [after(0, false), after(3, false), after(12, true)] {
            let document = serde_json::to_value(&report).expect("JSON");
            assert_eq!(breaches(&document), Vec::<String>::new());
        }
        let mut odd = serde_json::to_value(after(12, true)).expect("JSON");
        odd["verdict"] = serde_json::Value::Null;
        assert_eq!(breaches(&odd).len(), 1, "what is complete has a verdict");
        odd["verdict"] = "passed".into();
        odd["samples"][3]["cpu"] = 7.into();
        assert_eq!(breaches(&odd).len(), 1, "unknown keys are none");
    }

    #[test]
    fn a_run_that_ended_early_is_read_as_it_was_written() {
        for taken in [0, 3, 12] {
            let report = after(taken, false);
            assert_eq!(Report::resumable(&text(&report)), Ok(report));
        }
    }

    #[test]
    fn what_cannot_go_on_is_refused_with_the_reason() {
        let refused = |text: &str| Report::resumable(text).expect_err("a refusal").to_string();
        assert_eq!(refused(&text(&after(12, true))), "it is complete: there is nothing to resume");
        assert!(
            refused(&text(&after(3, false))[..2000])
                .starts_with("it is no stability report that could be read: EOF")
        );
        assert_eq!(
            refused(r#"{"report_type": "Stability Baseline"}"#),
            "it is no stability report: its report_type is \"Stability Baseline\", and not \"Stability Run\""
        );
        assert!(refused(r#"{"report_type": "Stability Run"}"#).contains("missing field"));
        assert!(refused(r#"{"report_type": "Stability Run", "format": 2}"#).starts_with("its format is 2"));
        let mut report = after(3, false);
        report.samples.remove(1);
        assert!(refused(&text(&report)).ends_with("its 2 samples are not numbers 1 to 2 of 12"));
        let many = after(13, false);
        assert!(refused(&text(&many)).ends_with("its 13 samples are not numbers 1 to 13 of 12"));
        let mut report = after(3, false);
        report.plan.jobs = 0;
        assert!(refused(&text(&report)).contains("contradicts itself: --jobs is 0"));
    }

    #[test]
    fn a_gap_is_from_the_last_thing_that_is_known() {
        let mut report = after(3, false);
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        report.ended = Some(at("2025-12-08T00:30:00Z"));
        report.go_on(at("2025-12-08T01:30:00.5Z"));
        let gap = Gap {
            after_sample: 3,
            from: at("2025-12-08T00:30:00Z"),
            until: at("2025-12-08T01:30:00.5Z"),
            seconds: 3600.5,
        };
        assert_eq!((report.gaps.as_slice(), report.ended), ([gap].as_slice(), None));
    }

    #[test]
    fn a_verdict_needs_the_end_and_is_the_worst_of_what_is_broken() {
        assert_eq!(after(12, false).verdict, None);
        assert_eq!(after(12, true).verdict, Some(Verdict::Passed));
        let with = |change: fn(&mut Sample)| {
            let mut report = after(12, true);
            report.samples.last_mut().map(change).expect("a sample");
            report.sum_up();
            report.verdict
        };
        let warned = with(|sample| sample.server.as_mut().expect("it").memory_bytes = 111_000_000);
        assert_eq!(warned, Some(Verdict::PassedWithWarnings));
        assert_eq!(after(12, true).outcome(), "passed");
        let mut blind = after(12, true);
        blind.samples.iter_mut().for_each(|sample| sample.restarts = None);
        blind.sum_up();
        assert_eq!(blind.outcome(), "passed (1 rule not judged)");
        let failed = with(|sample| sample.server.as_mut().expect("it").memory_bytes = 120_000_000);
        assert_eq!(failed, Some(Verdict::Failed));
    }

    #[test]
    fn a_line_of_the_series_has_what_was_measured_in_base_units() {
        let entry = after(12, true).entry();
        assert_eq!((entry.kind, entry.passed), (Series::Stability, true));
        for (figure, value) in [
            (Figure::Configures, 12.0),
            (Figure::SuccessRatio, 1.0),
            (Figure::LatencyMeanSeconds, 0.1),
            (Figure::ServerMemoryBytes, 1e8),
            (Figure::ServerMemoryGrowthRatio, 0.0),
            (Figure::LeftBehindJobs, 0.0),
            (Figure::Restarts, 0.0),
        ] {
            assert!((entry.figures[&figure] - value).abs() < 1e-9, "{figure:?}");
        }
        let mut soak = after(12, true);
        soak.plan.kind = Kind::Soak24h;
        soak.samples.iter_mut().for_each(|sample| sample.server = None);
        soak.sum_up();
        let entry = soak.entry();
        assert_eq!(entry.kind, Series::Soak24h);
        assert!(!entry.figures.contains_key(&Figure::ServerMemoryBytes), "what was not seen is left out");
    }
}
