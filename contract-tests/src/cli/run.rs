//! `focus-contract run`: tells cases to a server, and says what came of it.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use focus_contract::case::{Case, Tag};
use focus_contract::known_failing::KnownFailing;
use focus_contract::report::{INTERRUPTED, Kind, Meaning, ReportFile, Run, Verdict};
use focus_contract::runner::{Event, Manner, Told, tell_all};
use focus_contract::select::{Pattern, SUITES, Selection, Suite};
use focus_contract::stop::Stop;
use focus_contract::target::{Mock, Remote, Targets};
use focus_contract::wall;
use jiff::tz::TimeZone;

use super::choose::{self, Asked, Choice, Place, Variables};
use super::interrupt::Interrupted;
use super::progress::Progress;
use super::{FAILED, print, say};

pub(super) fn command() -> Command {
    let one = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let many = |name, value, help| one(name, value, help).action(ArgAction::Append);
    Command::new("run")
        .about("Tell cases to a server, and say whether it keeps its contract")
        .after_help(AFTER)
        .args(choose::arguments(
            "The server: a fresh mock for each case, or the base of one that runs already",
            "Create jobs on a server that runs already; with --admin, reset it before each case, too",
        ))
        .arg(choose::grpc_host())
        .args([
            many("only", "PATTERN", "Cases that match: * stands for anything within a part, ** across parts"),
            many("skip", "PATTERN", "All but these"),
            many("tag", "TAG", "Cases with any of these tags").value_parser(Tag::ALL.map(Tag::name)),
            one("suite", "NAME", "The cases of an occasion, with its limits")
                .value_parser(SUITES.iter().map(|suite| suite.name).collect::<Vec<_>>()),
            one("seed", "N", "Seed of everything that is drawn")
                .value_parser(value_parser!(u64))
                .default_value("1"),
            one("jobs", "N", "Cases at a time, each with a mock of its own [default: one per processor]")
                .value_parser(value_parser!(u16).range(1..)),
            one("limit", "SECONDS", "Longest a case may take")
                .value_parser(value_parser!(u64).range(1..))
                .default_value("120"),
            one("known-failing", "FILE", "What the server is known to fail")
                .value_parser(value_parser!(PathBuf)),
            many("report", "KIND=FILE", "Write a report: junit, xray, html, markdown or json")
                .value_parser(|text: &str| text.parse::<ReportFile>()),
            many("environment", "NAME", "What the server is called where it runs, for reports"),
            one("test-plan", "KEY", "The test plan that an Xray report belongs to"),
        ])
}

const AFTER: &str = "\
The target is the mock unless --target or one of these variables names another: FOCUS_BASE_URL, or FOCUS_SERVER_HOST \
with FOCUS_SERVER_PORT; then FOCUS_API_PREFIX (default /focus-server) is added, and FOCUS_ADMIN_URL is taken for \
--admin, KUBECONFIG for --kubeconfig. FOCUS_KUBE_TOKEN is the bearer token that goes with --kube. VERIFY_SSL (default false) says whether certificates count, FOCUS_ENV (default staging) is taken for \
--environment, ENVIRONMENT=production rules out cases that make something fail, CI turns the progress bar off. The \
Markdown report is appended to the file of GITHUB_STEP_SUMMARY, too.

Exit status: 0, the contract is kept, apart from known bugs; 1, it is broken, or every case was skipped, or the list of \
known failures is wrong; 2, the run could not be done: bad flags, no server, a case that could not be told; 130, \
interrupted. A broken contract counts more than a case that could not be told.

The first Ctrl-C drops the cases that are being told, cancels their jobs and writes the reports; the second ends at once.";

/// A run, before it begins.
struct Plan {
    cases: Vec<&'static Case>,
    suite: Option<&'static Suite>,
    known: KnownFailing,
    reports: Vec<ReportFile>,
    choice: Choice,
    manner: Manner,
    in_ci: bool,
    test_plan: Option<String>,
    summary: Option<PathBuf>,
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let plan = plan(matches)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let run = runtime.block_on(carry_out(&plan));
    // Whatever still waits for an answer is not waited for.
    runtime.shutdown_background();
    let Some(run) = run? else { return Ok(INTERRUPTED) };
    say(&print::ending(&run));
    let written = write_reports(&plan, &run);
    Ok(if written { run.exit_status() } else { FAILED })
}

/// Everything that can be wrong before a server is asked for anything is found out here.
fn plan(matches: &ArgMatches) -> anyhow::Result<Plan> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let texts = |name: &str| matches.get_many::<String>(name).into_iter().flatten().cloned();
    let number = |name: &str| matches.get_one::<u64>(name).copied();
    let suite = text("suite").and_then(|name| Suite::named(&name));
    let selection = Selection {
        only: texts("only").map(Pattern::new).collect(),
        skip: texts("skip").map(Pattern::new).collect(),
        tags: texts("tag").filter_map(|name| Tag::ALL.into_iter().find(|tag| tag.name() == name)).collect(),
        suite,
    };
    let cases = selection.pick()?;
    let known =
        matches.get_one::<PathBuf>("known-failing").map(|path| KnownFailing::read(path)).transpose()?;
    let variables = Variables::of_this_process();
    let choice = choose::choose(&Asked::of(matches, texts("environment").collect()), &variables)?;
    let reports: Vec<_> = matches.get_many::<ReportFile>("report").into_iter().flatten().cloned().collect();
    for (place, report) in reports.iter().enumerate() {
        let path = report.path.display();
        anyhow::ensure!(
            reports[..place].iter().all(|before| before.path != report.path),
            "two reports cannot be written to {path}"
        );
        report.make_room().with_context(|| format!("{path} cannot be written"))?;
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Plan {
        cases,
        suite,
        known: known.unwrap_or_default(),
        reports,
        choice,
        manner: Manner {
            seed: number("seed").unwrap_or(1),
            jobs: matches.get_one::<u16>("jobs").map_or(processors, |jobs| usize::from(*jobs)),
            limit: Duration::from_secs(number("limit").unwrap_or(120)),
        },
        in_ci: variables.is_on("CI").unwrap_or(true),
        test_plan: text("test-plan"),
        summary: variables.get("GITHUB_STEP_SUMMARY").map(PathBuf::from),
    })
}

/// `None` if it was interrupted before its first case.
async fn carry_out(plan: &Plan) -> anyhow::Result<Option<Run>> {
    let stop = Arc::new(Stop::default());
    let interrupted = Interrupted::default();
    interrupted.listen(&stop)?;
    let began = wall::epoch_seconds();
    let (target, told) = match &plan.choice.place {
        Place::Mock => {
            let mocks = Mock { seed: plan.manner.seed };
            (mocks.name(), all(plan, &mocks, &stop).await)
        }
        Place::Server(remote) => {
            let reached = tokio::select! {
                reached = remote.as_ref().clone().reach() => reached?,
                () = stop.now() => return Ok(None),
            };
            (reached.name(), all_on_shared(plan, &reached, &stop).await?)
        }
    };
    let ended = wall::epoch_seconds();
    let today = jiff::Timestamp::from_second(ended)?.to_zoned(TimeZone::UTC).date();
    Ok(Some(Run {
        target,
        because: plan.choice.because.clone(),
        environments: plan.choice.environments.clone(),
        suite: plan.suite.map(|suite| suite.name),
        seed: plan.manner.seed,
        began,
        ended,
        command: choose::command_line(&plan.choice, plan.manner.seed),
        test_plan: plan.test_plan.clone(),
        results: told.into_iter().map(|told| Verdict::of(told, &plan.known)).collect(),
        rotten: plan.known.rotten(today),
        stopped: stop.why().map(str::to_owned),
        interrupted: interrupted.is_so(),
    }))
}

/// On a server that others use, too: whatever the cases do to its clock, it goes on as before.
async fn all_on_shared(plan: &Plan, remote: &Remote, stop: &Arc<Stop>) -> anyhow::Result<Vec<Told>> {
    let said = |failure: focus_contract::failure::Failure| anyhow::anyhow!(failure.what);
    let mode = remote.clock_mode().await.map_err(said)?;
    let told = all(plan, remote, stop).await;
    if let Some(mode) = mode
        && let Err(failure) = remote.restore_clock(&mode).await
    {
        eprintln!("focus-contract: the server's clock could not be set back to {mode}: {}", failure.what);
    }
    Ok(told)
}

async fn all(plan: &Plan, targets: &dyn Targets, stop: &Arc<Stop>) -> Vec<Told> {
    say(&format!(
        "target: {} ({}); seed {}, {} cases",
        targets.name(),
        plan.choice.because,
        plan.manner.seed,
        plan.cases.len()
    ));
    let offered: Vec<_> = targets.capabilities().iter().map(|capability| capability.name()).collect();
    say(&format!("offers: {}", offered.join(", ")));
    let deadline = plan.suite.map(|suite| tokio::spawn(end_after(suite, Arc::clone(stop))));
    let mut progress = Progress::of(plan.cases.len(), plan.in_ci);
    let mut failures = 0;
    let told = tell_all(&plan.cases, targets, plan.manner, stop, |event| match event {
        Event::Begins(case) => progress.begins(case),
        Event::Over(told) => {
            let verdict = Verdict::of(told.clone(), &plan.known);
            progress.over(&verdict);
            failures += usize::from(verdict.meaning == Meaning::Failed);
            if plan.suite.and_then(|suite| suite.most_failures) == Some(failures) {
                stop.begin_no_more(format!("{failures} cases failed"));
            }
        }
    });
    let told = told.await;
    if let Some(deadline) = deadline {
        deadline.abort();
    }
    told
}

async fn end_after(suite: &'static Suite, stop: Arc<Stop>) {
    // The future that never ends only gives the timeout something to end.
    let _ = tokio::time::timeout(suite.limit, std::future::pending::<()>()).await;
    stop.at_once(format!("suite {} has had its {} min", suite.name, suite.limit.as_secs() / 60));
}

/// Whether all of them could be written.
fn write_reports(plan: &Plan, run: &Run) -> bool {
    let mut written = true;
    for report in &plan.reports {
        if let Err(error) = report.write(run) {
            eprintln!("focus-contract: {} cannot be written: {error}", report.path.display());
            written = false;
        }
    }
    if let Some(path) = &plan.summary {
        let file = File::options().create(true).append(true).open(path);
        let done = file.and_then(|mut file| file.write_all(Kind::Markdown.render(run).as_bytes()));
        if let Err(error) = done {
            // CI's own file, which nobody asked for here.
            eprintln!("focus-contract: no step summary: {}: {error}", path.display());
        }
    }
    written
}
