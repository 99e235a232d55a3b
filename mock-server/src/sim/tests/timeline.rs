//! What a setup plans: rules from the start on, changes as time passes; and what a reset and another world make of it.

use wildmatch::WildMatch;

use crate::domain::refusal::PortHolder;
use crate::sim::change::{Outside, Planned, PortRef};
use crate::sim::setup::{Latency, MongoDb, Supply};

use super::*;

fn planned(millis: u64, change: Change) -> Planned {
    Planned { at: Duration::from_millis(millis), every: None, times: None, lasts: None, change }
}

fn rabbitmq(state: Supply) -> Change {
    Change::Outside(Outside::RabbitMq(state))
}

fn with_timeline(timeline: Vec<Planned>) -> Rig {
    Rig::with(|setup| setup.timeline = timeline)
}

/// What the journal tells of, with the milliseconds after the start.
fn told(entries: Vec<Entry>) -> Vec<(u128, Happening)> {
    entries.into_iter().map(|entry| (entry.at.since(at(0)).as_millis(), entry.what)).collect()
}

fn changed(states: &[(u128, Supply)]) -> Vec<(u128, Happening)> {
    let what = |state| Happening::OutsideChanged(Outside::RabbitMq(state));
    states.iter().map(|(when, state)| (*when, what(*state))).collect()
}

use Supply::{Down, Up};

#[test]
fn planned_changes_come_at_their_times_after_the_start_whatever_their_order() {
    let rig = with_timeline(vec![planned(9_000, rabbitmq(Up)), planned(1_500, rabbitmq(Down))]);
    assert_eq!(told(rig.go_to(60_000)), changed(&[(1_500, Down), (9_000, Up)]));
}

#[test]
fn changes_of_one_moment_come_in_the_order_in_which_they_are_written() {
    let at_5 = |state| planned(5_000, rabbitmq(state));
    let rig = with_timeline(vec![at_5(Down), at_5(Up), at_5(Down)]);
    assert_eq!(told(rig.go_to(5_000)), changed(&[(5_000, Down), (5_000, Up), (5_000, Down)]));
}

#[test]
fn a_change_may_come_at_the_very_start() {
    let rig = with_timeline(vec![planned(0, rabbitmq(Down))]);
    assert_eq!(rig.refused(&live()), Refusal::BrokerUnavailable);
}

#[test]
fn what_comes_again_does_so_as_often_as_it_says_and_lasts_each_time() {
    let outage = Planned {
        every: Some(Duration::from_secs(10)),
        times: Some(3),
        lasts: Some(Duration::from_secs(2)),
        ..planned(5_000, rabbitmq(Down))
    };
    let rig = with_timeline(vec![outage.clone()]);
    let expected =
        changed(&[(5_000, Down), (7_000, Up), (15_000, Down), (17_000, Up), (25_000, Down), (27_000, Up)]);
    assert_eq!(told(rig.go_to(600_000)), expected);

    let for_ever = with_timeline(vec![Planned { times: None, ..outage.clone() }]);
    assert_eq!(for_ever.go_to(605_000).len(), 121);
    let never = with_timeline(vec![Planned { times: Some(0), ..outage.clone() }]);
    assert_eq!(never.go_to(605_000), []);
    let once = with_timeline(vec![Planned { times: Some(1), ..outage }]);
    assert_eq!(told(once.go_to(605_000)), changed(&[(5_000, Down), (7_000, Up)]));
}

#[test]
fn a_time_as_long_as_the_period_ends_after_the_last() {
    let outage = Planned {
        every: Some(Duration::from_secs(10)),
        times: Some(3),
        lasts: Some(Duration::from_secs(10)),
        ..planned(0, rabbitmq(Down))
    };
    let rig = with_timeline(vec![outage]);
    rig.go_to(29_999);
    assert_eq!(rig.refused(&live()), Refusal::BrokerUnavailable);
    rig.go_to(30_000);
    rig.start(&live());
}

#[test]
fn a_period_of_nothing_does_not_hold_the_clock_up() {
    let outage = Planned { every: Some(Duration::ZERO), ..planned(0, rabbitmq(Down)) };
    let rig = with_timeline(vec![outage]);
    rig.go_to(1_000);
    assert_eq!(rig.snapshot().next_due, Some(at(1_100)));
}

#[test]
fn a_change_that_cannot_be_made_at_its_time_is_told_and_nothing_else_happens() {
    let rig = with_timeline(vec![
        planned(1_000, Change::KillPods(WildMatch::new("9-*"))),
        planned(2_000, Change::ReleasePort(PortRef::Next)),
        Planned { lasts: Some(Duration::from_secs(1)), ..planned(3_000, Change::RemoveRules) },
    ]);
    let texts = [
        (1_000, "no live job matches 9-*"),
        (2_000, "port 12301 is not held"),
        (3_000, "the removal of rules cannot be made for a time only"),
    ];
    let expected = texts.map(|(when, text)| (when, Happening::ChangeRefused(text.into())));
    assert_eq!(told(rig.go_to(60_000)), expected);
}

#[test]
fn rules_of_the_setup_are_there_from_the_start_and_told_of() {
    let rig = Rig::with(|setup| {
        setup.rules = vec![fails_at(Step::Queue), leaks_at(GiveBack::Queue), fails_at(Step::Queue)]
    });
    let id = |name| RuleId::new(name).expect("a name");
    let expected = [
        Happening::RuleAdded(id("fail-queue")),
        Happening::RuleAdded(id("leak-queue")),
        Happening::ChangeRefused("there is a rule fail-queue already".into()),
    ];
    assert_eq!(rig.told_since(0), expected);
    assert_eq!(rig.refused(&live()), Refusal::JobCreationFailed);
}

#[test]
fn a_rule_goes_at_the_end_of_its_time_to_live_and_is_told_of_then() {
    let ttl = Schedule { ttl: Some(Duration::from_millis(7_500)), ..Schedule::default() };
    let effect = Effect::Refuse(ContractError::JobCreationFailed);
    let rule = scheduled("short", Point::Step(Step::Slot), effect, ttl);
    let rig = Rig::with(|setup| setup.rules = vec![Arc::clone(&rule)]);
    rig.go_to(2_000);
    let fired = told(rig.go_to(60_000));
    let gone = Happening::RuleRemoved(RuleId::new("short").expect("a name"));
    assert_eq!(fired, [(7_500, gone.clone())]);
    rig.apply_for(&Change::AddRule(Arc::clone(&rule)), 60_000);
    assert_eq!(told(rig.go_to(180_000)), [(67_500, gone.clone())], "whichever time is shorter");
    rig.apply_for(&Change::AddRule(Arc::clone(&rule)), 5_000);
    assert_eq!(told(rig.go_to(240_000)), [(185_000, gone)]);

    rig.apply_for(&Change::AddRule(rule), 60_000);
    rig.go_to(250_000);
    let effect = Effect::Refuse(ContractError::JobCreationFailed);
    rig.apply(&Change::AddRule(rule_at("short", Point::Step(Step::Slot), effect)));
    assert_eq!(rig.go_to(400_000), [], "another rule of that name is for good");
}

#[test]
fn a_reset_plays_rules_and_timeline_again_from_then_on_and_drops_what_was_under_way() {
    let outage = Planned { lasts: Some(Duration::from_secs(10)), ..planned(5_000, rabbitmq(Down)) };
    let rig = Rig::with(|setup| {
        setup.rules = vec![fails_at(Step::Queue)];
        setup.timeline = vec![outage];
    });
    rig.go_to(6_000);
    rig.apply(&Change::RemoveRules);
    rig.apply_for(&Change::Outside(Outside::MongoDb(MongoDb::Down)), 3_000);
    rig.apply_for(&Change::HoldPort(PortRef::Next, PortHolder::Process), 3_000);
    rig.apply_for(&Change::AddRule(leaks_at(GiveBack::Slot)), 3_000);
    let before = rig.snapshot().journal_written;
    rig.sim.reset();
    let rule = RuleId::new("fail-queue").expect("a name");
    assert_eq!(rig.told_since(before), [Happening::Reset, Happening::RuleAdded(rule)]);
    assert_eq!(rig.snapshot().dependencies, Dependencies::default());
    assert_eq!(rig.sim.faults().list().len(), 1);
    assert_eq!(told(rig.go_to(60_000)), changed(&[(11_000, Down), (21_000, Up)]));
}

#[test]
fn a_world_that_ends_has_nothing_open_and_plans_nothing() {
    let rig = Rig::with(|setup| {
        setup.rules = vec![fails_at(Step::Queue)];
        setup.timeline = vec![planned(0, Change::HoldPort(PortRef::Next, PortHolder::Process))];
    });
    rig.go_to(1_000);
    rig.apply(&Change::ReleasePort(PortRef::Next));
    rig.apply(&Change::RemoveRules);
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    rig.sim.end();
    assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::Gone));
    assert_eq!(rig.go_to(60_000), []);
    assert_eq!((rig.ports.table(), rig.sim.faults().list()), (ports::PortTable::default(), vec![]));
}

#[test]
fn another_world_comes_whole_but_for_the_ports_and_the_journal_goes_on() {
    let rig = Rig::with(|setup| setup.ports = slots(3));
    rig.sim.configure(&live(), String::from("here")).expect("nothing speaks against it");
    let mut call = rig.open_reading(id("1-1"), 0);
    rig.go_to(1_000);
    let other = Setup {
        ports: PortPlan::new(20_000, std::num::NonZeroU16::MIN).expect("a plan"),
        first_sequence: sequence(500),
        max_frame_bytes: 262_144,
        rules: vec![leaks_at(GiveBack::Slot)],
        timeline: vec![planned(5_000, rabbitmq(Down))],
        times: crate::sim::setup::Times {
            configure_latency: Latency { least: Duration::from_secs(3), most: Duration::from_secs(3) },
            ..Default::default()
        },
        ..Setup::default()
    };
    assert_eq!(rig.sim.configure_latency(id("1-1")), Duration::ZERO);
    let before = rig.snapshot().journal_written;
    rig.sim.replace(other);
    assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::Gone));
    assert_eq!(rig.told_since(before)[0], Happening::Reset);
    assert_eq!(rig.sim.faults().list().len(), 1);
    let job = rig.start(&live());
    assert_eq!(job, id("1-500"));
    assert_eq!(rig.ports.table().listening.into_iter().collect::<Vec<_>>(), [(12_301, Some(job))]);
    assert_eq!(rig.sim.configure_latency(job), Duration::from_secs(3));
    assert_eq!(told(rig.go_to(7_000)), changed(&[(6_000, Down)]));
    rig.sim.reset();
    let setup = rig.sim.with(|world, _| Arc::clone(world.setup()));
    assert_eq!(
        *setup,
        Setup { ports: slots(3), ..Setup::default() },
        "a reset goes to the world of the start"
    );
}

#[test]
fn the_largest_frame_is_that_of_the_world_that_is() {
    let rig = Rig::new();
    let wide = ConfigureDraft { channels: range(1, 2_000), nfft: Given::Value(2_048), ..live() };
    let channels = |rig: &Rig| {
        let mut call = rig.open_reading(rig.start(&wide), 0);
        rig.frame(&mut call).block.count()
    };
    let before = channels(&rig);
    rig.sim.replace(Setup { max_frame_bytes: 262_144, ..Setup::default() });
    assert!(channels(&rig) < before, "{before}");
}
