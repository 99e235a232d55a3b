//! Changes while a world goes on: at once, and for a time.

use wildmatch::WildMatch;

use crate::domain::fiber::FiberState;
use crate::domain::quirk::{Profile, Quirk, Quirks};
use crate::domain::recording::RecordingEnd;
use crate::domain::refusal::PortHolder;
use crate::domain::time::TimeRange;
use crate::sim::change::{LimitsChange, Outside, PortRef};
use crate::sim::setup::{ClusterState, MongoDb, RecordingPlan, RecordingsState, Supply, When};

use super::*;

fn outside(rig: &Rig, like: Outside) -> Outside {
    let snapshot = rig.snapshot();
    let all = snapshot.dependencies;
    match like {
        Outside::Fiber(_) => Outside::Fiber(snapshot.fiber),
        Outside::MongoDb(_) => Outside::MongoDb(all.mongodb),
        Outside::RabbitMq(_) => Outside::RabbitMq(all.rabbitmq),
        Outside::Recorder(_) => Outside::Recorder(all.recorder),
        Outside::Recordings(_) => Outside::Recordings(all.recordings),
        Outside::Cluster(_) => Outside::Cluster(all.cluster),
        Outside::FocusServer(_) => Outside::FocusServer(all.focus_server),
        Outside::Node(_) => Outside::Node(all.node),
    }
}

fn mongodb(state: MongoDb) -> Change {
    Change::Outside(Outside::MongoDb(state))
}

fn quirks(rig: &Rig) -> Quirks {
    rig.sim.with(|world, _| world.quirks())
}

#[test]
fn every_state_of_everything_outside_can_be_set_and_is_told_once() {
    for state in Outside::all() {
        let rig = Rig::new();
        let same = outside(&rig, state) == state;
        rig.apply(&Change::Outside(state));
        rig.apply(&Change::Outside(state));
        assert_eq!(outside(&rig, state), state);
        let told = if same { vec![] } else { vec![Happening::OutsideChanged(state)] };
        assert_eq!(rig.told_since(0), told, "{state:?}");
    }
}

#[test]
fn every_state_goes_back_to_what_it_was_when_its_time_is_over_and_not_before() {
    for state in Outside::all() {
        let rig = Rig::with(|setup| {
            setup.fiber_state = FiberState::Mixed;
            setup.dependencies.cluster = ClusterState::OutOfPodAddresses;
            setup.dependencies.recordings = RecordingsState::PathMismatch;
            setup.dependencies.mongodb = MongoDb::SlowFail;
        });
        let before = outside(&rig, state);
        rig.go_to(500);
        rig.apply_for(&Change::Outside(state), 2_000);
        rig.go_to(2_499);
        assert_eq!(outside(&rig, state), state);
        let fired = rig.go_to(2_500);
        assert_eq!(outside(&rig, state), before);
        let told: Vec<_> = fired.iter().map(|entry| (entry.at, entry.what.clone())).collect();
        let back = (at(2_500), Happening::OutsideChanged(before));
        assert_eq!(told, if state == before { vec![] } else { vec![back] }, "{state:?}");
    }
}

#[test]
fn what_somebody_changed_meanwhile_stays_as_they_left_it() {
    for meanwhile in [MongoDb::Up, MongoDb::Down, MongoDb::SlowFail] {
        let rig = Rig::new();
        rig.apply_for(&mongodb(MongoDb::Down), 10_000);
        rig.go_to(5_000);
        rig.apply(&mongodb(meanwhile));
        rig.go_to(60_000);
        assert_eq!(rig.snapshot().dependencies.mongodb, meanwhile, "also if they set what it was");
    }
}

#[test]
fn what_changed_by_itself_meanwhile_stays() {
    let rig = Rig::with(|setup| setup.dependencies.mongodb = MongoDb::Down);
    rig.apply_for(&mongodb(MongoDb::Restarting), 10_000);
    rig.go_to(60_000);
    assert_eq!(rig.snapshot().dependencies.mongodb, MongoDb::Up, "its pod was ready after 3 s");
}

#[test]
fn a_time_within_another_ends_before_it_and_shows_it_again() {
    let rig = Rig::new();
    rig.apply_for(&mongodb(MongoDb::Down), 60_000);
    rig.go_to(20_000);
    rig.apply_for(&mongodb(MongoDb::SlowFail), 10_000);
    let mut seen = Vec::new();
    for second in [29, 30, 59, 60] {
        rig.go_to(second * 1_000);
        seen.push(rig.snapshot().dependencies.mongodb);
    }
    assert_eq!(seen, [MongoDb::SlowFail, MongoDb::Down, MongoDb::Down, MongoDb::Up]);
}

#[test]
fn of_two_times_that_overlap_the_newer_shows_and_its_end_goes_back_behind_both() {
    let rig = Rig::new();
    rig.apply_for(&mongodb(MongoDb::Down), 60_000);
    rig.go_to(20_000);
    rig.apply_for(&mongodb(MongoDb::SlowFail), 80_000);
    let mut seen = Vec::new();
    for second in [59, 60, 99, 100] {
        rig.go_to(second * 1_000);
        seen.push(rig.snapshot().dependencies.mongodb);
    }
    assert_eq!(seen, [MongoDb::SlowFail, MongoDb::SlowFail, MongoDb::SlowFail, MongoDb::Up]);
}

#[test]
fn after_a_change_for_good_a_time_that_begins_goes_back_to_that() {
    let rig = Rig::new();
    rig.apply_for(&mongodb(MongoDb::Down), 60_000);
    rig.depend(|outside| outside.mongodb = MongoDb::SlowFail);
    rig.apply_for(&mongodb(MongoDb::Down), 10_000);
    rig.go_to(10_000);
    assert_eq!(rig.snapshot().dependencies.mongodb, MongoDb::SlowFail);
    rig.go_to(120_000);
    assert_eq!(rig.snapshot().dependencies.mongodb, MongoDb::SlowFail, "the first time counts no more");
}

#[test]
fn one_quirk_goes_back_and_leaves_the_others_as_they_were() {
    let rig = Rig::new();
    rig.apply(&Change::Quirk(Quirk::StatusEmpty, true));
    rig.apply_for(&Change::Quirk(Quirk::Parser500, true), 1_000);
    rig.apply_for(&Change::Quirk(Quirk::StatusEmpty, false), 2_000);
    assert_eq!(quirks(&rig).iter().collect::<Vec<_>>(), [Quirk::Parser500]);
    rig.go_to(1_000);
    assert_eq!(quirks(&rig), Quirks::NONE);
    rig.go_to(2_000);
    assert_eq!(quirks(&rig).iter().collect::<Vec<_>>(), [Quirk::StatusEmpty]);
}

#[test]
fn a_profile_goes_back_but_for_the_quirk_that_was_switched_meanwhile() {
    let rig = Rig::with(|setup| setup.quirks = Quirks::NONE.with(Quirk::StreamPortString, true));
    rig.apply_for(&Change::Profile(Profile::Observed202512), 10_000);
    assert_eq!(quirks(&rig), Profile::Observed202512.quirks());
    rig.go_to(5_000);
    rig.apply(&Change::Quirk(Quirk::StatusEmpty, true));
    rig.go_to(10_000);
    let left: Vec<_> = quirks(&rig).iter().collect();
    assert_eq!(left, [Quirk::StatusEmpty, Quirk::StreamPortString]);
    rig.apply(&Change::Profile(Profile::Contract));
    assert_eq!(quirks(&rig), Quirks::NONE);
}

#[test]
fn a_rule_for_a_time_goes_and_one_that_was_taken_away_does_not_go_twice() {
    let rig = Rig::new();
    rig.apply_for(&Change::AddRule(fails_at(Step::Queue)), 10_000);
    let rule = RuleId::new("fail-queue").expect("a name");
    rig.go_to(9_999);
    rig.refused(&live());
    assert_eq!(rig.go_to(10_000)[0].what, Happening::RuleRemoved(rule.clone()));
    rig.start(&live());

    rig.apply_for(&Change::AddRule(fails_at(Step::Queue)), 10_000);
    rig.apply(&Change::RemoveRule(rule.clone()));
    rig.apply(&Change::AddRule(fails_at(Step::Queue)));
    rig.go_to(40_000);
    assert_eq!(rig.sim.faults().list().len(), 1, "the second of that name is for good");
    rig.apply_for(&Change::AddRule(fails_at(Step::Slot)), 10_000);
    let before = rig.snapshot().journal_written;
    rig.apply(&Change::RemoveRules);
    let slot = RuleId::new("fail-slot").expect("a name");
    assert_eq!(rig.told_since(before), [rule, slot].map(Happening::RuleRemoved));
    rig.apply(&Change::AddRule(fails_at(Step::Slot)));
    rig.go_to(60_000);
    assert_eq!(rig.sim.faults().list().len(), 1);
}

#[test]
fn a_rule_that_is_not_there_cannot_be_taken_away_and_those_that_are_there_are_named() {
    let rig = Rig::new();
    let change = Change::RemoveRule(RuleId::new("nothing").expect("a name"));
    assert_eq!(rig.change_refused(&change, None).to_string(), "there is no rule nothing: there are none");
    rig.apply(&Change::AddRule(fails_at(Step::Queue)));
    rig.apply(&Change::AddRule(leaks_at(GiveBack::Port)));
    assert_eq!(
        rig.change_refused(&change, None).to_string(),
        "there is no rule nothing: there are fail-queue, leak-port"
    );
    let twice = Change::AddRule(fails_at(Step::Queue));
    for lasts in [None, Some(1_000)] {
        assert_eq!(rig.change_refused(&twice, lasts).to_string(), "there is a rule fail-queue already");
    }
}

#[test]
fn what_does_not_go_back_cannot_be_done_for_a_time() {
    let rig = Rig::new();
    rig.start(&live());
    rig.apply(&Change::AddRule(fails_at(Step::Queue)));
    rig.apply(&Change::HoldPort(PortRef::Next, PortHolder::Process));
    for change in [
        Change::ReleasePort(PortRef::Next),
        Change::Recordings(RecordingPlan::default()),
        Change::RemoveRule(RuleId::new("fail-queue").expect("a name")),
        Change::RemoveRules,
        Change::KillPods(WildMatch::new("*")),
        Change::DeleteCleanupJobs(WildMatch::new("*")),
    ] {
        let refused = rig.change_refused(&change, Some(1_000));
        assert!(matches!(refused, ChangeRefused::NotForATime(_)), "{refused}");
    }
    for change in [
        mongodb(MongoDb::Down),
        Change::Quirk(Quirk::StatusEmpty, true),
        Change::Profile(Profile::Observed202512),
        Change::Limits(LimitsChange { max_jobs: Some(7), ..LimitsChange::default() }),
        Change::HoldPort(PortRef::Number(NodePort::new(12_309).expect("a port")), PortHolder::Service),
        Change::AddRule(fails_at(Step::Slot)),
    ] {
        rig.apply_for(&change, 1_000);
    }
}

#[test]
fn pods_are_killed_by_whole_ids_with_wildcards() {
    let rig = Rig::with(|setup| setup.first_sequence = sequence(9));
    let jobs: Vec<_> = (0..4).map(|_| rig.start(&live())).collect();
    assert_eq!(jobs.iter().map(JobId::to_string).collect::<Vec<_>>(), ["1-9", "2-10", "3-11", "4-12"]);
    let states = || jobs.iter().map(|job| rig.state(*job)).collect::<Vec<_>>();
    let (runs, failed) = (Some(JobState::Running), Some(JobState::Failed));
    let refused = rig.change_refused(&Change::KillPods(WildMatch::new("1")), None);
    assert_eq!(refused.to_string(), "no live job matches 1");
    rig.apply(&Change::KillPods(WildMatch::new("1-9")));
    assert_eq!(states(), [failed, runs, runs, runs]);
    rig.apply(&Change::KillPods(WildMatch::new("?-1?")));
    assert_eq!(states(), [failed; 4]);
    rig.go_to(10_000);
    assert_eq!(states(), [None; 4]);
    let all = [Change::KillPods(WildMatch::new("*")), Change::DeleteCleanupJobs(WildMatch::new("*"))];
    let cancelled = rig.start(&live());
    rig.sim.cancel(cancelled).expect("it is live");
    for change in all {
        assert_eq!(rig.change_refused(&change, None).to_string(), "no live job matches *");
    }
}

#[test]
fn cleanup_jobs_are_deleted_by_wildcards_and_told_of_once() {
    let rig = Rig::new();
    let (swept, unswept) = (rig.start(&live()), rig.start(&live()));
    let change = Change::DeleteCleanupJobs(WildMatch::new("2-*"));
    rig.apply(&change);
    rig.apply(&change);
    assert_eq!(rig.told_since(2), [Happening::CleanupJobDeleted(unswept)]);
    assert_eq!(removals(&rig.go_to(3_600_000)), [(at(50_000), swept, Removal::Idle)]);
    assert_eq!(rig.snapshot().objects.jobs, ["grpc-job-2-2"]);
    rig.apply(&Change::KillPods(WildMatch::new("*")));
    let gone = removals(&rig.go_to(3_800_000));
    assert_eq!(gone, [(at(3_720_000), unswept, Removal::Ttl)]);
}

fn recorded(rig: &Rig, from: i64, to: i64) -> Vec<(i64, i64)> {
    let window = TimeRange::new(EpochSeconds(START + from), EpochSeconds(START + to)).expect("a window");
    let all = rig.sim.recordings(window).expect("the store is up");
    let pair = |recording: crate::domain::recording::Recording| match recording.end {
        RecordingEnd::At(end) => (recording.start.0 - START, end.0 - START),
        RecordingEnd::Ongoing => (recording.start.0 - START, i64::MAX),
    };
    all.into_iter().map(pair).collect()
}

#[test]
fn recordings_are_replaced_and_a_job_that_plays_the_old_ones_goes_on() {
    let rig = Rig::new();
    let job = rig.start(&historic_single());
    let mut call = rig.open_reading(job, 0);
    rig.go_to(4_000);
    let spans = vec![(When::FromStart(-900), Some(When::FromStart(-300)))];
    rig.apply(&Change::Recordings(RecordingPlan { series: None, gaps: vec![], spans }));
    assert_eq!(recorded(&rig, -90_000, 0), [(-900, -300)], "relative to the start, not to now");
    assert_eq!(rig.refused(&historic_single()), Refusal::NoRecording);
    assert_eq!(rig.play(&mut call).1, StreamEnd::PlayedOut);
    rig.sim.reset();
    rig.start(&historic_single());
}

#[test]
fn a_recorder_that_is_down_has_written_no_more_of_the_new_recordings_either() {
    let rig = Rig::new();
    rig.go_to(100_000);
    rig.apply(&Change::Outside(Outside::Recorder(Supply::Down)));
    rig.go_to(200_000);
    let series = std::num::NonZeroU32::new(50).map(|length| (When::FromStart(0), length));
    rig.apply(&Change::Recordings(RecordingPlan { series, gaps: vec![], spans: vec![] }));
    assert_eq!(recorded(&rig, 0, 1_000), [(0, 50), (50, 100)]);
    rig.go_to(220_000);
    rig.apply(&Change::Outside(Outside::Recorder(Supply::Up)));
    rig.go_to(240_000);
    assert_eq!(recorded(&rig, 0, 1_000), [(0, 50), (50, 100), (220, 240)]);
}
