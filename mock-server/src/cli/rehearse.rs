//! `focus-mock rehearse`: what a scenario does, played without clients and sockets on a clock that does not wait.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use focus_mock::document::{Scenario, duration, happening, rules, scenario};
use focus_mock::domain::ids::NodePort;
use focus_mock::domain::job::Terms;
use focus_mock::domain::time::{EpochSeconds, Moment};
use focus_mock::sim::Simulation;
use focus_mock::sim::change::Planned;
use focus_mock::sim::clock::{Clock, Mode};
use focus_mock::sim::faults::{Clocked, Installed, Rule};
use focus_mock::sim::journal::Happening;
use focus_mock::sim::port::{Door, HoldError, Ports};
use focus_mock::sim::seed::Seed;
use focus_mock::sim::setup::Setup;
use serde_json::json;

/// 2026-01-01T00:00:00Z: a rehearsal is the same whenever it is played.
const START: EpochSeconds = EpochSeconds(1_767_225_600);
/// Longest rehearsal.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);
/// How often something that goes on for ever is played, where nobody says for how long.
const ROUNDS: u32 = 3;
/// The clock goes on in steps, so that the journal never has to hold more than what one of them brings.
const STEP: Duration = Duration::from_secs(1);

pub(super) fn command() -> Command {
    Command::new("rehearse")
        .about("Play a scenario without clients, on a fast clock, and show the timeline of what it does")
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .help("The scenario: a YAML file")
                .required(true)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("for")
                .long("for")
                .value_name("DURATION")
                .help("How long to play, such as 10m; without it, to the end of the timeline"),
        )
        .arg(
            Arg::new("seed")
                .long("seed")
                .value_name("N")
                .help("Seed of everything that is drawn")
                .value_parser(value_parser!(u64).range(..=i64::MAX.unsigned_abs())),
        )
        .arg(Arg::new("json").long("json").help("A JSON object for each line").action(ArgAction::SetTrue))
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let file = matches.get_one::<PathBuf>("file").map(PathBuf::as_path).unwrap_or(Path::new(""));
    let played = scenario::load(file)?;
    let length = match matches.get_one::<String>("for") {
        None => end_of(&played.setup),
        Some(text) => duration::parse(text).filter(|length| *length <= LONGEST).ok_or_else(|| {
            anyhow!("--for: expected a duration such as 10m or \"1h 30m\", 31 days at most, not {text:?}")
        })?,
    };
    let seed = matches.get_one::<u64>("seed").map_or_else(Seed::default, |seed| Seed(*seed));
    let mut shown: Box<dyn Show> =
        if matches.get_flag("json") { Box::new(Lines) } else { Box::new(Text::for_length(length)) };
    play(played, length, seed, &mut *shown);
    Ok(ExitCode::SUCCESS)
}

/// When nothing more is planned.
fn end_of(setup: &Setup) -> Duration {
    let planned = setup.timeline.iter().map(|planned: &Planned| {
        let again = planned.every.unwrap_or_default();
        let times = planned.times.unwrap_or(if planned.every.is_some() { ROUNDS } else { 1 });
        let last = planned.at.saturating_add(again.saturating_mul(times.saturating_sub(1)));
        last.saturating_add(planned.lasts.unwrap_or_default())
    });
    let rules = setup.rules.iter().flat_map(|rule: &Arc<Rule>| {
        let schedule = rule.schedule();
        let until = schedule.until.and_then(|until| match until {
            Clocked::After(duration) => Some(duration),
            Clocked::At(_) => None,
        });
        schedule.ttl.into_iter().chain(until)
    });
    planned.chain(rules).max().unwrap_or_default().min(LONGEST)
}

fn play(played: Scenario, length: Duration, seed: Seed, shown: &mut dyn Show) {
    shown.title(&played, seed, length);
    let start = Moment::from_seconds(START);
    let clock = Clock::start(Mode::Manual, Some(start));
    let simulation = Simulation::new(played.setup, seed, clock, Arc::new(Table::default()));
    shown.rules(&simulation.faults().list());
    let mut told = 0;
    let mut tell = |is_wanted: fn(&Happening) -> bool| {
        for entry in simulation.journal().since(told) {
            told = entry.number;
            if is_wanted(&entry.what) {
                shown.happening(entry.at.since(start), &entry.what);
            }
        }
    };
    // The rules of the start were shown already.
    tell(|what| !matches!(what, Happening::RuleAdded(_)));
    let mut gone = Duration::ZERO;
    simulation.advance(gone);
    tell(|_| true);
    while gone < length {
        let step = STEP.min(length - gone);
        simulation.advance(step);
        tell(|_| true);
        gone += step;
    }
    shown.end(length);
}

/// How a rehearsal is shown.
trait Show {
    fn title(&mut self, played: &Scenario, seed: Seed, length: Duration);
    fn rules(&mut self, rules: &[Installed]);
    fn happening(&mut self, after: Duration, what: &Happening);
    fn end(&mut self, after: Duration);
}

/// For people.
struct Text {
    width: usize,
}

impl Text {
    fn for_length(length: Duration) -> Self {
        Self { width: time(length).len() }
    }
}

/// A text in lines of 100 characters, where its words allow.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("one at least");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > 100 {
            lines.push(word.to_owned());
        } else {
            let blank = if line.is_empty() { "" } else { " " };
            *line += &format!("{blank}{word}");
        }
    }
    lines.join("\n")
}

/// How long after the start, to the millisecond.
fn time(after: Duration) -> String {
    format!("+{}.{:03}s", after.as_secs(), after.subsec_millis())
}

impl Show for Text {
    fn title(&mut self, played: &Scenario, seed: Seed, length: Duration) {
        if let Some(name) = &played.name {
            println!("{name}");
        }
        if let Some(about) = &played.about {
            println!("{}", wrapped(about));
        }
        println!("(seed {}, {} on the clock, without clients)", seed.0, duration::show(length));
    }

    fn rules(&mut self, rules: &[Installed]) {
        println!();
        if rules.is_empty() {
            return;
        }
        println!("rules that wait for requests");
        let width = rules.iter().map(|rule| rule.id.as_str().len()).max().unwrap_or(0);
        for Installed { id, rule, .. } in rules {
            let mut said = rules::render(rule);
            if let Some(keys) = said.as_object_mut() {
                keys.shift_remove("id");
            }
            println!("  {:width$}  {said}", id.as_str());
        }
        println!();
    }

    fn happening(&mut self, after: Duration, what: &Happening) {
        println!("{:>width$}  {}", time(after), happening::sentence(what), width = self.width);
    }

    fn end(&mut self, after: Duration) {
        println!("{:>width$}  end", time(after), width = self.width);
    }
}

/// For programs: an object in each line.
struct Lines;

impl Show for Lines {
    fn title(&mut self, played: &Scenario, seed: Seed, length: Duration) {
        let Scenario { name, about, .. } = played;
        println!(
            "{}",
            json!({ "name": name, "about": about, "seed": seed.0, "length_s": length.as_secs_f64() })
        );
    }

    fn rules(&mut self, rules: &[Installed]) {
        for Installed { id, rule, .. } in rules {
            println!("{}", json!({ "rule": id.as_str(), "is": rules::render(rule) }));
        }
    }

    fn happening(&mut self, after: Duration, what: &Happening) {
        println!("{}", json!({ "at_s": after.as_secs_f64(), "what": happening::sentence(what) }));
    }

    fn end(&mut self, after: Duration) {
        println!("{}", json!({ "at_s": after.as_secs_f64(), "what": "end" }));
    }
}

/// Ports without sockets: a table of who has which.
#[derive(Default)]
struct Table(Arc<Mutex<BTreeSet<NodePort>>>);

struct Held {
    port: NodePort,
    table: Arc<Mutex<BTreeSet<NodePort>>>,
}

impl Ports for Table {
    fn hold(&self, port: NodePort) -> Result<Box<dyn Door>, HoldError> {
        let is_free = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
        if is_free { Ok(Box::new(Held { port, table: Arc::clone(&self.0) })) } else { Err(HoldError::InUse) }
    }
}

impl Door for Held {
    fn listen(&mut self) -> Result<(), HoldError> {
        Ok(())
    }

    fn serve(&mut self, _: &Arc<Terms>) {}

    fn shut(&mut self) {}

    fn let_read_on(&mut self) {}
}

impl Drop for Held {
    fn drop(&mut self) {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.port);
    }
}
