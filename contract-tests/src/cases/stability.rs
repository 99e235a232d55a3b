//! Whether a server stays as it was under light load.

use crate::case::{Capability, Case, Tag};
use crate::failure::Failure;
use crate::stability::report::Report;
use crate::stability::rules::{Finding, Outcome, Rule, Weight};
use crate::stability::run::Surroundings;
use crate::stability::{Kind, Limits, Pace, Plan, Probe, run};
use crate::stop::Stop;
use crate::story::Story;
use crate::wall;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "stability/stability-over-time",
        claim: "for an hour of light load the server configures, neither grows nor restarts, and keeps no job",
        keys: &["PZ-13873"],
        tags: &[Tag::Long, Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "count live jobs and restarts of the server's pods",
            "every 5 minutes, 12 times: configure a light job, left to the sweep, and look at the server",
            "after 60 minutes: cancel the last job, and count again",
        ],
        expects: "at least 90 % of the configures succeed; memory grows by less than 20 percentage points of the machine, \
                  that of the server's process by less than 20 % since the second sample; no restart; live jobs are as \
                  few as before within 60 s. What the target does not show is noted, and not judged",
        body: |story| Box::pin(watched(story, Plan::hour(pace(story)))),
    },
    Case {
        id: "stability/soak",
        claim: "for four hours of jobs that come and go the server configures, does not grow, and keeps no job",
        keys: &["PZ-15138"],
        tags: &[Tag::Long],
        // On a real clock it takes longer than any case may: `focus-contract stability --soak 4h` does it there.
        needs: &[Capability::Writes, Capability::Clock],
        steps: &[
            "count live jobs and restarts of the server's pods",
            "every 10 minutes, 24 times: configure 3 light jobs, cancel them at once, and look at the server",
            "after 4 hours: count again",
        ],
        expects: "at least 95 % of the configures succeed; memory grows by less than 5 percentage points of the machine; no \
                  restart; live jobs are as few as before within 60 s",
        body: |story| Box::pin(watched(story, Plan::soak(Kind::Soak4h, pace(story)))),
    },
];

fn pace(story: &Story) -> Pace {
    if story.offers(Capability::Clock) { Pace::Held } else { Pace::Real }
}

async fn watched(story: &Story, plan: Plan) -> Result<(), Failure> {
    let admin = story.admin().cloned();
    let cluster = if story.offers(Capability::K8s) { Some(story.cluster()?.clone()) } else { None };
    let is_mock = admin.is_some();
    let mut probe = Probe::of(admin, cluster, None)?;
    if is_mock {
        // **Chosen**: the mock of a case shares its process with all other cases; the command has one of its own.
        probe = probe.without_process("the mock's process is not its own while cases are told");
    }
    let is_held = plan.pace == Pace::Held;
    let mut report = Report::begin(plan, "", "", Limits::default(), wall::timestamp());
    let with = Surroundings {
        server: &story.under_load()?,
        probe: &mut probe,
        stop: &Stop::default(),
        keeper: &mut |_| Ok(()),
        watcher: &mut |_| {},
    };
    run(&mut report, with).await?;
    // A held clock lets hours pass within a second, in which the machine's memory is whoever else's.
    let counts = |finding: &&Finding| !(is_held && finding.rule == Rule::RunnerMemoryGrowth);
    for finding in report.rules.iter().filter(counts) {
        match (finding.outcome, finding.weight) {
            (Outcome::Broken, Weight::Hard) => return Err(Failure::broken(words(finding))),
            (Outcome::Broken, Weight::Warning) => story.note(words(finding)),
            (Outcome::NotJudged, _) => story.note(format!("not judged: {}", words(finding))),
            (Outcome::Kept, _) => {}
        }
    }
    Ok(())
}

fn words(finding: &Finding) -> String {
    format!("{}: {}; demanded: {}", finding.rule.words(), finding.says, finding.demanded)
}
