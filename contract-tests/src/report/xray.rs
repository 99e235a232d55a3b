//! A test execution as Xray Cloud imports it: one entry per test key, whatever number of cases has it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Meaning, Run, Verdict, date, json as as_json};

/// Most bytes of evidence, as they stand in the file.
const MOST_EVIDENCE: usize = 10 * 1024 * 1024;

/// The project whose keys these are.
const PROJECT: &str = "PZ";

pub(super) fn render(run: &Run) -> String {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for verdict in &run.results {
        // The first key is that of the test; the others are requirements and bugs, which cannot be executed.
        let Some(key) = verdict.told.case.keys.first().copied().filter(|key| is_real(key)) else { continue };
        match entries.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => entry.verdicts.push(verdict),
            None => entries.push(Entry { key, verdicts: vec![verdict] }),
        }
    }
    let mut room = MOST_EVIDENCE;
    let suite = run.suite.map_or_else(String::new, |suite| format!("suite {suite}, "));
    let environments = run.environments.join(", ");
    let report = json!({
        "info": {
            "project": PROJECT,
            "summary": format!("Focus Server contract suite, {environments}"),
            "description": format!(
                "target {}, {suite}seed {}, {} cases, exit status {}",
                run.target, run.seed, run.results.len(), run.exit_status()
            ),
            "startDate": date(run.began),
            "finishDate": date(run.ended),
            "testPlanKey": run.test_plan,
            "testEnvironments": run.environments,
        },
        "tests": entries.iter().map(|entry| entry.json(&mut room)).collect::<Vec<_>>(),
    });
    format!("{report:#}\n")
}

/// Whether Xray can know a key: placeholders like `PZ-TBD` and `PZ-LOAD-1` are none.
fn is_real(key: &str) -> bool {
    key.split_once('-').is_some_and(|(project, number)| {
        project == PROJECT && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

struct Entry<'a> {
    key: &'a str,
    verdicts: Vec<&'a Verdict>,
}

impl Entry<'_> {
    fn json(&self, room: &mut usize) -> Value {
        let told = || self.verdicts.iter().map(|verdict| &verdict.told);
        let start = told().map(|told| told.began).min().unwrap_or_default();
        // Rounded up, so that nothing ends before it began.
        let finish = told().map(|told| told.began + i64::from(told.took.as_secs_f64().ceil() as u32)).max();
        let mut comments: Vec<_> = self.verdicts.iter().map(|verdict| comment(verdict)).collect();
        let mut evidence = Vec::new();
        for verdict in &self.verdicts {
            let Some(one) = evidence_of(verdict) else { continue };
            let size = one["data"].as_str().map_or(0, str::len);
            if size <= *room {
                *room -= size;
                evidence.push(one);
            } else {
                comments.push(format!("{}: its evidence does not fit", verdict.told.case.id));
            }
        }
        json!({
            "testKey": self.key,
            "status": self.status(),
            "start": date(start),
            "finish": date(finish.unwrap_or(start)),
            "comment": comments.join("\n"),
            "evidence": evidence,
        })
    }

    /// A later pass never hides a failure; a known bug is a failure, which its ticket explains but does not undo.
    fn status(&self) -> &'static str {
        let any = |wanted: fn(&Meaning) -> bool| self.verdicts.iter().any(|verdict| wanted(&verdict.meaning));
        if any(|meaning| matches!(meaning, Meaning::Failed | Meaning::KnownBug(_))) {
            "FAILED"
        } else if any(|meaning| matches!(meaning, Meaning::Passed | Meaning::Healed(..))) {
            "PASSED"
        } else {
            "TODO"
        }
    }
}

fn comment(verdict: &Verdict) -> String {
    let remark = verdict.remark().map_or_else(String::new, |remark| format!(": {remark}"));
    format!("{}: {}{remark}", verdict.told.case.id, verdict.meaning.name())
}

fn evidence_of(verdict: &Verdict) -> Option<Value> {
    let exchange = verdict.failure()?.exchange.as_deref()?;
    let data = STANDARD.encode(format!("{:#}", as_json::exchange(exchange)));
    let filename = format!("{}.json", verdict.told.case.id.replace('/', "-"));
    Some(json!({"filename": filename, "contentType": "application/json", "data": data}))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::case::Case;
    use crate::failure::Failure;
    use crate::known_failing::KnownFailing;
    use crate::runner::{Outcome, Told};

    static CASE: Case = Case {
        id: "area/name",
        claim: "",
        keys: &["PZ-1", "PZ-2"],
        tags: &[],
        needs: &[],
        steps: &[],
        expects: "",
        body: |_| Box::pin(async { Ok(()) }),
    };

    fn verdict(outcome: Outcome, began: i64) -> Verdict {
        let told = Told {
            case: &CASE,
            outcome,
            began,
            took: Duration::from_millis(1500),
            exchanges: Vec::new(),
            notes: Vec::new(),
            left_behind: Vec::new(),
        };
        Verdict::of(told, &KnownFailing::default())
    }

    #[test]
    fn cases_with_one_key_are_one_entry_and_no_pass_hides_a_failure() {
        let failed = || Outcome::Failed(Failure::broken("no"));
        let skipped = || Outcome::Skipped(String::from("why"));
        for (outcomes, status) in [
            (vec![failed(), Outcome::Passed], "FAILED"),
            (vec![skipped(), Outcome::Passed], "PASSED"),
            (vec![skipped(), Outcome::CouldNotRun(Failure::could_not_run("no"))], "TODO"),
        ] {
            let verdicts: Vec<_> =
                outcomes.into_iter().zip(1..).map(|(outcome, began)| verdict(outcome, began)).collect();
            let entry = Entry { key: "PZ-1", verdicts: verdicts.iter().collect() };
            let entry = entry.json(&mut MOST_EVIDENCE.clone());
            assert_eq!(entry["status"], status);
            assert_eq!(entry["start"], "1970-01-01T00:00:01+00:00");
            assert_eq!(entry["finish"], "1970-01-01T00:00:04+00:00");
            assert_eq!(entry["comment"].as_str().map(|text| text.lines().count()), Some(2));
        }
    }

    #[test]
    fn placeholders_are_no_keys() {
        let real = ["PZ-1", "PZ-TBD", "PZ-LOAD-1", "PZ-", "PZ1", "", "AB-1"].map(is_real);
        assert_eq!(real, [true, false, false, false, false, false, false]);
    }
}
