//! The first full run of an environment, and how later ones stand against it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::figures::Figures;
use super::file::{harmless, replace};
use super::limits::Limits;
use super::plan::{Kind, Plan};
use super::report::{Report, Verdict};

const TYPE: &str = "Stability Baseline";
/// From which ratio on a figure is worse. **Chosen**: a fifth, as far as response times of a soak may drift.
const WORSE: f64 = 1.2;
/// How much more than the worse of both runs may be before one fails.
const FAILS: f64 = 2.0;
/// How much more it may be before there is a warning.
const WARNS: f64 = 1.5;

/// What later runs are compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    report_type: String,
    environment: String,
    target: String,
    plan: Plan,
    /// The report that it was taken from.
    taken_from: String,
    at: Timestamp,
    figures: Figures,
}

/// How a run stands against the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The report that the baseline was taken from.
    pub baseline: String,
    /// When that was.
    pub at: Timestamp,
    /// Why the two cannot be compared, if so.
    pub incomparable: Option<String>,
    /// Figure by figure, those that both runs have.
    pub figures: Vec<Compared>,
    /// Thresholds from both runs: a fragment of a profile.
    pub proposal: Option<String>,
}

/// A figure of both runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// Its name, as in the figures of a report.
    pub figure: String,
    /// Then.
    pub baseline: f64,
    /// Now.
    pub now: f64,
    /// Now against then; of nothing there is no ratio.
    pub ratio: Option<f64>,
    /// Whether it got worse by a fifth or more.
    pub worse: bool,
}

/// `stability_baseline_<environment>.json`. **Chosen**: soaks have baselines of their own, with their name behind it.
#[must_use]
pub fn path(folder: &Path, environment: &str, kind: Kind) -> PathBuf {
    let kind = match kind {
        Kind::Run => String::new(),
        Kind::Soak4h | Kind::Soak24h => format!("_{}", kind.name()),
    };
    folder.join(format!("stability_baseline_{}{kind}.json", harmless(environment)))
}

/// Reads a baseline; `None` where there is none yet.
///
/// # Errors
/// When there is a file that is none, in words.
pub fn read(path: &Path) -> Result<Option<Baseline>, String> {
    let told = |why: String| format!("the baseline {}: {why}", path.display());
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told(error.to_string())),
    };
    let baseline: Baseline = serde_json::from_str(&text).map_err(|error| told(error.to_string()))?;
    if baseline.report_type != TYPE {
        return Err(told(format!("its report_type is {:?}, and not {TYPE:?}", baseline.report_type)));
    }
    Ok(Some(baseline))
}

/// Stores the baseline of an environment. **Chosen**: a run that passed with warnings is one, too; one that failed is not.
///
/// # Errors
/// When it cannot be written.
pub fn store(path: &Path, report: &Report, name: &str) -> io::Result<bool> {
    if report.verdict.is_none_or(|verdict| verdict == Verdict::Failed) {
        return Ok(false);
    }
    let baseline = Baseline {
        report_type: String::from(TYPE),
        environment: report.environment.clone(),
        target: report.target.clone(),
        plan: report.plan.clone(),
        taken_from: name.to_owned(),
        at: report.last_seen(),
        figures: report.figures.clone(),
    };
    replace(path, &baseline).map(|()| true)
}

/// What makes a figure worse than it was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Worse {
    Less,
    More,
    /// More, of what is a share of itself: below 1 it got better during the run, however much.
    MoreThanOne,
    /// Any more: there should be none of it.
    Any,
}

/// A figure by its name.
type Row = (&'static str, fn(&Figures) -> Option<f64>, Worse);

const ROWS: [Row; 11] = [
    ("success_ratio", |figures| figures.success_ratio, Worse::Less),
    ("latency_mean_ms", |figures| figures.latency_mean_ms, Worse::More),
    ("latency_p95_ms", |figures| figures.latency_p95_ms, Worse::More),
    ("latency_max_ms", |figures| figures.latency_max_ms, Worse::More),
    ("latency_drift", |figures| figures.latency_drift, Worse::MoreThanOne),
    ("runner_memory_percent.change", |figures| Some(figures.runner_memory_percent?.change), Worse::More),
    ("server_memory_bytes.last", |figures| Some(figures.server_memory_bytes?.last), Worse::More),
    ("server_memory_growth_percent", |figures| figures.server_memory_growth_percent, Worse::More),
    ("server_cpu_percent.mean", |figures| Some(figures.server_cpu_percent?.mean), Worse::More),
    ("server_cpu_drift", |figures| figures.server_cpu_drift, Worse::MoreThanOne),
    ("max_restarts", |figures| figures.max_restarts.map(f64::from), Worse::Any),
];

/// Compares a run with a baseline.
#[must_use]
pub fn compare(baseline: &Baseline, report: &Report) -> Comparison {
    let differs = |what: &str, then: String, now: String| {
        (then != now).then(|| format!("its {what} was {then}, and is now {now}"))
    };
    let json = |plan: &Plan| serde_json::to_string(plan).unwrap_or_default();
    let incomparable = differs("environment", baseline.environment.clone(), report.environment.clone())
        .or_else(|| differs("target", baseline.target.clone(), report.target.clone()))
        .or_else(|| differs("plan", json(&baseline.plan), json(&report.plan)));
    let compared = |(name, of, worse): &Row| {
        let (then, now) = (of(&baseline.figures)?, of(&report.figures)?);
        // What there was nothing of has no ratio, nor what went the other way: any of it is news, but not by how much.
        let ratio = (then > 0.0 && now >= 0.0).then(|| now / then);
        let worse = match worse {
            Worse::Less => ratio.is_some_and(|ratio| ratio <= 1.0 / WORSE),
            Worse::More => ratio.is_some_and(|ratio| ratio >= WORSE),
            Worse::MoreThanOne => now > 1.0 && ratio.is_some_and(|ratio| ratio >= WORSE),
            Worse::Any => now > then,
        };
        Some(Compared { figure: (*name).to_owned(), baseline: then, now, ratio, worse })
    };
    let figures =
        if incomparable.is_none() { ROWS.iter().filter_map(compared).collect() } else { Vec::new() };
    let proposal = incomparable.is_none().then(|| propose(&baseline.figures, report));
    Comparison { baseline: baseline.taken_from.clone(), at: baseline.at, incomparable, figures, proposal }
}

/// Thresholds from both runs. **Chosen**: of each figure the worse of both runs, twice that for what fails and half as much
/// again for what warns, rounded up to a whole number and at least a tenth of what the profile has now; of success, what the
/// worse run missed, alike, and never more than 99 %. What neither run measured is left out, and so stays as it is. A
/// proposal never loosens what the profile has.
fn propose(then: &Figures, report: &Report) -> String {
    let Limits { success, memory_growth: memory, soak_4h, soak_24h, .. } = report.limits;
    let of = Proposed { then, now: &report.figures };
    let points: Of = |figures| Some(figures.runner_memory_percent?.change);
    let percent: Of = |figures| figures.server_memory_growth_percent;
    let rate: Of = |figures| figures.server_memory_megabytes_per_hour;
    let mut text = String::from("stability:\n");
    match report.plan.kind {
        Kind::Run => {
            let rows = [
                ("minimum", of.share(FAILS, success.minimum)),
                ("warning", of.share(WARNS, success.warning)),
            ];
            section(&mut text, "success", &rows);
            let rows = [
                ("points", of.growth(FAILS, points, memory.points)),
                ("points_warning", of.growth(WARNS, points, memory.points_warning)),
                ("percent", of.growth(FAILS, percent, memory.percent)),
                ("percent_warning", of.growth(WARNS, percent, memory.percent_warning)),
            ];
            section(&mut text, "memory_growth", &rows);
        }
        Kind::Soak4h => {
            let rows = [
                ("success", of.share(FAILS, soak_4h.success)),
                ("growth_points", of.growth(FAILS, points, soak_4h.growth_points)),
            ];
            section(&mut text, "soak_4h", &rows);
        }
        Kind::Soak24h => {
            let rows = [
                ("success", of.share(FAILS, soak_24h.success)),
                ("growth_points", of.growth(FAILS, points, soak_24h.growth_points)),
                ("megabytes_per_hour", of.growth(FAILS, rate, soak_24h.megabytes_per_hour)),
            ];
            section(&mut text, "soak_24h", &rows);
        }
    }
    if text == "stability:\n" { String::from("stability: {}\n") } else { text }
}

type Of = fn(&Figures) -> Option<f64>;

/// What a proposal is made from.
struct Proposed<'a> {
    then: &'a Figures,
    now: &'a Figures,
}

impl Proposed<'_> {
    fn growth(&self, room: f64, of: Of, limit: f64) -> Option<f64> {
        let worse = of(self.then)?.max(of(self.now)?).max(0.0);
        Some((worse * room).max(limit / 10.0).ceil().min(limit))
    }

    fn share(&self, room: f64, limit: f64) -> Option<f64> {
        let missed = 1.0 - self.then.success_ratio?.min(self.now.success_ratio?);
        Some((((1.0 - missed * room) * 100.0).floor() / 100.0).min(0.99).max(limit))
    }
}

fn section(text: &mut String, name: &str, rows: &[(&str, Option<f64>)]) {
    if rows.iter().any(|(_, value)| value.is_some()) {
        let _ = writeln!(text, "  {name}:");
    }
    for (key, value) in rows {
        if let Some(value) = value {
            let _ = writeln!(text, "    {key}: {value}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::after;
    use super::super::sample::Refusal;
    use super::*;
    use crate::capacity::Thresholds;

    fn baseline_of(report: &Report) -> Baseline {
        let folder = tempfile::tempdir().expect("a folder");
        let place = path(folder.path(), "a/b", Kind::Run);
        assert_eq!(place.file_name(), Some("stability_baseline_a_b.json".as_ref()));
        assert_eq!(read(&place), Ok(None));
        assert!(store(&place, report, "first.json").expect("a file"));
        read(&place).expect("a baseline").expect("one")
    }

    #[test]
    fn what_got_better_during_a_run_or_shrank_is_not_worse_than_in_another() {
        let mut now = after(12, true);
        let mut baseline = baseline_of(&now);
        for (then, is, ratio, worse) in [
            (0.38, 0.67, Some(0.67 / 0.38), false),
            (0.8, 1.0, Some(1.25), false),
            (0.8, 1.01, Some(1.01 / 0.8), true),
            (1.0, 1.2, Some(1.2), true),
            (1.0, 1.19, Some(1.19), false),
            (0.03, -0.36, None, false),
        ] {
            (baseline.figures.latency_drift, now.figures.latency_drift) = (Some(then), Some(is));
            let compared = compare(&baseline, &now);
            let row = compared.figures.iter().find(|row| row.figure == "latency_drift").expect("a row");
            assert_eq!((row.ratio, row.worse), (ratio, worse), "{then} {is}");
        }
    }

    #[test]
    fn only_a_run_that_passed_is_a_baseline() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = path(folder.path(), "mock", Kind::Soak4h);
        assert_eq!(place.file_name(), Some("stability_baseline_mock_soak-4h.json".as_ref()));
        let mut report = after(12, true);
        for (verdict, stored) in
            [(None, false), (Some(Verdict::Failed), false), (Some(Verdict::PassedWithWarnings), true)]
        {
            report.verdict = verdict;
            assert_eq!(store(&place, &report, "a").expect("a file"), stored, "{verdict:?}");
            assert_eq!(place.exists(), stored);
        }
        fs::write(&place, "{").expect("a file");
        assert!(read(&place).expect_err("no baseline").contains("EOF"));
        let report = serde_json::to_string(&report).expect("JSON");
        fs::write(&place, report).expect("a file");
        assert!(read(&place).is_err(), "a report is no baseline");
    }

    #[test]
    fn figures_are_compared_one_by_one() {
        let then = after(12, true);
        let baseline = baseline_of(&then);
        let mut now = after(12, true);
        // Every latency was 100 ms: the first is now 340, and so the mean is 120.
        now.samples[0].configures[0].latency_ms = 340.0;
        now.sum_up();
        let compared = compare(&baseline, &now);
        assert_eq!((compared.baseline.as_str(), &compared.incomparable), ("first.json", &None));
        let by = |name: &str| compared.figures.iter().find(|row| row.figure == name).expect("a figure");
        let mean = by("latency_mean_ms");
        assert_eq!((mean.baseline, mean.now, mean.ratio, mean.worse), (100.0, 120.0, Some(1.2), true));
        assert_eq!((by("success_ratio").ratio, by("success_ratio").worse), (Some(1.0), false));
        assert_eq!((by("max_restarts").ratio, by("max_restarts").worse), (None, false));
        assert_eq!(by("server_memory_bytes.last").ratio, Some(1.0));
        // A third of them instead of all.
        now.samples
            .iter_mut()
            .skip(4)
            .for_each(|sample| sample.configures[0].refusal = Some(Refusal::new("503", "")));
        now.sum_up();
        let fewer = compare(&baseline, &now);
        let success = fewer.figures.iter().find(|row| row.figure == "success_ratio").expect("a figure");
        assert!(success.worse, "{success:?}");
    }

    #[test]
    fn another_plan_is_not_compared() {
        let baseline = baseline_of(&after(12, true));
        let mut now = after(12, true);
        now.plan.jobs = 2;
        let compared = compare(&baseline, &now);
        let why = compared.incomparable.expect("a reason");
        assert!(why.starts_with("its plan was {") && why.contains("\"jobs_per_sample\":2"), "{why}");
        assert_eq!((compared.figures, compared.proposal), (Vec::new(), None));
        now.target = String::from("elsewhere");
        let why = compare(&baseline, &now).incomparable.expect("a reason");
        assert_eq!(why, "its target was http://127.0.0.1:1, and is now elsewhere");
    }

    #[test]
    fn a_proposal_is_a_profile_that_is_never_looser() {
        let mut then = after(12, true);
        then.samples[11].server.as_mut().expect("it").memory_bytes = 106_000_000;
        then.samples[11].runner.as_mut().expect("it").memory_percent = 43.0;
        then.sum_up();
        let mut now = after(12, true);
        now.samples[0].configures[0].refusal = Some(Refusal::new("503", ""));
        now.sum_up();
        let proposal = compare(&baseline_of(&then), &now).proposal.expect("a proposal");
        // One of 12 was missed, and twice that would be 17 %: no looser than it is. 6 % and 3 points, twice and half as much
        // again.
        let expected = "stability:\n  success:\n    minimum: 0.9\n    warning: 0.95\n  memory_growth:\n    points: 6\n    points_warning: 5\n    percent: 12\n    percent_warning: 9\n";
        assert_eq!(proposal, expected);
        let parsed = Thresholds::parse(&proposal).expect("a profile").stability;
        assert_eq!((parsed.memory_growth.percent, parsed.memory_growth.points), (12.0, 6.0));
        // Twice as much would be more than there may be now.
        then.samples[11].server.as_mut().expect("it").memory_bytes = 115_000_000;
        then.sum_up();
        let capped = compare(&baseline_of(&then), &now).proposal.expect("a proposal");
        assert!(capped.contains("    percent: 20\n    percent_warning: 10\n"), "{capped}");
        // What nobody measured is left out, and still a profile.
        let blind = |report: &mut Report| {
            report.samples.clear();
            report.sum_up();
        };
        blind(&mut then);
        blind(&mut now);
        then.verdict = Some(Verdict::Passed);
        let proposal = compare(&baseline_of(&then), &now).proposal.expect("a proposal");
        assert_eq!(
            (proposal.as_str(), Thresholds::parse(&proposal)),
            ("stability: {}\n", Ok(Thresholds::default()))
        );
        for kind in [Kind::Soak4h, Kind::Soak24h] {
            let mut soak = after(12, true);
            soak.plan.kind = kind;
            soak.sum_up();
            let proposal = compare(&baseline_of(&soak), &soak).proposal.expect("a proposal");
            assert!(Thresholds::parse(&proposal).is_ok(), "{proposal}");
            assert!(proposal.contains("success: 0.99"), "{proposal}");
        }
    }
}
