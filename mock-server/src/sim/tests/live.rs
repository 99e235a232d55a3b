//! Live streams: a frame at once, one per interval, and numbers that never repeat.

use crate::domain::fiber::FiberState;
use crate::domain::job::JobState;

use super::*;

fn millis(rig: &Rig) -> i64 {
    rig.sim.clock().now().millis().0
}

#[test]
fn the_first_frame_comes_with_the_call_and_the_others_one_per_interval() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.go_to(5_050);
    let mut call = rig.open_reading(job, 0);
    for frame in 0..20_u64 {
        let due = 5_050 + frame * 100;
        if frame > 0 {
            assert_eq!(rig.poll(&mut call), Polled::WaitsUntil(at(due)));
            rig.go_to(due);
        }
        let got = rig.frame(&mut call);
        assert_eq!((got.first_row, got.times.as_slice()), (frame, [millis(&rig)].as_slice()));
    }
}

#[test]
fn lines_that_come_slower_or_faster_change_rows_and_interval_within_their_bounds() {
    // Height and duration, then rows per frame and the interval in ms: clamp(ceil(0.1 / dt), 1, 64), clamp(r·dt, 0.1, 1).
    for (height, duration, rows, interval) in [
        (600, 300, 1, 500),
        (800, 10, 8, 100),
        (1000, 10, 10, 100),
        (100_000, 10, 64, 100),
        (1, 30, 1, 1_000),
    ] {
        let rig = Rig::new();
        let draft = ConfigureDraft {
            display: Given::Value(Given::Value(height)),
            duration: Given::Value(duration),
            ..live()
        };
        let job = rig.start(&draft);
        let mut call = rig.open_reading(job, 0);
        let frame = rig.frame(&mut call);
        assert_eq!((frame.rows.len(), frame.times.len()), (rows, rows), "{height} lines in {duration} s");
        assert!(frame.times.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(rig.poll(&mut call), Polled::WaitsUntil(at(interval)), "{height} lines in {duration} s");
    }
}

#[test]
fn a_waterfall_has_one_value_per_channel_and_one_stream() {
    let rig = Rig::new();
    let draft = ConfigureDraft {
        view: Given::Value(ViewNumber::Waterfall),
        channels: range(1, 10),
        duration: Given::Absent,
        nfft: Given::Value(1),
        frequencies: Given::Absent,
        ..live()
    };
    let job = rig.start(&draft);
    assert_eq!(rig.job(job).expect("it runs").streams, 1);
    let frame = rig.frame(&mut rig.open_reading(job, 0));
    assert_eq!((frame.values_per_row, frame.rows[0].len()), (10, 40));
}

#[test]
fn a_call_that_comes_late_finds_its_earlier_rows_gone() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    assert_eq!(rig.frame(&mut call).first_row, 0);
    // Due at 100 ms; nine intervals have passed since, each with a row that the fibre did not keep.
    rig.go_to(1_050);
    let late = rig.frame(&mut call);
    assert_eq!((late.first_row, late.times.as_slice()), (10, [millis(&rig)].as_slice()));
    assert_eq!(rig.poll(&mut call), Polled::WaitsUntil(at(1_100)), "and is back in step");
    rig.go_to(1_100);
    assert_eq!(rig.frame(&mut call).first_row, 11);
}

#[test]
fn numbers_and_times_go_on_where_a_reader_left_when_it_comes_back() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    rig.frame(&mut call);
    rig.go_to(100);
    assert_eq!(rig.frame(&mut call).first_row, 1);
    drop(call);
    rig.go_to(30_000);
    let mut call = rig.open_reading(job, 0);
    let frame = rig.frame(&mut call);
    assert_eq!((frame.first_row, frame.times.as_slice()), (2, [millis(&rig)].as_slice()));
}

#[test]
fn calls_on_one_stream_never_get_the_same_row_and_streams_count_for_themselves() {
    let rig = Rig::new();
    let job = rig.start(&ConfigureDraft { display: Given::Value(Given::Value(800)), ..live() });
    let mut calls = [rig.open_reading(job, 0), rig.open_reading(job, 0), rig.open_reading(job, 0)];
    let mut other = rig.open_reading(job, 1);
    let (mut numbers, mut times) = (Vec::new(), Vec::new());
    for step in 0..10 {
        rig.go_to(step * 100);
        for call in &mut calls {
            let frame = rig.frame(call);
            numbers.extend((frame.first_row..).take(frame.times.len()));
            times.extend(frame.times);
        }
        assert_eq!(rig.frame(&mut other).first_row, step * 8);
    }
    assert_eq!(numbers, (0..240).collect::<Vec<_>>());
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
}

#[test]
fn a_live_stream_has_no_end() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 2);
    let mut last = None;
    for minute in 0..60 {
        rig.go_to(minute * 60_000);
        let frame = rig.frame(&mut call);
        assert!(last < Some(frame.first_row));
        last = Some(frame.first_row);
    }
    assert_eq!(rig.state(job), Some(JobState::Running));
}

#[test]
fn a_dark_fibre_silences_a_live_stream_and_light_lets_it_go_on() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let mut call = rig.open_reading(job, 0);
    rig.frame(&mut call);
    rig.sim.with(|world, now| world.change_fiber(FiberState::Waiting, now));
    for step in 1..=50 {
        rig.go_to(step * 100);
        assert_eq!(rig.poll(&mut call), Polled::WaitsUntil(at((step + 1) * 100)));
    }
    rig.sim.with(|world, now| world.change_fiber(FiberState::Mixed, now));
    rig.go_to(5_100);
    let frame = rig.frame(&mut call);
    assert_eq!((frame.first_row, frame.times.as_slice()), (1, [millis(&rig)].as_slice()));
}
