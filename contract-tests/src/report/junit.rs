//! JUnit XML: a suite per area, with the keys that the project's trackers know.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::words::plain;
use super::{Meaning, Run, Verdict, difference, words};

pub(super) fn render(run: &Run) -> String {
    let mut report = Report::new(format!("focus-contract {}", plain(&run.target)));
    let took = run.results.iter().map(|verdict| verdict.told.took);
    report.set_time(took.sum::<Duration>());
    for (area, verdicts) in run.areas() {
        let mut suite = TestSuite::new(area);
        suite.set_time(verdicts.iter().map(|verdict| verdict.told.took).sum::<Duration>());
        suite.add_test_cases(verdicts.into_iter().map(|verdict| case(run, verdict)));
        report.add_test_suite(suite);
    }
    if !run.rotten.is_empty() {
        // What fails a run must fail in the report of it, too.
        let mut list = TestSuite::new("known-failing");
        list.add_test_cases(run.rotten.iter().map(|what| {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("rotten").set_message(plain(what));
            let mut case = TestCase::new(plain(what), status);
            case.set_classname("known-failing");
            case
        }));
        report.add_test_suite(list);
    }
    // It writes to memory, and everything in it is text.
    report.to_string().unwrap_or_default()
}

fn case(run: &Run, verdict: &Verdict) -> TestCase {
    let told = &verdict.told;
    let mut case = TestCase::new(told.case.name(), status(run, verdict));
    case.set_classname(told.case.area()).set_time(told.took);
    let (key, requirements) =
        told.case.keys.split_first().map_or(("", [].as_slice()), |(key, more)| (*key, more));
    let mut requirements = requirements.to_vec();
    let mut quirk = "";
    if let Meaning::KnownBug(line) | Meaning::Healed(line, _) = &verdict.meaning {
        if !told.case.keys.contains(&line.ticket.as_str()) {
            requirements.push(&line.ticket);
        }
        quirk = line.quirk().unwrap_or_default();
    }
    let needs = told.case.needs.iter().map(|need| need.name()).filter(|need| *need != "rest");
    let capability = std::iter::once("rest").chain(needs).collect::<Vec<_>>().join(",");
    case.add_properties([
        Property::new("test_key", key),
        Property::new("requirements", plain(&requirements.join(","))),
        Property::new("quirk", plain(quirk)),
        Property::new("capability", capability),
    ]);
    if !told.notes.is_empty() {
        case.set_system_out(plain(&told.notes.join("\n")));
    }
    if !told.left_behind.is_empty() {
        case.set_system_err(plain(&format!("left behind: {}", told.left_behind.join(", "))));
    }
    case
}

fn status(run: &Run, verdict: &Verdict) -> TestCaseStatus {
    let mut status = match verdict.meaning {
        Meaning::Passed => return TestCaseStatus::success(),
        // JUnit has no word for a failure that is no news; readers must neither turn red nor count it as passed.
        Meaning::Skipped | Meaning::KnownBug(_) => TestCaseStatus::skipped(),
        Meaning::Failed | Meaning::Healed(..) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Meaning::CouldNotRun => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let remark = verdict.remark().unwrap_or_default();
    let message = match verdict.meaning {
        Meaning::KnownBug(_) => format!("known bug {remark}"),
        _ => remark,
    };
    status.set_message(plain(&message)).set_type(verdict.meaning.name().replace(' ', "-"));
    if let Some(failure) = verdict.failure() {
        status.set_description(plain(&detail(run, verdict, failure)));
    }
    status
}

/// What a failure shows, as text.
fn detail(run: &Run, verdict: &Verdict, failure: &crate::failure::Failure) -> String {
    let case = verdict.told.case;
    let mut parts = vec![format!("{}\n{}", case.claim, failure.what)];
    parts.extend(failure.difference.as_ref().map(difference));
    if let Some(exchange) = &failure.exchange {
        parts.extend([words::request(exchange), words::answer(exchange)]);
    }
    parts.push(run.again(case.id));
    parts.join("\n\n")
}
