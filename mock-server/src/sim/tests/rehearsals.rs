//! Any sequence of changes, configures, cancels and failing undos: the invariants hold, and what is left behind is what
//! was made to be.

use std::num::NonZeroU16;

use proptest::prelude::*;
use proptest::sample::select;
use wildmatch::WildMatch;

use crate::domain::quirk::{Profile, Quirk};
use crate::domain::refusal::PortHolder;
use crate::sim::change::{LimitsChange, Outside, Planned, PortRef};
use crate::sim::faults::Probability;
use crate::sim::setup::{GpuPool, OnConflict, RecordingPlan};

use super::*;

const SLOTS: u16 = 6;

#[derive(Clone, Debug)]
enum Command {
    Configure(ConfigureDraft),
    Cancel(usize),
    Advance(Duration),
    Change(Change, Option<Duration>),
    Reset,
}

fn changes() -> impl Strategy<Value = Change> {
    let port = || {
        prop_oneof![
            Just(PortRef::Next),
            (1..=SLOTS + 1).prop_map(|slot| PortRef::Slot(NonZeroU16::new(slot).expect("not 0"))),
        ]
    };
    let limits = (
        select(vec![1, 2, 4, 9]),
        select(vec![None, Some(None), Some(Some(0)), Some(Some(2)), Some(Some(5))]),
    )
        .prop_map(|(most, gpu_pool)| LimitsChange {
            max_jobs: Some(most),
            gpu_pool,
            ..LimitsChange::default()
        });
    let schedule = (0..2_u64, 1..4_u64, any::<bool>(), select(vec![None, Some(20)])).prop_map(
        |(after, first, drawn, ttl)| Schedule {
            after,
            first: Some(first),
            probability: drawn.then(|| Probability::new(0.5).expect("a probability")),
            ttl: ttl.map(Duration::from_secs),
            ..Schedule::default()
        },
    );
    let undo = (select(GiveBack::ALL.to_vec()), schedule.clone()).prop_map(|(undo, schedule)| {
        Change::AddRule(scheduled(
            &format!("leak-{}", undo.name()),
            Point::Undo(undo),
            Effect::Fail,
            schedule,
        ))
    });
    let step = (select(Step::ALL.to_vec()), schedule).prop_map(|(step, schedule)| {
        let effect = Effect::Refuse(ContractError::JobCreationFailed);
        Change::AddRule(scheduled(&format!("fail-{}", step.name()), Point::Step(step), effect, schedule))
    });
    let holder = select(vec![PortHolder::Service, PortHolder::Process]);
    let jobs = || select(vec!["*", "1-*", "*-2", "nobody"]).prop_map(WildMatch::new);
    prop_oneof![
        4 => undo,
        6 => step,
        3 => select(Outside::all()).prop_map(Change::Outside),
        1 => (select(Quirk::ALL.to_vec()), any::<bool>()).prop_map(|(quirk, on)| Change::Quirk(quirk, on)),
        1 => select(Profile::ALL.to_vec()).prop_map(Change::Profile),
        2 => limits.prop_map(Change::Limits),
        2 => (port(), holder).prop_map(|(port, holder)| Change::HoldPort(port, holder)),
        1 => port().prop_map(Change::ReleasePort),
        1 => Just(Change::Recordings(RecordingPlan::default())),
        1 => Just(Change::RemoveRule(RuleId::new("fail-queue").expect("a name"))),
        1 => Just(Change::RemoveRules),
        1 => jobs().prop_map(Change::KillPods),
        1 => jobs().prop_map(Change::DeleteCleanupJobs),
    ]
}

fn lasting() -> impl Strategy<Value = Option<Duration>> {
    prop_oneof![Just(None), (0..40_000_u64).prop_map(|millis| Some(Duration::from_millis(millis)))]
}

fn commands() -> impl Strategy<Value = Command> {
    let drafts = select(vec![live(), historic_single(), historic(-9_000, -8_000), ConfigureDraft::default()]);
    prop_oneof![
        10 => drafts.prop_map(Command::Configure),
        3 => (0..4_usize).prop_map(Command::Cancel),
        4 => (1..60_000_u64).prop_map(|millis| Command::Advance(Duration::from_millis(millis))),
        10 => (changes(), lasting()).prop_map(|(change, lasts)| Command::Change(change, lasts)),
        1 => Just(Command::Reset),
    ]
}

fn setups() -> impl Strategy<Value = Setup> {
    let planned = (0..30_000_u64, select(vec![None, Some(7_000)]), lasting(), changes()).prop_map(
        |(at, every, lasts, change)| Planned {
            at: Duration::from_millis(at),
            every: every.map(Duration::from_millis),
            times: None,
            lasts,
            change,
        },
    );
    let timeline = prop::collection::vec(planned, 0..3);
    (timeline, any::<bool>(), select(vec![None, Some(2)]), select(vec![0, 7_000])).prop_map(
        |(timeline, skip, size, pod_start)| Setup {
            timeline,
            ports: slots(SLOTS),
            on_conflict: if skip { OnConflict::Skip } else { OnConflict::Reject },
            gpu: GpuPool { size, reject_when_full: false },
            times: crate::sim::setup::Times {
                pod_start: Duration::from_millis(pod_start),
                ..Default::default()
            },
            ..Setup::default()
        },
    )
}

fn run(rig: &Rig, command: &Command) {
    match command {
        Command::Configure(draft) => drop(rig.configure(draft)),
        Command::Cancel(number) => {
            if let Some(job) = rig.snapshot().jobs.get(*number) {
                let _ = rig.sim.cancel(job.id);
            }
        }
        Command::Advance(by) => drop(rig.sim.advance(*by)),
        Command::Change(change, lasts) => {
            let (before, rules, ports) = (rig.snapshot(), rig.sim.faults().list(), rig.ports.table());
            if rig.sim.apply(change, *lasts).is_err() {
                assert_eq!(rig.snapshot(), before, "what is refused changes nothing: {change:?}");
                assert_eq!((rig.sim.faults().list(), rig.ports.table()), (rules, ports));
            }
        }
        Command::Reset => rig.sim.reset(),
    }
}

/// The names of everything that the journal says was left behind since the last reset.
fn told(rig: &Rig) -> Vec<String> {
    let entries = rig.sim.journal().since(0);
    let from = entries.iter().rposition(|entry| entry.what == Happening::Reset).unwrap_or(0);
    let leaked = entries[from..].iter().filter_map(|entry| match &entry.what {
        Happening::Leaked { name, .. } => Some(name.to_string()),
        _ => None,
    });
    let mut names: Vec<_> = leaked.collect();
    names.sort();
    names
}

/// The names of everything that belongs to no job.
fn found(leaks: &Leaks) -> Vec<String> {
    let slots = leaks.slots.iter().map(|slot| format!("slot {}", slot.number()));
    let ports = leaks.ports.iter().map(|port| format!("port {port}"));
    let objects = [&leaks.jobs, &leaks.services, &leaks.queues].into_iter().flatten().cloned();
    let mut names: Vec<_> = slots.chain(ports).chain(objects).collect();
    names.sort();
    names
}

fn look(rig: &Rig) {
    assert_eq!(rig.sim.with(|world, _| world.broken_invariants()), []);
    let leaks = rig.leaks();
    assert_eq!(found(&leaks), told(rig));
    assert_eq!(leaks.pods.len(), leaks.jobs.len());
    assert!(leaks.gpu_shares.iter().all(|share| leaks.jobs.contains(share)), "{leaks:?}");
    assert_eq!(leaks.streams, []);
    look_at_ports(rig, &leaks);
}

/// Every port of the machine is a job's, was left behind, or was taken by the rehearsal.
fn look_at_ports(rig: &Rig, leaks: &Leaks) {
    let table = rig.ports.table();
    let jobs = rig.snapshot().jobs.into_iter().filter(|job| job.port_held).map(|job| job.port);
    let mut known: Vec<_> =
        jobs.chain(leaks.ports.iter().copied()).chain(leaks.planted.ports.iter().copied()).collect();
    known.sort();
    let mut taken: Vec<_> = table.held.iter().chain(table.listening.keys()).copied().collect();
    taken.sort_unstable();
    assert_eq!(taken, known.into_iter().map(NodePort::number).collect::<Vec<_>>());
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn leaks_are_what_was_made_to_leak_and_the_invariants_hold_whatever_is_rehearsed(
        setup in setups(),
        commands in prop::collection::vec(commands(), 1..50),
    ) {
        let rig = Rig::with(|fresh| *fresh = setup);
        for command in &commands {
            run(&rig, command);
            look(&rig);
        }
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn the_same_seed_and_the_same_commands_give_the_same_journal(
        setup in setups(),
        seed in any::<u64>(),
        commands in prop::collection::vec(commands(), 1..40),
    ) {
        let rigs = [(); 2].map(|()| Rig::seeded(Seed(seed), START, |fresh| *fresh = setup.clone()));
        for command in &commands {
            for rig in &rigs {
                run(rig, command);
            }
        }
        let [one, other] = rigs;
        prop_assert_eq!(one.sim.journal().since(0), other.sim.journal().since(0));
        prop_assert_eq!(one.snapshot(), other.snapshot());
    }

    #[test]
    fn whatever_was_changed_for_a_time_is_what_it_was_once_all_times_are_over(
        commands in prop::collection::vec((changes(), 0..30_000_u64, 0..5_000_u64), 1..20),
    ) {
        let rig = Rig::with(|setup| setup.ports = slots(SLOTS));
        let settings = |rig: &Rig| {
            let seen = rig.snapshot();
            let quirks = rig.sim.with(|world, _| world.quirks());
            let rules = rig.sim.faults().list().len();
            (seen.fiber, seen.dependencies, seen.limits, seen.gpu, quirks, rules, seen.leaks, rig.ports.table())
        };
        let before = settings(&rig);
        for (change, lasts, then) in commands {
            let of_itself = change == Change::Outside(Outside::MongoDb(crate::sim::setup::MongoDb::Restarting));
            if !of_itself {
                drop(rig.sim.apply(&change, Some(Duration::from_millis(lasts))));
            }
            rig.sim.advance(Duration::from_millis(then));
        }
        rig.sim.advance(Duration::from_secs(30));
        prop_assert_eq!(settings(&rig), before);
    }
}
