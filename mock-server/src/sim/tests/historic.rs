//! Recorded windows: the burst, the even spread, the end, and who shares what.

use crate::domain::job::{CallRefusal, JobState};
use crate::sim::frames::{MAXIMUM, MINIMUM};
use crate::sim::journal::Removal;

use super::*;

/// W1 of the contract's worked cases: 50 channels, 256 bins, 7200 s that play in 36 s.
fn golden() -> ConfigureDraft {
    ConfigureDraft {
        channels: range(1, 50),
        display: Given::Value(Given::Value(600)),
        duration: Given::Value(300),
        nfft: Given::Value(1024),
        ..historic(-10_000, -2_800)
    }
}

/// Row numbers of frames, in the order in which they came.
fn rows<'f>(frames: impl IntoIterator<Item = &'f Frame>) -> Vec<u64> {
    frames.into_iter().flat_map(|frame| (frame.first_row..).take(frame.times.len())).collect()
}

#[test]
fn the_golden_window_begins_with_a_burst_of_eight_goes_on_evenly_and_ends_at_36_s() {
    let rig = Rig::new();
    let job = rig.start(&golden());
    rig.go_to(4_321);
    let mut call = rig.open_reading(job, 0);
    let (frames, end) = rig.play(&mut call);

    assert_eq!((frames.len(), end), (72, StreamEnd::PlayedOut));
    assert_eq!(rig.sim.clock().now(), at(4_321 + 36_000));
    let after_the_call: Vec<_> = frames.iter().map(|(when, _)| when.since(at(4_321))).collect();
    assert!(after_the_call[..8].iter().all(Duration::is_zero), "eight at once");
    assert!(after_the_call[8] > Duration::ZERO, "and no ninth");
    let gaps: Vec<_> = after_the_call[7..].windows(2).map(|pair| pair[1].abs_diff(pair[0])).collect();
    let (shortest, longest) = (gaps.iter().min().expect("gaps"), gaps.iter().max().expect("gaps"));
    assert!(longest.abs_diff(*shortest) < Duration::from_millis(1), "from {shortest:?} to {longest:?}");
    let last = after_the_call[71];
    assert!(last < Duration::from_secs(36) && last > Duration::from_secs(35), "{last:?}");
}

#[test]
fn rows_are_numbered_from_0_and_lie_evenly_in_the_window_before_its_end() {
    let rig = Rig::new();
    let job = rig.start(&golden());
    let mut call = rig.open_reading(job, 0);
    let frames: Vec<_> = rig.play(&mut call).0.into_iter().map(|(_, frame)| frame).collect();
    assert_eq!(rows(&frames), (0..72).collect::<Vec<_>>());
    let times: Vec<_> = frames.iter().flat_map(|frame| frame.times.iter().copied()).collect();
    assert_eq!(times[0], (START - 10_000) * 1000);
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 100_000), "7200 s in 72 rows: {times:?}");
    assert!(times[71] < (START - 2_800) * 1000);
}

#[test]
fn a_frame_has_the_shape_of_its_stream() {
    let rig = Rig::new();
    let job = rig.start(&golden());
    for (stream, first, last) in [(0, 1, 17_u32), (1, 18, 34), (2, 35, 50)] {
        let frame = rig.frame(&mut rig.open_reading(job, stream));
        assert_eq!((frame.block.min().0, frame.block.max().0), (first.into(), last.into()));
        assert_eq!(frame.values_per_row, (last - first + 1) * 256);
        assert_eq!((frame.rows.len(), frame.times.len()), (1, 1));
        assert_eq!(frame.rows[0].len(), frame.values_per_row as usize * 4);
        let values = frame.rows[0].chunks_exact(4).map(|v| f32::from_le_bytes([v[0], v[1], v[2], v[3]]));
        assert!(values.into_iter().all(|value| (MINIMUM..=MAXIMUM).contains(&value)));
    }
}

#[test]
fn a_short_window_is_eight_frames_at_once_and_ends_when_it_is_played() {
    let rig = Rig::new();
    // 30 s play in 150 ms, which is less than eight intervals of 100 ms.
    let job = rig.start(&historic(-1_000, -970));
    let mut call = rig.open_reading(job, 1);
    let burst: Vec<_> = (0..8).map(|_| rig.frame(&mut call)).collect();
    assert_eq!(rows(&burst), (0..8).collect::<Vec<_>>());
    assert_eq!(rig.poll(&mut call), Polled::WaitsUntil(at(150)));
    rig.go_to(150);
    assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::PlayedOut));
}

#[test]
fn several_rows_of_a_frame_rise_in_number_and_time_over_frame_ends() {
    let rig = Rig::new();
    // A line every 12.5 ms: eight rows in a frame.
    let draft = ConfigureDraft {
        channels: range(7, 7),
        display: Given::Value(Given::Value(800)),
        ..historic(-4_000, -3_600)
    };
    let job = rig.start(&draft);
    let mut call = rig.open_reading(job, 0);
    let frames: Vec<_> = rig.play(&mut call).0.into_iter().map(|(_, frame)| frame).collect();
    assert_eq!(frames.len(), 20, "2 s in frames of 100 ms");
    assert_eq!(rows(&frames), (0..160).collect::<Vec<_>>());
    let times: Vec<_> = frames.iter().flat_map(|frame| frame.times.iter().copied()).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(times[0], (START - 4_000) * 1000);
    assert!(times[159] < (START - 3_600) * 1000);
}

#[test]
fn a_row_that_is_too_large_leaves_in_blocks_of_channels_with_one_number() {
    // 32 bins of 4 bytes: two channels fit a frame, with what a frame has beside its values.
    let rig = Rig::with(|setup| setup.max_frame_bytes = 400);
    let job = rig.start(&ConfigureDraft { channels: range(1, 15), ..historic(-4_000, -2_000) });
    let mut call = rig.open_reading(job, 1);
    let seen: Vec<_> = (0..6)
        .map(|_| rig.frame(&mut call))
        .map(|frame| (frame.block.min().0, frame.block.max().0, frame.first_row, frame.times[0]))
        .collect();
    let (first, second) = ((START - 4_000) * 1000, (START - 4_000) * 1000 + 20_000);
    assert_eq!(
        seen,
        [
            (6, 7, 0, first),
            (8, 9, 0, first),
            (10, 10, 0, first),
            (6, 7, 1, second),
            (8, 9, 1, second),
            (10, 10, 1, second)
        ]
    );
}

#[test]
fn two_calls_on_one_stream_share_its_position_and_end_together() {
    let rig = Rig::new();
    let job = rig.start(&historic_single());
    let mut first = rig.open_reading(job, 0);
    let burst: Vec<_> = (0..5).map(|_| rig.frame(&mut first)).collect();
    rig.go_to(1_000);
    let mut second = rig.open_reading(job, 0);
    let rest: Vec<_> = (0..3).map(|_| rig.frame(&mut second)).collect();
    assert_eq!(rows(burst.iter().chain(&rest)), (0..8).collect::<Vec<_>>());

    let mut frames = Vec::new();
    while rig.sim.clock().now() < at(10_000) {
        for call in [&mut first, &mut second] {
            while let Polled::Frame(frame) = rig.poll(call) {
                frames.push(frame);
            }
        }
        rig.sim.advance(Duration::from_millis(10));
    }
    assert_eq!(rows(&frames), (8..100).collect::<Vec<_>>());
    assert_eq!(rig.poll(&mut first), Polled::End(StreamEnd::PlayedOut));
    assert_eq!(rig.state(job), Some(JobState::Running), "the other call has not heard its end");
    assert_eq!(rig.poll(&mut second), Polled::End(StreamEnd::PlayedOut));
    assert!(rig.ports.table().listening.is_empty());
}

#[test]
fn a_playback_goes_on_while_nobody_reads_and_the_next_reader_finds_what_is_left() {
    let rig = Rig::new();
    let job = rig.start(&historic_single());
    let mut call = rig.open_reading(job, 0);
    let burst: Vec<_> = (0..8).map(|_| rig.frame(&mut call)).collect();
    drop(call);
    rig.go_to(9_000);
    let mut call = rig.open_reading(job, 0);
    let (frames, end) = rig.play(&mut call);
    assert_eq!((end, rig.sim.clock().now()), (StreamEnd::PlayedOut, at(10_000)));
    let rest: Vec<_> = frames.iter().map(|(_, frame)| frame.clone()).collect();
    assert_eq!(rows(burst.iter().chain(&rest)), (0..100).collect::<Vec<_>>(), "no row is lost or repeated");
    assert!(frames.iter().filter(|(when, _)| *when == at(9_000)).count() > 80, "what was due comes at once");
}

#[test]
fn playback_begins_with_the_first_call_and_not_with_the_job() {
    let rig = Rig::new();
    let job = rig.start(&historic(-4_000, -2_000));
    rig.go_to(1_000);
    let mut early = rig.open_reading(job, 0);
    rig.go_to(6_000);
    let mut late = rig.open_reading(job, 1);
    rig.play(&mut early);
    assert_eq!(rig.sim.clock().now(), at(11_000));
    rig.play(&mut late);
    assert_eq!(rig.sim.clock().now(), at(16_000));
}

#[test]
fn a_stream_that_was_played_out_gives_its_end_and_no_frame_to_a_later_call() {
    let rig = Rig::new();
    let job = rig.start(&historic(-4_000, -2_000));
    let mut call = rig.open_reading(job, 0);
    rig.play(&mut call);
    rig.go_to(20_000);
    let mut again = rig.open_reading(job, 0);
    assert_eq!(rig.play(&mut again), (Vec::new(), StreamEnd::PlayedOut));
    assert_eq!(rig.state(job), Some(JobState::Running), "two other streams have all their frames");
}

#[test]
fn the_job_completes_when_its_last_stream_has_ended_and_goes_with_the_next_sample() {
    let rig = Rig::new();
    let job = rig.start(&historic(-4_000, -2_000));
    let mut calls: Vec<_> = (0..3).map(|stream| rig.open_reading(job, stream)).collect();
    for (call, state) in calls.iter_mut().zip([
        Some(JobState::Running),
        Some(JobState::Running),
        // All three end at 10 s, before the sample of that moment has been taken again.
        Some(JobState::Completed),
    ]) {
        assert_eq!(rig.play(call).1, StreamEnd::PlayedOut);
        assert_eq!(rig.state(job), state);
    }
    assert!(rig.ports.table().listening.is_empty(), "the port is closed");
    assert_eq!(rig.sim.open_call(job, 0).err(), Some(CallRefusal::JobGone));
    assert!(rig.sim.job(job).is_ok(), "its metadata are still answered");
    rig.go_to(19_999);
    assert_eq!(rig.state(job), Some(JobState::Completed));
    assert_eq!(removals(&rig.go_to(20_000)), [(at(20_000), job, Removal::Finished)]);
}

#[test]
fn a_job_waits_for_the_last_call_even_when_every_stream_is_played_out() {
    let rig = Rig::new();
    let job = rig.start(&historic_single());
    let (mut first, mut slow) = (rig.open_reading(job, 0), rig.open_reading(job, 0));
    rig.play(&mut first);
    rig.go_to(100_000);
    assert_eq!(rig.state(job), Some(JobState::Running));
    assert_eq!(rig.poll(&mut slow), Polled::End(StreamEnd::PlayedOut));
    assert_eq!(rig.state(job), Some(JobState::Completed));

    let job = rig.start(&historic_single());
    let (mut first, slow) = (rig.open_reading(job, 0), rig.open_reading(job, 0));
    rig.play(&mut first);
    drop(slow);
    assert_eq!(rig.state(job), Some(JobState::Completed), "a reader that leaves was the last one too");
}

#[test]
fn a_job_of_which_a_stream_was_never_read_is_swept() {
    let rig = Rig::new();
    let job = rig.start(&historic(-4_000, -2_000));
    for stream in [0, 1] {
        rig.play(&mut rig.open_reading(job, stream));
    }
    assert_eq!(rig.sim.clock().now(), at(20_000));
    assert_eq!(removals(&rig.go_to(100_000)), [(at(70_000), job, Removal::Idle)]);
}

#[test]
fn the_playback_speed_is_that_of_the_setup() {
    let rig = Rig::with(|setup| setup.times.playback_speed = 1.0);
    let job = rig.start(&ConfigureDraft { channels: range(7, 7), ..historic(-100, -40) });
    let mut call = rig.open_reading(job, 0);
    assert_eq!(rig.play(&mut call).0.len(), 600);
    assert_eq!(rig.sim.clock().now(), at(60_000));
}

#[test]
fn a_stream_outside_the_jobs_streams_is_refused_with_their_number() {
    let rig = Rig::new();
    let job = rig.start(&golden());
    for asked in [-1, 3, i32::MIN, i32::MAX] {
        let refusal = rig.sim.open_call(job, asked).err().expect("no such stream");
        assert_eq!(refusal.to_string(), format!("stream_id {asked} is out of range: the job has 3 streams"));
    }
    assert_eq!(rig.job(job).expect("it runs").open_calls, 0);
}
