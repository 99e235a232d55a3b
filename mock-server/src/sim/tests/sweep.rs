//! The idle sweep, and the ids and slots that jobs get.

use crate::domain::check::Given;
use crate::domain::job::JobState;
use crate::domain::refusal::Refusal;
use crate::sim::faults::Step;
use crate::sim::journal::Removal;

use super::*;

#[test]
fn a_job_that_nobody_ever_connected_to_is_removed_50_s_after_its_creation() {
    let rig = Rig::new();
    rig.go_to(3_210);
    let job = rig.start(&live());
    assert!(removals(&rig.go_to(53_209)).is_empty());
    assert_eq!(rig.state(job), Some(JobState::Running));
    assert!(rig.sim.job(job).is_ok());
    assert_eq!(removals(&rig.go_to(53_210)), [(at(53_210), job, Removal::Idle)]);
    assert_eq!(rig.sim.job(job).expect_err("it is gone"), Refusal::UnknownJob);
}

#[test]
fn one_advance_over_a_long_time_removes_at_the_same_moment() {
    let rig = Rig::new();
    let job = rig.start(&live());
    assert_eq!(removals(&rig.go_to(3_600_000)), [(at(50_000), job, Removal::Idle)]);
}

#[test]
fn a_removed_job_leaves_nothing_behind() {
    let rig = Rig::new();
    let before = without_traces(rig.snapshot());
    let job = rig.start(&live());
    rig.go_to(50_000);
    let after = without_traces(rig.snapshot());
    assert_eq!(after, Snapshot { now: after.now, ..before });
    assert_eq!(rig.ports.table(), ports::PortTable::default());
    assert_eq!(rig.sim.cancel(job), Err(Refusal::UnknownJob));
}

#[test]
fn after_its_last_call_closed_a_job_stays_for_40_to_50_s() {
    // Samples are taken every 10 s since the creation; the first one after the close is the first of five idle ones.
    for (closes, removed) in
        [(20_001, 70_000), (29_999, 70_000), (30_000, 80_000), (30_001, 80_000), (34_567, 80_000)]
    {
        let rig = Rig::new();
        let job = rig.start(&live());
        let call = rig.open_reading(job, 0);
        rig.go_to(closes);
        drop(call);
        let entries = rig.go_to(closes + 60_000);
        assert_eq!(removals(&entries), [(at(removed), job, Removal::Idle)], "closed at {closes}");
        assert!((40_000..=50_000).contains(&(removed - closes)));
    }
}

#[test]
fn a_reader_that_comes_late_starts_the_count_anew() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.go_to(45_000);
    let call = rig.open_reading(job, 0);
    rig.go_to(55_000);
    drop(call);
    assert_eq!(removals(&rig.go_to(200_000)), [(at(100_000), job, Removal::Idle)]);
}

#[test]
fn what_was_due_has_happened_at_its_own_time_however_late_somebody_looks() {
    let rig = Rig::new();
    let (idle, cancelled) = (rig.start(&live()), rig.start(&live()));
    rig.sim.cancel(cancelled).expect("it is live");
    // As a running clock does, which nobody advances.
    rig.sim.clock().jump_to(at(3_600_000));
    assert_eq!(rig.sim.cancel(idle), Err(Refusal::UnknownJob));
    let gone = removals(&rig.snapshot().journal);
    assert_eq!(gone, [(at(2_000), cancelled, Removal::Cancelled), (at(50_000), idle, Removal::Idle)]);
    assert_eq!(rig.start(&live()), id("1-3"));
}

#[test]
fn a_call_that_is_open_keeps_its_job() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let (first, second) = (rig.open_reading(job, 0), rig.open_reading(job, 2));
    rig.go_to(600_000);
    drop(first);
    rig.go_to(1_200_000);
    assert_eq!(rig.state(job), Some(JobState::Running), "one of two is still open");
    drop(second);
    assert_eq!(removals(&rig.go_to(1_260_000)), [(at(1_250_000), job, Removal::Idle)]);
}

#[test]
fn period_hits_and_threshold_of_the_sweep_are_those_of_the_setup() {
    let rig = Rig::with(|setup| {
        setup.times.sweep_period = Duration::from_secs(3);
        setup.times.sweep_hits = 2;
    });
    let job = rig.start(&live());
    assert_eq!(removals(&rig.go_to(60_000)), [(at(6_000), job, Removal::Idle)]);

    let never = Rig::with(|setup| setup.times.sweep_cpu_threshold_m = 1);
    let job = never.start(&live());
    never.go_to(600_000);
    assert_eq!(never.state(job), Some(JobState::Running), "an idle pod burns 2 millicores");
}

#[test]
fn an_end_by_the_sweep_is_told_to_a_call_that_it_counted_as_idle() {
    let rig = Rig::with(|setup| setup.times.sweep_cpu_threshold_m = 250);
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    assert_eq!(removals(&rig.go_to(50_000)), [(at(50_000), job, Removal::Idle)]);
    assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::Gone));
}

#[test]
fn a_call_that_counts_as_idle_begins_the_count_anew_when_it_opens_and_not_when_it_closes() {
    let rig = Rig::with(|setup| setup.times.sweep_cpu_threshold_m = 250);
    let job = rig.start(&live());
    rig.go_to(15_000);
    let call = rig.open_reading(job, 0);
    rig.go_to(37_000);
    drop(call);
    assert_eq!(removals(&rig.go_to(200_000)), [(at(60_000), job, Removal::Idle)]);
}

#[test]
fn jobs_are_removed_in_the_order_in_which_their_time_comes() {
    let rig = Rig::new();
    let first = rig.start(&live());
    let twin = rig.start(&live());
    rig.go_to(4_000);
    let third = rig.start(&live());
    let call = rig.open_reading(first, 0);
    rig.go_to(11_000);
    drop(call);
    let gone = removals(&rig.go_to(100_000));
    let order: Vec<_> = gone.iter().map(|(when, id, _)| (*when, *id)).collect();
    assert_eq!(order, [(at(50_000), twin), (at(54_000), third), (at(60_000), first)]);
}

#[test]
fn a_job_gets_the_lowest_free_slot_and_a_number_that_was_never_given_before() {
    let rig = Rig::new();
    let ids: Vec<_> = (0..4).map(|_| rig.start(&live()).to_string()).collect();
    assert_eq!(ids, ["1-1", "2-2", "3-3", "4-4"]);
    for gone in ["3-3", "2-2"] {
        rig.sim.cancel(id(gone)).expect("it is live");
    }
    assert_eq!(rig.start(&live()), id("5-5"), "the slot of a cancelled job is taken until its pods are gone");
    rig.go_to(2_000);
    assert_eq!(rig.snapshot().lowest_free_slot, Some(2));
    let ids: Vec<_> = (0..3).map(|_| rig.start(&live()).to_string()).collect();
    assert_eq!(ids, ["2-6", "3-7", "6-8"]);
}

#[test]
fn a_slot_is_free_again_in_the_moment_its_job_is_removed() {
    let rig = Rig::with(|setup| setup.ports = slots(1));
    rig.start(&live());
    rig.go_to(49_999);
    let full = Refusal::CapacityExhausted(crate::domain::refusal::Capacity::Jobs(1));
    assert_eq!(rig.refused(&live()), full);
    rig.go_to(50_000);
    assert_eq!(rig.start(&live()), id("1-2"));
}

#[test]
fn an_id_is_slot_and_number_and_the_port_is_base_and_slot() {
    let rig = Rig::with(|setup| setup.first_sequence = sequence(1603));
    for slot in 1..=3_i32 {
        let job = rig.start(&live());
        assert_eq!(job.to_string(), format!("{slot}-{}", 1602 + slot));
        let terms = rig.sim.job(job).expect("it is live");
        assert_eq!(i32::from(terms.port.number()), 12_300 + slot);
    }
    let open: Vec<_> = rig.ports.table().listening.into_iter().collect();
    assert_eq!(
        open,
        [(12_301, Some(id("1-1603"))), (12_302, Some(id("2-1604"))), (12_303, Some(id("3-1605")))]
    );
}

#[test]
fn a_number_is_skipped_by_a_rollback_and_by_nothing_else() {
    let rig = Rig::new();
    rig.start(&live());
    let invalid = ConfigureDraft { nfft: Given::Value(100), ..live() };
    assert!(matches!(rig.refused(&invalid), Refusal::Invalid(_)));
    rig.refused(&historic(-60 * 86_400, -59 * 86_400));
    rig.sim.with(|world, _| world.fail_next(Step::Slot, 1));
    rig.refused(&live());
    assert_eq!(rig.start(&live()), id("2-2"));
    rig.sim.with(|world, _| world.fail_next(Step::Queue, 2));
    rig.refused(&live());
    rig.refused(&live());
    assert_eq!(rig.start(&live()), id("3-5"));
}

#[test]
fn the_count_ends_instead_of_beginning_anew() {
    let rig = Rig::with(|setup| setup.first_sequence = sequence(i32::MAX - 1));
    rig.start(&live());
    assert_eq!(rig.start(&live()), id("2-2147483647"));
    assert_eq!(rig.refused(&live()), Refusal::JobCreationFailed);
    assert_eq!(rig.snapshot().free_slots, 1022);
}

#[test]
fn a_reset_removes_everything_and_counts_anew() {
    let rig = Rig::new();
    let fresh = rig.snapshot();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    rig.start(&live());
    rig.plant_leftover_service(12_309, true);
    rig.sim.with(|world, now| {
        world.fail_next(Step::Port, 1);
        world.change_fiber(crate::domain::fiber::FiberState::Waiting, now);
    });
    rig.depend(|outside| outside.rabbitmq = crate::sim::setup::Supply::Down);
    rig.go_to(7_000);
    rig.sim.reset();
    assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::Gone));
    assert_eq!(rig.ports.table(), ports::PortTable::default());
    let snapshot = rig.snapshot();
    assert_eq!(
        snapshot.journal.last().map(|entry| &entry.what),
        Some(&Happening::Reset),
        "the journal goes on"
    );
    assert_eq!(without_traces(snapshot), without_traces(Snapshot { now: at(7_000), ..fresh }));
    assert_eq!(rig.start(&live()), id("1-1"));
    assert_eq!(removals(&rig.go_to(57_000)), [(at(57_000), id("1-1"), Removal::Idle)]);
}

#[test]
fn a_reader_from_before_a_reset_closes_no_call_of_the_world_after_it() {
    let rig = Rig::new();
    let old = rig.start(&live());
    let stale = rig.open_reading(old, 0);
    rig.sim.reset();
    let new = rig.start(&live());
    assert_eq!(new, old, "the count began anew");
    let mut call = rig.open_reading(new, 0);
    drop(stale);
    assert_eq!(rig.job(new).expect("it runs").open_calls, 1);
    rig.frame(&mut call);
    rig.go_to(600_000);
    assert_eq!(rig.state(new), Some(JobState::Running));
}

#[test]
fn a_short_call_between_two_samples_counts() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.go_to(45_000);
    let call = rig.open_reading(job, 0);
    rig.go_to(49_000);
    drop(call);
    rig.go_to(51_000);
    assert_eq!(rig.state(job), Some(JobState::Running));
}
