//! The synthetic catalogue against section 8 of the contract's rest.md.

use crate::domain::recording::{Recording, RecordingEnd};
use crate::domain::refusal::Refusal;
use crate::domain::time::TimeRange;

use super::*;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// Starts and ends of all recordings that overlap a window, everything in seconds relative to the start of the tests.
fn listed(rig: &Rig, from: i64, to: i64) -> Vec<(i64, i64)> {
    let window = TimeRange::new(EpochSeconds(START + from), EpochSeconds(START + to)).expect("a window");
    let pair = |recording: Recording| match recording.end {
        RecordingEnd::At(end) => (recording.start.0 - START, end.0 - START),
        RecordingEnd::Ongoing => panic!("only a world file has an ongoing recording"),
    };
    rig.sim.recordings(window).expect("the store is up").into_iter().map(pair).collect()
}

fn all(rig: &Rig) -> Vec<(i64, i64)> {
    listed(rig, -400 * DAY, 400 * DAY)
}

#[test]
fn it_holds_28_days_of_hours_back_to_back_but_for_two_gaps() {
    let rig = Rig::new();
    let mut expected: Vec<_> = (-28 * 24..0).map(|hour| (hour * HOUR, (hour + 1) * HOUR)).collect();
    // 6 h beginning 10 days before the start, and half an hour beginning 3 days before it.
    expected.retain(|(start, _)| !(-10 * DAY..-10 * DAY + 6 * HOUR).contains(start));
    let cut = expected.iter_mut().find(|(start, _)| *start == -3 * DAY).expect("an hour begins there");
    cut.0 += HOUR / 2;
    assert_eq!(all(&rig), expected);
}

#[test]
fn the_newest_recording_ends_now_is_never_empty_and_becomes_an_hour() {
    let rig = Rig::new();
    let newest = |rig: &Rig| all(rig).last().copied().expect("recordings");
    assert_eq!(newest(&rig), (-HOUR, 0));
    rig.go_to(999);
    assert_eq!(newest(&rig), (-HOUR, 0), "not a second old");
    rig.go_to(1_000);
    assert_eq!(newest(&rig), (0, 1));
    rig.go_to(3_599_000);
    assert_eq!(newest(&rig), (0, HOUR - 1));
    rig.go_to(3_600_000);
    assert_eq!(newest(&rig), (0, HOUR));
    rig.go_to(3_601_000);
    assert_eq!(newest(&rig), (HOUR, HOUR + 1));
    assert_eq!(all(&rig).len(), 666 + 2);
}

#[test]
fn the_last_15_minutes_and_the_last_hour_are_always_covered() {
    let rig = Rig::new();
    for minute in 0..300 {
        rig.go_to(minute * 60_000 + 17_000 * (minute % 3));
        let now = rig.sim.clock().now().seconds().0 - START;
        for length in [900, HOUR] {
            let found = listed(&rig, now - length, now);
            assert!(found[0].0 <= now - length && found.last().is_some_and(|last| last.1 == now));
            assert!(found.windows(2).all(|pair| pair[0].1 == pair[1].0), "no hole in {found:?}");
            assert!(found.iter().all(|(start, end)| start < end));
        }
    }
}

#[test]
fn a_window_finds_what_it_overlaps_whole_and_sorted() {
    let rig = Rig::new();
    assert_eq!(listed(&rig, -HOUR, 0), [(-HOUR, 0)]);
    assert_eq!(listed(&rig, -HOUR - 1, -HOUR + 1), [(-2 * HOUR, -HOUR), (-HOUR, 0)]);
    assert_eq!(listed(&rig, -2 * HOUR, -HOUR), [(-2 * HOUR, -HOUR)], "touching is not overlapping");
    assert_eq!(listed(&rig, 0, 60), [], "nothing is recorded of the future");
    assert_eq!(listed(&rig, -29 * DAY, -28 * DAY), []);
    assert_eq!(listed(&rig, -29 * DAY, -28 * DAY + 1), [(-28 * DAY, -28 * DAY + HOUR)]);
}

#[test]
fn a_historic_job_needs_one_recording_in_its_window() {
    let rig = Rig::new();
    let (first, second) = ((-10 * DAY, -10 * DAY + 6 * HOUR), (-3 * DAY, -3 * DAY + HOUR / 2));
    for (from, to) in [first, second, (-30 * DAY, -28 * DAY), (0, 60)] {
        assert_eq!(rig.refused(&historic(from, to)), Refusal::NoRecording, "{from} to {to}");
        assert_eq!(listed(&rig, from, to), []);
    }
    for (from, to) in [first, second] {
        rig.start(&historic(from - 1, to));
        rig.start(&historic(from, to + 1));
    }
    rig.start(&historic(-30 * DAY, -28 * DAY + 1));
    rig.start(&historic(-1, 60));
}

#[test]
fn nothing_is_recorded_before_2025() {
    // 2025-01-10T00:30Z; the start of the year cuts into an hour.
    let start = 1_735_689_600 + 9 * DAY + 1_800;
    let rig = Rig::seeded(Seed::default(), start, |_| {});
    let window = TimeRange::new(EpochSeconds(0), EpochSeconds(start)).expect("a window");
    let found = rig.sim.recordings(window).expect("the store is up");
    let (first, end) = (EpochSeconds(1_735_689_600), EpochSeconds(1_735_689_600 + 1_800));
    assert_eq!(found[0], Recording { start: first, end: RecordingEnd::At(end) });
    assert_eq!(found.len(), 9 * 24 + 1, "the gap of 6 h would lie in the year before");

    let long_ago = Rig::seeded(Seed::default(), 1_700_000_000, |_| {});
    let window = TimeRange::new(EpochSeconds(0), EpochSeconds(1_700_000_000)).expect("a window");
    assert_eq!(long_ago.sim.recordings(window), Ok(Vec::new()));
}
