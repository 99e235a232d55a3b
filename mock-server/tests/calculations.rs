//! The worked cases of the product's arithmetic, number by number, at a rate of 2000 Hz.
//!
//! A list value may differ from a written one in its last digit, where a different order of the same operations rounds
//! differently; hence a relative tolerance of 1e-9 on those and equality on everything else.

use focus_mock::domain::check::{self, Bounds, ConfigureDraft, Given, RangeDraft, ViewNumber, WindowDraft};
use focus_mock::domain::command::ConfigureJob;
use focus_mock::domain::fiber::{Channel, ChannelRange, Prr};
use focus_mock::domain::quirk::Quirks;
use focus_mock::domain::time::EpochSeconds;
use focus_mock::domain::view::Layout;
use proptest::prelude::*;

fn prr() -> Prr {
    Prr::new(2000).expect("a rate")
}

fn bounds() -> Bounds {
    Bounds {
        channels: ChannelRange::new(Channel(1), Channel(2337)).expect("a range"),
        max_channels: 2222,
        nfft_max_multichannel: 65536,
        prr: prr(),
        latest_end: EpochSeconds(2_000_000_000),
        quirks: Quirks::NONE,
    }
}

fn range(min: i64, max: i64) -> Given<RangeDraft> {
    Given::Value(RangeDraft { min: Given::Value(min), max: Given::Value(max) })
}

/// View, channels, transform length, frequencies, duration, height.
type Request = (ViewNumber, (i64, i64), i64, (i64, i64), i64, i64);

fn draft((view, channels, nfft, frequencies, duration, height): Request) -> ConfigureDraft {
    let spectrum = view != ViewNumber::Waterfall;
    ConfigureDraft {
        view: Given::Value(view),
        channels: range(channels.0, channels.1),
        display: Given::Value(Given::Value(height)),
        duration: if spectrum { Given::Value(duration) } else { Given::Absent },
        nfft: if spectrum { Given::Value(nfft) } else { Given::Absent },
        frequencies: if spectrum { range(frequencies.0, frequencies.1) } else { Given::Absent },
        window: WindowDraft::default(),
        view_is_number: false,
    }
}

fn layout(request: Request) -> Layout {
    let understood = check::configure(&draft(request), &bounds());
    layout_of(&understood.unwrap_or_else(|why| panic!("{request:?}: {why}")).job)
}

fn layout_of(job: &ConfigureJob) -> Layout {
    Layout::of(job.view(), job.channels(), job.height(), prr(), 0.1)
}

#[track_caller]
fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= expected.abs() * 1e-9, "{actual} is not {expected}");
}

#[track_caller]
fn worked(
    request: Request,
    lines_dt: f64,
    amount: u32,
    first_and_last: Option<(f64, f64)>,
    groups: &[u32],
    x: u32,
) {
    let layout = layout(request);
    assert!((layout.lines_dt - lines_dt).abs() < f64::EPSILON, "lines_dt {}", layout.lines_dt);
    assert_eq!(layout.bins.count(), amount);
    let frequencies: Vec<_> = layout.bins.frequencies().collect();
    assert_eq!(frequencies.len(), amount as usize);
    if let Some((first, last)) = first_and_last {
        close(frequencies[0], first);
        close(frequencies[frequencies.len() - 1], last);
    }
    assert_eq!(layout.streams.iter().map(|group| group.count()).collect::<Vec<_>>(), groups);
    assert_eq!(layout.streams[0].count() * layout.values_per_channel(), x, "values per row of stream 0");
}

use ViewNumber::{MultiChannel, SingleChannel, Waterfall};

#[test]
fn w1_the_golden_window_has_256_bins_and_three_groups() {
    let request = (MultiChannel, (1, 50), 1024, (0, 500), 300, 600);
    worked(request, 0.5, 256, Some((0.0, 497.560_975_609_756_1)), &[17, 17, 16], 4352);
    let ends: Vec<_> = layout(request).streams.iter().map(|group| (group.min().0, group.max().0)).collect();
    assert_eq!(ends, [(1, 17), (18, 34), (35, 50)]);
    let first: Vec<_> = layout(request).bins.frequencies().take(4).collect();
    // Bit for bit: this is how the recorded answer spells them.
    assert_eq!(first, [0.0, 1.951_219_512_195_122, 3.902_439_024_390_244, 5.853_658_536_585_366]);
}

#[test]
fn w2_eight_channels_fall_into_groups_of_three_three_and_two() {
    let request = (MultiChannel, (1, 8), 512, (0, 500), 30, 768);
    worked(request, 0.039_062_5, 128, Some((0.0, 495.126_705_653_021_4)), &[3, 3, 2], 384);
}

#[test]
fn w3_a_single_channel_is_one_stream() {
    let request = (SingleChannel, (7, 7), 1024, (0, 500), 10, 1000);
    worked(request, 0.01, 256, Some((0.0, 497.560_975_609_756_1)), &[1], 256);
}

#[test]
fn w4_a_waterfall_has_no_frequencies_and_one_stream() {
    worked((Waterfall, (1, 10), 0, (0, 0), 0, 256), 0.1, 0, None, &[10], 10);
}

#[test]
fn w5_a_lowest_frequency_above_zero_skips_bins() {
    let request = (MultiChannel, (1, 10), 1024, (100, 300), 30, 200);
    worked(request, 0.15, 102, Some((99.512_195_121_951_22, 296.585_365_853_658_5)), &[4, 3, 3], 408);
}

#[test]
fn w6_channels_need_not_start_at_one() {
    let request = (MultiChannel, (11, 20), 512, (0, 250), 5, 400);
    worked(request, 0.0125, 64, Some((0.0, 245.614_035_087_719_3)), &[4, 3, 3], 256);
    let ends: Vec<_> = layout(request).streams.iter().map(|group| (group.min().0, group.max().0)).collect();
    assert_eq!(ends, [(11, 14), (15, 17), (18, 20)]);
}

#[test]
fn w7_the_full_band_ends_below_the_nyquist_limit() {
    let request = (MultiChannel, (11, 109), 1024, (0, 1000), 30, 200);
    worked(request, 0.15, 512, Some((0.0, 997.073_170_731_707_3)), &[33, 33, 33], 16_896);
}

#[test]
fn w8_a_range_narrower_than_a_bin_still_has_one() {
    let request = (MultiChannel, (7, 8), 128, (200, 201), 10, 1000);
    worked(request, 0.01, 1, Some((186.046_511_627_906_97, 186.046_511_627_906_97)), &[1, 1], 1);
}

#[test]
fn w9_the_most_channels_are_split_evenly() {
    let request = (MultiChannel, (1, 2222), 1024, (0, 500), 10, 1000);
    worked(request, 0.01, 256, Some((0.0, 497.560_975_609_756_1)), &[741, 741, 740], 189_696);
}

#[test]
fn w10_a_long_transform_has_fine_bins() {
    let request = (MultiChannel, (1, 20), 4096, (0, 100), 60, 800);
    worked(request, 0.075, 204, Some((0.0, 99.096_900_170_856_73)), &[7, 7, 6], 1428);
}

#[test]
fn common_requests_have_the_tabled_amounts() {
    let amount = |nfft, min, max| layout((MultiChannel, (1, 10), nfft, (min, max), 10, 1000)).bins.count();
    let lengths = (7..=16).map(|power| 1_i64 << power);
    for (length, half) in lengths.zip([32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384]) {
        assert_eq!(amount(length, 0, 500), half, "{length} samples to 500 Hz");
        assert_eq!(amount(length, 0, 1000), 2 * half, "{length} samples to 1000 Hz");
    }
    for (min, max, expected) in [(0, 100, 51), (0, 250, 128), (100, 300, 102), (200, 600, 205), (0, 800, 409)]
    {
        assert_eq!(amount(1024, min, max), expected, "{min} to {max} Hz");
    }
    let fine = layout((MultiChannel, (1, 10), 2048, (200, 800), 10, 1000));
    let frequencies: Vec<_> = fine.bins.frequencies().collect();
    assert_eq!(frequencies.len(), 615);
    close(frequencies[0], 199.121_522_693_997_06);
    close(frequencies[614], 798.438_262_567_105_9);
}

#[test]
fn one_two_and_four_channels_are_split_into_at_most_three_groups() {
    let groups = |channels| {
        let layout = layout((MultiChannel, (1, channels), 1024, (0, 500), 10, 1000));
        layout.streams.iter().map(|group| group.count()).collect::<Vec<_>>()
    };
    for (channels, expected) in [
        (1, vec![1]),
        (2, vec![1, 1]),
        (3, vec![1, 1, 1]),
        (4, vec![2, 1, 1]),
        (99, vec![33, 33, 33]),
        (200, vec![67, 67, 66]),
    ] {
        assert_eq!(groups(channels), expected, "{channels} channels");
    }
}

prop_compose! {
    fn valid()(
        view in prop_oneof![Just(MultiChannel), Just(SingleChannel), Just(Waterfall)],
        min in 1_i64..=2337,
        more in 0_i64..2222,
        power in 7_u32..=16,
        low in 0_i64..1000,
        wide in 1_i64..=1000,
        duration in 1_i64..=1 << 40,
        height in 1_i64..=1 << 40,
    ) -> Request {
        let max = if view == SingleChannel { min } else { (min + more).min(2337) };
        (view, (min, max), 1 << power, (low, (low + wide).min(1000)), duration, height)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_valid_request_has_a_layout_that_keeps_the_invariants(request in valid()) {
        let layout = layout(request);
        let (view, (min, max), ..) = request;
        prop_assert!(layout.lines_dt > 0.0);
        let expected = if view == MultiChannel { (max - min + 1).min(3) } else { 1 };
        prop_assert_eq!(layout.streams.len() as i64, expected);
        prop_assert_eq!(layout.streams[0].min().0, min);
        prop_assert_eq!(layout.streams[layout.streams.len() - 1].max().0, max);
        for pair in layout.streams.windows(2) {
            prop_assert_eq!(pair[0].max().0 + 1, pair[1].min().0);
            prop_assert!(pair[0].count() == pair[1].count() || pair[0].count() == pair[1].count() + 1);
        }
        let frequencies: Vec<_> = layout.bins.frequencies().collect();
        prop_assert_eq!(frequencies.is_empty(), view == Waterfall);
        prop_assert!(frequencies.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(frequencies.iter().all(|hertz| (0.0..1000.0).contains(hertz)));
    }

    #[test]
    fn the_channels_of_a_view_change_nothing_but_its_channels(request in valid(), other in valid()) {
        let (view, channels, nfft, frequencies, duration, height) = request;
        prop_assume!(view == other.0 && channels.1 - channels.0 >= 2 && other.1.1 - other.1.0 >= 2);
        let (one, two) = (layout(request), layout((view, other.1, nfft, frequencies, duration, height)));
        prop_assert_eq!(one.bins, two.bins);
        prop_assert!((one.lines_dt - two.lines_dt).abs() < f64::EPSILON);
        prop_assert_eq!(one.streams.len(), two.streams.len());
    }
}
