//! Each change, as it is read alone and with the time that it lasts.

use std::num::NonZeroU16;
use std::time::Duration;

use focus_mock::document::changes::{KEYS, change};
use focus_mock::domain::fiber::FiberState;
use focus_mock::domain::ids::NodePort;
use focus_mock::domain::quirk::{Profile, Quirk};
use focus_mock::domain::refusal::PortHolder;
use focus_mock::sim::change::{Change, LimitsChange, Outside, PortRef};
use focus_mock::sim::setup::{RecordingPlan, RecordingsState, When};

fn read(text: &str) -> Change {
    change(text, "c").unwrap_or_else(|wrong| panic!("{wrong}\nin {text}")).0
}

fn wrong(text: &str) -> String {
    change(text, "c").expect_err(text).to_string()
}

#[test]
fn states_are_words() {
    for outside in Outside::all() {
        assert_eq!(read(&format!("{}: {}", outside.name(), outside.state())), Change::Outside(outside));
    }
}

#[test]
fn a_state_can_last_for_a_time() {
    let for_a_minute = change("{fiber: waiting, for: 1m}", "c").expect("no mistake");
    let waiting = Change::Outside(Outside::Fiber(FiberState::Waiting));
    assert_eq!(for_a_minute, (waiting, Some(Duration::from_secs(60))));
}

#[test]
fn recordings_are_a_state_or_what_is_recorded() {
    assert_eq!(read("recordings: none"), Change::Outside(Outside::Recordings(RecordingsState::None)));
    let plan = RecordingPlan {
        series: None,
        gaps: Vec::new(),
        spans: vec![(When::FromStart(-7200), Some(When::FromStart(-3600))), (When::FromStart(-60), None)],
    };
    assert_eq!(
        read("recordings: {spans: [{start: -2h, end: -1h}, {start: -1m, end: ongoing}]}"),
        Change::Recordings(plan)
    );
    assert_eq!(
        wrong("recordings: {serie: {}}"),
        "c:1:14: unknown key \"serie\": recordings has the keys series, gaps, spans"
    );
}

#[test]
fn quirks_and_profiles_have_their_names() {
    assert_eq!(read("quirk: {metadata-race: true}"), Change::Quirk(Quirk::MetadataRace, true));
    assert_eq!(read("quirk: {status-empty: false}"), Change::Quirk(Quirk::StatusEmpty, false));
    assert_eq!(read("profile: observed-2025-12"), Change::Profile(Profile::Observed202512));
    assert_eq!(wrong("profile: real"), "c:1:10: profile must be contract or observed-2025-12, not \"real\"");
    assert_eq!(
        wrong("quirk: {status-empty: true, parser-500: true}"),
        "c:1:8: quirk must be one quirk, not 2: make a change for each"
    );
    assert_eq!(
        wrong("quirk: {status-empty: 1}"),
        "c:1:23: quirk.\"status-empty\" must be true or false, not 1"
    );
}

#[test]
fn limits_change_where_they_are_named_and_nowhere_else() {
    let change = LimitsChange { max_jobs: Some(2), gpu_pool: Some(Some(1)), ..LimitsChange::default() };
    assert_eq!(read("limits: {max_jobs: 2, gpu_pool: 1}"), Change::Limits(change));
    let change = LimitsChange {
        max_channels_per_request: Some(3),
        nfft_max_multichannel: Some(2048),
        future_tolerance_s: Some(9),
        gpu_pool: Some(None),
        gpu_reject_when_full: Some(true),
        max_jobs: None,
    };
    let text = "limits: {max_channels_per_request: 3, nfft_max_multichannel: 2048, future_tolerance_s: 9, gpu_pool: unlimited, \
                gpu_reject_when_full: true}";
    assert_eq!(read(text), Change::Limits(change));
    assert_eq!(
        wrong("limits: {nfft_max_multichannel: 300}"),
        "c:1:33: limits.nfft_max_multichannel must be a power of two, not 300"
    );
}

#[test]
fn ports_are_meant_by_number_by_slot_or_as_the_next() {
    let number = PortRef::Number(NodePort::new(12301).expect("a port"));
    let slot = PortRef::Slot(NonZeroU16::MIN);
    assert_eq!(read("hold_port: {slot: 1, by: service}"), Change::HoldPort(slot, PortHolder::Service));
    assert_eq!(read("hold_port: {port: 12301, by: process}"), Change::HoldPort(number, PortHolder::Process));
    assert_eq!(
        read("hold_port: {port: next, by: process}"),
        Change::HoldPort(PortRef::Next, PortHolder::Process)
    );
    assert_eq!(read("release_port: {slot: 1}"), Change::ReleasePort(slot));
    assert_eq!(read("release_port: {port: 12301}"), Change::ReleasePort(number));
    assert_eq!(
        wrong("hold_port: {slot: 1, port: 12301, by: service}"),
        "c:1:28: hold_port can have one port only, not slot, port at once"
    );
    assert_eq!(wrong("release_port: {}"), "c:1:15: release_port has no port: there are slot, port");
    assert_eq!(
        wrong("release_port: {port: 0}"),
        "c:1:22: release_port.port must be a port from 1 to 65535, or next, not 0"
    );
}

#[test]
fn rules_come_and_go() {
    let Change::AddRule(rule) = read("add_rule: {id: a, at: grpc.end, do: reset}") else { panic!("a rule") };
    assert_eq!(
        (rule.id().map(ToString::to_string), rule.at().to_string()),
        (Some("a".into()), "grpc.end".into())
    );
    let Change::RemoveRule(id) = read("remove_rule: rule-7") else { panic!("its name") };
    assert_eq!(id.as_str(), "rule-7");
    assert_eq!(read("remove_rules: true"), Change::RemoveRules);
    assert_eq!(
        wrong("remove_rules: rule-7"),
        "c:1:15: remove_rules must be true (to remove one of them there is remove_rule), not \"rule-7\""
    );
    assert!(
        wrong("add_rule: {at: grpc.end, do: drip}").starts_with("c:1:30: add_rule.do: drip has parameters, ")
    );
}

#[test]
fn jobs_are_meant_by_their_whole_ids() {
    let Change::KillPods(jobs) = read("kill_pods: \"1-*\"") else { panic!("jobs") };
    assert!(jobs.matches("1-30") && !jobs.matches("11-3"));
    let Change::DeleteCleanupJobs(jobs) = read("delete_cleanup_jobs: 2-?") else { panic!("jobs") };
    assert!(jobs.matches("2-9") && !jobs.matches("2-10"));
    assert_eq!(
        wrong("kill_pods: all"),
        "c:1:12: kill_pods must be the id of a job such as 1-7, in which * and ? are wild, not \"all\""
    );
}

#[test]
fn a_change_is_exactly_one() {
    let all = KEYS.join(", ");
    assert_eq!(wrong("{}"), format!("c:1:1: a change has no change: there are {all}"));
    assert_eq!(
        wrong("mongo: down"),
        format!("c:1:1: unknown key \"mongo\": a change has the keys for, {all}")
    );
    assert_eq!(
        wrong("{mongodb: down, rabbitmq: down}"),
        "c:1:27: a change can have one change only, not mongodb, rabbitmq at once"
    );
    assert_eq!(wrong("[]"), "c:1:1: a change must be a mapping (lines of \"key: value\"), not a list");
}

#[test]
fn what_does_not_go_back_by_itself_cannot_be_made_for_a_time() {
    for text in [
        "release_port: {slot: 1}",
        "recordings: {}",
        "remove_rule: a",
        "remove_rules: true",
        "kill_pods: \"*\"",
        "delete_cleanup_jobs: \"*\"",
    ] {
        let (key, _) = text.split_once(':').expect("a key");
        assert_eq!(
            wrong(&format!("for: 1s\n{text}")),
            format!("c:1:6: for: {key} cannot be made for a time only")
        );
    }
    assert!(wrong("{fiber: ready, for: 0s}").contains("for must be a duration such as 500ms, "));
    assert!(wrong("{fiber: ready, for: 32d}").contains("from 1ms to 31d, not \"32d\""));
}
