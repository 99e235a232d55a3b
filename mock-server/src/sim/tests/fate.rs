//! What became of an id.

use crate::sim::journal::JournalLimits;

use super::*;

#[test]
fn a_job_that_is_there_is_in_its_state_and_one_that_never_was_is_in_none() {
    let rig = Rig::with(|setup| setup.ports = slots(5));
    assert_eq!(rig.fate("1-1"), Fate::NeverGivenOut);
    let job = rig.start(&live());
    assert_eq!(rig.fate("1-1"), Fate::Live(JobState::Running));
    rig.sim.cancel(job).expect("it is live");
    assert_eq!(rig.fate("1-1"), Fate::Live(JobState::Cancelled));
    for never in ["2-1", "1-2", "2-2", "6-1", "65535-2147483647"] {
        assert_eq!(rig.fate(never), Fate::NeverGivenOut, "{never}");
    }
}

#[test]
fn a_job_that_was_removed_tells_when_and_why() {
    let rig = Rig::new();
    let (cancelled, _) = (rig.start(&live()), rig.start(&live()));
    rig.sim.cancel(cancelled).expect("it is live");
    rig.go_to(60_000);
    let removed = |millis, why| Fate::Removed { at: Some(at(millis)), why: Some(why) };
    assert_eq!(rig.fate("1-1"), removed(2_000, Removal::Cancelled));
    assert_eq!(rig.fate("2-2"), removed(50_000, Removal::Idle));
    assert_eq!(rig.fate("2-1"), Fate::NeverGivenOut, "the number was another slot's");
}

#[test]
fn an_id_whose_reservation_failed_never_was_a_job() {
    let rig = Rig::new();
    rig.apply(&Change::AddRule(fails_at(Step::Queue)));
    rig.go_to(1_000);
    rig.refused(&live());
    assert_eq!(rig.fate("1-1"), Fate::RolledBack { at: at(1_000), step: Step::Queue });
}

#[test]
fn an_id_from_before_a_reset_is_told_from_one_that_came_again() {
    let rig = Rig::new();
    for _ in 0..3 {
        rig.start(&live());
    }
    rig.sim.reset();
    rig.sim.reset();
    for old in ["1-1", "3-3"] {
        assert_eq!(rig.fate(old), Fate::FromBeforeTheReset, "{old}");
    }
    for never in ["3-2", "4-4"] {
        assert_eq!(rig.fate(never), Fate::NeverGivenOut, "{never}");
    }
    let again = rig.start(&live());
    assert_eq!(rig.fate("1-1"), Fate::Live(JobState::Running));
    rig.sim.cancel(again).expect("it is live");
    rig.go_to(2_000);
    assert_eq!(rig.fate("1-1"), Fate::Removed { at: Some(at(2_000)), why: Some(Removal::Cancelled) });
    assert_eq!(rig.fate("2-2"), Fate::FromBeforeTheReset);
}

#[test]
fn a_number_that_another_slot_has_now_does_not_hide_the_job_that_had_it_before_a_reset() {
    let rig = Rig::with(|setup| setup.on_conflict = crate::sim::setup::OnConflict::Skip);
    rig.start(&live());
    rig.go_to(60_000);
    rig.sim.reset();
    rig.plant_leftover_service(12_301, true);
    assert_eq!(rig.start(&live()), id("2-1"));
    assert_eq!(rig.fate("1-1"), Fate::FromBeforeTheReset);
}

#[test]
fn the_numbers_of_all_worlds_before_are_remembered_also_when_the_next_one_counts_from_elsewhere() {
    let rig = Rig::with(|setup| setup.first_sequence = sequence(100));
    rig.start(&live());
    rig.sim.replace(Setup { first_sequence: sequence(7), ..Setup::default() });
    rig.start(&live());
    rig.sim.reset();
    assert_eq!(rig.fate("1-100"), Fate::FromBeforeTheReset);
    assert_eq!(rig.fate("1-7"), Fate::FromBeforeTheReset);
    assert_eq!(rig.fate("1-50"), Fate::NeverGivenOut, "between them, and no journal tells of it");
}

#[test]
fn where_the_journal_has_forgotten_a_job_it_was_removed_some_time() {
    let rig = Rig::with(|setup| setup.journal = JournalLimits { bytes: 2_000, ..JournalLimits::default() });
    rig.start(&live());
    rig.go_to(60_000);
    for _ in 0..200 {
        rig.sim.journal().write(at(60_000), Happening::ServerUp);
    }
    assert_eq!(rig.fate("1-1"), Fate::Removed { at: None, why: None });
    let standing = rig.start(&live());
    assert_eq!(standing, id("1-2"));
    for _ in 0..200 {
        rig.sim.journal().write(at(60_000), Happening::ServerUp);
    }
    assert_eq!(rig.fate("2-2"), Fate::NeverGivenOut, "the number is that of a job on another slot");
    rig.sim.reset();
    assert_eq!(rig.fate("1-1"), Fate::FromBeforeTheReset);
    assert_eq!(rig.fate("1-3"), Fate::NeverGivenOut);
}
