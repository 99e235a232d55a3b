//! From a request as it was sent to one that makes sense, or everything that is wrong with it.
//!
//! The checks stand in the order in which an answer lists them. A check of a value runs only when the fields it needs
//! are well formed, and what depends on the view only when the view is known. All of them run: a client sees every
//! mistake at once. What a quirk of the server forgives is no mistake, but it is told as well.

use super::command::ConfigureJob;
use super::fiber::{Channel, ChannelRange, Prr};
use super::leniency::{Findings, Forgiven, stumbles};
use super::quirk::{Quirk, Quirks};
use super::refusal::Refusal;
use super::time::{EpochSeconds, Playback, TimeRange};
use super::view::{FrequencyRange, Nfft, Spectrum, View};
use super::violation::{Field, Violation, Violations};

/// One field as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Given<T> {
    /// Not there, or `null`.
    #[default]
    Absent,
    /// There, but of another type.
    Malformed,
    /// There and of the right type.
    Value(T),
}

impl<T: Copy> Given<T> {
    fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Malformed => None,
        }
    }

    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// `{min, max}` as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RangeDraft {
    /// `min`
    pub min: Given<i64>,
    /// `max`
    pub max: Given<i64>,
}

/// Number of a view that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewNumber {
    /// 0
    MultiChannel,
    /// 1
    SingleChannel,
    /// 2
    Waterfall,
}

/// A configure request as it was sent: types are known, sense is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ConfigureDraft {
    /// `view_type`; a value that names no view is malformed.
    pub view: Given<ViewNumber>,
    /// Whether it was sent as a number and not as a text.
    pub view_is_number: bool,
    /// `channels`
    pub channels: Given<RangeDraft>,
    /// `displayInfo`, with its `height`.
    pub display: Given<Given<i64>>,
    /// `displayTimeAxisDuration`, seconds.
    pub duration: Given<i64>,
    /// `nfftSelection`
    pub nfft: Given<i64>,
    /// `frequencyRange`, Hz.
    pub frequencies: Given<RangeDraft>,
    /// The window.
    pub window: WindowDraft,
}

/// `start_time` and `end_time` as they were sent, epoch seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct WindowDraft {
    /// `start_time`
    pub start: Given<i64>,
    /// `end_time`
    pub end: Given<i64>,
}

/// What a request is measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Channels of the fibre.
    pub channels: ChannelRange,
    /// Most channels in one request.
    pub max_channels: u32,
    /// Longest transform of a multi-channel view.
    pub nfft_max_multichannel: u32,
    /// Rate of the fibre, for its Nyquist limit.
    pub prr: Prr,
    /// The latest `end_time`: now and the tolerated clock skew.
    pub latest_end: EpochSeconds,
    /// How the server deviates from the contract.
    pub quirks: Quirks,
}

/// A request that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Understood {
    /// What was asked for.
    pub job: ConfigureJob,
    /// What the contract has against it, in the order of the checks; the quirks of the server let it pass.
    pub forgiven: Vec<Forgiven>,
}

impl Understood {
    /// Whether it was taken only because of a quirk.
    #[must_use]
    pub fn thanks_to(&self, quirk: Quirk) -> bool {
        self.forgiven.iter().any(|forgiven| forgiven.quirk == quirk)
    }
}

/// Understands a configure request.
///
/// # Errors
/// `Invalid` with all its violations, in the order of the checks, or what a server with quirks stumbles over.
pub fn configure(draft: &ConfigureDraft, bounds: &Bounds) -> Result<Understood, Refusal> {
    if let Some(refusal) = stumbles(draft, bounds.quirks) {
        return Err(refusal);
    }
    let mut found = Findings::under(bounds.quirks);
    let view_number = view_number(draft.view, &mut found);
    let channels = channels(draft.channels, view_number, bounds, &mut found);
    let height = height(draft.display, &mut found);
    let view = view_number.and_then(|number| match number {
        ViewNumber::MultiChannel => {
            spectrum(draft, bounds.nfft_max_multichannel, bounds.prr, &mut found).map(View::MultiChannel)
        }
        ViewNumber::SingleChannel => {
            spectrum(draft, Nfft::MAX, bounds.prr, &mut found).map(View::SingleChannel)
        }
        ViewNumber::Waterfall => waterfall(draft, &mut found),
    });
    let playback = playback(draft.window, bounds.latest_end, &mut found);
    match (Violations::of(found.violations), view, channels, height, playback) {
        (None, Some(view), Some(channels), Some(height), Some(playback)) => {
            let job = ConfigureJob { view, channels, height, playback };
            Ok(Understood { job, forgiven: found.forgiven })
        }
        (Some(violations), ..) => Err(Refusal::Invalid(violations)),
        (None, ..) => unreachable!("a part that could not be understood reports why"),
    }
}

/// Understands a window that must be there, as the recordings routes take it.
///
/// # Errors
/// All its violations, in the order of the checks.
pub fn window(draft: WindowDraft) -> Result<TimeRange, Violations> {
    let mut found = Findings::under(Quirks::NONE);
    for (field, given) in [(Field::StartTime, draft.start), (Field::EndTime, draft.end)] {
        if given.is_absent() {
            found.push(Violation::Missing(field));
        }
    }
    let range = time_range(draft, &mut found);
    match (Violations::of(found.violations), range) {
        (None, Some(range)) => Ok(range),
        (Some(violations), _) => Err(violations),
        (None, None) => unreachable!("a window that could not be understood reports why"),
    }
}

fn view_number(given: Given<ViewNumber>, found: &mut Findings) -> Option<ViewNumber> {
    match given {
        Given::Absent => found.push(Violation::Missing(Field::ViewType)),
        Given::Malformed => found.push(Violation::UnknownView),
        Given::Value(_) => {}
    }
    given.value()
}

fn channels(
    given: Given<RangeDraft>,
    view: Option<ViewNumber>,
    bounds: &Bounds,
    found: &mut Findings,
) -> Option<ChannelRange> {
    let draft = match given {
        Given::Absent => {
            found.push(Violation::Missing(Field::Channels));
            return None;
        }
        Given::Malformed => {
            found.push(Violation::NotAnObjectAt(Field::Channels));
            return None;
        }
        Given::Value(draft) => draft,
    };
    let ends = [(Field::ChannelsMin, draft.min), (Field::ChannelsMax, draft.max)];
    // Absent is one check and wrong type the next one, so all absent ends come before all mistyped ones.
    found.extend(ends.iter().filter(|(_, end)| end.is_absent()).map(|(field, _)| Violation::Missing(*field)));
    found.extend(
        ends.iter()
            .filter(|(_, end)| *end == Given::Malformed)
            .map(|(field, _)| Violation::NotAnInteger(*field)),
    );
    let (min, max) = (draft.min.value(), draft.max.value());
    if min.is_some_and(|min| min < 1) {
        found.push(Violation::ChannelBelowOne);
    }
    let mut both = min.zip(max);
    let mut reversed = both.filter(|(min, max)| min > max);
    if let Some((min, max)) = reversed
        && found.forgives(Violation::ChannelsReversed { min, max })
    {
        (both, reversed) = (Some((max, min)), None);
    }
    let (min, max) = both.map_or((min, max), |(min, max)| (Some(min), Some(max)));
    let (lowest, highest) = (bounds.channels.min().0, bounds.channels.max().0);
    if let Some(min) = min.filter(|min| (1..lowest).contains(min)) {
        found.push(Violation::ChannelBelowLowest { min, lowest });
    }
    if let Some(max) = max.filter(|max| *max > highest) {
        found.push(Violation::ChannelAboveHighest { max, highest });
    }
    if let Some((min, max)) = both {
        // Integers on the wire stay within 2^53, so neither the difference nor the sum can overflow.
        let count = max - min + 1;
        if count > i64::from(bounds.max_channels) {
            found.push(Violation::TooManyChannels { count, limit: bounds.max_channels });
        }
        if view == Some(ViewNumber::SingleChannel) && min != max && reversed.is_none() {
            found.push(Violation::NotASingleChannel);
        }
    }
    let (min, max) = both?;
    if found.has(Quirk::ChannelsUnchecked) {
        return Some(ChannelRange::between(Channel(min), Channel(max)));
    }
    ChannelRange::new(Channel(min), Channel(max))
}

fn height(given: Given<Given<i64>>, found: &mut Findings) -> Option<u64> {
    let height = match given {
        Given::Absent => {
            found.push(Violation::Missing(Field::DisplayInfo));
            return None;
        }
        Given::Malformed => {
            found.push(Violation::NotAnObjectAt(Field::DisplayInfo));
            return None;
        }
        Given::Value(height) => integer(height, Field::Height, Violation::Missing, found)?,
    };
    let height = u64::try_from(height).ok().filter(|height| *height > 0);
    height.or_else(|| found.forgives(Violation::HeightNotPositive).then_some(1))
}

/// The parts that views 0 and 1 need.
fn spectrum(draft: &ConfigureDraft, nfft_limit: u32, prr: Prr, found: &mut Findings) -> Option<Spectrum> {
    let duration = integer(draft.duration, Field::Duration, Violation::MissingForSpectrum, found)
        .and_then(|seconds| positive(seconds, Violation::DurationNotPositive, found));
    let nfft = integer(draft.nfft, Field::Nfft, Violation::MissingForSpectrum, found).and_then(|length| {
        let unsupported = Violation::NfftUnsupported { nfft: length, limit: nfft_limit.min(Nfft::MAX) };
        let supported = Nfft::new(length, nfft_limit);
        supported.or_else(|| found.forgives(unsupported).then(|| Nfft::unchecked(length)).flatten())
    });
    let frequencies = frequencies(draft.frequencies, prr, found);
    Some(Spectrum { nfft: nfft?, frequencies: frequencies?, duration_s: duration? })
}

fn frequencies(given: Given<RangeDraft>, prr: Prr, found: &mut Findings) -> Option<FrequencyRange> {
    let draft = match given {
        Given::Absent => {
            found.push(Violation::MissingForSpectrum(Field::FrequencyRange));
            return None;
        }
        Given::Malformed => {
            found.push(Violation::NotAnObjectAt(Field::FrequencyRange));
            return None;
        }
        Given::Value(draft) => draft,
    };
    let min = integer(draft.min, Field::FrequencyMin, Violation::Missing, found);
    let max = integer(draft.max, Field::FrequencyMax, Violation::Missing, found);
    if min.is_some_and(|min| min < 0) {
        found.push(Violation::FrequencyNegative);
    }
    if let Some((min, max)) = min.zip(max).filter(|(min, max)| min >= max) {
        found.push(Violation::FrequenciesReversed { min, max });
    }
    // Twice the frequency against the rate: exact where half an odd rate is no integer.
    if let Some(max) = max.filter(|max| max.saturating_mul(2) > i64::from(prr.hertz())) {
        found.push(Violation::AboveNyquist { max, nyquist: prr.nyquist() });
    }
    let (min, max) = min.zip(max)?;
    if found.has(Quirk::FrequencyUnchecked) {
        return Some(FrequencyRange::unchecked(min, max));
    }
    FrequencyRange::new(u32::try_from(min).ok()?, u32::try_from(max).ok()?)
}

fn waterfall(draft: &ConfigureDraft, found: &mut Findings) -> Option<View> {
    let before = found.violations.len();
    if !draft.duration.is_absent() {
        found.push(Violation::NotForWaterfall(Field::Duration));
    }
    if !matches!(draft.nfft, Given::Absent | Given::Value(1)) {
        found.push(Violation::NfftForWaterfall);
    }
    if !draft.frequencies.is_absent() {
        found.push(Violation::NotForWaterfall(Field::FrequencyRange));
    }
    (found.violations.len() == before).then_some(View::Waterfall)
}

fn playback(draft: WindowDraft, latest_end: EpochSeconds, found: &mut Findings) -> Option<Playback> {
    match (draft.start.is_absent(), draft.end.is_absent()) {
        (true, true) => return Some(Playback::Live),
        (true, false) => found.push(Violation::OneSidedWindow { absent: Field::StartTime }),
        (false, true) => found.push(Violation::OneSidedWindow { absent: Field::EndTime }),
        (false, false) => {}
    }
    let range = time_range(draft, found);
    if draft.end.value().is_some_and(|end| end > latest_end.0) {
        found.push(Violation::TimeInFuture);
    }
    range.map(Playback::Historic)
}

/// Types, signs and order of the two times that are there.
fn time_range(draft: WindowDraft, found: &mut Findings) -> Option<TimeRange> {
    let times = [(Field::StartTime, draft.start), (Field::EndTime, draft.end)];
    found.extend(
        times
            .iter()
            .filter(|(_, time)| *time == Given::Malformed)
            .map(|(field, _)| Violation::NotAnInteger(*field)),
    );
    found.extend(
        times
            .iter()
            .filter(|(_, time)| time.value().is_some_and(|time| time < 0))
            .map(|(field, _)| Violation::TimeNegative(*field)),
    );
    let (start, end) = draft.start.value().zip(draft.end.value())?;
    let range = TimeRange::new(EpochSeconds(start), EpochSeconds(end));
    if range.is_none() {
        found.push(Violation::TimesReversed);
    }
    range
}

fn integer(
    given: Given<i64>,
    field: Field,
    missing: fn(Field) -> Violation,
    found: &mut Findings,
) -> Option<i64> {
    match given {
        Given::Absent => found.push(missing(field)),
        Given::Malformed => found.push(Violation::NotAnInteger(field)),
        Given::Value(_) => {}
    }
    given.value()
}

fn positive(value: i64, violation: Violation, found: &mut Findings) -> Option<u64> {
    let positive = u64::try_from(value).ok().filter(|value| *value > 0);
    if positive.is_none() {
        found.push(violation);
    }
    positive
}
