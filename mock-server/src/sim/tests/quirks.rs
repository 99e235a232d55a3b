//! Worlds with quirks: what is taken there can be streamed, too, and a job keeps to what it was created with.

use crate::domain::job::JobState;
use crate::domain::quirk::Quirk;
use crate::sim::setup::GpuPool;

use super::*;

fn quirky(quirks: &'static [Quirk]) -> Rig {
    Rig::with(|setup| setup.quirks = quirks.iter().copied().collect())
}

/// The largest number that the wire takes.
const FAR: i64 = 1 << 53;

#[test]
fn whatever_a_lenient_world_takes_can_be_streamed_in_frames_of_bounded_size() {
    const LENIENT: &[Quirk] = &[
        Quirk::NfftUnchecked,
        Quirk::FutureWindowAccepted,
        Quirk::ChannelsUnchecked,
        Quirk::FrequencyUnchecked,
        Quirk::HeightUnchecked,
        Quirk::SingleChannelRangeAccepted,
        Quirk::WaterfallUnchecked,
    ];
    let wide = ConfigureDraft { nfft: Given::Value(131_072), frequencies: range(0, FAR), ..live() };
    let window = |start, end| WindowDraft { start: Given::Value(start), end: Given::Value(end) };
    for draft in [
        ConfigureDraft { channels: range(FAR - 3, FAR), ..live() },
        ConfigureDraft { channels: range(3, -FAR + FAR - 3), ..live() },
        ConfigureDraft { channels: range(-FAR, -FAR + 9_999), ..wide },
        ConfigureDraft {
            view: Given::Value(ViewNumber::SingleChannel),
            channels: range(10_000, 1),
            display: Given::Value(Given::Value(-FAR)),
            duration: Given::Value(FAR),
            ..wide
        },
        ConfigureDraft { nfft: Given::Value(1), frequencies: range(FAR, -FAR), ..live() },
        ConfigureDraft { window: window(0, FAR), ..wide },
        ConfigureDraft { window: window(FAR - 1, FAR), ..live() },
        ConfigureDraft { view: Given::Value(ViewNumber::Waterfall), channels: range(0, 9_999), ..live() },
    ] {
        let rig = quirky(LENIENT);
        let job = rig.start(&draft);
        let streams = rig.job(job).expect("it runs").streams;
        for stream in 0..i32::try_from(streams).expect("three at most") {
            let mut call = rig.open_reading(job, stream);
            let group = call.terms().layout.streams[usize::try_from(stream).expect("not negative")];
            let frame = rig.frame(&mut call);
            assert_eq!(frame.block.min(), group.min(), "{draft:?}");
            assert!(frame.block.count() <= group.count());
            assert_eq!(frame.rows[0].len(), frame.values_per_row as usize * 4);
            let bytes: usize = frame.rows.iter().map(bytes::Bytes::len).sum();
            assert!(bytes <= 16 << 20, "{bytes} bytes of {draft:?}");
            assert!(frame.times.is_sorted());
        }
        rig.sim.advance(Duration::from_secs(1));
    }
}

#[test]
fn a_job_keeps_the_pod_and_the_end_of_the_server_it_was_created_on() {
    let rig = Rig::with(|setup| {
        setup.quirks = [Quirk::SlowPodStart, Quirk::StreamGoaway].into_iter().collect();
        setup.gpu = GpuPool { size: Some(1), reject_when_full: false };
    });
    let (first, second) = (rig.start(&historic_single()), rig.start(&historic_single()));
    for quirk in [Quirk::SlowPodStart, Quirk::StreamGoaway] {
        rig.sim.with(|world, now| world.set_quirk(quirk, false, now));
    }
    rig.go_to(6_499);
    assert_eq!(rig.state(first), Some(JobState::Pending));
    rig.go_to(6_500);
    let (frames, end) = rig.play(&mut rig.open_reading(first, 0));
    assert_eq!((frames.len(), end), (8, StreamEnd::GoneAway));
    assert_eq!(rig.state(first), None);
    // The share of the first is free for the second, whose pod takes as long.
    rig.go_to(36_500 + 6_499);
    assert_eq!(rig.state(second), Some(JobState::Pending));
    rig.go_to(36_500 + 6_500);
    assert_eq!(rig.state(second), Some(JobState::Running));
}

#[test]
fn a_job_that_is_cancelled_in_the_silence_goes_its_own_way() {
    let rig = quirky(&[Quirk::StreamGoaway]);
    let job = rig.start(&historic_single());
    let mut call = rig.open_reading(job, 0);
    for _ in 0..8 {
        rig.frame(&mut call);
    }
    assert_eq!(rig.poll(&mut call), Polled::WaitsUntil(at(30_000)));
    rig.go_to(29_000);
    rig.sim.cancel(job).expect("it is live");
    assert_eq!(rig.poll(&mut call), Polled::End(StreamEnd::Cancelled));
    let removed = removals(&rig.go_to(40_000));
    assert_eq!(removed, [(at(31_000), job, Removal::Cancelled)]);
}

#[test]
fn what_was_forgiven_is_told_with_the_quirk_that_forgave_it() {
    use crate::domain::check;
    use crate::domain::violation::Violation;

    let rig = quirky(&[Quirk::ChannelsUnchecked, Quirk::HeightUnchecked]);
    let bounds = rig.sim.with(|world, now| world.bounds(now));
    let draft = ConfigureDraft { channels: range(20, 11), display: Given::Value(Given::Value(0)), ..live() };
    let understood = check::configure(&draft, &bounds).expect("both are forgiven");
    let forgiven: Vec<_> = understood.forgiven.iter().map(|it| (it.quirk, it.violation)).collect();
    assert_eq!(
        forgiven,
        [
            (Quirk::ChannelsUnchecked, Violation::ChannelsReversed { min: 20, max: 11 }),
            (Quirk::HeightUnchecked, Violation::HeightNotPositive),
        ]
    );
    assert!(understood.thanks_to(Quirk::HeightUnchecked) && !understood.thanks_to(Quirk::NfftUnchecked));
    let plain = check::configure(&live(), &bounds).expect("nothing is wrong");
    assert_eq!(plain.forgiven, []);
}
