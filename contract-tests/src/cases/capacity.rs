//! How many jobs at a time: the capacity run, and the report about what is missing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::capacity::cluster::{ClusterView, RUNNING};
use crate::capacity::report::{GapReport, Subject};
use crate::capacity::run::run;
use crate::capacity::{Environment, Measured, Plan, Standing, Thresholds, Verdict};
use crate::case::{Capability, Case, Tag};
use crate::failure::{Failure, equal};
use crate::stop::Stop;
use crate::story::Story;
use crate::wall;

pub(super) const CASES: &[Case] = &[Case {
    id: "capacity/target-capacity-200",
    claim: "200 light jobs live at a time, and a server with room for fewer is reported with what is missing",
    keys: &["PZ-14088", "PZ-13986", "PZ-13756", "PZ-13268"],
    tags: &[Tag::Load],
    needs: &[Capability::Writes, Capability::Faults],
    steps: &[
        "capacity run to 200: levels 10, 20, 50, 100, 150, 200, each cancelled before the next",
        "max_jobs 120, the same run",
        "max_jobs 0, the same run",
    ],
    expects: "200 of 200 and no report needed; with room for 120, level 150 ends it with 503 CAPACITY_EXHAUSTED: actual \
              100, gap 100 (50.00%), attempted 330, successful 300, 90.91%; with room for none: actual 0, gap 200, \
              attempted 10, rate 0; the verdict is that of the environment",
    body: |story| Box::pin(target_capacity_200(story)),
}];

/// How long the slots of cancelled jobs may take to be free again.
const SLOTS_FREE: Duration = Duration::from_secs(5);

async fn target_capacity_200(story: &Story) -> Result<(), Failure> {
    let plan = Plan::of(200);
    let all = measured(story, &plan).await?;
    let levels: Vec<_> = all.levels.iter().map(|level| (level.level, level.succeeded)).collect();
    equal("each level", &levels, &[10, 20, 50, 100, 150, 200].map(|jobs| (jobs, jobs)).to_vec())?;
    equal("the standing", &plan.standing(all.actual_capacity()), &Standing::Met)?;
    equal("the verdicts", &verdicts(&plan, &all), &[Verdict::Passed, Verdict::Passed])?;

    story.limit(&json!({"max_jobs": 120})).await?;
    let limited = measured(story, &plan).await?;
    let failing = limited.first_failing().map(|level| (level.level, level.succeeded, level.failed));
    equal("the first failing level", &failing, &Some((150, 120, 30)))?;
    let refusals: Vec<_> = limited.errors().into_iter().collect();
    equal("the refusals", &refusals, &vec![("503 CAPACITY_EXHAUSTED", 30)])?;
    equal("the verdicts", &verdicts(&plan, &limited), &[Verdict::Failed, Verdict::Informational])?;
    reports(
        &plan,
        &limited,
        &json!({"actual_capacity": 100, "gap": 100, "gap_percentage": "50.00%", "success_rate": "90.91%",
                "success_rate_raw": 300.0 / 330.0, "capacity_met": false}),
        (330, 300),
    )?;

    story.limit(&json!({"max_jobs": 0})).await?;
    let nothing = measured(story, &plan).await?;
    equal("the first failing level", &nothing.first_failing().map(|level| level.level), &Some(10))?;
    equal("the verdicts", &verdicts(&plan, &nothing), &[Verdict::Failed, Verdict::Informational])?;
    reports(
        &plan,
        &nothing,
        &json!({"actual_capacity": 0, "gap": 200, "gap_percentage": "100.00%", "success_rate": "0.00%",
                "success_rate_raw": 0.0, "capacity_met": false}),
        (10, 0),
    )
}

async fn measured(story: &Story, plan: &Plan) -> Result<Measured, Failure> {
    let server = story.under_load()?;
    // Where its cluster can be seen, a job is one whose pod runs.
    let cluster = if story.offers(Capability::K8s) { Some(story.cluster()?) } else { None };
    let cluster = cluster.map(|cluster| cluster as &dyn ClusterView);
    let measured = run(plan, &server, cluster, &Stop::default(), &mut |_| {}).await?;
    for level in &measured.levels {
        let running = level.pods.as_ref().map(|pods| pods.phases.get(RUNNING).copied().unwrap_or(0));
        let what = format!("the Running pods of level {}", level.level);
        equal(&what, &running, &cluster.map(|_| level.succeeded))?;
    }
    equal("what is left of the run's jobs", &measured.left_behind, &Vec::new())?;
    story.pass(SLOTS_FREE).await?;
    Ok(measured)
}

/// On an environment that must carry the target, and on one that need not.
fn verdicts(plan: &Plan, measured: &Measured) -> [Verdict; 2] {
    ["staging", "local"]
        .map(|name| Environment::named(name).verdict(plan.standing(measured.actual_capacity())))
}

/// Demands these figures of the report, and so many attempted and successful configures.
fn reports(plan: &Plan, measured: &Measured, analysis: &Value, jobs: (u32, u32)) -> Result<(), Failure> {
    let subject = Subject {
        plan,
        environment: &Environment::named("staging"),
        target: "",
        thresholds: &Thresholds::default(),
        measured,
        at: wall::timestamp(),
    };
    let report = serde_json::to_value(GapReport::of(&subject))
        .map_err(|error| Failure::could_not_run(error.to_string()))?;
    for (key, expected) in analysis.as_object().into_iter().flatten() {
        equal(&format!("{key} of the report"), &report["capacity_analysis"][key], expected)?;
    }
    let creation = &report["performance_metrics"]["job_creation"];
    let counts = ["total_jobs_attempted", "successful_jobs", "failed_jobs"].map(|key| creation[key].clone());
    let (attempted, successful) = jobs;
    let expected = [attempted, successful, attempted - successful].map(Value::from);
    equal("the counts of the report", &counts, &expected)
}
